/* CRLs: the facts, the three encodings, every truncation, each field wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "crypto/cert.h"
#include "crypto/crl.h"
#include "unit/pki.h"

typedef struct issuer {
    EVP_PKEY *key;
    X509 *x;
} issuer;

static int setup(void **state)
{
    static const pki_spec spec = {.cn = "Some CA",
                                  .serial = 1,
                                  .not_before_s = 1000 * PKI_DAY,
                                  .not_after_s = 40000 * PKI_DAY,
                                  .basic = "critical,CA:TRUE",
                                  .usage = "keyCertSign,cRLSign"};
    static issuer i;
    i.key = pki_key();
    i.x = pki_cert(&spec, i.key, NULL, i.key);
    *state = &i;
    return 0;
}

static int teardown(void **state)
{
    issuer *i = *state;
    X509_free(i->x);
    EVP_PKEY_free(i->key);
    return 0;
}

static const long serials[] = {77, 3, 70000, 4};
static const pki_crl_spec plain = {.this_s = 20000 * PKI_DAY,
                                   .next_s = 20030 * PKI_DAY,
                                   .number = 513,
                                   .serials = serials,
                                   .serials_n = 4};

static atls_buf make(const issuer *i, const pki_crl_spec *spec)
{
    X509_CRL *c = pki_crl(spec, i->x, i->key);
    atls_buf der = pki_crl_der(c);
    X509_CRL_free(c);
    return der;
}

static void facts_are_those_of_the_list(void **state)
{
    const issuer *i = *state;
    atls_buf der = make(i, &plain);
    atls_crl *c = NULL;
    assert_int_equal(atls_crl_parse(der, &c, NULL), ATLS_OK);
    assert_int_equal(c->this_update_s, plain.this_s);
    assert_int_equal(c->next_update_s, plain.next_s);
    assert_true(c->has_number && c->number == 513 && c->has_aki && !c->unknown_critical);
    assert_int_equal(c->serials_n, 4);
    assert_true(atls_crl_lists(c, (const uint8_t *)"\x01\x11\x70", 3));
    assert_true(atls_crl_lists(c, (const uint8_t *)"\x03", 1));
    assert_true(atls_crl_lists(c, (const uint8_t *)"\x4d", 1));
    assert_false(atls_crl_lists(c, (const uint8_t *)"\x05", 1));
    assert_false(atls_crl_lists(c, (const uint8_t *)"\x00\x03", 2));
    assert_false(atls_crl_lists(c, der.ptr, 21));
    atls_buf name = pki_der(i->x);
    atls_cert *issuer_cert = NULL;
    assert_int_equal(atls_cert_parse(name, &issuer_cert, NULL), ATLS_OK);
    assert_int_equal(c->issuer.len, issuer_cert->subject.len);
    assert_memory_equal(c->issuer.ptr, issuer_cert->subject.ptr, c->issuer.len);
    assert_memory_equal(c->aki.ptr, issuer_cert->ski.ptr, 20);
    atls_key *key = NULL;
    assert_int_equal(atls_key_p256(issuer_cert->p256, &key, NULL), ATLS_OK);
    assert_true(atls_crl_signed_by(c, key));
    atls_key_free(key);
    EVP_PKEY *other = pki_key();
    uint8_t xy[64];
    pki_point(other, xy);
    assert_int_equal(atls_key_p256(xy, &key, NULL), ATLS_OK);
    assert_false(atls_crl_signed_by(c, key));
    atls_key_free(key);
    EVP_PKEY_free(other);
    atls_cert_free(issuer_cert);
    pki_buf_free(name);
    atls_crl *again = atls_crl_up_ref(c);
    atls_crl_free(c);
    assert_int_equal(again->serials_n, 4);
    atls_crl_free(again);
    pki_buf_free(der);
}

static void absent_fields_are_absent(void **state)
{
    pki_crl_spec s = {.this_s = 20000 * PKI_DAY, .number = -1, .no_aki = true};
    atls_buf der = make(*state, &s);
    atls_crl *c = NULL;
    assert_int_equal(atls_crl_parse(der, &c, NULL), ATLS_OK);
    assert_false(c->has_number || c->has_aki);
    assert_int_equal(c->next_update_s, INT64_MIN);
    assert_int_equal(c->serials_n, 0);
    assert_false(atls_crl_lists(c, (const uint8_t *)"\x03", 1));
    atls_crl_free(c);
    pki_buf_free(der);
}

static void every_truncation_and_one_byte_more_are_refused(void **state)
{
    atls_buf der = make(*state, &plain);
    atls_crl *c = NULL;
    atls_err err;
    for (size_t len = 0; len < der.len; len++) {
        assert_int_equal(atls_crl_parse((atls_buf){der.ptr, len}, &c, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, len == 0 ? "crl.size" : "crl.malformed");
    }
    uint8_t more[4096] = {0};
    memcpy(more, der.ptr, der.len);
    assert_int_equal(atls_crl_parse((atls_buf){more, der.len + 1}, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "crl.malformed");
    assert_null(c);
    pki_buf_free(der);
}

static void a_critical_extension_is_noticed(void **state)
{
    const issuer *i = *state;
    X509_CRL *x = pki_crl(&plain, i->x, i->key);
    ASN1_INTEGER *base = ASN1_INTEGER_new();
    ASN1_INTEGER_set(base, 1);
    X509_CRL_add1_ext_i2d(x, NID_delta_crl, base, 1, 0);
    ASN1_INTEGER_free(base);
    X509_CRL_sign(x, i->key, EVP_sha256());
    atls_buf der = pki_crl_der(x);
    atls_crl *c = NULL;
    assert_int_equal(atls_crl_parse(der, &c, NULL), ATLS_OK);
    assert_true(c->unknown_critical);
    atls_crl_free(c);
    pki_buf_free(der);
    X509_CRL_free(x);
}

/* An entry that names another issuer is critical; one that gives a reason is as revoked as without. */
static void extensions_of_entries_are_walked(void **state)
{
    const issuer *i = *state;
    for (int critical = 0; critical < 2; critical++) {
        X509_CRL *x = pki_crl(&plain, i->x, i->key);
        X509_REVOKED *r = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), 2);
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
        ASN1_ENUMERATED_set(reason, 1);
        assert_int_equal(X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, reason, critical, 0), 1);
        ASN1_ENUMERATED_free(reason);
        X509_CRL_sign(x, i->key, EVP_sha256());
        atls_buf der = pki_crl_der(x);
        atls_crl *c = NULL;
        assert_int_equal(atls_crl_parse(der, &c, NULL), ATLS_OK);
        assert_int_equal(c->unknown_critical, critical);
        assert_true(atls_crl_lists(c, (const uint8_t *)"\x01\x11\x70", 3));
        atls_crl_free(c);
        pki_buf_free(der);
        X509_CRL_free(x);
    }
}

static void malformed_entries_are_refused(void **state)
{
    static const uint8_t entry[] = {0x02, 0x01, 77, 0x17, 0x0d}; /* serial number, UTCTime */
    static const struct {
        const char *what;
        size_t at;
        uint8_t byte;
    } wrong[] = {
        {"no integer", 0, 0x04},
        {"an empty serial number", 1, 0x00},
        {"a negative serial number", 2, 0xcd},
        {"no time", 3, 0x16},
        {"a time of another form", 3, 0x18},
        {"a short time", 4, 0x0c},
        {"a length that lies", 4, 0x7f},
        {"an indefinite length", 4, 0x80},
    };
    atls_buf der = make(*state, &plain);
    uint8_t bytes[4096];
    size_t at = 0;
    while (at + sizeof entry < der.len && memcmp(der.ptr + at, entry, sizeof entry) != 0) {
        at++;
    }
    assert_true(at + sizeof entry < der.len);
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        memcpy(bytes, der.ptr, der.len);
        bytes[at + wrong[k].at] = wrong[k].byte;
        atls_crl *c = NULL;
        atls_err err;
        assert_int_equal(atls_crl_parse((atls_buf){bytes, der.len}, &c, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "crl.malformed");
    }
    pki_buf_free(der);
}

static void long_extensions_are_refused(void **state)
{
    const issuer *i = *state;
    static uint8_t zeros[8192];
    X509_CRL *x = pki_crl(&plain, i->x, i->key);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, zeros, (int)sizeof zeros);
    assert_int_equal(X509_CRL_add1_ext_i2d(x, NID_subject_key_identifier, value, 0, 0), 1);
    ASN1_OCTET_STRING_free(value);
    X509_CRL_sign(x, i->key, EVP_sha256());
    atls_buf der = pki_crl_der(x);
    atls_crl *c = NULL;
    atls_err err;
    assert_int_equal(atls_crl_parse(der, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "crl.malformed");
    pki_buf_free(der);
    X509_CRL_free(x);
}

static void three_encodings_are_one_list(void **state)
{
    const issuer *i = *state;
    X509_CRL *x = pki_crl(&plain, i->x, i->key);
    atls_buf der = pki_crl_der(x);
    char hex[4096];
    uint8_t buf[4096];
    atls_buf out;
    assert_int_equal(atls_crl_decode(der, buf, &out, NULL), ATLS_OK);
    assert_true(out.ptr == der.ptr && out.len == der.len);
    atls_hex_encode(der, hex);
    hex[2 * der.len] = '\n';
    for (size_t extra = 0; extra < 2; extra++) {
        assert_int_equal(
            atls_crl_decode((atls_buf){(uint8_t *)hex, 2 * der.len + extra}, buf, &out, NULL),
            ATLS_OK);
        assert_int_equal(out.len, der.len);
        assert_memory_equal(out.ptr, der.ptr, der.len);
    }
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_CRL(bio, x);
    char *pem = NULL;
    long pem_len = BIO_get_mem_data(bio, &pem);
    assert_int_equal(atls_crl_decode((atls_buf){(uint8_t *)pem, (size_t)pem_len}, buf, &out, NULL),
                     ATLS_OK);
    assert_int_equal(out.len, der.len);
    assert_memory_equal(out.ptr, der.ptr, der.len);
    atls_err err;
    static const char *const bad[] = {
        "",
        "zz",
        "3",
        "30 00",
        "-----BEGIN X509 CRL-----\nMAA",
        "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n"};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        assert_int_equal(
            atls_crl_decode((atls_buf){(const uint8_t *)bad[k], strlen(bad[k])}, buf, &out, &err),
            ATLS_E_INVALID);
        assert_string_equal(err.check, "crl.encoding");
    }
    BIO_free(bio);
    pki_buf_free(der);
    X509_CRL_free(x);
}

static void larger_than_the_limit_is_refused(void **state)
{
    (void)state;
    size_t len = ATLS_CRL_MAX_LEN + 1u;
    uint8_t *large = calloc(1, len);
    assert_non_null(large);
    large[0] = 0x30;
    atls_crl *c = NULL;
    atls_buf out;
    atls_err err;
    assert_int_equal(atls_crl_parse((atls_buf){large, len}, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "crl.size");
    assert_int_equal(atls_crl_decode((atls_buf){large, len}, large, &out, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "crl.size");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_those_of_the_list),
        cmocka_unit_test(absent_fields_are_absent),
        cmocka_unit_test(every_truncation_and_one_byte_more_are_refused),
        cmocka_unit_test(a_critical_extension_is_noticed),
        cmocka_unit_test(extensions_of_entries_are_walked),
        cmocka_unit_test(malformed_entries_are_refused),
        cmocka_unit_test(long_extensions_are_refused),
        cmocka_unit_test(three_encodings_are_one_list),
        cmocka_unit_test(larger_than_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
