/* json_scan.h: JSON (RFC 8259) one token after another, building nothing and recursing nowhere. It knows
 * the whole grammar, UTF-8 and the nesting limit included; what it cannot know is whether names are unique
 * and numbers fit: that is the tree's part (json_build.h). Linear in the text. */
#ifndef ATLS_CODEC_JSON_SCAN_H
#define ATLS_CODEC_JSON_SCAN_H

#include <atls/types.h>

typedef enum atls_json_kind {
    ATLS_JSON_BAD, /* not JSON: scan.problem says what, token.start where */
    ATLS_JSON_DONE,
    ATLS_JSON_OBJECT,
    ATLS_JSON_OBJECT_END,
    ATLS_JSON_ARRAY,
    ATLS_JSON_ARRAY_END,
    ATLS_JSON_NAME,
    ATLS_JSON_STRING,
    ATLS_JSON_NUMBER,
    ATLS_JSON_WORD /* true, false, null */
} atls_json_kind;

typedef struct atls_json_token {
    atls_json_kind kind;
    size_t start, end; /* text[start..end), quotes included */
    unsigned depth;    /* containers around it; an end has the depth of its beginning */
} atls_json_token;

typedef struct atls_json_scan {
    atls_buf text;
    size_t at;
    size_t values; /* begun so far */
    unsigned depth;
    uint32_t objects; /* bit d: the container at depth d is an object */
    enum {
        ATLS_JSON_WANT_TOP,
        ATLS_JSON_WANT_VALUE,
        ATLS_JSON_WANT_VALUE_OR_END,
        ATLS_JSON_WANT_NAME,
        ATLS_JSON_WANT_NAME_OR_END,
        ATLS_JSON_WANT_COMMA_OR_END,
        ATLS_JSON_WANT_NOTHING
    } want;
    const char *problem; /* static */
} atls_json_scan;

/* The text must outlive the scan. Its top has to be an object or an array. */
void atls_json_scan_init(atls_json_scan *scan, atls_buf text);
/* The next token; after BAD and DONE the same again. */
atls_json_token atls_json_scan_next(atls_json_scan *scan);
/* If token opens an object or array, goes on to its end and returns the token stretched over all of it;
 * any other token as it is. */
atls_json_token atls_json_scan_whole(atls_json_scan *scan, atls_json_token token);
/* Whether the next token closes the array that the scan is in. */
bool atls_json_scan_at_array_end(atls_json_scan *scan);
/* Line and column of text[at], from 1; columns in characters. */
void atls_json_position(atls_buf text, size_t at, size_t *line, size_t *column);
/* Whether a NAME or STRING token says name (UTF-8), escapes undone. */
bool atls_json_token_says(atls_buf text, atls_json_token token, const char *name, size_t name_len);
/* What a NAME or STRING token says (UTF-8, no NUL), escapes undone: never longer than the token. Its length. */
size_t atls_json_token_text(atls_buf text, atls_json_token token, uint8_t *out);

#endif
