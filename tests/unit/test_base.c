/* Reader, writer, hex and time: the ground that every parser stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/reader.h"
#include "base/rfc3339.h"
#include "base/writer.h"

static void reader_reads_each_width_and_order(void **state)
{
    (void)state;
    static const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    atls_reader r = atls_reader_of((atls_buf){b, sizeof b});
    assert_int_equal(atls_reader_u8(&r), 1);
    assert_int_equal(atls_reader_u16le(&r), 0x0302);
    assert_int_equal(atls_reader_u16be(&r), 0x0405);
    assert_int_equal(atls_reader_u24be(&r), 0x060708);
    assert_int_equal(atls_reader_u32le(&r), 0x0c0b0a09);
    assert_int_equal(atls_reader_u32be(&r), 0x0d0e0f10);
    assert_false(atls_reader_end(&r));
    assert_int_equal(atls_reader_u8(&r), 17);
    assert_true(atls_reader_end(&r));
}

static void reader_failure_sticks(void **state)
{
    (void)state;
    static const uint8_t b[] = {1, 2, 3};
    atls_reader r = atls_reader_of((atls_buf){b, sizeof b});
    assert_int_equal(atls_reader_u32be(&r), 0);
    assert_false(atls_reader_ok(&r));
    assert_int_equal(atls_reader_u8(&r), 0);
    assert_int_equal(atls_reader_view(&r, 0).len, 0);
    assert_false(atls_reader_end(&r));
    uint8_t out[2] = {9, 9};
    atls_reader_copy(&r, out, sizeof out);
    assert_int_equal(out[0] + out[1], 0);
    atls_reader sub = atls_reader_sub(&r, 1);
    assert_false(atls_reader_ok(&sub));
}

static void reader_sub_is_skipped_by_its_parent(void **state)
{
    (void)state;
    static const uint8_t b[] = {1, 2, 3, 4};
    atls_reader r = atls_reader_of((atls_buf){b, sizeof b});
    atls_reader sub = atls_reader_sub(&r, 3);
    assert_int_equal(atls_reader_u16be(&sub), 0x0102);
    assert_int_equal(atls_reader_rest(&sub).len, 1);
    assert_true(atls_reader_end(&sub));
    assert_int_equal(atls_reader_u8(&r), 4);
    atls_reader_fail(&r);
    assert_false(atls_reader_end(&r));
}

static void writer_writes_what_the_reader_reads(void **state)
{
    (void)state;
    uint8_t space[42];
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_writer_u8(&w, 1);
    atls_writer_u16le(&w, 0x0203);
    atls_writer_u16be(&w, 0x0405);
    atls_writer_u24be(&w, 0x060708);
    atls_writer_u32le(&w, 0x090a0b0c);
    atls_writer_u32be(&w, 0x0d0e0f10);
    atls_writer_u64le(&w, 0x1112131415161718);
    atls_writer_u64be(&w, 0x191a1b1c1d1e1f20);
    atls_writer_text(&w, "abcd");
    atls_writer_zeros(&w, 6);
    assert_true(atls_writer_ok(&w));
    atls_buf done = atls_writer_done(&w);
    assert_int_equal(done.len, sizeof space);
    atls_reader r = atls_reader_of(done);
    assert_int_equal(atls_reader_u8(&r), 1);
    assert_int_equal(atls_reader_u16le(&r), 0x0203);
    assert_int_equal(atls_reader_u16be(&r), 0x0405);
    assert_int_equal(atls_reader_u24be(&r), 0x060708);
    assert_int_equal(atls_reader_u32le(&r), 0x090a0b0c);
    assert_int_equal(atls_reader_u32be(&r), 0x0d0e0f10);
    assert_true(atls_reader_u64le(&r) == 0x1112131415161718);
    assert_true(atls_reader_u64be(&r) == 0x191a1b1c1d1e1f20);
    assert_memory_equal(atls_reader_view(&r, 4).ptr, "abcd", 4);
    assert_memory_equal(atls_reader_rest(&r).ptr, "\0\0\0\0\0\0", 6);
    atls_writer_u8(&w, 1);
    assert_false(atls_writer_ok(&w));
    assert_int_equal(atls_writer_done(&w).len, 0);
}

static void writer_refuses_25_bits_in_24(void **state)
{
    (void)state;
    uint8_t space[8];
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_writer_u24be(&w, 0x1000000);
    assert_false(atls_writer_ok(&w));
}

static void hex_goes_both_ways(void **state)
{
    (void)state;
    uint8_t out[4];
    size_t len = 0;
    char text[9];
    assert_true(atls_hex_decode("00fFa1", 6, out, sizeof out, &len));
    assert_int_equal(len, 3);
    atls_hex_encode((atls_buf){out, len}, text);
    assert_string_equal(text, "00ffa1");
    assert_false(atls_hex_decode("0", 1, out, sizeof out, &len));
    assert_false(atls_hex_decode("0g", 2, out, sizeof out, &len));
    assert_false(atls_hex_decode("0011223344", 10, out, sizeof out, &len));
    size_t taken = 0;
    for (unsigned c = 0; c < 256; c++) {
        const char low[2] = {'0', (char)c};
        const char high[2] = {(char)c, 'f'};
        const bool good = atls_hex_decode(low, 2, out, sizeof out, &len);
        assert_int_equal(atls_hex_decode(high, 2, out, sizeof out, &len), good);
        taken += good;
    }
    assert_int_equal(taken, 22);
}

static void time_takes_real_dates_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},          {"2000-02-29T12:34:56Z", true, 951827696},
        {"2025-07-04T10:00:00Z", true, 1751623200}, {"9999-12-31T23:59:59Z", true, 253402300799},
        {"2025-02-29T00:00:00Z", false, 0},         {"2100-02-29T00:00:00Z", false, 0},
        {"2025-13-01T00:00:00Z", false, 0},         {"2025-00-01T00:00:00Z", false, 0},
        {"2025-01-32T00:00:00Z", false, 0},         {"2025-01-01T24:00:00Z", false, 0},
        {"2025-01-01T00:60:00Z", false, 0},         {"2025-01-01T00:00:60Z", false, 0},
        {"2025-01-01T00:00:00z", false, 0},         {"2025-01-01T00:00:00.0Z", false, 0},
        {"2025-01-01 00:00:00Z", false, 0},         {"1969-12-31T23:59:59Z", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t t = -1;
        assert_int_equal(atls_time_parse(cases[i].text, strlen(cases[i].text), &t), cases[i].ok);
        if (cases[i].ok) {
            char text[ATLS_TIME_TEXT_LEN];
            assert_true(t == cases[i].want);
            atls_time_format(t, text);
            assert_string_equal(text, cases[i].text);
        }
    }
    char text[ATLS_TIME_TEXT_LEN];
    atls_time_format(-1, text);
    assert_string_equal(text, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_each_width_and_order),
        cmocka_unit_test(reader_failure_sticks),
        cmocka_unit_test(reader_sub_is_skipped_by_its_parent),
        cmocka_unit_test(writer_writes_what_the_reader_reads),
        cmocka_unit_test(writer_refuses_25_bits_in_24),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(time_takes_real_dates_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
