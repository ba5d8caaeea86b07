/* Roots of every family: each counts for its own family only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trust/trust.h"
#include "unit/pki.h"

static const pki_spec plain = {.cn = "Some Root",
                               .o = "Some Company",
                               .serial = 1,
                               .not_before_s = 1000 * PKI_DAY,
                               .not_after_s = 40000 * PKI_DAY,
                               .basic = "critical,CA:TRUE",
                               .usage = "critical,keyCertSign,cRLSign"};

static const struct {
    atls_family family;
    const char *ou; /* NULL: simulators have none */
    size_t pinned;
    bool takes_p384, takes_intermediate;
} families[] = {
    {ATLS_FAMILY_INTEL, "", 1, false, false}, {ATLS_FAMILY_AMD, "amd", 3, true, false},
    {ATLS_FAMILY_AWS, "aws", 1, true, false}, {ATLS_FAMILY_GOOGLE, "google", 1, true, true},
    {ATLS_FAMILY_TPM, "tpm", 0, true, true},  {ATLS_FAMILY_CCA, NULL, 0, true, false},
};
#define FAMILIES (sizeof families / sizeof families[0])

typedef struct made {
    EVP_PKEY *key;
    X509 *x;
    atls_buf der;
    atls_cert *cert;
} made;

/* issuer NULL: self-signed. ou "" or NULL: none. */
static made make(const char *curve, const char *o, const char *ou, const made *issuer)
{
    made m = {.key = EVP_EC_gen(curve)};
    pki_spec spec = plain;
    spec.o = o;
    EVP_PKEY *signer = issuer == NULL ? m.key : issuer->key;
    m.x = pki_cert(&spec, m.key, issuer == NULL ? NULL : issuer->x, signer);
    if (ou != NULL && ou[0] != '\0') {
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(m.x));
        X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC, (const unsigned char *)ou, -1, -1, 0);
        X509_set_subject_name(m.x, name);
        if (issuer == NULL) {
            X509_set_issuer_name(m.x, name);
        }
        X509_NAME_free(name);
        X509_sign(m.x, signer, EVP_sha256());
    }
    m.der = pki_der(m.x);
    assert_int_equal(atls_cert_parse(m.der, &m.cert, NULL), ATLS_OK);
    return m;
}

static void drop(made *m)
{
    atls_cert_free(m->cert);
    pki_buf_free(m->der);
    X509_free(m->x);
    EVP_PKEY_free(m->key);
}

static void what_is_pinned_has_a_key_and_is_nobodys_simulator(void **state)
{
    (void)state;
    atls_trust *t = atls_trust_new();
    for (size_t i = 0; i < FAMILIES; i++) {
        const atls_root_set *set = atls_trust_roots(t, families[i].family);
        assert_int_equal(set->n, families[i].pinned);
        assert_false(atls_root_set_replaced(set));
        for (size_t k = 0; k < set->n; k++) {
            const atls_root *root = &set->roots[k];
            assert_non_null(root->public_key);
            assert_memory_equal(atls_public_key_sha256(root->public_key), root->spki_sha256, 32);
            assert_true(root->subject_cn[0] != '\0' && root->not_before_s < root->not_after_s);
            assert_false(root->custom || root->simulated || root->beside);
            assert_null(root->cert);
            assert_int_equal(root->key != NULL, families[i].family == ATLS_FAMILY_INTEL);
        }
    }
    atls_trust_free(t);
}

static void a_root_counts_for_its_own_family_and_no_other(void **state)
{
    (void)state;
    made m = make("P-256", "Some Company", NULL, NULL);
    for (size_t a = 0; a < FAMILIES; a++) {
        atls_trust *t = atls_trust_new();
        assert_int_equal(atls_trust_set1_root(t, families[a].family, m.der, NULL), ATLS_OK);
        for (size_t b = 0; b < FAMILIES; b++) {
            const atls_root_set *set = atls_trust_roots(t, families[b].family);
            const atls_root *found = atls_root_find(set, m.cert);
            assert_int_equal(found != NULL, a == b);
            assert_int_equal(atls_root_set_replaced(set), a == b);
            assert_int_equal(set->n, a == b ? 1 : families[b].pinned);
            if (found != NULL) {
                assert_true(found->custom && !found->simulated && !found->beside);
                assert_non_null(found->cert);
                assert_string_equal(found->subject_cn, "Some Root");
                assert_int_equal(found->not_before_s, 1000 * PKI_DAY);
                assert_memory_equal(found->spki_sha256, atls_public_key_sha256(found->public_key),
                                    32);
                assert_int_equal(found->key != NULL, families[b].family == ATLS_FAMILY_INTEL);
            }
        }
        atls_trust_free(t);
    }
    drop(&m);
}

static void a_simulators_root_goes_to_the_family_that_it_names(void **state)
{
    (void)state;
    for (size_t a = 0; a < FAMILIES; a++) {
        if (families[a].ou == NULL) {
            continue;
        }
        made m = make("P-256", ATLS_SIMULATOR_O, families[a].ou, NULL);
        atls_trust *t = atls_trust_new();
        assert_int_equal(atls_trust_add1_simulator(t, m.der, NULL), ATLS_OK);
        for (size_t b = 0; b < FAMILIES; b++) {
            const atls_root_set *set = atls_trust_roots(t, families[b].family);
            const atls_root *found = atls_root_find(set, m.cert);
            assert_int_equal(found != NULL, a == b);
            assert_int_equal(set->n, families[b].pinned + (a == b ? 1 : 0));
            assert_false(atls_root_set_replaced(set));
            assert_true(found == NULL || (found->simulated && found->beside));
        }
        /* It stays when the user puts other roots in the vendor's place. */
        made other = make("P-256", "Some Company", NULL, NULL);
        assert_int_equal(atls_trust_set1_root(t, families[a].family, other.der, NULL), ATLS_OK);
        assert_non_null(atls_root_find(atls_trust_roots(t, families[a].family), m.cert));
        atls_trust_free(t);
        drop(&other);
        drop(&m);
    }
}

static void several_simulators_are_taken_together_or_not_at_all(void **state)
{
    (void)state;
    made amd = make("P-256", ATLS_SIMULATOR_O, "amd", NULL);
    made tpm = make("P-256", ATLS_SIMULATOR_O, "tpm", NULL);
    made odd = make("P-256", ATLS_SIMULATOR_O, "nobody", NULL);
    char *pem[] = {pki_pem(amd.x), pki_pem(tpm.x), pki_pem(odd.x)};
    char text[8192];
    atls_trust *t = atls_trust_new();
    atls_err err = {0};
    (void)snprintf(text, sizeof text, "%s%s%s", pem[0], pem[1], pem[2]);
    assert_int_equal(
        atls_trust_add1_simulator(t, (atls_buf){(const uint8_t *)text, strlen(text)}, &err),
        ATLS_E_USAGE);
    assert_string_equal(err.check, "root.family");
    assert_null(atls_root_find(atls_trust_roots(t, ATLS_FAMILY_AMD), amd.cert));
    assert_null(atls_root_find(atls_trust_roots(t, ATLS_FAMILY_TPM), tpm.cert));
    (void)snprintf(text, sizeof text, "%s%s", pem[0], pem[1]);
    assert_int_equal(
        atls_trust_add1_simulator(t, (atls_buf){(const uint8_t *)text, strlen(text)}, &err),
        ATLS_OK);
    assert_non_null(atls_root_find(atls_trust_roots(t, ATLS_FAMILY_AMD), amd.cert));
    assert_non_null(atls_root_find(atls_trust_roots(t, ATLS_FAMILY_TPM), tpm.cert));
    for (size_t i = 0; i < 3; i++) {
        free(pem[i]);
    }
    atls_trust_free(t);
    drop(&odd);
    drop(&tpm);
    drop(&amd);
}

static void a_simulator_is_known_whatever_option_brought_it_in(void **state)
{
    (void)state;
    made m = make("P-256", ATLS_SIMULATOR_O, NULL, NULL);
    for (size_t a = 0; a < FAMILIES; a++) {
        atls_trust *t = atls_trust_new();
        assert_int_equal(atls_trust_set1_root(t, families[a].family, m.der, NULL), ATLS_OK);
        const atls_root *found = atls_root_find(atls_trust_roots(t, families[a].family), m.cert);
        assert_true(found != NULL && found->simulated && found->custom && !found->beside);
        atls_trust_free(t);
    }
    drop(&m);
}

static void families_differ_in_what_may_be_an_anchor(void **state)
{
    (void)state;
    made p384 = make("P-384", "Some Company", NULL, NULL);
    made root = make("P-256", "Some Company", NULL, NULL);
    made below = make("P-256", "Some Company", "below", &root);
    made p224 = make("P-224", "Some Company", NULL, NULL);
    for (size_t a = 0; a < FAMILIES; a++) {
        const struct {
            const made *m;
            bool taken;
        } cases[] = {{&p384, families[a].takes_p384},
                     {&below, families[a].takes_intermediate},
                     {&p224, false}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            atls_trust *t = atls_trust_new();
            atls_err err = {0};
            atls_code rc = atls_trust_set1_root(t, families[a].family, cases[i].m->der, &err);
            assert_int_equal(rc, cases[i].taken ? ATLS_OK : ATLS_E_USAGE);
            assert_true(cases[i].taken || strcmp(err.check, "root.certificate") == 0);
            assert_int_equal(atls_trust_roots(t, families[a].family)->n,
                             cases[i].taken ? 1 : families[a].pinned);
            atls_trust_free(t);
        }
    }
    drop(&p224);
    drop(&below);
    drop(&root);
    drop(&p384);
}

/* Self-issued, and signed by another: only one who looks at the signature sees it. */
static void a_forged_self_signature_is_seen(void **state)
{
    (void)state;
    made m = make("P-384", "Some Company", NULL, NULL);
    uint8_t bytes[2048];
    memcpy(bytes, m.der.ptr, m.der.len);
    bytes[m.der.len - 1] ^= 1;
    static const atls_family strict[] = {ATLS_FAMILY_AMD, ATLS_FAMILY_AWS, ATLS_FAMILY_CCA};
    for (size_t i = 0; i < sizeof strict / sizeof strict[0]; i++) {
        atls_trust *t = atls_trust_new();
        atls_err err = {0};
        assert_int_equal(atls_trust_set1_root(t, strict[i], (atls_buf){bytes, m.der.len}, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "root.certificate");
        atls_trust_free(t);
    }
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_pinned_has_a_key_and_is_nobodys_simulator),
        cmocka_unit_test(a_root_counts_for_its_own_family_and_no_other),
        cmocka_unit_test(a_simulators_root_goes_to_the_family_that_it_names),
        cmocka_unit_test(several_simulators_are_taken_together_or_not_at_all),
        cmocka_unit_test(a_simulator_is_known_whatever_option_brought_it_in),
        cmocka_unit_test(families_differ_in_what_may_be_an_anchor),
        cmocka_unit_test(a_forged_self_signature_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
