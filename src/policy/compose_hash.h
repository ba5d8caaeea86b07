/* compose_hash.h: the compose hash of dstack, from the document that was deployed. */
#ifndef ATLS_POLICY_COMPOSE_HASH_H
#define ATLS_POLICY_COMPOSE_HASH_H

#include <jansson.h>

#include <atls/types.h>

/* A document as compact JSON with its members in the order they stand in, as Atlas writes it before hashing; the caller
 * frees it. ATLS_E_USAGE "convert.compose": a number that is no integer, whose text is not the same everywhere. */
ATLS_MUST_USE atls_code atls_compose_text(json_t *document, char **out, atls_err *err);

/* SHA-256 as 64 hex digits and NUL: of a document (as above, and *text is that text), or, where a text stands in its
 * place, of the text's bytes (app-compose.json as it was deployed; *text is it), or the 64 digits of it themselves
 * (*text is NULL). The caller frees *text. ATLS_E_USAGE "convert.compose". */
ATLS_MUST_USE atls_code atls_compose_hash(json_t *value, char hex[65], char **text, atls_err *err);

#endif
