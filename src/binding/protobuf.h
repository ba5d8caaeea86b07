/* protobuf.h: the wire format of Protocol Buffers, one field at a time: what peers send as messages of go-tpm-tools and
 * go-sev-guest. No schema: whoever asks knows what the numbers mean. Nothing is allocated. */
#ifndef ATLS_BINDING_PROTOBUF_H
#define ATLS_BINDING_PROTOBUF_H

#include "base/reader.h"
#include "base/writer.h"

typedef enum atls_protobuf_kind { /* the wire types; groups (3, 4) are gone since proto3 */
                                  ATLS_PROTOBUF_VARINT = 0,
                                  ATLS_PROTOBUF_FIXED64 = 1,
                                  ATLS_PROTOBUF_BYTES =
                                      2, /* bytes, text, a message, packed numbers */
                                  ATLS_PROTOBUF_FIXED32 = 5
} atls_protobuf_kind;

#define ATLS_PROTOBUF_VARINT_MAX 10        /* bytes */
#define ATLS_PROTOBUF_NUMBER_MAX 536870911 /* of a field: 29 bits */

typedef struct atls_protobuf_field {
    uint32_t number; /* 1 to ATLS_PROTOBUF_NUMBER_MAX; 0 after a failure */
    atls_protobuf_kind kind;
    uint64_t value; /* of the three kinds of numbers */
    atls_buf bytes; /* of BYTES: a view into what is read */
} atls_protobuf_field;

/* The next field, of any number. False, and a failed reader, when it is not whole, is a group, has no number, or a varint
 * that fits no 64 bits. Ask only while bytes are left. */
/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && forward{Pre, Post}(r) && valid_buf(out->bytes);
    ensures \result <==> !r->failed;
    ensures \result ==> 1 <= out->number <= 536870911 && r->left < \old(r->left);
    ensures out->bytes.len <= \old(r->left) && part_of(out->bytes, r->ptr); */
bool atls_protobuf_next(atls_reader *r, atls_protobuf_field *out);

typedef enum atls_protobuf_search {
    ATLS_PROTOBUF_FOUND,
    ATLS_PROTOBUF_ABSENT,
    ATLS_PROTOBUF_TWICE,
    ATLS_PROTOBUF_NO_BYTES, /* of another kind */
    ATLS_PROTOBUF_MALFORMED
} atls_protobuf_search;

/* The one field of that number in a whole message, which has to be bytes: a view into it; {NULL, 0} when it is absent. out
 * is left alone when there is another than one or none. */
/*@ requires valid_buf(message) && \valid(out);
    assigns *out;
    ensures \result == ATLS_PROTOBUF_FOUND || \result == ATLS_PROTOBUF_ABSENT ==>
      valid_buf(*out) && part_of(*out, message.ptr);
    ensures \result != ATLS_PROTOBUF_FOUND && \result != ATLS_PROTOBUF_ABSENT ==> *out == \old(*out); */
atls_protobuf_search atls_protobuf_find(atls_buf message, uint32_t number, atls_buf *out);

/* A number field; 0, which is the same as none, is not written. */
/*@ requires valid_writer(w) && 1 <= number <= 536870911;
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
void atls_protobuf_write_uint(atls_writer *w, uint32_t number, uint64_t value);
/* The same, but a 0 is written: as the key of a map is. */
/*@ requires valid_writer(w) && 1 <= number <= 536870911;
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
void atls_protobuf_write_key(atls_writer *w, uint32_t number, uint64_t value);
/* Bytes or a message, empty ones, too. */
/*@ requires valid_writer(w) && 1 <= number <= 536870911 && valid_buf(bytes);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
void atls_protobuf_write_bytes(atls_writer *w, uint32_t number, atls_buf bytes);

#endif
