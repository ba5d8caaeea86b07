#include "crypto/crl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "base/err.h"
#include "base/hex.h"
#include "crypto/digest.h"
#include "crypto/pem.h"
#include "crypto/x509_field.h"

/* RFC 5280, 5.1, with the signed part and the issuer left as bytes. */
typedef struct crl_outer {
    ASN1_STRING *tbs;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
} crl_outer;

typedef struct crl_entry {
    ASN1_INTEGER *serial;
    ASN1_TIME *date;
    STACK_OF(X509_EXTENSION) * extensions;
} crl_entry;
DEFINE_STACK_OF(crl_entry)

typedef struct crl_tbs {
    ASN1_INTEGER *version;
    X509_ALGOR *algorithm;
    ASN1_STRING *issuer;
    ASN1_TIME *this_update, *next_update;
    STACK_OF(crl_entry) * revoked;
    STACK_OF(X509_EXTENSION) * extensions;
} crl_tbs;

/* clang-format off */
ASN1_SEQUENCE(crl_outer) = {
    ASN1_SIMPLE(crl_outer, tbs, ASN1_SEQUENCE),
    ASN1_SIMPLE(crl_outer, algorithm, X509_ALGOR),
    ASN1_SIMPLE(crl_outer, signature, ASN1_BIT_STRING)
} static_ASN1_SEQUENCE_END(crl_outer)

ASN1_SEQUENCE(crl_entry) = {
    ASN1_SIMPLE(crl_entry, serial, ASN1_INTEGER),
    ASN1_SIMPLE(crl_entry, date, ASN1_TIME),
    ASN1_SEQUENCE_OF_OPT(crl_entry, extensions, X509_EXTENSION)
} static_ASN1_SEQUENCE_END(crl_entry)

ASN1_SEQUENCE(crl_tbs) = {
    ASN1_OPT(crl_tbs, version, ASN1_INTEGER),
    ASN1_SIMPLE(crl_tbs, algorithm, X509_ALGOR),
    ASN1_SIMPLE(crl_tbs, issuer, ASN1_SEQUENCE),
    ASN1_SIMPLE(crl_tbs, this_update, ASN1_TIME),
    ASN1_OPT(crl_tbs, next_update, ASN1_TIME),
    ASN1_SEQUENCE_OF_OPT(crl_tbs, revoked, crl_entry),
    ASN1_EXP_SEQUENCE_OF_OPT(crl_tbs, extensions, X509_EXTENSION, 0)
} static_ASN1_SEQUENCE_END(crl_tbs)
    /* clang-format on */

    /* What lives behind an atls_crl: its views point in here. */
    typedef struct crl_store {
    atls_crl facts; /* first: an atls_crl is the start of a crl_store */
    crl_outer *outer;
    ASN1_STRING *issuer;
    AUTHORITY_KEYID *aki;
    uint8_t der[];
} crl_store;

static void store_free(crl_store *s)
{
    if (s != NULL) {
        ASN1_item_free((ASN1_VALUE *)s->outer, ASN1_ITEM_rptr(crl_outer));
        ASN1_STRING_free(s->issuer);
        AUTHORITY_KEYID_free(s->aki);
        free(s->facts.serials);
        free(s);
    }
}

static int compare_serials(const void *a, const void *b)
{
    const struct atls_crl_serial *x = a;
    const struct atls_crl_serial *y = b;
    if (x->len != y->len) {
        return x->len < y->len ? -1 : 1;
    }
    return memcmp(x->bytes, y->bytes, x->len);
}

static bool read_revoked(crl_store *s, const STACK_OF(crl_entry) * revoked)
{
    int n = revoked == NULL ? 0 : sk_crl_entry_num(revoked);
    if (n <= 0) {
        return true;
    }
    s->facts.serials = calloc((size_t)n, sizeof *s->facts.serials);
    if (s->facts.serials == NULL) {
        return false;
    }
    s->facts.serials_n = (size_t)n;
    for (int i = 0; i < n; i++) {
        const crl_entry *e = sk_crl_entry_value(revoked, i);
        size_t len = 0;
        if (!atls_x509_serial(e->serial, s->facts.serials[i].bytes, &len)) {
            return false;
        }
        s->facts.serials[i].len = (uint8_t)len;
        for (int k = 0; k < sk_X509_EXTENSION_num(e->extensions); k++) {
            /* RFC 5280, 5.3: no known extension of an entry that could be critical makes it less revoked,
             * but one names another issuer, and so changes whose serial number this is. */
            s->facts.unknown_critical |=
                X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(e->extensions, k)) != 0;
        }
    }
    qsort(s->facts.serials, s->facts.serials_n, sizeof *s->facts.serials, compare_serials);
    return true;
}

static bool read_number(atls_crl *c, atls_buf value)
{
    ASN1_INTEGER *n = atls_x509_extension_value(value, ASN1_ITEM_rptr(ASN1_INTEGER));
    uint8_t b[ATLS_SERIAL_MAX];
    size_t len = 0;
    bool good = n != NULL && atls_x509_serial(n, b, &len) && len <= 8;
    c->number = 0;
    for (size_t i = 0; good && i < len; i++) {
        c->number = c->number * 256u + b[i];
    }
    c->has_number = good;
    ASN1_INTEGER_free(n);
    return good;
}

static bool read_extensions(crl_store *s, const STACK_OF(X509_EXTENSION) * extensions)
{
    atls_crl *c = &s->facts;
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        atls_buf value;
        bool critical = false;
        atls_extension kind =
            atls_x509_extension(sk_X509_EXTENSION_value(extensions, i), &value, &critical);
        if (kind == ATLS_EXT_CRL_NUMBER) {
            if (c->has_number || !read_number(c, value)) {
                return false;
            }
        } else if (kind == ATLS_EXT_AKI) {
            if (c->has_aki) {
                return false;
            }
            s->aki = atls_x509_extension_value(value, ASN1_ITEM_rptr(AUTHORITY_KEYID));
            if (s->aki == NULL) {
                return false;
            }
            c->has_aki = true;
            c->aki = atls_asn1_bytes(s->aki->keyid);
        } else {
            c->unknown_critical |= critical;
        }
    }
    return true;
}

/* NULL, or what does not fit. Takes the issuer's bytes over from tbs. */
static const char *read_tbs(crl_store *s, crl_tbs *tbs)
{
    atls_crl *c = &s->facts;
    if (tbs->version == NULL || ASN1_INTEGER_get(tbs->version) != 1) {
        return "it is not of version 2";
    }
    c->next_update_s = INT64_MIN;
    if (!atls_x509_time(tbs->this_update, &c->this_update_s) ||
        (tbs->next_update != NULL && !atls_x509_time(tbs->next_update, &c->next_update_s))) {
        return "a date of it is not a time";
    }
    if (!atls_x509_whole_bytes(s->outer->signature)) {
        return "its signature is not of whole bytes";
    }
    c->signature = atls_asn1_bytes(s->outer->signature);
    c->signed_ecdsa_sha256 = atls_x509_is_ecdsa_sha256(tbs->algorithm, s->outer->algorithm);
    s->issuer = tbs->issuer;
    tbs->issuer = NULL;
    c->issuer = atls_asn1_bytes(s->issuer);
    if (!read_revoked(s, tbs->revoked)) {
        return "a serial number is negative or longer than 20 bytes";
    }
    return read_extensions(s, tbs->extensions) ? NULL : "an extension is malformed or stands twice";
}

static const char *read_fields(crl_store *s)
{
    s->outer = atls_x509_extension_value(s->facts.der, ASN1_ITEM_rptr(crl_outer));
    if (s->outer == NULL) {
        return "it is not a DER list";
    }
    s->facts.tbs = atls_asn1_bytes(s->outer->tbs);
    crl_tbs *tbs = atls_x509_extension_value(s->facts.tbs, ASN1_ITEM_rptr(crl_tbs));
    if (tbs == NULL) {
        return "its signed part is not DER";
    }
    const char *wrong = read_tbs(s, tbs);
    ASN1_item_free((ASN1_VALUE *)tbs, ASN1_ITEM_rptr(crl_tbs));
    return wrong;
}

atls_code atls_crl_parse(atls_buf der, atls_crl **out, atls_err *err)
{
    if (der.len == 0 || der.len > ATLS_CRL_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "crl.size",
                        "a CRL of %zu bytes, where 1 to %u are allowed", der.len, ATLS_CRL_MAX_LEN);
    }
    crl_store *s = calloc(1, sizeof *s + der.len);
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
        return ATLS_ERR(err, ATLS_E_INVALID, "crl.malformed", "a CRL cannot be decoded: %s", wrong);
    }
    *out = &s->facts;
    return ATLS_OK;
}

static atls_buf drop_end(atls_buf text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\0') {
        text.len--;
    }
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r')) {
        text.len--;
    }
    return text;
}

atls_code atls_crl_decode(atls_buf bytes, uint8_t *buf, atls_buf *der, atls_err *err)
{
    size_t used = 0;
    atls_buf found = bytes;
    if (atls_pem_looks(bytes)) {
        atls_buf text = bytes;
        if (!atls_pem_next(&text, "X509 CRL", buf, bytes.len, &used, &found) || text.len != 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, "crl.encoding",
                            "the PEM text of a CRL is malformed");
        }
    } else if (bytes.len == 0 ||
               bytes.ptr[0] != 0x30) { /* the digit '3' of a hex text is byte 0x33 */
        atls_buf text = drop_end(bytes);
        if (text.len == 0 ||
            !atls_hex_decode((const char *)text.ptr, text.len, buf, bytes.len, &used)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "crl.encoding",
                            "a CRL is neither PEM, nor DER, nor hex of DER");
        }
        found = (atls_buf){buf, used};
    }
    if (found.len > ATLS_CRL_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "crl.size", "a CRL of %zu bytes, where %u are allowed",
                        found.len, ATLS_CRL_MAX_LEN);
    }
    *der = found;
    return ATLS_OK;
}

atls_crl *atls_crl_up_ref(atls_crl *crl)
{
    atomic_fetch_add_explicit(&crl->refs, 1, memory_order_relaxed);
    return crl;
}

void atls_crl_free(atls_crl *crl)
{
    if (crl != NULL && atomic_fetch_sub_explicit(&crl->refs, 1, memory_order_acq_rel) == 1) {
        store_free((crl_store *)crl);
    }
}

bool atls_crl_lists(const atls_crl *crl, const uint8_t *serial, size_t serial_len)
{
    struct atls_crl_serial key = {.len = (uint8_t)serial_len};
    if (crl->serials_n == 0 || serial_len > sizeof key.bytes) {
        return false;
    }
    memcpy(key.bytes, serial, serial_len);
    return bsearch(&key, crl->serials, crl->serials_n, sizeof key, compare_serials) != NULL;
}

bool atls_crl_signed_by(const atls_crl *crl, atls_key *issuer_key)
{
    uint8_t digest[32];
    return crl->signed_ecdsa_sha256 &&
           atls_digest(ATLS_SHA256, &crl->tbs, 1, digest, NULL) == ATLS_OK &&
           atls_key_verify_der(issuer_key, digest, crl->signature);
}
