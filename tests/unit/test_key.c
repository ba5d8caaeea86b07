/* P-256 keys: what verifies, what must not, and many threads on one key. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include "crypto/key.h"
#include "unit/pki.h"

typedef struct signed_digest {
    atls_key *key;
    uint8_t digest[32], rs[64], der[80];
    size_t der_len;
} signed_digest;

static int setup(void **state)
{
    static signed_digest s;
    memset(&s, 0, sizeof s);
    EVP_PKEY *key = pki_key();
    uint8_t xy[64];
    pki_point(key, xy);
    memset(s.digest, 0x5a, sizeof s.digest);
    s.der_len = sizeof s.der;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    EVP_PKEY_sign_init(ctx);
    EVP_PKEY_sign(ctx, s.der, &s.der_len, s.digest, sizeof s.digest);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    const uint8_t *p = s.der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)s.der_len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), s.rs, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), s.rs + 32, 32);
    ECDSA_SIG_free(sig);
    *state = &s;
    return atls_key_p256(xy, &s.key, NULL) == ATLS_OK && memcmp(atls_key_xy(s.key), xy, 64) == 0
               ? 0
               : -1;
}

static int teardown(void **state)
{
    signed_digest *s = *state;
    atls_key_free(s->key);
    return 0;
}

static void good_signatures_verify(void **state)
{
    signed_digest *s = *state;
    for (int i = 0; i < 3; i++) {
        assert_true(atls_key_verify_rs(s->key, s->digest, s->rs));
        assert_true(atls_key_verify_der(s->key, s->digest, (atls_buf){s->der, s->der_len}));
    }
}

static void each_changed_bit_is_noticed(void **state)
{
    signed_digest *s = *state;
    for (size_t bit = 0; bit < 64 * 8; bit += 7) {
        uint8_t rs[64];
        memcpy(rs, s->rs, 64);
        rs[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_false(atls_key_verify_rs(s->key, s->digest, rs));
    }
    for (size_t bit = 0; bit < 32 * 8; bit += 3) {
        uint8_t digest[32];
        memcpy(digest, s->digest, 32);
        digest[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_false(atls_key_verify_rs(s->key, digest, s->rs));
    }
    assert_true(atls_key_verify_rs(s->key, s->digest, s->rs));
}

static void r_and_s_out_of_range_never_verify(void **state)
{
    signed_digest *s = *state;
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                      0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    for (int half = 0; half < 2; half++) {
        uint8_t rs[64];
        memcpy(rs, s->rs, 64);
        memset(rs + half * 32, 0, 32);
        assert_false(atls_key_verify_rs(s->key, s->digest, rs));
        memcpy(rs + half * 32, order, 32);
        assert_false(atls_key_verify_rs(s->key, s->digest, rs));
        memset(rs + half * 32, 0xff, 32);
        assert_false(atls_key_verify_rs(s->key, s->digest, rs));
    }
}

static void bad_der_never_verifies(void **state)
{
    signed_digest *s = *state;
    for (size_t len = 0; len < s->der_len; len++) {
        assert_false(atls_key_verify_der(s->key, s->digest, (atls_buf){s->der, len}));
    }
    assert_false(atls_key_verify_der(s->key, s->digest, (atls_buf){s->der, s->der_len + 1}));
}

static void points_off_the_curve_are_refused(void **state)
{
    signed_digest *s = *state;
    uint8_t xy[64];
    atls_key *key = NULL;
    atls_err err;
    memcpy(xy, atls_key_xy(s->key), 64);
    xy[63] ^= 1;
    assert_int_equal(atls_key_p256(xy, &key, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "key.point");
    memset(xy, 0, sizeof xy);
    assert_int_equal(atls_key_p256(xy, &key, &err), ATLS_E_INVALID);
    memset(xy, 0xff, sizeof xy);
    assert_int_equal(atls_key_p256(xy, &key, &err), ATLS_E_INVALID);
    assert_null(key);
}

static void *hammer(void *arg)
{
    signed_digest *s = arg;
    atls_key *key = atls_key_up_ref(s->key);
    bool good = true;
    for (int i = 0; i < 200; i++) {
        uint8_t rs[64];
        memcpy(rs, s->rs, 64);
        rs[40] ^= (uint8_t)(i & 1);
        good &= atls_key_verify_rs(key, s->digest, rs) == ((i & 1) == 0);
    }
    atls_key_free(key);
    return good ? s : NULL;
}

static void eight_threads_share_one_key(void **state)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, *state), 0);
    }
    for (int i = 0; i < 8; i++) {
        void *good = NULL;
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_signatures_verify),
        cmocka_unit_test(each_changed_bit_is_noticed),
        cmocka_unit_test(r_and_s_out_of_range_never_verify),
        cmocka_unit_test(bad_der_never_verifies),
        cmocka_unit_test(points_off_the_curve_are_refused),
        cmocka_unit_test(eight_threads_share_one_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
