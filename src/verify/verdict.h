/* verdict.h: what a verdict is inside. It starts as refused, and atls_verdict_conclude() is the one place that
 * can accept it. */
#ifndef ATLS_VERIFY_VERDICT_H
#define ATLS_VERIFY_VERDICT_H

#include <atls/verifier.h>

#include "claims/claims.h"
#include "claims/ledger.h"
#include "evidence/format.h"
#include "policy/appraise.h"
#include "trust/shelf.h"

struct atls_verdict {
    bool accepted; /* written in atls_verdict_conclude() only */
    atls_code code;
    const char *format;
    int64_t at_s;
    atls_binding_kind
        binding; /* what was shown, not what was wished: NONE unless report data matched */
    const char *binding_line; /* the dialect's word for that; NULL: the kind's usual. Static */
    bool has_since;           /* this very evidence has been seen before; when first */
    int64_t since_s;
    const char *freshness; /* "this connection", "nonce", "none", ... static */
    atls_claims claims;    /* of unverified evidence: tee NONE */
    atls_appraisal appraisal;
    atls_anchor anchor;  /* keeps the claims' strings alive */
    atls_policy *policy; /* reference; keeps the workload's name alive */
    atls_shelf *shelf;   /* reference, while the verification lasts: what a store had when it began */
    bool live;
    unsigned signatures;
    char message[ATLS_ERR_MSG_LEN];
    atls_ledger ledger; /* last: it is large, and only its used part is touched */
};

atls_verdict *atls_verdict_new(void); /* refused, empty; NULL: no memory */
/* Judges the ledger, sets accepted, code and message. Called once, when all checks are in. */
void atls_verdict_conclude(atls_verdict *r);

#endif
