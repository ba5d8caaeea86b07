/* Revocation of an ASK, by whoever knows of it: no list that condemns can be kept from counting, neither by another list
 * nor by names in what the stolen key signs. */
#include "unit/snp_world.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "trust/amd_cert_table.h"

static atls_amd_cert_table table_of(const atls_evidence_blob *blob)
{
    atls_amd_cert_table t;
    assert_int_equal(
        atls_amd_cert_table_parse((atls_buf){blob->parts[1].bytes, blob->parts[1].len}, &t, NULL),
        ATLS_OK);
    return t;
}

static void accept_without_a_list(atls_verifier *v)
{
    atls_policy *policy = NULL;
    assert_int_equal(
        atls_policy_parse(text_buf("{\"atls_policy\":1,\"workloads\":[{\"name\":\"any\","
                                   "\"tees\":[\"snp\"],\"crl\":\"if-present\"}]}"),
                          &policy, NULL),
        ATLS_OK);
    assert_int_equal(atls_verifier_set1_policy(v, policy, NULL), ATLS_OK);
    atls_policy_free(policy);
}

static void endorse(atls_verifier *v, atls_buf bytes)
{
    assert_int_equal(atls_verifier_add1_endorsement(v, bytes, NULL), ATLS_OK);
}

/* --- lists beside each other --- */

static void the_list_that_condemns_counts(void **state)
{
    const snp_rig *rig = *state;
    static const char *const faults[] = {"crl.revokes", "crl.stale_revokes"};
    for (size_t i = 0; i < 4; i++) {
        const bool in_table = i % 2 == 0; /* the one that condemns; the clean one is endorsed */
        atls_evidence_blob clean = snp_evidence(rig, NULL, NULL);
        atls_evidence_blob condemns = snp_evidence(rig, NULL, faults[i / 2]);
        atls_verifier *v = atls_verifier_new();
        assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(rig->root), NULL),
                         ATLS_OK);
        accept_without_a_list(v);
        atls_verdict *r = snp_check(v, &clean, 2, NOW);
        assert_true(atls_verdict_accepted(r)); /* what is kept from here on does not count later */
        assert_true(r->claims.as.snp.crl_checked);
        atls_verdict_free(r);
        endorse(v, table_of(in_table ? &clean : &condemns).entry[ATLS_AMD_CRL]);
        for (int warm = 0; warm < 2; warm++) {
            r = snp_check(v, in_table ? &condemns : &clean, 2, NOW);
            assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
            assert_true(has_failure(r, "snp.ca.crl", ATLS_E_INVALID));
            assert_false(r->claims.as.snp.crl_checked);
            atls_verdict_free(r);
        }
        atls_verifier_free(v);
        atls_evidence_blob_clear(&clean);
        atls_evidence_blob_clear(&condemns);
    }
}

/* An endorsed list of another product's root neither condemns nor counts as one that was there. */
static void another_products_list(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob genoa = snp_evidence(rig, "genoa", "crl.revokes");
    atls_evidence_blob milan = snp_evidence(rig, "milan", "crl.missing");
    atls_verifier *v = atls_verifier_new();
    assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(rig->root), NULL), ATLS_OK);
    endorse(v, table_of(&genoa).entry[ATLS_AMD_CRL]);
    atls_verdict *r = snp_check(v, &milan, 2, NOW);
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    assert_string_equal(atls_verdict_check(r), "policy.crl");
    atls_verdict_free(r);
    accept_without_a_list(v);
    r = snp_check(v, &milan, 2, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_false(r->claims.as.snp.crl_checked);
    atls_verdict_free(r);
    atls_verifier_free(v);
    atls_evidence_blob_clear(&genoa);
    atls_evidence_blob_clear(&milan);
}

/* --- a chain whose root and ASK are nobody's simulator --- */

typedef struct chain {
    EVP_PKEY *ark, *ask;
    X509 *root, *ca, *leaf;
} chain;

static EVP_MD_CTX *pss(EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = NULL;
    assert_int_equal(EVP_DigestSignInit(ctx, &p, EVP_sha384(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(p, 48), 1);
    return ctx;
}

static void sign(X509 *x, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = pss(key);
    assert_true(X509_sign_ctx(x, ctx) > 0);
    EVP_MD_CTX_free(ctx);
}

static X509_NAME *name_of(const char *cn)
{
    X509_NAME *name = X509_NAME_new();
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"Somebody", -1, -1, 0),
        1);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0), 1);
    return name;
}

static X509 *certificate(atls_buf der)
{
    const uint8_t *p = der.ptr;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    assert_non_null(x);
    return x;
}

/* The world's ASK and leaf, signed anew under other names; only the leaf's own name stays, with the simulator's mark. */
static chain chain_of(const atls_evidence_blob *blob)
{
    const atls_amd_cert_table t = table_of(blob);
    X509_NAME *ark = name_of("ARK-Milan");
    X509_NAME *ask = name_of("SEV-Milan");
    chain c = {EVP_RSA_gen(4096), EVP_RSA_gen(4096), certificate(t.entry[ATLS_AMD_ASK]),
               certificate(t.entry[ATLS_AMD_ASK]), certificate(t.entry[ATLS_AMD_VCEK])};
    assert_true(X509_set_subject_name(c.root, ark) == 1 && X509_set_issuer_name(c.root, ark) == 1 &&
                X509_set_pubkey(c.root, c.ark) == 1);
    assert_true(X509_set_subject_name(c.ca, ask) == 1 && X509_set_issuer_name(c.ca, ark) == 1 &&
                X509_set_pubkey(c.ca, c.ask) == 1);
    assert_int_equal(X509_set_issuer_name(c.leaf, ask), 1);
    sign(c.root, c.ark);
    sign(c.ca, c.ark);
    sign(c.leaf, c.ask);
    X509_NAME_free(ark);
    X509_NAME_free(ask);
    return c;
}

static void chain_clear(chain *c)
{
    EVP_PKEY_free(c->ark);
    EVP_PKEY_free(c->ask);
    X509_free(c->root);
    X509_free(c->ca);
    X509_free(c->leaf);
}

static atls_buf encoded(const X509 *x, uint8_t space[4096])
{
    uint8_t *p = space;
    const int len = i2d_X509(x, NULL);
    assert_true(len > 0 && len <= 4096);
    assert_int_equal(i2d_X509(x, &p), len);
    return (atls_buf){space, (size_t)len};
}

static atls_buf list_of(const chain *c, bool revokes, uint8_t space[4096])
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, NOW - 86400);
    ASN1_TIME *until = ASN1_TIME_set(NULL, NOW + 86400);
    assert_true(X509_CRL_set_version(crl, 1) == 1 &&
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(c->root)) == 1 &&
                X509_CRL_set1_lastUpdate(crl, from) == 1 &&
                X509_CRL_set1_nextUpdate(crl, until) == 1);
    if (revokes) {
        X509_REVOKED *entry = X509_REVOKED_new();
        assert_true(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(c->ca)) == 1 &&
                    X509_REVOKED_set_revocationDate(entry, from) == 1 &&
                    X509_CRL_add0_revoked(crl, entry) == 1);
    }
    EVP_MD_CTX *ctx = pss(c->ark);
    assert_true(X509_CRL_sign_ctx(crl, ctx) > 0);
    EVP_MD_CTX_free(ctx);
    uint8_t *p = space;
    const int len = i2d_X509_CRL(crl, NULL);
    assert_true(len > 0 && len <= 4096);
    assert_int_equal(i2d_X509_CRL(crl, &p), len);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    X509_CRL_free(crl);
    return (atls_buf){space, (size_t)len};
}

/* Whoever has a revoked ASK's key names its leaves as he likes: a simulator's mark in one does not make the ARK's list
 * that of another root. */
static void a_leafs_name_hides_no_list(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, NULL, NULL);
    chain c = chain_of(&blob);
    uint8_t space[4096];
    uint8_t leaf_space[4096];
    const atls_buf leaf = encoded(c.leaf, leaf_space);
    atls_evidence e = {
        .type = "snp",
        .parts_n = 2,
        .parts = {{"report", {blob.parts[0].bytes, blob.parts[0].len}}, {"vcek", leaf}}};
    atls_verifier *v = atls_verifier_new();
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_AMD, encoded(c.root, space), NULL),
                     ATLS_OK);
    endorse(v, encoded(c.ca, space));
    accept_without_a_list(v);
    static const struct {
        bool listed, revokes;
    } steps[] = {{false, false}, {true, false}, {true, true}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].listed) {
            endorse(v, list_of(&c, steps[i].revokes, space));
        }
        atls_verdict *r = atls_verifier_check(v, &e, NULL, NOW, NULL);
        assert_int_equal(atls_verdict_accepted(r), !steps[i].revokes);
        assert_int_equal(r->claims.as.snp.crl_checked, steps[i].listed && !steps[i].revokes);
        assert_int_equal(has_failure(r, "snp.ca.crl", ATLS_E_INVALID), steps[i].revokes);
        assert_true(atls_verdict_simulated(r)); /* the leaf says so */
        atls_verdict_free(r);
    }
    atls_verifier_free(v);
    chain_clear(&c);
    atls_evidence_blob_clear(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_that_condemns_counts),
        cmocka_unit_test(another_products_list),
        cmocka_unit_test(a_leafs_name_hides_no_list),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
