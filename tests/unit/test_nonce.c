/* Nonces in the TLS handshake: the worked examples byte for byte, and what is no nonce. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/hello.h"
#include "binding/nonce.h"

#define TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static atls_buf text_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void expect_bytes(const uint8_t out[32])
{
    for (uint8_t i = 0; i < 32; i++) {
        assert_int_equal(out[i], i);
    }
}

static void nonces_as_text(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "AAE=",
        "test",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        TEXT "\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", /* spare bits */
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "example.com",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-=",
    };
    uint8_t out[32];
    atls_err err = {0};
    assert_int_equal(atls_nonce_of_text(text_of(TEXT), out, &err), ATLS_OK);
    expect_bytes(out);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(atls_nonce_of_text(text_of(wrong[i]), out, &err), ATLS_E_BINDING);
        assert_string_equal(err.check, "nonce.form");
    }
}

static void nonces_as_protocols(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "atls:v2:nonce:" HEX,
        "atls:v1:nonce:",
        "atls:v1:nonce:" HEX "00",
        "atls/1",
        "",
        "atls:v1:nonce:000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "atls:v1:nonce:000102030405060708090g0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    };
    uint8_t out[32];
    atls_err err = {0};
    assert_int_equal(strlen("atls:v1:nonce:" HEX), ATLS_NONCE_ALPN_LEN);
    assert_int_equal(atls_nonce_of_protocol(text_of("atls:v1:nonce:" HEX), out, &err), ATLS_OK);
    expect_bytes(out);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(atls_nonce_of_protocol(text_of(wrong[i]), out, &err), ATLS_E_BINDING);
        assert_string_equal(err.check, "nonce.form");
    }
}

/* Section 1.2's example, without type and length. */
static void server_names(void **state)
{
    (void)state;
    uint8_t bytes[49];
    size_t len = 0;
    atls_buf name;
    static const char example[] = "002f00002c"
                                  "4141454341775146"
                                  "4267634943516f4c"
                                  "4441304f44784152"
                                  "45684d5546525958"
                                  "47426b6147787764"
                                  "4868383d";
    assert_true(atls_hex_decode(example, sizeof example - 1, bytes, sizeof bytes, &len));
    assert_int_equal(len, sizeof bytes);
    assert_true(atls_hello_server_name((atls_buf){bytes, 49}, &name));
    assert_int_equal(name.len, 44);
    assert_memory_equal(name.ptr, TEXT, 44);
    for (size_t cut = 0; cut < 49; cut++) {
        assert_false(atls_hello_server_name((atls_buf){bytes, cut}, &name));
        assert_null(name.ptr);
    }
    bytes[2] = 1; /* no host name */
    assert_false(atls_hello_server_name((atls_buf){bytes, 49}, &name));
    static const uint8_t two[] = {0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b'};
    assert_false(atls_hello_server_name((atls_buf){two, sizeof two}, &name));
    static const uint8_t none[] = {0, 3, 0, 0, 0};
    assert_false(atls_hello_server_name((atls_buf){none, sizeof none}, &name));
}

static void protocol_lists(void **state)
{
    (void)state;
    static const uint8_t list[] = {0,   13,  2,   'h', '2', 6,   'a', 't',
                                   'l', 's', ':', 'x', 2,   'h', '3'};
    static const uint8_t plain[] = {0, 3, 2, 'h', '2'};
    static const uint8_t empty_name[] = {0, 4, 2, 'h', '2', 0};
    static const uint8_t empty[] = {0, 0};
    atls_buf name;
    assert_true(atls_hello_atls_protocol((atls_buf){list, sizeof list}, &name));
    assert_int_equal(name.len, 6);
    assert_true(name.ptr == list + 6);
    for (size_t cut = 0; cut < sizeof list; cut++) {
        assert_false(atls_hello_atls_protocol((atls_buf){list, cut}, &name));
    }
    assert_true(atls_hello_atls_protocol((atls_buf){plain, sizeof plain}, &name));
    assert_int_equal(name.len, 0);
    assert_false(atls_hello_atls_protocol((atls_buf){empty_name, sizeof empty_name}, &name));
    assert_false(atls_hello_atls_protocol((atls_buf){empty, sizeof empty}, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonces_as_text),
        cmocka_unit_test(nonces_as_protocols),
        cmocka_unit_test(server_names),
        cmocka_unit_test(protocol_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
