#include <atls/sim.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/quote.h"
#include "sim/world.h"

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const sim_quote *prepared = self;
    atls_evidence_blob blob = {.parts_n = 1};
    ATLS_TRY(sim_quote_sign(prepared, data->wide, &blob.parts[0].bytes, err));
    blob.parts[0].len = prepared->len;
    memcpy(blob.parts[0].name, "quote", sizeof "quote");
    memcpy(blob.type, prepared->tee, strlen(prepared->tee) + 1);
    const atls_buf log = {prepared->log, prepared->log_len};
    atls_code rc = log.ptr == NULL ? ATLS_OK : sim_blob_add(&blob, "event_log", log, err);
    if (rc != ATLS_OK) {
        atls_evidence_blob_clear(&blob);
        return rc;
    }
    *out = blob;
    return ATLS_OK;
}

static void free_prepared(void *self)
{
    sim_quote *prepared = self;
    sim_quote_clear(prepared);
    free(prepared);
}

atls_code atls_sim_attester_new(const atls_sim *sim, const atls_sim_quote *q, atls_attester **out,
                                atls_err *err)
{
    sim_quote *prepared = calloc(1, sizeof *prepared);
    atls_attester *a = calloc(1, sizeof *a);
    atls_code rc = prepared == NULL || a == NULL ? ATLS_ERR_NOMEM(err)
                                                 : sim_quote_prepare(sim, q, prepared, err);
    if (rc != ATLS_OK) {
        free(prepared);
        free(a);
        return rc;
    }
    *a = (atls_attester){.name = "sim", .self = prepared, .attest = attest, .free = free_prepared};
    *out = a;
    return ATLS_OK;
}
