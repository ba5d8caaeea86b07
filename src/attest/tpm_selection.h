/* tpm_selection.h: which PCRs: as text, and as the TPM's selections. */
#ifndef ATLS_ATTEST_TPM_SELECTION_H
#define ATLS_ATTEST_TPM_SELECTION_H

#include <tss2/tss2_tpm2_types.h>

#include "base/err.h"

#define TPM_PCRS 24 /* what a PC has; a selection is three bytes */

/* "sha256:0,7,10-15+sha384:0-9": each bank once, in this order, PCRs 0 to 23, none twice. ATLS_E_USAGE "attest.tpm.pcrs". */
ATLS_MUST_USE atls_code tpm_selection_read(const char *text, TPML_PCR_SELECTION *out,
                                           atls_err *err);

/* How many PCRs are selected, in all banks. */
size_t tpm_selection_count(const TPML_PCR_SELECTION *s);
/* The same banks in the same order, each with the same PCRs? */
bool tpm_selection_equal(const TPML_PCR_SELECTION *a, const TPML_PCR_SELECTION *b);
/* Takes the PCRs of b out of a; banks that become empty stay. */
void tpm_selection_remove(TPML_PCR_SELECTION *a, const TPML_PCR_SELECTION *b);
/* "sha256"; NULL for a bank that has no name here. */
const char *tpm_bank_name(TPMI_ALG_HASH bank);

#endif
