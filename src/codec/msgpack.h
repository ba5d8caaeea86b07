/* msgpack.h: MessagePack (github.com/msgpack/msgpack, spec.md), one item after another over a reader: no tree, no
 * allocation, no recursion. What does not fit fails the reader, as in reader.h. */
#ifndef ATLS_CODEC_MSGPACK_H
#define ATLS_CODEC_MSGPACK_H

#include "base/reader.h"
#include "base/writer.h"

typedef enum atls_msgpack_kind {
    ATLS_MSGPACK_NONE = 0, /* a failure */
    ATLS_MSGPACK_UINT,     /* value; a signed form that is not negative, too */
    ATLS_MSGPACK_BYTES,    /* bytes */
    ATLS_MSGPACK_TEXT,     /* bytes; whether they are UTF-8 is not looked at */
    ATLS_MSGPACK_ARRAY,    /* value: items that follow */
    ATLS_MSGPACK_MAP,      /* value: pairs that follow */
    ATLS_MSGPACK_OTHER /* nil, a boolean, a float, a negative number, an extension: passed over */
} atls_msgpack_kind;

typedef struct atls_msgpack_item {
    atls_msgpack_kind kind;
    uint64_t value;
    atls_buf bytes;
} atls_msgpack_item;

/* The next item, of an array or map only its head. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result.bytes) && (r->failed <==> \result.kind == ATLS_MSGPACK_NONE);
    ensures !r->failed ==> r->left < \old(r->left);
    ensures \result.kind == ATLS_MSGPACK_ARRAY || \result.kind == ATLS_MSGPACK_MAP ==> \result.value <= 0xffffffff; */
atls_msgpack_item atls_msgpack_next(atls_reader *r);

/* The next value with all that is in it, as a view; {NULL, 0} after a failure. Linear in its bytes, however deep. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result);
    ensures !r->failed ==> r->left < \old(r->left); */
atls_buf atls_msgpack_value(atls_reader *r);

/* The next item has to be of that kind. Its value: of an array or map, or a number, at most max; of bytes or text their
 * length. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result.bytes) && \result.value <= max && \result.bytes.len <= max;
    ensures r->failed ==> \result.value == 0 && \result.bytes.len == 0; */
atls_msgpack_item atls_msgpack_expect(atls_reader *r, atls_msgpack_kind kind, uint32_t max);

/* Bytes of at most max: as they are (bin), or an array of numbers below 256, which are put into space (room for max). A
 * view into the input or into space; {NULL, 0} after a failure. */
/*@ requires valid_reader(r) && \valid(space + (0 .. max - 1)) && \separated(r, space + (0 .. max - 1));
    assigns *r, space[0 .. max - 1];
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result) && \result.len <= max; */
atls_buf atls_msgpack_byte_vector(atls_reader *r, uint8_t *space, uint32_t max);

#define ATLS_MSGPACK_MEMBERS_MAX 16
/* The map that all of bytes is: values[i] is the whole value of the member names[i], or {NULL, 0} when it is not there.
 * Names are texts; those that are not known are passed over, a known one that comes twice is a failure, and so are more than
 * ATLS_MSGPACK_MEMBERS_MAX members. n is at most as much. Not promised below: that the values are views into bytes. Each is,
 * when it is read; the provers lose it on the way out, and the fuzz target looks at it. */
/*@ requires valid_buf(bytes) && n <= 16 && \valid(values + (0 .. n - 1)) && \valid_read(names + (0 .. n - 1));
    requires \forall integer k; 0 <= k < n ==> valid_buf(names[k]);
    requires \separated(values + (0 .. n - 1), names + (0 .. n - 1));
    assigns values[0 .. n - 1]; */
ATLS_MUST_USE bool atls_msgpack_members(atls_buf bytes, const atls_buf *names, size_t n,
                                        atls_buf *values);

/* --- writing, in the shortest form (msgpack_write.c) --- */

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
void atls_msgpack_put_uint(atls_writer *w, uint32_t v);

/* The head of a map of n pairs, of an array of n items. */
/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
void atls_msgpack_put_map(atls_writer *w, uint32_t n);
/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
void atls_msgpack_put_array(atls_writer *w, uint32_t n);

/* At most UINT32_MAX bytes: more fail w. */
/*@ requires valid_writer(w) && valid_buf(text);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
void atls_msgpack_put_text(atls_writer *w, atls_buf text);
/*@ requires valid_writer(w) && valid_buf(bytes);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
void atls_msgpack_put_bin(atls_writer *w, atls_buf bytes);
/* As an array of numbers, which is how Rust writes a vector of bytes unless told otherwise. */
/*@ requires valid_writer(w) && valid_buf(bytes) && \separated(bytes.ptr + (0 .. bytes.len - 1), w, w->ptr + (0 .. w->cap - 1));
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
void atls_msgpack_put_numbers(atls_writer *w, atls_buf bytes);

#endif
