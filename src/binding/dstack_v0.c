#include "binding/dstack_v0.h"

#include "base/err.h"
#include "codec/scale.h"

#define FORMAT "dstack.attestation.format"

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result) && \result.len <= max; */
static atls_buf bytes_of(atls_reader *r, uint32_t max)
{
    const atls_buf nothing = {NULL, 0};
    const atls_buf bytes = atls_scale_bytes(r);
    if (bytes.len > max) {
        atls_reader_fail(r);
        return nothing;
    }
    return bytes;
}

/* Items of a list. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures \result <= max; */
static uint32_t count_of(atls_reader *r, uint32_t max)
{
    const uint32_t n = atls_scale_compact(r);
    if (n > max) {
        atls_reader_fail(r);
        return 0;
    }
    return n;
}

void atls_dstack_v0_log_event(atls_reader *r, atls_dstack_event *out)
{
    atls_dstack_event e;
    e.imr = atls_reader_u32le(r);
    e.type = atls_reader_u32le(r);
    e.version = 1;
    e.digest = bytes_of(r, ATLS_DSTACK_DIGEST_MAX);
    e.name = bytes_of(r, ATLS_DSTACK_EVENT_MAX);
    e.payload = bytes_of(r, ATLS_DSTACK_PAYLOAD_MAX);
    if (e.imr > ATLS_DSTACK_RUNTIME_IMR) {
        atls_reader_fail(r);
    }
    *out = e;
}

void atls_dstack_v0_runtime_event(atls_reader *r, atls_dstack_event *out)
{
    const atls_buf nothing = {NULL, 0};
    atls_dstack_event e;
    e.imr = ATLS_DSTACK_RUNTIME_IMR;
    e.type = ATLS_DSTACK_RUNTIME_TYPE;
    e.version = 1;
    e.digest = nothing;
    e.name = bytes_of(r, ATLS_DSTACK_EVENT_MAX);
    e.payload = bytes_of(r, ATLS_DSTACK_PAYLOAD_MAX);
    *out = e;
}

/* Reads n events; what they were read from is left in *events, for later. */
/*@ requires valid_reader(r) && \valid(events) && \separated(r, events);
    assigns *r, *events;
    ensures valid_reader(r) && forward{Pre, Post}(r) && sound_reader(*events); */
static void skip_events(atls_reader *r, uint32_t n, bool runtime, atls_reader *events)
{
    atls_dstack_event e;
    *events = *r;
    /*@ loop invariant 0 <= i <= n && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, e, *r;
        loop variant n - i; */
    for (uint32_t i = 0; i < n; i++) {
        if (runtime) {
            atls_dstack_v0_runtime_event(r, &e);
        } else {
            atls_dstack_v0_log_event(r, &e);
        }
    }
}

/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && valid_buf(out->quote) && sound_reader(out->log);
    ensures out->certs_n == \old(out->certs_n) && out->mr_config == \old(out->mr_config);
    ensures out->platform == \old(out->platform); */
static void read_tdx(atls_reader *r, atls_dstack_v0 *out)
{
    atls_reader log;
    out->quote = bytes_of(r, ATLS_DSTACK_QUOTE_MAX);
    out->log_n = count_of(r, ATLS_DSTACK_LIST_MAX);
    skip_events(r, out->log_n, false, &log);
    out->log = log;
}

/* The quote of Google's vTPM: message, signature, PCRs, AK certificate, platform, events. Passed over. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r); */
static void skip_tpm_quote(atls_reader *r)
{
    (void)bytes_of(r, ATLS_DSTACK_QUOTE_MAX);
    (void)bytes_of(r, ATLS_DSTACK_QUOTE_MAX);
    const uint32_t pcrs = count_of(r, ATLS_DSTACK_TPM_LIST_MAX);
    /*@ loop invariant 0 <= i <= pcrs && valid_reader(r);
        loop assigns i, *r;
        loop variant pcrs - i; */
    for (uint32_t i = 0; i < pcrs; i++) { /* index, algorithm, value */
        (void)atls_reader_u32le(r);
        (void)bytes_of(r, ATLS_DSTACK_EVENT_MAX);
        (void)bytes_of(r, ATLS_DSTACK_DIGEST_MAX);
    }
    (void)bytes_of(r, ATLS_DSTACK_CERT_MAX);
    (void)atls_reader_u8(r);
    const uint32_t events = count_of(r, ATLS_DSTACK_TPM_LIST_MAX);
    /*@ loop invariant 0 <= i <= events && valid_reader(r);
        loop assigns i, *r;
        loop variant events - i; */
    for (uint32_t i = 0; i < events; i++) { /* PCR, digest */
        (void)atls_reader_u32le(r);
        (void)bytes_of(r, ATLS_DSTACK_DIGEST_MAX);
    }
}

/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && valid_buf(out->quote) && valid_buf(out->mr_config) && out->certs_n <= 8;
    ensures out->log == \old(out->log) && out->platform == \old(out->platform); */
static void read_snp(atls_reader *r, atls_dstack_v0 *out)
{
    out->quote = bytes_of(r, ATLS_DSTACK_QUOTE_MAX);
    const uint32_t n = count_of(r, ATLS_DSTACK_CERTS_MAX);
    /*@ loop invariant 0 <= i <= n && valid_reader(r) && valid_buf(out->quote);
        loop invariant out->log == \at(out->log, Pre) && out->platform == \at(out->platform, Pre);
        loop assigns i, *r, out->certs[0 .. 7];
        loop variant n - i; */
    for (uint32_t i = 0; i < n; i++) {
        out->certs[i] = bytes_of(r, ATLS_DSTACK_CERT_MAX);
    }
    out->certs_n = n;
    out->mr_config = bytes_of(r, ATLS_DSTACK_CONFIG_MAX);
}

atls_code atls_dstack_v0_read(atls_buf bytes, atls_dstack_v0 *out, atls_err *err)
{
    atls_dstack_v0 v = {0};
    atls_reader runtime;
    atls_reader r = atls_reader_of(bytes);
    const uint8_t version = atls_reader_u8(&r);
    const uint8_t platform = atls_reader_u8(&r);
    if (bytes.len > ATLS_DSTACK_ATTESTATION_MAX || !atls_reader_ok(&r) || version != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, FORMAT,
                        "%zu bytes that are no attestation of dstack's version 0", bytes.len);
    }
    if (platform > ATLS_DSTACK_NITRO_TPM) {
        return ATLS_ERR(err, ATLS_E_INVALID, "dstack.attestation.platform",
                        "an attestation of dstack's for platform %u, which is not known",
                        (unsigned)platform);
    }
    v.platform = (atls_dstack_platform)platform;
    if (platform == ATLS_DSTACK_TDX || platform == ATLS_DSTACK_GCP_TDX) {
        read_tdx(&r, &v);
    } else if (platform == ATLS_DSTACK_SEV_SNP) {
        read_snp(&r, &v);
    } else {
        v.quote = bytes_of(&r, ATLS_DSTACK_QUOTE_MAX);
    }
    if (platform == ATLS_DSTACK_GCP_TDX) {
        skip_tpm_quote(&r);
    }
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, FORMAT,
                        "the quote in dstack's attestation (platform %u) is cut short, or longer "
                        "than is taken",
                        (unsigned)platform);
    }
    v.runtime_n = count_of(&r, ATLS_DSTACK_LIST_MAX);
    skip_events(&r, v.runtime_n, true, &runtime);
    v.runtime = runtime;
    v.report_data = atls_reader_view(&r, ATLS_DSTACK_REPORT_DATA);
    v.config = bytes_of(&r, ATLS_DSTACK_CONFIG_MAX);
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, FORMAT,
                        "what stands behind the quote in dstack's attestation is cut short, or "
                        "longer than is taken, or %zu bytes follow it",
                        r.left);
    }
    *out = v;
    return ATLS_OK;
}
