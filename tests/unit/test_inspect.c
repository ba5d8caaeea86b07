/* Inspecting shows what is there, never says that it is good, and takes every kind of bad bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/bundle.h>
#include <atls/inspect.h>
#include <atls/sim.h>

#include "tpm_bytes.h"

#define WHEN_S 1767225600 /* 2026-01-01 */

static atls_sim *sim;

static int make_sim(void **state)
{
    (void)state;
    return atls_sim_new(WHEN_S, NULL, &sim, NULL) == ATLS_OK ? 0 : -1;
}

static int free_sim(void **state)
{
    (void)state;
    atls_sim_free(sim);
    return 0;
}

static char *inspect(atls_buf bytes, bool json)
{
    char *text = NULL;
    atls_err err = {0};
    if (atls_inspect(bytes, json, &text, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return text;
}

static atls_buf buf_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void assert_has(const char *text, const char *const *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strstr(text, wanted[i]) == NULL) {
            fail_msg("'%s' is missing in: %s", wanted[i], text);
        }
    }
}
#define ASSERT_HAS(text, ...)                                                                      \
    do {                                                                                           \
        const char *const wanted_[] = {__VA_ARGS__};                                               \
        assert_has(text, wanted_, sizeof wanted_ / sizeof wanted_[0]);                             \
    } while (0)

static void make_quote(const char *type, bool debug, uint8_t **quote, size_t *len)
{
    atls_sim_quote q = {.type = type, .debug = debug};
    memset(q.report_data, 0xab, sizeof q.report_data);
    assert_int_equal(atls_sim_make_quote(sim, &q, quote, len, NULL), ATLS_OK);
}

static void a_td_quote_in_full(void **state)
{
    (void)state;
    uint8_t *quote = NULL;
    size_t len = 0;
    make_quote("tdx5", true, &quote, &len);
    char *text = inspect((atls_buf){quote, len}, false);
    ASSERT_HAS(text, "no signature was checked", "version: 5", "tee: TDX",
               "td_report_1_5:", "mrtd: ", "rtmr3: ", "mrservicetd: ", "td_attribute_flags: DEBUG",
               "report_data: abababab", "qe_report:", "mrenclave: ", "PCK certificate chain",
               "certificates 3:", "sgx_extension:", "fmspc: ", "not_after: ");
    atls_free(text);
    free(quote);
}

static void an_enclave_quote_as_json(void **state)
{
    (void)state;
    uint8_t *quote = NULL;
    size_t len = 0;
    make_quote("sgx", false, &quote, &len);
    char *text = inspect((atls_buf){quote, len}, true);
    ASSERT_HAS(text, "{\"kind\":\"quote\"", "\"version\":3", "\"enclave_report\":{\"mrenclave\":\"",
               "\"attribute_flags\":[\"INIT\"", "\"type\":5");
    assert_null(strchr(text, '\n'));
    atls_free(text);
    free(quote);
}

static void collateral_with_levels_dates_and_crls(void **state)
{
    (void)state;
    char *json = NULL;
    assert_int_equal(atls_sim_collateral(sim, "tdx", &json, NULL), ATLS_OK);
    char *text = inspect(buf_of(json), false);
    ASSERT_HAS(text, "kind: collateral", "tcb_info:", "id: TDX", "next_update: 2026-",
               "status: UpToDate",
               "evaluation_number: ", "tdx_components: ", "qe_identity:", "id: TD_QE",
               "root_ca_crl:", "pck_crl:", "number: ", "tcb_info_issuer_chain 1:");
    assert_null(strstr(text, "error:"));
    atls_free(text);
    atls_free(json);
}

static void broken_parts_are_errors_in_their_place(void **state)
{
    (void)state;
    char *text = inspect(buf_of("{\"tcb_info\":\"{}\",\"qe_identity\":\"[]\",\"pck_crl\":\"zz\","
                                "\"tcb_info_issuer_chain\":\"none\"}"),
                         false);
    ASSERT_HAS(text, "[tcb_info.format]", "[qe_identity.", "[crl.", "[cert.");
    atls_free(text);
}

static void certificates_and_bundles(void **state)
{
    (void)state;
    char *pem = NULL;
    assert_int_equal(atls_sim_root(sim, &pem, NULL), ATLS_OK);
    char *text = inspect(buf_of(pem), false);
    ASSERT_HAS(text, "kind: certificates", "certificates 1:", "atls simulator", "ca: yes",
               "keyCertSign");
    atls_free(text);
    atls_free(pem);

    uint8_t *quote = NULL;
    size_t len = 0;
    make_quote("tdx", false, &quote, &len);
    atls_evidence e = {.type = "tdx", .parts_n = 1, .parts = {{"quote", {quote, len}}}};
    char *bundle = NULL;
    assert_int_equal(atls_bundle_write(&e, &bundle, NULL), ATLS_OK);
    text = inspect(buf_of(bundle), false);
    ASSERT_HAS(text, "kind: bundle", "type: tdx", "td_report_1_0:");
    atls_free(text);
    atls_free(bundle);
    free(quote);
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    char *text = inspect(buf_of("{\"tcb_info\":\"{\\u001b\\u001b\"}"), false);
    assert_null(strchr(text, 0x1b));
    atls_free(text);
}

static void every_truncation_is_refused_or_shown(void **state)
{
    (void)state;
    uint8_t *quote = NULL;
    size_t len = 0;
    make_quote("tdx", false, &quote, &len);
    for (size_t n = 0; n < len; n++) {
        char *text = NULL;
        atls_err err = {0};
        atls_code rc = atls_inspect((atls_buf){quote, n}, false, &text, &err);
        assert_int_equal(rc, ATLS_E_INVALID);
        assert_non_null(err.check);
        assert_null(text);
    }
    free(quote);
}

static const struct {
    const char *what;
    const char *text;
    const char *check;
} bad[] = {
    {"nothing", "", "inspect.size"},
    {"half an object", "{\"tcb_info\":", "inspect.json"},
    {"too deep", "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", "inspect.json"},
    {"JSON of another kind", "{\"a\":1}", "inspect.unknown"},
    {"a bundle without its quote", "{\"atls_evidence\":1,\"type\":\"tdx\"}", "bundle.missing"},
    {"PEM of a key",
     "-----BEGIN "
     "PRIVATE KEY-----\nAAAA\n-----END "
     "PRIVATE KEY-----\n",
     "cert.pem"},
};

static void bad_input_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *text = NULL;
        atls_err err = {0};
        assert_int_equal(atls_inspect(buf_of(bad[i].text), false, &text, &err), ATLS_E_INVALID);
        assert_null(text);
        if (err.check == NULL || strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s: %s", bad[i].what, err.check, err.msg);
        }
    }
}

static void a_quote_and_a_key_of_a_tpm(void **state)
{
    (void)state;
    static const uint8_t number[32] = {1};
    uint8_t attest[TPM_ATTEST_LEN], area[512];
    char *text = NULL;
    assert_int_equal(
        atls_inspect((atls_buf){attest, tpm_attest_bytes(attest)}, false, &text, NULL), ATLS_OK);
    assert_non_null(strstr(text, "pcrs: 0, 7, 16"));
    assert_non_null(strstr(text, "bank: SHA256"));
    atls_free(text);
    const size_t len = tpm_ecc_area(TPM_AK_ATTRIBUTES, ATLS_TPM_ECC_P256, ATLS_TPM_ALG_SHA256,
                                    (atls_buf){number, 32}, (atls_buf){number, 32}, area, 512);
    assert_int_equal(atls_inspect((atls_buf){area, len}, false, &text, NULL), ATLS_OK);
    assert_non_null(strstr(text, "fixedTPM, fixedParent, sensitiveDataOrigin"));
    assert_non_null(strstr(text, "NIST P-256"));
    atls_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_and_a_key_of_a_tpm),
        cmocka_unit_test(a_td_quote_in_full),
        cmocka_unit_test(an_enclave_quote_as_json),
        cmocka_unit_test(collateral_with_levels_dates_and_crls),
        cmocka_unit_test(broken_parts_are_errors_in_their_place),
        cmocka_unit_test(certificates_and_bundles),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(every_truncation_is_refused_or_shown),
        cmocka_unit_test(bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, make_sim, free_sim);
}
