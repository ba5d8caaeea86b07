/* document.h: the payload of an attestation document of AWS (Nitro Enclaves' attestation_process.md; NitroTPM's has
 * nitrotpm_pcrs in place of pcrs): parsed, and nothing judged. Views point into the bytes. */
#ifndef ATLS_EVIDENCE_NITRO_DOCUMENT_H
#define ATLS_EVIDENCE_NITRO_DOCUMENT_H

#include <atls/types.h>

#define ATLS_NITRO_PAYLOAD_MAX     16384 /* bytes: AWS's grammar */
#define ATLS_NITRO_MODULE_ID_MAX   256
#define ATLS_NITRO_CERTIFICATE_MAX 1024
#define ATLS_NITRO_BUNDLE_MAX      8 /* certificates; real ones have 4 */
#define ATLS_NITRO_FIELD_MAX       1024
#define ATLS_NITRO_PCRS            32
#define ATLS_NITRO_PCR_LEN         48 /* SHA-384 */

typedef struct atls_nitro_document {
    bool is_tpm; /* about an instance's TPM, not about an enclave */
    atls_buf module_id;
    uint64_t timestamp_ms;
    uint32_t pcrs; /* bit i: PCR i is there */
    const uint8_t *pcr[ATLS_NITRO_PCRS];
    atls_buf certificate;
    atls_buf bundle[ATLS_NITRO_BUNDLE_MAX]; /* root first, the leaf's issuer last */
    size_t bundle_n;
    bool has_public_key, has_user_data, has_nonce; /* null is the same as absent */
    atls_buf public_key, user_data, nonce;
} atls_nitro_document;

/* Each field has a check id of its own: "nitro.digest", ...; ATLS_E_INVALID. Members that are not known are passed
 * over. */
ATLS_MUST_USE atls_code atls_nitro_document_parse(atls_buf payload, atls_nitro_document *out,
                                                  atls_err *err);

/* Is this COSE_Sign1, whole or not, about a module_id? */
bool atls_nitro_document_looks(atls_buf bytes);

#endif
