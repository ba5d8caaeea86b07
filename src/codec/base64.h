/* base64.h: RFC 4648, strict: no whitespace, padding exact. */
#ifndef ATLS_CODEC_BASE64_H
#define ATLS_CODEC_BASE64_H

#include <atls/types.h>

#include "base/writer.h"

/* Decodes into out (cap bytes). False for any other character, wrong padding, non-zero spare bits. */
bool atls_base64_decode(atls_buf text, uint8_t *out, size_t cap, size_t *out_len);
/* malloc'ed text with padding and NUL; NULL: no memory. */
char *atls_base64_encode(atls_buf bytes);
/* The same text, without NUL, into w. */
void atls_base64_write(atls_writer *w, atls_buf bytes);

#endif
