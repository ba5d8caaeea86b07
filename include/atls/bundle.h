/* bundle.h: evidence of several parts in one JSON object: {"atls_evidence":1,"type":"tdx","quote":"base64"}. */
#ifndef ATLS_BUNDLE_H
#define ATLS_BUNDLE_H

#include <atls/verifier.h>

typedef struct atls_bundle atls_bundle;

/* Parses a bundle of at most 4 MiB. Every member beside "atls_evidence" (the number 1) and "type" is a part of
 * that type, in strict base64; an unknown part, an empty one, and the lack of one that its type needs are
 * ATLS_E_INVALID. Nothing in the parts is judged here. The caller owns *out; text is not needed any more. */
ATLS_API ATLS_MUST_USE atls_code atls_bundle_parse(atls_buf text, atls_bundle **out, atls_err *err);
ATLS_API void atls_bundle_free(atls_bundle *bundle);
/* Lent: lives with the bundle. */
ATLS_API const atls_evidence *atls_bundle_get0_evidence(const atls_bundle *bundle);

/* The same out: one line of JSON with NUL, which the caller frees with atls_free. The first part may be
 * unnamed. ATLS_E_USAGE for a type or part that is not known. */
ATLS_API ATLS_MUST_USE atls_code atls_bundle_write(const atls_evidence *evidence, char **out,
                                                   atls_err *err);

#endif
