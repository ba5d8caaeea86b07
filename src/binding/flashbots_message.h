/* flashbots_message.h: the two messages of flashbots-ratls/1, one each way: a frame (u32be length) with a SCALE structure
 * in it: the type of evidence as a string, the evidence as a vector. */
#ifndef ATLS_BINDING_FLASHBOTS_MESSAGE_H
#define ATLS_BINDING_FLASHBOTS_MESSAGE_H

#include <atls/types.h>

#include "base/reader.h"
#include "base/writer.h"

#define FLASHBOTS_FRAME_HEAD 4u
#define FLASHBOTS_FRAME_MAX  65536u /* bytes behind the length, inclusive */

typedef enum flashbots_type {
    FLASHBOTS_NONE = 0, /* no evidence: the vector is empty */
    FLASHBOTS_DCAP_TDX, /* a TDX quote */
    FLASHBOTS_GCP_TDX,  /* the same, on Google Cloud */
    FLASHBOTS_QEMU_TDX, /* the same: a name that peers give up */
    FLASHBOTS_AZURE_TDX /* flashbots_azure.h */
} flashbots_type;

/* "none", "dcap-tdx", ..., with a NUL behind it: static. */
/*@ assigns \nothing;
    ensures valid_buf(\result) && 0 < \result.len < 10; */
atls_buf flashbots_type_text(flashbots_type type);

/* False: no text of a type. */
/*@ requires valid_buf(text) && \valid(out);
    assigns *out;
    ensures \result ==> FLASHBOTS_NONE <= *out <= FLASHBOTS_AZURE_TDX;
    ensures !\result ==> *out == \old(*out); */
bool flashbots_type_of(atls_buf text, flashbots_type *out);

/* The content of the frame at the start of bytes, which may go on behind it: FLASHBOTS_FRAME_HEAD + body->len are its own.
 * ATLS_WANT_READ: it is not whole yet (err is not filled). ATLS_E_INVALID "flashbots.frame": longer than is allowed, said as
 * soon as the length is there. */
/*@ requires valid_buf(bytes) && \valid(body) && (err == \null || \valid(err)) && \separated(body, err);
    assigns *body, *err;
    ensures \result == 0 ==> valid_buf(*body) && part_of(*body, bytes.ptr) && body->len <= FLASHBOTS_FRAME_MAX &&
      body->len + FLASHBOTS_FRAME_HEAD <= bytes.len;
    ensures \result != 0 ==> *body == \old(*body); */
ATLS_MUST_USE atls_code flashbots_frame_parse(atls_buf bytes, atls_buf *body, atls_err *err);

typedef struct flashbots_message {
    flashbots_type type;
    atls_buf attestation; /* view; empty for FLASHBOTS_NONE */
} flashbots_message;

/* All of a frame's content. ATLS_E_INVALID "flashbots.message" (no such structure), "flashbots.type" (a text nobody here
 * knows), "flashbots.none" (type none with evidence), "flashbots.trailing" (bytes behind the structure). */
/*@ requires valid_buf(body) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == 0 ==> FLASHBOTS_NONE <= out->type <= FLASHBOTS_AZURE_TDX && valid_buf(out->attestation) &&
      part_of(out->attestation, body.ptr) && out->attestation.len <= body.len;
    ensures \result != 0 ==> *out == \old(*out); */
ATLS_MUST_USE atls_code flashbots_message_parse(atls_buf body, flashbots_message *out,
                                                atls_err *err);

/* Room that is enough for a frame with so much evidence. */
#define FLASHBOTS_FRAME_ROOM(len) (FLASHBOTS_FRAME_HEAD + 16u + (len))
/* Frame and structure; w starts empty. It has failed when there is no room, or the frame would be too long. */
/*@ requires valid_writer(w) && w->len == 0 && valid_buf(attestation);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
void flashbots_message_write(atls_writer *w, flashbots_type type, atls_buf attestation);

#endif
