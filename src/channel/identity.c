/* A key pair of this process's own, made on the spot: what attests it is the evidence, not a CA. */
#include "channel/config.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/err.h"

#define DAY_S 86400

static bool set_names(X509 *cert)
{
    X509_NAME *name = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"atls", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(cert, name) == 1;
}

static bool set_serial(X509 *cert)
{
    uint8_t random[8];
    if (RAND_bytes(random, sizeof random) != 1) {
        return false;
    }
    uint64_t serial = 0;
    for (size_t i = 0; i < sizeof random; i++) {
        serial = serial * 256u + random[i];
    }
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial / 2 + 1) == 1;
}

/* The dates say little (the key lives as long as its process), but a peer's library may look at them. */
static bool set_dates(X509 *cert, int64_t when_s)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(when_s - DAY_S)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(when_s + (int64_t)3650 * DAY_S)) !=
               NULL;
}

atls_code atls_config_make_identity(atls_config *c, int64_t when_s, atls_err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    atls_code rc = ATLS_OK;
    if (key == NULL || cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
        !set_serial(cert) || !set_names(cert) || !set_dates(cert, when_s) ||
        X509_set_pubkey(cert, key) != 1 || X509_sign(cert, key, EVP_sha256()) == 0) {
        rc = ATLS_ERR(err, ATLS_E_SYSTEM, "config.make_identity",
                      "cannot make a P-256 key and its certificate");
    } else {
        rc = atls_config_set1_identity(c, cert, key, err);
        c->own_key = rc == ATLS_OK;
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}
