/* Platforms over a PKI made here: which chain is taken, from the quote or the collateral, and what a QE
 * report must vouch for. (Each certificate and list wrong alone: test_verifier, over the simulator.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include "crypto/digest.h"
#include "evidence/dcap/quote.h"
#include "trust/trust.h"
#include "unit/pki.h"
#include <atls/sim.h>

#define DAY_NOW 20000L /* days since 1970 */

typedef struct world {
    EVP_PKEY *root_key, *ca_key, *leaf_key;
    X509 *root, *ca, *leaf, *other_leaf;
    char *root_pem, *ca_pem, *leaf_pem, *other_leaf_pem;
    uint8_t sgx[1024]; /* a well-formed SGX extension */
    size_t sgx_len;
    uint8_t attestation_key[64];
} world;

/* Out of a simulated quote: nothing in it is secret, and its form is the real one. */
static void take_extension(world *w)
{
    atls_sim *sim = NULL;
    uint8_t *quote = NULL;
    size_t len = 0;
    atls_quote q;
    atls_sim_quote what = {.type = "tdx"};
    assert_int_equal(atls_sim_new(DAY_NOW * PKI_DAY, NULL, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_make_quote(sim, &what, &quote, &len, NULL), ATLS_OK);
    assert_int_equal(atls_quote_parse((atls_buf){quote, len}, &q, NULL), ATLS_OK);
    uint8_t space[8192];
    atls_buf ders[3];
    size_t n = 0;
    assert_int_equal(atls_cert_split(q.certification_data, space, sizeof space, ders, 3, &n, NULL),
                     ATLS_OK);
    for (size_t i = 0; i < n; i++) {
        atls_cert *cert = NULL;
        assert_int_equal(atls_cert_parse(ders[i], &cert, NULL), ATLS_OK);
        if (cert->sgx_extension.len > 0) {
            assert_true(cert->sgx_extension.len <= sizeof w->sgx);
            memcpy(w->sgx, cert->sgx_extension.ptr, cert->sgx_extension.len);
            w->sgx_len = cert->sgx_extension.len;
        }
        atls_cert_free(cert);
    }
    assert_true(w->sgx_len > 0);
    atls_free(quote);
    atls_sim_free(sim);
}

static X509 *make(const char *cn, long serial, bool is_ca, const world *w, EVP_PKEY *key,
                  X509 *issuer, EVP_PKEY *issuer_key)
{
    pki_spec s = {.cn = cn,
                  .serial = serial,
                  .not_before_s = (DAY_NOW - 10) * PKI_DAY,
                  .not_after_s = (DAY_NOW + 100) * PKI_DAY,
                  .basic = is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE",
                  .usage = is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"};
    if (!is_ca) {
        s.sgx = (atls_buf){w->sgx, w->sgx_len};
    }
    return pki_cert(&s, key, issuer, issuer_key);
}

static int setup(void **state)
{
    static world w;
    take_extension(&w);
    w.root_key = pki_key();
    w.ca_key = pki_key();
    w.leaf_key = pki_key();
    w.root = make("Test SGX Root CA", 1, true, &w, w.root_key, NULL, w.root_key);
    w.ca = make("Test SGX PCK Platform CA", 2, true, &w, w.ca_key, w.root, w.root_key);
    w.leaf = make("Test SGX PCK Certificate", 3, false, &w, w.leaf_key, w.ca, w.ca_key);
    w.other_leaf = make("Test SGX PCK Certificate", 4, false, &w, w.leaf_key, w.ca, w.ca_key);
    w.root_pem = pki_pem(w.root);
    w.ca_pem = pki_pem(w.ca);
    w.leaf_pem = pki_pem(w.leaf);
    w.other_leaf_pem = pki_pem(w.other_leaf);
    EVP_PKEY *attestation = pki_key();
    pki_point(attestation, w.attestation_key);
    EVP_PKEY_free(attestation);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    EVP_PKEY *keys[] = {w->root_key, w->ca_key, w->leaf_key};
    X509 *certs[] = {w->root, w->ca, w->leaf, w->other_leaf};
    char *pems[] = {w->root_pem, w->ca_pem, w->leaf_pem, w->other_leaf_pem};
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY_free(keys[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        X509_free(certs[i]);
        free(pems[i]);
    }
    return 0;
}

/* --- one judgement --- */

typedef struct run {
    const world *w;
    uint16_t type;
    char certification[16384];
    const char *collateral_chain; /* pck_certificate_chain; NULL: no collateral */
    uint8_t attestation_key[64];
    bool wrong_report_data;
    /* out */
    atls_trust *trust;
    atls_intel_platform *p;
    atls_ledger l;
    unsigned signatures;
} run;

static run run_of(const world *w)
{
    run r = {.w = w, .type = 5};
    memcpy(r.attestation_key, w->attestation_key, sizeof r.attestation_key);
    (void)snprintf(r.certification, sizeof r.certification, "%s%s%s", w->leaf_pem, w->ca_pem,
                   w->root_pem);
    return r;
}

static void sign(EVP_PKEY *key, const uint8_t report[384], uint8_t rs[64])
{
    uint8_t digest[32];
    uint8_t der[80];
    size_t len = sizeof der;
    atls_buf piece = {report, 384};
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, digest, NULL), ATLS_OK);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    EVP_PKEY_sign_init(ctx);
    EVP_PKEY_sign(ctx, der, &len, digest, sizeof digest);
    EVP_PKEY_CTX_free(ctx);
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + 32, 32);
    ECDSA_SIG_free(sig);
}

static void add_collateral(const run *r)
{
    json_t *object = json_pack("{s:s}", "pck_certificate_chain", r->collateral_chain);
    char *text = json_dumps(object, JSON_COMPACT);
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse((atls_buf){(uint8_t *)text, strlen(text)}, &c, NULL),
                     ATLS_OK);
    assert_int_equal(atls_trust_add1_collateral(r->trust, c, NULL), ATLS_OK);
    atls_collateral_free(c);
    free(text);
    json_decref(object);
}

static void judge(run *r)
{
    uint8_t report[384] = {0};
    uint8_t rs[64];
    atls_buf key = {r->attestation_key, 64};
    assert_int_equal(atls_digest(ATLS_SHA256, &key, 1, report + 320, NULL), ATLS_OK);
    report[320] ^= r->wrong_report_data ? 1 : 0;
    sign(r->w->leaf_key, report, rs);
    atls_platform_evidence e = {
        .is_tdx = true,
        .version = 4,
        .bytes = {rs, sizeof rs},
        .certification_type = r->type,
        .certification_data = {(uint8_t *)r->certification, strlen(r->certification)},
        .qe_report = {report, sizeof report},
        .qe_report_signature = {rs, sizeof rs},
        .attestation_key = key};
    r->trust = atls_trust_new();
    assert_non_null(r->trust);
    atls_buf root = {(const uint8_t *)r->w->root_pem, strlen(r->w->root_pem)};
    assert_int_equal(atls_trust_set1_root(r->trust, ATLS_FAMILY_INTEL, root, NULL), ATLS_OK);
    if (r->collateral_chain != NULL) {
        add_collateral(r);
    }
    atls_ledger_init(&r->l);
    atls_judging j = {&r->l, &r->signatures};
    assert_int_equal(atls_intel_platform_judge(r->trust, &(atls_view){0}, &e, &j, &r->p, NULL), ATLS_OK);
    assert_false(r->p->good); /* without lists and TCB info nothing is kept */
}

static void done(run *r)
{
    atls_intel_platform_free(r->p);
    atls_trust_free(r->trust);
}

static bool failed(const run *r, const char *id, atls_code code)
{
    for (size_t i = 0; i < r->l.count; i++) {
        const atls_entry *e = &r->l.entries[i];
        if (e->result == ATLS_CHECK_FAIL && strcmp(e->id, id) == 0) {
            return e->code == code;
        }
    }
    return false;
}

static void assert_holds(run *r)
{
    judge(r);
    assert_true(r->p->holds && r->p->attestation_key != NULL);
    assert_false(r->p->simulated);
    assert_true(r->p->custom_root);
    assert_int_equal(r->signatures, 3);
    done(r);
}

static void assert_fails(run *r, const char *id, atls_code code)
{
    judge(r);
    if (!failed(r, id, code)) {
        print_error("%s was expected to fail\n", id);
    }
    assert_true(failed(r, id, code));
    assert_null(r->p->attestation_key);
    done(r);
}

/* --- tests --- */

static void the_chain_may_stand_in_any_order(void **state)
{
    const world *w = *state;
    const char *c[] = {w->leaf_pem, w->ca_pem, w->root_pem};
    static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < 6; i++) {
        run r = run_of(w);
        (void)snprintf(r.certification, sizeof r.certification, "%s%s%s", c[order[i][0]],
                       c[order[i][1]], c[order[i][2]]);
        assert_holds(&r);
    }
}

static void other_than_one_of_each_is_refused(void **state)
{
    const world *w = *state;
    static const struct {
        const char *what, *parts, *check;
    } cases[] = {
        {"nothing", "", "pck.chain.format"},
        {"two certificates", "lc", "pck.chain.format"},
        {"four certificates", "lcrr", "pck.chain.format"},
        {"two leaves, no CA", "lor", "pck.chain.ca"},
        {"two CAs, no leaf", "ccr", "pck.chain.leaf"},
        {"no root", "lcc", "pck.chain.root"},
        {"two roots", "lrr", "pck.chain.ca"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run r = run_of(w);
        r.certification[0] = '\0';
        for (const char *part = cases[i].parts; *part != '\0'; part++) {
            const char *pem = *part == 'l'   ? w->leaf_pem
                              : *part == 'o' ? w->other_leaf_pem
                              : *part == 'c' ? w->ca_pem
                                             : w->root_pem;
            OPENSSL_strlcat(r.certification, pem, sizeof r.certification);
        }
        assert_fails(&r, cases[i].check, ATLS_E_INVALID);
    }
}

static void a_quote_without_chain_needs_one_from_the_collateral(void **state)
{
    const world *w = *state;
    run whole = run_of(w);
    for (uint16_t type = 1; type <= 3; type++) {
        run r = run_of(w);
        r.type = type;
        assert_fails(&r, "pck.missing", ATLS_E_COLLATERAL);
        r = run_of(w);
        r.type = type;
        r.collateral_chain = whole.certification;
        assert_holds(&r);
    }
}

static void a_type_4_leaf_must_be_that_of_the_chain(void **state)
{
    const world *w = *state;
    run whole = run_of(w);
    run r = run_of(w);
    r.type = 4;
    (void)snprintf(r.certification, sizeof r.certification, "%s", w->leaf_pem);
    assert_fails(&r, "pck.missing", ATLS_E_COLLATERAL);
    r = run_of(w);
    r.type = 4;
    r.collateral_chain = whole.certification;
    (void)snprintf(r.certification, sizeof r.certification, "%s", w->leaf_pem);
    assert_holds(&r);
    r = run_of(w);
    r.type = 4;
    r.collateral_chain = whole.certification;
    (void)snprintf(r.certification, sizeof r.certification, "%s", w->other_leaf_pem);
    assert_fails(&r, "pck.leaf.quoted", ATLS_E_INVALID);
}

static void a_chain_in_the_collateral_replaces_the_quotes(void **state)
{
    const world *w = *state;
    run whole = run_of(w);
    run r = run_of(w);
    (void)snprintf(r.certification, sizeof r.certification, "no chain at all");
    r.collateral_chain = whole.certification;
    assert_holds(&r);
    r = run_of(w);
    r.collateral_chain = "no chain at all";
    assert_fails(&r, "pck.chain.format", ATLS_E_INVALID);
}

static void a_vouched_key_must_be_a_point_of_the_curve(void **state)
{
    run r = run_of(*state);
    r.attestation_key[63] ^= 1;
    assert_fails(&r, "quote.attestation_key", ATLS_E_INVALID);
    r = run_of(*state);
    r.wrong_report_data = true;
    assert_fails(&r, "qe_report.data", ATLS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_may_stand_in_any_order),
        cmocka_unit_test(other_than_one_of_each_is_refused),
        cmocka_unit_test(a_quote_without_chain_needs_one_from_the_collateral),
        cmocka_unit_test(a_type_4_leaf_must_be_that_of_the_chain),
        cmocka_unit_test(a_chain_in_the_collateral_replaces_the_quotes),
        cmocka_unit_test(a_vouched_key_must_be_a_point_of_the_curve),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
