/* A TPM outside of the VM, and the VM's SNP report: only what ties the two makes them one piece of evidence. */
#include "world_walk.h"

#include <stdio.h>

static const char *const variants[] = {"aws", "gcp", NULL};
static world_walk walk;

static int open_world(void **state)
{
    (void)state;
    walk_open(&walk, "snp-tpm", variants);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    walk_close(&walk);
    return 0;
}

static atls_expected expected;

static void expect_connection(atls_sim_request *request, bool gcp)
{
    expected = (atls_expected){.has_nonce = true,
                               .nonce_len = 32,
                               .binding = ATLS_BINDING_HANDSHAKE,
                               .has_hardware_data = gcp};
    memset(request->data.narrow, 0x42, sizeof request->data.narrow);
    memset(request->data.wide, 0x43, sizeof request->data.wide);
    memset(expected.nonce, 0x42, 32);
    memset(expected.hardware_data, 0x43, sizeof expected.hardware_data);
}

static atls_verdict *judged(const atls_verifier *v, const atls_evidence_blob *blob)
{
    atls_evidence e = {.type = blob->type, .parts_n = blob->parts_n};
    for (size_t k = 0; k < blob->parts_n; k++) {
        e.parts[k].name = blob->parts[k].name;
        e.parts[k].bytes = (atls_buf){blob->parts[k].bytes, blob->parts[k].len};
    }
    atls_verdict *r = atls_verifier_check(v, &e, &expected, WALK_WHEN, NULL);
    assert_non_null(r);
    return r;
}

static void refused(const atls_verifier *v, const atls_evidence_blob *blob, const char *check)
{
    atls_verdict *r = judged(v, blob);
    if (strcmp(atls_verdict_check(r), check) != 0) {
        fail_msg("%s, where %s is wanted", atls_verdict_text(r, true), check);
    }
    assert_string_equal(atls_verdict_binding(r), "none");
    atls_verdict_free(r);
}

static void each_variant_is_accepted_for_its_connection(void **state)
{
    (void)state;
    for (size_t i = 0; variants[i] != NULL; i++) {
        const bool gcp = i == 1;
        atls_evidence_blob blob = {0};
        atls_sim_request request = {.variant = variants[i]};
        expect_connection(&request, gcp);
        walk_make(&walk, &request, &blob);
        atls_verdict *r = judged(walk.verifier, &blob);
        if (!atls_verdict_accepted(r)) {
            fail_msg("%s: %s", variants[i], atls_verdict_text(r, true));
        }
        assert_string_equal(atls_verdict_format(r), "snp-tpm");
        assert_string_equal(atls_verdict_binding(r), "handshake");
        assert_true(atls_verdict_simulated(r));
        assert_int_equal(r->claims.tee, ATLS_TEE_SNP_TPM);
        assert_int_equal(r->claims.hardware, ATLS_TEE_SNP);
        assert_int_equal(r->claims.as.snp.is_vlek, !gcp);
        assert_int_equal(r->claims.tpm.ak_trust, gcp ? ATLS_AK_CERTIFICATE : ATLS_AK_REPORT);
        assert_true(r->claims.expires_s > WALK_WHEN);
        char *json = atls_verdict_json(r);
        char *text = atls_verdict_text(r, false);
        assert_non_null(strstr(json, "\"hardware\":{\"format\":\"snp\""));
        assert_non_null(strstr(json, "\"pcrs\":{\"sha256\""));
        assert_non_null(strstr(text, "AMD SEV-SNP Milan"));
        assert_non_null(strstr(text, "and a TPM"));
        atls_free(json);
        atls_free(text);
        assert_true(atls_verdict_same_peer(r, r));
        atls_verdict_free(r);
        expected.nonce[0] ^= 1;
        refused(walk.verifier, &blob, "binding.nonce");
        expected.nonce[0] ^= 1;
        expected.has_hardware_data = true;
        expected.hardware_data[63] ^= 1;
        refused(walk.verifier, &blob, "binding.hardware_data");
        atls_evidence_blob_clear(&blob);
    }
}

/* Both halves are good, and could be of two machines. */
static void without_a_link_it_is_refused(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    atls_sim_request request = {.variant = "gcp"};
    expect_connection(&request, false);
    walk_make(&walk, &request, &blob);
    refused(walk.verifier, &blob, "tpm.snp.link");
    expected.has_nonce = false; /* the report's half alone binds nothing */
    expected.has_hardware_data = true;
    refused(walk.verifier, &blob, "binding.expected");
    atls_evidence_blob_clear(&blob);
}

/* A report of another machine, over the same question, beside a good quote: only the key's owner can tell. */
static void a_key_needs_somebody_who_vouches(void **state)
{
    (void)state;
    atls_sim_world *tpm = NULL;
    char *pem = NULL;
    atls_evidence_blob blob = {0};
    atls_sim_request request = {.variant = "gcp", .fault = "splice.tpm"};
    expect_connection(&request, true);
    walk_make(&walk, &request, &blob);
    refused(walk.verifier, &blob, "tpm.ak.untrusted");
    atls_evidence_blob_clear(&blob);
    /* With the key vouched for it is accepted, and says under whose word. */
    assert_int_equal(atls_sim_world_new("tpm", WALK_WHEN, &tpm, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(tpm, &pem, NULL), ATLS_OK);
    atls_verifier *v = walk_verifier(walk.world);
    assert_int_equal(atls_verifier_add1_endorsement(v, walk_text(pem), NULL), ATLS_OK);
    atls_evidence_blob quote = {0}, report = {0};
    const atls_sim_request own = {.data = request.data, .variant = "rsassa"};
    assert_int_equal(atls_sim_world_make(tpm, &own, &quote, NULL), ATLS_OK);
    request.fault = NULL;
    walk_make(&walk, &request, &report);
    atls_evidence e = {.type = "snp-tpm"};
    for (size_t i = 0; i < quote.parts_n; i++) {
        e.parts[e.parts_n].name = quote.parts[i].name;
        e.parts[e.parts_n++].bytes = (atls_buf){quote.parts[i].bytes, quote.parts[i].len};
    }
    for (size_t i = 0; i < report.parts_n; i++) {
        if (strcmp(report.parts[i].name, "snp_report") == 0 ||
            strcmp(report.parts[i].name, "certs") == 0) {
            e.parts[e.parts_n].name = report.parts[i].name;
            e.parts[e.parts_n++].bytes = (atls_buf){report.parts[i].bytes, report.parts[i].len};
        }
    }
    atls_verdict *r = atls_verifier_check(v, &e, &expected, WALK_WHEN, NULL);
    assert_true(atls_verdict_accepted(r));
    assert_int_equal(r->claims.tpm.ak_trust, ATLS_AK_VOUCHED);
    assert_true(r->claims.custom_root);
    atls_verdict_free(r);
    atls_evidence_blob_clear(&quote);
    atls_evidence_blob_clear(&report);
    atls_verifier_free(v);
    atls_free(pem);
    atls_sim_world_free(tpm);
}

static void each_fault_is_noticed_by_its_check(void **state)
{
    (void)state;
    static const char *const checks[] = {
        "tpm.snp.link",         "tpm.snp.vmpl",        "tpm.ak.untrusted",      "tpm.ak.differs",
        "tpm.ak.missing",       "tpm.ak_cert.time",    "tpm.ak_cert.signature", "snp.leaf.missing",
        "snp.report.signature", "tpm.quote.signature", "evidence.parts",        NULL};
    walk_faults(&walk, "snp-tpm");
    walk_covers("snp-tpm", checks);
}

static atls_verdict *under(const char *policy, const atls_evidence_blob *blob)
{
    atls_policy *p = NULL;
    atls_err err = {0};
    atls_verifier *v = walk_verifier(walk.world);
    if (atls_policy_parse(walk_text(policy), &p, &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(atls_verifier_set1_policy(v, p, NULL), ATLS_OK);
    atls_policy_free(p);
    atls_verdict *r = judged(v, blob);
    atls_verifier_free(v);
    return r;
}

static void a_policy_names_registers_of_both_halves(void **state)
{
    (void)state;
    static const struct {
        const char *members, *check;
    } cases[] = {
        {"\"tees\":[\"snp-tpm\"]", ""},
        {"\"tees\":[\"snp-tpm\"],\"tpm\":{\"ak_trust\":[\"report\"]},\"snp\":{\"vmpl_max\":0}", ""},
        {"\"tees\":[\"snp-tpm\"],\"tpm\":{\"ak_trust\":[\"vouched\"]}", "policy.tpm.ak_trust"},
        {"\"tees\":[\"snp-tpm\"],\"snp\":{\"measurement\":[\""
         "000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000\"]}",
         "policy.snp.measurement"},
        {"\"tees\":[\"snp-tpm\"],\"amd\":{\"vlek\":\"refuse\"}", "policy.snp.vlek"},
        {"\"tees\":[\"snp\",\"tpm\",\"azure\"]", "policy.tee"},
    };
    atls_evidence_blob blob = {0};
    atls_sim_request request = {.variant = "aws"};
    expect_connection(&request, false);
    expected.binding = ATLS_BINDING_NONE;
    walk_make(&walk, &request, &blob);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[600];
        (void)snprintf(text, sizeof text, "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",%s}]}",
                       cases[i].members);
        atls_verdict *r = under(text, &blob);
        if (strcmp(atls_verdict_check(r), cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].members, atls_verdict_text(r, true));
        }
        atls_verdict_free(r);
    }
    atls_evidence_blob_clear(&blob);
}

static void a_saved_world_goes_on_with_its_keys(void **state)
{
    (void)state;
    char *text = NULL;
    assert_int_equal(atls_sim_world_save(walk.world, &text, NULL), ATLS_OK);
    world_walk again = walk;
    assert_int_equal(atls_sim_world_load(walk_text(text), &again.world, NULL), ATLS_OK);
    atls_free(text);
    atls_evidence_blob blob = {0};
    const atls_sim_request request = {.workload = "other"};
    walk_make(&again, &request, &blob);
    atls_sim_world_free(again.world);
    atls_verdict *r = walk_judge(&walk, &blob);
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    atls_err err = {0};
    const atls_sim_request unknown = {.variant = "azure"};
    assert_int_equal(atls_sim_world_make(walk.world, &unknown, &blob, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.variant");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_accepted_for_its_connection),
        cmocka_unit_test(without_a_link_it_is_refused),
        cmocka_unit_test(a_key_needs_somebody_who_vouches),
        cmocka_unit_test(each_fault_is_noticed_by_its_check),
        cmocka_unit_test(a_policy_names_registers_of_both_halves),
        cmocka_unit_test(a_saved_world_goes_on_with_its_keys),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
