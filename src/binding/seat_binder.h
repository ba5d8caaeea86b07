/* seat_binder.h: what evidence of early attestation must contain (draft-fossati-seat-early-attestation-06): a value out of
 * the handshake up to ServerHello, and of the sender's key. No secret goes into it: it binds, and hides nothing. */
#ifndef ATLS_BINDING_SEAT_BINDER_H
#define ATLS_BINDING_SEAT_BINDER_H

#include "crypto/digest.h"
#include <atls/attester.h>
#include <atls/types.h>

#define ATLS_SEAT_MESSAGES_MAX (1u << 18) /* bytes of one hello */
#define ATLS_SEAT_BINDER_MAX   48

/* Hello messages with their headers of 4 bytes, in the order of the wire: two, or four with HelloRetryRequest. */
typedef struct atls_seat_hellos {
    struct {
        uint8_t *bytes; /* malloc'ed */
        size_t len;
    } at[4];
    size_t n;
    bool broken; /* too many, too long, in another order, or no memory: there is no binder then */
} atls_seat_hellos;
/* Takes a copy of a handshake message, if it is one of those; others are passed over. */
void atls_seat_hellos_add(atls_seat_hellos *h, atls_buf message);
void atls_seat_hellos_clear(atls_seat_hellos *h);

/* Hash(ClientHello...ServerHello), after HelloRetryRequest with the message_hash of RFC 8446, 4.4.1, in place of the first
 * ClientHello. ATLS_E_SYSTEM "seat_early.transcript" when they are not all there. */
ATLS_MUST_USE atls_code atls_seat_transcript(const atls_seat_hellos *h, atls_hash hash,
                                             uint8_t out[ATLS_SEAT_BINDER_MAX], atls_err *err);
/* attest_base of a transcript hash. */
ATLS_MUST_USE atls_code atls_seat_base(atls_hash hash, const uint8_t *transcript,
                                       uint8_t out[ATLS_SEAT_BINDER_MAX], atls_err *err);
/* The binder of the sender whose certificate has this subject public key info. */
ATLS_MUST_USE atls_code atls_seat_binder(atls_hash hash, const uint8_t *base, atls_buf spki,
                                         uint8_t out[ATLS_SEAT_BINDER_MAX], atls_err *err);
/* As evidence carries it: 64 bytes with zeros at the end; 32 bytes as they are, or SHA-256 of 48. */
ATLS_MUST_USE atls_code atls_seat_report_data(atls_hash hash, const uint8_t *binder,
                                              atls_report_data *out, atls_err *err);

#endif
