/* amd_leaf.h: what a VCEK or VLEK certificate says in the extensions of AMD's arc 1.3.6.1.4.1.3704.1 (AMD 57230): which
 * product, which TCB, which chip or which provider. */
#ifndef ATLS_TRUST_AMD_LEAF_H
#define ATLS_TRUST_AMD_LEAF_H

#include "crypto/cert.h"
#include "trust/amd_product.h"

typedef struct atls_amd_leaf {
    uint8_t struct_version;
    atls_amd_product product;
    uint8_t tcb[8]; /* laid out as this product's reports have it */
    bool has_hw_id; /* VCEK */
    uint8_t hw_id[64];
    size_t hw_id_len; /* 64; Turin 8 */
    char csp_id[64];  /* VLEK; "" otherwise */
} atls_amd_leaf;

/* Every extension that the product has, each as AMD encodes it; numbers are minimal DER INTEGERs of one byte; hwID is
 * raw bytes, and never looked at for a DER tag but when it is two bytes too long. ATLS_E_INVALID
 * "snp.leaf.extensions"; *out is set whole, and on success only. */
ATLS_MUST_USE atls_code atls_amd_leaf_read(const atls_cert *cert, bool is_vlek, atls_amd_leaf *out,
                                           atls_err *err);

#endif
