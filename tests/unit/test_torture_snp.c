/* No memory while SNP reports are judged, cold and warm, and while a list is endorsed: never an acceptance that
 * lacks a check, and nothing half-judged is kept. */
#include "unit/torture.h"

#include <stdio.h>
#include <stdlib.h>

#include "trust/amd_cert_table.h"
#include "unit/failing_alloc.h"
#include "unit/snp_world.h"

typedef struct job {
    const snp_rig *rig;
    atls_verifier *v;
    atls_evidence_blob blob;
    size_t parts_n;
    atls_verdict *verdict;
} job;

static atls_verifier *verifier_of(const snp_rig *rig)
{
    atls_verifier *v = atls_verifier_new();
    assert_non_null(v);
    assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(rig->root), NULL), ATLS_OK);
    return v;
}

static void set_policy(atls_verifier *v)
{
    atls_policy *policy = NULL;
    assert_int_equal(
        atls_policy_parse(text_buf("{\"atls_policy\":1,\"workloads\":[{\"name\":\"any\","
                                   "\"tees\":[\"snp\"],\"crl\":\"if-present\"}]}"),
                          &policy, NULL),
        ATLS_OK);
    assert_int_equal(atls_verifier_set1_policy(v, policy, NULL), ATLS_OK);
    atls_policy_free(policy);
}

static atls_code judge(void *self, atls_err *err)
{
    job *j = self;
    atls_evidence e = {.type = "snp", .parts_n = j->parts_n};
    for (size_t i = 0; i < j->parts_n; i++) {
        e.parts[i].name = j->blob.parts[i].name;
        e.parts[i].bytes = (atls_buf){j->blob.parts[i].bytes, j->blob.parts[i].len};
    }
    j->verdict = atls_verifier_check(j->v, &e, NULL, NOW, err);
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

static void forget(void *self)
{
    job *j = self;
    atls_verdict_free(j->verdict);
    j->verdict = NULL;
    atls_verifier_drop_caches(j->v);
}

static void know(void *self)
{
    job *j = self;
    atls_err err = {0};
    assert_int_equal(judge(j, &err), ATLS_OK);
    atls_verdict_free(j->verdict);
    j->verdict = NULL;
}

/* What a run without memory left behind is no hindrance. */
static void judge_again(void *self)
{
    job *j = self;
    atls_verdict_free(j->verdict);
    j->verdict = NULL;
    know(self);
    forget(self);
}

static void a_report_with_a_table(void **state)
{
    job j = {.rig = *state, .v = verifier_of(*state), .parts_n = 2};
    j.blob = snp_evidence(j.rig, "vlek", "table.pem");
    torture_all(&(torture){"an SNP report, cold", &j, NULL, judge, verdict_json, judge_again});
    torture_all(&(torture){"an SNP report, warm", &j, know, judge, verdict_json, forget});
    atls_verifier_free(j.v);
    atls_evidence_blob_clear(&j.blob);
}

/* --- what must be refused --- */

static void assert_never_accepted(job *j, const char *fault, alloc_kind kind, size_t first,
                                  size_t step)
{
    bool failed = true;
    for (size_t n = first; failed; n += step) {
        atls_err err = {0};
        atls_verifier_drop_caches(j->v);
        alloc_fail(kind, n, false);
        const atls_code rc = judge(j, &err);
        failed = alloc_calm();
        if (rc == ATLS_OK || (j->verdict != NULL && atls_verdict_accepted(j->verdict))) {
            fail_msg("fault %s is accepted when allocation %zu of kind %d fails", fault, n,
                     (int)kind);
        }
        atls_verdict_free(j->verdict);
        j->verdict = NULL;
    }
}

/* Each fault has its own sample of allocations; ATLS_TORTURE_RUNS set: all of them. */
static void faults_are_never_accepted(void **state)
{
    const size_t step = getenv("ATLS_TORTURE_RUNS") != NULL ? 1 : 41;
    size_t seen = 0;
    atls_sim_world_fault f;
    job j = {.rig = *state, .v = verifier_of(*state), .parts_n = 2};
    for (size_t i = 0; atls_sim_world_fault_at("snp", i, &f); i++) {
        if (f.expected == ATLS_OK) {
            continue;
        }
        char variant[16] = "milan";
        (void)sscanf(f.variants, "%15s", variant);
        j.blob = snp_evidence(j.rig, variant, f.name);
        assert_never_accepted(&j, f.name, ALLOC_OURS, 1, 1);
        assert_never_accepted(&j, f.name, ALLOC_OPENSSL, 1 + seen % step, step);
        atls_evidence_blob_clear(&j.blob);
        seen++;
    }
    atls_verifier_free(j.v);
    assert_true(seen > 90);
}

static atls_buf list_in(const atls_evidence_blob *blob)
{
    atls_amd_cert_table t;
    assert_int_equal(
        atls_amd_cert_table_parse((atls_buf){blob->parts[1].bytes, blob->parts[1].len}, &t, NULL),
        ATLS_OK);
    return t.entry[ATLS_AMD_CRL];
}

/* A policy that does without a list: one that is there is not lost, be it in the table or endorsed. */
static void lists_are_not_lost(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob revoked = snp_evidence(rig, NULL, "crl.revokes");
    for (int endorsed = 0; endorsed < 2; endorsed++) {
        job j = {.rig = rig, .v = verifier_of(rig), .parts_n = 2};
        set_policy(j.v);
        if (endorsed) {
            assert_int_equal(atls_verifier_add1_endorsement(j.v, list_in(&revoked), NULL), ATLS_OK);
        }
        j.blob = snp_evidence(rig, NULL, endorsed ? "crl.missing" : "crl.revokes");
        assert_never_accepted(&j, "a list that revokes", ALLOC_OURS, 1, 1);
        assert_never_accepted(&j, "a list that revokes", ALLOC_OPENSSL, 1,
                              getenv("ATLS_TORTURE_RUNS") != NULL ? 1 : 5);
        atls_evidence_blob_clear(&j.blob);
        atls_verifier_free(j.v);
    }
    atls_evidence_blob_clear(&revoked);
}

/* --- endorsements --- */

/* A list that is taken while memory runs out condemns as ever, or is not taken. */
static void a_list_taken_without_memory(void **state)
{
    static const alloc_kind kinds[] = {ALLOC_OURS, ALLOC_OPENSSL};
    const snp_rig *rig = *state;
    atls_evidence_blob revoked = snp_evidence(rig, NULL, "crl.revokes");
    job j = {.rig = rig, .parts_n = 2};
    j.blob = snp_evidence(rig, NULL, "crl.missing");
    const atls_buf crl = list_in(&revoked);
    for (size_t k = 0; k < 2; k++) {
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            atls_err err = {0};
            j.v = verifier_of(rig);
            set_policy(j.v);
            alloc_fail(kinds[k], n, false);
            const atls_code taken = atls_verifier_add1_endorsement(j.v, crl, &err);
            failed = alloc_calm();
            assert_true(taken == ATLS_OK || failed);
            assert_int_equal(judge(&j, &err), taken == ATLS_OK ? ATLS_E_INVALID : ATLS_OK);
            atls_verdict_free(j.verdict);
            atls_verifier_free(j.v);
        }
    }
    atls_evidence_blob_clear(&j.blob);
    atls_evidence_blob_clear(&revoked);
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_with_a_table),
        cmocka_unit_test(faults_are_never_accepted),
        cmocka_unit_test(lists_are_not_lost),
        cmocka_unit_test(a_list_taken_without_memory),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
