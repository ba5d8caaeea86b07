#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "evidence/tpm/signature.h"

static size_t ecdsa(uint8_t out[128], size_t r, size_t s)
{
    atls_writer w = atls_writer_of(out, 128);
    atls_writer_u16be(&w, ATLS_TPM_ALG_ECDSA);
    atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
    atls_writer_u16be(&w, (uint16_t)r);
    atls_writer_zeros(&w, r);
    atls_writer_u16be(&w, (uint16_t)s);
    atls_writer_zeros(&w, s);
    return atls_writer_done(&w).len;
}

static size_t rsa(uint8_t out[600], uint16_t scheme, size_t len)
{
    atls_writer w = atls_writer_of(out, 600);
    atls_writer_u16be(&w, scheme);
    atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
    atls_writer_u16be(&w, (uint16_t)len);
    atls_writer_zeros(&w, len);
    return atls_writer_done(&w).len;
}

static void test_good(void **state)
{
    (void)state;
    uint8_t bytes[600];
    atls_tpm_signature s;
    size_t len = ecdsa(bytes, 31, 33);
    assert_int_equal(atls_tpm_signature_parse((atls_buf){bytes, len}, &s, NULL), ATLS_OK);
    assert_int_equal(s.scheme, ATLS_TPM_ALG_ECDSA);
    assert_int_equal(s.r.len, 31);
    assert_ptr_equal(s.s.ptr, bytes + 6 + 31 + 2);
    len = rsa(bytes, ATLS_TPM_ALG_RSAPSS, 256);
    assert_int_equal(atls_tpm_signature_parse((atls_buf){bytes, len}, &s, NULL), ATLS_OK);
    assert_int_equal(s.scheme, ATLS_TPM_ALG_RSAPSS);
    assert_int_equal(s.rsa.len, 256);
    assert_false(s.is_bare);
    static const size_t bare[] = {256, 384, 512};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(atls_tpm_signature_parse((atls_buf){bytes, bare[i]}, &s, NULL), ATLS_OK);
        assert_true(s.is_bare && s.rsa.len == bare[i]);
        assert_int_equal(s.scheme, ATLS_TPM_ALG_RSASSA);
        assert_int_equal(s.hash, ATLS_TPM_ALG_SHA256);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    uint8_t bytes[600] = {0};
    atls_tpm_signature s;
    size_t good = ecdsa(bytes, 32, 32);
    for (size_t len = 0; len <= good + 1; len++) {
        atls_err err = {0};
        if (len != good) {
            assert_int_equal(atls_tpm_signature_parse((atls_buf){bytes, len}, &s, &err),
                             ATLS_E_INVALID);
            assert_string_equal(err.check, "tpm.signature.length");
        }
    }
    good = rsa(bytes, ATLS_TPM_ALG_RSASSA, 256);
    for (size_t len = 0; len <= good + 1; len++) {
        atls_err err = {0};
        if (len != good && len != 256) {
            assert_int_equal(atls_tpm_signature_parse((atls_buf){bytes, len}, &s, &err),
                             ATLS_E_INVALID);
            assert_string_equal(err.check, "tpm.signature.length");
        }
    }
    atls_err err = {0};
    good = rsa(bytes, ATLS_TPM_ALG_RSASSA, 513);
    assert_int_equal(atls_tpm_signature_parse((atls_buf){bytes, good}, &s, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.signature.length");
}

static void test_fields(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {"HMAC", 1, 0x05, "tpm.signature.scheme"}, {"ECDAA", 1, 0x1a, "tpm.signature.scheme"},
        {"none", 1, 0x10, "tpm.signature.scheme"}, {"SHA-1", 3, 0x04, "tpm.signature.hash"},
        {"SM3", 3, 0x12, "tpm.signature.hash"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[128];
        atls_tpm_signature s;
        atls_err err = {0};
        const size_t len = ecdsa(bytes, 32, 32);
        bytes[bad[i].at] = bad[i].value;
        assert_int_equal(atls_tpm_signature_parse((atls_buf){bytes, len}, &s, &err),
                         ATLS_E_INVALID);
        if (strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s, where %s is wanted", bad[i].what, err.check, bad[i].check);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
