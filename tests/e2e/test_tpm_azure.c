/* Azure's shape with a real TPM: its RSA key at Azure's handle, and in its NV memory an HCL report whose runtime data name
 * that key, under a simulated SNP report. Judged alone, and as a server's evidence in mutual atls/1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tss2/tss2_mu.h>

#include <atls/attest.h>
#include <atls/sim.h>
#include <atls/tpm.h>

#include "crypto/digest.h"
#include "e2e/rig.h"
#include "e2e/swtpm.h"
#include "trust/amd_cert_table.h"

#define HCL_INDEX  0x01400001u
#define HCL_LEN    2048u /* as the first reports had; libtpms takes no larger index */
#define REPORT_AT  0x20u
#define RUNTIME_AT 0x4D4u
#define PINNED     4u

static swtpm tpm_of_test;
static atls_sim_world *snp;

static void must(atls_code rc, const atls_err *err)
{
    if (rc != ATLS_OK) {
        fail_msg("code %d, %s: %s", (int)rc, err->check, err->msg);
    }
}

static atls_buf part(const atls_evidence_blob *blob, const char *name)
{
    for (size_t i = 0; i < blob->parts_n; i++) {
        if (strcmp(blob->parts[i].name, name) == 0) {
            return (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
        }
    }
    return (atls_buf){NULL, 0};
}

/* --- the machine --- */

static void base64url(const uint8_t *bytes, size_t len, char *out, size_t room)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t n = 0;
    for (size_t at = 0; at < len; at += 3) {
        uint32_t v = (uint32_t)(bytes[at] * 65536u + (at + 1 < len ? bytes[at + 1] * 256u : 0u) +
                                (at + 2 < len ? bytes[at + 2] : 0u));
        for (size_t k = 0; k < 4 && k <= len - at; k++) {
            assert_true(n + 1 < room);
            out[n++] = alphabet[v >> (18 - 6 * k) & 63u];
        }
    }
    out[n] = '\0';
}

/* The AK's modulus as Azure writes it. */
static void runtime_data(const TPM2B_PUBLIC *ak, char *out, size_t room)
{
    char n[400];
    const TPM2B_PUBLIC_KEY_RSA *modulus = &ak->publicArea.unique.rsa;
    base64url(modulus->buffer, modulus->size, n, sizeof n);
    (void)snprintf(
        out, room,
        "{\"keys\":[{\"kid\":\"HCLAkPub\",\"key_ops\":[\"sign\"],\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}],"
        "\"vm-configuration\":{\"console-enabled\":true,\"secure-boot\":true,\"tpm-enabled\":true,"
        "\"vmUniqueId\":\"0A1B2C3D-0000-4000-8000-000000000001\"},\"user-data\":\"%0128d\"}",
        n, 0);
}

static void put_u32(uint8_t *at, uint32_t v)
{
    for (size_t i = 0; i < 4; i++) {
        at[i] = (uint8_t)(v >> (8 * i));
    }
}

static void make_hcl(const char *runtime, uint8_t hcl[HCL_LEN])
{
    atls_sim_request request = {.workload = "azure"};
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    atls_buf text = {(const uint8_t *)runtime, strlen(runtime)};
    assert_true(RUNTIME_AT + text.len <= HCL_LEN);
    must(atls_digest(ATLS_SHA256, &text, 1, request.data.wide, &err), &err);
    must(atls_sim_world_make(snp, &request, &blob, &err), &err);
    atls_buf report = part(&blob, "report");
    assert_int_equal(report.len, 1184);
    memset(hcl, 0, HCL_LEN);
    memcpy(hcl, "HCLA", 4);
    put_u32(hcl + 4, 2);
    put_u32(hcl + 8, (uint32_t)(RUNTIME_AT + text.len));
    put_u32(hcl + 12, 2);
    memcpy(hcl + REPORT_AT, report.ptr, report.len);
    put_u32(hcl + 0x4C0, (uint32_t)(20 + text.len));
    put_u32(hcl + 0x4C4, 1);
    put_u32(hcl + 0x4C8, 2); /* SNP */
    put_u32(hcl + 0x4CC, 1); /* SHA-256 */
    put_u32(hcl + 0x4D0, (uint32_t)text.len);
    memcpy(hcl + RUNTIME_AT, text.ptr, text.len);
    atls_evidence_blob_clear(&blob);
}

/* AMD's certificates: the VCEK is what a guest fetches from the host, the rest a verifier has. */
static void get_table(atls_evidence_blob *blob)
{
    atls_sim_request request = {0};
    atls_err err = {0};
    must(atls_sim_world_make(snp, &request, blob, &err), &err);
}

static void write_vcek(char *path, size_t room)
{
    atls_evidence_blob blob = {0};
    atls_amd_cert_table table;
    atls_err err = {0};
    get_table(&blob);
    must(atls_amd_cert_table_parse(part(&blob, "certs"), &table, &err), &err);
    atls_buf vcek = table.entry[ATLS_AMD_VCEK];
    assert_true(vcek.len > 0);
    (void)snprintf(path, room, "%s/vcek.der", tpm_of_test.dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(vcek.ptr, 1, vcek.len, f), vcek.len);
    assert_int_equal(fclose(f), 0);
    atls_evidence_blob_clear(&blob);
}

/* --- the attester --- */

static atls_attester *open_azure(const char *vcek)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    atls_tpm_options o = {.tcti = tpm_of_test.tcti, .vcek = vcek};
    must(atls_attester_open(&(atls_attest_options){.type = "azure", .tpm = &o}, &a, &err), &err);
    assert_string_equal(a->name, "azure");
    return a;
}

static void assert_not_opened(const char *check)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    atls_tpm_options own = {.tcti = tpm_of_test.tcti};
    atls_attest_options o = {.type = "azure", .tpm = &own};
    assert_int_equal(atls_attester_open(&o, &a, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, check);
    atls_attest_probe p;
    assert_true(atls_attest_probe_at(&o, 0, &p));
    assert_string_equal(p.source, "azure");
    assert_true(p.absent);
    assert_string_equal(p.check, check);
}

static void make(const atls_attester *a, uint8_t fill, atls_evidence_blob *blob)
{
    atls_report_data data;
    atls_err err = {0};
    memset(&data, 0, sizeof data);
    memset(data.narrow, fill, sizeof data.narrow);
    must(a->attest(a->self, &data, blob, &err), &err);
}

/* Makes the key at Azure's handle, and returns its public area. */
static void provision_key(TPM2B_PUBLIC *ak)
{
    atls_attester *a = NULL;
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    size_t at = 0;
    atls_tpm_options o = {.tcti = tpm_of_test.tcti, .ak = "rsa@0x81000003"};
    must(atls_attester_open(&(atls_attest_options){.type = "tpm", .tpm = &o}, &a, &err), &err);
    make(a, 1, &blob);
    atls_buf public = part(&blob, "ak_public");
    assert_int_equal(Tss2_MU_TPM2B_PUBLIC_Unmarshal(public.ptr, public.len, &at, ak), 0);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
}

static void a_machine_that_is_not_azure_s(void **state)
{
    (void)state;
    assert_not_opened("attest.azure.hcl");
}

static void evidence_with_its_parts(void **state)
{
    (void)state;
    static const char *const names[] = {"quote",     "signature",  "pcrs",
                                        "ak_public", "hcl_report", "vcek"};
    TPM2B_PUBLIC ak = {0};
    char runtime[1500];
    char vcek[128];
    uint8_t hcl[HCL_LEN];
    atls_evidence_blob blob = {0};
    provision_key(&ak);
    runtime_data(&ak, runtime, sizeof runtime);
    make_hcl(runtime, hcl);
    swtpm_put_nv(&tpm_of_test, HCL_INDEX, (atls_buf){hcl, sizeof hcl});
    write_vcek(vcek, sizeof vcek);
    atls_attester *a = open_azure(vcek);
    make(a, 1, &blob);
    assert_string_equal(blob.type, "azure");
    assert_int_equal(blob.parts_n, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(blob.parts[i].name, names[i]);
    }
    assert_int_equal(part(&blob, "hcl_report").len, HCL_LEN);
    assert_memory_equal(part(&blob, "hcl_report").ptr, hcl, HCL_LEN);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

/* --- the verifier --- */

static void pin(char *out, size_t room)
{
    uint8_t now[32];
    char hex[65];
    swtpm_pcr(&tpm_of_test, PINNED, now);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", now[i]);
    }
    (void)snprintf(out, room,
                   "{\"atls_policy\":1,\"workloads\":[{\"name\":\"vm\",\"tees\":[\"azure\"],"
                   "\"tpm\":{\"sha256\":{\"%u\":[\"%s\"]}}}]}",
                   PINNED, hex);
}

static void trust_simulator(atls_verifier *v, void *arg)
{
    char *root = NULL;
    atls_err err = {0};
    atls_evidence_blob blob = {0};
    (void)arg;
    get_table(&blob);
    must(atls_verifier_add1_endorsement(v, part(&blob, "certs"), &err), &err);
    atls_evidence_blob_clear(&blob);
    must(atls_sim_world_root(snp, &root, &err), &err);
    must(atls_verifier_insecure_trust_simulator(v, (atls_buf){(const uint8_t *)root, strlen(root)},
                                                &err),
         &err);
    atls_free(root);
}

static void assert_judged(const atls_evidence_blob *blob, uint8_t nonce, atls_code code,
                          const char *check)
{
    atls_verifier *v = atls_verifier_new();
    atls_evidence e = {.type = blob->type, .parts_n = blob->parts_n};
    atls_expected expected = {.has_nonce = true, .nonce_len = 32};
    atls_policy *policy = NULL;
    atls_err err = {0};
    char text[512];
    assert_non_null(v);
    trust_simulator(v, NULL);
    pin(text, sizeof text);
    must(atls_policy_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &policy, &err), &err);
    must(atls_verifier_set1_policy(v, policy, &err), &err);
    atls_policy_free(policy);
    memset(expected.nonce, nonce, 32);
    for (size_t i = 0; i < blob->parts_n; i++) {
        e.parts[i].name = blob->parts[i].name;
        e.parts[i].bytes = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
    }
    atls_verdict *verdict = atls_verifier_check(v, &e, &expected, RIG_WHEN_S, &err);
    assert_non_null(verdict);
    if (atls_verdict_code(verdict) != code || strcmp(atls_verdict_check(verdict), check) != 0) {
        fail_msg("code %d, %s: %s; wanted %d, %s", (int)atls_verdict_code(verdict),
                 atls_verdict_check(verdict), atls_verdict_message(verdict), (int)code, check);
    }
    assert_true(atls_verdict_simulated(verdict)); /* the hardware's root is */
    atls_verdict_free(verdict);
    atls_verifier_free(v);
}

/* The report says that this key is the paravisor's: nobody needs to vouch for it. */
static void a_quote_under_a_report(void **state)
{
    (void)state;
    char vcek[128];
    atls_evidence_blob blob = {0};
    swtpm_extend(&tpm_of_test, PINNED, "the boot manager");
    write_vcek(vcek, sizeof vcek);
    atls_attester *a = open_azure(vcek);
    make(a, 1, &blob);
    assert_judged(&blob, 1, ATLS_OK, "");
    assert_judged(&blob, 2, ATLS_E_BINDING, "binding.nonce");
    swtpm_extend(&tpm_of_test, PINNED, "another one"); /* policy now wants what the quote has not */
    assert_judged(&blob, 1, ATLS_E_POLICY, "policy.tpm.pcr4");
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
}

/* The quote of another key of the same TPM, put beside the report. */
static void a_quote_by_another_key(void **state)
{
    (void)state;
    char vcek[128];
    atls_attester *other = NULL;
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    write_vcek(vcek, sizeof vcek);
    atls_tpm_options o = {.tcti = tpm_of_test.tcti, .vcek = vcek, .ak = "ecc"};
    must(atls_attester_open(&(atls_attest_options){.type = "azure", .tpm = &o}, &other, &err),
         &err);
    make(other, 1, &blob);
    assert_judged(&blob, 1, ATLS_E_INVALID, "tpm.hcl.ak_public");
    atls_evidence_blob_clear(&blob);
    atls_attester_free(other);
}

static void runtime_data_that_were_changed(void **state)
{
    (void)state;
    char vcek[128];
    atls_evidence_blob blob = {0};
    write_vcek(vcek, sizeof vcek);
    atls_attester *a = open_azure(vcek);
    make(a, 1, &blob);
    for (size_t i = 0; i < blob.parts_n; i++) {
        if (strcmp(blob.parts[i].name, "hcl_report") == 0) {
            blob.parts[i].bytes[RUNTIME_AT + 60] ^= 1; /* in the modulus */
        }
    }
    assert_judged(&blob, 1, ATLS_E_INVALID, "tpm.hcl.runtime_data");
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
}

/* --- a connection --- */

static void ask_again(rig *r)
{
    rig_clock(r, 1000);
    assert_int_equal(atls_session_reattest(r->client.session, &r->client.err), ATLS_OK);
    rig_settle(r);
}

static void a_connection_that_a_changed_pcr_ends(void **state)
{
    (void)state;
    static const uint8_t text[] = "through the attested connection";
    char policy[512];
    char vcek[128];
    write_vcek(vcek, sizeof vcek);
    atls_attester *a = open_azure(vcek);
    pin(policy, sizeof policy);
    rig r;
    rig_new(&r, &(rig_options){.client_shows = true,
                               .client_asks = true,
                               .server_shows = true,
                               .server_asks = true,
                               .client_policy = policy,
                               .server_attester = a,
                               .client_trust = trust_simulator});
    rig_open(&r);
    const atls_verdict *v = atls_session_get0_verdict(r.client.session);
    assert_string_equal(atls_verdict_format(v), "azure");
    assert_string_equal(atls_verdict_binding(v), "session");
    rig_send(&r.client, &r.server, text, sizeof text);
    ask_again(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 2);
    swtpm_extend(&tpm_of_test, PINNED, "a rootkit");
    ask_again(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "policy.tpm.pcr4");
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.refused");
    rig_free(&r);
    atls_attester_free(a);
}

static int set_up(void **state)
{
    (void)state;
    atls_err err = {0};
    swtpm_start(&tpm_of_test, false);
    must(atls_sim_world_new("snp", RIG_WHEN_S, &snp, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    atls_sim_world_free(snp);
    swtpm_stop(&tpm_of_test);
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_that_is_not_azure_s),
        cmocka_unit_test(evidence_with_its_parts),
        cmocka_unit_test(a_quote_under_a_report),
        cmocka_unit_test(a_quote_by_another_key),
        cmocka_unit_test(runtime_data_that_were_changed),
        cmocka_unit_test(a_connection_that_a_changed_pcr_ends),
    };
    if (!swtpm_is_installed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
