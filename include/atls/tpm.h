/* tpm.h: a TPM 2.0 as attester: which one, with which key, what it quotes (atls_attest_options.tpm), and the attester's side
 * of enrolling its key. In libatls-attest, if that was built with tpm2-tss; otherwise each function here fails with
 * ATLS_E_USAGE "attest.type". */
#ifndef ATLS_TPM_H
#define ATLS_TPM_H

#include <atls/attester.h>
#include <atls/types.h>

typedef struct atls_tpm_options { /* zero: the defaults; everything is copied by who takes it */
    /* How to reach the TPM, as tpm2-tss takes it: "device:/dev/tpmrm0" (the default), "swtpm:path=/run/tpm.sock". */
    const char *tcti;
    /* The attestation key (AK):
     *   "ecc" (the default), "rsa"   P-256 or RSA 2048, made from a fixed template under the endorsement hierarchy: the same
     *                                key at every call, and nothing kept anywhere
     *   "ecc@0x81010005", "rsa@..."  the same, kept at this persistent handle; made there at the first call
     *   "0x81010005"                 the key at this handle, which must be there
     *   "gcp", "gcp-rsa"             Google's template and certificate from NV memory
     *   "azure"                      Azure's key at 0x81000003, and its certificate from NV memory if there is one */
    const char *ak;
    /* What is quoted: banks separated by '+', in each PCRs and ranges: "sha256:0-15" (the default), "sha256:0,7+sha384:0-9". */
    const char *pcrs;
    /* Files that become the parts of the same name; NULL: none. At most 512 KiB each. Usually
     * /sys/kernel/security/tpm0/binary_bios_measurements and /sys/kernel/security/ima/binary_runtime_measurements. */
    const char *event_log, *ima_log;
    atls_buf endorsement_auth, owner_auth; /* of the hierarchies, at most 64 bytes each; empty: none is set */
    const char *vcek; /* a file with the VCEK certificate (DER), for Azure's evidence; NULL: none */
    uint32_t busy_ms; /* how long to wait for a TPM that others use; 0: 5000 */
} atls_tpm_options;

/* --- enrolment, the attester's side (TPM 2.0 Library part 1, section 24): who sent these three gets a secret wrapped for
 * them (atls/enroll.h), and by returning it proves that both keys are of one TPM. --- */
typedef struct atls_tpm_keys {   /* malloc'ed; cleared by atls_tpm_keys_clear */
    uint8_t *ek_certificate;     /* DER; NULL: the TPM has none */
    size_t ek_certificate_len;
    uint8_t *ek_public;          /* TPM2B_PUBLIC */
    size_t ek_public_len;
    uint8_t *ak_public;          /* TPM2B_PUBLIC */
    size_t ak_public_len;
} atls_tpm_keys;
ATLS_API void atls_tpm_keys_clear(atls_tpm_keys *keys);

/* ek: "rsa" (2048), "ecc" (P-256), "ecc384", or NULL: the first of these that the TPM has a certificate for, else "rsa". */
ATLS_API ATLS_MUST_USE atls_code atls_tpm_enroll_export(const atls_tpm_options *options, const char *ek,
                                                        atls_tpm_keys *out, atls_err *err);
/* credential: TPM2B_ID_OBJECT, secret: TPM2B_ENCRYPTED_SECRET. The TPM opens them only if they were made for this EK and
 * the Name of this AK (ATLS_E_BINDING "attest.tpm.credential"). out: at most 64 bytes, which the caller cleanses. */
ATLS_API ATLS_MUST_USE atls_code atls_tpm_enroll_activate(const atls_tpm_options *options, const char *ek,
                                                          atls_buf credential, atls_buf secret,
                                                          uint8_t out[64], size_t *out_len, atls_err *err);

#endif
