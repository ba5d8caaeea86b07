/* snp_cert.h: AMD's certificates and revocation lists, made with keys of ours. */
#ifndef ATLS_SIM_SNP_CERT_H
#define ATLS_SIM_SNP_CERT_H

#include <openssl/x509.h>

#include "sim/snp_plan.h"

typedef struct snp_bytes { /* malloc'ed; all NULL for what could not be made */
    uint8_t *ptr;
    size_t len;
} snp_bytes;

typedef struct snp_keys {
    EVP_PKEY *key[SNP_KEYS];
} snp_keys;

/* What identifies the simulated chip. */
#define SNP_HW_ID_LEN 64
void snp_hw_id(snp_product product, uint8_t id[SNP_HW_ID_LEN], size_t *len);
/* A TCB version as this product's reports have it. */
void snp_tcb(snp_product product, uint8_t tcb[8]);
const char *snp_product_name(snp_product product);

snp_bytes snp_root_make(const snp_keys *keys, snp_product product, int64_t when_s);
snp_bytes snp_ca_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                      int64_t when_s);
snp_bytes snp_leaf_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                        int64_t when_s);
snp_bytes snp_crl_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                       int64_t when_s);

#endif
