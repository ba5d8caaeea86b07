/* amd_pinned.h: the certificates between AMD's roots and its chips' keys: three ASKs and three ASVKs, as public keys and
 * facts. Each is RSA-4096 with exponent 65537, and signed by the ARK of its product. */
#ifndef ATLS_TRUST_AMD_PINNED_H
#define ATLS_TRUST_AMD_PINNED_H

#include <stdbool.h>
#include <stdint.h>

#define ATLS_AMD_INTERMEDIATES 6

typedef struct atls_amd_intermediate {
    const char *subject_cn; /* "SEV-Milan", "SEV-VLEK-Milan" */
    const char *product;    /* "Milan", "Genoa", "Turin": its root is ARK-... */
    bool is_vlek;           /* ASVK: signs VLEKs; otherwise ASK: signs VCEKs */
    uint8_t sha256[32];     /* of the whole certificate */
    uint8_t serial[3];      /* big endian: what a CRL of the root would list */
    int64_t not_before_s, not_after_s;
    uint8_t modulus[512]; /* big endian */
} atls_amd_intermediate;

extern const atls_amd_intermediate atls_amd_intermediates[ATLS_AMD_INTERMEDIATES];

#endif
