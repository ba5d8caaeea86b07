/* hcl.h: what the paravisor of an Azure confidential VM keeps in NV index 0x01400001: a hardware report, and the data that
 * the report covers (spec 4). Laid out as views; nothing is believed. Little endian. */
#ifndef ATLS_EVIDENCE_TPM_HCL_H
#define ATLS_EVIDENCE_TPM_HCL_H

#include "base/reader.h"

#define ATLS_HCL_MAX_LEN      4096
#define ATLS_HCL_SNP_LEN      1184 /* an SNP report */
#define ATLS_HCL_TDREPORT_LEN 1024

/* TDREPORT_STRUCT (Intel TDX module ABI): what a quote made of it repeats. */
typedef struct atls_td_report_fields {
    atls_buf report_data;                                       /* 64 */
    atls_buf attributes, xfam;                                  /* 8 each */
    atls_buf mrtd, mrconfigid, mrowner, mrownerconfig, rtmr[4]; /* 48 each */
} atls_td_report_fields;

typedef struct atls_hcl { /* views point into the bytes */
    uint32_t version;     /* 1 or 2 */
    bool is_tdx;          /* the report is a TDREPORT; otherwise an SNP report */
    uint32_t hash_type;   /* 1 SHA-256, 2 SHA-384, 3 SHA-512 */
    atls_buf report;      /* 1184: a TDREPORT has zeros behind its 1024 */
    atls_buf runtime;     /* JSON, hashed byte for byte */
} atls_hcl;

/* All of the bytes: behind the runtime data are zeros alone. ATLS_E_INVALID "tpm.hcl.length" / ".magic" / ".version" /
 * ".type" / ".hash" / ".sizes" / ".trailing". */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_hcl_parse(atls_buf bytes, atls_hcl *out, atls_err *err);

/* Of report when is_tdx. */
/*@ requires valid_buf(report);
    assigns \nothing; */
atls_td_report_fields atls_hcl_td_report(atls_buf report);

#endif
