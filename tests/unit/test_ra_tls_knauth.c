/* Certificates of the first RA-TLS: a bare quote over the RSA key as PKCS#1 has it; what Intel's attestation service once
 * said is refused. */
#include "simulated.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "binding/certificate.h"
#include "crypto/digest.h"

static const uint8_t arc[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 0};

typedef struct oid {
    uint8_t bytes[sizeof arc];
} oid;

static oid oid_of(uint8_t n)
{
    oid o;
    memcpy(o.bytes, arc, sizeof arc);
    o.bytes[sizeof arc - 1] = n;
    return o;
}

/* SHA-256 of the subject public key info without its first bytes: 24 of RSA-3072. */
static void hash_behind(EVP_PKEY *key, size_t skip, uint8_t out[64])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    assert_true(len > (int)skip);
    const atls_buf piece = {der + skip, (size_t)len - skip};
    memset(out, 0, 64);
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, out, NULL), ATLS_OK);
    OPENSSL_free(der);
}

static uint8_t *quote_over(const atls_sim *sim, const uint8_t data[64], size_t *len)
{
    atls_sim_quote q = {.type = "sgx"};
    uint8_t *quote = NULL;
    memcpy(q.report_data, data, 64);
    assert_int_equal(atls_sim_make_quote(sim, &q, &quote, len, NULL), ATLS_OK);
    return quote;
}

/* "ok", "none", or the check that refused. */
static const char *judge(const bench *b, EVP_PKEY *key, const atls_certificate_extension *list,
                         size_t n)
{
    const atls_certificate_plan plan = {.common_name = "Enclave TLS",
                                        .not_before_s = NOW - 300,
                                        .not_after_s = NOW + 300,
                                        .extensions = list,
                                        .extensions_n = n};
    X509 *x = NULL;
    unsigned char *der = NULL;
    atls_carrier c;
    atls_carried carried = {0};
    atls_err err = {0};
    bool found = false;
    assert_int_equal(atls_certificate_make(&plan, key, &x, NULL), ATLS_OK);
    int len = i2d_X509(x, &der);
    assert_int_equal(atls_carrier_of(x, (atls_buf){der, (size_t)len}, &c, NULL), ATLS_OK);
    atls_code rc = atls_binding_ra_tls_knauth.read_certificate(&c, NULL, 0, &carried, &found, &err);
    const char *check = rc != ATLS_OK ? err.check : "none";
    if (rc == ATLS_OK && found) {
        carried.expected.binding = atls_binding_ra_tls_knauth.kind;
        carried.expected.binding_name = atls_binding_ra_tls_knauth.name;
        atls_verdict *r =
            atls_verifier_check(b->v, &carried.evidence, &carried.expected, NOW, NULL);
        assert_non_null(r);
        check = atls_verdict_accepted(r) ? "ok" : "refused";
        if (has_failure(r, "binding.report_data", ATLS_E_BINDING)) {
            check = "binding.report_data";
        }
        atls_verdict_free(r);
    }
    atls_carried_clear(&carried);
    atls_carrier_clear(&c);
    OPENSSL_free(der);
    X509_free(x);
    return check;
}

static void the_key_of_pkcs1(void **state)
{
    (void)state;
    bench b = set_up("sgx", NULL, NULL);
    trust_all(&b);
    const oid six = oid_of(6);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
    static const struct {
        size_t skip, at; /* at: a byte of report data that is made wrong; 64: none */
        const char *check;
    } rows[] = {
        {24, 64, "ok"},                 /* RSAPublicKey */
        {0, 64, "binding.report_data"}, /* the whole subject public key info */
        {24, 0, "binding.report_data"},
        {24, 32, "binding.report_data"},
        {24, 63, "binding.report_data"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t data[65];
        size_t len = 0;
        hash_behind(key, rows[i].skip, data);
        data[rows[i].at] ^= 1;
        uint8_t *quote = quote_over(b.sim, data, &len);
        atls_certificate_extension e = {{six.bytes, sizeof six.bytes}, {quote, len}};
        assert_string_equal(judge(&b, key, &e, 1), rows[i].check);
        atls_free(quote);
    }
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void another_kind_of_key(void **state)
{
    (void)state;
    bench b = set_up("sgx", NULL, NULL);
    trust_all(&b);
    const oid six = oid_of(6);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    atls_certificate_extension e = {{six.bytes, sizeof six.bytes}, {b.quote, b.quote_len}};
    assert_string_equal(judge(&b, key, &e, 1), "knauth.key");
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void what_intel_s_service_said(void **state)
{
    (void)state;
    bench b = set_up("sgx", NULL, NULL);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    static const uint8_t text[] = "{\"id\":\"1\"}";
    for (uint8_t n = 1; n <= 14; n++) {
        const oid o = oid_of(n);
        atls_certificate_extension e = {{o.bytes, sizeof o.bytes}, {text, sizeof text - 1}};
        if (n != 6) { /* collateral alone is no evidence */
            assert_string_equal(judge(&b, key, &e, 1), n >= 2 && n <= 5 ? "knauth.epid" : "none");
        }
    }
    assert_string_equal(judge(&b, key, NULL, 0), "none");
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void quotes_that_are_none(void **state)
{
    (void)state;
    bench b = set_up("sgx", NULL, NULL);
    trust_all(&b);
    const oid six = oid_of(6);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    uint8_t data[64];
    size_t len = 0;
    hash_behind(key, 24, data);
    uint8_t *quote = quote_over(b.sim, data, &len);
    atls_certificate_extension e = {{six.bytes, sizeof six.bytes}, {quote, len}};
    assert_string_equal(judge(&b, key, &e, 1), "ok");
    quote[0] = 2; /* of EPID */
    assert_string_equal(judge(&b, key, &e, 1), "carried.epid");
    quote[0] = 3;
    quote[100] ^= 1; /* no longer signed */
    assert_string_equal(judge(&b, key, &e, 1), "refused");
    e.value.len = 0;
    assert_string_equal(judge(&b, key, &e, 1), "carried.quote");
    atls_free(quote);
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void never_made(void **state)
{
    (void)state;
    assert_true(atls_binding_ra_tls_knauth.verify_only &&
                atls_binding_ra_tls_knauth.in_certificate);
    assert_null(atls_binding_ra_tls_knauth.show);
    assert_ptr_equal(atls_binding_find(text_buf("ra-tls-knauth")), &atls_binding_ra_tls_knauth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_pkcs1),
        cmocka_unit_test(another_kind_of_key),
        cmocka_unit_test(what_intel_s_service_said),
        cmocka_unit_test(quotes_that_are_none),
        cmocka_unit_test(never_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
