#include "codec/cbor.h"

#include <string.h>

#include <cbor.h>

static void on_uint8(void *item, uint8_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_UINT, .value = value};
}

static void on_uint16(void *item, uint16_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_UINT, .value = value};
}

static void on_uint32(void *item, uint32_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_UINT, .value = value};
}

static void on_uint64(void *item, uint64_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_UINT, .value = value};
}

static void on_bytes(void *item, cbor_data data, size_t len)
{
    *(atls_cbor_item *)item =
        (atls_cbor_item){.kind = ATLS_CBOR_BYTES, .value = len, .bytes = {data, len}};
}

static void on_text(void *item, cbor_data data, size_t len)
{
    *(atls_cbor_item *)item =
        (atls_cbor_item){.kind = ATLS_CBOR_TEXT, .value = len, .bytes = {data, len}};
}

static void on_array(void *item, size_t count)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_ARRAY, .value = count};
}

static void on_map(void *item, size_t count)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_MAP, .value = count};
}

static size_t shortest_head(uint64_t value)
{
    return value < 24 ? 1 : value < 256 ? 2 : value < 65536 ? 3 : value < 4294967296u ? 5 : 9;
}

bool atls_cbor_next(atls_reader *r, atls_cbor_item *out)
{
    /* What has no function of ours (tags, floats, simple values, indefinite lengths) leaves kind at NONE. */
    struct cbor_callbacks on = cbor_empty_callbacks;
    on.uint8 = on_uint8;
    on.uint16 = on_uint16;
    on.uint32 = on_uint32;
    on.uint64 = on_uint64;
    on.byte_string = on_bytes;
    on.string = on_text;
    on.array_start = on_array;
    on.map_start = on_map;
    atls_cbor_item item = {0};
    struct cbor_decoder_result result = {0};
    if (atls_reader_ok(r) && r->left > 0) {
        result = cbor_stream_decode(r->ptr, r->left, &on, &item);
    }
    const size_t string = item.bytes.len;
    if (result.status != CBOR_DECODER_FINISHED || item.kind == ATLS_CBOR_NONE ||
        result.read < string || result.read - string != shortest_head(item.value)) {
        atls_reader_fail(r);
        return false;
    }
    item.encoded = atls_reader_view(r, result.read);
    *out = item;
    return atls_reader_ok(r);
}

int atls_cbor_compare(atls_buf encoded_a, atls_buf encoded_b)
{
    const size_t shorter = encoded_a.len < encoded_b.len ? encoded_a.len : encoded_b.len;
    int order = shorter == 0 ? 0 : memcmp(encoded_a.ptr, encoded_b.ptr, shorter);
    return order != 0 ? order : (encoded_a.len > encoded_b.len) - (encoded_a.len < encoded_b.len);
}

void atls_cbor_write_head(atls_writer *w, atls_cbor_kind kind, uint64_t value)
{
    uint8_t head[9];
    size_t len = 0;
    switch (kind) {
    case ATLS_CBOR_UINT:
        len = cbor_encode_uint(value, head, sizeof head);
        break;
    case ATLS_CBOR_BYTES:
        len = cbor_encode_bytestring_start((size_t)value, head, sizeof head);
        break;
    case ATLS_CBOR_TEXT:
        len = cbor_encode_string_start((size_t)value, head, sizeof head);
        break;
    case ATLS_CBOR_ARRAY:
        len = cbor_encode_array_start((size_t)value, head, sizeof head);
        break;
    case ATLS_CBOR_MAP:
        len = cbor_encode_map_start((size_t)value, head, sizeof head);
        break;
    case ATLS_CBOR_NONE:
        break;
    }
    atls_writer_bytes(w, (atls_buf){head, len});
}

void atls_cbor_write_string(atls_writer *w, atls_cbor_kind kind, atls_buf bytes)
{
    atls_cbor_write_head(w, kind, bytes.len);
    atls_writer_bytes(w, bytes);
}
