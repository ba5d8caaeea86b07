/* The headers are C structures of x86-64 as they lie in memory; the second has a hole before its size. */
#include "binding/oe_report.h"

#include "base/err.h"

#define REPORT_VERSION   1
#define REPORT_REMOTE    2
#define EVIDENCE_VERSION 3
#define FORMAT_LEN       16
#define TEE_TYPE_SGX     0x00000000u
#define TEE_TYPE_TDX     0x00000081u
#define REPORT_DATA_LEN  64

/* Bytes of a quote's body, and where its report data are. */
#define SGX_LEN    384
#define SGX_DATA   320
#define TD_LEN     584
#define TD_1_5_LEN 648
#define TD_DATA    520

static const uint8_t ecdsa_format[FORMAT_LEN] = {0xa3, 0xa2, 0x1e, 0x87, 0x1b, 0x4d, 0x40, 0x14,
                                                 0xb7, 0x0a, 0xa1, 0x25, 0xd2, 0xfb, 0xcd, 0x8c};

/*@ requires readable(id.ptr, 16) && id.len == 16;
    assigns \nothing; */
static bool is_ecdsa(atls_buf id)
{
    /*@ loop invariant 0 <= i <= 16;
        loop assigns i;
        loop variant 16 - i; */
    for (size_t i = 0; i < FORMAT_LEN; i++) {
        if (id.ptr[i] != ecdsa_format[i]) {
            return false;
        }
    }
    return true;
}

/* The length of the body; 0: a quote of this version and type is not known. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures \result == 0 || \result == 384 || \result == 584 || \result == 648; */
static size_t body_len(atls_reader *r, uint16_t version, uint32_t tee)
{
    if (version == 3) {
        return SGX_LEN;
    }
    if (version == 4) {
        return tee == TEE_TYPE_SGX ? SGX_LEN : tee == TEE_TYPE_TDX ? TD_LEN : 0;
    }
    if (version != 5) {
        return 0;
    }
    const uint16_t type = atls_reader_u16le(r);
    const uint32_t size = atls_reader_u32le(r);
    const size_t wanted = type == 1 ? SGX_LEN : type == 2 ? TD_LEN : type == 3 ? TD_1_5_LEN : 0;
    return size == wanted ? wanted : 0;
}

/* The quote at the start of r, which stands behind it afterwards. */
/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures \result ==> out->report_data.len == 64 && valid_buf(out->report_data); */
static bool skip_quote(atls_reader *r, atls_oe_report *out)
{
    const uint16_t version = atls_reader_u16le(r);
    (void)atls_reader_u16le(r); /* key type */
    const uint32_t tee = atls_reader_u32le(r);
    (void)atls_reader_view(r, 40);
    const size_t body = body_len(r, version, tee);
    if (body == 0) {
        return false;
    }
    (void)atls_reader_view(r, body == SGX_LEN ? SGX_DATA : TD_DATA);
    const atls_buf report_data = atls_reader_view(r, REPORT_DATA_LEN);
    if (body == TD_1_5_LEN) {
        (void)atls_reader_view(r, TD_1_5_LEN - TD_LEN);
    }
    (void)atls_reader_view(r, atls_reader_u32le(r));
    out->is_tdx = body != SGX_LEN;
    out->report_data = report_data;
    return atls_reader_ok(r) && report_data.len == REPORT_DATA_LEN;
}

/*@ requires valid_buf(data) && \valid(out);
    assigns *out;
    ensures \result ==> out->report_data.len == 64; */
static bool take_quote(atls_buf data, atls_oe_report *out)
{
    atls_reader r = atls_reader_of(data);
    if (!skip_quote(&r, out)) {
        return false;
    }
    const size_t rest = r.left;
    out->claims = atls_reader_rest(&r);
    atls_reader whole = atls_reader_of(data);
    out->quote = atls_reader_view(&whole, data.len - rest);
    return atls_reader_ok(&whole);
}

atls_code atls_oe_report_parse(atls_buf bytes, atls_oe_report *out, atls_err *err)
{
    atls_oe_report report = {0};
    atls_reader r = atls_reader_of(bytes);
    const uint32_t version = atls_reader_u32le(&r);
    const uint32_t type = atls_reader_u32le(&r);
    const uint64_t size = atls_reader_u64le(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_report.length",
                        "%zu bytes, where the header of a report alone has %d", bytes.len,
                        ATLS_OE_REPORT_HEADER);
    }
    if (version != REPORT_VERSION) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_report.version",
                        "a report of version %u, where %d is known", (unsigned)version,
                        REPORT_VERSION);
    }
    if (type != REPORT_REMOTE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_report.type",
                        "a report of type %u, where %d (for other machines) is wanted",
                        (unsigned)type, REPORT_REMOTE);
    }
    const atls_buf data = atls_reader_rest(&r);
    if (size != data.len) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_report.size",
                        "%zu bytes of quote, where the header says %llu", data.len,
                        (unsigned long long)size);
    }
    if (!take_quote(data, &report) || report.claims.len != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_report.quote",
                        "what stands behind the header is no quote of version 3, 4 or 5 that fills "
                        "the rest");
    }
    *out = report;
    return ATLS_OK;
}

atls_code atls_oe_evidence_parse(atls_buf bytes, atls_oe_report *out, atls_err *err)
{
    atls_oe_report report = {0};
    atls_reader r = atls_reader_of(bytes);
    const uint32_t version = atls_reader_u32le(&r);
    const atls_buf format = atls_reader_view(&r, FORMAT_LEN);
    (void)atls_reader_view(&r, 4); /* padding: whatever lay in memory */
    const uint64_t size = atls_reader_u64le(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_evidence.length",
                        "%zu bytes, where the header of evidence alone has %d", bytes.len,
                        ATLS_OE_EVIDENCE_HEADER);
    }
    if (version != EVIDENCE_VERSION) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_evidence.version",
                        "evidence of version %u, where %d is known", (unsigned)version,
                        EVIDENCE_VERSION);
    }
    if (!is_ecdsa(format)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_evidence.format",
                        "evidence of another format than quotes with custom claims "
                        "(a3a21e87-1b4d-4014-b70a-a125d2fbcd8c)");
    }
    const atls_buf data = atls_reader_rest(&r);
    if (size != data.len) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_evidence.size",
                        "%zu bytes of data, where the header says %llu", data.len,
                        (unsigned long long)size);
    }
    if (!take_quote(data, &report)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "oe_evidence.quote",
                        "what stands behind the header is no quote of version 3, 4 or 5");
    }
    *out = report;
    return ATLS_OK;
}
