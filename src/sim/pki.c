#include "sim/pki.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "base/err.h"
#include "sim/crl.h"
#include "sim/name.h"

#define SERIAL_LEN 20

static bool set_serial(X509 *x)
{
    uint8_t bytes[SERIAL_LEN];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return false;
    }
    bytes[0] = (uint8_t)(0x40 + bytes[0] % 0x40u); /* positive, and 20 octets always */
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
    BN_free(n);
    return ok;
}

static bool add_extension(X509 *x, int nid, int critical, void *value)
{
    return value != NULL && X509_add1_ext_i2d(x, nid, value, critical, X509V3_ADD_DEFAULT) == 1;
}

static bool add_ski(X509 *x)
{
    uint8_t id[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    ASN1_OCTET_STRING *ski = ASN1_OCTET_STRING_new();
    bool ok = ski != NULL && X509_pubkey_digest(x, EVP_sha1(), id, &len) == 1 &&
              ASN1_OCTET_STRING_set(ski, id, (int)len) == 1 &&
              add_extension(x, NID_subject_key_identifier, 0, ski);
    ASN1_OCTET_STRING_free(ski);
    return ok;
}

static bool add_aki(X509 *x, X509 *issuer, bool wrong)
{
    AUTHORITY_KEYID *aki = sim_key_id_of(issuer, wrong);
    bool ok = add_extension(x, NID_authority_key_identifier, 0, aki);
    AUTHORITY_KEYID_free(aki);
    return ok;
}

static bool add_key_usage(X509 *x, int usage)
{
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool ok = bits != NULL;
    ok = ok && ASN1_BIT_STRING_set_bit(bits, 0, (usage & SIM_DIGITAL_SIGNATURE) != 0) == 1;
    ok = ok && ((usage & SIM_DIGITAL_SIGNATURE) == 0 || ASN1_BIT_STRING_set_bit(bits, 1, 1) == 1);
    ok = ok && ASN1_BIT_STRING_set_bit(bits, 5, (usage & SIM_CERT_SIGN) != 0) == 1;
    ok = ok && ASN1_BIT_STRING_set_bit(bits, 6, (usage & SIM_CRL_SIGN) != 0) == 1;
    ok = ok && add_extension(x, NID_key_usage, 1, bits);
    ASN1_BIT_STRING_free(bits);
    return ok;
}

static bool add_basic_constraints(X509 *x, const sim_cert_plan *p)
{
    BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
    bool ok = bc != NULL;
    if (ok && p->is_ca) {
        bc->ca = 0xff;
        if (p->path_len >= 0) {
            bc->pathlen = ASN1_INTEGER_new();
            ok = bc->pathlen != NULL && ASN1_INTEGER_set(bc->pathlen, p->path_len) == 1;
        }
    }
    ok = ok && add_extension(x, NID_basic_constraints, 1, bc);
    BASIC_CONSTRAINTS_free(bc);
    return ok;
}

static bool add_crl_dp(X509 *x)
{
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, NULL, NID_crl_distribution_points,
                                               "URI:https://simulator.invalid/crl.der");
    bool ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static bool add_by_oid(X509 *x, const char *oid, int critical, atls_buf value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;
    bool ok = object != NULL && octets != NULL &&
              ASN1_OCTET_STRING_set(octets, value.ptr, (int)value.len) == 1 &&
              (ext = X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets)) != NULL &&
              X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
    return ok;
}

/* issuer NULL: it is its own. The order is that of Intel's certificates. */
static bool add_extensions(X509 *x, const sim_cert_plan *p, X509 *issuer, atls_buf sgx)
{
    static const uint8_t null_value[] = {0x05, 0x00};
    bool ok = true;
    if ((p->without & SIM_NO_SKI) == 0) {
        ok = add_ski(x);
    }
    if (ok && (p->without & SIM_NO_AKI) == 0) {
        ok = add_aki(x, issuer == NULL ? x : issuer, p->wrong_aki != 0);
    }
    if (ok && (p->without & SIM_NO_CRL_DP) == 0) {
        ok = add_crl_dp(x);
    }
    if (ok && (p->without & SIM_NO_KEY_USAGE) == 0) {
        ok = add_key_usage(x, p->key_usage);
    }
    if (ok && (p->without & SIM_NO_BASIC_CONSTRAINTS) == 0) {
        ok = add_basic_constraints(x, p);
    }
    if (ok && sgx.len != 0 && (p->without & SIM_NO_SGX_EXTENSION) == 0) {
        ok = add_by_oid(x, SIM_SGX_EXTENSION_OID, 0, sgx);
    }
    if (ok && p->unknown_critical) {
        ok = add_by_oid(x, "1.3.6.1.4.1.99999.1", 1, (atls_buf){null_value, sizeof null_value});
    }
    return ok;
}

/* A certificate for key; issuer NULL: self issued. */
static X509 *make_cert(const sim_cert_plan *p, int64_t when_s, EVP_PKEY *key, X509 *issuer,
                       EVP_PKEY *signer, atls_buf sgx)
{
    X509 *x = X509_new();
    bool ok = x != NULL && X509_set_version(x, 2) == 1 && set_serial(x) &&
              ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(when_s + p->from_s)) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(when_s + p->until_s)) != NULL &&
              X509_set_pubkey(x, key) == 1;
    X509_NAME *subject = sim_name(p->cn, p->organisation);
    ok = ok && subject != NULL && X509_set_subject_name(x, subject) == 1;
    X509_NAME *other = p->issuer_cn == NULL ? NULL : sim_name(p->issuer_cn, SIM_ORGANISATION);
    const X509_NAME *name = other != NULL    ? other
                            : issuer == NULL ? subject
                                             : X509_get_subject_name(issuer);
    ok = ok && X509_set_issuer_name(x, name) == 1 && add_extensions(x, p, issuer, sgx) &&
         X509_sign(x, signer, p->sha384 ? EVP_sha384() : EVP_sha256()) > 0;
    X509_NAME_free(other);
    X509_NAME_free(subject);
    if (!ok) {
        X509_free(x);
        return NULL;
    }
    return x;
}

EVP_PKEY *sim_pki_signer(const sim_pki *pki, int issuer, int signer)
{
    return pki->key[signer == SIM_BY_ISSUER ? issuer : signer];
}

static EVP_PKEY *make_key(const sim_cert_plan *p)
{
    return EVP_EC_gen(p != NULL && p->is_p384 ? "P-384" : "P-256");
}

static bool make_cas(const sim_plan *plan, int64_t when_s, sim_pki *pki)
{
    static const char *const cn[] = {"Simulated SGX PCK Platform CA",
                                     "Simulated SGX PCK Processor CA"};
    const atls_buf none = {NULL, 0};
    sim_plan good;
    sim_plan_default(&good);
    sim_cert_plan ca = plan->ca;
    sim_cert_plan other = good.ca;
    ca.cn = ca.cn != NULL ? ca.cn : cn[plan->is_processor != 0];
    other.cn = cn[plan->is_processor == 0];
    const sim_cert_plan *const plans[] = {
        [SIM_ROOT] = &plan->root,
        [SIM_CA] = &ca,
        [SIM_OTHER_CA] = &other,
        [SIM_TCB_SIGNING] = &plan->tcb_signing,
    };
    pki->key[SIM_STRANGER] = make_key(NULL);
    for (int who = SIM_ROOT; who < SIM_STRANGER; who++) {
        pki->key[who] = make_key(plans[who]);
    }
    for (int who = SIM_ROOT; who < SIM_STRANGER; who++) {
        const sim_cert_plan *p = plans[who];
        X509 *issuer = who == SIM_ROOT ? NULL : pki->cert[p->issuer];
        pki->cert[who] = make_cert(p, when_s, pki->key[who], issuer,
                                   sim_pki_signer(pki, p->issuer, p->signer), none);
        if (pki->cert[who] == NULL) {
            return false;
        }
    }
    return true;
}

static bool choose_trusted_root(const sim_plan *plan, int64_t when_s, sim_pki *pki)
{
    if (plan->trusted_root == SIM_ROOT_OWN) {
        pki->trusted_root = pki->cert[SIM_ROOT];
        return X509_up_ref(pki->trusted_root) == 1;
    }
    EVP_PKEY *key = pki->key[plan->trusted_root == SIM_ROOT_OTHER ? SIM_STRANGER : SIM_ROOT];
    pki->trusted_root = make_cert(&plan->root, when_s, key, NULL, key, (atls_buf){NULL, 0});
    return pki->trusted_root != NULL;
}

static atls_code make_pcks(const sim_plan *plan, const sim_machine *machine, int64_t when_s,
                           sim_pki *pki, atls_err *err)
{
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        uint8_t extension[SIM_EXTENSION_MAX];
        size_t len = 0;
        ATLS_TRY(sim_extension_make(plan, machine, i, extension, &len, err));
        pki->pck_key[i] = make_key(NULL);
        /* With another curve the certificate does not name the key that signs: no such key fits the quote. */
        EVP_PKEY *named = plan->pck.is_p384 ? make_key(&plan->pck) : pki->pck_key[i];
        pki->pck[i] = make_cert(&plan->pck, when_s, named, pki->cert[plan->pck.issuer],
                                sim_pki_signer(pki, plan->pck.issuer, plan->pck.signer),
                                (atls_buf){extension, len});
        if (named != pki->pck_key[i]) {
            EVP_PKEY_free(named);
        }
        if (pki->pck[i] == NULL) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto",
                            "a PCK certificate could not be made");
        }
    }
    return ATLS_OK;
}

atls_code sim_pki_make(const sim_plan *plan, const sim_machine *machine, int64_t when_s,
                       sim_pki *pki, atls_err *err)
{
    if (!make_cas(plan, when_s, pki) || !choose_trusted_root(plan, when_s, pki)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a CA certificate could not be made");
    }
    ATLS_TRY(make_pcks(plan, machine, when_s, pki, err));
    pki->root_crl = sim_crl_make(&plan->root_crl, when_s, pki);
    pki->pck_crl = sim_crl_make(&plan->pck_crl, when_s, pki);
    if (pki->root_crl == NULL || pki->pck_crl == NULL) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a CRL could not be made");
    }
    return ATLS_OK;
}

atls_code sim_pki_share(const sim_pki *from, const sim_plan *plan, const sim_machine *machine,
                        int64_t when_s, sim_pki *pki, atls_err *err)
{
    for (size_t i = 0; i < SIM_WHO; i++) {
        if (from->key[i] != NULL && EVP_PKEY_up_ref(from->key[i]) == 1) {
            pki->key[i] = from->key[i];
        }
        if (from->cert[i] != NULL && X509_up_ref(from->cert[i]) == 1) {
            pki->cert[i] = from->cert[i];
        }
    }
    if (X509_up_ref(from->trusted_root) == 1) {
        pki->trusted_root = from->trusted_root;
    }
    sim_pki_set1_crls(pki, from->root_crl, from->pck_crl);
    return make_pcks(plan, machine, when_s, pki, err);
}

void sim_pki_set1_crls(sim_pki *pki, X509_CRL *root_crl, X509_CRL *pck_crl)
{
    X509_CRL *const before[] = {pki->root_crl, pki->pck_crl};
    (void)X509_CRL_up_ref(root_crl);
    (void)X509_CRL_up_ref(pck_crl);
    pki->root_crl = root_crl;
    pki->pck_crl = pck_crl;
    X509_CRL_free(before[0]);
    X509_CRL_free(before[1]);
}

void sim_pki_clear(sim_pki *pki)
{
    for (size_t i = 0; i < SIM_WHO; i++) {
        EVP_PKEY_free(pki->key[i]);
        X509_free(pki->cert[i]);
    }
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        EVP_PKEY_free(pki->pck_key[i]);
        X509_free(pki->pck[i]);
    }
    X509_free(pki->trusted_root);
    X509_CRL_free(pki->root_crl);
    X509_CRL_free(pki->pck_crl);
    memset(pki, 0, sizeof *pki);
}

atls_code sim_pki_pem(const X509 *cert, char **pem, atls_err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    char *copy = NULL;
    if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1) {
        long len = BIO_get_mem_data(bio, &text);
        copy = malloc((size_t)len + 1);
        if (copy != NULL) {
            memcpy(copy, text, (size_t)len);
            copy[len] = '\0';
        }
    }
    BIO_free(bio);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *pem = copy;
    return ATLS_OK;
}
