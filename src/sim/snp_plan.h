/* snp_plan.h: everything that can be wrong with a simulated SNP report and what comes with it. */
#ifndef ATLS_SIM_SNP_PLAN_H
#define ATLS_SIM_SNP_PLAN_H

#include <atls/sim.h>

typedef enum snp_key {
    SNP_ARK = 0, /* RSA-4096 */
    SNP_ASK,     /* likewise */
    SNP_ASVK,    /* likewise */
    SNP_VCEK,    /* P-384 */
    SNP_VLEK,    /* likewise */
    SNP_P256,    /* of a kind that AMD does not use */
    SNP_KEYS
} snp_key;

typedef enum snp_product { SNP_MILAN = 0, SNP_GENOA, SNP_TURIN, SNP_PRODUCTS } snp_product;

typedef struct snp_variant {
    const char *name;
    snp_product product;
    uint32_t version;
    bool is_vlek;
} snp_variant;
/* Milan comes first. NULL behind the last. */
const snp_variant *snp_variant_at(size_t i);
const snp_variant *snp_variant_named(const char *name); /* NULL: Milan; none of that name: NULL */

/* All values are int or const char *, so that a fault is an offset and a value. Times count from the world's. */
typedef struct snp_cert_plan {
    const char *cn, *issuer_cn; /* NULL: the usual */
    int from_s, until_s;
    int certified, signer; /* snp_key; -1: the usual */
    int sha256, pkcs1;     /* in place of SHA-384, of PSS */
    int not_ca, is_ca;     /* the opposite of the usual */
    int unknown_critical;
    int garbage; /* no certificate at all */
    int broken;  /* a bit of the signature is turned over */
} snp_cert_plan;

typedef enum snp_extension_change {
    SNP_EXT_AS_IT_IS = 0,
    SNP_EXT_DROP,
    SNP_EXT_SET, /* to hex bytes; added when it was not there */
    SNP_EXT_TWICE,
    SNP_EXT_WRAP /* as an OCTET STRING inside the OCTET STRING */
} snp_extension_change;

typedef enum snp_table_change {
    SNP_TABLE_AS_IT_IS = 0,
    SNP_TABLE_NO_END,
    SNP_TABLE_MANY,
    SNP_TABLE_LARGE,
    SNP_TABLE_TWICE,
    SNP_TABLE_TWICE_UNKNOWN,
    SNP_TABLE_INTO_HEADER,
    SNP_TABLE_BEHIND_END,
    SNP_TABLE_WRAPS,
    SNP_TABLE_CERT_LARGE,
    SNP_TABLE_PADDED,
    SNP_TABLE_PEM
} snp_table_change;

typedef struct snp_plan {
    snp_cert_plan leaf, ca;
    const char *extension; /* suffix of AMD's arc: "3.1" */
    int extension_change;
    const char *extension_value; /* hex */
    int crl_from_s, crl_until_s, crl_signer, crl_revokes, crl_critical, crl_endless, crl_garbage;
    int crl_sha256;
    const char *crl_issuer; /* NULL: the root of the product */
    int no_leaf, no_ca, no_crl, table_change;
    int signed_at;              /* -1: none; bytes that are set before the report is signed ... */
    int signed_n, signed_value; /* ... so many, all to this */
    int flipped_at;             /* -1: none; a byte of which bits are turned over afterwards */
    int flipped_bits;
    int longer; /* bytes behind the report */
    int zero_signature;
    int masked;       /* CHIP_ID is zero; 2: and MASK_CHIP_KEY is not set */
    int other_signer; /* the report is signed with a key that no certificate names */
} snp_plan;

void snp_plan_default(snp_plan *plan);

extern const atls_sim_world_fault snp_faults_told[];
extern const size_t snp_faults_n;

/* Makes plan bad in that respect. NULL: leaves it alone. */
void snp_fault_apply(const char *name, snp_plan *plan);

#endif
