/* Attestation results as JWTs: tokens of the simulator judged, every variant and every fault by its own check. */
#include "world_walk.h"

#include "base/hex.h"
#include <atls/inspect.h>

static const char *const variants[] = {
    "rs256", "ps384", "es256", "es384", "ear", "maa", "ita", "confidential-space", NULL};

/* What the faults of the simulator have to show between them. */
static const char *const checks[] = {
    "token.format",        "token.size",
    "token.header",        "token.alg",
    "token.crit",          "token.kid",
    "token.key.kid",       "token.key.alg",
    "token.claims",        "token.signature",
    "token.key.ambiguous", "token.exp",
    "token.nbf",           "token.exp.missing",
    "token.iat",           "token.iat.missing",
    "token.profile",       "token.ear.submods",
    "token.ear.vector",    "policy.status",
    "policy.debug",        NULL,
};

static world_walk walk;

static int open_world(void **state)
{
    (void)state;
    walk_open(&walk, "jwt", variants);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    walk_close(&walk);
    return 0;
}

static void made(const char *variant, bool debug, atls_evidence_blob *blob)
{
    atls_sim_request request = {.variant = variant, .debug = debug};
    memset(request.data.narrow, 0x5a, sizeof request.data.narrow);
    walk_make(&walk, &request, blob);
}

static atls_buf token_of(const atls_evidence_blob *blob)
{
    return (atls_buf){blob->parts[0].bytes, blob->parts[0].len};
}

static void each_variant_is_accepted_for_its_nonce(void **state)
{
    (void)state;
    for (size_t i = 0; variants[i] != NULL; i++) {
        atls_evidence_blob blob = {0};
        made(variants[i], false, &blob);
        atls_expected expected = {.has_report_data = true,
                                  .has_short_data = true,
                                  .issuer = "https://simulator.atls.invalid",
                                  .audience = "atls"};
        memset(expected.short_data, 0x5a, sizeof expected.short_data);
        atls_verdict *r = walk_judge_at(walk.verifier, token_of(&blob), &expected, WALK_WHEN);
        if (!atls_verdict_accepted(r)) {
            fail_msg("%s: %s", variants[i], atls_verdict_text(r, true));
        }
        assert_string_equal(atls_verdict_format(r), "jwt");
        assert_int_equal(r->claims.tee, ATLS_TEE_TOKEN);
        assert_true(r->claims.simulated && r->claims.custom_root);
        assert_int_equal(atls_verdict_signatures(r), 1);
        assert_string_equal(r->ledger.entries[1].id, "token.key");
        assert_int_equal(r->claims.expires_s,
                         strcmp(variants[i], "ear") == 0 ? 0 : WALK_WHEN + 3600 + 60);
        atls_verdict_free(r);

        expected.short_data[31] ^= 1;
        r = walk_judge_at(walk.verifier, token_of(&blob), &expected, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
        assert_string_equal(atls_verdict_check(r), "binding.report_data");
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
}

static const char *measured(const atls_token_claims *c, const char *name, char hex[129])
{
    for (size_t i = 0; i < c->measurements_n; i++) {
        if (strcmp(c->measurements[i].name, name) == 0) {
            atls_hex_encode(c->measurements[i].bytes, hex);
            return hex;
        }
    }
    return "";
}

static void profiles_become_claims(void **state)
{
    (void)state;
    static const struct {
        const char *variant;
        atls_token_kind kind;
        atls_tee tee;
        const char *status, *tcb_status, *name, *digest;
    } cases[] = {
        {"es256", ATLS_TOKEN_PLAIN, ATLS_TEE_NONE, NULL, NULL, "", ""},
        {"ear", ATLS_TOKEN_EAR, ATLS_TEE_NONE, "affirming", NULL, "", ""},
        {"maa", ATLS_TOKEN_MAA, ATLS_TEE_SNP, "affirming", NULL, "host_data",
         "11e1ab803b2c604fa6e7b05af550908106c402afdc27ac47430902475412b0fe"},
        {"ita", ATLS_TOKEN_ITA, ATLS_TEE_TDX, NULL, "UpToDate", "mrtd",
         "6c6fe4e7f70d5dd5f7cc82ae4d9bdf28cec7b88522802236"
         "e7a8ebd984d24e24bbf4919df2cbc04dfed5125d8215a30e"},
        {"confidential-space", ATLS_TOKEN_CONFIDENTIAL_SPACE, ATLS_TEE_TDX, NULL, NULL,
         "image_digest", "6efb9548c1627263da973a492cfb17d8f1ae6ce5df8f1c3d85cf501e0d472481"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char hex[129];
        for (int debug = 0; debug < 2; debug++) {
            atls_evidence_blob blob = {0};
            made(cases[i].variant, debug == 1, &blob);
            atls_verdict *r = walk_judge_at(walk.verifier, token_of(&blob), NULL, WALK_WHEN);
            const atls_token_claims *c = &r->claims.as.token;
            assert_int_equal(c->kind, cases[i].kind);
            assert_int_equal(c->attested_tee, cases[i].tee);
            assert_int_equal(c->status != NULL, cases[i].status != NULL);
            assert_true(c->status == NULL || strcmp(c->status, cases[i].status) == 0);
            assert_int_equal(c->tcb_status != NULL, cases[i].tcb_status != NULL);
            assert_int_equal(c->has_debug, cases[i].tee != ATLS_TEE_NONE);
            assert_int_equal(c->debug, c->has_debug && debug == 1);
            assert_int_equal(atls_verdict_code(r), c->debug ? ATLS_E_POLICY : ATLS_OK);
            assert_string_equal(measured(c, cases[i].name, hex), cases[i].digest);
            assert_string_equal(c->issuer, "https://simulator.atls.invalid");
            assert_int_equal(c->audiences_n, 1);
            assert_int_equal(c->nonces_n, 1);
            assert_int_equal(c->iat_s, WALK_WHEN - 10);
            atls_verdict_free(r);
            atls_evidence_blob_clear(&blob);
        }
    }
}

static void each_fault_is_noticed_by_its_check(void **state)
{
    (void)state;
    walk_faults(&walk, "jwt");
    walk_covers("jwt", checks);
}

static void issuer_and_audience_are_compared_where_they_are_given(void **state)
{
    (void)state;
    static const struct {
        const char *issuer, *audience, *check;
    } cases[] = {
        {"https://simulator.atls.invalid", NULL, NULL},
        {"https://simulator.atls.invali", NULL, "token.issuer"},
        {"https://simulator.atls.invalid.evil", NULL, "token.issuer"},
        {"", NULL, "token.issuer"},
        {NULL, "atls", NULL},
        {NULL, "at", "token.audience"},
        {NULL, "", "token.audience"},
    };
    atls_evidence_blob blob = {0};
    made("es256", false, &blob);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const atls_expected expected = {.issuer = cases[i].issuer, .audience = cases[i].audience};
        atls_verdict *r = walk_judge_at(walk.verifier, token_of(&blob), &expected, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), cases[i].check == NULL ? ATLS_OK : ATLS_E_BINDING);
        assert_string_equal(atls_verdict_check(r), cases[i].check == NULL ? "" : cases[i].check);
        atls_verdict_free(r);
    }
    atls_evidence_blob_clear(&blob);
}

static void leeway_is_the_callers(void **state)
{
    (void)state;
    static const struct {
        int64_t after_s; /* the end */
        bool has_leeway;
        uint32_t leeway_s;
        bool good;
    } cases[] = {{-1, true, 0, true},     {0, true, 0, false},    {59, false, 0, true},
                 {60, false, 0, false},   {119, true, 120, true}, {120, true, 120, false},
                 {-3611, true, 0, false}, {-3610, true, 0, true}};
    atls_evidence_blob blob = {0};
    made("rs256", false, &blob);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const atls_expected expected = {.has_leeway = cases[i].has_leeway,
                                        .leeway_s = cases[i].leeway_s};
        atls_verdict *r = walk_judge_at(walk.verifier, token_of(&blob), &expected,
                                        WALK_WHEN + 3600 + cases[i].after_s);
        assert_int_equal(atls_verdict_code(r), cases[i].good ? ATLS_OK : ATLS_E_BINDING);
        atls_verdict_free(r);
    }
    atls_evidence_blob_clear(&blob);
}

/* Who has somebody's evidence can have Microsoft's service sign it with a nonce of his own: that binds nothing. */
static void a_nonce_beside_the_tees_binds_nothing(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    atls_sim_request request = {.variant = "maa", .fault = "maa.asked_nonce"};
    memset(request.data.narrow, 0x5a, sizeof request.data.narrow);
    walk_make(&walk, &request, &blob);
    char hex[65];
    atls_expected expected = {.has_report_data = true, .has_short_data = true};
    memset(expected.short_data, 0x5a, sizeof expected.short_data);
    atls_verdict *r = walk_judge_at(walk.verifier, token_of(&blob), &expected, WALK_WHEN);
    assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
    assert_string_equal(atls_verdict_check(r), "binding.report_data");
    assert_int_equal(r->claims.as.token.nonces_n, 0);
    atls_verdict_free(r);
    atls_hex_encode((atls_buf){expected.short_data, sizeof expected.short_data}, hex);
    expected = (atls_expected){.nonce_text = hex};
    r = walk_judge_at(walk.verifier, token_of(&blob), &expected, WALK_WHEN);
    assert_string_equal(atls_verdict_check(r), "binding.nonce_text");
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
}

static void the_clock_may_say_anything(void **state)
{
    (void)state;
    static const struct {
        int64_t when_s;
        const char *check;
    } cases[] = {{INT64_MIN, "token.nbf"}, {INT64_MAX, "token.exp"}, {-1, "token.nbf"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_evidence_blob blob = {0};
        made("es256", false, &blob);
        const atls_expected expected = {.has_leeway = i > 0, .leeway_s = UINT32_MAX};
        atls_verdict *r = walk_judge_at(walk.verifier, token_of(&blob), &expected, cases[i].when_s);
        const bool within = cases[i].when_s == -1; /* 136 years of leeway cover it */
        assert_int_equal(atls_verdict_code(r), within ? ATLS_OK : ATLS_E_BINDING);
        assert_string_equal(atls_verdict_check(r), within ? "" : cases[i].check);
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
}

static void every_truncation_and_every_flipped_byte_is_refused(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    made("es256", false, &blob);
    const atls_buf token = token_of(&blob);
    for (size_t n = 0; n < token.len; n++) {
        atls_verdict *r = walk_judge_at(walk.verifier, (atls_buf){token.ptr, n}, NULL, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
        atls_verdict_free(r);
    }
    for (size_t i = 0; i < token.len; i += 3) {
        blob.parts[0].bytes[i] ^= 0x01;
        atls_verdict *r = walk_judge_at(walk.verifier, token, NULL, WALK_WHEN);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        atls_verdict_free(r);
        blob.parts[0].bytes[i] ^= 0x01;
    }
    atls_evidence_blob_clear(&blob);
}

static void nobody_vouches_without_a_key(void **state)
{
    (void)state;
    atls_verifier *v = atls_verifier_new();
    atls_evidence_blob blob = {0};
    made("ita", false, &blob);
    atls_verdict *r = walk_judge_at(v, token_of(&blob), NULL, WALK_WHEN);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    assert_string_equal(atls_verdict_check(r), "token.key.missing");
    assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
    atls_verdict_free(r);
    atls_verifier_free(v);

    atls_sim_world *other = NULL;
    assert_int_equal(atls_sim_world_new("jwt", WALK_WHEN, &other, NULL), ATLS_OK);
    v = walk_verifier(other);
    r = walk_judge_at(v, token_of(&blob), NULL, WALK_WHEN);
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    assert_string_equal(atls_verdict_check(r), "token.signature");
    atls_verdict_free(r);
    atls_verifier_free(v);
    atls_sim_world_free(other);
    atls_evidence_blob_clear(&blob);
}

static void a_key_given_twice_is_one_key(void **state)
{
    (void)state;
    char *text = NULL;
    atls_verifier *v = walk_verifier(walk.world);
    assert_int_equal(atls_sim_world_endorsement(walk.world, &text, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_endorsement(v, walk_text(text), NULL), ATLS_OK);
    atls_evidence_blob blob = {0};
    made("es384", false, &blob);
    atls_verdict *r = walk_judge_at(v, token_of(&blob), NULL, WALK_WHEN);
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    atls_free(text);
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
    for (size_t i = 0; variants[i] != NULL; i++) {
        atls_evidence_blob blob = {0};
        const atls_sim_request request = {.variant = variants[i], .workload = "other"};
        walk_make(&again, &request, &blob);
        atls_verdict *r = walk_judge(&walk, &blob);
        assert_int_equal(atls_verdict_code(r), ATLS_OK);
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
    atls_sim_world_free(again.world);
}

static void other_variants_and_broken_states_are_refused(void **state)
{
    (void)state;
    const atls_sim_request request = {.variant = "rs1"};
    atls_evidence_blob blob = {0};
    atls_sim_world *w = NULL;
    atls_err err = {0};
    assert_int_equal(atls_sim_world_make(walk.world, &request, &blob, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.variant");
    assert_int_equal(atls_sim_world_load(
                         walk_text("{\"world\":\"jwt\",\"when\":1,\"sim-rsa\":\"x\"}"), &w, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.state");
}

static void inspecting_shows_what_it_says(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    char *text = NULL;
    atls_err err = {0};
    made("confidential-space", false, &blob);
    assert_int_equal(atls_inspect(token_of(&blob), true, &text, NULL), ATLS_OK);
    assert_non_null(strstr(text, "\"kind\":\"token\""));
    assert_non_null(strstr(text, "\"header\":{\"alg\":\"RS256\""));
    assert_non_null(strstr(text, "\"image_digest\":\"sha256:"));
    assert_non_null(strstr(text, "\"exp\":\"2025-10-09T09:53:20Z\""));
    atls_free(text);
    blob.parts[0].bytes[blob.parts[0].len - 1] = '=';
    assert_int_equal(atls_inspect(token_of(&blob), false, &text, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "token.format");
    atls_evidence_blob_clear(&blob);

    /* {"a\u001b":["\u009b"]} as a header, of which nothing may reach a terminal, and claims that are none. */
    static const char steering[] = "eyJhXHUwMDFiIjpbIlx1MDA5YiJdfQ.W10.";
    assert_int_equal(atls_inspect(walk_text(steering), false, &text, NULL), ATLS_OK);
    assert_non_null(strstr(text, "a?: ??"));
    assert_null(strchr(text, 0x1b));
    atls_free(text);
    static const char nothing[] = "eyJ9.e30.";
    assert_int_equal(atls_inspect(walk_text(nothing), false, &text, NULL), ATLS_OK);
    assert_non_null(strstr(text, "[token.header]"));
    atls_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_accepted_for_its_nonce),
        cmocka_unit_test(profiles_become_claims),
        cmocka_unit_test(each_fault_is_noticed_by_its_check),
        cmocka_unit_test(issuer_and_audience_are_compared_where_they_are_given),
        cmocka_unit_test(leeway_is_the_callers),
        cmocka_unit_test(a_nonce_beside_the_tees_binds_nothing),
        cmocka_unit_test(the_clock_may_say_anything),
        cmocka_unit_test(every_truncation_and_every_flipped_byte_is_refused),
        cmocka_unit_test(nobody_vouches_without_a_key),
        cmocka_unit_test(a_key_given_twice_is_one_key),
        cmocka_unit_test(inspecting_shows_what_it_says),
        cmocka_unit_test(a_saved_world_goes_on_with_its_keys),
        cmocka_unit_test(other_variants_and_broken_states_are_refused),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
