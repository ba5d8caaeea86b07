/* nonce.h: nonces that travel in the TLS handshake itself, of Constellation and those that followed it: the client's as host
 * name (base64) or as ALPN name (hex), the server's as the one name of an acceptable CA. */
#ifndef ATLS_BINDING_NONCE_H
#define ATLS_BINDING_NONCE_H

#include "binding/binding.h"

#define ATLS_NONCE_LEN      32
#define ATLS_NONCE_SNI_LEN  44 /* base64 of it */
#define ATLS_NONCE_NAME_LEN 57 /* DER of the name CN=base64 */
#define ATLS_NONCE_ALPN     "atls:v1:nonce:"
#define ATLS_NONCE_ALPN_LEN 78 /* and 64 hexadecimal digits */

typedef struct atls_nonces { /* of one connection, and of no other */
    bool has_own, has_peer;
    uint8_t own[ATLS_NONCE_LEN];  /* the peer's evidence repeats it */
    uint8_t peer[ATLS_NONCE_LEN]; /* ours does */
} atls_nonces;

enum { ATLS_NONCE_IN_SNI = 1, ATLS_NONCE_IN_ALPN = 2 }; /* bits */

/* Exactly 32 bytes, as strict base64. ATLS_E_BINDING "nonce.form". */
ATLS_MUST_USE atls_code atls_nonce_of_text(atls_buf text, uint8_t out[ATLS_NONCE_LEN],
                                           atls_err *err);
/* As an ALPN name: version 1, 64 lower-case digits. ATLS_E_BINDING "nonce.form". */
ATLS_MUST_USE atls_code atls_nonce_of_protocol(atls_buf name, uint8_t out[ATLS_NONCE_LEN],
                                               atls_err *err);

/* Client, before the handshake: a new nonce into the ClientHello, where `places` says. ALPN then offers protocol too. */
ATLS_MUST_USE atls_code atls_nonces_begin(atls_link *link, atls_nonces *n, unsigned places,
                                          const char *protocol, atls_err *err);
/* Server, in the ClientHello callback: the client's nonce, which must be there if we show evidence ("nonce.missing"), and
 * our own as the name of a CA if we want the client's. */
ATLS_MUST_USE atls_code atls_nonces_hello(atls_link *link, atls_nonces *n, unsigned places,
                                          atls_err *err);
/* Client, when TLS asks for its certificate: the server's nonce. ATLS_E_BINDING "nonce.names": not exactly one name with a
 * common name. */
ATLS_MUST_USE atls_code atls_nonces_asked(const atls_link *link, atls_nonces *n, atls_err *err);

#endif
