/* header_chain.h: lines of an HTTP head, and the certificate chains that Intel's services put into them: PEM, percent-encoded. */
#ifndef ATLS_NET_HEADER_CHAIN_H
#define ATLS_NET_HEADER_CHAIN_H

#include "base/reader.h"
#include "base/writer.h"

#define ATLS_HTTP_HEADERS_MAX ((size_t)64 << 10) /* bytes of one head; of more, nothing is found */

typedef enum atls_header_found {
    ATLS_HEADER_NONE = 0,
    ATLS_HEADER_ONE,
    ATLS_HEADER_TWICE /* and its values differ: nobody can say which is meant */
} atls_header_found;

/* The value of the field of that name (lower case; len bytes), without the blanks around it. Lines end with LF, with or without
 * CR before it; those that are no fields (the status line among them) are passed over. */
atls_header_found atls_header_find(atls_buf headers, const char *name, size_t len, atls_buf *value);

/* %XX becomes a byte, all else stays: '+' is a digit of base64, never a blank. False, and w failed, for a '%' without two digits,
 * a byte that is not of printable ASCII, CR, LF or TAB, or where w has no room. */
bool atls_percent_decode(atls_buf value, atls_writer *w);

/* The reverse, as services send it: all but letters, digits and "-._~" as %XX. */
void atls_percent_encode(atls_buf text, atls_writer *w);

#endif
