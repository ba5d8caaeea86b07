/* Conversion of policies: languages that are not there, and what is no policy of one workload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <atls/policy.h>

static const char one[] = "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tdx\"]}]}";
static const char two[] = "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tdx\"]},"
                          "{\"name\":\"b\",\"tees\":[\"tdx\"]}]}";

static void a_language_that_is_not_there(void **state)
{
    (void)state;
    char *out = NULL;
    char *notes = NULL;
    atls_err err = {0};
    const atls_buf text = {(const uint8_t *)two, strlen(two)};
    assert_int_equal(atls_policy_convert_from("rego", text, &out, &notes, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "convert.language");
    const atls_buf single = {(const uint8_t *)one, strlen(one)};
    assert_int_equal(atls_policy_convert_to("rego", single, &out, &notes, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "convert.language");
    assert_int_equal(atls_policy_convert_to("atlas", text, &out, &notes, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "convert.workloads");
    assert_null(out);
    assert_null(notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_language_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
