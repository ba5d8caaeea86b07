/* inspect_log.c: event logs for the eye: every event with its type's name, and whether its digest is that of its data. */
#include "verify/inspect.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "evidence/log/dstack.h"
#include "evidence/log/event_type.h"
#include "evidence/log/ima.h"
#include "evidence/log/tcg.h"

#define TEXT_MAX 256 /* characters shown of data that are text */

static const char *const banks[ATLS_TPM_BANKS] = {"sha1", "sha256", "sha384", "sha512"};

bool atls_inspect_is_log(atls_buf bytes)
{
    return atls_dstack_looks(bytes) || atls_tcg_looks(bytes) || atls_ima_looks(bytes);
}

/* Printable ASCII as text, anything else as hex. */
static void put_data(json_t *to, atls_buf data)
{
    char text[TEXT_MAX + 1];
    bool is_text = data.len > 0 && data.len <= TEXT_MAX;
    for (size_t i = 0; is_text && i < data.len; i++) {
        is_text = data.ptr[i] >= 0x20 && data.ptr[i] < 0x7f;
    }
    if (is_text) {
        memcpy(text, data.ptr, data.len);
        text[data.len] = '\0';
        atls_inspect_text(to, "text", text);
    } else {
        atls_inspect_hex(to, "data", data);
    }
}

/* "recomputed": yes: the digest is that of the data; without it no digest of this type says that. */
static void put_event(json_t *list, const char *where, uint32_t index, const atls_log_event *e)
{
    json_t *item = atls_inspect_item(list);
    char type[16];
    (void)snprintf(type, sizeof type, "0x%08x", (unsigned)e->type);
    atls_inspect_number(item, where, index);
    atls_inspect_text(item, "type", e->name);
    atls_inspect_text(item, "type_number", type);
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        bool matches = false;
        if (e->digest[bank].len == 0) {
            continue;
        }
        atls_inspect_hex(item, banks[bank], e->digest[bank]);
        if ((e->is_bound || atls_event_type_hashes_data(e->type)) &&
            atls_log_event_data_matches(e, bank, &matches, NULL) == ATLS_OK) {
            atls_inspect_bool(item, "recomputed", matches);
        }
    }
    put_data(item, e->data);
}

static atls_code put_dstack(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_event_list list = {0};
    ATLS_TRY(atls_event_list_from_dstack(bytes, &list, err));
    json_t *events = atls_inspect_list(to, "events");
    for (size_t i = 0; i < list.n; i++) {
        put_event(events, "rtmr", list.events[i].index, &list.events[i]);
    }
    atls_event_list_clear(&list);
    return ATLS_OK;
}

static atls_code put_tcg(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_tcg_log log;
    bool more = true;
    ATLS_TRY(atls_tcg_open(bytes, &log, err));
    json_t *events = atls_inspect_list(to, "events");
    for (;;) {
        atls_tcg_event e;
        ATLS_TRY(atls_tcg_next(&log, &more, &e, err));
        if (!more) {
            atls_inspect_number(to, "padding", log.left.left);
            return ATLS_OK;
        }
        const char *name = atls_event_type_name(e.type);
        atls_log_event event = {
            .type = e.type, .name = name != NULL ? name : "unknown", .data = e.data};
        for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
            event.digest[bank] = atls_tcg_digest(&log, e.digests, bank);
        }
        put_event(events, "index", e.index, &event);
    }
}

static void put_text(json_t *to, const char *name, atls_buf bytes)
{
    char text[TEXT_MAX + 1];
    size_t n = bytes.len < TEXT_MAX ? bytes.len : TEXT_MAX;
    for (size_t i = 0; i < n; i++) {
        text[i] = '?';
        if (bytes.ptr[i] >= 0x20 && bytes.ptr[i] < 0x7f) {
            text[i] = (char)bytes.ptr[i];
        }
    }
    text[n] = '\0';
    atls_inspect_text(to, name, text);
}

static atls_code put_ima(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    bool more = true;
    json_t *entries = atls_inspect_list(to, "entries");
    for (;;) {
        atls_ima_entry e;
        ATLS_TRY(atls_ima_next(&r, &more, &e, err));
        if (!more) {
            return ATLS_OK;
        }
        json_t *item = atls_inspect_item(entries);
        atls_inspect_number(item, "pcr", e.pcr);
        put_text(item, "template", e.template_name);
        atls_inspect_hex(item, "template_sha1", e.sha1);
        if (e.is_known) {
            put_text(item, "path", e.path);
            put_text(item, "algorithm", e.algorithm);
            atls_inspect_hex(item, "digest", e.digest);
        } else {
            atls_inspect_hex(item, "data", e.data);
        }
    }
}

atls_code atls_inspect_log(json_t *to, atls_buf bytes, atls_err *err)
{
    if (atls_dstack_looks(bytes)) {
        atls_inspect_text(to, "log", "dstack's event log");
        return put_dstack(to, bytes, err);
    }
    if (atls_ima_looks(bytes)) {
        atls_inspect_text(to, "log", "IMA list");
        return put_ima(to, bytes, err);
    }
    atls_inspect_text(to, "log", "TCG event log");
    return put_tcg(to, bytes, err);
}
