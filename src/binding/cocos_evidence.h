/* cocos_evidence.h: the claims in which Cocos carries hardware evidence: a CBOR map, with or without COSE_Sign1 around it.
 * That is signed by a key of the sender's own software which nobody vouches for: it is parsed, and not believed. Of the claims
 * only platform and raw report are used; what the others repeat of the report stands in the report. */
#ifndef ATLS_BINDING_COCOS_EVIDENCE_H
#define ATLS_BINDING_COCOS_EVIDENCE_H

#include "binding/binding.h"

#define ATLS_COCOS_CLAIMS_MAX 128 /* pairs of the outer map */

typedef struct atls_cocos_evidence {
    const char *platform; /* "TDX", ...: static */
    atls_buf nonce;       /* eat_nonce: unsigned, like all claims */
    atls_buf ak_public;   /* TPMT_PUBLIC of a TPM, as it came; empty: none */
} atls_cocos_evidence;

/* Fills out->evidence: type and parts; what is not a view into bytes lives in out. ATLS_E_INVALID: "cose...." (cose.h),
 * "cocos.claims.cbor", ".twice", ".member" (of another type), ".nonce" (none, or under 8 bytes), ".platform" (none that is
 * known), ".report" (none), "cocos.report" (it is not what the platform says), "sevsnp....", "go_attestation....",
 * "carried....". ATLS_E_BINDING "cocos.azure": evidence of Azure, which leaves out what ties it to anything. */
ATLS_MUST_USE atls_code atls_cocos_evidence_parse(atls_buf bytes, atls_carried *out,
                                                  atls_cocos_evidence *info, atls_err *err);

/* Our evidence as a bare map: eat_nonce, platform_type, raw_report. Types tdx, snp and tpm; ATLS_E_USAGE
 * "cocos.made" for others, or for parts that cannot be carried. *out is malloc'ed. */
ATLS_MUST_USE atls_code atls_cocos_evidence_write(const atls_evidence_blob *evidence,
                                                  atls_buf nonce, uint8_t **out, size_t *out_len,
                                                  atls_err *err);

#endif
