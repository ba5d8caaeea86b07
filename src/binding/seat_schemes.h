/* seat_schemes.h: the data of the one extension of early attestation (draft-fossati-seat-early-attestation-06,
 * remoteAttestation) in each message that carries it. Numbers are big-endian.
 *
 *   ClientHello          u16 length, schemes for the server's attestation; u16 length, schemes for the client's
 *   EncryptedExtensions  the scheme chosen for the server
 *   CertificateRequest   the scheme chosen for the client
 *   Certificate          u24 length, a CMW; in the first entry only
 *   a scheme             u8 0 evidence: u8 0 and u16 CoAP content format, or u8 1 and u16 length, media type
 *                        u8 1 result: u16 length, identity of a verifier */
#ifndef ATLS_BINDING_SEAT_SCHEMES_H
#define ATLS_BINDING_SEAT_SCHEMES_H

#include "base/reader.h"
#include "base/writer.h"
#include <atls/types.h>

/* An entry's extensions take 65535 bytes at most: less the extension's own header and the length in front. */
#define ATLS_SEAT_CMW_MAX 65528

typedef enum atls_seat_kind {
    ATLS_SEAT_CONTENT_FORMAT = 0, /* evidence, by the number of its content format */
    ATLS_SEAT_MEDIA_TYPE = 1,     /* evidence, by its media type */
    ATLS_SEAT_RESULT = 2          /* the result of a verifier */
} atls_seat_kind;

typedef struct atls_seat_scheme {
    atls_seat_kind kind;
    uint16_t content_format;
    atls_buf name; /* media type or verifier, at least one byte; a view */
} atls_seat_scheme;

typedef struct atls_seat_offer { /* each list is well-formed; views */
    atls_buf server, client;
} atls_seat_offer;

/* All of the bytes, at least one scheme in one of the lists. ATLS_E_INVALID "seat_early.schemes"; *out is set on success
 * only. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> valid_buf(out->server) && valid_buf(out->client); */
ATLS_MUST_USE atls_code atls_seat_offer_parse(atls_buf bytes, atls_seat_offer *out, atls_err *err);

/* The next scheme of a list; false, with the reader failed, when it is malformed or nothing is left. */
/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures \result ==> valid_buf(out->name) && !r->failed && r->left < \old(r->left);
    ensures !\result ==> r->failed; */
bool atls_seat_scheme_next(atls_reader *r, atls_seat_scheme *out);

/* One scheme, all of the bytes. ATLS_E_INVALID "seat_early.choice". */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_seat_choice_parse(atls_buf bytes, atls_seat_scheme *out,
                                               atls_err *err);

/* A CMW of at least one byte, all of the bytes. ATLS_E_INVALID "seat_early.evidence". */
/*@ requires valid_buf(bytes) && \valid(cmw) && (err == \null || \valid(err)) && \separated(cmw, err);
    assigns *cmw, *err;
    ensures \result == ATLS_OK ==> valid_buf(*cmw); */
ATLS_MUST_USE atls_code atls_seat_evidence_parse(atls_buf bytes, atls_buf *cmw, atls_err *err);

/*@ requires \valid_read(a) && \valid_read(b) && valid_buf(a->name) && valid_buf(b->name);
    assigns \nothing; */
bool atls_seat_scheme_equal(const atls_seat_scheme *a, const atls_seat_scheme *b);

/* Is it in the list of a parsed offer? */
/*@ requires valid_buf(list) && \valid_read(scheme) && valid_buf(scheme->name);
    assigns \nothing; */
bool atls_seat_list_has(atls_buf list, const atls_seat_scheme *scheme);

/*@ requires valid_writer(w) && \valid_read(scheme) && valid_buf(scheme->name) &&
      \separated(w, scheme) && \separated(scheme, w->ptr + (0 .. w->cap - 1));
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
void atls_seat_scheme_write(atls_writer *w, const atls_seat_scheme *scheme);

#endif
