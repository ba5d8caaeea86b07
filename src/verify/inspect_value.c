/* inspect_value.c: values into the tree, and the tree as text. */
#include "verify/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"

#define HEX_SHOWN 2048 /* bytes of one field; the rest is counted */

void atls_inspect_text(json_t *to, const char *name, const char *text)
{
    (void)json_object_set_new(to, name, json_string(text));
}

void atls_inspect_hex(json_t *to, const char *name, atls_buf bytes)
{
    size_t shown = bytes.len < HEX_SHOWN ? bytes.len : HEX_SHOWN;
    char *text = malloc(2 * shown + 64);
    if (text == NULL) {
        return;
    }
    atls_hex_encode((atls_buf){bytes.ptr, shown}, text);
    if (shown < bytes.len) {
        (void)snprintf(text + 2 * shown, 64, "... (%zu bytes)", bytes.len);
    }
    (void)json_object_set_new(to, name, json_string(text));
    free(text);
}

void atls_inspect_number(json_t *to, const char *name, uint64_t v)
{
    (void)json_object_set_new(to, name, json_integer((json_int_t)v));
}

void atls_inspect_bool(json_t *to, const char *name, bool v)
{
    (void)json_object_set_new(to, name, json_boolean(v));
}

void atls_inspect_time(json_t *to, const char *name, int64_t time_s)
{
    char text[ATLS_TIME_TEXT_LEN];
    atls_time_format(time_s, text);
    atls_inspect_text(to, name, text);
}

void atls_inspect_error(json_t *to, const atls_err *err)
{
    char text[ATLS_ERR_MSG_LEN + 80];
    (void)snprintf(text, sizeof text, "%s [%s]", err->msg, err->check != NULL ? err->check : "?");
    atls_inspect_text(to, "error", text);
}

json_t *atls_inspect_object(json_t *to, const char *name)
{
    (void)json_object_set_new(to, name, json_object());
    return json_object_get(to, name);
}

json_t *atls_inspect_list(json_t *to, const char *name)
{
    (void)json_object_set_new(to, name, json_array());
    return json_object_get(to, name);
}

json_t *atls_inspect_item(json_t *list)
{
    (void)json_array_append_new(list, json_object());
    return json_array_get(list, json_array_size(list) - 1);
}

/* --- text --- */

/* What was decoded is its sender's: nothing of it may steer a terminal. */
static void render_text(FILE *to, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        bool is_plain = *p >= 0x20 && *p <= 0x7e;
        (void)fputc(is_plain ? *p : '?', to);
    }
}

static void render_scalar(FILE *to, const json_t *v)
{
    if (json_is_string(v)) {
        render_text(to, json_string_value(v));
    } else if (json_is_real(v)) {
        fprintf(to, "%.17g", json_real_value(v));
    } else if (json_is_integer(v)) {
        fprintf(to, "%lld", (long long)json_integer_value(v));
    } else {
        fputs(json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-", to);
    }
}

static void render_name(FILE *to, const char *name, int level)
{
    fprintf(to, "%*s", 2 * level, "");
    render_text(to, name);
}

static bool is_list_of_values(const json_t *list)
{
    return json_array_size(list) == 0 || !json_is_object(json_array_get(list, 0));
}

static void render(FILE *to, const json_t *tree, int level);

static void render_list(FILE *to, const char *name, const json_t *list, int level)
{
    size_t i;
    const json_t *item;
    if (is_list_of_values(list)) {
        render_name(to, name, level);
        (void)fputc(':', to);
        json_array_foreach(list, i, item)
        {
            fputs(i > 0 ? ", " : " ", to);
            render_scalar(to, item);
        }
        fputs(json_array_size(list) == 0 ? " none\n" : "\n", to);
        return;
    }
    json_array_foreach(list, i, item)
    {
        render_name(to, name, level);
        fprintf(to, " %zu:\n", i + 1);
        render(to, item, level + 1);
    }
}

/* The tree is as deep as this room makes it, and what it takes from JSON as deep as json.h lets that be. */
static void render(FILE *to, const json_t *tree, int level)
{
    void *it = json_object_iter((json_t *)(uintptr_t)tree); /* jansson's iterators want no const */
    for (; it != NULL; it = json_object_iter_next((json_t *)(uintptr_t)tree, it)) {
        const char *name = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        if (json_is_object(value)) {
            render_name(to, name, level);
            fputs(":\n", to);
            render(to, value, level + 1);
        } else if (json_is_array(value)) {
            render_list(to, name, value, level);
        } else {
            render_name(to, name, level);
            fputs(": ", to);
            render_scalar(to, value);
            (void)fputc('\n', to);
        }
    }
}

char *atls_inspect_render(const json_t *tree)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    if (to == NULL) {
        return NULL;
    }
    render(to, tree, 0);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
