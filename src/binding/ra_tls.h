/* ra_tls.h: what the dialects ra-tls, ra-tls-cmw, ra-tls-gramine and ra-tls-sdk share: tagged evidence read from a
 * certificate and made for one. */
#ifndef ATLS_BINDING_RA_TLS_H
#define ATLS_BINDING_RA_TLS_H

#include "binding/binding.h"
#include "binding/certificate.h"
#include "crypto/digest.h"

/* Contents of OIDs: what may stand in such certificates, critical or not. */
extern const atls_buf atls_ra_tls_oids[];
enum {
    ATLS_RA_TLS_TCG = 0,      /* 2.23.133.5.4.9 */
    ATLS_RA_TLS_ENDORSEMENTS, /* 2.23.133.5.4.2 */
    ATLS_RA_TLS_CMW,          /* 1.3.6.1.5.5.7.1.35 */
    ATLS_RA_TLS_GRAMINE,      /* 0.6.9.42.840.113741.1337.6 */
    ATLS_RA_TLS_SDK,          /* 1.2.840.113741.1.13.1 */
    ATLS_RA_TLS_OIDS
};

/* The state of one connection. */
typedef struct atls_ra_tls_state {
    atls_hash hash; /* of key and claims */
    uint8_t *claims;
    size_t claims_len;
    unsigned asked; /* for evidence, so many times */
    uint8_t *first; /* ra-tls-gramine: the quote over the key alone */
    size_t first_len;
} atls_ra_tls_state;
void atls_ra_tls_end(atls_link *link);

/* atls_binding.context: are the options such as can be followed? ATLS_E_USAGE "ra_tls.option". */
ATLS_MUST_USE atls_code atls_ra_tls_context(SSL_CTX *ctx, atls_role role,
                                            const atls_binding_option *options, size_t options_n,
                                            atls_err *err);

/* --- reading: nothing of *out points into *c --- */
/* A copy of an extension's content, which lives with out; found false: it is not there. */
ATLS_MUST_USE atls_code atls_ra_tls_extension(const atls_carrier *c, int which, atls_carried *out,
                                              atls_buf *value, bool *found, atls_err *err);
/* Tagged evidence (content of the extension, which lives as long as out), and the endorsements beside it, if any. */
ATLS_MUST_USE atls_code atls_ra_tls_carry(const atls_carrier *c, atls_buf value,
                                          const atls_binding_option *options, size_t options_n,
                                          atls_carried *out, atls_err *err);
/* A quote without claims, whose report data is this hash of the key, zeros behind it. Without nonce: where one is wanted
 * it is refused. */
ATLS_MUST_USE atls_code atls_ra_tls_carry_bare(atls_buf quote, bool is_tdx, atls_buf digest,
                                               const atls_binding_option *options, size_t options_n,
                                               atls_carried *out, atls_err *err);
/* read_certificate of ra-tls: tagged evidence or nothing. */
ATLS_MUST_USE atls_code atls_ra_tls_read(const atls_carrier *c, const atls_binding_option *options,
                                         size_t options_n, atls_carried *out, bool *found,
                                         atls_err *err);

/* --- making --- */
/* Claims into the state, and link->wanted over them. */
ATLS_MUST_USE atls_code atls_ra_tls_want(atls_link *link, atls_err *err);
/* Tagged evidence out of link->evidence and the state's claims; malloc'ed. */
ATLS_MUST_USE atls_code atls_ra_tls_tagged(const atls_link *link, uint8_t **out, size_t *len,
                                           atls_err *err);
/* link->made with these extensions, behind them the endorsements if they are asked for and there. */
#define ATLS_RA_TLS_EXTENSIONS 3
typedef struct atls_ra_tls_plan {
    const char *common_name, *country;
    atls_certificate_extension extensions[ATLS_RA_TLS_EXTENSIONS];
    size_t extensions_n;
} atls_ra_tls_plan;
ATLS_MUST_USE atls_code atls_ra_tls_certify(atls_link *link, atls_ra_tls_plan *plan, atls_err *err);

#endif
