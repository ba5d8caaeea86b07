/* dstack's attestation: what is taken is within its limits, its log is one that the reader of logs takes or refuses by name,
 * version 0 is written as the same bytes, and twice gives the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/dstack_attestation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(atls_buf view, const atls_dstack_attestation *a, atls_buf all)
{
    const uint8_t *decoded = a->decoded;
    return view.len == 0 || (view.ptr >= all.ptr && view.ptr + view.len <= all.ptr + all.len) ||
           (decoded != NULL && view.ptr >= decoded && view.ptr + view.len <= decoded + all.len);
}

static void look(const atls_dstack_attestation *a, atls_buf all)
{
    assert(a->report_data.len == 64 && a->platform <= ATLS_DSTACK_NITRO_TPM);
    assert(a->log_n <= ATLS_DSTACK_LIST_MAX && a->runtime_n <= ATLS_DSTACK_LIST_MAX);
    assert(inside(a->quote, a, all) && inside(a->config, a, all) && inside(a->mr_config, a, all));
    for (size_t i = 0; i < a->certs_n; i++) {
        assert(i < ATLS_DSTACK_CERTS_MAX && inside(a->certs[i], a, all));
    }
    for (size_t i = 0; i < a->log_n + a->runtime_n; i++) {
        const atls_dstack_event *e = i < a->log_n ? &a->log[i] : &a->runtime[i - a->log_n];
        assert(e->imr <= 3 && (e->version == 1 || e->version == 2));
        assert(e->name.len <= ATLS_DSTACK_EVENT_MAX && e->payload.len <= ATLS_DSTACK_PAYLOAD_MAX);
        assert(inside(e->name, a, all) && inside(e->payload, a, all) && inside(e->digest, a, all));
    }
}

static void rewrite(const atls_dstack_attestation *a, atls_buf all)
{
    uint8_t *again = malloc(all.len + 16);
    atls_writer w = atls_writer_of(again, all.len + 16);
    if (a->version == 0 && a->platform != ATLS_DSTACK_GCP_TDX) {
        assert(atls_dstack_write_v0(a, &w) && w.len == all.len);
        assert(memcmp(again, all.ptr, all.len) == 0);
    }
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf all = {data, size};
    atls_dstack_attestation a;
    atls_dstack_attestation b;
    atls_err err = {0};
    if (atls_dstack_attestation_read(all, &a, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && err.msg[0] != '\0');
        assert(strncmp(err.check, "dstack.attestation.", 19) == 0);
        return 0;
    }
    look(&a, all);
    rewrite(&a, all);
    char *json = NULL;
    char *twice = NULL;
    assert(atls_dstack_attestation_read(all, &b, NULL) == ATLS_OK);
    assert(a.log_n == b.log_n && a.runtime_n == b.runtime_n && a.quote.len == b.quote.len);
    if (atls_dstack_log_json(&a, &json, &err) == ATLS_OK) {
        assert(atls_dstack_log_json(&b, &twice, NULL) == ATLS_OK && strcmp(json, twice) == 0);
        assert(json[0] == '[' && json[strlen(json) - 1] == ']');
    }
    free(json);
    free(twice);
    atls_dstack_attestation_clear(&a);
    atls_dstack_attestation_clear(&b);
    return 0;
}
