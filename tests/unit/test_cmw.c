/* Conceptual message wrappers: every form, each rule wrong alone, truncations, and what a certificate may hold of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/binding.h"
#include "binding/certificate.h"
#include "binding/cmw.h"

#define EAT "736170706c69636174696f6e2f6561742b637774" /* "application/eat+cwt" */

static const char *refusal(const uint8_t *bytes, size_t len)
{
    uint8_t space[1024];
    atls_cmw c;
    atls_err err = {0};
    atls_code rc = atls_cmw_parse((atls_buf){bytes, len}, space, &c, &err);
    assert_int_equal(rc, err.code);
    return rc == ATLS_OK ? "ok" : err.check;
}

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex, *check;
        atls_cmw_form form;
        const char *type;
        uint32_t content_format, ind;
    } cases[] = {
        {"the worked example", "83" EAT "44deadbeef04", "ok", ATLS_CMW_RECORD,
         "application/eat+cwt", 0, 4},
        {"without indicator", "82" EAT "44deadbeef", "ok", ATLS_CMW_RECORD, "application/eat+cwt",
         0, 0},
        {"by content-format",
         "82190107"
         "44deadbeef",
         "ok", ATLS_CMW_RECORD, "", 263, 0},
        {"all indicators",
         "83" EAT "44deadbeef"
         "1affffffff",
         "ok", ATLS_CMW_RECORD, "application/eat+cwt", 0, 0xffffffff},
        {"tag 263",
         "da63740209"
         "44deadbeef",
         "ok", ATLS_CMW_TAG, "", 263, 0},
        {"tag 64999",
         "da6374"
         "ffe6"
         "44deadbeef",
         "ok", ATLS_CMW_TAG, "", 64999, 0},
        {"the first tag",
         "da63740101"
         "44deadbeef",
         "ok", ATLS_CMW_TAG, "", 0, 0},
        {"the tag before it",
         "da63740100"
         "44deadbeef",
         "cmw.tag", 0, "", 0, 0},
        {"a tag that no format has",
         "da63740200"
         "44deadbeef",
         "cmw.tag", 0, "", 0, 0},
        {"format 65535",
         "da637501ff"
         "44deadbeef",
         "cmw.tag", 0, "", 0, 0},
        {"a tag around text",
         "da63740209"
         "64deadbeef",
         "cmw.tag", 0, "", 0, 0},
        {"bytes behind a tag",
         "da63740209"
         "44deadbeef00",
         "cmw.tag", 0, "", 0, 0},
        {"indicator 0", "83" EAT "44deadbeef00", "cmw.record", 0, "", 0, 0},
        {"an indicator of 33 bits",
         "83" EAT "44deadbeef"
         "1b0000000100000000",
         "cmw.record", 0, "", 0, 0},
        {"a negative indicator", "83" EAT "44deadbeef20", "cmw.record", 0, "", 0, 0},
        {"bytes behind", "83" EAT "44deadbeef0400", "cmw.record", 0, "", 0, 0},
        {"a value that is text", "83" EAT "64deadbeef04", "cmw.record", 0, "", 0, 0},
        {"a type without slash",
         "826161"
         "44deadbeef",
         "cmw.record", 0, "", 0, 0},
        {"a type with a control character",
         "8263612f0a"
         "44deadbeef",
         "cmw.record", 0, "", 0, 0},
        {"a type that is bytes",
         "824161"
         "44deadbeef",
         "cmw.record", 0, "", 0, 0},
        {"content-format 65536",
         "821a00010000"
         "44deadbeef",
         "cmw.record", 0, "", 0, 0},
        {"four items", "84" EAT "44deadbeef0404", "cmw.form", 0, "", 0, 0},
        {"indefinite", "9f" EAT "44deadbeefff", "cmw.form", 0, "", 0, 0},
        {"a collection", "a1616183" EAT "44deadbeef04", "cmw.form", 0, "", 0, 0},
        {"an indefinite collection", "bf616183" EAT "44deadbeef04ff", "cmw.form", 0, "", 0, 0},
        {"a collection in JSON", "7b7d", "cmw.form", 0, "", 0, 0},
        {"signed", "d28440a04040", "cmw.form", 0, "", 0, 0},
        {"something else", "00", "cmw.form", 0, "", 0, 0},
        {"nothing", "", "cmw.size", 0, "", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[256], space[256];
        size_t len = 0;
        atls_cmw c;
        assert_true(atls_hex_decode(cases[i].hex, strlen(cases[i].hex), bytes, sizeof bytes, &len));
        const char *found = refusal(bytes, len);
        if (strcmp(found, cases[i].check) != 0) {
            print_error("%s: %s\n", cases[i].what, found);
        }
        assert_string_equal(found, cases[i].check);
        if (strcmp(found, "ok") != 0) {
            continue;
        }
        assert_int_equal(atls_cmw_parse((atls_buf){bytes, len}, space, &c, NULL), ATLS_OK);
        assert_int_equal(c.form, cases[i].form);
        assert_int_equal(c.media_type.len, strlen(cases[i].type));
        assert_int_equal(c.content_format, cases[i].content_format);
        assert_int_equal(c.ind, cases[i].ind);
        assert_int_equal(c.value.len, 4);
        assert_memory_equal(c.value.ptr, "\xde\xad\xbe\xef", 4);
        for (size_t less = 0; less < len; less++) {
            assert_string_not_equal(refusal(bytes, less), "ok");
        }
    }
}

static void in_json(void **state)
{
    (void)state;
    static const struct {
        const char *text, *check;
        uint32_t content_format, ind;
    } cases[] = {
        {"[\"application/eat+cwt\",\"3q2-7w\",4]", "ok", 0, 4},
        {"[\"application/eat+cwt\",\"3q2-7w\"]", "ok", 0, 0},
        {"[263,\"3q2-7w\"]", "ok", 263, 0},
        {"[ 65535 , \"3q2-7w\" , 4294967295 ]\n", "ok", 65535, 4294967295},
        {"[65536,\"3q2-7w\"]", "cmw.json", 0, 0},
        {"[-1,\"3q2-7w\"]", "cmw.json", 0, 0},
        {"[\"a/b\",\"3q2-7w\",0]", "cmw.json", 0, 0},
        {"[\"a/b\",\"3q2-7w\",4294967296]", "cmw.json", 0, 0},
        {"[\"a/b\",\"3q2-7w\",\"4\"]", "cmw.json", 0, 0},
        {"[\"a/b\",\"3q2-7w\",4.0]", "cmw.json", 0, 0},
        {"[\"a/b\",\"3q2-7w==\"]", "cmw.json", 0, 0}, /* padding */
        {"[\"a/b\",\"3q2+7w\"]", "cmw.json", 0, 0},   /* the other alphabet */
        {"[\"a/b\"]", "cmw.json", 0, 0},
        {"[\"a/b\",\"3q2-7w\",4,4]", "cmw.json", 0, 0},
        {"[\"ab\",\"3q2-7w\"]", "cmw.json", 0, 0},
        {"[\"a/b\",[]]", "cmw.json", 0, 0},
        {"[\"a/b\",\"3q2-7w\"]]", "cmw.json", 0, 0},
        {"[", "cmw.json", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[256];
        atls_cmw c;
        const atls_buf text = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        const char *found = refusal(text.ptr, text.len);
        if (strcmp(found, cases[i].check) != 0) {
            print_error("%s: %s\n", cases[i].text, found);
        }
        assert_string_equal(found, cases[i].check);
        if (strcmp(found, "ok") == 0) {
            assert_int_equal(atls_cmw_parse(text, space, &c, NULL), ATLS_OK);
            assert_int_equal(c.form, ATLS_CMW_JSON);
            assert_int_equal(c.content_format, cases[i].content_format);
            assert_int_equal(c.ind, cases[i].ind);
            assert_int_equal(c.value.len, 4);
            assert_memory_equal(c.value.ptr, "\xde\xad\xbe\xef", 4);
        }
    }
}

static void made_and_read(void **state)
{
    (void)state;
    static const uint8_t value[] = {0xde, 0xad, 0xbe, 0xef};
    for (uint32_t ind = 0; ind <= 4; ind += 4) {
        uint8_t *out = NULL;
        uint8_t wanted[64];
        size_t len = 0, wanted_len = 0;
        static const char hex[] = "83" EAT "44deadbeef04";
        assert_true(atls_hex_decode(hex, strlen(hex), wanted, sizeof wanted, &wanted_len));
        assert_int_equal(
            atls_cmw_make("application/eat+cwt", (atls_buf){value, 4}, ind, &out, &len, NULL),
            ATLS_OK);
        assert_int_equal(len, ind == 4 ? 27 : 26);
        assert_memory_equal(out + 1, wanted + 1, len - 1);
        assert_int_equal(out[0], ind == 4 ? 0x83 : 0x82);
        free(out);
    }
}

static void sizes(void **state)
{
    (void)state;
    uint8_t *large = calloc(1, ATLS_CMW_MAX_LEN + 1);
    large[0] = 0x82;
    assert_string_equal(refusal(large, ATLS_CMW_MAX_LEN + 1), "cmw.size");
    free(large);
}

/* What stands in the extension: DER around the right form, and evidence of the one type that binds a key. */
static void in_a_certificate(void **state)
{
    (void)state;
    static const uint8_t oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x23};
#define OURS                                                                                       \
    "7826"                                                                                         \
    "6170706c69636174696f6e2f766e642e61746c732e7463672d65766964656e63652b63626f72"
    static const struct {
        const char *what, *hex, *check;
    } cases[] = {
        {"no DER", "83" EAT "44deadbeef04", "cmw.der"},
        {"another DER type",
         "1601"
         "5b",
         "cmw.der"},
        {"DER with a byte behind",
         "0401"
         "82"
         "00",
         "cmw.der"},
        {"CBOR as text",
         "0c1b"
         "83" EAT "44deadbeef04",
         "cmw.der"},
        {"JSON as bytes",
         "040d"
         "5b22612f62222c224141225d"
         "20",
         "cmw.der"},
        {"another media type",
         "041b"
         "83" EAT "44deadbeef04",
         "cmw.type"},
        {"a content-format",
         "0409"
         "82190107"
         "44deadbeef",
         "cmw.type"},
        {"endorsements",
         "042f"
         "83" OURS "44deadbeef02",
         "cmw.type"},
        {"evidence and endorsements",
         "042f"
         "83" OURS "44deadbeef06",
         "cmw.type"},
        {"not tagged evidence",
         "042f"
         "83" OURS "44d2adbeef04",
         "tcg.type"},
        {"not tagged evidence, unsaid",
         "042e"
         "82" OURS "4401adbeef",
         "tcg.encoding"},
        {"a collection",
         "0402"
         "a100",
         "cmw.form"},
    };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t value[256];
        size_t len = 0;
        assert_true(atls_hex_decode(cases[i].hex, strlen(cases[i].hex), value, sizeof value, &len));
        const atls_certificate_extension e = {{oid, sizeof oid}, {value, len}};
        const atls_certificate_plan p = {
            .common_name = "x", .not_after_s = 60, .extensions = &e, .extensions_n = 1};
        X509 *x = NULL;
        unsigned char *der = NULL;
        assert_int_equal(atls_certificate_make(&p, key, &x, NULL), ATLS_OK);
        int der_len = i2d_X509(x, &der);
        atls_carrier c;
        atls_carried out = {0};
        bool found = false;
        atls_err err = {0};
        assert_int_equal(atls_carrier_parse((atls_buf){der, (size_t)der_len}, &c, NULL), ATLS_OK);
        assert_int_equal(atls_binding_ra_tls_cmw.read_certificate(&c, NULL, 0, &out, &found, &err),
                         ATLS_E_INVALID);
        if (strcmp(err.check, cases[i].check) != 0) {
            print_error("%s: %s\n", cases[i].what, err.check);
        }
        assert_string_equal(err.check, cases[i].check);
        atls_carried_clear(&out);
        atls_carrier_clear(&c);
        OPENSSL_free(der);
        X509_free(x);
    }
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(in_json),
        cmocka_unit_test(made_and_read),
        cmocka_unit_test(sizes),
        cmocka_unit_test(in_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
