#include "sim/snp_cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/hex.h"

#define MARK      "atls simulator" /* ATLS_SIMULATOR_O of src/trust/root.h */
#define ARC       "1.3.6.1.4.1.3704.1."
#define DAY       86400
#define CN_LEN    64
#define VALUE_MAX 128

static const char *const names[] = {"Milan", "Genoa", "Turin"};

const char *snp_product_name(snp_product product)
{
    return names[product];
}

void snp_hw_id(snp_product product, uint8_t id[SNP_HW_ID_LEN], size_t *len)
{
    memset(id, 0, SNP_HW_ID_LEN);
    *len = product == SNP_TURIN ? 8 : SNP_HW_ID_LEN;
    for (size_t i = 0; i < *len; i++) {
        id[i] = (uint8_t)(4 + i * 11); /* 04 in front: no parser may take it for a DER tag */
    }
}

void snp_tcb(snp_product product, uint8_t tcb[8])
{
    static const uint8_t levels[][8] = {
        {4, 0, 0, 0, 0, 0, 24, 219}, {9, 0, 0, 0, 0, 0, 23, 84}, {1, 1, 1, 4, 0, 0, 0, 81}};
    memcpy(tcb, levels[product], 8);
}

/* --- names, signatures --- */

static bool set_name(X509_NAME *name, const char *cn)
{
    return X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC, (const uint8_t *)"amd", -1, -1,
                                      0) == 1 &&
           X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)MARK, -1, -1, 0) ==
               1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0) ==
               1;
}

/* RSASSA-PSS as AMD has it, or what the plan wants in its place. NULL: no memory. */
static EVP_MD_CTX *signing_context(EVP_PKEY *key, bool sha256, bool pkcs1)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    const EVP_MD *md = sha256 ? EVP_sha256() : EVP_sha384();
    bool ok = ctx != NULL && EVP_DigestSignInit(ctx, &pctx, md, NULL, key) == 1;
    if (ok && EVP_PKEY_is_a(key, "RSA") && !pkcs1) {
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, EVP_MD_get_size(md)) == 1;
    }
    if (!ok) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static bool add_raw(X509 *x, const char *oid, bool critical, const uint8_t *value, size_t len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;
    bool ok =
        object != NULL && octets != NULL && ASN1_OCTET_STRING_set(octets, value, (int)len) == 1 &&
        (ext = X509_EXTENSION_create_by_OBJ(NULL, object, critical ? 1 : 0, octets)) != NULL &&
        X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
    return ok;
}

static bool add_text(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static snp_bytes bytes_of(uint8_t *der, int len)
{
    snp_bytes out = {NULL, 0};
    if (len > 0 && (out.ptr = malloc((size_t)len)) != NULL) {
        memcpy(out.ptr, der, (size_t)len);
        out.len = (size_t)len;
    }
    OPENSSL_free(der);
    return out;
}

static snp_bytes garbage(void)
{
    snp_bytes out = {malloc(8), 8};
    if (out.ptr != NULL) {
        memcpy(out.ptr, "\x30\x06garbag", 8);
    }
    return out;
}

/* --- certificates --- */

typedef struct subject {
    const char *cn, *issuer_cn;
    long serial;
    EVP_PKEY *key, *signer;
} subject;

static X509 *begin(const subject *s, const snp_cert_plan *p, int64_t when_s)
{
    X509 *x = X509_new();
    bool ok = x != NULL && X509_set_version(x, 2) == 1 &&
              ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(when_s + p->from_s)) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(when_s + p->until_s)) != NULL &&
              X509_set_pubkey(x, s->key) == 1;
    X509_NAME *name = X509_NAME_new();
    X509_NAME *issuer = X509_NAME_new();
    ok = ok && name != NULL && issuer != NULL && set_name(name, s->cn) &&
         set_name(issuer, s->issuer_cn) && X509_set_subject_name(x, name) == 1 &&
         X509_set_issuer_name(x, issuer) == 1;
    X509_NAME_free(name);
    X509_NAME_free(issuer);
    if (!ok) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static snp_bytes finish(X509 *x, const subject *s, const snp_cert_plan *p)
{
    static const uint8_t null_value[] = {0x05, 0x00};
    EVP_MD_CTX *ctx = signing_context(s->signer, p->sha256 != 0, p->pkcs1 != 0);
    uint8_t *der = NULL;
    int len = 0;
    bool ok = ctx != NULL &&
              (!p->unknown_critical ||
               add_raw(x, "1.3.6.1.4.1.99999.1", true, null_value, sizeof null_value)) &&
              X509_sign_ctx(x, ctx) > 0 && (len = i2d_X509(x, &der)) > 0;
    EVP_MD_CTX_free(ctx);
    X509_free(x);
    snp_bytes out = bytes_of(der, ok ? len : 0);
    if (out.len > 0 && p->broken) {
        out.ptr[out.len - 1] ^= 1;
    }
    return out;
}

static EVP_PKEY *key_of(const snp_keys *keys, int wanted, snp_key usual)
{
    return keys->key[wanted >= 0 ? wanted : (int)usual];
}

static void root_name(char cn[CN_LEN], snp_product product)
{
    (void)snprintf(cn, CN_LEN, "ARK-%s", names[product]);
}

static void ca_name(char cn[CN_LEN], const snp_variant *v)
{
    (void)snprintf(cn, CN_LEN, "SEV-%s%s", v->is_vlek ? "VLEK-" : "", names[v->product]);
}

snp_bytes snp_root_make(const snp_keys *keys, snp_product product, int64_t when_s)
{
    char cn[CN_LEN];
    snp_plan plan;
    snp_plan_default(&plan);
    plan.ca.until_s += 10 * 365 * DAY;
    root_name(cn, product);
    const subject s = {cn, cn, 0x10000L * (product + 1), keys->key[SNP_ARK], keys->key[SNP_ARK]};
    X509 *x = begin(&s, &plan.ca, when_s);
    if (x == NULL || !add_text(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:1") ||
        !add_text(x, NID_key_usage, "critical,keyCertSign,cRLSign")) {
        X509_free(x);
        return (snp_bytes){NULL, 0};
    }
    return finish(x, &s, &plan.ca);
}

static long ca_serial(const snp_variant *v)
{
    return 0x10001L + 0x10000L * v->product + (v->is_vlek ? 0x100 : 0);
}

snp_bytes snp_ca_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                      int64_t when_s)
{
    const snp_cert_plan *p = &plan->ca;
    char cn[CN_LEN];
    char root[CN_LEN];
    if (p->garbage) {
        return garbage();
    }
    ca_name(cn, v);
    root_name(root, v->product);
    const subject s = {p->cn != NULL ? p->cn : cn, p->issuer_cn != NULL ? p->issuer_cn : root,
                       ca_serial(v), key_of(keys, p->certified, v->is_vlek ? SNP_ASVK : SNP_ASK),
                       key_of(keys, p->signer, SNP_ARK)};
    X509 *x = begin(&s, p, when_s);
    if (x == NULL ||
        !add_text(x, NID_basic_constraints,
                  p->not_ca ? "critical,CA:FALSE" : "critical,CA:TRUE,pathlen:0") ||
        !add_text(x, NID_key_usage, "critical,keyCertSign")) {
        X509_free(x);
        return (snp_bytes){NULL, 0};
    }
    return finish(x, &s, p);
}

/* --- the leaf's extensions --- */

typedef struct extension {
    const char *suffix;
    uint8_t value[VALUE_MAX];
    size_t len;
} extension;

#define EXTENSIONS_MAX 14

typedef struct extension_list {
    extension list[EXTENSIONS_MAX];
    size_t n;
} extension_list;

static void add(extension_list *to, const char *suffix, const uint8_t *value, size_t len)
{
    extension *e = &to->list[to->n++];
    e->suffix = suffix;
    memcpy(e->value, value, len);
    e->len = len;
}

static void add_number(extension_list *to, const char *suffix, uint8_t value)
{
    const uint8_t small[] = {2, 1, value};
    const uint8_t large[] = {2, 2, 0, value};
    add(to, suffix, value < 0x80 ? small : large, value < 0x80 ? sizeof small : sizeof large);
}

static void add_string(extension_list *to, const char *suffix, const char *text)
{
    uint8_t value[VALUE_MAX] = {0x16, (uint8_t)strlen(text)};
    memcpy(value + 2, text, strlen(text));
    add(to, suffix, value, 2 + strlen(text));
}

/* In the order of AMD's certificates. */
static void usual_extensions(const snp_variant *v, extension_list *to)
{
    const bool fmc = v->product == SNP_TURIN;
    uint8_t tcb[8];
    uint8_t id[SNP_HW_ID_LEN];
    size_t id_len = 0;
    snp_tcb(v->product, tcb);
    snp_hw_id(v->product, id, &id_len);
    add_number(to, "1", fmc ? 1 : 0);
    add_string(to, "2", v->product == SNP_MILAN && !v->is_vlek ? "Milan-B0" : names[v->product]);
    if (fmc) {
        add_number(to, "3.9", tcb[0]);
    }
    add_number(to, "3.1", tcb[fmc ? 1 : 0]);
    add_number(to, "3.2", tcb[fmc ? 2 : 1]);
    if (!fmc) {
        add_number(to, "3.4", 0);
    }
    add_number(to, "3.5", 0);
    add_number(to, "3.6", 0);
    add_number(to, "3.7", 0);
    add_number(to, "3.3", tcb[fmc ? 3 : 6]);
    add_number(to, "3.8", tcb[7]);
    if (v->is_vlek) {
        add_string(to, "5", "CN=simulator.invalid");
    } else {
        add(to, "4", id, id_len);
    }
}

static bool from_hex(const char *text, uint8_t *out, size_t *len)
{
    return atls_hex_decode(text, strlen(text), out, VALUE_MAX, len);
}

static bool change(const snp_plan *plan, extension_list *to)
{
    size_t at = 0;
    while (at < to->n && strcmp(to->list[at].suffix, plan->extension) != 0) {
        at++;
    }
    extension *e = &to->list[at];
    switch (plan->extension_change) {
    case SNP_EXT_DROP:
        memmove(e, e + 1, (to->n - at - 1) * sizeof *e);
        to->n--;
        return true;
    case SNP_EXT_TWICE:
        to->list[to->n] = *e;
        to->n++;
        return true;
    case SNP_EXT_WRAP:
        memmove(e->value + 2, e->value, e->len);
        e->value[0] = 4;
        e->value[1] = (uint8_t)e->len;
        e->len += 2;
        return true;
    default:
        e->suffix = plan->extension;
        to->n += at == to->n ? 1 : 0;
        return from_hex(plan->extension_value, e->value, &e->len);
    }
}

static bool add_extensions(X509 *x, const snp_variant *v, const snp_plan *plan)
{
    extension_list list = {.n = 0};
    char oid[64];
    usual_extensions(v, &list);
    if (plan->extension != NULL && !change(plan, &list)) {
        return false;
    }
    for (size_t i = 0; i < list.n; i++) {
        (void)snprintf(oid, sizeof oid, ARC "%s", list.list[i].suffix);
        if (!add_raw(x, oid, false, list.list[i].value, list.list[i].len)) {
            return false;
        }
    }
    return plan->leaf.is_ca == 0 || add_text(x, NID_basic_constraints, "critical,CA:TRUE");
}

snp_bytes snp_leaf_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                        int64_t when_s)
{
    const snp_cert_plan *p = &plan->leaf;
    char issuer[CN_LEN];
    if (p->garbage) {
        return garbage();
    }
    ca_name(issuer, v);
    const subject s = {p->cn != NULL ? p->cn
                       : v->is_vlek  ? "SEV-VLEK"
                                     : "SEV-VCEK",
                       p->issuer_cn != NULL ? p->issuer_cn : issuer, 0,
                       key_of(keys, p->certified, v->is_vlek ? SNP_VLEK : SNP_VCEK),
                       key_of(keys, p->signer, v->is_vlek ? SNP_ASVK : SNP_ASK)};
    X509 *x = begin(&s, p, when_s);
    if (x == NULL || !add_extensions(x, v, plan)) {
        X509_free(x);
        return (snp_bytes){NULL, 0};
    }
    return finish(x, &s, p);
}

/* --- the revocation list --- */

static bool add_crl_number(X509_CRL *crl)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number != NULL && ASN1_INTEGER_set(number, 7) == 1 &&
              X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;
    ASN1_INTEGER_free(number);
    return ok;
}

static bool add_partial(X509_CRL *crl)
{
    ASN1_INTEGER *base = ASN1_INTEGER_new();
    bool ok = base != NULL && ASN1_INTEGER_set(base, 6) == 1 &&
              X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 1, 0) == 1;
    ASN1_INTEGER_free(base);
    return ok;
}

static bool revoke(X509_CRL *crl, long serial, int64_t when_s)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *date = ASN1_TIME_set(NULL, (time_t)(when_s - DAY));
    bool ok =
        entry != NULL && number != NULL && date != NULL && ASN1_INTEGER_set(number, serial) == 1 &&
        X509_REVOKED_set_serialNumber(entry, number) == 1 &&
        X509_REVOKED_set_revocationDate(entry, date) == 1 && X509_CRL_add0_revoked(crl, entry) == 1;
    if (!ok) {
        X509_REVOKED_free(entry);
    }
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(date);
    return ok;
}

static bool set_times(X509_CRL *crl, const snp_plan *plan, int64_t when_s)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(when_s + plan->crl_from_s));
    ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)(when_s + plan->crl_until_s));
    bool ok = from != NULL && until != NULL && X509_CRL_set1_lastUpdate(crl, from) == 1 &&
              (plan->crl_endless || X509_CRL_set1_nextUpdate(crl, until) == 1);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return ok;
}

snp_bytes snp_crl_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                       int64_t when_s)
{
    char cn[CN_LEN];
    uint8_t *der = NULL;
    int len = 0;
    if (plan->crl_garbage) {
        return garbage();
    }
    root_name(cn, v->product);
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *name = X509_NAME_new();
    EVP_MD_CTX *ctx =
        signing_context(key_of(keys, plan->crl_signer, SNP_ARK), plan->crl_sha256 != 0, false);
    bool ok = crl != NULL && name != NULL && ctx != NULL && X509_CRL_set_version(crl, 1) == 1 &&
              set_name(name, plan->crl_issuer != NULL ? plan->crl_issuer : cn) &&
              X509_CRL_set_issuer_name(crl, name) == 1 && set_times(crl, plan, when_s) &&
              add_crl_number(crl) && (!plan->crl_critical || add_partial(crl)) &&
              (!plan->crl_revokes || revoke(crl, ca_serial(v), when_s)) &&
              X509_CRL_sort(crl) == 1 && X509_CRL_sign_ctx(crl, ctx) > 0 &&
              (len = i2d_X509_CRL(crl, &der)) > 0;
    EVP_MD_CTX_free(ctx);
    X509_NAME_free(name);
    X509_CRL_free(crl);
    return bytes_of(der, ok ? len : 0);
}
