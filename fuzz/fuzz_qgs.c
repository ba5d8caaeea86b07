/* A response of the quote service that is taken has a quote inside it, and neither a byte less nor one more would do. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "attest/qgs.h"
#include "attest/qgs_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(atls_buf message)
{
    atls_buf quote = {0};
    atls_buf again = {0};
    atls_err err = {0};
    if (qgs_read_response(message, &quote, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_SYSTEM && strncmp(err.check, "attest.qgs.", 11) == 0);
        assert(err.msg[0] != '\0' && quote.ptr == NULL);
        return;
    }
    assert(quote.len > 0 && quote.len <= message.len - 24);
    assert(quote.ptr + quote.len == message.ptr + message.len);
    assert(qgs_read_response(message, &again, NULL) == ATLS_OK && again.ptr == quote.ptr);
    assert(qgs_read_response((atls_buf){message.ptr, message.len - 1}, &again, NULL) != ATLS_OK);
    uint8_t *longer = calloc(1, message.len + 1);
    assert(longer != NULL);
    memcpy(longer, message.ptr, message.len);
    assert(qgs_read_response((atls_buf){longer, message.len + 1}, &again, NULL) != ATLS_OK);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    judge((atls_buf){data, size});
    uint32_t port = qgs_conf_port((atls_buf){data, size});
    assert(port == 0 || size >= 6);
    return 0;
}
