/* Certificates: the facts, every truncation, each field wrong alone, and PEM around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/cert.h"
#include "unit/pki.h"

static const pki_spec plain = {.cn = "Some CA",
                               .o = "Some Company",
                               .serial = 0x1234,
                               .not_before_s = 1000 * PKI_DAY,
                               .not_after_s = 40000 * PKI_DAY,
                               .basic = "critical,CA:TRUE,pathlen:1",
                               .usage = "critical,keyCertSign,cRLSign"};

static atls_code parse_spec(const pki_spec *spec, EVP_PKEY *key, atls_cert **out, atls_err *err)
{
    X509 *x = pki_cert(spec, key, NULL, key);
    atls_buf der = pki_der(x);
    atls_code rc = atls_cert_parse(der, out, err);
    pki_buf_free(der);
    X509_free(x);
    return rc;
}

static void facts_are_those_of_the_certificate(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    atls_cert *c = NULL;
    assert_int_equal(parse_spec(&plain, key, &c, NULL), ATLS_OK);
    uint8_t xy[64];
    pki_point(key, xy);
    assert_string_equal(c->subject_cn, "Some CA");
    assert_string_equal(c->subject_o, "Some Company");
    assert_int_equal(c->serial_len, 2);
    assert_memory_equal(c->serial, "\x12\x34", 2);
    assert_int_equal(c->not_before_s, 1000 * PKI_DAY);
    assert_int_equal(c->not_after_s, 40000 * PKI_DAY); /* beyond 2050: GeneralizedTime */
    assert_true(c->has_p256);
    assert_memory_equal(c->p256, xy, 64);
    assert_true(c->signed_ecdsa_sha256);
    assert_true(c->is_ca && c->path_len == 1);
    assert_true(c->has_aki && c->has_ski && c->has_key_usage && c->has_basic_constraints &&
                c->has_crl_dp);
    assert_true(c->ku_cert_sign && c->ku_crl_sign && !c->ku_digital_signature);
    assert_int_equal(c->ski.len, 20);
    assert_int_equal(c->aki.len, 20);
    assert_memory_equal(c->ski.ptr, c->aki.ptr, 20);
    assert_int_equal(c->subject.len, c->issuer.len);
    assert_memory_equal(c->subject.ptr, c->issuer.ptr, c->issuer.len);
    assert_false(c->unknown_critical);
    assert_int_equal(c->sgx_extension.len, 0);

    atls_key *k = NULL;
    assert_int_equal(atls_key_p256(c->p256, &k, NULL), ATLS_OK);
    assert_true(atls_cert_signed_by(c, k));
    atls_key_free(k);
    EVP_PKEY *other = pki_key();
    pki_point(other, xy);
    assert_int_equal(atls_key_p256(xy, &k, NULL), ATLS_OK);
    assert_false(atls_cert_signed_by(c, k));
    atls_key_free(k);
    EVP_PKEY_free(other);

    atls_cert *again = atls_cert_up_ref(c);
    atls_cert_free(c);
    assert_string_equal(again->subject_cn, "Some CA");
    atls_cert_free(again);
    EVP_PKEY_free(key);
}

static void each_extension_is_seen_or_missed(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    static const uint8_t sgx[] = {0x30, 0x00};
    pki_spec s = plain;
    s.no_ski = s.no_aki = s.no_crl_dp = true;
    s.basic = NULL;
    s.usage = "digitalSignature";
    s.sgx = (atls_buf){sgx, sizeof sgx};
    s.extra = "1.2.3.4.5";
    atls_cert *c = NULL;
    assert_int_equal(parse_spec(&s, key, &c, NULL), ATLS_OK);
    assert_false(c->has_aki || c->has_ski || c->has_basic_constraints || c->has_crl_dp || c->is_ca);
    assert_true(c->has_key_usage && c->ku_digital_signature && !c->ku_cert_sign);
    assert_int_equal(c->path_len, -1);
    assert_true(c->unknown_critical);
    assert_int_equal(c->sgx_extension.len, sizeof sgx);
    atls_cert_free(c);
    EVP_PKEY_free(key);
}

static void every_truncation_and_one_byte_more_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    X509 *x = pki_cert(&plain, key, NULL, key);
    atls_buf der = pki_der(x);
    atls_cert *c = NULL;
    atls_err err;
    for (size_t len = 0; len < der.len; len++) {
        assert_int_equal(atls_cert_parse((atls_buf){der.ptr, len}, &c, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, len == 0 ? "cert.size" : "cert.malformed");
    }
    uint8_t *more = calloc(1, der.len + 1);
    memcpy(more, der.ptr, der.len);
    assert_int_equal(atls_cert_parse((atls_buf){more, der.len + 1}, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "cert.malformed");
    free(more);
    static const uint8_t large[ATLS_CERT_MAX_LEN + 1];
    assert_int_equal(atls_cert_parse((atls_buf){large, sizeof large}, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "cert.size");
    assert_null(c);
    pki_buf_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void malformed_fields_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    atls_cert *c = NULL;
    atls_err err;
    pki_spec s = plain;
    s.serial = -5;
    assert_int_equal(parse_spec(&s, key, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "cert.malformed");
    s = plain;
    s.version = 1;
    assert_int_equal(parse_spec(&s, key, &c, &err), ATLS_E_INVALID);

    /* The same extension twice: OpenSSL signs what it is told to. */
    X509 *x = pki_cert(&plain, key, NULL, key);
    pki_add(x, x, NID_basic_constraints, "critical,CA:FALSE");
    X509_sign(x, key, EVP_sha256());
    atls_buf der = pki_der(x);
    assert_int_equal(atls_cert_parse(der, &c, &err), ATLS_E_INVALID);
    assert_non_null(strstr(err.msg, "twice"));
    pki_buf_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void two_common_names_are_none(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    X509 *x = pki_cert(&plain, key, NULL, key);
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Another", -1, -1,
                               0);
    X509_set_subject_name(x, name);
    X509_NAME_free(name);
    X509_sign(x, key, EVP_sha256());
    atls_buf der = pki_der(x);
    atls_cert *c = NULL;
    assert_int_equal(atls_cert_parse(der, &c, NULL), ATLS_OK);
    assert_string_equal(c->subject_cn, "");
    atls_cert_free(c);
    pki_buf_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void pem_is_split_strictly(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key();
    X509 *x = pki_cert(&plain, key, NULL, key);
    atls_buf der = pki_der(x);
    char *pem = pki_pem(x);
    char text[8192];
    uint8_t buf[8192];
    atls_buf ders[3];
    size_t n = 0;
    static const struct {
        const char *what, *format;
        size_t extra; /* bytes of the NUL counted in */
        size_t n;     /* 0: refused */
        const char *check;
    } cases[] = {
        {"one", "%s", 0, 1, NULL},
        {"with NUL", "%s", 1, 1, NULL},
        {"two", "%s%1$s", 0, 2, NULL},
        {"three with space", "\n%s\r\n%1$s\n\n%1$s\n", 1, 3, NULL},
        {"four", "%s%1$s%1$s%1$s", 0, 0, "cert.count"},
        {"text before", "hello %s", 0, 0, "cert.pem"},
        {"text behind", "%s hello", 0, 0, "cert.pem"},
        {"text between", "%s;%1$s", 0, 0, "cert.pem"},
        {"no end", "%.200s", 0, 0, "cert.pem"},
        {"empty block", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n%.0s", 0, 0,
         "cert.pem"},
        {"stray padding", "-----BEGIN CERTIFICATE-----\nMA=A\n-----END CERTIFICATE-----\n%.0s", 0,
         0, "cert.pem"},
        {"other label", "-----BEGIN X509 CRL-----\nMAAA\n-----END X509 CRL-----\n%.0s", 0, 0,
         "cert.pem"},
        {"nothing", "%.0s", 0, 0, "cert.pem"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_err err = {.check = ""};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int len = snprintf(text, sizeof text, cases[i].format, pem);
#pragma GCC diagnostic pop
        atls_code rc =
            atls_cert_split((atls_buf){(const uint8_t *)text, (size_t)len + cases[i].extra}, buf,
                            sizeof buf, ders, 3, &n, &err);
        if (cases[i].n == 0) {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, cases[i].check);
            continue;
        }
        assert_int_equal(rc, ATLS_OK);
        assert_int_equal(n, cases[i].n);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(ders[k].len, der.len);
            assert_memory_equal(ders[k].ptr, der.ptr, der.len);
        }
    }
    size_t len = strlen(pem); /* with CR LF line ends */
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        if (pem[i] == '\n') {
            text[out++] = '\r';
        }
        text[out++] = pem[i];
    }
    assert_int_equal(
        atls_cert_split((atls_buf){(uint8_t *)text, out}, buf, sizeof buf, ders, 3, &n, NULL),
        ATLS_OK);
    assert_int_equal(atls_cert_split(der, buf, sizeof buf, ders, 3, &n, NULL), ATLS_OK);
    assert_true(n == 1 && ders[0].ptr == der.ptr);
    /* Too little room is a refusal, not an overflow. */
    assert_int_equal(
        atls_cert_split((atls_buf){(const uint8_t *)pem, len}, buf, 100, ders, 3, &n, NULL),
        ATLS_E_INVALID);
    free(pem);
    pki_buf_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_those_of_the_certificate),
        cmocka_unit_test(each_extension_is_seen_or_missed),
        cmocka_unit_test(every_truncation_and_one_byte_more_are_refused),
        cmocka_unit_test(malformed_fields_are_refused),
        cmocka_unit_test(two_common_names_are_none),
        cmocka_unit_test(pem_is_split_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
