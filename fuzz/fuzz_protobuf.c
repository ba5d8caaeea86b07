/* Fields of Protocol Buffers: each takes bytes; numbers and bytes that are written again read the same. */
#include <assert.h>
#include <string.h>

#include "binding/protobuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t space[1 << 16];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_reader r = atls_reader_of((atls_buf){data, size});
    while (r.left > 0) {
        atls_protobuf_field f;
        atls_protobuf_field g;
        const size_t before = r.left;
        if (!atls_protobuf_next(&r, &f)) {
            assert(!atls_reader_ok(&r) && f.number == 0 && f.bytes.len == 0);
            return 0;
        }
        assert(r.left < before && f.number >= 1 && f.number <= ATLS_PROTOBUF_NUMBER_MAX);
        atls_writer w = atls_writer_of(space, sizeof space);
        if (f.kind == ATLS_PROTOBUF_BYTES) {
            atls_protobuf_write_bytes(&w, f.number, f.bytes);
        } else {
            atls_protobuf_write_key(&w, f.number, f.value);
        }
        if (!atls_writer_ok(&w)) {
            assert(f.bytes.len > sizeof space - 16);
            continue;
        }
        atls_reader again = atls_reader_of(atls_writer_done(&w));
        assert(atls_protobuf_next(&again, &g) && atls_reader_end(&again));
        assert(g.number == f.number && g.value == f.value && g.bytes.len == f.bytes.len);
        assert(f.bytes.len == 0 || memcmp(g.bytes.ptr, f.bytes.ptr, f.bytes.len) == 0);
    }
    return 0;
}
