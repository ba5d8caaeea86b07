/* output.h: bytes out to a file or standard output. */
#ifndef ATLS_APPS_OUTPUT_H
#define ATLS_APPS_OUTPUT_H

#include <stdio.h>

#include <atls/attester.h>
#include <atls/types.h>

/* Writes bytes to path ("-" or NULL: standard output). A regular file appears whole or not at all, with
 * exactly the permissions `mode`. ATLS_E_SYSTEM, "output.write". */
atls_code output_write(const char *path, atls_buf bytes, unsigned mode, atls_err *err);

/* Evidence to path: a bundle (JSON), or its bytes when it has one part and no bundle is wanted. */
atls_code output_evidence(const char *path, const atls_evidence_blob *blob, bool bundle,
                          atls_err *err);

/* Text as a JSON string, quoted and escaped. */
void output_json_string(FILE *to, const char *text);

#endif
