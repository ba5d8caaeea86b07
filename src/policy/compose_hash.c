#include "policy/compose_hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "codec/json.h"
#include "crypto/digest.h"

#define COMPOSE_MAX ((size_t)4 << 20)

static void put_text(atls_text *t, const char *s)
{
    atls_text_add(t, "\"");
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        const char *at = c < 0x20 ? strchr("\bb\tt\nn\ff\rr", *s) : NULL;
        if (c == '"' || c == '\\') {
            atls_text_add(t, "\\%c", *s);
        } else if (at != NULL) {
            atls_text_add(t, "\\%c", at[1]);
        } else if (c < 0x20) {
            atls_text_add(t, "\\u%04x", (unsigned)c);
        } else {
            atls_text_add(t, "%c", *s);
        }
    }
    atls_text_add(t, "\"");
}

static bool put_value(atls_text *t, json_t *v, unsigned depth);

static bool put_object(atls_text *t, json_t *v, unsigned depth)
{
    const char *name;
    json_t *member;
    const char *between = "{";
    json_object_foreach(v, name, member)
    {
        atls_text_add(t, "%s", between);
        put_text(t, name);
        atls_text_add(t, ":");
        if (!put_value(t, member, depth + 1)) {
            return false;
        }
        between = ",";
    }
    atls_text_add(t, json_object_size(v) == 0 ? "{}" : "}");
    return true;
}

static bool put_array(atls_text *t, json_t *v, unsigned depth)
{
    atls_text_add(t, "[");
    for (size_t i = 0; i < json_array_size(v); i++) {
        atls_text_add(t, i > 0 ? "," : "");
        if (!put_value(t, json_array_get(v, i), depth + 1)) {
            return false;
        }
    }
    atls_text_add(t, "]");
    return true;
}

/* False: a value whose text we cannot know. */
static bool put_value(atls_text *t, json_t *v, unsigned depth)
{
    if (depth > ATLS_JSON_DEPTH_MAX) {
        return false;
    }
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return put_object(t, v, depth);
    case JSON_ARRAY:
        return put_array(t, v, depth);
    case JSON_STRING:
        put_text(t, json_string_value(v));
        return true;
    case JSON_INTEGER:
        atls_text_add(t, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        atls_text_add(t, json_is_true(v) ? "true" : "false");
        return true;
    case JSON_NULL:
        atls_text_add(t, "null");
        return true;
    case JSON_REAL:
        break;
    }
    return false;
}

atls_code atls_compose_text(json_t *document, char **out, atls_err *err)
{
    atls_text t = atls_text_of(COMPOSE_MAX);
    const bool good = put_value(&t, document, 0);
    char *text = atls_text_take(&t);
    if (!good) {
        free(text);
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.compose",
                        "app_compose has a number that is no integer: give its SHA-256, or the "
                        "deployed text");
    }
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *out = text;
    return ATLS_OK;
}

static bool is_sha256(const json_t *value)
{
    uint8_t bytes[32];
    size_t len = 0;
    return json_is_string(value) && json_string_length(value) == 64 &&
           atls_hex_decode(json_string_value(value), 64, bytes, sizeof bytes, &len);
}

atls_code atls_compose_hash(json_t *value, char hex[65], char **text, atls_err *err)
{
    uint8_t hash[32];
    char *made = NULL;
    if (is_sha256(value)) {
        size_t len = 0;
        (void)atls_hex_decode(json_string_value(value), 64, hash, sizeof hash, &len);
        atls_hex_encode((atls_buf){hash, sizeof hash}, hex);
        *text = NULL;
        return ATLS_OK;
    }
    if (json_is_string(value)) {
        made = strdup(json_string_value(value));
        if (made == NULL) {
            return ATLS_ERR_NOMEM(err);
        }
    } else {
        ATLS_TRY(atls_compose_text(value, &made, err));
    }
    atls_code rc =
        atls_digest(ATLS_SHA256, &(atls_buf){(const uint8_t *)made, strlen(made)}, 1, hash, err);
    if (rc != ATLS_OK) {
        free(made);
        return rc;
    }
    atls_hex_encode((atls_buf){hash, sizeof hash}, hex);
    *text = made;
    return ATLS_OK;
}
