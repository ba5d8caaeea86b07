/* The end of a certificate table lies within it, and cutting there changes nothing that is in it. */
#include <assert.h>

#include "attest/cert_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = attest_cert_table_len((atls_buf){data, size});
    assert(len <= size);
    assert(attest_cert_table_len((atls_buf){data, len}) == len);
    return 0;
}
