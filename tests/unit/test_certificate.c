/* Certificates that carry evidence: made, read back, and each thing that is asked of one wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "binding/certificate.h"

#define WHEN 1760000000

static const uint8_t evidence_oid[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
static const atls_buf oid = {evidence_oid, sizeof evidence_oid};
static const uint8_t content[] = "evidence";
static const atls_certificate_extension carried = {{evidence_oid, sizeof evidence_oid},
                                                   {content, sizeof content - 1}};

static atls_certificate_plan plan(void)
{
    return (atls_certificate_plan){.common_name = "RATS-TLS",
                                   .organization = "atls",
                                   .country = "DE",
                                   .not_before_s = WHEN - 300,
                                   .not_after_s = WHEN + 3600,
                                   .basic = true,
                                   .eku_both = true,
                                   .dns_name = "example.test",
                                   .extensions = &carried,
                                   .extensions_n = 1};
}

static X509 *made(const atls_certificate_plan *p, EVP_PKEY *key)
{
    X509 *x = NULL;
    assert_int_equal(atls_certificate_make(p, key, &x, NULL), ATLS_OK);
    return x;
}

static atls_buf der_of(X509 *x, unsigned char **der)
{
    *der = NULL;
    int len = i2d_X509(x, der);
    assert_true(len > 0);
    return (atls_buf){*der, (size_t)len};
}

/* The check that refuses, or "ok". known: may the evidence's extension be critical? */
static const char *judge(X509 *x, int64_t when_s, bool known)
{
    unsigned char *der;
    atls_err err = {0};
    atls_carrier c;
    atls_buf bytes = der_of(x, &der);
    atls_code rc = atls_carrier_parse(bytes, &c, &err);
    if (rc == ATLS_OK) {
        rc = atls_carrier_check(&c, when_s, &oid, known ? 1 : 0, &err);
        atls_carrier_clear(&c);
    }
    OPENSSL_free(der);
    assert_int_equal(err.code, rc);
    return rc == ATLS_OK ? "ok" : err.check;
}

static void made_and_read(void **state)
{
    (void)state;
    static const char *const types[] = {"P-256", "P-384"};
    for (size_t i = 0; i < 2; i++) {
        for (int last = 0; last < 2; last++) {
            EVP_PKEY *key = EVP_EC_gen(types[i]);
            atls_certificate_plan p = plan();
            p.cn_last = p.random_serial = p.printable = last == 1;
            X509 *x = made(&p, key);
            unsigned char *der;
            atls_buf bytes = der_of(x, &der);
            atls_carrier c;
            atls_buf value;
            bool critical = true;
            assert_int_equal(atls_carrier_parse(bytes, &c, NULL), ATLS_OK);
            assert_true(c.self_issued);
            assert_true(c.not_before_s == WHEN - 300 && c.not_after_s == WHEN + 3600);
            assert_true(atls_carrier_extension(&c, oid, &value, &critical));
            assert_false(critical);
            assert_int_equal(value.len, sizeof content - 1);
            assert_memory_equal(value.ptr, content, value.len);
            assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(c.x509), key), 1);
            assert_false(atls_carrier_extension(&c, (atls_buf){evidence_oid, 5}, &value, NULL));
            atls_carrier_clear(&c);
            assert_string_equal(judge(x, WHEN, false), "ok");
            OPENSSL_free(der);
            X509_free(x);
            EVP_PKEY_free(key);
        }
    }
}

static void each_thing_wrong_alone(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    atls_certificate_plan p = plan();
    X509 *x = made(&p, key);
    assert_string_equal(judge(x, WHEN - 301, false), "certificate.time");
    assert_string_equal(judge(x, WHEN + 3601, false), "certificate.time");
    assert_string_equal(judge(x, WHEN + 3600, false), "ok");

    X509_NAME *name = X509_get_issuer_name(x);
    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC, (const unsigned char *)"x", -1, -1, 0);
    X509_sign(x, key, EVP_sha256());
    assert_string_equal(judge(x, WHEN, false), "certificate.signature"); /* not self-issued */
    X509_free(x);

    x = made(&p, key);
    X509_sign(x, other, EVP_sha256());
    assert_string_equal(judge(x, WHEN, false), "certificate.signature");
    X509_free(x);

    x = made(&p, key);
    X509_set_version(x, X509_VERSION_1);
    X509_sign(x, key, EVP_sha256());
    assert_string_equal(judge(x, WHEN, false), "certificate.version");
    X509_free(x);

    const atls_certificate_extension twice[] = {carried, carried};
    p.extensions = twice;
    p.extensions_n = 2;
    x = made(&p, key);
    assert_string_equal(judge(x, WHEN, false), "certificate.duplicate");
    X509_free(x);

    p = plan();
    x = made(&p, key);
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        if (OBJ_length(X509_EXTENSION_get_object(X509_get_ext(x, i))) == oid.len) {
            X509_EXTENSION_set_critical(X509_get_ext(x, i), 1);
        }
    }
    X509_sign(x, key, EVP_sha256());
    assert_string_equal(judge(x, WHEN, true), "ok");
    assert_string_equal(judge(x, WHEN, false), "certificate.critical");
    X509_free(x);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void truncations_and_more(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    atls_certificate_plan p = plan();
    X509 *x = made(&p, key);
    unsigned char *der;
    atls_buf bytes = der_of(x, &der);
    atls_carrier c;
    for (size_t len = 0; len < bytes.len; len++) {
        atls_err err = {0};
        assert_int_equal(atls_carrier_parse((atls_buf){der, len}, &c, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "certificate.malformed");
    }
    unsigned char *more = malloc(bytes.len + 1);
    memcpy(more, der, bytes.len);
    more[bytes.len] = 0;
    assert_int_equal(atls_carrier_parse((atls_buf){more, bytes.len + 1}, &c, NULL), ATLS_E_INVALID);
    free(more);
    OPENSSL_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void no_key_no_certificate(void **state)
{
    (void)state;
    atls_err err = {0};
    X509 *x = NULL;
    atls_certificate_plan p = plan();
    assert_int_equal(atls_certificate_make(&p, NULL, &x, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "certificate.make");
    assert_null(x);
}

static void octets_are_peeled_once(void **state)
{
    (void)state;
    static const uint8_t good[] = {4, 2, 7, 8};
    static const uint8_t longer[] = {4, 2, 7, 8, 9};
    static const uint8_t other[] = {12, 2, 7, 8};
    atls_buf out = {NULL, 0};
    assert_true(atls_der_octets((atls_buf){good, 4}, &out));
    assert_true(out.len == 2 && out.ptr == good + 2);
    assert_false(atls_der_octets((atls_buf){good, 3}, &out));
    assert_false(atls_der_octets((atls_buf){longer, 5}, &out));
    assert_false(atls_der_octets((atls_buf){other, 4}, &out));
    assert_false(atls_der_octets((atls_buf){good, 0}, &out));
}

static void what_a_link_queues(void **state)
{
    (void)state;
    atls_link link = {0};
    atls_err err = {0};
    static const uint8_t byte = 7;
    assert_int_equal(atls_link_send(&link, (atls_buf){&byte, 1}, &err), ATLS_OK);
    assert_int_equal(link.out_len, 1);
    assert_int_equal(atls_link_send(&link, (atls_buf){&byte, ATLS_LINK_OUT_MAX}, &err),
                     ATLS_E_SYSTEM);
    assert_string_equal(err.check, "session.output");
    free(link.out);
    atls_carried c = {0};
    for (size_t i = 0; i < ATLS_CARRIED_OWNED; i++) {
        assert_non_null(atls_carried_room(&c, 0));
    }
    assert_null(atls_carried_room(&c, 1));
    atls_carried_clear(&c);
    assert_int_equal(c.owned_n, 0);
}

/* One that nobody refers to any more is made anew around the same key; around another one it is not. */
static void made_again_of_a_blank(void **state)
{
    (void)state;
    static const uint8_t other[] = "of the next connection";
    const atls_certificate_extension next = {oid, {other, sizeof other - 1}};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *stranger = EVP_EC_gen("P-256");
    atls_certificate_plan p = plan();
    p.random_serial = true;
    X509 *first = made(&p, key);
    ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(first));
    p.extensions = &next;
    p.not_after_s = WHEN + 7200;
    p.blank = first;
    X509 *again = made(&p, key);
    assert_string_equal(judge(again, WHEN + 7000, false), "ok");
    assert_int_not_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(again)), 0);
    unsigned char *der;
    atls_carrier c;
    atls_buf value;
    assert_int_equal(atls_carrier_parse(der_of(again, &der), &c, NULL), ATLS_OK);
    assert_int_equal(X509_get_ext_count(c.x509), 6);
    assert_true(atls_carrier_extension(&c, oid, &value, NULL));
    assert_int_equal(value.len, sizeof other - 1);
    assert_memory_equal(value.ptr, other, value.len);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(c.x509), key), 1);
    atls_carrier_clear(&c);
    OPENSSL_free(der);
    atls_err err = {0};
    X509 *none = NULL;
    p.blank = again;
    assert_int_equal(atls_certificate_make(&p, stranger, &none, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "certificate.make");
    assert_null(none);
    ASN1_INTEGER_free(serial);
    EVP_PKEY_free(key);
    EVP_PKEY_free(stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_read),         cmocka_unit_test(each_thing_wrong_alone),
        cmocka_unit_test(truncations_and_more),  cmocka_unit_test(no_key_no_certificate),
        cmocka_unit_test(made_again_of_a_blank), cmocka_unit_test(octets_are_peeled_once),
        cmocka_unit_test(what_a_link_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
