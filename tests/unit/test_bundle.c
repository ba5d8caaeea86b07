/* Bundles: parts come out as they went in, and everything else is refused by the check that is for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <atls/bundle.h>

#define GOOD "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"AAEC\",\"event_log\":\"/w==\"}"

static atls_buf buf_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void parts_come_out(void **state)
{
    (void)state;
    atls_bundle *b = NULL;
    atls_err err = {0};
    assert_int_equal(atls_bundle_parse(buf_of(GOOD), &b, &err), ATLS_OK);
    const atls_evidence *e = atls_bundle_get0_evidence(b);
    assert_string_equal(e->type, "tdx");
    assert_int_equal(e->parts_n, 2);
    assert_string_equal(e->parts[0].name, "quote");
    assert_int_equal(e->parts[0].bytes.len, 3);
    assert_memory_equal(e->parts[0].bytes.ptr, "\x00\x01\x02", 3);
    assert_string_equal(e->parts[1].name, "event_log");
    assert_int_equal(e->parts[1].bytes.len, 1);
    assert_int_equal(e->parts[1].bytes.ptr[0], 0xff);
    char *again = NULL;
    assert_int_equal(atls_bundle_write(e, &again, &err), ATLS_OK);
    assert_string_equal(again, GOOD);
    atls_free(again);
    atls_bundle_free(b);
}

static void order_in_the_text_does_not_matter(void **state)
{
    (void)state;
    atls_bundle *b = NULL;
    assert_int_equal(atls_bundle_parse(buf_of("{\"event_log\":\"/w==\",\"quote\":\"AAEC\",\"type\":"
                                              "\"sgx\",\"atls_evidence\":1}"),
                                       &b, NULL),
                     ATLS_OK);
    assert_string_equal(atls_bundle_get0_evidence(b)->parts[0].name, "quote");
    atls_bundle_free(b);
}

static void tpm_key_bare_or_certified(void **state)
{
    (void)state;
    atls_bundle *b = NULL;
    assert_int_equal(
        atls_bundle_parse(
            buf_of("{\"atls_evidence\":1,\"type\":\"tpm\",\"quote\":\"AA==\",\"signature\":"
                   "\"AA==\",\"pcrs\":\"AA==\",\"ak_cert\":\"AA==\"}"),
            &b, NULL),
        ATLS_OK);
    assert_int_equal(atls_bundle_get0_evidence(b)->parts_n, 4);
    atls_bundle_free(b);
}

static const struct {
    const char *what;
    const char *text;
    const char *check;
} bad[] = {
    {"empty", "", "bundle.json"},
    {"an array", "[]", "bundle.version"},
    {"a part twice", "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"AA==\",\"quote\":\"AA==\"}",
     "bundle.json"},
    {"no version", "{\"type\":\"tdx\",\"quote\":\"AA==\"}", "bundle.version"},
    {"another version", "{\"atls_evidence\":2,\"type\":\"tdx\",\"quote\":\"AA==\"}",
     "bundle.version"},
    {"version as text", "{\"atls_evidence\":\"1\",\"type\":\"tdx\",\"quote\":\"AA==\"}",
     "bundle.version"},
    {"no type", "{\"atls_evidence\":1,\"quote\":\"AA==\"}", "bundle.type"},
    {"unknown type", "{\"atls_evidence\":1,\"type\":\"tdy\",\"quote\":\"AA==\"}", "bundle.type"},
    {"type as number", "{\"atls_evidence\":1,\"type\":1,\"quote\":\"AA==\"}", "bundle.type"},
    {"no quote", "{\"atls_evidence\":1,\"type\":\"tdx\"}", "bundle.missing"},
    {"TPM without a key",
     "{\"atls_evidence\":1,\"type\":\"tpm\",\"quote\":\"AA==\",\"signature\":\"AA==\",\"pcrs\":\"AA==\"}",
     "bundle.missing"},
    {"part of another type",
     "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"AA==\",\"vcek\":\"AA==\"}", "bundle.part"},
    {"empty part", "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"\"}", "bundle.base64"},
    {"part as number", "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":7}", "bundle.base64"},
    {"no padding", "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"AA\"}", "bundle.base64"},
    {"base64url", "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"__8=\"}", "bundle.base64"},
};

static void each_wrong_member_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_bundle *b = NULL;
        atls_err err = {0};
        assert_int_equal(atls_bundle_parse(buf_of(bad[i].text), &b, &err), ATLS_E_INVALID);
        assert_null(b);
        if (strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s: %s", bad[i].what, err.check, err.msg);
        }
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < strlen(GOOD); n++) {
        atls_bundle *b = NULL;
        atls_err err = {0};
        assert_int_equal(atls_bundle_parse((atls_buf){(const uint8_t *)GOOD, n}, &b, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "bundle.json");
    }
}

static void every_part_of_azure_fits(void **state)
{
    (void)state;
    atls_bundle *b = NULL;
    const char *text =
        "{\"atls_evidence\":1,\"type\":\"azure\",\"quote\":\"AA==\",\"signature\":\"AA==\","
        "\"pcrs\":\"AA==\",\"ak_public\":\"AA==\",\"ak_cert\":\"AA==\",\"event_log\":"
        "\"AA==\",\"ima_log\":\"AA==\",\"hcl_report\":\"AA==\",\"vcek\":\"AA==\","
        "\"td_quote\":\"AA==\"}";
    assert_int_equal(atls_bundle_parse(buf_of(text), &b, NULL), ATLS_OK);
    assert_int_equal(atls_bundle_get0_evidence(b)->parts_n, 10);
    atls_bundle_free(b);
}

/* The report has the key in it. */
static void azure_needs_no_key_beside_its_report(void **state)
{
    (void)state;
    atls_bundle *b = NULL;
    atls_err err = {0};
    const char *with = "{\"atls_evidence\":1,\"type\":\"azure\",\"quote\":\"AA==\",\"signature\":"
                       "\"AA==\",\"pcrs\":\"AA==\",\"hcl_report\":\"AA==\"}";
    const char *without =
        "{\"atls_evidence\":1,\"type\":\"azure\",\"quote\":\"AA==\",\"signature\":"
        "\"AA==\",\"pcrs\":\"AA==\",\"vcek\":\"AA==\"}";
    assert_int_equal(atls_bundle_parse(buf_of(with), &b, NULL), ATLS_OK);
    atls_bundle_free(b);
    assert_int_equal(atls_bundle_parse(buf_of(without), &b, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "bundle.missing");
}

static void writing_wants_a_known_type(void **state)
{
    (void)state;
    const uint8_t byte = 0;
    atls_evidence e = {.type = "tdy", .parts_n = 1, .parts = {{"quote", {&byte, 1}}}};
    char *out = NULL;
    atls_err err = {0};
    assert_int_equal(atls_bundle_write(&e, &out, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "bundle.type");
    e.type = "tdx";
    e.parts[0].name = "token";
    assert_int_equal(atls_bundle_write(&e, &out, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "bundle.part");
    e.parts[0].name = NULL;
    assert_int_equal(atls_bundle_write(&e, &out, &err), ATLS_OK);
    assert_string_equal(out, "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"AA==\"}");
    atls_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_come_out),
        cmocka_unit_test(order_in_the_text_does_not_matter),
        cmocka_unit_test(tpm_key_bare_or_certified),
        cmocka_unit_test(each_wrong_member_is_named),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_part_of_azure_fits),
        cmocka_unit_test(azure_needs_no_key_beside_its_report),
        cmocka_unit_test(writing_wants_a_known_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
