/* Answers of origins: each status, each kind's form, and what is wrong in one respect, by the id that must notice it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "net/header_chain.h"
#include "net/response.h"
#include "unit/pki.h"

#define WHEN  784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define HWID8 "0102030405060708"

static const char tcb_key[] = "intel/tcb/tdx/00906ea10000";
static const char qe_key[] = "intel/qe/sgx";
static const char pckcrl_key[] = "intel/pckcrl/platform";
static const char rootcrl_key[] = "intel/rootcrl";
static const char pck_key[] =
    "intel/pck/000102030405060708090a0b0c0d0e0f/101112131415161718191a1b1c1d1e1f/0b00/0100";
static const char vcek_key[] = "amd/vcek/Turin/" HWID8 "/0101010400000051";
static const char chain_key[] = "amd/chain/vcek/Milan";
static const char amdcrl_key[] = "amd/crl/vcek/Milan";
static const char jwks_key[] = "jwks/https%3a%2f%2fa.example";
static const char pem[] = "-----BEGIN CERTIFICATE-----\nab+/\n-----END CERTIFICATE-----\n";
static const char coded[] =
    "-----BEGIN%20CERTIFICATE-----%0Aab%2B%2F%0A-----END%20CERTIFICATE-----%0A";

typedef struct world {
    atls_buf crl, cert; /* DER */
    char *cert_pem;
    atls_origin intel, pccs, amd, jwks;
} world;

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static int setup(void **state)
{
    static world w;
    static const pki_spec spec = {.cn = "Some CA",
                                  .serial = 1,
                                  .not_before_s = 1000 * PKI_DAY,
                                  .not_after_s = 40000 * PKI_DAY,
                                  .basic = "critical,CA:TRUE",
                                  .usage = "keyCertSign,cRLSign"};
    static const pki_crl_spec list = {
        .this_s = 20000 * PKI_DAY, .next_s = 20030 * PKI_DAY, .number = 3};
    EVP_PKEY *key = pki_key();
    X509 *x = pki_cert(&spec, key, NULL, key);
    X509_CRL *c = pki_crl(&list, x, key);
    w.crl = pki_crl_der(c);
    w.cert = pki_der(x);
    w.cert_pem = pki_pem(x);
    X509_CRL_free(c);
    X509_free(x);
    EVP_PKEY_free(key);
    *state = &w;
    return atls_origin_parse("intel=https://api.trustedservices.intel.com", &w.intel, NULL) ==
                       ATLS_OK &&
                   atls_origin_parse("pccs=https://p.example", &w.pccs, NULL) == ATLS_OK &&
                   atls_origin_parse("amd=https://kdsintf.amd.com", &w.amd, NULL) == ATLS_OK &&
                   atls_origin_parse("jwks:https://a.example=https://k.example", &w.jwks, NULL) ==
                       ATLS_OK
               ? 0
               : 1;
}

static int teardown(void **state)
{
    world *w = *state;
    pki_buf_free(w->crl);
    pki_buf_free(w->cert);
    free(w->cert_pem);
    return 0;
}

static const atls_origin *origin_of(const world *w, const char *key)
{
    return strncmp(key, "amd/", 4) == 0          ? &w->amd
           : strncmp(key, "jwks/", 5) == 0       ? &w->jwks
           : strncmp(key, "intel/pck/", 10) == 0 ? &w->pccs
                                                 : &w->intel;
}

/* The item is as it must be. */
static void takes(const world *w, const char *key, const char *headers, atls_buf body,
                  const char *chain, atls_buf want)
{
    const atls_http_response r = {200, text(headers), body};
    atls_response_item item;
    atls_response_hint hint;
    atls_err err = {0};
    if (atls_response_read(origin_of(w, key), key, &r, WHEN, &item, &hint, &err) != ATLS_OK) {
        fail_msg("%s: %s %s", key, err.check, err.msg);
    }
    assert_string_equal(item.item.key, key);
    assert_int_equal(item.item.chain.len, strlen(chain));
    assert_memory_equal(item.item.chain.len > 0 ? (const void *)item.item.chain.ptr : "", chain,
                        strlen(chain));
    assert_int_equal(item.item.body.len, want.len);
    assert_memory_equal(item.item.body.ptr, want.ptr, want.len);
    assert_false(hint.absent || hint.unreachable || hint.retry_after_s != 0);
    atls_response_item_free(&item);
    assert_null(item.space);
}

static void refuses(const world *w, const char *key, const char *headers, atls_buf body,
                    const char *check)
{
    const atls_http_response r = {200, text(headers), body};
    atls_response_item item = {.key = "untouched"};
    atls_response_hint hint;
    atls_err err = {0};
    assert_int_equal(atls_response_read(origin_of(w, key), key, &r, WHEN, &item, &hint, &err),
                     ATLS_E_COLLATERAL);
    if (strcmp(err.check, check) != 0) {
        fail_msg("%s: %s (%s), where %s was wanted", key, err.check, err.msg, check);
    }
    assert_non_null(strstr(err.msg, origin_of(w, key)->name));
    assert_false(hint.absent || hint.unreachable);
    assert_string_equal(item.key, "untouched");
}

static char *hex_of(atls_buf b)
{
    char *hex = malloc(2 * b.len + 2);
    assert_non_null(hex);
    atls_hex_encode(b, hex);
    return hex;
}

static char *crl_pem(atls_buf der)
{
    const unsigned char *p = der.ptr;
    X509_CRL *c = d2i_X509_CRL(NULL, &p, (long)der.len);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509_CRL(bio, c), 1);
    char *data = NULL;
    const long len = BIO_get_mem_data(bio, &data);
    char *out = malloc((size_t)len + 1);
    assert_non_null(out);
    memcpy(out, data, (size_t)len);
    out[len] = '\0';
    BIO_free(bio);
    X509_CRL_free(c);
    return out;
}

static void json_comes_as_it_is(void **state)
{
    const world *w = *state;
    const atls_buf body = text("{ \"tcbInfo\": {}, \"signature\":\"\"} \r\n");
    char headers[512];
    (void)snprintf(headers, sizeof headers,
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "TCB-Info-Issuer-Chain: %s\r\n\r\n",
                   coded);
    takes(w, tcb_key, headers, body, pem, body);
    (void)snprintf(headers, sizeof headers, "sgx-tcb-info-issuer-chain: %s\r\n\r\n", coded);
    takes(w, tcb_key, headers, body, pem, body); /* version 3's name, and no type */
    (void)snprintf(headers, sizeof headers,
                   "SGX-Enclave-Identity-Issuer-Chain:%s\n"
                   "content-type: text/plain\n\n",
                   coded);
    takes(w, qe_key, headers, body, pem, body);
    takes(w, jwks_key, "Content-Type: application/jwk-set+json\r\n\r\n", body, "", body);
}

static void crls_in_all_forms(void **state)
{
    const world *w = *state;
    char *hex = hex_of(w->crl);
    char *as_pem = crl_pem(w->crl);
    char headers[512];
    (void)snprintf(headers, sizeof headers,
                   "Content-Type: application/pkix-crl\r\nSGX-PCK-CRL-Issuer-Chain: %s\r\n\r\n",
                   coded);
    takes(w, pckcrl_key, headers, w->crl, pem, w->crl);
    takes(w, pckcrl_key, headers, text(as_pem), pem, w->crl);
    takes(w, pckcrl_key, headers, text(hex), pem, w->crl);
    /* A PCCS gives its hex as a page. */
    takes(w, rootcrl_key, "Content-Type: text/html; charset=utf-8\r\n\r\n", text(hex), "", w->crl);
    strcat(hex, "\n");
    takes(w, rootcrl_key, "\r\n", text(hex), "", w->crl);
    takes(w, amdcrl_key, "\r\n", w->crl, "", w->crl);
    free(hex);
    free(as_pem);
}

static void certificates(void **state)
{
    const world *w = *state;
    char headers[512];
    (void)snprintf(headers, sizeof headers, "SGX-PCK-Certificate-Issuer-Chain: %s\r\n\r\n", coded);
    char whole[4096];
    (void)snprintf(whole, sizeof whole, "%s%s", w->cert_pem, pem);
    takes(w, pck_key, headers, text(w->cert_pem), "", text(whole));
    takes(w, pck_key, headers, (atls_buf){(uint8_t *)w->cert_pem, strlen(w->cert_pem) - 1}, "",
          text(whole)); /* without the last line's end */
    takes(w, vcek_key, "Content-Type: application/octet-stream\r\n\r\n", w->cert, "", w->cert);
    takes(w, vcek_key, "\r\n", text(w->cert_pem), "", w->cert);
    takes(w, chain_key, "\r\n", text(pem), "", text(pem));
}

static void what_is_wrong_in_one_respect(void **state)
{
    const world *w = *state;
    const atls_buf json = text("{}");
    char headers[512];
    char two[768];
    (void)snprintf(headers, sizeof headers, "TCB-Info-Issuer-Chain: %s\r\n", coded);
    static const char *const types[] = {"text/html", "text/html; charset=utf-8", "image/png",
                                        "application/pkix-crl", ""};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        (void)snprintf(two, sizeof two, "%sContent-Type: %s\r\n", headers, types[i]);
        refuses(w, tcb_key, two, json, "fetch.content_type");
    }
    refuses(w, vcek_key, "Content-Type: application/json\r\n", w->cert, "fetch.content_type");
    refuses(w, vcek_key, "Content-Type: text/html\r\n", w->cert, "fetch.content_type");
    refuses(w, rootcrl_key, "Content-Type: text/html\r\n", text("<html>"), "fetch.content_type");
    refuses(w, rootcrl_key, "Content-Type: text/html\r\n", text("Go away"), "fetch.body");

    refuses(w, tcb_key, "", json, "fetch.chain");
    refuses(w, qe_key, headers, json, "fetch.chain");
    refuses(w, pckcrl_key, headers, w->crl, "fetch.chain");
    refuses(w, tcb_key, "TCB-Info-Issuer-Chain:\r\n", json, "fetch.chain");
    refuses(w, tcb_key, "TCB-Info-Issuer-Chain: abc\r\n", json, "fetch.chain");
    (void)snprintf(two, sizeof two, "%sTCB-Info-Issuer-Chain: %s%%\r\n", "", coded);
    refuses(w, tcb_key, two, json, "fetch.chain");
    (void)snprintf(two, sizeof two, "TCB-Info-Issuer-Chain: %s%%00\r\n", coded);
    refuses(w, tcb_key, two, json, "fetch.chain");
    (void)snprintf(two, sizeof two, "%sTCB-Info-Issuer-Chain: %sx\r\n", headers, coded);
    refuses(w, tcb_key, two, json, "fetch.chain");

    static const char *const bodies[] = {"",   "{", "}", "[]", "{\"a\":1", "null", "\xef\xbb\xbf{}",
                                         " \n"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        refuses(w, tcb_key, headers, text(bodies[i]), "fetch.body");
        refuses(w, jwks_key, "", text(bodies[i]), "fetch.body");
        refuses(w, rootcrl_key, "", text(bodies[i]), "fetch.body");
        refuses(w, vcek_key, "", text(bodies[i]), "fetch.body");
        refuses(w, chain_key, "", text(bodies[i]), "fetch.body");
    }
    refuses(w, rootcrl_key, "", w->cert, "fetch.body"); /* another thing in DER */
    refuses(w, chain_key, "", text("-----BEGIN CERTIFICATE-----\nabcd\n"), "fetch.body");
}

static void every_truncation_is_noticed(void **state)
{
    const world *w = *state;
    char *hex = hex_of(w->crl);
    for (size_t len = 0; len < w->crl.len; len++) {
        refuses(w, rootcrl_key, "", (atls_buf){w->crl.ptr, len}, "fetch.body");
        refuses(w, rootcrl_key, "", (atls_buf){(uint8_t *)hex, 2 * len}, "fetch.body");
    }
    for (size_t len = 0; len < w->cert.len; len++) {
        refuses(w, vcek_key, "", (atls_buf){w->cert.ptr, len}, "fetch.body");
    }
    for (size_t len = 0; len < sizeof pem - 2; len++) {
        refuses(w, chain_key, "", (atls_buf){(const uint8_t *)pem, len}, "fetch.body");
    }
    free(hex);
}

static void what_is_too_large(void **state)
{
    const world *w = *state;
    uint8_t *large = malloc(ATLS_RESPONSE_BODY_MAX + 1);
    assert_non_null(large);
    memset(large, ' ', ATLS_RESPONSE_BODY_MAX + 1);
    large[0] = '{';
    large[ATLS_ITEM_BODY_MAX] = '}';
    refuses(w, jwks_key, "", (atls_buf){large, ATLS_ITEM_BODY_MAX + 1}, "fetch.size");
    refuses(w, jwks_key, "", (atls_buf){large, ATLS_RESPONSE_BODY_MAX + 1}, "fetch.size");
    char *head = malloc(ATLS_HTTP_HEADERS_MAX);
    assert_non_null(head);
    const int n = snprintf(head, ATLS_HTTP_HEADERS_MAX, "TCB-Info-Issuer-Chain: %s", coded);
    memset(head + n, 'A', ATLS_HTTP_HEADERS_MAX - (size_t)n - 1);
    head[ATLS_HTTP_HEADERS_MAX - 1] = '\0';
    refuses(w, tcb_key, head, text("{}"), "fetch.chain"); /* longer than a chain may be */
    free(head);
    free(large);
}

static void statuses_and_what_to_do(void **state)
{
    const world *w = *state;
    static const struct {
        const char *key;
        long status;
        const char *retry, *check, *says;
        bool absent, unreachable;
        uint32_t retry_after_s;
    } table[] = {
        {tcb_key, 404, NULL, "fetch.absent", "is it pre-production?", true, false, 0},
        {tcb_key, 410, NULL, "fetch.absent", "tcbEvaluationDataNumber", true, false, 0},
        {pck_key, 404, NULL, "fetch.absent", "register", true, false, 0},
        {pck_key, 461, NULL, "fetch.absent", "does not know the platform", true, false, 0},
        {pck_key, 462, NULL, "fetch.absent", "no PCK certificate", true, false, 0},
        {vcek_key, 404, "5", "fetch.absent", "no such chip", true, false, 0},
        {chain_key, 404, NULL, "fetch.absent", "address", true, false, 0},
        {vcek_key, 429, "7", "fetch.throttled", "one request per 10 s", false, true, 7},
        {vcek_key, 429, NULL, "fetch.throttled", "collateral serve", false, true, 0},
        {tcb_key, 429, "x", "fetch.throttled", "collateral serve", false, true, 0},
        {qe_key, 503, "Sun, 06 Nov 1994 08:50:37 GMT", "fetch.server", "later", false, true, 60},
        {qe_key, 500, NULL, "fetch.server", "second origin", false, true, 0},
        {pck_key, 502, NULL, "fetch.server", "cannot reach Intel", false, true, 0},
        {qe_key, 599, NULL, "fetch.server", "later", false, true, 0},
        {qe_key, 408, NULL, "fetch.server", "later", false, true, 0},
        {qe_key, 0, NULL, "fetch.no_answer", "no answer", false, true, 0},
        {qe_key, 401, NULL, "fetch.denied", "API key", false, false, 0},
        {qe_key, 403, NULL, "fetch.denied", "api-key", false, false, 0},
        {vcek_key, 403, NULL, "fetch.denied", "who asks", false, false, 0},
        {qe_key, 407, NULL, "fetch.denied", "API key", false, false, 0},
        {qe_key, 301, NULL, "fetch.redirect", "only configured origins", false, false, 0},
        {qe_key, 302, NULL, "fetch.redirect", "new address", false, false, 0},
        {qe_key, 400, NULL, "fetch.status", "version 4", false, false, 0},
        {qe_key, 460, "9", "fetch.status", "460", false, false, 0},
        {qe_key, 204, NULL, "fetch.status", "204", false, false, 0},
        {qe_key, 206, NULL, "fetch.status", "206", false, false, 0},
        {qe_key, 600, NULL, "fetch.status", "600", false, false, 0},
        {qe_key, -1, NULL, "fetch.status", "-1", false, false, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char headers[128];
        (void)snprintf(headers, sizeof headers, "%s%s\r\n\r\n",
                       table[i].retry != NULL ? "RETRY-AFTER: " : "X: ",
                       table[i].retry != NULL ? table[i].retry : "");
        const atls_http_response r = {table[i].status, text(headers), text("{}")};
        atls_response_item item;
        atls_response_hint hint;
        atls_err err = {0};
        const atls_origin *o = origin_of(w, table[i].key);
        assert_int_equal(atls_response_read(o, table[i].key, &r, WHEN, &item, &hint, &err),
                         ATLS_E_COLLATERAL);
        if (strcmp(err.check, table[i].check) != 0 || strstr(err.msg, table[i].says) == NULL) {
            fail_msg("%s %ld: %s %s", table[i].key, table[i].status, err.check, err.msg);
        }
        assert_non_null(strstr(err.msg, o->name));
        assert_true(strlen(err.msg) < ATLS_ERR_MSG_LEN - 1); /* whole */
        assert_int_equal(hint.absent, table[i].absent);
        assert_int_equal(hint.unreachable, table[i].unreachable);
        assert_int_equal(hint.retry_after_s, table[i].retry_after_s);
    }
}

static void a_key_that_is_none(void **state)
{
    const world *w = *state;
    const atls_http_response r = {200, text(""), text("{}")};
    atls_response_item item;
    atls_response_hint hint;
    atls_err err = {0};
    assert_int_equal(atls_response_read(&w->intel, "intel/qe", &r, WHEN, &item, &hint, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "item.key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_comes_as_it_is),
        cmocka_unit_test(crls_in_all_forms),
        cmocka_unit_test(certificates),
        cmocka_unit_test(what_is_wrong_in_one_respect),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(what_is_too_large),
        cmocka_unit_test(statuses_and_what_to_do),
        cmocka_unit_test(a_key_that_is_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
