/* Deterministic CBOR: what is taken, item by item, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "codec/cbor.h"

static atls_buf unhex(const char *hex, uint8_t space[256])
{
    size_t len = 0;
    assert_true(atls_hex_decode(hex, strlen(hex), space, 256, &len));
    return (atls_buf){space, len};
}

static void each_kind_is_read_and_written_back(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        atls_cbor_kind kind;
        uint64_t value;
    } cases[] = {
        {"00", ATLS_CBOR_UINT, 0},
        {"17", ATLS_CBOR_UINT, 23},
        {"1818", ATLS_CBOR_UINT, 24},
        {"18ff", ATLS_CBOR_UINT, 255},
        {"190100", ATLS_CBOR_UINT, 256},
        {"19ffff", ATLS_CBOR_UINT, 65535},
        {"1a00010000", ATLS_CBOR_UINT, 65536},
        {"1affffffff", ATLS_CBOR_UINT, UINT32_MAX},
        {"1b0000000100000000", ATLS_CBOR_UINT, 4294967296u},
        {"1bffffffffffffffff", ATLS_CBOR_UINT, UINT64_MAX},
        {"40", ATLS_CBOR_BYTES, 0},
        {"43010203", ATLS_CBOR_BYTES, 3},
        {"60", ATLS_CBOR_TEXT, 0},
        {"6161", ATLS_CBOR_TEXT, 1},
        {"80", ATLS_CBOR_ARRAY, 0},
        {"83", ATLS_CBOR_ARRAY, 3},
        {"9818", ATLS_CBOR_ARRAY, 24},
        {"a0", ATLS_CBOR_MAP, 0},
        {"b90100", ATLS_CBOR_MAP, 256},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[256], again[256];
        const atls_buf bytes = unhex(cases[i].hex, space);
        atls_reader r = atls_reader_of(bytes);
        atls_cbor_item item;
        assert_true(atls_cbor_next(&r, &item));
        assert_true(atls_reader_end(&r));
        assert_int_equal(item.kind, cases[i].kind);
        assert_true(item.value == cases[i].value);
        assert_ptr_equal(item.encoded.ptr, space);
        assert_int_equal(item.encoded.len, bytes.len);
        atls_writer w = atls_writer_of(again, sizeof again);
        if (item.kind == ATLS_CBOR_BYTES || item.kind == ATLS_CBOR_TEXT) {
            assert_int_equal(item.bytes.len, item.value);
            atls_cbor_write_string(&w, item.kind, item.bytes);
        } else {
            atls_cbor_write_head(&w, item.kind, item.value);
        }
        assert_int_equal(atls_writer_done(&w).len, bytes.len);
        assert_memory_equal(again, space, bytes.len);
        /* Cut anywhere, it is none. */
        for (size_t len = 0; len < bytes.len; len++) {
            uint8_t *cut = malloc(len + 1);
            memcpy(cut + 1, space, len);
            r = atls_reader_of((atls_buf){cut + 1, len});
            assert_false(atls_cbor_next(&r, &item));
            assert_false(atls_reader_ok(&r));
            free(cut);
        }
    }
}

static void other_kinds_and_longer_heads_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "1817",               /* 23 in two bytes */
        "1900ff",             /* 255 in three */
        "1a0000ffff",         /* 65535 in five */
        "1b00000000ffffffff", /* 2^32 - 1 in nine */
        "5800",               /* string lengths likewise */
        "580141",
        "590000",
        "7800",
        "9800",
        "980100",
        "b800",
        "ba00000001",
        "20",       /* negative */
        "5f4100ff", /* indefinite lengths */
        "7f6161ff",
        "9fff",
        "bfff",
        "ff",
        "c000", /* tags */
        "d81800",
        "da0001000000",
        "f4",
        "f5",
        "f6",
        "f7", /* simple values */
        "e0",
        "f8ff",
        "f90000",
        "fa00000000",
        "fb0000000000000000",
        "1c",
        "1d",
        "1e",
        "1f", /* reserved */
        "3b7fffffffffffffff",
        "5bffffffffffffffff",
        "7bffffffffffffffff00",
        "5affffffff41",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t space[256];
        atls_reader r = atls_reader_of(unhex(bad[i], space));
        atls_cbor_item item = {.value = 77};
        if (atls_cbor_next(&r, &item)) {
            fail_msg("%s was taken", bad[i]);
        }
        assert_false(atls_reader_ok(&r));
        assert_int_equal(item.value, 77);
    }
}

static void keys_stand_in_the_order_of_their_encodings(void **state)
{
    (void)state;
    static const char *const sorted[] = {"00",   "17",     "1818",   "40",      "60",
                                         "617a", "626161", "626162", "63616161"};
    for (size_t i = 0; i < sizeof sorted / sizeof sorted[0]; i++) {
        for (size_t j = 0; j < sizeof sorted / sizeof sorted[0]; j++) {
            uint8_t a[256], b[256];
            int order = atls_cbor_compare(unhex(sorted[i], a), unhex(sorted[j], b));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    assert_true(atls_cbor_compare((atls_buf){NULL, 0}, (atls_buf){(const uint8_t *)"a", 1}) < 0);
    assert_true(atls_cbor_compare((atls_buf){(const uint8_t *)"ab", 2},
                                  (atls_buf){(const uint8_t *)"a", 1}) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_read_and_written_back),
        cmocka_unit_test(other_kinds_and_longer_heads_are_refused),
        cmocka_unit_test(keys_stand_in_the_order_of_their_encodings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
