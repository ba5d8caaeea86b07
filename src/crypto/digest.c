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

static void fetch_all(void)
{
    for (size_t i = 0; i < HASHES; i++) {
        fetched[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
    }
}

static const EVP_MD *md_of(atls_hash hash)
{
    return CRYPTO_THREAD_run_once(&fetched_once, fetch_all) == 1 ? fetched[hash] : NULL;
}

size_t atls_hash_len(atls_hash hash)
{
    return hashes[hash].len;
}

atls_code atls_digest(atls_hash hash, const atls_buf *pieces, size_t n, uint8_t *out, atls_err *err)
{
    const EVP_MD *md = md_of(hash);
    EVP_MD_CTX *ctx = md == NULL ? NULL : EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    for (size_t i = 0; ok && i < n; i++) {
        ok = pieces[i].len == 0 || EVP_DigestUpdate(ctx, pieces[i].ptr, pieces[i].len) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.digest", "%s is not available",
                         hashes[hash].name);
}

atls_code atls_hmac(atls_hash hash, atls_buf key, const atls_buf *pieces, size_t n, uint8_t *out,
                    atls_err *err)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
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
    EVP_MAC_free(mac);
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.hmac", "HMAC-%s is not available",
                         hashes[hash].name);
}

bool atls_equal(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
