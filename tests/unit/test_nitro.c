/* AWS Nitro: documents of the simulator judged: every variant, every fault by its own check, every truncation. */
#include "world_walk.h"

#include "evidence/nitro/document.h"
#include "trust/trust.h"

static const char *const variants[] = {"plain", "tag18", "nulls", "nitrotpm", NULL};

/* What the faults of the simulator have to show between them. */
static const char *const checks[] = {
    "nitro.cbor",
    "nitro.size",
    "nitro.module_id",
    "nitro.digest",
    "nitro.timestamp",
    "nitro.pcrs",
    "nitro.pcr0",
    "nitro.kind",
    "nitro.certificate",
    "nitro.cabundle",
    "nitro.public_key",
    "nitro.user_data",
    "nitro.nonce",
    "nitro.chain.root",
    "nitro.root.path_len",
    "nitro.root.key",
    "nitro.root.time",
    "nitro.document.signature",
    "nitro.regional.certificate",
    "nitro.regional.key",
    "nitro.regional.algorithm",
    "nitro.regional.issuer",
    "nitro.regional.ca",
    "nitro.regional.key_usage",
    "nitro.regional.path_len",
    "nitro.regional.critical",
    "nitro.regional.signature",
    "nitro.regional.time",
    "nitro.zonal.certificate",
    "nitro.zonal.key",
    "nitro.zonal.algorithm",
    "nitro.zonal.issuer",
    "nitro.zonal.ca",
    "nitro.zonal.key_usage",
    "nitro.zonal.path_len",
    "nitro.zonal.critical",
    "nitro.zonal.signature",
    "nitro.zonal.time",
    "nitro.instance.certificate",
    "nitro.instance.key",
    "nitro.instance.algorithm",
    "nitro.instance.issuer",
    "nitro.instance.ca",
    "nitro.instance.key_usage",
    "nitro.instance.critical",
    "nitro.instance.signature",
    "nitro.instance.time",
    "nitro.leaf.certificate",
    "nitro.leaf.key",
    "nitro.leaf.algorithm",
    "nitro.leaf.issuer",
    "nitro.leaf.ca",
    "nitro.leaf.key_usage",
    "nitro.leaf.critical",
    "nitro.leaf.signature",
    "nitro.leaf.time",
    "nitro.document.time",
    "policy.debug",
    NULL,
};

static world_walk walk;

static int open_world(void **state)
{
    (void)state;
    walk_open(&walk, "nitro", variants);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    walk_close(&walk);
    return 0;
}

static const uint8_t spki[] = {0x30, 0x03, 0x02, 0x01, 0x05};

static void made(const char *variant, const char *fault, atls_evidence_blob *blob)
{
    atls_sim_request request = {.variant = variant, .fault = fault};
    memset(request.data.wide, 0x5a, sizeof request.data.wide);
    request.data.spki = spki;
    request.data.spki_len = sizeof spki;
    walk_make(&walk, &request, blob);
}

static atls_buf document_of(const atls_evidence_blob *blob)
{
    return (atls_buf){blob->parts[0].bytes, blob->parts[0].len};
}

static void each_variant_is_accepted_cold_and_warm(void **state)
{
    (void)state;
    for (size_t i = 0; variants[i] != NULL; i++) {
        atls_evidence_blob blob = {0};
        atls_expected expected = {.has_report_data = true, .spki = {spki, sizeof spki}};
        memset(expected.report_data, 0x5a, sizeof expected.report_data);
        made(variants[i], NULL, &blob);
        atls_verifier_drop_caches(walk.verifier);
        size_t entries = 0;
        for (unsigned warm = 0; warm < 2; warm++) {
            atls_verdict *r =
                walk_judge_at(walk.verifier, document_of(&blob), &expected, WALK_WHEN);
            const atls_nitro_claims *c = &r->claims.as.nitro;
            assert_int_equal(atls_verdict_code(r), ATLS_OK);
            assert_string_equal(atls_verdict_format(r), "nitro");
            assert_int_equal(atls_verdict_signatures(r), warm == 0 ? 5 : 2);
            assert_int_equal(r->claims.tee, i == 3 ? ATLS_TEE_NITROTPM : ATLS_TEE_NITRO);
            assert_true(r->claims.simulated && r->claims.expires_s > WALK_WHEN);
            assert_int_equal(c->pcrs, 0xffff);
            assert_int_equal(c->pcr_len[15], 48);
            assert_int_equal(c->timestamp_ms, (uint64_t)WALK_WHEN * 1000);
            assert_true(c->has_nonce && c->has_public_key && !c->has_user_data && !c->is_debug);
            assert_int_equal(c->nonce.len, 64);
            assert_memory_equal(c->module_id, "i-0123456789abcdef0-", 20);
            assert_true(warm == 0 || r->ledger.count == entries);
            entries = r->ledger.count;
            atls_verdict_free(r);
        }
        atls_evidence_blob_clear(&blob);
    }
}

static void another_nonce_or_key_is_another_connection(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    made("plain", NULL, &blob);
    for (unsigned wrong = 0; wrong < 3; wrong++) {
        atls_expected expected = {.has_report_data = true, .spki = {spki, sizeof spki}};
        memset(expected.report_data, wrong == 0 ? 0x5b : 0x5a, sizeof expected.report_data);
        expected.spki.len -= wrong == 1 ? 1 : wrong == 2 ? sizeof spki : 0;
        atls_verdict *r = walk_judge_at(walk.verifier, document_of(&blob), &expected, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
        assert_string_equal(atls_verdict_check(r),
                            wrong == 0 ? "binding.report_data" : "binding.public_key");
        atls_verdict_free(r);
    }
    atls_evidence_blob_clear(&blob);
}

static void each_fault_is_noticed_by_its_check(void **state)
{
    (void)state;
    walk_faults(&walk, "nitro");
    walk_faults(&walk, "nitro"); /* with every good path known */
    walk_covers("nitro", checks);
}

static void times_are_judged_of_what_is_known_too(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    made("plain", NULL, &blob);
    atls_verdict *r = walk_judge_at(walk.verifier, document_of(&blob), NULL, WALK_WHEN);
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    const int64_t ends_s = atls_verdict_expires(r);
    atls_verdict_free(r);
    r = walk_judge_at(walk.verifier, document_of(&blob), NULL, ends_s);
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    atls_verdict_free(r);
    r = walk_judge_at(walk.verifier, document_of(&blob), NULL, ends_s + 1);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    assert_true(walk_failed(r, "nitro.root.time") && walk_failed(r, "nitro.zonal.time") &&
                walk_failed(r, "nitro.leaf.time"));
    assert_int_equal(r->claims.tee, ATLS_TEE_NITRO); /* genuine all the same: policy is told, too */
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
}

static void a_document_of_the_future_is_not_young(void **state)
{
    (void)state;
    static const struct {
        int64_t before_s;
        bool has_leeway;
        uint32_t leeway_s;
        bool good;
    } cases[] = {{60, false, 0, true},  {61, false, 0, false},    {0, true, 0, true},
                 {1, true, 0, false},   {3600, true, 3600, true}, {3601, true, 3600, false},
                 {-3600, true, 0, true}};
    atls_evidence_blob blob = {0};
    made("plain", NULL, &blob);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const atls_expected expected = {.has_leeway = cases[i].has_leeway,
                                        .leeway_s = cases[i].leeway_s};
        atls_verdict *r = walk_judge_at(walk.verifier, document_of(&blob), &expected,
                                        WALK_WHEN - cases[i].before_s);
        assert_int_equal(walk_failed(r, "nitro.document.time"), !cases[i].good);
        assert_int_equal(atls_verdict_code(r), cases[i].good ? ATLS_OK : ATLS_E_BINDING);
        atls_verdict_free(r);
    }
    atls_evidence_blob_clear(&blob);
}

static void every_truncation_and_a_byte_more_is_refused(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    uint8_t longer[8192];
    made("plain", NULL, &blob);
    const size_t len = blob.parts[0].len;
    assert_true(len < sizeof longer);
    memcpy(longer, blob.parts[0].bytes, len);
    longer[len] = 0xf6;
    for (size_t n = 0; n <= len + 1; n++) {
        atls_verdict *r = walk_judge_at(walk.verifier, (atls_buf){longer, n}, NULL, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), n == len ? ATLS_OK : ATLS_E_INVALID);
        atls_verdict_free(r);
    }
    atls_evidence_blob_clear(&blob);
}

static void every_flipped_byte_is_refused(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    made("tag18", NULL, &blob);
    for (size_t i = 1; i < blob.parts[0].len; i += 11) {
        blob.parts[0].bytes[i] ^= 0x01;
        atls_verdict *r = walk_judge(&walk, &blob);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
        atls_verdict_free(r);
        blob.parts[0].bytes[i] ^= 0x01;
    }
    atls_evidence_blob_clear(&blob);
}

/* Another world has the same names: what was kept of one is nothing for the other. */
static void another_root_with_the_same_names_is_not_trusted(void **state)
{
    (void)state;
    world_walk other = {.variants = variants};
    atls_evidence_blob blob = {0};
    const atls_sim_request request = {.variant = "plain"};
    assert_int_equal(atls_sim_world_new("nitro", WALK_WHEN, &other.world, NULL), ATLS_OK);
    walk_make(&other, &request, &blob);
    atls_verdict *r = walk_judge(&walk, &blob);
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    assert_string_equal(atls_verdict_check(r), "nitro.chain.root");
    assert_false(r->claims.simulated && r->claims.tee != ATLS_TEE_NONE);
    atls_verdict_free(r);
    /* As the root of another family it counts for nothing either. */
    char *root = NULL;
    atls_verifier *v = atls_verifier_new();
    assert_int_equal(atls_sim_world_root(other.world, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_AMD, walk_text(root), NULL), ATLS_OK);
    r = walk_judge_at(v, document_of(&blob), NULL, WALK_WHEN);
    assert_string_equal(atls_verdict_check(r), "nitro.chain.root");
    atls_verdict_free(r);
    /* In AWS's place: a custom root, and still a simulator's by its mark. */
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_AWS, walk_text(root), NULL), ATLS_OK);
    r = walk_judge_at(v, document_of(&blob), NULL, WALK_WHEN);
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    assert_true(r->claims.custom_root && r->claims.simulated);
    atls_verdict_free(r);
    atls_free(root);
    atls_verifier_free(v);
    atls_evidence_blob_clear(&blob);
    atls_sim_world_free(other.world);
}

static void a_saved_world_goes_on_with_its_root(void **state)
{
    (void)state;
    char *text = NULL;
    atls_evidence_blob blob = {0};
    world_walk again = walk;
    const atls_sim_request request = {.workload = "other"};
    assert_int_equal(atls_sim_world_save(walk.world, &text, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_load(walk_text(text), &again.world, NULL), ATLS_OK);
    atls_free(text);
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
    const atls_sim_request request = {.variant = "nitro3"};
    atls_evidence_blob blob = {0};
    atls_sim_world *w = NULL;
    atls_err err = {0};
    assert_int_equal(atls_sim_world_make(walk.world, &request, &blob, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.variant");
    assert_int_equal(atls_sim_world_load(walk_text("{\"world\":\"nitro\",\"when\":1}"), &w, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_accepted_cold_and_warm),
        cmocka_unit_test(another_nonce_or_key_is_another_connection),
        cmocka_unit_test(each_fault_is_noticed_by_its_check),
        cmocka_unit_test(times_are_judged_of_what_is_known_too),
        cmocka_unit_test(a_document_of_the_future_is_not_young),
        cmocka_unit_test(every_truncation_and_a_byte_more_is_refused),
        cmocka_unit_test(every_flipped_byte_is_refused),
        cmocka_unit_test(another_root_with_the_same_names_is_not_trusted),
        cmocka_unit_test(a_saved_world_goes_on_with_its_root),
        cmocka_unit_test(other_variants_and_broken_states_are_refused),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
