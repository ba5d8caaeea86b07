/* The dialects of interoperable RA-TLS: made, read back and judged; and each thing wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include <atls/sim.h>
#include <atls/verifier.h>

#include "base/hex.h"
#include "binding/ra_tls.h"
#include "binding/spki_pem.h"
#include "binding/tcg_evidence.h"
#include "shown.h"
#include "simulated.h"

static atls_sim *sim;
static EVP_PKEY *key, *other_key;

static const atls_binding *const dialects[] = {&atls_binding_ra_tls, &atls_binding_ra_tls_cmw,
                                               &atls_binding_ra_tls_gramine,
                                               &atls_binding_ra_tls_sdk};
#define DIALECTS (sizeof dialects / sizeof dialects[0])

static int set_up_all(void **state)
{
    (void)state;
    key = EVP_EC_gen("P-384");
    other_key = EVP_EC_gen("P-256");
    return atls_sim_new(NOW, NULL, &sim, NULL) == ATLS_OK ? 0 : 1;
}

static int tear_down_all(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    atls_sim_free(sim);
    return 0;
}

static atls_attester *attester_of(const char *type)
{
    atls_sim_quote q = {.type = type};
    atls_attester *a = NULL;
    assert_int_equal(atls_sim_attester_new(sim, &q, &a, NULL), ATLS_OK);
    return a;
}

/* The check that refuses, "ok", or "none" when there is no evidence of the dialect. */
static const char *read_as(const atls_binding *binding, atls_buf der, const char *name,
                           const char *value, atls_carried *out)
{
    const atls_binding_option option = {name, value};
    atls_err err = {0};
    bool found = false;
    atls_code rc = shown_read(binding, der, &option, name != NULL ? 1 : 0, out, &found, &err);
    assert_int_equal(rc, err.code);
    return rc != ATLS_OK ? err.check : found ? "ok" : "none";
}

static const char *verdict_on(const atls_binding *binding, atls_buf der, const char *name,
                              const char *value)
{
    static char check[128];
    atls_carried c = {0};
    const char *found = read_as(binding, der, name, value, &c);
    if (strcmp(found, "ok") == 0) {
        char *root = NULL;
        atls_verifier *v = atls_verifier_new();
        atls_collateral *collateral = collateral_of(sim, c.evidence.type);
        assert_int_equal(atls_sim_root(sim, &root, NULL), ATLS_OK);
        assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(root), NULL), ATLS_OK);
        assert_int_equal(atls_verifier_add1_collateral(v, collateral, NULL), ATLS_OK);
        assert_true(c.expected.has_report_data);
        atls_verdict *r = atls_verifier_check(v, &c.evidence, &c.expected, NOW, NULL);
        if (!atls_verdict_accepted(r)) {
            (void)strncpy(check, atls_verdict_check(r), sizeof check - 1);
            found = check;
        }
        atls_verdict_free(r);
        atls_collateral_free(collateral);
        atls_free(root);
        atls_verifier_free(v);
    }
    atls_carried_clear(&c);
    return found;
}

static atls_buf der_of(const shown *s)
{
    return (atls_buf){s->der, s->der_len};
}

static void show_it(shown *s, const atls_binding *b, const char *type, const char *name,
                    const char *value)
{
    static atls_binding_option option;
    option = (atls_binding_option){name, value};
    atls_attester *a = attester_of(type);
    atls_err err = {0};
    atls_code rc = shown_make(s, b, key, a, NOW, &option, name != NULL ? 1 : 0, &err);
    if (rc != ATLS_OK) {
        print_error("%s: %s\n", err.check, err.msg);
    }
    assert_int_equal(rc, ATLS_OK);
    atls_attester_free(a);
}

/* The content of an extension of a certificate; {NULL, 0}: not there. Lives as long as *c. */
static atls_buf extension_of(const atls_carrier *c, int which)
{
    atls_buf value = {NULL, 0};
    bool critical = false;
    if (atls_carrier_extension(c, atls_ra_tls_oids[which], &value, &critical)) {
        assert_false(critical);
    }
    return value;
}

/* A certificate of ours with these extensions. The caller frees the DER. */
static atls_buf certificate_with(EVP_PKEY *of, const atls_certificate_extension *extensions,
                                 size_t n)
{
    const atls_certificate_plan p = {.common_name = "x",
                                     .not_before_s = NOW - 300,
                                     .not_after_s = NOW + 300,
                                     .extensions = extensions,
                                     .extensions_n = n};
    X509 *x = NULL;
    unsigned char *der = NULL;
    assert_int_equal(atls_certificate_make(&p, of, &x, NULL), ATLS_OK);
    int len = i2d_X509(x, &der);
    assert_true(len > 0);
    X509_free(x);
    return (atls_buf){der, (size_t)len};
}

static const char *verdict_with(EVP_PKEY *of, const atls_binding *binding, int which,
                                atls_buf value)
{
    const atls_certificate_extension e = {atls_ra_tls_oids[which], value};
    atls_buf der = certificate_with(of, &e, 1);
    const char *found = verdict_on(binding, der, NULL, NULL);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    return found;
}

/* --- made, and judged --- */

static void made_and_accepted(void **state)
{
    (void)state;
    static const char *const types[] = {"sgx", "sgx4", "sgx5", "tdx", "tdx5", "tdx5-1.0"};
    for (size_t d = 0; d < DIALECTS; d++) {
        const bool gramine = dialects[d] == &atls_binding_ra_tls_gramine;
        for (size_t t = 0; t < (gramine ? 3 : 6); t++) {
            shown s;
            atls_carrier c;
            show_it(&s, dialects[d], types[t], NULL, NULL);
            assert_string_equal(verdict_on(dialects[d], der_of(&s), NULL, NULL), "ok");
            assert_int_equal(s.asked, gramine ? 2 : 1);
            assert_int_equal(s.link.made_until_s, NOW + 43200);
            assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
            assert_int_equal(c.not_before_s, NOW - 300);
            assert_int_equal(c.not_after_s, NOW + 86400);
            assert_int_equal(atls_carrier_check(&c, NOW, NULL, 0, NULL), ATLS_OK);
            const bool tagged = extension_of(&c, ATLS_RA_TLS_TCG).len > 0;
            assert_int_equal(tagged, dialects[d] != &atls_binding_ra_tls_cmw);
            atls_carrier_clear(&c);
            /* ra-tls reads what all but ra-tls-cmw make */
            assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), NULL, NULL),
                                tagged ? "ok" : "none");
            shown_clear(&s);
        }
    }
}

static void what_the_peers_look_for(void **state)
{
    (void)state;
    shown s;
    atls_carrier c;
    atls_tcg_evidence e;
    show_it(&s, &atls_binding_ra_tls_gramine, "sgx", NULL, NULL);
    assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
    atls_buf first = extension_of(&c, ATLS_RA_TLS_GRAMINE);
    assert_int_equal(atls_tcg_parse(extension_of(&c, ATLS_RA_TLS_TCG), &e, NULL), ATLS_OK);
    uint8_t digest[64] = {0};
    assert_int_equal(atls_digest(ATLS_SHA256, &c.spki, 1, digest, NULL), ATLS_OK);
    assert_memory_equal(first.ptr + 368, digest, 64);
    assert_int_equal(atls_tcg_report_data(ATLS_SHA256, e.claims, digest, NULL), ATLS_OK);
    assert_memory_equal(e.evidence.ptr + 368, digest, 64);
    assert_int_equal(e.custom_n, 0);
    /* Gramine looks for this sequence, then for a length of two bytes: nothing before may contain it. */
    static const uint8_t sought[] = {0x06, 0x06, 0x67, 0x81, 0x05, 0x05, 0x04, 0x09, 0x04, 0x82};
    size_t seen = 0;
    for (size_t i = 0; i + sizeof sought <= s.der_len; i++) {
        seen += memcmp(s.der + i, sought, 8) == 0 ? 1 : 0;
        assert_true(memcmp(s.der + i, sought, 8) != 0 ||
                    memcmp(s.der + i, sought, sizeof sought) == 0);
    }
    assert_int_equal(seen, 1);
    atls_carrier_clear(&c);
    shown_clear(&s);

    show_it(&s, &atls_binding_ra_tls_sdk, "tdx", NULL, NULL);
    assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
    first = extension_of(&c, ATLS_RA_TLS_SDK);
    assert_int_equal(atls_tcg_parse(extension_of(&c, ATLS_RA_TLS_TCG), &e, NULL), ATLS_OK);
    assert_int_equal(first.len, e.evidence.len);
    assert_memory_equal(first.ptr, e.evidence.ptr, first.len);
    atls_carrier_clear(&c);
    shown_clear(&s);
}

static void snp_reports(void **state)
{
    (void)state;
    atls_sim_world *w = NULL;
    atls_attester *a = NULL;
    atls_sim_request request = {.workload = "demo"};
    shown s;
    atls_carried c = {0};
    assert_int_equal(atls_sim_world_new("snp", NOW, &w, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_attester_new(w, &request, &a, NULL), ATLS_OK);
    assert_int_equal(shown_make(&s, &atls_binding_ra_tls, key, a, NOW, NULL, 0, NULL), ATLS_OK);
    assert_string_equal(read_as(&atls_binding_ra_tls, der_of(&s), NULL, NULL, &c), "ok");
    assert_string_equal(c.evidence.type, "snp");
    assert_int_equal(c.evidence.parts_n, 1);
    assert_string_equal(c.evidence.parts[0].name, "report");
    assert_int_equal(c.evidence.parts[0].bytes.len, 1184);
    assert_memory_equal(c.evidence.parts[0].bytes.ptr + 80, c.expected.report_data, 64);
    assert_memory_equal(s.wanted[0].wide, c.expected.report_data, 64);
    atls_carried_clear(&c);
    shown_clear(&s);

    static const struct {
        const atls_binding *binding;
        const char *name, *value;
    } cases[] = {{&atls_binding_ra_tls, "hash", "sha384"},
                 {&atls_binding_ra_tls_gramine, NULL, NULL},
                 {&atls_binding_ra_tls_sdk, NULL, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const atls_binding_option o = {cases[i].name, cases[i].value};
        atls_err err = {0};
        assert_int_equal(
            shown_make(&s, cases[i].binding, key, a, NOW, &o, cases[i].name != NULL ? 1 : 0, &err),
            ATLS_E_USAGE);
        assert_string_equal(err.check, "ra_tls.evidence");
        shown_clear(&s);
    }
    atls_attester_free(a);
    atls_sim_world_free(w);
}

/* --- SHA-256 and SHA-384 of a TD's claims --- */

static void two_hashes_for_tdx(void **state)
{
    (void)state;
    static const struct {
        const char *made, *type, *wanted, *verdict;
    } cases[] = {
        {"any", "tdx", "any", "ok"},
        {"any", "tdx", "sha256", "ok"},
        {"any", "tdx", "sha384", "binding.report_data"},
        {"sha384", "tdx", "any", "ok"},
        {"sha384", "tdx", "sha384", "ok"},
        {"sha384", "tdx5", "any", "ok"},
        {"sha384", "tdx", "sha256", "binding.report_data"},
        {"sha256", "sgx", "any", "ok"},
        {"sha256", "sgx", "sha384", "ok"},
        {"sha256", "sgx", "sha256", "ok"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        shown s;
        show_it(&s, &atls_binding_ra_tls_sdk, cases[i].type, "hash", cases[i].made);
        assert_string_equal(
            verdict_on(&atls_binding_ra_tls_sdk, der_of(&s), "hash", cases[i].wanted),
            cases[i].verdict);
        shown_clear(&s);
    }
    /* An enclave's claims under SHA-384 are nobody's dialect. */
    shown s;
    atls_attester *a = attester_of("sgx");
    const atls_binding_option o = {"hash", "sha384"};
    atls_err err = {0};
    assert_int_equal(shown_make(&s, &atls_binding_ra_tls, key, a, NOW, &o, 1, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "ra_tls.evidence");
    shown_clear(&s);
    atls_attester_free(a);
}

/* Half a hash is no hash: what follows it must be zero. */
static void the_rest_is_zero(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        atls_hash hash;
        size_t at;
    } cases[] = {{"sgx", ATLS_SHA256, 32}, {"sgx", ATLS_SHA256, 63}, {"tdx", ATLS_SHA256, 32},
                 {"tdx", ATLS_SHA384, 48}, {"tdx", ATLS_SHA384, 63}, {"sgx", ATLS_SHA384, 0},
                 {"tdx", ATLS_SHA512, 0}};
    unsigned char *spki = NULL;
    int spki_len = i2d_PUBKEY(key, &spki);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *claims = NULL, *tagged = NULL, *quote = NULL;
        size_t claims_len = 0, tagged_len = 0, quote_len = 0;
        atls_sim_quote q = {.type = cases[i].type};
        assert_int_equal(atls_tcg_claims_make(ATLS_SHA256, (atls_buf){spki, (size_t)spki_len}, NULL,
                                              0, &claims, &claims_len, NULL),
                         ATLS_OK);
        assert_int_equal(atls_tcg_report_data(cases[i].hash, (atls_buf){claims, claims_len},
                                              q.report_data, NULL),
                         ATLS_OK);
        q.report_data[cases[i].at] ^= cases[i].at > 0 ? 1 : 0;
        assert_int_equal(atls_sim_make_quote(sim, &q, &quote, &quote_len, NULL), ATLS_OK);
        assert_int_equal(atls_tcg_make(ATLS_TCG_TAG_INTEL, (atls_buf){quote, quote_len},
                                       (atls_buf){claims, claims_len}, &tagged, &tagged_len, NULL),
                         ATLS_OK);
        assert_string_equal(verdict_with(key, &atls_binding_ra_tls, ATLS_RA_TLS_TCG,
                                         (atls_buf){tagged, tagged_len}),
                            "binding.report_data");
        free(claims);
        free(tagged);
        atls_free(quote);
    }
    OPENSSL_free(spki);
}

/* --- whose certificate --- */

static void evidence_of_another_certificate(void **state)
{
    (void)state;
    static const int which[] = {ATLS_RA_TLS_TCG, ATLS_RA_TLS_CMW, ATLS_RA_TLS_GRAMINE,
                                ATLS_RA_TLS_SDK};
    static const char *const wanted[] = {"tcg.key", "tcg.key", "binding.report_data",
                                         "binding.report_data"};
    for (size_t d = 0; d < DIALECTS; d++) {
        shown s;
        atls_carrier c;
        show_it(&s, dialects[d], "sgx", NULL, NULL);
        assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
        atls_buf value = extension_of(&c, which[d]);
        assert_string_equal(verdict_with(other_key, dialects[d], which[d], value), wanted[d]);
        atls_carrier_clear(&c);
        shown_clear(&s);
    }
}

static void quotes_without_claims(void **state)
{
    (void)state;
    unsigned char *spki = NULL;
    int spki_len = i2d_PUBKEY(key, &spki);
    const atls_buf of_key = {spki, (size_t)spki_len};
    static const struct {
        const char *what;
        const atls_binding *binding;
        int which;
        const char *type;
        bool pem;
        atls_hash hash;
        const char *verdict;
    } cases[] = {
        {"Gramine's", &atls_binding_ra_tls_gramine, ATLS_RA_TLS_GRAMINE, "sgx", false, ATLS_SHA256,
         "ok"},
        {"over the PEM text", &atls_binding_ra_tls_gramine, ATLS_RA_TLS_GRAMINE, "sgx", true,
         ATLS_SHA256, "binding.report_data"},
        {"with SHA-384", &atls_binding_ra_tls_gramine, ATLS_RA_TLS_GRAMINE, "sgx", false,
         ATLS_SHA384, "binding.report_data"},
        {"of TDX", &atls_binding_ra_tls_gramine, ATLS_RA_TLS_GRAMINE, "tdx", false, ATLS_SHA256,
         "carried.quote"},
        {"the SDK's", &atls_binding_ra_tls_sdk, ATLS_RA_TLS_SDK, "sgx", true, ATLS_SHA256, "ok"},
        {"the SDK's of TDX", &atls_binding_ra_tls_sdk, ATLS_RA_TLS_SDK, "tdx", true, ATLS_SHA384,
         "ok"},
        {"of TDX, SHA-256", &atls_binding_ra_tls_sdk, ATLS_RA_TLS_SDK, "tdx", true, ATLS_SHA256,
         "binding.report_data"},
        {"of SGX, SHA-384", &atls_binding_ra_tls_sdk, ATLS_RA_TLS_SDK, "sgx", true, ATLS_SHA384,
         "binding.report_data"},
        {"over the DER", &atls_binding_ra_tls_sdk, ATLS_RA_TLS_SDK, "sgx", false, ATLS_SHA256,
         "binding.report_data"},
        {"Gramine's, where tagged is wanted", &atls_binding_ra_tls, ATLS_RA_TLS_GRAMINE, "sgx",
         false, ATLS_SHA256, "none"},
        {"the SDK's under Gramine's dialect", &atls_binding_ra_tls_gramine, ATLS_RA_TLS_SDK, "sgx",
         false, ATLS_SHA256, "none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_sim_quote q = {.type = cases[i].type};
        uint8_t *quote = NULL;
        size_t len = 0;
        assert_int_equal(cases[i].pem
                             ? atls_spki_pem_digest(cases[i].hash, of_key, q.report_data, NULL)
                             : atls_digest(cases[i].hash, &of_key, 1, q.report_data, NULL),
                         ATLS_OK);
        assert_int_equal(atls_sim_make_quote(sim, &q, &quote, &len, NULL), ATLS_OK);
        const char *found =
            verdict_with(key, cases[i].binding, cases[i].which, (atls_buf){quote, len});
        if (strcmp(found, cases[i].verdict) != 0) {
            print_error("%s: %s\n", cases[i].what, found);
        }
        assert_string_equal(found, cases[i].verdict);

        /* Such a quote has no nonce. */
        const atls_certificate_extension e = {atls_ra_tls_oids[cases[i].which], {quote, len}};
        atls_buf der = certificate_with(key, &e, 1);
        if (strcmp(cases[i].verdict, "ok") == 0) {
            assert_string_equal(verdict_on(cases[i].binding, der, "nonce", "00"), "tcg.nonce");
        }
        OPENSSL_free((void *)(uintptr_t)der.ptr);
        atls_free(quote);
    }
    OPENSSL_free(spki);
}

/* Tagged evidence that is there and wrong is the end, whatever else is there. */
static void no_way_back_to_less(void **state)
{
    (void)state;
    static const struct {
        const atls_binding *binding;
        int which;
    } cases[] = {{&atls_binding_ra_tls_gramine, ATLS_RA_TLS_GRAMINE},
                 {&atls_binding_ra_tls_sdk, ATLS_RA_TLS_SDK}};
    for (size_t i = 0; i < 2; i++) {
        shown s;
        atls_carrier c;
        show_it(&s, cases[i].binding, "sgx", NULL, NULL);
        assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
        atls_buf value = extension_of(&c, ATLS_RA_TLS_TCG);
        uint8_t *broken = malloc(value.len);
        memcpy(broken, value.ptr, value.len);
        broken[value.len - 1] ^= 1; /* pubkey-hash */
        const atls_certificate_extension both[] = {
            {atls_ra_tls_oids[cases[i].which], extension_of(&c, cases[i].which)},
            {atls_ra_tls_oids[ATLS_RA_TLS_TCG], {broken, value.len}}};
        atls_buf der = certificate_with(key, both, 2);
        assert_string_equal(verdict_on(cases[i].binding, der, NULL, NULL), "tcg.key");
        OPENSSL_free((void *)(uintptr_t)der.ptr);
        free(broken);
        atls_carrier_clear(&c);
        shown_clear(&s);
    }
}

static void tags_that_are_old_or_foreign(void **state)
{
    (void)state;
    shown s;
    atls_carrier c;
    show_it(&s, &atls_binding_ra_tls, "sgx", NULL, NULL);
    assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
    atls_buf value = extension_of(&c, ATLS_RA_TLS_TCG);
    static const uint8_t old[] = {0xda, 0x00, 0x1a, 0x75, 0x01};
    uint8_t *changed = malloc(value.len + 2);
    memcpy(changed, old, sizeof old);
    memcpy(changed + sizeof old, value.ptr + 3, value.len - 3);
    const atls_certificate_extension e = {atls_ra_tls_oids[ATLS_RA_TLS_TCG],
                                          {changed, value.len + 2}};
    atls_buf der = certificate_with(key, &e, 1);
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der, NULL, NULL), "tcg.type");
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der, "old_tag", "no"), "tcg.type");
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der, "old_tag", "yes"), "ok");
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    changed[4] = 4; /* a quote said to be a report of SNP */
    assert_string_equal(verdict_with(key, &atls_binding_ra_tls, ATLS_RA_TLS_TCG,
                                     (atls_buf){changed, value.len + 2}),
                        "snp.report.version");
    free(changed);
    atls_carrier_clear(&c);
    shown_clear(&s);
}

/* --- options --- */

static void nonces(void **state)
{
    (void)state;
    shown s;
    show_it(&s, &atls_binding_ra_tls, "tdx", "claims", "nonce=0102ff,role=61");
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), NULL, NULL), "ok");
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), "nonce", "0102FF"), "ok");
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), "nonce", "0102fe"),
                        "tcg.nonce");
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), "nonce", "0102"), "tcg.nonce");
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), "nonce", "0102ff00"),
                        "tcg.nonce");
    shown_clear(&s);
    show_it(&s, &atls_binding_ra_tls, "tdx", NULL, NULL);
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), "nonce", "00"), "tcg.nonce");
    shown_clear(&s);
}

static void options_that_are_wrong(void **state)
{
    (void)state;
    static const atls_binding_option good[] = {
        {"hash", "sha384"},      {"validity", "60"},      {"validity", "31536000"},
        {"endorsements", "yes"}, {"claims", "a=00,b=ff"}, {"claims", ""},
        {"nonce", "ff"},         {"old_tag", "no"},       {"claims", "a="}};
    static const atls_binding_option wrong[] = {
        {"hash", "sha512"},
        {"hash", ""},
        {"validity", "59"},
        {"validity", "31536001"},
        {"validity", "1h"},
        {"validity", ""},
        {"validity", "-60"},
        {"validity", "999999999"},
        {"nonce", ""},
        {"nonce", "0"},
        {"nonce", "zz"},
        {"endorsements", "true"},
        {"old_tag", "1"},
        {"claims", "a"},
        {"claims", "=00"},
        {"claims", "a=0"},
        {"claims", "a=00,"},
        {"claims", "a,b=00"},
        {"claims", ",a=00"},
        {"claims", "a=00;b=00"},
        {"claims", "a=00,b=00,c=00,d=00,e=00,f=00,g=00,h=00,i=00"}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(atls_ra_tls_context(NULL, ATLS_CLIENT, &good[i], 1, NULL), ATLS_OK);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        atls_err err = {0};
        if (atls_ra_tls_context(NULL, ATLS_CLIENT, &wrong[i], 1, &err) == ATLS_OK) {
            print_error("%s=%s was taken\n", wrong[i].name, wrong[i].value);
        }
        assert_int_equal(err.code, ATLS_E_USAGE);
        assert_string_equal(err.check, "ra_tls.option");
    }
    /* and what only shows once there is a key */
    static const atls_binding_option twice = {"claims", "a=00,a=00"};
    shown s;
    atls_err err = {0};
    assert_int_equal(shown_make(&s, &atls_binding_ra_tls, key, NULL, NOW, &twice, 1, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "tcg.make");
    shown_clear(&s);
}

static void validity_and_names(void **state)
{
    (void)state;
    shown s;
    atls_carrier c;
    show_it(&s, &atls_binding_ra_tls, "tdx", "validity", "600");
    assert_int_equal(s.link.made_until_s, NOW + 300);
    assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
    assert_int_equal(c.not_after_s, NOW + 600);
    atls_carrier_clear(&c);
    shown_clear(&s);
    for (size_t d = 0; d < DIALECTS; d++) {
        assert_ptr_equal(atls_binding_find(text_buf(dialects[d]->name)), dialects[d]);
        assert_int_equal(dialects[d]->kind, ATLS_BINDING_KEY_ONLY);
        for (size_t i = 0; dialects[d]->options[i] != NULL; i++) {
            assert_true(atls_binding_has_option(dialects[d], dialects[d]->options[i]));
        }
    }
}

/* --- endorsements --- */

static atls_code attest_with_collateral(void *self, const atls_report_data *data,
                                        atls_evidence_blob *out, atls_err *err)
{
    atls_attester *inner = attester_of(self);
    atls_code rc = inner->attest(inner->self, data, out, err);
    atls_attester_free(inner);
    char *json = NULL;
    assert_int_equal(atls_sim_collateral(sim, self, &json, NULL), ATLS_OK);
    memcpy(out->parts[out->parts_n].name, "collateral", 11);
    out->parts[out->parts_n].bytes = (uint8_t *)json;
    out->parts[out->parts_n++].len = strlen(json);
    return rc;
}

static void collateral_beside_the_quote(void **state)
{
    (void)state;
    static char types[][4] = {"sgx", "tdx"};
    for (size_t i = 0; i < 2; i++) {
        const atls_attester a = {"test", types[i], attest_with_collateral, NULL};
        for (int yes = 0; yes < 2; yes++) {
            const atls_binding_option o = {"endorsements", yes == 1 ? "yes" : "no"};
            shown s;
            atls_carried c = {0};
            assert_int_equal(shown_make(&s, &atls_binding_ra_tls, key, &a, NOW, &o, 1, NULL),
                             ATLS_OK);
            assert_string_equal(read_as(&atls_binding_ra_tls, der_of(&s), NULL, NULL, &c), "ok");
            assert_int_equal(c.evidence.parts_n, yes == 1 ? 2 : 1);
            if (yes == 1) {
                assert_string_equal(c.evidence.parts[1].name, "collateral");
                atls_collateral *read = NULL;
                assert_int_equal(atls_collateral_parse(c.evidence.parts[1].bytes, &read, NULL),
                                 ATLS_OK);
                /* and it is good for the verdict, with no other collateral about */
                char *root = NULL;
                atls_verifier *v = atls_verifier_new();
                assert_int_equal(atls_sim_root(sim, &root, NULL), ATLS_OK);
                assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(root), NULL),
                                 ATLS_OK);
                assert_int_equal(atls_verifier_add1_collateral(v, read, NULL), ATLS_OK);
                const atls_evidence quote = {
                    c.evidence.type, 1, {{"quote", c.evidence.parts[0].bytes}}};
                atls_verdict *r = atls_verifier_check(v, &quote, &c.expected, NOW, NULL);
                if (!atls_verdict_accepted(r)) {
                    print_error("%s: %s\n", atls_verdict_check(r), atls_verdict_message(r));
                }
                assert_true(atls_verdict_accepted(r));
                atls_verdict_free(r);
                atls_collateral_free(read);
                atls_verifier_free(v);
                atls_free(root);
            }
            atls_carried_clear(&c);
            shown_clear(&s);
        }
    }
}

static void endorsements_that_are_wrong(void **state)
{
    (void)state;
    shown s;
    atls_carrier c;
    static const uint8_t broken[] = {0xd9, 0xea, 0x60, 0x80};
    show_it(&s, &atls_binding_ra_tls, "sgx", NULL, NULL);
    assert_int_equal(atls_carrier_parse(der_of(&s), &c, NULL), ATLS_OK);
    const atls_certificate_extension both[] = {
        {atls_ra_tls_oids[ATLS_RA_TLS_TCG], extension_of(&c, ATLS_RA_TLS_TCG)},
        {atls_ra_tls_oids[ATLS_RA_TLS_ENDORSEMENTS], {broken, sizeof broken}}};
    atls_buf der = certificate_with(key, both, 2);
    assert_string_equal(verdict_on(&atls_binding_ra_tls, der, NULL, NULL), "tcg.endorsements");
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    atls_carrier_clear(&c);
    shown_clear(&s);
}

/* --- what cannot be shown --- */

static atls_code attest_as_nitro(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                 atls_err *err)
{
    (void)data;
    (void)err;
    memset(out, 0, sizeof *out);
    memcpy(out->type, self, strlen(self) + 1);
    memcpy(out->parts[0].name, "quote", 6);
    out->parts[0].bytes = calloc(1, 9000);
    out->parts[0].len = 9000;
    out->parts_n = 1;
    return ATLS_OK;
}

static void evidence_that_no_peer_takes(void **state)
{
    (void)state;
    static char nitro[] = "nitro", sgx[] = "sgx";
    const atls_attester foreign = {"test", nitro, attest_as_nitro, NULL};
    const atls_attester large = {"test", sgx, attest_as_nitro, NULL};
    for (size_t d = 0; d < DIALECTS; d++) {
        shown s;
        atls_err err = {0};
        assert_int_equal(shown_make(&s, dialects[d], key, &foreign, NOW, NULL, 0, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "ra_tls.evidence");
        assert_null(s.link.made);
        shown_clear(&s);
        assert_int_equal(shown_make(&s, dialects[d], key, &large, NOW, NULL, 0, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, dialects[d] == &atls_binding_ra_tls_gramine
                                           ? "ra_tls.evidence"
                                           : "tcg.make");
        shown_clear(&s);
    }
}

static void keys_that_gramine_does_not_take(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_EC_gen("P-521"),
                        EVP_EC_gen("secp256k1"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)};
    atls_attester *a = attester_of("sgx");
    for (size_t i = 0; i < 4; i++) {
        shown s;
        atls_err err = {0};
        assert_non_null(keys[i]);
        assert_int_equal(
            shown_make(&s, &atls_binding_ra_tls_gramine, keys[i], a, NOW, NULL, 0, &err),
            ATLS_E_USAGE);
        assert_string_equal(err.check, "ra_tls.key");
        shown_clear(&s);
        assert_int_equal(shown_make(&s, &atls_binding_ra_tls, keys[i], a, NOW, NULL, 0, NULL),
                         ATLS_OK);
        assert_string_equal(verdict_on(&atls_binding_ra_tls, der_of(&s), NULL, NULL), "ok");
        shown_clear(&s);
        EVP_PKEY_free(keys[i]);
    }
    shown s;
    assert_int_equal(shown_make(&s, &atls_binding_ra_tls_gramine, other_key, a, NOW, NULL, 0, NULL),
                     ATLS_OK);
    shown_clear(&s);
    atls_attester_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_accepted),
        cmocka_unit_test(what_the_peers_look_for),
        cmocka_unit_test(snp_reports),
        cmocka_unit_test(two_hashes_for_tdx),
        cmocka_unit_test(the_rest_is_zero),
        cmocka_unit_test(evidence_of_another_certificate),
        cmocka_unit_test(quotes_without_claims),
        cmocka_unit_test(no_way_back_to_less),
        cmocka_unit_test(tags_that_are_old_or_foreign),
        cmocka_unit_test(nonces),
        cmocka_unit_test(options_that_are_wrong),
        cmocka_unit_test(validity_and_names),
        cmocka_unit_test(collateral_beside_the_quote),
        cmocka_unit_test(endorsements_that_are_wrong),
        cmocka_unit_test(evidence_that_no_peer_takes),
        cmocka_unit_test(keys_that_gramine_does_not_take),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
