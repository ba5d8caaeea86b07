/* attest_rig.h: an attester over a double of some interface, and what it must give or say. */
#ifndef ATLS_TESTS_ATTEST_RIG_H
#define ATLS_TESTS_ATTEST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "attest/attester.h"

static inline atls_report_data data_of(uint8_t byte)
{
    atls_report_data d = {0};
    memset(d.wide, byte, sizeof d.wide);
    d.wide[63] = (uint8_t)(byte + 1);
    return d;
}

static inline atls_attester *open_over(const attest_os *os, const atls_attest_options *o)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    if (attest_open(os, o, &a, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return a;
}

static inline atls_evidence_blob good(const atls_attester *a, uint8_t byte)
{
    atls_report_data d = data_of(byte);
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    if (a->attest(a->self, &d, &blob, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return blob;
}

static inline void assert_told(const atls_err *err, const char *check, const char *word)
{
    if (err->check == NULL || strcmp(err->check, check) != 0 || strstr(err->msg, word) == NULL) {
        fail_msg("wanted %s with \"%s\", told %s: %s", check, word,
                 err->check != NULL ? err->check : "-", err->msg);
    }
}

static inline void assert_attest_fails(const atls_attester *a, const char *check, const char *word)
{
    atls_report_data d = data_of(7);
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    assert_int_equal(a->attest(a->self, &d, &blob, &err), ATLS_E_SYSTEM);
    assert_int_equal(blob.parts_n, 0);
    assert_told(&err, check, word);
}

/* Cannot be opened: how it is told, and whether as absent. */
static inline void assert_not_there(const attest_os *os, const atls_attest_options *o,
                                    const char *check, const char *word, bool absent)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    atls_attest_probe p;
    assert_int_equal(attest_open(os, o, &a, &err), ATLS_E_SYSTEM);
    assert_null(a);
    assert_told(&err, check, word);
    assert_true(attest_probe_at(os, o, 0, &p));
    assert_null(p.type);
    assert_string_equal(p.check, check);
    assert_string_equal(p.why, err.msg);
    assert_int_equal(p.absent, absent);
}

#endif
