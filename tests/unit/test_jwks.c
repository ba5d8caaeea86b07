/* JSON Web Keys as endorsements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec/base64.h"
#include "codec/base64url.h"
#include "trust/jwks.h"
#include "unit/pki.h"

/* The example keys of RFC 7517, appendix A.1. */
#define EC_X "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define EC_Y "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define RSA_N                                                                                      \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"      \
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"              \
    "65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"   \
    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define EC   "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define RSA_ "\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\""

static atls_code add(atls_endorsements *e, const char *text, atls_err *err)
{
    return atls_endorsements_add(e, (atls_buf){(const uint8_t *)text, strlen(text)}, err);
}

static void keys_for_signatures_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *kid, *alg;
    } cases[] = {
        {"{" EC "}", 1, "", ""},
        {"{" RSA_ ",\"kid\":\"a\",\"alg\":\"RS256\"}", 1, "a", "RS256"},
        {"{\"keys\":[{" EC ",\"kid\":\"b\",\"use\":\"sig\"},{" RSA_ "}]}", 2, "b", ""},
        {"{\"keys\":[{" EC ",\"kid\":\"b\",\"key_ops\":[\"verify\"],\"unknown\":7}]}", 1, "b", ""},
        {"{\"keys\":[{" EC ",\"use\":\"enc\"},{" RSA_ ",\"kid\":\"c\"}]}", 1, "c", ""},
        {"{\"keys\":[{" EC ",\"key_ops\":[\"deriveKey\"]},{" RSA_ ",\"kid\":\"c\"}]}", 1, "c", ""},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"},{" RSA_ "}]}", 1, "", ""},
        {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\"},{" RSA_ "}]}", 1, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_endorsements e = {0};
        atls_err err = {0};
        if (add(&e, cases[i].text, &err) != ATLS_OK) {
            fail_msg("%s: %s", cases[i].text, err.msg);
        }
        assert_int_equal(e.keys_n, cases[i].n);
        assert_int_equal(e.keys[0]->what, ATLS_VOUCHED_FOR_TOKENS);
        assert_string_equal(e.keys[0]->kid, cases[i].kid);
        assert_string_equal(e.keys[0]->alg, cases[i].alg);
        atls_endorsements_clear(&e);
    }
}

static void what_is_wrong_refuses_all(void **state)
{
    (void)state;
    static const struct {
        const char *text, *check;
    } cases[] = {
        {"{\"kty\":\"EC\"", "jwks.json"},
        {"{" EC ",\"kty\":\"EC\"}", "jwks.json"},
        {"{\"keys\":[]}", "jwks.empty"},
        {"{" EC ",\"use\":\"enc\"}", "jwks.empty"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}", "jwks.empty"},
        {"{\"keys\":7}", "jwks.key"},
        {"{\"keys\":[7]}", "jwks.key"},
        {"{\"keys\":[{" EC "},{\"kty\":7}]}", "jwks.key"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "jwks.private"},
        {"{\"keys\":[{" EC "},{" RSA_ ",\"d\":\"AA\"}]}", "jwks.private"},
        {"{\"keys\":[{" EC ",\"use\":\"enc\",\"d\":\"AA\"},{" RSA_ "}]}", "jwks.private"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "jwks.key"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "=\",\"y\":\"" EC_Y "\"}", "jwks.key"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "jwks.key"},
        {"{\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "jwks.key"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}", "key.point"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}", "jwks.key"},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "key.rsa"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Aw\"}", "key.rsa"},
        {"{\"kty\":\"RSA\"}", "jwks.key"},
        {"{" EC ",\"kid\":\"\"}", "jwks.key"},
        {"{" EC ",\"kid\":7}", "jwks.key"},
        {"{" EC ",\"alg\":\"an algorithm of a long name\"}", "jwks.key"},
        {"{" EC ",\"x5c\":[]}", "jwks.key"},
        {"{" EC ",\"x5c\":[\"!\"]}", "jwks.key"},
        {"{" EC ",\"x5c\":[\"AAAA\"]}", "cert.malformed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_endorsements e = {0};
        atls_err err = {0};
        assert_int_equal(add(&e, cases[i].text, &err), ATLS_E_INVALID);
        if (strcmp(err.check, cases[i].check) != 0) {
            fail_msg("%s: %s, where %s is wanted", cases[i].text, err.check, cases[i].check);
        }
        assert_int_equal(e.keys_n, 0);
    }
}

static void a_certificate_alone_gives_its_key(void **state)
{
    (void)state;
    static const pki_spec spec = {.cn = "Signer", .serial = 1, .not_before_s = 0, .not_after_s = 9};
    EVP_PKEY *key = pki_key();
    X509 *x = pki_cert(&spec, key, NULL, key);
    atls_buf der = pki_der(x);
    char *x5c = atls_base64_encode(der);
    char text[4096];
    atls_endorsements e = {0};
    atls_err err = {0};
    (void)snprintf(text, sizeof text, "{\"kty\":\"EC\",\"kid\":\"m\",\"x5c\":[\"%s\"]}", x5c);
    assert_int_equal(add(&e, text, NULL), ATLS_OK);
    uint8_t xy[64];
    pki_point(key, xy);
    const atls_buf spki = atls_public_key_spki(e.keys[0]->key);
    assert_memory_equal(spki.ptr + spki.len - 64, xy, 64);
    (void)snprintf(text, sizeof text, "{" EC ",\"x5c\":[\"%s\"]}", x5c); /* another key */
    assert_int_equal(add(&e, text, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "jwks.x5c");
    (void)snprintf(text, sizeof text, "{\"kty\":\"RSA\",\"x5c\":[\"%s\"]}", x5c);
    assert_int_equal(add(&e, text, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "jwks.x5c");
    assert_int_equal(e.keys_n, 1);
    atls_endorsements_clear(&e);
    free(x5c);
    pki_buf_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"keys\":[{" EC ",\"kid\":\"b\"}]}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        atls_endorsements e = {0};
        assert_int_equal(atls_endorsements_add(&e, (atls_buf){(const uint8_t *)text, n}, NULL),
                         ATLS_E_INVALID);
        assert_int_equal(e.keys_n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_for_signatures_are_taken),
        cmocka_unit_test(what_is_wrong_refuses_all),
        cmocka_unit_test(a_certificate_alone_gives_its_key),
        cmocka_unit_test(every_truncation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
