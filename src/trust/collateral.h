/* collateral.h: Intel's collateral as it was delivered, unwrapped once into bytes that never change. */
#ifndef ATLS_TRUST_COLLATERAL_H
#define ATLS_TRUST_COLLATERAL_H

#include <stdatomic.h>

#include "crypto/cert.h"
#include "crypto/crl.h"
#include <atls/verifier.h>

#define ATLS_COLLATERAL_MAX_LEN (4u << 20)
#define ATLS_SIGNED_TEXT_MAX    (1u << 20) /* TCB info, QE identity */

/* An item may be absent (present false: collateral missing, 3) or unreadable (readable false: invalid, 4). */
typedef struct atls_collateral_item {
    bool present, readable;
    atls_buf bytes; /* text as signed, or DER */
} atls_collateral_item;

typedef struct atls_collateral_chain {
    bool present, readable;
    size_t n;
    atls_buf ders[ATLS_CHAIN_MAX];
} atls_collateral_chain;

struct atls_collateral {
    atomic_int refs;
    atls_collateral_chain pck_chain, pck_crl_chain, tcb_info_chain, qe_identity_chain;
    atls_collateral_item root_crl, pck_crl; /* DER */
    atls_collateral_item tcb_info, qe_identity;
    atls_collateral_item tcb_info_signature, qe_identity_signature; /* 64 bytes r||s */
    /* What the TCB info claims to be for. Unverified: to choose among several, nothing else. */
    bool has_hint, hint_tdx;
    uint8_t hint_fmspc[6];
    uint32_t hint_number; /* tcbEvaluationDataNumber; 0: none */
    int64_t hint_issued_s;
    uint8_t space[]; /* all of the above points in here */
};

/* By what it claims to be for: this TEE and FMSPC (NULL: no chain of the evidence says; then one with a PCK chain). */
bool atls_collateral_fits(const atls_collateral *c, bool is_tdx, const uint8_t *fmspc);

/* What services deliver, as store items have it: whole JSON bodies, chains in PEM, CRLs in DER. {NULL, 0}: missing. */
typedef struct atls_collateral_parts {
    atls_buf tcb_info, tcb_info_chain, qe_identity, qe_identity_chain;
    atls_buf pck_crl, pck_crl_chain, root_crl;
} atls_collateral_parts;
/* Put together (copied); a part that cannot be read is judged as such later. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_collateral_of_parts(const atls_collateral_parts *parts,
                                                 atls_collateral **out, atls_err *err);

/* Is its PCK CRL one of this issuer (DER of a name; empty: no), by the name in it? */
bool atls_collateral_has_crl_of(const atls_collateral *c, atls_buf issuer);

/* Has a the higher evaluation number, or of equal ones the newer issue date, by what their TCB infos claim? */
bool atls_collateral_newer(const atls_collateral *a, const atls_collateral *b);

/* The same certificates, byte for byte? */
bool atls_collateral_same_chain(const atls_collateral_chain *a, const atls_collateral_chain *b);

#endif
