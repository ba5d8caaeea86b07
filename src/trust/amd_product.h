/* amd_product.h: AMD's processor families, by the names that certificates give them. */
#ifndef ATLS_TRUST_AMD_PRODUCT_H
#define ATLS_TRUST_AMD_PRODUCT_H

#include "claims/claims.h"

typedef enum atls_amd_product {
    ATLS_AMD_UNKNOWN = 0,
    ATLS_AMD_MILAN,
    ATLS_AMD_GENOA, /* Bergamo and Siena, too */
    ATLS_AMD_TURIN,
    ATLS_AMD_VENICE /* known by its CPUID; no root of it is published */
} atls_amd_product;

const char *atls_amd_product_name(atls_amd_product product); /* "Milan"; "unknown" */
/* The name may have a stepping behind it: "Milan-B0". Venice is not found: nothing here can judge it. */
atls_amd_product atls_amd_product_by_name(const char *name);
/* CPUID's combined family and model. */
atls_amd_product atls_amd_product_by_cpuid(uint8_t family, uint8_t model);

/* The components of a TCB version, which each product lays out in its own way. */
atls_snp_tcb atls_amd_tcb(const uint8_t raw[8], atls_amd_product product);

/* Which component of a is above that of b: its name, or NULL when none is. */
const char *atls_amd_tcb_above(const atls_snp_tcb *a, const atls_snp_tcb *b);

#endif
