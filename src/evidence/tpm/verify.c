/* verify.c: the quote of a TPM of its own, judged in the order of spec 8: who vouches for the key, then what the key
 * signed. */
#include "evidence/log/log.h"
#include "evidence/tpm/quote.h"

#include <string.h>

#define TPM_GENERATED "\xff\x54\x43\x47"

static void verify_tpm(const atls_verification *v)
{
    atls_tpm_case c = {0};
    atls_claims *claims = v->claims;
    claims->custom_root = atls_root_set_replaced(atls_trust_roots(v->trust, ATLS_FAMILY_GOOGLE)) ||
                          atls_root_set_replaced(atls_trust_roots(v->trust, ATLS_FAMILY_TPM));
    if (!atls_tpm_case_read(v, &c)) {
        return;
    }
    claims->simulated = c.attest.firmware_version == ATLS_TPM_SIMULATED_FIRMWARE;
    atls_tpm_case_judge_key(&c);
    if (atls_tpm_case_judge(&c, &claims->tpm)) {
        claims->tee = ATLS_TEE_TPM;
    }
    atls_log_judge_tpm(v);
    atls_tpm_case_clear(&c);
}

static bool recognise_tpm(atls_buf bytes)
{
    return bytes.len > 4 && memcmp(bytes.ptr, TPM_GENERATED, 4) == 0;
}

const atls_format atls_format_tpm = {"tpm", ATLS_TEE_TPM, recognise_tpm, verify_tpm};
