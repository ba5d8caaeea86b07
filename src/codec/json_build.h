/* json_build.h: a jansson tree of a text that the scanner has taken. jansson's own reader is not used: when memory
 * runs out, 2.14's drops characters of a token, or aborts. */
#ifndef ATLS_CODEC_JSON_BUILD_H
#define ATLS_CODEC_JSON_BUILD_H

#include <jansson.h>

#include <atls/types.h>

typedef enum atls_json_built {
    ATLS_JSON_BUILT,
    ATLS_JSON_NO_MEMORY,
    ATLS_JSON_TWICE,    /* a name that its object has already; *at: where it begins */
    ATLS_JSON_TOO_LARGE /* a number or a name; *at: where it begins */
} atls_json_built;

/* text has been scanned whole, and its names and numbers are as short as json.h wants. The caller json_decref()s
 * *out, which is set only by ATLS_JSON_BUILT. */
atls_json_built atls_json_build(atls_buf text, json_t **out, size_t *at);

#endif
