/* chain.h: the certificates of an AWS document, link by link from a trusted root: regional, zonal, instance, leaf. What
 * AWS's real leaves lack (an authority key identifier) is not asked for; no CRL is. */
#ifndef ATLS_EVIDENCE_NITRO_CHAIN_H
#define ATLS_EVIDENCE_NITRO_CHAIN_H

#include "crypto/public_key.h"
#include "evidence/nitro/document.h"
#include "trust/judging.h"
#include "trust/kept.h"
#include "trust/trust.h"

/* From the root to the leaf's issuer: judged once, and kept under a hash of all these certificates. Immutable. */
typedef struct atls_nitro_path {
    atls_kept kept;
    atls_public_key *key; /* of the leaf's issuer; NULL: the path does not hold */
    atls_cert *issuer;    /* NULL: it could not be decoded */
    size_t n;
    struct {
        const char *id;
        int64_t begins_s, ends_s;
    } times[ATLS_NITRO_BUNDLE_MAX];
    bool marked; /* a certificate says that it is a simulator's */
    atls_replay replay;
} atls_nitro_path;

/* What the whole chain says of a document's key. */
typedef struct atls_nitro_signer {
    atls_public_key *key; /* NULL: nothing vouches for it; the caller frees it */
    bool simulated, custom_root;
    int64_t expires_s; /* the first end of a certificate; 0: unknown */
} atls_nitro_signer;

/* Writes every check to j, times as of when_s included ("nitro.chain.root", "nitro.root....", "nitro.regional....",
 * "nitro.zonal....", "nitro.instance....", "nitro.leaf...."). A certificate out of its time does not void the key: it is a
 * failure of its own. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_nitro_chain_judge(const struct atls_trust *trust,
                                               const atls_nitro_document *document, int64_t when_s,
                                               const atls_judging *j, atls_nitro_signer *out,
                                               atls_err *err);

#endif
