/* A policy out of accepted verdicts. */
#include <atls/policy.h>
#include <atls/verifier.h>

#include "base/err.h"
#include "policy/learn.h"
#include "verify/verdict.h"

atls_code atls_policy_learn(const atls_verdict *const *verdicts, size_t n, const char *name,
                            char **out, atls_err *err)
{
    const atls_claims *claims[ATLS_LEARN_MAX];
    for (size_t i = 0; i < n && i < ATLS_LEARN_MAX; i++) {
        if (!verdicts[i]->accepted) {
            return ATLS_ERR(err, ATLS_E_USAGE, "learn.refused",
                            "evidence that was refused (%s) teaches nothing",
                            atls_verdict_check(verdicts[i]));
        }
        claims[i] = &verdicts[i]->claims;
    }
    return atls_policy_learn_claims(claims, n, name, out, err);
}
