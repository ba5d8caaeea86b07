/* attest.h: TPMS_ATTEST of a quote (TPM 2.0 Library, part 2, 10.12.8): what a TPM signs. Laid out as views; no signature
 * is checked and nothing is believed. All numbers are big endian. */
#ifndef ATLS_EVIDENCE_TPM_ATTEST_H
#define ATLS_EVIDENCE_TPM_ATTEST_H

#include "base/reader.h"

#define ATLS_TPM_ATTEST_MAX_LEN 1024 /* bytes; one with every field full has 480 */
#define ATLS_TPM_SELECTIONS_MAX 16
#define ATLS_TPM_SELECT_MAX     4 /* bytes of one bank's bitmap */

typedef struct atls_tpm_selection { /* the PCRs of one bank */
    uint16_t hash;                  /* TPM_ALG_ID of the bank */
    uint32_t pcrs;                  /* bit i: PCR i; never above 23 */
} atls_tpm_selection;

typedef struct atls_tpm_attest { /* views point into the bytes */
    atls_buf bytes;              /* all of it: what is signed */
    atls_buf qualified_signer, qualifying_data;
    uint64_t clock_ms, firmware_version;
    uint32_t reset_count, restart_count;
    bool safe;
    size_t selections_n;
    atls_tpm_selection selections[ATLS_TPM_SELECTIONS_MAX];
    atls_buf pcr_digest;
} atls_tpm_attest;

/* All of the bytes, with no size in front. ATLS_E_INVALID "tpm.attest.length" / ".magic" / ".type" (it is no quote) /
 * ".name" / ".qualifying_data" / ".safe" / ".selection" (too many banks, a bitmap of no or too many bytes, a PCR above
 * 23) / ".digest". */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_tpm_attest_parse(atls_buf bytes, atls_tpm_attest *out, atls_err *err);

#endif
