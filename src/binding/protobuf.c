/* Protocol Buffers, wire format: a varint of number and kind, then the value. */
#include "binding/protobuf.h"

#define DIGIT  128u /* a varint has seven bits a byte; the eighth says that another follows */
#define KINDS  8u   /* a tag is number * 8 + kind */
#define HEADER UINT64_C(4294967295)
#define MORE   (UINT64_MAX / DIGIT) /* a greater one has no room for another digit */

/* The least significant digit comes first. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures !r->failed ==> r->left < \old(r->left); */
static uint64_t read_varint(atls_reader *r)
{
    uint8_t digits[ATLS_PROTOBUF_VARINT_MAX] = {0};
    size_t n = 0;
    uint64_t value = 0;
    bool more = true;
    /*@ loop invariant valid_reader(r) && forward{Pre, Here}(r) && 0 <= n <= 10;
        loop invariant n > 0 && !r->failed ==> r->left < \at(r->left, Pre);
        loop invariant n == 0 ==> more;
        loop invariant \forall integer k; 0 <= k < 10 ==> 0 <= digits[k] < 128;
        loop assigns *r, digits[0 .. 9], n, more;
        loop variant 10 - n; */
    while (more && n < ATLS_PROTOBUF_VARINT_MAX) {
        const uint8_t b = atls_reader_u8(r);
        digits[n] = (uint8_t)(b % DIGIT);
        more = b >= DIGIT;
        n++;
    }
    if (more) {
        atls_reader_fail(r);
    }
    /*@ loop invariant valid_reader(r) && forward{Pre, Here}(r) && 0 <= n <= 10;
        loop invariant !r->failed ==> r->left < \at(r->left, Pre);
        loop assigns *r, n, value;
        loop variant n; */
    while (n > 0) {
        n--;
        if (value > MORE) {
            atls_reader_fail(r);
            value = 0;
        }
        value = value * DIGIT + digits[n];
    }
    return r->failed ? 0 : value;
}

bool atls_protobuf_next(atls_reader *r, atls_protobuf_field *out)
{
    const uint64_t tag = read_varint(r);
    atls_protobuf_field f = {0, ATLS_PROTOBUF_VARINT, 0, {NULL, 0}};
    uint64_t len = 0;
    const uint64_t number = tag / KINDS;
    if (tag > HEADER || number == 0) {
        atls_reader_fail(r);
    }
    switch (tag % KINDS) {
    case ATLS_PROTOBUF_VARINT:
        f.value = read_varint(r);
        break;
    case ATLS_PROTOBUF_FIXED64:
        f.kind = ATLS_PROTOBUF_FIXED64;
        f.value = atls_reader_u64le(r);
        break;
    case ATLS_PROTOBUF_BYTES:
        f.kind = ATLS_PROTOBUF_BYTES;
        len = read_varint(r);
        if (len > r->left) {
            atls_reader_fail(r);
            len = 0;
        }
        f.bytes = atls_reader_view(r, (size_t)len);
        break;
    case ATLS_PROTOBUF_FIXED32:
        f.kind = ATLS_PROTOBUF_FIXED32;
        f.value = atls_reader_u32le(r);
        break;
    default:
        atls_reader_fail(r);
        break;
    }
    f.number = r->failed ? 0 : (uint32_t)number;
    *out = f;
    return !r->failed;
}

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
static void write_varint(atls_writer *w, uint64_t value)
{
    /*@ loop invariant valid_writer(w) && w->ptr == \at(w->ptr, Pre) && w->cap == \at(w->cap, Pre);
        loop assigns *w, \at(w->ptr, Pre)[0 .. \at(w->cap, Pre) - 1], value;
        loop variant value; */
    while (value >= DIGIT) {
        atls_writer_u8(w, (uint8_t)(value % DIGIT + DIGIT));
        value /= DIGIT;
    }
    atls_writer_u8(w, (uint8_t)value);
}

/*@ requires valid_writer(w) && 1 <= number <= 536870911 && 0 <= kind <= 7;
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
static void write_tag(atls_writer *w, uint32_t number, unsigned kind)
{
    write_varint(w, (uint64_t)number * KINDS + kind);
}

void atls_protobuf_write_key(atls_writer *w, uint32_t number, uint64_t value)
{
    write_tag(w, number, ATLS_PROTOBUF_VARINT);
    write_varint(w, value);
}

void atls_protobuf_write_uint(atls_writer *w, uint32_t number, uint64_t value)
{
    if (value != 0) {
        atls_protobuf_write_key(w, number, value);
    }
}

void atls_protobuf_write_bytes(atls_writer *w, uint32_t number, atls_buf bytes)
{
    write_tag(w, number, ATLS_PROTOBUF_BYTES);
    write_varint(w, bytes.len);
    atls_writer_bytes(w, bytes);
}
