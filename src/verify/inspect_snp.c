/* inspect_snp.c: every field of an SNP report, with a name for every bit, and the certificate table. */
#include "verify/inspect.h"

#include <stdio.h>

#include "evidence/snp/report.h"
#include "trust/amd_cert_table.h"
#include "trust/amd_product.h"

typedef struct bit_name {
    unsigned bit;
    const char *name;
} bit_name;

/* AMD 56860, tables of GUEST_POLICY, PLATFORM_INFO and SIGNER_INFO. */
static const bit_name policy_bits[] = {
    {16, "SMT allowed"},          {17, "always one"},       {18, "MIGRATION AGENT allowed"},
    {19, "DEBUG allowed"},        {20, "single socket"},    {21, "CXL allowed"},
    {22, "AES-256-XTS required"}, {23, "RAPL must be off"}, {24, "ciphertext hiding required"},
    {25, "page swap disabled"},
};
static const bit_name platform_bits[] = {
    {0, "SMT on"},
    {1, "TSME on"},
    {2, "ECC on"},
    {3, "RAPL off"},
    {4, "ciphertext hiding on"},
    {5, "alias check complete"},
    {7, "SEV-TIO on"},
};
static const bit_name signer_bits[] = {{0, "AUTHOR_KEY_EN"}, {1, "MASK_CHIP_KEY"}};

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

/* Version 2 does not say which product it is of; then the chip id tells Turin from the others. */
static atls_amd_product product_of(const atls_snp_report *r)
{
    if (r->has_cpuid) {
        return atls_amd_product_by_cpuid(r->family, r->model);
    }
    uint8_t low = 0;
    uint8_t high = 0;
    for (size_t i = 0; i < r->chip_id.len; i++) {
        if (i < 8) {
            low |= r->chip_id.ptr[i];
        } else {
            high |= r->chip_id.ptr[i];
        }
    }
    return low != 0 && high == 0 ? ATLS_AMD_TURIN : ATLS_AMD_MILAN;
}

static void put_tcb(json_t *to, const char *name, atls_buf raw, atls_amd_product product)
{
    json_t *o = atls_inspect_object(to, name);
    const atls_snp_tcb t = atls_amd_tcb(raw.ptr, product);
    atls_inspect_hex(o, "raw", raw);
    if (t.has_fmc) {
        atls_inspect_number(o, "fmc", t.fmc);
    }
    atls_inspect_number(o, "boot_loader", t.bootloader);
    atls_inspect_number(o, "tee", t.tee);
    atls_inspect_number(o, "snp", t.snp);
    atls_inspect_number(o, "microcode", t.microcode);
}

static void put_version(json_t *to, const char *name, atls_buf v)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%u.%u.%u", (unsigned)v.ptr[2], (unsigned)v.ptr[1],
                   (unsigned)v.ptr[0]);
    atls_inspect_text(to, name, text);
}

static void put_guest(json_t *to, const atls_snp_report *r)
{
    char abi[16];
    (void)snprintf(abi, sizeof abi, "%u.%u", (unsigned)(r->policy / 256 % 256),
                   (unsigned)(r->policy % 256));
    atls_inspect_number(to, "guest_svn", r->guest_svn);
    atls_inspect_number(to, "policy", r->policy);
    atls_inspect_text(to, "policy_abi_minimum", abi);
    put_bits(to, "policy_flags", r->policy / 65536 * 65536, BITS(policy_bits));
    atls_inspect_number(to, "vmpl", r->vmpl);
    atls_inspect_hex(to, "family_id", r->family_id);
    atls_inspect_hex(to, "image_id", r->image_id);
    atls_inspect_hex(to, "report_data", r->report_data);
    atls_inspect_hex(to, "measurement", r->measurement);
    atls_inspect_hex(to, "host_data", r->host_data);
    atls_inspect_hex(to, "id_key_digest", r->id_key_digest);
    atls_inspect_hex(to, "author_key_digest", r->author_key_digest);
    atls_inspect_hex(to, "report_id", r->report_id);
    atls_inspect_hex(to, "report_id_ma", r->report_id_ma);
}

static void put_platform(json_t *to, const atls_snp_report *r)
{
    const atls_amd_product product = product_of(r);
    atls_inspect_number(to, "platform_info", r->platform_info);
    put_bits(to, "platform_info_flags", r->platform_info, BITS(platform_bits));
    if (r->has_cpuid) {
        atls_inspect_text(to, "product", atls_amd_product_name(product));
        atls_inspect_number(to, "cpuid_family", r->family);
        atls_inspect_number(to, "cpuid_model", r->model);
        atls_inspect_number(to, "cpuid_stepping", r->stepping);
    }
    atls_inspect_hex(to, "chip_id", r->chip_id);
    put_tcb(to, "current_tcb", r->current_tcb, product);
    put_tcb(to, "reported_tcb", r->reported_tcb, product);
    put_tcb(to, "committed_tcb", r->committed_tcb, product);
    put_tcb(to, "launch_tcb", r->launch_tcb, product);
    put_version(to, "current_version", r->current_version);
    put_version(to, "committed_version", r->committed_version);
    if (r->version >= 5) {
        atls_inspect_number(to, "launch_mitigation_vector", r->launch_mit_vector);
        atls_inspect_number(to, "current_mitigation_vector", r->current_mit_vector);
    }
    atls_inspect_bool(to, "reserved_bytes_set", r->reserved_set);
}

static atls_code put_report(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_snp_report r;
    const atls_code rc = atls_snp_report_parse(bytes, &r, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    json_t *o = atls_inspect_object(to, "report");
    atls_inspect_number(o, "version", r.version);
    put_guest(o, &r);
    put_platform(o, &r);
    atls_inspect_text(o, "signing_key", r.signing_key == ATLS_SNP_VLEK ? "VLEK" : "VCEK");
    put_bits(o, "signer_info_flags", r.signer_info % 4, BITS(signer_bits));
    atls_inspect_hex(o, "signature_r_little_endian", r.r);
    atls_inspect_hex(o, "signature_s_little_endian", r.s);
    return ATLS_OK;
}

atls_code atls_inspect_cert_table(json_t *to, atls_buf bytes, atls_err *err)
{
    static const char *const names[] = {"vcek", "vlek", "ask", "ark"};
    atls_amd_cert_table t;
    const atls_code rc = atls_amd_cert_table_parse(bytes, &t, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    json_t *o = atls_inspect_object(to, "certificate_table");
    atls_inspect_number(o, "entries", t.n);
    for (unsigned i = ATLS_AMD_VCEK; i <= ATLS_AMD_ARK; i++) {
        atls_err wrong = {0};
        if (t.entry[i].len > 0 &&
            atls_inspect_certificates(o, names[i], t.entry[i], &wrong) != ATLS_OK) {
            atls_inspect_error(atls_inspect_object(o, names[i]), &wrong);
        }
    }
    if (t.entry[ATLS_AMD_CRL].len > 0) {
        atls_inspect_crl(o, "crl", t.entry[ATLS_AMD_CRL]);
    }
    if (t.entry[ATLS_AMD_PLATFORM_INFO].len > 0) {
        atls_inspect_hex(o, "platform_info", t.entry[ATLS_AMD_PLATFORM_INFO]);
    }
    return ATLS_OK;
}

atls_code atls_inspect_snp(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    const atls_buf report = bytes.len > ATLS_SNP_REPORT_LEN
                                ? atls_reader_view(&r, ATLS_SNP_REPORT_LEN)
                                : atls_reader_rest(&r);
    const atls_code rc = put_report(to, report, err);
    const atls_buf table = atls_reader_rest(&r);
    atls_err wrong = {0};
    if (rc == ATLS_OK && table.len > 0 && atls_inspect_cert_table(to, table, &wrong) != ATLS_OK) {
        atls_inspect_error(atls_inspect_object(to, "certificate_table"), &wrong);
    }
    return rc;
}

bool atls_inspect_is_snp(atls_buf bytes)
{
    return atls_snp_report_looks(bytes, true);
}

bool atls_inspect_is_cert_table(atls_buf bytes)
{
    return atls_amd_cert_table_looks(bytes);
}
