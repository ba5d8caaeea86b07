#include "crypto/public_key.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/err.h"

#define CONTEXTS_PER_KEY 4
#define SPKI_MAX_LEN     1024
#define RSA_MIN_BITS     2048
#define RSA_MAX_BITS     4096
#define RSA_MIN_EXPONENT 65537u
#define COORDINATE_MAX   66

static const struct {
    const char *group;
    size_t size;
} curves[] = {[ATLS_KEY_P256] = {"P-256", 32},
              [ATLS_KEY_P384] = {"P-384", 48},
              [ATLS_KEY_P521] = {"P-521", 66}};

/* A context ready to verify, made by the first thread that takes the slot; busy guards it. */
typedef struct slot {
    atomic_flag busy;
    EVP_PKEY_CTX *ctx;
} slot;

struct atls_public_key {
    atls_key_kind kind;
    size_t size;
    EVP_PKEY *pkey;
    uint8_t *spki;
    size_t spki_len;
    uint8_t sha256[32];
    slot slots[CONTEXTS_PER_KEY]; /* EC only: RSA sets its padding anew each time */
    atomic_int refs;
};

/* --- import --- */

static bool is_kind(EVP_PKEY *pkey, atls_key_kind *kind, size_t *size)
{
    char group[32] = "";
    size_t len = 0;
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        *kind = ATLS_KEY_RSA;
        *size = (size_t)EVP_PKEY_get_size(pkey);
        return true;
    }
    if (!EVP_PKEY_is_a(pkey, "EC") ||
        EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) != 1) {
        return false;
    }
    int nid = EC_curve_nist2nid(group);
    nid = nid != NID_undef ? nid : OBJ_txt2nid(group);
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (nid != NID_undef && nid == EC_curve_nist2nid(curves[i].group)) {
            *kind = (atls_key_kind)i;
            *size = curves[i].size;
            return true;
        }
    }
    return false;
}

static bool rsa_is_sound(EVP_PKEY *pkey)
{
    BIGNUM *e = NULL;
    int bits = EVP_PKEY_get_bits(pkey);
    bool sound = bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS &&
                 EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
                 BN_num_bits(e) <= 64 && BN_get_word(e) >= RSA_MIN_EXPONENT;
    BN_free(e);
    return sound;
}

/* Takes pkey, whatever happens. */
static atls_code take(EVP_PKEY *pkey, atls_public_key **out, atls_err *err)
{
    atls_key_kind kind = ATLS_KEY_RSA;
    size_t size = 0;
    if (!is_kind(pkey, &kind, &size)) {
        EVP_PKEY_free(pkey);
        return ATLS_ERR(err, ATLS_E_INVALID, "key.spki",
                        "a public key that is neither RSA nor on P-256, P-384 or P-521");
    }
    if (kind == ATLS_KEY_RSA && !rsa_is_sound(pkey)) {
        EVP_PKEY_free(pkey);
        return ATLS_ERR(
            err, ATLS_E_INVALID, "key.rsa",
            "an RSA key of %zu bits, where %d to %d and an odd exponent of at least %u are "
            "wanted",
            size * 8, RSA_MIN_BITS, RSA_MAX_BITS, RSA_MIN_EXPONENT);
    }
    atls_public_key *key = calloc(1, sizeof *key);
    unsigned char *der = NULL;
    int len = key != NULL ? i2d_PUBKEY(pkey, &der) : -1;
    if (len > 0) {
        key->spki = malloc((size_t)len);
    }
    if (len <= 0 || key->spki == NULL) {
        OPENSSL_free(der);
        EVP_PKEY_free(pkey);
        free(key);
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(key->spki, der, (size_t)len);
    OPENSSL_free(der);
    key->spki_len = (size_t)len;
    key->kind = kind;
    key->size = size;
    key->pkey = pkey;
    atomic_init(&key->refs, 1);
    for (size_t i = 0; i < CONTEXTS_PER_KEY; i++) {
        atomic_flag_clear(&key->slots[i].busy);
    }
    const atls_buf spki = {key->spki, key->spki_len};
    atls_code rc = atls_digest(ATLS_SHA256, &spki, 1, key->sha256, err);
    if (rc != ATLS_OK) {
        atls_public_key_free(key);
        return rc;
    }
    *out = key;
    return ATLS_OK;
}

atls_code atls_public_key_from_spki(atls_buf spki, atls_public_key **out, atls_err *err)
{
    const unsigned char *at = spki.ptr;
    EVP_PKEY *pkey = NULL;
    ERR_set_mark();
    if (spki.len > 0 && spki.len <= SPKI_MAX_LEN) {
        pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    }
    ERR_pop_to_mark();
    if (pkey == NULL || at != spki.ptr + spki.len) {
        EVP_PKEY_free(pkey);
        return ATLS_ERR(err, ATLS_E_INVALID, "key.spki", "a public key that cannot be decoded");
    }
    atls_public_key *key = NULL;
    ATLS_TRY(take(pkey, &key, err));
    /* One key, one encoding: no explicit parameters, no compressed points, no BER. */
    bool whole = key->kind == ATLS_KEY_RSA || key->spki[key->spki_len - 2 * key->size - 1] == 0x04;
    if (!whole || key->spki_len != spki.len || memcmp(key->spki, spki.ptr, spki.len) != 0) {
        atls_public_key_free(key);
        return ATLS_ERR(
            err, ATLS_E_INVALID, "key.spki",
            "a public key in another form than DER with a named curve and a whole point");
    }
    *out = key;
    return ATLS_OK;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static atls_buf without_zeros(atls_buf number)
{
    while (number.len > 0 && number.ptr[0] == 0) {
        number.ptr++;
        number.len--;
    }
    return number;
}

atls_code atls_public_key_ec(atls_key_kind curve, atls_buf x, atls_buf y, atls_public_key **out,
                             atls_err *err)
{
    uint8_t point[1 + 2 * COORDINATE_MAX] = {0x04};
    x = without_zeros(x);
    y = without_zeros(y);
    if (curve > ATLS_KEY_P521 || x.len > curves[curve].size || y.len > curves[curve].size) {
        return ATLS_ERR(err, ATLS_E_INVALID, "key.point", "coordinates too long for their curve");
    }
    size_t size = curves[curve].size;
    memcpy(point + 1 + size - x.len, x.ptr != NULL ? x.ptr : point, x.len);
    memcpy(point + 1 + 2 * size - y.len, y.ptr != NULL ? y.ptr : point, y.len);
    char group[8];
    memcpy(group, curves[curve].group, strlen(curves[curve].group) + 1);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size),
        OSSL_PARAM_construct_end()};
    ERR_set_mark();
    EVP_PKEY *pkey = from_params("EC", params);
    ERR_pop_to_mark();
    if (pkey == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "key.point", "the public key is not a point of %s",
                        group);
    }
    return take(pkey, out, err);
}

atls_code atls_public_key_rsa(atls_buf n, atls_buf e, atls_public_key **out, atls_err *err)
{
    n = without_zeros(n);
    e = without_zeros(e);
    if (n.len == 0 || n.len > RSA_MAX_BITS / 8 || e.len == 0 || e.len > 8) {
        return ATLS_ERR(err, ATLS_E_INVALID, "key.rsa",
                        "an RSA key with a modulus of %zu bytes and an exponent of %zu", n.len,
                        e.len);
    }
    BIGNUM *modulus = BN_bin2bn(n.ptr, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn(e.ptr, (int)e.len, NULL);
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (modulus != NULL && exponent != NULL && bld != NULL &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        params = OSSL_PARAM_BLD_to_param(bld);
    }
    ERR_set_mark();
    EVP_PKEY *pkey = params != NULL ? from_params("RSA", params) : NULL;
    ERR_pop_to_mark();
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    BN_free(modulus);
    BN_free(exponent);
    if (pkey == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "key.rsa", "an RSA key that cannot be used");
    }
    return take(pkey, out, err);
}

atls_public_key *atls_public_key_up_ref(atls_public_key *key)
{
    atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void atls_public_key_free(atls_public_key *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < CONTEXTS_PER_KEY; i++) {
        EVP_PKEY_CTX_free(key->slots[i].ctx);
    }
    EVP_PKEY_free(key->pkey);
    free(key->spki);
    free(key);
}

atls_key_kind atls_public_key_kind(const atls_public_key *key)
{
    return key->kind;
}

size_t atls_public_key_size(const atls_public_key *key)
{
    return key->size;
}

atls_buf atls_public_key_spki(const atls_public_key *key)
{
    return (atls_buf){key->spki, key->spki_len};
}

const uint8_t *atls_public_key_sha256(const atls_public_key *key)
{
    return key->sha256;
}

/* --- verifying --- */

static EVP_PKEY_CTX *context_new(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (ctx != NULL && EVP_PKEY_verify_init(ctx) != 1) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static slot *slot_take(atls_public_key *key)
{
    for (size_t i = 0; i < CONTEXTS_PER_KEY; i++) {
        if (!atomic_flag_test_and_set_explicit(&key->slots[i].busy, memory_order_acquire)) {
            return &key->slots[i];
        }
    }
    return NULL;
}

static bool verify_ec(atls_public_key *key, atls_buf digest, atls_buf sig)
{
    slot *mine = slot_take(key);
    EVP_PKEY_CTX *ctx = mine == NULL ? NULL : mine->ctx;
    if (ctx == NULL) {
        ctx = context_new(key->pkey);
    }
    bool good = ctx != NULL && EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest.ptr, digest.len) == 1;
    if (mine != NULL) {
        mine->ctx = ctx;
        atomic_flag_clear_explicit(&mine->busy, memory_order_release);
    } else {
        EVP_PKEY_CTX_free(ctx);
    }
    return good;
}

static bool set_padding(EVP_PKEY_CTX *ctx, atls_scheme scheme, atls_hash hash)
{
    static const char *const names[] = {
        [ATLS_SHA256] = "SHA256", [ATLS_SHA384] = "SHA384", [ATLS_SHA512] = "SHA512"};
    const EVP_MD *md = EVP_get_digestbyname(names[hash]);
    if (md == NULL) {
        return false;
    }
    if (scheme == ATLS_RSA_PKCS1) {
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
    }
    int salt = scheme == ATLS_RSA_PSS ? RSA_PSS_SALTLEN_DIGEST : RSA_PSS_SALTLEN_AUTO;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) == 1;
}

static bool verify_rsa(atls_public_key *key, atls_scheme scheme, atls_hash hash, atls_buf digest,
                       atls_buf sig)
{
    if (sig.len != key->size) {
        return false;
    }
    EVP_PKEY_CTX *ctx = context_new(key->pkey);
    bool good = ctx != NULL && set_padding(ctx, scheme, hash) &&
                EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest.ptr, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

bool atls_public_key_verify(atls_public_key *key, atls_scheme scheme, atls_hash hash,
                            const atls_buf *pieces, size_t n, atls_buf sig)
{
    uint8_t digest[ATLS_HASH_MAX];
    bool is_rsa = key->kind == ATLS_KEY_RSA;
    if (hash == ATLS_SHA1 || is_rsa == (scheme == ATLS_ECDSA) || sig.len == 0 ||
        atls_digest(hash, pieces, n, digest, NULL) != ATLS_OK) {
        return false;
    }
    const atls_buf hashed = {digest, atls_hash_len(hash)};
    ERR_set_mark();
    bool good = is_rsa ? verify_rsa(key, scheme, hash, hashed, sig) : verify_ec(key, hashed, sig);
    ERR_pop_to_mark();
    return good;
}

bool atls_public_key_verify_rs(atls_public_key *key, atls_hash hash, const atls_buf *pieces,
                               size_t n, atls_buf r, atls_buf s)
{
    r = without_zeros(r);
    s = without_zeros(s);
    if (key->kind == ATLS_KEY_RSA || r.len == 0 || s.len == 0 || r.len > key->size ||
        s.len > key->size) {
        return false;
    }
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *a = BN_bin2bn(r.ptr, (int)r.len, NULL);
    BIGNUM *b = BN_bin2bn(s.ptr, (int)s.len, NULL);
    unsigned char *der = NULL;
    int len = -1;
    if (sig != NULL && a != NULL && b != NULL && ECDSA_SIG_set0(sig, a, b) == 1) {
        a = b = NULL;
        len = i2d_ECDSA_SIG(sig, &der);
    }
    bool good = len > 0 && atls_public_key_verify(key, ATLS_ECDSA, hash, pieces, n,
                                                  (atls_buf){der, (size_t)len});
    OPENSSL_free(der);
    BN_free(a);
    BN_free(b);
    ECDSA_SIG_free(sig);
    return good;
}
