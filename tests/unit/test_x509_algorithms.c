/* Certificates and CRLs of every signature algorithm that is known, and of some that are not; extensions by OID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rsa.h>

#include "crypto/cert.h"
#include "crypto/crl.h"
#include "unit/pki.h"

static const pki_spec plain = {.cn = "Some CA",
                               .o = "Some Company",
                               .serial = 0, /* as AMD's */
                               .not_before_s = 1000 * PKI_DAY,
                               .not_after_s = 20000 * PKI_DAY,
                               .basic = "critical,CA:TRUE",
                               .usage = "critical,keyCertSign,cRLSign"};

typedef struct algorithm {
    const char *what;
    const char *key; /* a curve; NULL: RSA of 2048 bits */
    const char *hash;
    const char *mgf1; /* NULL: no PSS */
    int salt;
    bool known;
    atls_scheme scheme;
    atls_hash as;
} algorithm;

static const algorithm algorithms[] = {
    {"ES256", "P-256", "SHA256", NULL, 0, true, ATLS_ECDSA, ATLS_SHA256},
    {"ES384", "P-384", "SHA384", NULL, 0, true, ATLS_ECDSA, ATLS_SHA384},
    {"P-384 with SHA-256", "P-384", "SHA256", NULL, 0, true, ATLS_ECDSA, ATLS_SHA256},
    {"ES512", "P-521", "SHA512", NULL, 0, true, ATLS_ECDSA, ATLS_SHA512},
    {"ECDSA with SHA-224", "P-256", "SHA224", NULL, 0, false, 0, 0},
    {"RS256", NULL, "SHA256", NULL, 0, true, ATLS_RSA_PKCS1, ATLS_SHA256},
    {"RS384", NULL, "SHA384", NULL, 0, true, ATLS_RSA_PKCS1, ATLS_SHA384},
    {"RS512", NULL, "SHA512", NULL, 0, true, ATLS_RSA_PKCS1, ATLS_SHA512},
    {"RSA with SHA-1", NULL, "SHA1", NULL, 0, false, 0, 0},
    {"RSA with SHA-224", NULL, "SHA224", NULL, 0, false, 0, 0},
    {"PS256", NULL, "SHA256", "SHA256", 32, true, ATLS_RSA_PSS, ATLS_SHA256},
    {"PS384", NULL, "SHA384", "SHA384", 48, true, ATLS_RSA_PSS, ATLS_SHA384},
    {"PS512", NULL, "SHA512", "SHA512", 64, true, ATLS_RSA_PSS, ATLS_SHA512},
    {"PSS, a short salt", NULL, "SHA384", "SHA384", 32, false, 0, 0},
    {"PSS, the default salt", NULL, "SHA256", "SHA256", 20, false, 0, 0},
    {"PSS, another MGF1", NULL, "SHA384", "SHA256", 48, false, 0, 0},
    {"PSS, the default MGF1", NULL, "SHA256", "SHA1", 32, false, 0, 0},
    {"PSS, the default hash", NULL, "SHA1", "SHA1", 20, false, 0, 0},
};
#define ALGORITHMS (sizeof algorithms / sizeof algorithms[0])

static EVP_MD_CTX *signer(const algorithm *a, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    assert_int_equal(EVP_DigestSignInit(ctx, &pkey, EVP_get_digestbyname(a->hash), NULL, key), 1);
    if (a->mgf1 != NULL) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(pkey, EVP_get_digestbyname(a->mgf1)), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, a->salt), 1);
    }
    return ctx;
}

static EVP_PKEY *key_for(const algorithm *a, EVP_PKEY *rsa)
{
    if (a->key != NULL) {
        return EVP_EC_gen(a->key);
    }
    EVP_PKEY_up_ref(rsa);
    return rsa;
}

static void check_cert(const algorithm *a, atls_buf der)
{
    atls_cert *c = NULL;
    assert_int_equal(atls_cert_parse(der, &c, NULL), ATLS_OK);
    assert_int_equal(c->serial_len, 0);
    assert_int_equal(c->sig_known, a->known);
    assert_int_equal(c->signed_ecdsa_sha256,
                     a->known && a->scheme == ATLS_ECDSA && a->as == ATLS_SHA256);
    atls_public_key *key = NULL;
    assert_int_equal(atls_cert_public_key(c, &key, NULL), ATLS_OK);
    assert_int_equal(atls_cert_signed_by_key(c, key), a->known);
    if (a->known) {
        assert_int_equal(c->sig_scheme, a->scheme);
        assert_int_equal(c->sig_hash, a->as);
    }
    atls_public_key_free(key);
    atls_cert_free(c);
    uint8_t *changed = malloc(der.len);
    memcpy(changed, der.ptr, der.len);
    changed[der.len - 1] ^= 1; /* of the signature */
    assert_int_equal(atls_cert_parse((atls_buf){changed, der.len}, &c, NULL), ATLS_OK);
    assert_int_equal(atls_cert_public_key(c, &key, NULL), ATLS_OK);
    assert_false(atls_cert_signed_by_key(c, key));
    atls_public_key_free(key);
    atls_cert_free(c);
    free(changed);
}

static void each_known_algorithm_verifies_and_no_other(void **state)
{
    (void)state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    for (size_t i = 0; i < ALGORITHMS; i++) {
        const algorithm *a = &algorithms[i];
        EVP_PKEY *key = key_for(a, rsa);
        EVP_PKEY *other = pki_key();
        X509 *x = pki_cert(&plain, key, NULL, other);
        EVP_PKEY_free(other);
        EVP_MD_CTX *ctx = signer(a, key);
        assert_true(X509_sign_ctx(x, ctx) > 0);
        EVP_MD_CTX_free(ctx);
        atls_buf der = pki_der(x);
        check_cert(a, der);
        pki_buf_free(der);
        X509_free(x);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_free(rsa);
}

static void crls_know_the_same_algorithms(void **state)
{
    (void)state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    static const long serials[] = {5};
    static const pki_crl_spec spec = {.this_s = 1000 * PKI_DAY,
                                      .next_s = 1001 * PKI_DAY,
                                      .number = 1,
                                      .serials = serials,
                                      .serials_n = 1};
    for (size_t i = 0; i < ALGORITHMS; i++) {
        const algorithm *a = &algorithms[i];
        EVP_PKEY *key = key_for(a, rsa);
        EVP_PKEY *other = pki_key();
        X509 *x = pki_cert(&plain, key, NULL, other);
        X509_CRL *list = pki_crl(&spec, x, other);
        EVP_MD_CTX *ctx = signer(a, key);
        assert_true(X509_CRL_sign_ctx(list, ctx) > 0);
        EVP_MD_CTX_free(ctx);
        atls_buf der = pki_crl_der(list);
        atls_crl *c = NULL;
        assert_int_equal(atls_crl_parse(der, &c, NULL), ATLS_OK);
        assert_int_equal(c->sig_known, a->known);
        atls_public_key *right = NULL;
        atls_public_key *wrong = NULL;
        atls_buf cert_der = pki_der(x);
        atls_cert *cert = NULL;
        assert_int_equal(atls_cert_parse(cert_der, &cert, NULL), ATLS_OK);
        assert_int_equal(atls_cert_public_key(cert, &right, NULL), ATLS_OK);
        uint8_t xy[64];
        pki_point(other, xy);
        assert_int_equal(atls_public_key_ec(ATLS_KEY_P256, (atls_buf){xy, 32},
                                            (atls_buf){xy + 32, 32}, &wrong, NULL),
                         ATLS_OK);
        assert_int_equal(atls_crl_signed_by_key(c, right), a->known);
        assert_false(atls_crl_signed_by_key(c, wrong));
        assert_true(atls_crl_lists(c, (const uint8_t *)"\x05", 1));
        atls_public_key_free(right);
        atls_public_key_free(wrong);
        atls_cert_free(cert);
        atls_crl_free(c);
        pki_buf_free(cert_der);
        pki_buf_free(der);
        X509_CRL_free(list);
        X509_free(x);
        EVP_PKEY_free(other);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_free(rsa);
}

/* The algorithm stands twice: signed inside, and outside. */
static void two_algorithms_that_differ_are_none(void **state)
{
    (void)state;
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    EVP_PKEY *key = pki_key();
    X509 *x = pki_cert(&plain, key, NULL, key);
    atls_buf der = pki_der(x);
    uint8_t *bytes = malloc(der.len);
    size_t found = 0;
    for (size_t at = 0; at + sizeof oid <= der.len; at++) {
        if (memcmp(der.ptr + at, oid, sizeof oid) != 0) {
            continue;
        }
        found++;
        memcpy(bytes, der.ptr, der.len);
        bytes[at + sizeof oid - 1] = 3;
        atls_cert *c = NULL;
        assert_int_equal(atls_cert_parse((atls_buf){bytes, der.len}, &c, NULL), ATLS_OK);
        assert_false(c->sig_known || c->signed_ecdsa_sha256);
        atls_cert_free(c);
    }
    assert_int_equal(found, 2);
    free(bytes);
    pki_buf_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void add_twice(X509 *x, const char *oid, size_t n)
{
    static const uint8_t value[] = {0x02, 0x01, 0x07};
    for (size_t i = 0; i < n; i++) {
        pki_add_oid(x, oid, value, sizeof value, 0);
    }
}

static void extensions_are_found_by_oid_and_stand_once(void **state)
{
    (void)state;
    static const char own[] = "1.3.6.1.4.1.3704.1.2";
    EVP_PKEY *key = pki_key();
    for (size_t n = 0; n <= 2; n++) {
        X509 *x = pki_cert(&plain, key, NULL, key);
        add_twice(x, own, n);
        pki_add(x, x, NID_ext_key_usage, "critical,serverAuth,2.23.133.8.1");
        pki_add(x, x, NID_subject_alt_name, "critical,DNS:a.invalid");
        X509_sign(x, key, EVP_sha256());
        atls_buf der = pki_der(x);
        atls_cert *c = NULL;
        atls_err err;
        if (n == 2) {
            assert_int_equal(atls_cert_parse(der, &c, &err), ATLS_E_INVALID);
            assert_string_equal(err.check, "cert.malformed");
        } else {
            atls_buf value = {NULL, 0};
            bool critical = true;
            assert_int_equal(atls_cert_parse(der, &c, &err), ATLS_OK);
            assert_int_equal(atls_cert_extension(c, own, &value, &critical), n);
            assert_int_equal(value.len, n == 0 ? 0 : 3);
            assert_int_equal(critical, n == 0);
            assert_int_equal(atls_cert_extension(c, "1.3.6.1.4.1.3704.1", NULL, NULL), 0);
            assert_int_equal(atls_cert_extension(c, "no oid", NULL, NULL), 0);
            assert_int_equal(atls_cert_extension(c, "2.5.29.19", &value, &critical), 1);
            assert_true(critical);
            assert_true(c->eku.len > 0 && c->san.len > 0);
            assert_true(c->unknown_critical && !c->unknown_critical_other);
            assert_true(atls_cert_has_eku(c, "2.23.133.8.1"));
            assert_true(atls_cert_has_eku(c, "1.3.6.1.5.5.7.3.1"));
            assert_false(atls_cert_has_eku(c, "2.23.133.8.3"));
            atls_cert_free(c);
        }
        pki_buf_free(der);
        X509_free(x);
    }
    EVP_PKEY_free(key);
}

static void the_unit_in_a_subject_is_read_when_there_is_one(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    for (size_t n = 0; n <= 2; n++) {
        X509 *x = pki_cert(&plain, key, NULL, key);
        for (size_t i = 0; i < n; i++) {
            X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "OU", MBSTRING_ASC,
                                       (const unsigned char *)"amd", -1, -1, 0);
        }
        X509_sign(x, key, EVP_sha256());
        atls_buf der = pki_der(x);
        atls_cert *c = NULL;
        assert_int_equal(atls_cert_parse(der, &c, NULL), ATLS_OK);
        assert_string_equal(c->subject_ou, n == 1 ? "amd" : "");
        atls_cert_free(c);
        pki_buf_free(der);
        X509_free(x);
    }
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_known_algorithm_verifies_and_no_other),
        cmocka_unit_test(crls_know_the_same_algorithms),
        cmocka_unit_test(two_algorithms_that_differ_are_none),
        cmocka_unit_test(extensions_are_found_by_oid_and_stand_once),
        cmocka_unit_test(the_unit_in_a_subject_is_read_when_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
