/* reader.h: the one way to look at hostile bytes.
 *
 * A reader is a cursor over a view. Failure sticks: after the first read that does not fit, every
 * later read gives zero (or an empty view), so fields are read in a row and asked about once, with
 * atls_reader_end() or atls_reader_ok(). Nothing is allocated; views point into the input. */
#ifndef ATLS_BASE_READER_H
#define ATLS_BASE_READER_H

#include <atls/types.h>

typedef struct atls_reader {
    const uint8_t *ptr; /* next byte */
    size_t left;        /* bytes not read yet */
    bool failed;
} atls_reader;

/* Comments that begin with @ are contracts, which proofs/run.sh proves for every input. takes(r, len): either
 * len bytes were there and the cursor is behind them, or r has failed. */
/*@ predicate readable(uint8_t *p, integer len) = len == 0 || (0 < len && \valid_read(p + (0 .. len - 1)));
    predicate valid_buf(atls_buf b) = readable(b.ptr, b.len);
    predicate buf_of(atls_buf b, integer len) = b.len == len && readable(b.ptr, len);
    predicate sound_reader(atls_reader r) = readable(r.ptr, r.left) && (r.failed ==> r.left == 0);
    predicate valid_reader{L}(atls_reader *r) = \valid(r) && sound_reader(*r);
    predicate fits{L}(atls_reader *r, integer len) = !r->failed && len <= r->left;
    predicate part_of{L}(atls_buf b, uint8_t *p) = b.len == 0 || \base_addr(b.ptr) == \base_addr(p);
    predicate forward{Old, New}(atls_reader *r) =
      \base_addr{New}(\at(r->ptr, New)) == \base_addr{New}(\at(r->ptr, Old)) && \at(r->left, New) <= \at(r->left, Old) &&
      (\at(r->failed, Old) ==> \at(r->failed, New));
    predicate takes{Old, New}(atls_reader *r, integer len) = forward{Old, New}(r) &&
      (fits{Old}(r, len) ==> !\at(r->failed, New) && \at(r->left, New) == \at(r->left, Old) - len &&
        \at(r->ptr, New) == \at(r->ptr, Old) + len) &&
      (!fits{Old}(r, len) ==> \at(r->failed, New) && \at(r->left, New) == 0); */

/*@ requires valid_buf(bytes);
    assigns \nothing;
    ensures \result.ptr == bytes.ptr && \result.left == bytes.len && !\result.failed; */
atls_reader atls_reader_of(atls_buf bytes);

/* Integers, width and byte order in the name. 0 after a failure. */

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 1); */
uint8_t atls_reader_u8(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 2); */
uint16_t atls_reader_u16le(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 4); */
uint32_t atls_reader_u32le(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 8); */
uint64_t atls_reader_u64le(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 2); */
uint16_t atls_reader_u16be(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 3); */
uint32_t atls_reader_u24be(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 4); */
uint32_t atls_reader_u32be(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, 8); */
uint64_t atls_reader_u64be(atls_reader *r);

/* The next len bytes as a view; {NULL, 0} when they are not there. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, len);
    ensures r->failed ==> \result.ptr == \null && \result.len == 0;
    ensures valid_buf(\result) && part_of(\result, r->ptr);
    ensures !r->failed ==> \result.ptr == \old(r->ptr) && \result.len == len; */
atls_buf atls_reader_view(atls_reader *r, size_t len);

/* The next len bytes copied to out; out is zeroed when they are not there. */
/*@ requires valid_reader(r) && \valid(out + (0 .. len - 1)) && \separated(r, out + (0 .. len - 1));
    assigns *r, out[0 .. len - 1];
    ensures valid_reader(r) && takes{Pre, Post}(r, len); */
void atls_reader_copy(atls_reader *r, uint8_t *out, size_t len);

/* A reader over the next len bytes, which this one skips; a failed one when they are not there. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, len) && \result.failed == r->failed;
    ensures r->failed ==> \result.ptr == \null && \result.left == 0;
    ensures sound_reader(\result) && (!r->failed ==> \base_addr(\result.ptr) == \base_addr(r->ptr));
    ensures !r->failed ==> \result.ptr == \old(r->ptr) && \result.left == len; */
atls_reader atls_reader_sub(atls_reader *r, size_t len);

/* All that is left, as a view; afterwards nothing is left. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && r->left == 0 && r->failed == \old(r->failed);
    ensures \result.len == \old(r->left) && valid_buf(\result);
    ensures !r->failed ==> \result.ptr == \old(r->ptr); */
atls_buf atls_reader_rest(atls_reader *r);

/* For a caller who found a value that may not be. */
/*@ requires valid_reader(r);
    assigns r->failed, r->left;
    ensures valid_reader(r) && r->failed && r->left == 0; */
void atls_reader_fail(atls_reader *r);

/*@ requires valid_reader(r);
    assigns \nothing;
    ensures \result <==> !r->failed; */
bool atls_reader_ok(const atls_reader *r);

/* Ok, and nothing left: the usual last question. */
/*@ requires valid_reader(r);
    assigns \nothing;
    ensures \result <==> !r->failed && r->left == 0; */
bool atls_reader_end(const atls_reader *r);

#endif
