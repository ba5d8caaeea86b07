/* SCALE: each form of a compact integer at its bounds, longer forms than needed, and every truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "codec/scale.h"

static const struct {
    uint32_t v;
    uint8_t bytes[4];
    size_t len;
} good[] = {
    {0, {0x00}, 1},
    {1, {0x04}, 1},
    {63, {0xfc}, 1},
    {64, {0x01, 0x01}, 2},
    {69, {0x15, 0x01}, 2},
    {5006, {0x39, 0x4e}, 2},
    {16383, {0xfd, 0xff}, 2},
    {16384, {0x02, 0x00, 0x01, 0x00}, 4},
    {65535, {0xfe, 0xff, 0x03, 0x00}, 4},
    {ATLS_SCALE_COMPACT_MAX, {0xfe, 0xff, 0xff, 0xff}, 4},
};

static void each_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint8_t again[4];
        atls_writer w = atls_writer_of(again, sizeof again);
        atls_scale_write_compact(&w, good[i].v);
        assert_true(atls_writer_ok(&w));
        assert_int_equal(w.len, good[i].len);
        assert_memory_equal(again, good[i].bytes, good[i].len);
        for (size_t len = 0; len <= good[i].len; len++) {
            atls_reader r = atls_reader_of((atls_buf){good[i].bytes, len});
            assert_int_equal(atls_scale_compact(&r), len == good[i].len ? good[i].v : 0);
            assert_int_equal(atls_reader_end(&r), len == good[i].len);
        }
    }
}

static void what_is_no_compact_integer(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[5];
        size_t len;
    } bad[] = {
        {"0 in two bytes", {0x01, 0x00}, 2},
        {"63 in two bytes", {0xfd, 0x00}, 2},
        {"0 in four bytes", {0x02, 0x00, 0x00, 0x00}, 4},
        {"16383 in four bytes", {0xfe, 0xff, 0x00, 0x00}, 4},
        {"the fourth form", {0x03, 0x00, 0x00, 0x00, 0x40}, 5},
        {"the fourth form, longer", {0x07, 0x00, 0x00, 0x00, 0x40}, 5},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_reader r = atls_reader_of((atls_buf){bad[i].bytes, bad[i].len});
        assert_int_equal(atls_scale_compact(&r), 0);
        assert_false(atls_reader_ok(&r));
    }
    uint8_t space[8];
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_scale_write_compact(&w, (size_t)ATLS_SCALE_COMPACT_MAX + 1);
    assert_false(atls_writer_ok(&w));
}

static void vectors(void **state)
{
    (void)state;
    static const uint8_t text[] = {0x10, 'n', 'o', 'n', 'e', 0x00};
    for (size_t len = 0; len <= sizeof text; len++) {
        atls_reader r = atls_reader_of((atls_buf){text, len});
        atls_buf first = atls_scale_bytes(&r);
        atls_buf second = atls_scale_bytes(&r);
        assert_int_equal(first.len, len >= 5 ? 4 : 0);
        assert_true(len < 5 || first.ptr == text + 1);
        assert_int_equal(second.len, 0);
        assert_int_equal(atls_reader_end(&r), len == sizeof text);
    }
    uint8_t again[sizeof text];
    atls_writer w = atls_writer_of(again, sizeof again);
    atls_scale_write_bytes(&w, (atls_buf){text + 1, 4});
    atls_scale_write_bytes(&w, (atls_buf){NULL, 0});
    assert_true(atls_writer_ok(&w) && w.len == sizeof text);
    assert_memory_equal(again, text, sizeof text);
    atls_scale_write_bytes(&w, (atls_buf){text, 1});
    assert_false(atls_writer_ok(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form),
        cmocka_unit_test(what_is_no_compact_integer),
        cmocka_unit_test(vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
