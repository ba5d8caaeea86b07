/* hex.h: lower-case hex out, either case in. */
#ifndef ATLS_BASE_HEX_H
#define ATLS_BASE_HEX_H

#include <atls/types.h>

#include "base/writer.h"

/* Writes 2 * bytes.len digits and a NUL; out has room for that. */
void atls_hex_encode(atls_buf bytes, char *out);

/* Decodes exactly len digits, an even number, into out (cap bytes) and sets *out_len.
 * False for another character, an odd length, or too little room; out is then unspecified. */
bool atls_hex_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len);

/* The digits, without NUL, into w. */
void atls_hex_write(atls_writer *w, atls_buf bytes);

#endif
