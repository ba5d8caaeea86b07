/* tcg_evidence.h: TCG DICE tagged evidence of interoperable RA-TLS (extension 2.23.133.5.4.9): a CBOR tag around evidence
 * and a buffer of claims; the evidence's report data is the hash of that buffer as it was sent, and the claim pubkey-hash
 * names the certificate's key. */
#ifndef ATLS_BINDING_TCG_EVIDENCE_H
#define ATLS_BINDING_TCG_EVIDENCE_H

#include "base/reader.h"
#include "crypto/digest.h"
#include <atls/types.h>

#define ATLS_TCG_MAX_LEN    65536 /* bytes of an extension that is read */
#define ATLS_TCG_CLAIMS_MAX 32    /* beside pubkey-hash and nonce */

#define ATLS_TCG_TAG_INTEL     60000u    /* an ECDSA quote of SGX or TDX */
#define ATLS_TCG_TAG_INTEL_OLD 0x1a7501u /* the same, before the tag was registered */
#define ATLS_TCG_TAG_SNP       0x1a7504u /* a report of SEV-SNP */

typedef struct atls_tcg_claim {
    atls_buf name, value;
} atls_tcg_claim;

typedef struct atls_tcg_evidence { /* views point into the bytes that were parsed */
    uint64_t tag;
    atls_buf evidence;
    atls_buf claims;    /* the buffer as it was sent */
    atls_hash key_hash; /* of the claim pubkey-hash */
    atls_buf key_digest;
    bool has_nonce;
    atls_buf nonce;
    atls_tcg_claim custom[ATLS_TCG_CLAIMS_MAX]; /* all others, as they came */
    size_t custom_n;
} atls_tcg_evidence;

/* Does the reader, of a buffer of len bytes, stand where the buffer ends? Attesters with libcbor older than 0.10 send what
 * it allocated, not what it wrote: 32 bytes, doubled until the item fits. Exactly such a rest ends a buffer too; whatever
 * is in it says nothing. */
bool atls_tcg_ends(const atls_reader *r, size_t len);

/* value: the content of extnValue; one OCTET STRING, or one SEQUENCE of one, is peeled off. Definite lengths, nothing behind
 * the end (atls_tcg_ends) of evidence, claims and pubkey-hash, each claim a text and bytes, none twice. ATLS_E_INVALID "tcg.size", "tcg.encoding" (it begins with no CBOR
 * tag), "tcg.type" (evidence that is not taken), "tcg.cbor", "tcg.claims", "tcg.duplicate", "tcg.pubkey_hash". */
ATLS_MUST_USE atls_code atls_tcg_parse(atls_buf value, atls_tcg_evidence *out, atls_err *err);

/* Is pubkey-hash the hash of this SubjectPublicKeyInfo? ATLS_E_BINDING "tcg.key". */
ATLS_MUST_USE atls_code atls_tcg_check_key(const atls_tcg_evidence *e, atls_buf spki,
                                           atls_err *err);

/* The report data that names these claims: their hash (SHA-256, or SHA-384 as Intel's SDK does for TDX), zeros behind. */
ATLS_MUST_USE atls_code atls_tcg_report_data(atls_hash hash, atls_buf claims, uint8_t out[64],
                                             atls_err *err);

/* Makes a claims buffer: pubkey-hash first, then `more` in its order. malloc'ed. ATLS_E_USAGE "tcg.make": more than
 * ATLS_TCG_CLAIMS_MAX, a name that is empty, twice or pubkey-hash. */
ATLS_MUST_USE atls_code atls_tcg_claims_make(atls_hash hash, atls_buf spki,
                                             const atls_tcg_claim *more, size_t more_n,
                                             uint8_t **out, size_t *len, atls_err *err);
/* Makes the content of extnValue. malloc'ed. What peers take: evidence of at most 8192 bytes, 256 to 8192 together;
 * otherwise ATLS_E_USAGE "tcg.make". */
ATLS_MUST_USE atls_code atls_tcg_make(uint64_t tag, atls_buf evidence, atls_buf claims,
                                      uint8_t **out, size_t *len, atls_err *err);

#endif
