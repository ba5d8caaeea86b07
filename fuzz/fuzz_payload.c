/* A payload that is taken has exactly one form: encoded again it is the same bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/atls1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls1_payload p;
    atls_err err = {0};
    if (atls1_payload_parse((atls_buf){data, size}, &p, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "payload.", 8) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(p.evidence.parts_n >= 1 && p.evidence.parts_n <= ATLS_EVIDENCE_PARTS);
    for (size_t i = 0; i < p.evidence.parts_n; i++) {
        const atls_buf part = p.evidence.parts[i].bytes;
        assert(part.len > 0 && part.ptr > data && part.ptr + part.len <= data + size);
    }
    uint8_t *again = NULL;
    size_t len = 0;
    atls_code rc = atls1_payload_encode(&p, &again, &len, &err);
    assert(rc == ATLS_OK && len == size && memcmp(again, data, size) == 0);
    free(again);
    return 0;
}
