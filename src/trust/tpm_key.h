/* tpm_key.h: a TPM's key out of its public area: as a key to verify with, by its name, and by what it may do. */
#ifndef ATLS_TRUST_TPM_KEY_H
#define ATLS_TRUST_TPM_KEY_H

#include "crypto/public_key.h"
#include "trust/tpm_public.h"

/* ATLS_E_INVALID "tpm.public.curve" for a curve that is not P-256, P-384 or P-521, or the id of the key's decoder. */
ATLS_MUST_USE atls_code atls_tpm_public_key(const atls_tpm_public *area, atls_public_key **out,
                                            atls_err *err);
/* Is it that key? Nothing is decoded, so that a known key costs no more than a comparison. */
bool atls_tpm_public_is(const atls_tpm_public *area, const atls_public_key *key);

/* nameAlg and the hash of the TPMT_PUBLIC (part 1, 16). ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_tpm_public_name(const atls_tpm_public *area,
                                             uint8_t out[ATLS_TPM_NAME_MAX], size_t *len,
                                             atls_err *err);

/* SHA-256, SHA-384, SHA-512, and SHA-1 (of a bank). False for another. */
bool atls_tpm_hash(uint16_t alg, atls_hash *out);

/* What keeps a key with these attributes from being an AK, in words: without `restricted` it signs forged attestations,
 * without the others it may have come from elsewhere, or lie elsewhere too. NULL: nothing. */
const char *atls_tpm_ak_wrong(uint32_t attributes);

/* A key as somebody gives it: TPM2B_PUBLIC, TPMT_PUBLIC, or one in PEM ("PUBLIC KEY"). */
typedef struct atls_tpm_given_key {
    bool has_area; /* not of PEM */
    atls_tpm_public area;
    uint8_t der[1024]; /* of PEM: SubjectPublicKeyInfo */
    size_t der_len;
} atls_tpm_given_key;
/* Views point into the bytes. ATLS_E_INVALID "tpm.public...." */
ATLS_MUST_USE atls_code atls_tpm_given_key_parse(atls_buf bytes, atls_tpm_given_key *out,
                                                 atls_err *err);
bool atls_tpm_given_key_is(const atls_tpm_given_key *given, const atls_public_key *key);
ATLS_MUST_USE atls_code atls_tpm_given_key_decode(const atls_tpm_given_key *given,
                                                  atls_public_key **out, atls_err *err);

#endif
