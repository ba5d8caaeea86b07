/* tpm_quote.h: a quote, and the values that it is over. */
#ifndef ATLS_ATTEST_TPM_QUOTE_H
#define ATLS_ATTEST_TPM_QUOTE_H

#include "attest/tpm_key.h"
#include "attest/tpm_selection.h"
#include "crypto/digest.h"

typedef struct tpm_quote {
    uint8_t attest[sizeof(TPMS_ATTEST)]; /* as the TPM signed it */
    size_t attest_len;
    uint8_t signature[sizeof(TPMT_SIGNATURE)];
    size_t signature_len;
    uint8_t pcrs[4 * TPM_PCRS *
                 ATLS_HASH_MAX]; /* values one after another, in the order of the selection */
    size_t pcrs_len;
} tpm_quote;

/* A quote by key over the PCRs selected, and their values, which were read beside it: both are taken anew, a few times,
 * while PCRs change between them. ATLS_E_SYSTEM "attest.tpm.pcrs_changing": they never agreed; ATLS_E_USAGE
 * "attest.tpm.bank": the TPM has no such bank, or PCR. */
ATLS_MUST_USE atls_code tpm_quote_make(tpm *t, const tpm_key *key, const TPML_PCR_SELECTION *pcrs,
                                       atls_buf qualifying_data, tpm_quote *out, atls_err *err);

#endif
