#include "binding/constellation_parts.h"

#define MAGIC        0x414c4348u /* "HCLA", little endian */
#define TYPE_SNP     2
#define TYPE_TDX     4
#define SHA_256      1
#define REPORT_ASKED 2
#define TEE_TDX      0x81u
#define QUOTE_REST                                                                                 \
    (48u - 8u + 120u)  /* of the quote's header, and of its body up to the attributes */
#define TD_FIELDS 400u /* attributes to the last RTMR */
#define TD_DATA   64u

/* --- the paravisor's report --- */

/*@ requires valid_writer(w) && runtime_len <= ATLS_HCL_RUNTIME_MAX;
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
static void put_head(atls_writer *w, uint32_t runtime_len)
{
    atls_writer_u32le(w, MAGIC);
    atls_writer_u32le(w, 1);
    atls_writer_u32le(w, ATLS_HCL_HEAD_LEN + runtime_len);
    atls_writer_u32le(w, REPORT_ASKED);
    atls_writer_zeros(w, 16);
}

/*@ requires valid_writer(w) && valid_buf(runtime) && runtime.len <= ATLS_HCL_RUNTIME_MAX;
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
static void put_runtime(atls_writer *w, uint32_t type, atls_buf runtime)
{
    const uint32_t len = (uint32_t)runtime.len;
    atls_writer_u32le(w, 20 + len);
    atls_writer_u32le(w, 1);
    atls_writer_u32le(w, type);
    atls_writer_u32le(w, SHA_256);
    atls_writer_u32le(w, len);
    atls_writer_bytes(w, runtime);
}

bool atls_hcl_write_snp(atls_buf report, atls_buf runtime, uint8_t *out)
{
    atls_writer w = atls_writer_of(out, ATLS_HCL_HEAD_LEN + runtime.len);
    if (report.len != ATLS_HCL_REPORT_LEN) {
        return false;
    }
    put_head(&w, (uint32_t)runtime.len);
    atls_writer_bytes(&w, report);
    put_runtime(&w, TYPE_SNP, runtime);
    return atls_writer_ok(&w);
}

/* What a TDREPORT has of a quote. */
typedef struct td {
    atls_buf fields, report_data;
} td;

/*@ requires valid_buf(quote) && \valid(out);
    assigns *out;
    ensures valid_buf(out->fields) && valid_buf(out->report_data); */
static bool read_td(atls_buf quote, td *out)
{
    atls_reader r = atls_reader_of(quote);
    const uint16_t version = atls_reader_u16le(&r);
    (void)atls_reader_u16le(&r); /* kind of key */
    const uint32_t tee = atls_reader_u32le(&r);
    (void)atls_reader_view(&r, QUOTE_REST);
    const atls_buf fields = atls_reader_view(&r, TD_FIELDS);
    const atls_buf report_data = atls_reader_view(&r, TD_DATA);
    out->fields = fields;
    out->report_data = report_data;
    return atls_reader_ok(&r) && version == 4 && tee == TEE_TDX;
}

/*@ requires valid_writer(w) && valid_buf(of.fields) && valid_buf(of.report_data);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && w->ptr == \old(w->ptr) && w->cap == \old(w->cap); */
static void put_td(atls_writer *w, td of)
{
    atls_writer_zeros(w, 128);
    atls_writer_bytes(w, of.report_data);
    atls_writer_zeros(w, 512 - 128 - TD_DATA);
    atls_writer_bytes(w, of.fields);
    atls_writer_zeros(w, ATLS_HCL_REPORT_LEN - 512 - TD_FIELDS);
}

bool atls_hcl_write_tdx(atls_buf quote, atls_buf runtime, uint8_t *out)
{
    td of = {{NULL, 0}, {NULL, 0}};
    atls_writer w = atls_writer_of(out, ATLS_HCL_HEAD_LEN + runtime.len);
    if (!read_td(quote, &of)) {
        return false;
    }
    put_head(&w, (uint32_t)runtime.len);
    put_td(&w, of);
    put_runtime(&w, TYPE_TDX, runtime);
    return atls_writer_ok(&w);
}

bool atls_hcl_take_apart(atls_buf hcl, atls_buf *report, atls_buf *runtime)
{
    atls_reader r = atls_reader_of(hcl);
    (void)atls_reader_view(&r, 32);
    const atls_buf of_report = atls_reader_view(&r, ATLS_HCL_REPORT_LEN);
    (void)atls_reader_view(&r, 16);
    const atls_buf of_runtime = atls_reader_view(&r, atls_reader_u32le(&r));
    *report = of_report;
    *runtime = of_runtime;
    return atls_reader_ok(&r);
}

/* --- a TPM's quote --- */

/*@ requires valid_buf(bitmap);
    assigns \nothing; */
static uint32_t pcrs_of(atls_buf bitmap)
{
    atls_reader r = atls_reader_of(bitmap);
    const uint32_t low = atls_reader_u16le(&r);
    const uint32_t high = atls_reader_u8(&r);
    return atls_reader_ok(&r) ? high * 65536u + low : 0;
}

/* TPMS_ATTEST up to what is selected. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r); */
static void skip_head(atls_reader *r)
{
    (void)atls_reader_view(r, 6);                    /* magic, type */
    (void)atls_reader_view(r, atls_reader_u16be(r)); /* qualified signer */
    (void)atls_reader_view(r, atls_reader_u16be(r)); /* qualifying data */
    (void)atls_reader_view(r, 17 + 8);               /* clock, firmware version */
}

bool atls_quote_selection(atls_buf attest, uint16_t *bank, uint32_t *pcrs)
{
    atls_reader r = atls_reader_of(attest);
    skip_head(&r);
    const uint32_t banks = atls_reader_u32be(&r);
    const uint16_t hash = atls_reader_u16be(&r);
    const atls_buf bitmap = atls_reader_view(&r, atls_reader_u8(&r));
    const uint32_t selected = pcrs_of(bitmap);
    *bank = hash;
    *pcrs = selected;
    return atls_reader_ok(&r) && banks == 1 && bitmap.len == 3 && selected != 0;
}

atls_buf atls_public_area(atls_buf given)
{
    atls_reader r = atls_reader_of(given);
    const uint16_t size = atls_reader_u16be(&r);
    if (atls_reader_ok(&r) && r.left == size) {
        return atls_reader_rest(&r);
    }
    return size == 0x0001 || size == 0x0023 ? given : (atls_buf){NULL, 0};
}
