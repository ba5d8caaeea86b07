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

#define ENTRY_MIN_LEN      20 /* a sequence of a serial number of one byte and a UTCTime */
#define EXTENSIONS_MAX_LEN 8192

/* RFC 5280, 5.1, with the signed part, the issuer and all lists left as bytes. */
typedef struct crl_outer {
    ASN1_STRING *tbs;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
} crl_outer;

typedef struct crl_tbs {
    ASN1_INTEGER *version;
    X509_ALGOR *algorithm;
    ASN1_STRING *issuer;
    ASN1_TIME *this_update, *next_update;
    ASN1_STRING *revoked, *extensions; /* bytes: decoded, they take twenty times their room */
} crl_tbs;

/* clang-format off */
ASN1_SEQUENCE(crl_outer) = {
    ASN1_SIMPLE(crl_outer, tbs, ASN1_SEQUENCE),
    ASN1_SIMPLE(crl_outer, algorithm, X509_ALGOR),
    ASN1_SIMPLE(crl_outer, signature, ASN1_BIT_STRING)
} static_ASN1_SEQUENCE_END(crl_outer)

ASN1_SEQUENCE(crl_tbs) = {
    ASN1_OPT(crl_tbs, version, ASN1_INTEGER),
    ASN1_SIMPLE(crl_tbs, algorithm, X509_ALGOR),
    ASN1_SIMPLE(crl_tbs, issuer, ASN1_SEQUENCE),
    ASN1_SIMPLE(crl_tbs, this_update, ASN1_TIME),
    ASN1_OPT(crl_tbs, next_update, ASN1_TIME),
    ASN1_OPT(crl_tbs, revoked, ASN1_SEQUENCE),
    ASN1_EXP_OPT(crl_tbs, extensions, ASN1_SEQUENCE, 0)
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

/* The content of the next element of *rest, which has to be of this universal tag. */
static bool take(atls_buf *rest, int tag, atls_buf *content)
{
    const int constructed = tag == V_ASN1_SEQUENCE ? V_ASN1_CONSTRUCTED : 0;
    const uint8_t *p = rest->ptr;
    long len = 0;
    int found = 0;
    int class = 0;
    if (rest->len == 0 ||
        ASN1_get_object(&p, &len, &found, &class, (long)rest->len) != constructed || found != tag ||
        class != V_ASN1_UNIVERSAL) {
        return false;
    }
    *content = (atls_buf){p, (size_t)len};
    rest->len -= (size_t)(p - rest->ptr) + (size_t)len;
    rest->ptr = p + len;
    return true;
}

static bool next_is(atls_buf rest, int tag)
{
    return rest.len > 0 && rest.ptr[0] == tag;
}

/* RFC 5280, 5.3: no known extension of an entry that could be critical makes it less revoked, but one names another
 * issuer, and so changes whose serial number this is. */
static bool read_entry_extensions(atls_buf list, bool *critical)
{
    while (list.len > 0) {
        atls_buf extension;
        atls_buf part;
        if (!take(&list, V_ASN1_SEQUENCE, &extension) || !take(&extension, V_ASN1_OBJECT, &part)) {
            return false;
        }
        if (next_is(extension, V_ASN1_BOOLEAN)) {
            if (!take(&extension, V_ASN1_BOOLEAN, &part) || part.len != 1) {
                return false;
            }
            *critical |= part.ptr[0] != 0;
        }
        if (!take(&extension, V_ASN1_OCTET_STRING, &part) || extension.len != 0) {
            return false;
        }
    }
    return true;
}

static bool read_serial(atls_buf integer, struct atls_crl_serial *out)
{
    if (integer.len == 0 || integer.ptr[0] >= 0x80 ||
        (integer.len > 1 && integer.ptr[0] == 0 && integer.ptr[1] < 0x80)) {
        return false;
    }
    size_t zeros = integer.ptr[0] == 0 ? 1 : 0;
    if (integer.len - zeros > sizeof out->bytes) {
        return false;
    }
    memcpy(out->bytes, integer.ptr + zeros, integer.len - zeros);
    out->len = (uint8_t)(integer.len - zeros);
    return true;
}

static bool read_entry(atls_buf entry, struct atls_crl_serial *out, bool *critical)
{
    atls_buf integer;
    atls_buf date;
    if (!take(&entry, V_ASN1_INTEGER, &integer) || !read_serial(integer, out)) {
        return false;
    }
    int tag = next_is(entry, V_ASN1_UTCTIME) ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
    if (!take(&entry, tag, &date) || date.len != (tag == V_ASN1_UTCTIME ? 13 : 15)) {
        return false;
    }
    if (entry.len == 0) {
        return true;
    }
    atls_buf extensions;
    return take(&entry, V_ASN1_SEQUENCE, &extensions) && entry.len == 0 &&
           read_entry_extensions(extensions, critical);
}

static const char no_memory[] = "out of memory"; /* known by its address */

/* Entries are walked, not decoded: a list of 4 MiB has 200,000, and each would be five allocations. */
static const char *read_revoked(atls_crl *c, atls_buf revoked)
{
    static const char malformed[] =
        "an entry is malformed, or its serial number negative or longer than 20 bytes";
    atls_buf entries = {NULL, 0};
    if (revoked.len == 0) {
        return NULL;
    }
    if (!take(&revoked, V_ASN1_SEQUENCE, &entries) || entries.len == 0) {
        return entries.len == 0 ? NULL : malformed;
    }
    c->serials = calloc(entries.len / ENTRY_MIN_LEN + 1, sizeof *c->serials);
    if (c->serials == NULL) {
        return no_memory;
    }
    bool sorted = true;
    for (size_t n = 0; entries.len > 0; n++) {
        atls_buf entry;
        if (!take(&entries, V_ASN1_SEQUENCE, &entry) ||
            !read_entry(entry, &c->serials[n], &c->unknown_critical)) {
            return malformed;
        }
        c->serials_n = n + 1;
        sorted = sorted && (n == 0 || compare_serials(&c->serials[n - 1], &c->serials[n]) <= 0);
    }
    if (!sorted) {
        qsort(c->serials, c->serials_n, sizeof *c->serials, compare_serials);
    }
    return NULL;
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

static bool take_extensions(crl_store *s, const STACK_OF(X509_EXTENSION) * extensions)
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

static const char *read_extensions(crl_store *s, atls_buf der)
{
    if (der.len == 0) {
        return NULL;
    }
    if (der.len > EXTENSIONS_MAX_LEN) {
        return "its extensions are longer than 8192 bytes";
    }
    STACK_OF(X509_EXTENSION) *list =
        (X509_EXTENSIONS *)atls_x509_extension_value(der, ASN1_ITEM_rptr(X509_EXTENSIONS));
    bool good = list != NULL && take_extensions(s, list);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return good ? NULL : "an extension is malformed or stands twice";
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
    c->sig_known = atls_x509_signature_algorithm(tbs->algorithm, s->outer->algorithm,
                                                 &c->sig_scheme, &c->sig_hash);
    c->signed_ecdsa_sha256 =
        c->sig_known && c->sig_scheme == ATLS_ECDSA && c->sig_hash == ATLS_SHA256;
    s->issuer = tbs->issuer;
    tbs->issuer = NULL;
    c->issuer = atls_asn1_bytes(s->issuer);
    const char *wrong = read_revoked(c, atls_asn1_bytes(tbs->revoked));
    return wrong != NULL ? wrong : read_extensions(s, atls_asn1_bytes(tbs->extensions));
}

/* The signed part as it stands in the list itself, so that the decoder's copy of some megabytes can go. */
static bool view_tbs(crl_store *s)
{
    const atls_buf copy = atls_asn1_bytes(s->outer->tbs);
    const uint8_t *at = s->facts.der.ptr;
    long len = 0;
    int tag = 0;
    int class = 0;
    if ((ASN1_get_object(&at, &len, &tag, &class, (long)s->facts.der.len) & 0x80) != 0 || len < 0 ||
        (size_t)len < copy.len || memcmp(at, copy.ptr, copy.len) != 0) {
        return false;
    }
    s->facts.tbs = (atls_buf){at, copy.len};
    ASN1_STRING_set0(s->outer->tbs, NULL, 0);
    return true;
}

static const char *read_fields(crl_store *s)
{
    s->outer = atls_x509_extension_value(s->facts.der, ASN1_ITEM_rptr(crl_outer));
    if (s->outer == NULL) {
        return "it is not a DER list";
    }
    if (!view_tbs(s)) {
        return "its signed part is not where it should be";
    }
    crl_tbs *tbs = atls_x509_extension_value(s->facts.tbs, ASN1_ITEM_rptr(crl_tbs));
    if (tbs == NULL) {
        return "its signed part is not DER";
    }
    const char *wrong = read_tbs(s, tbs);
    ASN1_item_free((ASN1_VALUE *)tbs, ASN1_ITEM_rptr(crl_tbs));
    return wrong;
}

/* RFC 5280, 5.1: the signed part begins with the version, where a certificate's has a tag around it. */
bool atls_crl_looks(atls_buf bytes)
{
    const unsigned char *p = bytes.ptr;
    const unsigned char *const end = bytes.ptr + bytes.len;
    long len = 0;
    int tag = 0;
    int class = 0;
    for (int i = 0; i < 2; i++) {
        if (p == end || (ASN1_get_object(&p, &len, &tag, &class, end - p) & 0x80) != 0 ||
            tag != V_ASN1_SEQUENCE) {
            return false;
        }
    }
    return end - p >= 3 && memcmp(p, "\x02\x01\x01", 3) == 0;
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
        return wrong == no_memory ? ATLS_ERR_NOMEM(err)
                                  : ATLS_ERR(err, ATLS_E_INVALID, "crl.malformed",
                                             "a CRL cannot be decoded: %s", wrong);
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

bool atls_crl_signed_by_key(const atls_crl *crl, atls_public_key *issuer_key)
{
    return crl->sig_known && atls_public_key_verify(issuer_key, crl->sig_scheme, crl->sig_hash,
                                                    &crl->tbs, 1, crl->signature);
}
