/* inspect.h: decoding without judging. Nothing here is a trust decision, and the output says so. */
#ifndef ATLS_INSPECT_H
#define ATLS_INSPECT_H

#include <atls/types.h>

/* Decodes anything known (quote, certificate PEM/DER, collateral JSON). *out: JSON when json, else text
 * for people; freed with atls_free. ATLS_E_INVALID when the bytes are not recognised. */
ATLS_API ATLS_MUST_USE atls_code atls_inspect(atls_buf bytes, bool json, char **out, atls_err *err);

#endif
