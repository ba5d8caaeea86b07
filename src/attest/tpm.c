/* tpm.c: a TPM 2.0 through tpm2-tss: whichever its TCTI string reaches. */
#include "attest/tpm_evidence.h"

static atls_code open_tpm(const attest_want *want, attest_opened *opened, atls_err *err)
{
    tpm_source *s = NULL;
    ATLS_TRY(tpm_source_new(want, "ecc", &s, err));
    atls_code rc = tpm_source_look(s, NULL, NULL, &opened->absent, err);
    if (rc != ATLS_OK) {
        tpm_source_free(s);
        return rc;
    }
    opened->self = s;
    opened->type = "tpm";
    return ATLS_OK;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    return tpm_source_attest(self, "tpm", data, NULL, out, err);
}

/* The last resort: a TPM says what was started, and keeps no secret from the machine's owner or host. */
const attest_source attest_source_tpm = {
    .name = "tpm",
    .types = {"tpm"},
    .last_resort = true,
    .open = open_tpm,
    .attest = attest,
    .free = tpm_source_free,
};
