#include "sim/log_form.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"

#define EV_NO_ACTION 3u

static const struct {
    uint16_t id, len;
} algorithms[ATLS_TPM_BANKS] = {{0x0004, 20}, {0x000b, 32}, {0x000c, 48}, {0x000d, 64}};

static bool is(const char *fault, const char *name)
{
    return fault != NULL && strcmp(fault, name) == 0;
}

/* A TPM's log has SHA-1 to SHA-384, a TD's SHA-384. */
static void banks_of(bool td, unsigned *first, unsigned *end)
{
    *first = td ? ATLS_TPM_SHA384 : ATLS_TPM_SHA1;
    *end = ATLS_TPM_SHA384 + 1;
}

static void put_first(bool td, const char *fault, atls_writer *w)
{
    unsigned first;
    unsigned end;
    banks_of(td, &first, &end);
    atls_writer_u32le(w, td ? 1 : 0);
    atls_writer_u32le(w, EV_NO_ACTION);
    atls_writer_zeros(w, 20);
    atls_writer_u32le(w, 24 + 4 + 4 * (uint32_t)(end - first) + 1);
    const char *signature = is(fault, "log.legacy") ? "Spec ID Event02" : "Spec ID Event03";
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)signature, 16});
    atls_writer_u32le(w, 0); /* platform class */
    atls_writer_u8(w, 0);    /* version 2.0 */
    atls_writer_u8(w, 2);
    atls_writer_u8(w, 0);
    atls_writer_u8(w, 2); /* UINTN of 64 bits */
    atls_writer_u32le(w, end - first);
    for (unsigned bank = first; bank < end; bank++) {
        atls_writer_u16le(w, algorithms[bank].id);
        atls_writer_u16le(w, algorithms[bank].len);
    }
    atls_writer_u8(w, 0);
}

static void put_record(const sim_event *e, bool td, uint16_t wrong_id, atls_writer *w)
{
    unsigned first;
    unsigned end;
    banks_of(td, &first, &end);
    atls_writer_u32le(w, td ? e->index + 1 : e->index);
    atls_writer_u32le(w, e->type);
    atls_writer_u32le(w, end - first);
    for (unsigned bank = first; bank < end; bank++) {
        atls_writer_u16le(w, wrong_id != 0 ? wrong_id : algorithms[bank].id);
        atls_writer_bytes(w, (atls_buf){e->digest[bank], algorithms[bank].len});
    }
    atls_writer_u32le(w, (uint32_t)e->data_len);
    atls_writer_bytes(w, (atls_buf){e->data, e->data_len});
}

static void put_locality(const char *fault, atls_writer *w)
{
    sim_event e = {.index = 0, .type = EV_NO_ACTION, .data_len = 17};
    memcpy(e.data, "StartupLocality", 16);
    e.data[16] = is(fault, "log.locality") ? 7 : 3;
    put_record(&e, false, 0, w);
}

void sim_log_put_tcg(const sim_events *events, bool td, const char *fault, atls_writer *w)
{
    put_first(td, fault, w);
    if (!td) {
        put_locality(fault, w);
    }
    for (size_t i = 0; i < events->n; i++) {
        bool wrong = i == 1 && is(fault, "log.algorithm");
        put_record(&events->all[i], td, wrong ? 0x0012 : 0, w);
    }
    if (is(fault, "log.cut")) {
        w->len--;
    } else if (td) {
        for (int i = 0; i < 64; i++) {
            atls_writer_u8(w, 0xff);
        }
    }
}

void sim_log_preimage(const sim_event *e, char *out, size_t cap)
{
    char hex[2 * sizeof e->data + 1];
    atls_hex_encode((atls_buf){e->data, e->data_len}, hex);
    (void)snprintf(out, cap, "{\"name\":\"%s\",\"payload\":\"%s\",\"type\":%" PRIu32 "}", e->name,
                   hex, e->type);
}

static json_t *hex_text(atls_buf bytes)
{
    char hex[2 * sizeof((sim_event *)0)->preimage + 1];
    atls_hex_encode(bytes, hex);
    return json_string(hex);
}

static json_t *json_event(const sim_event *e)
{
    const atls_buf digest = {e->digest[ATLS_TPM_SHA384], e->without_digest ? 0 : 48};
    json_t *o = json_object();
    (void)json_object_set_new(o, "imr", json_integer((json_int_t)e->index));
    if (!e->without_type) {
        (void)json_object_set_new(o, "event_type", json_integer((json_int_t)e->type));
    }
    (void)json_object_set_new(o, "digest", hex_text(digest));
    (void)json_object_set_new(o, "event", json_string(e->name));
    (void)json_object_set_new(o, "event_payload", hex_text((atls_buf){e->data, e->data_len}));
    if (e->version == 2) {
        const atls_buf text = {(const uint8_t *)e->preimage, strlen(e->preimage)};
        (void)json_object_set_new(o, "version", json_integer(2));
        (void)json_object_set_new(o, "preimage", hex_text(text));
    }
    return o;
}

atls_code sim_log_put_json(const sim_events *events, atls_writer *w, atls_err *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < events->n; i++) {
        (void)json_array_append_new(list, json_event(&events->all[i]));
    }
    bool whole = json_array_size(list) == events->n;
    char *text = whole ? atls_json_write(list, JSON_COMPACT) : NULL;
    json_decref(list);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)text, strlen(text)});
    free(text);
    return ATLS_OK;
}
