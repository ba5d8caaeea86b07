#include "codec/cbor.h"

#include <string.h>

#include <cbor.h>

#define TAG_MAJOR 6

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

static void on_negint8(void *item, uint8_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_NEGATIVE, .value = value};
}

static void on_negint16(void *item, uint16_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_NEGATIVE, .value = value};
}

static void on_negint32(void *item, uint32_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_NEGATIVE, .value = value};
}

static void on_negint64(void *item, uint64_t value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_NEGATIVE, .value = value};
}

static void on_tag(void *item, uint64_t number)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_TAG, .value = number};
}

static void on_bool(void *item, bool value)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_BOOL, .value = value ? 1 : 0};
}

static void on_null(void *item)
{
    *(atls_cbor_item *)item = (atls_cbor_item){.kind = ATLS_CBOR_NULL};
}

static size_t shortest_head(uint64_t value)
{
    return value < 24 ? 1 : value < 256 ? 2 : value < 65536 ? 3 : value < 4294967296u ? 5 : 9;
}

/* *head is the length of the item's head: all of it, but for strings. */
static bool decode(atls_reader *r, atls_cbor_item *out, size_t *head)
{
    /* What has no function of ours (floats, other simple values, indefinite lengths) leaves kind at NONE. */
    struct cbor_callbacks on = cbor_empty_callbacks;
    on.uint8 = on_uint8;
    on.uint16 = on_uint16;
    on.uint32 = on_uint32;
    on.uint64 = on_uint64;
    on.negint8 = on_negint8;
    on.negint16 = on_negint16;
    on.negint32 = on_negint32;
    on.negint64 = on_negint64;
    on.byte_string = on_bytes;
    on.string = on_text;
    on.array_start = on_array;
    on.map_start = on_map;
    on.tag = on_tag;
    on.boolean = on_bool;
    on.null = on_null;
    atls_cbor_item item = {0};
    struct cbor_decoder_result result = {0};
    if (atls_reader_ok(r) && r->left > 0 && r->ptr[0] / 32 == TAG_MAJOR && r->ptr[0] % 32 < 24) {
        /* libcbor before 0.11 refuses tags that had no meaning in RFC 7049: COSE's 18 among them. */
        on_tag(&item, r->ptr[0] % 32);
        result = (struct cbor_decoder_result){.status = CBOR_DECODER_FINISHED, .read = 1};
    } else if (atls_reader_ok(r) && r->left > 0) {
        result = cbor_stream_decode(r->ptr, r->left, &on, &item);
    }
    if (result.status != CBOR_DECODER_FINISHED || item.kind == ATLS_CBOR_NONE ||
        result.read < item.bytes.len || result.read > r->left) {
        return false;
    }
    *head = result.read - item.bytes.len;
    item.encoded = (atls_buf){r->ptr, result.read};
    *out = item;
    return true;
}

bool atls_cbor_any(atls_reader *r, atls_cbor_item *out)
{
    atls_cbor_item item;
    size_t head = 0;
    if (!decode(r, &item, &head)) {
        atls_reader_fail(r);
        return false;
    }
    item.encoded = atls_reader_view(r, item.encoded.len);
    *out = item;
    return true;
}

bool atls_cbor_next(atls_reader *r, atls_cbor_item *out)
{
    atls_cbor_item item;
    size_t head = 0;
    if (!decode(r, &item, &head) || item.kind > ATLS_CBOR_MAP ||
        head != shortest_head(item.value)) {
        atls_reader_fail(r);
        return false;
    }
    item.encoded = atls_reader_view(r, item.encoded.len);
    *out = item;
    return true;
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
    case ATLS_CBOR_NEGATIVE:
        len = cbor_encode_negint(value, head, sizeof head);
        break;
    case ATLS_CBOR_TAG:
        len = cbor_encode_tag(value, head, sizeof head);
        break;
    case ATLS_CBOR_BOOL:
        len = cbor_encode_bool(value != 0, head, sizeof head);
        break;
    case ATLS_CBOR_NULL:
        len = cbor_encode_null(head, sizeof head);
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
