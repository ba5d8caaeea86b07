/* Constellation's measurements: there and back, and what they cannot say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/policy.h>
#include <atls/types.h>

#define Z32 "0000000000000000000000000000000000000000000000000000000000000000"
#define A32 "5cd252fb0ce8932436faf8ccd1040981b89ee4ad6b9fe9e2a2b7e71aacb27cd3"
#define A48 A32 "00112233445566778899aabbccddeeff"

static atls_buf text_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static atls_code from(const char *text, char **out, char **notes, atls_err *err)
{
    return atls_policy_convert_from("constellation", text_of(text), out, notes, err);
}

static void there_and_back(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"4\":{\"expected\":\"" A32 "\",\"warnOnly\":false},\"15\":\"" Z32 "\"}", "\"sha256\""},
        {"{\"0\":\"" A48 "\",\"4\":{\"expected\":\"" A48 "\",\"warnOnly\":false}}", "\"rtmr3\""},
    };
    for (size_t i = 0; i < 2; i++) {
        char *policy = NULL, *again = NULL, *third = NULL, *notes = NULL;
        atls_err err = {0};
        assert_int_equal(from(rows[i][0], &policy, &notes, &err), ATLS_OK);
        assert_non_null(strstr(policy, rows[i][1]));
        assert_non_null(strstr(policy, "\"constellation\""));
        assert_non_null(strstr(notes, "whose machine"));
        atls_free(notes);
        assert_int_equal(
            atls_policy_convert_to("constellation", text_of(policy), &again, &notes, &err),
            ATLS_OK);
        atls_free(notes);
        assert_non_null(strstr(again, "\"4\": {"));
        assert_int_equal(from(again, &third, &notes, &err), ATLS_OK);
        assert_string_equal(policy, third);
        atls_free(notes);
        atls_free(policy);
        atls_free(again);
        atls_free(third);
    }
}

/* Measurements are of one variant, and do not say of which: a vTPM alone is the weakest of them, and a cloud without
 * confidential machines has it, too. */
static void a_vtpm_alone_is_not_taken_for_a_hardware_report(void **state)
{
    (void)state;
    char *policy = NULL, *notes = NULL;
    assert_int_equal(from("{\"4\":\"" A32 "\"}", &policy, &notes, NULL), ATLS_OK);
    const char *tees = strstr(policy, "\"tees\"");
    assert_non_null(tees);
    const size_t len = strcspn(tees, "]");
    char list[200] = "";
    assert_true(len < sizeof list);
    memcpy(list, tees, len);
    assert_non_null(strstr(list, "\"azure\""));
    assert_non_null(strstr(list, "\"snp-tpm\""));
    assert_null(strstr(list, "\"tpm\""));
    assert_non_null(strstr(notes, "a vTPM alone"));
    atls_free(policy);
    atls_free(notes);
}

static void what_only_warns(void **state)
{
    (void)state;
    char *policy = NULL, *notes = NULL;
    assert_int_equal(from("{\"1\":{\"expected\":\"" A32 "\",\"warnOnly\":true},\"4\":\"" A32 "\"}",
                          &policy, &notes, NULL),
                     ATLS_OK);
    assert_null(strstr(policy, "\"1\": ["));
    assert_non_null(strstr(policy, "\"4\": ["));
    assert_non_null(strstr(notes, "measurement 1 only warns"));
    atls_free(policy);
    atls_free(notes);
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{}", "convert.empty"},
        {"{\"4\":{\"expected\":\"" A32 "\",\"warnOnly\":true}}", "convert.empty"},
        {"[]", "convert.measurement"},
        {"{\"24\":\"" A32 "\"}", "convert.measurement"},
        {"{\"04\":\"" A32 "\"}", "convert.measurement"},
        {"{\"x\":\"" A32 "\"}", "convert.measurement"},
        {"{\"4\":\"00\"}", "convert.measurement"},
        {"{\"4\":\"" A48 "00\"}", "convert.measurement"},
        {"{\"4\":7}", "convert.measurement"},
        {"{\"4\":{\"warnOnly\":false}}", "convert.measurement"},
        {"{\"4\":{\"expected\":\"" A32 "\",\"more\":1}}", "convert.measurement"},
        {"{\"4\":\"" A32 "\",\"5\":\"" A48 "\"}", "convert.measurement"},
        {"{\"5\":\"" A48 "\"}", "convert.measurement"},
        {"{\"4\":\"" A32 "\",\"4\":\"" Z32 "\"}", "convert.json"},
        {"{", "convert.json"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *policy = NULL, *notes = NULL;
        atls_err err = {0};
        assert_int_equal(from(rows[i][0], &policy, &notes, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, rows[i][1]);
        assert_null(policy);
    }
}

static void what_cannot_be_written(void **state)
{
    (void)state;
#define POLICY(more)                                                                               \
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tpm\",\"tdx\"]" more "}]}"
    static const char *const rows[][2] = {
        {POLICY(""), "convert.empty"},
        {POLICY(",\"tpm\":{\"sha256\":{\"4\":[\"" A32 "\",\"" Z32 "\"]}}"), "convert.lossy"},
        {POLICY(",\"tpm\":[{\"sha256\":{\"4\":[\"" A32 "\"]}},{\"sha256\":{\"4\":[\"" Z32 "\"]}}]"),
         "convert.lossy"},
        {POLICY(",\"tpm\":{\"sha384\":{\"4\":[\"" A48 "\"]}}"), "convert.lossy"},
        {POLICY(",\"tpm\":{\"sha256\":{\"4\":[\"" A32 "\"]},\"safe\":true}"), "convert.lossy"},
        {POLICY(",\"tdx\":{\"mrseam\":[\"" A48 "\"]}"), "convert.lossy"},
        {POLICY(",\"tdx\":{\"mrtd\":[\"" A48 "\"]},\"tpm\":{\"sha256\":{\"4\":[\"" A32 "\"]}}"),
         "convert.lossy"},
        {POLICY(",\"bindings\":[\"atls/1\"],\"tdx\":{\"mrtd\":[\"" A48 "\"]}"), "convert.lossy"},
        {POLICY(",\"tcb\":{\"grace_days\":3},\"tdx\":{\"mrtd\":[\"" A48 "\"]}"), "convert.lossy"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = NULL, *notes = NULL;
        atls_err err = {0};
        const atls_code rc =
            atls_policy_convert_to("constellation", text_of(rows[i][0]), &text, &notes, &err);
        if (rc != ATLS_E_USAGE || strcmp(err.check, rows[i][1]) != 0) {
            fail_msg("row %zu: %s: %s", i, err.check, err.msg);
        }
        assert_null(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(a_vtpm_alone_is_not_taken_for_a_hardware_report),
        cmocka_unit_test(what_only_warns),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
