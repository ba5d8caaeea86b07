/* Arm CCA: tokens of the simulator judged: every variant, every fault by its own check, every truncation. */
#include "world_walk.h"

#include "evidence/cca/claim_set.h"

static const char *const variants[] = {"profile2023", "legacy", "es256", NULL};

/* What the faults of the simulator have to show between them. */
static const char *const checks[] = {
    "cca.cbor",
    "cca.tag",
    "cca.unknown",
    "cca.platform.missing",
    "cca.realm.missing",
    "cca.platform.trust_anchor",
    "cca.platform.alg",
    "cca.platform.signature",
    "cca.platform.claims",
    "cca.platform.profile",
    "cca.platform.challenge",
    "cca.platform.implementation_id",
    "cca.platform.instance_id",
    "cca.platform.config",
    "cca.platform.lifecycle",
    "cca.platform.components",
    "cca.platform.verification_service",
    "cca.platform.hash_algorithm",
    "cca.realm.signature",
    "cca.realm.claims",
    "cca.realm.profile",
    "cca.realm.challenge",
    "cca.realm.personalization",
    "cca.realm.rim",
    "cca.realm.rem",
    "cca.realm.hash_algorithm",
    "cca.realm.rak",
    "cca.realm.rak_hash_algorithm",
    "cca.binding",
    "policy.lifecycle",
    NULL,
};

static world_walk walk;

static int open_world(void **state)
{
    (void)state;
    walk_open(&walk, "cca", variants);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    walk_close(&walk);
    return 0;
}

static void made(const char *variant, atls_evidence_blob *blob)
{
    atls_sim_request request = {.variant = variant};
    memset(request.data.wide, 0x5a, sizeof request.data.wide);
    walk_make(&walk, &request, blob);
}

static void each_variant_is_accepted_for_its_challenge(void **state)
{
    (void)state;
    for (size_t i = 0; variants[i] != NULL; i++) {
        atls_evidence_blob blob = {0};
        made(variants[i], &blob);
        const atls_buf token = {blob.parts[0].bytes, blob.parts[0].len};
        atls_expected expected = {.has_report_data = true};
        memset(expected.report_data, 0x5a, sizeof expected.report_data);
        atls_verdict *r = walk_judge_at(walk.verifier, token, &expected, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), ATLS_OK);
        assert_string_equal(atls_verdict_format(r), "cca");
        assert_int_equal(r->claims.tee, ATLS_TEE_CCA);
        assert_true(r->claims.simulated && r->claims.custom_root);
        assert_int_equal(atls_verdict_signatures(r), 2);
        const atls_cca_claims *c = &r->claims.as.cca;
        assert_int_equal(c->lifecycle, 0x3003);
        assert_int_equal(c->components_n, 2);
        assert_string_equal(c->components[1].type, "RMM");
        assert_string_equal(c->components[1].version, "1.0.0");
        assert_int_equal(c->components[1].measurement.len, 32);
        assert_int_equal(c->rim_len, 32);
        assert_int_equal(c->rem_len[3], 32);
        assert_int_equal(c->config.len, 3);
        assert_string_equal(c->verification_service, "https://verifier.invalid/");
        assert_int_equal(c->realm_profile == NULL, i == 1);
        atls_verdict_free(r);

        expected.report_data[63] ^= 1;
        r = walk_judge_at(walk.verifier, token, &expected, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
        assert_string_equal(atls_verdict_check(r), "binding.report_data");
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
}

static void each_fault_is_noticed_by_its_check(void **state)
{
    (void)state;
    walk_faults(&walk, "cca");
    walk_covers("cca", checks);
}

static void every_truncation_and_every_byte_more_is_refused(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    made("profile2023", &blob);
    uint8_t longer[8192];
    const size_t len = blob.parts[0].len;
    memcpy(longer, blob.parts[0].bytes, len);
    longer[len] = 0xf6;
    for (size_t n = 0; n <= len + 1; n++) {
        atls_buf platform;
        atls_buf realm;
        atls_err err = {0};
        const atls_code rc = atls_cca_token_parse((atls_buf){longer, n}, &platform, &realm, &err);
        assert_int_equal(rc, n == len ? ATLS_OK : ATLS_E_INVALID);
        if (n != len) {
            assert_string_equal(err.check, "cca.cbor");
        }
    }
    atls_evidence_blob_clear(&blob);
}

static void every_flipped_byte_is_refused(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    made("legacy", &blob);
    const atls_buf token = {blob.parts[0].bytes, blob.parts[0].len};
    for (size_t i = 0; i < token.len; i += 7) {
        blob.parts[0].bytes[i] ^= 0x40;
        atls_verdict *r = walk_judge_at(walk.verifier, token, NULL, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        atls_verdict_free(r);
        blob.parts[0].bytes[i] ^= 0x40;
    }
    atls_evidence_blob_clear(&blob);
}

static void nobody_vouches_without_a_trust_anchor(void **state)
{
    (void)state;
    atls_verifier *v = atls_verifier_new();
    atls_evidence_blob blob = {0};
    made("profile2023", &blob);
    atls_verdict *r =
        walk_judge_at(v, (atls_buf){blob.parts[0].bytes, blob.parts[0].len}, NULL, WALK_WHEN);
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    assert_string_equal(atls_verdict_check(r), "cca.platform.trust_anchor");
    assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    atls_verifier_free(v);
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
    atls_verdict *r = walk_judge(&walk, &blob);
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    atls_sim_world_free(again.world);
}

static void other_variants_and_broken_states_are_refused(void **state)
{
    (void)state;
    const atls_sim_request request = {.variant = "profile2030"};
    atls_evidence_blob blob = {0};
    atls_sim_world *w = NULL;
    atls_err err = {0};
    assert_int_equal(atls_sim_world_make(walk.world, &request, &blob, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.variant");
    assert_int_equal(
        atls_sim_world_load(walk_text("{\"world\":\"cca\",\"when\":1,\"cpak\":\"x\"}"), &w, &err),
        ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_accepted_for_its_challenge),
        cmocka_unit_test(each_fault_is_noticed_by_its_check),
        cmocka_unit_test(every_truncation_and_every_byte_more_is_refused),
        cmocka_unit_test(every_flipped_byte_is_refused),
        cmocka_unit_test(nobody_vouches_without_a_trust_anchor),
        cmocka_unit_test(a_saved_world_goes_on_with_its_keys),
        cmocka_unit_test(other_variants_and_broken_states_are_refused),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
