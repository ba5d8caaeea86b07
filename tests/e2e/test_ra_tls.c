/* Sessions in the dialects of interoperable RA-TLS, between our own two ends: one-way, mutual, and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/ra_tls.h"
#include "channel/session.h"
#include "e2e/rig.h"
#include "unit/shown.h"

static const atls_sim_quote sgx = {.type = "sgx"};
static const atls_sim_quote tdx = {.type = "tdx"};

static const struct {
    const char *name;
    const atls_sim_quote *quote;
} dialects[] = {
    {"ra-tls", &sgx},     {"ra-tls", &tdx},         {"ra-tls-cmw", &sgx}, {"ra-tls-cmw", &tdx},
    {"ra-tls-sdk", &sgx}, {"ra-tls-gramine", &sgx}, {"ra-tls-sdk", &tdx},
};
#define DIALECTS (sizeof dialects / sizeof dialects[0])

static rig_options options_of(const char *bindings, const atls_sim_quote *quote)
{
    return (rig_options){.bindings = bindings, .client_quote = quote, .server_quote = quote};
}

static void assert_verdict(const rig_side *side)
{
    const atls_verdict *v = atls_session_get0_verdict(side->session);
    assert_non_null(v);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_binding(v), "key");
    assert_true(atls_verdict_simulated(v));
    char *text = atls_verdict_text(v, false);
    assert_non_null(strstr(text, "has a copy of the certificate's key"));
    assert_null(strstr(text, "this connection"));
    atls_free(text);
}

static void data_flows(rig *r)
{
    static const uint8_t ping[] = "ping";
    rig_send(&r->client, &r->server, ping, sizeof ping);
    rig_send(&r->server, &r->client, ping, sizeof ping);
}

static void each_way(void **state)
{
    (void)state;
    for (size_t d = 0; d < DIALECTS; d++) {
        for (int way = 1; way <= 3; way++) {
            rig r;
            rig_options o = options_of(dialects[d].name, dialects[d].quote);
            o.client_asks = o.server_shows = (way & 1) != 0;
            o.server_asks = o.client_shows = (way & 2) != 0;
            rig_new(&r, &o);
            rig_open(&r);
            if (o.client_asks) {
                assert_verdict(&r.client);
            }
            if (o.server_asks) {
                assert_verdict(&r.server);
            }
            data_flows(&r);
            rig_free(&r);
        }
    }
}

/* What the other end asks for, or shows, is what this one has not. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *dialect;
        const atls_sim_quote *quote;
        const char *options[5];
        atls_code code;
        const char *check;
    } cases[] = {
        {"a nonce that is not there",
         "ra-tls",
         &tdx,
         {"nonce", "0102"},
         ATLS_E_BINDING,
         "tcg.nonce"},
        {"another nonce",
         "ra-tls",
         &tdx,
         {"nonce", "0102", "claims", "nonce=0103"},
         ATLS_E_BINDING,
         "tcg.nonce"},
        {"the nonce", "ra-tls", &tdx, {"nonce", "0102", "claims", "nonce=0102"}, ATLS_OK, NULL},
        {"SHA-384 on both sides", "ra-tls-sdk", &tdx, {"hash", "sha384"}, ATLS_OK, NULL},
        {"more claims", "ra-tls-cmw", &sgx, {"claims", "role=61,x="}, ATLS_OK, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig r;
        rig_options o = options_of(cases[i].dialect, cases[i].quote);
        o.client_asks = o.server_shows = true;
        memcpy(o.options, cases[i].options, sizeof cases[i].options);
        rig_new(&r, &o);
        if (cases[i].code == ATLS_OK) {
            rig_open(&r);
            assert_verdict(&r.client);
        } else {
            rig_handshake(&r);
            rig_assert_failed(&r.client, cases[i].code, cases[i].check);
        }
        rig_free(&r);
    }
}

static void policy_names_the_dialect(void **state)
{
    (void)state;
    static const char policy[] =
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"tdx\"],"
        "\"bindings\":[\"%s\"]}]}";
    char text[256];
    rig r;
    rig_options o = options_of("ra-tls", &tdx);
    o.client_asks = o.server_shows = true;
    o.client_policy = text;
    (void)snprintf(text, sizeof text, policy, "ra-tls");
    rig_new(&r, &o);
    rig_open(&r);
    rig_free(&r);
    (void)snprintf(text, sizeof text, policy, "ra-tls-gramine");
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "policy.binding");
    rig_free(&r);
}

static void a_debug_quote_is_refused(void **state)
{
    (void)state;
    static const atls_sim_quote debug = {.type = "sgx", .debug = true};
    rig r;
    rig_options o = options_of("ra-tls-gramine", &debug);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    rig_handshake(&r);
    assert_int_equal(r.client.err.code, ATLS_E_POLICY);
    rig_free(&r);
}

/* --- SEV-SNP: the report alone; its certificates the verifier has from elsewhere --- */

typedef struct snp {
    atls_sim_world *world;
    atls_attester *attester;
} snp;

static void trust_snp(atls_verifier *v, void *arg)
{
    const snp *w = arg;
    atls_evidence_blob blob = {0};
    const atls_sim_request request = {.workload = "demo"};
    char *root = NULL;
    assert_int_equal(atls_sim_world_root(w->world, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(
                         v, (atls_buf){(const uint8_t *)root, strlen(root)}, NULL),
                     ATLS_OK);
    assert_int_equal(atls_sim_world_make(w->world, &request, &blob, NULL), ATLS_OK);
    for (size_t i = 0; i < blob.parts_n; i++) {
        if (strcmp(blob.parts[i].name, "certs") == 0) {
            assert_int_equal(atls_verifier_add1_endorsement(
                                 v, (atls_buf){blob.parts[i].bytes, blob.parts[i].len}, NULL),
                             ATLS_OK);
        }
    }
    atls_evidence_blob_clear(&blob);
    atls_free(root);
}

static void reports_of_sev_snp(void **state)
{
    (void)state;
    static const char *const names[] = {"ra-tls", "ra-tls-cmw"};
    snp w = {0};
    const atls_sim_request request = {.workload = "demo"};
    assert_int_equal(atls_sim_world_new("snp", RIG_WHEN_S, &w.world, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_attester_new(w.world, &request, &w.attester, NULL), ATLS_OK);
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_options o = {.bindings = names[i],
                         .client_asks = true,
                         .server_shows = true,
                         .server_attester = w.attester,
                         .client_trust = trust_snp,
                         .client_trust_arg = &w};
        rig_new(&r, &o);
        rig_open(&r);
        assert_verdict(&r.client);
        assert_string_equal(atls_verdict_format(atls_session_get0_verdict(r.client.session)),
                            "snp");
        data_flows(&r);
        rig_free(&r);
    }
    atls_attester_free(w.attester);
    atls_sim_world_free(w.world);
}

/* --- what this binding does not stop, and says so --- */

static SSL *plain_server(SSL_CTX *ctx, X509 *certificate, EVP_PKEY *key, BIO **other_end)
{
    BIO *own = NULL;
    assert_int_equal(BIO_new_bio_pair(&own, 65536, other_end, 65536), 1);
    SSL *ssl = SSL_new(ctx);
    assert_non_null(ssl);
    assert_int_equal(SSL_use_certificate(ssl, certificate), 1);
    assert_int_equal(SSL_use_PrivateKey(ssl, key), 1);
    SSL_set_bio(ssl, own, own);
    SSL_set_accept_state(ssl);
    return ssl;
}

/* No TEE is here, and no attester: only the key and the certificate of one, as often as one likes. */
static void a_stolen_key_is_enough(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    atls_attester *a = NULL;
    shown stolen;
    assert_int_equal(atls_sim_attester_new(rig_sim(), &tdx, &a, NULL), ATLS_OK);
    assert_int_equal(shown_make(&stolen, &atls_binding_ra_tls, key, a, RIG_WHEN_S, NULL, 0, NULL),
                     ATLS_OK);
    atls_attester_free(a);
    for (int again = 0; again < 2; again++) {
        rig_side client;
        BIO *end = NULL;
        rig_options o = options_of("ra-tls", &tdx);
        o.client_asks = true;
        SSL *thief = plain_server(ctx, stolen.link.made, key, &end);
        rig_side_new(&client, ATLS_CLIENT, &o);
        rig_side_start(&client, end, RIG_NOW_MS, RIG_WHEN_S);
        for (int i = 0; i < 20 && rig_step(&client) != ATLS_OK; i++) {
            (void)SSL_do_handshake(thief);
        }
        assert_int_equal(client.rc, ATLS_OK);
        assert_verdict(&client);
        assert_string_equal(atls_verdict_freshness(atls_session_get0_verdict(client.session)),
                            "none");
        rig_side_free(&client);
        SSL_free(thief);
    }
    /* Without the key the certificate is of no use: TLS wants a signature. */
    EVP_PKEY *other = EVP_EC_gen("P-256");
    SSL *ssl = SSL_new(ctx);
    assert_int_equal(SSL_use_certificate(ssl, stolen.link.made), 1);
    assert_int_not_equal(SSL_use_PrivateKey(ssl, other), 1);
    SSL_free(ssl);
    EVP_PKEY_free(other);
    shown_clear(&stolen);
    SSL_CTX_free(ctx);
    EVP_PKEY_free(key);
}

/* One connection of a client that knows what it saw before, to whoever has that certificate and its key. */
static atls_code connect_at(rig_side *client, SSL_CTX *ctx, X509 *certificate, EVP_PKEY *key,
                            int64_t when_s)
{
    BIO *end = NULL;
    SSL *peer = plain_server(ctx, certificate, key, &end);
    rig_side_start(client, end, RIG_NOW_MS, when_s);
    for (int i = 0; i < 20 && rig_step(client) != ATLS_OK; i++) {
        (void)SSL_do_handshake(peer);
    }
    atls_session_free(client->session);
    SSL_free(client->ssl);
    SSL_free(peer);
    client->session = NULL;
    client->ssl = NULL;
    return client->rc;
}

/* Whoever has the key can put old evidence into as many certificates as he likes. */
static void old_evidence_in_a_new_certificate_is_old(void **state)
{
    (void)state;
    static const char policy[] =
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"tdx\"],"
        "\"bindings\":[\"ra-tls\"],\"max_evidence_age_s\":60}]}";
    EVP_PKEY *key = EVP_EC_gen("P-256");
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    atls_attester *a = NULL;
    shown old, fresh;
    rig_side client;
    rig_options o = options_of("ra-tls", &tdx);
    o.client_asks = true;
    o.client_policy = policy;
    assert_int_equal(atls_sim_attester_new(rig_sim(), &tdx, &a, NULL), ATLS_OK);
    assert_int_equal(shown_make(&old, &atls_binding_ra_tls, key, a, RIG_WHEN_S, NULL, 0, NULL),
                     ATLS_OK);
    assert_int_equal(shown_make(&fresh, &atls_binding_ra_tls, key, a, RIG_WHEN_S, NULL, 0, NULL),
                     ATLS_OK);
    X509 *again = X509_dup(old.link.made);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(again), 77), 1);
    assert_true(X509_sign(again, key, EVP_sha256()) > 0);
    rig_side_new(&client, ATLS_CLIENT, &o);
    assert_int_equal(connect_at(&client, ctx, old.link.made, key, RIG_WHEN_S), ATLS_OK);
    assert_int_equal(connect_at(&client, ctx, again, key, RIG_WHEN_S + 60), ATLS_OK);
    assert_int_equal(connect_at(&client, ctx, again, key, RIG_WHEN_S + 61), ATLS_E_BINDING);
    assert_string_equal(client.err.check, "policy.evidence_age");
    assert_int_equal(connect_at(&client, ctx, fresh.link.made, key, RIG_WHEN_S + 61), ATLS_OK);
    rig_side_free(&client);
    X509_free(again);
    atls_attester_free(a);
    shown_clear(&old);
    shown_clear(&fresh);
    SSL_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static int free_sim(void **state)
{
    (void)state;
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way),
        cmocka_unit_test(refused),
        cmocka_unit_test(policy_names_the_dialect),
        cmocka_unit_test(a_debug_quote_is_refused),
        cmocka_unit_test(reports_of_sev_snp),
        cmocka_unit_test(a_stolen_key_is_enough),
        cmocka_unit_test(old_evidence_in_a_new_certificate_is_old),
    };
    return cmocka_run_group_tests(tests, NULL, free_sim);
}
