/* What a hostile peer, a hostile cache of collateral or a careless caller may try: nothing of it is accepted, and no
 * line of a refusal says more than was shown. */
#include <stdlib.h>

#include <jansson.h>

#include "trust/root.h"
#include "unit/pki.h"
#include "unit/simulated.h"

/* --- collateral with holes --- */

/* The collateral of b's platform with one member set to value (NULL: taken out). Takes value over. */
static atls_collateral *edited(const bench *b, const char *tee, const char *member, json_t *value)
{
    char *json = NULL;
    atls_collateral *c = NULL;
    assert_int_equal(atls_sim_collateral(b->sim, tee, &json, NULL), ATLS_OK);
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(json_object_get(object, member));
    assert_int_equal(value == NULL ? json_object_del(object, member)
                                   : json_object_set_new(object, member, value),
                     0);
    char *text = json_dumps(object, JSON_COMPACT);
    assert_int_equal(atls_collateral_parse(text_buf(text), &c, NULL), ATLS_OK);
    free(text);
    json_decref(object);
    atls_free(json);
    return c;
}

static void a_member_that_is_missing_is_told_as_missing(void **state)
{
    (void)state;
    static const struct {
        const char *member, *check;
    } cases[] = {
        {"root_ca_crl", "root_crl.missing"},
        {"pck_crl", "pck_crl.missing"},
        {"tcb_info_issuer_chain", "tcb_info.chain.missing"},
        {"tcb_info", "tcb_info.missing"},
        {"tcb_info_signature", "tcb_info.missing"},
        {"qe_identity_issuer_chain", "qe_identity.chain.missing"},
        {"qe_identity", "qe_identity.missing"},
        {"qe_identity_signature", "qe_identity.missing"},
    };
    static const char *const tees[] = {"tdx", "sgx"};
    for (size_t t = 0; t < 2; t++) {
        bench b = set_up(tees[t], NULL, NULL);
        for (size_t i = 0; i < 3 * sizeof cases / sizeof cases[0]; i++) {
            size_t k = i / 3;
            json_t *value = i % 3 == 0 ? NULL : i % 3 == 1 ? json_null() : json_string("");
            atls_collateral *c = edited(&b, tees[t], cases[k].member, value);
            atls_verifier *v = atls_verifier_new();
            assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(b.root), NULL),
                             ATLS_OK);
            assert_int_equal(atls_verifier_add1_collateral(v, c, NULL), ATLS_OK);
            bench with = b;
            with.v = v;
            assert_refused(check_at(&with, NULL, NOW), ATLS_E_COLLATERAL, cases[k].check);
            atls_verifier_free(v);
            atls_collateral_free(c);
        }
        tear_down(&b);
    }
}

/* --- roots --- */

/* A root that was given twice, once as a simulator's: in either order everything under it is simulated. */
static void a_root_given_as_a_simulators_too_is_simulated(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    pki_spec spec = {
        .cn = "Test SGX Root CA", .serial = 1, .not_before_s = 0, .not_after_s = 40000 * PKI_DAY};
    X509 *x = pki_cert(&spec, key, NULL, key);
    atls_buf der = pki_der(x);
    atls_cert *cert = NULL;
    assert_int_equal(atls_cert_parse(der, &cert, NULL), ATLS_OK);
    for (int simulator_first = 0; simulator_first < 2; simulator_first++) {
        atls_root_set set = {.n = 0};
        assert_int_equal(atls_root_set_pinned(&set, ATLS_FAMILY_INTEL, NULL), ATLS_OK);
        assert_int_equal(atls_root_set_add(&set, ATLS_FAMILY_INTEL, der, simulator_first == 1, NULL), ATLS_OK);
        assert_int_equal(atls_root_set_add(&set, ATLS_FAMILY_INTEL, der, simulator_first == 0, NULL), ATLS_OK);
        const atls_root *root = atls_root_find(&set, cert);
        assert_non_null(root);
        assert_true(root->simulated);
        atls_root_set_clear(&set);
    }
    atls_cert_free(cert);
    pki_buf_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* --- parts of evidence --- */

static void parts_are_told_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *names[3];
        size_t quote_at, n;
        bool good, unknown;
    } cases[] = {
        {"tdx", {"quote"}, 0, 1, true},
        {"tdx", {NULL}, 0, 1, true},
        {NULL, {NULL}, 0, 1, true},
        {"tdx", {"quote", "event_log"}, 0, 2, true},
        {"tdx", {NULL, "event_log"}, 0, 2, true},
        {"tdx", {"event_log", "quote"}, 1, 2, true},
        {NULL, {"event_log", "quote"}, 1, 2, true},
        {"tdx", {"event_log"}, 0, 1, false}, /* a quote under another name */
        {NULL, {"event_log"}, 0, 1, false, true},
        {"tdx", {"quote", "quote"}, 0, 2, false}, /* which one would be a guess */
        {NULL, {"quote", "quote"}, 1, 2, false, true},
        {NULL, {"quote", "quote"}, 0, 2, false},
        {"tdx", {NULL, "quote"}, 0, 2, false},
        {"tdx", {"quote", "vcek"}, 0, 2, false}, /* of another type */
        {"tdx", {"quote", "gpu"}, 0, 2, false},  /* of none */
        {"tdx", {"quote", NULL}, 0, 2, false},
        {"tdx", {"quote", ""}, 0, 2, false},
        {"tdx", {"event_log", NULL}, 1, 2, false},
        {"tdx", {"quote", "event_log", "event_log"}, 0, 3, false},
    };
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    static const uint8_t other[] = {'[', ']'}; /* a log without events */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_evidence e = {.type = cases[i].type, .parts_n = cases[i].n};
        for (size_t k = 0; k < cases[i].n; k++) {
            e.parts[k].name = cases[i].names[k];
            e.parts[k].bytes = k == cases[i].quote_at ? (atls_buf){b.quote, b.quote_len}
                                                      : (atls_buf){other, sizeof other};
        }
        atls_verdict *r = atls_verifier_check(b.v, &e, NULL, NOW, NULL);
        if (cases[i].good) {
            if (!atls_verdict_accepted(r)) {
                print_error("case %zu: %s\n", i, atls_verdict_message(r));
            }
            assert_true(atls_verdict_accepted(r));
            atls_verdict_free(r);
        } else {
            assert_refused(r, ATLS_E_INVALID,
                           cases[i].unknown ? "evidence.unknown" : "evidence.parts");
        }
    }
    /* A log in front of the quote may be larger than a quote. */
    static uint8_t log[256u << 10];
    memset(log, ' ', sizeof log);
    memcpy(log, other, sizeof other);
    atls_evidence e = {
        .type = "tdx",
        .parts_n = 2,
        .parts = {{"event_log", {log, sizeof log}}, {"quote", {b.quote, b.quote_len}}}};
    atls_verdict *r = atls_verifier_check(b.v, &e, NULL, NOW, NULL);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    tear_down(&b);
}

/* --- what a refusal says --- */

static atls_policy *policy_of(const char *text)
{
    atls_policy *policy = NULL;
    atls_err err = {0};
    if (atls_policy_parse(text_buf(text), &policy, &err) != ATLS_OK) {
        print_error("%s\n", err.msg);
    }
    assert_non_null(policy);
    return policy;
}

/* Evidence that does not hold binds nothing and names nobody, even where its own signature verifies. */
static void a_refusal_claims_nothing_that_was_not_shown(void **state)
{
    (void)state;
    static const struct {
        const char *fault; /* of the platform */
        int64_t when_s;
        bool other_data, bound;
        atls_code code;
    } cases[] = {
        {NULL, NOW, false, true, ATLS_OK},
        {"pck.revoked", NOW, false, false, ATLS_E_INVALID},
        {"qe_identity.missing", NOW, false, false, ATLS_E_COLLATERAL},
        {NULL, NOW + (int64_t)60 * 86400, false, false, ATLS_E_COLLATERAL},
        {NULL, NOW, true, false, ATLS_E_BINDING},
    };
    atls_policy *policy =
        policy_of("{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"tdx\"],"
                  "\"pki\":{\"names\":[\"a.example\"]},\"bindings\":[\"atls/1\"]}]}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench b = set_up("tdx", cases[i].fault, NULL);
        trust_all(&b);
        assert_int_equal(atls_verifier_set1_policy(b.v, policy, NULL), ATLS_OK);
        atls_expected x = {.has_report_data = true,
                           .binding = ATLS_BINDING_SESSION,
                           .binding_name = "atls/1",
                           .pki_name = "a.example"};
        memset(x.report_data, cases[i].other_data ? 0x41 : 0x42, sizeof x.report_data);
        atls_verdict *r = check_at(&b, &x, cases[i].when_s);
        assert_int_equal(atls_verdict_code(r), cases[i].code);
        assert_string_equal(atls_verdict_binding(r), cases[i].bound ? "session" : "none");
        assert_string_equal(atls_verdict_freshness(r), cases[i].bound ? "this connection" : "none");
        assert_string_equal(atls_verdict_identity(r), cases[i].bound ? "name by PKI" : "none");
        assert_string_equal(atls_verdict_workload(r), cases[i].bound ? "w" : "");
        atls_verdict_free(r);
        tear_down(&b);
    }
    atls_policy_free(policy);
}

/* Certificates are public: a forger may show any platform's, and must not be told to sit on it. */
static void a_forged_quote_names_no_platform(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        bool named;
    } cases[] = {
        {NULL, true},
        {"quote.signature", false},
        {"quote.changed", false},
        {"quote.attestation_key", false},
        {"quote.qe_report_signature", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench b = set_up("tdx", NULL, cases[i].fault);
        trust_all(&b);
        atls_verdict *r = check_at(&b, NULL, NOW);
        char *json = atls_verdict_json(r);
        assert_non_null(json);
        assert_int_equal(atls_verdict_accepted(r), cases[i].named);
        assert_int_equal(strstr(json, "\"platform\":") != NULL, cases[i].named);
        atls_free(json);
        atls_verdict_free(r);
        tear_down(&b);
    }
}

/* --- clocks --- */

/* Whatever the clock says, the verdict is a refusal by time, computed without overflow (sanitizers look on). */
static void a_clock_may_say_anything(void **state)
{
    (void)state;
    static const int64_t clocks[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 253402300799, INT64_MAX};
    atls_policy *policy =
        policy_of("{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"tdx\"],"
                  "\"tcb\":{\"grace_days\":3650,\"max_collateral_age_days\":3650},"
                  "\"max_evidence_age_s\":31536000}]}");
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    assert_int_equal(atls_verifier_set1_policy(b.v, policy, NULL), ATLS_OK);
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        atls_verdict *r = check_at(&b, NULL, clocks[i]);
        char *json = atls_verdict_json(r);
        assert_non_null(json);
        atls_free(json);
        assert_true(has_failure(r, "root_crl.time", ATLS_E_COLLATERAL));
        assert_refused(r, ATLS_E_COLLATERAL, "pck.chain.time");
    }
    tear_down(&b);
    atls_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_is_missing_is_told_as_missing),
        cmocka_unit_test(a_root_given_as_a_simulators_too_is_simulated),
        cmocka_unit_test(parts_are_told_by_their_names),
        cmocka_unit_test(a_refusal_claims_nothing_that_was_not_shown),
        cmocka_unit_test(a_forged_quote_names_no_platform),
        cmocka_unit_test(a_clock_may_say_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
