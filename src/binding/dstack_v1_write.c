/* dstack_v1_write.c: dstack's attestation of version 1, for what version 0 has no place for: events of version 2. Vectors are
 * written as its own encoder does: arrays of numbers, but what belongs to events as bin. */
#include "binding/dstack_attestation.h"

#include <string.h>

#include "codec/msgpack.h"

static void name(atls_writer *w, const char *text)
{
    atls_msgpack_put_text(w, (atls_buf){(const uint8_t *)text, strlen(text)});
}

/* Runtime events stand beside the log, which need not repeat them. */
static void put_log(const atls_dstack_attestation *a, atls_writer *w)
{
    uint32_t n = 0;
    for (size_t i = 0; i < a->log_n; i++) {
        n += a->log[i].imr != ATLS_DSTACK_RUNTIME_IMR ? 1 : 0;
    }
    atls_msgpack_put_array(w, n);
    for (size_t i = 0; i < a->log_n; i++) {
        const atls_dstack_event *e = &a->log[i];
        if (e->imr != ATLS_DSTACK_RUNTIME_IMR) {
            atls_msgpack_put_map(w, 5);
            name(w, "imr");
            atls_msgpack_put_uint(w, e->imr);
            name(w, "event_type");
            atls_msgpack_put_uint(w, e->type);
            name(w, "digest");
            atls_msgpack_put_bin(w, e->digest);
            name(w, "event");
            atls_msgpack_put_text(w, e->name);
            name(w, "event_payload");
            atls_msgpack_put_bin(w, e->payload);
        }
    }
}

static void put_runtime(const atls_dstack_attestation *a, atls_writer *w)
{
    atls_msgpack_put_array(w, (uint32_t)a->runtime_n);
    for (size_t i = 0; i < a->runtime_n; i++) {
        const atls_dstack_event *e = &a->runtime[i];
        atls_msgpack_put_map(w, e->version == 1 ? 2 : 3);
        name(w, "event");
        atls_msgpack_put_text(w, e->name);
        name(w, "payload");
        atls_msgpack_put_bin(w, e->payload);
        if (e->version != 1) {
            name(w, "version");
            atls_msgpack_put_uint(w, e->version);
        }
    }
}

bool atls_dstack_write_v1(const atls_dstack_attestation *a, atls_writer *w)
{
    atls_msgpack_put_map(w, 3);
    name(w, "version");
    atls_msgpack_put_uint(w, 1);
    name(w, "platform");
    atls_msgpack_put_map(w, 2);
    name(w, "kind");
    name(w, "tdx");
    name(w, "data");
    atls_msgpack_put_map(w, 2);
    name(w, "quote");
    atls_msgpack_put_numbers(w, a->quote);
    name(w, "event_log");
    put_log(a, w);
    name(w, "stack");
    atls_msgpack_put_map(w, 2);
    name(w, "kind");
    name(w, "dstack");
    name(w, "data");
    atls_msgpack_put_map(w, 3);
    name(w, "report_data");
    atls_msgpack_put_numbers(w, a->report_data);
    name(w, "runtime_events");
    put_runtime(a, w);
    name(w, "config");
    atls_msgpack_put_text(w, a->config);
    return a->platform == ATLS_DSTACK_TDX && !a->has_payload && atls_writer_ok(w);
}
