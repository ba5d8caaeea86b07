/* What comes beside evidence, and in the contract's JSON: split into items, each judged, those that hold are kept. */
#include "unit/snp_world.h"

#include "sim/state.h"

#undef NOW
#include "unit/store_rig.h"

#include "store/store.h"

static size_t taken_of(atls_store *s, const atls_evidence *e)
{
    size_t taken = 99;
    assert_int_equal(atls_store_take_evidence(s, e, NOW, &taken, NULL), ATLS_OK);
    return taken;
}

static atls_store *trusting(const char *root)
{
    atls_store *s = NULL;
    assert_int_equal(atls_store_open(NULL, &s, NULL), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(s, text_buf(root), NULL), ATLS_OK);
    return s;
}

static bool has(const atls_store *s, const char *key, atls_item_source source)
{
    atls_item_status status;
    return status_of(s, key, &status) && status.source == source;
}

static void stapled_collateral_is_split(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "sgx"};
    for (size_t i = 0; i < 2; i++) {
        bench b = set_up(types[i], NULL, NULL);
        char *json = NULL;
        char key[ATLS_ITEM_KEY_LEN];
        assert_int_equal(atls_sim_collateral(b.sim, types[i], &json, NULL), ATLS_OK);
        const atls_evidence e = {
            .type = types[i],
            .parts_n = 2,
            .parts = {{"quote", {b.quote, b.quote_len}}, {"collateral", text_buf(json)}}};
        atls_store *s = trusting(b.root);
        assert_int_equal(taken_of(s, &e), 4);
        assert_true(has(s, "intel/rootcrl", ATLS_ITEM_STAPLED));
        assert_true(has(s, "intel/pckcrl/platform", ATLS_ITEM_STAPLED));
        (void)snprintf(key, sizeof key, "intel/tcb/%s/53494d000000", types[i]);
        assert_true(has(s, key, ATLS_ITEM_STAPLED));
        (void)snprintf(key, sizeof key, "intel/qe/%s", types[i]);
        assert_true(has(s, key, ATLS_ITEM_STAPLED));
        assert_int_equal(taken_of(s, &e), 0); /* again: nothing new */
        atls_store_free(s);
        s = trusting(b.root); /* the same from a file of the user's */
        size_t taken = 0;
        assert_int_equal(atls_store_take_json(s, text_buf(json), "c.json", NOW, &taken, NULL),
                         ATLS_OK);
        assert_int_equal(taken, 4);
        assert_true(has(s, key, ATLS_ITEM_IMPORTED));
        atls_store_free(s);
        atls_free(json);
        tear_down(&b);
    }
}

/* One that is wrongly signed, over, or missing is left, and the others are taken. */
static void what_does_not_hold_is_left(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        size_t taken;
        const char *left;
    } cases[] = {{"tcb_info.signature", 3, "intel/tcb/tdx/53494d000000"},
                 {"qe_identity.expired", 3, "intel/qe/tdx"},
                 {"root_crl.missing", 3, "intel/rootcrl"},
                 {"pck_crl.signature", 3, "intel/pckcrl/platform"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench b = set_up("tdx", cases[i].fault, NULL);
        char *json = NULL;
        assert_int_equal(atls_sim_collateral(b.sim, "tdx", &json, NULL), ATLS_OK);
        const atls_evidence e = {
            .type = "tdx",
            .parts_n = 2,
            .parts = {{"quote", {b.quote, b.quote_len}}, {"collateral", text_buf(json)}}};
        atls_store *s = trusting(b.root);
        assert_int_equal(taken_of(s, &e), cases[i].taken);
        assert_false(has(s, cases[i].left, ATLS_ITEM_STAPLED));
        atls_store_free(s);
        atls_free(json);
        tear_down(&b);
    }
}

static void anything_else_is_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "{}",
                                        "{\"tcb_info\":1}",
                                        "{\"tcb_info\":\"{}\",\"tcb_info_signature\":\"00\"}",
                                        "{\"root_ca_crl\":\"3000\",\"pck_crl\":\"zz\"}"};
    atls_store *s = NULL;
    size_t taken = 7;
    assert_int_equal(atls_store_open(NULL, &s, NULL), ATLS_OK);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const atls_evidence e = {.type = "tdx",
                                 .parts_n = 4,
                                 .parts = {{"quote", text_buf("q")},
                                           {"collateral", text_buf(texts[i])},
                                           {"certs", text_buf(texts[i])},
                                           {"vcek", text_buf(texts[i])}}};
        assert_int_equal(taken_of(s, &e), 0);
    }
    const atls_evidence bare = {.parts_n = 1, .parts = {{NULL, text_buf("q")}}};
    assert_int_equal(taken_of(s, &bare), 0);
    assert_not_taken(atls_store_take_json(s, text_buf("[]"), NULL, NOW, &taken, err),
                     ATLS_E_INVALID, "collateral.json");
    assert_not_taken(atls_store_take_json(s, text_buf("{"), NULL, NOW, &taken, err), ATLS_E_INVALID,
                     "collateral.json");
    assert_int_equal(taken, 7);
    assert_int_equal(count_of(s), 0);
    atls_store_free(s);
}

static atls_evidence of_blob(const atls_evidence_blob *blob)
{
    atls_evidence e = {.type = blob->type, .parts_n = blob->parts_n};
    for (size_t i = 0; i < blob->parts_n; i++) {
        e.parts[i].name = blob->parts[i].name;
        e.parts[i].bytes = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
    }
    return e;
}

static void an_snp_table_is_split(void **state)
{
    const snp_rig *rig = *state;
    static const struct {
        const char *variant, *product;
        size_t taken;
    } cases[] = {{NULL, "vcek/Milan", 3}, {"genoa", "vcek/Genoa", 3}, {"vlek", "vlek/", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_evidence_blob blob = snp_evidence(rig, cases[i].variant, NULL);
        const atls_evidence e = of_blob(&blob);
        atls_store *s = trusting(rig->root);
        assert_int_equal(taken_of(s, &e), cases[i].taken);
        assert_int_equal(taken_of(s, &e), 0);
        size_t leaves = 0;
        atls_item_status status;
        for (size_t k = 0; atls_store_at(s, k, &status); k++) {
            leaves += strncmp(status.key, "amd/vcek/", 9) == 0 ? 1u : 0u;
            assert_true(strncmp(status.key, "amd/vcek/", 9) == 0 ||
                        strstr(status.key, cases[i].product) != NULL);
            assert_true(status.simulated);
        }
        assert_int_equal(leaves, i == 2 ? 0 : 1);
        atls_store_free(s);
        s = NULL; /* under AMD's own roots none of it holds */
        assert_int_equal(atls_store_open(NULL, &s, NULL), ATLS_OK);
        assert_int_equal(taken_of(s, &e), 0);
        atls_store_free(s);
        atls_evidence_blob_clear(&blob);
    }
}

static size_t leaves_of(const atls_store *s, const char *product)
{
    atls_item_status status;
    size_t n = 0;
    for (size_t i = 0; atls_store_at(s, i, &status); i++) {
        n += strncmp(status.key, "amd/vcek/", 9) == 0 && strstr(status.key, product) != NULL ? 1u
                                                                                             : 0u;
    }
    return n;
}

/* Anybody can have certificates of as many TCBs of his chip as he likes: a store full of them goes on taking, and its directory does
 * not grow either. */
static void what_strangers_bring_makes_room(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob milan = snp_evidence(rig, NULL, NULL);
    atls_evidence_blob genoa = snp_evidence(rig, "genoa", NULL);
    const atls_evidence first = of_blob(&milan);
    const atls_evidence second = of_blob(&genoa);
    char *dir = fresh_dir();
    atls_store *s = NULL;
    assert_int_equal(atls_store_open(dir, &s, NULL), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(s, text_buf(rig->root), NULL), ATLS_OK);
    s->items_max = 5;
    assert_int_equal(taken_of(s, &first), 3);
    assert_int_equal(leaves_of(s, "Milan"), 1);
    assert_int_equal(taken_of(s, &second), 3);
    assert_int_equal(leaves_of(s, "Genoa"), 1);
    assert_int_equal(leaves_of(s, "Milan"), 0);
    assert_int_equal(count_of(s), 5);
    atls_store_free(s);
    s = NULL;
    assert_int_equal(atls_store_open(dir, &s, NULL), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(s, text_buf(rig->root), NULL), ATLS_OK);
    assert_int_equal(atls_store_load(s, NOW, NULL), ATLS_OK);
    assert_null(atls_store_note(s, 0));
    assert_int_equal(leaves_of(s, "Milan"), 0);
    assert_int_equal(count_of(s), 5);
    atls_store_free(s);
    close_dir(dir);
    atls_evidence_blob_clear(&milan);
    atls_evidence_blob_clear(&genoa);
}

/* An ARK signs one list for VCEKs and one for VLEKs, and neither says which it is: a stranger who staples the one as the other bars
 * nothing with it, and puts nothing in the place of what its origin gave. */
static void a_stapled_list_of_amds_bars_nothing(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = snp_evidence(rig, "vlek", NULL);
    const atls_evidence e = of_blob(&blob);
    atls_store *s = trusting(rig->root);
    atls_item_status status = {.key = ""};
    assert_int_equal(taken_of(s, &e), 2);
    for (size_t i = 0; strncmp(status.key, "amd/crl/", 8) != 0; i++) {
        assert_true(atls_store_at(s, i, &status));
    }
    char key[ATLS_ITEM_KEY_LEN];
    memcpy(key, status.key, sizeof key);
    assert_null(atls_floors_find(s->floors, status.root_sha256, key));
    atls_held *held = NULL;
    atls_item item;
    assert_true(atls_store_get(s, key, &held));
    atls_held_item(held, &item);
    assert_int_equal(atls_store_take(s, &item, ATLS_ITEM_FETCHED, NULL, NOW, NULL), ATLS_OK);
    assert_true(has(s, key, ATLS_ITEM_FETCHED));
    assert_non_null(atls_floors_find(s->floors, status.root_sha256, key));
    atls_held_free(held);
    atls_store_free(s);
    atls_evidence_blob_clear(&blob);
}

/* --- the other way: beside what is made --- */

static atls_evidence_blob blob_of(const bench *b, const char *type)
{
    atls_evidence_blob blob = {.parts_n = 1, .parts[0] = {.name = "quote", .len = b->quote_len}};
    (void)snprintf(blob.type, sizeof blob.type, "%s", type);
    blob.parts[0].bytes = malloc(b->quote_len);
    assert_non_null(blob.parts[0].bytes);
    memcpy(blob.parts[0].bytes, b->quote, b->quote_len);
    return blob;
}

static void what_is_held_is_stapled(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "sgx"};
    for (size_t i = 0; i < 2; i++) {
        bench b = set_up(types[i], NULL, NULL);
        atls_store *s = trusting(b.root);
        atls_store *other = trusting(b.root);
        atls_evidence_blob blob = blob_of(&b, types[i]);
        char *json = NULL;
        size_t taken = 0;
        assert_false(atls_store_staple(s, NOW, &blob)); /* it has nothing */
        assert_int_equal(atls_sim_collateral(b.sim, types[i], &json, NULL), ATLS_OK);
        assert_int_equal(atls_store_take_json(s, text_buf(json), "c", NOW, &taken, NULL), ATLS_OK);
        assert_false(atls_store_staple(s, NOW + 60 * 86400, &blob)); /* over */
        memcpy(blob.type, "snp", 4);
        assert_false(atls_store_staple(s, NOW, &blob));
        memcpy(blob.type, types[i], 4);
        assert_int_equal(blob.parts_n, 1);
        assert_true(atls_store_staple(s, NOW, &blob));
        assert_int_equal(blob.parts_n, 2);
        assert_string_equal(blob.parts[1].name, "collateral");
        assert_false(atls_store_staple(s, NOW, &blob)); /* it has it already */
        const atls_evidence e = of_blob(&blob);
        assert_int_equal(taken_of(other, &e), 4);
        atls_item_status status;
        for (size_t k = 0; atls_store_at(s, k, &status); k++) { /* byte for byte */
            atls_held *ours = NULL;
            atls_held *theirs = NULL;
            atls_item x;
            atls_item y;
            assert_true(atls_store_get(s, status.key, &ours));
            assert_true(atls_store_get(other, status.key, &theirs));
            atls_held_item(ours, &x);
            atls_held_item(theirs, &y);
            assert_int_equal(x.body.len, y.body.len);
            assert_memory_equal(x.body.ptr, y.body.ptr, x.body.len);
            atls_held_free(ours);
            atls_held_free(theirs);
        }
        atls_evidence_blob_clear(&blob);
        atls_free(json);
        atls_store_free(s);
        atls_store_free(other);
        tear_down(&b);
    }
}

/* --- in two rounds --- */

typedef struct vendor_of {
    atls_store *store;
    const atls_sim *sim;
    const char *tee;
    unsigned asked;
    bool has_pck;
    atls_needs last;
    uint32_t timeout_ms[3];
} vendor_of;

static atls_code give(void *arg, const atls_needs *needs, uint32_t timeout_ms, atls_err *err)
{
    vendor_of *v = arg;
    size_t taken = 0;
    char *json = NULL;
    assert_in_range(v->asked, 0, 1);
    v->timeout_ms[v->asked++] = timeout_ms;
    v->last = *needs;
    if (strncmp(needs->keys[0], "intel/pck/", 10) == 0) {
        char pem[16384];
        const int len = snprintf(pem, sizeof pem, "%s%s%s", v->sim->platforms[0].pck_pem,
                                 v->sim->ca_pem, v->sim->chain_root_pem);
        const atls_item item = {needs->keys[0], {NULL, 0}, {(const uint8_t *)pem, (size_t)len}};
        return v->has_pck ? atls_store_take(v->store, &item, ATLS_ITEM_FETCHED, "vendor", NOW, err)
                          : (atls_code)ATLS_E_COLLATERAL;
    }
    assert_int_equal(atls_sim_collateral(v->sim, v->tee, &json, NULL), ATLS_OK);
    const atls_code rc = atls_store_take_json(v->store, text_buf(json), "vendor", NOW, &taken, err);
    atls_free(json);
    return rc;
}

/* A quote that only names its platform: the certificate first, and what follows from it then. */
static void the_certificate_tells_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *type, *fault, *tcb;
    } rows[] = {{"tdx", "quote.type_1", "intel/tcb/tdx/53494d000000"},
                {"sgx", "quote.type_2", "intel/tcb/sgx/53494d000000"},
                {"tdx5", "quote.type_3", "intel/tcb/tdx/53494d000000"}};
    for (size_t i = 0; i < 3; i++) {
        bench b = set_up(rows[i].type, NULL, rows[i].fault);
        const atls_evidence e = {.parts_n = 1, .parts = {{"quote", {b.quote, b.quote_len}}}};
        vendor_of v = {.store = trusting(b.root), .sim = b.sim, .tee = i == 1 ? "sgx" : "tdx"};
        bool gained = true;
        atls_needs needs;
        assert_int_equal(atls_store_complete(v.store, &e, NOW, NULL, NULL, 0, &gained, NULL),
                         ATLS_OK);
        assert_false(gained);
        assert_int_equal(atls_store_complete(v.store, &e, NOW, give, &v, 1000, &gained, NULL),
                         ATLS_E_COLLATERAL);
        assert_true(!gained && v.asked == 1); /* nobody has it: nothing follows */
        v.asked = 0;
        v.has_pck = true;
        assert_int_equal(atls_store_complete(v.store, &e, NOW, give, &v, 1000, &gained, NULL),
                         ATLS_OK);
        assert_true(gained && v.asked == 2);
        assert_true(v.timeout_ms[0] + v.timeout_ms[1] <= 1000 && v.timeout_ms[1] > 0);
        assert_int_equal(v.last.n, 4);
        assert_string_equal(v.last.keys[0], rows[i].tcb);
        atls_store_needs(v.store, &e, &needs);
        assert_int_equal(needs.n, 5);
        assert_memory_equal(needs.keys[0], "intel/pck/", 10);
        assert_int_equal(atls_store_complete(v.store, &e, NOW, give, &v, 0, &gained, NULL),
                         ATLS_OK);
        assert_true(!gained && v.asked == 2); /* all is there */
        atls_store_free(v.store);
        tear_down(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_certificate_tells_the_rest),
        cmocka_unit_test(what_is_held_is_stapled),
        cmocka_unit_test(stapled_collateral_is_split),
        cmocka_unit_test(what_does_not_hold_is_left),
        cmocka_unit_test(anything_else_is_nothing),
        cmocka_unit_test(an_snp_table_is_split),
        cmocka_unit_test(what_strangers_bring_makes_room),
        cmocka_unit_test(a_stapled_list_of_amds_bars_nothing),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
