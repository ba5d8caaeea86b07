/* tls_signature.h: signatures under the SignatureSchemes of TLS 1.3 (RFC 8446, 4.2.3), as far as we use
 * them: ECDSA with P-256 and P-384 (each with its own hash), Ed25519, RSA-PSS with rsaEncryption keys. */
#ifndef ATLS_CRYPTO_TLS_SIGNATURE_H
#define ATLS_CRYPTO_TLS_SIGNATURE_H

#include <openssl/evp.h>

#include <atls/types.h>

enum {
    ATLS_TLS_ECDSA_SECP256R1_SHA256 = 0x0403,
    ATLS_TLS_ECDSA_SECP384R1_SHA384 = 0x0503,
    ATLS_TLS_RSA_PSS_RSAE_SHA256 = 0x0804,
    ATLS_TLS_RSA_PSS_RSAE_SHA384 = 0x0805,
    ATLS_TLS_RSA_PSS_RSAE_SHA512 = 0x0806,
    ATLS_TLS_ED25519 = 0x0807
};
#define ATLS_TLS_RSA_BITS_MIN  2048
#define ATLS_TLS_RSA_BITS_MAX  4096
#define ATLS_TLS_SIGNATURE_MAX 512 /* bytes: RSA of 4096 bits */

bool atls_tls_scheme_known(uint16_t scheme);
/* Type, curve and size of the key are those of the scheme. */
bool atls_tls_scheme_fits(uint16_t scheme, const EVP_PKEY *key);

/* Signs the whole message (the scheme hashes it). out has room for ATLS_TLS_SIGNATURE_MAX bytes.
 * ATLS_E_USAGE "tls_signature.key" when the key does not fit; ATLS_E_SYSTEM "crypto.sign". */
ATLS_MUST_USE atls_code atls_tls_sign(uint16_t scheme, EVP_PKEY *key, atls_buf message,
                                      uint8_t *out, size_t *out_len, atls_err *err);
/* False for a wrong signature, and for a key that does not fit the scheme. */
bool atls_tls_verify(uint16_t scheme, EVP_PKEY *key, atls_buf message, atls_buf signature);

#endif
