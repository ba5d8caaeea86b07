#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/err.h"

static const struct {
    size_t len;
    const char *name;
} hashes[] = {
    [ATLS_SHA256] = {32, "SHA256"},
    [ATLS_SHA384] = {48, "SHA384"},
    [ATLS_SHA512] = {64, "SHA512"},
    [ATLS_SHA1] = {20, "SHA1"},
};
#define HASHES (sizeof hashes / sizeof hashes[0])

/* Fetched once a process and never changed after: EVP_sha256() is looked up anew, under OpenSSL's locks, at
 * each digest. NULL: not available. */
static CRYPTO_ONCE fetched_once = CRYPTO_ONCE_STATIC_INIT;
static EVP_MD *fetched[HASHES];
static EVP_MAC *fetched_hmac;

static void fetch_all(void)
{
    for (size_t i = 0; i < HASHES; i++) {
        fetched[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
    }
    fetched_hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static const EVP_MD *md_of(atls_hash hash)
{
    return CRYPTO_THREAD_run_once(&fetched_once, fetch_all) == 1 ? fetched[hash] : NULL;
}

size_t atls_hash_len(atls_hash hash)
{
    return hashes[hash].len;
}

static atls_code not_available(atls_hash hash, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.digest", "%s is not available", hashes[hash].name);
}

static EVP_MD_CTX *digest_pieces(atls_hash hash, const atls_buf *pieces, size_t n)
{
    const EVP_MD *md = md_of(hash);
    EVP_MD_CTX *ctx = md == NULL ? NULL : EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    for (size_t i = 0; ok && i < n; i++) {
        ok = pieces[i].len == 0 || EVP_DigestUpdate(ctx, pieces[i].ptr, pieces[i].len) == 1;
    }
    if (!ok) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

atls_code atls_digest(atls_hash hash, const atls_buf *pieces, size_t n, uint8_t *out, atls_err *err)
{
    EVP_MD_CTX *ctx = digest_pieces(hash, pieces, n);
    bool ok = ctx != NULL && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? ATLS_OK : not_available(hash, err);
}

atls_code atls_transcript_begin(atls_hash hash, const atls_buf *pieces, size_t n,
                                atls_transcript *out, atls_err *err)
{
    EVP_MD_CTX *ctx = digest_pieces(hash, pieces, n);
    if (ctx == NULL) {
        return not_available(hash, err);
    }
    *out = (atls_transcript){hash, ctx};
    return ATLS_OK;
}

atls_code atls_transcript_add(atls_transcript *t, atls_buf piece, atls_err *err)
{
    return piece.len == 0 || EVP_DigestUpdate(t->ctx, piece.ptr, piece.len) == 1
               ? ATLS_OK
               : not_available(t->hash, err);
}

atls_code atls_transcript_hash(const atls_transcript *t, uint8_t *out, atls_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, t->ctx) == 1 &&
              EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? ATLS_OK : not_available(t->hash, err);
}

void atls_transcript_clear(atls_transcript *t)
{
    EVP_MD_CTX_free(t->ctx);
    t->ctx = NULL;
}

atls_code atls_hmac(atls_hash hash, atls_buf key, const atls_buf *pieces, size_t n, uint8_t *out,
                    atls_err *err)
{
    bool found = CRYPTO_THREAD_run_once(&fetched_once, fetch_all) == 1 && fetched_hmac != NULL;
    EVP_MAC_CTX *ctx = found ? EVP_MAC_CTX_new(fetched_hmac) : NULL;
    char name[8] = {0};
    OPENSSL_strlcpy(name, hashes[hash].name, sizeof name);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    bool ok = ctx != NULL && EVP_MAC_init(ctx, key.ptr, key.len, params) == 1;
    for (size_t i = 0; ok && i < n; i++) {
        ok = pieces[i].len == 0 || EVP_MAC_update(ctx, pieces[i].ptr, pieces[i].len) == 1;
    }
    size_t len = 0;
    ok = ok && EVP_MAC_final(ctx, out, &len, ATLS_HASH_MAX) == 1 && len == hashes[hash].len;
    EVP_MAC_CTX_free(ctx);
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.hmac", "HMAC-%s is not available",
                         hashes[hash].name);
}

bool atls_equal(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
