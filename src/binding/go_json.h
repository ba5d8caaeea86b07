/* go_json.h: members of JSON objects as Go's encoding/json finds them: in any case of letters, null as nothing, base64 that may
 * have line ends. Stricter in one thing: two members that Go would take for one are refused, not the last one taken. */
#ifndef ATLS_BINDING_GO_JSON_H
#define ATLS_BINDING_GO_JSON_H

#include "binding/binding.h"
#include "codec/json.h"

/* *out NULL: not there, or null. ATLS_E_INVALID check: object is none, or has it twice. */
ATLS_MUST_USE atls_code atls_go_member(const json_t *object, const char *name, const char *check,
                                       const json_t **out, atls_err *err);
/* A member that is an object; ATLS_E_INVALID check when it is not there. */
ATLS_MUST_USE atls_code atls_go_object(const json_t *object, const char *name, const char *check,
                                       const json_t **out, atls_err *err);
/* Bytes as base64, into room of c; {NULL, 0}: not there, null, or "". ATLS_E_INVALID check: no base64. */
ATLS_MUST_USE atls_code atls_go_bytes(const json_t *object, const char *name, const char *check,
                                      atls_carried *c, atls_buf *out, atls_err *err);
/* The same of a value. */
ATLS_MUST_USE atls_code atls_go_decode(const json_t *value, const char *name, const char *check,
                                       atls_carried *c, atls_buf *out, atls_err *err);

#endif
