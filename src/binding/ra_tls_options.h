/* ra_tls_options.h: the options of the RA-TLS dialects, read once and whole. */
#ifndef ATLS_BINDING_RA_TLS_OPTIONS_H
#define ATLS_BINDING_RA_TLS_OPTIONS_H

#include "binding/binding.h"
#include "binding/tcg_evidence.h"

#define ATLS_RA_TLS_CLAIMS_MAX 8    /* of option "claims" */
#define ATLS_RA_TLS_SPACE      4096 /* bytes of the option, decoded less than half of them */

typedef enum atls_ra_tls_hash {
    ATLS_RA_TLS_ANY_HASH = 0,
    ATLS_RA_TLS_SHA256,
    ATLS_RA_TLS_SHA384
} atls_ra_tls_hash;

typedef struct atls_ra_tls_options {
    atls_ra_tls_hash hash;
    bool has_nonce; /* wanted of the peer */
    uint8_t nonce[64];
    size_t nonce_len;
    int64_t validity_s;
    bool endorsements, old_tag;
    atls_tcg_claim
        claims[ATLS_RA_TLS_CLAIMS_MAX]; /* names point into the option, values into space */
    size_t claims_n;
    uint8_t space[ATLS_RA_TLS_SPACE / 2];
} atls_ra_tls_options;

/* ATLS_E_USAGE "ra_tls.option". out has views into itself: it is not copied. */
ATLS_MUST_USE atls_code atls_ra_tls_options_read(const atls_binding_option *options,
                                                 size_t options_n, atls_ra_tls_options *out,
                                                 atls_err *err);

#endif
