#include "binding/constellation_document.h"

#include <string.h>

#include "base/err.h"
#include "binding/constellation_parts.h"
#include "binding/go_json.h"
#include "binding/sevsnp.h"
#include "codec/base64.h"
#include "crypto/digest.h"
#include "crypto/pem.h"

#define JSON_CHECK    "constellation.json"
#define MEMBER        "constellation.member"
#define INSTANCE_INFO "constellation.instance_info"
#define GO_SHA256     11 /* a bank, as the number of its algorithm */
#define PCRS          24
#define CHAIN_MAX     32768u /* bytes of PEM */

/* --- variants --- */

/* 1.3.9900.x.y; dummy proves nothing, a vTPM's quote alone nothing about the machine; AWS's report names the key that its
 * guest named, so that any guest of the same firmware can claim any PCRs. */
static const atls_constellation_variant variants[] = {
    {"dummy", {0x2b, 0xcd, 0x2c, 1, 1}, ATLS_CONSTELLATION_DUMMY, false, "dummy"},
    {"aws-nitro-tpm", {0x2b, 0xcd, 0x2c, 2, 1}, ATLS_CONSTELLATION_TPM, false, "tpm"},
    {"aws-sev-snp", {0x2b, 0xcd, 0x2c, 2, 2}, ATLS_CONSTELLATION_AWS_SNP, false, "snp-tpm"},
    {"gcp-sev-es", {0x2b, 0xcd, 0x2c, 3, 1}, ATLS_CONSTELLATION_TPM, true, "tpm"},
    {"gcp-sev-snp", {0x2b, 0xcd, 0x2c, 3, 2}, ATLS_CONSTELLATION_GCP_SNP, true, "snp-tpm"},
    {"azure-sev-snp", {0x2b, 0xcd, 0x2c, 4, 1}, ATLS_CONSTELLATION_AZURE_SNP, true, "azure"},
    {"azure-trustedlaunch", {0x2b, 0xcd, 0x2c, 4, 2}, ATLS_CONSTELLATION_AK_CERT, true, "tpm"},
    {"azure-tdx", {0x2b, 0xcd, 0x2c, 4, 3}, ATLS_CONSTELLATION_AZURE_TDX, true, "azure"},
    {"qemu-vtpm", {0x2b, 0xcd, 0x2c, 5, 1}, ATLS_CONSTELLATION_TPM, false, "tpm"},
    {"qemu-tdx", {0x2b, 0xcd, 0x2c, 5, 99}, ATLS_CONSTELLATION_TDX, true, "tdx"},
};

const atls_constellation_variant *atls_constellation_variant_at(size_t i)
{
    return i < sizeof variants / sizeof variants[0] ? &variants[i] : NULL;
}

const atls_constellation_variant *atls_constellation_variant_find(atls_buf name)
{
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        if (strlen(variants[i].name) == name.len &&
            memcmp(variants[i].name, name.ptr, name.len) == 0) {
            return &variants[i];
        }
    }
    return NULL;
}

/* --- what is bound --- */

atls_code atls_constellation_user_data(atls_buf spki, uint8_t out[32], atls_err *err)
{
    return atls_digest(ATLS_SHA256, &spki, 1, out, err);
}

atls_code atls_constellation_extra_data(const uint8_t user_data[32], const uint8_t nonce[32],
                                        uint8_t out[32], atls_err *err)
{
    const atls_buf pieces[] = {{user_data, 32}, {nonce, 32}};
    return atls_digest(ATLS_SHA256, pieces, 2, out, err);
}

atls_code atls_constellation_tpm_nonce(atls_buf instance_info, const uint8_t extra_data[32],
                                       uint8_t out[32], atls_err *err)
{
    const atls_buf pieces[] = {instance_info, {extra_data, 32}};
    return atls_digest(ATLS_SHA256, pieces, 2, out, err);
}

/* --- reading --- */

typedef struct reading {
    const atls_constellation_variant *variant;
    const json_t *root;
    const uint8_t *nonce;
    uint8_t extra_data[32];
    atls_carried *out;
    atls_carried temp; /* room for what is no evidence */
    atls_err *err;
} reading;

static atls_code needed(const reading *r, const char *check, const char *name, atls_buf found)
{
    return found.len > 0 ? ATLS_OK
                         : ATLS_ERR(r->err, ATLS_E_INVALID, check, "there is no \"%s\"", name);
}

static atls_code add(const reading *r, const char *part, atls_buf bytes)
{
    return bytes.len == 0 || atls_carried_add(r->out, part, bytes) ? ATLS_OK
                                                                   : ATLS_ERR_NOMEM(r->err);
}

/* A member that has to be there, as a part. */
static atls_code take(const reading *r, const json_t *from, const char *name, const char *part)
{
    atls_buf bytes;
    ATLS_TRY(atls_go_bytes(from, name, MEMBER, r->out, &bytes, r->err));
    ATLS_TRY(needed(r, MEMBER, name, bytes));
    return add(r, part, bytes);
}

static void expect(const reading *r, const uint8_t value[32])
{
    r->out->expected.has_nonce = true;
    memcpy(r->out->expected.nonce, value, 32);
    r->out->expected.nonce_len = 32;
}

/* --- the quote --- */

/* The place of a PCR, written as Go writes numbers; PCRS: it is none. */
static unsigned pcr_of(const char *name)
{
    const size_t len = strlen(name);
    unsigned n = 0;
    for (size_t i = 0; i < len; i++) {
        if (len > 2 || name[i] < '0' || name[i] > '9' || (i == 0 && len == 2 && name[0] == '0')) {
            return PCRS;
        }
        n = n * 10 + (unsigned)(name[i] - '0');
    }
    return len > 0 && n < PCRS ? n : PCRS;
}

static bool decode_pcr(const json_t *value, uint8_t out[32])
{
    size_t len = 0;
    const atls_buf text = {(const uint8_t *)json_string_value(value), json_string_length(value)};
    return json_is_string(value) && text.len == 44 && atls_base64_decode(text, out, 32, &len) &&
           len == 32;
}

/* Values one after another, as the TPM hashes them: PCRs rising. Which PCRs they are the verifier takes from what is signed. */
static atls_code take_pcrs(const reading *r, const json_t *map)
{
    const char *key = NULL;
    json_t *value = NULL;
    uint8_t values[PCRS][32];
    bool there[PCRS] = {false};
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        const unsigned pcr = pcr_of(key);
        if (pcr == PCRS || !decode_pcr(value, values[pcr])) {
            return ATLS_ERR(r->err, ATLS_E_INVALID, "constellation.pcrs",
                            "a PCR that is no number below %d, or has no 32 bytes", PCRS);
        }
        there[pcr] = true;
    }
    uint8_t *room = atls_carried_room(r->out, sizeof values);
    size_t len = 0;
    if (room == NULL) {
        return ATLS_ERR_NOMEM(r->err);
    }
    for (size_t i = 0; i < PCRS; i++) {
        if (there[i]) {
            memcpy(room + len, values[i], 32);
            len += 32;
        }
    }
    return len > 0 ? add(r, "pcrs", (atls_buf){room, len})
                   : ATLS_ERR(r->err, ATLS_E_INVALID, "constellation.pcrs", "a quote of no PCR");
}

/* The first quote of the bank of SHA-256: the one whose values are compared, and so the one that has to be signed. Whether
 * one of another bank is signed says nothing about it. */
static atls_code choose_quote(const reading *r, const json_t *attestation, const json_t **quote,
                              const json_t **pcrs)
{
    const json_t *list = NULL;
    ATLS_TRY(atls_go_member(attestation, "quotes", MEMBER, &list, r->err));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *bank = NULL;
        const json_t *hash = NULL;
        *quote = json_array_get(list, i);
        ATLS_TRY(atls_go_object(*quote, "pcrs", MEMBER, &bank, r->err));
        ATLS_TRY(atls_go_member(bank, "hash", MEMBER, &hash, r->err));
        if (json_is_integer(hash) && json_integer_value(hash) == GO_SHA256) {
            return atls_go_object(bank, "pcrs", "constellation.pcrs", pcrs, r->err);
        }
    }
    return ATLS_ERR(r->err, ATLS_E_INVALID, "constellation.quote",
                    "none of %zu quotes is of PCRs in the bank of SHA-256", json_array_size(list));
}

static atls_code read_quote(const reading *r)
{
    const json_t *attestation = NULL;
    const json_t *quote = NULL;
    const json_t *pcrs = NULL;
    atls_buf log;
    ATLS_TRY(atls_go_object(r->root, "Attestation", MEMBER, &attestation, r->err));
    ATLS_TRY(choose_quote(r, attestation, &quote, &pcrs));
    ATLS_TRY(take(r, quote, "quote", "quote"));
    ATLS_TRY(take(r, quote, "raw_sig", "signature"));
    ATLS_TRY(take_pcrs(r, pcrs));
    ATLS_TRY(take(r, attestation, "ak_pub", "ak_public"));
    if (r->variant->form == ATLS_CONSTELLATION_TPM ||
        r->variant->form == ATLS_CONSTELLATION_GCP_SNP) {
        atls_buf cert; /* Google's TPMs have one; it counts as far as it leads to a root */
        ATLS_TRY(atls_go_bytes(attestation, "ak_cert", MEMBER, r->out, &cert, r->err));
        ATLS_TRY(add(r, "ak_cert", cert));
    }
    ATLS_TRY(atls_go_bytes(attestation, "event_log", MEMBER, r->out, &log, r->err));
    return add(r, "event_log", log);
}

/* --- InstanceInfo --- */

/* The first certificate of PEM in room of c; nothing is fine. */
static atls_code certificate_of(reading *r, const json_t *info, const char *name, atls_carried *c,
                                atls_buf *der)
{
    atls_buf pem;
    size_t used = 0;
    *der = (atls_buf){NULL, 0};
    ATLS_TRY(atls_go_bytes(info, name, INSTANCE_INFO, &r->temp, &pem, r->err));
    if (pem.len == 0) {
        return ATLS_OK;
    }
    uint8_t *room = pem.len <= CHAIN_MAX ? atls_carried_room(c, pem.len) : NULL;
    if (room == NULL || !atls_pem_next(&pem, "CERTIFICATE", room, pem.len, &used, der)) {
        return ATLS_ERR(r->err, ATLS_E_INVALID, "constellation.certificate",
                        "\"%s\" is no certificate in PEM", name);
    }
    return ATLS_OK;
}

/* The leaf alone, for evidence that has no place for its issuer. */
static atls_code take_leaf(reading *r, const json_t *info)
{
    atls_buf der;
    ATLS_TRY(certificate_of(r, info, "ReportSigner", r->out, &der));
    return add(r, "vcek", der);
}

/* Leaf and issuer, as the table that an SNP host would hand out; which kind of leaf, the report says (SIGNER_INFO). */
static atls_code take_chain(reading *r, const json_t *info, atls_buf report)
{
    atls_sevsnp s = {.vcek = {NULL, 0}};
    const bool is_vlek = report.len > 0x48 && report.ptr[0x48] / 4 % 8 == 1;
    ATLS_TRY(certificate_of(r, info, "ReportSigner", &r->temp, is_vlek ? &s.vlek : &s.vcek));
    ATLS_TRY(certificate_of(r, info, "CertChain", &r->temp, &s.ask));
    const size_t len = atls_sevsnp_table_len(&s);
    uint8_t *room = len > 0 ? atls_carried_room(r->out, len) : NULL;
    if (room == NULL) {
        return len > 0 ? ATLS_ERR_NOMEM(r->err) : ATLS_OK;
    }
    atls_writer w = atls_writer_of(room, len);
    atls_sevsnp_table_write(&w, &s);
    return add(r, "certs", atls_writer_done(&w));
}

static atls_code read_azure(reading *r, const json_t *info, bool is_tdx)
{
    const json_t *at = info;
    atls_buf report, runtime;
    if (!is_tdx) {
        ATLS_TRY(atls_go_object(info, "Azure", INSTANCE_INFO, &at, r->err));
    }
    ATLS_TRY(atls_go_bytes(info, "AttestationReport", INSTANCE_INFO, r->out, &report, r->err));
    ATLS_TRY(atls_go_bytes(at, "RuntimeData", INSTANCE_INFO, &r->temp, &runtime, r->err));
    ATLS_TRY(needed(r, INSTANCE_INFO, "AttestationReport", report));
    ATLS_TRY(needed(r, INSTANCE_INFO, "RuntimeData", runtime));
    uint8_t *room = runtime.len <= ATLS_HCL_RUNTIME_MAX
                        ? atls_carried_room(r->out, ATLS_HCL_HEAD_LEN + runtime.len)
                        : NULL;
    if (room == NULL || !(is_tdx ? atls_hcl_write_tdx(report, runtime, room)
                                 : atls_hcl_write_snp(report, runtime, room))) {
        return ATLS_ERR(r->err, ATLS_E_INVALID, INSTANCE_INFO,
                        "a report of %zu bytes and runtime data of %zu, which are no %s's",
                        report.len, runtime.len, is_tdx ? "TDX quote" : "SNP report");
    }
    ATLS_TRY(add(r, "hcl_report", (atls_buf){room, ATLS_HCL_HEAD_LEN + runtime.len}));
    return is_tdx ? add(r, "td_quote", report) : take_leaf(r, info);
}

static atls_code read_snp(reading *r, const json_t *info)
{
    atls_buf report;
    ATLS_TRY(atls_go_bytes(info, "AttestationReport", INSTANCE_INFO, r->out, &report, r->err));
    ATLS_TRY(needed(r, INSTANCE_INFO, "AttestationReport", report));
    ATLS_TRY(add(r, "snp_report", report));
    if (r->variant->form == ATLS_CONSTELLATION_GCP_SNP) {
        r->out->expected.has_hardware_data = true; /* and zeros behind it */
        memcpy(r->out->expected.hardware_data, r->extra_data, sizeof r->extra_data);
    }
    return take_chain(r, info, report);
}

static atls_code read_ak_cert(const reading *r, const json_t *info)
{
    atls_buf der;
    ATLS_TRY(atls_go_bytes(info, "AkCert", INSTANCE_INFO, r->out, &der, r->err));
    ATLS_TRY(needed(r, INSTANCE_INFO, "AkCert", der));
    return add(r, "ak_cert", der);
}

static atls_code read_by_form(reading *r, const json_t *info)
{
    switch (r->variant->form) {
    case ATLS_CONSTELLATION_AZURE_SNP:
    case ATLS_CONSTELLATION_AZURE_TDX:
        return read_azure(r, info, r->variant->form == ATLS_CONSTELLATION_AZURE_TDX);
    case ATLS_CONSTELLATION_GCP_SNP:
    case ATLS_CONSTELLATION_AWS_SNP:
        return read_snp(r, info);
    case ATLS_CONSTELLATION_AK_CERT:
        return read_ak_cert(r, info);
    default:
        return ATLS_OK;
    }
}

/* Its bytes go into the nonce as they stand there, whatever they say; only those variants read it that find evidence in it. */
static atls_code read_instance_info(reading *r)
{
    atls_buf bytes;
    json_t *info = NULL;
    uint8_t tpm_nonce[32];
    ATLS_TRY(atls_go_bytes(r->root, "InstanceInfo", MEMBER, &r->temp, &bytes, r->err));
    ATLS_TRY(atls_constellation_tpm_nonce(bytes, r->extra_data, tpm_nonce, r->err));
    expect(r, tpm_nonce);
    if (r->variant->form == ATLS_CONSTELLATION_TPM) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_json_parse(bytes, ATLS_CONSTELLATION_DOCUMENT_MAX, INSTANCE_INFO, &info, r->err));
    const atls_code rc = read_by_form(r, info);
    json_decref(info);
    return rc;
}

/* --- the whole --- */

static atls_code check_copy(reading *r, const char *name, const uint8_t wanted[32],
                            const char *check)
{
    atls_buf found;
    ATLS_TRY(atls_go_bytes(r->root, name, MEMBER, &r->temp, &found, r->err));
    return atls_equal(found, (atls_buf){wanted, 32})
               ? ATLS_OK
               : ATLS_ERR(r->err, ATLS_E_BINDING, check,
                          "\"%s\" of the document is not that of this connection", name);
}

/* It is signed by nobody: what it says of the connection is all that there is. */
static atls_code read_dummy(reading *r)
{
    ATLS_TRY(check_copy(r, "Nonce", r->nonce, "constellation.nonce"));
    uint8_t *room = atls_carried_room(r->out, 64);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(r->err);
    }
    memset(room, 0, 64);
    memcpy(room, r->extra_data, sizeof r->extra_data);
    expect(r, r->extra_data);
    return add(r, "report_data", (atls_buf){room, 64});
}

static atls_code read_document(reading *r, const uint8_t user_data[32])
{
    r->out->evidence.type = r->variant->type;
    ATLS_TRY(check_copy(r, "UserData", user_data, "constellation.user_data"));
    ATLS_TRY(atls_constellation_extra_data(user_data, r->nonce, r->extra_data, r->err));
    switch (r->variant->form) {
    case ATLS_CONSTELLATION_DUMMY:
        return read_dummy(r);
    case ATLS_CONSTELLATION_TDX:
        expect(r, r->extra_data);
        return take(r, r->root, "RawQuote", "quote");
    default:
        ATLS_TRY(read_quote(r));
        return read_instance_info(r);
    }
}

atls_code atls_constellation_document_read(const atls_constellation_variant *variant,
                                           atls_buf document, const uint8_t user_data[32],
                                           const uint8_t nonce[32], atls_carried *out,
                                           atls_err *err)
{
    json_t *root = NULL;
    atls_carried made = {0};
    ATLS_TRY(atls_json_parse(document, ATLS_CONSTELLATION_DOCUMENT_MAX, JSON_CHECK, &root, err));
    reading r = {.variant = variant, .root = root, .nonce = nonce, .out = &made, .err = err};
    const atls_code rc = read_document(&r, user_data);
    atls_carried_clear(&r.temp);
    json_decref(root);
    if (rc != ATLS_OK) {
        atls_carried_clear(&made);
        return rc;
    }
    *out = made;
    return ATLS_OK;
}
