/* dstack_make.c: evidence of ours as dstack's attestation, in the form that it embeds in certificates. */
#include "binding/dstack_attestation.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"

#define MAKE      "dstack.make"
#define LOG_MAX   ((size_t)4 << 20)
#define ACPI_TYPE 10u

static const char acpi[] = "ACPI DATA";

typedef struct making {
    atls_dstack_attestation *out;
    uint8_t *space; /* the next free byte */
    atls_code code; /* of a log that is no good: ours, or a peer's */
    const char *check;
    atls_err *err;
} making;

static atls_buf part_of(const atls_evidence_blob *b, const char *name)
{
    for (size_t i = 0; i < b->parts_n; i++) {
        if (strcmp(b->parts[i].name, name) == 0) {
            return (atls_buf){b->parts[i].bytes, b->parts[i].len};
        }
    }
    return (atls_buf){NULL, 0};
}

/* --- the log --- */

static bool hex_of(making *g, const json_t *event, const char *member, size_t max, atls_buf *out)
{
    const json_t *v = json_object_get(event, member);
    size_t len = 0;
    if (!json_is_string(v) ||
        !atls_hex_decode(json_string_value(v), json_string_length(v), g->space, max, &len)) {
        return false;
    }
    *out = (atls_buf){len > 0 ? g->space : NULL, len};
    g->space += len;
    return true;
}

static bool number_of(const json_t *event, const char *member, uint32_t max, uint32_t *out)
{
    const json_t *v = json_object_get(event, member);
    *out = (uint32_t)json_integer_value(v);
    return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= max;
}

static bool read_event(making *g, const json_t *event, atls_dstack_event *e)
{
    const json_t *name = json_object_get(event, "event");
    const json_t *version = json_object_get(event, "version");
    *e = (atls_dstack_event){.version = 1};
    if (!json_is_string(name) || json_string_length(name) > ATLS_DSTACK_EVENT_MAX ||
        (version != NULL && !number_of(event, "version", 2, &e->version)) || e->version == 0) {
        return false;
    }
    memcpy(g->space, json_string_value(name), json_string_length(name));
    e->name = (atls_buf){g->space, json_string_length(name)};
    g->space += e->name.len;
    return number_of(event, "imr", 3, &e->imr) &&
           number_of(event, "event_type", UINT32_MAX, &e->type) &&
           hex_of(g, event, "digest", ATLS_DSTACK_DIGEST_MAX, &e->digest) &&
           hex_of(g, event, "event_payload", ATLS_DSTACK_PAYLOAD_MAX, &e->payload);
}

/* Runtime events lose their digest, and of the others only those of ACPI data stay. */
static void keep(atls_dstack_attestation *a, atls_dstack_event e)
{
    if (e.imr == ATLS_DSTACK_RUNTIME_IMR) {
        e.digest = (atls_buf){NULL, 0};
        a->runtime[a->runtime_n++] = e;
        a->log[a->log_n++] = e;
    } else if (e.imr == 0 && e.type == ACPI_TYPE && e.payload.len == sizeof acpi - 1 &&
               memcmp(e.payload.ptr, acpi, e.payload.len) == 0) {
        a->log[a->log_n++] = e;
    }
}

static atls_code read_log(making *g, const json_t *log)
{
    const size_t n = json_array_size(log);
    if (!json_is_array(log) || n > ATLS_DSTACK_LIST_MAX) {
        return ATLS_ERR(g->err, g->code, g->check, "the event log is no array of at most %u events",
                        ATLS_DSTACK_LIST_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        atls_dstack_event e;
        if (!read_event(g, json_array_get(log, i), &e) ||
            (e.imr == ATLS_DSTACK_RUNTIME_IMR && e.type != ATLS_DSTACK_RUNTIME_TYPE)) {
            return ATLS_ERR(g->err, g->code, g->check,
                            "event %zu of the log is not one of dstack's attestation", i + 1);
        }
        keep(g->out, e);
    }
    return ATLS_OK;
}

/* The log as text: its runtime events, and those of the others that are kept. */
static atls_code take_log(making *g, atls_buf text)
{
    json_t *log = NULL;
    atls_dstack_attestation *a = g->out;
    if (text.len == 0 || text.ptr[0] != '[') {
        return ATLS_ERR(g->err, g->code, g->check,
                        "%s event log: dstack's is wanted, a JSON array with its runtime events",
                        text.len == 0 ? "no" : "another");
    }
    atls_code rc = atls_json_parse(text, LOG_MAX, g->check, &log, g->err);
    if (rc != ATLS_OK) {
        return rc == ATLS_E_SYSTEM
                   ? rc
                   : ATLS_ERR(g->err, g->code, g->check,
                              "the event log is no JSON of at most %zu bytes", LOG_MAX);
    }
    a->log = calloc(2 * ATLS_DSTACK_LIST_MAX, sizeof *a->log);
    a->owned[0] = a->log;
    a->decoded = malloc(text.len + ATLS_DSTACK_PAYLOAD_MAX);
    g->space = a->decoded;
    if (a->log == NULL || a->decoded == NULL) {
        rc = ATLS_ERR_NOMEM(g->err);
    } else {
        a->runtime = a->log + ATLS_DSTACK_LIST_MAX;
        rc = read_log(g, log);
    }
    json_decref(log);
    return rc;
}

atls_code atls_dstack_from_log(atls_buf quote, atls_buf log, atls_dstack_attestation *out,
                               atls_err *err)
{
    atls_dstack_attestation a = {.platform = ATLS_DSTACK_TDX, .quote = quote};
    making g = {.out = &a, .code = ATLS_E_INVALID, .check = "dstack.event_log", .err = err};
    atls_code rc = take_log(&g, log);
    if (rc != ATLS_OK) {
        atls_dstack_attestation_clear(&a);
        return rc;
    }
    *out = a;
    return ATLS_OK;
}

/* --- the whole --- */

static atls_code take_parts(atls_dstack_attestation *a, const atls_evidence_blob *b, atls_err *err)
{
    if (strcmp(b->type, "tdx") == 0) {
        a->platform = ATLS_DSTACK_TDX;
        a->quote = part_of(b, "quote");
        making g = {.out = a, .code = ATLS_E_SYSTEM, .check = MAKE, .err = err};
        return take_log(&g, part_of(b, "event_log"));
    }
    if (strcmp(b->type, "snp") == 0) {
        const atls_buf table = part_of(b, "certs");
        const atls_buf leaf = part_of(b, "vcek");
        a->platform = ATLS_DSTACK_SEV_SNP;
        a->quote = part_of(b, "report");
        a->certs[0] = table.len > 0 ? table : leaf;
        a->certs_n = a->certs[0].len > 0 ? 1 : 0;
        return ATLS_OK;
    }
    return ATLS_ERR(err, ATLS_E_SYSTEM, MAKE,
                    "dstack's attestation has no place for evidence of "
                    "type %.15s",
                    b->type);
}

static size_t room_for(const atls_dstack_attestation *a)
{
    size_t room = 2 * a->quote.len + a->certs[0].len + 1024;
    for (size_t i = 0; i < a->log_n; i++) {
        room += a->log[i].digest.len + a->log[i].name.len + a->log[i].payload.len + 96;
    }
    for (size_t i = 0; i < a->runtime_n; i++) {
        room += a->runtime[i].name.len + a->runtime[i].payload.len + 64;
    }
    return room;
}

static atls_code write(const atls_dstack_attestation *a, uint8_t **out, size_t *len, atls_err *err)
{
    const size_t room = room_for(a);
    if (a->platform == ATLS_DSTACK_TDX && a->runtime_n == 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, MAKE,
                        "our event log has no runtime event, and a dstack guest has some");
    }
    if (a->quote.len == 0 || a->quote.len > ATLS_DSTACK_QUOTE_MAX ||
        room > ATLS_DSTACK_ATTESTATION_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, MAKE,
                        "our quote of %zu bytes, or its log, does not fit dstack's attestation",
                        a->quote.len);
    }
    uint8_t *bytes = malloc(room);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    bool newer = false;
    for (size_t i = 0; i < a->runtime_n; i++) {
        newer = newer || a->runtime[i].version != 1;
    }
    atls_writer w = atls_writer_of(bytes, room);
    if (!(newer ? atls_dstack_write_v1(a, &w) : atls_dstack_write_v0(a, &w))) {
        free(bytes);
        return ATLS_ERR(err, ATLS_E_SYSTEM, MAKE, "our evidence does not fit dstack's attestation");
    }
    *out = bytes;
    *len = w.len;
    return ATLS_OK;
}

atls_code atls_dstack_make(const atls_evidence_blob *evidence, const uint8_t report_data[64],
                           uint8_t **out, size_t *len, atls_err *err)
{
    atls_dstack_attestation a = {.report_data = {report_data, ATLS_DSTACK_REPORT_DATA}};
    atls_code rc = take_parts(&a, evidence, err);
    if (rc == ATLS_OK) {
        rc = write(&a, out, len, err);
    }
    atls_dstack_attestation_clear(&a);
    return rc;
}
