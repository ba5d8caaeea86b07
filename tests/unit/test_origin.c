/* KIND=URL as people write it, and the exact URL of every kind of item at every kind of origin (intel-dcap.md 6,
 * amd-sev-snp.md 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/origin.h"

#define HWID                                                                                       \
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"                             \
    "2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40"
#define PCS     "intel=https://api.trustedservices.intel.com"
#define PCCS    "pccs=https://pccs.example:8081"
#define KDS     "amd=https://kdsintf.amd.com"
#define V4(tee) "/" tee "/certification/v4/"

static atls_origin origin_of(const char *text)
{
    atls_origin o;
    atls_err err = {0};
    if (atls_origin_parse(text, &o, &err) != ATLS_OK) {
        fail_msg("%s: %s", text, err.msg);
    }
    return o;
}

static void every_item_has_its_url(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *key, *channel, *url;
    } table[] = {
        {PCS, "intel/tcb/sgx/00906ea10000", "standard",
         "https://api.trustedservices.intel.com" V4("sgx") "tcb?fmspc=00906ea10000"},
        {PCS, "intel/tcb/tdx/00906ea10000", "early",
         "https://api.trustedservices.intel.com" V4("tdx") "tcb?fmspc=00906ea10000&update=early"},
        {PCS, "intel/tcb/tdx/00906ea10000/early", "17",
         "https://api.trustedservices.intel.com" V4("tdx") "tcb?fmspc=00906ea10000&update=early"},
        {PCS, "intel/tcb/tdx/00906ea10000/18", "early",
         "https://api.trustedservices.intel.com" V4(
             "tdx") "tcb?fmspc=00906ea10000&tcbEvaluationDataNumber=18"},
        {PCS, "intel/tcb/tdx/00906ea10000", "17",
         "https://api.trustedservices.intel.com" V4(
             "tdx") "tcb?fmspc=00906ea10000&tcbEvaluationDataNumber=17"},
        {PCS, "intel/qe/sgx", "standard",
         "https://api.trustedservices.intel.com" V4("sgx") "qe/identity"},
        {PCS, "intel/qe/tdx/early", "standard",
         "https://api.trustedservices.intel.com" V4("tdx") "qe/identity?update=early"},
        {PCS, "intel/qe/tdx/18", "standard",
         "https://api.trustedservices.intel.com" V4(
             "tdx") "qe/identity?tcbEvaluationDataNumber=18"},
        {PCS, "intel/pckcrl/platform", "early",
         "https://api.trustedservices.intel.com" V4("sgx") "pckcrl?ca=platform&encoding=der"},
        {PCS, "intel/pckcrl/processor", "standard",
         "https://api.trustedservices.intel.com" V4("sgx") "pckcrl?ca=processor&encoding=der"},
        {PCS, "intel/rootcrl", "standard",
         "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"},
        {"intel=https://mirror.example/intel", "intel/rootcrl", "standard",
         "https://mirror.example/intel" V4("sgx") "rootcacrl"},
        {PCCS, "intel/rootcrl", "standard", "https://pccs.example:8081" V4("sgx") "rootcacrl"},
        {PCCS, "intel/tcb/sgx/00906ea10000", "standard",
         "https://pccs.example:8081" V4("sgx") "tcb?fmspc=00906ea10000"},
        {PCCS,
         "intel/pck/000102030405060708090a0b0c0d0e0f/101112131415161718191a1b1c1d1e1f/0b00/0100",
         "standard",
         "https://pccs.example:8081" V4(
             "sgx") "pckcert?qeid=000102030405060708090a0b0c0d0e0f&cpusvn="
                    "101112131415161718191a1b1c1d1e1f&pcesvn=0b00&pceid=0100"},
        {"pccs=unix:/run/atls.sock", "intel/qe/sgx", "standard",
         "http://localhost" V4("sgx") "qe/identity"},
        {KDS, "amd/vcek/Milan/" HWID "/04000000000018db", "early",
         "https://kdsintf.amd.com/vcek/v1/Milan/" HWID
         "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"},
        {KDS, "amd/vcek/Genoa/" HWID "/0a000000000017d1", "standard",
         "https://kdsintf.amd.com/vcek/v1/Genoa/" HWID
         "?blSPL=10&teeSPL=00&snpSPL=23&ucodeSPL=209"},
        {KDS, "amd/vcek/Turin/0102030405060708/0101010400000051", "standard",
         "https://kdsintf.amd.com/vcek/v1/Turin/"
         "0102030405060708?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81"},
        {KDS, "amd/chain/vcek/Milan", "standard",
         "https://kdsintf.amd.com/vcek/v1/Milan/cert_chain"},
        {KDS, "amd/chain/vlek/Turin", "standard",
         "https://kdsintf.amd.com/vlek/v1/Turin/cert_chain"},
        {KDS, "amd/crl/vlek/Genoa", "standard", "https://kdsintf.amd.com/vlek/v1/Genoa/crl"},
        {"amd=unix:/run/atls.sock", "amd/crl/vcek/Milan", "standard",
         "http://localhost/vcek/v1/Milan/crl"},
        {"jwks:https://issuer.example/a=https://keys.example/certs?v=1&x=http://a",
         "jwks/https%3a%2f%2fissuer.example%2fa", "standard",
         "https://keys.example/certs?v=1&x=http://a"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const atls_origin o = origin_of(table[i].origin);
        atls_http_request r;
        atls_err err = {0};
        assert_true(atls_origin_serves(&o, table[i].key));
        if (atls_origin_request(&o, table[i].key, table[i].channel, &r, &err) != ATLS_OK) {
            fail_msg("%s: %s", table[i].key, err.msg);
        }
        assert_string_equal(r.url, table[i].url);
        assert_true(r.body_max >= 65536 && r.body_max <= 2 * ATLS_ITEM_BODY_MAX + 16);
        assert_false(r.needs_api_key);
    }
}

static void each_kind_serves_its_own(void **state)
{
    (void)state;
    static const char pck[] =
        "intel/pck/000102030405060708090a0b0c0d0e0f/101112131415161718191a1b1c1d1e1f/0b00/0100";
    static const struct {
        const char *key;
        const char *kinds; /* of the five origins below, in order */
    } table[] = {
        {"intel/tcb/sgx/00906ea10000", "yyynn"},
        {"intel/qe/tdx", "yyynn"},
        {"intel/pckcrl/platform", "yyynn"},
        {"intel/rootcrl", "yyynn"},
        {pck, "nyynn"}, /* Intel's own service asks for an encrypted PPID */
        {"amd/vcek/Turin/0102030405060708/0101010400000051", "nnnyn"},
        {"amd/chain/vcek/Milan", "nnnyn"},
        {"amd/crl/vlek/Milan", "nnnyn"},
        {"jwks/https%3a%2f%2fa.example", "nnnny"},
        {"jwks/https%3a%2f%2fb.example", "nnnnn"},
        {"jwks/https%3a%2f%2fa.example%2f", "nnnnn"},
        {"intel/tcb/sgx/00906EA10000", "nnnnn"},
        {"intel/qe/../x", "nnnnn"},
    };
    static const char *const origins[] = {PCS, "intel=https://mirror.example", PCCS, KDS,
                                          "jwks:https://a.example=https://k.example/"};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (size_t j = 0; j < sizeof origins / sizeof origins[0]; j++) {
            const atls_origin o = origin_of(origins[j]);
            const bool serves = table[i].kinds[j] == 'y';
            atls_http_request r;
            atls_err err = {0};
            if (atls_origin_serves(&o, table[i].key) != serves) {
                fail_msg("%s of %s", table[i].key, origins[j]);
            }
            const atls_code rc = atls_origin_request(&o, table[i].key, "standard", &r, &err);
            assert_int_equal(rc, serves ? ATLS_OK : ATLS_E_USAGE);
            if (rc != ATLS_OK) {
                assert_string_equal(err.check, "item.key");
            }
        }
    }
}

static void channels_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",   "EARLY", "late", "0",  "-1",         "+1",       " 1",
                                        "1 ", "1&x",   "0x10", "01", "1234567890", "standard "};
    const atls_origin o = origin_of(PCS);
    atls_http_request r;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        atls_err err = {0};
        assert_int_equal(atls_origin_request(&o, "intel/qe/sgx", wrong[i], &r, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "item.key");
    }
}

static void a_long_address_is_refused_and_not_cut(void **state)
{
    (void)state;
    char text[600] = "amd=https://kds.example/";
    size_t len = strlen(text);
    memset(text + len, 'p', 504 - len);
    const atls_origin o = origin_of(text);
    atls_http_request r;
    assert_int_equal(
        atls_origin_request(&o, "amd/vcek/Milan/" HWID "/04000000000018db", "standard", &r, NULL),
        ATLS_OK);
    assert_non_null(strstr(r.url, "&ucodeSPL=219"));
    memset(text + len, 'p', 520 - len);
    atls_origin none;
    atls_err err = {0};
    assert_int_equal(atls_origin_parse(text, &none, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "fetch.origin");
}

static void addresses_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *base, *name;
        uint32_t gap_ms;
    } table[] = {
        {KDS, "https://kdsintf.amd.com", KDS, 10000},
        {"amd=https://KDSINTF.amd.com/vcek/v1/", "https://KDSINTF.amd.com",
         "amd=https://KDSINTF.amd.com/vcek/v1/", 10000},
        {"amd=https://mirror.example", "https://mirror.example", "amd=https://mirror.example", 0},
        {"pccs=https://h:8081/sgx/certification/v4/", "https://h:8081",
         "pccs=https://h:8081/sgx/certification/v4/", 0},
        {"pccs=https://h/a/b//", "https://h/a/b", "pccs=https://h/a/b//", 0},
        {"pccs=https://u:secret@h:8081", "https://u:secret@h:8081", "pccs=https://u:@h:8081", 0},
        {"pccs=https://u@h", "https://u@h", "pccs=https://u@h", 0},
        {"pccs=http://127.0.0.1:80", "http://127.0.0.1:80", "pccs=http://127.0.0.1:80", 0},
        {"pccs=http://127.255.0.9", "http://127.255.0.9", "pccs=http://127.255.0.9", 0},
        {"pccs=http://[::1]:1", "http://[::1]:1", "pccs=http://[::1]:1", 0},
        {"pccs=https://[2001:db8::1]", "https://[2001:db8::1]", "pccs=https://[2001:db8::1]", 0},
        {"intel=HTTP://LOCALHOST", "HTTP://LOCALHOST", "intel=HTTP://LOCALHOST", 0},
        {"jwks:i=https://h/k/", "https://h/k/", "jwks:i=https://h/k/", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const atls_origin o = origin_of(table[i].text);
        assert_string_equal(o.base, table[i].base);
        assert_string_equal(o.name, table[i].name);
        assert_int_equal(o.gap_ms, table[i].gap_ms);
        assert_string_equal(o.unix_path, "");
    }
    const atls_origin o = origin_of("pccs=unix:/run/a.sock");
    assert_string_equal(o.unix_path, "/run/a.sock");
    assert_string_equal(o.base, "http://localhost");
}

static void addresses_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "intel",
        "intel=",
        "INTEL=https://h",
        "azure=https://h",
        "intel=unix:",
        "intel=ftp://h",
        "intel=https://",
        "intel=https:///path",
        "intel=https://:80",
        "intel=https://h:",
        "intel=https://h:0",
        "intel=https://h:65536",
        "intel=https://h:80x",
        "intel=https://h:-1",
        "intel=https://h h",
        "intel=https://h\n",
        "intel=https://h?x=1",
        "intel=https://h/?x=1",
        "intel=https://h/#x",
        "intel=https://h#x",
        "intel=https://h\\x",
        "intel=https://a@b@c",
        "intel=https://[::1",
        "intel=https://[]",
        "intel=https://[::1]x",
        "intel=https://h%00",
        "intel=https://-h",
        "intel=https://h/sgx/certification/v3",
        "intel=http://api.trustedservices.intel.com",
        "pccs=http://10.0.0.1",
        "pccs=http://127.0.0.1.example",
        "pccs=http://127.0.0.1@h.example",
        "pccs=http://localhost:1@h.example",
        "pccs=http://127.1",
        "pccs=http://127.0.0.256",
        "pccs=http://localhost.example",
        "pccs=http://[::2]",
        "pccs=unix:",
        "pccs=unix:/a b",
        "amd=http://kdsintf.amd.com",
        "jwks:=https://h",
        "jwks:i",
        "jwks:i=",
        "jwks:i=http://127.0.0.1/k",
        "jwks:i=httpx://h",
        "jwks:i i=https://h",
        "jwks:i=https://h/#k",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        atls_origin o = {.base = "untouched"};
        atls_err err = {0};
        if (atls_origin_parse(wrong[i], &o, &err) != ATLS_E_USAGE) {
            fail_msg("taken: %s", wrong[i]);
        }
        assert_string_equal(err.check, "fetch.origin");
        assert_string_equal(o.base, "untouched");
        assert_true(strlen(err.msg) > 20);
    }
}

static void a_refusal_tells_no_password(void **state)
{
    (void)state;
    atls_origin o;
    atls_err err = {0};
    assert_int_equal(atls_origin_parse("pccs=http://u:secret@h", &o, &err), ATLS_E_USAGE);
    assert_null(strstr(err.msg, "secret"));
}

static void a_long_socket_path(void **state)
{
    (void)state;
    char text[200] = "amd=unix:/";
    atls_origin o;
    memset(text + 10, 'p', 106);
    assert_int_equal(atls_origin_parse(text, &o, NULL), ATLS_OK);
    assert_int_equal(strlen(o.unix_path), 107);
    text[116] = 'p';
    atls_err err = {0};
    assert_int_equal(atls_origin_parse(text, &o, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "fetch.origin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_has_its_url),
        cmocka_unit_test(each_kind_serves_its_own),
        cmocka_unit_test(channels_that_are_none),
        cmocka_unit_test(a_long_address_is_refused_and_not_cut),
        cmocka_unit_test(addresses_as_people_write_them),
        cmocka_unit_test(addresses_that_are_none),
        cmocka_unit_test(a_refusal_tells_no_password),
        cmocka_unit_test(a_long_socket_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
