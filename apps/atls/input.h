/* input.h: bytes in from files, standard input and the command line, each with its cap. */
#ifndef ATLS_APPS_INPUT_H
#define ATLS_APPS_INPUT_H

#include <atls/types.h>

#define INPUT_EVIDENCE_MAX   ((size_t)4 * 1024 * 1024) /* a bundle */
#define INPUT_COLLATERAL_MAX ((size_t)4 * 1024 * 1024)
#define INPUT_BUNDLE_MAX     ((size_t)256 * 1024 * 1024) /* of collateral */
#define INPUT_JSON_MAX       ((size_t)1024 * 1024)

typedef struct input {
    uint8_t *bytes; /* malloc'ed; a NUL stands behind the last one */
    size_t len;
} input;

/* Reads a whole file ("-": standard input). More than max bytes: too_large with its check id
 * `<area>.size`, decided by the file's size before it is read, or after max + 1 bytes of a pipe.
 * Other failures are ATLS_E_SYSTEM, "input.open" or "input.read". */
atls_code input_read(const char *path, size_t max, atls_code too_large, const char *size_check,
                     input *out, atls_err *err);
/* Collateral in JSON, of at most INPUT_COLLATERAL_MAX bytes, or what begins like an air-gap bundle: "collateral.size". */
atls_code input_read_collateral(const char *path, input *out, atls_err *err);
void input_clear(input *in);
atls_buf input_buf(const input *in);

/* Decodes hex of at most cap bytes. False for anything else. */
bool input_hex(const char *text, uint8_t *out, size_t cap, size_t *len);

/* RFC 3339, with Z or an offset; fractions of a second are cut. False for anything else. */
bool input_time(const char *text, int64_t *out);

/* A decimal number from min to max. False for anything else. */
bool input_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
