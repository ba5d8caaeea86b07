/* Heads of answers: a field that is found lies inside, without blanks around it, and the same when its lines stand twice; what
 * decodes is text, and encodes and decodes to itself; Retry-After keeps to its limit. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/header_chain.h"
#include "net/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_coding(atls_buf value)
{
    uint8_t *plain = malloc(value.len + 1);
    uint8_t *coded = malloc(3 * value.len + 1);
    uint8_t *again = malloc(value.len + 1);
    if (plain == NULL || coded == NULL || again == NULL) {
        abort();
    }
    atls_writer w = atls_writer_of(plain, value.len);
    if (atls_percent_decode(value, &w)) {
        const atls_buf text = atls_writer_done(&w);
        assert(text.len <= value.len);
        for (size_t i = 0; i < text.len; i++) {
            const uint8_t c = text.ptr[i];
            assert((c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n');
        }
        atls_writer of_coded = atls_writer_of(coded, 3 * value.len);
        atls_percent_encode(text, &of_coded);
        assert(atls_writer_ok(&of_coded));
        atls_writer back = atls_writer_of(again, value.len);
        assert(atls_percent_decode(atls_writer_done(&of_coded), &back));
        assert(back.len == text.len && (text.len == 0 || memcmp(again, plain, text.len) == 0));
    }
    free(plain);
    free(coded);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"tcb-info-issuer-chain", "retry-after", "content-type"};
    const atls_buf head = {data, size};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        atls_buf value;
        atls_buf again;
        const atls_header_found found = atls_header_find(head, names[i], strlen(names[i]), &value);
        assert(atls_header_find(head, names[i], strlen(names[i]), &again) == found &&
               again.ptr == value.ptr && again.len == value.len);
        if (found == ATLS_HEADER_NONE) {
            assert(value.len == 0);
            continue;
        }
        assert(size <= ATLS_HTTP_HEADERS_MAX);
        if (value.len > 0) {
            assert(value.ptr > data && value.ptr + value.len <= data + size);
            assert(memchr(value.ptr, '\n', value.len) == NULL);
            assert(strchr(" \t\r", value.ptr[0]) == NULL || value.ptr[0] == '\0');
        }
        judge_coding(value);
        assert(atls_retry_after_read(value, 784111777) <= ATLS_RETRY_AFTER_MAX_S);
    }
    assert(atls_retry_after_read(head, 784111777) <= ATLS_RETRY_AFTER_MAX_S);
    judge_coding(head);
    return 0;
}
