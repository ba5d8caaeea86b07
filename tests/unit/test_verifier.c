/* The verifier over simulated evidence: every fault of the simulator is refused with its code, and what the
 * verifier's user may set does what it says. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "unit/pki.h"
#include "verify/verdict.h"
#include <atls/atls.h>
#include <atls/sim.h>

#define NOW 1790000000 /* 2026-09-21 */

/* A sanitizer keeps what was freed: there, the size of the process says nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

typedef struct bench { /* one simulated platform, a quote of it, and a verifier that knows it */
    atls_sim *sim;
    char *root;
    atls_collateral *collateral;
    uint8_t *quote;
    size_t quote_len;
    atls_verifier *v;
} bench;

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static atls_collateral *collateral_of(const atls_sim *sim, const char *type)
{
    char *json = NULL;
    atls_collateral *c = NULL;
    assert_int_equal(
        atls_sim_collateral(sim, strncmp(type, "sgx", 3) == 0 ? "sgx" : "tdx", &json, NULL),
        ATLS_OK);
    assert_int_equal(atls_collateral_parse(text_buf(json), &c, NULL), ATLS_OK);
    atls_free(json);
    return c;
}

static bench set_up(const char *type, const char *platform_fault, const char *quote_fault)
{
    bench b = {0};
    atls_sim_quote q = {.type = type, .fault = quote_fault};
    memset(q.report_data, 0x42, sizeof q.report_data);
    assert_int_equal(atls_sim_new(NOW, platform_fault, &b.sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(b.sim, &b.root, NULL), ATLS_OK);
    assert_int_equal(atls_sim_make_quote(b.sim, &q, &b.quote, &b.quote_len, NULL), ATLS_OK);
    b.collateral = collateral_of(b.sim, type);
    b.v = atls_verifier_new();
    assert_non_null(b.v);
    return b;
}

static void tear_down(bench *b)
{
    atls_verifier_free(b->v);
    atls_collateral_free(b->collateral);
    atls_free(b->root);
    atls_free(b->quote);
    atls_sim_free(b->sim);
}

static void trust_all(const bench *b)
{
    assert_int_equal(atls_verifier_insecure_trust_simulator(b->v, text_buf(b->root), NULL),
                     ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b->v, b->collateral, NULL), ATLS_OK);
}

static atls_verdict *check_at(const bench *b, const atls_expected *expected, int64_t when_s)
{
    atls_evidence e = {.parts_n = 1, .parts = {{NULL, {b->quote, b->quote_len}}}};
    atls_verdict *r = atls_verifier_check(b->v, &e, expected, when_s, NULL);
    assert_non_null(r);
    return r;
}

static void assert_refused(atls_verdict *r, atls_code code, const char *check)
{
    if (atls_verdict_accepted(r) || atls_verdict_code(r) != code ||
        strcmp(atls_verdict_check(r), check) != 0) {
        print_error("%d %s: %s\n", (int)atls_verdict_code(r), atls_verdict_check(r),
                    atls_verdict_message(r));
    }
    assert_false(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_code(r), code);
    assert_string_equal(atls_verdict_check(r), check);
    atls_verdict_free(r);
}

/* Fails with that id and code somewhere in the ledger? */
static bool has_failure(const atls_verdict *r, const char *id, atls_code code)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        const atls_entry *e = &r->ledger.entries[i];
        if (e->result == ATLS_CHECK_FAIL && strcmp(e->id, id) == 0 && e->code == code) {
            return true;
        }
    }
    return false;
}

static void genuine_evidence_is_accepted_and_called_simulated(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "tdx5", "tdx5-1.0", "sgx", "sgx4", "sgx5"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        bench b = set_up(types[i], NULL, NULL);
        trust_all(&b);
        atls_verdict *r = check_at(&b, NULL, NOW);
        assert_true(atls_verdict_accepted(r));
        assert_true(atls_verdict_simulated(r));
        assert_int_equal(atls_verdict_signatures(r), 9);
        assert_string_equal(atls_verdict_format(r), types[i][0] == 's' ? "sgx" : "tdx");
        assert_string_equal(atls_verdict_binding(r), "none");
        atls_verdict_free(r);
        r = check_at(&b, NULL, NOW);
        assert_true(atls_verdict_accepted(r) && atls_verdict_simulated(r));
        assert_int_equal(atls_verdict_signatures(r), 1);
        atls_verdict_free(r);
        atls_verifier_drop_caches(b.v);
        r = check_at(&b, NULL, NOW);
        assert_int_equal(atls_verdict_signatures(r), 9);
        atls_verdict_free(r);
        tear_down(&b);
    }
}

/* --- every fault --- */

static unsigned try_fault(const atls_sim_fault *f, const char *type)
{
    bench b = set_up(type, f->of_quote ? NULL : f->name, f->of_quote ? f->name : NULL);
    /* A root that does not even hold by itself is refused at set-up, and then not trusted. */
    atls_err err = {0};
    atls_code rc = atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), &err);
    if (rc != ATLS_OK) {
        assert_string_equal(err.check, "root.certificate");
    }
    assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, NULL), ATLS_OK);
    unsigned wrong = 0;
    for (int i = 0; i < 2; i++) { /* cold, then from what was cached */
        atls_verdict *r = check_at(&b, NULL, NOW);
        if (atls_verdict_code(r) != f->expected ||
            atls_verdict_accepted(r) != (f->expected == ATLS_OK)) {
            print_error("%s in %s (%s): code %d, wanted %d: %s: %s\n", f->name, type, f->what,
                        (int)atls_verdict_code(r), (int)f->expected, atls_verdict_check(r),
                        atls_verdict_message(r));
            wrong++;
        }
        atls_verdict_free(r);
    }
    tear_down(&b);
    return wrong;
}

static void every_fault_of_the_simulator_is_refused_with_its_code(void **state)
{
    (void)state;
    atls_sim_fault f;
    unsigned n = 0;
    unsigned wrong = 0;
    for (size_t i = 0; atls_sim_fault_at(i, &f); i++) {
        wrong += f.in_tdx ? try_fault(&f, "tdx") : 0;
        wrong += f.in_tdx5 ? try_fault(&f, "tdx5") : 0;
        wrong += f.in_sgx ? try_fault(&f, "sgx") : 0;
        n++;
    }
    assert_true(n > 100);
    assert_int_equal(wrong, 0);
}

/* Which check it is that notices: one for each id that a platform's trust can fail with. */
static void each_check_notices_its_fault(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *type, *check;
        atls_code code;
        bool of_quote;
    } cases[] = {
        {"root.other", "tdx", "pck.chain.root", ATLS_E_INVALID, false},
        {"root.reissued", "tdx", "pck.chain.root", ATLS_E_INVALID, false},
        {"root.not_ca", "tdx", "pck.chain.usage", ATLS_E_INVALID, false},
        {"root.wrong_aki", "tdx", "pck.root.issuer", ATLS_E_INVALID, false},
        {"root.path_len", "tdx", "pck.chain.usage", ATLS_E_INVALID, false},
        {"root.revoked", "tdx", "pck.root.crl", ATLS_E_INVALID, false},
        {"root.expired", "tdx", "pck.chain.time", ATLS_E_COLLATERAL, false},
        {"ca.not_yet_valid", "tdx", "pck.chain.time", ATLS_E_COLLATERAL, false},
        {"ca.signature", "tdx", "pck.ca.signature", ATLS_E_INVALID, false},
        {"ca.issuer", "tdx", "pck.ca.issuer", ATLS_E_INVALID, false},
        {"ca.wrong_aki", "tdx", "pck.ca.issuer", ATLS_E_INVALID, false},
        {"ca.name", "tdx", "pck.chain.ca", ATLS_E_INVALID, false},
        {"ca.key_usage", "tdx", "pck.chain.usage", ATLS_E_INVALID, false},
        {"ca.revoked", "tdx", "pck.ca.crl", ATLS_E_INVALID, false},
        {"pck.signature", "sgx", "pck.leaf.signature", ATLS_E_INVALID, false},
        {"pck.other_ca", "sgx", "pck.leaf.issuer", ATLS_E_INVALID, false},
        {"pck.name", "sgx", "pck.chain.leaf", ATLS_E_INVALID, false},
        {"pck.no_crl_dp", "sgx", "pck.chain.extensions", ATLS_E_INVALID, false},
        {"pck.critical", "sgx", "pck.chain.extensions", ATLS_E_INVALID, false},
        {"pck.curve", "sgx", "pck.chain.extensions", ATLS_E_INVALID, false},
        {"pck.revoked", "sgx", "pck.leaf.crl", ATLS_E_INVALID, false},
        {"pck.extension_twice", "sgx", "pck.extension", ATLS_E_INVALID, false},
        {"pck.no_level", "sgx", "tcb.level", ATLS_E_POLICY, false},
        {"pck.fmspc", "sgx", "tcb_info.fmspc", ATLS_E_INVALID, false},
        {"pck.pceid", "sgx", "tcb_info.pceid", ATLS_E_INVALID, false},
        {"tcb_signing.signature", "sgx", "tcb_info.chain.signature", ATLS_E_INVALID, false},
        {"tcb_signing.name", "sgx", "tcb_info.chain.signer", ATLS_E_INVALID, false},
        {"tcb_signing.no_ski", "sgx", "tcb_info.chain.extensions", ATLS_E_INVALID, false},
        {"tcb_signing.wrong_aki", "sgx", "tcb_info.chain.issuer", ATLS_E_INVALID, false},
        {"tcb_signing.ca_flag", "sgx", "tcb_info.chain.usage", ATLS_E_INVALID, false},
        {"tcb_signing.revoked", "sgx", "tcb_info.chain.crl", ATLS_E_INVALID, false},
        {"tcb_signing.revoked", "sgx", "qe_identity.chain.crl", ATLS_E_INVALID, false},
        {"tcb_signing.expired", "sgx", "tcb_info.chain.time", ATLS_E_COLLATERAL, false},
        {"tcb_signing.expired", "sgx", "qe_identity.chain.time", ATLS_E_COLLATERAL, false},
        {"root_crl.missing", "tdx", "root_crl.missing", ATLS_E_COLLATERAL, false},
        {"root_crl.cut", "tdx", "root_crl.format", ATLS_E_INVALID, false},
        {"root_crl.issuer", "tdx", "root_crl.issuer", ATLS_E_INVALID, false},
        {"root_crl.no_number", "tdx", "root_crl.extensions", ATLS_E_INVALID, false},
        {"root_crl.signature", "tdx", "root_crl.signature", ATLS_E_INVALID, false},
        {"root_crl.expired", "tdx", "root_crl.time", ATLS_E_COLLATERAL, false},
        {"pck_crl.missing", "tdx", "pck_crl.missing", ATLS_E_COLLATERAL, false},
        {"pck_crl.cut", "tdx", "pck_crl.format", ATLS_E_INVALID, false},
        {"pck_crl.other_ca", "tdx", "pck_crl.issuer", ATLS_E_INVALID, false},
        {"pck_crl.wrong_aki", "tdx", "pck_crl.extensions", ATLS_E_INVALID, false},
        {"pck_crl.signature", "tdx", "pck_crl.signature", ATLS_E_INVALID, false},
        {"pck_crl.future", "tdx", "pck_crl.time", ATLS_E_COLLATERAL, false},
        {"tcb_info.missing", "tdx", "tcb_info.missing", ATLS_E_COLLATERAL, false},
        {"tcb_info.chain_missing", "tdx", "tcb_info.chain.missing", ATLS_E_COLLATERAL, false},
        {"tcb_info.chain_long", "tdx", "tcb_info.chain.format", ATLS_E_INVALID, false},
        {"tcb_info.edited", "tdx", "tcb_info.signature", ATLS_E_INVALID, false},
        {"tcb_info.no_levels", "tdx", "tcb_info.format", ATLS_E_INVALID, false},
        {"tcb_info.future", "tdx", "tcb_info.time", ATLS_E_COLLATERAL, false},
        {"qe_identity.missing", "tdx", "qe_identity.missing", ATLS_E_COLLATERAL, false},
        {"qe_identity.chain_missing", "tdx", "qe_identity.chain.missing", ATLS_E_COLLATERAL, false},
        {"qe_identity.chain_short", "tdx", "qe_identity.chain.format", ATLS_E_INVALID, false},
        {"qe_identity.signature", "tdx", "qe_identity.signature", ATLS_E_INVALID, false},
        {"qe_identity.version", "tdx", "qe_identity.version", ATLS_E_INVALID, false},
        {"qe_identity.expired", "tdx", "qe_identity.time", ATLS_E_COLLATERAL, false},
        {"qe_identity.wrong_id", "tdx", "qe_identity.id", ATLS_E_INVALID, false},
        {"qe_identity.attributes", "tdx", "qe_identity.attributes", ATLS_E_INVALID, false},
        {"qe.mrsigner", "tdx", "qe_identity.mrsigner", ATLS_E_INVALID, true},
        {"qe.isvprodid", "tdx", "qe_identity.isvprodid", ATLS_E_INVALID, true},
        {"qe.miscselect", "tdx", "qe_identity.miscselect", ATLS_E_INVALID, true},
        {"qe.no_level", "tdx", "tcb.qe_level", ATLS_E_POLICY, true},
        {"module.unknown", "tdx", "tdx_module.identity", ATLS_E_INVALID, true},
        {"module.mrsigner", "tdx", "tdx_module.mrsigner", ATLS_E_INVALID, true},
        {"module.seam_attributes", "tdx", "tdx_module.attributes", ATLS_E_INVALID, true},
        {"module.no_level", "tdx", "tcb.module_level", ATLS_E_POLICY, true},
        {"quote.signature", "tdx", "quote.signature", ATLS_E_INVALID, true},
        {"quote.changed", "sgx", "quote.signature", ATLS_E_INVALID, true},
        {"quote.qe_report_signature", "tdx", "qe_report.signature", ATLS_E_INVALID, true},
        {"quote.attestation_key", "tdx", "qe_report.data", ATLS_E_INVALID, true},
        {"quote.type_1", "tdx", "pck.missing", ATLS_E_COLLATERAL, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench b = set_up(cases[i].type, cases[i].of_quote ? NULL : cases[i].fault,
                         cases[i].of_quote ? cases[i].fault : NULL);
        trust_all(&b);
        atls_verdict *r = check_at(&b, NULL, NOW);
        if (!has_failure(r, cases[i].check, cases[i].code)) {
            print_error("%s: not noticed by %s, but: %s: %s\n", cases[i].fault, cases[i].check,
                        atls_verdict_check(r), atls_verdict_message(r));
        }
        assert_true(has_failure(r, cases[i].check, cases[i].code));
        assert_false(atls_verdict_accepted(r));
        atls_verdict_free(r);
        tear_down(&b);
    }
}

/* --- roots --- */

static void a_simulator_is_not_trusted_unless_asked_for(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
    assert_true(has_failure(r, "pck.chain.root", ATLS_E_INVALID));
    assert_true(has_failure(r, "tcb_info.chain.root", ATLS_E_INVALID));
    assert_true(has_failure(r, "qe_identity.chain.root", ATLS_E_INVALID));
    atls_verdict_free(r);

    /* As a root of the user's it is a simulator all the same. */
    assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, text_buf(b.root), NULL),
                     ATLS_OK);
    r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r) && atls_verdict_simulated(r));
    atls_verdict_free(r);

    /* Another simulator is not this one. */
    bench other = set_up("tdx", NULL, NULL);
    assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, text_buf(other.root), NULL),
                     ATLS_OK);
    r = check_at(&b, NULL, NOW);
    assert_true(has_failure(r, "pck.chain.root", ATLS_E_INVALID));
    atls_verdict_free(r);
    tear_down(&other);
    tear_down(&b);
}

static void roots_that_are_none_are_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    atls_err err = {0};
    assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_AMD, text_buf(b.root), &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "root.family");
    static const char *const bad[] = {"", "no certificate", "-----BEGIN CERTIFICATE-----\nMAAA\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, text_buf(bad[i]), &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "root.certificate");
    }
    EVP_PKEY *key = pki_key();
    EVP_PKEY *other = pki_key();
    pki_spec spec = {
        .cn = "Some Root", .serial = 1, .not_before_s = 0, .not_after_s = 40000 * PKI_DAY};
    X509 *root = pki_cert(&spec, key, NULL, key);
    X509 *forged = pki_cert(&spec, key, NULL, other); /* self-issued, signed by another */
    spec.cn = "Some CA";
    X509 *ca = pki_cert(&spec, key, root, key);
    X509 *wrong[] = {forged, ca};
    for (size_t i = 0; i < 2; i++) {
        atls_buf der = pki_der(wrong[i]);
        assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, der, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "root.certificate");
        pki_buf_free(der);
    }
    atls_buf der = pki_der(root);
    for (int i = 0; i < 15; i++) { /* the vendor's is the sixteenth */
        assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, der, NULL), ATLS_OK);
    }
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, der, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "root.count");
    pki_buf_free(der);
    X509_free(ca);
    X509_free(forged);
    X509_free(root);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    tear_down(&b);
}

/* --- collateral --- */

static void without_collateral_signatures_are_checked_all_the_same(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_int_equal(r->claims.tee, ATLS_TEE_TDX);
    assert_false(r->claims.tcb.known);
    assert_int_equal(r->signatures, 4);
    assert_refused(r, ATLS_E_COLLATERAL, "collateral.missing");
    tear_down(&b);
}

static void the_fitting_collateral_is_chosen(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    bench strange = set_up("tdx", "tcb_info.fmspc", NULL);
    atls_collateral *sgx = collateral_of(b.sim, "sgx");
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    /* None fits: one is used anyway, and what does not fit is told. */
    assert_int_equal(atls_verifier_add1_collateral(b.v, sgx, NULL), ATLS_OK);
    assert_refused(check_at(&b, NULL, NOW), ATLS_E_INVALID, "tcb_info.tee");
    assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b.v, strange.collateral, NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_collateral_free(sgx);
    tear_down(&strange);
    tear_down(&b);
}

/* It plays no part in the verdict, but what is malformed is told. */
static void a_malformed_issuer_chain_of_the_pck_crl_is_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    char *json = NULL;
    assert_int_equal(atls_sim_collateral(b.sim, "tdx", &json, NULL), ATLS_OK);
    json_t *object = json_loads(json, 0, NULL);
    assert_int_equal(json_object_set_new(object, "pck_crl_issuer_chain", json_string("no PEM")), 0);
    char *text = json_dumps(object, JSON_COMPACT);
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse(text_buf(text), &c, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b.v, c, NULL), ATLS_OK);
    assert_refused(check_at(&b, NULL, NOW), ATLS_E_INVALID, "pck_crl.chain.format");
    atls_collateral_free(c);
    free(text);
    json_decref(object);
    atls_free(json);
    tear_down(&b);
}

/* Without it the platform's own chain decides. */
static void the_issuer_chain_of_the_pck_crl_is_not_needed(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    char *json = NULL;
    assert_int_equal(atls_sim_collateral(b.sim, "tdx", &json, NULL), ATLS_OK);
    json_t *object = json_loads(json, 0, NULL);
    assert_int_equal(json_object_del(object, "pck_crl_issuer_chain"), 0);
    char *text = json_dumps(object, JSON_COMPACT);
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse(text_buf(text), &c, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b.v, c, NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_signatures(r), 9);
    atls_verdict_free(r);
    atls_collateral_free(c);
    free(text);
    json_decref(object);
    atls_free(json);
    tear_down(&b);
}

static void at_most_1024_collaterals_are_taken(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    for (int i = 0; i < 1024; i++) {
        assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, NULL), ATLS_OK);
    }
    atls_err err = {0};
    assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "collateral.count");
    tear_down(&b);
}

static void times_are_judged_anew_at_each_use(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    int64_t ends_s = r->claims.tcb.earliest_expiration_s;
    assert_int_equal(atls_verdict_expires(r), ends_s);
    atls_verdict_free(r);
    r = check_at(&b, NULL, ends_s);
    assert_true(atls_verdict_accepted(r)); /* the last second still counts */
    assert_int_equal(r->signatures, 1);
    atls_verdict_free(r);
    r = check_at(&b, NULL, ends_s + 1);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    assert_true(r->claims.tcb.known); /* the status is told all the same */
    atls_verdict_free(r);
    r = check_at(&b, NULL, NOW - 2 * 86400);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    atls_verdict_free(r);
    r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    tear_down(&b);
}

/* --- evidence and binding --- */

static void unknown_and_oversized_evidence_is_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    static uint8_t large[(128u << 10) + 1];
    atls_evidence e = {.parts_n = 1, .parts = {{NULL, {large, sizeof large}}}};
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "evidence.size");
    e.parts[0].bytes.len = 2000;
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID,
                   "evidence.unknown");
    e.type = "snp";
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID,
                   "evidence.unknown");
    e.parts_n = 0;
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "evidence.parts");
    e.parts_n = 9;
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "evidence.parts");
    e = (atls_evidence){.type = "sgx", .parts_n = 1, .parts = {{"quote", {b.quote, b.quote_len}}}};
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "quote.format");
    e.type = NULL;
    e.parts[0].bytes = (atls_buf){NULL, 0};
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID,
                   "evidence.unknown");
    tear_down(&b);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx5", NULL, NULL);
    trust_all(&b);
    for (size_t len = 0; len < b.quote_len; len += len < 900 ? 1 : 37) {
        atls_evidence e = {.parts_n = 1, .parts = {{NULL, {b.quote, len}}}};
        atls_verdict *r = atls_verifier_check(b.v, &e, NULL, NOW, NULL);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        atls_verdict_free(r);
    }
    tear_down(&b);
}

/* No bit of what is signed may change, whether the platform is cached or not. */
static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    for (size_t i = 0; i < b.quote_len; i += i < 1300 ? 5 : 101) {
        b.quote[i] ^= 0x10;
        r = check_at(&b, NULL, NOW);
        /* The PEM text has a few bytes of slack: line ends, the final NUL. */
        if (atls_verdict_accepted(r)) {
            assert_true(i > 1300 && (b.quote[i] ^ 0x10) < 0x21);
        }
        atls_verdict_free(r);
        b.quote[i] ^= 0x10;
    }
    tear_down(&b);
}

static void report_data_and_nonce_are_compared(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    atls_expected x = {.has_report_data = true, .binding = ATLS_BINDING_SESSION};
    memset(x.report_data, 0x42, sizeof x.report_data);
    atls_verdict *r = check_at(&b, &x, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_SESSION);
    assert_string_equal(atls_verdict_freshness(r), "this connection");
    atls_verdict_free(r);
    x.report_data[63] ^= 1;
    r = check_at(&b, &x, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_NONE);
    assert_string_equal(atls_verdict_freshness(r), "none");
    assert_refused(r, ATLS_E_BINDING, "binding.report_data");

    atls_expected n = {.has_nonce = true, .nonce_len = 64};
    memset(n.nonce, 0x42, sizeof n.nonce);
    r = check_at(&b, &n, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_string_equal(atls_verdict_freshness(r), "nonce");
    atls_verdict_free(r);
    n.nonce_len = 32; /* padded with zeros, which the field has not */
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    n.nonce_len = 0;
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    n.nonce_len = 65;
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    atls_expected none = {.binding = ATLS_BINDING_SESSION};
    r = check_at(&b, &none, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_NONE);
    assert_refused(r, ATLS_E_BINDING, "binding.expected");
    tear_down(&b);
}

static void a_short_nonce_is_padded_with_zeros(void **state)
{
    (void)state;
    bench b = set_up("sgx", NULL, NULL);
    trust_all(&b);
    atls_free(b.quote);
    atls_sim_quote q = {.type = "sgx", .report_data = {1, 2, 3, 4}};
    assert_int_equal(atls_sim_make_quote(b.sim, &q, &b.quote, &b.quote_len, NULL), ATLS_OK);
    atls_expected n = {.has_nonce = true, .nonce = {1, 2, 3, 4}, .nonce_len = 4};
    atls_verdict *r = check_at(&b, &n, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    n.nonce_len = 3;
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    tear_down(&b);
}

static void an_untrusted_quote_is_bound_to_nothing(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, "quote.signature");
    trust_all(&b);
    atls_expected x = {.has_report_data = true, .binding = ATLS_BINDING_SESSION};
    memset(x.report_data, 0x42, sizeof x.report_data);
    atls_verdict *r = check_at(&b, &x, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_NONE);
    assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
    assert_refused(r, ATLS_E_INVALID, "quote.signature");
    tear_down(&b);
}

/* --- threads, memory --- */

#define THREADS 8

typedef struct worker {
    const bench *good, *bad;
    int rounds;
    bool held;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    w->held = true;
    for (int i = 0; i < w->rounds; i++) {
        atls_evidence good = {.parts_n = 1,
                              .parts = {{NULL, {w->good->quote, w->good->quote_len}}}};
        atls_evidence bad = {.parts_n = 1, .parts = {{NULL, {w->bad->quote, w->bad->quote_len}}}};
        atls_verdict *r = atls_verifier_check(w->good->v, &good, NULL, NOW, NULL);
        w->held &= r != NULL && atls_verdict_accepted(r);
        atls_verdict_free(r);
        r = atls_verifier_check(w->good->v, &bad, NULL, NOW, NULL);
        w->held &= r != NULL && atls_verdict_code(r) == ATLS_E_INVALID;
        atls_verdict_free(r);
    }
    return NULL;
}

static void eight_threads_share_one_verifier(void **state)
{
    (void)state;
    bench good = set_up("tdx", NULL, NULL);
    bench bad = set_up("tdx", NULL, NULL);
    trust_all(&good);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){&good, &bad, 40, false};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(workers[i].held);
    }
    tear_down(&bad);
    tear_down(&good);
}

static long resident_pages(void)
{
    long size = 0;
    long resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2) {
        resident = 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return resident;
}

/* ATLS_VERIFY_ROUNDS=100000 for the long run. */
static void memory_stays_flat(void **state)
{
    (void)state;
    const char *asked = getenv("ATLS_VERIFY_ROUNDS");
    long rounds = asked == NULL ? 3000 : atol(asked);
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    long before = 0;
    for (long i = 0; i < rounds; i++) {
        if (i == rounds / 10) {
            before = resident_pages();
        }
        if (i % 50 == 0) {
            atls_verifier_drop_caches(b.v);
        }
        b.quote[100] ^= (uint8_t)(i % 3 == 0 ? 1 : 0); /* refused ones as well */
        atls_verdict_free(check_at(&b, NULL, NOW));
    }
    long grown = (resident_pages() - before) * sysconf(_SC_PAGESIZE);
    tear_down(&b);
    if (SANITIZED) {
        print_message("resident size not looked at: built with a sanitizer\n");
        skip();
    }
    assert_true(grown < 1024 * 1024);
}

static void a_verifier_needs_a_policy(void **state)
{
    (void)state;
    atls_verifier *v = atls_verifier_new();
    atls_err err = {0};
    assert_int_equal(atls_verifier_set1_policy(v, NULL, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "verifier.policy");
    atls_verifier_free(v);
    atls_verifier_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_evidence_is_accepted_and_called_simulated),
        cmocka_unit_test(every_fault_of_the_simulator_is_refused_with_its_code),
        cmocka_unit_test(each_check_notices_its_fault),
        cmocka_unit_test(a_simulator_is_not_trusted_unless_asked_for),
        cmocka_unit_test(roots_that_are_none_are_refused),
        cmocka_unit_test(without_collateral_signatures_are_checked_all_the_same),
        cmocka_unit_test(the_fitting_collateral_is_chosen),
        cmocka_unit_test(a_malformed_issuer_chain_of_the_pck_crl_is_refused),
        cmocka_unit_test(the_issuer_chain_of_the_pck_crl_is_not_needed),
        cmocka_unit_test(at_most_1024_collaterals_are_taken),
        cmocka_unit_test(times_are_judged_anew_at_each_use),
        cmocka_unit_test(unknown_and_oversized_evidence_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(report_data_and_nonce_are_compared),
        cmocka_unit_test(a_short_nonce_is_padded_with_zeros),
        cmocka_unit_test(an_untrusted_quote_is_bound_to_nothing),
        cmocka_unit_test(eight_threads_share_one_verifier),
        cmocka_unit_test(memory_stays_flat),
        cmocka_unit_test(a_verifier_needs_a_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
