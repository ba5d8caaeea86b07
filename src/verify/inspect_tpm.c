/* inspect_tpm.c: a TPM's attestation, signature and public area, and the report of Azure's paravisor with its JSON. */
#include "verify/inspect.h"

#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "evidence/tpm/attest.h"
#include "evidence/tpm/hcl.h"
#include "evidence/tpm/signature.h"
#include "trust/tpm_key.h"

/* TPM_ALG_ID, curves and attributes by their names in the TPM 2.0 Library, part 2. */
static const char *alg_name(uint16_t alg)
{
    static const struct {
        uint16_t alg;
        const char *name;
    } names[] = {{ATLS_TPM_ALG_RSA, "RSA"},       {ATLS_TPM_ALG_SHA1, "SHA1"},
                 {ATLS_TPM_ALG_AES, "AES"},       {ATLS_TPM_ALG_SHA256, "SHA256"},
                 {ATLS_TPM_ALG_SHA384, "SHA384"}, {ATLS_TPM_ALG_SHA512, "SHA512"},
                 {ATLS_TPM_ALG_NULL, "NULL"},     {ATLS_TPM_ALG_RSASSA, "RSASSA"},
                 {ATLS_TPM_ALG_RSAES, "RSAES"},   {ATLS_TPM_ALG_RSAPSS, "RSAPSS"},
                 {ATLS_TPM_ALG_OAEP, "OAEP"},     {ATLS_TPM_ALG_ECDSA, "ECDSA"},
                 {ATLS_TPM_ALG_ECDAA, "ECDAA"},   {ATLS_TPM_ALG_ECC, "ECC"},
                 {ATLS_TPM_ALG_CFB, "CFB"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].alg == alg) {
            return names[i].name;
        }
    }
    return NULL;
}

static void put_alg(json_t *to, const char *name, uint16_t alg)
{
    char number[16];
    const char *known = alg_name(alg);
    (void)snprintf(number, sizeof number, "0x%04x", (unsigned)alg);
    atls_inspect_text(to, name, known != NULL ? known : number);
}

static void put_attributes(json_t *to, uint32_t attributes)
{
    static const char *const names[32] = {[1] = "fixedTPM",        [2] = "stClear",
                                          [4] = "fixedParent",     [5] = "sensitiveDataOrigin",
                                          [6] = "userWithAuth",    [7] = "adminWithPolicy",
                                          [8] = "firmwareLimited", [9] = "svnLimited",
                                          [10] = "noDA",           [11] = "encryptedDuplication",
                                          [16] = "restricted",     [17] = "decrypt",
                                          [18] = "sign",           [19] = "x509sign"};
    json_t *list = atls_inspect_list(to, "attributes");
    for (unsigned bit = 0; bit < 32; bit++) {
        if ((attributes >> bit) % 2 == 1) {
            char unknown[16];
            (void)snprintf(unknown, sizeof unknown, "bit %u", bit);
            (void)json_array_append_new(list,
                                        json_string(names[bit] != NULL ? names[bit] : unknown));
        }
    }
}

static void put_pcrs(json_t *to, const atls_tpm_attest *a)
{
    json_t *list = atls_inspect_list(to, "pcr_selection");
    for (size_t i = 0; i < a->selections_n; i++) {
        json_t *one = atls_inspect_item(list);
        put_alg(one, "bank", a->selections[i].hash);
        json_t *pcrs = atls_inspect_list(one, "pcrs");
        for (unsigned pcr = 0; pcr < 24; pcr++) {
            if ((a->selections[i].pcrs >> pcr) % 2 == 1) {
                (void)json_array_append_new(pcrs, json_integer(pcr));
            }
        }
    }
}

static atls_code put_attest(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_tpm_attest a;
    const atls_code rc = atls_tpm_attest_parse(bytes, &a, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    uint8_t version[8];
    uint64_t left = a.firmware_version;
    for (size_t i = sizeof version; i-- > 0;) {
        version[i] = (uint8_t)(left % 256);
        left /= 256;
    }
    atls_inspect_text(to, "type", "TPM_ST_ATTEST_QUOTE");
    atls_inspect_hex(to, "qualified_signer", a.qualified_signer);
    atls_inspect_hex(to, "qualifying_data", a.qualifying_data);
    atls_inspect_number(to, "clock", a.clock_ms);
    atls_inspect_number(to, "reset_count", a.reset_count);
    atls_inspect_number(to, "restart_count", a.restart_count);
    atls_inspect_bool(to, "safe", a.safe);
    atls_inspect_hex(to, "firmware_version", (atls_buf){version, sizeof version});
    put_pcrs(to, &a);
    atls_inspect_hex(to, "pcr_digest", a.pcr_digest);
    return ATLS_OK;
}

static atls_code put_signature(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_tpm_signature s;
    const atls_code rc = atls_tpm_signature_parse(bytes, &s, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    put_alg(to, "scheme", s.scheme);
    put_alg(to, "hash", s.hash);
    atls_inspect_bool(to, "bare", s.is_bare);
    if (s.scheme == ATLS_TPM_ALG_ECDSA) {
        atls_inspect_hex(to, "r", s.r);
        atls_inspect_hex(to, "s", s.s);
    } else {
        atls_inspect_hex(to, "rsa", s.rsa);
    }
    return ATLS_OK;
}

static atls_code put_area(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_tpm_public p;
    uint8_t name[ATLS_TPM_NAME_MAX];
    size_t len = 0;
    atls_code rc = atls_tpm_public_parse(bytes, &p, err);
    rc = rc == ATLS_OK ? atls_tpm_public_name(&p, name, &len, err) : rc;
    if (rc != ATLS_OK) {
        return rc;
    }
    put_alg(to, "type", p.type);
    put_alg(to, "name_alg", p.name_alg);
    atls_inspect_hex(to, "name", (atls_buf){name, len});
    put_attributes(to, p.attributes);
    atls_inspect_hex(to, "auth_policy", p.auth_policy);
    put_alg(to, "symmetric", p.symmetric);
    put_alg(to, "scheme", p.scheme);
    if (p.scheme != ATLS_TPM_ALG_NULL) {
        put_alg(to, "scheme_hash", p.scheme_hash);
    }
    if (p.type == ATLS_TPM_ALG_RSA) {
        atls_inspect_number(to, "key_bits", p.key_bits);
        atls_inspect_number(to, "exponent", p.exponent == 0 ? 65537 : p.exponent);
        atls_inspect_hex(to, "modulus", p.modulus);
    } else {
        static const char *const curves[] = {"NIST P-256", "NIST P-384", "NIST P-521"};
        const bool known = p.curve >= ATLS_TPM_ECC_P256 && p.curve <= ATLS_TPM_ECC_P521;
        atls_inspect_text(to, "curve", known ? curves[p.curve - ATLS_TPM_ECC_P256] : "unknown");
        atls_inspect_hex(to, "x", p.x);
        atls_inspect_hex(to, "y", p.y);
    }
    return ATLS_OK;
}

static atls_code put_hcl(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_hcl h;
    json_t *runtime = NULL;
    atls_err why = {0};
    const atls_code rc = atls_hcl_parse(bytes, &h, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    atls_inspect_number(to, "version", h.version);
    atls_inspect_text(to, "report_type", h.is_tdx ? "TDREPORT" : "SNP report");
    atls_inspect_number(to, "hash_type", h.hash_type);
    if (h.is_tdx) {
        const atls_td_report_fields td = atls_hcl_td_report(h.report);
        json_t *report = atls_inspect_object(to, "td_report");
        atls_inspect_hex(report, "report_data", td.report_data);
        atls_inspect_hex(report, "td_attributes", td.attributes);
        atls_inspect_hex(report, "xfam", td.xfam);
        atls_inspect_hex(report, "mrtd", td.mrtd);
        for (int i = 0; i < 4; i++) {
            char name[8];
            (void)snprintf(name, sizeof name, "rtmr%d", i);
            atls_inspect_hex(report, name, td.rtmr[i]);
        }
    } else {
        atls_inspect_hex(to, "report", h.report);
    }
    if (atls_json_parse(h.runtime, ATLS_HCL_MAX_LEN, "tpm.hcl.json", &runtime, &why) == ATLS_OK) {
        (void)json_object_set_new(to, "runtime_data", runtime);
    } else {
        atls_inspect_error(to, &why);
    }
    return ATLS_OK;
}

static bool begins(atls_buf bytes, const char *with)
{
    return bytes.len >= 4 && memcmp(bytes.ptr, with, 4) == 0;
}

bool atls_inspect_is_tpm(atls_buf bytes)
{
    atls_tpm_public area;
    return begins(bytes, "\xff\x54\x43\x47") || begins(bytes, "HCLA") ||
           atls_tpm_public_parse(bytes, &area, NULL) == ATLS_OK;
}

atls_code atls_inspect_tpm(json_t *to, atls_buf bytes, atls_err *err)
{
    if (begins(bytes, "HCLA")) {
        return put_hcl(to, bytes, err);
    }
    return begins(bytes, "\xff\x54\x43\x47") ? put_attest(to, bytes, err)
                                             : put_area(to, bytes, err);
}

bool atls_inspect_tpm_part(json_t *to, const char *name, atls_buf bytes)
{
    atls_err err = {0};
    atls_code rc = ATLS_OK;
    if (strcmp(name, "quote") == 0) {
        rc = put_attest(to, bytes, &err);
    } else if (strcmp(name, "signature") == 0) {
        rc = put_signature(to, bytes, &err);
    } else if (strcmp(name, "ak_public") == 0 && begins(bytes, "----")) {
        rc = ATLS_OK; /* PEM says no more than its key */
    } else if (strcmp(name, "ak_public") == 0) {
        rc = put_area(to, bytes, &err);
    } else if (strcmp(name, "ak_cert") == 0 || strcmp(name, "vcek") == 0) {
        rc = atls_inspect_certificates(to, "certificates", bytes, &err);
    } else if (strcmp(name, "hcl_report") == 0) {
        rc = put_hcl(to, bytes, &err);
    } else if (strcmp(name, "td_quote") == 0) {
        rc = atls_inspect_quote(to, bytes, &err);
    } else {
        return false;
    }
    if (rc != ATLS_OK) {
        atls_inspect_error(to, &err);
    }
    return true;
}
