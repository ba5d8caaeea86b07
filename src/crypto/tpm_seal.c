#include "crypto/tpm_seal.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/writer.h"

#define LABEL          "IDENTITY" /* of the seed; its NUL counts */
#define COORDINATE_MAX 66

static atls_code no_crypto(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.seal", "a secret could not be sealed");
}

static void put_u32(uint32_t v, uint8_t out[4])
{
    for (size_t i = 4; i-- > 0;) {
        out[i] = (uint8_t)(v % 256);
        v /= 256;
    }
}

atls_code atls_tpm_kdfa(atls_hash hash, atls_buf key, const char *label, atls_buf u, atls_buf v,
                        uint32_t bits, uint8_t *out, atls_err *err)
{
    const size_t step = atls_hash_len(hash);
    const size_t wanted = bits / 8;
    uint8_t counter[4], length[4], block[ATLS_HASH_MAX];
    put_u32(bits, length);
    for (size_t done = 0, i = 1; done < wanted; i++) {
        put_u32((uint32_t)i, counter);
        const atls_buf pieces[] = {
            {counter, 4}, {(const uint8_t *)label, strlen(label) + 1}, u, v, {length, 4}};
        ATLS_TRY(atls_hmac(hash, key, pieces, 5, block, err));
        const size_t n = wanted - done < step ? wanted - done : step;
        memcpy(out + done, block, n);
        done += n;
    }
    OPENSSL_cleanse(block, sizeof block);
    return ATLS_OK;
}

atls_code atls_tpm_kdfe(atls_hash hash, atls_buf z, const char *label, atls_buf u, atls_buf v,
                        uint8_t *out, atls_err *err)
{
    static const uint8_t first[4] = {0, 0, 0, 1};
    const atls_buf pieces[] = {{first, 4}, z, {(const uint8_t *)label, strlen(label) + 1}, u, v};
    return atls_digest(hash, pieces, 5, out, err);
}

static atls_code draw(const atls_random *random, uint8_t *out, size_t len, atls_err *err)
{
    if (random != NULL) {
        return random->fill(random->self, out, len, err);
    }
    return RAND_priv_bytes(out, (int)len) == 1 ? ATLS_OK : no_crypto(err);
}

/* --- the seed, to an RSA key: OAEP with the key's name algorithm --- */

static bool oaep(EVP_PKEY *key, atls_hash hash, const uint8_t *seed, uint8_t *out, size_t *len)
{
    static const char *const names[] = {
        [ATLS_SHA256] = "SHA256", [ATLS_SHA384] = "SHA384", [ATLS_SHA512] = "SHA512"};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    uint8_t *label = OPENSSL_memdup(LABEL, sizeof LABEL);
    bool good = ctx != NULL && label != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, names[hash], NULL) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, names[hash], NULL) == 1;
    if (good && EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)sizeof LABEL) == 1) {
        label = NULL; /* the context's now */
    } else {
        good = false;
    }
    good = good && EVP_PKEY_encrypt(ctx, out, len, seed, atls_hash_len(hash)) == 1;
    OPENSSL_free(label);
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static atls_code seed_for_rsa(const atls_tpm_seal *s, uint8_t *seed, atls_credential *out,
                              atls_err *err)
{
    uint8_t sealed[512];
    size_t len = sizeof sealed;
    const atls_buf spki = atls_public_key_spki(s->key);
    const unsigned char *at = spki.ptr;
    ATLS_TRY(draw(s->random, seed, atls_hash_len(s->hash), err));
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    const bool good = key != NULL && EVP_PKEY_get_size(key) <= (int)sizeof sealed &&
                      oaep(key, s->hash, seed, sealed, &len);
    EVP_PKEY_free(key);
    if (!good) {
        return no_crypto(err);
    }
    atls_writer w = atls_writer_of(out->seed, sizeof out->seed);
    atls_writer_u16be(&w, (uint16_t)len);
    atls_writer_bytes(&w, (atls_buf){sealed, len});
    out->seed_len = atls_writer_done(&w).len;
    return ATLS_OK;
}

/* --- the seed, to an ECC key: an ephemeral key's agreement with it --- */

typedef struct agreement {
    EC_GROUP *group;
    EC_POINT *theirs, *ours, *shared;
    BIGNUM *d, *order, *x, *y;
    BN_CTX *ctx;
    size_t size;
} agreement;

static void agreement_clear(agreement *a)
{
    BN_clear_free(a->d);
    BN_clear_free(a->x);
    BN_clear_free(a->y);
    BN_free(a->order);
    EC_POINT_free(a->theirs);
    EC_POINT_free(a->ours);
    EC_POINT_clear_free(a->shared);
    EC_GROUP_free(a->group);
    BN_CTX_free(a->ctx);
}

static bool agreement_init(agreement *a, const atls_public_key *key)
{
    static const int curves[] = {[ATLS_KEY_P256] = NID_X9_62_prime256v1,
                                 [ATLS_KEY_P384] = NID_secp384r1,
                                 [ATLS_KEY_P521] = NID_secp521r1};
    const atls_buf spki = atls_public_key_spki(key);
    a->size = atls_public_key_size(key);
    a->group = EC_GROUP_new_by_curve_name(curves[atls_public_key_kind(key)]);
    a->ctx = BN_CTX_secure_new();
    a->d = BN_secure_new();
    a->order = BN_new();
    a->x = BN_secure_new();
    a->y = BN_secure_new();
    if (a->group == NULL || a->ctx == NULL || a->d == NULL || a->order == NULL || a->x == NULL ||
        a->y == NULL) {
        return false;
    }
    a->theirs = EC_POINT_new(a->group);
    a->ours = EC_POINT_new(a->group);
    a->shared = EC_POINT_new(a->group);
    const size_t len = 1 + 2 * a->size; /* the point stands at the end */
    return a->theirs != NULL && a->ours != NULL && a->shared != NULL && spki.len > len &&
           EC_GROUP_get_order(a->group, a->order, a->ctx) == 1 &&
           EC_POINT_oct2point(a->group, a->theirs, spki.ptr + spki.len - len, len, a->ctx) == 1;
}

/* A private number of 1 to order - 1, from 64 bits more than it has: FIPS 186-5, A.2.1. */
static bool agreement_number(agreement *a, const uint8_t *bytes, size_t len)
{
    BN_set_flags(a->d, BN_FLG_CONSTTIME);
    return BN_bin2bn(bytes, (int)len, a->d) != NULL && BN_sub_word(a->order, 1) == 1 &&
           BN_mod(a->d, a->d, a->order, a->ctx) == 1 && BN_add_word(a->d, 1) == 1;
}

/* Coordinates at their full length. */
static bool coordinates(agreement *a, const EC_POINT *point, uint8_t *x, uint8_t *y)
{
    return EC_POINT_get_affine_coordinates(a->group, point, a->x, a->y, a->ctx) == 1 &&
           BN_bn2binpad(a->x, x, (int)a->size) == (int)a->size &&
           (y == NULL || BN_bn2binpad(a->y, y, (int)a->size) == (int)a->size);
}

static bool agree(agreement *a, uint8_t *z, uint8_t *theirs_x, uint8_t *x, uint8_t *y)
{
    return EC_POINT_mul(a->group, a->ours, a->d, NULL, NULL, a->ctx) == 1 &&
           EC_POINT_mul(a->group, a->shared, NULL, a->theirs, a->d, a->ctx) == 1 &&
           EC_POINT_is_at_infinity(a->group, a->shared) == 0 &&
           coordinates(a, a->theirs, theirs_x, NULL) && coordinates(a, a->ours, x, y) &&
           coordinates(a, a->shared, z, NULL);
}

static atls_code seed_for_ecc(const atls_tpm_seal *s, uint8_t *seed, atls_credential *out,
                              atls_err *err)
{
    uint8_t number[COORDINATE_MAX + 8], z[COORDINATE_MAX], theirs_x[COORDINATE_MAX],
        x[COORDINATE_MAX], y[COORDINATE_MAX];
    agreement a = {0};
    atls_code rc = agreement_init(&a, s->key) ? ATLS_OK : no_crypto(err);
    rc = rc == ATLS_OK ? draw(s->random, number, a.size + 8, err) : rc;
    if (rc == ATLS_OK &&
        (!agreement_number(&a, number, a.size + 8) || !agree(&a, z, theirs_x, x, y))) {
        rc = no_crypto(err);
    }
    if (rc == ATLS_OK) {
        rc = atls_tpm_kdfe(s->hash, (atls_buf){z, a.size}, LABEL, (atls_buf){x, a.size},
                           (atls_buf){theirs_x, a.size}, seed, err);
    }
    if (rc == ATLS_OK) {
        atls_writer w = atls_writer_of(out->seed, sizeof out->seed);
        atls_writer_u16be(&w, (uint16_t)(2 * (2 + a.size)));
        atls_writer_u16be(&w, (uint16_t)a.size);
        atls_writer_bytes(&w, (atls_buf){x, a.size});
        atls_writer_u16be(&w, (uint16_t)a.size);
        atls_writer_bytes(&w, (atls_buf){y, a.size});
        out->seed_len = atls_writer_done(&w).len;
    }
    OPENSSL_cleanse(number, sizeof number);
    OPENSSL_cleanse(z, sizeof z);
    agreement_clear(&a);
    return rc;
}

/* --- the secret, under the seed --- */

static bool cfb(unsigned bits, const uint8_t *key, const uint8_t *in, size_t len, uint8_t *out)
{
    static const uint8_t iv[16];
    const char *name = bits == 128 ? "AES-128-CFB" : bits == 192 ? "AES-192-CFB" : "AES-256-CFB";
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    const bool good = cipher != NULL && ctx != NULL &&
                      EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) == 1 &&
                      EVP_EncryptUpdate(ctx, out, &n, in, (int)len) == 1 &&
                      EVP_EncryptFinal_ex(ctx, out + n, &last) == 1 && (size_t)(n + last) == len;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return good;
}

/* AES under STORAGE, then HMAC under INTEGRITY over the result and the name (part 1, 24.4 and 24.5). */
static atls_code wrap(const atls_tpm_seal *s, atls_buf seed, atls_buf secret, atls_credential *out,
                      atls_err *err)
{
    const atls_buf none = {NULL, 0};
    const size_t hash_len = atls_hash_len(s->hash);
    uint8_t key[32], mac_key[ATLS_HASH_MAX], mac[ATLS_HASH_MAX];
    uint8_t plain[2 + ATLS_CREDENTIAL_SECRET_MAX], sealed[sizeof plain];
    const size_t len = 2 + secret.len;
    plain[0] = 0;
    plain[1] = (uint8_t)secret.len;
    memcpy(plain + 2, secret.ptr, secret.len);
    atls_code rc = atls_tpm_kdfa(s->hash, seed, "STORAGE", s->name, none, s->aes_bits, key, err);
    if (rc == ATLS_OK && !cfb(s->aes_bits, key, plain, len, sealed)) {
        rc = no_crypto(err);
    }
    if (rc == ATLS_OK) {
        rc = atls_tpm_kdfa(s->hash, seed, "INTEGRITY", none, none, (uint32_t)hash_len * 8, mac_key,
                           err);
    }
    const atls_buf covered[] = {{sealed, len}, s->name};
    if (rc == ATLS_OK) {
        rc = atls_hmac(s->hash, (atls_buf){mac_key, hash_len}, covered, 2, mac, err);
    }
    if (rc == ATLS_OK) {
        atls_writer w = atls_writer_of(out->blob, sizeof out->blob);
        atls_writer_u16be(&w, (uint16_t)(2 + hash_len + len));
        atls_writer_u16be(&w, (uint16_t)hash_len);
        atls_writer_bytes(&w, (atls_buf){mac, hash_len});
        atls_writer_bytes(&w, (atls_buf){sealed, len});
        out->blob_len = atls_writer_done(&w).len;
    }
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(mac_key, sizeof mac_key);
    OPENSSL_cleanse(plain, sizeof plain);
    return rc;
}

atls_code atls_tpm_seal_secret(const atls_tpm_seal *seal, atls_buf secret, atls_credential *out,
                               atls_err *err)
{
    uint8_t seed[ATLS_HASH_MAX];
    atls_credential made = {0};
    atls_code rc = atls_public_key_kind(seal->key) == ATLS_KEY_RSA
                       ? seed_for_rsa(seal, seed, &made, err)
                       : seed_for_ecc(seal, seed, &made, err);
    if (rc == ATLS_OK) {
        rc = wrap(seal, (atls_buf){seed, atls_hash_len(seal->hash)}, secret, &made, err);
    }
    OPENSSL_cleanse(seed, sizeof seed);
    if (rc == ATLS_OK) {
        *out = made;
    }
    return rc;
}
