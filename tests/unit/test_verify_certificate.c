/* A certificate with a simulated quote over its key, as a file: good, and wrong in one thing at a time. */
#include "unit/simulated.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "binding/certificate.h"
#include "crypto/digest.h"

static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 0x06};

typedef struct made {
    bench b;
    EVP_PKEY *key;
    uint8_t *der;
    int len;
} made;

static made make(int64_t not_after_s, bool with_evidence)
{
    made m = {.b = set_up("sgx", NULL, NULL), .key = EVP_EC_gen("P-256")};
    uint8_t *spki = NULL;
    const int spki_len = i2d_PUBKEY(m.key, &spki);
    const atls_buf piece = {spki, (size_t)spki_len};
    atls_sim_quote q = {.type = "sgx"};
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, q.report_data, NULL), ATLS_OK);
    OPENSSL_free(spki);
    uint8_t *quote = NULL;
    size_t quote_len = 0;
    assert_int_equal(atls_sim_make_quote(m.b.sim, &q, &quote, &quote_len, NULL), ATLS_OK);
    const atls_certificate_extension extension = {{oid, sizeof oid}, {quote, quote_len}};
    const atls_certificate_plan plan = {.common_name = "RATLS",
                                        .not_before_s = NOW - 60,
                                        .not_after_s = not_after_s,
                                        .extensions = &extension,
                                        .extensions_n = with_evidence ? 1 : 0};
    X509 *cert = NULL;
    assert_int_equal(atls_certificate_make(&plan, m.key, &cert, NULL), ATLS_OK);
    m.len = i2d_X509(cert, &m.der);
    assert_true(m.len > 0);
    X509_free(cert);
    atls_free(quote);
    trust_all(&m.b);
    return m;
}

static void clear(made *m)
{
    tear_down(&m->b);
    EVP_PKEY_free(m->key);
    OPENSSL_free(m->der);
}

static atls_verdict *judged(const made *m, const char *bindings, const atls_expected *expected)
{
    atls_verdict *r = atls_verifier_check_certificate(m->b.v, (atls_buf){m->der, (size_t)m->len},
                                                      bindings, expected, NOW, NULL);
    assert_non_null(r);
    return r;
}

static void a_good_one_is_bound_to_its_key(void **state)
{
    (void)state;
    made m = make(NOW + 60, true);
    atls_verdict *r = judged(&m, "ra-tls,ra-tls-gramine", NULL);
    if (!atls_verdict_accepted(r)) {
        fail_msg("%s", atls_verdict_text(r, true));
    }
    assert_string_equal(atls_verdict_binding(r), "key");
    assert_string_equal(atls_verdict_freshness(r), "none");
    assert_non_null(strstr(atls_verdict_binding_line(r), "key"));
    assert_true(atls_verdict_simulated(r));
    atls_verdict_free(r);
    BIO *bio = BIO_new(BIO_s_mem());
    const unsigned char *at = m.der;
    X509 *cert = d2i_X509(NULL, &at, m.len);
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    char *pem = NULL;
    const long len = BIO_get_mem_data(bio, &pem);
    r = atls_verifier_check_certificate(m.b.v, (atls_buf){(uint8_t *)pem, (size_t)len},
                                        "ra-tls-gramine", NULL, NOW, NULL);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    X509_free(cert);
    BIO_free(bio);
    clear(&m);
}

static void each_check_is_one_of_its_own(void **state)
{
    (void)state;
    made m = make(NOW - 1, true);
    m.der[m.len - 1] ^= 1;
    atls_verdict *r = judged(&m, "ra-tls-gramine", NULL);
    assert_true(has_failure(r, "certificate.signature", ATLS_E_INVALID));
    assert_true(has_failure(r, "certificate.time", ATLS_E_BINDING));
    assert_int_equal(r->claims.tee, ATLS_TEE_SGX);
    assert_string_equal(atls_verdict_binding(r), "none");
    assert_refused(r, ATLS_E_INVALID, "certificate.signature");
    clear(&m);
    m = make(NOW - 1, true);
    assert_refused(judged(&m, "ra-tls-gramine", NULL), ATLS_E_BINDING, "certificate.time");
    clear(&m);
}

static void what_the_caller_wants_counts_too(void **state)
{
    (void)state;
    made m = make(NOW + 60, true);
    atls_expected expected = {.has_report_data = true};
    assert_refused(judged(&m, "ra-tls-gramine", &expected), ATLS_E_BINDING, "binding.report_data");
    expected = (atls_expected){.has_nonce = true, .nonce_len = 4};
    atls_verdict *r = judged(&m, "ra-tls-gramine", &expected);
    assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
    atls_verdict_free(r);
    atls_policy *p = NULL;
    assert_int_equal(atls_policy_parse(text_buf("{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\","
                                                "\"tees\":[\"sgx\"],\"bindings\":[\"ra-tls\"]}]}"),
                                       &p, NULL),
                     ATLS_OK);
    assert_int_equal(atls_verifier_set1_policy(m.b.v, p, NULL), ATLS_OK);
    assert_refused(judged(&m, "ra-tls-gramine", NULL), ATLS_E_POLICY, "policy.binding");
    atls_policy_free(p);
    clear(&m);
}

/* Whatever the certificate's dialect does not compare by itself is compared beside it: nothing that a caller wants is passed
 * over. */
static void nothing_that_the_caller_wants_is_passed_over(void **state)
{
    (void)state;
    made m = make(NOW + 60, true);
    const struct {
        atls_expected expected;
        const char *check;
    } rows[] = {
        {{.has_user_data = true}, "binding.user_data"},
        {{.has_hardware_data = true}, "binding.hardware_data"},
        {{.event = "compose-hash", .event_data = text_buf("ab")}, "binding.event"},
        {{.nonce_text = "ab"}, "binding.nonce_text"},
        {{.issuer = "ab"}, "binding.token"},
        {{.audience = "ab"}, "binding.token"},
        {{.has_nonce = true}, "binding.nonce"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(judged(&m, "ra-tls-gramine", &rows[i].expected), ATLS_E_BINDING,
                       rows[i].check);
    }
    clear(&m);
}

static void its_age_counts_from_when_it_was_seen(void **state)
{
    (void)state;
    static const struct {
        int64_t since_s;
        const char *check;
    } cases[] = {{NOW, ""},
                 {NOW - 299, ""},
                 {NOW - 300, ""},
                 {NOW - 301, "policy.evidence_age"},
                 {0, "policy.evidence_age"}};
    made m = make(NOW + 60, true);
    atls_policy *p = NULL;
    assert_int_equal(
        atls_policy_parse(text_buf("{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\","
                                   "\"tees\":[\"sgx\"],\"bindings\":[\"ra-tls-gramine\"],"
                                   "\"max_evidence_age_s\":300}]}"),
                          &p, NULL),
        ATLS_OK);
    assert_int_equal(atls_verifier_set1_policy(m.b.v, p, NULL), ATLS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const atls_expected expected = {.has_since = true, .since_s = cases[i].since_s};
        atls_verdict *r = judged(&m, "ra-tls-gramine", &expected);
        assert_string_equal(atls_verdict_check(r), cases[i].check);
        assert_int_equal(atls_verdict_code(r),
                         cases[i].check[0] != '\0' ? ATLS_E_BINDING : ATLS_OK);
        if (atls_verdict_accepted(r)) {
            assert_true(atls_verdict_expires(r) == cases[i].since_s + 300);
        }
        atls_verdict_free(r);
    }
    atls_policy_free(p);
    clear(&m);
}

static void what_is_no_evidence_is_told(void **state)
{
    (void)state;
    made m = make(NOW + 60, false);
    assert_refused(judged(&m, NULL, NULL), ATLS_E_INVALID, "certificate.evidence");
    clear(&m);
    m = make(NOW + 60, true);
    assert_refused(judged(&m, NULL, NULL), ATLS_E_INVALID, "certificate.evidence");
    for (int len = 0; len < m.len; len += 97) { /* cut anywhere */
        const atls_buf cut = {m.der, (size_t)len};
        assert_refused(
            atls_verifier_check_certificate(m.b.v, cut, "ra-tls-gramine", NULL, NOW, NULL),
            ATLS_E_INVALID, "certificate.malformed");
    }
    static uint8_t large[ATLS_CARRIER_MAX_LEN + 1];
    assert_refused(atls_verifier_check_certificate(m.b.v, (atls_buf){large, sizeof large}, NULL,
                                                   NULL, NOW, NULL),
                   ATLS_E_INVALID, "certificate.malformed");
    assert_refused(atls_verifier_check_certificate(m.b.v,
                                                   text_buf("-----BEGIN PUBLIC KEY-----\nAAAA\n"),
                                                   NULL, NULL, NOW, NULL),
                   ATLS_E_INVALID, "certificate.malformed");
    clear(&m);
}

/* Decoded only: what it says, and of which dialect it is. */
static void inspect_shows_what_it_carries(void **state)
{
    (void)state;
    made m = make(NOW + 60, true);
    char *text = NULL;
    assert_int_equal(atls_inspect((atls_buf){m.der, (size_t)m.len}, true, &text, NULL), ATLS_OK);
    assert_non_null(strstr(text, "\"dialect\":\"ra-tls-gramine\""));
    assert_non_null(strstr(text, "\"report_data_for_this_key\""));
    assert_non_null(strstr(text, "mrenclave"));
    atls_free(text);
    clear(&m);
    m = make(NOW + 60, false);
    assert_int_equal(atls_inspect((atls_buf){m.der, (size_t)m.len}, true, &text, NULL), ATLS_OK);
    assert_null(strstr(text, "\"evidence\""));
    atls_free(text);
    clear(&m);
}

static void only_dialects_of_certificates_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "atls/1", "ra-tls,", ",ra-tls", "ra-tls,nobody"};
    atls_verifier *v = atls_verifier_new();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        atls_err err = {0};
        assert_null(atls_verifier_check_certificate(v, text_buf("x"), wrong[i], NULL, NOW, &err));
        assert_int_equal(err.code, ATLS_E_USAGE);
        assert_string_equal(err.check, "usage.binding");
    }
    atls_verifier_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_is_bound_to_its_key),
        cmocka_unit_test(each_check_is_one_of_its_own),
        cmocka_unit_test(what_the_caller_wants_counts_too),
        cmocka_unit_test(nothing_that_the_caller_wants_is_passed_over),
        cmocka_unit_test(its_age_counts_from_when_it_was_seen),
        cmocka_unit_test(what_is_no_evidence_is_told),
        cmocka_unit_test(inspect_shows_what_it_carries),
        cmocka_unit_test(only_dialects_of_certificates_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
