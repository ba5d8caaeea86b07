/* format.h: what an evidence format must offer. Const descriptors, listed in src/verify/verifier.c. */
#ifndef ATLS_EVIDENCE_FORMAT_H
#define ATLS_EVIDENCE_FORMAT_H

#include "claims/claims.h"
#include "claims/ledger.h"
#include <atls/verifier.h>

struct atls_view;  /* src/trust/view.h: what it sees of a store */
struct atls_trust; /* src/trust/trust.h: roots, collateral, caches; shared by threads */

/* What keeps strings of the claims alive (a judged collateral snapshot). */
typedef struct atls_anchor {
    void *object;
    void (*release)(void *object);
} atls_anchor;

/* One verification: what comes in, and where its results go. Everything is borrowed for the call. */
typedef struct atls_verification {
    const struct atls_trust *trust;
    const struct atls_view *view; /* never NULL */
    const atls_evidence *evidence; /* its type and all its parts are named */
    const atls_expected *expected; /* never NULL; report data and nonces are compared elsewhere */
    int64_t when_s;
    atls_ledger *l;
    atls_claims *claims; /* zeroed */
    atls_anchor *
        anchor; /* owns whatever the claims point to: nothing of them may point into the evidence */
    unsigned *signatures;
} atls_verification;

typedef struct atls_format {
    const char *name; /* "tdx": a type of claims/evidence_parts.h, and its verdict's format */
    atls_tee tee;
    bool (*recognise)(atls_buf main_part);
    /* Checks format, signatures, chain, collateral and time into l. claims->tee is set only when every
     * signature down to the quote verified; what can still be checked after a failure is checked. */
    void (*verify)(const atls_verification *v);
} atls_format;

/* Evidence inside evidence, judged by the format that knows it, into the same ledger and claims. True: it verified, and
 * nothing about it is wrong. */
bool atls_evidence_judge_inner(const atls_verification *v, const atls_format *format,
                               const atls_evidence *inner);

/* The part of that name. {NULL, 0}: it is not there. */
atls_buf atls_evidence_part(const atls_evidence *evidence, const char *name);

extern const atls_format atls_format_cca;
extern const atls_format atls_format_nitro;
extern const atls_format atls_format_sgx;
extern const atls_format atls_format_tdx;
extern const atls_format atls_format_tpm;
extern const atls_format atls_format_azure;
extern const atls_format atls_format_snp_tpm;
extern const atls_format atls_format_jwt;
extern const atls_format atls_format_snp;
extern const atls_format atls_format_dummy;

#endif
