/* inspect_quote.c: every field of an SGX or TDX quote, with a name for every attribute bit. */
#include "verify/inspect.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/reader.h"
#include "evidence/dcap/quote.h"

typedef struct bit_name {
    unsigned bit;
    const char *name;
} bit_name;

/* Intel SDM 3D, 37.7.1 (ATTRIBUTES), and the TDX module's specification (TDATTRIBUTES). */
static const bit_name sgx_bits[] = {
    {0, "INIT"},           {1, "DEBUG"}, {2, "MODE64BIT"}, {4, "PROVISION_KEY"},
    {5, "EINITTOKEN_KEY"}, {6, "CET"},   {7, "KSS"},       {10, "AEX_NOTIFY"},
};
static const bit_name td_bits[] = {
    {0, "DEBUG"}, {27, "LASS"}, {28, "SEPT_VE_DISABLE"}, {29, "MIGRATABLE"}, {30, "PKS"},
    {31, "KL"},   {62, "TPA"},  {63, "PERFMON"},
};
/* XCR0 and XSS, as the SDM names them (vol. 1, 13.1). */
static const bit_name xfeature_bits[] = {
    {0, "x87"},
    {1, "SSE"},
    {2, "AVX"},
    {3, "MPX.BNDREGS"},
    {4, "MPX.BNDCSR"},
    {5, "AVX512.opmask"},
    {6, "AVX512.ZMM_Hi256"},
    {7, "AVX512.Hi16_ZMM"},
    {8, "PT"},
    {9, "PKRU"},
    {10, "PASID"},
    {11, "CET_U"},
    {12, "CET_S"},
    {13, "HDC"},
    {14, "UINTR"},
    {15, "LBR"},
    {16, "HWP"},
    {17, "AMX.TILECFG"},
    {18, "AMX.TILEDATA"},
    {19, "APX"},
};

#define BITS(table) table, sizeof table / sizeof table[0]

/* A list of the names of the bits that are set; a bit without a name stands as "bit N". */
static void put_bits(json_t *to, const char *name, uint64_t bits, const bit_name *table, size_t n)
{
    json_t *list = atls_inspect_list(to, name);
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((bits >> bit) % 2 == 0) {
            continue;
        }
        char unknown[16];
        (void)snprintf(unknown, sizeof unknown, "bit %u", bit);
        const char *text = unknown;
        for (size_t i = 0; i < n; i++) {
            text = table[i].bit == bit ? table[i].name : text;
        }
        (void)json_array_append_new(list, json_string(text));
    }
}

static uint64_t u64le(atls_buf bytes)
{
    atls_reader r = atls_reader_of(bytes);
    return atls_reader_u64le(&r);
}

static void put_sgx(json_t *to, const atls_sgx_report *report)
{
    atls_inspect_hex(to, "mrenclave", report->mrenclave);
    atls_inspect_hex(to, "mrsigner", report->mrsigner);
    atls_inspect_number(to, "isvprodid", report->isvprodid);
    atls_inspect_number(to, "isvsvn", report->isvsvn);
    atls_inspect_hex(to, "attributes", report->attributes);
    const atls_buf xfrm = {report->attributes.ptr + 8, 8};
    put_bits(to, "attribute_flags", u64le(report->attributes), BITS(sgx_bits));
    put_bits(to, "xfrm", u64le(xfrm), BITS(xfeature_bits));
    atls_inspect_number(to, "miscselect", report->miscselect);
    atls_inspect_hex(to, "cpusvn", report->cpusvn);
    atls_inspect_hex(to, "configid", report->configid);
    atls_inspect_number(to, "configsvn", report->configsvn);
    atls_inspect_hex(to, "isvextprodid", report->isvextprodid);
    atls_inspect_hex(to, "isvfamilyid", report->isvfamilyid);
    atls_inspect_hex(to, "report_data", report->report_data);
}

static void put_td(json_t *to, const atls_td_report *td)
{
    atls_inspect_hex(to, "mrtd", td->mrtd);
    for (int i = 0; i < 4; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "rtmr%d", i);
        atls_inspect_hex(to, name, td->rtmr[i]);
    }
    atls_inspect_hex(to, "mrseam", td->mrseam);
    atls_inspect_hex(to, "mrsignerseam", td->mrsignerseam);
    atls_inspect_hex(to, "seam_attributes", td->seam_attributes);
    atls_inspect_hex(to, "td_attributes", td->td_attributes);
    put_bits(to, "td_attribute_flags", u64le(td->td_attributes), BITS(td_bits));
    atls_inspect_hex(to, "xfam", td->xfam);
    put_bits(to, "xfam_features", u64le(td->xfam), BITS(xfeature_bits));
    atls_inspect_hex(to, "mrconfigid", td->mrconfigid);
    atls_inspect_hex(to, "mrowner", td->mrowner);
    atls_inspect_hex(to, "mrownerconfig", td->mrownerconfig);
    atls_inspect_hex(to, "tee_tcb_svn", td->tee_tcb_svn);
    if (td->is_1_5) {
        atls_inspect_hex(to, "tee_tcb_svn2", td->tee_tcb_svn2);
        atls_inspect_hex(to, "mrservicetd", td->mrservicetd);
    }
    atls_inspect_hex(to, "report_data", td->report_data);
}

static const char *certification_name(unsigned type)
{
    static const char *const names[] = {[1] = "plain PPID",
                                        [2] = "PPID encrypted with RSA-2048",
                                        [3] = "PPID encrypted with RSA-3072",
                                        [4] = "PCK certificate",
                                        [5] = "PCK certificate chain"};
    return type >= 1 && type <= 5 ? names[type] : "unknown";
}

/* Types 1 to 3: an id, then CPUSVN, PCESVN and PCEID (Intel's DCAP specification, A.4). */
static void put_platform_ids(json_t *to, atls_buf data)
{
    if (data.len < 36) {
        return;
    }
    atls_reader r = atls_reader_of(data);
    atls_inspect_hex(to, "ppid", atls_reader_view(&r, data.len - 20));
    atls_inspect_hex(to, "cpusvn", atls_reader_view(&r, 16));
    atls_inspect_number(to, "pcesvn", atls_reader_u16le(&r));
    atls_inspect_hex(to, "pceid", atls_reader_view(&r, 2));
}

static void put_certification(json_t *to, const atls_quote *q)
{
    json_t *c = atls_inspect_object(to, "certification");
    atls_inspect_number(c, "type", q->certification_type);
    atls_inspect_text(c, "meaning", certification_name(q->certification_type));
    atls_err err = {0};
    if (q->certification_type < 4) {
        put_platform_ids(c, q->certification_data);
    } else if (atls_inspect_certificates(c, "certificates", q->certification_data, &err) !=
               ATLS_OK) {
        atls_inspect_error(c, &err);
        atls_inspect_hex(c, "bytes", q->certification_data);
    }
}

atls_code atls_inspect_quote(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_quote q;
    ATLS_TRY(atls_quote_parse(bytes, &q, err));
    json_t *header = atls_inspect_object(to, "header");
    atls_inspect_number(header, "version", q.version);
    atls_inspect_text(header, "tee", q.is_tdx ? "TDX" : "SGX");
    atls_inspect_number(header, "tee_type", q.tee_type);
    atls_inspect_number(header, "attestation_key_type", q.key_type);
    atls_inspect_number(header, "svn_at_8", q.header_svn[0]);
    atls_inspect_number(header, "svn_at_10", q.header_svn[1]);
    atls_inspect_hex(header, "qe_vendor", q.qe_vendor);
    atls_inspect_hex(header, "user_data", q.user_data);
    if (q.is_tdx) {
        json_t *td = atls_inspect_object(to, q.td.is_1_5 ? "td_report_1_5" : "td_report_1_0");
        put_td(td, &q.td);
    } else {
        put_sgx(atls_inspect_object(to, "enclave_report"), &q.sgx);
    }
    json_t *s = atls_inspect_object(to, "signature_data");
    atls_inspect_number(s, "bytes", q.signature_data.len);
    atls_inspect_number(s, "trailing_bytes", q.trailing);
    atls_inspect_hex(s, "signature", q.signature);
    atls_inspect_hex(s, "attestation_key", q.attestation_key);
    put_sgx(atls_inspect_object(s, "qe_report"), &q.qe_report);
    atls_inspect_hex(s, "qe_report_signature", q.qe_report_signature);
    atls_inspect_hex(s, "qe_authentication_data", q.qe_auth_data);
    put_certification(to, &q);
    return ATLS_OK;
}
