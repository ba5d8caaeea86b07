/* pem.h: PEM text (RFC 7468) to DER, strictly: nothing but the blocks asked for, and whitespace. */
#ifndef ATLS_CRYPTO_PEM_H
#define ATLS_CRYPTO_PEM_H

#include "base/writer.h"
#include <atls/types.h>

/* Does text begin with a PEM line, leading whitespace aside? */
bool atls_pem_looks(atls_buf text);

/* Decodes the first block of text, which must be of that label ("CERTIFICATE"), and moves text behind it
 * and the whitespace (or one final NUL) that follows. *used grows by what is written to buf (cap bytes);
 * *der points there. False for anything else. */
bool atls_pem_next(atls_buf *text, const char *label, uint8_t *buf, size_t cap, size_t *used,
                   atls_buf *der);

/* One block of that label, lines of 64 characters. */
void atls_pem_write(atls_writer *w, const char *label, atls_buf der);

#endif
