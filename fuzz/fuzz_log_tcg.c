/* A TCG log that is taken was read to its end or its padding, record by record; a refusal has a log's check id. */
#include <assert.h>
#include <string.h>

#include "evidence/log/tcg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const uint8_t *data, size_t size, atls_buf view)
{
    assert(view.len == 0 || (view.ptr >= data && view.ptr + view.len <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_tcg_log log;
    atls_tcg_event e;
    atls_err err = {0};
    bool more = true;
    atls_code rc = atls_tcg_open((atls_buf){data, size}, &log, &err);
    while (rc == ATLS_OK && more) {
        const size_t before = log.left.left;
        const uint32_t events = log.events;
        rc = atls_tcg_next(&log, &more, &e, &err);
        if (rc != ATLS_OK || !more) {
            assert(log.left.left == before && log.events == events);
            continue;
        }
        assert(log.events == events + 1);
        assert(before - log.left.left == 12 + e.digests.len + 4 + e.data.len);
        inside(data, size, e.digests);
        inside(data, size, e.data);
        for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
            const atls_buf digest = atls_tcg_digest(&log, e.digests, bank);
            inside(data, size, digest);
            assert(digest.len == 0 || digest.len == 20 || digest.len == 32 || digest.len == 48 ||
                   digest.len == 64);
        }
    }
    assert(rc == ATLS_OK ||
           (rc == ATLS_E_INVALID && strncmp(err.check, "log.", 4) == 0 && err.msg[0] != '\0'));
    return 0;
}
