/* keeper_log.c: what a user should see of fetching, as lines of JSON (docs/collateral.md, "What the log says"). */
#include <stdlib.h>
#include <string.h>

#include "base/rfc3339.h"
#include "codec/json.h"
#include "net/keeper_state.h"

/* Sentences have in them what strangers sent: where that is no UTF-8, or was cut within a character, its ASCII is told. */
static void add_text(json_t *o, const char *name, const char *text)
{
    char plain[ATLS_ERR_MSG_LEN];
    json_t *value = json_string(text);
    if (value == NULL) {
        size_t n = 0;
        for (; text[n] != '\0' && n < sizeof plain - 1; n++) {
            plain[n] = text[n] > 0 && text[n] < 0x7f ? text[n] : '?';
        }
        plain[n] = '\0';
        value = json_string(plain);
    }
    (void)json_object_set_new(o, name, value);
}

static void add_time(json_t *o, const char *name, int64_t time_s)
{
    char text[ATLS_TIME_TEXT_LEN];
    atls_time_format(time_s, text);
    add_text(o, name, text);
}

static json_t *line_of(const char *event, int64_t when_s)
{
    json_t *o = json_object();
    if (o != NULL) {
        add_text(o, "event", event);
        add_time(o, "when", when_s);
    }
    return o;
}

static void write_line(const atls_keeper *k, json_t *o)
{
    char *line = o != NULL ? atls_json_write(o, JSON_COMPACT) : NULL;
    if (line != NULL) {
        k->settings.log(k->settings.arg, line);
    }
    free(line);
    json_decref(o);
}

void keeper_log_item(const atls_keeper *k, const char *event, const char *key, const char *from,
                     bool changed, int64_t when_s)
{
    atls_item_status s;
    if (k->settings.log == NULL) {
        return;
    }
    json_t *o = line_of(event, when_s);
    if (o != NULL) {
        add_text(o, "key", key);
        if (from != NULL) {
            add_text(o, "origin", from);
        }
        if (keeper_held(k, key, &s)) {
            if (s.has_number) {
                (void)json_object_set_new(o, "number", json_integer((json_int_t)s.number));
            }
            add_time(o, "issued", s.issued_s);
            if (s.next_update_s != INT64_MAX) {
                add_time(o, "next_update", s.next_update_s);
            }
            if (s.expires_s != INT64_MAX) {
                add_time(o, "expires", s.expires_s);
            }
        }
        if (!changed) {
            (void)json_object_set_new(o, "unchanged", json_true());
        }
    }
    write_line(k, o);
}

void keeper_log_trouble(const atls_keeper *k, const char *event, const char *key, const char *from,
                        const atls_err *why, int64_t when_s)
{
    if (k->settings.log == NULL) {
        return;
    }
    json_t *o = line_of(event, when_s);
    if (o != NULL) {
        add_text(o, "key", key);
        if (from != NULL) {
            add_text(o, "origin", from);
        }
        (void)json_object_set_new(o, "code", json_integer((json_int_t)why->code));
        add_text(o, "check", why->check != NULL ? why->check : "");
        add_text(o, "message", why->msg);
    }
    write_line(k, o);
}

void keeper_log_origin(const atls_keeper *k, const char *event, const char *origin, int64_t seconds,
                       int64_t when_s)
{
    if (k->settings.log == NULL) {
        return;
    }
    json_t *o = line_of(event, when_s);
    if (o != NULL) {
        add_text(o, "origin", origin);
        (void)json_object_set_new(o, "seconds", json_integer((json_int_t)seconds));
    }
    write_line(k, o);
}
