/* appraise.h: claims against a policy. The built-in rule is a policy too, so there is one road. */
#ifndef ATLS_POLICY_APPRAISE_H
#define ATLS_POLICY_APPRAISE_H

#include <atls/policy.h>
#include <atls/verifier.h>
#include "claims/claims.h"
#include "claims/ledger.h"

typedef struct atls_appraisal {
    const char *workload;    /* matched one, lives with the policy; NULL: none */
    const char *identity;    /* "name by PKI", "platform pinned", "owner-bound claim", "none"; joined by " + " */
    uint32_t max_age_s;      /* 0: no limit */
    uint32_t reattest_s;     /* 0: none */
    bool platform_may_move;
} atls_appraisal;

/* The contract's built-in rule (`atls verify` without --policy); reference counted like others. NULL: no memory. */
atls_policy *atls_policy_builtin(void);

/* Judges verified claims as of when_s: finds the workload that fits (the first one for which every check is
 * ok; if none fits, the checks of the nearest one go to the ledger). Adds "tcb.status", "policy...." and so
 * on to l; fills out. Called only when the evidence's own signatures verified. */
void atls_policy_appraise(const atls_policy *policy, const atls_claims *claims,
                          const atls_expected *expected, int64_t when_s, atls_ledger *l,
                          atls_appraisal *out);

#endif
