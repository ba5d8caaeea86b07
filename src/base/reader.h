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

atls_reader atls_reader_of(atls_buf bytes);

/* Integers, width and byte order in the name. 0 after a failure. */
uint8_t atls_reader_u8(atls_reader *r);
uint16_t atls_reader_u16le(atls_reader *r);
uint32_t atls_reader_u32le(atls_reader *r);
uint64_t atls_reader_u64le(atls_reader *r);
uint16_t atls_reader_u16be(atls_reader *r);
uint32_t atls_reader_u24be(atls_reader *r);
uint32_t atls_reader_u32be(atls_reader *r);
uint64_t atls_reader_u64be(atls_reader *r);

/* The next len bytes as a view; {NULL, 0} when they are not there. */
atls_buf atls_reader_view(atls_reader *r, size_t len);

/* The next len bytes copied to out; out is zeroed when they are not there. */
void atls_reader_copy(atls_reader *r, uint8_t *out, size_t len);

/* A reader over the next len bytes, which this one skips; a failed one when they are not there. */
atls_reader atls_reader_sub(atls_reader *r, size_t len);

/* All that is left, as a view; afterwards nothing is left. */
atls_buf atls_reader_rest(atls_reader *r);

void atls_reader_fail(atls_reader *r); /* for a caller who found a value that may not be */
bool atls_reader_ok(const atls_reader *r);
bool atls_reader_end(const atls_reader *r); /* ok, and nothing left: the usual last question */

#endif
