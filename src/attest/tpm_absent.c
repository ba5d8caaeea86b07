/* tpm_absent.c: in place of the other tpm files when tpm2-tss was not there to build with. */
#include <stdlib.h>

#include <atls/tpm.h>

#include "attest/attester.h"
#include "base/err.h"

static atls_code not_built(atls_err *err)
{
    return ATLS_ERR(
        err, ATLS_E_USAGE, "attest.type",
        "this build of atls cannot talk to a TPM: it was made without tpm2-tss (libtss2-dev)");
}

static atls_code open_none(const attest_want *want, attest_opened *opened, atls_err *err)
{
    (void)want;
    opened->absent = true;
    (void)not_built(err);
    return ATLS_E_SYSTEM; /* not the caller's mistake: other sources are tried */
}

/* Without types: evidence of a TPM is then a type that nothing here makes. */
const attest_source attest_source_tpm = {.name = "tpm", .last_resort = true, .open = open_none};
const attest_source attest_source_azure = {.name = "azure", .open = open_none};

void atls_tpm_keys_clear(atls_tpm_keys *keys)
{
    free(keys->ek_certificate);
    free(keys->ek_public);
    free(keys->ak_public);
    *keys = (atls_tpm_keys){0};
}

atls_code atls_tpm_enroll_export(const atls_tpm_options *options, const char *ek,
                                 atls_tpm_keys *out, atls_err *err)
{
    (void)options;
    (void)ek;
    (void)out;
    return not_built(err);
}

atls_code atls_tpm_enroll_activate(const atls_tpm_options *options, const char *ek,
                                   atls_buf credential, atls_buf secret, uint8_t out[64],
                                   size_t *out_len, atls_err *err)
{
    (void)options;
    (void)ek;
    (void)credential;
    (void)secret;
    (void)out;
    (void)out_len;
    return not_built(err);
}
