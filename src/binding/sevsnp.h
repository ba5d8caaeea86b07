/* sevsnp.h: the messages of go-sev-guest (sevsnp.Report, sevsnp.Attestation), in which Go programs carry an SNP report field
 * by field: back to the 1184 bytes that AMD's firmware signed, and from them to a message. What a message leaves out were
 * reserved zeros; if they were none, the signature over the bytes does not hold. Nothing is judged here. */
#ifndef ATLS_BINDING_SEVSNP_H
#define ATLS_BINDING_SEVSNP_H

#include "base/reader.h"
#include "base/writer.h"

#define ATLS_SEVSNP_REPORT_LEN 1184
/* Bytes that surely suffice for a sevsnp.Report made of a report. */
#define ATLS_SEVSNP_REPORT_MESSAGE_MAX 1536

typedef struct atls_sevsnp { /* views point into the message */
    uint8_t report[ATLS_SEVSNP_REPORT_LEN];
    atls_buf vcek, vlek, ask, ark; /* DER; empty: not there */
    atls_buf crl;                  /* AMD's revocation list, as Contrast puts it among the extras */
} atls_sevsnp;

/* A sevsnp.Report. ATLS_E_INVALID "sevsnp.malformed" (no such message), "sevsnp.twice" (a field comes again),
 * "sevsnp.field" (of another kind, length or range than its place in the report), "sevsnp.missing" (version, report data,
 * measurement or signature). Unknown fields are passed over. */
/*@ requires valid_buf(message) && \valid(out + (0 .. ATLS_SEVSNP_REPORT_LEN - 1)) && (err == \null || \valid(err));
    requires \separated(out + (0 .. ATLS_SEVSNP_REPORT_LEN - 1), err);
    assigns out[0 .. ATLS_SEVSNP_REPORT_LEN - 1], *err; */
ATLS_MUST_USE atls_code atls_sevsnp_report_parse(atls_buf message,
                                                 uint8_t out[ATLS_SEVSNP_REPORT_LEN],
                                                 atls_err *err);
/* A sevsnp.Attestation: report and certificate chain (its firmware certificate and the other extras are passed over). */
/*@ requires valid_buf(message) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> valid_buf(out->vcek) && valid_buf(out->vlek) && valid_buf(out->ask) &&
      valid_buf(out->ark); */
ATLS_MUST_USE atls_code atls_sevsnp_parse(atls_buf message, atls_sevsnp *out, atls_err *err);

/* A report as sevsnp.Report, in the order of the numbers, as Go writes it. report has 1184 bytes. The product's number of a
 * sevsnp.Attestation is left out: a reader finds it in the report, or in the VCEK. */
void atls_sevsnp_report_write(atls_writer *w, const uint8_t report[ATLS_SEVSNP_REPORT_LEN]);

/* An entry of sevsnp.CertificateChain's extras: the revocation list under Contrast's key. Nothing when it is empty. */
#define ATLS_SEVSNP_CRL_MORE 64 /* bytes that surely suffice around it */
ATLS_MUST_USE atls_code atls_sevsnp_crl_write(atls_writer *w, atls_buf crl, atls_err *err);

/* The certificate table of an SNP host (GHCB) with those that are there: VCEK, VLEK, ASK, CRL. An ARK is never taken from a
 * peer; the list is judged like one that the host gives.
 * Bytes needed by atls_sevsnp_table_write: 0 when there is none. */
size_t atls_sevsnp_table_len(const atls_sevsnp *s);
void atls_sevsnp_table_write(atls_writer *w, const atls_sevsnp *s);

/* The certificates and the list of such a table, put into s; others in it are passed over. False, and s as it was: it is none. */
bool atls_sevsnp_table_read(atls_buf table, atls_sevsnp *s);

#endif
