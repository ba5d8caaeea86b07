#include "codec/scale.h"

uint32_t atls_scale_compact(atls_reader *r)
{
    const uint32_t first = atls_reader_u8(r);
    uint32_t v = first / 4u;
    uint32_t least = 0;
    if (first % 4u == 1) {
        v += atls_reader_u8(r) * 64u;
        least = 64u;
    } else if (first % 4u == 2) {
        v += atls_reader_u16le(r) * 64u;
        v += atls_reader_u8(r) * 4194304u;
        least = 16384u;
    } else if (first % 4u == 3) {
        atls_reader_fail(r);
    }
    if (v < least) {
        atls_reader_fail(r);
    }
    return atls_reader_ok(r) ? v : 0;
}

atls_buf atls_scale_bytes(atls_reader *r)
{
    const uint32_t len = atls_scale_compact(r);
    return atls_reader_view(r, len);
}

void atls_scale_write_compact(atls_writer *w, size_t v)
{
    if (v < 64u) {
        atls_writer_u8(w, (uint8_t)(v * 4u));
    } else if (v < 16384u) {
        atls_writer_u16le(w, (uint16_t)(v * 4u + 1u));
    } else if (v <= ATLS_SCALE_COMPACT_MAX) {
        atls_writer_u32le(w, (uint32_t)(v * 4u + 2u));
    } else {
        w->failed = true;
    }
}

void atls_scale_write_bytes(atls_writer *w, atls_buf bytes)
{
    atls_scale_write_compact(w, bytes.len);
    atls_writer_bytes(w, bytes);
}
