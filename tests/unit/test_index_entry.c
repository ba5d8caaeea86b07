/* Entries of a store's index: one spelling, and nothing that is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "crypto/digest.h"
#include "store/index_entry.h"

#define OBJECT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEAD   "atls-item 1\nkey intel/rootcrl\nobject " OBJECT "\n"
#define GOOD   HEAD "source stapled\ntaken 1790000000\nunreachable 0\nfrom https://a.example (b)\n"

static atls_index_entry good(void)
{
    atls_index_entry e = {.key = "intel/rootcrl",
                          .source = ATLS_ITEM_STAPLED,
                          .taken_s = 1790000000,
                          .from = "https://a.example (b)"};
    for (uint8_t i = 0; i < 32; i++) {
        e.sha256[i] = i;
    }
    return e;
}

/* The lines with the line behind them that they ask for. */
static size_t with_sum(const char *lines, uint8_t *out, size_t cap)
{
    const atls_buf text = {(const uint8_t *)lines, strlen(lines)};
    uint8_t sum[32];
    char hex[65];
    assert_int_equal(atls_digest(ATLS_SHA256, &text, 1, sum, NULL), ATLS_OK);
    atls_hex_encode((atls_buf){sum, sizeof sum}, hex);
    const int len = snprintf((char *)out, cap, "%ssha256 %s\n", lines, hex);
    assert_true(len > 0 && (size_t)len < cap);
    return (size_t)len;
}

static void the_form_is_fixed(void **state)
{
    (void)state;
    uint8_t wanted[ATLS_INDEX_ENTRY_MAX];
    uint8_t text[ATLS_INDEX_ENTRY_MAX];
    const size_t len = with_sum(GOOD, wanted, sizeof wanted);
    atls_writer w = atls_writer_of(text, sizeof text);
    const atls_index_entry e = good();
    atls_index_entry back;
    assert_int_equal(atls_index_entry_write(&e, &w, NULL), ATLS_OK);
    assert_int_equal(w.len, len);
    assert_memory_equal(text, wanted, len);
    assert_int_equal(atls_index_entry_read((atls_buf){text, len}, &back, NULL), ATLS_OK);
    assert_string_equal(back.key, e.key);
    assert_string_equal(back.from, e.from);
    assert_memory_equal(back.sha256, e.sha256, sizeof e.sha256);
    assert_int_equal(back.source, e.source);
    assert_int_equal(back.taken_s, e.taken_s);
    assert_int_equal(back.unreachable_since_s, 0);
}

/* The longest that can be, and times that cannot be. */
static void extremes_fit(void **state)
{
    (void)state;
    uint8_t text[ATLS_INDEX_ENTRY_MAX];
    atls_index_entry e = {.source = ATLS_ITEM_IMPORTED,
                          .taken_s = ATLS_INDEX_TIME_MAX,
                          .unreachable_since_s = ATLS_INDEX_TIME_MAX};
    memset(e.key, 'k', sizeof e.key - 1);
    memset(e.from, '~', sizeof e.from - 1);
    memset(e.sha256, 0xff, sizeof e.sha256);
    atls_index_entry back;
    atls_writer w = atls_writer_of(text, sizeof text);
    assert_int_equal(atls_index_entry_write(&e, &w, NULL), ATLS_OK);
    assert_int_equal(atls_index_entry_read((atls_buf){text, w.len}, &back, NULL), ATLS_OK);
    assert_string_equal(back.key, e.key);
    assert_string_equal(back.from, e.from);
    assert_int_equal(back.taken_s, ATLS_INDEX_TIME_MAX);
    e.taken_s = ATLS_INDEX_TIME_MAX + 1;
    e.unreachable_since_s = -1;
    w = atls_writer_of(text, sizeof text);
    assert_int_equal(atls_index_entry_write(&e, &w, NULL), ATLS_OK);
    assert_int_equal(atls_index_entry_read((atls_buf){text, w.len}, &back, NULL), ATLS_OK);
    assert_int_equal(back.taken_s, 0);
    assert_int_equal(back.unreachable_since_s, 0);
    w = atls_writer_of(text, 100);
    assert_int_equal(atls_index_entry_write(&e, &w, NULL), ATLS_E_SYSTEM);
}

static void refused(const uint8_t *text, size_t len, const char *what)
{
    atls_index_entry e;
    atls_err err = {0};
    const atls_code rc = atls_index_entry_read((atls_buf){text, len}, &e, &err);
    if (rc != ATLS_E_INVALID) {
        print_error("%s was taken\n", what);
    }
    assert_int_equal(rc, ATLS_E_INVALID);
    assert_string_equal(err.check, "store.index");
}

static void every_change_is_noticed(void **state)
{
    (void)state;
    uint8_t text[ATLS_INDEX_ENTRY_MAX];
    const size_t len = with_sum(GOOD, text, sizeof text);
    for (size_t i = 0; i < len; i++) {
        refused(text, i, "a shorter text");
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] ^= (uint8_t)(1u << bit);
            refused(text, len, "a changed byte");
            text[i] ^= (uint8_t)(1u << bit);
        }
    }
    text[len] = '\n';
    refused(text, len + 1, "a longer text");
    refused(text, 0, "no text");
    static uint8_t large[ATLS_INDEX_ENTRY_MAX + 1];
    refused(large, sizeof large, "a large text");
}

/* Each field wrong alone, under a checksum that fits. */
static void every_field_is_looked_at(void **state)
{
    (void)state;
#define TAIL "source fetched\ntaken 1\nunreachable 0\nfrom \n"
    static const char *const cases[] = {
        "atls-item 2\nkey a\nobject " OBJECT "\n" TAIL,
        "key a\nobject " OBJECT "\n" TAIL,
        "atls-item 1\nkey \nobject " OBJECT "\n" TAIL,
        "atls-item 1\nkey a b\nobject " OBJECT "\n" TAIL,
        "atls-item 1\nkey a\tb\nobject " OBJECT "\n" TAIL,
        "atls-item 1\nkey a\nobject 00\n" TAIL,
        "atls-item 1\nkey a\nobject " OBJECT "0\n" TAIL,
        "atls-item 1\nkey a\nobject 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n" TAIL,
        "atls-item 1\nkey a\nobject 000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n" TAIL,
        HEAD "source elsewhere\ntaken 1\nunreachable 0\nfrom \n",
        HEAD "source fetche\ntaken 1\nunreachable 0\nfrom \n",
        HEAD "source fetched \ntaken 1\nunreachable 0\nfrom \n",
        HEAD "source fetched\ntaken \nunreachable 0\nfrom \n",
        HEAD "source fetched\ntaken 01\nunreachable 0\nfrom \n",
        HEAD "source fetched\ntaken -1\nunreachable 0\nfrom \n",
        HEAD "source fetched\ntaken a\nunreachable 0\nfrom \n",
        HEAD "source fetched\ntaken 253402300800\nunreachable 0\nfrom \n",
        HEAD "source fetched\ntaken 9999999999999999999\nunreachable 0\nfrom \n",
        HEAD "source fetched\ntaken 1\nunreachable 1x\nfrom \n",
        HEAD "source fetched\nunreachable 0\ntaken 1\nfrom \n",
        HEAD "source fetched\ntaken 1\nunreachable 0\nfrom a\x7f\n",
        HEAD "source fetched\ntaken 1\nunreachable 0\nfrom \xc3\xa9\n",
        HEAD "source fetched\ntaken 1\nunreachable 0\nfrom a\nb\n",
        HEAD "source fetched\ntaken 1\nunreachable 0\nfrom a",
        HEAD "source fetched\r\ntaken 1\nunreachable 0\nfrom \n",
    };
    uint8_t text[ATLS_INDEX_ENTRY_MAX + 512];
    atls_index_entry e;
    size_t len = with_sum(HEAD TAIL, text, sizeof text);
    assert_int_equal(atls_index_entry_read((atls_buf){text, len}, &e, NULL), ATLS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        len = with_sum(cases[i], text, sizeof text);
        refused(text, len, cases[i]);
    }
    char lines[1024];
    (void)snprintf(lines, sizeof lines, "atls-item 1\nkey %0320d\nobject " OBJECT "\n" TAIL, 0);
    refused(text, with_sum(lines, text, sizeof text), "a key that is too long");
    (void)snprintf(lines, sizeof lines,
                   HEAD "source fetched\ntaken 1\nunreachable 0\nfrom %0200d\n", 0);
    refused(text, with_sum(lines, text, sizeof text), "an origin that is too long");
}

static void names_of_files_tell_keys_apart(void **state)
{
    (void)state;
    char name[ATLS_INDEX_NAME_LEN];
    char key[ATLS_ITEM_KEY_LEN] = "jwks/";
    assert_int_equal(atls_index_name("intel/tcb/tdx/00806f050000", name, NULL), ATLS_OK);
    assert_string_equal(name, "intel+tcb+tdx+00806f050000");
    memset(key + 5, 'a', sizeof key - 6);
    assert_int_equal(atls_index_name(key, name, NULL), ATLS_OK);
    assert_int_equal(strlen(name), 65);
    assert_int_equal(name[0], '+');
    char other[ATLS_INDEX_NAME_LEN];
    key[300] = 'b';
    assert_int_equal(atls_index_name(key, other, NULL), ATLS_OK);
    assert_string_not_equal(name, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_fixed),
        cmocka_unit_test(extremes_fit),
        cmocka_unit_test(every_change_is_noticed),
        cmocka_unit_test(every_field_is_looked_at),
        cmocka_unit_test(names_of_files_tell_keys_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
