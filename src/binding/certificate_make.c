/* certificate_make.c: a certificate signed by its own key, with evidence in extensions. */
#include "binding/certificate.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/err.h"

static bool add_name(X509_NAME *name, const char *field, const char *text, bool printable)
{
    return text == NULL || X509_NAME_add_entry_by_txt(
                               name, field, printable ? V_ASN1_PRINTABLESTRING : MBSTRING_UTF8,
                               (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool set_names(const atls_certificate_plan *p, X509 *x)
{
    X509_NAME *name = X509_get_subject_name(x);
    bool ok = p->cn_last || add_name(name, "CN", p->common_name, p->printable);
    ok = ok && (!p->cn_last || add_name(name, "C", p->country, p->printable)) &&
         add_name(name, "O", p->organization, p->printable);
    ok = ok && (p->cn_last || add_name(name, "C", p->country, p->printable));
    ok = ok && (!p->cn_last || add_name(name, "CN", p->common_name, p->printable));
    return ok && X509_set_issuer_name(x, name) == 1;
}

static bool set_serial(const atls_certificate_plan *p, X509 *x)
{
    uint8_t random[16] = {1};
    if (!p->random_serial) {
        return ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1;
    }
    if (RAND_bytes(random, sizeof random) != 1) {
        return false;
    }
    random[0] &= 0x7f;
    BIGNUM *n = BN_bin2bn(random, sizeof random, NULL);
    bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
    BN_free(n);
    return ok;
}

static bool add_known(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static bool add_dns_name(X509 *x, const char *name)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *one = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    bool ok = names != NULL && one != NULL && text != NULL && ASN1_STRING_set(text, name, -1) == 1;
    if (ok) {
        GENERAL_NAME_set0_value(one, GEN_DNS, text);
        text = NULL;
        ok = sk_GENERAL_NAME_push(names, one) > 0;
        one = ok ? NULL : one;
        ok = ok && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    }
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(one);
    GENERAL_NAMES_free(names);
    return ok;
}

static ASN1_OBJECT *object_of(atls_buf oid)
{
    uint8_t der[2 + 100];
    if (oid.len == 0 || oid.len > 100) {
        return NULL;
    }
    der[0] = V_ASN1_OBJECT;
    der[1] = (uint8_t)oid.len;
    for (size_t i = 0; i < oid.len; i++) {
        der[2 + i] = oid.ptr[i];
    }
    const unsigned char *at = der;
    return d2i_ASN1_OBJECT(NULL, &at, (long)(2 + oid.len));
}

static bool add_extension(X509 *x, const atls_certificate_extension *e)
{
    ASN1_OBJECT *object = object_of(e->oid);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;
    bool ok = object != NULL && octets != NULL && e->value.len <= ATLS_CARRIER_MAX_LEN &&
              ASN1_OCTET_STRING_set(octets, e->value.ptr, (int)e->value.len) == 1;
    if (ok) {
        ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
        ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    }
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
    return ok;
}

static bool add_extensions(const atls_certificate_plan *p, X509 *x)
{
    bool ok = !p->basic || (add_known(x, NID_basic_constraints, "CA:FALSE") &&
                            add_known(x, NID_subject_key_identifier, "hash") &&
                            add_known(x, NID_authority_key_identifier, "keyid"));
    ok = ok && (!p->eku_both || add_known(x, NID_ext_key_usage, "serverAuth,clientAuth"));
    ok = ok && (p->dns_name == NULL || add_dns_name(x, p->dns_name));
    for (size_t i = 0; ok && i < p->extensions_n; i++) {
        ok = add_extension(x, &p->extensions[i]);
    }
    return ok;
}

static bool remove_extensions(X509 *x)
{
    while (X509_get_ext_count(x) > 0) {
        X509_EXTENSION *ext = X509_delete_ext(x, 0);
        if (ext == NULL) {
            return false;
        }
        X509_EXTENSION_free(ext);
    }
    return true;
}

/* What is the same in every certificate of a plan and a key. */
static bool begin(const atls_certificate_plan *p, X509 *x, EVP_PKEY *key)
{
    return X509_set_version(x, X509_VERSION_3) == 1 && set_names(p, x) &&
           X509_set_pubkey(x, key) == 1;
}

static bool begin_again(X509 *blank, EVP_PKEY *key)
{
    return X509_get0_pubkey(blank) == key && remove_extensions(blank);
}

static bool sign(X509 *x, EVP_PKEY *key)
{
    bool own_hash = EVP_PKEY_is_a(key, "ED25519") == 1;
    return X509_sign(x, key, own_hash ? NULL : EVP_sha256()) > 0;
}

atls_code atls_certificate_make(const atls_certificate_plan *plan, EVP_PKEY *key, X509 **out,
                                atls_err *err)
{
    X509 *x = plan->blank != NULL ? plan->blank : X509_new();
    bool ok = x != NULL && key != NULL &&
              (plan->blank != NULL ? begin_again(x, key) : begin(plan, x, key)) &&
              set_serial(plan, x) &&
              ASN1_TIME_set(X509_getm_notBefore(x), (time_t)plan->not_before_s) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(x), (time_t)plan->not_after_s) != NULL &&
              add_extensions(plan, x) && sign(x, key);
    ERR_clear_error();
    if (!ok) {
        X509_free(x);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "certificate.make",
                        "cannot make a certificate around the evidence");
    }
    *out = x;
    return ATLS_OK;
}
