/* Verifiers that are attached to a store see what it has, at once and whole. */
#include "unit/simulated.h"

#undef NOW
#include "unit/store_rig.h"

static atls_verdict *judged(const atls_verifier *v, const bench *b, int64_t when_s)
{
    const atls_evidence e = {.parts_n = 1, .parts = {{"quote", {b->quote, b->quote_len}}}};
    atls_verdict *r = atls_verifier_check(v, &e, NULL, when_s, NULL);
    assert_non_null(r);
    return r;
}

static atls_store *store_of(const bench *b, const char *dir)
{
    atls_store *s = NULL;
    assert_int_equal(atls_store_open(dir, &s, NULL), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(s, text_buf(b->root), NULL), ATLS_OK);
    return s;
}

static size_t take_all(const bench *b, atls_store *s)
{
    char *json = NULL;
    size_t taken = 0;
    assert_int_equal(atls_sim_collateral(b->sim, "tdx", &json, NULL), ATLS_OK);
    assert_int_equal(atls_store_take_json(s, text_buf(json), "c.json", NOW, &taken, NULL), ATLS_OK);
    atls_free(json);
    return taken;
}

static void attach(const bench *b, const atls_store *s, bool live)
{
    assert_int_equal(atls_verifier_insecure_trust_simulator(b->v, text_buf(b->root), NULL),
                     ATLS_OK);
    assert_int_equal(atls_verifier_set0_store(b->v, s, live, NULL), ATLS_OK);
}

static void what_is_taken_counts_at_once(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    atls_store *s = store_of(&b, NULL);
    attach(&b, s, true);
    assert_refused(judged(b.v, &b, NOW), ATLS_E_COLLATERAL, "collateral.missing");
    assert_int_equal(take_all(&b, s), 4);
    atls_verdict *r = judged(b.v, &b, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    tear_down(&b);
    atls_store_free(s);
}

static void another_process_finds_it_in_the_directory(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    char *dir = fresh_dir();
    atls_store *s = store_of(&b, dir);
    assert_int_equal(take_all(&b, s), 4);
    atls_store_free(s);
    s = store_of(&b, dir);
    attach(&b, s, true);
    assert_int_equal(atls_store_load(s, NOW, NULL), ATLS_OK);
    atls_verdict *r = judged(b.v, &b, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    tear_down(&b);
    atls_store_free(s);
    close_dir(dir);
}

/* The clock's floor is what the vendor has signed last; as of another time it does not count. */
static void a_clock_behind_the_store_is_refused(void **state)
{
    (void)state;
    for (int live = 0; live < 2; live++) {
        bench b = set_up("tdx", NULL, NULL);
        atls_store *s = store_of(&b, NULL);
        attach(&b, s, live == 1);
        assert_int_equal(take_all(&b, s), 4);
        const int64_t floor_s = atls_store_clock_floor(s);
        assert_int_equal(floor_s, NOW - 3600);
        atls_verdict *r = judged(b.v, &b, floor_s - 3600);
        assert_int_equal(has_failure(r, "clock.before_floor", ATLS_E_COLLATERAL), live == 1);
        atls_verdict_free(r);
        tear_down(&b);
        atls_store_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_counts_at_once),
        cmocka_unit_test(another_process_finds_it_in_the_directory),
        cmocka_unit_test(a_clock_behind_the_store_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
