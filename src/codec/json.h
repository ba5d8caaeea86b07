/* json.h: JSON through jansson, with the limits and positions that jansson lacks. */
#ifndef ATLS_CODEC_JSON_H
#define ATLS_CODEC_JSON_H

#include <jansson.h>

#include <atls/types.h>

#define ATLS_JSON_DEPTH_MAX 8
/* Values in one text, and bytes of a name and of a number. An empty object costs jansson some 400 bytes, a member a
 * microsecond: this bounds what a text can cost. Intel's longest documents have some 5,000 values. */
#define ATLS_JSON_VALUES_MAX 20000
#define ATLS_JSON_NAME_MAX   1024
#define ATLS_JSON_NUMBER_MAX 64

/* Parses a whole text, an object or an array: valid UTF-8, unique member names at every level, at most
 * max_len bytes, ATLS_JSON_DEPTH_MAX levels, ATLS_JSON_VALUES_MAX values, and names and numbers as short as above (checked
 * before any of it is built), nothing after it, no NUL (not as \u0000 either), integers that fit 64 bits.
 * ATLS_E_INVALID with check, and line and column in the sentence. The caller json_decref()s *out. */
ATLS_MUST_USE atls_code atls_json_parse(atls_buf text, size_t max_len, const char *check,
                                        json_t **out, atls_err *err);

/* The text out, with NUL, by json_dumps's flags; the caller frees it. NULL: no memory. json_dumps itself, when
 * memory runs out, may give a text with characters missing. */
char *atls_json_write(const json_t *json, size_t flags);

/* The exact bytes of the value of a member of the top-level object, as they stand in text (which need
 * not be whole JSON behind it): from its first to its last character. False if there is no such member. */
bool atls_json_member_bytes(atls_buf text, const char *name, atls_buf *value);

/* Where a value stands: path is like "workloads[2].tdx.mrtd[0]" ("" the whole). Line and column count
 * from 1, columns in characters. The text has been parsed already. False (line 0) if the path leads nowhere.
 * A name with '.' or '[' in it cannot be written as a path: use the steps. */
bool atls_json_locate(atls_buf text, const char *path, size_t *line, size_t *column);

typedef struct atls_json_step {
    const char *name; /* of a member; NULL: an element */
    size_t name_len;
    size_t index;
} atls_json_step;
bool atls_json_locate_steps(atls_buf text, const atls_json_step *steps, size_t n, size_t *line,
                            size_t *column);
/* The same, but where the last step's member begins: its name. */
bool atls_json_locate_member(atls_buf text, const atls_json_step *steps, size_t n, size_t *line,
                             size_t *column);

#endif
