/* appraise.h: claims against a policy. The built-in rule is a policy too, so there is one road. */
#ifndef ATLS_POLICY_APPRAISE_H
#define ATLS_POLICY_APPRAISE_H

#include "claims/claims.h"
#include "claims/ledger.h"
#include <atls/policy.h>
#include <atls/verifier.h>

typedef struct atls_appraisal {
    bool fits;            /* a workload (or the built-in rule) fits, with every check of it ok */
    const char *workload; /* matched one, lives with the policy; NULL: none, or the built-in rule */
    const char *
        identity; /* "name by PKI", "platform pinned", "owner-bound claim", "none"; joined by " + " */
    uint32_t max_age_s;  /* 0: no limit */
    uint32_t reattest_s; /* 0: none */
    int64_t until_s;     /* end of a grace or an allowance that this rests on; 0: none */
    bool platform_may_move;
    bool two_keys; /* `pki` judges the TLS leaf, the authenticator's leaf needs no chain */
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
