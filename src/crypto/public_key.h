/* public_key.h: public keys of every kind that evidence is signed with: P-256, P-384, P-521, RSA of 2048 to 4096 bits.
 * (Intel's chains, which are P-256 throughout, have crypto/key.h.) */
#ifndef ATLS_CRYPTO_PUBLIC_KEY_H
#define ATLS_CRYPTO_PUBLIC_KEY_H

#include "crypto/digest.h"
#include <atls/types.h>

typedef enum atls_key_kind {
    ATLS_KEY_P256 = 0,
    ATLS_KEY_P384,
    ATLS_KEY_P521,
    ATLS_KEY_RSA
} atls_key_kind;

typedef enum atls_scheme {
    ATLS_ECDSA = 0,
    ATLS_RSA_PKCS1,       /* RSASSA-PKCS1-v1_5 */
    ATLS_RSA_PSS,         /* MGF1 and salt of the hash's length */
    ATLS_RSA_PSS_ANY_SALT /* MGF1 of the hash; older TPMs fill the salt up */
} atls_scheme;

/* Reference counted; safe to verify with from many threads at once: it keeps a ready context, and a thread that
 * finds it in use makes one of its own. */
typedef struct atls_public_key atls_public_key;

/* DER SubjectPublicKeyInfo, all of its bytes; an EC key on a named curve, as an uncompressed point. Every one of these
 * is ATLS_E_INVALID "key.spki" / "key.point" / "key.rsa" for what is malformed, off its curve, too short (RSA below
 * 2048), too long, of an even or tiny exponent, or of another kind. */
ATLS_MUST_USE atls_code atls_public_key_from_spki(atls_buf spki, atls_public_key **out,
                                                  atls_err *err);
/* Coordinates, big endian; shorter than the curve's size: zeros in front are missing. */
ATLS_MUST_USE atls_code atls_public_key_ec(atls_key_kind curve, atls_buf x, atls_buf y,
                                           atls_public_key **out, atls_err *err);
/* Modulus and exponent, big endian. */
ATLS_MUST_USE atls_code atls_public_key_rsa(atls_buf n, atls_buf e, atls_public_key **out,
                                            atls_err *err);
atls_public_key *atls_public_key_up_ref(atls_public_key *key);
void atls_public_key_free(atls_public_key *key);

atls_key_kind atls_public_key_kind(const atls_public_key *key);
size_t atls_public_key_size(
    const atls_public_key *key); /* bytes: of a coordinate, or of the modulus */
/* DER SubjectPublicKeyInfo as OpenSSL writes it, and its SHA-256: what keys are compared by. Lent. */
atls_buf atls_public_key_spki(const atls_public_key *key);
const uint8_t *atls_public_key_sha256(const atls_public_key *key);

/* Does sig sign the pieces, one after another? ECDSA: sig is a DER ECDSA-Sig-Value; RSA: exactly as long as the
 * modulus. A scheme that does not fit the key: false. */
bool atls_public_key_verify(atls_public_key *key, atls_scheme scheme, atls_hash hash,
                            const atls_buf *pieces, size_t n, atls_buf sig);
/* ECDSA with r and s as numbers, big endian, any number of leading zeros; zero, or not less than the order: false. */
bool atls_public_key_verify_rs(atls_public_key *key, atls_hash hash, const atls_buf *pieces,
                               size_t n, atls_buf r, atls_buf s);

#endif
