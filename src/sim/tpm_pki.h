/* tpm_pki.h: the certificates of a software TPM. */
#ifndef ATLS_SIM_TPM_PKI_H
#define ATLS_SIM_TPM_PKI_H

#include <openssl/x509.h>

#include <atls/types.h>

typedef struct sim_tpm_cert {
    const char *cn;
    const char *key_usage; /* as OpenSSL writes it: "critical,digitalSignature" */
    const char *eku;       /* NULL: none */
    const char *san;       /* section-free value, "critical,..." ; NULL: none */
    bool is_ca;
    const char *oid, *value; /* one extension more: "1.2.3", "critical,DER:0500"; NULL: none */
    int64_t from_s, until_s;
    EVP_PKEY *key;
    X509 *issuer; /* NULL: itself */
    EVP_PKEY *signer;
} sim_tpm_cert;

/* O is the simulator's, OU "tpm". NULL when OpenSSL fails. */
X509 *sim_tpm_cert_make(const sim_tpm_cert *plan);

#endif
