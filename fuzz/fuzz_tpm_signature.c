/* A signature that is taken takes exactly its bytes, and is of an algorithm on the list. */
#include <assert.h>
#include <string.h>

#include "evidence/tpm/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_tpm_signature s, again;
    atls_err err = {0};
    if (atls_tpm_signature_parse((atls_buf){data, size}, &s, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "tpm.signature.", 14) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(s.hash >= ATLS_TPM_ALG_SHA256 && s.hash <= ATLS_TPM_ALG_SHA512);
    if (s.is_bare) {
        assert(s.rsa.ptr == data && s.rsa.len == size && s.scheme == ATLS_TPM_ALG_RSASSA);
    } else if (s.scheme == ATLS_TPM_ALG_ECDSA) {
        assert(s.r.ptr == data + 6 && s.s.ptr == s.r.ptr + s.r.len + 2);
        assert(s.s.ptr + s.s.len == data + size);
    } else {
        assert(s.rsa.ptr == data + 6 && s.rsa.len == size - 6);
    }
    if (size != 257 && size != 385 && size != 513) { /* one less may be a bare signature */
        atls_code rc = atls_tpm_signature_parse((atls_buf){data, size - 1}, &again, &err);
        assert(rc == ATLS_E_INVALID || s.is_bare);
    }
    return 0;
}
