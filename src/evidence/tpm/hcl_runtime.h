/* hcl_runtime.h: the runtime data of a paravisor, JSON: the vTPM's attestation key and the VM's id. Decoded once, and
 * kept by the hash of its bytes: whether a report covers them is judged each time. */
#ifndef ATLS_EVIDENCE_TPM_HCL_RUNTIME_H
#define ATLS_EVIDENCE_TPM_HCL_RUNTIME_H

#include "crypto/public_key.h"
#include "trust/kept.h"

#define ATLS_HCL_AK "HCLAkPub"

typedef struct atls_hcl_runtime { /* immutable */
    atls_kept kept;
    atls_public_key *ak; /* RSA */
    bool has_user_data;
    uint8_t user_data[64]; /* user-data: what the guest asked the report for */
    char vm_id[40];      /* vmUniqueId; "" if it does not say */
} atls_hcl_runtime;

/* Freed with atls_kept_free. ATLS_E_INVALID "tpm.hcl.json" (not JSON, or a member twice), "tpm.hcl.ak" (not exactly one
 * key HCLAkPub, or one that cannot be used), "tpm.hcl.vm_id" (no short text). */
ATLS_MUST_USE atls_code atls_hcl_runtime_get(atls_kept_cache *cache, atls_buf json,
                                             atls_hcl_runtime **out, atls_err *err);

#endif
