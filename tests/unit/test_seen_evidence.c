/* What a verifier remembers of evidence that is shown again and again: channel/shown.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "channel/shown.h"

#define WHEN  1760000000
#define TABLE 1024

static void number(uint8_t sha256[32], unsigned n)
{
    memset(sha256, 0, 32);
    sha256[0] = (uint8_t)(n / 256);
    sha256[1] = (uint8_t)n;
}

static int64_t look(atls_shown *shown, unsigned n, int64_t when_s)
{
    uint8_t sha256[32];
    number(sha256, n);
    return atls_shown_first_seen(shown, sha256, when_s);
}

static void remember(atls_shown *shown, unsigned n, int64_t when_s)
{
    uint8_t sha256[32];
    number(sha256, n);
    atls_shown_remember(shown, sha256, when_s);
}

static void counts_from_the_first_time(void **state)
{
    (void)state;
    atls_shown *shown = atls_shown_new();
    assert_non_null(shown);
    assert_int_equal(look(shown, 1, WHEN), WHEN);
    assert_int_equal(look(shown, 1, WHEN + 5), WHEN + 5); /* a look is no acceptance */
    remember(shown, 1, WHEN + 5);
    remember(shown, 1, WHEN + 9);
    assert_int_equal(look(shown, 1, WHEN + 10), WHEN + 5);
    assert_int_equal(look(shown, 1, WHEN - 3), WHEN - 3); /* the clock was set back */
    assert_int_equal(look(shown, 1, WHEN + 10), WHEN - 3);
    assert_int_equal(look(shown, 2, WHEN + 10), WHEN + 10);
    atls_shown_free(shown);
}

/* Whoever wants his old evidence forgotten shows as much junk as he likes. */
static void what_is_refused_pushes_nothing_out(void **state)
{
    (void)state;
    atls_shown *shown = atls_shown_new();
    assert_non_null(shown);
    remember(shown, 1, WHEN);
    for (unsigned i = 2; i < 3 * TABLE; i++) {
        assert_int_equal(look(shown, i, WHEN + i), WHEN + i);
    }
    assert_int_equal(look(shown, 1, WHEN + 9999), WHEN);
    atls_shown_free(shown);
}

static void the_one_seen_least_lately_makes_room(void **state)
{
    (void)state;
    atls_shown *shown = atls_shown_new();
    assert_non_null(shown);
    for (unsigned i = 1; i <= TABLE; i++) {
        remember(shown, i, WHEN + i);
    }
    assert_int_equal(look(shown, 1, WHEN + 5000), WHEN + 1);
    remember(shown, TABLE + 1, WHEN + 5001);
    assert_int_equal(look(shown, 2, WHEN + 5002), WHEN + 5002); /* gone */
    assert_int_equal(look(shown, 1, WHEN + 5002), WHEN + 1);
    assert_int_equal(look(shown, TABLE + 1, WHEN + 5002), WHEN + 5001);
    atls_shown_free(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_from_the_first_time),
        cmocka_unit_test(what_is_refused_pushes_nothing_out),
        cmocka_unit_test(the_one_seen_least_lately_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
