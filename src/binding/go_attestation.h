/* go_attestation.h: attest.Attestation of go-tpm-tools, the message in which Go programs carry a TPM's quotes, with or
 * without an SNP report beside them. Taken apart and put together; nothing is judged. */
#ifndef ATLS_BINDING_GO_ATTESTATION_H
#define ATLS_BINDING_GO_ATTESTATION_H

#include "base/reader.h"
#include "base/writer.h"

#define ATLS_GO_QUOTES_MAX 8    /* banks of a TPM */
#define ATLS_GO_PCR_MAX    64   /* bytes: a digest of SHA-512 */
#define ATLS_GO_PCRS_MAX   2048 /* bytes: 32 PCRs of 64 */

typedef struct atls_go_quote { /* views point into the message */
    uint16_t bank;             /* TPM_ALG_ID of the PCRs: 4, 11, 12, 13 */
    atls_buf attest;           /* TPMS_ATTEST */
    atls_buf signature;        /* TPMT_SIGNATURE */
    atls_buf pcrs;             /* the message with their values */
} atls_go_quote;

typedef struct atls_go_attestation {
    atls_buf ak_public; /* TPMT_PUBLIC */
    atls_buf ak_cert;   /* DER; empty: none */
    atls_buf event_log; /* empty: none */
    atls_go_quote quotes[ATLS_GO_QUOTES_MAX];
    size_t quotes_n;
    bool has_snp, has_tdx;
    atls_buf snp; /* a sevsnp.Attestation (sevsnp.h) */
} atls_go_attestation;

/* Bytes of a PCR of that bank: 20, 32, 48 or 64; 0: no known bank. */
/*@ assigns \nothing;
    ensures 0 <= \result <= ATLS_GO_PCR_MAX; */
size_t atls_go_pcr_len(uint16_t bank);

/* ATLS_E_INVALID "go_attestation.malformed", ".twice", ".field" (of another kind), ".quotes" (more than 8, or one without
 * its quote, signature or PCRs). Unknown fields are passed over. */
/*@ requires valid_buf(message) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> out->quotes_n <= ATLS_GO_QUOTES_MAX; */
ATLS_MUST_USE atls_code atls_go_attestation_parse(atls_buf message, atls_go_attestation *out,
                                                  atls_err *err);

/* The values of a quote's PCRs one behind the other, in the order of their numbers. Which PCRs they are, the signed quote
 * says. ATLS_E_INVALID "go_attestation.pcrs": none, a number above 31 or twice, or a value that is not of the bank. */
/*@ requires \valid_read(quote) && valid_buf(quote->pcrs) && \valid(out + (0 .. ATLS_GO_PCRS_MAX - 1)) && \valid(out_len);
    requires (err == \null || \valid(err)) && \separated(out + (0 .. ATLS_GO_PCRS_MAX - 1), out_len, err, quote);
    assigns out[0 .. ATLS_GO_PCRS_MAX - 1], *out_len, *err;
    ensures \result == ATLS_OK ==> *out_len <= ATLS_GO_PCRS_MAX; */
ATLS_MUST_USE atls_code atls_go_pcrs(const atls_go_quote *quote, uint8_t out[ATLS_GO_PCRS_MAX],
                                     size_t *out_len, atls_err *err);

/* --- writing --- */
typedef struct atls_go_making {
    atls_buf ak_public, ak_cert, event_log; /* the last two: empty: left out */
    atls_buf attest, signature;             /* empty: no quote */
    uint16_t bank;
    uint32_t selection;            /* bit i: PCR i */
    atls_buf pcrs;                 /* values of those, in order */
    const uint8_t *snp;            /* a report of 1184 bytes; NULL: none */
    atls_buf vcek, vlek, ask, ark; /* beside it; DER */
} atls_go_making;
/* Bytes that surely suffice. */
size_t atls_go_attestation_room(const atls_go_making *m);
/* The message at the start of space, which has 3 * atls_go_attestation_room(m) bytes: two thirds to work in. {NULL, 0}: the PCRs' values are not as many as are selected, or of no known bank. */
atls_buf atls_go_attestation_write(const atls_go_making *m, uint8_t *space);

#endif
