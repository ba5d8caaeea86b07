/* Heads of Atlas's messages: the end is found from wherever one looks, what is taken keeps to its limits, and nothing that
 * is cut or longer by a byte is taken; twice gives the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/atlas_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef atls_http_fault reader(atls_buf head, atls_http_head *out);

static void judge(reader *read, atls_buf head)
{
    atls_http_head found;
    atls_http_head again;
    const atls_http_fault fault = read(head, &found);
    assert(read(head, &again) == fault && again.status == found.status &&
           again.body_len == found.body_len);
    assert(fault >= ATLS_HTTP_FINE && fault <= ATLS_HTTP_LARGE);
    if (fault != ATLS_HTTP_FINE) {
        return;
    }
    assert(found.body_len <= ATLS_HTTP_BODY_MAX);
    assert(atls_http_head_end(head, 0) == head.len);
    assert(read((atls_buf){head.ptr, head.len - 1}, &again) != ATLS_HTTP_FINE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf in = {data, size};
    if (size > ATLS_HTTP_HEAD_MAX) {
        return 0;
    }
    const size_t end = atls_http_head_end(in, 0);
    assert(end <= size && (end == 0 || memcmp(data + end - 4, "\r\n\r\n", 4) == 0));
    if (end > 0) {
        assert(atls_http_head_end(in, end - 1) == end);
        assert(atls_http_head_end((atls_buf){data, end - 1}, 0) == 0);
    }
    judge(atls_http_response_head, in);
    judge(atls_http_request_head, in);
    (void)atls_http_host_fits(in);
    if (end > 0) {
        judge(atls_http_response_head, (atls_buf){data, end});
        judge(atls_http_request_head, (atls_buf){data, end});
    }
    return 0;
}
