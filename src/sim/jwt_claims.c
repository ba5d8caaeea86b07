#include "sim/jwt.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/digest.h"

#define HOUR_S 3600

/* Hex of the digest of "WORKLOAD/NAME"; "" without memory. */
static const char *measure(const atls_sim_request *request, const char *name, atls_hash hash,
                           char out[2 * ATLS_HASH_MAX + 1])
{
    char text[160];
    uint8_t digest[ATLS_HASH_MAX];
    int n = snprintf(text, sizeof text, "%.100s/%s",
                     request->workload != NULL ? request->workload : "demo", name);
    const atls_buf bytes = {(const uint8_t *)text, n < 0 ? 0 : (size_t)n};
    out[0] = '\0';
    if (atls_digest(hash, &bytes, 1, digest, NULL) == ATLS_OK) {
        atls_hex_encode((atls_buf){digest, atls_hash_len(hash)}, out);
    }
    return out;
}

static void set(json_t *to, const char *name, json_t *value)
{
    (void)json_object_set_new(to, name, value);
}

static void add_ear(json_t *c)
{
    set(c, "eat_profile", json_string("tag:github.com,2023:veraison/ear"));
    set(c, "ear.verifier-id", json_pack("{ssss}", "developer", "atls simulator", "build", "1"));
    set(c, "submods",
        json_pack("{s{sss{sisi}}s{sss{si}}}", "cpu", "ear.status", "affirming",
                  "ear.trustworthiness-vector", "hardware", 2, "executables", 3, "gpu",
                  "ear.status", "affirming", "ear.trustworthiness-vector", "hardware", 2));
    (void)json_object_del(c, "exp"); /* an EAR has none */
}

static void add_maa(json_t *c, const atls_sim_request *request)
{
    char measurement[2 * ATLS_HASH_MAX + 1];
    char host_data[2 * ATLS_HASH_MAX + 1];
    set(c, "x-ms-attestation-type", json_string("azurevm"));
    set(c, "x-ms-isolation-tee",
        json_pack("{sssssssssb}", "x-ms-attestation-type", "sevsnpvm", "x-ms-compliance-status",
                  "azure-compliant-cvm", "x-ms-sevsnpvm-launchmeasurement",
                  measure(request, "measurement", ATLS_SHA384, measurement),
                  "x-ms-sevsnpvm-hostdata", measure(request, "host_data", ATLS_SHA256, host_data),
                  "x-ms-sevsnpvm-is-debuggable", request->debug));
    set(c, "x-ms-runtime",
        json_pack("{s{sO}}", "client-payload", "nonce", json_object_get(c, "eat_nonce")));
    (void)json_object_del(c, "eat_nonce");
}

static void add_ita(json_t *c, const atls_sim_request *request)
{
    static const char *const registers[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    char hex[2 * ATLS_HASH_MAX + 1];
    char name[32];
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        (void)snprintf(name, sizeof name, "tdx_%s", registers[i]);
        set(c, name, json_string(measure(request, registers[i], ATLS_SHA384, hex)));
    }
    set(c, "attester_type", json_string("TDX"));
    set(c, "attester_tcb_status", json_string("UpToDate"));
    set(c, "tdx_is_debuggable", json_boolean(request->debug));
    set(c, "policy_ids_unmatched", json_array());
    set(c, "verifier_nonce", json_pack("{sO}", "val", json_object_get(c, "eat_nonce")));
    (void)json_object_del(c, "eat_nonce");
}

static void add_confidential_space(json_t *c, const atls_sim_request *request)
{
    char hex[2 * ATLS_HASH_MAX + 1];
    char digest[8 + sizeof hex];
    (void)snprintf(digest, sizeof digest, "sha256:%s",
                   measure(request, "image_digest", ATLS_SHA256, hex));
    set(c, "swname", json_string("CONFIDENTIAL_SPACE"));
    set(c, "hwmodel", json_string("GCP_INTEL_TDX"));
    set(c, "secboot", json_true());
    set(c, "dbgstat", json_string(request->debug ? "enabled" : "disabled-since-boot"));
    set(c, "submods", json_pack("{s{ss}}", "container", "image_digest", digest));
}

json_t *sim_jwt_claims(const char *variant, const atls_sim_request *request, int64_t now_s)
{
    char nonce[2 * sizeof request->data.narrow + 1];
    atls_hex_encode((atls_buf){request->data.narrow, sizeof request->data.narrow}, nonce);
    json_t *c = json_pack("{sssssIsIsIss}", "iss", "https://simulator.atls.invalid", "aud", "atls",
                          "iat", (json_int_t)(now_s - 10), "nbf", (json_int_t)(now_s - 10), "exp",
                          (json_int_t)(now_s + HOUR_S), "eat_nonce", nonce);
    if (c == NULL) {
        return NULL;
    }
    if (strcmp(variant, "ear") == 0) {
        add_ear(c);
    } else if (strcmp(variant, "maa") == 0) {
        add_maa(c, request);
    } else if (strcmp(variant, "ita") == 0) {
        add_ita(c, request);
    } else if (strcmp(variant, "confidential-space") == 0) {
        add_confidential_space(c, request);
    }
    return c;
}
