/* format.h: what an evidence format must offer. Const descriptors, listed in src/verify/verifier.c. */
#ifndef ATLS_EVIDENCE_FORMAT_H
#define ATLS_EVIDENCE_FORMAT_H

#include <atls/verifier.h>
#include "claims/claims.h"
#include "claims/ledger.h"

struct atls_trust; /* src/trust/trust.h: roots, collateral, caches; shared by threads */

/* What keeps strings of the claims alive (a judged collateral snapshot). */
typedef struct atls_anchor {
    void *object;
    void (*release)(void *object);
} atls_anchor;

typedef struct atls_format {
    const char *name; /* "tdx" */
    atls_tee tee;
    bool (*recognise)(atls_buf evidence);
    /* Checks format, signatures, chain, collateral and time into l. claims->tee is set only when every
     * signature down to the quote verified; what can still be checked after a failure is checked. */
    void (*verify)(const struct atls_trust *trust, const atls_evidence *evidence, int64_t when_s,
                   atls_ledger *l, atls_claims *claims, atls_anchor *anchor, unsigned *signatures);
} atls_format;

extern const atls_format atls_format_sgx;
extern const atls_format atls_format_tdx;

#endif
