/* cbor_document.h: whole CBOR documents that others wrote (COSE, EAT, AWS): any order of map keys, heads of any length,
 * tags; but nothing that two readers could take for two things. */
#ifndef ATLS_CODEC_CBOR_DOCUMENT_H
#define ATLS_CODEC_CBOR_DOCUMENT_H

#include "codec/cbor.h"

#define ATLS_CBOR_DOCUMENT_MAX 65536 /* bytes */
#define ATLS_CBOR_DEPTH_MAX    8     /* arrays, maps and tags within each other */
#define ATLS_CBOR_PAIRS_MAX    64    /* of one map */

/* Is it exactly one item? Definite lengths, at most that long and deep, maps with that many pairs, whose keys are
 * integers, texts or byte strings and no two of them equal, text in UTF-8. ATLS_E_INVALID with check. */
ATLS_MUST_USE atls_code atls_cbor_document_check(atls_buf bytes, const char *check, atls_err *err);

/* Takes the next item with all that is in it. False, and a failed reader, when it is not whole. */
bool atls_cbor_skip(atls_reader *r, atls_buf *encoded);

bool atls_cbor_is_text(const atls_cbor_item *item, const char *text);
bool atls_utf8_valid(atls_buf text);

#endif
