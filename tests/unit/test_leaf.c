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
#include "crypto/tls_signature.h"
#include "unit/made_keys.h"

#define P256 ATLS_TLS_ECDSA_SECP256R1_SHA256
static const atls_buf message = {(const uint8_t *)"message", 7};

static EVP_PKEY *compressed_p256(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
    return key;
}

/* The check that refuses, or "ok"; nothing is set when refused, and OpenSSL's queue of errors stays empty. */
static const char *judge(atls_buf der)
{
    static const uint8_t sentinel = 0;
    atls_buf spki = {&sentinel, 77};
    atls_err err = {0};
    if (atls_leaf_spki(der, &spki, &err) != ATLS_OK) {
        assert_ptr_equal(spki.ptr, &sentinel);
        assert_int_equal(err.code, ATLS_E_INVALID);
        assert_int_equal(ERR_peek_error(), 0);
        return err.check;
    }
    assert_true(spki.ptr > der.ptr && spki.ptr + spki.len < der.ptr + der.len);
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
        {"secp256k1", EVP_EC_gen("secp256k1"), "leaf.key"},
        {"a compressed point", compressed_p256(), "leaf.key"},
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
        if (strcmp(check, "ok") == 0) {
            atls_buf spki;
            unsigned char *encoded = NULL;
            assert_int_equal(atls_leaf_spki(der, &spki, NULL), ATLS_OK);
            assert_int_equal(i2d_PUBKEY(cases[i].key, &encoded), spki.len);
            assert_memory_equal(encoded, spki.ptr, spki.len);
            OPENSSL_free(encoded);
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

/* Every bit of a P-256 leaf flipped: taken or refused, nothing between; and no flip in the key still verifies. */
static void flipped_bits_never_confuse(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *signer = made_ed25519(1);
    X509 *x = made_leaf(key, signer);
    atls_buf der = made_der(x), spki;
    uint8_t *space = malloc(der.len);
    uint8_t signature[ATLS_TLS_SIGNATURE_MAX];
    size_t len = 0;
    memcpy(space, der.ptr, der.len);
    assert_int_equal(atls_tls_sign(P256, key, message, signature, &len, NULL), ATLS_OK);
    assert_int_equal(atls_leaf_spki(der, &spki, NULL), ATLS_OK);
    const size_t first = (size_t)(spki.ptr - der.ptr);
    for (size_t at = 0; at < der.len; at++) {
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            space[at] ^= (uint8_t)bit;
            bool taken = strcmp(judge((atls_buf){space, der.len}), "ok") == 0;
            if (at >= first && at < first + spki.len) {
                const atls_buf wrong = {space + first, spki.len};
                assert_false(atls_leaf_verify(wrong, P256, message, (atls_buf){signature, len}));
                assert_true(!taken || at >= first + 27); /* in the prefix nothing may differ */
            }
            space[at] ^= (uint8_t)bit;
        }
    }
    assert_string_equal(judge((atls_buf){space, der.len}), "ok");
    assert_int_equal(ERR_peek_error(), 0);
    free(space);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    X509_free(x);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(key);
}

static void each_kind_verifies_under_its_own_schemes(void **state)
{
    (void)state;
    static const uint16_t schemes[] = {P256,
                                       ATLS_TLS_ECDSA_SECP384R1_SHA384,
                                       ATLS_TLS_ED25519,
                                       ATLS_TLS_RSA_PSS_RSAE_SHA256,
                                       ATLS_TLS_RSA_PSS_RSAE_SHA384,
                                       ATLS_TLS_RSA_PSS_RSAE_SHA512,
                                       0x0401};
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), made_ed25519(3),
                        EVP_RSA_gen(2048)};
    for (size_t k = 0; k < 4; k++) {
        unsigned char *bytes = NULL;
        const size_t spki_len = (size_t)i2d_PUBKEY(keys[k], &bytes);
        const atls_buf key = {bytes, spki_len};
        for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
            uint8_t signature[ATLS_TLS_SIGNATURE_MAX];
            size_t len = 0;
            bool fits = k == 3 ? i >= 3 && i < 6 : i == k;
            assert_int_equal(atls_leaf_fits(key, schemes[i]), fits);
            if (!fits) {
                assert_false(
                    atls_leaf_verify(key, schemes[i], message, (atls_buf){signature, len}));
                continue;
            }
            assert_int_equal(atls_tls_sign(schemes[i], keys[k], message, signature, &len, NULL),
                             ATLS_OK);
            const atls_buf good = {signature, len};
            assert_true(atls_leaf_verify(key, schemes[i], message, good));
            assert_false(atls_leaf_verify(key, schemes[i], (atls_buf){message.ptr, 3}, good));
            assert_false(
                atls_leaf_verify(key, schemes[i], message, (atls_buf){signature, len - 1}));
            assert_false(atls_leaf_verify(key, schemes[i], message, (atls_buf){NULL, 0}));
            for (size_t at = 0; at < len; at++) {
                signature[at] ^= 4;
                assert_false(atls_leaf_verify(key, schemes[i], message, good));
                signature[at] ^= 4;
            }
        }
        assert_int_equal(ERR_peek_error(), 0);
        OPENSSL_free(bytes);
        EVP_PKEY_free(keys[k]);
    }
}

/* The length of a P-256 SubjectPublicKeyInfo decides before its bytes are looked at. */
static void a_key_that_is_cut_fits_nothing(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_RSA_gen(2048)};
    for (size_t k = 0; k < 2; k++) {
        unsigned char *bytes = NULL;
        const size_t whole = (size_t)i2d_PUBKEY(keys[k], &bytes);
        for (size_t len = 0; len < whole; len++) {
            uint8_t *cut = malloc(len + 1);
            memcpy(cut + 1, bytes, len);
            assert_false(atls_leaf_fits((atls_buf){cut + 1, len}, k == 0 ? P256 : 0x0804));
            free(cut);
        }
        OPENSSL_free(bytes);
        EVP_PKEY_free(keys[k]);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_known_kinds_of_keys_are_taken),
        cmocka_unit_test(every_truncation_and_a_trailing_byte_are_refused),
        cmocka_unit_test(flipped_bits_never_confuse),
        cmocka_unit_test(each_kind_verifies_under_its_own_schemes),
        cmocka_unit_test(a_key_that_is_cut_fits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
