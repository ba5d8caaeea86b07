/* Strict base64: the vectors of RFC 4648, section 10, and every way to write one of them wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "codec/base64.h"

static atls_buf buf_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void vectors_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        const char *text;
    } rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xef\xbe\xff\xff\xff", "++++////"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[16];
        memset(out, 0xa5, sizeof out);
        size_t want = strlen(rows[i].plain);
        size_t len = 99;
        assert_true(atls_base64_decode(buf_of(rows[i].text), out, want, &len));
        assert_int_equal(len, want);
        assert_memory_equal(out, rows[i].plain, want);
        assert_int_equal(out[want], 0xa5); /* nothing behind the end */
        if (want > 0) {
            assert_false(atls_base64_decode(buf_of(rows[i].text), out, want - 1, &len));
        }
        char *text = atls_base64_encode(buf_of(rows[i].plain));
        assert_non_null(text);
        assert_string_equal(text, rows[i].text);
        atls_free(text);
    }
}

static void assert_written_alike(const uint8_t *bytes, size_t n, const char *text)
{
    uint8_t space[4000];
    const size_t len = strlen(text);
    atls_writer w = atls_writer_of(space, len);
    atls_base64_write(&w, (atls_buf){bytes, n});
    assert_true(atls_writer_ok(&w));
    assert_int_equal(w.len, len);
    assert_memory_equal(space, text, len);
    if (len > 0) {
        w = atls_writer_of(space, len - 1);
        atls_base64_write(&w, (atls_buf){bytes, n});
        assert_false(atls_writer_ok(&w));
    }
}

static void long_bytes_are_written_in_pieces(void **state)
{
    (void)state;
    uint8_t bytes[2000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * i % 251);
    }
    for (size_t n = 760; n <= sizeof bytes; n++) {
        char *text = atls_base64_encode((atls_buf){bytes, n});
        assert_non_null(text);
        assert_written_alike(bytes, n, text);
        atls_free(text);
    }
}

static void every_byte_survives(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    for (size_t n = 0; n <= sizeof bytes; n++) {
        char *text = atls_base64_encode((atls_buf){bytes, n});
        assert_non_null(text);
        assert_int_equal(strlen(text), (n + 2) / 3 * 4);
        assert_written_alike(bytes, n, text);
        uint8_t out[256];
        size_t len;
        assert_true(atls_base64_decode(buf_of(text), out, n, &len));
        assert_int_equal(len, n);
        assert_memory_equal(out, bytes, n);
        for (size_t cut = 1; cut < 4 && cut < strlen(text); cut++) {
            assert_false(atls_base64_decode((atls_buf){(const uint8_t *)text, strlen(text) - cut},
                                            out, sizeof out, &len));
        }
        atls_free(text);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *text;
        size_t len;
    } rows[] = {
        {"one digit", "Z", 1},
        {"no padding", "Zg", 2},
        {"half the padding", "Zg=", 3},
        {"too much padding", "Zm8==", 5},
        {"a group of padding", "====", 4},
        {"three of padding", "Z===", 4},
        {"padding behind a whole group", "Zm9v====", 8},
        {"padding inside", "Zg==Zg==", 8},
        {"padding inside a group", "Z=g=", 4},
        {"spare bits of one byte", "Zh==", 4},
        {"spare bits of two bytes", "Zm9=", 4},
        {"space before", " Zm9", 4},
        {"spaces before", "    Zm9v", 8},
        {"newline behind", "Zm9v\n", 5},
        {"newlines behind", "Zm9v\n\n\n\n", 8},
        {"newline inside", "Zm9\n", 4},
        {"carriage return", "Zm8=\r\n\r\n", 8},
        {"URL alphabet -", "Zm9-", 4},
        {"URL alphabet _", "Zm9_", 4},
        {"full stop", "Zm9.", 4},
        {"NUL", "Zm9\0", 4},
        {"NUL first", "\0m9v", 4},
        {"high byte", "Zm9\x80", 4},
        {"byte FF", "Zm9\xff", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[16];
        size_t len;
        atls_buf text = {(const uint8_t *)rows[i].text, rows[i].len};
        if (atls_base64_decode(text, out, sizeof out, &len)) {
            fail_msg("taken: %s", rows[i].what);
        }
    }
}

/* Each of the 256 bytes in each place: exactly the 64 digits are taken, and in front of padding those without spare bits. */
static void in_each_place_only_digits_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t place, taken;
    } rows[] = {
        {"AAAA", 0, 64}, {"AAAA", 1, 64}, {"AAAA", 2, 64}, {"AAA=", 0, 64}, {"AAA=", 1, 64},
        {"AAA=", 2, 17}, {"AA==", 0, 64}, {"AA==", 1, 4},  {"AAA=", 3, 65}, /* digits, and = */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t taken = 0;
        for (unsigned c = 0; c < 256; c++) {
            uint8_t text[8] = "AAAA";
            uint8_t out[6];
            size_t len;
            memcpy(text + 4, rows[i].text, 4);
            text[4 + rows[i].place] = (uint8_t)c;
            taken += atls_base64_decode((atls_buf){text, 8}, out, sizeof out, &len);
        }
        assert_int_equal(taken, rows[i].taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_go_both_ways),
        cmocka_unit_test(every_byte_survives),
        cmocka_unit_test(long_bytes_are_written_in_pieces),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(in_each_place_only_digits_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
