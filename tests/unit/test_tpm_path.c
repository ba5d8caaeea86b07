/* Paths of TPM certificates: what leads to a root, and what stands in the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "sim/tpm_pki.h"
#include "trust/tpm_ak.h"

#define WHEN     1760000000
#define DAY      86400
#define INSTANCE "1.3.6.1.4.1.11129.2.1.21"

enum { ROOT, UPPER, LOWER, LEAF, OTHER, KEYS };
static EVP_PKEY *keys[KEYS];

static int make_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        keys[i] = EVP_EC_gen("P-256");
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        EVP_PKEY_free(keys[i]);
    }
    return 0;
}

static X509 *make_ca(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer)
{
    return sim_tpm_cert_make(&(sim_tpm_cert){.cn = cn,
                                             .key_usage = "critical,keyCertSign,cRLSign",
                                             .is_ca = true,
                                             .from_s = WHEN - DAY,
                                             .until_s = WHEN + DAY,
                                             .key = key,
                                             .issuer = issuer,
                                             .signer = signer});
}

static sim_tpm_cert leaf_plan(X509 *issuer, EVP_PKEY *signer)
{
    return (sim_tpm_cert){.cn = "AK",
                          .key_usage = "critical,digitalSignature",
                          .san = "critical,DNS:ak",
                          .from_s = WHEN - DAY,
                          .until_s = WHEN + DAY,
                          .key = keys[LEAF],
                          .issuer = issuer,
                          .signer = signer};
}

typedef struct der {
    unsigned char *bytes;
    size_t len;
} der;

static der der_of(X509 *cert)
{
    der d = {0};
    const int len = i2d_X509(cert, &d.bytes);
    assert_true(len > 0);
    d.len = (size_t)len;
    return d;
}

static void endorse(atls_trust *t, X509 *cert)
{
    der d = der_of(cert);
    assert_int_equal(atls_trust_add1_endorsement(t, (atls_buf){d.bytes, d.len}, NULL), ATLS_OK);
    OPENSSL_free(d.bytes);
}

static atls_trust *trusting(X509 *root, atls_family family)
{
    atls_trust *t = atls_trust_new();
    der d = der_of(root);
    assert_int_equal(atls_trust_set1_root(t, family, (atls_buf){d.bytes, d.len}, NULL), ATLS_OK);
    OPENSSL_free(d.bytes);
    return t;
}

/* Judges the leaf: the check that failed, "" for none; *out as atls_tpm_ak_cert_judge. */
static const char *judged(const atls_trust *t, X509 *leaf, atls_tpm_ak_cert **out)
{
    static atls_ledger l;
    unsigned signatures = 0;
    const atls_judging j = {&l, &signatures};
    der d = der_of(leaf);
    atls_ledger_init(&l);
    atls_tpm_ak_cert_judge(t, (atls_buf){d.bytes, d.len}, WHEN, &j, out);
    OPENSSL_free(d.bytes);
    assert_true(signatures <= 64);
    const atls_entry *e = atls_ledger_deciding(&l);
    return e != NULL ? e->id : "";
}

static void assert_end(const atls_trust *t, X509 *leaf, const char *check)
{
    atls_tpm_ak_cert *c = NULL;
    assert_string_equal(judged(t, leaf, &c), check);
    assert_non_null(c);
    assert_int_equal(c->good, check[0] == '\0');
    atls_kept_free(c);
}

static void a_path_may_end_at_any_anchor(void **state)
{
    (void)state;
    X509 *root = make_ca("Root", keys[ROOT], NULL, keys[ROOT]);
    X509 *upper = make_ca("Upper", keys[UPPER], root, keys[ROOT]);
    X509 *lower = make_ca("Lower", keys[LOWER], upper, keys[UPPER]);
    const sim_tpm_cert plan = leaf_plan(lower, keys[LOWER]);
    X509 *leaf = sim_tpm_cert_make(&plan);
    X509 *anchors[] = {root, upper, lower, leaf};
    for (size_t i = 0; i < 4; i++) {
        atls_trust *t = trusting(anchors[i], ATLS_FAMILY_TPM);
        if (i < 2) {
            assert_end(t, leaf, "tpm.ak_cert.missing");
            endorse(t, lower);
        }
        if (i < 1) {
            assert_end(t, leaf, "tpm.ak_cert.missing");
            endorse(t, upper);
        }
        assert_end(t, leaf, "");
        atls_trust_free(t);
    }
    /* Endorsed only, the root is none. */
    atls_trust *t = atls_trust_new();
    endorse(t, root);
    endorse(t, upper);
    endorse(t, lower);
    assert_end(t, leaf, "tpm.ak_cert.root");
    atls_trust_free(t);
    for (size_t i = 0; i < 4; i++) {
        X509_free(anchors[i]);
    }
}

static void an_issuer_must_be_allowed_to_issue(void **state)
{
    (void)state;
    X509 *root = make_ca("Root", keys[ROOT], NULL, keys[ROOT]);
    const sim_tpm_cert no_ca = {.cn = "Lower",
                                .key_usage = "critical,digitalSignature",
                                .from_s = WHEN - DAY,
                                .until_s = WHEN + DAY,
                                .key = keys[LOWER],
                                .issuer = root,
                                .signer = keys[ROOT]};
    X509 *lower = sim_tpm_cert_make(&no_ca);
    const sim_tpm_cert plan = leaf_plan(lower, keys[LOWER]);
    X509 *leaf = sim_tpm_cert_make(&plan);
    atls_trust *t = trusting(root, ATLS_FAMILY_TPM);
    endorse(t, lower);
    assert_end(t, leaf, "tpm.ak_cert.issuer");
    atls_trust_free(t);
    /* As an anchor itself neither. */
    t = trusting(lower, ATLS_FAMILY_TPM);
    assert_end(t, leaf, "tpm.ak_cert.issuer");
    atls_trust_free(t);
    X509_free(leaf);
    X509_free(lower);
    X509_free(root);
}

/* A second certificate with the right name and the wrong key neither helps nor harms. */
static void a_namesake_does_not_harm(void **state)
{
    (void)state;
    X509 *root = make_ca("Root", keys[ROOT], NULL, keys[ROOT]);
    X509 *lower = make_ca("Lower", keys[LOWER], root, keys[ROOT]);
    X509 *namesake = make_ca("Lower", keys[OTHER], root, keys[ROOT]);
    sim_tpm_cert plan = leaf_plan(lower, keys[LOWER]);
    X509 *leaf = sim_tpm_cert_make(&plan);
    atls_trust *t = trusting(root, ATLS_FAMILY_TPM);
    endorse(t, namesake);
    assert_end(t, leaf, "tpm.ak_cert.missing");
    endorse(t, lower);
    assert_end(t, leaf, "");
    plan.signer = keys[OTHER];
    X509 *forged = sim_tpm_cert_make(&plan);
    assert_end(t, forged, "tpm.ak_cert.signature");
    atls_trust_free(t);
    X509_free(forged);
    X509_free(leaf);
    X509_free(namesake);
    X509_free(lower);
    X509_free(root);
}

/* A path that is long, or that turns round, ends. */
static void no_path_is_endless(void **state)
{
    (void)state;
    X509 *chain[8];
    chain[0] = make_ca("CA 0", keys[ROOT], NULL, keys[ROOT]);
    atls_trust *t = trusting(chain[0], ATLS_FAMILY_TPM);
    for (size_t i = 1; i < 8; i++) {
        char cn[8] = "CA 0";
        cn[3] = (char)('0' + i);
        chain[i] = make_ca(cn, keys[ROOT], chain[i - 1], keys[ROOT]);
        endorse(t, chain[i]);
    }
    const sim_tpm_cert far = leaf_plan(chain[7], keys[ROOT]);
    const sim_tpm_cert near = leaf_plan(chain[3], keys[ROOT]);
    X509 *far_leaf = sim_tpm_cert_make(&far);
    X509 *near_leaf = sim_tpm_cert_make(&near);
    assert_end(t, far_leaf, "tpm.ak_cert.missing");
    assert_end(t, near_leaf, "");
    atls_trust_free(t);
    X509_free(far_leaf);
    X509_free(near_leaf);
    for (size_t i = 0; i < 8; i++) {
        X509_free(chain[i]);
    }
}

static void googles_instance_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *value, *check;
        uint8_t last;
    } cases[] = {
        /* zone, project number, project id, instance id 0x0102, name */
        {"DER:3010:0C017A:020101:0C0170:02020102:0C016E", "", 2},
        {NULL, "", 0},
        {"DER:3008:0C017A:020101:0C0170", "tpm.ak_cert.instance", 0},
        {"DER:300D:0C017A:020101:0C0170:0201FF:0C016E", "tpm.ak_cert.instance", 0},
        {"DER:0500", "tpm.ak_cert.instance", 0},
    };
    X509 *root = make_ca("Root", keys[ROOT], NULL, keys[ROOT]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sim_tpm_cert plan = leaf_plan(root, keys[ROOT]);
        plan.oid = cases[i].value != NULL ? INSTANCE : NULL;
        plan.value = cases[i].value;
        X509 *leaf = sim_tpm_cert_make(&plan);
        assert_non_null(leaf);
        atls_trust *t = trusting(root, ATLS_FAMILY_GOOGLE);
        atls_tpm_ak_cert *c = NULL;
        assert_string_equal(judged(t, leaf, &c), cases[i].check);
        assert_int_equal(c->good, cases[i].check[0] == '\0');
        assert_int_equal(c->instance_id[7], cases[i].last);
        atls_kept_free(c);
        atls_trust_free(t);
        /* Under another root the extension is nobody's word. */
        t = trusting(root, ATLS_FAMILY_TPM);
        assert_string_equal(judged(t, leaf, &c), "");
        assert_int_equal(c->instance_id[7], 0);
        atls_kept_free(c);
        atls_trust_free(t);
        X509_free(leaf);
    }
    X509_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_may_end_at_any_anchor),
        cmocka_unit_test(an_issuer_must_be_allowed_to_issue),
        cmocka_unit_test(a_namesake_does_not_harm),
        cmocka_unit_test(no_path_is_endless),
        cmocka_unit_test(googles_instance_is_read),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
