/* file_signature.h: an operator's signature over a file: ECDSA on P-256 with SHA-256, on P-384 with SHA-384, Ed25519. */
#ifndef ATLS_CRYPTO_FILE_SIGNATURE_H
#define ATLS_CRYPTO_FILE_SIGNATURE_H

#include <atls/types.h>

typedef enum atls_file_scheme {
    ATLS_FILE_UNSIGNED = 0,
    ATLS_FILE_ECDSA_P256_SHA256 = 1,
    ATLS_FILE_ECDSA_P384_SHA384 = 2,
    ATLS_FILE_ED25519 = 3
} atls_file_scheme;

#define ATLS_FILE_KEY_MAX       16384 /* bytes of PEM */
#define ATLS_FILE_SIGNATURE_MAX 128   /* bytes: a DER ECDSA-Sig-Value, or 64 */

typedef struct atls_file_key atls_file_key; /* with or without its private part */

/* One PEM block, unencrypted. ATLS_E_USAGE "file_key.private" / "file_key.public": not that, or of another kind. */
ATLS_MUST_USE atls_code atls_file_key_private(atls_buf pem, atls_file_key **out, atls_err *err);
ATLS_MUST_USE atls_code atls_file_key_public(atls_buf pem, atls_file_key **out, atls_err *err);
void atls_file_key_free(atls_file_key *key);

atls_file_scheme atls_file_key_scheme(const atls_file_key *key);
/* SHA-256 of its SubjectPublicKeyInfo (DER): what it is known by. */
ATLS_MUST_USE atls_code atls_file_key_sha256(const atls_file_key *key, uint8_t out[32],
                                             atls_err *err);

/* ATLS_E_SYSTEM "crypto.sign". */
ATLS_MUST_USE atls_code atls_file_sign(const atls_file_key *key, atls_buf message,
                                       uint8_t out[ATLS_FILE_SIGNATURE_MAX], size_t *len,
                                       atls_err *err);
bool atls_file_verify(const atls_file_key *key, atls_buf message, atls_buf signature);

#endif
