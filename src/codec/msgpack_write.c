#include "codec/msgpack.h"

/* A head with a length: in the first byte, up to most, or in 1 (where tag8 is not 0), 2 or 4 bytes behind a tag. */
/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
static void put_head(atls_writer *w, uint8_t fixed, uint32_t most, uint8_t tag8, uint8_t tag16,
                     uint8_t tag32, uint32_t n)
{
    if (n <= most) {
        atls_writer_u8(w, (uint8_t)(fixed | n));
    } else if (tag8 != 0 && n <= 0xffu) {
        atls_writer_u8(w, tag8);
        atls_writer_u8(w, (uint8_t)n);
    } else if (n <= 0xffffu) {
        atls_writer_u8(w, tag16);
        atls_writer_u16be(w, (uint16_t)n);
    } else {
        atls_writer_u8(w, tag32);
        atls_writer_u32be(w, n);
    }
}

void atls_msgpack_put_uint(atls_writer *w, uint32_t v)
{
    put_head(w, 0, 0x7f, 0xcc, 0xcd, 0xce, v);
}

void atls_msgpack_put_map(atls_writer *w, uint32_t n)
{
    put_head(w, 0x80, 15, 0, 0xde, 0xdf, n);
}

void atls_msgpack_put_array(atls_writer *w, uint32_t n)
{
    put_head(w, 0x90, 15, 0, 0xdc, 0xdd, n);
}

void atls_msgpack_put_text(atls_writer *w, atls_buf text)
{
    if (text.len > UINT32_MAX) {
        w->failed = true;
        return;
    }
    put_head(w, 0xa0, 31, 0xd9, 0xda, 0xdb, (uint32_t)text.len);
    atls_writer_bytes(w, text);
}

void atls_msgpack_put_bin(atls_writer *w, atls_buf bytes)
{
    if (bytes.len > UINT32_MAX) {
        w->failed = true;
        return;
    }
    if (bytes.len <= 0xffu) { /* bin has no form in one byte */
        atls_writer_u8(w, 0xc4);
        atls_writer_u8(w, (uint8_t)bytes.len);
    } else {
        put_head(w, 0, 0, 0, 0xc5, 0xc6, (uint32_t)bytes.len);
    }
    atls_writer_bytes(w, bytes);
}

void atls_msgpack_put_numbers(atls_writer *w, atls_buf bytes)
{
    if (bytes.len > UINT32_MAX) {
        w->failed = true;
        return;
    }
    atls_msgpack_put_array(w, (uint32_t)bytes.len);
    /*@ loop invariant 0 <= i <= bytes.len && valid_writer(w) && same_space{Pre, Here}(w);
        loop assigns i, *w, \at(w->ptr, Pre)[0 .. \at(w->cap, Pre) - 1];
        loop variant bytes.len - i; */
    for (size_t i = 0; i < bytes.len; i++) {
        atls_msgpack_put_uint(w, bytes.ptr[i]);
    }
}
