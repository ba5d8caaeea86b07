#include "base/reader.h"

atls_reader atls_reader_of(atls_buf bytes)
{
    atls_reader r = {bytes.ptr, bytes.len, false};
    return r;
}

/* The only place that moves a cursor: NULL and a failed reader when len bytes are not there. */
/*@ requires valid_reader(r);
    assigns *r, \result \from *r, len;
    ensures valid_reader(r) && takes{Pre, Post}(r, len);
    ensures r->failed ? \result == \null : \result == \old(r->ptr); */
static const uint8_t *take(atls_reader *r, size_t len)
{
    if (r->failed || r->left < len) {
        r->failed = true;
        r->left = 0;
        return NULL;
    }
    const uint8_t *p = r->ptr;
    if (len > 0) {
        r->ptr += len;
    }
    r->left -= len;
    return p;
}

uint8_t atls_reader_u8(atls_reader *r)
{
    const uint8_t *b = take(r, 1);
    return b == NULL ? (uint8_t)0 : b[0];
}

uint16_t atls_reader_u16le(atls_reader *r)
{
    const uint8_t *b = take(r, 2);
    return b == NULL ? (uint16_t)0 : (uint16_t)(b[0] + b[1] * 256u);
}

uint32_t atls_reader_u32le(atls_reader *r)
{
    const uint8_t *b = take(r, 4);
    return b == NULL ? 0u : b[0] + b[1] * 256u + b[2] * 65536u + b[3] * 16777216u;
}

uint64_t atls_reader_u64le(atls_reader *r)
{
    uint64_t low = atls_reader_u32le(r);
    uint64_t high = atls_reader_u32le(r);
    return r->failed ? 0u : low + high * 4294967296u;
}

uint16_t atls_reader_u16be(atls_reader *r)
{
    const uint8_t *b = take(r, 2);
    return b == NULL ? (uint16_t)0 : (uint16_t)(b[0] * 256u + b[1]);
}

uint32_t atls_reader_u24be(atls_reader *r)
{
    const uint8_t *b = take(r, 3);
    return b == NULL ? 0u : b[0] * 65536u + b[1] * 256u + b[2];
}

uint32_t atls_reader_u32be(atls_reader *r)
{
    const uint8_t *b = take(r, 4);
    return b == NULL ? 0u : b[0] * 16777216u + b[1] * 65536u + b[2] * 256u + b[3];
}

uint64_t atls_reader_u64be(atls_reader *r)
{
    uint64_t high = atls_reader_u32be(r);
    uint64_t low = atls_reader_u32be(r);
    return r->failed ? 0u : high * 4294967296u + low;
}

atls_buf atls_reader_view(atls_reader *r, size_t len)
{
    const uint8_t *p = take(r, len);
    atls_buf v = {p, p == NULL ? 0 : len};
    return v;
}

void atls_reader_copy(atls_reader *r, uint8_t *out, size_t len)
{
    const uint8_t *p = take(r, len);
    /*@ loop invariant 0 <= i <= len;
        loop assigns i, out[0 .. len - 1];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        out[i] = p == NULL ? (uint8_t)0 : p[i];
    }
}

atls_reader atls_reader_sub(atls_reader *r, size_t len)
{
    const uint8_t *p = take(r, len);
    atls_reader sub = {p, p == NULL ? 0 : len, r->failed};
    return sub;
}

atls_buf atls_reader_rest(atls_reader *r)
{
    return atls_reader_view(r, r->left);
}

void atls_reader_fail(atls_reader *r)
{
    r->failed = true;
    r->left = 0;
}

bool atls_reader_ok(const atls_reader *r)
{
    return !r->failed;
}

bool atls_reader_end(const atls_reader *r)
{
    return !r->failed && r->left == 0;
}
