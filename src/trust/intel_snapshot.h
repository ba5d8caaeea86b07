/* intel_snapshot.h: collateral judged under one root: signatures, chains, CRLs, formats. What holds for all
 * times is here, and may be cached; times are judged anew at each use. */
#ifndef ATLS_TRUST_INTEL_SNAPSHOT_H
#define ATLS_TRUST_INTEL_SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>

#include "trust/collateral.h"
#include "trust/intel_cert.h"
#include "trust/root.h"
#include "trust/tcb_info.h"

/* Immutable once made, reference counted. What did not hold is NULL. */
typedef struct atls_intel_snapshot {
    atomic_int refs;
    atls_collateral *collateral;
    uint8_t root_sha256[32];
    atls_cert *root;                   /* as certificate */
    atls_cert *tcb_signer, *qe_signer; /* whose chains hold */
    atls_crl *root_crl;                /* signed by the root */
    atls_crl *pck_crl;       /* decoded only: the platform's chain says who must have signed it */
    atls_cert *ca;           /* a CA signed by the root that signed pck_crl; NULL: not looked at */
    atls_tcb_info *tcb_info; /* signed */
    atls_qe_identity *qe_identity; /* signed */
    atls_window tcb_chain_window, qe_chain_window;
    int64_t earliest_expiration_s; /* over all of the collateral that could be read (spec 9.5) */
    int64_t oldest_issue_s;        /* see claims.h; 0: unknown */
    atls_replay replay;
    bool good; /* every check held: may be cached */
} atls_intel_snapshot;

/* Judges collateral under root, whose certificate is root_cert (NULL: looked for in the collateral). Writes
 * each check to j. Refused only for lack of memory. */
ATLS_MUST_USE atls_code atls_intel_snapshot_make(const atls_judging *j,
                                                 const atls_collateral *collateral,
                                                 const atls_root *root, atls_cert *root_cert,
                                                 atls_intel_snapshot **out, atls_err *err);
/* The same out of *kept, if that was judged under root; otherwise made, and then put there if all of it held. The lock is
 * held for a pointer's copy only. */
ATLS_MUST_USE atls_code atls_intel_snapshot_cached(pthread_mutex_t *lock,
                                                   atls_intel_snapshot **kept,
                                                   const atls_collateral *collateral,
                                                   const atls_root *root, atls_cert *root_cert,
                                                   const atls_judging *j, atls_intel_snapshot **out,
                                                   atls_err *err);
atls_intel_snapshot *atls_intel_snapshot_up_ref(atls_intel_snapshot *s);
void atls_intel_snapshot_free(atls_intel_snapshot *s);

/* Since when the origins of each part are unreachable; 0: they are not, or nobody knows. */
typedef struct atls_intel_since {
    int64_t tcb_info_s, qe_identity_s, pck_crl_s, root_crl_s;
} atls_intel_since;

/* Everything in it that has a time, as of when_s: entries "....time", code 3. The PCK CRL is the platform's. late: see
 * view.h; narrowed and raised. */
struct atls_lateness;
void atls_intel_snapshot_judge_times(const atls_intel_snapshot *s, int64_t when_s,
                                     const atls_intel_since *since, atls_ledger *l,
                                     struct atls_lateness *late);

#endif
