/* scale.h: the integers and byte vectors of SCALE, as its reference decoder (parity-scale-codec) takes them.
 *
 * A compact integer: the two low bits of the first byte say how long it is. 0: the byte; 1: two bytes; 2: four bytes, all
 * little endian, the value above those two bits. Only the shortest form is taken. The fourth form (3) is for values from
 * 2^30 on, which no length here reaches: it is not taken. A vector and a string are a compact length and the bytes. */
#ifndef ATLS_CODEC_SCALE_H
#define ATLS_CODEC_SCALE_H

#include <atls/types.h>

#include "base/reader.h"
#include "base/writer.h"

#define ATLS_SCALE_COMPACT_MAX 0x3fffffffu

/* 0 after a failure; anything but the shortest form is one. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures \result <= ATLS_SCALE_COMPACT_MAX && (r->failed ==> \result == 0); */
uint32_t atls_scale_compact(atls_reader *r);

/* A vector of bytes, or the text of a string, as a view; {NULL, 0} when it is not there whole. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result) && part_of(\result, r->ptr) && \result.len <= \old(r->left);
    ensures r->failed ==> \result.ptr == \null && \result.len == 0; */
atls_buf atls_scale_bytes(atls_reader *r);

/* Fails when v is larger than ATLS_SCALE_COMPACT_MAX. */
/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
void atls_scale_write_compact(atls_writer *w, size_t v);

/*@ requires valid_writer(w) && valid_buf(bytes);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
void atls_scale_write_bytes(atls_writer *w, atls_buf bytes);

#endif
