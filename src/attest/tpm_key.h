/* tpm_key.h: keys in a TPM, loaded for one turn. */
#ifndef ATLS_ATTEST_TPM_KEY_H
#define ATLS_ATTEST_TPM_KEY_H

#include "attest/tpm_esys.h"
#include "attest/tpm_settings.h"

typedef struct tpm_key {
    ESYS_TR handle; /* held by the turn, or persistent */
    TPM2B_PUBLIC public;
} tpm_key;

/* A primary key under the endorsement hierarchy. ATLS_E_USAGE "attest.tpm.auth": the hierarchy has another authorization. */
ATLS_MUST_USE atls_code tpm_primary(tpm *t, const tpm_settings *s, const TPM2B_PUBLIC *shape,
                                    tpm_key *out, atls_err *err);

/* The attestation key that the settings name; made if need be. ATLS_E_USAGE "attest.tpm.ak_missing": there is none where
 * it should be; "attest.tpm.ak_attributes": it is no restricted signing key of this TPM, and verifiers would refuse it. */
ATLS_MUST_USE atls_code tpm_ak(tpm *t, const tpm_settings *s, tpm_key *out, atls_err *err);

/* TPM2B_PUBLIC as bytes, malloc'ed. */
ATLS_MUST_USE atls_code tpm_public_bytes(const TPM2B_PUBLIC *public, uint8_t **out, size_t *len,
                                         atls_err *err);

#endif
