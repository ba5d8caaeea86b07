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

/* pkey's own encoding, which OpenSSL takes its time for; NULL: no memory. */
static uint8_t *encode(EVP_PKEY *pkey, size_t *spki_len)
{
    unsigned char *der = NULL;
    const int len = i2d_PUBKEY(pkey, &der);
    uint8_t *spki = len > 0 ? malloc((size_t)len) : NULL;
    if (spki != NULL) {
        memcpy(spki, der, (size_t)len);
        *spki_len = (size_t)len;
    }
    OPENSSL_free(der);
    return spki;
}

/* Takes pkey, whatever happens. known: its encoding; {NULL, 0}: to be made. */
static atls_code take(EVP_PKEY *pkey, atls_buf known, atls_public_key **out, atls_err *err)
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
    if (key != NULL && known.ptr != NULL) {
        key->spki = malloc(known.len);
        key->spki_len = known.len;
    } else if (key != NULL) {
        key->spki = encode(pkey, &key->spki_len);
    }
    if (key == NULL || key->spki == NULL) {
        EVP_PKEY_free(pkey);
        free(key);
        return ATLS_ERR_NOMEM(err);
    }
    if (known.ptr != NULL) {
        memcpy(key->spki, known.ptr, known.len);
    }
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

/* --- the one form that is taken: RFC 5480, 2; RFC 8017, A.1.1 --- */

static const struct {
    uint8_t bytes[27]; /* all before the point */
    size_t len;
} ec_heads[] = {
    [ATLS_KEY_P256] = {{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00},
                       26},
    [ATLS_KEY_P384] = {{0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                        0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00},
                       23},
    [ATLS_KEY_P521] = {{0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                        0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
                        0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00},
                       25},
};

/* Is it one of these, with a whole point? */
static bool is_ec(atls_buf spki, atls_key_kind *curve)
{
    for (size_t i = 0; i < sizeof ec_heads / sizeof ec_heads[0]; i++) {
        const size_t len = ec_heads[i].len;
        if (spki.len == len + 1 + 2 * curves[i].size && spki.ptr[len] == 0x04 &&
            memcmp(spki.ptr, ec_heads[i].bytes, len) == 0) {
            *curve = (atls_key_kind)i;
            return true;
        }
    }
    return false;
}

static const uint8_t rsa_id[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

static int integer_len(atls_buf n)
{
    return (int)n.len + (n.ptr[0] >= 0x80 ? 1 : 0);
}

static unsigned char *put_integer(unsigned char *p, atls_buf n)
{
    ASN1_put_object(&p, 0, integer_len(n), V_ASN1_INTEGER, V_ASN1_UNIVERSAL);
    if (n.ptr[0] >= 0x80) {
        *p++ = 0;
    }
    memcpy(p, n.ptr, n.len);
    return p + n.len;
}

/* n and e without zeros in front, at least a byte each, at most 512 and 8. */
static size_t put_rsa(atls_buf n, atls_buf e, uint8_t out[SPKI_MAX_LEN])
{
    const int numbers = ASN1_object_size(0, integer_len(n), V_ASN1_INTEGER) +
                        ASN1_object_size(0, integer_len(e), V_ASN1_INTEGER);
    const int bits = 1 + ASN1_object_size(1, numbers, V_ASN1_SEQUENCE);
    const int all = (int)sizeof rsa_id + ASN1_object_size(0, bits, V_ASN1_BIT_STRING);
    unsigned char *p = out;
    ASN1_put_object(&p, 1, all, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(p, rsa_id, sizeof rsa_id);
    p += sizeof rsa_id;
    ASN1_put_object(&p, 0, bits, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
    *p++ = 0;
    ASN1_put_object(&p, 1, numbers, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    p = put_integer(put_integer(p, n), e);
    return (size_t)(p - out);
}

/* The content of the element in front, which then is what *in has left. */
static bool take_der(atls_buf *in, int tag, atls_buf *content)
{
    const unsigned char *p = in->ptr;
    long len = 0;
    int found = 0;
    int class = 0;
    const int flags = in->len > 0 ? ASN1_get_object(&p, &len, &found, &class, (long)in->len) : 0x80;
    if ((flags & 0x81) != 0 || found != tag || class != V_ASN1_UNIVERSAL) {
        return false;
    }
    *content = (atls_buf){p, (size_t)len};
    in->len -= (size_t)(p - in->ptr) + (size_t)len;
    in->ptr = p + len;
    return true;
}

/* Reads what put_rsa writes, and more: whoever takes it compares. */
static bool read_rsa(atls_buf spki, atls_buf *n, atls_buf *e)
{
    atls_buf all;
    atls_buf bits;
    atls_buf numbers;
    if (!take_der(&spki, V_ASN1_SEQUENCE, &all) || all.len < sizeof rsa_id ||
        memcmp(all.ptr, rsa_id, sizeof rsa_id) != 0) {
        return false;
    }
    all = (atls_buf){all.ptr + sizeof rsa_id, all.len - sizeof rsa_id};
    if (!take_der(&all, V_ASN1_BIT_STRING, &bits) || bits.len == 0) {
        return false;
    }
    bits = (atls_buf){bits.ptr + 1, bits.len - 1};
    return take_der(&bits, V_ASN1_SEQUENCE, &numbers) && take_der(&numbers, V_ASN1_INTEGER, n) &&
           take_der(&numbers, V_ASN1_INTEGER, e);
}

static bool is_of(const atls_public_key *key, atls_buf spki)
{
    return key->spki_len == spki.len && memcmp(key->spki, spki.ptr, spki.len) == 0;
}

/* The usual form, without OpenSSL's decoders and encoders (a sixth of a millisecond). NULL: another form, or no key. */
static atls_code from_usual(atls_buf spki, atls_public_key **out, atls_err *err)
{
    atls_key_kind curve = ATLS_KEY_P256;
    atls_buf n;
    atls_buf e;
    if (spki.len == 0 || spki.len > SPKI_MAX_LEN) {
        return ATLS_OK;
    }
    if (is_ec(spki, &curve)) {
        const uint8_t *x = spki.ptr + ec_heads[curve].len + 1;
        const size_t size = curves[curve].size;
        return atls_public_key_ec(curve, (atls_buf){x, size}, (atls_buf){x + size, size}, out, err);
    }
    if (!read_rsa(spki, &n, &e)) {
        return ATLS_OK;
    }
    atls_public_key *key = NULL;
    ATLS_TRY(atls_public_key_rsa(n, e, &key, err));
    if (!is_of(key, spki)) {
        atls_public_key_free(key);
        return ATLS_OK;
    }
    *out = key;
    return ATLS_OK;
}

atls_code atls_public_key_from_spki(atls_buf spki, atls_public_key **out, atls_err *err)
{
    const unsigned char *at = spki.ptr;
    EVP_PKEY *pkey = NULL;
    atls_public_key *key = NULL;
    ATLS_TRY(from_usual(spki, &key, err));
    if (key != NULL) {
        *out = key;
        return ATLS_OK;
    }
    ERR_set_mark();
    if (spki.len > 0 && spki.len <= SPKI_MAX_LEN) {
        pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    }
    ERR_pop_to_mark();
    if (pkey == NULL || at != spki.ptr + spki.len) {
        EVP_PKEY_free(pkey);
        return ATLS_ERR(err, ATLS_E_INVALID, "key.spki", "a public key that cannot be decoded");
    }
    ATLS_TRY(take(pkey, (atls_buf){NULL, 0}, &key, err));
    /* One key, one encoding: no explicit parameters, no compressed points, no BER. */
    bool whole =
        key->kind == ATLS_KEY_RSA ||
        (key->spki_len > 2 * key->size && key->spki[key->spki_len - 2 * key->size - 1] == 0x04);
    if (!whole || !is_of(key, spki)) {
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
    uint8_t spki[sizeof ec_heads[0].bytes + 1 + 2 * COORDINATE_MAX] = {0};
    x = without_zeros(x);
    y = without_zeros(y);
    if (curve > ATLS_KEY_P521 || x.len > curves[curve].size || y.len > curves[curve].size) {
        return ATLS_ERR(err, ATLS_E_INVALID, "key.point", "coordinates too long for their curve");
    }
    const size_t size = curves[curve].size;
    const size_t head = ec_heads[curve].len;
    uint8_t *point = spki + head;
    memcpy(spki, ec_heads[curve].bytes, head);
    point[0] = 0x04;
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
    return take(pkey, (atls_buf){spki, head + 1 + 2 * size}, out, err);
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
    uint8_t spki[SPKI_MAX_LEN];
    return take(pkey, (atls_buf){spki, put_rsa(n, e, spki)}, out, err);
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
