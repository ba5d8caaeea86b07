/* tpm_quote.h: quotes of a software TPM, byte for byte of a real one's shape; shared by the worlds "tpm" and "azure". */
#ifndef ATLS_SIM_TPM_QUOTE_H
#define ATLS_SIM_TPM_QUOTE_H

#include <openssl/evp.h>

#include "claims/claims.h"
#include <atls/sim.h>

#define SIM_TPM_PART_MAX 1024

typedef struct sim_tpm_key {
    EVP_PKEY *pkey;
    uint16_t scheme, hash; /* TPM_ALG_IDs that its public area declares */
} sim_tpm_key;

typedef struct sim_tpm_part {
    uint8_t bytes[SIM_TPM_PART_MAX];
    size_t len;
} sim_tpm_part;

/* TPMT_PUBLIC of the key as an AK; a fault "ak...." changes it. */
ATLS_MUST_USE atls_code sim_tpm_area(const sim_tpm_key *key, const char *fault, sim_tpm_part *out,
                                     atls_err *err);

/* The values that PCRs of a workload have: the bank's hash of "NAME/pcrN". */
ATLS_MUST_USE atls_code sim_tpm_values(const char *workload, atls_tpm_bank banks[ATLS_TPM_BANKS],
                                       atls_err *err);

/* Adds the parts quote, signature and pcrs: of what banks have selected, with data as qualifying data. bare: the
 * signature without its header. Faults "attest....", "pcrs....", "signature....". */
ATLS_MUST_USE atls_code sim_tpm_quote(const sim_tpm_key *key, const atls_tpm_bank *banks,
                                      atls_buf data, bool bare, const char *fault,
                                      atls_evidence_blob *out, atls_err *err);

#endif
