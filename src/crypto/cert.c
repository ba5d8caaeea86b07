#include "crypto/cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "crypto/pem.h"
#include "crypto/x509_field.h"

#define EXTENSIONS_MAX 64
#define OID_MAX_LEN    64 /* bytes of DER */

/* RFC 5280, 4.1, with the signed part, names and key left as bytes. */
typedef struct outer_fields {
    ASN1_STRING *tbs;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
} outer_fields;

typedef struct validity_fields {
    ASN1_TIME *not_before, *not_after;
} validity_fields;

typedef struct tbs_fields {
    ASN1_INTEGER *version, *serial;
    X509_ALGOR *algorithm;
    ASN1_STRING *issuer;
    validity_fields *validity;
    ASN1_STRING *subject, *spki;
    ASN1_BIT_STRING *issuer_uid, *subject_uid;
    STACK_OF(X509_EXTENSION) * extensions;
} tbs_fields;

typedef struct attribute_fields { /* one of a name: CN=... */
    ASN1_OBJECT *type;
    ASN1_TYPE *value;
} attribute_fields;
DEFINE_STACK_OF(attribute_fields)
typedef STACK_OF(attribute_fields) rdn_fields;
DEFINE_STACK_OF(rdn_fields)
typedef STACK_OF(rdn_fields) name_fields;

/* clang-format off */
ASN1_SEQUENCE(outer_fields) = {
    ASN1_SIMPLE(outer_fields, tbs, ASN1_SEQUENCE),
    ASN1_SIMPLE(outer_fields, algorithm, X509_ALGOR),
    ASN1_SIMPLE(outer_fields, signature, ASN1_BIT_STRING)
} static_ASN1_SEQUENCE_END(outer_fields)

ASN1_SEQUENCE(validity_fields) = {
    ASN1_SIMPLE(validity_fields, not_before, ASN1_TIME),
    ASN1_SIMPLE(validity_fields, not_after, ASN1_TIME)
} static_ASN1_SEQUENCE_END(validity_fields)

ASN1_SEQUENCE(tbs_fields) = {
    ASN1_EXP_OPT(tbs_fields, version, ASN1_INTEGER, 0),
    ASN1_SIMPLE(tbs_fields, serial, ASN1_INTEGER),
    ASN1_SIMPLE(tbs_fields, algorithm, X509_ALGOR),
    ASN1_SIMPLE(tbs_fields, issuer, ASN1_SEQUENCE),
    ASN1_SIMPLE(tbs_fields, validity, validity_fields),
    ASN1_SIMPLE(tbs_fields, subject, ASN1_SEQUENCE),
    ASN1_SIMPLE(tbs_fields, spki, ASN1_SEQUENCE),
    ASN1_IMP_OPT(tbs_fields, issuer_uid, ASN1_BIT_STRING, 1),
    ASN1_IMP_OPT(tbs_fields, subject_uid, ASN1_BIT_STRING, 2),
    ASN1_EXP_SEQUENCE_OF_OPT(tbs_fields, extensions, X509_EXTENSION, 3)
} static_ASN1_SEQUENCE_END(tbs_fields)

ASN1_SEQUENCE(attribute_fields) = {
    ASN1_SIMPLE(attribute_fields, type, ASN1_OBJECT),
    ASN1_SIMPLE(attribute_fields, value, ASN1_ANY)
} static_ASN1_SEQUENCE_END(attribute_fields)

ASN1_ITEM_TEMPLATE(rdn_fields) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, rdn_fields, attribute_fields)
static_ASN1_ITEM_TEMPLATE_END(rdn_fields)

ASN1_ITEM_TEMPLATE(name_fields) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, name_fields, rdn_fields)
static_ASN1_ITEM_TEMPLATE_END(name_fields)
    /* clang-format on */

    /* What lives behind an atls_cert: its views point in here. */
    typedef struct cert_store {
    atls_cert facts; /* first: an atls_cert is the start of a cert_store */
    outer_fields *outer;
    tbs_fields *tbs;
    AUTHORITY_KEYID *aki;
    ASN1_OCTET_STRING *ski;
    uint8_t der[];
} cert_store;

static void store_free(cert_store *s)
{
    if (s != NULL) {
        ASN1_item_free((ASN1_VALUE *)s->outer, ASN1_ITEM_rptr(outer_fields));
        ASN1_item_free((ASN1_VALUE *)s->tbs, ASN1_ITEM_rptr(tbs_fields));
        AUTHORITY_KEYID_free(s->aki);
        ASN1_OCTET_STRING_free(s->ski);
        free(s);
    }
}

static void take_text(const ASN1_TYPE *value, char *out, size_t cap)
{
    int type = ASN1_TYPE_get(value);
    if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING && type != V_ASN1_IA5STRING) {
        return;
    }
    atls_buf b = atls_asn1_bytes(value->value.asn1_string);
    if (b.len >= cap) {
        return;
    }
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] < 0x20 || b.ptr[i] > 0x7e) {
            return;
        }
    }
    if (b.len > 0) {
        memcpy(out, b.ptr, b.len);
    }
    out[b.len] = '\0';
}

/* CN, O and OU out of the subject: the only text of a name that anybody here looks at. */
static bool read_subject(atls_cert *c)
{
    name_fields *name = atls_x509_extension_value(c->subject, ASN1_ITEM_rptr(name_fields));
    if (name == NULL) {
        return false;
    }
    struct {
        uint8_t attribute; /* 2.5.4.x */
        char *text;
        size_t cap, n;
    } wanted[] = {{3, c->subject_cn, sizeof c->subject_cn, 0},
                  {10, c->subject_o, sizeof c->subject_o, 0},
                  {11, c->subject_ou, sizeof c->subject_ou, 0}};
    for (int i = 0; i < sk_rdn_fields_num(name); i++) {
        const rdn_fields *rdn = sk_rdn_fields_value(name, i);
        for (int k = 0; k < sk_attribute_fields_num(rdn); k++) {
            const attribute_fields *a = sk_attribute_fields_value(rdn, k);
            const uint8_t *oid = OBJ_get0_data(a->type);
            if (OBJ_length(a->type) != 3 || oid[0] != 0x55 || oid[1] != 0x04) {
                continue;
            }
            for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
                if (oid[2] == wanted[w].attribute && wanted[w].n++ == 0) {
                    take_text(a->value, wanted[w].text, wanted[w].cap);
                }
            }
        }
    }
    ASN1_item_free((ASN1_VALUE *)name, ASN1_ITEM_rptr(name_fields));
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        if (wanted[w].n > 1) {
            wanted[w].text[0] = '\0'; /* which one counts would be a guess */
        }
    }
    return true;
}

static bool read_key_usage(atls_cert *c, atls_buf value)
{
    ASN1_BIT_STRING *bits = atls_x509_extension_value(value, ASN1_ITEM_rptr(ASN1_BIT_STRING));
    if (bits == NULL) {
        return false;
    }
    c->has_key_usage = true; /* RFC 5280, 4.2.1.3 */
    c->ku_digital_signature = ASN1_BIT_STRING_get_bit(bits, 0) != 0;
    c->ku_cert_sign = ASN1_BIT_STRING_get_bit(bits, 5) != 0;
    c->ku_crl_sign = ASN1_BIT_STRING_get_bit(bits, 6) != 0;
    ASN1_BIT_STRING_free(bits);
    return true;
}

static bool read_basic_constraints(atls_cert *c, atls_buf value)
{
    BASIC_CONSTRAINTS *bc = atls_x509_extension_value(value, ASN1_ITEM_rptr(BASIC_CONSTRAINTS));
    if (bc == NULL) {
        return false;
    }
    c->has_basic_constraints = true;
    c->is_ca = bc->ca != 0;
    uint8_t len[ATLS_SERIAL_MAX];
    size_t n = 0;
    bool good = bc->pathlen == NULL || (atls_x509_serial(bc->pathlen, len, &n) && n <= 1);
    if (good && bc->pathlen != NULL) {
        c->path_len = n == 0 ? 0 : len[0];
    }
    BASIC_CONSTRAINTS_free(bc);
    return good;
}

static bool read_extension(cert_store *s, atls_extension kind, atls_buf value)
{
    atls_cert *c = &s->facts;
    switch (kind) {
    case ATLS_EXT_AKI:
        s->aki = atls_x509_extension_value(value, ASN1_ITEM_rptr(AUTHORITY_KEYID));
        c->has_aki = true;
        c->aki = s->aki == NULL ? (atls_buf){NULL, 0} : atls_asn1_bytes(s->aki->keyid);
        return s->aki != NULL;
    case ATLS_EXT_SKI:
        s->ski = atls_x509_extension_value(value, ASN1_ITEM_rptr(ASN1_OCTET_STRING));
        c->has_ski = true;
        c->ski = atls_asn1_bytes(s->ski);
        return s->ski != NULL;
    case ATLS_EXT_KEY_USAGE:
        return read_key_usage(c, value);
    case ATLS_EXT_BASIC_CONSTRAINTS:
        return read_basic_constraints(c, value);
    case ATLS_EXT_CRL_DP:
        c->has_crl_dp = true;
        return true;
    case ATLS_EXT_SGX:
        c->sgx_extension = value;
        return value.len > 0;
    case ATLS_EXT_EKU:
        c->eku = value;
        return value.len > 0;
    case ATLS_EXT_SAN:
        c->san = value;
        return value.len > 0;
    default:
        return true;
    }
}

/* RFC 5280, 4.2: each at most once. */
static bool stands_before(const cert_store *s, int place)
{
    const ASN1_OBJECT *oid =
        X509_EXTENSION_get_object(sk_X509_EXTENSION_value(s->tbs->extensions, place));
    for (int i = 0; i < place; i++) {
        if (OBJ_cmp(X509_EXTENSION_get_object(sk_X509_EXTENSION_value(s->tbs->extensions, i)),
                    oid) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_extensions(cert_store *s)
{
    if (sk_X509_EXTENSION_num(s->tbs->extensions) > EXTENSIONS_MAX) {
        return false;
    }
    for (int i = 0; i < sk_X509_EXTENSION_num(s->tbs->extensions); i++) {
        X509_EXTENSION *ext = sk_X509_EXTENSION_value(s->tbs->extensions, i);
        atls_buf value;
        bool critical = false;
        atls_extension kind = atls_x509_extension(ext, &value, &critical);
        bool is_use = kind == ATLS_EXT_EKU || kind == ATLS_EXT_SAN;
        if (is_use || kind == ATLS_EXT_OTHER || kind == ATLS_EXT_CRL_NUMBER) {
            s->facts.unknown_critical |= critical;
            s->facts.unknown_critical_other |= critical && !is_use;
        }
        if (stands_before(s, i) || !read_extension(s, kind, value)) {
            return false;
        }
    }
    return true;
}

/* An uncompressed point on the named curve P-256 has exactly one DER form (RFC 5480). */
static void read_spki(atls_cert *c)
{
    static const uint8_t prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    if (c->spki.len == sizeof prefix + 64 && memcmp(c->spki.ptr, prefix, sizeof prefix) == 0) {
        c->has_p256 = true;
        memcpy(c->p256, c->spki.ptr + sizeof prefix, 64);
    }
}

/* NULL, or what does not fit. */
static const char *read_fields(cert_store *s)
{
    atls_cert *c = &s->facts;
    s->outer = atls_x509_extension_value(c->der, ASN1_ITEM_rptr(outer_fields));
    if (s->outer == NULL) {
        return "it is not a DER certificate";
    }
    c->tbs = atls_asn1_bytes(s->outer->tbs);
    s->tbs = atls_x509_extension_value(c->tbs, ASN1_ITEM_rptr(tbs_fields));
    if (s->tbs == NULL) {
        return "its signed part is not DER";
    }
    if (s->tbs->version == NULL || ASN1_INTEGER_get(s->tbs->version) != 2) {
        return "it is not of version 3";
    }
    if (!atls_x509_serial(s->tbs->serial, c->serial, &c->serial_len)) {
        return "its serial number is negative or longer than 20 bytes";
    }
    if (!atls_x509_time(s->tbs->validity->not_before, &c->not_before_s) ||
        !atls_x509_time(s->tbs->validity->not_after, &c->not_after_s)) {
        return "its validity is not a time";
    }
    if (!atls_x509_whole_bytes(s->outer->signature)) {
        return "its signature is not of whole bytes";
    }
    c->signature = atls_asn1_bytes(s->outer->signature);
    c->sig_known = atls_x509_signature_algorithm(s->tbs->algorithm, s->outer->algorithm,
                                                 &c->sig_scheme, &c->sig_hash);
    c->signed_ecdsa_sha256 =
        c->sig_known && c->sig_scheme == ATLS_ECDSA && c->sig_hash == ATLS_SHA256;
    c->issuer = atls_asn1_bytes(s->tbs->issuer);
    c->subject = atls_asn1_bytes(s->tbs->subject);
    c->spki = atls_asn1_bytes(s->tbs->spki);
    c->path_len = -1;
    if (!read_subject(c)) {
        return "its subject is not a name";
    }
    read_spki(c);
    return read_extensions(s)
               ? NULL
               : "an extension is malformed or stands twice, or there are more than 64";
}

atls_code atls_cert_parse(atls_buf der, atls_cert **out, atls_err *err)
{
    if (der.len == 0 || der.len > ATLS_CERT_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cert.size",
                        "a certificate of %zu bytes, where 1 to %d are allowed", der.len,
                        ATLS_CERT_MAX_LEN);
    }
    cert_store *s = calloc(1, sizeof *s + der.len);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(s->der, der.ptr, der.len);
    s->facts.der = (atls_buf){s->der, der.len};
    atomic_init(&s->facts.refs, 1);
    ERR_set_mark();
    const char *wrong = read_fields(s);
    ERR_pop_to_mark();
    if (wrong != NULL) {
        store_free(s);
        return ATLS_ERR(err, ATLS_E_INVALID, "cert.malformed",
                        "a certificate cannot be decoded: %s", wrong);
    }
    atls_code rc = atls_digest(ATLS_SHA256, &s->facts.der, 1, s->facts.sha256, err);
    if (rc != ATLS_OK) {
        store_free(s);
        return rc;
    }
    *out = &s->facts;
    return ATLS_OK;
}

atls_cert *atls_cert_up_ref(atls_cert *cert)
{
    atomic_fetch_add_explicit(&cert->refs, 1, memory_order_relaxed);
    return cert;
}

void atls_cert_free(atls_cert *cert)
{
    if (cert != NULL && atomic_fetch_sub_explicit(&cert->refs, 1, memory_order_acq_rel) == 1) {
        store_free((cert_store *)cert);
    }
}

bool atls_cert_signed_by(const atls_cert *cert, atls_key *issuer_key)
{
    uint8_t digest[32];
    return cert->signed_ecdsa_sha256 &&
           atls_digest(ATLS_SHA256, &cert->tbs, 1, digest, NULL) == ATLS_OK &&
           atls_key_verify_der(issuer_key, digest, cert->signature);
}

bool atls_cert_signed_by_key(const atls_cert *cert, atls_public_key *issuer_key)
{
    return cert->sig_known && atls_public_key_verify(issuer_key, cert->sig_scheme, cert->sig_hash,
                                                     &cert->tbs, 1, cert->signature);
}

atls_code atls_cert_public_key(const atls_cert *cert, atls_public_key **out, atls_err *err)
{
    return atls_public_key_from_spki(cert->spki, out, err);
}

/* Does the object have this dotted name? */
static bool is_oid(const ASN1_OBJECT *object, const char *oid)
{
    uint8_t der[OID_MAX_LEN];
    int len = a2d_ASN1_OBJECT(der, sizeof der, oid, -1);
    return len > 0 && OBJ_length(object) == (size_t)len &&
           memcmp(OBJ_get0_data(object), der, (size_t)len) == 0;
}

size_t atls_cert_extension(const atls_cert *cert, const char *oid, atls_buf *value, bool *critical)
{
    const cert_store *s = (const cert_store *)cert;
    size_t n = 0;
    for (int i = 0; i < sk_X509_EXTENSION_num(s->tbs->extensions); i++) {
        X509_EXTENSION *ext = sk_X509_EXTENSION_value(s->tbs->extensions, i);
        if (is_oid(X509_EXTENSION_get_object(ext), oid)) {
            n++;
            if (value != NULL) {
                *value = atls_asn1_bytes(X509_EXTENSION_get_data(ext));
            }
            if (critical != NULL) {
                *critical = X509_EXTENSION_get_critical(ext) != 0;
            }
        }
    }
    return n;
}

bool atls_cert_has_eku(const atls_cert *cert, const char *oid)
{
    ERR_set_mark();
    EXTENDED_KEY_USAGE *list = (EXTENDED_KEY_USAGE *)atls_x509_extension_value(
        cert->eku, ASN1_ITEM_rptr(EXTENDED_KEY_USAGE));
    ERR_pop_to_mark();
    bool has = false;
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        has |= is_oid(sk_ASN1_OBJECT_value(list, i), oid);
    }
    EXTENDED_KEY_USAGE_free(list);
    return has;
}

static atls_code take_der(atls_buf der, atls_buf *out, atls_err *err)
{
    if (der.len == 0 || der.len > ATLS_CERT_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cert.size",
                        "a certificate of %zu bytes, where 1 to %d are allowed", der.len,
                        ATLS_CERT_MAX_LEN);
    }
    *out = der;
    return ATLS_OK;
}

atls_code atls_cert_split(atls_buf pem_or_der, uint8_t *buf, size_t cap, atls_buf *ders, size_t max,
                          size_t *n, atls_err *err)
{
    if (!atls_pem_looks(pem_or_der)) {
        if (pem_or_der.len == 0 || pem_or_der.ptr[0] != 0x30) {
            return ATLS_ERR(err, ATLS_E_INVALID, "cert.pem",
                            "neither PEM nor DER where certificates are wanted");
        }
        ATLS_TRY(take_der(pem_or_der, &ders[0], err));
        *n = 1;
        return ATLS_OK;
    }
    size_t count = 0;
    size_t used = 0;
    atls_buf text = pem_or_der;
    while (text.len > 0) {
        atls_buf der;
        if (count == max) {
            return ATLS_ERR(err, ATLS_E_INVALID, "cert.count", "more than %zu certificates", max);
        }
        if (!atls_pem_next(&text, "CERTIFICATE", buf, cap, &used, &der)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "cert.pem",
                            "certificate %zu of the PEM text is malformed", count + 1);
        }
        ATLS_TRY(take_der(der, &ders[count], err));
        count++;
    }
    *n = count;
    return ATLS_OK;
}
