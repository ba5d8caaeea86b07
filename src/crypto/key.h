/* key.h: public keys for verifying, imported by the cheapest road that OpenSSL has. */
#ifndef ATLS_CRYPTO_KEY_H
#define ATLS_CRYPTO_KEY_H

#include <openssl/evp.h>

#include <atls/types.h>

/* A P-256 public key, reference counted, safe to verify with from many threads at once: it keeps a
 * ready context, and a thread that finds it in use makes one of its own. */
typedef struct atls_key atls_key;

/* xy: 64 bytes, big endian, no 04 prefix. ATLS_E_INVALID "key.point" when it is not on the curve. */
ATLS_MUST_USE atls_code atls_key_p256(const uint8_t xy[64], atls_key **out, atls_err *err);
/* The same as a plain EVP_PKEY, which the caller frees: for a key that verifies once. NULL when the point is not
 * on the curve (or memory is short). */
EVP_PKEY *atls_key_p256_pkey(const uint8_t xy[64]);
atls_key *atls_key_up_ref(atls_key *key);
void atls_key_free(atls_key *key);
const uint8_t *atls_key_xy(const atls_key *key); /* the 64 bytes */

/* Does r||s (2 x 32 bytes, big endian) sign the SHA-256 digest? r, s of zero or >= n: false. */
bool atls_key_verify_rs(atls_key *key, const uint8_t digest[32], const uint8_t rs[64]);
/* The same for a DER ECDSA-Sig-Value (certificates and CRLs). */
bool atls_key_verify_der(atls_key *key, const uint8_t digest[32], atls_buf sig);

#endif
