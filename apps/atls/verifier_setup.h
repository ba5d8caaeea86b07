/* verifier_setup.h: the options by which verify, connect, proxy and bench are told whom to trust, and the verifier
 * which they make. */
#ifndef ATLS_APPS_VERIFIER_SETUP_H
#define ATLS_APPS_VERIFIER_SETUP_H

#include <atls/verifier.h>

#include "flags.h"

#define SETUP_FILES_MAX 64

typedef struct verifier_setup {
    const char *evidence; /* the operand, if there is one: it may be standard input too */
    const char *policy;   /* NULL: the built-in rule */
    const char *collateral[SETUP_FILES_MAX];
    size_t collateral_n;
    const char *endorsements[SETUP_FILES_MAX];
    size_t endorsements_n;
    const char *roots[SETUP_FILES_MAX]; /* FAMILY:FILE */
    size_t roots_n;
    const char *sim_roots[SETUP_FILES_MAX];
    size_t sim_roots_n;
    bool takes_dummy;
    bool too_many;
} verifier_setup;

extern const flag verifier_flags[];

/* True if the option was one of verifier_flags. */
bool verifier_setup_take(verifier_setup *setup, int id, const char *arg);

/* Reads every file named and makes the verifier, which the caller frees. Errors: a file that cannot be read is
 * ATLS_E_SYSTEM; a policy, root or option that is wrong ATLS_E_USAGE; collateral that is malformed
 * ATLS_E_INVALID, its file named in the sentence. */
atls_code verifier_setup_make(const verifier_setup *setup, atls_verifier **out, atls_err *err);

#endif
