/* world_walk.h: a simulated family judged: each variant good, and each fault of its table noticed by its own check. */
#ifndef ATLS_TESTS_WORLD_WALK_H
#define ATLS_TESTS_WORLD_WALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "verify/remedy.h"
#include "verify/verdict.h"
#include <atls/sim.h>

#define WALK_WHEN 1760000000

typedef struct world_walk {
    atls_sim_world *world;
    atls_verifier *verifier;
    const char *const *variants; /* NULL behind the last */
} world_walk;

static inline atls_buf walk_text(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

/* A verifier that trusts the world as its user would. */
static inline atls_verifier *walk_verifier(const atls_sim_world *world)
{
    atls_verifier *v = atls_verifier_new();
    char *root = NULL;
    char *endorsement = NULL;
    atls_err err = {0};
    assert_non_null(v);
    assert_int_equal(atls_sim_world_root(world, &root, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(world, &endorsement, NULL), ATLS_OK);
    if (root != NULL &&
        atls_verifier_insecure_trust_simulator(v, walk_text(root), &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    if (endorsement != NULL &&
        atls_verifier_add1_endorsement(v, walk_text(endorsement), &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    atls_free(root);
    atls_free(endorsement);
    return v;
}

static inline void walk_open(world_walk *w, const char *name, const char *const *variants)
{
    *w = (world_walk){.variants = variants};
    assert_int_equal(atls_sim_world_new(name, WALK_WHEN, &w->world, NULL), ATLS_OK);
    w->verifier = walk_verifier(w->world);
}

static inline void walk_close(world_walk *w)
{
    atls_verifier_free(w->verifier);
    atls_sim_world_free(w->world);
}

static inline void walk_make(const world_walk *w, const atls_sim_request *request,
                             atls_evidence_blob *out)
{
    atls_err err = {0};
    if (atls_sim_world_make(w->world, request, out, &err) != ATLS_OK) {
        fail_msg("%s: %s", request->fault != NULL ? request->fault : "good", err.msg);
    }
}

/* The only part, judged by its bytes. */
static inline atls_verdict *walk_judge_at(const atls_verifier *v, atls_buf bytes,
                                          const atls_expected *expected, int64_t when_s)
{
    const atls_evidence e = {.parts_n = 1, .parts = {{NULL, bytes}}};
    atls_verdict *r = atls_verifier_check(v, &e, expected, when_s, NULL);
    assert_non_null(r);
    return r;
}

static inline atls_verdict *walk_judge(const world_walk *w, const atls_evidence_blob *blob)
{
    atls_evidence e = {.type = blob->type, .parts_n = blob->parts_n};
    for (size_t i = 0; i < blob->parts_n; i++) {
        e.parts[i].name = blob->parts[i].name;
        e.parts[i].bytes = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
    }
    atls_verdict *r = atls_verifier_check(w->verifier, &e, NULL, WALK_WHEN, NULL);
    assert_non_null(r);
    return r;
}

static inline bool walk_failed(const atls_verdict *r, const char *check)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        if (r->ledger.entries[i].result == ATLS_CHECK_FAIL &&
            strcmp(r->ledger.entries[i].id, check) == 0) {
            return true;
        }
    }
    return false;
}

/* Is variant one of the words? */
static inline bool walk_shows_in(const char *words, const char *variant)
{
    const size_t len = strlen(variant);
    if (words[0] == '\0') {
        return true;
    }
    for (const char *at = words; (at = strstr(at, variant)) != NULL; at++) {
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Every fault in every variant that it shows in. */
static inline void walk_faults(const world_walk *w, const char *name)
{
    atls_sim_world_fault fault;
    size_t made = 0;
    for (size_t i = 0; atls_sim_world_fault_at(name, i, &fault); i++) {
        for (size_t k = 0; w->variants[k] != NULL; k++) {
            if (!walk_shows_in(fault.variants, w->variants[k])) {
                continue;
            }
            const atls_sim_request request = {.variant = w->variants[k], .fault = fault.name};
            atls_evidence_blob blob = {0};
            walk_make(w, &request, &blob);
            atls_verdict *r = walk_judge(w, &blob);
            if (atls_verdict_code(r) != fault.expected ||
                (fault.check[0] != '\0' && !walk_failed(r, fault.check))) {
                char *text = atls_verdict_text(r, true);
                fail_msg("%s in %s: %d, where %d and %s are wanted\n%s", fault.name, w->variants[k],
                         (int)atls_verdict_code(r), (int)fault.expected, fault.check, text);
            }
            assert_true(fault.expected != ATLS_E_INVALID || r->claims.tee == ATLS_TEE_NONE ||
                        strncmp(fault.check, "log.", 4) == 0); /* a log beside a good quote */
            const char *check = atls_verdict_check(r);         /* people are told in words */
            if (check[0] != '\0' && strncmp(atls_verdict_message(r), check, strlen(check)) == 0) {
                fail_msg("%s: %s", fault.name, atls_verdict_message(r));
            }
            if (check[0] != '\0' && strcmp(atls_remedy(check), atls_remedy("")) == 0) {
                fail_msg("%s: nobody says what to do about %s", fault.name, check);
            }
            atls_verdict_free(r);
            atls_evidence_blob_clear(&blob);
            made++;
        }
    }
    assert_true(made > 0);
}

/* Is there a fault that each of these notices? NULL behind the last. */
static inline void walk_covers(const char *name, const char *const *checks)
{
    for (size_t i = 0; checks[i] != NULL; i++) {
        atls_sim_world_fault fault;
        bool covered = false;
        for (size_t k = 0; atls_sim_world_fault_at(name, k, &fault); k++) {
            covered = covered || strcmp(fault.check, checks[i]) == 0;
        }
        if (!covered) {
            fail_msg("no fault is noticed by %s", checks[i]);
        }
    }
}

#endif
