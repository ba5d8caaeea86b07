#include "e2e/rig_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "e2e/rig.h"

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

void rig_cert_make(rig_cert *out, const char *name, const rig_cert *issuer)
{
    static long serial = 1;
    char san[128];
    out->key = EVP_EC_gen("P-256");
    out->cert = X509_new();
    assert_non_null(out->key);
    assert_non_null(out->cert);
    X509 *by = issuer != NULL ? issuer->cert : out->cert;
    assert_int_equal(X509_set_version(out->cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(out->cert), serial++), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(out->cert), RIG_WHEN_S - 86400));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(out->cert), RIG_WHEN_S + 86400 * 100));
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(out->cert), "CN",
                                                MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                                0),
                     1);
    assert_int_equal(X509_set_issuer_name(out->cert, X509_get_subject_name(by)), 1);
    assert_int_equal(X509_set_pubkey(out->cert, out->key), 1);
    if (issuer == NULL) {
        add_extension(out->cert, by, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(out->cert, by, NID_key_usage, "critical,keyCertSign");
    } else {
        (void)snprintf(san, sizeof san, "DNS:%s", name);
        add_extension(out->cert, by, NID_subject_alt_name, san);
    }
    assert_true(X509_sign(out->cert, issuer != NULL ? issuer->key : out->key, EVP_sha256()) > 0);
}

void rig_cert_free(rig_cert *c)
{
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
    *c = (rig_cert){NULL, NULL};
}
