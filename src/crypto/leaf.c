#include "crypto/leaf.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "crypto/key.h"
#include "crypto/tls_signature.h"

/* AlgorithmIdentifiers of the keys we take (RFC 5480, 8410, 3279). Comparing the bytes keeps OpenSSL from
 * decoding explicit curve parameters and key types that nobody asked for. */
static const uint8_t alg_p256[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                   0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t alg_p384[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                   0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t alg_ed25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t alg_rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

static const atls_buf algorithms[] = {
    {alg_p256, sizeof alg_p256},
    {alg_p384, sizeof alg_p384},
    {alg_ed25519, sizeof alg_ed25519},
    {alg_rsa, sizeof alg_rsa},
};

typedef struct der_element {
    int tag, tag_class;
    atls_buf whole, content;
} der_element;

/* Takes the next element of definite length off *rest. */
static bool der_next(atls_buf *rest, der_element *out)
{
    const unsigned char *p = rest->ptr;
    long len = 0;
    if (rest->len == 0 || rest->len > ATLS_LEAF_MAX) {
        return false;
    }
    int rc = ASN1_get_object(&p, &len, &out->tag, &out->tag_class, (long)rest->len);
    size_t head = (size_t)(p - rest->ptr);
    if ((rc & 0x81) != 0 || len < 0 || head > rest->len || (size_t)len > rest->len - head) {
        return false; /* 0x80: malformed or too long; 0x01: indefinite */
    }
    out->content = (atls_buf){p, (size_t)len};
    out->whole = (atls_buf){rest->ptr, head + (size_t)len};
    *rest = (atls_buf){p + len, rest->len - head - (size_t)len};
    return true;
}

static bool der_sequence(atls_buf *rest, der_element *out)
{
    return der_next(rest, out) && out->tag_class == V_ASN1_UNIVERSAL && out->tag == V_ASN1_SEQUENCE;
}

/* RFC 5280, 4.1: Certificate { tbs { [0] version, serial, signature, issuer, validity, subject, SPKI. */
static bool find_spki(atls_buf der, atls_buf *spki)
{
    der_element e = {0};
    atls_buf rest = der;
    if (!der_sequence(&rest, &e) || rest.len != 0) {
        return false;
    }
    rest = e.content;
    if (!der_sequence(&rest, &e)) {
        return false;
    }
    rest = e.content;
    bool ok = der_next(&rest, &e);
    if (ok && e.tag_class == V_ASN1_CONTEXT_SPECIFIC && e.tag == 0) {
        ok = der_next(&rest, &e); /* the serial number after an explicit version */
    }
    for (int skipped = 0; ok && skipped < 4; skipped++) {
        ok = der_sequence(&rest, &e);
    }
    if (!ok || !der_sequence(&rest, &e)) {
        return false;
    }
    *spki = e.whole;
    return true;
}

/* SubjectPublicKeyInfo { AlgorithmIdentifier, BIT STRING of whole bytes }, nothing more. */
static bool key_kind_is_taken(atls_buf spki)
{
    der_element e = {0};
    atls_buf rest = spki;
    if (spki.len > ATLS_LEAF_SPKI_MAX || !der_sequence(&rest, &e) || rest.len != 0) {
        return false;
    }
    rest = e.content;
    if (!der_sequence(&rest, &e)) {
        return false;
    }
    const atls_buf algorithm = e.whole;
    if (!der_next(&rest, &e) || rest.len != 0 || e.tag != V_ASN1_BIT_STRING ||
        e.tag_class != V_ASN1_UNIVERSAL || e.content.len < 2 || e.content.ptr[0] != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (algorithm.len == algorithms[i].len &&
            memcmp(algorithm.ptr, algorithms[i].ptr, algorithm.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool key_size_is_taken(const EVP_PKEY *key)
{
    return key != NULL && (EVP_PKEY_is_a(key, "RSA") != 1 ||
                           atls_tls_scheme_fits(ATLS_TLS_RSA_PSS_RSAE_SHA256, key));
}

static bool encodes_to(X509_PUBKEY *pubkey, atls_buf spki)
{
    unsigned char *again = NULL;
    int len = i2d_X509_PUBKEY(pubkey, &again);
    bool same = len > 0 && (size_t)len == spki.len && memcmp(again, spki.ptr, spki.len) == 0;
    OPENSSL_free(again);
    return same;
}

static atls_code refuse_key(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "leaf.key",
                    "the certificate's key is none of P-256, P-384, Ed25519, RSA of %d to %d bits",
                    ATLS_TLS_RSA_BITS_MIN, ATLS_TLS_RSA_BITS_MAX);
}

static atls_code decode(atls_buf der, atls_buf *spki, EVP_PKEY **key, atls_err *err)
{
    atls_buf found = {0};
    if (!find_spki(der, &found)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "leaf.malformed", "the certificate is not DER");
    }
    if (!key_kind_is_taken(found)) {
        return refuse_key(err);
    }
    atls_code rc = ATLS_OK;
    const unsigned char *end = der.ptr;
    EVP_PKEY *pkey = NULL;
    X509 *x = d2i_X509(NULL, &end, (long)der.len);
    if (x == NULL || end != der.ptr + der.len || !encodes_to(X509_get_X509_PUBKEY(x), found)) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "leaf.malformed",
                      "the certificate does not decode as DER of X.509");
        goto out;
    }
    pkey = X509_get0_pubkey(x);
    if (!key_size_is_taken(pkey)) {
        rc = refuse_key(err);
        goto out;
    }
    if (EVP_PKEY_up_ref(pkey) != 1) {
        rc = ATLS_ERR_NOMEM(err);
        goto out;
    }
    *spki = found;
    *key = pkey;
out:
    X509_free(x);
    return rc;
}

/* OpenSSL's queue of errors stays as it was: SSL_get_error would take what is left there for its own. */
atls_code atls_leaf_decode(atls_buf der, atls_buf *spki, EVP_PKEY **key, atls_err *err)
{
    if (der.len == 0 || der.len > ATLS_LEAF_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "leaf.size",
                        "the certificate has %zu bytes, where 1 to %d are allowed", der.len,
                        ATLS_LEAF_MAX);
    }
    ERR_set_mark();
    atls_code rc = decode(der, spki, key, err);
    ERR_pop_to_mark();
    return rc;
}

atls_code atls_leaf_known(atls_buf der, atls_buf *spki, EVP_PKEY **key, atls_err *err)
{
    atls_buf found = {0};
    if (der.len > ATLS_LEAF_MAX || !find_spki(der, &found)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "leaf.malformed", "the certificate is not DER");
    }
    ATLS_TRY(atls_leaf_key(found, key, err));
    *spki = found;
    return ATLS_OK;
}

/* SubjectPublicKeyInfo of a P-256 key with an uncompressed point is these bytes and nothing else. */
static EVP_PKEY *p256_key(atls_buf spki)
{
    static const uint8_t head[] = {0x30, 0x59}, tail[] = {0x03, 0x42, 0x00, 0x04};
    const size_t point = sizeof head + sizeof alg_p256 + sizeof tail;
    if (spki.len != point + 64 || memcmp(spki.ptr, head, sizeof head) != 0 ||
        memcmp(spki.ptr + sizeof head, alg_p256, sizeof alg_p256) != 0 ||
        memcmp(spki.ptr + point - sizeof tail, tail, sizeof tail) != 0) {
        return NULL;
    }
    return atls_key_p256_pkey(spki.ptr + point);
}

atls_code atls_leaf_key(atls_buf spki, EVP_PKEY **key, atls_err *err)
{
    ERR_set_mark();
    const unsigned char *end = spki.ptr + spki.len;
    EVP_PKEY *pkey = p256_key(spki); /* imports in a twentieth of the time */
    if (pkey == NULL && key_kind_is_taken(spki)) {
        end = spki.ptr;
        pkey = d2i_PUBKEY(NULL, &end, (long)spki.len);
    }
    ERR_pop_to_mark();
    if (pkey == NULL || end != spki.ptr + spki.len || !key_size_is_taken(pkey)) {
        EVP_PKEY_free(pkey);
        return refuse_key(err);
    }
    *key = pkey;
    return ATLS_OK;
}
