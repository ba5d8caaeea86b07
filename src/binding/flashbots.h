/* flashbots.h: flashbots-ratls/1: one message each way behind the handshake, over the exporter and the sender's own key. */
#ifndef ATLS_BINDING_FLASHBOTS_H
#define ATLS_BINDING_FLASHBOTS_H

#include <atls/types.h>

/* The content of the BIT STRING of a SubjectPublicKeyInfo (DER, all of its bytes), without the octet of unused bits: an EC
 * point, an RSAPublicKey. A view; false: no such structure. */
bool flashbots_key_bits(atls_buf spki, atls_buf *bits);

/* SHA-256(key bits) || exporter; zeros for the hash of who showed no key (empty). ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code flashbots_report_data(atls_buf key_bits, const uint8_t exporter[32],
                                              uint8_t out[64], atls_err *err);

#endif
