/* tpm_settings.h: what atls_tpm_options ask for, read and checked: which TPM, which key, which PCRs. */
#ifndef ATLS_ATTEST_TPM_SETTINGS_H
#define ATLS_ATTEST_TPM_SETTINGS_H

#include <tss2/tss2_tpm2_types.h>

#include <atls/tpm.h>

/* Where an attestation key comes from. */
typedef struct tpm_ak_kind {
    const char *name;
    const TPM2B_PUBLIC *shape;  /* the template, NULL: in NV memory, or the key is there already */
    TPM2_HANDLE template_index; /* NV; 0: none */
    TPM2_HANDLE handle;         /* persistent; 0: none */
    TPM2_HANDLE cert_index;     /* NV; 0: none */
    bool cert_must_be;          /* a key of this kind without its certificate is of no use */
} tpm_ak_kind;

typedef struct tpm_settings {
    char tcti[256];
    tpm_ak_kind ak;
    bool ak_may_be_made; /* at ak.handle, where there is none yet */
    TPML_PCR_SELECTION pcrs;
    char *event_log, *ima_log, *vcek; /* NULL: none */
    TPM2B_AUTH endorsement_auth, owner_auth;
    uint32_t busy_ms;
} tpm_settings;

/* ATLS_E_USAGE "attest.tpm.tcti", "attest.tpm.ak_name", "attest.tpm.pcrs", "attest.tpm.auth". Cleared by the caller on
 * success. default_ak: for options without one. */
ATLS_MUST_USE atls_code tpm_settings_read(const atls_tpm_options *options, const char *default_ak,
                                          tpm_settings *out, atls_err *err);
void tpm_settings_clear(tpm_settings *s);

#endif
