#include "unit/torture.h"

#include <stdlib.h>
#include <string.h>

#include "unit/failing_alloc.h"

/* Runs with OpenSSL's allocations failing, at most, so that the whole takes seconds. ATLS_TORTURE_RUNS sets
 * another number. */
#define OPENSSL_RUNS 400

static const char *const kind_names[ALLOC_KINDS] = {"ours", "jansson's", "OpenSSL's"};

typedef struct failure {
    alloc_kind kind;
    size_t nth;
    bool and_on;
} failure;

typedef struct tally {
    size_t runs, harmless, system, refused, wrong;
} tally;

/* One run. *made is set when it ended well. */
static atls_code run_once(const torture *t, const failure *f, char **made, bool *failed,
                          atls_err *err)
{
    if (t->before != NULL) {
        t->before(t->self);
    }
    alloc_fail(f->kind, f->nth, f->and_on);
    atls_code rc = t->run(t->self, err);
    *failed = alloc_calm();
    if (rc == ATLS_OK) {
        *made = t->made(t->self);
        assert_non_null(*made);
    }
    if (t->after != NULL) {
        t->after(t->self);
    }
    return rc;
}

static bool is_failure(atls_code rc)
{
    return rc >= ATLS_E_USAGE && rc <= ATLS_E_BINDING;
}

/* False: fewer allocations than that. */
static bool try_one(const torture *t, const failure *f, const char *good, tally *n)
{
    atls_err err = {0};
    char *made = NULL;
    bool failed = false;
    long living = alloc_living();
    atls_code rc = run_once(t, f, &made, &failed, &err);
    bool same = rc == ATLS_OK && strcmp(made, good) == 0;
    bool allowed =
        same || (failed && (f->kind == ALLOC_OPENSSL ? is_failure(rc) && err.check != NULL
                                                     : rc == ATLS_E_SYSTEM));
    if (rc == ATLS_OK && !same) {
        print_error("made: %s\ngood: %s\n", made, good);
    }
    free(made);
    if (!allowed || alloc_living() != living) {
        n->wrong++;
        print_error("%s, allocation %zu of %s%s: code %d, %s: %s (%s:%d); %ld blocks left behind\n",
                    t->name, f->nth, kind_names[f->kind], f->and_on ? " and on" : "", (int)rc,
                    err.check != NULL ? err.check : "-", err.msg, err.file != NULL ? err.file : "",
                    err.line, alloc_living() - living);
    }
    n->runs += failed;
    n->harmless += failed && same;
    n->system += rc == ATLS_E_SYSTEM;
    n->refused += is_failure(rc) && rc != ATLS_E_SYSTEM;
    return failed;
}

static char *good_run(const torture *t)
{
    atls_err err = {0};
    char *made = NULL;
    bool failed = false;
    atls_code rc = run_once(t, &(failure){0}, &made, &failed, &err);
    if (rc != ATLS_OK) {
        fail_msg("%s, with plenty of memory: code %d, %s: %s", t->name, (int)rc,
                 err.check != NULL ? err.check : "-", err.msg);
    }
    return made;
}

static void tell(const torture *t, const failure *f, const tally *n)
{
    print_message("%s, %s%s: %zu runs, %zu harmless, %zu system, %zu refused, %zu wrong\n", t->name,
                  kind_names[f->kind], f->and_on ? " and on" : "", n->runs, n->harmless, n->system,
                  n->refused, n->wrong);
}

static size_t openssl_runs(void)
{
    const char *text = getenv("ATLS_TORTURE_RUNS");
    return text != NULL ? (size_t)strtoul(text, NULL, 10) : OPENSSL_RUNS;
}

void torture_all(const torture *t)
{
    free(good_run(t)); /* OpenSSL fetches its algorithms once: not in what follows */
    char *good = good_run(t);
    size_t of_openssl = alloc_count(ALLOC_OPENSSL);
    assert_true(alloc_count(ALLOC_OURS) + alloc_count(ALLOC_JSON) + of_openssl > 0);
    size_t wrong = 0;
    for (alloc_kind kind = ALLOC_OURS; kind <= ALLOC_JSON; kind++) {
        for (int and_on = 0; and_on < 2; and_on++) {
            tally n = {0};
            failure f = {kind, 1, and_on != 0};
            while (try_one(t, &f, good, &n)) {
                f.nth++;
            }
            tell(t, &f, &n);
            wrong += n.wrong;
        }
    }
    size_t runs = openssl_runs();
    size_t stride = runs == 0 ? of_openssl + 1 : 1 + of_openssl / runs;
    tally n = {0};
    failure f = {ALLOC_OPENSSL, 1, false};
    for (; f.nth <= of_openssl; f.nth += stride) {
        (void)try_one(t, &f, good, &n);
    }
    tell(t, &f, &n);
    char *again = good_run(t);
    assert_string_equal(again, good);
    free(again);
    free(good);
    assert_int_equal(wrong + n.wrong, 0);
}
