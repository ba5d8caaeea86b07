/* nitro_pki.h: certificates of the shape of AWS's, right or wrong in any one respect. */
#ifndef ATLS_SIM_NITRO_PKI_H
#define ATLS_SIM_NITRO_PKI_H

#include <openssl/x509.h>

#include <atls/types.h>

typedef enum nitro_role {
    NITRO_ROOT = 0,
    NITRO_REGIONAL,
    NITRO_ZONAL,
    NITRO_INSTANCE,
    NITRO_LEAF,
    NITRO_ROLES
} nitro_role;

typedef struct nitro_cert_plan {
    nitro_role role;
    EVP_PKEY *key, *signer;
    const char *hash;          /* "SHA2-384" */
    const char *issuer_cn;     /* NULL: that of the role above */
    const char *basic, *usage; /* in OpenSSL's words */
    bool is_critical_odd;      /* a critical extension that nobody knows */
    int64_t begins_s, ends_s;
} nitro_cert_plan;

/* The usual one of that role, but for its keys. */
nitro_cert_plan nitro_cert_usual(nitro_role role, int64_t when_s);

/* DER, malloc'ed. */
ATLS_MUST_USE atls_code nitro_cert_make(const nitro_cert_plan *plan, uint8_t **der, size_t *len,
                                        atls_err *err);

#endif
