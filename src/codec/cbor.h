/* cbor.h: CBOR (RFC 8949), one item at a time, through libcbor's streaming decoder: nothing is allocated, and there
 * is no recursion. atls_cbor_next takes what our own formats are made of, deterministically encoded (4.2.1): unsigned
 * integers, byte and text strings, arrays and maps of definite length. atls_cbor_any takes what others write, too
 * (cbor_document.h judges whole documents of theirs). */
#ifndef ATLS_CODEC_CBOR_H
#define ATLS_CODEC_CBOR_H

#include "base/reader.h"
#include "base/writer.h"

typedef enum atls_cbor_kind {
    ATLS_CBOR_NONE = 0,
    ATLS_CBOR_UINT,
    ATLS_CBOR_BYTES,
    ATLS_CBOR_TEXT,
    ATLS_CBOR_ARRAY, /* its value items follow */
    ATLS_CBOR_MAP,   /* its value pairs follow */
    /* Only in what others wrote: */
    ATLS_CBOR_NEGATIVE, /* -1 - value */
    ATLS_CBOR_TAG,      /* the tag's number; its one item follows */
    ATLS_CBOR_BOOL,     /* 0 or 1 */
    ATLS_CBOR_NULL
} atls_cbor_kind;

typedef struct atls_cbor_item {
    atls_cbor_kind kind;
    uint64_t value;   /* the number, or the count */
    atls_buf bytes;   /* of strings; text is not checked to be UTF-8 */
    atls_buf encoded; /* the item as it stands there: of arrays and maps the head only */
} atls_cbor_item;

/* Takes the next item. False, and a failed reader, when there is none, when it is of another kind, or
 * when its head is longer than it need be. */
bool atls_cbor_next(atls_reader *r, atls_cbor_item *out);
/* The same for every kind, with heads of any length. Still of definite length, and neither floating point, undefined
 * nor any other simple value. */
bool atls_cbor_any(atls_reader *r, atls_cbor_item *out);

/* The order of map keys: bytewise of their encodings; negative, 0, positive as with memcmp. */
int atls_cbor_compare(atls_buf encoded_a, atls_buf encoded_b);

void atls_cbor_write_head(atls_writer *w, atls_cbor_kind kind, uint64_t value);
void atls_cbor_write_string(atls_writer *w, atls_cbor_kind kind, atls_buf bytes);

#endif
