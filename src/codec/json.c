#include "codec/json.h"

#include <string.h>

#include "base/err.h"
#include "codec/json_build.h"
#include "codec/json_scan.h"

static atls_code refuse(atls_buf text, size_t at, const char *check, const char *problem,
                        atls_err *err)
{
    size_t line;
    size_t column;
    atls_json_position(text, at, &line, &column);
    return ATLS_ERR(err, ATLS_E_INVALID, check, "not JSON as wanted here: line %zu, column %zu: %s",
                    line, column, problem);
}

/* Grammar, depth, number of values and the lengths of some, before anything is built. */
static atls_code check_shape(atls_buf text, const char *check, atls_err *err)
{
    atls_json_scan scan;
    atls_json_scan_init(&scan, text);
    atls_json_token token;
    do {
        token = atls_json_scan_next(&scan);
        if (scan.values > ATLS_JSON_VALUES_MAX) {
            return refuse(text, token.start, check, "too many values", err);
        }
        size_t len = token.end - token.start;
        if (token.kind == ATLS_JSON_NAME && len > ATLS_JSON_NAME_MAX) {
            return refuse(text, token.start, check, "member name too long", err);
        }
        if (token.kind == ATLS_JSON_NUMBER && len > ATLS_JSON_NUMBER_MAX) {
            return refuse(text, token.start, check, "number too long", err);
        }
    } while (token.kind != ATLS_JSON_BAD && token.kind != ATLS_JSON_DONE);
    return token.kind == ATLS_JSON_DONE ? ATLS_OK
                                        : refuse(text, token.start, check, scan.problem, err);
}

atls_code atls_json_parse(atls_buf text, size_t max_len, const char *check, json_t **out,
                          atls_err *err)
{
    if (text.len > max_len) {
        return ATLS_ERR(err, ATLS_E_INVALID, check,
                        "JSON of %zu bytes, where at most %zu are taken", text.len, max_len);
    }
    ATLS_TRY(check_shape(text, check, err));
    size_t at = 0;
    switch (atls_json_build(text, out, &at)) {
    case ATLS_JSON_BUILT:
        return ATLS_OK;
    case ATLS_JSON_TWICE:
        return refuse(text, at, check, "a member name that this object has already", err);
    case ATLS_JSON_TOO_LARGE:
        return refuse(text, at, check, "number too large", err);
    case ATLS_JSON_NO_MEMORY:
        break;
    }
    return ATLS_ERR_NOMEM(err);
}

/* Behind the opening of a container at depth: on to the value of the member (name) or element (index).
 * *from: where the member begins, which is its name; of an element, its value. */
static bool find_child(atls_json_scan *scan, unsigned depth, const atls_json_step *step,
                       atls_json_token *value, size_t *from)
{
    for (size_t i = 0;; i++) {
        atls_json_token t = atls_json_scan_next(scan);
        bool found;
        *from = t.start;
        if (step->name != NULL) {
            if (t.kind != ATLS_JSON_NAME) {
                return false;
            }
            found = atls_json_token_says(scan->text, t, step->name, step->name_len);
            t = atls_json_scan_next(scan);
        } else {
            found = i == step->index;
        }
        if (t.kind == ATLS_JSON_BAD || t.kind == ATLS_JSON_DONE || t.depth != depth + 1) {
            return false;
        }
        if (found) {
            *value = t;
            return true;
        }
        (void)atls_json_scan_whole(scan, t);
    }
}

/* The first token of the value that the steps lead to; the scan stands behind it. */
static bool find_value(atls_json_scan *scan, const atls_json_step *steps, size_t n,
                       atls_json_token *value, size_t *from)
{
    atls_json_token t = atls_json_scan_next(scan);
    *from = t.start;
    for (size_t i = 0; i < n; i++) {
        if (t.kind != (steps[i].name != NULL ? ATLS_JSON_OBJECT : ATLS_JSON_ARRAY) ||
            !find_child(scan, t.depth, &steps[i], &t, from)) {
            return false;
        }
    }
    *value = t;
    return t.kind != ATLS_JSON_BAD;
}

bool atls_json_member_bytes(atls_buf text, const char *name, atls_buf *value)
{
    atls_json_scan scan;
    atls_json_scan_init(&scan, text);
    const atls_json_step step = {.name = name, .name_len = strlen(name)};
    atls_json_token t;
    size_t from;
    if (!find_value(&scan, &step, 1, &t, &from)) {
        return false;
    }
    t = atls_json_scan_whole(&scan, t);
    if (t.kind == ATLS_JSON_BAD) {
        return false;
    }
    *value = (atls_buf){text.ptr + t.start, t.end - t.start};
    return true;
}

static bool locate(atls_buf text, const atls_json_step *steps, size_t n, bool want_member,
                   size_t *line, size_t *column)
{
    atls_json_scan scan;
    atls_json_scan_init(&scan, text);
    atls_json_token t;
    size_t from;
    if (!find_value(&scan, steps, n, &t, &from)) {
        *line = 0;
        *column = 0;
        return false;
    }
    atls_json_position(text, want_member ? from : t.start, line, column);
    return true;
}

bool atls_json_locate_steps(atls_buf text, const atls_json_step *steps, size_t n, size_t *line,
                            size_t *column)
{
    return locate(text, steps, n, false, line, column);
}

bool atls_json_locate_member(atls_buf text, const atls_json_step *steps, size_t n, size_t *line,
                             size_t *column)
{
    return locate(text, steps, n, true, line, column);
}

/* One step of a path such as ".tdx" or "[2]"; the first name stands without its dot. */
static bool take_step(const char **path, bool is_first, atls_json_step *step)
{
    const char *p = *path;
    if (*p == '[') {
        size_t index = 0;
        const char *digits = ++p;
        while (*p >= '0' && *p <= '9' && index <= ATLS_JSON_VALUES_MAX) {
            index = index * 10 + (size_t)(*p - '0');
            p++;
        }
        if (p == digits || *p != ']') {
            return false;
        }
        *step = (atls_json_step){.index = index};
        *path = p + 1;
        return true;
    }
    if (!is_first) {
        if (*p != '.') {
            return false;
        }
        p++;
    }
    size_t len = strcspn(p, ".[");
    *step = (atls_json_step){.name = p, .name_len = len};
    *path = p + len;
    return len > 0;
}

bool atls_json_locate(atls_buf text, const char *path, size_t *line, size_t *column)
{
    atls_json_step steps[ATLS_JSON_DEPTH_MAX];
    size_t n = 0;
    *line = 0;
    *column = 0;
    while (*path != '\0') {
        if (n == ATLS_JSON_DEPTH_MAX || !take_step(&path, n == 0, &steps[n])) {
            return false;
        }
        n++;
    }
    return atls_json_locate_steps(text, steps, n, line, column);
}
