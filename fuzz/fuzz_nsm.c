/* A response of the Nitro Security Module that is taken has a document inside it, at its end. */
#include <assert.h>
#include <string.h>

#include "attest/nsm_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_buf document = {0};
    atls_buf again = {0};
    atls_err err = {0};
    if (nsm_read_response((atls_buf){data, size}, &document, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_SYSTEM && strncmp(err.check, "attest.nsm.", 11) == 0);
        assert(err.msg[0] != '\0' && document.ptr == NULL);
        return 0;
    }
    assert(document.len > 0 && document.ptr + document.len == data + size);
    assert(nsm_read_response((atls_buf){data, size}, &again, NULL) == ATLS_OK);
    assert(again.ptr == document.ptr && again.len == document.len);
    assert(nsm_read_response((atls_buf){data, size - 1}, &again, NULL) != ATLS_OK);
    return 0;
}
