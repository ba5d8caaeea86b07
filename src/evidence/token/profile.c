/* What Microsoft Azure Attestation, Intel Trust Authority and Google's Confidential Space say, under the names that
 * policies use. A claim in another form than the issuer's documents give is left out: what needs it then refuses. */
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/hex.h"
#include "evidence/token/token.h"

static const struct {
    const char *claim, *name;
    uint8_t len;
} registers[] = {
    {"tdx_mrtd", "mrtd", 48},
    {"tdx_rtmr0", "rtmr0", 48},
    {"tdx_rtmr1", "rtmr1", 48},
    {"tdx_rtmr2", "rtmr2", 48},
    {"tdx_rtmr3", "rtmr3", 48},
    {"tdx_mrseam", "mrseam", 48},
    {"tdx_mrsignerseam", "mrsignerseam", 48},
    {"tdx_mrconfigid", "mrconfigid", 48},
    {"tdx_mrowner", "mrowner", 48},
    {"tdx_mrownerconfig", "mrownerconfig", 48},
    {"tdx_report_data", "report_data", 64},
    {"sgx_mrenclave", "mrenclave", 32},
    {"sgx_mrsigner", "mrsigner", 32},
    {"sgx_report_data", "report_data", 64},
    {"amber_tdx_mrtd", "mrtd", 48},
    {"amber_sgx_mrenclave", "mrenclave", 32},
    {"amber_sgx_mrsigner", "mrsigner", 32},
    {"amber_report_data", "report_data", 64},
    {"x-ms-sgx-mrenclave", "mrenclave", 32},
    {"x-ms-sgx-mrsigner", "mrsigner", 32},
    {"x-ms-sgx-report-data", "report_data", 64},
    {"x-ms-sevsnpvm-launchmeasurement", "measurement", 48},
    {"x-ms-sevsnpvm-hostdata", "host_data", 32},
    {"x-ms-sevsnpvm-reportdata", "report_data", 64},
    {"x-ms-sevsnpvm-idkeydigest", "id_key_digest", 48},
    {"x-ms-sevsnpvm-authorkeydigest", "author_key_digest", 48},
    {"x-ms-sevsnpvm-familyId", "family_id", 16},
    {"x-ms-sevsnpvm-imageId", "image_id", 16},
};

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void add_measurement(atls_token_facts *facts, atls_token_claims *out, const char *name,
                            const char *hex, size_t len)
{
    size_t n = out->measurements_n;
    size_t got = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(facts->measurements[i].name, name) == 0) {
            return; /* the first claim of a name stands */
        }
    }
    if (hex != NULL && n < ATLS_TOKEN_MEASUREMENTS_MAX &&
        atls_hex_decode(hex, strlen(hex), facts->bytes[n], sizeof facts->bytes[n], &got) &&
        got == len) {
        facts->measurements[n] = (atls_token_measurement){name, {facts->bytes[n], len}};
        out->measurements_n = n + 1;
    }
}

static void add_registers(atls_token_facts *facts, const json_t *from, atls_token_claims *out)
{
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        add_measurement(facts, out, registers[i].name, text_of(from, registers[i].claim),
                        registers[i].len);
    }
}

/* One that says true, or that says neither, counts as debug. */
static void read_debug(const json_t *from, atls_token_claims *out)
{
    static const char *const claims[] = {
        "tdx_is_debuggable",       "sgx_is_debuggable",      "amber_tdx_is_debuggable",
        "amber_sgx_is_debuggable", "x-ms-sgx-is-debuggable", "x-ms-sevsnpvm-is-debuggable",
        "tdx_td_attributes_debug", "sevsnp_is_debuggable",
    };
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        const json_t *value = json_object_get(from, claims[i]);
        if (value != NULL) {
            out->has_debug = true;
            out->debug |= !json_is_false(value);
        }
    }
}

static void read_tcb(const json_t *from, atls_token_claims *out)
{
    const char *status = text_of(from, "attester_tcb_status");
    out->tcb_status = status != NULL ? status : text_of(from, "amber_tcb_status");
}

static atls_tee tee_of(const char *type)
{
    static const struct {
        const char *type;
        atls_tee tee;
    } types[] = {{"sgx", ATLS_TEE_SGX},
                 {"tdx", ATLS_TEE_TDX},
                 {"tdxvm", ATLS_TEE_TDX},
                 {"sevsnpvm", ATLS_TEE_SNP},
                 {"sevsnp", ATLS_TEE_SNP},
                 {"sev-snp", ATLS_TEE_SNP},
                 {"GCP_AMD_SEV_SNP", ATLS_TEE_SNP},
                 {"GCP_INTEL_TDX", ATLS_TEE_TDX}};
    for (size_t i = 0; type != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(type, types[i].type) == 0) {
            return types[i].tee;
        }
    }
    return ATLS_TEE_NONE;
}

static atls_code unclear(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "token.profile", "%s", what);
}

/* --- Microsoft Azure Attestation --- */

/* The values of a virtual machine stand nested; those around them are the VM's own word, and prove no TEE. */
static atls_code read_maa(atls_token_facts *facts, atls_token_claims *out, atls_err *err)
{
    const json_t *inner = json_object_get(facts->all, "x-ms-isolation-tee");
    const json_t *from = inner != NULL ? inner : facts->all;
    const json_t *payload =
        json_object_get(json_object_get(facts->all, "x-ms-runtime"), "client-payload");
    out->kind = ATLS_TOKEN_MAA;
    if (inner != NULL && !json_is_object(inner)) {
        return unclear("x-ms-isolation-tee is not an object", err);
    }
    /* Whoever asks for a token chooses its own "nonce", whosever evidence he sends in. What the TEE said is in here. */
    out->nonces_n = 0;
    (void)atls_token_add_nonce(facts, out, text_of(payload, "nonce"));
    out->attested_tee = tee_of(text_of(from, "x-ms-attestation-type"));
    if (out->attested_tee == ATLS_TEE_NONE) {
        out->status = "none";
        return ATLS_OK;
    }
    const json_t *compliance = json_object_get(from, "x-ms-compliance-status");
    if (compliance != NULL || inner != NULL) {
        const char *word = json_string_value(compliance);
        bool good = word != NULL && (strcmp(word, "azure-compliant-cvm") == 0 ||
                                     strcmp(word, "azure-compliant-uvm") == 0);
        out->status = good ? "affirming" : "contraindicated";
    }
    add_registers(facts, from, out);
    read_debug(from, out);
    read_tcb(from, out);
    return ATLS_OK;
}

/* --- Intel Trust Authority --- */

/* Where the TEE's claims stand: at the top, or (composite tokens) in one object of its name. NULL: this is no such token,
 * or there are two. */
static const json_t *ita_claims(const json_t *all, size_t *n)
{
    static const char *const objects[] = {"tdx", "sgx", "sevsnp"};
    const json_t *found = NULL;
    *n = 0;
    if (json_object_get(all, "attester_type") != NULL ||
        json_object_get(all, "amber_evidence_type") != NULL) {
        found = all;
        *n = 1;
    }
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        const json_t *object = json_object_get(all, objects[i]);
        if (json_object_get(object, "attester_type") != NULL) {
            found = object;
            (*n)++;
        }
    }
    return found;
}

static atls_code read_ita(atls_token_facts *facts, const json_t *from, size_t n,
                          atls_token_claims *out, atls_err *err)
{
    const json_t *nonce = json_object_get(facts->all, "verifier_nonce");
    const json_t *unmatched = json_object_get(facts->all, "policy_ids_unmatched");
    out->kind = ATLS_TOKEN_ITA;
    if (n > 1) {
        return unclear("claims of two TEEs, where which one is meant would be a guess", err);
    }
    nonce = nonce != NULL ? nonce : json_object_get(from, "verifier_nonce");
    if (!atls_token_add_nonce(facts, out, text_of(nonce, "val"))) {
        return unclear("too many nonces", err);
    }
    const char *type = text_of(from, "attester_type");
    out->attested_tee = tee_of(type != NULL ? type : text_of(from, "amber_evidence_type"));
    if (unmatched != NULL && (!json_is_array(unmatched) || json_array_size(unmatched) > 0)) {
        out->status = "contraindicated"; /* a policy of the caller's there did not match */
    }
    add_registers(facts, from, out);
    read_debug(from, out);
    read_tcb(from, out);
    return ATLS_OK;
}

/* --- Google Confidential Space --- */

static void add_digest(atls_token_facts *facts, atls_token_claims *out, const char *name,
                       const char *value)
{
    static const char prefix[] = "sha256:";
    if (value != NULL && strncmp(value, prefix, sizeof prefix - 1) == 0) {
        add_measurement(facts, out, name, value + sizeof prefix - 1, 32);
    }
}

static atls_code read_confidential_space(atls_token_facts *facts, atls_token_claims *out,
                                         atls_err *err)
{
    const char *state = text_of(facts->all, "dbgstat");
    const json_t *container = json_object_get(json_object_get(facts->all, "submods"), "container");
    out->kind = ATLS_TOKEN_CONFIDENTIAL_SPACE;
    if (state == NULL) {
        return unclear("no dbgstat, which tells a debug image from others", err);
    }
    out->has_debug = true;
    out->debug = strcmp(state, "disabled-since-boot") != 0;
    out->attested_tee = tee_of(text_of(facts->all, "hwmodel"));
    add_digest(facts, out, "image_digest", text_of(container, "image_digest"));
    add_digest(facts, out, "container_image_id", text_of(container, "image_id"));
    return ATLS_OK;
}

atls_code atls_token_read_profile(atls_token_facts *facts, atls_token_claims *out, atls_err *err)
{
    size_t n = 0;
    const json_t *ita = ita_claims(facts->all, &n);
    if (!atls_token_add_nonce(facts, out, text_of(facts->all, "nonce"))) {
        return unclear("too many nonces", err);
    }
    if (json_object_get(facts->all, "x-ms-attestation-type") != NULL) {
        return read_maa(facts, out, err);
    }
    if (ita != NULL) {
        return read_ita(facts, ita, n, out, err);
    }
    if (json_object_get(facts->all, "swname") != NULL) {
        return read_confidential_space(facts, out, err);
    }
    return ATLS_OK; /* ATLS_TOKEN_PLAIN */
}
