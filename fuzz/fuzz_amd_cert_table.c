/* Every entry of a table that is taken lies inside the table and behind its header; a refusal has a table's check id;
 * bytes behind a table change nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "trust/amd_cert_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_amd_cert_table t;
    atls_amd_cert_table again;
    atls_err err = {0};
    if (atls_amd_cert_table_parse((atls_buf){data, size}, &t, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "snp.table.", 10) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(size <= ATLS_AMD_TABLE_MAX_LEN && t.n <= ATLS_AMD_TABLE_MAX_ENTRIES);
    for (unsigned i = 0; i < ATLS_AMD_ENTRIES; i++) {
        const atls_buf e = t.entry[i];
        assert(e.len == 0 || (e.ptr >= data + (t.n + 1) * 24 && e.len <= size &&
                              (size_t)(e.ptr - data) <= size - e.len));
    }
    if (size > 0 && size < ATLS_AMD_TABLE_MAX_LEN) {
        uint8_t *padded = calloc(1, size + 1);
        if (padded != NULL) {
            memcpy(padded, data, size);
            assert(atls_amd_cert_table_parse((atls_buf){padded, size + 1}, &again, &err) ==
                       ATLS_OK &&
                   again.n == t.n);
            free(padded);
        }
    }
    return 0;
}
