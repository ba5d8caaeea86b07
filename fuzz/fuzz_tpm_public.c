/* A public area that is taken takes exactly its bytes, with or without its size in front, and has a name; as a key it is
 * equal to itself. */
#include <assert.h>
#include <string.h>

#include "trust/tpm_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_key(const atls_tpm_public *p)
{
    atls_public_key *key = NULL;
    atls_err err = {0};
    if (atls_tpm_public_key(p, &key, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && err.check != NULL && err.msg[0] != '\0');
        return;
    }
    assert(atls_tpm_public_is(p, key));
    atls_public_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_tpm_public p, again;
    atls_err err = {0};
    memset(&p, 0, sizeof p);
    if (atls_tpm_public_parse((atls_buf){data, size}, &p, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "tpm.public.", 11) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(atls_tpm_public_recognise((atls_buf){data, size}));
    assert(p.bytes.ptr + p.bytes.len == data + size);
    assert(p.bytes.len == size || p.bytes.len + 2 == size);
    const atls_buf last = p.type == ATLS_TPM_ALG_RSA ? p.modulus : p.y;
    assert(last.ptr + last.len == data + size);
    uint8_t name[ATLS_TPM_NAME_MAX];
    size_t len = 0;
    atls_code rc = atls_tpm_public_name(&p, name, &len, &err);
    assert(rc == ATLS_OK && len >= 34 && len <= sizeof name);
    as_key(&p);
    rc = atls_tpm_public_parse((atls_buf){data, size - 1}, &again, &err);
    assert(rc == ATLS_E_INVALID);
    return 0;
}
