#include "crypto/tls_signature.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/err.h"

typedef struct tls_scheme {
    uint16_t number;
    const char *key_type;      /* as EVP_PKEY_is_a knows it */
    const char *curve, *alias; /* of ECDSA: the names OpenSSL may give it */
    const EVP_MD *(*md)(void); /* NULL: the scheme hashes by itself */
} tls_scheme;

static const tls_scheme schemes[] = {
    {ATLS_TLS_ECDSA_SECP256R1_SHA256, "EC", "prime256v1", "P-256", EVP_sha256},
    {ATLS_TLS_ECDSA_SECP384R1_SHA384, "EC", "secp384r1", "P-384", EVP_sha384},
    {ATLS_TLS_RSA_PSS_RSAE_SHA256, "RSA", NULL, NULL, EVP_sha256},
    {ATLS_TLS_RSA_PSS_RSAE_SHA384, "RSA", NULL, NULL, EVP_sha384},
    {ATLS_TLS_RSA_PSS_RSAE_SHA512, "RSA", NULL, NULL, EVP_sha512},
    {ATLS_TLS_ED25519, "ED25519", NULL, NULL, NULL},
};

static const tls_scheme *find(uint16_t number)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (schemes[i].number == number) {
            return &schemes[i];
        }
    }
    return NULL;
}

bool atls_tls_scheme_known(uint16_t scheme)
{
    return find(scheme) != NULL;
}

static bool is_rsa(const tls_scheme *s)
{
    return strcmp(s->key_type, "RSA") == 0;
}

bool atls_tls_scheme_fits(uint16_t scheme, const EVP_PKEY *key)
{
    const tls_scheme *s = find(scheme);
    /* A key restricted to PSS is of the type RSA-PSS: the rsae schemes are not for it. */
    if (s == NULL || key == NULL || EVP_PKEY_is_a(key, s->key_type) != 1) {
        return false;
    }
    if (s->curve != NULL) {
        char name[32] = {0};
        return EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1 &&
               (strcmp(name, s->curve) == 0 || strcmp(name, s->alias) == 0);
    }
    if (is_rsa(s)) {
        int bits = EVP_PKEY_get_bits(key);
        return bits >= ATLS_TLS_RSA_BITS_MIN && bits <= ATLS_TLS_RSA_BITS_MAX;
    }
    return true;
}

static bool set_padding(const tls_scheme *s, EVP_PKEY_CTX *pctx)
{
    return !is_rsa(s) || (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                          EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

atls_code atls_tls_sign(uint16_t scheme, EVP_PKEY *key, atls_buf message, uint8_t *out,
                        size_t *out_len, atls_err *err)
{
    const tls_scheme *s = find(scheme);
    if (s == NULL || !atls_tls_scheme_fits(scheme, key)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "tls_signature.key",
                        "the key does not fit the signature scheme 0x%04x", (unsigned)scheme);
    }
    ERR_set_mark();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    size_t len = ATLS_TLS_SIGNATURE_MAX;
    bool ok = ctx != NULL &&
              EVP_DigestSignInit(ctx, &pctx, s->md == NULL ? NULL : s->md(), NULL, key) == 1 &&
              set_padding(s, pctx) && EVP_DigestSign(ctx, out, &len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_pop_to_mark();
    if (!ok) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.sign", "signing under 0x%04x failed",
                        (unsigned)scheme);
    }
    *out_len = len;
    return ATLS_OK;
}

bool atls_tls_verify(uint16_t scheme, EVP_PKEY *key, atls_buf message, atls_buf signature)
{
    const tls_scheme *s = find(scheme);
    if (s == NULL || !atls_tls_scheme_fits(scheme, key)) {
        return false;
    }
    /* A wrong signature leaves entries in OpenSSL's queue, which SSL_get_error would take for its own. */
    ERR_set_mark();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool ok = ctx != NULL &&
              EVP_DigestVerifyInit(ctx, &pctx, s->md == NULL ? NULL : s->md(), NULL, key) == 1 &&
              set_padding(s, pctx) &&
              EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_pop_to_mark();
    return ok;
}
