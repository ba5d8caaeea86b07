/* authenticator_wire.h: what the files that build, parse and verify authenticators share: numbers of RFC 8446
 * and RFC 9261, and the two transcripts. */
#ifndef ATLS_BINDING_AUTHENTICATOR_WIRE_H
#define ATLS_BINDING_AUTHENTICATOR_WIRE_H

#include "binding/authenticator.h"

enum { /* HandshakeType */
       HS_CERTIFICATE = 11,
       HS_CERTIFICATE_REQUEST = 13,
       HS_CERTIFICATE_VERIFY = 15,
       HS_CLIENT_CERTIFICATE_REQUEST = 17,
       HS_FINISHED = 20
};
#define HS_HEADER 4 /* u8 type, u24be length */

/* HC || request || Certificate: what CertificateVerify is over. With CertificateVerify added (nothing in an empty
 * authenticator) it is what Finished is over: evidence is hashed once. */
ATLS_MUST_USE atls_code atls_ea_transcript(const atls_ea_keys *keys, const atls_ea_request *request,
                                           atls_buf certificate, atls_transcript *out,
                                           atls_err *err);
#define EA_TBS_MAX (64 + 22 + 1 + 48)
/* RFC 9261, 5.2.2: what CertificateVerify signs: 87 + Hlen bytes. */
ATLS_MUST_USE atls_code atls_ea_to_be_signed(const atls_transcript *up_to_certificate,
                                             uint8_t out[EA_TBS_MAX], size_t *len, atls_err *err);
/* RFC 9261, 5.2.3: Hlen bytes. */
ATLS_MUST_USE atls_code atls_ea_finished(const atls_ea_keys *keys, const atls_ea_request *request,
                                         const atls_transcript *up_to_certificate_verify,
                                         uint8_t out[48], atls_err *err);

#define EA_CERT0_MAX (HS_HEADER + 1 + 255 + 3)
/* RFC 9261, 6.1: the Certificate message without certificates that an empty authenticator hashes. */
atls_buf atls_ea_empty_certificate(atls_buf context, uint8_t out[EA_CERT0_MAX]);

#endif
