/* The choice among sources of evidence, where none is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <atls/attest.h>

#include "attest/attester.h"

#define NOWHERE "/nonexistent/atls"

static void assert_open_fails(const atls_attest_options *o, atls_code code, const char *check,
                              const char *word)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    assert_int_equal(atls_attester_open(o, &a, &err), code);
    assert_null(a);
    assert_string_equal(err.check, check);
    assert_non_null(strstr(err.msg, word));
}

static void unknown_words(void **state)
{
    (void)state;
    assert_open_fails(&(atls_attest_options){.type = "sev"}, ATLS_E_USAGE, "attest.type", "sev");
    assert_open_fails(&(atls_attest_options){.source = "tms"}, ATLS_E_USAGE, "attest.source",
                      "tms");
    assert_open_fails(&(atls_attest_options){.source = "tsm", .type = "sim"}, ATLS_E_USAGE,
                      "attest.type", "sim");
}

static void wrong_options(void **state)
{
    (void)state;
    char dir[300];
    memset(dir, 'd', sizeof dir - 1);
    dir[sizeof dir - 1] = '\0';
    assert_open_fails(&(atls_attest_options){.source = "tsm", .snp_vmpl = "4"}, ATLS_E_USAGE,
                      "attest.option", "VMPL");
    assert_open_fails(&(atls_attest_options){.source = "tsm", .tsm_dir = dir}, ATLS_E_USAGE,
                      "attest.option", "299");
}

static void absent(void **state)
{
    (void)state;
    atls_attest_options o = {.source = "tsm", .tsm_dir = NOWHERE};
    assert_open_fails(&o, ATLS_E_SYSTEM, "attest.tsm.mkdir", "older than 6.7");
    atls_attest_probe p;
    assert_true(atls_attest_probe_at(&o, 0, &p));
    assert_string_equal(p.source, "tsm");
    assert_true(p.absent);
    assert_null(p.type);
    assert_string_equal(p.check, "attest.tsm.mkdir");
    assert_false(atls_attest_probe_at(&o, 1, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_words),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
