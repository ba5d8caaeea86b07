#include "sim/tpm_pki.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "sim/name.h"
#include "sim/plan.h"

static X509_NAME *make_name(const char *cn)
{
    X509_NAME *name = sim_name(cn, SIM_ORGANISATION);
    if (name != NULL && X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8,
                                                   (const unsigned char *)"tpm", -1, -1, 0) != 1) {
        X509_NAME_free(name);
        return NULL;
    }
    return name;
}

static bool add(X509 *cert, X509 *issuer, const char *name, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf(NULL, &ctx, name, value);
    const bool good = e != NULL && X509_add_ext(cert, e, -1) == 1;
    X509_EXTENSION_free(e);
    return good;
}

static bool add_extensions(X509 *cert, X509 *issuer, const sim_tpm_cert *p)
{
    return add(cert, issuer, "basicConstraints",
               p->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           add(cert, issuer, "subjectKeyIdentifier", "hash") &&
           (p->issuer == NULL || add(cert, issuer, "authorityKeyIdentifier", "keyid:always")) &&
           add(cert, issuer, "keyUsage", p->key_usage) &&
           (p->eku == NULL || add(cert, issuer, "extendedKeyUsage", p->eku)) &&
           (p->san == NULL || add(cert, issuer, "subjectAltName", p->san)) &&
           (p->oid == NULL || add(cert, issuer, p->oid, p->value));
}

X509 *sim_tpm_cert_make(const sim_tpm_cert *p)
{
    X509 *cert = X509_new();
    X509_NAME *name = make_name(p->cn);
    X509 *issuer = p->issuer != NULL ? p->issuer : cert;
    bool good = cert != NULL && name != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
                ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)p->from_s) != NULL &&
                ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)p->until_s) != NULL &&
                X509_set_pubkey(cert, p->key) == 1 && X509_set_subject_name(cert, name) == 1 &&
                X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
                add_extensions(cert, issuer, p) && X509_sign(cert, p->signer, EVP_sha256()) > 0;
    X509_NAME_free(name);
    if (!good) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}
