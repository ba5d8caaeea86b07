#include "crypto/file_signature.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "crypto/pem.h"
#include "crypto/tls_signature.h"

struct atls_file_key {
    EVP_PKEY *pkey;
    atls_file_scheme scheme;
};

/* The schemes are those of TLS 1.3 under other numbers. */
static const uint16_t tls_schemes[] = {
    [ATLS_FILE_ECDSA_P256_SHA256] = ATLS_TLS_ECDSA_SECP256R1_SHA256,
    [ATLS_FILE_ECDSA_P384_SHA384] = ATLS_TLS_ECDSA_SECP384R1_SHA384,
    [ATLS_FILE_ED25519] = ATLS_TLS_ED25519,
};

/* Takes pkey. */
static atls_code make(EVP_PKEY *pkey, const char *check, atls_file_key **out, atls_err *err)
{
    atls_file_scheme scheme = ATLS_FILE_UNSIGNED;
    for (unsigned s = ATLS_FILE_ECDSA_P256_SHA256; s <= ATLS_FILE_ED25519; s++) {
        if (pkey != NULL && atls_tls_scheme_fits(tls_schemes[s], pkey)) {
            scheme = (atls_file_scheme)s;
        }
    }
    if (scheme == ATLS_FILE_UNSIGNED) {
        EVP_PKEY_free(pkey);
        return ATLS_ERR(err, ATLS_E_USAGE, check,
                        "not one unencrypted PEM key on P-256, P-384 or of Ed25519");
    }
    atls_file_key *key = malloc(sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return ATLS_ERR_NOMEM(err);
    }
    *key = (atls_file_key){pkey, scheme};
    *out = key;
    return ATLS_OK;
}

static int no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1; /* OpenSSL would ask the terminal otherwise */
}

atls_code atls_file_key_private(atls_buf pem, atls_file_key **out, atls_err *err)
{
    if (pem.len == 0 || pem.len > ATLS_FILE_KEY_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "file_key.private", "%zu bytes of a private key",
                        pem.len);
    }
    ERR_set_mark();
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    ERR_pop_to_mark();
    return make(pkey, "file_key.private", out, err);
}

atls_code atls_file_key_public(atls_buf pem, atls_file_key **out, atls_err *err)
{
    uint8_t space[ATLS_FILE_KEY_MAX];
    size_t used = 0;
    atls_buf der = {NULL, 0};
    EVP_PKEY *pkey = NULL;
    if (pem.len <= sizeof space &&
        atls_pem_next(&pem, "PUBLIC KEY", space, sizeof space, &used, &der) && pem.len == 0) {
        const unsigned char *at = der.ptr;
        ERR_set_mark();
        pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
        ERR_pop_to_mark();
        if (pkey != NULL && at != der.ptr + der.len) {
            EVP_PKEY_free(pkey);
            pkey = NULL;
        }
    }
    return make(pkey, "file_key.public", out, err);
}

void atls_file_key_free(atls_file_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        free(key);
    }
}

atls_file_scheme atls_file_key_scheme(const atls_file_key *key)
{
    return key->scheme;
}

atls_code atls_file_key_sha256(const atls_file_key *key, uint8_t out[32], atls_err *err)
{
    unsigned char *der = NULL;
    const int len = i2d_PUBKEY(key->pkey, &der);
    if (len <= 0) {
        return ATLS_ERR_NOMEM(err);
    }
    const atls_buf spki = {der, (size_t)len};
    atls_code rc = atls_digest(ATLS_SHA256, &spki, 1, out, err);
    OPENSSL_free(der);
    return rc;
}

atls_code atls_file_sign(const atls_file_key *key, atls_buf message,
                         uint8_t out[ATLS_FILE_SIGNATURE_MAX], size_t *len, atls_err *err)
{
    uint8_t space[ATLS_TLS_SIGNATURE_MAX];
    size_t n = 0;
    ATLS_TRY(atls_tls_sign(tls_schemes[key->scheme], key->pkey, message, space, &n, err));
    if (n > ATLS_FILE_SIGNATURE_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.sign", "a signature of %zu bytes", n);
    }
    memcpy(out, space, n);
    *len = n;
    return ATLS_OK;
}

bool atls_file_verify(const atls_file_key *key, atls_buf message, atls_buf signature)
{
    return atls_tls_verify(tls_schemes[key->scheme], key->pkey, message, signature);
}
