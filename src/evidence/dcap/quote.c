/* The quote from its first byte to its last. Offsets and versions: spec 1 and 2. What is read here is only
 * laid out: no signature is checked and nothing is believed. */
#include "evidence/dcap/quote.h"

#include "base/err.h"
#include "evidence/dcap/report.h"

#define HEADER_LEN              48
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

static bool is_intel_qe_vendor(atls_buf vendor)
{
    if (vendor.len != sizeof intel_qe_vendor) {
        return false;
    }
    for (size_t i = 0; i < sizeof intel_qe_vendor; i++) {
        if (vendor.ptr[i] != intel_qe_vendor[i]) {
            return false;
        }
    }
    return true;
}

static void read_header(atls_reader *r, atls_quote *q)
{
    q->version = atls_reader_u16le(r);
    q->key_type = atls_reader_u16le(r);
    q->tee_type = atls_reader_u32le(r);
    q->header_svn[0] = atls_reader_u16le(r);
    q->header_svn[1] = atls_reader_u16le(r);
    q->qe_vendor = atls_reader_view(r, 16);
    q->user_data = atls_reader_view(r, 20);
}

static atls_code check_header(const atls_quote *q, atls_err *err)
{
    if (q->version < 3 || q->version > 5) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.version",
                        "quote version %u, where 3, 4 or 5 is known", (unsigned)q->version);
    }
    if (q->key_type != KEY_TYPE_ECDSA_P256) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.key_type",
                        "attestation key type %u, where 2 (ECDSA on P-256) is wanted",
                        (unsigned)q->key_type);
    }
    if (q->tee_type != TEE_TYPE_SGX && q->tee_type != TEE_TYPE_TDX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.tee_type",
                        "TEE type 0x%08x, where 0 (SGX) or 0x81 (TDX) is known",
                        (unsigned)q->tee_type);
    }
    if (q->version == 3 && q->tee_type != TEE_TYPE_SGX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.tee_type",
                        "a version 3 quote of a TD, where version 3 is for SGX only");
    }
    if (!is_intel_qe_vendor(q->qe_vendor)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.vendor",
                        "the quoting enclave's vendor id is not Intel's");
    }
    return ATLS_OK;
}

/* Which body follows the header: implied up to version 4, described by 6 bytes in version 5. */
static atls_code read_body_type(atls_reader *r, const atls_quote *q, unsigned *body, atls_err *err)
{
    unsigned type = q->tee_type == TEE_TYPE_SGX ? BODY_SGX : BODY_TD;
    if (q->version < 5) {
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
    if ((type == BODY_SGX) != (q->tee_type == TEE_TYPE_SGX)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.body",
                        "body type %u in a quote of TEE type 0x%08x", type, (unsigned)q->tee_type);
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

static void read_body(atls_reader *r, unsigned body, atls_quote *q)
{
    q->is_tdx = body != BODY_SGX;
    if (q->is_tdx) {
        atls_td_report_read(r, body == BODY_TD_1_5, &q->td);
    } else {
        atls_sgx_report_read(r, &q->sgx);
    }
}

/* From the QE report to the certification data: the same fields in all versions. */
static void read_qe_part(atls_reader *r, atls_quote *q)
{
    atls_sgx_report_read(r, &q->qe_report);
    q->qe_report_signature = atls_reader_view(r, 64);
    q->qe_auth_data = atls_reader_view(r, atls_reader_u16le(r));
    q->certification_type = atls_reader_u16le(r);
    q->certification_data = atls_reader_view(r, atls_reader_u32le(r));
}

/* The signature data (spec 2). What is left of it behind the last field is tolerated, as Intel's library
 * does; what is left behind the fields nested in it (version 4 and 5) is not. */
static atls_code read_signature_data(atls_buf bytes, atls_quote *q, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    q->signature_data = bytes;
    q->signature = atls_reader_view(&r, 64);
    q->attestation_key = atls_reader_view(&r, 64);
    if (q->version == 3) {
        read_qe_part(&r, q);
        if (!atls_reader_ok(&r)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "quote.signature_data",
                            "%zu bytes of signature data, where its fields need more", bytes.len);
        }
        return ATLS_OK;
    }
    uint16_t outer = atls_reader_u16le(&r);
    atls_reader nested = atls_reader_sub(&r, atls_reader_u32le(&r));
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.signature_data",
                        "%zu bytes of signature data, where its fields need more", bytes.len);
    }
    if (outer != CERTIFICATION_QE_REPORT) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.certification",
                        "outer certification data of type %u, where 6 (QE report) is wanted",
                        (unsigned)outer);
    }
    read_qe_part(&nested, q);
    if (!atls_reader_end(&nested)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.signature_data",
                        "the outer certification data is not exactly as long as its fields");
    }
    return ATLS_OK;
}

static atls_code check_certification(const atls_quote *q, atls_err *err)
{
    if (q->certification_type < 1 || q->certification_type > 5) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.certification",
                        "certification data of type %u, where 1 to 5 are known",
                        (unsigned)q->certification_type);
    }
    if (q->certification_data.len > CERTIFICATION_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.certification",
                        "%zu bytes of certification data, where at most %d are taken",
                        q->certification_data.len, CERTIFICATION_MAX_LEN);
    }
    return ATLS_OK;
}

atls_code atls_quote_parse(atls_buf bytes, atls_quote *out, atls_err *err)
{
    if (bytes.len > ATLS_QUOTE_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.size",
                        "a quote of %zu bytes, where at most %d are taken", bytes.len,
                        ATLS_QUOTE_MAX_LEN);
    }
    atls_quote q = {0};
    atls_reader r = atls_reader_of(bytes);
    read_header(&r, &q);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.size",
                        "a quote of %zu bytes, where its header alone has %d", bytes.len,
                        HEADER_LEN);
    }
    ATLS_TRY(check_header(&q, err));
    unsigned body = 0;
    ATLS_TRY(read_body_type(&r, &q, &body, err));
    read_body(&r, body, &q);
    size_t signed_len = bytes.len - r.left;
    uint32_t signature_data_len = atls_reader_u32le(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.size",
                        "a quote of %zu bytes ends before its signature data", bytes.len);
    }
    atls_reader start = atls_reader_of(bytes);
    q.signed_range = atls_reader_view(&start, signed_len);
    atls_buf signature_data = atls_reader_view(&r, signature_data_len);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "quote.signature_data",
                        "signature data of %u bytes, which are not all there",
                        (unsigned)signature_data_len);
    }
    q.trailing = r.left;
    ATLS_TRY(read_signature_data(signature_data, &q, err));
    ATLS_TRY(check_certification(&q, err));
    *out = q;
    return ATLS_OK;
}
