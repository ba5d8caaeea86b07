#include "sim/nitro_pki.h"

#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/plan.h"

static const struct {
    const char *cn, *basic, *usage;
    bool has_aki;
} roles[NITRO_ROLES] = {
    [NITRO_ROOT] = {"aws.nitro-enclaves.invalid", "critical,CA:TRUE",
                    "critical,digitalSignature,keyCertSign,cRLSign", false},
    [NITRO_REGIONAL] = {"0011223344556677.sim-1.aws.nitro-enclaves.invalid",
                        "critical,CA:TRUE,pathlen:2",
                        "critical,digitalSignature,keyCertSign,cRLSign", true},
    [NITRO_ZONAL] = {"8899aabbccddeeff.zonal.sim-1.aws.nitro-enclaves.invalid",
                     "critical,CA:TRUE,pathlen:1", "critical,digitalSignature,keyCertSign,cRLSign",
                     true},
    [NITRO_INSTANCE] = {"i-0123456789abcdef0.sim-1.aws.nitro-enclaves.invalid",
                        "critical,CA:TRUE,pathlen:0", "critical,keyCertSign", false},
    [NITRO_LEAF] = {"i-0123456789abcdef0-enc0123456789abcdef.sim-1.aws.invalid",
                    "critical,CA:FALSE", "digitalSignature,nonRepudiation", false},
};

nitro_cert_plan nitro_cert_usual(nitro_role role, int64_t when_s)
{
    return (nitro_cert_plan){.role = role,
                             .hash = "SHA2-384",
                             .basic = roles[role].basic,
                             .usage = roles[role].usage,
                             .begins_s = when_s - SIM_DAY,
                             .ends_s = when_s + 10 * (int64_t)SIM_YEAR};
}

/* The mark, and in the root's OU the family that it is a root of. */
static X509_NAME *name_of(const char *cn)
{
    static const struct {
        const char *type, *value;
    } fixed[] = {{"C", "US"}, {"O", SIM_ORGANISATION}, {"OU", "aws"}};
    X509_NAME *name = X509_NAME_new();
    bool ok = name != NULL;
    for (size_t i = 0; ok && i < sizeof fixed / sizeof *fixed; i++) {
        ok = X509_NAME_add_entry_by_txt(name, fixed[i].type, MBSTRING_ASC,
                                        (const unsigned char *)fixed[i].value, -1, -1, 0) == 1;
    }
    ok = ok && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1,
                                          -1, 0) == 1;
    if (!ok) {
        X509_NAME_free(name);
        return NULL;
    }
    return name;
}

static bool set_name(X509 *x, int (*set)(X509 *, const X509_NAME *), const char *cn)
{
    X509_NAME *name = name_of(cn);
    const bool ok = name != NULL && set(x, name) == 1;
    X509_NAME_free(name);
    return ok;
}

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *ext = value != NULL ? X509V3_EXT_conf_nid(NULL, &ctx, nid, value) : NULL;
    const bool ok = value == NULL || (ext != NULL && X509_add_ext(x, ext, -1) == 1);
    X509_EXTENSION_free(ext);
    return ok;
}

static bool add_odd(X509 *x)
{
    static const uint8_t null_value[] = {0x05, 0x00};
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    bool ok = oid != NULL && value != NULL &&
              ASN1_OCTET_STRING_set(value, null_value, sizeof null_value) == 1;
    X509_EXTENSION *ext = ok ? X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value) : NULL;
    ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    return ok;
}

static bool fill(X509 *x, const nitro_cert_plan *p)
{
    const nitro_role above = p->role == NITRO_ROOT ? NITRO_ROOT : p->role - 1;
    const char *issuer = p->issuer_cn != NULL ? p->issuer_cn : roles[above].cn;
    EVP_MD *md = EVP_MD_fetch(NULL, p->hash, NULL);
    bool ok = md != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
              ASN1_INTEGER_set_int64(X509_get_serialNumber(x), 1 + (int64_t)p->role) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(x), (time_t)p->begins_s) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(x), (time_t)p->ends_s) != NULL;
    ok = ok && set_name(x, X509_set_subject_name, roles[p->role].cn) &&
         set_name(x, X509_set_issuer_name, issuer) && X509_set_pubkey(x, p->key) == 1;
    ok = ok && add_extension(x, NID_basic_constraints, p->basic) &&
         add_extension(x, NID_key_usage, p->usage) &&
         add_extension(x, NID_subject_key_identifier, roles[p->role].has_aki ? "hash" : NULL) &&
         (!p->is_critical_odd || add_odd(x));
    ok = ok && X509_sign(x, p->signer, md) > 0;
    EVP_MD_free(md);
    return ok;
}

atls_code nitro_cert_make(const nitro_cert_plan *plan, uint8_t **der, size_t *len, atls_err *err)
{
    X509 *x = X509_new();
    uint8_t *encoded = NULL;
    const int n = x != NULL && fill(x, plan) ? i2d_X509(x, &encoded) : -1;
    uint8_t *copy = n > 0 ? malloc((size_t)n) : NULL;
    if (copy != NULL) {
        memcpy(copy, encoded, (size_t)n);
        *der = copy;
        *len = (size_t)n;
    }
    OPENSSL_free(encoded);
    X509_free(x);
    return copy != NULL
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a certificate could not be made");
}
