/* Several machines of one simulated vendor, and collateral issued anew: what is shared is shared, and verdicts follow. */
#include "unit/simulated.h"

#include "crypto/crl.h"
#include "unit/sim_items.h"

static const uint8_t model[6] = {0x00, 0x80, 0x6f, 0x05, 0x00, 0xab};
#define TCB     "intel/tcb/tdx/53494d000000"
#define TCB_2   "intel/tcb/tdx/00806f0500ab"
#define PCK_CRL "intel/pckcrl/platform"

static atls_item_facts facts_of(const atls_sim *sim, const char *key)
{
    atls_root_set roots[ATLS_FAMILIES] = {{.n = 0}};
    atls_item_facts facts;
    atls_err err = {0};
    char *pem = NULL;
    sim_item s;
    assert_int_equal(atls_sim_root(sim, &pem, NULL), ATLS_OK);
    assert_int_equal(atls_root_sets_add_simulators(roots, text_buf(pem), NULL), ATLS_OK);
    sim_item_from(sim, key, &s);
    if (atls_item_judge(roots, &s.item, &facts, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    sim_item_clear(&s);
    for (int f = 0; f < ATLS_FAMILIES; f++) {
        atls_root_set_clear(&roots[f]);
    }
    atls_free(pem);
    return facts;
}

static bool same_body(const atls_sim *a, const atls_sim *b, const char *key)
{
    sim_item x;
    sim_item y;
    sim_item_from(a, key, &x);
    sim_item_from(b, key, &y);
    const bool same = x.body_len == y.body_len && memcmp(x.body, y.body, x.body_len) == 0;
    sim_item_clear(&x);
    sim_item_clear(&y);
    return same;
}

/* A quote of that machine, judged with its own collateral. */
static atls_verdict *verdict_of(const atls_sim *sim, const char *type, int64_t when_s)
{
    bench b = {0};
    atls_sim_quote q = {.type = type};
    char *root = NULL;
    b.v = atls_verifier_new();
    b.collateral = collateral_of(sim, type);
    assert_int_equal(atls_sim_root(sim, &root, NULL), ATLS_OK);
    b.root = root;
    assert_int_equal(atls_sim_make_quote(sim, &q, &b.quote, &b.quote_len, NULL), ATLS_OK);
    trust_all(&b);
    atls_verdict *r = check_at(&b, NULL, when_s);
    tear_down(&b);
    return r;
}

static void accepted(const atls_sim *sim, const char *type, int64_t when_s)
{
    atls_verdict *r = verdict_of(sim, type, when_s);
    if (!atls_verdict_accepted(r)) {
        fail_msg("%s: %s", atls_verdict_check(r), atls_verdict_message(r));
    }
    atls_verdict_free(r);
}

static void machines_of_one_vendor(void **state)
{
    (void)state;
    atls_sim *a = NULL;
    atls_sim *b = NULL;
    char *root_a = NULL;
    char *root_b = NULL;
    assert_int_equal(atls_sim_new(NOW, NULL, &a, NULL), ATLS_OK);
    assert_int_equal(atls_sim_add_platform(a, model, &b, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(a, &root_a, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(b, &root_b, NULL), ATLS_OK);
    assert_string_equal(root_a, root_b);
    assert_true(same_body(a, b, PCK_CRL) && same_body(a, b, "intel/rootcrl"));
    assert_int_equal(facts_of(b, TCB_2).number, 17);
    accepted(a, "tdx", NOW);
    accepted(b, "tdx", NOW);
    accepted(b, "tdx5", NOW);
    accepted(b, "sgx", NOW);
    atls_sim_free(a); /* in any order */
    accepted(b, "tdx", NOW);
    assert_int_equal(atls_sim_reissue(b, NOW + 86400, 18, NULL, NULL), ATLS_OK);
    accepted(b, "tdx", NOW + 86400);
    atls_sim_free(b);
    atls_free(root_a);
    atls_free(root_b);
}

static void issued_anew(void **state)
{
    (void)state;
    const int64_t later = NOW + 20 * 86400;
    atls_sim *a = NULL;
    atls_sim *b = NULL;
    assert_int_equal(atls_sim_new(NOW, NULL, &a, NULL), ATLS_OK);
    assert_int_equal(atls_sim_add_platform(a, model, &b, NULL), ATLS_OK);
    atls_item_facts f = facts_of(a, PCK_CRL);
    assert_true(f.number == 1 && f.issued_s == NOW - 3600);
    assert_int_equal(atls_sim_reissue(a, later, 18, NULL, NULL), ATLS_OK);
    f = facts_of(a, PCK_CRL);
    assert_true(f.number == 2 && f.issued_s == later - 3600);
    f = facts_of(a, "intel/rootcrl");
    assert_true(f.number == 2 && f.issued_s == later - 3600);
    f = facts_of(a, TCB);
    assert_true(f.number == 18 && f.issued_s == later - 3600 &&
                f.next_update_s == later + 30 * 86400);
    f = facts_of(a, "intel/qe/sgx");
    assert_true(f.number == 18 && f.issued_s == later - 3600);
    accepted(a, "tdx", NOW + 45 * 86400);
    /* the other machine's stands still until it is asked for too, and has then the same lists */
    assert_int_equal(facts_of(b, PCK_CRL).number, 1);
    assert_int_equal(atls_sim_reissue(b, later, 18, NULL, NULL), ATLS_OK);
    assert_true(same_body(a, b, PCK_CRL) && same_body(a, b, "intel/rootcrl"));
    assert_int_equal(atls_sim_reissue(a, later, 18, NULL, NULL), ATLS_OK);
    assert_int_equal(facts_of(a, PCK_CRL).number, 3);
    atls_sim_free(a);
    atls_sim_free(b);
}

static void recovery(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "tdx5", "sgx"};
    atls_sim *sim = NULL;
    assert_int_equal(atls_sim_new(NOW, NULL, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_reissue(sim, NOW + 86400, 18, "recovery", NULL), ATLS_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_refused(verdict_of(sim, types[i], NOW + 86400), ATLS_E_POLICY, "tcb.status");
    }
    atls_sim *added = NULL; /* joins what its vendor has published */
    assert_int_equal(atls_sim_add_platform(sim, model, &added, NULL), ATLS_OK);
    assert_int_equal(facts_of(added, TCB_2).number, 18);
    assert_refused(verdict_of(added, "tdx", NOW + 86400), ATLS_E_POLICY, "tcb.status");
    assert_int_equal(atls_sim_reissue(sim, NOW + 86400, 17, NULL, NULL), ATLS_OK);
    for (size_t i = 0; i < 3; i++) {
        accepted(sim, types[i], NOW + 86400);
    }
    atls_sim_free(added);
    atls_sim_free(sim);
}

static atls_sim *saved_and_loaded(const atls_sim *sim)
{
    atls_sim *loaded = NULL;
    char *saved = NULL;
    assert_int_equal(atls_sim_save(sim, &saved, NULL), ATLS_OK);
    assert_int_equal(atls_sim_load(text_buf(saved), &loaded, NULL), ATLS_OK);
    atls_free(saved);
    return loaded;
}

/* What is loaded, of a new machine or of an added one, has its vendor: it can be issued anew, and have company. */
static void of_a_state(void **state)
{
    (void)state;
    static const uint8_t third[6] = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60};
    const int64_t later = NOW + 86400;
    atls_sim *a = NULL;
    atls_sim *b = NULL;
    atls_sim *c = NULL;
    assert_int_equal(atls_sim_new(NOW, NULL, &a, NULL), ATLS_OK);
    assert_int_equal(atls_sim_add_platform(a, model, &b, NULL), ATLS_OK);
    assert_int_equal(atls_sim_reissue(b, later, 18, NULL, NULL), ATLS_OK);
    atls_sim *loaded_a = saved_and_loaded(a);
    atls_sim *loaded_b = saved_and_loaded(b);
    assert_int_equal(atls_sim_reissue(loaded_a, later, 18, "recovery", NULL), ATLS_OK);
    assert_int_equal(facts_of(loaded_a, PCK_CRL).number, 2);
    assert_refused(verdict_of(loaded_a, "tdx", later), ATLS_E_POLICY, "tcb.status");
    assert_int_equal(atls_sim_reissue(loaded_b, later + 86400, 19, NULL, NULL), ATLS_OK);
    assert_int_equal(facts_of(loaded_b, PCK_CRL).number, 3);
    assert_int_equal(facts_of(loaded_b, TCB_2).number, 19);
    accepted(loaded_b, "tdx", later + 86400);
    assert_int_equal(atls_sim_reissue(loaded_b, NOW - 3600, 16, NULL, NULL), ATLS_OK);
    const atls_item_facts back = facts_of(loaded_b, TCB_2);
    assert_true(back.number == 16 && back.issued_s == NOW - 7200);
    assert_int_equal(atls_sim_add_platform(loaded_a, third, &c, NULL), ATLS_OK);
    assert_true(same_body(loaded_a, c, PCK_CRL));
    assert_refused(verdict_of(c, "sgx", later), ATLS_E_POLICY, "tcb.status");
    assert_int_equal(atls_sim_reissue(c, later, 18, NULL, NULL), ATLS_OK);
    accepted(c, "sgx", later);
    atls_sim_free(a);
    atls_sim_free(b);
    atls_sim_free(c);
    atls_sim_free(loaded_a);
    atls_sim_free(loaded_b);
}

static void what_cannot_be(void **state)
{
    (void)state;
    static const struct {
        int64_t when_s;
        uint32_t number;
        const char *change;
    } bad[] = {{NOW, 18, "recover"},
               {86399, 18, NULL},
               {INT64_MAX, 18, NULL},
               {NOW, 0, NULL},
               {NOW, 0x80000000u, NULL}};
    atls_sim *sim = NULL;
    atls_sim *loaded = NULL;
    atls_sim *other = NULL;
    atls_err err = {0};
    char *saved = NULL;
    assert_int_equal(atls_sim_new(NOW, NULL, &sim, NULL), ATLS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(atls_sim_reissue(sim, bad[i].when_s, bad[i].number, bad[i].change, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "sim.change");
    }
    assert_int_equal(facts_of(sim, PCK_CRL).number, 1);
    atls_sim_free(sim); /* with a fault, its state has no vendor */
    assert_int_equal(atls_sim_new(NOW, "root_crl.by_ca", &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_reissue(sim, NOW, 18, NULL, NULL), ATLS_OK);
    assert_int_equal(atls_sim_save(sim, &saved, NULL), ATLS_OK);
    assert_int_equal(atls_sim_load(text_buf(saved), &loaded, NULL), ATLS_OK);
    assert_int_equal(atls_sim_reissue(loaded, NOW, 18, NULL, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.vendor");
    assert_int_equal(atls_sim_add_platform(loaded, model, &other, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.vendor");
    atls_free(saved);
    atls_sim_free(loaded);
    atls_sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machines_of_one_vendor),
        cmocka_unit_test(issued_anew),
        cmocka_unit_test(recovery),
        cmocka_unit_test(of_a_state),
        cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
