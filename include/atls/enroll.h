/* enroll.h: the verifier's side of enrolling a TPM's attestation key (AK): the endorsement key's certificate judged, and
 * a credential made that only the TPM with that endorsement key can open, and only if it holds that AK too
 * (TPM 2.0 Library, part 1, 24; TPM2_MakeCredential without a TPM). Opens nothing, draws no randomness, reads no clock. */
#ifndef ATLS_ENROLL_H
#define ATLS_ENROLL_H

#include <atls/verifier.h>

#define ATLS_CREDENTIAL_SECRET_MAX 32 /* bytes */
#define ATLS_CREDENTIAL_BLOB_MAX   160
#define ATLS_CREDENTIAL_SEED_MAX   520

/* Both as the TPM's commands take them, each with its size in front. */
typedef struct atls_credential {
    uint8_t blob[ATLS_CREDENTIAL_BLOB_MAX]; /* TPM2B_ID_OBJECT */
    size_t blob_len;
    uint8_t seed[ATLS_CREDENTIAL_SEED_MAX]; /* TPM2B_ENCRYPTED_SECRET */
    size_t seed_len;
} atls_credential;

/* Bytes of randomness; may be called several times. Returns how it went. */
typedef struct atls_random {
    atls_code (*fill)(void *self, uint8_t *out, size_t len, atls_err *err);
    void *self;
} atls_random;

/* Makes a credential of secret (1 to 32 bytes) for the TPM with that endorsement key. ek: its public area (TPM2B_PUBLIC
 * or TPMT_PUBLIC), or its certificate (DER), whose key is then taken to have the default template (SHA-256 for RSA-2048
 * and P-256, SHA-384 for P-384; AES-128 or, for P-384, AES-256): nobody has judged it yet (atls_ek_certificate_check).
 * ak: public area of the key that is enrolled, whose attributes are checked first. random: NULL for OpenSSL's.
 * ATLS_E_USAGE "credential.secret"; ATLS_E_INVALID "tpm.public....", "credential.ek" (a key that nobody can make
 * credentials for) or "credential.ak" (a key that may not vouch for quotes). Part 1, 24 and annex B.10, C.6. */
ATLS_API ATLS_MUST_USE atls_code atls_credential_make(atls_buf ek, atls_buf ak, atls_buf secret,
                                                      const atls_random *random,
                                                      atls_credential *out, atls_err *err);

/* The name of a key by its public area: nameAlg and hash, up to 66 bytes (part 1, 16). */
ATLS_API ATLS_MUST_USE atls_code atls_tpm_name(atls_buf public_area, uint8_t out[66], size_t *len,
                                               atls_err *err);

typedef struct
    atls_ek_identity { /* what an EK certificate says; texts end with NUL, "" if it does not say */
    uint8_t spki_sha256[32]; /* of its key: what a policy pins */
    char manufacturer[64];   /* 2.23.133.2.1 "id:53544D20" */
    char model[64];          /* 2.23.133.2.2 */
    char version[64];        /* 2.23.133.2.3 */
    bool simulated, custom_root;
} atls_ek_identity;

/* Judges an EK certificate (DER) as of when_s (seconds since 1970): its path, through certificates that v was given as
 * endorsements, to a root of the family ATLS_FAMILY_TPM; its purpose (EKU 2.23.133.8.1, if it has any). ek_public: NULL
 * or the EK's public area, whose key must be the certificate's. ATLS_E_COLLATERAL or ATLS_E_INVALID "tpm.ek...." */
ATLS_API ATLS_MUST_USE atls_code atls_ek_certificate_check(const atls_verifier *v, atls_buf der,
                                                           const atls_buf *ek_public,
                                                           int64_t when_s, atls_ek_identity *out,
                                                           atls_err *err);

#endif
