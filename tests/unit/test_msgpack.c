/* MessagePack: each form of the specification, what may not be, and values with all that is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/msgpack.h"

typedef struct form {
    const char *what;
    uint8_t bytes[12];
    size_t len; /* of the head, and of what it holds that is not items */
    atls_msgpack_kind kind;
    uint64_t value;
} form;

static const form forms[] = {
    {"positive fixint", {0x7f}, 1, ATLS_MSGPACK_UINT, 127},
    {"fixmap", {0x8f}, 1, ATLS_MSGPACK_MAP, 15},
    {"fixarray", {0x9f}, 1, ATLS_MSGPACK_ARRAY, 15},
    {"fixstr", {0xa3, 'a', 'b', 'c'}, 4, ATLS_MSGPACK_TEXT, 3},
    {"nil", {0xc0}, 1, ATLS_MSGPACK_OTHER, 0},
    {"false", {0xc2}, 1, ATLS_MSGPACK_OTHER, 0},
    {"true", {0xc3}, 1, ATLS_MSGPACK_OTHER, 0},
    {"bin 8", {0xc4, 2, 1, 2}, 4, ATLS_MSGPACK_BYTES, 2},
    {"bin 16", {0xc5, 0, 1, 9}, 4, ATLS_MSGPACK_BYTES, 1},
    {"bin 32", {0xc6, 0, 0, 0, 1, 9}, 6, ATLS_MSGPACK_BYTES, 1},
    {"ext 8", {0xc7, 1, 5, 9}, 4, ATLS_MSGPACK_OTHER, 1},
    {"ext 16", {0xc8, 0, 1, 5, 9}, 5, ATLS_MSGPACK_OTHER, 1},
    {"ext 32", {0xc9, 0, 0, 0, 1, 5, 9}, 7, ATLS_MSGPACK_OTHER, 1},
    {"float 32", {0xca, 1, 2, 3, 4}, 5, ATLS_MSGPACK_OTHER, 4},
    {"float 64", {0xcb, 1, 2, 3, 4, 5, 6, 7, 8}, 9, ATLS_MSGPACK_OTHER, 8},
    {"uint 8", {0xcc, 0xff}, 2, ATLS_MSGPACK_UINT, 255},
    {"uint 16", {0xcd, 1, 0}, 3, ATLS_MSGPACK_UINT, 256},
    {"uint 32", {0xce, 0xff, 0xff, 0xff, 0xff}, 5, ATLS_MSGPACK_UINT, UINT32_MAX},
    {"uint 64", {0xcf, 0, 0, 0, 1, 0, 0, 0, 0}, 9, ATLS_MSGPACK_UINT, 1ull << 32},
    {"int 8", {0xd0, 0x7f}, 2, ATLS_MSGPACK_UINT, 127},
    {"int 8, negative", {0xd0, 0x80}, 2, ATLS_MSGPACK_OTHER, 0x80},
    {"int 16", {0xd1, 0x7f, 0xff}, 3, ATLS_MSGPACK_UINT, 32767},
    {"int 32, negative", {0xd2, 0xff, 0, 0, 0}, 5, ATLS_MSGPACK_OTHER, 0xff000000},
    {"int 64", {0xd3, 0, 0, 0, 0, 0, 0, 0, 1}, 9, ATLS_MSGPACK_UINT, 1},
    {"fixext 1", {0xd4, 5, 9}, 3, ATLS_MSGPACK_OTHER, 2},
    {"fixext 8", {0xd7, 5, 1, 2, 3, 4, 5, 6, 7, 8}, 10, ATLS_MSGPACK_OTHER, 9},
    {"str 8", {0xd9, 1, 'a'}, 3, ATLS_MSGPACK_TEXT, 1},
    {"str 16", {0xda, 0, 1, 'a'}, 4, ATLS_MSGPACK_TEXT, 1},
    {"str 32", {0xdb, 0, 0, 0, 1, 'a'}, 6, ATLS_MSGPACK_TEXT, 1},
    {"array 16", {0xdc, 1, 0}, 3, ATLS_MSGPACK_ARRAY, 256},
    {"array 32", {0xdd, 0xff, 0xff, 0xff, 0xff}, 5, ATLS_MSGPACK_ARRAY, UINT32_MAX},
    {"map 16", {0xde, 1, 0}, 3, ATLS_MSGPACK_MAP, 256},
    {"map 32", {0xdf, 0, 1, 0, 0}, 5, ATLS_MSGPACK_MAP, 65536},
    {"negative fixint", {0xff}, 1, ATLS_MSGPACK_OTHER, 0},
};

static void each_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const form *f = &forms[i];
        for (size_t len = 0; len <= f->len; len++) {
            uint8_t *exact = malloc(len + 1);
            memcpy(exact, f->bytes, len);
            atls_reader r = atls_reader_of((atls_buf){exact, len});
            const atls_msgpack_item item = atls_msgpack_next(&r);
            if (len < f->len) {
                assert_int_equal(item.kind, ATLS_MSGPACK_NONE);
                assert_false(atls_reader_ok(&r));
            } else {
                assert_int_equal(item.kind, f->kind);
                assert_int_equal(item.value, f->value);
                assert_true(atls_reader_end(&r));
            }
            free(exact);
        }
    }
    static const uint8_t never = 0xc1;
    atls_reader r = atls_reader_of((atls_buf){&never, 1});
    assert_int_equal(atls_msgpack_next(&r).kind, ATLS_MSGPACK_NONE);
    assert_false(atls_reader_ok(&r));
}

static size_t value_len(const uint8_t *bytes, size_t len)
{
    atls_reader r = atls_reader_of((atls_buf){bytes, len});
    const atls_buf v = atls_msgpack_value(&r);
    assert_true(atls_reader_ok(&r) ? v.ptr == bytes && v.len == len - r.left : v.len == 0);
    return v.len;
}

static void whole_values(void **state)
{
    (void)state;
    static const uint8_t nested[] = {0x82, 0xa1, 'a', 0x92, 0x01, 0x90, 0xa1, 'b', 0x80, 0xff};
    for (size_t len = 0; len < sizeof nested - 1; len++) {
        assert_int_equal(value_len(nested, len), 0);
    }
    assert_int_equal(value_len(nested, sizeof nested), sizeof nested - 1);
    static uint8_t deep[100001]; /* as deep as it is long: no recursion */
    memset(deep, 0x91, sizeof deep - 1);
    assert_int_equal(value_len(deep, sizeof deep), sizeof deep);
    assert_int_equal(value_len(deep, sizeof deep - 1), 0);
    static const uint8_t many[] = {0xdd, 0xff, 0xff, 0xff, 0xff, 0x01}; /* more than there is */
    assert_int_equal(value_len(many, sizeof many), 0);
}

static void byte_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[8];
        size_t len;
        bool good;
    } cases[] = {
        {"bin", {0xc4, 3, 1, 2, 0xff}, 5, true},
        {"numbers", {0x93, 1, 2, 0xcc, 0xff}, 5, true},
        {"numbers in longer forms", {0x93, 0xd0, 1, 2, 0xcd, 0, 0xff}, 7, true},
        {"a number too large", {0x93, 1, 2, 0xcd, 1, 0}, 6, false},
        {"a text", {0xa3, 1, 2, 3}, 4, false},
        {"a negative number", {0x93, 1, 2, 0xff}, 4, false},
        {"one more than there is room for", {0x94, 1, 2, 3, 4}, 5, false},
        {"likewise, bin", {0xc4, 4, 1, 2, 3, 4}, 6, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const uint8_t wanted[] = {1, 2, 0xff};
        uint8_t space[3];
        atls_reader r = atls_reader_of((atls_buf){cases[i].bytes, cases[i].len});
        const atls_buf got = atls_msgpack_byte_vector(&r, space, sizeof space);
        assert_int_equal(atls_reader_end(&r), cases[i].good);
        assert_int_equal(got.len, cases[i].good ? 3 : 0);
        if (cases[i].good) {
            assert_memory_equal(got.ptr, wanted, 3);
        }
    }
}

static void members(void **state)
{
    (void)state;
    static const atls_buf names[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"bc", 2}};
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
        bool good;
        size_t a, bc; /* lengths of the values */
    } cases[] = {
        {"both",
         "\x82\xa1"
         "a\x01\xa2"
         "bc\x92\x01\x02",
         10, true, 1, 3},
        {"the other way round",
         "\x82\xa2"
         "bc\xc0\xa1"
         "a\xa0",
         8, true, 1, 1},
        {"one, and one that is not known",
         "\x82\xa1"
         "x\x91\x01\xa1"
         "a\x05",
         8, true, 1, 0},
        {"none", "\x80", 1, true, 0, 0},
        {"twice",
         "\x82\xa1"
         "a\x01\xa1"
         "a\x01",
         7, false, 0, 0},
        {"a name that is no text", "\x81\x01\x01", 3, false, 0, 0},
        {"a byte more", "\x80\x80", 2, false, 0, 0},
        {"an array", "\x90", 1, false, 0, 0},
        {"cut short",
         "\x82\xa1"
         "a\x01",
         4, false, 0, 0},
        {"17 members", "\xde\x00\x11", 3, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_buf v[2];
        const atls_buf all = {(const uint8_t *)cases[i].bytes, cases[i].len};
        assert_int_equal(atls_msgpack_members(all, names, 2, v), cases[i].good);
        if (cases[i].good) {
            assert_int_equal(v[0].len, cases[i].a);
            assert_int_equal(v[1].len, cases[i].bc);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form),
        cmocka_unit_test(whole_values),
        cmocka_unit_test(byte_vectors),
        cmocka_unit_test(members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
