/* pki.h: certificates and CRLs made at run time, right or wrong in any one respect. */
#ifndef ATLS_TESTS_PKI_H
#define ATLS_TESTS_PKI_H

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atls/types.h>

#define PKI_DAY 86400L

typedef struct pki_spec {
    const char *cn, *o;
    long serial;
    long not_before_s, not_after_s; /* seconds since 1970 */
    const char *basic;              /* "critical,CA:TRUE,pathlen:1"; NULL: extension absent */
    const char *usage;              /* "critical,keyCertSign,cRLSign" */
    bool no_ski, no_aki, no_crl_dp;
    const char *extra; /* any other: "OID=value" in OpenSSL's words, may be critical */
    atls_buf sgx;      /* value of Intel's extension */
    long version;      /* 0: 3 */
} pki_spec;

static inline EVP_PKEY *pki_key(void)
{
    return EVP_EC_gen("P-256");
}

static inline void pki_point(EVP_PKEY *key, uint8_t xy[64])
{
    uint8_t *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(key, &point);
    if (len == 65) {
        memcpy(xy, point + 1, 64);
    }
    OPENSSL_free(point);
}

static inline void pki_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = value == NULL ? NULL : X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (ext != NULL) {
        X509_add_ext(cert, ext, -1);
        X509_EXTENSION_free(ext);
    }
}

static inline void pki_add_oid(X509 *cert, const char *oid, const uint8_t *der, size_t len,
                               int critical)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, der, (int)len);
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(obj);
}

/* issuer NULL: self-issued (signed with issuer_key all the same). */
static inline X509 *pki_cert(const pki_spec *s, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *x = X509_new();
    X509_set_version(x, s->version == 0 ? X509_VERSION_3 : s->version - 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial);
    ASN1_TIME_set(X509_getm_notBefore(x), s->not_before_s);
    ASN1_TIME_set(X509_getm_notAfter(x), s->not_after_s);
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)s->cn, -1, -1, 0);
    if (s->o != NULL) {
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)s->o, -1, -1, 0);
    }
    X509_set_subject_name(x, name);
    X509_set_issuer_name(x, issuer == NULL ? name : X509_get_subject_name(issuer));
    X509_NAME_free(name);
    X509_set_pubkey(x, key);
    X509 *from = issuer == NULL ? x : issuer;
    pki_add(x, from, NID_subject_key_identifier, s->no_ski ? NULL : "hash");
    pki_add(x, from, NID_authority_key_identifier, s->no_aki ? NULL : "keyid:always");
    pki_add(x, from, NID_crl_distribution_points,
            s->no_crl_dp ? NULL : "URI:https://crl.invalid/x.crl");
    pki_add(x, from, NID_basic_constraints, s->basic);
    pki_add(x, from, NID_key_usage, s->usage);
    if (s->extra != NULL) {
        static const uint8_t null_value[] = {0x05, 0x00};
        pki_add_oid(x, s->extra, null_value, sizeof null_value, 1);
    }
    if (s->sgx.len > 0) {
        pki_add_oid(x, "1.2.840.113741.1.13.1", s->sgx.ptr, s->sgx.len, 0);
    }
    X509_sign(x, issuer_key, EVP_sha256());
    return x;
}

typedef struct pki_crl_spec {
    long this_s, next_s; /* next 0: absent */
    long number;         /* -1: absent */
    bool no_aki;
    const long *serials;
    size_t serials_n;
} pki_crl_spec;

static inline X509_CRL *pki_crl(const pki_crl_spec *s, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509_CRL *c = X509_CRL_new();
    X509_CRL_set_version(c, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(c, X509_get_subject_name(issuer));
    ASN1_TIME *t = ASN1_TIME_set(NULL, s->this_s);
    X509_CRL_set1_lastUpdate(c, t);
    ASN1_TIME_free(t);
    if (s->next_s != 0) {
        t = ASN1_TIME_set(NULL, s->next_s);
        X509_CRL_set1_nextUpdate(c, t);
        ASN1_TIME_free(t);
    }
    for (size_t i = 0; i < s->serials_n; i++) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_INTEGER *n = ASN1_INTEGER_new();
        ASN1_INTEGER_set(n, s->serials[i]);
        X509_REVOKED_set_serialNumber(r, n);
        ASN1_INTEGER_free(n);
        t = ASN1_TIME_set(NULL, s->this_s);
        X509_REVOKED_set_revocationDate(r, t);
        ASN1_TIME_free(t);
        X509_CRL_add0_revoked(c, r);
    }
    if (s->number >= 0) {
        ASN1_INTEGER *n = ASN1_INTEGER_new();
        ASN1_INTEGER_set(n, s->number);
        X509_CRL_add1_ext_i2d(c, NID_crl_number, n, 0, 0);
        ASN1_INTEGER_free(n);
    }
    if (!s->no_aki) {
        X509V3_CTX ctx;
        X509V3_set_ctx(&ctx, issuer, NULL, NULL, c, 0);
        X509_EXTENSION *ext =
            X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid");
        X509_CRL_add_ext(c, ext, -1);
        X509_EXTENSION_free(ext);
    }
    X509_CRL_sign(c, issuer_key, EVP_sha256());
    return c;
}

/* DER of either, freed by the caller with OPENSSL_free. */
static inline atls_buf pki_der(X509 *x)
{
    uint8_t *p = NULL;
    int len = i2d_X509(x, &p);
    return (atls_buf){p, (size_t)len};
}

static inline atls_buf pki_crl_der(X509_CRL *c)
{
    uint8_t *p = NULL;
    int len = i2d_X509_CRL(c, &p);
    return (atls_buf){p, (size_t)len};
}

/* PEM of one certificate, NUL-terminated, freed with free. */
static inline char *pki_pem(X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    char *out = malloc((size_t)len + 1);
    memcpy(out, data, (size_t)len);
    out[len] = '\0';
    BIO_free(bio);
    return out;
}

static inline void pki_buf_free(atls_buf b)
{
    uint8_t *p;
    memcpy(&p, &b.ptr, sizeof p);
    OPENSSL_free(p);
}

#endif
