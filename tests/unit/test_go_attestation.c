/* attest.Attestation: there and back, and each field wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/go_attestation.h"
#include "binding/protobuf.h"
#include "binding/sevsnp.h"

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i * 11 + 3);
    }
}

static uint8_t values[64 * 32];
static uint8_t report[ATLS_SEVSNP_REPORT_LEN];

static atls_go_making usual(void)
{
    fill(values, sizeof values);
    memset(report, 0, sizeof report);
    report[0] = 2;
    fill(report + 0x50, 0x130);
    fill(report + 0x2a0, 0x90);
    return (atls_go_making){.ak_public = text("public"),
                            .ak_cert = text("cert"),
                            .event_log = text("log"),
                            .attest = text("attest"),
                            .signature = text("signature"),
                            .bank = 11,
                            .selection = 0x80000011, /* 0, 4, 31 */
                            .pcrs = {values, 3 * 32},
                            .snp = report,
                            .vcek = text("vcek"),
                            .ask = text("ask")};
}

static void there_and_back(void **state)
{
    (void)state;
    static const uint16_t banks[] = {4, 11, 12, 13};
    static const size_t sizes[] = {20, 32, 48, 64};
    for (size_t i = 0; i < 4; i++) {
        atls_go_making m = usual();
        m.bank = banks[i];
        m.pcrs.len = 3 * sizes[i];
        uint8_t *space = malloc(3 * atls_go_attestation_room(&m));
        assert_non_null(space);
        const atls_buf message = atls_go_attestation_write(&m, space);
        assert_true(message.len > 0);
        atls_go_attestation a;
        atls_sevsnp s;
        uint8_t pcrs[ATLS_GO_PCRS_MAX];
        size_t len = 0;
        assert_int_equal(atls_go_attestation_parse(message, &a, NULL), ATLS_OK);
        assert_memory_equal(a.ak_public.ptr, "public", a.ak_public.len);
        assert_memory_equal(a.ak_cert.ptr, "cert", 4);
        assert_memory_equal(a.event_log.ptr, "log", 3);
        assert_int_equal(a.quotes_n, 1);
        assert_int_equal(a.quotes[0].bank, banks[i]);
        assert_memory_equal(a.quotes[0].attest.ptr, "attest", 6);
        assert_memory_equal(a.quotes[0].signature.ptr, "signature", 9);
        assert_int_equal(atls_go_pcrs(&a.quotes[0], pcrs, &len, NULL), ATLS_OK);
        assert_int_equal(len, m.pcrs.len);
        assert_memory_equal(pcrs, values, len);
        assert_true(a.has_snp && !a.has_tdx);
        assert_int_equal(atls_sevsnp_parse(a.snp, &s, NULL), ATLS_OK);
        assert_memory_equal(s.report, report, sizeof report);
        assert_memory_equal(s.vcek.ptr, "vcek", 4);
        assert_memory_equal(s.ask.ptr, "ask", 3);
        free(space);
    }
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    uint8_t *space = malloc(1 << 20);
    assert_non_null(space);
    atls_go_making m = usual();
    m.pcrs.len--;
    assert_int_equal(atls_go_attestation_write(&m, space).len, 0);
    m = usual();
    m.selection = 0x11;
    assert_int_equal(atls_go_attestation_write(&m, space).len, 0);
    m = usual();
    m.bank = 18;
    assert_int_equal(atls_go_attestation_write(&m, space).len, 0);
    free(space);
}

static void all_pcrs_of_the_largest_bank(void **state)
{
    (void)state;
    atls_go_making m = usual();
    uint8_t pcrs[ATLS_GO_PCRS_MAX];
    size_t len = 0;
    m.bank = 13;
    m.selection = 0xffffffff;
    m.pcrs.len = sizeof values;
    uint8_t *space = malloc(3 * atls_go_attestation_room(&m));
    atls_go_attestation a;
    assert_int_equal(atls_go_attestation_parse(atls_go_attestation_write(&m, space), &a, NULL),
                     ATLS_OK);
    assert_int_equal(atls_go_pcrs(&a.quotes[0], pcrs, &len, NULL), ATLS_OK);
    assert_int_equal(len, sizeof values);
    assert_memory_equal(pcrs, values, len);
    free(space);
}

#define Q                                                                                          \
    "\x0a\x01"                                                                                     \
    "q"                                                                                            \
    "\x12\x01"                                                                                     \
    "s"                                                                                            \
    "\x1a\x02\x08\x0b"
static const struct {
    const char *what, *bytes;
    size_t len;
    const char *check; /* NULL: good */
} messages[] = {
    {"a public area",
     "\x0a\x01"
     "k",
     3, NULL},
    {"an unknown field",
     "\x0a\x01"
     "k"
     "\xfa\x01\x01"
     "x",
     7, NULL},
    {"an instance and a canonical log, not looked at", "\x22\x00\x2a\x00\x3a\x00\x3a\x00", 8, NULL},
    {"a public area twice",
     "\x0a\x01"
     "k"
     "\x0a\x01"
     "k",
     6, "go_attestation.twice"},
    {"a log that is a number", "\x18\x01", 2, "go_attestation.field"},
    {"a quote that is a number", "\x10\x01", 2, "go_attestation.field"},
    {"a group", "\x0b", 1, "go_attestation.malformed"},
    {"cut",
     "\x0a\x02"
     "k",
     3, "go_attestation.malformed"},
    {"a quote", "\x12\x0a" Q, 12, NULL},
    {"a quote without its bytes",
     "\x12\x07\x12\x01"
     "s"
     "\x1a\x02\x08\x0b",
     9, "go_attestation.quotes"},
    {"a quote without signature",
     "\x12\x07\x0a\x01"
     "q"
     "\x1a\x02\x08\x0b",
     9, "go_attestation.quotes"},
    {"a quote without PCRs",
     "\x12\x06\x0a\x01"
     "q"
     "\x12\x01"
     "s",
     8, "go_attestation.quotes"},
    {"a quote with two signatures",
     "\x12\x0d" Q "\x12\x01"
     "s",
     15, "go_attestation.twice"},
    {"a quote that is cut", "\x12\x01\x0a", 3, "go_attestation.malformed"},
    {"PCRs that are cut",
     "\x12\x09\x0a\x01"
     "q"
     "\x12\x01"
     "s"
     "\x1a\x01\x08",
     11, "go_attestation.malformed"},
    {"a bank twice",
     "\x12\x0c\x0a\x01"
     "q"
     "\x12\x01"
     "s"
     "\x1a\x04\x08\x0b\x08\x0b",
     14, "go_attestation.twice"},
    {"a bank of bytes",
     "\x12\x0a\x0a\x01"
     "q"
     "\x12\x01"
     "s"
     "\x1a\x02\x0a\x00",
     12, "go_attestation.field"},
    {"a bank of 17 bits",
     "\x12\x0c\x0a\x01"
     "q"
     "\x12\x01"
     "s"
     "\x1a\x04\x08\x80\x80\x04",
     14, "go_attestation.field"},
    {"nine quotes",
     "\x12\x0a" Q "\x12\x0a" Q "\x12\x0a" Q "\x12\x0a" Q "\x12\x0a" Q "\x12\x0a" Q "\x12\x0a" Q
     "\x12\x0a" Q "\x12\x0a" Q,
     108, "go_attestation.quotes"},
};

static void each_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        atls_go_attestation a;
        atls_err err = {0};
        print_message("%s\n", messages[i].what);
        memset(&a, 0x5a, sizeof a);
        const atls_go_attestation before = a;
        const atls_buf m = {(const uint8_t *)messages[i].bytes, messages[i].len};
        const atls_code rc = atls_go_attestation_parse(m, &a, &err);
        if (messages[i].check == NULL) {
            assert_int_equal(rc, ATLS_OK);
        } else {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, messages[i].check);
            assert_memory_equal(&a, &before, sizeof a);
        }
    }
}

#define V20                                                                                        \
    "\x14"                                                                                         \
    "aaaaaaaaaaaaaaaaaaaa"
static const struct {
    const char *what, *bytes; /* of the PCRs' message */
    size_t len;
    const char *check; /* NULL: good */
    const char *first;
} banks[] = {
    {"PCR 0, written out", "\x12\x18\x08\x00\x12" V20, 26, NULL, "a"},
    {"PCR 0, left out", "\x12\x16\x12" V20, 24, NULL, "a"},
    {"the larger first",
     "\x12\x18\x08\x02\x12\x14"
     "bbbbbbbbbbbbbbbbbbbb"
     "\x12\x18\x08\x01\x12" V20,
     52, NULL, "a"},
    {"none", "\x08\x04", 2, "go_attestation.pcrs", ""},
    {"PCR 32", "\x12\x18\x08\x20\x12" V20, 26, "go_attestation.pcrs", ""},
    {"a PCR twice", "\x12\x18\x08\x01\x12" V20 "\x12\x18\x08\x01\x12" V20, 52,
     "go_attestation.pcrs", ""},
    {"a short value",
     "\x12\x17\x08\x00\x12\x13"
     "aaaaaaaaaaaaaaaaaaa",
     25, "go_attestation.pcrs", ""},
    {"no value", "\x12\x02\x08\x01", 4, "go_attestation.pcrs", ""},
    {"a third member", "\x12\x1a\x08\x00\x12" V20 "\x18\x01", 28, "go_attestation.pcrs", ""},
    {"an entry that is a number", "\x10\x01", 2, "go_attestation.pcrs", ""},
    {"an entry that is cut", "\x12\x01\x08", 3, "go_attestation.pcrs", ""},
    {"cut", "\x12\x09\x08", 3, "go_attestation.malformed", ""},
};

static void each_bank(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++) {
        uint8_t out[ATLS_GO_PCRS_MAX];
        size_t len = 9;
        atls_err err = {0};
        print_message("%s\n", banks[i].what);
        const atls_go_quote q = {.bank = 4,
                                 .pcrs = {(const uint8_t *)banks[i].bytes, banks[i].len}};
        const atls_code rc = atls_go_pcrs(&q, out, &len, &err);
        if (banks[i].check == NULL) {
            assert_int_equal(rc, ATLS_OK);
            assert_int_equal(len % 20, 0);
            assert_int_equal(out[0], banks[i].first[0]);
        } else {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, banks[i].check);
            assert_int_equal(len, 9);
        }
    }
    uint8_t out[ATLS_GO_PCRS_MAX];
    size_t len = 0;
    atls_err err = {0};
    const atls_go_quote q = {.bank = 5, .pcrs = {(const uint8_t *)banks[0].bytes, banks[0].len}};
    assert_int_equal(atls_go_pcrs(&q, out, &len, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "go_attestation.pcrs");
}

static void truncations(void **state)
{
    (void)state;
    atls_go_making m = usual();
    uint8_t *space = malloc(3 * atls_go_attestation_room(&m));
    const atls_buf whole = atls_go_attestation_write(&m, space);
    size_t refused = 0;
    for (size_t len = 0; len < whole.len; len++) {
        atls_go_attestation a;
        atls_err err = {0};
        if (atls_go_attestation_parse((atls_buf){whole.ptr, len}, &a, &err) == ATLS_OK) {
            assert_false(a.has_snp); /* the last field: it ends between two */
        } else {
            assert_string_equal(err.check, "go_attestation.malformed");
            refused++;
        }
    }
    assert_true(refused > whole.len - 8);
    free(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(all_pcrs_of_the_largest_bank),
        cmocka_unit_test(each_message),
        cmocka_unit_test(each_bank),
        cmocka_unit_test(truncations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
