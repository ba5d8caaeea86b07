#include "crypto/x509_field.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/rsa.h>

atls_buf atls_asn1_bytes(const ASN1_STRING *s)
{
    if (s == NULL || ASN1_STRING_length(s) <= 0) {
        return (atls_buf){NULL, 0};
    }
    return (atls_buf){ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
}

static bool same(atls_buf a, const void *b, size_t len)
{
    return a.len == len && memcmp(a.ptr, b, len) == 0;
}

static atls_buf oid_bytes(const ASN1_OBJECT *oid)
{
    return (atls_buf){OBJ_get0_data(oid), OBJ_length(oid)};
}

/* Is it a hash of id-sha256, 384 or 512 (NIST's arc), with parameters absent or NULL (RFC 4055, 2.1)? */
static bool is_hash(const X509_ALGOR *algorithm, atls_hash *hash)
{
    static const uint8_t arc[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
    const ASN1_OBJECT *object = NULL;
    int parameters = V_ASN1_UNDEF;
    if (algorithm == NULL) { /* absent stands for SHA-1 */
        return false;
    }
    X509_ALGOR_get0(&object, &parameters, NULL, algorithm);
    atls_buf oid = oid_bytes(object);
    if ((parameters != V_ASN1_UNDEF && parameters != V_ASN1_NULL) || oid.len != sizeof arc + 1 ||
        memcmp(oid.ptr, arc, sizeof arc) != 0 || oid.ptr[sizeof arc] < 1 ||
        oid.ptr[sizeof arc] > 3) {
        return false;
    }
    *hash = (atls_hash)(ATLS_SHA256 + oid.ptr[sizeof arc] - 1);
    return true;
}

static bool is_mgf1_of(const X509_ALGOR *mask, atls_hash hash)
{
    static const uint8_t mgf1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08};
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int parameters = V_ASN1_UNDEF;
    if (mask == NULL) {
        return false;
    }
    X509_ALGOR_get0(&object, &parameters, &value, mask);
    if (!same(oid_bytes(object), mgf1, sizeof mgf1) || parameters != V_ASN1_SEQUENCE) {
        return false;
    }
    X509_ALGOR *inner =
        atls_x509_extension_value(atls_asn1_bytes(value), ASN1_ITEM_rptr(X509_ALGOR));
    atls_hash found = ATLS_SHA256;
    bool is = inner != NULL && is_hash(inner, &found) && found == hash;
    X509_ALGOR_free(inner);
    return is;
}

/* RFC 4055, 3.1. What is absent has a default, of which those with SHA-1 are not taken. */
static bool read_pss(atls_buf parameters, atls_hash *hash)
{
    RSA_PSS_PARAMS *pss = atls_x509_extension_value(parameters, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    bool good = pss != NULL && is_hash(pss->hashAlgorithm, hash) &&
                is_mgf1_of(pss->maskGenAlgorithm, *hash) && pss->saltLength != NULL &&
                ASN1_INTEGER_get(pss->saltLength) == (long)atls_hash_len(*hash) &&
                (pss->trailerField == NULL || ASN1_INTEGER_get(pss->trailerField) == 1);
    RSA_PSS_PARAMS_free(pss);
    return good;
}

bool atls_x509_signature_algorithm(const X509_ALGOR *inner, const X509_ALGOR *outer,
                                   atls_scheme *scheme, atls_hash *hash)
{
    static const uint8_t ecdsa[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03};
    static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
    if (X509_ALGOR_cmp(inner, outer) != 0) {
        return false;
    }
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int parameters = V_ASN1_UNDEF;
    X509_ALGOR_get0(&object, &parameters, &value, outer);
    atls_buf oid = oid_bytes(object);
    unsigned last = oid.len > 0 ? oid.ptr[oid.len - 1] : 0;
    if (oid.len == sizeof ecdsa + 1 && memcmp(oid.ptr, ecdsa, sizeof ecdsa) == 0) {
        *scheme = ATLS_ECDSA;
        *hash = (atls_hash)(ATLS_SHA256 + last - 2);
        /* RFC 5758, 3.2: the parameters are absent. */
        return parameters == V_ASN1_UNDEF && last >= 2 && last <= 4;
    }
    if (oid.len != sizeof rsa + 1 || memcmp(oid.ptr, rsa, sizeof rsa) != 0) {
        return false;
    }
    if (last == 10) {
        *scheme = ATLS_RSA_PSS;
        return parameters == V_ASN1_SEQUENCE && read_pss(atls_asn1_bytes(value), hash);
    }
    *scheme = ATLS_RSA_PKCS1;
    *hash = (atls_hash)(ATLS_SHA256 + last - 11);
    /* RFC 4055, 5: NULL, and absent is to be taken too. */
    return (parameters == V_ASN1_NULL || parameters == V_ASN1_UNDEF) && last >= 11 && last <= 13;
}

bool atls_x509_whole_bytes(const ASN1_BIT_STRING *bits)
{
    return (bits->flags & 7) == 0;
}

bool atls_x509_time(const ASN1_TIME *t, int64_t *out_s)
{
    int type = ASN1_STRING_type(t);
    atls_buf text = atls_asn1_bytes(t);
    size_t wanted = type == V_ASN1_UTCTIME ? 13 : type == V_ASN1_GENERALIZEDTIME ? 15 : 0;
    struct tm tm;
    if (wanted == 0 || text.len != wanted || text.ptr[wanted - 1] != 'Z' ||
        ASN1_TIME_to_tm(t, &tm) != 1) {
        return false;
    }
    *out_s = (int64_t)timegm(&tm);
    return true;
}

bool atls_x509_serial(const ASN1_INTEGER *n, uint8_t out[ATLS_SERIAL_MAX], size_t *len)
{
    if (ASN1_STRING_type(n) != V_ASN1_INTEGER) { /* the negative ones have a type of their own */
        return false;
    }
    atls_buf b = atls_asn1_bytes(n);
    while (b.len > 0 && b.ptr[0] == 0) {
        b.ptr++;
        b.len--;
    }
    if (b.len > ATLS_SERIAL_MAX) {
        return false;
    }
    if (b.len > 0) {
        memcpy(out, b.ptr, b.len);
    }
    *len = b.len;
    return true;
}

atls_extension atls_x509_extension(X509_EXTENSION *ext, atls_buf *value, bool *critical)
{
    static const struct {
        atls_extension kind;
        uint8_t len;
        uint8_t oid[10];
    } known[] = {
        {ATLS_EXT_SKI, 3, {0x55, 0x1d, 14}},
        {ATLS_EXT_KEY_USAGE, 3, {0x55, 0x1d, 15}},
        {ATLS_EXT_BASIC_CONSTRAINTS, 3, {0x55, 0x1d, 19}},
        {ATLS_EXT_CRL_NUMBER, 3, {0x55, 0x1d, 20}},
        {ATLS_EXT_CRL_DP, 3, {0x55, 0x1d, 31}},
        {ATLS_EXT_AKI, 3, {0x55, 0x1d, 35}},
        {ATLS_EXT_EKU, 3, {0x55, 0x1d, 37}},
        {ATLS_EXT_SAN, 3, {0x55, 0x1d, 17}},
        {ATLS_EXT_SGX, 9, {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01}},
    };
    atls_buf oid = oid_bytes(X509_EXTENSION_get_object(ext));
    *value = atls_asn1_bytes(X509_EXTENSION_get_data(ext));
    *critical = X509_EXTENSION_get_critical(ext) != 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (same(oid, known[i].oid, known[i].len)) {
            return known[i].kind;
        }
    }
    return ATLS_EXT_OTHER;
}

void *atls_x509_extension_value(atls_buf value, const ASN1_ITEM *item)
{
    if (value.len == 0 || value.len > LONG_MAX) {
        return NULL;
    }
    const uint8_t *p = value.ptr;
    ASN1_VALUE *out = ASN1_item_d2i(NULL, &p, (long)value.len, item);
    if (out != NULL && p != value.ptr + value.len) {
        ASN1_item_free(out, item);
        return NULL;
    }
    return out;
}
