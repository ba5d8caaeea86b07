/* An attestation that is taken is covered by its fields without gap or overlap; a refusal has a check id of its own. */
#include <assert.h>
#include <string.h>

#include "evidence/tpm/attest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_tpm_attest a, again;
    atls_err err = {0};
    memset(&a, 0, sizeof a);
    memset(&again, 0, sizeof again);
    if (atls_tpm_attest_parse((atls_buf){data, size}, &a, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "tpm.attest.", 11) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(a.bytes.ptr == data && a.bytes.len == size);
    assert(a.qualified_signer.ptr == data + 8);
    assert(a.qualifying_data.ptr == a.qualified_signer.ptr + a.qualified_signer.len + 2);
    assert(a.pcr_digest.ptr + a.pcr_digest.len == data + size);
    assert(a.selections_n <= ATLS_TPM_SELECTIONS_MAX);
    for (size_t i = 0; i < a.selections_n; i++) {
        assert(a.selections[i].pcrs <= 0xffffff);
    }
    atls_code rc = atls_tpm_attest_parse((atls_buf){data, size - 1}, &again, &err);
    assert(rc == ATLS_E_INVALID);
    rc = atls_tpm_attest_parse((atls_buf){data, size}, &again, &err);
    assert(rc == ATLS_OK && again.clock_ms == a.clock_ms && again.selections_n == a.selections_n);
    return 0;
}
