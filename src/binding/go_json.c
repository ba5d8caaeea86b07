#include "binding/go_json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "codec/base64.h"

atls_code atls_go_member(const json_t *object, const char *name, const char *check,
                         const json_t **out, atls_err *err)
{
    const json_t *found = NULL;
    const char *key = NULL;
    json_t *value = NULL;
    size_t n = 0;
    if (!json_is_object(object)) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "no object, where one with \"%s\" is wanted",
                        name);
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcasecmp(key, name) == 0) {
            found = value;
            n++;
        }
    }
    if (n > 1) {
        return ATLS_ERR(err, ATLS_E_INVALID, check,
                        "\"%s\" stands there %zu times, in other letters", name, n);
    }
    *out = json_is_null(found) ? NULL : found;
    return ATLS_OK;
}

atls_code atls_go_object(const json_t *object, const char *name, const char *check,
                         const json_t **out, atls_err *err)
{
    ATLS_TRY(atls_go_member(object, name, check, out, err));
    return json_is_object(*out)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, check, "\"%s\" is not there, or is no object", name);
}

/* A copy without line ends, which Go's decoder passes over. */
static char *without_line_ends(const char *text, size_t *len)
{
    char *copy = malloc(*len + 1);
    size_t n = 0;
    for (size_t i = 0; copy != NULL && i < *len; i++) {
        if (text[i] != '\r' && text[i] != '\n') {
            copy[n++] = text[i];
        }
    }
    *len = n;
    return copy;
}

static bool decode(const char *text, size_t len, uint8_t *room, size_t cap, size_t *out_len)
{
    if (memchr(text, '\n', len) == NULL && memchr(text, '\r', len) == NULL) {
        return atls_base64_decode((atls_buf){(const uint8_t *)text, len}, room, cap, out_len);
    }
    char *copy = without_line_ends(text, &len);
    const bool good = copy != NULL && atls_base64_decode((atls_buf){(const uint8_t *)copy, len},
                                                         room, cap, out_len);
    free(copy);
    return good;
}

atls_code atls_go_decode(const json_t *value, const char *name, const char *check, atls_carried *c,
                         atls_buf *out, atls_err *err)
{
    *out = (atls_buf){NULL, 0};
    const size_t len = json_string_length(value);
    if (json_is_string(value) && len == 0) {
        return ATLS_OK;
    }
    const size_t cap = len / 4 * 3 + 3;
    uint8_t *room = json_is_string(value) ? atls_carried_room(c, cap) : NULL;
    if (json_is_string(value) && room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    size_t decoded = 0;
    if (room == NULL || !decode(json_string_value(value), len, room, cap, &decoded)) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "\"%s\" is no base64", name);
    }
    *out = (atls_buf){room, decoded};
    return ATLS_OK;
}

atls_code atls_go_bytes(const json_t *object, const char *name, const char *check, atls_carried *c,
                        atls_buf *out, atls_err *err)
{
    const json_t *value = NULL;
    *out = (atls_buf){NULL, 0};
    ATLS_TRY(atls_go_member(object, name, check, &value, err));
    return value == NULL ? ATLS_OK : atls_go_decode(value, name, check, c, out, err);
}
