/* An IMA list that is taken is covered by its entries; a refusal has a check id of IMA's, and moves nothing. */
#include <assert.h>
#include <string.h>

#include "evidence/log/ima.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_reader r = atls_reader_of((atls_buf){data, size});
    atls_err err = {0};
    bool more = true;
    atls_code rc = ATLS_OK;
    while (rc == ATLS_OK && more) {
        atls_ima_entry e;
        const size_t before = r.left;
        rc = atls_ima_next(&r, &more, &e, &err);
        if (rc != ATLS_OK || !more) {
            assert(r.left == before);
            continue;
        }
        assert(before - r.left == 4 + 20 + 4 + e.template_name.len + 4 + e.data.len);
        assert(!e.is_known ||
               (e.digest.len >= 1 && e.digest.len <= 64 && e.algorithm.len >= 1 &&
                memchr(e.path.ptr != NULL ? e.path.ptr : data, 0, e.path.len) == NULL));
    }
    assert(rc != ATLS_OK || r.left == 0);
    assert(rc == ATLS_OK ||
           (rc == ATLS_E_INVALID && strncmp(err.check, "log.ima.", 8) == 0 && err.msg[0] != '\0'));
    return 0;
}
