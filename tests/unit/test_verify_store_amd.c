/* Verifiers that see AMD's certificates and lists, and key sets of tokens, on a shelf. */
#include "unit/snp_world.h"

#include <stdlib.h>

#include "evidence/snp/report.h"
#include "sim/snp_plan.h"
#include "trust/amd_cert_table.h"
#include "trust/shelf.h"
#include "trust/trust.h"
#include "trust/vcek_item.h"
#include "verify/verify.h"

#define DAY   86400
#define ITEMS 8

typedef struct held {
    char key[ATLS_ITEM_KEY_LEN];
    atls_buf body; /* of a blob that stays */
    atls_item_facts facts;
    int64_t since_s;
} held;

typedef struct world {
    const snp_rig *rig;
    atls_verifier *v;
    atls_shelf_place *place;
    atls_floors *floors;
    atls_evidence_blob blob;
    atls_snp_report report;
    atls_amd_cert_table table;
    atls_amd_product product;
    bool is_vlek;
    held items[ITEMS];
    size_t n;
} world;

static void publish(const world *w)
{
    atls_item items[ITEMS];
    atls_shelf_item handed[ITEMS];
    atls_shelf *shelf = NULL;
    atls_shelf *before = atls_shelf_place_get(w->place);
    for (size_t i = 0; i < w->n; i++) {
        items[i] = (atls_item){w->items[i].key, {NULL, 0}, w->items[i].body};
        handed[i] = (atls_shelf_item){&items[i], &w->items[i].facts, w->items[i].since_s};
    }
    assert_int_equal(atls_shelf_make(handed, w->n, w->floors, before, &shelf, NULL), ATLS_OK);
    atls_shelf_place_put(w->place, shelf);
    atls_shelf_free(before);
}

/* The ARK of that product, of the world's roots. */
static void root_of(const world *w, uint8_t out[32])
{
    uint8_t *space = malloc(strlen(w->rig->root));
    atls_buf ders[8];
    size_t n = 0;
    char cn[32];
    bool found = false;
    (void)snprintf(cn, sizeof cn, "ARK-%s", atls_amd_product_name(w->product));
    assert_int_equal(
        atls_cert_split(text_buf(w->rig->root), space, strlen(w->rig->root), ders, 8, &n, NULL),
        ATLS_OK);
    for (size_t i = 0; i < n; i++) {
        atls_cert *cert = NULL;
        assert_int_equal(atls_cert_parse(ders[i], &cert, NULL), ATLS_OK);
        if (strcmp(cert->subject_cn, cn) == 0) {
            memcpy(out, cert->sha256, 32);
            found = true;
        }
        atls_cert_free(cert);
    }
    free(space);
    assert_true(found);
}

static held *put(world *w, const atls_item_name *name, atls_buf body)
{
    char key[ATLS_ITEM_KEY_LEN];
    atls_item_name_format(name, key);
    size_t i = 0;
    while (i < w->n && strcmp(w->items[i].key, key) != 0) {
        i++;
    }
    assert_true(i < ITEMS);
    w->n += i == w->n ? 1 : 0;
    w->items[i] = (held){.body = body, .facts = {.expires_s = INT64_MAX}};
    memcpy(w->items[i].key, key, sizeof key);
    root_of(w, w->items[i].facts.root_sha256);
    return &w->items[i];
}

static held *put_crl(world *w, bool is_vlek, atls_buf der)
{
    const atls_item_name name = {
        .kind = ATLS_ITEM_AMD_CRL, .is_vlek = is_vlek, .product = w->product};
    atls_crl *crl = NULL;
    assert_int_equal(atls_crl_parse(der, &crl, NULL), ATLS_OK);
    held *item = put(w, &name, der);
    item->facts.has_number = crl->has_number;
    item->facts.number = crl->number;
    item->facts.issued_s = crl->this_update_s;
    item->facts.next_update_s = item->facts.expires_s = crl->next_update_s;
    atls_crl_free(crl);
    return item;
}

static void drop(world *w, const char *prefix)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strncmp(w->items[i].key, prefix, strlen(prefix)) == 0) {
            w->items[i] = w->items[--w->n];
            return;
        }
    }
    fail_msg("no item %s", prefix);
}

/* All that the variant's table has, as items. */
static world open(const snp_rig *rig, const snp_variant *variant, bool live)
{
    world w = {.rig = rig, .blob = snp_evidence(rig, variant->name, NULL)};
    const atls_buf report = {w.blob.parts[0].bytes, w.blob.parts[0].len};
    const atls_buf table = {w.blob.parts[1].bytes, w.blob.parts[1].len};
    assert_int_equal(atls_snp_report_parse(report, &w.report, NULL), ATLS_OK);
    assert_int_equal(atls_amd_cert_table_parse(table, &w.table, NULL), ATLS_OK);
    w.product = variant->product == SNP_MILAN   ? ATLS_AMD_MILAN
                : variant->product == SNP_GENOA ? ATLS_AMD_GENOA
                                                : ATLS_AMD_TURIN;
    w.is_vlek = variant->is_vlek;
    w.floors = atls_floors_new();
    w.place = atls_shelf_place_new();
    w.v = atls_verifier_new();
    assert_true(w.floors != NULL && w.place != NULL && w.v != NULL);
    assert_int_equal(atls_verifier_insecure_trust_simulator(w.v, text_buf(rig->root), NULL),
                     ATLS_OK);
    atls_verifier_set0_shelf_place(w.v, w.place, live);
    return w;
}

static void put_all(world *w)
{
    atls_item_name vcek;
    if (!w->is_vlek) {
        assert_true(
            atls_vcek_item_name(w->product, w->report.chip_id, w->report.reported_tcb, &vcek));
        (void)put(w, &vcek, w->table.entry[ATLS_AMD_VCEK]);
    }
    const atls_item_name chain = {
        .kind = ATLS_ITEM_AMD_CHAIN, .is_vlek = w->is_vlek, .product = w->product};
    (void)put(w, &chain, w->table.entry[ATLS_AMD_ASK]);
    (void)put_crl(w, w->is_vlek, w->table.entry[ATLS_AMD_CRL]);
}

static void close_world(world *w)
{
    atls_verifier_free(w->v);
    atls_shelf_place_free(w->place);
    atls_floors_free(w->floors);
    atls_evidence_blob_clear(&w->blob);
}

/* The report, and of the leaf only a VLEK, which no store has. */
static atls_verdict *check(const world *w, int64_t when_s)
{
    atls_evidence e = {.type = "snp",
                       .parts_n = 1,
                       .parts = {{"report", {w->blob.parts[0].bytes, w->blob.parts[0].len}}}};
    if (w->is_vlek) {
        e.parts[e.parts_n].name = "vcek";
        e.parts[e.parts_n++].bytes = w->table.entry[ATLS_AMD_VLEK];
    }
    atls_verdict *r = atls_verifier_check(w->v, &e, NULL, when_s, NULL);
    assert_non_null(r);
    return r;
}

static void accepts(const world *w, int64_t when_s)
{
    atls_verdict *r = check(w, when_s);
    if (!atls_verdict_accepted(r)) {
        print_error("%s: %s\n", atls_verdict_check(r), atls_verdict_message(r));
    }
    assert_true(atls_verdict_accepted(r));
    assert_true(r->claims.as.snp.crl_checked);
    atls_verdict_free(r);
}

static void refuses(const world *w, int64_t when_s, atls_code code, const char *id)
{
    atls_verdict *r = check(w, when_s);
    if (!has_failure(r, id, code)) {
        print_error("%s: %s, where %s is wanted\n", atls_verdict_check(r), atls_verdict_message(r),
                    id);
    }
    assert_false(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_code(r), code);
    assert_true(has_failure(r, id, code));
    atls_verdict_free(r);
}

static void policy(const world *w, const char *more)
{
    char text[256];
    atls_policy *p = NULL;
    (void)snprintf(text, sizeof text,
                   "{\"atls_policy\":1,\"workloads\":[{\"name\":\"any\",\"tees\":[\"snp\"]%s}]}",
                   more);
    assert_int_equal(atls_policy_parse(text_buf(text), &p, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_set1_policy(w->v, p, NULL), ATLS_OK);
    atls_policy_free(p);
}

/* --- what is there is used, what is not is told --- */

static void every_variant_lives_off_the_shelf(void **state)
{
    for (size_t i = 0; snp_variant_at(i) != NULL; i++) {
        world w = open(*state, snp_variant_at(i), true);
        put_all(&w);
        publish(&w);
        for (int warm = 0; warm < 2; warm++) {
            accepts(&w, NOW);
        }
        close_world(&w);
    }
}

static void each_missing_item_is_told(void **state)
{
    static const struct {
        const char *key, *check;
    } rows[] = {{"amd/vcek", "snp.leaf.missing"},
                {"amd/chain", "snp.ca.missing"},
                {"amd/crl", "policy.crl"}};
    for (size_t i = 0; i < 3; i++) {
        world w = open(*state, snp_variant_at(0), true);
        put_all(&w);
        publish(&w);
        accepts(&w, NOW);
        drop(&w, rows[i].key);
        publish(&w);
        refuses(&w, NOW, ATLS_E_COLLATERAL, rows[i].check);
        close_world(&w);
    }
}

static void items_of_another_root(void **state)
{
    world w = open(*state, snp_variant_at(0), true);
    put_all(&w);
    for (size_t i = 0; i < w.n; i++) {
        w.items[i].facts.root_sha256[0] ^= 1;
    }
    publish(&w);
    refuses(&w, NOW, ATLS_E_COLLATERAL, "snp.leaf.missing");
    close_world(&w);
}

/* --- revocation --- */

static atls_evidence_blob condemned(const world *w, const snp_variant *variant, const char *fault,
                                    atls_buf *der)
{
    atls_evidence_blob blob = snp_evidence(w->rig, variant->name, fault);
    atls_amd_cert_table table;
    assert_int_equal(
        atls_amd_cert_table_parse((atls_buf){blob.parts[1].bytes, blob.parts[1].len}, &table, NULL),
        ATLS_OK);
    *der = table.entry[ATLS_AMD_CRL];
    return blob;
}

static void a_new_list_revokes_at_once(void **state)
{
    for (size_t i = 0; snp_variant_at(i) != NULL; i++) {
        world w = open(*state, snp_variant_at(i), true);
        atls_buf der;
        atls_evidence_blob bad = condemned(&w, snp_variant_at(i), "crl.revokes", &der);
        put_all(&w);
        publish(&w);
        accepts(&w, NOW);
        accepts(&w, NOW);
        (void)put_crl(&w, w.is_vlek, der);
        publish(&w);
        refuses(&w, NOW, ATLS_E_INVALID, "snp.ca.crl");
        refuses(&w, NOW, ATLS_E_INVALID, "snp.ca.crl");
        close_world(&w);
        atls_evidence_blob_clear(&bad);
    }
}

/* The list for the other kind of leaf tells nothing about this one, unless it condemns its issuer. */
static void a_list_of_the_other_kind_acquits_nobody(void **state)
{
    world w = open(*state, snp_variant_at(0), true);
    atls_buf der;
    atls_evidence_blob bad = condemned(&w, snp_variant_at(0), "crl.revokes", &der);
    put_all(&w);
    drop(&w, "amd/crl");
    (void)put_crl(&w, true, w.table.entry[ATLS_AMD_CRL]);
    publish(&w);
    refuses(&w, NOW, ATLS_E_COLLATERAL, "policy.crl");
    (void)put_crl(&w, false, w.table.entry[ATLS_AMD_CRL]);
    publish(&w);
    accepts(&w, NOW);
    (void)put_crl(&w, true, der);
    publish(&w);
    refuses(&w, NOW, ATLS_E_INVALID, "snp.ca.crl");
    close_world(&w);
    atls_evidence_blob_clear(&bad);
}

/* --- floors --- */

static void a_list_below_the_floor_acquits_nobody(void **state)
{
    world w = open(*state, snp_variant_at(0), true);
    bool changed = false;
    put_all(&w);
    publish(&w);
    accepts(&w, NOW);
    held above = *put_crl(&w, false, w.table.entry[ATLS_AMD_CRL]);
    above.facts.issued_s += 60;
    assert_int_equal(atls_floors_raise(w.floors, above.key, &above.facts, NOW + 60, &changed, NULL),
                     ATLS_OK);
    publish(&w);
    refuses(&w, NOW, ATLS_E_COLLATERAL, "collateral.rollback");
    drop(&w, "amd/crl"); /* an endorsed one is no better */
    publish(&w);
    assert_int_equal(atls_verifier_add1_endorsement(w.v, w.table.entry[ATLS_AMD_CRL], NULL),
                     ATLS_OK);
    refuses(&w, NOW, ATLS_E_COLLATERAL, "collateral.rollback");
    policy(&w, ",\"crl\":\"if-present\"");
    refuses(&w, NOW, ATLS_E_COLLATERAL, "collateral.rollback");
    atls_verifier_set0_shelf_place(w.v, w.place, false);
    accepts(&w, NOW);
    close_world(&w);
}

/* --- grace --- */

static void a_late_list_is_for_the_policy(void **state)
{
    world w = open(*state, snp_variant_at(0), true);
    put_all(&w);
    publish(&w);
    held *item = put_crl(&w, false, w.table.entry[ATLS_AMD_CRL]);
    const int64_t end = item->facts.next_update_s;
    accepts(&w, end);
    refuses(&w, end + 1, ATLS_E_COLLATERAL, "snp.crl.time");
    item->since_s = end - DAY;
    publish(&w);
    refuses(&w, end + 1, ATLS_E_COLLATERAL, "policy.collateral_grace");
    policy(&w, ",\"tcb\":{\"collateral_grace_days\":3}");
    accepts(&w, end + 1);
    atls_verdict *r = check(&w, end + DAY);
    assert_true(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_expires(r), end + 3 * DAY);
    atls_verdict_free(r);
    refuses(&w, end + 3 * DAY + 1, ATLS_E_COLLATERAL, "policy.collateral_grace");
    item->since_s = 0;
    publish(&w);
    refuses(&w, end + 1, ATLS_E_COLLATERAL, "snp.crl.time");
    close_world(&w);
}

static void a_late_list_condemns_still(void **state)
{
    world w = open(*state, snp_variant_at(0), true);
    atls_buf der;
    atls_evidence_blob bad = condemned(&w, snp_variant_at(0), "crl.revokes", &der);
    put_all(&w);
    held *item = put_crl(&w, false, der);
    item->since_s = NOW;
    publish(&w);
    policy(&w, ",\"tcb\":{\"collateral_grace_days\":90}");
    refuses(&w, item->facts.next_update_s + 1, ATLS_E_INVALID, "snp.ca.crl");
    close_world(&w);
    atls_evidence_blob_clear(&bad);
}

/* --- tokens --- */

static atls_verdict *check_token(const atls_verifier *v, const atls_evidence_blob *blob)
{
    const atls_evidence e = {.type = "jwt",
                             .parts_n = 1,
                             .parts = {{"token", {blob->parts[0].bytes, blob->parts[0].len}}}};
    atls_verdict *r = atls_verifier_check(v, &e, NULL, NOW, NULL);
    assert_non_null(r);
    return r;
}

static void publish_keys(const world *w, const char *issuer, const char *keys)
{
    atls_item_name name = {.kind = ATLS_ITEM_JWKS};
    atls_item_facts facts = {.expires_s = INT64_MAX, .next_update_s = INT64_MAX};
    char key[ATLS_ITEM_KEY_LEN];
    atls_shelf *shelf = NULL;
    memcpy(name.issuer, issuer, strlen(issuer) + 1);
    atls_item_name_format(&name, key);
    const atls_item item = {key, {NULL, 0}, text_buf(keys)};
    const atls_shelf_item handed = {&item, &facts, 0};
    assert_int_equal(atls_shelf_make(&handed, 1, NULL, NULL, &shelf, NULL), ATLS_OK);
    atls_shelf_place_put(w->place, shelf);
}

static void keys_are_of_one_issuer(void **state)
{
    (void)state;
    static const char issuer[] = "https://simulator.atls.invalid";
    static const char *const others[] = {"https://simulator.atls.invali",
                                         "https://simulator.atls.invalid/",
                                         "https://Simulator.atls.invalid", "https://example.org"};
    atls_sim_world *sim = NULL;
    char *keys = NULL;
    char *other_keys = NULL;
    atls_sim_world *other = NULL;
    atls_evidence_blob blob = {0};
    atls_sim_request request = {.variant = NULL};
    world w = {.place = atls_shelf_place_new(), .v = atls_verifier_new()};
    assert_int_equal(atls_sim_world_new("jwt", NOW, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_new("jwt", NOW, &other, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(sim, &keys, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(other, &other_keys, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_make(sim, &request, &blob, NULL), ATLS_OK);
    atls_verifier_set0_shelf_place(w.v, w.place, true);
    assert_refused(check_token(w.v, &blob), ATLS_E_COLLATERAL, "token.key.missing");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        publish_keys(&w, others[i], keys);
        assert_refused(check_token(w.v, &blob), ATLS_E_COLLATERAL, "token.key.missing");
    }
    publish_keys(&w, issuer, keys);
    for (int warm = 0; warm < 2; warm++) {
        atls_verdict *r = check_token(w.v, &blob);
        if (!atls_verdict_accepted(r)) {
            print_error("%s: %s\n", atls_verdict_check(r), atls_verdict_message(r));
        }
        assert_true(atls_verdict_accepted(r));
        assert_true(r->claims.custom_root);
        atls_verdict_free(r);
    }
    publish_keys(&w, issuer, other_keys); /* its keys are others now */
    atls_verdict *r = check_token(w.v, &blob);
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    atls_verdict_free(r);
    /* The caller's own are good for any token, as ever. */
    assert_int_equal(atls_verifier_add1_endorsement(w.v, text_buf(keys), NULL), ATLS_OK);
    r = check_token(w.v, &blob);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_verifier_free(w.v);
    atls_shelf_place_free(w.place);
    atls_evidence_blob_clear(&blob);
    atls_free(keys);
    atls_free(other_keys);
    atls_sim_world_free(sim);
    atls_sim_world_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_lives_off_the_shelf),
        cmocka_unit_test(each_missing_item_is_told),
        cmocka_unit_test(items_of_another_root),
        cmocka_unit_test(a_new_list_revokes_at_once),
        cmocka_unit_test(a_list_of_the_other_kind_acquits_nobody),
        cmocka_unit_test(a_list_below_the_floor_acquits_nobody),
        cmocka_unit_test(a_late_list_is_for_the_policy),
        cmocka_unit_test(a_late_list_condemns_still),
        cmocka_unit_test(keys_are_of_one_issuer),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
