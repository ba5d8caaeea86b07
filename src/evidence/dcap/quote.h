/* quote.h: SGX and TDX quotes, versions 3, 4 and 5 (Intel's DCAP formats), as views. No judgement. */
#ifndef ATLS_EVIDENCE_DCAP_QUOTE_H
#define ATLS_EVIDENCE_DCAP_QUOTE_H

#include "base/reader.h"
#include "claims/claims.h"
#include <atls/types.h>

#define ATLS_QUOTE_MAX_LEN 65536

typedef struct atls_sgx_report { /* 384 bytes; views point into it */
    atls_buf all;
    atls_buf cpusvn, isvextprodid, attributes, mrenclave, mrsigner, configid, isvfamilyid,
        report_data;
    uint32_t miscselect;
    uint16_t isvprodid, isvsvn, configsvn;
} atls_sgx_report;

typedef struct atls_td_report { /* 584 or 648 bytes */
    atls_buf tee_tcb_svn, mrseam, mrsignerseam, seam_attributes, td_attributes, xfam, mrtd,
        mrconfigid, mrowner, mrownerconfig, rtmr[4], report_data;
    bool is_1_5;
    atls_buf tee_tcb_svn2, mrservicetd; /* 1.5 only */
} atls_td_report;

typedef struct atls_quote { /* views point into the quote's bytes */
    uint16_t version, key_type;
    uint32_t tee_type;      /* 0 SGX, 0x81 TDX */
    uint16_t header_svn[2]; /* bytes 8..11: informative only */
    atls_buf qe_vendor, user_data;
    bool is_tdx;
    atls_sgx_report sgx; /* when not is_tdx */
    atls_td_report td;   /* when is_tdx */
    atls_buf signed_range;
    atls_buf signature_data;  /* all len bytes of it */
    atls_buf signature;       /* 64: r||s */
    atls_buf attestation_key; /* 64: x||y */
    atls_sgx_report qe_report;
    atls_buf qe_report_signature; /* 64 */
    atls_buf qe_auth_data;
    uint16_t certification_type; /* inner: 1 to 5 */
    atls_buf certification_data;
    size_t trailing; /* bytes after the signature data: unsigned padding */
} atls_quote;

/* Where the views of a parsed quote's body point (see reader.h for these comments). */
/*@ predicate view_at(atls_buf b, uint8_t *p, integer offset, integer len) = b.ptr == p + offset && b.len == len;
    predicate sgx_layout(atls_sgx_report r) =
      view_at(r.all, r.all.ptr, 0, 384) && view_at(r.cpusvn, r.all.ptr, 0, 16) &&
      view_at(r.isvextprodid, r.all.ptr, 32, 16) && view_at(r.attributes, r.all.ptr, 48, 16) &&
      view_at(r.mrenclave, r.all.ptr, 64, 32) && view_at(r.mrsigner, r.all.ptr, 128, 32) &&
      view_at(r.configid, r.all.ptr, 192, 64) && view_at(r.isvfamilyid, r.all.ptr, 304, 16) &&
      view_at(r.report_data, r.all.ptr, 320, 64);
    predicate td_layout(atls_td_report r) =
      view_at(r.tee_tcb_svn, r.tee_tcb_svn.ptr, 0, 16) && view_at(r.mrseam, r.tee_tcb_svn.ptr, 16, 48) &&
      view_at(r.mrsignerseam, r.tee_tcb_svn.ptr, 64, 48) && view_at(r.seam_attributes, r.tee_tcb_svn.ptr, 112, 8) &&
      view_at(r.td_attributes, r.tee_tcb_svn.ptr, 120, 8) && view_at(r.xfam, r.tee_tcb_svn.ptr, 128, 8) &&
      view_at(r.mrtd, r.tee_tcb_svn.ptr, 136, 48) && view_at(r.mrconfigid, r.tee_tcb_svn.ptr, 184, 48) &&
      view_at(r.mrowner, r.tee_tcb_svn.ptr, 232, 48) && view_at(r.mrownerconfig, r.tee_tcb_svn.ptr, 280, 48) &&
      view_at(r.rtmr[0], r.tee_tcb_svn.ptr, 328, 48) && view_at(r.rtmr[1], r.tee_tcb_svn.ptr, 376, 48) &&
      view_at(r.rtmr[2], r.tee_tcb_svn.ptr, 424, 48) && view_at(r.rtmr[3], r.tee_tcb_svn.ptr, 472, 48) &&
      view_at(r.report_data, r.tee_tcb_svn.ptr, 520, 64) &&
      (r.is_1_5 ==> view_at(r.tee_tcb_svn2, r.tee_tcb_svn.ptr, 584, 16)) &&
      (r.is_1_5 ==> view_at(r.mrservicetd, r.tee_tcb_svn.ptr, 600, 48)) &&
      (!r.is_1_5 ==> r.tee_tcb_svn2.len == 0 && r.mrservicetd.len == 0);
    predicate sound_sgx_report(atls_sgx_report r) = readable(r.all.ptr, 384) && sgx_layout(r);
    predicate sound_td_report(atls_td_report r) =
      readable(r.tee_tcb_svn.ptr, r.is_1_5 ? 648 : 584) && td_layout(r);
    predicate sound_body(atls_quote q) =
      (q.is_tdx ==> sound_td_report(q.td)) && (!q.is_tdx ==> sound_sgx_report(q.sgx)); */

/* ATLS_E_INVALID with a check id "quote...."; *out is set whole, and on success only. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_quote_parse(atls_buf bytes, atls_quote *out, atls_err *err);

/* Fields into claims (tee, report_data, as.sgx / as.tdx). */
/*@ requires \valid_read(q) && sound_body(*q) && \valid(out) && \separated(q, out);
    assigns *out; */
void atls_quote_claims(const atls_quote *q, atls_claims *out);

#endif
