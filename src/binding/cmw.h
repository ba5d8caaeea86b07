/* cmw.h: conceptual message wrappers (RFC 9999): one message with its type, as a record in CBOR or JSON, or under a CBOR tag.
 * Collections and signed wrappers are refused: a certificate's key is bound by one piece of evidence. */
#ifndef ATLS_BINDING_CMW_H
#define ATLS_BINDING_CMW_H

#include <atls/types.h>

#define ATLS_CMW_MAX_LEN         65536
#define ATLS_CMW_IND_OF_EVIDENCE 4

typedef enum atls_cmw_form { ATLS_CMW_RECORD, ATLS_CMW_TAG, ATLS_CMW_JSON } atls_cmw_form;

typedef struct atls_cmw { /* views point into the bytes, or into the space */
    atls_cmw_form form;
    atls_buf media_type;     /* empty: content_format says what it is */
    uint32_t content_format; /* of CoAP; at most 65535 */
    atls_buf value;
    uint32_t ind; /* 0: not said */
} atls_cmw;

/* All of the bytes; space has room for as many, and holds what JSON had in base64url. ATLS_E_INVALID "cmw.size",
 * "cmw.form" (by its first byte: a collection, a signed one, or none), "cmw.record", "cmw.tag", "cmw.json". */
ATLS_MUST_USE atls_code atls_cmw_parse(atls_buf bytes, uint8_t *space, atls_cmw *out,
                                       atls_err *err);

/* A record in CBOR; ind 0 is left out. malloc'ed. */
ATLS_MUST_USE atls_code atls_cmw_make(const char *media_type, atls_buf value, uint32_t ind,
                                      uint8_t **out, size_t *len, atls_err *err);

#endif
