/* made_keys.h: keys and self-signed leaf certificates, made when the test runs. */
#ifndef ATLS_TESTS_MADE_KEYS_H
#define ATLS_TESTS_MADE_KEYS_H

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <atls/types.h>

/* The Ed25519 key whose seed is 32 times the byte. */
static inline EVP_PKEY *made_ed25519(uint8_t seed_byte)
{
    uint8_t seed[32];
    memset(seed, seed_byte, sizeof seed);
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
}

/* A public RSA key of exactly that many bits, which nobody holds. */
static inline EVP_PKEY *made_rsa_public(unsigned bits)
{
    uint8_t *modulus = malloc(bits / 8);
    memset(modulus, 0xa5, bits / 8);
    BIGNUM *n = BN_bin2bn(modulus, (int)(bits / 8), NULL);
    BIGNUM *e = BN_new();
    BN_set_word(e, 65537);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    EVP_PKEY_fromdata_init(ctx);
    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    free(modulus);
    return key;
}

/* A P-256 key that writes its curve as parameters instead of a name. */
static inline EVP_PKEY *made_explicit_p256(void)
{
    char group[] = "P-256";
    char encoding[] = "explicit";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, 0),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    EVP_PKEY_keygen_init(ctx);
    EVP_PKEY_CTX_set_params(ctx, params);
    EVP_PKEY_generate(ctx, &key);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* A certificate for subject_key, signed by signer (an Ed25519 key). The caller frees it. */
static inline X509 *made_leaf(EVP_PKEY *subject_key, EVP_PKEY *signer)
{
    X509 *x = X509_new();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", V_ASN1_UTF8STRING,
                               (const unsigned char *)"atls test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    ASN1_TIME_set_string(X509_getm_notBefore(x), "250101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(x), "350101000000Z");
    X509_set_pubkey(x, subject_key);
    if (X509_sign(x, signer, NULL) == 0) {
        X509_free(x);
        return NULL;
    }
    return x;
}

/* The DER, OPENSSL_malloc'ed. */
static inline atls_buf made_der(X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);
    return (atls_buf){der, len < 0 ? 0 : (size_t)len};
}

#endif
