/* signature.h: TPMT_SIGNATURE (TPM 2.0 Library, part 2, 11.3.4), or an RSA signature with nothing around it, as Azure's
 * tools send it. Laid out as views; nothing is verified here. */
#ifndef ATLS_EVIDENCE_TPM_SIGNATURE_H
#define ATLS_EVIDENCE_TPM_SIGNATURE_H

#include "base/reader.h"
#include "trust/tpm_public.h"

typedef struct atls_tpm_signature { /* views point into the bytes */
    uint16_t scheme;                /* ATLS_TPM_ALG_RSASSA, _RSAPSS, _ECDSA */
    uint16_t hash;                  /* ATLS_TPM_ALG_SHA256, _SHA384, _SHA512 */
    bool is_bare;                   /* no header: RSASSA with SHA-256 */
    atls_buf rsa;                   /* RSASSA, RSAPSS */
    atls_buf r, s;                  /* ECDSA: numbers, leading zeros missing or in excess */
} atls_tpm_signature;

/* All of the bytes. One of 256, 384 or 512 bytes is bare: with a header none has that length. ATLS_E_INVALID
 * "tpm.signature.length" / ".scheme" / ".hash". */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_tpm_signature_parse(atls_buf bytes, atls_tpm_signature *out,
                                                 atls_err *err);

#endif
