/* Credential activation, with a software TPM that has EK certificates: both sides, and what each refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include <atls/enroll.h>
#include <atls/tpm.h>

#include "e2e/enrol.h"
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

/* --- with the other side --- */

static const uint8_t secret[] = "sixteen or more";

static void make_for(const char *ek, const char *ak, atls_credential *out)
{
    atls_tpm_keys k = {0};
    atls_err err = {0};
    atls_tpm_options o = usual();
    o.ak = ak;
    assert_int_equal(atls_tpm_enroll_export(&o, ek, &k, &err), ATLS_OK);
    if (atls_credential_make((atls_buf){k.ek_public, k.ek_public_len},
                             (atls_buf){k.ak_public, k.ak_public_len},
                             (atls_buf){secret, sizeof secret}, NULL, out, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    atls_tpm_keys_clear(&k);
}

static atls_buf blob_of(const atls_credential *c)
{
    return (atls_buf){c->blob, c->blob_len};
}

static atls_buf seed_of(const atls_credential *c)
{
    return (atls_buf){c->seed, c->seed_len};
}

/* What we make a real TPM opens: each kind of EK, each kind of AK. */
static void a_secret_comes_back(void **state)
{
    (void)state;
    static const char *const eks[] = {"rsa", "ecc", "ecc384", NULL};
    static const char *const aks[] = {"ecc", "rsa", "ecc@0x81010060"};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 3; j++) {
            atls_credential c;
            uint8_t out[64];
            size_t len = 0;
            atls_err err = {0};
            atls_tpm_options o = usual();
            o.ak = aks[j];
            make_for(eks[i], aks[j], &c);
            if (atls_tpm_enroll_activate(&o, eks[i], blob_of(&c), seed_of(&c), out, &len, &err) !=
                ATLS_OK) {
                fail_msg("EK %s, AK %s: %s: %s", eks[i], aks[j], err.check, err.msg);
            }
            assert_int_equal(len, sizeof secret);
            assert_memory_equal(out, secret, sizeof secret);
        }
    }
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

static void a_credential_for_another_key(void **state)
{
    (void)state;
    atls_credential c;
    make_for("rsa", "rsa", &c); /* our AK is the other one */
    assert_not_activated("rsa", blob_of(&c), seed_of(&c), ATLS_E_BINDING, "attest.tpm.credential");
    make_for("ecc", NULL, &c); /* our EK is the other one */
    assert_not_activated("ecc384", blob_of(&c), seed_of(&c), ATLS_E_BINDING,
                         "attest.tpm.credential");
    make_for("ecc384", NULL, &c);
    assert_not_activated("rsa", blob_of(&c), seed_of(&c), ATLS_E_BINDING, "attest.tpm.credential");
}

static void a_credential_that_was_changed(void **state)
{
    (void)state;
    static const char *const eks[] = {"rsa", "ecc", "ecc384"};
    for (size_t i = 0; i < 3; i++) {
        atls_credential good;
        make_for(eks[i], NULL, &good);
        for (size_t at = 2; at < good.blob_len; at += 7) {
            atls_credential c = good;
            c.blob[at] ^= 1;
            assert_not_activated(eks[i], blob_of(&c), seed_of(&c), ATLS_E_BINDING,
                                 "attest.tpm.credential");
        }
        atls_credential c = good;
        c.seed[good.seed_len - 1] ^= 1;
        assert_not_activated(eks[i], blob_of(&c), seed_of(&c), ATLS_E_BINDING,
                             "attest.tpm.credential");
    }
}

static void assert_not_certified(const atls_verifier *v, const enrolled *e, const atls_buf *ek,
                                 int64_t when_s, atls_code code, const char *check)
{
    atls_ek_identity who;
    atls_err err = {0};
    atls_buf cert = {e->keys.ek_certificate, e->keys.ek_certificate_len};
    atls_code rc = atls_ek_certificate_check(v, cert, ek, when_s, &who, &err);
    if (rc != code || strcmp(err.check, check) != 0) {
        fail_msg("code %d, %s: %s; wanted %d, %s", (int)rc, err.check, err.msg, (int)code, check);
    }
}

/* The whole of it, as docs/attesting-tpm.md tells it; then what ends it before a secret is made. */
static void a_key_is_enrolled(void **state)
{
    (void)state;
    const int64_t now_s = (int64_t)time(NULL);
    enrolled e = {0};
    atls_tpm_keys other = {0};
    enrol(&tpm_of_test, NULL, &e);
    assert_string_equal(e.ek.manufacturer, "id:00001014"); /* swtpm says it is IBM's */
    atls_verifier *stranger = atls_verifier_new();
    assert_not_certified(stranger, &e, NULL, now_s, ATLS_E_COLLATERAL, "tpm.ek.missing");
    atls_verifier_free(stranger);
    atls_verifier *v = enrolling_verifier(&tpm_of_test);
    export("ecc384", &other); /* another EK of the same TPM */
    assert_not_certified(v, &e, &(atls_buf){other.ek_public, other.ek_public_len}, now_s,
                         ATLS_E_INVALID, "tpm.ek.differs");
    assert_not_certified(v, &e, NULL, 0, ATLS_E_COLLATERAL, "tpm.ek.time");
    e.keys.ek_certificate[e.keys.ek_certificate_len - 1] ^= 1;
    assert_not_certified(v, &e, NULL, now_s, ATLS_E_INVALID, "tpm.ek.signature");
    atls_verifier_free(v);
    atls_tpm_keys_clear(&other);
    enrolled_clear(&e);
}

/* Last: from here on the hierarchies have owners. */
static void a_tpm_that_has_an_owner(void **state)
{
    (void)state;
    static const char auth[] = "its endorsement";
    uint8_t out[64];
    size_t len = 0;
    atls_credential c;
    atls_tpm_keys k = {0};
    atls_err err = {0};
    atls_tpm_options o = usual();
    make_for("rsa", NULL, &c);
    swtpm_take_ownership(&tpm_of_test, "the owner", auth);
    assert_int_equal(atls_tpm_enroll_export(&o, "rsa", &k, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "attest.tpm.auth");
    assert_not_activated("rsa", blob_of(&c), seed_of(&c), ATLS_E_USAGE, "attest.tpm.auth");
    o.endorsement_auth = (atls_buf){(const uint8_t *)auth, strlen(auth)};
    if (atls_tpm_enroll_activate(&o, "rsa", blob_of(&c), seed_of(&c), out, &len, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    assert_memory_equal(out, secret, sizeof secret); /* the keys are what they were */
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
        cmocka_unit_test(a_secret_comes_back),
        cmocka_unit_test(a_credential_for_another_key),
        cmocka_unit_test(a_credential_that_was_changed),
        cmocka_unit_test(a_key_is_enrolled),
        cmocka_unit_test(a_tpm_that_has_an_owner),
    };
    if (!swtpm_is_installed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
