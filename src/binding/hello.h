/* hello.h: two extensions of a ClientHello, as their bytes stand there (RFC 6066, 3; RFC 7301, 3.1): in some dialects a nonce
 * travels in them. */
#ifndef ATLS_BINDING_HELLO_H
#define ATLS_BINDING_HELLO_H

#include "base/reader.h"

/* The host name of server_name: exactly one entry. A view; {NULL, 0} when the extension is empty or malformed (false). */
/*@ requires valid_buf(extension) && \valid(name);
    assigns *name;
    ensures valid_buf(*name) && (!\result ==> name->len == 0); */
bool atls_hello_server_name(atls_buf extension, atls_buf *name);

/* The first protocol name in ALPN's list that begins with "atls": {NULL, 0}: none does. False: malformed. */
/*@ requires valid_buf(extension) && \valid(name);
    assigns *name;
    ensures valid_buf(*name) && (!\result ==> name->len == 0); */
bool atls_hello_atls_protocol(atls_buf extension, atls_buf *name);

#endif
