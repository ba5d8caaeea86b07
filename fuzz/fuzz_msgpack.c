/* MessagePack: a value is the items in it and no byte else, members are inside their map, and twice gives the same. */
#include <assert.h>
#include <string.h>

#include "codec/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Counts bytes item by item, as the specification nests them. */
static bool walk(atls_reader *r)
{
    uint64_t wanted = 1;
    while (wanted > 0) {
        const size_t before = r->left;
        const atls_msgpack_item item = atls_msgpack_next(r);
        if (item.kind == ATLS_MSGPACK_NONE || wanted > UINT32_MAX) {
            return false;
        }
        assert(r->left < before && item.bytes.len < before);
        wanted += item.kind == ATLS_MSGPACK_ARRAY ? item.value
                  : item.kind == ATLS_MSGPACK_MAP ? 2 * item.value
                                                  : 0;
        wanted--;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const atls_buf names[] = {{(const uint8_t *)"kind", 4}, {(const uint8_t *)"data", 4}};
    static uint8_t space[1u << 16];
    const atls_buf all = {data, size};
    atls_reader r = atls_reader_of(all);
    atls_reader w = atls_reader_of(all);
    const atls_buf value = atls_msgpack_value(&r);
    if (atls_reader_ok(&r)) {
        assert(walk(&w) && w.left == r.left && value.ptr == data && value.len == size - r.left);
    } else {
        assert(value.len == 0);
    }
    atls_buf v[2];
    if (atls_msgpack_members(all, names, 2, v)) {
        assert(atls_reader_end(&r));
        for (size_t i = 0; i < 2; i++) {
            assert(v[i].len == 0 || (v[i].ptr > data && v[i].ptr + v[i].len <= data + size));
        }
    }
    r = atls_reader_of(all);
    const atls_buf bytes = atls_msgpack_byte_vector(&r, space, sizeof space);
    assert(bytes.len < size || size == 0);
    assert(atls_reader_ok(&r) || bytes.len == 0);
    return 0;
}
