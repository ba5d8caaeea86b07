/* learn.h: a policy out of claims that are known to be good. */
#ifndef ATLS_POLICY_LEARN_H
#define ATLS_POLICY_LEARN_H

#include "claims/claims.h"

#define ATLS_LEARN_MAX 64 /* pieces of evidence */

/* A workload a TEE, named name (or name-TEE when there are several), that accepts each of the claims; all of
 * them verified. *out is the policy's text, which the caller frees. ATLS_E_USAGE "learn.evidence": none or too
 * many, or claims that verified nothing. */
ATLS_MUST_USE atls_code atls_policy_learn_claims(const atls_claims *const *claims, size_t n,
                                                 const char *name, char **out, atls_err *err);

#endif
