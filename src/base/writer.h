/* writer.h: bytes out, into space that the caller owns. Failure sticks, as in atls_reader: what does
 * not fit is not written, and atls_writer_done() says so at the end. Nothing is allocated. */
#ifndef ATLS_BASE_WRITER_H
#define ATLS_BASE_WRITER_H

#include <atls/types.h>

typedef struct atls_writer {
    uint8_t *ptr; /* start of the space */
    size_t cap;   /* its size in bytes */
    size_t len;   /* written so far, never more than cap */
    bool failed;
} atls_writer;

atls_writer atls_writer_of(uint8_t *space, size_t cap);

void atls_writer_u8(atls_writer *w, uint8_t v);
void atls_writer_u16le(atls_writer *w, uint16_t v);
void atls_writer_u32le(atls_writer *w, uint32_t v);
void atls_writer_u64le(atls_writer *w, uint64_t v);
void atls_writer_u16be(atls_writer *w, uint16_t v);
void atls_writer_u24be(atls_writer *w, uint32_t v); /* fails when v has more than 24 bits */
void atls_writer_u32be(atls_writer *w, uint32_t v);
void atls_writer_u64be(atls_writer *w, uint64_t v);
void atls_writer_bytes(atls_writer *w, atls_buf bytes);
void atls_writer_text(atls_writer *w, const char *s); /* without its NUL */
void atls_writer_zeros(atls_writer *w, size_t len);

bool atls_writer_ok(const atls_writer *w);
atls_buf atls_writer_done(const atls_writer *w); /* what was written; {NULL, 0} after a failure */

#endif
