/* report.h: the attestation report that AMD's secure processor signs, taken apart and not judged (AMD 56860, table 23). */
#ifndef ATLS_EVIDENCE_SNP_REPORT_H
#define ATLS_EVIDENCE_SNP_REPORT_H

#include "base/reader.h"
#include <atls/types.h>

#define ATLS_SNP_REPORT_LEN  1184
#define ATLS_SNP_SIGNED_LEN  672
#define ATLS_SNP_VERSION_MIN 2
#define ATLS_SNP_VERSION_MAX 5

/* SIGNER_INFO */
#define ATLS_SNP_AUTHOR_KEY_EN 0x1u
#define ATLS_SNP_MASK_CHIP_KEY 0x2u
typedef enum atls_snp_signing_key { ATLS_SNP_VCEK = 0, ATLS_SNP_VLEK = 1 } atls_snp_signing_key;

/* POLICY */
#define ATLS_SNP_POLICY_ALWAYS_ONE (UINT64_C(1) << 17)

typedef struct atls_snp_report { /* views point into the report's bytes */
    uint32_t version, guest_svn, vmpl, signer_info;
    atls_snp_signing_key signing_key;
    uint64_t policy, platform_info;
    atls_buf family_id, image_id;                                  /* 16 each */
    atls_buf report_data;                                          /* 64 */
    atls_buf measurement;                                          /* 48 */
    atls_buf host_data;                                            /* 32 */
    atls_buf id_key_digest, author_key_digest;                     /* 48 each */
    atls_buf report_id, report_id_ma;                              /* 32 each */
    atls_buf current_tcb, reported_tcb, committed_tcb, launch_tcb; /* 8 each */
    bool has_cpuid;                                                /* version 3 and later */
    uint8_t family, model, stepping;                               /* meant from version 3 on */
    atls_buf chip_id;                                              /* 64 */
    atls_buf current_version, committed_version;                   /* 3 each: build, minor, major */
    uint64_t launch_mit_vector, current_mit_vector;                /* meant from version 5 on */
    /* A byte of the signed part is not zero that this version of the report has no meaning for. */
    bool reserved_set;
    atls_buf signed_range; /* 672 */
    atls_buf r, s;         /* 48 each, little endian */
} atls_snp_report;

/* Exactly one report. ATLS_E_INVALID with one of the ids "snp.report.size", ".version", ".algorithm", ".signer",
 * ".policy" (bit 17 is not set), ".vmpl" (not of a guest), ".tail" (bytes that nobody signed are not zero);
 * *out is set whole, and on success only. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_snp_report_parse(atls_buf bytes, atls_snp_report *out, atls_err *err);

/* By size, version and algorithm: enough to tell a report from other evidence. more: bytes may follow. */
/*@ requires valid_buf(bytes);
    assigns \nothing; */
bool atls_snp_report_looks(atls_buf bytes, bool more);

#endif
