/* tpm_ak.h: an AK certificate judged, and kept while it is good: a quote by a known AK then costs its own signature. */
#ifndef ATLS_TRUST_TPM_AK_H
#define ATLS_TRUST_TPM_AK_H

#include "trust/kept.h"
#include "trust/tpm_path.h"

typedef struct atls_tpm_ak_cert { /* immutable */
    atls_kept kept;
    atls_public_key *key;
    bool good;      /* its path led to a root */
    bool is_google; /* the family of its root */
    bool simulated, custom_root;
    atls_window window;     /* when good */
    uint8_t instance_id[8]; /* Google's; zero: none */
} atls_tpm_ak_cert;

/* Judged into j ("tpm.ak_cert...."), or found among what is kept. *out is freed with atls_kept_free; NULL when it cannot
 * be decoded. */
void atls_tpm_ak_cert_judge(const atls_trust *trust, atls_buf der, int64_t when_s,
                            const atls_judging *j, atls_tpm_ak_cert **out);

#endif
