#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/public_key.h"
#include "unit/made_keys.h"

static const uint8_t message[] = "what is signed";
static const atls_buf pieces[] = {{message, 5}, {message + 5, sizeof message - 5}};

typedef struct
    signed_key { /* a key that signs, what it signed, and the public half as we import it */
    EVP_PKEY *pkey;
    atls_public_key *key;
    uint8_t sig[512];
    size_t sig_len;
} signed_key;

static atls_public_key *import(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    atls_public_key *key = NULL;
    assert_true(len > 0);
    assert_int_equal(atls_public_key_from_spki((atls_buf){der, (size_t)len}, &key, NULL), ATLS_OK);
    assert_int_equal(atls_public_key_spki(key).len, len);
    OPENSSL_free(der);
    return key;
}

static void sign(signed_key *k, const EVP_MD *md, int padding, int salt)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    assert_int_equal(EVP_DigestSignInit(ctx, &inner, md, NULL, k->pkey), 1);
    if (padding != 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(inner, padding), 1);
    }
    if (padding == RSA_PKCS1_PSS_PADDING) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, salt), 1);
    }
    k->sig_len = sizeof k->sig;
    assert_int_equal(EVP_DigestSign(ctx, k->sig, &k->sig_len, message, sizeof message), 1);
    EVP_MD_CTX_free(ctx);
}

static bool verifies(const signed_key *k, atls_scheme scheme, atls_hash hash)
{
    return atls_public_key_verify(k->key, scheme, hash, pieces, 2, (atls_buf){k->sig, k->sig_len});
}

static void drop(signed_key *k)
{
    atls_public_key_free(k->key);
    EVP_PKEY_free(k->pkey);
}

static void ecdsa_on_each_curve(void **state)
{
    (void)state;
    const struct {
        const char *name;
        atls_key_kind kind;
        size_t size;
        const EVP_MD *md;
        atls_hash hash, other;
    } cases[] = {{"P-256", ATLS_KEY_P256, 32, EVP_sha256(), ATLS_SHA256, ATLS_SHA384},
                 {"P-384", ATLS_KEY_P384, 48, EVP_sha384(), ATLS_SHA384, ATLS_SHA512},
                 {"P-521", ATLS_KEY_P521, 66, EVP_sha512(), ATLS_SHA512, ATLS_SHA256}};
    for (size_t i = 0; i < 3; i++) {
        signed_key k = {.pkey = EVP_EC_gen(cases[i].name)};
        k.key = import(k.pkey);
        assert_int_equal(atls_public_key_kind(k.key), cases[i].kind);
        assert_int_equal(atls_public_key_size(k.key), cases[i].size);
        sign(&k, cases[i].md, 0, 0);
        assert_true(verifies(&k, ATLS_ECDSA, cases[i].hash));
        assert_true(verifies(&k, ATLS_ECDSA, cases[i].hash)); /* the kept context */
        assert_false(verifies(&k, ATLS_ECDSA, cases[i].other));
        assert_false(verifies(&k, ATLS_RSA_PKCS1, cases[i].hash));

        const unsigned char *at = k.sig;
        ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)k.sig_len);
        uint8_t r[70] = {0}, s[70] = {0};
        int size = (int)cases[i].size + 2; /* leading zeros */
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, size), size);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, size), size);
        ECDSA_SIG_free(sig);
        const atls_buf br = {r, (size_t)size}, bs = {s, (size_t)size}, zero = {message, 0};
        uint8_t zeros[4] = {0};
        const atls_buf bz = {zeros, 4};
        assert_true(atls_public_key_verify_rs(k.key, cases[i].hash, pieces, 2, br, bs));
        assert_false(atls_public_key_verify_rs(k.key, cases[i].hash, pieces, 2, bs, br));
        assert_false(atls_public_key_verify_rs(k.key, cases[i].hash, pieces, 2, bz, bs));
        assert_false(atls_public_key_verify_rs(k.key, cases[i].hash, pieces, 2, br, zero));
        k.sig[k.sig_len - 1] ^= 1;
        assert_false(verifies(&k, ATLS_ECDSA, cases[i].hash));
        drop(&k);
    }
}

static void rsa_with_each_padding(void **state)
{
    (void)state;
    signed_key k = {.pkey = EVP_RSA_gen(2048)};
    k.key = import(k.pkey);
    assert_int_equal(atls_public_key_kind(k.key), ATLS_KEY_RSA);
    assert_int_equal(atls_public_key_size(k.key), 256);
    sign(&k, EVP_sha256(), RSA_PKCS1_PADDING, 0);
    assert_true(verifies(&k, ATLS_RSA_PKCS1, ATLS_SHA256));
    assert_false(verifies(&k, ATLS_RSA_PKCS1, ATLS_SHA384));
    assert_false(verifies(&k, ATLS_RSA_PSS, ATLS_SHA256));
    assert_false(verifies(&k, ATLS_ECDSA, ATLS_SHA256));
    k.sig_len--;
    assert_false(verifies(&k, ATLS_RSA_PKCS1, ATLS_SHA256));
    sign(&k, EVP_sha384(), RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST);
    assert_true(verifies(&k, ATLS_RSA_PSS, ATLS_SHA384));
    assert_true(verifies(&k, ATLS_RSA_PSS_ANY_SALT, ATLS_SHA384));
    assert_false(verifies(&k, ATLS_RSA_PKCS1, ATLS_SHA384));
    sign(&k, EVP_sha256(), RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_MAX);
    assert_false(verifies(&k, ATLS_RSA_PSS, ATLS_SHA256));
    assert_true(verifies(&k, ATLS_RSA_PSS_ANY_SALT, ATLS_SHA256));
    sign(&k, EVP_sha1(), RSA_PKCS1_PADDING, 0); /* never, whatever it verifies */
    assert_false(verifies(&k, ATLS_RSA_PKCS1, ATLS_SHA1));
    drop(&k);
}

static void numbers_make_the_same_key(void **state)
{
    (void)state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    BIGNUM *n = NULL, *e = NULL;
    uint8_t nb[257] = {0}, eb[8] = {0};
    assert_int_equal(EVP_PKEY_get_bn_param(rsa, "n", &n), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(rsa, "e", &e), 1);
    BN_bn2binpad(n, nb, sizeof nb);
    BN_bn2binpad(e, eb, sizeof eb);
    atls_public_key *a = import(rsa), *b = NULL;
    assert_int_equal(
        atls_public_key_rsa((atls_buf){nb, sizeof nb}, (atls_buf){eb, sizeof eb}, &b, NULL),
        ATLS_OK);
    assert_memory_equal(atls_public_key_sha256(a), atls_public_key_sha256(b), 32);
    atls_public_key_free(a);
    atls_public_key_free(b);
    BN_free(n);
    BN_free(e);
    EVP_PKEY_free(rsa);
}

/* What is taken and written without OpenSSL's coders is what they would take and write: whole, and with any byte of it
 * another. */
static void the_usual_form_is_openssls(void **state)
{
    (void)state;
    EVP_PKEY *pkeys[] = {EVP_EC_gen("P-256"),  EVP_EC_gen("P-384"), EVP_EC_gen("P-521"),
                         EVP_RSA_gen(2048),    EVP_RSA_gen(2049),   made_rsa_public(3072),
                         made_rsa_public(4096)};
    for (size_t i = 0; i < sizeof pkeys / sizeof pkeys[0]; i++) {
        unsigned char *der = NULL;
        const size_t len = (size_t)i2d_PUBKEY(pkeys[i], &der);
        atls_public_key *key = NULL;
        assert_int_equal(atls_public_key_from_spki((atls_buf){der, len}, &key, NULL), ATLS_OK);
        assert_int_equal(atls_public_key_spki(key).len, len);
        assert_memory_equal(atls_public_key_spki(key).ptr, der, len);
        atls_public_key_free(key);
        for (size_t at = 0; at < len; at++) {
            for (unsigned bit = 0; bit < 8; bit += at < 40 || at > len - 12 ? 1 : 8) {
                der[at] ^= (unsigned char)(1u << bit);
                if (atls_public_key_from_spki((atls_buf){der, len}, &key, NULL) == ATLS_OK) {
                    const unsigned char *p = der;
                    unsigned char *again = NULL;
                    EVP_PKEY *same = d2i_PUBKEY(NULL, &p, (long)len);
                    assert_non_null(same);
                    assert_int_equal(i2d_PUBKEY(same, &again), len);
                    assert_memory_equal(again, der, len);
                    OPENSSL_free(again);
                    EVP_PKEY_free(same);
                    atls_public_key_free(key);
                }
                der[at] ^= (unsigned char)(1u << bit);
            }
        }
        OPENSSL_free(der);
        EVP_PKEY_free(pkeys[i]);
    }
}

/* The numbers of an exponent whose first bit is set need a zero in front of them, too. */
static void a_long_exponent_is_encoded_as_openssl_does(void **state)
{
    (void)state;
    static const uint8_t exponents[][5] = {{1, 0, 1}, {0x80, 0, 0, 1}, {0, 0x80, 1, 0, 1}};
    static const size_t lens[] = {3, 4, 5};
    for (size_t i = 0; i < 3; i++) {
        uint8_t n[256];
        atls_public_key *key = NULL;
        memset(n, 0x7f, sizeof n);
        n[0] = i == 0 ? 0x80 : 0xff;
        assert_int_equal(atls_public_key_rsa((atls_buf){n, sizeof n},
                                             (atls_buf){exponents[i], lens[i]}, &key, NULL),
                         ATLS_OK);
        const atls_buf spki = atls_public_key_spki(key);
        const unsigned char *p = spki.ptr;
        unsigned char *der = NULL;
        EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.len);
        assert_non_null(pkey);
        assert_int_equal(i2d_PUBKEY(pkey, &der), spki.len);
        assert_memory_equal(der, spki.ptr, spki.len);
        OPENSSL_free(der);
        EVP_PKEY_free(pkey);
        atls_public_key_free(key);
    }
}

static const char *refused(atls_code rc, const atls_err *err)
{
    assert_int_equal(rc, ATLS_E_INVALID);
    return err->check;
}

static void unfit_keys_are_refused(void **state)
{
    (void)state;
    atls_public_key *key = NULL;
    atls_err err = {0};
    uint8_t one[48] = {[47] = 1}, even[256], three[1] = {3};
    memset(even, 0xfe, sizeof even);
    const atls_buf x = {one, sizeof one}, long_x = {even, 100}, e3 = {three, 1}, n = {even, 256};
    assert_string_equal(refused(atls_public_key_ec(ATLS_KEY_P384, x, x, &key, &err), &err),
                        "key.point");
    assert_string_equal(refused(atls_public_key_ec(ATLS_KEY_P256, long_x, x, &key, &err), &err),
                        "key.point");
    assert_string_equal(refused(atls_public_key_rsa(n, e3, &key, &err), &err), "key.rsa");
    assert_string_equal(refused(atls_public_key_rsa(x, e3, &key, &err), &err), "key.rsa");
    assert_string_equal(refused(atls_public_key_from_spki(x, &key, &err), &err), "key.spki");

    EVP_PKEY *unfit[] = {EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), EVP_EC_gen("secp256k1"),
                         EVP_RSA_gen(1024)};
    const char *ids[] = {"key.spki", "key.spki", "key.rsa"};
    for (size_t i = 0; i < 3; i++) {
        unsigned char *der = NULL;
        int len = i2d_PUBKEY(unfit[i], &der);
        assert_string_equal(
            refused(atls_public_key_from_spki((atls_buf){der, (size_t)len}, &key, &err), &err),
            ids[i]);
        OPENSSL_free(der);
        EVP_PKEY_free(unfit[i]);
    }
}

/* One key, one encoding. */
static void other_encodings_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *pkey = EVP_EC_gen("P-384");
    atls_public_key *key = NULL;
    atls_err err = {0};
    uint8_t longer[200] = {0};
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    memcpy(longer, der, (size_t)len);
    for (size_t n = 0; n <= (size_t)len + 1; n++) {
        atls_code rc = atls_public_key_from_spki((atls_buf){longer, n}, &key, &err);
        if (n == (size_t)len) {
            assert_int_equal(rc, ATLS_OK);
            atls_public_key_free(key);
        } else {
            assert_string_equal(refused(rc, &err), "key.spki");
        }
    }
    OPENSSL_free(der);
    der = NULL;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, "point-format", "compressed"), 1);
    len = i2d_PUBKEY(pkey, &der);
    assert_string_equal(
        refused(atls_public_key_from_spki((atls_buf){der, (size_t)len}, &key, &err), &err),
        "key.spki");
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecdsa_on_each_curve),
        cmocka_unit_test(rsa_with_each_padding),
        cmocka_unit_test(numbers_make_the_same_key),
        cmocka_unit_test(unfit_keys_are_refused),
        cmocka_unit_test(other_encodings_are_refused),
        cmocka_unit_test(the_usual_form_is_openssls),
        cmocka_unit_test(a_long_exponent_is_encoded_as_openssl_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
