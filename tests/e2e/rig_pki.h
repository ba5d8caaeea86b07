/* rig_pki.h: a certification authority of its own for one test. */
#ifndef ATLS_TESTS_RIG_PKI_H
#define ATLS_TESTS_RIG_PKI_H

#include <openssl/x509.h>

typedef struct rig_cert {
    X509 *cert;
    EVP_PKEY *key;
} rig_cert;

/* A P-256 key and a certificate for this DNS name; issuer NULL: a CA that signs itself. Asserts. */
void rig_cert_make(rig_cert *out, const char *name, const rig_cert *issuer);
void rig_cert_free(rig_cert *c);

#endif
