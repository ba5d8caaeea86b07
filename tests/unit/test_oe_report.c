/* Reports and evidence of Open Enclave: laid out, cut, and each field wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/oe_report.h"

#define SIGNATURE_LEN 10
#define CLAIMS_LEN    5
#define MAX           2048

static const uint8_t format[16] = {0xa3, 0xa2, 0x1e, 0x87, 0x1b, 0x4d, 0x40, 0x14,
                                   0xb7, 0x0a, 0xa1, 0x25, 0xd2, 0xfb, 0xcd, 0x8c};

/* The quotes that there are: which body, and where its report data begin. */
static const struct {
    uint8_t version, tee, type; /* type: version 5 */
    size_t body, data;
} quotes[] = {
    {3, 0, 0, 384, 368}, {4, 0, 0, 384, 368},    {4, 0x81, 0, 584, 568},
    {5, 0, 1, 384, 374}, {5, 0x81, 2, 584, 574}, {5, 0x81, 3, 648, 574},
};
#define QUOTES (sizeof quotes / sizeof quotes[0])

/* A quote of kind i: report data of 0x5a, a signature of 10 bytes. */
static size_t make_quote(size_t i, uint8_t *out)
{
    size_t at = 48;
    memset(out, 0, MAX);
    out[0] = quotes[i].version;
    out[2] = 2;
    out[4] = quotes[i].tee;
    if (quotes[i].version == 5) {
        out[48] = quotes[i].type;
        out[50] = (uint8_t)(quotes[i].body % 256);
        out[51] = (uint8_t)(quotes[i].body / 256);
        at += 6;
    }
    memset(out + quotes[i].data, 0x5a, 64);
    at += quotes[i].body;
    out[at] = SIGNATURE_LEN;
    return at + 4 + SIGNATURE_LEN;
}

static size_t make_report(size_t i, uint8_t out[MAX])
{
    memset(out, 0, ATLS_OE_REPORT_HEADER);
    uint8_t quote[MAX];
    size_t len = make_quote(i, quote);
    out[0] = 1;
    out[4] = 2;
    out[8] = (uint8_t)(len % 256);
    out[9] = (uint8_t)(len / 256);
    memcpy(out + ATLS_OE_REPORT_HEADER, quote, len);
    return ATLS_OE_REPORT_HEADER + len;
}

static size_t make_evidence(size_t i, uint8_t out[MAX])
{
    memset(out, 0, ATLS_OE_EVIDENCE_HEADER);
    uint8_t quote[MAX];
    size_t len = make_quote(i, quote) + CLAIMS_LEN;
    memcpy(quote + len - CLAIMS_LEN, "claim", CLAIMS_LEN);
    out[0] = 3;
    memcpy(out + 4, format, sizeof format);
    memset(out + 20, 0xee, 4); /* padding: whatever lay in memory */
    out[24] = (uint8_t)(len % 256);
    out[25] = (uint8_t)(len / 256);
    memcpy(out + ATLS_OE_EVIDENCE_HEADER, quote, len);
    return ATLS_OE_EVIDENCE_HEADER + len;
}

typedef atls_code parse(atls_buf bytes, atls_oe_report *out, atls_err *err);

/* The check that refuses, or "ok". */
static const char *judge(parse *p, const uint8_t *bytes, size_t len)
{
    atls_err err = {0};
    atls_oe_report out = {.claims = {bytes, 77}};
    uint8_t *exact = malloc(len > 0 ? len : 1); /* so that a sanitizer sees a step too far */
    memcpy(exact, bytes, len);
    atls_code rc = p((atls_buf){exact, len}, &out, &err);
    free(exact);
    if (rc == ATLS_OK) {
        return "ok";
    }
    assert_int_equal(rc, ATLS_E_INVALID);
    assert_int_equal(err.code, rc);
    assert_int_equal(out.claims.len, 77); /* nothing is set */
    return err.check;
}

static void laid_out(void **state)
{
    (void)state;
    uint8_t bytes[MAX];
    for (size_t i = 0; i < QUOTES; i++) {
        atls_oe_report out;
        size_t len = make_report(i, bytes);
        assert_int_equal(atls_oe_report_parse((atls_buf){bytes, len}, &out, NULL), ATLS_OK);
        assert_ptr_equal(out.quote.ptr, bytes + 16);
        assert_int_equal(out.quote.len, len - 16);
        assert_ptr_equal(out.report_data.ptr, bytes + 16 + quotes[i].data);
        assert_int_equal(out.report_data.len, 64);
        assert_int_equal(out.is_tdx, quotes[i].tee != 0);
        assert_int_equal(out.claims.len, 0);

        len = make_evidence(i, bytes);
        assert_int_equal(atls_oe_evidence_parse((atls_buf){bytes, len}, &out, NULL), ATLS_OK);
        assert_ptr_equal(out.quote.ptr, bytes + 32);
        assert_int_equal(out.quote.len, len - 32 - CLAIMS_LEN);
        assert_ptr_equal(out.report_data.ptr, bytes + 32 + quotes[i].data);
        assert_int_equal(out.claims.len, CLAIMS_LEN);
        assert_memory_equal(out.claims.ptr, "claim", CLAIMS_LEN);
    }
}

static void without_claims(void **state)
{
    (void)state;
    uint8_t bytes[MAX];
    atls_oe_report out;
    size_t len = make_evidence(0, bytes) - CLAIMS_LEN;
    bytes[24] = (uint8_t)((len - 32) % 256);
    bytes[25] = (uint8_t)((len - 32) / 256);
    assert_int_equal(atls_oe_evidence_parse((atls_buf){bytes, len}, &out, NULL), ATLS_OK);
    assert_int_equal(out.claims.len, 0);
}

static void cut_and_longer(void **state)
{
    (void)state;
    uint8_t bytes[MAX];
    for (size_t i = 0; i < QUOTES; i++) {
        size_t len = make_report(i, bytes);
        for (size_t cut = 0; cut < len; cut++) {
            assert_string_equal(judge(atls_oe_report_parse, bytes, cut),
                                cut < 16 ? "oe_report.length" : "oe_report.size");
        }
        bytes[len] = 0;
        assert_string_equal(judge(atls_oe_report_parse, bytes, len + 1), "oe_report.size");
        len = make_evidence(i, bytes);
        for (size_t cut = 0; cut < len; cut++) {
            assert_string_equal(judge(atls_oe_evidence_parse, bytes, cut),
                                cut < 32 ? "oe_evidence.length" : "oe_evidence.size");
        }
        bytes[len] = 0;
        assert_string_equal(judge(atls_oe_evidence_parse, bytes, len + 1), "oe_evidence.size");
    }
}

/* The header says what is there, and the quote in it is cut. */
static void cut_quotes(void **state)
{
    (void)state;
    uint8_t bytes[MAX];
    for (size_t i = 0; i < QUOTES; i++) {
        size_t len = make_report(i, bytes);
        for (size_t cut = 0; cut < len - 16; cut++) {
            bytes[8] = (uint8_t)(cut % 256);
            bytes[9] = (uint8_t)(cut / 256);
            assert_string_equal(judge(atls_oe_report_parse, bytes, 16 + cut), "oe_report.quote");
        }
        len = make_evidence(i, bytes) - CLAIMS_LEN;
        for (size_t cut = 0; cut < len - 32; cut++) {
            bytes[24] = (uint8_t)(cut % 256);
            bytes[25] = (uint8_t)(cut / 256);
            assert_string_equal(judge(atls_oe_evidence_parse, bytes, 32 + cut),
                                "oe_evidence.quote");
        }
    }
}

static void each_field_wrong_alone(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        parse *p;
        size_t quote, at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {"version 2", atls_oe_report_parse, 0, 0, 2, "oe_report.version"},
        {"version 2^24 + 1", atls_oe_report_parse, 0, 3, 1, "oe_report.version"},
        {"a local report", atls_oe_report_parse, 0, 4, 1, "oe_report.type"},
        {"type 3", atls_oe_report_parse, 0, 4, 3, "oe_report.type"},
        {"a size with a high byte", atls_oe_report_parse, 0, 15, 1, "oe_report.size"},
        {"a byte more than the quote has", atls_oe_report_parse, 0, 16 + 432, SIGNATURE_LEN - 1,
         "oe_report.quote"},
        {"a quote of version 2", atls_oe_report_parse, 0, 16, 2, "oe_report.quote"},
        {"a quote of version 6", atls_oe_report_parse, 3, 16, 6, "oe_report.quote"},
        {"version 4 of no known TEE", atls_oe_report_parse, 1, 16 + 4, 7, "oe_report.quote"},
        {"body type 4", atls_oe_report_parse, 3, 16 + 48, 4, "oe_report.quote"},
        {"body type 0", atls_oe_report_parse, 3, 16 + 48, 0, "oe_report.quote"},
        {"a body of another size", atls_oe_report_parse, 4, 16 + 50, 0, "oe_report.quote"},
        {"a signature of 16 MiB", atls_oe_report_parse, 0, 16 + 435, 1, "oe_report.quote"},
        {"version 1", atls_oe_evidence_parse, 0, 0, 1, "oe_evidence.version"},
        {"another format's first byte", atls_oe_evidence_parse, 0, 4, 0x19, "oe_evidence.format"},
        {"another format's last byte", atls_oe_evidence_parse, 0, 19, 0x76, "oe_evidence.format"},
        {"a size with a high byte", atls_oe_evidence_parse, 0, 31, 1, "oe_evidence.size"},
        {"a quote of version 2", atls_oe_evidence_parse, 0, 32, 2, "oe_evidence.quote"},
        {"a signature beyond the data", atls_oe_evidence_parse, 0, 32 + 432,
         SIGNATURE_LEN + CLAIMS_LEN + 1, "oe_evidence.quote"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[MAX];
        size_t len = bad[i].p == atls_oe_report_parse ? make_report(bad[i].quote, bytes)
                                                      : make_evidence(bad[i].quote, bytes);
        assert_string_equal(judge(bad[i].p, bytes, len), "ok");
        bytes[bad[i].at] = bad[i].value;
        print_message("%s\n", bad[i].what);
        assert_string_equal(judge(bad[i].p, bytes, len), bad[i].check);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laid_out),
        cmocka_unit_test(without_claims),
        cmocka_unit_test(cut_and_longer),
        cmocka_unit_test(cut_quotes),
        cmocka_unit_test(each_field_wrong_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
