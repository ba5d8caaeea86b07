/* The report from its first byte to its last, in the order of the table in AMD's ABI. No signature is checked here and
 * nothing is believed. */
#include "evidence/snp/report.h"

#include "base/err.h"

#define ALGORITHM_ECDSA_P384_SHA384 1
#define ALGORITHM_AT                0x34
#define VMPL_MAX                    3 /* of a guest; all ones: the host asked */
#define SIGNING_KEY_AT              4 /* SIGNER_INFO divided by this ... */
#define SIGNING_KEYS                8 /* ... modulo this */
#define SIGNING_KEY_NONE            7
#define SIGNER_INFO_KNOWN           0x1fu
#define POLICY_KNOWN                UINT64_C(0x3ffffff)

/*@ requires valid_buf(b);
    assigns \nothing; */
static bool is_zero(atls_buf b)
{
    /*@ loop invariant 0 <= i <= b.len;
        loop assigns i;
        loop variant b.len - i; */
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] != 0) {
            return false;
        }
    }
    return true;
}

/* The len bytes at an offset of the report, empty when they are not there. The offsets below are those of the table. */
/*@ requires valid_buf(all);
    assigns \nothing;
    ensures valid_buf(\result); */
static atls_buf at(atls_buf all, size_t offset, size_t len)
{
    atls_reader r = atls_reader_of(all);
    (void)atls_reader_view(&r, offset);
    return atls_reader_view(&r, len);
}

/*@ requires valid_buf(all);
    assigns \nothing; */
static uint8_t u8_at(atls_buf all, size_t offset)
{
    atls_reader r = atls_reader_of(at(all, offset, 1));
    return atls_reader_u8(&r);
}

/*@ requires valid_buf(all);
    assigns \nothing; */
static uint32_t u32_at(atls_buf all, size_t offset)
{
    atls_reader r = atls_reader_of(at(all, offset, 4));
    return atls_reader_u32le(&r);
}

/*@ requires valid_buf(all);
    assigns \nothing; */
static uint64_t u64_at(atls_buf all, size_t offset)
{
    atls_reader r = atls_reader_of(at(all, offset, 8));
    return atls_reader_u64le(&r);
}

/*@ requires valid_buf(all);
    assigns \nothing; */
static bool zero_at(atls_buf all, size_t offset, size_t len)
{
    return is_zero(at(all, offset, len));
}

/* Is something in the signed part set that this version has no meaning for? */
/*@ requires valid_buf(all);
    assigns \nothing; */
static bool reserved_is_set(atls_buf all, uint32_t version, uint32_t signer_info, uint64_t policy)
{
    const bool has_author_key = signer_info % 2 == 1;
    return signer_info > SIGNER_INFO_KNOWN || policy > POLICY_KNOWN || !zero_at(all, 0x04c, 4) ||
           (!has_author_key && !zero_at(all, 0x110, 48)) || !zero_at(all, 0x18b, 21) ||
           (version < 3 && !zero_at(all, 0x188, 3)) || !zero_at(all, 0x1eb, 1) ||
           !zero_at(all, 0x1ef, 1) || (version < 5 && !zero_at(all, 0x1f8, 16)) ||
           !zero_at(all, 0x208, 152);
}

/* The high halves of r and s, and what follows them, are zero; no signature covers them. */
/*@ requires valid_buf(all);
    assigns \nothing; */
static bool tail_is_zero(atls_buf all)
{
    return zero_at(all, 0x2d0, 24) && zero_at(all, 0x318, 24) && zero_at(all, 0x330, 368);
}

/*@ requires valid_buf(all);
    assigns \nothing; */
static atls_snp_report lay_out(atls_buf all)
{
    const atls_snp_report p = {
        .version = u32_at(all, 0x000),
        .guest_svn = u32_at(all, 0x004),
        .policy = u64_at(all, 0x008),
        .family_id = at(all, 0x010, 16),
        .image_id = at(all, 0x020, 16),
        .vmpl = u32_at(all, 0x030),
        .current_tcb = at(all, 0x038, 8),
        .platform_info = u64_at(all, 0x040),
        .signer_info = u32_at(all, 0x048),
        .report_data = at(all, 0x050, 64),
        .measurement = at(all, 0x090, 48),
        .host_data = at(all, 0x0c0, 32),
        .id_key_digest = at(all, 0x0e0, 48),
        .author_key_digest = at(all, 0x110, 48),
        .report_id = at(all, 0x140, 32),
        .report_id_ma = at(all, 0x160, 32),
        .reported_tcb = at(all, 0x180, 8),
        .family = u8_at(all, 0x188),
        .model = u8_at(all, 0x189),
        .stepping = u8_at(all, 0x18a),
        .chip_id = at(all, 0x1a0, 64),
        .committed_tcb = at(all, 0x1e0, 8),
        .current_version = at(all, 0x1e8, 3),
        .committed_version = at(all, 0x1ec, 3),
        .launch_tcb = at(all, 0x1f0, 8),
        .launch_mit_vector = u64_at(all, 0x1f8),
        .current_mit_vector = u64_at(all, 0x200),
        .signed_range = at(all, 0, ATLS_SNP_SIGNED_LEN),
        .r = at(all, 0x2a0, 48),
        .s = at(all, 0x2e8, 48),
    };
    return p;
}

/*@ requires \valid_read(p) && (err == \null || \valid(err)) && \separated(p, err);
    assigns *err; */
static atls_code check_head(const atls_snp_report *p, uint32_t algorithm, atls_err *err)
{
    if (p->version < ATLS_SNP_VERSION_MIN || p->version > ATLS_SNP_VERSION_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "snp.report.version",
                        "report version %u, where 2 to 5 are known", (unsigned)p->version);
    }
    if (algorithm != ALGORITHM_ECDSA_P384_SHA384) {
        return ATLS_ERR(err, ATLS_E_INVALID, "snp.report.algorithm",
                        "signature algorithm %u, where 1 (ECDSA on P-384 with SHA-384) is wanted",
                        (unsigned)algorithm);
    }
    unsigned key = p->signer_info / SIGNING_KEY_AT % SIGNING_KEYS;
    if (key != ATLS_SNP_VCEK && key != ATLS_SNP_VLEK) {
        return ATLS_ERR(err, ATLS_E_INVALID, "snp.report.signer",
                        "signing key %u%s, where 0 (VCEK) or 1 (VLEK) is wanted", key,
                        key == SIGNING_KEY_NONE ? " (none: nobody signed it)" : "");
    }
    if (p->policy / ATLS_SNP_POLICY_ALWAYS_ONE % 2 != 1) {
        return ATLS_ERR(err, ATLS_E_INVALID, "snp.report.policy",
                        "a guest policy without bit 17, which is always set");
    }
    if (p->vmpl > VMPL_MAX) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "snp.report.vmpl",
            "VMPL %u, where a guest has 0 to 3; all ones: the host asked for this report",
            (unsigned)p->vmpl);
    }
    return ATLS_OK;
}

atls_code atls_snp_report_parse(atls_buf bytes, atls_snp_report *out, atls_err *err)
{
    if (bytes.len != ATLS_SNP_REPORT_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "snp.report.size",
                        "a report of %zu bytes, where it has %d", bytes.len, ATLS_SNP_REPORT_LEN);
    }
    atls_snp_report p = lay_out(bytes);
    ATLS_TRY(check_head(&p, u32_at(bytes, ALGORITHM_AT), err));
    if (!tail_is_zero(bytes)) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "snp.report.tail",
            "bytes around the signature that must be zero, and which it does not cover, are not");
    }
    p.signing_key =
        p.signer_info / SIGNING_KEY_AT % SIGNING_KEYS == 0 ? ATLS_SNP_VCEK : ATLS_SNP_VLEK;
    p.has_cpuid = p.version >= 3;
    p.reserved_set = reserved_is_set(bytes, p.version, p.signer_info, p.policy);
    *out = p;
    return ATLS_OK;
}

bool atls_snp_report_looks(atls_buf bytes, bool more)
{
    if (bytes.len < ATLS_SNP_REPORT_LEN || (!more && bytes.len > ATLS_SNP_REPORT_LEN)) {
        return false;
    }
    const uint32_t version = u32_at(bytes, 0);
    return version > 0 && version < 0x100 && u32_at(bytes, ALGORITHM_AT) < 0x100;
}
