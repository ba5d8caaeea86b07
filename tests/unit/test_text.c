/* Growing text: what it holds, where it stops, and that failure sticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void it_grows_and_is_taken_once(void **state)
{
    (void)state;
    atls_text t = atls_text_of(10000);
    for (int i = 0; i < 1000; i++) {
        atls_text_add(&t, "%03d,", i);
    }
    char *text = atls_text_take(&t);
    assert_int_equal(strlen(text), 4000);
    assert_memory_equal(text, "000,001,", 8);
    assert_string_equal(text + 3996, "999,");
    free(text);
    text = atls_text_take(&t);
    assert_string_equal(text, "");
    free(text);
}

static void foreign_text_is_escaped(void **state)
{
    (void)state;
    atls_text t = atls_text_of(100);
    atls_text_add_escaped(&t, "a\x1b[0m\n\xc3\xa9~ \x7f");
    char *text = atls_text_take(&t);
    assert_string_equal(text, "a\\x1b[0m\\x0a\\xc3\\xa9~ \\x7f");
    free(text);
}

static void the_limit_holds_and_failure_sticks(void **state)
{
    (void)state;
    atls_text t = atls_text_of(4);
    atls_text_add(&t, "abcd");
    assert_false(t.failed);
    atls_text_add(&t, "%s", ""); /* nothing more, so nothing too much */
    assert_false(t.failed);
    atls_text_add(&t, "e");
    assert_true(t.failed);
    atls_text_add(&t, "%s", "");
    assert_null(atls_text_take(&t));
    atls_text_add(&t, "abc"); /* a new one, of the same limit */
    char *text = atls_text_take(&t);
    assert_string_equal(text, "abc");
    free(text);
    atls_text_add(&t, "abcde");
    assert_null(atls_text_take(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_and_is_taken_once),
        cmocka_unit_test(foreign_text_is_escaped),
        cmocka_unit_test(the_limit_holds_and_failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
