#include "codec/json_build.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/json_scan.h"

typedef struct building {
    atls_json_scan scan;
    json_t *open[ATLS_JSON_DEPTH_MAX]; /* lent by top */
    unsigned depth;
    json_t *top;
    char name[ATLS_JSON_NAME_MAX + 1]; /* of the member whose value is next */
    atls_json_built end;
} building;

static json_t *real_of(building *b, char *digits)
{
    char *dot = strchr(digits, '.');
    if (dot != NULL) {
        *dot = localeconv()->decimal_point[0]; /* as strtod wants it */
    }
    errno = 0;
    double value = strtod(digits, NULL);
    if (errno == ERANGE && (value >= HUGE_VAL || value <= -HUGE_VAL)) {
        b->end = ATLS_JSON_TOO_LARGE;
        return NULL;
    }
    return json_real(value);
}

static json_t *number_of(building *b, atls_json_token t)
{
    char digits[ATLS_JSON_NUMBER_MAX + 1];
    size_t len = t.end - t.start;
    if (len > ATLS_JSON_NUMBER_MAX) {
        b->end = ATLS_JSON_TOO_LARGE;
        return NULL;
    }
    memcpy(digits, b->scan.text.ptr + t.start, len);
    digits[len] = '\0';
    if (strpbrk(digits, ".eE") != NULL) {
        return real_of(b, digits);
    }
    errno = 0;
    json_int_t value = strtoll(digits, NULL, 10);
    if (errno == ERANGE) {
        b->end = ATLS_JSON_TOO_LARGE;
        return NULL;
    }
    return json_integer(value);
}

static json_t *string_of(const building *b, atls_json_token t)
{
    const uint8_t *raw = b->scan.text.ptr + t.start + 1;
    size_t len = t.end - t.start - 2;
    if (memchr(raw, '\\', len) == NULL) {
        return json_stringn_nocheck((const char *)raw, len);
    }
    uint8_t *space = malloc(len);
    json_t *value = NULL;
    if (space != NULL) {
        len = atls_json_token_text(b->scan.text, t, space);
        value = json_stringn_nocheck((const char *)space, len);
    }
    free(space);
    return value;
}

static json_t *value_of(building *b, atls_json_token t)
{
    switch (t.kind) {
    case ATLS_JSON_OBJECT:
        return json_object();
    case ATLS_JSON_ARRAY:
        return json_array();
    case ATLS_JSON_STRING:
        return string_of(b, t);
    case ATLS_JSON_NUMBER:
        return number_of(b, t);
    default:
        break;
    }
    const uint8_t first = b->scan.text.ptr[t.start];
    return first == 't' ? json_true() : first == 'f' ? json_false() : json_null();
}

/* Into the innermost container, which owns it from here on. */
static bool add(building *b, json_t *value)
{
    if (b->depth == 0) {
        b->top = value;
        return true;
    }
    json_t *in = b->open[b->depth - 1];
    return (json_is_object(in) ? json_object_set_new_nocheck(in, b->name, value)
                               : json_array_append_new(in, value)) == 0;
}

static void take_value(building *b, atls_json_token t)
{
    json_t *value = value_of(b, t);
    if (b->end != ATLS_JSON_BUILT) {
        return;
    }
    if (value == NULL || !add(b, value)) { /* what cannot be added is freed by jansson */
        b->end = ATLS_JSON_NO_MEMORY;
    } else if (t.kind == ATLS_JSON_OBJECT || t.kind == ATLS_JSON_ARRAY) {
        b->open[b->depth++] = value;
    }
}

static void take_name(building *b, atls_json_token t)
{
    if (t.end - t.start > ATLS_JSON_NAME_MAX) {
        b->end = ATLS_JSON_TOO_LARGE;
        return;
    }
    b->name[atls_json_token_text(b->scan.text, t, (uint8_t *)b->name)] = '\0';
    if (json_object_get(b->open[b->depth - 1], b->name) != NULL) {
        b->end = ATLS_JSON_TWICE;
    }
}

static void build(building *b, size_t *at)
{
    while (b->end == ATLS_JSON_BUILT) {
        atls_json_token t = atls_json_scan_next(&b->scan);
        *at = t.start;
        if (t.kind == ATLS_JSON_DONE || t.kind == ATLS_JSON_BAD) {
            return;
        }
        if (t.kind == ATLS_JSON_NAME) {
            take_name(b, t);
        } else if (t.kind == ATLS_JSON_OBJECT_END || t.kind == ATLS_JSON_ARRAY_END) {
            b->depth--;
        } else {
            take_value(b, t);
        }
    }
}

atls_json_built atls_json_build(atls_buf text, json_t **out, size_t *at)
{
    building b = {.end = ATLS_JSON_BUILT};
    atls_json_scan_init(&b.scan, text);
    build(&b, at);
    if (b.end != ATLS_JSON_BUILT) {
        json_decref(b.top);
        return b.end;
    }
    *out = b.top;
    return ATLS_JSON_BUILT;
}
