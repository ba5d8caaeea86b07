/* The ledger: which code decides, what is never dropped, and how values print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "claims/ledger.h"

static atls_ledger ledger; /* large: one for the file, emptied by each test */

static int empty(void **state)
{
    (void)state;
    memset(&ledger, 0xa5, sizeof ledger); /* nothing may rest on zeroed bytes */
    atls_ledger_init(&ledger);
    return 0;
}

static void refuse(const char *id, atls_code code)
{
    atls_ledger_fail(&ledger, id, code, atls_value_none(), atls_value_none());
}

static void an_empty_ledger_refuses(void **state)
{
    (void)state;
    assert_int_equal(atls_ledger_code(&ledger), ATLS_E_POLICY);
    assert_null(atls_ledger_deciding(&ledger));
}

static void only_all_ok_accepts(void **state)
{
    (void)state;
    atls_ledger_ok(&ledger, "a");
    atls_ledger_ok_found(&ledger, "b", atls_value_uint(1));
    assert_int_equal(atls_ledger_code(&ledger), ATLS_OK);
    assert_true(atls_ledger_all_ok(&ledger, 0));
    atls_ledger_skip(&ledger, "c", "no key");
    assert_int_equal(atls_ledger_code(&ledger), ATLS_E_POLICY);
    assert_false(atls_ledger_all_ok(&ledger, 0));
    assert_true(atls_ledger_all_ok(&ledger, 3));
    assert_null(atls_ledger_deciding(&ledger));
    assert_string_equal(ledger.entries[2].because, "no key");
}

/* Every pair: the order is 4, 6, 5, 3, then our own trouble. */
static void the_order_of_codes_decides(void **state)
{
    (void)state;
    static const atls_code order[] = {ATLS_E_INVALID,    ATLS_E_BINDING, ATLS_E_POLICY,
                                      ATLS_E_COLLATERAL, ATLS_E_SYSTEM,  ATLS_E_USAGE};
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < 6; k++) {
            atls_ledger_init(&ledger);
            atls_ledger_ok(&ledger, "ok");
            refuse("first", order[i]);
            refuse("second", order[k]);
            assert_int_equal(atls_ledger_code(&ledger), order[i < k ? i : k]);
            assert_string_equal(atls_ledger_deciding(&ledger)->id, i <= k ? "first" : "second");
        }
    }
}

static void a_failure_with_a_code_that_is_none_still_refuses(void **state)
{
    (void)state;
    static const atls_code odd[] = {ATLS_OK, ATLS_WANT_READ, (atls_code)7, (atls_code)-1};
    for (size_t i = 0; i < 4; i++) {
        atls_ledger_init(&ledger);
        refuse("odd", odd[i]);
        assert_int_equal(atls_ledger_code(&ledger), ATLS_E_SYSTEM);
    }
}

static void one_entry_too_many_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ATLS_LEDGER_MAX; i++) {
        atls_ledger_ok(&ledger, "ok");
    }
    assert_int_equal(atls_ledger_code(&ledger), ATLS_OK);
    atls_ledger_ok(&ledger, "ok");
    assert_true(ledger.overflow);
    assert_int_equal(ledger.count, ATLS_LEDGER_MAX);
    assert_false(atls_ledger_all_ok(&ledger, 0));
    assert_false(atls_ledger_all_ok(&ledger, ATLS_LEDGER_MAX));
    assert_int_equal(atls_ledger_code(&ledger), ATLS_E_SYSTEM);
}

/* Whatever stands in it: what could not be looked at is no ground for a verdict. */
static void no_memory_refuses(void **state)
{
    (void)state;
    atls_ledger_ok(&ledger, "ok");
    atls_ledger_no_memory(&ledger);
    assert_false(atls_ledger_all_ok(&ledger, 0));
    assert_int_equal(atls_ledger_code(&ledger), ATLS_E_SYSTEM);
    atls_ledger_init(&ledger);
    assert_false(ledger.no_memory);
}

static void check_gives_back_its_condition(void **state)
{
    (void)state;
    atls_value found = atls_value_uint(3);
    atls_value wanted = atls_value_uint(4);
    assert_true(atls_ledger_check(&ledger, "a", true, ATLS_E_POLICY, found, wanted));
    assert_false(atls_ledger_check(&ledger, "b", false, ATLS_E_BINDING, found, wanted));
    assert_int_equal(ledger.entries[0].result, ATLS_CHECK_OK);
    assert_int_equal(ledger.entries[0].wanted.kind, ATLS_VALUE_NONE);
    assert_int_equal(ledger.entries[1].result, ATLS_CHECK_FAIL);
    assert_int_equal(ledger.entries[1].code, ATLS_E_BINDING);
    assert_int_equal(ledger.entries[1].wanted.as.uint, 4);
}

static void an_error_is_taken_over(void **state)
{
    (void)state;
    atls_err err;
    (void)ATLS_ERR(&err, ATLS_E_INVALID, "quote.header.version", "version %d, where 4 is known", 9);
    atls_ledger_fail_err(&ledger, &err);
    err.msg[0] = '\0'; /* it was copied */
    const atls_entry *e = &ledger.entries[0];
    char text[64];
    assert_string_equal(e->id, "quote.header.version");
    assert_int_equal(e->code, ATLS_E_INVALID);
    atls_value_print(&ledger, &e->found, text, sizeof text);
    assert_string_equal(text, "version 9, where 4 is known");
    err.check = NULL;
    atls_ledger_fail_err(&ledger, &err);
    assert_string_equal(ledger.entries[1].id, "verdict.unnamed");
}

static void values_print_as_text(void **state)
{
    (void)state;
    static const uint8_t bytes[70] = {0x00, 0xff, 0x10};
    char text[200];
    const struct {
        atls_value value;
        const char *want;
    } cases[] = {
        {atls_value_none(), ""},
        {atls_value_text(NULL), ""},
        {atls_value_text("UpToDate"), "UpToDate"},
        {atls_value_text("a\nb\x1b[\xc3"), "a\\x0ab\\x1b[\\xc3"},
        {atls_value_note(&ledger, "said\r"), "said\\x0d"},
        {atls_value_hex((atls_buf){bytes, 3}), "00ff10"},
        {atls_value_hex((atls_buf){NULL, 0}), ""},
        {atls_value_uint(UINT64_MAX), "18446744073709551615"},
        {atls_value_time(1751623200), "2025-07-04T10:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_value_print(&ledger, &cases[i].value, text, sizeof text);
        assert_string_equal(text, cases[i].want);
    }
    atls_value all = atls_value_hex((atls_buf){bytes, sizeof bytes});
    atls_value_print(&ledger, &all, text, sizeof text);
    assert_int_equal(strlen(text), 128);
}

static void printing_never_leaves_its_space(void **state)
{
    (void)state;
    atls_value v = atls_value_text("ab\ncd");
    for (size_t cap = 0; cap < 12; cap++) {
        char out[16];
        memset(out, 'Z', sizeof out);
        atls_value_print(&ledger, &v, out, cap);
        for (size_t i = cap; i < sizeof out; i++) {
            assert_int_equal(out[i], 'Z');
        }
        if (cap > 0) {
            assert_true(strlen(out) < cap);
            assert_memory_equal(out, "ab\\x0acd", strlen(out));
        }
    }
}

static void notes_end_with_their_arena(void **state)
{
    (void)state;
    char big[ATLS_LEDGER_NOTES + 100];
    memset(big, 'n', sizeof big);
    big[sizeof big - 1] = '\0';
    atls_value a = atls_value_note(&ledger, "first");
    atls_value b = atls_value_note(&ledger, big);
    atls_value c = atls_value_note(&ledger, "late");
    char text[64];
    atls_value_print(&ledger, &a, text, sizeof text);
    assert_string_equal(text, "first");
    assert_int_equal(b.kind, ATLS_VALUE_NOTE);
    assert_int_equal(strlen(ledger.notes + b.as.note), ATLS_LEDGER_NOTES - 7);
    assert_int_equal(ledger.notes_len, ATLS_LEDGER_NOTES);
    assert_int_equal(c.kind, ATLS_VALUE_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_ledger_refuses, empty),
        cmocka_unit_test_setup(only_all_ok_accepts, empty),
        cmocka_unit_test_setup(the_order_of_codes_decides, empty),
        cmocka_unit_test_setup(a_failure_with_a_code_that_is_none_still_refuses, empty),
        cmocka_unit_test_setup(one_entry_too_many_refuses, empty),
        cmocka_unit_test_setup(no_memory_refuses, empty),
        cmocka_unit_test_setup(check_gives_back_its_condition, empty),
        cmocka_unit_test_setup(an_error_is_taken_over, empty),
        cmocka_unit_test_setup(values_print_as_text, empty),
        cmocka_unit_test_setup(printing_never_leaves_its_space, empty),
        cmocka_unit_test_setup(notes_end_with_their_arena, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
