/* Floors rise and never fall, each for its own root and key, and come back from text whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "crypto/digest.h"
#include "trust/floors.h"

#define NOW INT64_C(1790000000)
#define TCB "intel/tcb/tdx/00806f050000"
#define CRL "intel/rootcrl"

static atls_item_facts facts_of(uint8_t root, uint64_t number, int64_t issued_s)
{
    atls_item_facts f = {.has_number = true,
                         .number = number,
                         .issued_s = issued_s,
                         .next_update_s = issued_s + 86400,
                         .expires_s = issued_s + 86400};
    f.root_sha256[31] = root;
    return f;
}

static bool rises(atls_floors *f, const char *key, uint8_t root, uint64_t number, int64_t issued_s)
{
    const atls_item_facts facts = facts_of(root, number, issued_s);
    bool changed = false;
    assert_int_equal(atls_floors_raise(f, key, &facts, NOW, &changed, NULL), ATLS_OK);
    return changed;
}

static bool is_below(const atls_floors *f, const char *key, uint8_t root, uint64_t number,
                     int64_t issued_s)
{
    const atls_item_facts facts = facts_of(root, number, issued_s);
    atls_err err = {0};
    const atls_code rc = atls_floors_check(f, key, &facts, &err);
    if (rc != ATLS_OK) {
        assert_int_equal(rc, ATLS_E_COLLATERAL);
        assert_string_equal(err.check, "collateral.rollback");
        assert_non_null(strstr(err.msg, key));
        assert_non_null(strstr(err.msg, "fetch it from the vendor"));
    }
    return rc != ATLS_OK;
}

static void going_back_is_seen(void **state)
{
    (void)state;
    atls_floors *f = atls_floors_new();
    assert_false(is_below(f, TCB, 1, 0, 0));
    assert_true(rises(f, TCB, 1, 17, NOW - 100));
    assert_false(rises(f, TCB, 1, 17, NOW - 100));
    assert_false(is_below(f, TCB, 1, 17, NOW - 100));
    assert_false(is_below(f, TCB, 1, 18, NOW));
    assert_true(is_below(f, TCB, 1, 16, NOW));       /* by number, though newer */
    assert_true(is_below(f, TCB, 1, 18, NOW - 101)); /* by date, though higher */
    atls_item_facts bare = facts_of(1, 0, NOW);
    bare.has_number = false;
    assert_int_equal(atls_floors_check(f, TCB, &bare, NULL), ATLS_E_COLLATERAL);
    /* each of the two rises alone, and neither falls */
    assert_true(rises(f, TCB, 1, 16, NOW - 50));
    assert_true(rises(f, TCB, 1, 18, NOW - 200));
    const atls_floor *floor = atls_floors_find(f, facts_of(1, 0, 0).root_sha256, TCB);
    assert_non_null(floor);
    assert_int_equal(floor->number, 18);
    assert_int_equal(floor->issued_s, NOW - 50);
    atls_floors_free(f);
}

static void roots_and_keys_are_apart(void **state)
{
    (void)state;
    atls_floors *f = atls_floors_new();
    assert_true(rises(f, TCB, 2, 17, NOW - 100)); /* a simulator's */
    assert_false(is_below(f, TCB, 1, 1, 1));
    assert_false(is_below(f, TCB, 3, 1, 1));
    assert_false(is_below(f, TCB "/early", 2, 1, 1));
    assert_false(is_below(f, "intel/tcb/sgx/00806f050000", 2, 1, 1));
    assert_true(is_below(f, TCB, 2, 1, 1));
    assert_null(atls_floors_find(f, facts_of(1, 0, 0).root_sha256, TCB));
    atls_floors_free(f);
}

static void kinds_without_floor(void **state)
{
    (void)state;
    static const char *const keys[] = {"jwks/a", "amd/chain/vcek/Milan",
                                       "amd/vcek/Turin/0011223344556677/0400000000000ad1",
                                       "intel/pck/00112233445566778899aabbccddeeff/"
                                       "00112233445566778899aabbccddeeff/0d00/0000",
                                       "no key"};
    static const char *const with[] = {CRL, TCB, "intel/qe/sgx/early", "intel/pckcrl/processor",
                                       "amd/crl/vlek/Genoa"};
    atls_floors *f = atls_floors_new();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        (void)rises(f, keys[i], 1, 5, NOW - 100);
        assert_false(is_below(f, keys[i], 1, 4, NOW - 200));
        assert_null(atls_floors_find(f, facts_of(1, 0, 0).root_sha256, keys[i]));
    }
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        assert_true(rises(f, with[i], 1, 5, NOW - 100));
        assert_true(is_below(f, with[i], 1, 4, NOW - 200));
    }
    /* without a root nothing rises */
    assert_false(rises(f, CRL, 0, 9, NOW));
    assert_int_equal(atls_floors_clock(f), NOW - 100);
    atls_floors_free(f);
}

static void the_clock(void **state)
{
    (void)state;
    atls_floors *f = atls_floors_new();
    assert_int_equal(atls_floors_clock(f), 0);
    assert_true(rises(f, CRL, 1, 1, NOW - 1000));
    assert_int_equal(atls_floors_clock(f), NOW - 1000);
    assert_true(rises(f, "amd/vcek/Turin/0011223344556677/0400000000000ad1", 1, 0, NOW - 900));
    assert_int_equal(atls_floors_clock(f), NOW - 900);
    assert_false(rises(f, "amd/vcek/Turin/0011223344556677/0400000000000ad1", 1, 0, NOW - 950));
    assert_int_equal(atls_floors_clock(f), NOW - 900);
    assert_true(rises(f, CRL, 1, 2, NOW + 301)); /* its floor, and not the clock's */
    assert_int_equal(atls_floors_clock(f), NOW - 900);
    assert_true(rises(f, CRL, 1, 3, NOW + 300));
    assert_int_equal(atls_floors_clock(f), NOW); /* a little behind is still right */
    atls_floors_free(f);
}

static void merging(void **state)
{
    (void)state;
    bool changed = true;
    atls_floors *a = atls_floors_new();
    atls_floors *b = atls_floors_new();
    (void)rises(a, TCB, 1, 17, NOW - 100);
    (void)rises(a, CRL, 1, 5, NOW - 300);
    (void)rises(b, TCB, 1, 16, NOW - 50);
    (void)rises(b, "intel/qe/tdx", 1, 16, NOW - 60);
    atls_floors *copy = atls_floors_copy(a);
    assert_int_equal(atls_floors_merge(a, b, &changed, NULL), ATLS_OK);
    assert_true(changed);
    assert_int_equal(atls_floors_merge(a, b, &changed, NULL), ATLS_OK);
    assert_false(changed);
    assert_int_equal(atls_floors_merge(a, copy, &changed, NULL), ATLS_OK);
    assert_false(changed);
    const atls_item_facts r = facts_of(1, 0, 0);
    assert_int_equal(atls_floors_find(a, r.root_sha256, TCB)->number, 17);
    assert_int_equal(atls_floors_find(a, r.root_sha256, TCB)->issued_s, NOW - 50);
    assert_int_equal(atls_floors_find(a, r.root_sha256, CRL)->number, 5);
    assert_non_null(atls_floors_find(a, r.root_sha256, "intel/qe/tdx"));
    assert_int_equal(atls_floors_clock(a), NOW - 50);
    /* the copy is its own */
    assert_int_equal(atls_floors_find(copy, r.root_sha256, TCB)->issued_s, NOW - 100);
    assert_null(atls_floors_find(copy, r.root_sha256, "intel/qe/tdx"));
    atls_floors_free(a);
    atls_floors_free(b);
    atls_floors_free(copy);
}

/* --- as text --- */

static atls_floors *sample(void)
{
    atls_floors *f = atls_floors_new();
    (void)rises(f, TCB, 2, 17, NOW - 100);
    (void)rises(f, TCB "/early", 1, UINT64_MAX, NOW - 10);
    (void)rises(f, CRL, 1, 0, 0);
    return f;
}

static char *text_of(const atls_floors *f, size_t *len)
{
    char *text = NULL;
    assert_int_equal(atls_floors_encode(f, &text, len, NULL), ATLS_OK);
    assert_int_equal(strlen(text), *len);
    return text;
}

static atls_code decode(const char *text, size_t len, atls_floors **out, atls_err *err)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, text, len);
    const atls_code rc = atls_floors_decode((atls_buf){exact, len}, out, err);
    free(exact);
    return rc;
}

static void text_comes_back(void **state)
{
    (void)state;
    atls_floors *all[] = {sample(), atls_floors_new()};
    for (size_t i = 0; i < 2; i++) {
        size_t len = 0;
        size_t again_len = 0;
        atls_floors *f = NULL;
        char *text = text_of(all[i], &len);
        assert_int_equal(decode(text, len, &f, NULL), ATLS_OK);
        assert_int_equal(atls_floors_clock(f), atls_floors_clock(all[i]));
        char *again = text_of(f, &again_len);
        assert_string_equal(again, text);
        free(text);
        free(again);
        atls_floors_free(f);
        atls_floors_free(all[i]);
    }
}

static void nothing_but_the_whole(void **state)
{
    (void)state;
    atls_floors *f = sample();
    size_t len = 0;
    char *text = text_of(f, &len);
    for (size_t cut = 0; cut < len; cut++) {
        atls_floors *out = NULL;
        atls_err err = {0};
        assert_int_equal(decode(text, cut, &out, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "floors.form");
    }
    for (size_t at = 0; at < len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            atls_floors *out = NULL;
            text[at] = (char)(text[at] ^ (1 << bit));
            assert_int_equal(decode(text, len, &out, NULL), ATLS_E_INVALID);
            text[at] = (char)(text[at] ^ (1 << bit));
        }
    }
    char *more = calloc(1, len + 2);
    atls_floors *out = NULL;
    memcpy(more, text, len);
    more[len] = '\n';
    assert_int_equal(decode(more, len + 1, &out, NULL), ATLS_E_INVALID);
    free(more);
    free(text);
    atls_floors_free(f);
}

/* body with the hash that it must have. */
static atls_code decode_hashed(const char *body, atls_err *err)
{
    char text[2048];
    char hex[65];
    uint8_t digest[32];
    atls_floors *out = NULL;
    const atls_buf piece = {(const uint8_t *)body, strlen(body)};
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, digest, NULL), ATLS_OK);
    atls_hex_encode((atls_buf){digest, sizeof digest}, hex);
    const int len = snprintf(text, sizeof text, "%ssha256 %s\n", body, hex);
    const atls_code rc = decode(text, (size_t)len, &out, err);
    if (rc == ATLS_OK) {
        atls_floors_free(out);
    }
    return rc;
}

static void well_hashed_and_wrong(void **state)
{
    (void)state;
#define ROOT1 "00000000000000000000000000000000000000000000000000000000000000a1"
#define BEGIN "atls-floors 1\nclock 1\n"
    static const char *const good[] = {
        BEGIN,
        BEGIN ROOT1 " intel/rootcrl 1 2\n",
        BEGIN ROOT1 " intel/qe/sgx 18446744073709551615 9223372036854775807\n" ROOT1
                    " intel/rootcrl 1 2\n",
    };
    static const char *const bad[] = {
        "",
        "atls-floors 2\nclock 1\n",
        "atls-floors 1\n",
        "atls-floors 1\nclock 01\n",
        "atls-floors 1\nclock -1\n",
        "atls-floors 1\nclock \n",
        "atls-floors 1\nclock 9223372036854775808\n",
        "atls-floors 1\nclock 1",
        BEGIN "\n",
        BEGIN ROOT1 " intel/rootcrl 1 2",
        BEGIN ROOT1 " intel/rootcrl 1 2 \n",
        BEGIN ROOT1 " intel/rootcrl 1\n",
        BEGIN ROOT1 " intel/rootcrl  1 2\n",
        BEGIN ROOT1 " intel/rootcrl 18446744073709551616 2\n",
        BEGIN ROOT1 " intel/rootcrl 1 9223372036854775808\n",
        BEGIN ROOT1 " intel/rootcrl 1 0x2\n",
        BEGIN ROOT1 " intel/rootcrl 1 +2\n",
        BEGIN ROOT1 " intel/other 1 2\n",
        BEGIN ROOT1 " amd/chain/vcek/Milan 1 2\n",
        BEGIN ROOT1 "00 intel/rootcrl 1 2\n",
        BEGIN
        "00000000000000000000000000000000000000000000000000000000000000A1 intel/rootcrl 1 2\n",
        BEGIN
        "0000000000000000000000000000000000000000000000000000000000000000 intel/rootcrl 1 2\n",
        BEGIN
        "g0000000000000000000000000000000000000000000000000000000000000a1 intel/rootcrl 1 2\n",
        BEGIN ROOT1 " intel/rootcrl 1 2\n" ROOT1 " intel/rootcrl 1 2\n",
        BEGIN ROOT1 " intel/rootcrl 1 2\n" ROOT1 " intel/qe/sgx 1 2\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(decode_hashed(good[i], NULL), ATLS_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_err err = {0};
        if (decode_hashed(bad[i], &err) != ATLS_E_INVALID) {
            print_error("%s", bad[i]);
            fail();
        }
        assert_string_equal(err.check, "floors.form");
    }
}

static void a_bound(void **state)
{
    (void)state;
    atls_floors *f = atls_floors_new();
    char key[ATLS_ITEM_KEY_LEN];
    for (unsigned i = 0; i < ATLS_FLOORS_MAX - 1; i++) {
        (void)snprintf(key, sizeof key, "intel/tcb/tdx/%012x", i);
        assert_true(rises(f, key, 1, 1, NOW));
    }
    assert_true(rises(f, TCB "/17", 2, 1, NOW));
    /* full: TCB info pushes out what was asked for by number, and then nothing */
    assert_false(rises(f, TCB "/18", 2, 1, NOW));
    assert_true(rises(f, "intel/tcb/tdx/ffffffffffff", 1, 1, NOW));
    assert_null(atls_floors_find(f, facts_of(2, 0, 0).root_sha256, TCB "/17"));
    assert_false(rises(f, "intel/tcb/tdx/fffffffffffe", 1, 1, NOW));
    assert_true(rises(f, "intel/tcb/tdx/ffffffffffff", 1, 2, NOW)); /* what is there rises still */
    assert_true(rises(f, CRL, 2, 1, NOW));                          /* a list pushes out TCB info */
    assert_true(is_below(f, CRL, 2, 0, NOW));
    size_t len = 0;
    atls_floors *again = NULL;
    char *text = text_of(f, &len);
    assert_int_equal(decode(text, len, &again, NULL), ATLS_OK);
    assert_true(is_below(again, CRL, 2, 0, NOW));
    free(text);
    atls_floors_free(again);
    atls_floors_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(going_back_is_seen),
        cmocka_unit_test(roots_and_keys_are_apart),
        cmocka_unit_test(kinds_without_floor),
        cmocka_unit_test(the_clock),
        cmocka_unit_test(merging),
        cmocka_unit_test(text_comes_back),
        cmocka_unit_test(nothing_but_the_whole),
        cmocka_unit_test(well_hashed_and_wrong),
        cmocka_unit_test(a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
