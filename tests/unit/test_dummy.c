/* Evidence of test peers is refused; and where the caller takes it, no verdict on it goes unmarked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "verify/verdict.h"

#define NOW INT64_C(1751623200)

static uint8_t data[65];

static atls_verdict *judged(bool takes, const char *policy, const char *type, size_t len,
                            const atls_expected *expected)
{
    atls_verifier *v = atls_verifier_new();
    if (takes) {
        atls_verifier_insecure_accept_dummy(v);
    }
    if (policy != NULL) {
        atls_policy *p = NULL;
        atls_err err = {0};
        const atls_buf text = {(const uint8_t *)policy, strlen(policy)};
        if (atls_policy_parse(text, &p, &err) != ATLS_OK) {
            fail_msg("%s", err.msg);
        }
        assert_int_equal(atls_verifier_set1_policy(v, p, NULL), ATLS_OK);
        atls_policy_free(p);
    }
    const atls_evidence e = {.type = type, .parts_n = 1, .parts = {{"report_data", {data, len}}}};
    atls_verdict *r = atls_verifier_check(v, &e, expected, NOW, NULL);
    assert_non_null(r);
    atls_verifier_free(v);
    return r;
}

static void expect(atls_verdict *r, atls_code code, const char *check)
{
    if (atls_verdict_code(r) != code || strcmp(atls_verdict_check(r), check) != 0) {
        fail_msg("%s (%s), where %s is wanted", atls_verdict_check(r), atls_verdict_message(r),
                 check);
    }
    atls_verdict_free(r);
}

static void it_is_refused_unless_the_caller_says_so(void **state)
{
    (void)state;
    expect(judged(false, NULL, "dummy", 64, NULL), ATLS_E_INVALID, "dummy.refused");
    expect(judged(false,
                  "{\"atls_policy\":1,\"workloads\":[{\"name\":\"t\",\"tees\":[\"dummy\"]}]}",
                  "dummy", 64, NULL),
           ATLS_E_INVALID, "dummy.refused");
    expect(judged(true, NULL, "dummy", 64, NULL), ATLS_OK, "");
}

static void every_acceptance_is_marked(void **state)
{
    (void)state;
    atls_expected expected = {.has_report_data = true, .binding = ATLS_BINDING_HANDSHAKE};
    memset(data, 0x11, sizeof data);
    memset(expected.report_data, 0x11, 32);
    for (int with_policy = 0; with_policy < 2; with_policy++) {
        atls_verdict *r = judged(
            true,
            with_policy == 1
                ? "{\"atls_policy\":1,\"workloads\":[{\"name\":\"t\",\"tees\":[\"snp\",\"dummy\"],"
                  "\"bindings\":[\"evidence-alone\",\"constellation\"]}]}"
                : NULL,
            "dummy", 32, with_policy == 1 ? NULL : &expected);
        assert_true(atls_verdict_accepted(r));
        assert_true(atls_verdict_simulated(r));
        assert_string_equal(atls_verdict_format(r), "dummy");
        assert_memory_equal(atls_verdict_message(r), "SIMULATED: ", 11);
        char *text = atls_verdict_text(r, true);
        char *json = atls_verdict_json(r);
        assert_memory_equal(text, "*** SIMULATED ***", 17);
        assert_non_null(strstr(text + 17, "*** SIMULATED ***"));
        assert_non_null(strstr(text, "dummy.unsigned"));
        assert_non_null(strstr(json, "\"simulated\":true"));
        assert_non_null(strstr(json, "\"root\":\"simulator\""));
        atls_free(text);
        atls_free(json);
        assert_string_equal(atls_verdict_binding(r), with_policy == 1 ? "none" : "handshake");
        atls_verdict_free(r);
    }
}

/* Where a slip of ours forgets the mark, nothing is accepted. */
static void without_the_mark_nothing_is_accepted(void **state)
{
    (void)state;
    for (int marked = 0; marked < 2; marked++) {
        atls_verdict *r = atls_verdict_new();
        r->claims.tee = ATLS_TEE_DUMMY;
        r->claims.simulated = marked == 1;
        r->appraisal.fits = true;
        atls_ledger_ok(&r->ledger, "dummy.unsigned");
        atls_verdict_conclude(r);
        assert_int_equal(atls_verdict_accepted(r), marked == 1);
        assert_string_equal(atls_verdict_check(r), marked == 1 ? "" : "verdict.signature");
        atls_verdict_free(r);
    }
}

static void its_data_are_compared_like_any(void **state)
{
    (void)state;
    atls_expected expected = {.has_report_data = true, .binding = ATLS_BINDING_HANDSHAKE};
    memset(data, 0x11, sizeof data);
    memset(expected.report_data, 0x11, 31);
    expect(judged(true, NULL, "dummy", 32, &expected), ATLS_E_BINDING, "binding.report_data");
    expect(judged(true, NULL, "dummy", 0, NULL), ATLS_E_INVALID, "dummy.length");
    expect(judged(true, NULL, "dummy", 65, NULL), ATLS_E_INVALID, "dummy.length");
}

static void a_policy_must_name_it(void **state)
{
    (void)state;
    expect(judged(true, "{\"atls_policy\":1,\"workloads\":[{\"name\":\"t\",\"tees\":[\"snp\"]}]}",
                  "dummy", 64, NULL),
           ATLS_E_POLICY, "policy.tee");
}

static void no_bytes_are_taken_for_it(void **state)
{
    (void)state;
    expect(judged(true, NULL, NULL, 64, NULL), ATLS_E_INVALID, "evidence.unknown");
    expect(judged(true, NULL, "snp", 64, NULL), ATLS_E_INVALID, "evidence.parts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_refused_unless_the_caller_says_so),
        cmocka_unit_test(every_acceptance_is_marked),
        cmocka_unit_test(without_the_mark_nothing_is_accepted),
        cmocka_unit_test(its_data_are_compared_like_any),
        cmocka_unit_test(a_policy_must_name_it),
        cmocka_unit_test(no_bytes_are_taken_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
