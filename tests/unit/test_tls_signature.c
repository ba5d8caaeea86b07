/* Signature schemes of TLS 1.3: there and back, each with the wrong key, scheme, message and signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/tls_signature.h"
#include "unit/made_keys.h"

static const struct {
    uint16_t scheme;
    size_t key; /* index into keys */
} schemes[] = {
    {ATLS_TLS_ECDSA_SECP256R1_SHA256, 0},
    {ATLS_TLS_ECDSA_SECP384R1_SHA384, 1},
    {ATLS_TLS_ED25519, 2},
    {ATLS_TLS_RSA_PSS_RSAE_SHA256, 3},
    {ATLS_TLS_RSA_PSS_RSAE_SHA384, 3},
    {ATLS_TLS_RSA_PSS_RSAE_SHA512, 3},
};
#define SCHEMES (sizeof schemes / sizeof schemes[0])
#define KEYS    9
static EVP_PKEY *keys[KEYS];

static int make_keys(void **state)
{
    (void)state;
    EVP_PKEY *made[KEYS] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), made_ed25519(1),
                            EVP_RSA_gen(2048),
                            /* and some that no scheme takes */
                            EVP_EC_gen("P-521"), EVP_PKEY_Q_keygen(NULL, NULL, "ED448"),
                            made_rsa_public(2040), made_rsa_public(4104), EVP_EC_gen("secp256k1")};
    memcpy(keys, made, sizeof keys);
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        EVP_PKEY_free(keys[i]);
    }
    return 0;
}

static const atls_buf message = {(const uint8_t *)"what is signed", 14};

static void a_scheme_takes_its_own_keys_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        assert_true(atls_tls_scheme_known(schemes[i].scheme));
        for (size_t k = 0; k < KEYS; k++) {
            assert_int_equal(atls_tls_scheme_fits(schemes[i].scheme, keys[k]), k == schemes[i].key);
        }
    }
    EVP_PKEY *largest = made_rsa_public(4096);
    assert_true(atls_tls_scheme_fits(ATLS_TLS_RSA_PSS_RSAE_SHA256, largest));
    EVP_PKEY_free(largest);
    assert_false(atls_tls_scheme_fits(ATLS_TLS_ED25519, NULL));
    static const uint16_t unknown[] = {0, 0x0201, 0x0401, 0x0603, 0x0808, 0x0809, 0xffff};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_false(atls_tls_scheme_known(unknown[i]));
        assert_false(atls_tls_scheme_fits(unknown[i], keys[3]));
    }
}

static void what_is_signed_verifies_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t signature[ATLS_TLS_SIGNATURE_MAX];
        size_t len = 0;
        EVP_PKEY *key = keys[schemes[i].key];
        assert_int_equal(atls_tls_sign(schemes[i].scheme, key, message, signature, &len, NULL),
                         ATLS_OK);
        const atls_buf s = {signature, len};
        assert_true(atls_tls_verify(schemes[i].scheme, key, message, s));
        assert_false(atls_tls_verify(schemes[i].scheme, key, (atls_buf){message.ptr, 13}, s));
        assert_false(
            atls_tls_verify(schemes[i].scheme, key, message, (atls_buf){signature, len - 1}));
        assert_false(atls_tls_verify(schemes[i].scheme, key, message, (atls_buf){NULL, 0}));
        for (size_t at = 0; at < len; at++) {
            signature[at] ^= 1;
            assert_false(atls_tls_verify(schemes[i].scheme, key, message, s));
            signature[at] ^= 1;
        }
        for (size_t j = 0; j < SCHEMES; j++) {
            for (size_t k = 0; k < KEYS; k++) {
                bool same = i == j && k == schemes[i].key;
                assert_int_equal(atls_tls_verify(schemes[j].scheme, keys[k], message, s), same);
            }
        }
    }
    assert_int_equal(ERR_peek_error(), 0); /* SSL_get_error would trip over what is left there */
}

static void signing_with_the_wrong_key_is_our_mistake(void **state)
{
    (void)state;
    uint8_t signature[ATLS_TLS_SIGNATURE_MAX];
    size_t len = 7;
    atls_err err = {0};
    assert_int_equal(atls_tls_sign(ATLS_TLS_ED25519, keys[0], message, signature, &len, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "tls_signature.key");
    assert_int_equal(atls_tls_sign(0x0401, keys[3], message, signature, &len, &err), ATLS_E_USAGE);
    EVP_PKEY *public_only = made_rsa_public(2048);
    assert_int_equal(
        atls_tls_sign(ATLS_TLS_RSA_PSS_RSAE_SHA256, public_only, message, signature, &len, &err),
        ATLS_E_SYSTEM);
    assert_string_equal(err.check, "crypto.sign");
    EVP_PKEY_free(public_only);
    assert_int_equal(len, 7);
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheme_takes_its_own_keys_only),
        cmocka_unit_test(what_is_signed_verifies_and_nothing_else),
        cmocka_unit_test(signing_with_the_wrong_key_is_our_mistake),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
