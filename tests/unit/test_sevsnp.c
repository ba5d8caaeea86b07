/* Reports of SNP in the messages of go-sev-guest: there and back, and each field wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "binding/protobuf.h"
#include "binding/sevsnp.h"
#include "trust/amd_cert_table.h"

#define LEN ATLS_SEVSNP_REPORT_LEN

static void fill(uint8_t *report, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        report[i] = (uint8_t)(i * 7 + i / 256 + 1);
    }
}

/* Every byte that has a meaning has a value of its own; reserved ones are zero. */
static void make_report(uint8_t version, uint8_t report[LEN])
{
    memset(report, 0, LEN);
    fill(report, 0x004, 0x04c);
    report[0] = version;
    fill(report, 0x050, 0x188);
    if (version >= 3) {
        report[0x188] = 0x1a;
        report[0x189] = 0x91;
        report[0x18a] = 0x02;
    }
    fill(report, 0x1a0, 0x1eb);
    fill(report, 0x1ec, 0x1ef);
    fill(report, 0x1f0, version >= 5 ? 0x208 : 0x1f8);
    fill(report, 0x2a0, LEN);
}

static atls_buf message_of(const uint8_t *report, uint8_t *space)
{
    atls_writer w = atls_writer_of(space, ATLS_SEVSNP_REPORT_MESSAGE_MAX);
    atls_sevsnp_report_write(&w, report);
    assert_true(atls_writer_ok(&w));
    return atls_writer_done(&w);
}

static void there_and_back(void **state)
{
    (void)state;
    for (uint8_t version = 2; version <= 5; version++) {
        uint8_t report[LEN];
        uint8_t again[LEN];
        uint8_t space[ATLS_SEVSNP_REPORT_MESSAGE_MAX];
        make_report(version, report);
        assert_int_equal(atls_sevsnp_report_parse(message_of(report, space), again, NULL), ATLS_OK);
        assert_memory_equal(report, again, LEN);
    }
}

/* CPUID(1).EAX of a Milan (family 19h, model 01h, stepping 1) and of a family below 0Fh. */
static void cpuid_is_packed(void **state)
{
    (void)state;
    uint8_t report[LEN];
    uint8_t again[LEN];
    uint8_t space[ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    static const uint8_t milan[] = {0xe8, 0x01, 0x91, 0x9e, 0x80, 0x05}; /* field 29: 0xa00f11 */
    make_report(3, report);
    report[0x188] = 0x19;
    report[0x189] = 0x01;
    report[0x18a] = 0x01;
    atls_buf m = message_of(report, space);
    assert_memory_equal(m.ptr + m.len - sizeof milan, milan, sizeof milan);
    report[0x188] = 0x06;
    report[0x189] = 0x8f;
    assert_int_equal(atls_sevsnp_report_parse(message_of(report, space), again, NULL), ATLS_OK);
    assert_memory_equal(report, again, LEN);
}

static void refused(atls_buf message, const char *check)
{
    uint8_t out[LEN];
    atls_err err = {0};
    memset(out, 0xee, sizeof out);
    assert_int_equal(atls_sevsnp_report_parse(message, out, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, check);
    assert_int_equal(out[0], 0xee);
}

static void truncations(void **state)
{
    (void)state;
    uint8_t report[LEN];
    uint8_t space[ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    uint8_t out[LEN];
    make_report(5, report);
    atls_buf m = message_of(report, space);
    size_t missing = 0;
    for (size_t len = 0; len < m.len; len++) {
        atls_err err = {0};
        if (atls_sevsnp_report_parse((atls_buf){m.ptr, len}, out, &err) == ATLS_OK) {
            assert_memory_not_equal(out, report, LEN); /* a field short: no signature holds */
            continue;
        }
        missing += strcmp(err.check, "sevsnp.missing") == 0;
        assert_true(strcmp(err.check, "sevsnp.missing") == 0 ||
                    strcmp(err.check, "sevsnp.malformed") == 0);
    }
    assert_true(missing > 0);
}

static const struct {
    const char *what;
    const char *bytes; /* behind a good message */
    size_t len;
    const char *check;
} more[] = {
    {"a version again", "\x08\x02", 2, "sevsnp.twice"},
    {"a measurement again", "\x62\x00", 2, "sevsnp.twice"},
    {"a group", "\x0b", 1, "sevsnp.malformed"},
    {"launch vector as bytes", "\xf2\x01\x01\x41", 4, "sevsnp.field"},
    {"launch vector of 64 bits", "\xf1\x01\x01\x01\x01\x01\x01\x01\x01\x01", 10, "sevsnp.field"},
    {"CPUID with bit 28", "\xe8\x01\x80\x80\x80\x80\x01", 7, "sevsnp.field"},
    {"CPUID with bit 12", "\xe8\x01\x80\x20", 4, "sevsnp.field"},
    {"CPUID of family 256", "\xe8\x01\x80\x9e\xc0\x7f", 6, "sevsnp.field"},
};

static void each_field_wrong(void **state)
{
    (void)state;
    uint8_t report[LEN];
    uint8_t space[ATLS_SEVSNP_REPORT_MESSAGE_MAX + 16];
    uint8_t out[LEN];
    make_report(2, report); /* without CPUID and vectors */
    atls_buf m = message_of(report, space);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        print_message("%s\n", more[i].what);
        memcpy(space + m.len, more[i].bytes, more[i].len);
        refused((atls_buf){space, m.len + more[i].len}, more[i].check);
    }
    memcpy(space + m.len, "\x82\x02\x01x", 4); /* field 32: of the future */
    assert_int_equal(atls_sevsnp_report_parse((atls_buf){space, m.len + 4}, out, NULL), ATLS_OK);
}

/* Each field of a good message in turn: as bytes one byte shorter, or as a number too large for its place. */
static void each_length_wrong(void **state)
{
    (void)state;
    uint8_t report[LEN];
    uint8_t space[ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    uint8_t other[ATLS_SEVSNP_REPORT_MESSAGE_MAX + 32];
    make_report(5, report);
    atls_buf m = message_of(report, space);
    for (uint32_t n = 1; n <= 31; n++) {
        const bool wide = n == 3 || n == 8 || n == 9 || n == 18 || n == 20 || n == 27 || n > 29;
        atls_reader r = atls_reader_of(m);
        atls_writer w = atls_writer_of(other, sizeof other);
        while (r.left > 0) {
            atls_protobuf_field f;
            assert_true(atls_protobuf_next(&r, &f));
            if (f.kind == ATLS_PROTOBUF_BYTES) {
                f.bytes.len -= f.number == n;
                atls_protobuf_write_bytes(&w, f.number, f.bytes);
            } else if (f.number == n && wide) {
                atls_protobuf_write_bytes(&w, f.number, (atls_buf){space, 8});
            } else {
                atls_protobuf_write_uint(&w, f.number, f.number == n ? UINT64_C(1) << 32 : f.value);
            }
        }
        refused(atls_writer_done(&w), "sevsnp.field");
    }
}

static atls_buf put(atls_writer *w, uint32_t number, atls_buf bytes)
{
    atls_protobuf_write_bytes(w, number, bytes);
    assert_true(atls_writer_ok(w));
    return atls_writer_done(w);
}

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void attestations(void **state)
{
    (void)state;
    uint8_t report[LEN];
    uint8_t report_space[ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    uint8_t chain_space[64];
    uint8_t space[2 * ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    atls_sevsnp s;
    make_report(3, report);
    atls_writer c = atls_writer_of(chain_space, sizeof chain_space);
    (void)put(&c, 1, text("vcek"));
    (void)put(&c, 2, text("the ask"));
    atls_buf chain = put(&c, 3, text("ark"));
    atls_writer w = atls_writer_of(space, sizeof space);
    (void)put(&w, 1, message_of(report, report_space));
    (void)put(&w, 2, chain);
    atls_buf m = put(&w, 3, text("\x08\x01")); /* the product */
    assert_int_equal(atls_sevsnp_parse(m, &s, NULL), ATLS_OK);
    assert_memory_equal(s.report, report, LEN);
    assert_int_equal(s.vcek.len, 4);
    assert_memory_equal(s.ask.ptr, "the ask", 7);
    assert_int_equal(s.ark.len, 3);
    assert_int_equal(s.vlek.len, 0);

    uint8_t table[256];
    atls_amd_cert_table t;
    atls_writer tw = atls_writer_of(table, sizeof table);
    atls_sevsnp_table_write(&tw, &s);
    assert_int_equal(atls_writer_done(&tw).len, atls_sevsnp_table_len(&s));
    assert_int_equal(atls_amd_cert_table_parse(atls_writer_done(&tw), &t, NULL), ATLS_OK);
    assert_int_equal(t.n, 2);
    assert_memory_equal(t.entry[ATLS_AMD_VCEK].ptr, "vcek", 4);
    assert_memory_equal(t.entry[ATLS_AMD_ASK].ptr, "the ask", 7);
    assert_int_equal(t.entry[ATLS_AMD_ARK].len, 0);
    assert_int_equal(atls_sevsnp_table_len(&(atls_sevsnp){.vcek = {NULL, 0}}), 0);

    atls_err err = {0};
    const size_t len = w.len;
    (void)put(&w, 2, chain);
    assert_int_equal(atls_sevsnp_parse(atls_writer_done(&w), &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "sevsnp.twice");
    w.len = len;
    atls_writer_u8(&w, 0x0b);
    assert_int_equal(atls_sevsnp_parse(atls_writer_done(&w), &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "sevsnp.malformed");
    assert_int_equal(atls_sevsnp_parse(text("\x08\x01"), &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "sevsnp.field");
    assert_int_equal(atls_sevsnp_parse(chain, &s, &err), ATLS_E_INVALID);
}

#define CRL_KEY "00569ee4-e480-4fba-bbf4-45b629901180"

/* The list among the extras of a chain: in, out, and into a certificate table and back. */
static void revocation_lists(void **state)
{
    (void)state;
    uint8_t report[LEN];
    uint8_t report_space[ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    uint8_t extra_space[128];
    uint8_t chain_space[256];
    uint8_t space[2 * ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    uint8_t table[256];
    static const struct {
        const char *what;
        const char *key, *crl; /* of an extra; NULL crl: no map */
        int times;
        size_t len; /* of the list that is found */
        const char *check;
    } rows[] = {
        {"the list", CRL_KEY, "the list", 1, 8, NULL},
        {"an empty list", CRL_KEY, "", 1, 0, NULL},
        {"another extra", "00569ee4-e480-4fba-bbf4-45b629901181", "the list", 2, 0, NULL},
        {"a shorter key", "00569ee4", "the list", 1, 0, NULL},
        {"no key", "", "the list", 1, 0, NULL},
        {"two lists", CRL_KEY, "the list", 2, 0, "sevsnp.twice"},
        {"a number as map", "", NULL, 1, 0, "sevsnp.field"},
    };
    make_report(3, report);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].what);
        atls_sevsnp s;
        atls_err err = {0};
        atls_writer c = atls_writer_of(chain_space, sizeof chain_space);
        (void)put(&c, 2, text("the ask"));
        for (int n = 0; n < rows[i].times && rows[i].crl != NULL; n++) {
            atls_writer e = atls_writer_of(extra_space, sizeof extra_space);
            (void)put(&e, 1, text(rows[i].key));
            (void)put(&c, 7, put(&e, 2, text(rows[i].crl)));
        }
        if (rows[i].crl == NULL) {
            atls_protobuf_write_uint(&c, 7, 1);
        }
        atls_writer w = atls_writer_of(space, sizeof space);
        (void)put(&w, 1, message_of(report, report_space));
        const atls_buf m = put(&w, 2, atls_writer_done(&c));
        const atls_code rc = atls_sevsnp_parse(m, &s, &err);
        if (rows[i].check != NULL) {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, rows[i].check);
            continue;
        }
        assert_int_equal(rc, ATLS_OK);
        assert_int_equal(s.crl.len, rows[i].len);

        atls_amd_cert_table t;
        atls_sevsnp again = {.vcek = {NULL, 0}};
        atls_writer tw = atls_writer_of(table, sizeof table);
        atls_sevsnp_table_write(&tw, &s);
        assert_int_equal(atls_amd_cert_table_parse(atls_writer_done(&tw), &t, NULL), ATLS_OK);
        assert_int_equal(t.entry[ATLS_AMD_CRL].len, rows[i].len);
        assert_true(atls_sevsnp_table_read(atls_writer_done(&tw), &again));
        assert_int_equal(again.crl.len, rows[i].len);
        atls_writer x = atls_writer_of(extra_space, sizeof extra_space);
        assert_int_equal(atls_sevsnp_crl_write(&x, again.crl, NULL), ATLS_OK);
        if (rows[i].len == 0) {
            assert_int_equal(x.len, 0);
            continue;
        }
        assert_memory_equal(again.crl.ptr, "the list", 8);
        assert_memory_equal(extra_space, "\x3a\x30\x0a\x24" CRL_KEY "\x12\x08the list", x.len);
        assert_int_equal(x.len, 50);
    }
}

/* An extra whose entry is cut off in itself. */
static void a_broken_extra(void **state)
{
    (void)state;
    static const uint8_t message[] = {0x0a, 0x00, 0x12, 0x04, 0x3a, 0x02, 0x0a, 0x05};
    atls_sevsnp s;
    atls_err err = {0};
    assert_int_equal(atls_sevsnp_parse((atls_buf){message, sizeof message}, &s, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "sevsnp.malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),    cmocka_unit_test(cpuid_is_packed),
        cmocka_unit_test(truncations),       cmocka_unit_test(each_field_wrong),
        cmocka_unit_test(each_length_wrong), cmocka_unit_test(attestations),
        cmocka_unit_test(revocation_lists),  cmocka_unit_test(a_broken_extra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
