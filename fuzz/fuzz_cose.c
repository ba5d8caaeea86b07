/* CBOR that is taken is one item, which skipping steps over exactly; COSE_Sign1 that is taken writes back to its own
 * bytes but for longer heads; a refusal has a check id, and judging twice gives the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(atls_buf part, const uint8_t *data, size_t size)
{
    return part.len == 0 ||
           (part.ptr >= data && part.len <= size && (size_t)(part.ptr - data) <= size - part.len);
}

static void check_message(const uint8_t *data, size_t size)
{
    atls_cose_sign1 cose;
    atls_cose_sign1 again;
    atls_err err = {0};
    const unsigned all = ATLS_COSE_ALLOW(ATLS_COSE_ES256) | ATLS_COSE_ALLOW(ATLS_COSE_ES384) |
                         ATLS_COSE_ALLOW(ATLS_COSE_ES512);
    const atls_code rc = atls_cose_sign1_parse((atls_buf){data, size}, all, &cose, &err);
    assert(atls_cose_sign1_parse((atls_buf){data, size}, all, &again, NULL) == rc);
    if (rc != ATLS_OK) {
        assert(rc == ATLS_E_INVALID && strncmp(err.check, "cose.", 5) == 0 && err.msg[0] != '\0');
        return;
    }
    assert(inside(cose.protected_header, data, size) && inside(cose.payload, data, size) &&
           inside(cose.signature, data, size));
    assert(cose.protected_header.len > 0 && again.payload.ptr == cose.payload.ptr);
    assert(atls_cose_sign1_parse((atls_buf){data, size}, all & ~ATLS_COSE_ALLOW(cose.alg), &again,
                                 &err) == ATLS_E_INVALID);
    assert(strcmp(err.check, "cose.alg") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_err err = {0};
    const atls_code rc = atls_cbor_document_check((atls_buf){data, size}, "cose.cbor", &err);
    atls_public_key *key = NULL;
    if (rc == ATLS_OK) {
        atls_reader r = atls_reader_of((atls_buf){data, size});
        atls_buf all;
        assert(atls_cbor_skip(&r, &all) && atls_reader_end(&r));
        assert(all.ptr == data && all.len == size);
        /* One byte less is not whole. */
        assert(atls_cbor_document_check((atls_buf){data, size - 1}, "cose.cbor", NULL) ==
               ATLS_E_INVALID);
    } else {
        assert(rc == ATLS_E_INVALID && strcmp(err.check, "cose.cbor") == 0 && err.msg[0] != '\0');
    }
    check_message(data, size);
    if (atls_cose_key_parse((atls_buf){data, size}, "cca.realm.rak", &key, &err) == ATLS_OK) {
        assert(rc == ATLS_OK && atls_public_key_kind(key) != ATLS_KEY_RSA);
    }
    atls_public_key_free(key);
    return 0;
}
