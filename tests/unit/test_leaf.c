/* Leaf certificates: which keys are taken, and that the bytes of the key are those in the certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/leaf.h"
#include "unit/made_keys.h"

/* The check that refuses, or "ok"; nothing is set when refused. */
static const char *judge(atls_buf der)
{
    static const uint8_t sentinel = 0;
    atls_buf spki = {&sentinel, 77};
    EVP_PKEY *key = NULL;
    atls_err err = {0};
    if (atls_leaf_decode(der, &spki, &key, &err) != ATLS_OK) {
        assert_ptr_equal(spki.ptr, &sentinel);
        assert_null(key);
        assert_int_equal(err.code, ATLS_E_INVALID);
        assert_int_equal(ERR_peek_error(), 0);
        return err.check;
    }
    assert_true(spki.ptr > der.ptr && spki.ptr + spki.len < der.ptr + der.len);
    EVP_PKEY *again = NULL;
    assert_int_equal(atls_leaf_key(spki, &again, &err), ATLS_OK);
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    EVP_PKEY *known = NULL; /* the short way finds the same */
    atls_buf known_spki = {NULL, 0};
    assert_int_equal(atls_leaf_known(der, &known_spki, &known, &err), ATLS_OK);
    assert_ptr_equal(known_spki.ptr, spki.ptr);
    assert_int_equal(known_spki.len, spki.len);
    assert_int_equal(EVP_PKEY_eq(key, known), 1);
    EVP_PKEY_free(known);
    unsigned char *encoded = NULL;
    int len = i2d_PUBKEY(key, &encoded);
    assert_int_equal(len, spki.len);
    assert_memory_equal(encoded, spki.ptr, spki.len);
    OPENSSL_free(encoded);
    EVP_PKEY_free(key);
    EVP_PKEY_free(again);
    return "ok";
}

static void only_known_kinds_of_keys_are_taken(void **state)
{
    (void)state;
    const struct {
        const char *what;
        EVP_PKEY *key;
        const char *check;
    } cases[] = {
        {"P-256", EVP_EC_gen("P-256"), "ok"},
        {"P-384", EVP_EC_gen("P-384"), "ok"},
        {"Ed25519", made_ed25519(2), "ok"},
        {"RSA 2048", made_rsa_public(2048), "ok"},
        {"RSA 4096", made_rsa_public(4096), "ok"},
        {"RSA 2040", made_rsa_public(2040), "leaf.key"},
        {"RSA 4104", made_rsa_public(4104), "leaf.key"},
        {"RSA 16384", made_rsa_public(16384), "leaf.key"},
        {"P-521", EVP_EC_gen("P-521"), "leaf.key"},
        {"P-256 by parameters", made_explicit_p256(), "leaf.key"},
        {"Ed448", EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "leaf.key"},
        {"X25519", EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "leaf.key"},
    };
    EVP_PKEY *signer = made_ed25519(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_non_null(cases[i].key);
        X509 *x = made_leaf(cases[i].key, signer);
        assert_non_null(x);
        atls_buf der = made_der(x);
        const char *check = judge(der);
        if (strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
        OPENSSL_free((void *)(uintptr_t)der.ptr);
        X509_free(x);
        EVP_PKEY_free(cases[i].key);
    }
    EVP_PKEY_free(signer);
}

static void every_truncation_and_a_trailing_byte_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = made_ed25519(1);
    X509 *x = made_leaf(key, key);
    atls_buf der = made_der(x);
    uint8_t *space = calloc(1, der.len + 1);
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *cut = malloc(len + 1);
        memcpy(cut + 1, der.ptr, len);
        assert_string_equal(judge((atls_buf){cut + 1, len}),
                            len == 0 ? "leaf.size" : "leaf.malformed");
        free(cut);
    }
    memcpy(space, der.ptr, der.len);
    assert_string_equal(judge((atls_buf){space, der.len}), "ok");
    assert_string_equal(judge((atls_buf){space, der.len + 1}), "leaf.malformed");
    free(space);
    uint8_t *big = calloc(1, ATLS_LEAF_MAX + 1);
    assert_string_equal(judge((atls_buf){big, ATLS_LEAF_MAX + 1}), "leaf.size");
    assert_string_equal(judge((atls_buf){big, ATLS_LEAF_MAX}), "leaf.malformed");
    free(big);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* Every byte of a P-256 leaf flipped: taken or refused, never anything between, and each refusal has a name. */
static void flipped_bytes_never_confuse(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *signer = made_ed25519(1);
    X509 *x = made_leaf(key, signer);
    atls_buf der = made_der(x);
    uint8_t *space = malloc(der.len);
    memcpy(space, der.ptr, der.len);
    unsigned taken = 0, refused = 0;
    for (size_t at = 0; at < der.len; at++) {
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            space[at] ^= (uint8_t)bit;
            if (strcmp(judge((atls_buf){space, der.len}), "ok") == 0) {
                taken++; /* names, dates, serial, signature: not ours to judge */
            } else {
                refused++;
            }
            space[at] ^= (uint8_t)bit;
        }
    }
    assert_true(taken > 0);
    assert_true(refused > 64 * 8 / 2); /* half of the bits of the point at least: off the curve */
    free(space);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    X509_free(x);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(key);
}

static void a_bare_key_is_checked_like_one_in_a_certificate(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    atls_err err = {0};
    EVP_PKEY *p256 = EVP_EC_gen("P-256");
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(p256, &spki);
    assert_int_equal(atls_leaf_key((atls_buf){spki, (size_t)len}, &key, &err), ATLS_OK);
    EVP_PKEY_free(key);
    key = NULL;
    for (size_t cut = 0; cut < (size_t)len; cut++) {
        assert_int_equal(atls_leaf_key((atls_buf){spki, cut}, &key, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "leaf.key");
    }
    spki[len - 1] ^= 1; /* off the curve */
    assert_int_equal(atls_leaf_key((atls_buf){spki, (size_t)len}, &key, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "leaf.key");
    assert_null(key);
    assert_int_equal(ERR_peek_error(), 0);
    OPENSSL_free(spki);
    EVP_PKEY_free(p256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_known_kinds_of_keys_are_taken),
        cmocka_unit_test(every_truncation_and_a_trailing_byte_are_refused),
        cmocka_unit_test(flipped_bytes_never_confuse),
        cmocka_unit_test(a_bare_key_is_checked_like_one_in_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
