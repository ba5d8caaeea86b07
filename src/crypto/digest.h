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
/* A hash that goes on: bytes are added, and what there is so far is hashed as often as is wanted. */
typedef struct atls_transcript {
    atls_hash hash;
    struct evp_md_ctx_st *ctx;
} atls_transcript;
/* ATLS_E_SYSTEM only. Whatever was begun is cleared. */
ATLS_MUST_USE atls_code atls_transcript_begin(atls_hash hash, const atls_buf *pieces, size_t n,
                                              atls_transcript *out, atls_err *err);
ATLS_MUST_USE atls_code atls_transcript_add(atls_transcript *t, atls_buf piece, atls_err *err);
/* out has room for atls_hash_len(t->hash). */
ATLS_MUST_USE atls_code atls_transcript_hash(const atls_transcript *t, uint8_t *out, atls_err *err);
void atls_transcript_clear(atls_transcript *t);
/* HMAC of the pieces one after another. */
ATLS_MUST_USE atls_code atls_hmac(atls_hash hash, atls_buf key, const atls_buf *pieces, size_t n,
                                  uint8_t *out, atls_err *err);
/* Constant time in the bytes; lengths are compared first. */
bool atls_equal(atls_buf a, atls_buf b);

#endif
