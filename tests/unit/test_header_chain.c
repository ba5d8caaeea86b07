/* Header fields of hostile heads, percent-coding both ways, Retry-After (intel-dcap.md 6; RFC 9110, 10.2.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/header_chain.h"
#include "net/retry_after.h"

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void fields_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        atls_header_found found;
        const char *value;
    } table[] = {
        {"HTTP/1.1 200 OK\r\nName: v\r\n\r\n", ATLS_HEADER_ONE, "v"},
        {"HTTP/1.1 200 OK\nname:v\n\n", ATLS_HEADER_ONE, "v"},
        {"NAME: \t a b \t\r\n", ATLS_HEADER_ONE, "a b"},
        {"name: a:b", ATLS_HEADER_ONE, "a:b"},
        {"name:", ATLS_HEADER_ONE, ""},
        {"name:\r\nname: \r\n", ATLS_HEADER_ONE, ""},
        {"name: a\r\nNAME: a\r\n", ATLS_HEADER_ONE, "a"},
        {"name: a\r\nname: b\r\n", ATLS_HEADER_TWICE, "a"},
        {"name: a\r\nname: b\r\nname: a\r\n", ATLS_HEADER_TWICE, "a"},
        {"", ATLS_HEADER_NONE, ""},
        {"\n\n\n", ATLS_HEADER_NONE, ""},
        {"name", ATLS_HEADER_NONE, ""},
        {"name v\r\n", ATLS_HEADER_NONE, ""},
        {"xname: v\r\nnamex: v\r\nname : v\r\n name: v\r\n", ATLS_HEADER_NONE, ""},
        {"x: name: v\r\n", ATLS_HEADER_NONE, ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        atls_buf value;
        assert_int_equal(atls_header_find(text(table[i].headers), "name", 4, &value),
                         table[i].found);
        assert_int_equal(value.len, strlen(table[i].value));
        assert_memory_equal(value.len > 0 ? (const void *)value.ptr : "", table[i].value,
                            value.len);
    }
}

static void a_head_too_long_has_nothing(void **state)
{
    (void)state;
    char *head = malloc(ATLS_HTTP_HEADERS_MAX + 1);
    assert_non_null(head);
    memset(head, 'x', ATLS_HTTP_HEADERS_MAX + 1);
    memcpy(head, "name:v\n", 7);
    atls_buf value;
    assert_int_equal(
        atls_header_find((atls_buf){(uint8_t *)head, ATLS_HTTP_HEADERS_MAX}, "name", 4, &value),
        ATLS_HEADER_ONE);
    assert_int_equal(
        atls_header_find((atls_buf){(uint8_t *)head, ATLS_HTTP_HEADERS_MAX + 1}, "name", 4, &value),
        ATLS_HEADER_NONE);
    free(head);
}

static void percent_is_decoded_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *coded, *plain; /* NULL: refused */
    } table[] = {
        {"", ""},
        {"abc+/=", "abc+/="},
        {"-----BEGIN%20CERTIFICATE-----%0A", "-----BEGIN CERTIFICATE-----\n"},
        {"a%2Bb%2bc+d", "a+b+c+d"},
        {"%41%7e%7E", "A~~"},
        {"%0d%0A%09", "\r\n\t"},
        {"%2541", "%41"}, /* once */
        {"%", NULL},
        {"%4", NULL},
        {"a%4", NULL},
        {"%4g", NULL},
        {"%g4", NULL},
        {"% 4", NULL},
        {"%%41", NULL},
        {"%00", NULL},
        {"%1b", NULL},
        {"%7f", NULL},
        {"%ff", NULL},
        {"\xff", NULL},
        {"\x01", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t space[64];
        atls_writer w = atls_writer_of(space, sizeof space);
        const bool fine = atls_percent_decode(text(table[i].coded), &w);
        assert_int_equal(fine, table[i].plain != NULL);
        if (fine) {
            assert_int_equal(w.len, strlen(table[i].plain));
            assert_memory_equal(space, table[i].plain, w.len);
        }
        assert_int_equal(fine, atls_writer_ok(&w));
    }
    uint8_t two[2];
    atls_writer w = atls_writer_of(two, sizeof two);
    assert_false(atls_percent_decode(text("abc"), &w));
}

static void what_is_encoded_decodes(void **state)
{
    (void)state;
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nab+/=\r\n-----END CERTIFICATE-----\n";
    static const char coded[] = "-----BEGIN%20CERTIFICATE-----%0Aab%2B%2F%3D%0D%0A"
                                "-----END%20CERTIFICATE-----%0A";
    uint8_t a[256];
    uint8_t b[256];
    atls_writer w = atls_writer_of(a, sizeof a);
    atls_percent_encode(text(pem), &w);
    assert_int_equal(w.len, sizeof coded - 1);
    assert_memory_equal(a, coded, w.len);
    atls_writer back = atls_writer_of(b, sizeof b);
    assert_true(atls_percent_decode(atls_writer_done(&w), &back));
    assert_int_equal(back.len, sizeof pem - 1);
    assert_memory_equal(b, pem, back.len);
    atls_writer full = atls_writer_of(a, 2);
    atls_percent_encode(text("\n"), &full);
    assert_false(atls_writer_ok(&full));
}

static void retry_after(void **state)
{
    (void)state;
    const int64_t when_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *value;
        uint32_t seconds;
    } table[] = {
        {"0", 0},
        {"1", 1},
        {"10", 10},
        {"0010", 10},
        {"3600", 3600},
        {"3601", 3600},
        {"99999999999999999999999999", 3600},
        {"Sun, 06 Nov 1994 08:49:38 GMT", 1},
        {"Sun, 06 Nov 1994 08:59:37 GMT", 600},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sat, 05 Nov 1994 08:49:37 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 3600},
        {"Mon, 07 Nov 1994 08:49:37 GMT", 3600},
        {"Sun, 06 Nov 1994 08:59:37 CET", 0},
        {"Sun, 06 Non 1994 08:59:37 GMT", 0},
        {"Sun, 31 Feb 1995 08:59:37 GMT", 0},
        {"Sun, 06 Nov 1994 24:59:37 GMT", 0},
        {"Sun; 06 Nov 1994 08:59:37 GMT", 0},
        {"Sun, 06-Nov-1994 08:59:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:59:37 GMT ", 0},
        {"Sunday, 06-Nov-94 08:59:37 GMT", 0},
        {"", 0},
        {"-1", 0},
        {"+1", 0},
        {"1.5", 0},
        {"ten", 0},
        {"10 ", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(atls_retry_after_read(text(table[i].value), when_s), table[i].seconds);
    }
    assert_int_equal(atls_retry_after_read(text("Sun, 06 Nov 1994 08:49:38 GMT"), INT64_MIN), 3600);
    assert_int_equal(atls_retry_after_read(text("Sun, 06 Nov 1994 08:49:38 GMT"), INT64_MAX), 0);
    const char *date = "Sun, 06 Nov 1994 08:59:37 GMT";
    for (size_t len = 0; len < strlen(date); len++) {
        assert_int_equal(atls_retry_after_read((atls_buf){(const uint8_t *)date, len}, when_s), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(a_head_too_long_has_nothing),
        cmocka_unit_test(percent_is_decoded_and_nothing_else),
        cmocka_unit_test(what_is_encoded_decodes),
        cmocka_unit_test(retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
