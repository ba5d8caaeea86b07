#include "binding/dstack_attestation.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/scale.h"
#include "crypto/digest.h"

#define EVENTS "dstack.attestation.events"

void atls_dstack_attestation_clear(atls_dstack_attestation *a)
{
    free(a->owned[0]);
    free(a->owned[1]);
    free(a->decoded);
    memset(a, 0, sizeof *a);
}

/* --- version 0 --- */

static atls_code read_v0(atls_buf bytes, atls_dstack_attestation *out, atls_err *err)
{
    atls_dstack_v0 v;
    ATLS_TRY(atls_dstack_v0_read(bytes, &v, err));
    atls_dstack_attestation a = {.platform = v.platform,
                                 .quote = v.quote,
                                 .certs_n = v.certs_n,
                                 .mr_config = v.mr_config,
                                 .log_n = v.log_n,
                                 .runtime_n = v.runtime_n,
                                 .report_data = v.report_data,
                                 .config = v.config};
    memcpy(a.certs, v.certs, sizeof a.certs);
    a.log = calloc(a.log_n + a.runtime_n + 1, sizeof *a.log);
    if (a.log == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    a.owned[0] = a.log;
    a.runtime = a.log + a.log_n;
    for (size_t i = 0; i < a.log_n; i++) {
        atls_dstack_v0_log_event(&v.log, &a.log[i]);
    }
    for (size_t i = 0; i < a.runtime_n; i++) {
        atls_dstack_v0_runtime_event(&v.runtime, &a.runtime[i]);
    }
    *out = a;
    return ATLS_OK;
}

/* --- of both --- */

static bool is_runtime(const atls_dstack_event *e)
{
    return e->imr == ATLS_DSTACK_RUNTIME_IMR && e->type == ATLS_DSTACK_RUNTIME_TYPE;
}

static bool same_event(const atls_dstack_event *a, const atls_dstack_event *b)
{
    return atls_equal(a->name, b->name) && atls_equal(a->payload, b->payload);
}

/* Runtime events stand in the log and beside it. Those beside it are replayed: the log may leave all of them out, but not
 * say anything else. */
static atls_code check_events(const atls_dstack_attestation *a, atls_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < a->log_n; i++) {
        const atls_dstack_event *e = &a->log[i];
        if (e->imr != ATLS_DSTACK_RUNTIME_IMR) {
            continue;
        }
        if (!is_runtime(e) || n >= a->runtime_n || !same_event(e, &a->runtime[n])) {
            return ATLS_ERR(err, ATLS_E_INVALID, EVENTS,
                            "event %zu of the log in dstack's attestation is not runtime event %zu "
                            "beside it",
                            i + 1, n + 1);
        }
        n++;
    }
    if (n > 0 && n != a->runtime_n) {
        return ATLS_ERR(err, ATLS_E_INVALID, EVENTS,
                        "dstack's attestation has %zu runtime events, and %zu of them in its log",
                        a->runtime_n, n);
    }
    return ATLS_OK;
}

/* What a pod's report data is a hash of has to be there, and is not taken for a certificate's. */
static atls_code check_payload(const atls_dstack_attestation *a, atls_err *err)
{
    static const char tag[] = "app-data:";
    uint8_t hash[ATLS_HASH_MAX];
    const atls_buf pieces[] = {{(const uint8_t *)tag, sizeof tag - 1}, a->payload};
    if (!a->has_payload) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_digest(ATLS_SHA512, pieces, 2, hash, err));
    return atls_equal(a->report_data, (atls_buf){hash, 64})
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "dstack.attestation.payload",
                          "the report data of a dstack pod is not the hash of the payload that "
                          "stands beside it");
}

atls_code atls_dstack_attestation_read(atls_buf bytes, atls_dstack_attestation *out, atls_err *err)
{
    atls_dstack_attestation a;
    const uint8_t first = bytes.len > 0 ? bytes.ptr[0] : 0;
    const bool is_map = (first >= 0x80 && first <= 0x8f) || first == 0xde || first == 0xdf;
    atls_code rc = is_map ? atls_dstack_v1_read(bytes, &a, err) : read_v0(bytes, &a, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    rc = check_events(&a, err);
    if (rc == ATLS_OK) {
        rc = check_payload(&a, err);
    }
    if (rc != ATLS_OK) {
        atls_dstack_attestation_clear(&a);
        return rc;
    }
    *out = a;
    return ATLS_OK;
}

static bool is_named(const atls_dstack_event *e, const char *name)
{
    return e->name.len == strlen(name) && memcmp(e->name.ptr, name, e->name.len) == 0;
}

bool atls_dstack_system_event(const atls_dstack_attestation *a, const char *name, atls_buf *payload)
{
    size_t found = 0;
    bool ready = false;
    bool in_front = false;
    for (size_t i = 0; i < a->runtime_n; i++) {
        const atls_dstack_event *e = &a->runtime[i];
        ready = ready || is_named(e, "system-ready");
        if (is_named(e, name)) {
            found++;
            in_front = !ready;
            *payload = e->payload;
        }
    }
    return found == 1 && in_front;
}

/* --- writing version 0 --- */

static bool write_event(const atls_dstack_event *e, bool runtime, atls_writer *w)
{
    if (!runtime) {
        atls_writer_u32le(w, e->imr);
        atls_writer_u32le(w, e->type);
        atls_scale_write_bytes(w, e->digest);
    }
    atls_scale_write_bytes(w, e->name);
    atls_scale_write_bytes(w, e->payload);
    return e->version == 1;
}

bool atls_dstack_write_v0(const atls_dstack_attestation *a, atls_writer *w)
{
    bool ok = !a->has_payload && a->platform != ATLS_DSTACK_GCP_TDX;
    atls_writer_u8(w, 0);
    atls_writer_u8(w, (uint8_t)a->platform);
    atls_scale_write_bytes(w, a->quote);
    if (a->platform == ATLS_DSTACK_TDX) {
        atls_scale_write_compact(w, a->log_n);
        for (size_t i = 0; i < a->log_n; i++) {
            ok = write_event(&a->log[i], false, w) && ok;
        }
    } else if (a->platform == ATLS_DSTACK_SEV_SNP) {
        atls_scale_write_compact(w, a->certs_n);
        for (size_t i = 0; i < a->certs_n; i++) {
            atls_scale_write_bytes(w, a->certs[i]);
        }
        atls_scale_write_bytes(w, a->mr_config);
    }
    atls_scale_write_compact(w, a->runtime_n);
    for (size_t i = 0; i < a->runtime_n; i++) {
        ok = write_event(&a->runtime[i], true, w) && ok;
    }
    atls_writer_bytes(w, a->report_data);
    atls_scale_write_bytes(w, a->config);
    return ok && atls_writer_ok(w);
}
