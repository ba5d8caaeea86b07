/* The quote from its first byte to its last. Offsets and versions: spec 1 and 2. What is read here is only
 * laid out: no signature is checked and nothing is believed. */
#include "evidence/dcap/quote.h"

#include "base/err.h"
#include "evidence/dcap/report.h"

#define KEY_TYPE_ECDSA_P256     2
#define TEE_TYPE_SGX            0x00000000u
#define TEE_TYPE_TDX            0x00000081u
#define BODY_SGX                1 /* body types of version 5 */
#define BODY_TD                 2
#define BODY_TD_1_5             3
#define CERTIFICATION_QE_REPORT 6
#define CERTIFICATION_MAX_LEN   32768

static const uint8_t intel_qe_vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                            0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

/*@ requires valid_buf(vendor);
    assigns \nothing; */
static bool is_intel_qe_vendor(atls_buf vendor)
{
    if (vendor.len != sizeof intel_qe_vendor) {
        return false;
    }
    /*@ loop invariant 0 <= i <= 16;
        loop assigns i;
        loop variant 16 - i; */
    for (size_t i = 0; i < sizeof intel_qe_vendor; i++) {
        if (vendor.ptr[i] != intel_qe_vendor[i]) {
            return false;
        }
    }
    return true;
}

typedef struct header {
    uint16_t version, key_type;
    uint32_t tee_type;
    uint16_t svn[2];
    atls_buf qe_vendor, user_data;
} header;

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r) && valid_buf(\result.qe_vendor); */
static header read_header(atls_reader *r)
{
    header h;
    h.version = atls_reader_u16le(r);
    h.key_type = atls_reader_u16le(r);
    h.tee_type = atls_reader_u32le(r);
    h.svn[0] = atls_reader_u16le(r);
    h.svn[1] = atls_reader_u16le(r);
    h.qe_vendor = atls_reader_view(r, 16);
    h.user_data = atls_reader_view(r, 20);
    return h;
}

/*@ requires valid_buf(h.qe_vendor) && (err == \null || \valid(err));
    assigns *err; */
static atls_code check_header(header h, atls_err *err)
{
    if (h.version < 3 || h.version > 5) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.version",
                        "quote version %u, where 3, 4 or 5 is known", (unsigned)h.version);
    }
    if (h.key_type != KEY_TYPE_ECDSA_P256) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.key_type",
                        "attestation key type %u, where 2 (ECDSA on P-256) is wanted",
                        (unsigned)h.key_type);
    }
    if (h.tee_type != TEE_TYPE_SGX && h.tee_type != TEE_TYPE_TDX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.tee_type",
                        "TEE type 0x%08x, where 0 (SGX) or 0x81 (TDX) is known",
                        (unsigned)h.tee_type);
    }
    if (h.version == 3 && h.tee_type != TEE_TYPE_SGX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.tee_type",
                        "a version 3 quote of a TD, where version 3 is for SGX only");
    }
    if (!is_intel_qe_vendor(h.qe_vendor)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.vendor",
                        "the quoting enclave's vendor id is not Intel's");
    }
    return ATLS_OK;
}

/* Which body follows the header: implied up to version 4, described by 6 bytes in version 5. */
/*@ requires valid_reader(r) && \valid(body) && (err == \null || \valid(err)) && \separated(r, body, err);
    assigns *r, *body, *err;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static atls_code read_body_type(atls_reader *r, header h, unsigned *body, atls_err *err)
{
    unsigned type = h.tee_type == TEE_TYPE_SGX ? BODY_SGX : BODY_TD;
    if (h.version < 5) {
        *body = type;
        return ATLS_OK;
    }
    type = atls_reader_u16le(r);
    uint32_t size = atls_reader_u32le(r);
    if (!atls_reader_ok(r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.size",
                        "the quote ends inside the description of its body");
    }
    if (type < BODY_SGX || type > BODY_TD_1_5) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.body", "body type %u, where 1 to 3 are known",
                        type);
    }
    if ((type == BODY_SGX) != (h.tee_type == TEE_TYPE_SGX)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.body",
                        "body type %u in a quote of TEE type 0x%08x", type, (unsigned)h.tee_type);
    }
    uint32_t wanted = type == BODY_SGX  ? ATLS_SGX_REPORT_LEN
                      : type == BODY_TD ? ATLS_TD_REPORT_LEN
                                        : ATLS_TD_REPORT_1_5_LEN;
    if (size != wanted) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.body", "body of %u bytes, where type %u has %u",
                        (unsigned)size, type, (unsigned)wanted);
    }
    *body = type;
    return ATLS_OK;
}

/* From the QE report to the certification data: the same fields in all versions. */
typedef struct qe_part {
    atls_sgx_report report;
    atls_buf signature, auth_data;
    uint16_t certification_type;
    atls_buf certification_data;
} qe_part;

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static qe_part read_qe_part(atls_reader *r)
{
    qe_part p;
    p.report = atls_sgx_report_read(r);
    p.signature = atls_reader_view(r, 64);
    p.auth_data = atls_reader_view(r, atls_reader_u16le(r));
    p.certification_type = atls_reader_u16le(r);
    p.certification_data = atls_reader_view(r, atls_reader_u32le(r));
    return p;
}

/* The QE's part behind signature and key. Version 3 has it as it is, and unused bytes behind it are tolerated,
 * as Intel's library does. Later versions nest it in certification data of type 6, which it fills exactly;
 * there bytes behind that are tolerated. */
/*@ requires valid_reader(r) && \valid(out) && (err == \null || \valid(err)) && \separated(r, out, err);
    assigns *r, *out, *err; */
static atls_code read_certification(atls_reader *r, uint16_t version, qe_part *out, atls_err *err)
{
    atls_reader part = *r;
    if (version > 3) {
        uint16_t outer = atls_reader_u16le(r);
        part = atls_reader_sub(r, atls_reader_u32le(r));
        if (atls_reader_ok(r) && outer != CERTIFICATION_QE_REPORT) {
            return ATLS_ERR(err, ATLS_E_INVALID, "quote.certification",
                            "outer certification data of type %u, where 6 (QE report) is wanted",
                            (unsigned)outer);
        }
    }
    const qe_part p = read_qe_part(&part);
    if (!atls_reader_ok(&part)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.signature_data",
                        "the signature data is shorter than its fields");
    }
    if (version > 3 && !atls_reader_end(&part)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.signature_data",
                        "the outer certification data is longer than its fields");
    }
    if (p.certification_type < 1 || p.certification_type > 5) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.certification",
                        "certification data of type %u, where 1 to 5 are known",
                        (unsigned)p.certification_type);
    }
    if (p.certification_data.len > CERTIFICATION_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.certification",
                        "%zu bytes of certification data, where at most %d are taken",
                        p.certification_data.len, CERTIFICATION_MAX_LEN);
    }
    *out = p;
    return ATLS_OK;
}

atls_code atls_quote_parse(atls_buf bytes, atls_quote *out, atls_err *err)
{
    if (bytes.len > ATLS_QUOTE_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.size",
                        "a quote of %zu bytes, where at most %d are taken", bytes.len,
                        ATLS_QUOTE_MAX_LEN);
    }
    atls_reader r = atls_reader_of(bytes);
    const header h = read_header(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.size",
                        "a quote of %zu bytes ends inside its header", bytes.len);
    }
    ATLS_TRY(check_header(h, err));
    unsigned body = 0;
    ATLS_TRY(read_body_type(&r, h, &body, err));

    atls_quote q = {0};
    q.is_tdx = body != BODY_SGX;
    if (q.is_tdx) {
        q.td = atls_td_report_read(&r, body == BODY_TD_1_5);
    } else {
        q.sgx = atls_sgx_report_read(&r);
    }
    const size_t signed_len = bytes.len - r.left;
    const uint32_t signature_data_len = atls_reader_u32le(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.size",
                        "a quote of %zu bytes ends before its signature data", bytes.len);
    }
    q.signature_data = atls_reader_view(&r, signature_data_len);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.signature_data",
                        "signature data of %u bytes, which are not all there",
                        (unsigned)signature_data_len);
    }
    q.trailing = r.left;
    r = atls_reader_of(bytes);
    q.signed_range = atls_reader_view(&r, signed_len);

    r = atls_reader_of(q.signature_data);
    q.signature = atls_reader_view(&r, 64);
    q.attestation_key = atls_reader_view(&r, 64);
    qe_part p = {0};
    ATLS_TRY(read_certification(&r, h.version, &p, err));
    q.version = h.version;
    q.key_type = h.key_type;
    q.tee_type = h.tee_type;
    q.header_svn[0] = h.svn[0];
    q.header_svn[1] = h.svn[1];
    q.qe_vendor = h.qe_vendor;
    q.user_data = h.user_data;
    q.qe_report = p.report;
    q.qe_report_signature = p.signature;
    q.qe_auth_data = p.auth_data;
    q.certification_type = p.certification_type;
    q.certification_data = p.certification_data;
    *out = q;
    return ATLS_OK;
}
