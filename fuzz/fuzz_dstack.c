/* What dstack's agent answers becomes evidence of type tdx, or a failure that has a name; the same each time. */
#include <assert.h>
#include <string.h>

#include "attest/attester.h"
#include "attest/dstack_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(long status, atls_buf body)
{
    atls_evidence_blob blob = {0};
    atls_evidence_blob again = {0};
    atls_err err = {0};
    if (dstack_read_reply(status, body, &blob, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_SYSTEM && strncmp(err.check, "attest.dstack.", 14) == 0);
        assert(err.msg[0] != '\0' && blob.parts_n == 0);
        return;
    }
    assert(status == 200 && strcmp(blob.type, "tdx") == 0);
    assert(blob.parts_n == 1 || blob.parts_n == 2);
    assert(blob.parts[0].len > 0 && blob.parts[0].len <= ATTEST_EVIDENCE_MAX);
    assert(2 * blob.parts[0].len + blob.parts[1].len < body.len);
    assert(dstack_read_reply(status, body, &again, NULL) == ATLS_OK);
    for (size_t i = 0; i < blob.parts_n; i++) {
        assert(again.parts[i].len == blob.parts[i].len);
        assert(memcmp(again.parts[i].bytes, blob.parts[i].bytes, blob.parts[i].len) == 0);
    }
    atls_evidence_blob_clear(&blob);
    atls_evidence_blob_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    judge(200, (atls_buf){data, size});
    judge(400, (atls_buf){data, size});
    return 0;
}
