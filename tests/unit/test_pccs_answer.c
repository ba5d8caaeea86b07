/* Requests in the PCCS's and KDS's paths, and what is answered: every key's URL is read back as that key, and every item
 * that is served is read back with the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "codec/json.h"
#include "net/pccs_answer.h"
#include "net/response.h"
#include "unit/pki.h"
#include <atls/sim.h>

#define HWID                                                                                       \
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"                             \
    "2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40"
#define SGX  "/sgx/certification/v4/"
#define TDX  "/tdx/certification/v4/"
#define QEID "000102030405060708090a0b0c0d0e0f"
#define SVN  "101112131415161718191a1b1c1d1e1f"

static void requests(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
        const char *key; /* of 200 */
        atls_pccs_form form;
    } table[] = {
        {SGX "tcb?fmspc=00906ea10000", 200, "intel/tcb/sgx/00906ea10000", ATLS_PCCS_AS_IS},
        {TDX "tcb?fmspc=00906EA10000", 200, "intel/tcb/tdx/00906ea10000", ATLS_PCCS_AS_IS},
        {TDX "tcb?update=standard&fmspc=00906EA10000", 200, "intel/tcb/tdx/00906ea10000",
         ATLS_PCCS_AS_IS},
        {TDX "tcb?fmspc=00906ea10000&update=EARLY", 200, "intel/tcb/tdx/00906ea10000/early",
         ATLS_PCCS_AS_IS},
        {TDX "tcb?fmspc=00906ea10000&tcbEvaluationDataNumber=17", 200,
         "intel/tcb/tdx/00906ea10000/17", ATLS_PCCS_AS_IS},
        {TDX "tcb?fmspc=00906ea10000&other=1&&x", 200, "intel/tcb/tdx/00906ea10000",
         ATLS_PCCS_AS_IS},
        {SGX "qe/identity", 200, "intel/qe/sgx", ATLS_PCCS_AS_IS},
        {SGX "qe/identity?", 200, "intel/qe/sgx", ATLS_PCCS_AS_IS},
        {TDX "qe/identity?update=early", 200, "intel/qe/tdx/early", ATLS_PCCS_AS_IS},
        {SGX "pckcrl?ca=platform", 200, "intel/pckcrl/platform", ATLS_PCCS_HEX},
        {SGX "pckcrl?ca=PROCESSOR&encoding=der", 200, "intel/pckcrl/processor", ATLS_PCCS_AS_IS},
        {SGX "pckcrl?encoding=PEM&ca=processor", 200, "intel/pckcrl/processor", ATLS_PCCS_PEM},
        {SGX "rootcacrl", 200, "intel/rootcrl", ATLS_PCCS_HEX},
        {SGX "pckcert?qeid=" QEID "&encrypted_ppid=00&cpusvn=" SVN "&pcesvn=0b00&pceid=0100", 200,
         "intel/pck/" QEID "/" SVN "/0b00/0100", ATLS_PCCS_AS_IS},
        {SGX "crl?uri=https%3A%2F%2Fcertificates.trustedservices.intel.com%2FIntelSGXRootCA.der",
         200, "intel/rootcrl", ATLS_PCCS_AS_IS},
        {SGX "crl?uri=https%3A%2F%2Fapi.trustedservices.intel.com%2Fsgx%2Fcertification%2Fv4%2F"
             "pckcrl%3Fca%3Dplatform%26encoding%3Dder",
         200, "intel/pckcrl/platform", ATLS_PCCS_AS_IS},
        {"/vcek/v1/Milan/" HWID "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219", 200,
         "amd/vcek/Milan/" HWID "/04000000000018db", ATLS_PCCS_AS_IS},
        {"/vcek/v1/Genoa/" HWID "?ucodeSPL=0000000219&snpSPL=24&teeSPL=0&blSPL=4", 200,
         "amd/vcek/Genoa/" HWID "/04000000000018db", ATLS_PCCS_AS_IS},
        {"/vcek/v1/Turin/0102030405060708?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=81", 200,
         "amd/vcek/Turin/0102030405060708/0102030400000051", ATLS_PCCS_AS_IS},
        {"/vcek/v1/Milan/cert_chain", 200, "amd/chain/vcek/Milan", ATLS_PCCS_AS_IS},
        {"/vlek/v1/Turin/cert_chain", 200, "amd/chain/vlek/Turin", ATLS_PCCS_AS_IS},
        {"/vlek/v1/Genoa/crl?x", 200, "amd/crl/vlek/Genoa", ATLS_PCCS_AS_IS},

        {SGX "tcb", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea1000", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea1000g", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea1000%30", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?FMSPC=00906ea10000", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea10000&fmspc=00906ea10000", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea10000&update=late", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea10000&update=", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea10000&update=early&tcbEvaluationDataNumber=17", 400, NULL,
         ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea10000&tcbEvaluationDataNumber=0", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea10000&tcbEvaluationDataNumber=4294967296", 400, NULL,
         ATLS_PCCS_AS_IS},
        {SGX "tcb?fmspc=00906ea10000&tcbEvaluationDataNumber=00000000017", 400, NULL,
         ATLS_PCCS_AS_IS},
        {SGX "tcb?a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&fmspc=00906ea10000", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "pckcrl", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "pckcrl?ca=other", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "pckcrl?ca=platform&encoding=ber", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "pckcert?qeid=" QEID "&cpusvn=" SVN "&pcesvn=0b00", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "crl", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "crl?uri=https%3A%2F%2Fevil.example%2FIntelSGXRootCA.der", 400, NULL, ATLS_PCCS_AS_IS},
        {SGX "crl?uri=https%3A%2F%2Fcertificates.trustedservices.intel.com%2FIntelSGXRootCA.exe",
         400, NULL, ATLS_PCCS_AS_IS},
        {SGX "crl?uri=%zz", 400, NULL, ATLS_PCCS_AS_IS},
        {"/vcek/v1/Milan/" HWID "?blSPL=04&teeSPL=00&snpSPL=24", 400, NULL, ATLS_PCCS_AS_IS},
        {"/vcek/v1/Milan/" HWID "?blSPL=256&teeSPL=00&snpSPL=24&ucodeSPL=219", 400, NULL,
         ATLS_PCCS_AS_IS},
        {"/vcek/v1/Milan/" HWID "?fmcSPL=1&blSPL=4&teeSPL=00&snpSPL=24&ucodeSPL=219", 400, NULL,
         ATLS_PCCS_AS_IS},
        {"/vcek/v1/Turin/0102030405060708?blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=81", 400, NULL,
         ATLS_PCCS_AS_IS},

        {"/vcek/v1/Milan/0102030405060708?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219", 404, NULL,
         ATLS_PCCS_AS_IS},
        {"/vcek/v1/Turin/" HWID "?fmcSPL=1&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=81", 404, NULL,
         ATLS_PCCS_AS_IS},
        {"/vcek/v1/Venice/crl", 404, NULL, ATLS_PCCS_AS_IS},
        {"/vcek/v1/unknown/crl", 404, NULL, ATLS_PCCS_AS_IS},
        {"/vcek/v1/milan/crl", 404, NULL, ATLS_PCCS_AS_IS},
        {"/vcek/v2/Milan/crl", 404, NULL, ATLS_PCCS_AS_IS},
        {"/vcek/v1/Milan", 404, NULL, ATLS_PCCS_AS_IS},
        {"/vlek/v1/Milan/" HWID "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219", 404, NULL,
         ATLS_PCCS_AS_IS},
        {"", 404, NULL, ATLS_PCCS_AS_IS},
        {"/", 404, NULL, ATLS_PCCS_AS_IS},
        {"sgx/certification/v4/rootcacrl", 404, NULL, ATLS_PCCS_AS_IS},
        {"//sgx/certification/v4/rootcacrl", 404, NULL, ATLS_PCCS_AS_IS},
        {SGX "rootcacrl/", 404, NULL, ATLS_PCCS_AS_IS},
        {SGX "rootcacrl/x", 404, NULL, ATLS_PCCS_AS_IS},
        {SGX "../v4/rootcacrl", 404, NULL, ATLS_PCCS_AS_IS},
        {SGX "qe", 404, NULL, ATLS_PCCS_AS_IS},
        {SGX "qve/identity", 404, NULL, ATLS_PCCS_AS_IS},
        {TDX "rootcacrl", 404, NULL, ATLS_PCCS_AS_IS},
        {TDX "pckcrl?ca=platform", 404, NULL, ATLS_PCCS_AS_IS},
        {"/sgx/certification/v3/rootcacrl", 404, NULL, ATLS_PCCS_AS_IS},
        {"/sgx", 404, NULL, ATLS_PCCS_AS_IS},
        {"/a/b/c/d/e/f/g/h", 404, NULL, ATLS_PCCS_AS_IS},
        {"/jwks", 404, NULL, ATLS_PCCS_AS_IS},
        {"http://localhost" SGX "rootcacrl", 404, NULL, ATLS_PCCS_AS_IS},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        atls_pccs_request q = {.key = "untouched"};
        const int status = atls_pccs_request_read("GET", table[i].path, &q);
        if (status != table[i].status) {
            fail_msg("%s: %d", table[i].path, status);
        }
        assert_string_equal(q.key, table[i].key != NULL ? table[i].key : "untouched");
        assert_int_equal(status == 200 ? q.form : ATLS_PCCS_AS_IS, table[i].form);
    }
    static const char *const methods[] = {"POST", "HEAD", "PUT", "get", "", "OPTIONS"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        atls_pccs_request q;
        assert_int_equal(atls_pccs_request_read(methods[i], SGX "rootcacrl", &q), 405);
    }
    char *long_path = malloc(100000);
    assert_non_null(long_path);
    memset(long_path, 'x', 99999);
    long_path[99999] = '\0';
    memcpy(long_path, SGX "rootcacrl?", sizeof SGX "rootcacrl?" - 1);
    atls_pccs_request q;
    assert_int_equal(atls_pccs_request_read("GET", long_path, &q), 400);
    long_path[ATLS_PCCS_PATH_MAX] = '\0';
    assert_int_equal(atls_pccs_request_read("GET", long_path, &q), 200);
    free(long_path);
}

static const char *const keys[] = {
    "intel/tcb/sgx/00906ea10000",
    "intel/tcb/tdx/00906ea10000/early",
    "intel/tcb/tdx/00906ea10000/17",
    "intel/qe/sgx",
    "intel/qe/tdx/18",
    "intel/pckcrl/platform",
    "intel/pckcrl/processor",
    "intel/rootcrl",
    "intel/pck/" QEID "/" SVN "/0b00/0100",
    "amd/vcek/Milan/" HWID "/04000000000018db",
    "amd/vcek/Turin/0102030405060708/0101010400000051",
    "amd/chain/vcek/Genoa",
    "amd/chain/vlek/Milan",
    "amd/crl/vcek/Turin",
    "amd/crl/vlek/Milan",
};

static atls_origin origin_of(const char *key)
{
    atls_origin o;
    assert_int_equal(atls_origin_parse(key[0] == 'a' ? "amd=unix:/s" : "pccs=unix:/s", &o, NULL),
                     ATLS_OK);
    return o;
}

static atls_pccs_request request_of(const char *key)
{
    const atls_origin o = origin_of(key);
    atls_http_request r;
    atls_pccs_request q;
    assert_int_equal(atls_origin_request(&o, key, "standard", &r, NULL), ATLS_OK);
    assert_int_equal(atls_pccs_request_read("GET", r.url + strlen(o.base), &q), 200);
    return q;
}

static void what_our_client_asks_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_string_equal(request_of(keys[i]).key, keys[i]);
    }
}

typedef struct world {
    atls_buf crl, cert;
    char *pck, *chain;
} world;

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static int setup(void **state)
{
    static world w;
    static const pki_spec spec = {.cn = "Some CA", .serial = 1, .not_after_s = 40000 * PKI_DAY};
    static const pki_crl_spec list = {
        .this_s = 20000 * PKI_DAY, .next_s = 20030 * PKI_DAY, .number = 3};
    EVP_PKEY *key = pki_key();
    X509 *x = pki_cert(&spec, key, NULL, key);
    X509_CRL *c = pki_crl(&list, x, key);
    w.crl = pki_crl_der(c);
    w.cert = pki_der(x);
    X509_CRL_free(c);
    X509_free(x);
    EVP_PKEY_free(key);
    atls_sim *sim = NULL;
    char *saved = NULL;
    json_t *json = NULL;
    if (atls_sim_new(1700000000, NULL, &sim, NULL) != ATLS_OK ||
        atls_sim_save(sim, &saved, NULL) != ATLS_OK ||
        atls_json_parse(text(saved), 1 << 20, "x", &json, NULL) != ATLS_OK) {
        return 1;
    }
    const char *leaf = json_string_value(
        json_object_get(json_array_get(json_object_get(json, "platforms"), 0), "pck"));
    const char *ca = json_string_value(json_object_get(json, "ca"));
    const char *root = json_string_value(json_object_get(json, "chain_root"));
    const size_t cap = strlen(leaf) + strlen(ca) + strlen(root) + 1;
    w.pck = malloc(cap);
    w.chain = malloc(cap);
    if (w.pck == NULL || w.chain == NULL) {
        return 1;
    }
    (void)snprintf(w.pck, cap, "%s%s%s", leaf, ca, root);
    (void)snprintf(w.chain, cap, "%s%s", ca, root);
    json_decref(json);
    atls_free(saved);
    atls_sim_free(sim);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    pki_buf_free(w->crl);
    pki_buf_free(w->cert);
    free(w->pck);
    free(w->chain);
    return 0;
}

static atls_item item_of(const world *w, const char *key)
{
    const atls_buf none = {NULL, 0};
    return strstr(key, "crl") != NULL
               ? (atls_item){key, key[0] == 'i' && key[6] == 'p' ? text(w->chain) : none, w->crl}
           : strncmp(key, "intel/pck/", 10) == 0 ? (atls_item){key, none, text(w->pck)}
           : strncmp(key, "amd/vcek", 8) == 0    ? (atls_item){key, none, w->cert}
           : strncmp(key, "amd/chain", 9) == 0
               ? (atls_item){key, none, text(w->chain)}
               : (atls_item){key, text(w->chain), text(" {\"a\": 1,\n\"b\":\"\\u00e9\"} ")};
}

/* The headers as a server writes them. */
static void head_of(const atls_served *s, char *out, size_t cap)
{
    int n =
        snprintf(out, cap, "HTTP/1.1 %d OK\r\nContent-Type: %s\r\n", s->status, s->content_type);
    for (size_t i = 0; i < s->headers_n; i++) {
        n += snprintf(out + n, cap - (size_t)n, "%s: %s\r\n", s->headers[i].name,
                      s->headers[i].value);
        assert_true((size_t)n < cap);
    }
}

static void reads_back(const atls_pccs_request *q, const atls_item *item)
{
    char head[16384];
    atls_served s;
    atls_response_item back;
    atls_response_hint hint;
    atls_err err = {0};
    const atls_origin o = origin_of(item->key);
    assert_int_equal(atls_pccs_answer(q, item, &s, &err), ATLS_OK);
    assert_int_equal(s.status, 200);
    head_of(&s, head, sizeof head);
    const atls_http_response r = {200, text(head), {s.body, s.body_len}};
    if (atls_response_read(&o, item->key, &r, 0, &back, &hint, &err) != ATLS_OK) {
        fail_msg("%s: %s %s", item->key, err.check, err.msg);
    }
    assert_string_equal(back.item.key, item->key);
    assert_int_equal(back.item.chain.len, item->chain.len);
    assert_int_equal(back.item.body.len, item->body.len);
    assert_memory_equal(back.item.body.ptr, item->body.ptr, item->body.len);
    if (item->chain.len > 0) {
        assert_memory_equal(back.item.chain.ptr, item->chain.ptr, item->chain.len);
    }
    atls_response_item_free(&back);
    atls_served_clear(&s);
    assert_null(s.body);
}

static void what_is_served_is_read_back(void **state)
{
    const world *w = *state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const atls_item item = item_of(w, keys[i]);
        atls_pccs_request q = request_of(keys[i]);
        reads_back(&q, &item);
        if (strstr(keys[i], "crl") != NULL) {
            for (int form = ATLS_PCCS_AS_IS; form <= ATLS_PCCS_PEM; form++) {
                q.form = (atls_pccs_form)form;
                reads_back(&q, &item);
            }
        }
    }
}

static const char *header_of(const atls_served *s, const char *name)
{
    for (size_t i = 0; i < s->headers_n; i++) {
        if (strcmp(s->headers[i].name, name) == 0) {
            return s->headers[i].value;
        }
    }
    fail_msg("no header %s", name);
    return NULL;
}

static void what_a_pccs_client_expects(void **state)
{
    const world *w = *state;
    atls_served s;
    const char *pck_key = "intel/pck/" QEID "/" SVN "/0b00/0100";
    atls_pccs_request q = request_of(pck_key);
    atls_item item = item_of(w, pck_key);
    assert_int_equal(atls_pccs_answer(&q, &item, &s, NULL), ATLS_OK);
    assert_string_equal(header_of(&s, "SGX-FMSPC"), "53494d000000");
    assert_string_equal(header_of(&s, "SGX-PCK-Certificate-CA-Type"), "platform");
    assert_int_equal(strlen(header_of(&s, "SGX-TCBm")), 36);
    assert_string_equal(header_of(&s, "SGX-TCBm") + 32, "0201"); /* PCESVN, little endian */
    assert_memory_equal(header_of(&s, "SGX-PCK-Certificate-Issuer-Chain"),
                        "-----BEGIN%20CERTIFICATE-----%0A", 32);
    assert_memory_equal(s.body + s.body_len - 26, "-----END CERTIFICATE-----\n", 26);
    atls_served_clear(&s);

    q = request_of("intel/rootcrl");
    item = item_of(w, "intel/rootcrl");
    assert_int_equal(atls_pccs_answer(&q, &item, &s, NULL), ATLS_OK);
    assert_int_equal(s.body_len, 2 * w->crl.len);
    assert_memory_equal(s.body, "30", 2);
    atls_served_clear(&s);

    q = request_of("intel/qe/sgx");
    item = item_of(w, "intel/qe/sgx");
    assert_int_equal(atls_pccs_answer(&q, &item, &s, NULL), ATLS_OK);
    assert_string_equal(s.content_type, "application/json");
    assert_memory_equal(header_of(&s, "SGX-Enclave-Identity-Issuer-Chain"), "-----BEGIN%20", 13);
    atls_served_clear(&s);
}

static void items_in_another_form(void **state)
{
    const world *w = *state;
    const char *pck_key = "intel/pck/" QEID "/" SVN "/0b00/0100";
    const atls_pccs_request q = request_of(pck_key);
    static const char none[] = "-----BEGIN CERTIFICATE-----\nab\n-----END CERTIFICATE-----\n";
    atls_err err = {0};
    atls_served s = {.status = 7};
    atls_item item = {pck_key, {NULL, 0}, text("")};
    assert_int_equal(atls_pccs_answer(&q, &item, &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "served.item");
    item.body = text(none);
    assert_int_equal(atls_pccs_answer(&q, &item, &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "served.item");
    item.body = text(w->chain); /* no PCK certificate in front */
    assert_int_equal(atls_pccs_answer(&q, &item, &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "pck.extension");
    atls_pccs_request jwks = q;
    jwks.name.kind = ATLS_ITEM_JWKS;
    assert_int_equal(atls_pccs_answer(&jwks, &item, &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "served.item");
    assert_int_equal(s.status, 7);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *key, *check;
        int status;
    } table[] = {
        {"intel/qe/sgx", "fetch.absent", 404},
        {"intel/qe/sgx", "fetch.no_origin", 404},
        {"intel/qe/sgx", "fetch.throttled", 502},
        {"intel/qe/sgx", "fetch.server", 502},
        {"intel/qe/sgx", "collateral.rollback", 502},
        {"intel/pck/" QEID "/" SVN "/0b00/0100", "fetch.absent", 461},
        {"amd/crl/vcek/Milan", "fetch.absent", 404},
        {"amd/crl/vcek/Milan", "fetch.throttled", 429},
        {"amd/crl/vcek/Milan", "fetch.busy", 503},
        {"intel/qe/sgx", "fetch.busy", 503},
        {"amd/chain/vcek/Milan", "fetch.connect", 502},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const atls_pccs_request q = request_of(table[i].key);
        const atls_err why = {.code = ATLS_E_COLLATERAL, .check = table[i].check, .msg = "the why"};
        atls_served s;
        assert_int_equal(atls_pccs_refuse(&q, 0, &why, &s, NULL), ATLS_OK);
        assert_int_equal(s.status, table[i].status);
        assert_memory_equal(s.body, "the why [", 9);
        const bool later = table[i].status == 429 || table[i].status == 503;
        assert_int_equal(s.headers_n, later ? 1 : 0);
        if (later) {
            assert_string_equal(header_of(&s, "Retry-After"), "10");
        }
        atls_served_clear(&s);
    }
    static const int statuses[] = {400, 404, 405};
    for (size_t i = 0; i < 3; i++) {
        atls_served s;
        assert_int_equal(atls_pccs_refuse(NULL, statuses[i], NULL, &s, NULL), ATLS_OK);
        assert_int_equal(s.status, statuses[i]);
        assert_true(s.body_len > 20);
        atls_served_clear(&s);
    }
    atls_served_clear(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(what_our_client_asks_is_understood),
        cmocka_unit_test(what_is_served_is_read_back),
        cmocka_unit_test(what_a_pccs_client_expects),
        cmocka_unit_test(items_in_another_form),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
