#include "binding/constellation_parts.h"

#define MAGIC        0x414c4348u /* "HCLA", little endian */
#define TYPE_SNP     2
#define TYPE_TDX     4
#define SHA_256      1
#define REPORT_ASKED 2
#define QUOTE_HEAD   48u
#define QUOTE_BODY   584u
#define TEE_TDX      0x81u

/* --- the paravisor's report --- */

/*@ requires valid_writer(w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
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
    ensures valid_writer(w); */
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

bool atls_hcl_write_tdx(atls_buf quote, atls_buf runtime, uint8_t *out)
{
    atls_reader head = atls_reader_of(quote);
    atls_reader body = atls_reader_of(quote);
    const uint16_t version = atls_reader_u16le(&head);
    (void)atls_reader_u16le(&head);
    const uint32_t tee = atls_reader_u32le(&head);
    (void)atls_reader_view(&body, QUOTE_HEAD + 120);
    const atls_buf fields = atls_reader_view(&body, 400); /* attributes to the last RTMR */
    const atls_buf report_data = atls_reader_view(&body, 64);
    if (!atls_reader_ok(&body) || version != 4 || tee != TEE_TDX) {
        return false;
    }
    atls_writer w = atls_writer_of(out, ATLS_HCL_HEAD_LEN + runtime.len);
    put_head(&w, (uint32_t)runtime.len);
    atls_writer_zeros(&w, 128);
    atls_writer_bytes(&w, report_data);
    atls_writer_zeros(&w, 512 - 192);
    atls_writer_bytes(&w, fields);
    atls_writer_zeros(&w, ATLS_HCL_REPORT_LEN - 912);
    put_runtime(&w, TYPE_TDX, runtime);
    return atls_writer_ok(&w);
}

bool atls_hcl_take_apart(atls_buf hcl, atls_buf *report, atls_buf *runtime)
{
    atls_reader r = atls_reader_of(hcl);
    (void)atls_reader_view(&r, 32);
    *report = atls_reader_view(&r, ATLS_HCL_REPORT_LEN);
    (void)atls_reader_view(&r, 16);
    *runtime = atls_reader_view(&r, atls_reader_u32le(&r));
    return atls_reader_ok(&r);
}

/* --- a TPM's quote --- */

/*@ requires valid_buf(bitmap);
    assigns \nothing; */
static uint32_t pcrs_of(atls_buf bitmap)
{
    return bitmap.len < 3
               ? 0
               : bitmap.ptr[2] * UINT32_C(65536) + bitmap.ptr[1] * UINT32_C(256) + bitmap.ptr[0];
}

bool atls_quote_selection(atls_buf attest, uint16_t *bank, uint32_t *pcrs)
{
    atls_reader r = atls_reader_of(attest);
    (void)atls_reader_view(&r, 6);                     /* magic, type */
    (void)atls_reader_view(&r, atls_reader_u16be(&r)); /* qualified signer */
    (void)atls_reader_view(&r, atls_reader_u16be(&r)); /* qualifying data */
    (void)atls_reader_view(&r, 17 + 8);                /* clock, firmware version */
    if (atls_reader_u32be(&r) != 1) {
        return false;
    }
    *bank = atls_reader_u16be(&r);
    const atls_buf bitmap = atls_reader_view(&r, atls_reader_u8(&r));
    *pcrs = pcrs_of(bitmap);
    return atls_reader_ok(&r) && bitmap.len == 3 && *pcrs != 0;
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
