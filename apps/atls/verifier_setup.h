/* verifier_setup.h: the options by which verify, connect, proxy and bench are told whom to trust, and the verifier
 * which they make. */
#ifndef ATLS_APPS_VERIFIER_SETUP_H
#define ATLS_APPS_VERIFIER_SETUP_H

#include <atls/verifier.h>

#include "collateral_setup.h"
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
    collateral_setup source;
    bool offline; /* said in so many words */
    bool takes_dummy;
    bool too_many;
} verifier_setup;

/* The verifier, and what its collateral comes from. */
typedef struct verifier_kit {
    atls_verifier *verifier;
    atls_store *store;     /* NULL: it has what files gave it */
    atls_fetcher *fetcher; /* NULL: nothing is fetched */
} verifier_kit;

extern const flag verifier_flags[];

/* True if the option was one of verifier_flags. */
bool verifier_setup_take(verifier_setup *setup, int id, char *arg);

/* Does any of the options speak of judging a peer? Then who serves asks its clients for evidence: none of them may be passed over. */
bool verifier_setup_is_asked(const verifier_setup *setup);

/* Reads every file named and makes the verifier. when_s: as of which it will judge; live: that is now. Errors: a file that cannot be read is
 * ATLS_E_SYSTEM; a policy, root or option that is wrong ATLS_E_USAGE; collateral that is malformed
 * ATLS_E_INVALID, its file named in the sentence. */
atls_code verifier_setup_make(const verifier_setup *setup, bool live, int64_t when_s,
                              verifier_kit *out, atls_err *err);
void verifier_kit_clear(verifier_kit *kit);

/* Gets what a verification of this evidence lacks, so that it is worth judging it again: out of the evidence itself, then from
 * the origins. What could not be had is told on stderr. False: nothing has changed. */
bool verifier_kit_complete(const verifier_kit *kit, const atls_evidence *evidence, int64_t when_s);
/* For sessions: what atls_config_set0_store wants; arg is the fetcher. */
atls_code verifier_kit_get(void *arg, const atls_needs *needs, uint32_t timeout_ms, atls_err *err);

#endif
