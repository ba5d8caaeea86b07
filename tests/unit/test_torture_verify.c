/* No memory while a verifier is set up and judges: never an acceptance that lacks a check, and nothing half-judged
 * that a later verification would find in a cache. */
#include "unit/torture.h"

#include <stdlib.h>

#include "unit/failing_alloc.h"
#include "unit/simulated.h"

static const char policy_text[] =
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"other\",\"tees\":[\"sgx\"],\"sgx\":{\"isvsvn_min\":"
    "60000}},{\"name\":\"web\",\"tees\":[\"tdx\",\"sgx\"],\"reattest_s\":60}]}";

typedef struct job {
    bench b;
    atls_policy *policy;
    atls_verdict *verdict;
    char *text;
} job;

static job job_of(const char *type)
{
    job j = {.b = set_up(type, NULL, NULL)};
    assert_int_equal(atls_policy_parse(text_buf(policy_text), &j.policy, NULL), ATLS_OK);
    return j;
}

static void job_done(job *j)
{
    atls_policy_free(j->policy);
    tear_down(&j->b);
}

/* --- set-up --- */

static void forget_verifier(void *self)
{
    job *j = self;
    atls_verifier_free(j->b.v);
    j->b.v = NULL;
}

static atls_code set_up_verifier(void *self, atls_err *err)
{
    job *j = self;
    j->b.v = atls_verifier_new();
    if (j->b.v == NULL) {
        *err = (atls_err){.code = ATLS_E_SYSTEM, .check = "system.memory"};
        return ATLS_E_SYSTEM;
    }
    atls_code rc = atls_verifier_insecure_trust_simulator(j->b.v, text_buf(j->b.root), err);
    if (rc == ATLS_OK) {
        rc = atls_verifier_add1_collateral(j->b.v, j->b.collateral, err);
    }
    if (rc == ATLS_OK) {
        rc = atls_verifier_set1_root(j->b.v, ATLS_FAMILY_INTEL, text_buf(j->b.root), err);
    }
    return rc == ATLS_OK ? atls_verifier_set1_policy(j->b.v, j->policy, err) : rc;
}

static atls_code judge(void *self, atls_err *err)
{
    job *j = self;
    atls_evidence e = {.parts_n = 1, .parts = {{NULL, {j->b.quote, j->b.quote_len}}}};
    atls_expected expected = {.has_report_data = true, .binding = ATLS_BINDING_SESSION};
    memset(expected.report_data, 0x42, sizeof expected.report_data);
    j->verdict = atls_verifier_check(j->b.v, &e, &expected, NOW, err);
    if (j->verdict == NULL) {
        return err->code;
    }
    err->check = atls_verdict_check(j->verdict);
    return atls_verdict_code(j->verdict);
}

static char *verdict_json(void *self)
{
    const job *j = self;
    assert_true(atls_verdict_accepted(j->verdict));
    return atls_verdict_json(j->verdict);
}

static char *verdict_of_new_verifier(void *self)
{
    job *j = self;
    atls_err err = {0};
    char *json = judge(self, &err) == ATLS_OK ? verdict_json(self) : strdup(err.check);
    atls_verdict_free(j->verdict);
    j->verdict = NULL;
    return json;
}

static void verifier_set_up(void **state)
{
    (void)state;
    job j = job_of("tdx");
    forget_verifier(&j);
    torture_all(&(torture){"verifier set-up", &j, NULL, set_up_verifier, verdict_of_new_verifier,
                           forget_verifier});
    job_done(&j);
}

/* --- judging --- */

static void drop_caches(void *self)
{
    atls_verifier_drop_caches(((job *)self)->b.v);
}

static void fill_caches(void *self)
{
    atls_verdict *r = check_at(&((job *)self)->b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
}

/* A run that failed has left no judgement behind: the same verifier accepts the next time. Then nothing is kept,
 * so that the blocks can be counted. */
static void judge_again(void *self)
{
    job *j = self;
    if (j->verdict != NULL && !atls_verdict_accepted(j->verdict)) {
        assert_string_not_equal(atls_verdict_message(j->verdict), "");
    }
    atls_verdict_free(j->verdict);
    j->verdict = NULL;
    fill_caches(self);
    drop_caches(self);
}

static void judged(const char *type, bool with_policy)
{
    job j = job_of(type);
    trust_all(&j.b);
    if (with_policy) {
        assert_int_equal(atls_verifier_set1_policy(j.b.v, j.policy, NULL), ATLS_OK);
    }
    drop_caches(&j);
    char name[64];
    (void)snprintf(name, sizeof name, "cold verification of %s%s", type,
                   with_policy ? " with a policy" : "");
    torture_all(&(torture){name, &j, NULL, judge, verdict_json, judge_again});
    job_done(&j);
}

static void cold_tdx(void **state)
{
    (void)state;
    judged("tdx", false);
}

static void cold_tdx_with_a_policy(void **state)
{
    (void)state;
    judged("tdx5", true);
}

static void cold_sgx(void **state)
{
    (void)state;
    judged("sgx", true);
}

/* --- what must be refused --- */

/* The evidence of one fault, with every step-th allocation of the kind missing, from the first-th on. */
static void assert_never_accepted(job *j, const char *fault, alloc_kind kind, size_t first,
                                  size_t step)
{
    bool failed = true;
    for (size_t n = first; failed; n += step) {
        atls_err err = {0};
        drop_caches(j);
        alloc_fail(kind, n, false);
        atls_code rc = judge(j, &err);
        failed = alloc_calm();
        if (rc == ATLS_OK || (j->verdict != NULL && atls_verdict_accepted(j->verdict))) {
            fail_msg("fault %s is accepted when allocation %zu of kind %d fails", fault, n,
                     (int)kind);
        }
        atls_verdict_free(j->verdict);
        j->verdict = NULL;
    }
}

/* A certificate or list of which a part could not be read is not taken for one that does not have that part. Each fault
 * has its own sample of allocations; ATLS_TORTURE_RUNS set: all of them. */
static void faults_are_never_accepted(void **state)
{
    (void)state;
    const size_t step = getenv("ATLS_TORTURE_RUNS") != NULL ? 1 : 37;
    size_t seen = 0;
    atls_sim_fault f;
    for (size_t i = 0; atls_sim_fault_at(i, &f); i++) {
        if (f.expected == ATLS_OK) {
            continue;
        }
        const char *type = f.in_tdx ? "tdx" : f.in_sgx ? "sgx" : "tdx5";
        job j = {.b = set_up(type, f.of_quote ? NULL : f.name, f.of_quote ? f.name : NULL)};
        /* A faulty root may not even be taken; then it is not trusted. */
        atls_code trusted =
            atls_verifier_insecure_trust_simulator(j.b.v, text_buf(j.b.root), NULL);
        assert_true(trusted == ATLS_OK || trusted == ATLS_E_USAGE);
        assert_int_equal(atls_verifier_add1_collateral(j.b.v, j.b.collateral, NULL), ATLS_OK);
        assert_never_accepted(&j, f.name, ALLOC_OURS, 1, 1);
        assert_never_accepted(&j, f.name, ALLOC_OPENSSL, 1 + seen % step, step);
        tear_down(&j.b);
        seen++;
    }
    assert_true(seen > 30);
}

/* --- telling --- */

static void free_text(void *self)
{
    job *j = self;
    atls_free(j->text);
    j->text = NULL;
}

static atls_code told(job *j, atls_err *err)
{
    if (j->text == NULL) {
        *err = (atls_err){.code = ATLS_E_SYSTEM, .check = "system.memory"};
        return ATLS_E_SYSTEM;
    }
    return ATLS_OK;
}

static atls_code tell_json(void *self, atls_err *err)
{
    job *j = self;
    j->text = atls_verdict_json(j->verdict);
    return told(j, err);
}

static atls_code tell_text(void *self, atls_err *err)
{
    job *j = self;
    j->text = atls_verdict_text(j->verdict, true);
    return told(j, err);
}

static char *copy_text(void *self)
{
    return strdup(((const job *)self)->text);
}

static void told_whole(const char *type, const char *quote_fault, bool trusted)
{
    job j = {.b = set_up(type, NULL, quote_fault)};
    if (trusted) {
        trust_all(&j.b);
    }
    atls_err err = {0};
    (void)judge(&j, &err);
    assert_non_null(j.verdict);
    torture_all(&(torture){"verdict as JSON", &j, NULL, tell_json, copy_text, free_text});
    torture_all(&(torture){"verdict as text", &j, NULL, tell_text, copy_text, free_text});
    atls_verdict_free(j.verdict);
    tear_down(&j.b);
}

static void accepted_verdict_told(void **state)
{
    (void)state;
    told_whole("tdx", NULL, true);
    told_whole("sgx", NULL, true);
}

static void refused_verdict_told(void **state)
{
    (void)state;
    told_whole("tdx", NULL, false);
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifier_set_up),           cmocka_unit_test(cold_tdx),
        cmocka_unit_test(cold_tdx_with_a_policy),    cmocka_unit_test(cold_sgx),
        cmocka_unit_test(faults_are_never_accepted), cmocka_unit_test(accepted_verdict_told),
        cmocka_unit_test(refused_verdict_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
