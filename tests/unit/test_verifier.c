/* The verifier over simulated evidence: what its user may set does what it says. (Evidence and collateral
 * that are wrong: test_verifier_faults.) */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "trust/root.h"
#include "unit/pki.h"
#include "unit/simulated.h"

/* A sanitizer keeps what was freed: there, the size of the process says nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void genuine_evidence_is_accepted_and_called_simulated(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "tdx5", "tdx5-1.0", "sgx", "sgx4", "sgx5"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        bench b = set_up(types[i], NULL, NULL);
        trust_all(&b);
        atls_verdict *r = check_at(&b, NULL, NOW);
        assert_true(atls_verdict_accepted(r));
        assert_true(atls_verdict_simulated(r));
        assert_int_equal(atls_verdict_signatures(r), 9);
        assert_string_equal(atls_verdict_format(r), types[i][0] == 's' ? "sgx" : "tdx");
        assert_string_equal(atls_verdict_binding(r), "none");
        atls_verdict_free(r);
        r = check_at(&b, NULL, NOW);
        assert_true(atls_verdict_accepted(r) && atls_verdict_simulated(r));
        assert_int_equal(atls_verdict_signatures(r), 1);
        atls_verdict_free(r);
        atls_verifier_drop_caches(b.v);
        r = check_at(&b, NULL, NOW);
        assert_int_equal(atls_verdict_signatures(r), 9);
        atls_verdict_free(r);
        tear_down(&b);
    }
}

/* --- roots --- */

static void a_simulator_is_not_trusted_unless_asked_for(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
    assert_string_equal(atls_verdict_check(r),
                        "pck.chain.root"); /* the first that a reader is told */
    assert_true(has_failure(r, "tcb_info.chain.root", ATLS_E_INVALID));
    assert_true(has_failure(r, "qe_identity.chain.root", ATLS_E_INVALID));
    atls_verdict_free(r);

    /* As a root of the user's it is a simulator all the same. */
    assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, text_buf(b.root), NULL),
                     ATLS_OK);
    r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r) && atls_verdict_simulated(r));
    atls_verdict_free(r);

    /* Another simulator is not this one. */
    bench other = set_up("tdx", NULL, NULL);
    assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, text_buf(other.root), NULL),
                     ATLS_OK);
    r = check_at(&b, NULL, NOW);
    assert_true(has_failure(r, "pck.chain.root", ATLS_E_INVALID));
    atls_verdict_free(r);
    tear_down(&other);
    tear_down(&b);
}

static void roots_that_are_none_are_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    atls_err err = {0};
    assert_int_equal(atls_verifier_set1_root(b.v, (atls_family)99, text_buf(b.root), &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "root.family");
    static const char *const bad[] = {"", "no certificate", "-----BEGIN CERTIFICATE-----\nMAAA\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, text_buf(bad[i]), &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "root.certificate");
    }
    EVP_PKEY *key = pki_key();
    EVP_PKEY *other = pki_key();
    pki_spec spec = {
        .cn = "Some Root", .serial = 1, .not_before_s = 0, .not_after_s = 40000 * PKI_DAY};
    X509 *root = pki_cert(&spec, key, NULL, key);
    X509 *forged = pki_cert(&spec, key, NULL, other); /* self-issued, signed by another */
    spec.cn = "Some CA";
    X509 *ca = pki_cert(&spec, key, root, key);
    X509 *wrong[] = {forged, ca};
    for (size_t i = 0; i < 2; i++) {
        atls_buf der = pki_der(wrong[i]);
        assert_int_equal(atls_verifier_set1_root(b.v, ATLS_FAMILY_INTEL, der, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "root.certificate");
        pki_buf_free(der);
    }
    atls_buf der = pki_der(root);
    for (int i = 1; i < ATLS_ROOTS_MAX; i++) { /* the vendor's is one */
        assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, der, NULL), ATLS_OK);
    }
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, der, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "root.count");
    pki_buf_free(der);
    X509_free(ca);
    X509_free(forged);
    X509_free(root);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    tear_down(&b);
}

/* --- collateral --- */

static void without_collateral_signatures_are_checked_all_the_same(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_int_equal(r->claims.tee, ATLS_TEE_TDX);
    assert_false(r->claims.tcb.known);
    assert_int_equal(r->signatures, 4);
    assert_refused(r, ATLS_E_COLLATERAL, "collateral.missing");
    tear_down(&b);
}

static void the_fitting_collateral_is_chosen(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    bench strange = set_up("tdx", "tcb_info.fmspc", NULL);
    atls_collateral *sgx = collateral_of(b.sim, "sgx");
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    /* None fits: one is used anyway, and what does not fit is told. */
    assert_int_equal(atls_verifier_add1_collateral(b.v, sgx, NULL), ATLS_OK);
    assert_refused(check_at(&b, NULL, NOW), ATLS_E_INVALID, "tcb_info.tee");
    assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b.v, strange.collateral, NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_collateral_free(sgx);
    tear_down(&strange);
    tear_down(&b);
}

/* It plays no part in the verdict, but what is malformed is told. */
static void a_malformed_issuer_chain_of_the_pck_crl_is_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    char *json = NULL;
    assert_int_equal(atls_sim_collateral(b.sim, "tdx", &json, NULL), ATLS_OK);
    json_t *object = json_loads(json, 0, NULL);
    assert_int_equal(json_object_set_new(object, "pck_crl_issuer_chain", json_string("no PEM")), 0);
    char *text = json_dumps(object, JSON_COMPACT);
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse(text_buf(text), &c, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b.v, c, NULL), ATLS_OK);
    assert_refused(check_at(&b, NULL, NOW), ATLS_E_INVALID, "pck_crl.chain.format");
    atls_collateral_free(c);
    free(text);
    json_decref(object);
    atls_free(json);
    tear_down(&b);
}

/* Without it the platform's own chain decides. */
static void the_issuer_chain_of_the_pck_crl_is_not_needed(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    char *json = NULL;
    assert_int_equal(atls_sim_collateral(b.sim, "tdx", &json, NULL), ATLS_OK);
    json_t *object = json_loads(json, 0, NULL);
    assert_int_equal(json_object_del(object, "pck_crl_issuer_chain"), 0);
    char *text = json_dumps(object, JSON_COMPACT);
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse(text_buf(text), &c, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(b.v, text_buf(b.root), NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(b.v, c, NULL), ATLS_OK);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_signatures(r), 9);
    atls_verdict_free(r);
    atls_collateral_free(c);
    free(text);
    json_decref(object);
    atls_free(json);
    tear_down(&b);
}

static void at_most_1024_collaterals_are_taken(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    for (int i = 0; i < 1024; i++) {
        assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, NULL), ATLS_OK);
    }
    atls_err err = {0};
    assert_int_equal(atls_verifier_add1_collateral(b.v, b.collateral, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "collateral.count");
    tear_down(&b);
}

static void times_are_judged_anew_at_each_use(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    int64_t ends_s = r->claims.tcb.earliest_expiration_s;
    assert_int_equal(atls_verdict_expires(r), ends_s);
    atls_verdict_free(r);
    r = check_at(&b, NULL, ends_s);
    assert_true(atls_verdict_accepted(r)); /* the last second still counts */
    assert_int_equal(r->signatures, 1);
    atls_verdict_free(r);
    r = check_at(&b, NULL, ends_s + 1);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    assert_true(r->claims.tcb.known); /* the status is told all the same */
    atls_verdict_free(r);
    r = check_at(&b, NULL, NOW - 2 * 86400);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    atls_verdict_free(r);
    r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    tear_down(&b);
}

/* --- evidence and binding --- */

static void unknown_and_oversized_evidence_is_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    static uint8_t large[(128u << 10) + 1];
    atls_evidence e = {.type = "tdx", .parts_n = 1, .parts = {{NULL, {large, sizeof large}}}};
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "evidence.size");
    e.type = NULL;
    e.parts[0].bytes.len = 2000;
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID,
                   "evidence.unknown");
    e.type = "abacus";
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID,
                   "evidence.unknown");
    e.parts_n = 0;
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "evidence.parts");
    e.parts_n = 11;
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "evidence.parts");
    e = (atls_evidence){.type = "sgx", .parts_n = 1, .parts = {{"quote", {b.quote, b.quote_len}}}};
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID, "quote.format");
    e.type = NULL;
    e.parts[0].bytes = (atls_buf){NULL, 0};
    assert_refused(atls_verifier_check(b.v, &e, NULL, NOW, NULL), ATLS_E_INVALID,
                   "evidence.unknown");
    tear_down(&b);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx5", NULL, NULL);
    trust_all(&b);
    for (size_t len = 0; len < b.quote_len; len += len < 900 ? 1 : 37) {
        atls_evidence e = {.parts_n = 1, .parts = {{NULL, {b.quote, len}}}};
        atls_verdict *r = atls_verifier_check(b.v, &e, NULL, NOW, NULL);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        atls_verdict_free(r);
    }
    tear_down(&b);
}

/* No bit of what is signed may change, whether the platform is cached or not. */
static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    atls_verdict *r = check_at(&b, NULL, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    for (size_t i = 0; i < b.quote_len; i += i < 1300 ? 5 : 101) {
        b.quote[i] ^= 0x10;
        r = check_at(&b, NULL, NOW);
        /* The PEM text has a few bytes of slack: line ends, the final NUL. */
        if (atls_verdict_accepted(r)) {
            assert_true(i > 1300 && (b.quote[i] ^ 0x10) < 0x21);
        }
        atls_verdict_free(r);
        b.quote[i] ^= 0x10;
    }
    tear_down(&b);
}

static void report_data_and_nonce_are_compared(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    atls_expected x = {.has_report_data = true, .binding = ATLS_BINDING_SESSION};
    memset(x.report_data, 0x42, sizeof x.report_data);
    atls_verdict *r = check_at(&b, &x, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_SESSION);
    assert_string_equal(atls_verdict_freshness(r), "this connection");
    atls_verdict_free(r);
    x.report_data[63] ^= 1;
    r = check_at(&b, &x, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_NONE);
    assert_string_equal(atls_verdict_freshness(r), "none");
    assert_refused(r, ATLS_E_BINDING, "binding.report_data");

    atls_expected n = {.has_nonce = true, .nonce_len = 64};
    memset(n.nonce, 0x42, sizeof n.nonce);
    r = check_at(&b, &n, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_string_equal(atls_verdict_freshness(r), "nonce");
    atls_verdict_free(r);
    n.nonce_len = 32; /* padded with zeros, which the field has not */
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    n.nonce_len = 0;
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    n.nonce_len = 65;
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    atls_expected none = {.binding = ATLS_BINDING_SESSION};
    r = check_at(&b, &none, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_NONE);
    assert_refused(r, ATLS_E_BINDING, "binding.expected");
    tear_down(&b);
}

static void a_short_nonce_is_padded_with_zeros(void **state)
{
    (void)state;
    bench b = set_up("sgx", NULL, NULL);
    trust_all(&b);
    atls_free(b.quote);
    atls_sim_quote q = {.type = "sgx", .report_data = {1, 2, 3, 4}};
    assert_int_equal(atls_sim_make_quote(b.sim, &q, &b.quote, &b.quote_len, NULL), ATLS_OK);
    atls_expected n = {.has_nonce = true, .nonce = {1, 2, 3, 4}, .nonce_len = 4};
    atls_verdict *r = check_at(&b, &n, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    n.nonce_len = 3;
    assert_refused(check_at(&b, &n, NOW), ATLS_E_BINDING, "binding.nonce");
    tear_down(&b);
}

static void an_untrusted_quote_is_bound_to_nothing(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, "quote.signature");
    trust_all(&b);
    atls_expected x = {.has_report_data = true, .binding = ATLS_BINDING_SESSION};
    memset(x.report_data, 0x42, sizeof x.report_data);
    atls_verdict *r = check_at(&b, &x, NOW);
    assert_int_equal(r->binding, ATLS_BINDING_NONE);
    assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
    assert_refused(r, ATLS_E_INVALID, "quote.signature");
    tear_down(&b);
}

/* --- threads, memory --- */

#define THREADS 8

typedef struct worker {
    const bench *good, *bad;
    int rounds;
    bool held;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    w->held = true;
    for (int i = 0; i < w->rounds; i++) {
        atls_evidence good = {.parts_n = 1,
                              .parts = {{NULL, {w->good->quote, w->good->quote_len}}}};
        atls_evidence bad = {.parts_n = 1, .parts = {{NULL, {w->bad->quote, w->bad->quote_len}}}};
        atls_verdict *r = atls_verifier_check(w->good->v, &good, NULL, NOW, NULL);
        w->held &= r != NULL && atls_verdict_accepted(r);
        atls_verdict_free(r);
        r = atls_verifier_check(w->good->v, &bad, NULL, NOW, NULL);
        w->held &= r != NULL && atls_verdict_code(r) == ATLS_E_INVALID;
        atls_verdict_free(r);
    }
    return NULL;
}

static void eight_threads_share_one_verifier(void **state)
{
    (void)state;
    bench good = set_up("tdx", NULL, NULL);
    bench bad = set_up("tdx", NULL, NULL);
    trust_all(&good);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){&good, &bad, 40, false};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(workers[i].held);
    }
    tear_down(&bad);
    tear_down(&good);
}

static long resident_pages(void)
{
    long size = 0;
    long resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2) {
        resident = 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return resident;
}

/* ATLS_VERIFY_ROUNDS=100000 for the long run. */
static void memory_stays_flat(void **state)
{
    (void)state;
    const char *asked = getenv("ATLS_VERIFY_ROUNDS");
    long rounds = asked == NULL ? 3000 : atol(asked);
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    long before = 0;
    for (long i = 0; i < rounds; i++) {
        if (i == rounds / 10) {
            before = resident_pages();
        }
        if (i % 50 == 0) {
            atls_verifier_drop_caches(b.v);
        }
        b.quote[100] ^= (uint8_t)(i % 3 == 0 ? 1 : 0); /* refused ones as well */
        atls_verdict_free(check_at(&b, NULL, NOW));
    }
    long grown = (resident_pages() - before) * sysconf(_SC_PAGESIZE);
    tear_down(&b);
    if (SANITIZED) {
        print_message("resident size not looked at: built with a sanitizer\n");
        skip();
    }
    assert_true(grown < 1024 * 1024);
}

static void a_verifier_needs_a_policy(void **state)
{
    (void)state;
    atls_verifier *v = atls_verifier_new();
    atls_err err = {0};
    assert_int_equal(atls_verifier_set1_policy(v, NULL, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "verifier.policy");
    atls_verifier_free(v);
    atls_verifier_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_evidence_is_accepted_and_called_simulated),
        cmocka_unit_test(a_simulator_is_not_trusted_unless_asked_for),
        cmocka_unit_test(roots_that_are_none_are_refused),
        cmocka_unit_test(without_collateral_signatures_are_checked_all_the_same),
        cmocka_unit_test(the_fitting_collateral_is_chosen),
        cmocka_unit_test(a_malformed_issuer_chain_of_the_pck_crl_is_refused),
        cmocka_unit_test(the_issuer_chain_of_the_pck_crl_is_not_needed),
        cmocka_unit_test(at_most_1024_collaterals_are_taken),
        cmocka_unit_test(times_are_judged_anew_at_each_use),
        cmocka_unit_test(unknown_and_oversized_evidence_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(report_data_and_nonce_are_compared),
        cmocka_unit_test(a_short_nonce_is_padded_with_zeros),
        cmocka_unit_test(an_untrusted_quote_is_bound_to_nothing),
        cmocka_unit_test(eight_threads_share_one_verifier),
        cmocka_unit_test(memory_stays_flat),
        cmocka_unit_test(a_verifier_needs_a_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
