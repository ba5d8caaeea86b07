/* oe_report.h: the two forms in which Open Enclave and EGo put a quote into a certificate. A header is laid out and checked,
 * and the quote behind it is found; of the quote only what is needed for its length and the place of its report data is
 * read: nothing in it is believed here. Numbers are little-endian. */
#ifndef ATLS_BINDING_OE_REPORT_H
#define ATLS_BINDING_OE_REPORT_H

#include "base/reader.h"
#include <atls/types.h>

#define ATLS_OE_REPORT_HEADER 16 /* u32 version 1, u32 type, u64 size of the quote */
#define ATLS_OE_EVIDENCE_HEADER                                                                    \
    32 /* u32 version 3, format id, 4 of padding, u64 size of the data */

typedef struct atls_oe_report { /* views point into the bytes read */
    atls_buf quote;
    bool is_tdx; /* otherwise SGX */
    atls_buf
        report_data; /* 64 bytes of the quote, unverified: to choose between bindings, not to judge one */
    atls_buf claims; /* evidence: the custom claims, maybe none; a report: empty */
} atls_oe_report;

/* A report ("oe-report"): header and quote, all of the bytes. ATLS_E_INVALID "oe_report.length", ".version", ".type" (local
 * reports, too: another machine cannot verify them), ".size", ".quote". *out is set whole, and on success only. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> out->report_data.len == 64; */
ATLS_MUST_USE atls_code atls_oe_report_parse(atls_buf bytes, atls_oe_report *out, atls_err *err);

/* Evidence ("oe-evidence"): header, quote, custom claims, all of the bytes. ATLS_E_INVALID "oe_evidence.length", ".version",
 * ".format" (any but quotes with custom claims), ".size", ".quote". *out is set whole, and on success only. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> out->report_data.len == 64; */
ATLS_MUST_USE atls_code atls_oe_evidence_parse(atls_buf bytes, atls_oe_report *out, atls_err *err);

#endif
