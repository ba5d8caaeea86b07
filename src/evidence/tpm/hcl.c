/* Offsets: the table of spec 4. */
#include "evidence/tpm/hcl.h"

#include "base/err.h"

#define MAGIC          0x414c4348u /* "HCLA" */
#define REQUEST_REPORT 2
#define RUNTIME_AT     0x4d4u
#define IGVM_HEAD      20u
#define TYPE_SNP       2
#define TYPE_TDX       4

/*@ requires valid_buf(bytes);
    assigns \nothing; */
static bool is_zero(atls_buf bytes)
{
    /*@ loop invariant 0 <= i <= bytes.len;
        loop assigns i;
        loop variant bytes.len - i; */
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != 0) {
            return false;
        }
    }
    return true;
}

typedef struct head {
    uint32_t magic, version, size, request;
    uint32_t igvm_size, igvm_version, type, hash, runtime_len;
} head;

/*@ requires \valid_read(h) && (err == \null || \valid(err)) && \separated(h, err);
    assigns *err; */
static atls_code check_head(const head *h, atls_err *err)
{
    if (h->magic != MAGIC) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.magic",
                        "a report that begins with 0x%08x, where HCLA is wanted",
                        (unsigned)h->magic);
    }
    if (h->version < 1 || h->version > 2 || h->igvm_version != 1 || h->request != REQUEST_REPORT) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.version",
                        "version %u of request %u and data of version %u, where 1 or 2, 2, and 1 "
                        "are known",
                        (unsigned)h->version, (unsigned)h->request, (unsigned)h->igvm_version);
    }
    if (h->type != TYPE_SNP && h->type != TYPE_TDX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.type",
                        "a report of type %u, where 2 (SNP) or 4 (TDX) is known",
                        (unsigned)h->type);
    }
    if (h->hash < 1 || h->hash > 3) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.hash",
                        "hash type %u, where 1 to 3 (SHA-256, SHA-384, SHA-512) are known",
                        (unsigned)h->hash);
    }
    if (h->runtime_len > ATLS_HCL_MAX_LEN || h->igvm_size != IGVM_HEAD + h->runtime_len ||
        h->size != RUNTIME_AT + h->runtime_len) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.sizes",
                        "sizes %u, %u and %u, which do not fit each other", (unsigned)h->size,
                        (unsigned)h->igvm_size, (unsigned)h->runtime_len);
    }
    return ATLS_OK;
}

atls_code atls_hcl_parse(atls_buf bytes, atls_hcl *out, atls_err *err)
{
    if (bytes.len > ATLS_HCL_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.length",
                        "%zu bytes, where at most %d are taken", bytes.len, ATLS_HCL_MAX_LEN);
    }
    head h = {0};
    atls_reader r = atls_reader_of(bytes);
    h.magic = atls_reader_u32le(&r);
    h.version = atls_reader_u32le(&r);
    h.size = atls_reader_u32le(&r);
    h.request = atls_reader_u32le(&r);
    (void)atls_reader_view(&r, 16); /* status, reserved: the paravisor's word to the guest */
    const atls_buf report = atls_reader_view(&r, ATLS_HCL_SNP_LEN);
    h.igvm_size = atls_reader_u32le(&r);
    h.igvm_version = atls_reader_u32le(&r);
    h.type = atls_reader_u32le(&r);
    h.hash = atls_reader_u32le(&r);
    h.runtime_len = atls_reader_u32le(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.length",
                        "%zu bytes end inside the head of the report", bytes.len);
    }
    ATLS_TRY(check_head(&h, err));
    const atls_buf runtime = atls_reader_view(&r, h.runtime_len);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.length",
                        "%zu bytes end inside the runtime data", bytes.len);
    }
    if (!is_zero(atls_reader_rest(&r))) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.trailing",
                        "bytes behind the runtime data that are not zero");
    }
    *out = (atls_hcl){.version = h.version,
                      .is_tdx = h.type == TYPE_TDX,
                      .hash_type = h.hash,
                      .report = report,
                      .runtime = runtime};
    return ATLS_OK;
}

atls_td_report_fields atls_hcl_td_report(atls_buf report)
{
    atls_td_report_fields f;
    atls_reader r = atls_reader_of(report);
    (void)atls_reader_view(&r, 128);
    f.report_data = atls_reader_view(&r, 64);
    (void)atls_reader_view(&r, 512 - 192); /* MAC, TEE_TCB_INFO */
    f.attributes = atls_reader_view(&r, 8);
    f.xfam = atls_reader_view(&r, 8);
    f.mrtd = atls_reader_view(&r, 48);
    f.mrconfigid = atls_reader_view(&r, 48);
    f.mrowner = atls_reader_view(&r, 48);
    f.mrownerconfig = atls_reader_view(&r, 48);
    f.rtmr[0] = atls_reader_view(&r, 48);
    f.rtmr[1] = atls_reader_view(&r, 48);
    f.rtmr[2] = atls_reader_view(&r, 48);
    f.rtmr[3] = atls_reader_view(&r, 48);
    return f;
}
