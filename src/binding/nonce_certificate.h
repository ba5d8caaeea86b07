/* nonce_certificate.h: certificates made for one handshake, with evidence over its nonce in an extension: what Constellation
 * and Contrast do alike. */
#ifndef ATLS_BINDING_NONCE_CERTIFICATE_H
#define ATLS_BINDING_NONCE_CERTIFICATE_H

#include "binding/certificate.h"
#include "binding/nonce.h"

/* Reads the evidence of a certificate over our own nonce into link->carried. */
typedef atls_code (*atls_nonce_reader)(atls_link *link, const atls_carrier *c,
                                       const uint8_t nonce[ATLS_NONCE_LEN], atls_err *err);

/* exchange() of both. ATLS_E_BINDING "nonce.resumed": the session was resumed, and nothing in it is fresh. */
ATLS_MUST_USE atls_code atls_nonce_exchange(atls_link *link, const atls_nonces *n,
                                            atls_nonce_reader read, atls_step *next, atls_err *err);

/* The first extension, in the certificate's order, that takes() takes: what it gave is in *taken. NULL: none. */
typedef const void *(*atls_nonce_takes)(atls_buf oid, const void *arg);
const void *atls_nonce_extension(const atls_carrier *c, atls_nonce_takes takes, const void *arg,
                                 atls_buf *value);

/* link->made: self-signed, from two hours before now to two hours after, one name, and this extension (oid.len 0: none). */
ATLS_MUST_USE atls_code atls_nonce_certificate_make(atls_link *link, const char *common_name,
                                                    atls_buf oid, atls_buf value, atls_err *err);

#endif
