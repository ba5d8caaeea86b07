#include "sim/cose.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "base/err.h"
#include "codec/cbor.h"

#define SIGNATURE_MAX 160 /* bytes: DER of two integers of P-521 is at most 139 */

static size_t coordinate_size(EVP_PKEY *key)
{
    return ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
}

static void write_to_be_signed(const sim_cose *cose, atls_writer *w)
{
    atls_cbor_write_head(w, ATLS_CBOR_ARRAY, 4);
    atls_cbor_write_string(w, ATLS_CBOR_TEXT, (atls_buf){(const uint8_t *)"Signature1", 10});
    atls_cbor_write_string(w, ATLS_CBOR_BYTES, cose->protected_header);
    atls_cbor_write_string(w, ATLS_CBOR_BYTES, (atls_buf){NULL, 0});
    atls_cbor_write_string(w, ATLS_CBOR_BYTES, cose->payload);
}

static bool to_raw(const uint8_t *der, size_t len, size_t size, uint8_t *raw)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)size) == (int)size &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + size, (int)size) == (int)size;
    ECDSA_SIG_free(sig);
    return ok;
}

static bool sign(const sim_cose *cose, atls_buf bytes, uint8_t out[SIGNATURE_MAX], size_t *len)
{
    uint8_t der[SIGNATURE_MAX];
    size_t der_len = sizeof der;
    const size_t size = coordinate_size(cose->key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL &&
              EVP_DigestSignInit_ex(ctx, NULL, cose->hash, NULL, NULL, cose->key, NULL) == 1 &&
              EVP_DigestSign(ctx, der, &der_len, bytes.ptr, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok && cose->is_der) {
        memcpy(out, der, der_len);
        *len = der_len;
        return true;
    }
    *len = 2 * size;
    ok = ok && to_raw(der, der_len, size, out);
    if (ok && cose->is_zero) {
        memset(out, 0, *len);
    }
    if (ok && cose->is_wrong) {
        out[*len - 1] ^= 1;
    }
    return ok;
}

static void write_message(const sim_cose *cose, atls_buf signature, atls_writer *w)
{
    if (cose->tagged) {
        atls_cbor_write_head(w, ATLS_CBOR_TAG, 18);
    }
    atls_cbor_write_head(w, ATLS_CBOR_ARRAY, 4);
    atls_cbor_write_string(w, ATLS_CBOR_BYTES, cose->protected_header);
    if (cose->unprotected.len > 0) {
        atls_writer_bytes(w, cose->unprotected);
    } else {
        atls_cbor_write_head(w, ATLS_CBOR_MAP, 0);
    }
    if (cose->is_detached) {
        atls_cbor_write_head(w, ATLS_CBOR_NULL, 0);
    } else {
        atls_cbor_write_string(w, ATLS_CBOR_BYTES, cose->payload);
    }
    atls_cbor_write_string(w, ATLS_CBOR_BYTES, signature);
    if (cose->has_trailing) {
        atls_writer_u8(w, 0);
    }
}

atls_code sim_cose_make(const sim_cose *cose, uint8_t **out, size_t *len, atls_err *err)
{
    const size_t cap =
        cose->payload.len + cose->protected_header.len + cose->unprotected.len + SIGNATURE_MAX + 64;
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len = 0;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, cap);
    write_to_be_signed(cose, &w);
    bool ok = atls_writer_ok(&w) && sign(cose, atls_writer_done(&w), signature, &signature_len);
    w = atls_writer_of(space, cap);
    write_message(cose, (atls_buf){signature, signature_len}, &w);
    if (!ok || !atls_writer_ok(&w)) {
        free(space);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a message could not be signed");
    }
    *out = space;
    *len = w.len;
    return ATLS_OK;
}

EVP_PKEY *sim_key_new(const char *curve)
{
    return EVP_EC_gen(curve);
}

char *sim_key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *data = NULL;
    char *copy = NULL;
    if (bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        const long len = BIO_get_mem_data(bio, &data);
        copy = len > 0 ? calloc(1, (size_t)len + 1) : NULL;
        if (copy != NULL) {
            memcpy(copy, data, (size_t)len);
        }
    }
    BIO_free(bio);
    return copy;
}

EVP_PKEY *sim_key_from_pem(const char *pem)
{
    BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return key;
}
