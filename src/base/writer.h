/* writer.h: bytes out, into space that the caller owns. Failure sticks, as in atls_reader: what does
 * not fit is not written, and atls_writer_done() says so at the end. Nothing is allocated. */
#ifndef ATLS_BASE_WRITER_H
#define ATLS_BASE_WRITER_H

#include <string.h> /* valid_read_string, in a contract */

#include "base/reader.h"
#include <atls/types.h>

typedef struct atls_writer {
    uint8_t *ptr; /* start of the space */
    size_t cap;   /* its size in bytes */
    size_t len;   /* written so far, never more than cap */
    bool failed;
} atls_writer;

/* For proofs/run.sh, as in reader.h. puts(w, len): either there was room for len bytes and they are there,
 * or w has failed and is as long as before. */
/*@ predicate writable(uint8_t *p, integer len) = len == 0 || (0 < len && \valid(p + (0 .. len - 1)));
    predicate valid_writer{L}(atls_writer *w) = \valid(w) && w->len <= w->cap && writable(w->ptr, w->cap) &&
      \separated(w, w->ptr + (0 .. w->cap - 1));
    predicate has_room{L}(atls_writer *w, integer len) = !w->failed && len <= w->cap - w->len;
    predicate puts{Old, New}(atls_writer *w, integer len) =
      \at(w->ptr, New) == \at(w->ptr, Old) && \at(w->cap, New) == \at(w->cap, Old) &&
      (has_room{Old}(w, len) ==> !\at(w->failed, New) && \at(w->len, New) == \at(w->len, Old) + len) &&
      (!has_room{Old}(w, len) ==> \at(w->failed, New));
    predicate same_space{Old, New}(atls_writer *w) =
      \at(w->ptr, New) == \at(w->ptr, Old) && \at(w->cap, New) == \at(w->cap, Old); */

/*@ requires writable(space, cap);
    assigns \nothing;
    ensures \result.ptr == space && \result.cap == cap && \result.len == 0 && !\result.failed; */
atls_writer atls_writer_of(uint8_t *space, size_t cap);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, 1); */
void atls_writer_u8(atls_writer *w, uint8_t v);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, 2); */
void atls_writer_u16le(atls_writer *w, uint16_t v);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, 4); */
void atls_writer_u32le(atls_writer *w, uint32_t v);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, 8); */
void atls_writer_u64le(atls_writer *w, uint64_t v);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, 2); */
void atls_writer_u16be(atls_writer *w, uint16_t v);

/* Fails when v has more than 24 bits. */
/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && (v <= 0xffffff ==> puts{Pre, Post}(w, 3)) && (v > 0xffffff ==> w->failed); */
void atls_writer_u24be(atls_writer *w, uint32_t v);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, 4); */
void atls_writer_u32be(atls_writer *w, uint32_t v);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, 8); */
void atls_writer_u64be(atls_writer *w, uint64_t v);

/*@ requires valid_writer(w) && valid_buf(bytes);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, bytes.len); */
void atls_writer_bytes(atls_writer *w, atls_buf bytes);

/* Without its NUL. */
/*@ requires valid_writer(w) && valid_read_string(s);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
void atls_writer_text(atls_writer *w, const char *s);

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && puts{Pre, Post}(w, len); */
void atls_writer_zeros(atls_writer *w, size_t len);

/*@ requires valid_writer(w);
    assigns \nothing;
    ensures \result <==> !w->failed; */
bool atls_writer_ok(const atls_writer *w);

/* What was written; {NULL, 0} after a failure. */
/*@ requires valid_writer(w);
    assigns \nothing;
    ensures valid_buf(\result) && \result.len == (w->failed ? 0 : w->len); */
atls_buf atls_writer_done(const atls_writer *w);

#endif
