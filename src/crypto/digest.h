/* digest.h: hashes and MACs over several pieces, through OpenSSL. */
#ifndef ATLS_CRYPTO_DIGEST_H
#define ATLS_CRYPTO_DIGEST_H

#include <atls/types.h>

/* SHA-1 is for replaying a TPM's SHA-1 bank, and for nothing that is signed. */
typedef enum atls_hash {
    ATLS_SHA256 = 0,
    ATLS_SHA384 = 1,
    ATLS_SHA512 = 2,
    ATLS_SHA1 = 3
} atls_hash;
#define ATLS_HASH_MAX 64
size_t atls_hash_len(atls_hash hash); /* bytes: 32, 48, 64, 20 */

/* Hash of the pieces one after another; out has room for atls_hash_len(hash). ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_digest(atls_hash hash, const atls_buf *pieces, size_t n, uint8_t *out,
                                    atls_err *err);
/* HMAC of the pieces one after another. */
ATLS_MUST_USE atls_code atls_hmac(atls_hash hash, atls_buf key, const atls_buf *pieces, size_t n,
                                  uint8_t *out, atls_err *err);
/* Constant time in the bytes; lengths are compared first. */
bool atls_equal(atls_buf a, atls_buf b);

#endif
