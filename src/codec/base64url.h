/* base64url.h: RFC 4648, 5, as JOSE uses it: no padding, no whitespace, spare bits zero. */
#ifndef ATLS_CODEC_BASE64URL_H
#define ATLS_CODEC_BASE64URL_H

#include <atls/types.h>

/* Decodes into out (cap bytes). False for any other character, an impossible length, non-zero spare bits. */
bool atls_base64url_decode(atls_buf text, uint8_t *out, size_t cap, size_t *out_len);
/* malloc'ed text with NUL; NULL: no memory. */
char *atls_base64url_encode(atls_buf bytes);

#endif
