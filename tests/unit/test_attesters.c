/* The choice among sources of evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <atls/attest.h>

#include "attest/attester.h"
#include "base/err.h"

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

/* --- made-up sources, each with what becomes of it --- */

typedef enum fate { WORKS, ABSENT, BROKEN, USAGE } fate;
static fate fates[4];
static size_t opened_n;

static atls_code open_nth(size_t i, const char *type, attest_opened *opened, atls_err *err)
{
    opened_n++;
    if (fates[i] == WORKS) {
        *opened = (attest_opened){.self = &fates[i], .type = type};
        return ATLS_OK;
    }
    opened->absent = fates[i] == ABSENT;
    return ATLS_ERR(err, fates[i] == USAGE ? ATLS_E_USAGE : ATLS_E_SYSTEM,
                    fates[i] == USAGE ? "attest.option" : "attest.tsm.mkdir", "number %zu", i);
}

static atls_code open_0(const attest_want *want, attest_opened *opened, atls_err *err)
{
    return open_nth(0, want->type != NULL ? want->type : "tdx", opened, err);
}

static atls_code open_1(const attest_want *want, attest_opened *opened, atls_err *err)
{
    (void)want;
    return open_nth(1, "snp", opened, err);
}

static atls_code open_2(const attest_want *want, attest_opened *opened, atls_err *err)
{
    (void)want;
    return open_nth(2, "tpm", opened, err);
}

/* Evidence of a TPM is not compared: its source does that. */
static atls_code attest_nothing(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                atls_err *err)
{
    (void)self;
    (void)data;
    (void)err;
    *out = attest_blob_of("tpm");
    return ATLS_OK;
}

static const attest_source zero = {"zero", {"tdx", "snp"}, false, open_0, attest_nothing, NULL};
static const attest_source one = {"one", {"snp"}, false, open_1, attest_nothing, NULL};
static const attest_source two = {"two", {"tpm"}, true, open_2, attest_nothing, NULL};
static const attest_source *const made_up[] = {&zero, &one, &two, NULL};

static void choice(void **state)
{
    (void)state;
    static const struct {
        const char *type, *source;
        fate fates[3];
        const char *chosen; /* NULL: none */
        const char *check, *word;
        size_t opened;
    } rows[] = {
        {NULL, NULL, {WORKS, WORKS, WORKS}, "tdx", NULL, NULL, 1},
        {"auto", NULL, {ABSENT, WORKS, WORKS}, "snp", NULL, NULL, 2},
        {NULL, NULL, {BROKEN, WORKS, WORKS}, "snp", NULL, NULL, 2},
        {NULL, NULL, {ABSENT, ABSENT, WORKS}, "tpm", NULL, NULL, 3},
        /* Evidence that proves less never hides that something is broken. */
        {NULL, NULL, {ABSENT, BROKEN, WORKS}, NULL, "attest.tsm.mkdir", "number 1", 2},
        {NULL, NULL, {BROKEN, BROKEN, WORKS}, NULL, "attest.none", "zero attest.tsm.mkdir, one", 2},
        {"tpm", NULL, {BROKEN, BROKEN, WORKS}, "tpm", NULL, NULL, 1},
        {NULL, "two", {BROKEN, BROKEN, WORKS}, "tpm", NULL, NULL, 1},
        {"snp", NULL, {WORKS, WORKS, WORKS}, "snp", NULL, NULL, 1},
        {"snp", "one", {WORKS, WORKS, WORKS}, "snp", NULL, NULL, 1},
        {"snp", NULL, {ABSENT, ABSENT, WORKS}, NULL, "attest.none", "zero absent, one absent", 2},
        {"tdx", NULL, {ABSENT, WORKS, WORKS}, NULL, "attest.tsm.mkdir", "number 0", 1},
        {NULL, NULL, {USAGE, WORKS, WORKS}, NULL, "attest.option", "number 0", 1},
        {NULL, NULL, {ABSENT, ABSENT, ABSENT}, NULL, "attest.none", "two absent", 3},
        {"tdx", "one", {WORKS, WORKS, WORKS}, NULL, "attest.source", "no evidence of type tdx", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_attest_options o = {.type = rows[i].type, .source = rows[i].source};
        atls_attester *a = NULL;
        atls_err err = {0};
        memcpy(fates, rows[i].fates, sizeof rows[i].fates);
        opened_n = 0;
        atls_code rc = attest_open_among(made_up, &attest_os_libc, &o, &a, &err);
        assert_int_equal(opened_n, rows[i].opened);
        assert_int_equal(rc == ATLS_OK, rows[i].chosen != NULL);
        if (rc == ATLS_OK) {
            assert_string_equal(a->name, rows[i].chosen);
            atls_attester_free(a);
        } else {
            assert_null(a);
            assert_string_equal(err.check, rows[i].check);
            assert_non_null(strstr(err.msg, rows[i].word));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_words),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(absent),
        cmocka_unit_test(choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
