/* quote.h: SGX and TDX quotes, versions 3, 4 and 5 (Intel's DCAP formats), as views. No judgement. */
#ifndef ATLS_EVIDENCE_DCAP_QUOTE_H
#define ATLS_EVIDENCE_DCAP_QUOTE_H

#include <atls/types.h>
#include "base/reader.h"
#include "claims/claims.h"

#define ATLS_QUOTE_MAX_LEN 65536

typedef struct atls_sgx_report { /* 384 bytes; views point into it */
    atls_buf all;
    atls_buf cpusvn, isvextprodid, attributes, mrenclave, mrsigner, configid, isvfamilyid, report_data;
    uint32_t miscselect;
    uint16_t isvprodid, isvsvn, configsvn;
} atls_sgx_report;

typedef struct atls_td_report { /* 584 or 648 bytes */
    atls_buf tee_tcb_svn, mrseam, mrsignerseam, seam_attributes, td_attributes, xfam, mrtd, mrconfigid,
        mrowner, mrownerconfig, rtmr[4], report_data;
    bool is_1_5;
    atls_buf tee_tcb_svn2, mrservicetd; /* 1.5 only */
} atls_td_report;

typedef struct atls_quote { /* views point into the quote's bytes */
    uint16_t version, key_type;
    uint32_t tee_type; /* 0 SGX, 0x81 TDX */
    uint16_t header_svn[2]; /* bytes 8..11: informative only */
    atls_buf qe_vendor, user_data;
    bool is_tdx;
    atls_sgx_report sgx; /* when not is_tdx */
    atls_td_report td;   /* when is_tdx */
    atls_buf signed_range;
    atls_buf signature_data; /* all len bytes of it */
    atls_buf signature;       /* 64: r||s */
    atls_buf attestation_key; /* 64: x||y */
    atls_sgx_report qe_report;
    atls_buf qe_report_signature; /* 64 */
    atls_buf qe_auth_data;
    uint16_t certification_type; /* inner: 1 to 5 */
    atls_buf certification_data;
    size_t trailing; /* bytes after the signature data: unsigned padding */
} atls_quote;

/* ATLS_E_INVALID with a check id "quote...."; *out is set whole, and on success only. */
ATLS_MUST_USE atls_code atls_quote_parse(atls_buf bytes, atls_quote *out, atls_err *err);

/* Fields into claims (tee, report_data, as.sgx / as.tdx). */
void atls_quote_claims(const atls_quote *q, atls_claims *out);

#endif
