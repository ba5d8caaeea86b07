/* cbor_members.h: a map of a checked document (cbor_document.h) against a table of its members: the table of the
 * specification, turned into code. */
#ifndef ATLS_CODEC_CBOR_MEMBERS_H
#define ATLS_CODEC_CBOR_MEMBERS_H

#include "codec/cbor_document.h"

typedef struct atls_cbor_member {
    const char *name; /* the key if it is text; otherwise only what people call it */
    bool has_label;
    uint64_t label; /* the key if it is an integer: then has_label */
    atls_cbor_kind kind;
    bool required;
    bool may_be_null; /* which is the same as absent */
    uint64_t min,
        max; /* of strings their length, of arrays and maps their count, of integers the value */
    const char *check; /* of every refusal of this member; ATLS_E_INVALID */
} atls_cbor_member;

typedef struct atls_cbor_found {
    bool present;
    atls_cbor_item item;
    atls_buf encoded; /* all of it: what an array or a map has in it, too */
} atls_cbor_found;

/* Reads the map that comes next. found has room for n. Members that the table does not know are passed over, and
 * counted in *unknown. What is no map is refused with check. */
ATLS_MUST_USE atls_code atls_cbor_members(atls_reader *r, const atls_cbor_member *members, size_t n,
                                          const char *check, atls_cbor_found *found,
                                          size_t *unknown, atls_err *err);

#endif
