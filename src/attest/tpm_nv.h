/* tpm_nv.h: what a TPM's NV memory holds: certificates, templates, Azure's report. */
#ifndef ATLS_ATTEST_TPM_NV_H
#define ATLS_ATTEST_TPM_NV_H

#include "attest/tpm_esys.h"
#include "attest/tpm_settings.h"

#define TPM_NV_MAX                                                                                 \
    16384 /* bytes of one index; an EK certificate has about 1,000, Azure's report 2,600 */

/* All of an index, malloc'ed; *out is NULL when it is not there. ATLS_E_SYSTEM "attest.tpm.nv": it cannot be read. */
ATLS_MUST_USE atls_code tpm_nv_read(tpm *t, const tpm_settings *s, TPM2_HANDLE index, uint8_t **out,
                                    size_t *len, atls_err *err);

/* A certificate: the DER at the start of an index, without what pads it. */
ATLS_MUST_USE atls_code tpm_nv_certificate(tpm *t, const tpm_settings *s, TPM2_HANDLE index,
                                           uint8_t **out, size_t *len, atls_err *err);

#endif
