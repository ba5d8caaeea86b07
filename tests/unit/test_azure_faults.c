/* Evidence of a simulated confidential VM on SNP, and all that can be wrong with it, against the real verifier. */
#include "world_walk.h"

#include "trust/endorsements.h"

static const char *const variants[] = {"snp", "bare", NULL};
static world_walk walk;

static int open_world(void **state)
{
    (void)state;
    walk_open(&walk, "azure", variants);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    walk_close(&walk);
    return 0;
}

static void each_variant_is_accepted_for_its_nonce(void **state)
{
    (void)state;
    for (size_t i = 0; variants[i] != NULL; i++) {
        atls_evidence_blob blob = {0};
        atls_sim_request request = {.variant = variants[i]};
        atls_expected expected = {.has_short_data = true, .has_report_data = true};
        memset(request.data.narrow, 0x42, sizeof request.data.narrow);
        memset(expected.short_data, 0x42, sizeof expected.short_data);
        memset(request.data.wide, 0x43, sizeof request.data.wide);
        expected.has_user_data = true;
        memset(expected.user_data, 0x43, sizeof expected.user_data);
        walk_make(&walk, &request, &blob);
        atls_evidence e = {.type = blob.type, .parts_n = blob.parts_n};
        for (size_t k = 0; k < blob.parts_n; k++) {
            e.parts[k].name = blob.parts[k].name;
            e.parts[k].bytes = (atls_buf){blob.parts[k].bytes, blob.parts[k].len};
        }
        atls_verdict *r = atls_verifier_check(walk.verifier, &e, &expected, WALK_WHEN, NULL);
        if (!atls_verdict_accepted(r)) {
            fail_msg("%s: %s", variants[i], atls_verdict_text(r, true));
        }
        assert_true(atls_verdict_simulated(r));
        assert_int_equal(r->claims.tee, ATLS_TEE_AZURE);
        assert_int_equal(r->claims.hardware, ATLS_TEE_SNP);
        assert_int_equal(r->claims.tpm.ak_trust, ATLS_AK_REPORT);
        assert_string_equal(r->claims.tpm.vm_id, "41544c53-5349-4d00-0000-000000000001");
        assert_int_equal(r->claims.tpm.banks[ATLS_TPM_SHA256].selected, 0xffffff);
        atls_verdict_free(r);
        expected.user_data[63] ^= 1;
        r = atls_verifier_check(walk.verifier, &e, &expected, WALK_WHEN, NULL);
        assert_string_equal(atls_verdict_check(r), "binding.user_data");
        atls_verdict_free(r);
        expected.short_data[0] ^= 1;
        r = atls_verifier_check(walk.verifier, &e, &expected, WALK_WHEN, NULL);
        assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
}

static void each_fault_is_noticed_by_its_check(void **state)
{
    (void)state;
    static const char *const checks[] = {
        "tpm.hcl.ak",           "tpm.hcl.ak_cert",      "tpm.hcl.ak_public",
        "tpm.hcl.hash",         "tpm.hcl.json",         "tpm.hcl.length",
        "tpm.hcl.magic",        "tpm.hcl.runtime_data", "tpm.hcl.sizes",
        "tpm.hcl.td_quote",     "tpm.hcl.trailing",     "tpm.hcl.type",
        "tpm.hcl.version",      "tpm.hcl.vm_id",        "tpm.hcl.vmpl",
        "snp.report.signature", "snp.leaf.signature",   "snp.leaf.missing",
        "tpm.quote.signature",  "evidence.parts",       NULL};
    walk_faults(&walk, "azure");
    walk_covers("azure", checks);
}

/* One PEM text with the intermediate certificate and the CRL; more may stand in it, in any order. */
static void the_endorsement_is_one_text(void **state)
{
    (void)state;
    char *text = NULL;
    static atls_endorsements e;
    assert_int_equal(atls_sim_world_endorsement(walk.world, &text, NULL), ATLS_OK);
    assert_int_equal(atls_endorsements_add(&e, walk_text(text), NULL), ATLS_OK);
    assert_int_equal(e.certs_n, 1);
    assert_int_equal(e.crls_n, 1);
    /* All or nothing. */
    atls_err err = {0};
    char *crl = strstr(text, "-----BEGIN X509 CRL");
    assert_non_null(crl);
    crl[40] = '!';
    assert_int_equal(atls_endorsements_add(&e, walk_text(text), &err), ATLS_E_INVALID);
    assert_int_equal(e.certs_n, 1);
    assert_int_equal(e.crls_n, 1);
    atls_endorsements_clear(&e);
    atls_free(text);
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
    /* The certificates below the root are new ones of the same keys. */
    atls_verdict *r = walk_judge(&walk, &blob);
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    atls_err err = {0};
    const atls_sim_request unknown = {.variant = "sev"};
    assert_int_equal(atls_sim_world_make(walk.world, &unknown, &blob, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.variant");
    atls_sim_world *w = NULL;
    assert_int_equal(
        atls_sim_world_load(walk_text("{\"world\":\"azure\",\"when\":1,\"ak\":\"x\"}"), &w, &err),
        ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_accepted_for_its_nonce),
        cmocka_unit_test(each_fault_is_noticed_by_its_check),
        cmocka_unit_test(the_endorsement_is_one_text),
        cmocka_unit_test(a_saved_world_goes_on_with_its_keys),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
