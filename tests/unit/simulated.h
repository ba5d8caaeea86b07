/* simulated.h: one simulated platform, a quote of it, and a verifier that may be told to trust it. */
#ifndef ATLS_TESTS_SIMULATED_H
#define ATLS_TESTS_SIMULATED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "verify/verdict.h"
#include <atls/atls.h>
#include <atls/sim.h>

#define NOW 1790000000 /* 2026-09-21 */

typedef struct bench { /* one simulated platform, a quote of it, and a verifier that knows it */
    atls_sim *sim;
    char *root;
    atls_collateral *collateral;
    uint8_t *quote;
    size_t quote_len;
    atls_verifier *v;
} bench;

static inline atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static inline atls_collateral *collateral_of(const atls_sim *sim, const char *type)
{
    char *json = NULL;
    atls_collateral *c = NULL;
    assert_int_equal(
        atls_sim_collateral(sim, strncmp(type, "sgx", 3) == 0 ? "sgx" : "tdx", &json, NULL),
        ATLS_OK);
    assert_int_equal(atls_collateral_parse(text_buf(json), &c, NULL), ATLS_OK);
    atls_free(json);
    return c;
}

static inline bench set_up(const char *type, const char *platform_fault, const char *quote_fault)
{
    bench b = {0};
    atls_sim_quote q = {.type = type, .fault = quote_fault};
    memset(q.report_data, 0x42, sizeof q.report_data);
    assert_int_equal(atls_sim_new(NOW, platform_fault, &b.sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(b.sim, &b.root, NULL), ATLS_OK);
    assert_int_equal(atls_sim_make_quote(b.sim, &q, &b.quote, &b.quote_len, NULL), ATLS_OK);
    b.collateral = collateral_of(b.sim, type);
    b.v = atls_verifier_new();
    assert_non_null(b.v);
    return b;
}

static inline void tear_down(bench *b)
{
    atls_verifier_free(b->v);
    atls_collateral_free(b->collateral);
    atls_free(b->root);
    atls_free(b->quote);
    atls_sim_free(b->sim);
}

static inline void trust_all(const bench *b)
{
    assert_int_equal(atls_verifier_insecure_trust_simulator(b->v, text_buf(b->root), NULL),
                     ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b->v, b->collateral, NULL), ATLS_OK);
}

static inline atls_verdict *check_at(const bench *b, const atls_expected *expected, int64_t when_s)
{
    atls_evidence e = {.parts_n = 1, .parts = {{NULL, {b->quote, b->quote_len}}}};
    atls_verdict *r = atls_verifier_check(b->v, &e, expected, when_s, NULL);
    assert_non_null(r);
    return r;
}

static inline void assert_refused(atls_verdict *r, atls_code code, const char *check)
{
    if (atls_verdict_accepted(r) || atls_verdict_code(r) != code ||
        strcmp(atls_verdict_check(r), check) != 0) {
        print_error("%d %s: %s\n", (int)atls_verdict_code(r), atls_verdict_check(r),
                    atls_verdict_message(r));
    }
    assert_false(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_code(r), code);
    assert_string_equal(atls_verdict_check(r), check);
    atls_verdict_free(r);
}

/* Fails with that id and code somewhere in the ledger? */
static inline bool has_failure(const atls_verdict *r, const char *id, atls_code code)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        const atls_entry *e = &r->ledger.entries[i];
        if (e->result == ATLS_CHECK_FAIL && strcmp(e->id, id) == 0 && e->code == code) {
            return true;
        }
    }
    return false;
}

#endif
