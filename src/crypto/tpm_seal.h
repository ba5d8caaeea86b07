/* tpm_seal.h: how a secret is sealed to a TPM's storage key, and tied to an object's name (TPM 2.0 Library, part 1, 24,
 * and annexes B.10 and C.6.3): what TPM2_MakeCredential does, without a TPM. */
#ifndef ATLS_CRYPTO_TPM_SEAL_H
#define ATLS_CRYPTO_TPM_SEAL_H

#include "crypto/public_key.h"
#include <atls/enroll.h>

/* KDFa (part 1, 11.4.10.2): bits / 8 bytes to out; label is hashed with its NUL. */
ATLS_MUST_USE atls_code atls_tpm_kdfa(atls_hash hash, atls_buf key, const char *label, atls_buf u,
                                      atls_buf v, uint32_t bits, uint8_t *out, atls_err *err);
/* KDFe (part 1, 11.4.10.3), of up to one digest. */
ATLS_MUST_USE atls_code atls_tpm_kdfe(atls_hash hash, atls_buf z, const char *label, atls_buf u,
                                      atls_buf v, uint8_t *out, atls_err *err);

typedef struct atls_tpm_seal {
    atls_public_key *key; /* of the storage key */
    atls_hash hash;       /* its name algorithm */
    unsigned aes_bits;    /* of its symmetric cipher: 128, 192, 256 */
    atls_buf name;        /* of the object that the secret is tied to */
    const atls_random *random;
} atls_tpm_seal;

/* ATLS_E_SYSTEM, or random's failure. All that is secret is cleansed. */
ATLS_MUST_USE atls_code atls_tpm_seal_secret(const atls_tpm_seal *seal, atls_buf secret,
                                             atls_credential *out, atls_err *err);

#endif
