/* intel_signed.h: the texts that Intel signs (TCB info, enclave identities), and the chain of the certificate that signs
 * them (spec 9.2). Times and revocation are not judged here. */
#ifndef ATLS_TRUST_INTEL_SIGNED_H
#define ATLS_TRUST_INTEL_SIGNED_H

#include "trust/collateral.h"
#include "trust/intel_cert.h"
#include "trust/root.h"

typedef struct atls_signed_ids { /* "tcb_info.missing", ... */
    const char *missing, *chain_missing, *chain_format, *chain_root, *chain_signer,
        *chain_extensions, *chain_issuer, *chain_usage, *chain_signature, *chain_crl, *signature,
        *format;
} atls_signed_ids;
extern const atls_signed_ids atls_tcb_info_ids, atls_qe_identity_ids;

typedef struct atls_cert_chain { /* as it was delivered */
    atls_cert *certs[ATLS_CHAIN_MAX];
    size_t n;
} atls_cert_chain;

/* False: not all of it are certificates; then nothing is in *out. */
bool atls_cert_chain_parse(const atls_judging *j, const atls_collateral_chain *chain,
                           atls_cert_chain *out);
void atls_cert_chain_clear(atls_cert_chain *p);

/* Of a chain of two, root and signer in any order: the one that claims to be the root. */
const atls_cert *atls_signer_root(const atls_cert_chain *p);
/* The signer (lent), if all holds that is asked of it under its root; trusted: which of ours that is, NULL: none. */
atls_cert *atls_judge_signer(const atls_judging *j, const atls_signed_ids *ids,
                             const atls_cert_chain *p, const atls_root *trusted);

/* May the text be interpreted: did the signer (NULL: does not hold) sign it? */
bool atls_judge_signed(const atls_judging *j, const atls_signed_ids *ids,
                       const atls_collateral_item *text, const atls_collateral_item *signature,
                       const atls_cert *signer);

#endif
