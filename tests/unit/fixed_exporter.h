/* fixed_exporter.h: the exporter of a TLS 1.3 connection (RFC 8446, 7.5) whose exporter_master_secret the test
 * chooses, so that everything behind it is the same in each run. */
#ifndef ATLS_TESTS_FIXED_EXPORTER_H
#define ATLS_TESTS_FIXED_EXPORTER_H

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/writer.h"
#include "binding/exporter.h"

typedef struct fixed_exporter {
    atls_hash hash;
    uint8_t secret[48];
} fixed_exporter;

/* HKDF-Expand-Label(secret, label, Hash(context), len) */
static inline bool fixed_expand(atls_hash hash, const uint8_t *secret, const char *label,
                                const uint8_t *context_hash, uint8_t *out, size_t len)
{
    uint8_t info[128];
    atls_writer w = atls_writer_of(info, sizeof info);
    atls_writer_u16be(&w, (uint16_t)len);
    atls_writer_u8(&w, (uint8_t)(6 + strlen(label)));
    atls_writer_text(&w, "tls13 ");
    atls_writer_text(&w, label);
    atls_writer_u8(&w, (uint8_t)atls_hash_len(hash));
    atls_writer_bytes(&w, (atls_buf){context_hash, atls_hash_len(hash)});
    char digest[8];
    strcpy(digest, hash == ATLS_SHA256 ? "SHA256" : "SHA384");
    uint8_t key[48];
    memcpy(key, secret, atls_hash_len(hash));
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, atls_hash_len(hash)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, atls_writer_done(&w).len),
        OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    bool ok = atls_writer_ok(&w) && ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static inline bool fixed_derive(void *self, const char *label, atls_buf context, uint8_t *out,
                                size_t len)
{
    const fixed_exporter *f = self;
    uint8_t nothing[48];
    uint8_t context_hash[48];
    uint8_t secret[48];
    return atls_digest(f->hash, NULL, 0, nothing, NULL) == ATLS_OK &&
           atls_digest(f->hash, &context, 1, context_hash, NULL) == ATLS_OK &&
           fixed_expand(f->hash, f->secret, label, nothing, secret, atls_hash_len(f->hash)) &&
           fixed_expand(f->hash, secret, "exporter", context_hash, out, len);
}

/* The secret is first, first + 1, ...: another connection has another first byte. */
static inline atls_exporter fixed_exporter_of(fixed_exporter *f, atls_hash hash, uint8_t first)
{
    f->hash = hash;
    for (size_t i = 0; i < sizeof f->secret; i++) {
        f->secret[i] = (uint8_t)(first + i);
    }
    return (atls_exporter){fixed_derive, f, hash};
}

#endif
