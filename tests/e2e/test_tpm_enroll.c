/* Credential activation, with a software TPM that has EK certificates: both sides, and what each refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include <atls/tpm.h>

#include "e2e/swtpm.h"

static swtpm tpm_of_test;

static atls_tpm_options usual(void)
{
    return (atls_tpm_options){.tcti = tpm_of_test.tcti};
}

static void export(const char *ek, atls_tpm_keys *keys)
{
    atls_err err = {0};
    atls_tpm_options o = usual();
    if (atls_tpm_enroll_export(&o, ek, keys, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

/* swtpm_setup certifies an RSA 2048 and a P-384 EK. That both are equal to what our templates give is checked by export. */
static void endorsement_keys_and_their_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *ek;
        bool certified;
    } keys[] = {{NULL, true}, {"rsa", true}, {"ecc", false}, {"ecc384", true}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        atls_tpm_keys k = {0};
        export(keys[i].ek, &k);
        assert_int_equal(k.ek_certificate != NULL, keys[i].certified);
        assert_true(k.ek_public_len > 32 && k.ak_public_len > 32);
        if (keys[i].certified) {
            const uint8_t *p = k.ek_certificate;
            X509 *cert = d2i_X509(NULL, &p, (long)k.ek_certificate_len);
            assert_non_null(cert);
            assert_ptr_equal(p, k.ek_certificate + k.ek_certificate_len);
            X509_free(cert);
        }
        atls_tpm_keys_clear(&k);
    }
}

static void assert_not_activated(const char *ek, atls_buf credential, atls_buf seed, atls_code code,
                                 const char *check)
{
    uint8_t out[64];
    size_t len = 77;
    atls_err err = {0};
    atls_tpm_options o = usual();
    atls_code rc = atls_tpm_enroll_activate(&o, ek, credential, seed, out, &len, &err);
    if (rc != code || strcmp(err.check, check) != 0) {
        fail_msg("code %d, %s: %s; wanted %d, %s", (int)rc, err.check, err.msg, (int)code, check);
    }
    assert_int_equal(len, 77);
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

static void what_is_no_credential(void **state)
{
    (void)state;
    static const uint8_t sized[] = {0, 3, 1, 2, 3};
    static const uint8_t longer[] = {0, 3, 1, 2, 3, 4};
    atls_buf good = {sized, sizeof sized};
    atls_buf none = {NULL, 0};
    atls_tpm_keys k = {0};
    atls_err err = {0};
    atls_tpm_options o = usual();
    assert_not_activated("dsa", good, good, ATLS_E_USAGE, "attest.tpm.ek_name");
    assert_int_equal(atls_tpm_enroll_export(&o, "dsa", &k, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "attest.tpm.ek_name");
    assert_not_activated(NULL, none, good, ATLS_E_INVALID, "attest.tpm.credential_format");
    assert_not_activated(NULL, good, none, ATLS_E_INVALID, "attest.tpm.credential_format");
    assert_not_activated(NULL, (atls_buf){longer, sizeof longer}, good, ATLS_E_INVALID,
                         "attest.tpm.credential_format");
    assert_not_activated(NULL, good, (atls_buf){longer, sizeof longer}, ATLS_E_INVALID,
                         "attest.tpm.credential_format");
    assert_not_activated(NULL, good, good, ATLS_E_BINDING, "attest.tpm.credential");
    assert_not_activated("ecc", good, good, ATLS_E_BINDING, "attest.tpm.credential");
    assert_not_activated("ecc384", good, good, ATLS_E_BINDING, "attest.tpm.credential");
}

static int set_up(void **state)
{
    (void)state;
    swtpm_start(&tpm_of_test, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    swtpm_stop(&tpm_of_test);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endorsement_keys_and_their_certificates),
        cmocka_unit_test(what_is_no_credential),
    };
    if (!swtpm_is_installed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
