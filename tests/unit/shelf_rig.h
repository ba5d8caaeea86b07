/* shelf_rig.h: one simulated Intel platform whose PKI stays at hand, so that its vendor can say something else tomorrow; and
 * shelves of what it says. */
#ifndef ATLS_TESTS_SHELF_RIG_H
#define ATLS_TESTS_SHELF_RIG_H

#include "unit/simulated.h"

#include <stdlib.h>

#include <jansson.h>
#include <openssl/rand.h>

#include "sim/collateral.h"
#include "sim/crl.h"
#include "sim/pki.h"
#include "sim/report.h"
#include "sim/state.h"
#include "trust/shelf.h"
#include "trust/trust.h"
#include "verify/verify.h"

#define DAY       86400
#define RIG_ITEMS 16

typedef struct rig_item {
    char key[ATLS_ITEM_KEY_LEN];
    atls_buf chain, body; /* malloc'ed */
    atls_item_facts facts;
    int64_t since_s;
} rig_item;

typedef struct shelf_rig {
    sim_plan plan; /* what the vendor says next */
    sim_pki pki;
    atls_sim *sim;
    uint8_t root_sha256[32];
    char *root;
    uint8_t *quote;
    size_t quote_len;
    rig_item items[RIG_ITEMS];
    size_t items_n;
    atls_floors *floors;
    atls_shelf_place *place;
    atls_verifier *v;
} shelf_rig;

static inline atls_buf rig_copy(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return (atls_buf){copy, len};
}

static inline void rig_free_buf(atls_buf buf)
{
    free((void *)(uintptr_t)buf.ptr);
}

static inline void rig_drop_items(shelf_rig *r)
{
    for (size_t i = 0; i < r->items_n; i++) {
        rig_free_buf(r->items[i].chain);
        rig_free_buf(r->items[i].body);
    }
    r->items_n = 0;
}

/* The item of that key, anew; takes the bytes over. */
static inline rig_item *rig_put(shelf_rig *r, const char *key, atls_buf chain, atls_buf body,
                                const atls_item_facts *facts)
{
    size_t i = 0;
    while (i < r->items_n && strcmp(r->items[i].key, key) != 0) {
        i++;
    }
    rig_item *item = &r->items[i];
    assert_true(i < RIG_ITEMS);
    if (i < r->items_n) {
        rig_free_buf(item->chain);
        rig_free_buf(item->body);
    } else {
        r->items_n++;
    }
    *item = (rig_item){.chain = chain, .body = body, .facts = *facts};
    memcpy(item->key, key, strlen(key) + 1);
    memcpy(item->facts.root_sha256, r->root_sha256, 32);
    item->facts.simulated = true;
    return item;
}

static inline rig_item *rig_item_of(shelf_rig *r, const char *prefix)
{
    for (size_t i = 0; i < r->items_n; i++) {
        if (strncmp(r->items[i].key, prefix, strlen(prefix)) == 0) {
            return &r->items[i];
        }
    }
    fail_msg("no item %s", prefix);
    return NULL;
}

static inline void rig_drop(shelf_rig *r, const char *prefix)
{
    rig_item *item = rig_item_of(r, prefix);
    rig_free_buf(item->chain);
    rig_free_buf(item->body);
    *item = r->items[--r->items_n];
}

static inline const char *rig_member(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    assert_non_null(text);
    return text;
}

static inline void rig_put_signed(shelf_rig *r, const json_t *json, const char *what,
                                  const char *wrapped, const char *key)
{
    char name[64];
    const char *text = rig_member(json, what);
    (void)snprintf(name, sizeof name, "%s_signature", what);
    const char *signature = rig_member(json, name);
    (void)snprintf(name, sizeof name, "%s_issuer_chain", what);
    const char *chain = rig_member(json, name);
    const size_t len = strlen(text) + strlen(signature) + 64;
    char *body = malloc(len);
    assert_non_null(body);
    (void)snprintf(body, len, "{\"%s\":%s,\"signature\":\"%s\"}", wrapped, text, signature);
    atls_item_facts facts = {.has_number = true};
    atls_buf bytes = text_buf(text);
    if (what[0] == 't') {
        atls_tcb_info *info = NULL;
        assert_int_equal(atls_tcb_info_parse(bytes, &info, NULL), ATLS_OK);
        facts.number = info->evaluation_number;
        facts.issued_s = info->issue_date_s;
        facts.next_update_s = facts.expires_s = info->next_update_s;
        atls_tcb_info_free(info);
    } else {
        atls_qe_identity *qe = NULL;
        assert_int_equal(atls_qe_identity_parse(bytes, &qe, NULL), ATLS_OK);
        facts.number = qe->evaluation_number;
        facts.issued_s = qe->issue_date_s;
        facts.next_update_s = facts.expires_s = qe->next_update_s;
        atls_qe_identity_free(qe);
    }
    (void)rig_put(r, key, rig_copy(chain, strlen(chain)), (atls_buf){(uint8_t *)body, strlen(body)},
                  &facts);
}

static inline atls_item_facts rig_crl_facts(atls_buf der)
{
    atls_crl *crl = NULL;
    assert_int_equal(atls_crl_parse(der, &crl, NULL), ATLS_OK);
    const atls_item_facts facts = {.has_number = crl->has_number,
                                   .number = crl->number,
                                   .issued_s = crl->this_update_s,
                                   .next_update_s = crl->next_update_s,
                                   .expires_s = crl->next_update_s};
    atls_crl_free(crl);
    return facts;
}

static inline void rig_put_crl(shelf_rig *r, const json_t *json, const char *what, const char *key,
                               const char *chain)
{
    const char *hex = rig_member(json, what);
    atls_buf der;
    uint8_t *space = malloc(strlen(hex) + 1);
    assert_non_null(space);
    assert_int_equal(atls_crl_decode(text_buf(hex), space, &der, NULL), ATLS_OK);
    const atls_item_facts facts = rig_crl_facts(der);
    (void)rig_put(r, key, rig_copy(chain, strlen(chain)), rig_copy(der.ptr, der.len), &facts);
    free(space);
}

/* What the plan says at when_s, as the contract's JSON; the caller frees it. */
static inline char *rig_say(shelf_rig *r, sim_tee tee, int64_t when_s)
{
    char *json = NULL;
    X509_CRL_free(r->pki.root_crl);
    X509_CRL_free(r->pki.pck_crl);
    r->pki.root_crl = sim_crl_make(&r->plan.root_crl, when_s, &r->pki);
    r->pki.pck_crl = sim_crl_make(&r->plan.pck_crl, when_s, &r->pki);
    assert_int_equal(sim_collateral_make(&r->plan, tee, when_s, &r->pki, &json, NULL), ATLS_OK);
    return json;
}

/* The same as items of the store. */
static inline void rig_take(shelf_rig *r, sim_tee tee, int64_t when_s)
{
    char *text = rig_say(r, tee, when_s);
    json_t *json = json_loads(text, 0, NULL);
    const char *name = tee == SIM_TDX ? "tdx" : "sgx";
    char key[64];
    assert_non_null(json);
    (void)snprintf(key, sizeof key, "intel/tcb/%s/000000000000", name);
    json_t *info = json_loads(rig_member(json, "tcb_info"), 0, NULL);
    const char *fmspc = rig_member(info, "fmspc");
    for (size_t i = 0; i < 12; i++) {
        key[14 + i] = (char)(fmspc[i] >= 'A' ? fmspc[i] + 32 : fmspc[i]);
    }
    json_decref(info);
    rig_put_signed(r, json, "tcb_info", "tcbInfo", key);
    (void)snprintf(key, sizeof key, "intel/qe/%s", name);
    rig_put_signed(r, json, "qe_identity", "enclaveIdentity", key);
    rig_put_crl(r, json, "pck_crl",
                r->plan.is_processor ? "intel/pckcrl/processor" : "intel/pckcrl/platform",
                rig_member(json, "pck_crl_issuer_chain"));
    rig_put_crl(r, json, "root_ca_crl", "intel/rootcrl", "");
    json_decref(json);
    free(text);
}

static inline atls_shelf *rig_shelf(const shelf_rig *r, const atls_shelf *before)
{
    atls_item items[RIG_ITEMS];
    atls_shelf_item handed[RIG_ITEMS];
    atls_shelf *shelf = NULL;
    for (size_t i = 0; i < r->items_n; i++) {
        const rig_item *item = &r->items[i];
        items[i] = (atls_item){item->key, item->chain, item->body};
        handed[i] = (atls_shelf_item){&items[i], &item->facts, item->since_s};
    }
    assert_int_equal(atls_shelf_make(handed, r->items_n, r->floors, before, &shelf, NULL), ATLS_OK);
    return shelf;
}

static inline void rig_publish(const shelf_rig *r)
{
    atls_shelf *before = atls_shelf_place_get(r->place);
    atls_shelf_place_put(r->place, rig_shelf(r, before));
    atls_shelf_free(before);
}

/* Raises the floors to all that is held. */
static inline void rig_raise(shelf_rig *r, int64_t when_s)
{
    for (size_t i = 0; i < r->items_n; i++) {
        bool changed = false;
        assert_int_equal(atls_floors_raise(r->floors, r->items[i].key, &r->items[i].facts, when_s,
                                           &changed, NULL),
                         ATLS_OK);
    }
}

/* As atls_sim_new, but the keys of the PKI are kept. */
static inline void rig_make_sim(shelf_rig *r)
{
    sim_machine machine = {{1}, {2}};
    atls_sim *sim = calloc(1, sizeof *sim);
    uint8_t auth[32];
    uint8_t xy[64];
    assert_non_null(sim);
    assert_int_equal(sim_pki_make(&r->plan, &machine, NOW, &r->pki, NULL), ATLS_OK);
    sim->when_s = NOW;
    assert_int_equal(RAND_bytes(sim->qe_id, sizeof sim->qe_id), 1);
    assert_int_equal(sim_pki_pem(r->pki.trusted_root, &sim->root_pem, NULL), ATLS_OK);
    assert_int_equal(sim_pki_pem(r->pki.cert[SIM_ROOT], &sim->chain_root_pem, NULL), ATLS_OK);
    assert_int_equal(sim_pki_pem(r->pki.cert[SIM_CA], &sim->ca_pem, NULL), ATLS_OK);
    assert_int_equal(sim_signer_new_random(&sim->attestation, NULL), ATLS_OK);
    sim_signer_xy(sim->attestation, xy);
    for (size_t i = 0; i < sizeof auth; i++) {
        auth[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        sim_platform *p = &sim->platforms[i];
        assert_int_equal(sim_pki_pem(r->pki.pck[i], &p->pck_pem, NULL), ATLS_OK);
        assert_int_equal(sim_signer_new(r->pki.pck_key[i], &p->pck, NULL), ATLS_OK);
        for (int tee = 0; tee < SIM_TEES; tee++) {
            uint8_t report[SIM_SGX_REPORT_LEN];
            assert_int_equal(
                sim_qe_report((sim_tee)tee, xy, (atls_buf){auth, sizeof auth}, report, NULL),
                ATLS_OK);
            assert_int_equal(sim_signer_sign(p->pck, (atls_buf){report, sizeof report},
                                             p->qe_report_signature[tee], NULL),
                             ATLS_OK);
        }
    }
    r->sim = sim;
}

static inline void rig_quote(shelf_rig *r, const char *type, const char *fault)
{
    atls_sim_quote q = {.type = type, .fault = fault};
    memset(q.report_data, 0x42, sizeof q.report_data);
    atls_free(r->quote);
    assert_int_equal(atls_sim_make_quote(r->sim, &q, &r->quote, &r->quote_len, NULL), ATLS_OK);
}

/* A verifier without collateral of its own, an empty shelf, and a quote. */
static inline shelf_rig *rig_open(bool live)
{
    shelf_rig *r = calloc(1, sizeof *r);
    atls_cert *root = NULL;
    uint8_t space[4096];
    atls_buf der;
    size_t n = 0;
    assert_non_null(r);
    sim_plan_default(&r->plan);
    rig_make_sim(r);
    assert_int_equal(atls_sim_root(r->sim, &r->root, NULL), ATLS_OK);
    assert_int_equal(atls_cert_split(text_buf(r->root), space, sizeof space, &der, 1, &n, NULL),
                     ATLS_OK);
    assert_int_equal(atls_cert_parse(der, &root, NULL), ATLS_OK);
    memcpy(r->root_sha256, root->sha256, 32);
    atls_cert_free(root);
    rig_quote(r, "tdx", NULL);
    r->floors = atls_floors_new();
    r->place = atls_shelf_place_new();
    r->v = atls_verifier_new();
    assert_true(r->floors != NULL && r->place != NULL && r->v != NULL);
    assert_int_equal(atls_verifier_insecure_trust_simulator(r->v, text_buf(r->root), NULL),
                     ATLS_OK);
    atls_verifier_set0_shelf_place(r->v, r->place, live);
    return r;
}

static inline void rig_close(shelf_rig *r)
{
    rig_drop_items(r);
    atls_verifier_free(r->v);
    atls_shelf_place_free(r->place);
    atls_floors_free(r->floors);
    atls_free(r->quote);
    atls_free(r->root);
    atls_sim_free(r->sim);
    sim_pki_clear(&r->pki);
    free(r);
}

static inline atls_verdict *rig_check(const shelf_rig *r, int64_t when_s)
{
    const atls_evidence e = {.parts_n = 1, .parts = {{"quote", {r->quote, r->quote_len}}}};
    atls_verdict *verdict = atls_verifier_check(r->v, &e, NULL, when_s, NULL);
    assert_non_null(verdict);
    assert_null(verdict->shelf);
    return verdict;
}

static inline void rig_accepts(const shelf_rig *r, int64_t when_s)
{
    atls_verdict *verdict = rig_check(r, when_s);
    if (!atls_verdict_accepted(verdict)) {
        print_error("%s: %s\n", atls_verdict_check(verdict), atls_verdict_message(verdict));
    }
    assert_true(atls_verdict_accepted(verdict));
    atls_verdict_free(verdict);
}

static inline void rig_refuses(const shelf_rig *r, int64_t when_s, atls_code code,
                               const char *check)
{
    atls_verdict *verdict = rig_check(r, when_s);
    if (atls_verdict_code(verdict) != code || !has_failure(verdict, check, code)) {
        print_error("%d %s: %s, where %d %s is wanted\n", (int)atls_verdict_code(verdict),
                    atls_verdict_check(verdict), atls_verdict_message(verdict), (int)code, check);
    }
    assert_false(atls_verdict_accepted(verdict));
    assert_int_equal(atls_verdict_code(verdict), code);
    assert_true(has_failure(verdict, check, code));
    atls_verdict_free(verdict);
}

static inline void rig_policy(const shelf_rig *r, const char *tee, const char *more)
{
    char text[512];
    atls_policy *policy = NULL;
    (void)snprintf(text, sizeof text,
                   "{\"atls_policy\":1,\"workloads\":[{\"name\":\"any\",\"tees\":[\"%s\"]%s}]}",
                   tee, more);
    assert_int_equal(atls_policy_parse(text_buf(text), &policy, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_set1_policy(r->v, policy, NULL), ATLS_OK);
    atls_policy_free(policy);
}

#endif
