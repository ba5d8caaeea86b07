/* The whole table of faults against the real verifier: a good platform is accepted and said to be simulated,
 * everything else is refused, with the right code and by the check that is there for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <atls/sim.h>
#include <atls/verifier.h>

#define WHEN INT64_C(1800000000)
#define DAY  INT64_C(86400)

static const char *const types[] = {"tdx", "tdx5", "sgx"};

/* fault -> the check that decides; "" for what is to be accepted. */
static const struct {
    const char *fault, *check;
} expected[] = {
    {"root.expired", "pck.chain.time"},
    {"root.not_yet_valid", "pck.chain.time"},
    {"root.signature", "pck.chain.root"},
    {"root.name", "pck.chain.root"},
    {"root.no_aki", "pck.chain.extensions"},
    {"root.wrong_aki", "pck.root.issuer"},
    {"root.no_ski", "root_crl.extensions"},
    {"root.no_key_usage", "pck.chain.extensions"},
    {"root.key_usage", "pck.chain.usage"},
    {"root.no_basic_constraints", "pck.chain.extensions"},
    {"root.no_crl_dp", "pck.chain.extensions"},
    {"root.critical", "pck.chain.extensions"},
    {"root.hash", "pck.chain.root"},
    {"root.issuer", "pck.chain.root"},
    {"root.curve", "pck.chain.root"},
    {"root.other", "pck.chain.root"},
    {"root.reissued", "pck.chain.root"},
    {"root.not_ca", "pck.chain.usage"},
    {"root.path_len", "pck.chain.usage"},
    {"root.revoked", "pck.root.crl"},
    {"ca.expired", "pck.chain.time"},
    {"ca.not_yet_valid", "pck.chain.time"},
    {"ca.signature", "pck.ca.signature"},
    {"ca.name", "pck.chain.ca"},
    {"ca.no_aki", "pck.chain.extensions"},
    {"ca.wrong_aki", "pck.ca.issuer"},
    {"ca.no_ski", "pck.chain.extensions"},
    {"ca.no_key_usage", "pck.chain.extensions"},
    {"ca.key_usage", "pck.chain.usage"},
    {"ca.no_basic_constraints", "pck.chain.extensions"},
    {"ca.no_crl_dp", "pck.chain.extensions"},
    {"ca.critical", "pck.chain.extensions"},
    {"ca.hash", "pck.chain.extensions"},
    {"ca.issuer", "pck.ca.issuer"},
    {"ca.curve", "pck.chain.extensions"},
    {"ca.revoked", "pck.ca.crl"},
    {"ca.not_ca", "pck.chain.usage"},
    {"pck.expired", "pck.chain.time"},
    {"pck.not_yet_valid", "pck.chain.time"},
    {"pck.signature", "pck.leaf.signature"},
    {"pck.name", "pck.chain.leaf"},
    {"pck.no_aki", "pck.chain.extensions"},
    {"pck.wrong_aki", "pck.leaf.issuer"},
    {"pck.no_ski", "pck.chain.extensions"},
    {"pck.no_key_usage", "pck.chain.extensions"},
    {"pck.key_usage", "pck.chain.usage"},
    {"pck.no_basic_constraints", "pck.chain.extensions"},
    {"pck.no_crl_dp", "pck.chain.extensions"},
    {"pck.critical", "pck.chain.extensions"},
    {"pck.hash", "pck.chain.extensions"},
    {"pck.issuer", "pck.leaf.issuer"},
    {"pck.curve", "pck.chain.extensions"},
    {"pck.revoked", "pck.leaf.crl"},
    {"pck.ca_flag", "pck.chain.usage"},
    {"pck.other_ca", "pck.leaf.issuer"},
    {"pck.processor", ""},
    {"pck.extension_missing", "pck.extension"},
    {"pck.extension_member", "pck.extension"},
    {"pck.extension_twice", "pck.extension"},
    {"pck.extension_trailing", "pck.extension"},
    {"pck.extension_ppid", "pck.extension"},
    {"pck.extension_components", "pck.extension"},
    {"pck.extension_svn", "pck.extension"},
    {"pck.no_level", "tcb.level"},
    {"pck.fmspc", "tcb_info.fmspc"},
    {"pck.pceid", "tcb_info.pceid"},
    {"tcb_signing.expired", "tcb_info.chain.time"},
    {"tcb_signing.not_yet_valid", "tcb_info.chain.time"},
    {"tcb_signing.signature", "tcb_info.chain.signature"},
    {"tcb_signing.name", "tcb_info.chain.signer"},
    {"tcb_signing.no_aki", "tcb_info.chain.extensions"},
    {"tcb_signing.wrong_aki", "tcb_info.chain.issuer"},
    {"tcb_signing.no_ski", "tcb_info.chain.extensions"},
    {"tcb_signing.no_key_usage", "tcb_info.chain.extensions"},
    {"tcb_signing.key_usage", "tcb_info.chain.usage"},
    {"tcb_signing.no_basic_constraints", "tcb_info.chain.extensions"},
    {"tcb_signing.no_crl_dp", "tcb_info.chain.extensions"},
    {"tcb_signing.critical", "tcb_info.chain.extensions"},
    {"tcb_signing.hash", "tcb_info.chain.extensions"},
    {"tcb_signing.issuer", "tcb_info.chain.issuer"},
    {"tcb_signing.curve", "tcb_info.chain.extensions"},
    {"tcb_signing.revoked", "tcb_info.chain.crl"},
    {"tcb_signing.wrong_ca", "tcb_info.chain.issuer"},
    {"tcb_signing.ca_flag", "tcb_info.chain.usage"},
    {"root_crl.expired", "root_crl.time"},
    {"root_crl.future", "root_crl.time"},
    {"root_crl.missing", "root_crl.missing"},
    {"root_crl.signature", "root_crl.signature"},
    {"root_crl.issuer", "root_crl.issuer"},
    {"root_crl.no_number", "root_crl.extensions"},
    {"root_crl.no_aki", "root_crl.extensions"},
    {"root_crl.wrong_aki", "root_crl.extensions"},
    {"root_crl.cut", "root_crl.format"},
    {"root_crl.others", ""},
    {"root_crl.by_ca", "root_crl.issuer"},
    {"pck_crl.expired", "pck_crl.time"},
    {"pck_crl.future", "pck_crl.time"},
    {"pck_crl.missing", "pck_crl.missing"},
    {"pck_crl.signature", "pck_crl.signature"},
    {"pck_crl.issuer", "pck_crl.issuer"},
    {"pck_crl.no_number", "pck_crl.extensions"},
    {"pck_crl.no_aki", "pck_crl.extensions"},
    {"pck_crl.wrong_aki", "pck_crl.extensions"},
    {"pck_crl.cut", "pck_crl.format"},
    {"pck_crl.others", ""},
    {"pck_crl.by_root", "pck_crl.issuer"},
    {"pck_crl.other_ca", "pck_crl.issuer"},
    {"tcb_info.signature", "tcb_info.signature"},
    {"tcb_info.by_ca", "tcb_info.chain.signer"},
    {"tcb_info.by_pck", "tcb_info.chain.signer"},
    {"tcb_info.edited", "tcb_info.signature"},
    {"tcb_info.spaced", ""},
    {"tcb_info.cut", "tcb_info.format"},
    {"tcb_info.duplicate_member", "tcb_info.format"},
    {"tcb_info.missing", "tcb_info.missing"},
    {"tcb_info.chain_missing", "tcb_info.chain.missing"},
    {"tcb_info.chain_short", "tcb_info.chain.format"},
    {"tcb_info.chain_long", "tcb_info.chain.format"},
    {"tcb_info.expired", "tcb_info.time"},
    {"tcb_info.future", "tcb_info.time"},
    {"tcb_info.version", "tcb_info.format"},
    {"tcb_info.wrong_id", "tcb_info.format"},
    {"tcb_info.no_issue_date", "tcb_info.format"},
    {"tcb_info.bad_date", "tcb_info.format"},
    {"tcb_info.unknown_status", "tcb_info.format"},
    {"tcb_info.no_levels", "tcb_info.format"},
    {"tcb_info.other_tee", "tcb_info.tee"},
    {"tcb_info.fmspc", "tcb_info.fmspc"},
    {"tcb_info.pceid", "tcb_info.pceid"},
    {"tcb_info.tcb_type", "tcb_info.format"},
    {"tcb_info.svn_over_255", "tcb_info.format"},
    {"tcb_info.components", "tcb_info.format"},
    {"tcb_info.twin_levels", "tcb_info.format"},
    {"tcb_info.no_fmspc", "tcb_info.format"},
    {"tcb_info.no_module", "tcb_info.format"},
    {"tcb_info.no_module_identities", "tdx_module.identity"},
    {"qe_identity.signature", "qe_identity.signature"},
    {"qe_identity.by_ca", "qe_identity.chain.signer"},
    {"qe_identity.by_pck", "qe_identity.chain.signer"},
    {"qe_identity.edited", "qe_identity.signature"},
    {"qe_identity.spaced", ""},
    {"qe_identity.cut", "qe_identity.format"},
    {"qe_identity.duplicate_member", "qe_identity.format"},
    {"qe_identity.missing", "qe_identity.missing"},
    {"qe_identity.chain_missing", "qe_identity.chain.missing"},
    {"qe_identity.chain_short", "qe_identity.chain.format"},
    {"qe_identity.chain_long", "qe_identity.chain.format"},
    {"qe_identity.expired", "qe_identity.time"},
    {"qe_identity.future", "qe_identity.time"},
    {"qe_identity.version", "qe_identity.version"},
    {"qe_identity.wrong_id", "qe_identity.id"},
    {"qe_identity.no_issue_date", "qe_identity.format"},
    {"qe_identity.bad_date", "qe_identity.format"},
    {"qe_identity.unknown_status", "qe_identity.format"},
    {"qe_identity.no_levels", "qe_identity.format"},
    {"qe_identity.other_tee", "qe_identity.id"},
    {"qe_identity.mrsigner", "qe_identity.mrsigner"},
    {"qe_identity.attributes", "qe_identity.attributes"},
    {"qe_identity.miscselect", "qe_identity.miscselect"},
    {"qe_identity.isvprodid", "qe_identity.isvprodid"},
    {"qe_identity.no_mrsigner", "qe_identity.format"},
    {"module.unknown", "tdx_module.identity"},
    {"module.version_0", ""},
    {"module.mrsigner", "tdx_module.mrsigner"},
    {"module.seam_attributes", "tdx_module.attributes"},
    {"module.out_of_date", "tcb.status"},
    {"module.revoked", "tcb.status"},
    {"module.no_level", "tcb.module_level"},
    {"td.no_level", "tcb.level"},
    {"td.debug", "policy.debug"},
    {"td.untrusted", "policy.reserved"},
    {"td.sept_clear", "policy.sept"},
    {"td.migratable", "policy.migratable"},
    {"td.reserved", "policy.reserved"},
    {"td.service_td", "policy.service_td"},
    {"sgx.debug", "policy.debug"},
    {"sgx.not_init", "policy.init"},
    {"qe.mrsigner", "qe_identity.mrsigner"},
    {"qe.isvprodid", "qe_identity.isvprodid"},
    {"qe.debug", "qe_identity.attributes"},
    {"qe.miscselect", "qe_identity.miscselect"},
    {"qe.out_of_date", "tcb.status"},
    {"qe.revoked", "tcb.status"},
    {"qe.no_level", "tcb.qe_level"},
    {"quote.version", "quote.version"},
    {"quote.version_3", "quote.tee_type"},
    {"quote.key_type", "quote.key_type"},
    {"quote.tee_type", "quote.tee_type"},
    {"quote.vendor", "quote.vendor"},
    {"quote.body_type", "quote.body"},
    {"quote.body_size", "quote.body"},
    {"quote.changed", "quote.signature"},
    {"quote.signature", "quote.signature"},
    {"quote.signature_bit", "quote.signature"},
    {"quote.attestation_key", "qe_report.data"},
    {"quote.key_changed", "qe_report.data"},
    {"quote.key_point", "quote.attestation_key"},
    {"quote.signature_zero", "quote.signature"},
    {"quote.qe_report_signature_zero", "qe_report.signature"},
    {"quote.qe_report_signature", "qe_report.signature"},
    {"quote.qe_report_data", "qe_report.data"},
    {"quote.auth_data", "qe_report.data"},
    {"quote.auth_len", "quote.signature_data"},
    {"quote.auth_none", ""},
    {"quote.auth_long", ""},
    {"quote.length", "quote.signature_data"},
    {"quote.cut", "quote.signature_data"},
    {"quote.trailing", ""},
    {"quote.outer_type", "quote.certification"},
    {"quote.outer_size", "quote.signature_data"},
    {"quote.no_outer", "quote.signature_data"},
    {"quote.certification_type", "quote.certification"},
    {"quote.certification_size", "quote.signature_data"},
    {"quote.type_1", "pck.missing"},
    {"quote.type_2", "pck.missing"},
    {"quote.type_3", "pck.missing"},
    {"quote.type_4", "pck.missing"},
    {"chain.no_nul", ""},
    {"chain.crlf", ""},
    {"chain.reversed", ""},
    {"chain.four", "pck.chain.format"},
    {"chain.two", "pck.chain.format"},
    {"chain.no_leaf", "pck.chain.leaf"},
    {"chain.two_leaves", "pck.chain.ca"},
    {"chain.in_collateral", ""},
    {"chain.of_another", "qe_report.signature"},
    {"chain.other_text", "pck.chain.format"},
};

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static atls_sim *sim_with(const char *fault)
{
    atls_sim *sim = NULL;
    atls_err err = {0};
    if (atls_sim_new(WHEN, fault, &sim, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return sim;
}

static void add_collateral(atls_verifier *v, const atls_sim *sim, const char *tee)
{
    char *json = NULL;
    atls_collateral *collateral = NULL;
    atls_err err = {0};
    assert_int_equal(atls_sim_collateral(sim, tee, &json, NULL), ATLS_OK);
    if (atls_collateral_parse(text_buf(json), &collateral, &err) != ATLS_OK ||
        atls_verifier_add1_collateral(v, collateral, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    atls_collateral_free(collateral);
    atls_free(json);
}

static void trust(atls_verifier *v, const atls_sim *sim)
{
    char *root = NULL;
    atls_err err = {0};
    assert_int_equal(atls_sim_root(sim, &root, NULL), ATLS_OK);
    /* A root that does not hold by itself is refused at set-up, and is then one that nobody trusts. */
    if (atls_verifier_insecure_trust_simulator(v, text_buf(root), &err) != ATLS_OK) {
        assert_string_equal(err.check, "root.certificate");
    }
    atls_free(root);
}

/* A verifier with sim's collateral for a TEE (NULL: for both) that trusts rooted's root (NULL: Intel's alone). */
static atls_verifier *verifier_of(const atls_sim *sim, const char *tee, const atls_sim *rooted)
{
    atls_verifier *v = atls_verifier_new();
    assert_non_null(v);
    for (size_t i = 0; i < 2; i++) {
        const char *const tees[] = {"tdx", "sgx"};
        if (tee == NULL || strcmp(tee, tees[i]) == 0) {
            add_collateral(v, sim, tees[i]);
        }
    }
    if (rooted != NULL) {
        trust(v, rooted);
    }
    return v;
}

static atls_verdict *judge_at(const atls_verifier *v, const atls_sim *sim,
                              const atls_sim_quote *ask, const atls_expected *expect,
                              int64_t when_s)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    atls_err err = {0};
    if (atls_sim_make_quote(sim, ask, &bytes, &len, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    atls_evidence evidence = {.type = strncmp(ask->type, "sgx", 3) == 0 ? "sgx" : "tdx",
                              .parts_n = 1,
                              .parts = {{"quote", {bytes, len}}}};
    atls_verdict *r = atls_verifier_check(v, &evidence, expect, when_s, &err);
    assert_non_null(r);
    atls_free(bytes);
    return r;
}

static atls_verdict *judge(const atls_verifier *v, const atls_sim *sim, const atls_sim_quote *ask)
{
    return judge_at(v, sim, ask, NULL, WHEN);
}

static const char *expected_check(const char *fault)
{
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (strcmp(expected[i].fault, fault) == 0) {
            return expected[i].check;
        }
    }
    return "(no expectation)";
}

static void good_is_accepted_as_simulated(void **state)
{
    (void)state;
    static const char *const all[] = {"tdx", "tdx5", "sgx", "tdx5-1.0", "sgx4", "sgx5"};
    atls_sim *sim = sim_with(NULL);
    atls_verifier *v = verifier_of(sim, NULL, sim);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const atls_sim_quote ask = {.type = all[i]};
        atls_verdict *r = judge(v, sim, &ask);
        if (!atls_verdict_accepted(r)) {
            fail_msg("%s: %s: %s", all[i], atls_verdict_check(r), atls_verdict_message(r));
        }
        assert_int_equal(atls_verdict_code(r), ATLS_OK);
        assert_true(atls_verdict_simulated(r));
        char *json = atls_verdict_json(r);
        assert_non_null(strstr(json, "\"simulated\":true"));
        atls_free(json);
        atls_verdict_free(r);
    }
    atls_verifier_free(v);
    atls_sim_free(sim);
}

static void no_root_but_its_own_will_do(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    atls_sim *other = sim_with(NULL);
    const atls_sim *const rooted[] = {NULL, other};
    for (size_t k = 0; k < 2; k++) {
        atls_verifier *v = verifier_of(sim, NULL, rooted[k]);
        for (size_t i = 0; i < 3; i++) {
            const atls_sim_quote ask = {.type = types[i]};
            atls_verdict *r = judge(v, sim, &ask);
            assert_false(atls_verdict_accepted(r));
            assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
            assert_string_equal(atls_verdict_check(r), expected_check("root.other"));
            atls_verdict_free(r);
        }
        atls_verifier_free(v);
    }
    atls_sim_free(other);
    atls_sim_free(sim);
}

/* Both roots are trusted: still no simulator's collateral is good for the other's quote. */
static void two_simulators_do_not_mix(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    atls_sim *other = sim_with(NULL);
    atls_verifier *v = verifier_of(other, NULL, other);
    trust(v, sim);
    for (size_t i = 0; i < 3; i++) {
        const atls_sim_quote ask = {.type = types[i]};
        atls_verdict *r = judge(v, other, &ask);
        assert_true(atls_verdict_accepted(r));
        atls_verdict_free(r);
        r = judge(v, sim, &ask);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        assert_string_equal(atls_verdict_check(r),
                            "root_crl.extensions"); /* the names are the same */
        atls_verdict_free(r);
    }
    atls_verifier_free(v);
    atls_sim_free(other);
    atls_sim_free(sim);
}

/* Certification data of types 1 to 4 is enough when the chain comes with the collateral. */
static void a_chain_in_the_collateral_serves_every_type(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *check;
    } cases[] = {{"chain.in_collateral", ""}, {"chain.of_another", "qe_report.signature"}};
    static const char *const asked[] = {"quote.type_1", "quote.type_2", "quote.type_3",
                                        "quote.type_4"};
    for (size_t k = 0; k < 2; k++) {
        atls_sim *sim = sim_with(cases[k].fault);
        atls_verifier *v = verifier_of(sim, NULL, sim);
        for (size_t i = 0; i < 12; i++) {
            const atls_sim_quote ask = {.type = types[i / 4], .fault = asked[i % 4]};
            const char *want = k == 1 && i % 4 == 3 ? "pck.leaf.quoted" : cases[k].check;
            atls_verdict *r = judge(v, sim, &ask);
            assert_int_equal(atls_verdict_code(r), k == 0 ? ATLS_OK : ATLS_E_INVALID);
            assert_string_equal(atls_verdict_check(r), want);
            atls_verdict_free(r);
        }
        atls_verifier_free(v);
        atls_sim_free(sim);
    }
}

static void statuses_are_judged(void **state)
{
    (void)state;
    static const char *const statuses[] = {"UpToDate",
                                           "SWHardeningNeeded",
                                           "ConfigurationNeeded",
                                           "ConfigurationAndSWHardeningNeeded",
                                           "OutOfDate",
                                           "OutOfDateConfigurationNeeded",
                                           "Revoked",
                                           "TDRelaunchAdvised",
                                           "TDRelaunchAdvisedConfigurationNeeded"};
    atls_sim *sim = sim_with(NULL);
    atls_verifier *v = verifier_of(sim, NULL, sim);
    for (size_t i = 0; i < 3; i++) {
        size_t n = strcmp(types[i], "tdx5") == 0 ? 9 : 7;
        for (size_t k = 0; k < n; k++) {
            const atls_sim_quote ask = {.type = types[i], .tcb = statuses[k]};
            atls_verdict *r = judge(v, sim, &ask);
            char want[80];
            (void)snprintf(want, sizeof want, "\"status\":\"%s\"", statuses[k]);
            char *json = atls_verdict_json(r);
            assert_non_null(strstr(json, want));
            assert_int_equal(atls_verdict_code(r), k == 0 ? ATLS_OK : ATLS_E_POLICY);
            assert_string_equal(atls_verdict_check(r), k == 0 ? "" : "tcb.status");
            assert_true(atls_verdict_simulated(r));
            atls_free(json);
            atls_verdict_free(r);
        }
    }
    atls_verifier_free(v);
    atls_sim_free(sim);
}

static void it_has_its_time(void **state)
{
    (void)state;
    static const struct {
        int64_t after_s;
        atls_code code;
    } cases[] = {{0, ATLS_OK},
                 {30 * DAY, ATLS_OK}, /* nextUpdate itself */
                 {30 * DAY + 1, ATLS_E_COLLATERAL},
                 {-3600, ATLS_OK},
                 {-3601, ATLS_E_COLLATERAL}, /* the CRLs are of an hour ago */
                 {-2 * DAY, ATLS_E_COLLATERAL},
                 {4000 * DAY, ATLS_E_COLLATERAL}};
    atls_sim *sim = sim_with(NULL);
    atls_verifier *v = verifier_of(sim, NULL, sim);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            const atls_sim_quote ask = {.type = types[i]};
            atls_verdict *r = judge_at(v, sim, &ask, NULL, WHEN + cases[k].after_s);
            assert_int_equal(atls_verdict_code(r), cases[k].code);
            atls_verdict_free(r);
        }
    }
    atls_verifier_free(v);
    atls_sim_free(sim);
}

static bool judge_fault(const atls_verifier *v, const atls_sim *sim, const atls_sim_fault *f,
                        const char *type)
{
    const atls_sim_quote ask = {.type = type, .fault = f->of_quote ? f->name : NULL};
    const char *want = expected_check(f->name);
    atls_verdict *r = judge(v, sim, &ask);
    bool good = atls_verdict_code(r) == f->expected &&
                atls_verdict_accepted(r) == (f->expected == ATLS_OK) &&
                strcmp(atls_verdict_check(r), want) == 0;
    if (!good) {
        print_error("%s in %s: code %d check '%s' (%s), where code %d check '%s' is wanted\n",
                    f->name, type, (int)atls_verdict_code(r), atls_verdict_check(r),
                    atls_verdict_message(r), (int)f->expected, want);
    }
    atls_verdict_free(r);
    return good;
}

/* Of the table, only rows that show in quotes of that type. */
static size_t walk(const char *type, const char *tee, bool (*shows)(const atls_sim_fault *f))
{
    atls_sim_fault f;
    atls_sim *good = sim_with(NULL);
    atls_verifier *trusting = verifier_of(good, NULL, good);
    size_t wrong = 0;
    for (size_t n = 0; atls_sim_fault_at(n, &f); n++) {
        if (!shows(&f)) {
            continue;
        }
        atls_sim *own = f.of_quote ? NULL : sim_with(f.name);
        atls_verifier *v = f.of_quote ? NULL : verifier_of(own, tee, own);
        wrong += judge_fault(f.of_quote ? trusting : v, f.of_quote ? good : own, &f, type) ? 0 : 1;
        atls_verifier_free(v);
        atls_sim_free(own);
    }
    atls_verifier_free(trusting);
    atls_sim_free(good);
    return wrong;
}

static bool shows_in_tdx(const atls_sim_fault *f)
{
    return f->in_tdx;
}

static bool shows_in_tdx5(const atls_sim_fault *f)
{
    return f->in_tdx5;
}

static bool shows_in_sgx(const atls_sim_fault *f)
{
    return f->in_sgx;
}

static void every_fault_is_met_in_tdx_4(void **state)
{
    (void)state;
    assert_int_equal(walk("tdx", "tdx", shows_in_tdx), 0);
}

static void every_fault_is_met_in_tdx_5(void **state)
{
    (void)state;
    assert_int_equal(walk("tdx5", "tdx", shows_in_tdx5), 0);
}

static void every_fault_is_met_in_sgx(void **state)
{
    (void)state;
    assert_int_equal(walk("sgx", "sgx", shows_in_sgx), 0);
}

static bool has_failed(const atls_verdict *r, const char *check)
{
    atls_check_line line;
    for (size_t i = 0; atls_verdict_check_at(r, i, &line); i++) {
        if (strcmp(line.id, check) == 0) {
            return strcmp(line.result, "fail") == 0;
        }
    }
    return false;
}

/* One chain serves TCB info and QE identity, and the first failure decides: the second is there all the same. */
static void a_signer_is_judged_for_both_texts(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *check, *other;
    } cases[] = {
        {"tcb_signing.signature", "tcb_info.chain.signature", "qe_identity.chain.signature"},
        {"tcb_signing.issuer", "tcb_info.chain.issuer", "qe_identity.chain.issuer"},
        {"tcb_signing.no_ski", "tcb_info.chain.extensions", "qe_identity.chain.extensions"},
        {"tcb_signing.key_usage", "tcb_info.chain.usage", "qe_identity.chain.usage"},
        {"tcb_signing.name", "tcb_info.chain.signer", "qe_identity.chain.signer"},
        {"tcb_signing.revoked", "tcb_info.chain.crl", "qe_identity.chain.crl"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const atls_sim_quote ask = {.type = "tdx"};
        atls_sim *sim = sim_with(cases[i].fault);
        atls_verifier *v = verifier_of(sim, "tdx", sim);
        atls_verdict *r = judge(v, sim, &ask);
        assert_false(atls_verdict_accepted(r));
        if (!has_failed(r, cases[i].check) || !has_failed(r, cases[i].other)) {
            fail_msg("%s: %s and %s are to fail", cases[i].fault, cases[i].check, cases[i].other);
        }
        atls_verdict_free(r);
        atls_verifier_free(v);
        atls_sim_free(sim);
    }
}

static void no_expectation_is_for_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        atls_sim_fault f = {0};
        size_t n = 0;
        while (atls_sim_fault_at(n, &f) && strcmp(f.name, expected[i].fault) != 0) {
            n++;
        }
        assert_string_equal(f.name, expected[i].fault);
        assert_int_equal(expected[i].check[0] == '\0', f.expected == ATLS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_is_accepted_as_simulated),
        cmocka_unit_test(no_root_but_its_own_will_do),
        cmocka_unit_test(two_simulators_do_not_mix),
        cmocka_unit_test(a_chain_in_the_collateral_serves_every_type),
        cmocka_unit_test(statuses_are_judged),
        cmocka_unit_test(it_has_its_time),
        cmocka_unit_test(every_fault_is_met_in_tdx_4),
        cmocka_unit_test(every_fault_is_met_in_tdx_5),
        cmocka_unit_test(every_fault_is_met_in_sgx),
        cmocka_unit_test(a_signer_is_judged_for_both_texts),
        cmocka_unit_test(no_expectation_is_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
