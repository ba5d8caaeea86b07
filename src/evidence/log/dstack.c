#include "evidence/log/dstack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "codec/json.h"
#include "evidence/log/event_type.h"
#include "evidence/log/log.h"

#define DIGEST_LEN   48
#define RUNTIME_RTMR 3

bool atls_dstack_looks(atls_buf bytes)
{
    size_t i = 0;
    while (i < bytes.len && (bytes.ptr[i] == ' ' || bytes.ptr[i] == '\t' || bytes.ptr[i] == '\r' ||
                             bytes.ptr[i] == '\n')) {
        i++;
    }
    return i < bytes.len && bytes.ptr[i] == '[';
}

/* One event being read; its bytes go to space, which has room for all of the text. */
typedef struct entry {
    const json_t *json;
    size_t number; /* from 1 */
    uint8_t **space;
    atls_err *err;
    const char *name;
    size_t name_len;
    uint32_t version;
    atls_buf digest; /* given; empty: left out */
    atls_log_event event;
} entry;

static atls_code bad_member(const entry *e, const char *member)
{
    return ATLS_ERR(e->err, ATLS_E_INVALID, "log.event", "event %zu has no good \"%s\"", e->number,
                    member);
}

static atls_code read_number(const entry *e, const char *member, uint32_t max, uint32_t *out)
{
    const json_t *v = json_object_get(e->json, member);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max) {
        return bad_member(e, member);
    }
    *out = (uint32_t)json_integer_value(v);
    return ATLS_OK;
}

static atls_code read_hex(const entry *e, const char *member, atls_buf *out)
{
    const json_t *v = json_object_get(e->json, member);
    size_t len = 0;
    if (!json_is_string(v) || !atls_hex_decode(json_string_value(v), json_string_length(v),
                                               *e->space, json_string_length(v) / 2, &len)) {
        return bad_member(e, member);
    }
    *out = (atls_buf){len > 0 ? *e->space : NULL, len};
    *e->space += len;
    return ATLS_OK;
}

static atls_code read_members(entry *e)
{
    const json_t *name = json_object_get(e->json, "event");
    ATLS_TRY(read_number(e, "imr", 3, &e->event.index));
    ATLS_TRY(read_number(e, "event_type", UINT32_MAX, &e->event.type));
    if (!json_is_string(name) || json_string_length(name) > ATLS_DSTACK_NAME_MAX) {
        return bad_member(e, "event");
    }
    e->name = json_string_value(name);
    e->name_len = json_string_length(name);
    ATLS_TRY(read_hex(e, "digest", &e->digest));
    if (e->digest.len != 0 && e->digest.len != DIGEST_LEN) {
        return bad_member(e, "digest");
    }
    ATLS_TRY(read_hex(e, "event_payload", &e->event.data));
    e->version = 1;
    if (json_object_get(e->json, "version") != NULL) {
        ATLS_TRY(read_number(e, "version", UINT32_MAX, &e->version));
    }
    return e->version == 1 || e->version == 2 ? ATLS_OK : bad_member(e, "version");
}

/* --- runtime events --- */

/* RFC 8785, 3.2.2.2. What is not ASCII stands as it is. */
static void add_json_string(atls_text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        const char *at = c < 0x20 ? strchr("\bb\ff\nn\rr\tt", *s) : NULL;
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
}

static char *canonical_text(const entry *e)
{
    char *hex = malloc(2 * e->event.data.len + 1);
    if (hex == NULL) {
        return NULL;
    }
    atls_hex_encode(e->event.data, hex);
    atls_text t = atls_text_of(6 * e->name_len + 2 * e->event.data.len + 80);
    atls_text_add(&t, "{\"name\":\"");
    add_json_string(&t, e->name);
    atls_text_add(&t, "\",\"payload\":\"%s\",\"type\":%" PRIu32 "}", hex, e->event.type);
    free(hex);
    return atls_text_take(&t);
}

static atls_code digest_v1(const entry *e, uint8_t out[DIGEST_LEN])
{
    static const uint8_t head[] = {0x01, 0x00, 0x00, 0x08, ':'};
    const atls_buf pieces[] = {{head, sizeof head},
                               {(const uint8_t *)e->name, e->name_len},
                               {(const uint8_t *)":", 1},
                               e->event.data};
    return atls_digest(ATLS_SHA384, pieces, 4, out, e->err);
}

/* Version 2 hashes a text, which must come with it, and be what the members say. */
static atls_code digest_v2(const entry *e, uint8_t out[DIGEST_LEN])
{
    atls_buf preimage;
    if (!json_is_string(json_object_get(e->json, "preimage"))) {
        return ATLS_ERR(e->err, ATLS_E_INVALID, "log.preimage",
                        "event %zu, of version 2, has no preimage", e->number);
    }
    ATLS_TRY(read_hex(e, "preimage", &preimage));
    char *text = canonical_text(e);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(e->err);
    }
    const bool same = atls_equal(preimage, (atls_buf){(const uint8_t *)text, strlen(text)});
    free(text);
    if (!same) {
        return ATLS_ERR(e->err, ATLS_E_INVALID, "log.preimage",
                        "event %zu: the preimage is not the canonical text of its members",
                        e->number);
    }
    if (e->digest.len == 0) {
        return ATLS_ERR(e->err, ATLS_E_INVALID, "log.digest",
                        "event %zu, of version 2, has no digest", e->number);
    }
    return atls_digest(ATLS_SHA384, &preimage, 1, out, e->err);
}

static atls_code judge_runtime(entry *e)
{
    uint8_t digest[DIGEST_LEN];
    if (memchr(e->name, ':', e->name_len) != NULL) {
        return ATLS_ERR(e->err, ATLS_E_INVALID, "log.name",
                        "the name of runtime event %zu has a ':' in it", e->number);
    }
    ATLS_TRY(e->version == 2 ? digest_v2(e, digest) : digest_v1(e, digest));
    if (e->digest.len != 0 && memcmp(e->digest.ptr, digest, DIGEST_LEN) != 0) {
        return ATLS_ERR(e->err, ATLS_E_INVALID, "log.digest",
                        "event %zu: the digest is not that of its name and payload", e->number);
    }
    memcpy(*e->space, digest, DIGEST_LEN);
    e->digest = (atls_buf){*e->space, DIGEST_LEN};
    *e->space += DIGEST_LEN;
    memcpy(*e->space, e->name, e->name_len + 1);
    e->event.name = (const char *)*e->space;
    *e->space += e->name_len + 1;
    e->event.is_runtime = true;
    e->event.is_bound = true;
    return ATLS_OK;
}

static atls_code read_event(entry *e, atls_event_list *list)
{
    if (!json_is_object(e->json)) {
        return ATLS_ERR(e->err, ATLS_E_INVALID, "log.event", "event %zu is no object", e->number);
    }
    ATLS_TRY(read_members(e));
    if (e->event.type == ATLS_EV_DSTACK && e->event.index == RUNTIME_RTMR) {
        ATLS_TRY(judge_runtime(e));
    } else if (e->digest.len == 0) {
        return bad_member(e, "digest");
    } else { /* what the log calls it is nothing that was measured */
        const char *name = atls_event_type_name(e->event.type);
        e->event.name = name != NULL ? name : "unknown";
    }
    e->event.digest[ATLS_TPM_SHA384] = e->digest;
    return atls_event_list_add(list, &e->event, e->err);
}

static atls_code read_all(const json_t *root, atls_buf text, atls_event_list *list, atls_err *err)
{
    const size_t n = json_array_size(root);
    if (!json_is_array(root)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.json",
                        "JSON, but no array: the log alone is wanted, not what it came in");
    }
    if (n > ATLS_DSTACK_EVENTS_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.events", "the log has more than %d events",
                        ATLS_DSTACK_EVENTS_MAX);
    }
    /* Decoded, every value is shorter than its text; a digest that is left out is computed. */
    list->space = malloc(text.len + n * DIGEST_LEN + 1);
    if (list->space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    uint8_t *space = list->space;
    for (size_t i = 0; i < n; i++) {
        entry e = {.json = json_array_get(root, i), .number = i + 1, .space = &space, .err = err};
        ATLS_TRY(read_event(&e, list));
    }
    return ATLS_OK;
}

atls_code atls_event_list_from_dstack(atls_buf text, atls_event_list *out, atls_err *err)
{
    json_t *root = NULL;
    atls_event_list list = {0};
    ATLS_TRY(atls_json_parse(text, ATLS_LOG_LEN_MAX, "log.json", &root, err));
    atls_code rc = read_all(root, text, &list, err);
    json_decref(root);
    if (rc != ATLS_OK) {
        atls_event_list_clear(&list);
        return rc;
    }
    *out = list;
    return ATLS_OK;
}
