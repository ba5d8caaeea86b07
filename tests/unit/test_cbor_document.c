/* CBOR that others wrote: what is taken, and each way to be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "codec/cbor_document.h"

static atls_buf unhex(const char *hex, uint8_t *space, size_t cap)
{
    size_t len = 0;
    assert_true(atls_hex_decode(hex, strlen(hex), space, cap, &len));
    return (atls_buf){space, len};
}

static atls_code check(const char *hex, atls_err *err)
{
    uint8_t space[256];
    const atls_buf bytes = unhex(hex, space, sizeof space);
    return atls_cbor_document_check(bytes, "cose.cbor", err);
}

static const char *const good[] = {
    "00",
    "20",
    "3bffffffffffffffff",
    "1800", /* longer than it need be: others may */
    "f4",
    "f5",
    "f6",
    "d200",
    "d9018fa0",
    "a10126",
    "a3000120026162"
    "62c3bc",
    "a24161006161f6", /* bytes and text of the same letters are two keys */
    "a200012002",
    "8181818181818180",
    "d2818181818181a10000",
    "62c3bc",
    "63e282ac",
    "64f09f9880",
    "63ed9fbf",
    "64f48fbfbf",
    "a1018201a102f6",
};

static const struct {
    const char *what, *hex;
} bad[] = {
    {"a byte too many", "0000"},
    {"undefined", "f7"},
    {"a float", "f93c00"},
    {"another simple value", "f8ff"},
    {"a reserved head", "1c"},
    {"indefinite bytes", "5f4100ff"},
    {"indefinite text", "7f6100ff"},
    {"an indefinite array", "9f00ff"},
    {"an indefinite map", "bf0000ff"},
    {"a break alone", "ff"},
    {"the same integer twice", "a200000000"},
    {"the same integer twice, once in two bytes", "a20000180000"},
    {"the same negative twice", "a220002000"},
    {"the same text twice", "a2616100616100"},
    {"the same empty text twice", "a260006000"},
    {"the same bytes twice", "a2410000410000"},
    {"twice, further in", "81a200000000"},
    {"a key that is an array", "a18000"},
    {"a key that is a map", "a1a000"},
    {"a key that is a tag", "a1c00000"},
    {"a key that is true", "a1f500"},
    {"a key that is null", "a1f600"},
    {"nine levels", "81818181818181818100"},
    {"nine levels, one a tag", "d2818181818181818100"},
    {"nine levels, maps", "a100a100a100a100a100a100a100a100a10000"},
    {"more items than bytes", "8400"},
    {"more items than there can be", "9bffffffffffffffff"},
    {"more pairs than there can be", "bbffffffffffffffff00"},
    {"a string longer than memory", "5bffffffffffffffff00"},
    {"a tag of nothing", "d2"},
    {"text that is not UTF-8: a lone second byte", "6180"},
    {"text that is not UTF-8: too long a form", "62c080"},
    {"text that is not UTF-8: too long a form of three", "63e08080"},
    {"text that is not UTF-8: a surrogate", "63eda080"},
    {"text that is not UTF-8: too long a form of four", "64f0808080"},
    {"text that is not UTF-8: above U+10FFFF", "64f4908080"},
    {"text that is not UTF-8: 0xf5", "64f5808080"},
    {"text that is not UTF-8: cut short", "62e282"},
    {"text that is not UTF-8: a third byte that is none", "63e28261"},
    {"text that is not UTF-8, as a key", "a1618000"},
};

static void what_others_write_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        atls_err err = {0};
        if (check(good[i], &err) != ATLS_OK) {
            fail_msg("%s: %s", good[i], err.msg);
        }
    }
}

static void each_ambiguity_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        atls_err err = {0};
        if (check(bad[i].hex, &err) != ATLS_E_INVALID || strcmp(err.check, "cose.cbor") != 0) {
            fail_msg("%s was taken", bad[i].what);
        }
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint8_t space[256];
        atls_buf bytes = unhex(good[i], space, sizeof space);
        while (bytes.len > 0) {
            bytes.len--;
            atls_err err = {0};
            assert_int_equal(atls_cbor_document_check(bytes, "cose.cbor", &err), ATLS_E_INVALID);
        }
    }
}

static void sizes_have_their_limits(void **state)
{
    (void)state;
    const size_t max = ATLS_CBOR_DOCUMENT_MAX;
    uint8_t *space = calloc(1, max + 1);
    atls_err err = {0};
    for (size_t over = 0; over < 2; over++) { /* a byte string that fills it, then one byte more */
        atls_writer w = atls_writer_of(space, max + 1);
        const size_t content = max + over - 5;
        atls_writer_u8(&w, 0x5a);
        atls_writer_u32be(&w, (uint32_t)content);
        assert_int_equal(atls_cbor_document_check((atls_buf){space, max + over}, "cose.cbor", &err),
                         over == 0 ? ATLS_OK : ATLS_E_INVALID);
    }
    for (uint64_t pairs = 64; pairs <= 65; pairs++) {
        atls_writer w = atls_writer_of(space, max);
        atls_cbor_write_head(&w, ATLS_CBOR_MAP, pairs);
        for (uint64_t i = 0; i < pairs; i++) {
            atls_cbor_write_head(&w, ATLS_CBOR_UINT, i);
            atls_cbor_write_head(&w, ATLS_CBOR_NULL, 0);
        }
        assert_int_equal(atls_cbor_document_check(atls_writer_done(&w), "cose.cbor", &err),
                         pairs == 64 ? ATLS_OK : ATLS_E_INVALID);
    }
    free(space);
}

static void an_item_is_skipped_with_all_that_is_in_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint8_t space[256];
        const atls_buf bytes = unhex(good[i], space, sizeof space - 1);
        space[bytes.len] = 0x00; /* another item behind it */
        atls_reader r = atls_reader_of((atls_buf){space, bytes.len + 1});
        atls_buf encoded;
        assert_true(atls_cbor_skip(&r, &encoded));
        assert_int_equal(encoded.len, bytes.len);
        assert_int_equal(r.left, 1);
        for (size_t len = 0; len < bytes.len; len++) {
            atls_reader cut = atls_reader_of((atls_buf){space, len});
            assert_false(atls_cbor_skip(&cut, &encoded));
            assert_false(atls_reader_ok(&cut));
        }
    }
}

static void each_kind_is_written_and_read_back(void **state)
{
    (void)state;
    static const atls_cbor_kind kinds[] = {ATLS_CBOR_NEGATIVE, ATLS_CBOR_TAG, ATLS_CBOR_BOOL,
                                           ATLS_CBOR_NULL};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint8_t space[16];
        atls_writer w = atls_writer_of(space, sizeof space);
        const uint64_t value = kinds[i] == ATLS_CBOR_NULL ? 0 : 1;
        atls_cbor_write_head(&w, kinds[i], value);
        atls_cbor_item item;
        atls_reader r = atls_reader_of(atls_writer_done(&w));
        assert_true(atls_cbor_any(&r, &item));
        assert_true(atls_reader_end(&r));
        assert_int_equal(item.kind, kinds[i]);
        assert_int_equal(item.value, value);
        /* Our own formats are made of none of these. */
        r = atls_reader_of(atls_writer_done(&w));
        assert_false(atls_cbor_next(&r, &item));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_write_is_taken),
        cmocka_unit_test(each_ambiguity_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(sizes_have_their_limits),
        cmocka_unit_test(an_item_is_skipped_with_all_that_is_in_it),
        cmocka_unit_test(each_kind_is_written_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
