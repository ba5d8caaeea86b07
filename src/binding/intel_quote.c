#include "binding/intel_quote.h"

#include "base/err.h"

#define TEE_SGX         0u
#define TEE_TDX         0x81u
#define BODY_TYPE_LEN   6u   /* of version 5: u16 type, u32 size */
#define AT_IN_SGX       320u /* report data in a body */
#define AT_IN_TD        520u
#define REPORT_DATA_LEN 64u

typedef struct header {
    uint16_t version, key_type;
    uint32_t tee_type;
} header;

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static header read_header(atls_reader *r)
{
    header h;
    h.version = atls_reader_u16le(r);
    h.key_type = atls_reader_u16le(r);
    h.tee_type = atls_reader_u32le(r);
    (void)atls_reader_view(r, 40);
    return h;
}

/*@ requires err == \null || \valid(err);
    assigns *err; */
static atls_code check_header(header h, atls_err *err)
{
    if (h.version == 2 || (h.version == 3 && h.key_type < 2)) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "carried.epid",
            "an EPID quote of SGX, whose service ended in 2025; ECDSA quotes are taken");
    }
    if (h.version < 3 || h.version > 5) {
        return ATLS_ERR(err, ATLS_E_INVALID, "carried.quote",
                        "version %u where Intel's quotes have 3, 4 or 5", (unsigned)h.version);
    }
    if (h.version == 3 && h.key_type > 3) {
        return ATLS_ERR(err, ATLS_E_INVALID, "carried.quote",
                        "a quote of version 3 with key type %u, where ECDSA has 2 or 3",
                        (unsigned)h.key_type);
    }
    if (h.tee_type != TEE_SGX && (h.version == 3 || h.tee_type != TEE_TDX)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "carried.quote",
                        "a quote of version %u with TEE type 0x%x, where 0 is SGX and 0x81 TDX",
                        (unsigned)h.version, (unsigned)h.tee_type);
    }
    return ATLS_OK;
}

atls_code atls_intel_quote_look(atls_buf quote, atls_intel_quote *out, atls_err *err)
{
    atls_reader r = atls_reader_of(quote);
    header h = read_header(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "carried.quote",
                        "%zu bytes, where a quote's header alone has 48", quote.len);
    }
    ATLS_TRY(check_header(h, err));
    if (h.version == 5) {
        (void)atls_reader_view(&r, BODY_TYPE_LEN);
    }
    (void)atls_reader_view(&r, h.tee_type == TEE_TDX ? AT_IN_TD : AT_IN_SGX);
    atls_buf report_data = atls_reader_view(&r, REPORT_DATA_LEN);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "carried.quote",
                        "%zu bytes that end before the quote's report data", quote.len);
    }
    out->is_tdx = h.tee_type == TEE_TDX;
    out->report_data = report_data;
    return ATLS_OK;
}
