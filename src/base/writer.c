#include "base/writer.h"

#include <string.h>

atls_writer atls_writer_of(uint8_t *space, size_t cap)
{
    atls_writer w = {space, cap, 0, false};
    return w;
}

/* The only place that moves the end: NULL and a failed writer when len bytes do not fit. */
/*@ requires valid_writer(w);
    assigns w->len, w->failed, \result \from *w, len;
    ensures valid_writer(w) && puts{Pre, Post}(w, len);
    ensures w->failed ? \result == \null : \result == w->ptr + \old(w->len); */
static uint8_t *grow(atls_writer *w, size_t len)
{
    if (w->failed || w->cap - w->len < len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->ptr + w->len;
    w->len += len;
    return p;
}

void atls_writer_u8(atls_writer *w, uint8_t v)
{
    uint8_t *b = grow(w, 1);
    if (b != NULL) {
        b[0] = v;
    }
}

void atls_writer_u16le(atls_writer *w, uint16_t v)
{
    uint8_t *b = grow(w, 2);
    if (b != NULL) {
        b[0] = (uint8_t)(v % 256u);
        b[1] = (uint8_t)(v / 256u);
    }
}

void atls_writer_u32le(atls_writer *w, uint32_t v)
{
    uint8_t *b = grow(w, 4);
    if (b != NULL) {
        b[0] = (uint8_t)(v % 256u);
        b[1] = (uint8_t)(v / 256u % 256u);
        b[2] = (uint8_t)(v / 65536u % 256u);
        b[3] = (uint8_t)(v / 16777216u);
    }
}

void atls_writer_u64le(atls_writer *w, uint64_t v)
{
    atls_writer_u32le(w, (uint32_t)(v % 4294967296u));
    atls_writer_u32le(w, (uint32_t)(v / 4294967296u));
}

void atls_writer_u16be(atls_writer *w, uint16_t v)
{
    uint8_t *b = grow(w, 2);
    if (b != NULL) {
        b[0] = (uint8_t)(v / 256u);
        b[1] = (uint8_t)(v % 256u);
    }
}

void atls_writer_u24be(atls_writer *w, uint32_t v)
{
    uint8_t *b = v > 0xffffffu ? NULL : grow(w, 3);
    if (b == NULL) {
        w->failed = true;
        return;
    }
    b[0] = (uint8_t)(v / 65536u);
    b[1] = (uint8_t)(v / 256u % 256u);
    b[2] = (uint8_t)(v % 256u);
}

void atls_writer_u32be(atls_writer *w, uint32_t v)
{
    uint8_t *b = grow(w, 4);
    if (b != NULL) {
        b[0] = (uint8_t)(v / 16777216u);
        b[1] = (uint8_t)(v / 65536u % 256u);
        b[2] = (uint8_t)(v / 256u % 256u);
        b[3] = (uint8_t)(v % 256u);
    }
}

void atls_writer_u64be(atls_writer *w, uint64_t v)
{
    atls_writer_u32be(w, (uint32_t)(v / 4294967296u));
    atls_writer_u32be(w, (uint32_t)(v % 4294967296u));
}

void atls_writer_bytes(atls_writer *w, atls_buf bytes)
{
    uint8_t *b = grow(w, bytes.len);
    if (b == NULL) {
        return;
    }
    /*@ loop invariant 0 <= i <= bytes.len;
        loop assigns i, b[0 .. bytes.len - 1];
        loop variant bytes.len - i; */
    for (size_t i = 0; i < bytes.len; i++) {
        b[i] = bytes.ptr[i];
    }
}

void atls_writer_text(atls_writer *w, const char *s)
{
    size_t len = strlen(s);
    uint8_t *b = grow(w, len);
    if (b == NULL) {
        return;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i, b[0 .. len - 1];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        b[i] = (uint8_t)s[i];
    }
}

void atls_writer_zeros(atls_writer *w, size_t len)
{
    uint8_t *b = grow(w, len);
    if (b == NULL) {
        return;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i, b[0 .. len - 1];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        b[i] = 0;
    }
}

bool atls_writer_ok(const atls_writer *w)
{
    return !w->failed;
}

atls_buf atls_writer_done(const atls_writer *w)
{
    atls_buf v = {w->failed ? NULL : w->ptr, w->failed ? 0 : w->len};
    return v;
}
