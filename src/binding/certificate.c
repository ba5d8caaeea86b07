/* certificate.c: certificates that carry evidence: reading them, and what is asked of one that no PKI vouches for. */
#include "binding/certificate.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "base/reader.h"
#include "crypto/leaf.h"
#include "crypto/x509_field.h"

static atls_buf oid_of(X509_EXTENSION *ext)
{
    const ASN1_OBJECT *object = X509_EXTENSION_get_object(ext);
    return (atls_buf){OBJ_get0_data(object), OBJ_length(object)};
}

static bool same(atls_buf a, atls_buf b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* --- reading --- */

static bool has_duplicates(const X509 *x509)
{
    int n = X509_get_ext_count(x509);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) {
            if (same(oid_of(X509_get_ext(x509, i)), oid_of(X509_get_ext(x509, k)))) {
                return true;
            }
        }
    }
    return false;
}

static atls_code take_apart(atls_carrier *c, atls_err *err)
{
    if (X509_get_version(c->x509) != X509_VERSION_3) {
        return ATLS_ERR(err, ATLS_E_INVALID, "certificate.version",
                        "a certificate of version %ld, where 3 is wanted",
                        X509_get_version(c->x509) + 1);
    }
    if (X509_get_ext_count(c->x509) > 64 || has_duplicates(c->x509)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "certificate.duplicate",
                        "more than 64 extensions, or two of one kind");
    }
    if (!atls_x509_time(X509_get0_notBefore(c->x509), &c->not_before_s) ||
        !atls_x509_time(X509_get0_notAfter(c->x509), &c->not_after_s)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "certificate.malformed",
                        "dates that are not in the form of RFC 5280");
    }
    c->self_issued =
        X509_NAME_cmp(X509_get_issuer_name(c->x509), X509_get_subject_name(c->x509)) == 0;
    /* The bytes as they stand there, which are what is hashed; OpenSSL's must be the same. */
    unsigned char *again = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &again);
    bool ok = len > 0 && atls_leaf_locate_spki(c->der, &c->spki) &&
              same(c->spki, (atls_buf){again, (size_t)len});
    OPENSSL_free(again);
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_INVALID, "certificate.malformed",
                         "a public key that does not stand where it should");
}

atls_code atls_carrier_of(X509 *x509, atls_buf der, atls_carrier *out, atls_err *err)
{
    atls_carrier c = {.der = der, .x509 = x509};
    if (X509_up_ref(x509) != 1) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = take_apart(&c, err);
    if (rc != ATLS_OK) {
        atls_carrier_clear(&c);
        return rc;
    }
    *out = c;
    return ATLS_OK;
}

atls_code atls_carrier_parse(atls_buf der, atls_carrier *out, atls_err *err)
{
    X509 *x509 = NULL;
    const unsigned char *at = der.ptr;
    if (der.len > 0 && der.len <= ATLS_CARRIER_MAX_LEN) {
        x509 = d2i_X509(NULL, &at, (long)der.len);
    }
    ERR_clear_error();
    atls_code rc = ATLS_OK;
    if (x509 == NULL || at != der.ptr + der.len) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "certificate.malformed",
                      "%zu bytes that are not one certificate in DER of at most %u", der.len,
                      ATLS_CARRIER_MAX_LEN);
    } else {
        rc = atls_carrier_of(x509, der, out, err);
    }
    X509_free(x509);
    return rc;
}

void atls_carrier_clear(atls_carrier *c)
{
    X509_free(c->x509);
    memset(c, 0, sizeof *c);
}

bool atls_carrier_extension(const atls_carrier *c, atls_buf oid, atls_buf *value, bool *critical)
{
    int n = X509_get_ext_count(c->x509);
    for (int i = 0; i < n; i++) {
        X509_EXTENSION *ext = X509_get_ext(c->x509, i);
        if (same(oid_of(ext), oid)) {
            *value = atls_asn1_bytes(X509_EXTENSION_get_data(ext));
            if (critical != NULL) {
                *critical = X509_EXTENSION_get_critical(ext) == 1;
            }
            return true;
        }
    }
    return false;
}

bool atls_der_content(atls_buf value, uint8_t tag, atls_buf *content)
{
    const unsigned char *at = value.ptr;
    long len = 0;
    int number = 0;
    int class = 0;
    if (value.len == 0 || value.len > ATLS_CARRIER_MAX_LEN || value.ptr[0] != tag) {
        return false;
    }
    int ret = ASN1_get_object(&at, &len, &number, &class, (long)value.len);
    ERR_clear_error();
    /* 0x80: an error; 1: indefinite length */
    if ((ret & 0x81) != 0 || at + len != value.ptr + value.len) {
        return false;
    }
    *content = (atls_buf){at, (size_t)len};
    return true;
}

bool atls_der_octets(atls_buf value, atls_buf *content)
{
    return atls_der_content(value, V_ASN1_OCTET_STRING, content);
}

/* --- what is asked of one --- */

static bool known_critical(X509_EXTENSION *ext, const atls_buf *known, size_t known_n)
{
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
    if (nid == NID_basic_constraints || nid == NID_key_usage || nid == NID_ext_key_usage ||
        nid == NID_subject_alt_name) {
        return true;
    }
    for (size_t i = 0; i < known_n; i++) {
        if (same(oid_of(ext), known[i])) {
            return true;
        }
    }
    return false;
}

atls_code atls_carrier_check_critical(const atls_carrier *c, const atls_buf *known, size_t known_n,
                                      atls_err *err)
{
    int n = X509_get_ext_count(c->x509);
    for (int i = 0; i < n; i++) {
        X509_EXTENSION *ext = X509_get_ext(c->x509, i);
        if (X509_EXTENSION_get_critical(ext) == 1 && !known_critical(ext, known, known_n)) {
            char oid[80] = "";
            (void)OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(ext), 1);
            return ATLS_ERR(err, ATLS_E_INVALID, "certificate.critical",
                            "a critical extension %s that this dialect does not know", oid);
        }
    }
    return ATLS_OK;
}

atls_code atls_carrier_check_time(const atls_carrier *c, int64_t when_s, atls_err *err)
{
    if (when_s < c->not_before_s || when_s > c->not_after_s) {
        return ATLS_ERR(err, ATLS_E_BINDING, "certificate.time",
                        when_s < c->not_before_s
                            ? "the certificate that carries the evidence is not yet valid"
                            : "the certificate that carries the evidence has expired");
    }
    return ATLS_OK;
}

atls_code atls_carrier_check_signature(const atls_carrier *c, atls_err *err)
{
    EVP_PKEY *key = X509_get0_pubkey(c->x509);
    bool ok = c->self_issued && key != NULL && X509_verify(c->x509, key) == 1;
    ERR_clear_error();
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_INVALID, "certificate.signature",
                         c->self_issued
                             ? "the certificate's signature is not by its own key"
                             : "the certificate is not self-signed, and no CA was given");
}

atls_code atls_carrier_check(const atls_carrier *c, int64_t when_s, const atls_buf *known,
                             size_t known_n, atls_err *err)
{
    ATLS_TRY(atls_carrier_check_signature(c, err));
    ATLS_TRY(atls_carrier_check_time(c, when_s, err));
    return atls_carrier_check_critical(c, known, known_n, err);
}

/* --- after the handshake --- */

static atls_code judge_peer(atls_link *link, const atls_carrier *c, atls_err *err)
{
    bool found = false;
    if (!link->peer_by_pki) {
        if (!link->peer_self_signed) {
            ATLS_TRY(atls_carrier_check_signature(c, err));
            link->peer_self_signed = true;
        }
        ATLS_TRY(atls_carrier_check_time(c, link->when_s, err));
        ATLS_TRY(atls_carrier_check_critical(c, link->binding->critical, link->binding->critical_n,
                                             err));
    }
    ATLS_TRY(link->binding->read_certificate(c, link->options, link->options_n, &link->carried,
                                             &found, err));
    if (!found) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "the peer's certificate carries no evidence of %s", link->binding->name);
    }
    return ATLS_OK;
}

atls_code atls_certificate_exchange(atls_link *link, atls_step *next, atls_err *err)
{
    *next = ATLS_STEP_DONE;
    if (!link->asks || link->verdict != NULL) {
        return ATLS_OK;
    }
    if (link->peer_der.len == 0) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "the peer shows no certificate, and so no evidence");
    }
    atls_carrier c;
    ATLS_TRY(atls_carrier_of(link->peer, link->peer_der, &c, err));
    atls_code rc = judge_peer(link, &c, err);
    atls_carrier_clear(&c);
    *next = rc == ATLS_OK ? ATLS_STEP_JUDGE : ATLS_STEP_DONE;
    return rc;
}
