/* Collateral that came with the evidence: judged like any other, behind the verifier's own, and not kept. */
#include "unit/simulated.h"

static char *stapled_of(const atls_sim *sim, const char *type)
{
    char *json = NULL;
    assert_int_equal(
        atls_sim_collateral(sim, strncmp(type, "sgx", 3) == 0 ? "sgx" : "tdx", &json, NULL),
        ATLS_OK);
    return json;
}

static atls_verdict *judged(const bench *b, atls_buf stapled, int64_t when_s)
{
    const atls_evidence e = {
        .parts_n = stapled.ptr != NULL ? 2 : 1,
        .parts = {{"quote", {b->quote, b->quote_len}}, {"collateral", stapled}}};
    atls_verdict *r = atls_verifier_check(b->v, &e, NULL, when_s, NULL);
    assert_non_null(r);
    return r;
}

static void trust_root(const bench *b)
{
    assert_int_equal(atls_verifier_insecure_trust_simulator(b->v, text_buf(b->root), NULL),
                     ATLS_OK);
}

static const atls_entry *entry_of(const atls_verdict *r, const char *id)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        if (strcmp(r->ledger.entries[i].id, id) == 0) {
            return &r->ledger.entries[i];
        }
    }
    return NULL;
}

static void it_is_used_where_there_is_no_other(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "tdx5", "sgx"};
    for (size_t i = 0; i < 3; i++) {
        bench b = set_up(types[i], NULL, NULL);
        char *json = stapled_of(b.sim, types[i]);
        trust_root(&b);
        for (int k = 0; k < 2; k++) {
            atls_verdict *r = judged(&b, text_buf(json), NOW);
            assert_true(atls_verdict_accepted(r));
            assert_int_equal(atls_verdict_signatures(r), 9); /* nothing was kept */
            assert_non_null(entry_of(r, "collateral.stapled"));
            assert_true(r->claims.tcb.oldest_issue_s > 0);
            atls_verdict_free(r);
            assert_refused(judged(&b, (atls_buf){NULL, 0}, NOW), ATLS_E_COLLATERAL,
                           "collateral.missing");
        }
        atls_free(json);
        tear_down(&b);
    }
}

static void its_times_count(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    char *json = stapled_of(b.sim, "tdx");
    trust_root(&b);
    atls_verdict *r = judged(&b, text_buf(json), NOW + 31 * 86400);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    assert_true(has_failure(r, "tcb_info.time", ATLS_E_COLLATERAL));
    atls_verdict_free(r);
    atls_free(json);
    tear_down(&b);
}

/* Signed by another root, of another platform, of the other TEE, or changed. */
static void what_does_not_hold_is_invalid(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    bench other = set_up("tdx", NULL, NULL);
    bench fmspc = set_up("tdx", "tcb_info.fmspc", NULL);
    char *foreign = stapled_of(other.sim, "tdx");
    char *of_sgx = stapled_of(b.sim, "sgx");
    char *of_other = stapled_of(fmspc.sim, "tdx");
    char *changed = stapled_of(b.sim, "tdx");
    trust_root(&b);
    trust_root(&fmspc);
    atls_verdict *r = judged(&b, text_buf(foreign), NOW);
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    assert_true(has_failure(r, "tcb_info.chain.root", ATLS_E_INVALID));
    atls_verdict_free(r);
    r = judged(&b, text_buf(of_sgx), NOW);
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    atls_verdict_free(r);
    r = judged(&fmspc, text_buf(of_other), NOW);
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    assert_true(has_failure(r, "tcb_info.fmspc", ATLS_E_INVALID));
    atls_verdict_free(r);
    char *at = strstr(changed, "UpToDate");
    assert_non_null(at);
    memcpy(at, "OutOfDat", 8);
    r = judged(&b, text_buf(changed), NOW);
    assert_true(has_failure(r, "tcb_info.signature", ATLS_E_INVALID));
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    atls_verdict_free(r);
    atls_free(foreign);
    atls_free(of_sgx);
    atls_free(of_other);
    atls_free(changed);
    tear_down(&fmspc);
    tear_down(&other);
    tear_down(&b);
}

static void malformed_is_invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{", "[]", "{\"tcb_info\":7}", "{\"tcb_info\":\"x\"}{"};
    static const char *const checks[] = {"collateral.json", "collateral.json", "collateral.json",
                                         "collateral.member", "collateral.json"};
    bench b = set_up("tdx", NULL, NULL);
    trust_root(&b);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_verdict *r = judged(&b, text_buf(bad[i]), NOW);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        if (!has_failure(r, checks[i], ATLS_E_INVALID)) {
            fail_msg("%s: %s", bad[i], atls_verdict_check(r));
        }
        atls_verdict_free(r);
    }
    tear_down(&b);
}

/* Even where the peer's is newer or better: the caller decides what it rests on. */
static void the_verifiers_own_comes_first(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    bench other = set_up("tdx", NULL, NULL);
    char *foreign = stapled_of(other.sim, "tdx");
    trust_all(&b);
    for (int k = 0; k < 2; k++) { /* judged anew, and from the cache */
        atls_verdict *r = judged(&b, text_buf(foreign), NOW);
        assert_true(atls_verdict_accepted(r));
        atls_verdict_free(r);
    }
    atls_verdict *r = judged(&b, text_buf("{"), NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_free(foreign);
    tear_down(&other);
    tear_down(&b);
    /* One of the other TEE fits nothing: the peer's is used. */
    bench sgx = set_up("sgx", NULL, NULL);
    char *json = stapled_of(sgx.sim, "sgx");
    atls_collateral *of_tdx = collateral_of(sgx.sim, "tdx");
    trust_root(&sgx);
    assert_int_equal(atls_verifier_add1_collateral(sgx.v, of_tdx, NULL), ATLS_OK);
    r = judged(&sgx, text_buf(json), NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_collateral_free(of_tdx);
    atls_free(json);
    tear_down(&sgx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_used_where_there_is_no_other),
        cmocka_unit_test(its_times_count),
        cmocka_unit_test(what_does_not_hold_is_invalid),
        cmocka_unit_test(malformed_is_invalid),
        cmocka_unit_test(the_verifiers_own_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
