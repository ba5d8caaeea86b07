/* A quote that is taken is covered by its parts without gap or overlap; a refusal has a quote's check id. */
#include <assert.h>
#include <string.h>

#include "evidence/dcap/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The view starts at *at, which then moves behind it. */
static void follows(const uint8_t **at, atls_buf view)
{
    assert(view.ptr == *at);
    *at += view.len;
}

static void covers(const uint8_t *data, size_t size, const atls_quote *q)
{
    const uint8_t *at = data;
    follows(&at, q->signed_range);
    at += 4;
    follows(&at, q->signature_data);
    assert(at + q->trailing == data + size);

    at = q->signature_data.ptr;
    follows(&at, q->signature);
    follows(&at, q->attestation_key);
    at += q->version == 3 ? 0 : 6;
    follows(&at, q->qe_report.all);
    follows(&at, q->qe_report_signature);
    at += 2;
    follows(&at, q->qe_auth_data);
    at += 6;
    follows(&at, q->certification_data);
    assert(at <= q->signature_data.ptr + q->signature_data.len);
    assert(q->certification_type >= 1 && q->certification_type <= 5);

    const atls_buf report_data = q->is_tdx ? q->td.report_data : q->sgx.report_data;
    const size_t behind = q->is_tdx && q->td.is_1_5 ? 64 : 0;
    assert(report_data.len == 64);
    assert(report_data.ptr + 64 + behind == q->signed_range.ptr + q->signed_range.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_quote q;
    atls_err err = {0};
    if (atls_quote_parse((atls_buf){data, size}, &q, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "quote.", 6) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    covers(data, size, &q);

    atls_claims claims;
    memset(&claims, 0, sizeof claims);
    atls_quote_claims(&q, &claims);
    assert(claims.tee == (q.is_tdx ? ATLS_TEE_TDX : ATLS_TEE_SGX) && claims.report_data_len == 64);

    /* Padding carries no meaning, and what is not padding cannot be missing. */
    atls_quote bare;
    atls_code rc = atls_quote_parse((atls_buf){data, size - q.trailing}, &bare, &err);
    assert(rc == ATLS_OK && bare.trailing == 0);
    assert(bare.certification_data.ptr == q.certification_data.ptr);
    rc = atls_quote_parse((atls_buf){data, size - q.trailing - 1}, &bare, &err);
    assert(rc == ATLS_E_INVALID);
    return 0;
}
