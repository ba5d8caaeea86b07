#include "crypto/key.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/err.h"
#include "base/writer.h"

#define P256_XY_LEN      64
#define P256_POINT_LEN   65 /* 04 x y */
#define ECDSA_DER_MAX    72 /* 30 len, then twice 02 len and up to 33 bytes */
#define CONTEXTS_PER_KEY 4

/* A context ready to verify, made by the first thread that takes the slot; busy guards it. */
typedef struct slot {
    atomic_flag busy;
    EVP_PKEY_CTX *ctx;
} slot;

struct atls_key {
    uint8_t xy[P256_XY_LEN];
    EVP_PKEY *pkey;
    slot slots[CONTEXTS_PER_KEY];
    atomic_int refs;
};

/* A P-256 key whose parameters every other key copies: three times cheaper than decoding a group again.
 * Made once a process and never changed after, so it needs no owner; NULL when OpenSSL has no P-256. */
static CRYPTO_ONCE template_once = CRYPTO_ONCE_STATIC_INIT;
static EVP_PKEY *template_key;

/* The generator of P-256 (SP 800-186, 3.2.1.3): any point of the curve would do. */
static const uint8_t template_point[P256_POINT_LEN] = {
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
    0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
    0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
    0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
    0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

static void template_make(void)
{
    char group[] = "P-256";
    uint8_t point[P256_POINT_LEN];
    memcpy(point, template_point, sizeof point);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1) {
        template_key = pkey;
    }
    EVP_PKEY_CTX_free(ctx);
}

static EVP_PKEY *import_point(const uint8_t xy[P256_XY_LEN], bool *no_memory)
{
    *no_memory = true;
    if (CRYPTO_THREAD_run_once(&template_once, template_make) != 1 || template_key == NULL) {
        return NULL;
    }
    EVP_PKEY *pkey = EVP_PKEY_new();
    if (pkey == NULL || EVP_PKEY_copy_parameters(pkey, template_key) != 1) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    *no_memory = false;
    uint8_t point[P256_POINT_LEN] = {0x04};
    memcpy(point + 1, xy, P256_XY_LEN);
    if (EVP_PKEY_set1_encoded_public_key(pkey, point, sizeof point) != 1) { /* checks the curve */
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

EVP_PKEY *atls_key_p256_pkey(const uint8_t xy[64])
{
    bool no_memory = false;
    ERR_set_mark();
    EVP_PKEY *pkey = import_point(xy, &no_memory);
    ERR_pop_to_mark();
    return pkey;
}

atls_code atls_key_p256(const uint8_t xy[64], atls_key **out, atls_err *err)
{
    bool no_memory = false;
    ERR_set_mark();
    EVP_PKEY *pkey = import_point(xy, &no_memory);
    ERR_pop_to_mark();
    if (pkey == NULL) {
        return no_memory ? ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.p256", "P-256 is not available")
                         : ATLS_ERR(err, ATLS_E_INVALID, "key.point",
                                    "the public key is not a point of P-256");
    }
    atls_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(key->xy, xy, P256_XY_LEN);
    key->pkey = pkey;
    atomic_init(&key->refs, 1);
    for (size_t i = 0; i < CONTEXTS_PER_KEY; i++) {
        atomic_flag_clear(&key->slots[i].busy);
    }
    *out = key;
    return ATLS_OK;
}

atls_key *atls_key_up_ref(atls_key *key)
{
    atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void atls_key_free(atls_key *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < CONTEXTS_PER_KEY; i++) {
        EVP_PKEY_CTX_free(key->slots[i].ctx);
    }
    EVP_PKEY_free(key->pkey);
    free(key);
}

const uint8_t *atls_key_xy(const atls_key *key)
{
    return key->xy;
}

static EVP_PKEY_CTX *context_new(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (ctx != NULL && EVP_PKEY_verify_init(ctx) != 1) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static slot *slot_take(atls_key *key)
{
    for (size_t i = 0; i < CONTEXTS_PER_KEY; i++) {
        if (!atomic_flag_test_and_set_explicit(&key->slots[i].busy, memory_order_acquire)) {
            return &key->slots[i];
        }
    }
    return NULL;
}

bool atls_key_verify_der(atls_key *key, const uint8_t digest[32], atls_buf sig)
{
    slot *mine = slot_take(key);
    EVP_PKEY_CTX *ctx = mine == NULL ? NULL : mine->ctx;
    ERR_set_mark();
    if (ctx == NULL) {
        ctx = context_new(key->pkey);
    }
    bool good = ctx != NULL && EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest, 32) == 1;
    ERR_pop_to_mark();
    if (mine != NULL) {
        mine->ctx = ctx;
        atomic_flag_clear_explicit(&mine->busy, memory_order_release);
    } else {
        EVP_PKEY_CTX_free(ctx);
    }
    return good;
}

/* One INTEGER out of 32 bytes, shortest form. False for zero, which signs nothing. */
static bool put_integer(atls_writer *w, const uint8_t value[32])
{
    size_t skip = 0;
    while (skip < 32 && value[skip] == 0) {
        skip++;
    }
    if (skip == 32) {
        return false;
    }
    bool pad = value[skip] >= 0x80;
    atls_writer_u8(w, 0x02);
    atls_writer_u8(w, (uint8_t)(32 - skip + (pad ? 1 : 0)));
    if (pad) {
        atls_writer_u8(w, 0);
    }
    atls_writer_bytes(w, (atls_buf){value + skip, 32 - skip});
    return true;
}

bool atls_key_verify_rs(atls_key *key, const uint8_t digest[32], const uint8_t rs[64])
{
    uint8_t der[ECDSA_DER_MAX];
    atls_writer w = atls_writer_of(der, sizeof der);
    atls_writer_u8(&w, 0x30);
    atls_writer_u8(&w, 0);
    if (!put_integer(&w, rs) || !put_integer(&w, rs + 32) || !atls_writer_ok(&w)) {
        return false;
    }
    der[1] = (uint8_t)(w.len - 2);
    return atls_key_verify_der(key, digest, (atls_buf){der, w.len});
}
