/* tpm_azure.c: a confidential VM on Azure: the paravisor's vTPM, and the hardware's report over its key, which the paravisor
 * keeps in NV memory. The guest has no device of the hardware's own. */
#include <stdlib.h>
#include <string.h>

#include "attest/tpm_evidence.h"
#include "attest/tpm_nv.h"

#define HCL_INDEX    0x01400001u
#define VCEK_MAX_LEN ((size_t)16 * 1024)

static atls_code read_hcl(tpm *t, const tpm_settings *s, uint8_t **out, size_t *len, bool *absent,
                          atls_err *err)
{
    uint8_t *bytes = NULL;
    *absent = false;
    ATLS_TRY(tpm_nv_read(t, s, HCL_INDEX, &bytes, len, err));
    if (bytes == NULL) {
        *absent = true;
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.azure.hcl",
                        "the TPM has no NV index 0x%08x: this is no confidential VM of Azure's",
                        HCL_INDEX);
    }
    if (*len < 4 || memcmp(bytes, "HCLA", 4) != 0) {
        free(bytes);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.azure.hcl",
                        "NV index 0x%08x does not begin like an HCL report", HCL_INDEX);
    }
    *out = bytes;
    return ATLS_OK;
}

typedef struct looking {
    const tpm_settings *settings;
    bool absent;
} looking;

static atls_code look(tpm *t, void *arg, atls_err *err)
{
    looking *l = arg;
    uint8_t *bytes = NULL;
    size_t len = 0;
    ATLS_TRY(read_hcl(t, l->settings, &bytes, &len, &l->absent, err));
    free(bytes);
    return ATLS_OK;
}

static atls_code open_azure(const attest_want *want, attest_opened *opened, atls_err *err)
{
    tpm_source *s = NULL;
    bool no_device = false;
    ATLS_TRY(tpm_source_new(want, "azure", &s, err));
    looking l = {.settings = &s->settings};
    atls_code rc = tpm_source_look(s, look, &l, &no_device, err);
    if (rc != ATLS_OK) {
        opened->absent = no_device || l.absent;
        tpm_source_free(s);
        return rc;
    }
    opened->self = s;
    opened->type = "azure";
    return ATLS_OK;
}

static atls_code add_report(tpm *t, const tpm_source *s, atls_evidence_blob *blob, atls_err *err)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    bool absent = false;
    ATLS_TRY(read_hcl(t, &s->settings, &bytes, &len, &absent, err));
    attest_add_part(blob, "hcl_report", bytes, len);
    return s->settings.vcek != NULL
               ? tpm_add_file(s, s->settings.vcek, "vcek", VCEK_MAX_LEN, blob, err)
               : ATLS_OK;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    return tpm_source_attest(self, "azure", data, add_report, out, err);
}

const attest_source attest_source_azure = {
    .name = "azure",
    .types = {"azure"},
    .open = open_azure,
    .attest = attest,
    .free = tpm_source_free,
};
