/* tpm_templates.h: the public areas from which a TPM makes its primary keys: the same template, the same key. */
#ifndef ATLS_ATTEST_TPM_TEMPLATES_H
#define ATLS_ATTEST_TPM_TEMPLATES_H

#include <tss2/tss2_tpm2_types.h>

/* Attestation keys: restricted, so that they sign nothing that claims to be of the TPM and is not. */
extern const TPM2B_PUBLIC tpm_template_ak_ecc; /* P-256, ECDSA with SHA-256 */
extern const TPM2B_PUBLIC tpm_template_ak_rsa; /* 2048 bits, RSASSA with SHA-256 */

/* Endorsement keys (TCG EK Credential Profile 2.5, annex B: templates L-1, L-2 and H-3). */
extern const TPM2B_PUBLIC tpm_template_ek_rsa;    /* L-1: RSA 2048 */
extern const TPM2B_PUBLIC tpm_template_ek_ecc;    /* L-2: P-256 */
extern const TPM2B_PUBLIC tpm_template_ek_ecc384; /* H-3: P-384 */

#endif
