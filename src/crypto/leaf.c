#include "crypto/leaf.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/key.h"
#include "crypto/tls_signature.h"

/* What stands before the key in a SubjectPublicKeyInfo (RFC 5480, 8410, 3279). Keys of elliptic curves have one
 * DER form, so that comparing bytes is all the decoding: OpenSSL meets no curve parameters, and no key
 * type that nobody asked for. */
static const uint8_t p256_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t p384_prefix[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                      0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                      0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};
static const uint8_t ed25519_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
/* Behind the outer head, whose length varies with the key: 30 82 xx xx from 2048 bits on. */
static const uint8_t rsa_algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
#define RSA_HEAD 4

typedef enum leaf_kind { KIND_OTHER = 0, KIND_P256, KIND_P384, KIND_ED25519, KIND_RSA } leaf_kind;

static bool begins(atls_buf bytes, const uint8_t *prefix, size_t len, size_t rest)
{
    return bytes.len == len + rest && memcmp(bytes.ptr, prefix, len) == 0;
}

static leaf_kind kind_of(atls_buf spki)
{
    if (begins(spki, p256_prefix, sizeof p256_prefix, 64)) {
        return KIND_P256;
    }
    if (begins(spki, p384_prefix, sizeof p384_prefix, 96)) {
        return KIND_P384;
    }
    if (begins(spki, ed25519_prefix, sizeof ed25519_prefix, 32)) {
        return KIND_ED25519;
    }
    if (spki.len > RSA_HEAD + sizeof rsa_algorithm && spki.len <= ATLS_LEAF_SPKI_MAX &&
        memcmp(spki.ptr + RSA_HEAD, rsa_algorithm, sizeof rsa_algorithm) == 0) {
        return KIND_RSA;
    }
    return KIND_OTHER;
}

/* NULL unless the key is of these very bytes. */
static EVP_PKEY *decode_key(atls_buf spki)
{
    if (kind_of(spki) == KIND_P256) {
        return atls_key_p256_pkey(spki.ptr + sizeof p256_prefix); /* in a twentieth of the time */
    }
    const unsigned char *end = spki.ptr;
    unsigned char *again = NULL;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &end, (long)spki.len);
    int len = key == NULL ? 0 : i2d_PUBKEY(key, &again);
    if (len <= 0 || (size_t)len != spki.len || memcmp(again, spki.ptr, spki.len) != 0) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    OPENSSL_free(again);
    return key;
}

static bool rsa_is_taken(atls_buf spki)
{
    ERR_set_mark();
    EVP_PKEY *key = decode_key(spki);
    bool taken = atls_tls_scheme_fits(ATLS_TLS_RSA_PSS_RSAE_SHA256, key);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return taken;
}

typedef struct der_element {
    int tag, tag_class;
    atls_buf whole, content;
} der_element;

/* Takes the next element of definite length off *rest. */
static bool der_next(atls_buf *rest, der_element *out)
{
    const unsigned char *p = rest->ptr;
    long len = 0;
    if (rest->len == 0 || rest->len > ATLS_LEAF_DER_MAX) {
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
bool atls_leaf_locate_spki(atls_buf der, atls_buf *spki)
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

static bool is_key_of(const atls_cert *cert, atls_buf spki)
{
    return cert->spki.len == spki.len && memcmp(cert->spki.ptr, spki.ptr, spki.len) == 0;
}

atls_code atls_leaf_spki(atls_buf der, atls_buf *spki, atls_err *err)
{
    if (der.len == 0 || der.len > ATLS_LEAF_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "leaf.size",
                        "the certificate has %zu bytes, where 1 to %d are allowed", der.len,
                        ATLS_LEAF_MAX);
    }
    atls_buf found = {0};
    atls_cert *cert = NULL;
    ERR_set_mark(); /* SSL_get_error would take what is left in OpenSSL's queue for its own */
    atls_code rc =
        atls_leaf_locate_spki(der, &found) ? atls_cert_parse(der, &cert, err) : ATLS_E_INVALID;
    bool ok = rc == ATLS_OK && is_key_of(cert, found);
    ERR_pop_to_mark();
    atls_cert_free(cert);
    if (rc == ATLS_E_SYSTEM) {
        return rc;
    }
    if (!ok) {
        return ATLS_ERR(err, ATLS_E_INVALID, "leaf.malformed",
                        "the certificate does not decode as DER of X.509, version 3");
    }
    leaf_kind kind = kind_of(found);
    if (kind == KIND_OTHER || (kind == KIND_RSA && !rsa_is_taken(found))) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "leaf.key",
            "the certificate's key is none of P-256, P-384, Ed25519, RSA of %d to %d bits",
            ATLS_TLS_RSA_BITS_MIN, ATLS_TLS_RSA_BITS_MAX);
    }
    *spki = found;
    return ATLS_OK;
}

bool atls_leaf_fits(atls_buf spki, uint16_t scheme)
{
    switch (scheme) {
    case ATLS_TLS_ECDSA_SECP256R1_SHA256:
        return kind_of(spki) == KIND_P256;
    case ATLS_TLS_ECDSA_SECP384R1_SHA384:
        return kind_of(spki) == KIND_P384;
    case ATLS_TLS_ED25519:
        return kind_of(spki) == KIND_ED25519;
    case ATLS_TLS_RSA_PSS_RSAE_SHA256:
    case ATLS_TLS_RSA_PSS_RSAE_SHA384:
    case ATLS_TLS_RSA_PSS_RSAE_SHA512:
        return kind_of(spki) == KIND_RSA && rsa_is_taken(spki);
    default:
        return false;
    }
}

bool atls_leaf_verify(atls_buf spki, uint16_t scheme, atls_buf message, atls_buf signature)
{
    if (!atls_leaf_fits(spki, scheme)) {
        return false;
    }
    ERR_set_mark();
    EVP_PKEY *key = decode_key(spki);
    bool ok = key != NULL && atls_tls_verify(scheme, key, message, signature);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return ok;
}
