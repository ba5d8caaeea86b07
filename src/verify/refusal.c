/* refusal.c: a verdict over what never came to be verified: a bundle that cannot be read, a file too large. */
#include "verify/verdict.h"

atls_verdict *atls_verdict_refusal(const atls_err *why, int64_t when_s)
{
    atls_verdict *r = atls_verdict_new();
    if (r == NULL) {
        return NULL;
    }
    r->format = "unknown";
    r->freshness = "none";
    r->at_s = when_s;
    atls_ledger_fail_err(&r->ledger, why);
    atls_verdict_conclude(r);
    return r;
}
