/* A message that is taken gives bytes that, if they can be written as a message, come back the same; a refusal has a check id
 * of its own. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/tdx_quote_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(atls_buf quote)
{
    const size_t cap = quote.len + ATLS_TDX_QUOTE_MESSAGE_MORE;
    uint8_t *message = malloc(cap);
    uint8_t *again = malloc(cap + ATLS_TDX_QUOTE_MORE);
    assert(message != NULL && again != NULL);
    atls_writer w = atls_writer_of(message, cap);
    atls_err err = {0};
    if (atls_tdx_quote_message_write(quote, &w, &err) == ATLS_OK) {
        atls_writer back = atls_writer_of(again, cap + ATLS_TDX_QUOTE_MORE);
        const atls_code rc = atls_tdx_quote_message_parse(atls_writer_done(&w), &back, &err);
        assert(rc == ATLS_OK);
        const atls_buf same = atls_writer_done(&back);
        assert(same.len == quote.len && memcmp(same.ptr, quote.ptr, same.len) == 0);
    } else {
        assert(err.code == ATLS_E_USAGE && strcmp(err.check, "tdx_message.quote") == 0);
    }
    free(again);
    free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_err err = {0};
    uint8_t *room = malloc(size + ATLS_TDX_QUOTE_MORE);
    assert(room != NULL);
    atls_writer w = atls_writer_of(room, size + ATLS_TDX_QUOTE_MORE);
    if (atls_tdx_quote_message_parse((atls_buf){data, size}, &w, &err) == ATLS_OK) {
        assert(atls_writer_done(&w).len >= 1226);
        there_and_back(atls_writer_done(&w));
    } else {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "tdx_message.", 12) == 0);
        assert(err.msg[0] != '\0');
    }
    there_and_back((atls_buf){data, size});
    free(room);
    return 0;
}
