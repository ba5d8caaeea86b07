/* Cocos end to end: both roles with each kind of evidence, and what an attacker in between or a wrong peer can try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/rig.h"

#define BINDINGS(tee, more)                                                                        \
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"" tee                           \
    "\"],\"bindings\":[\"cocos\"]" more "}]}"

#define SNP_POLICY BINDINGS("snp", ",\"crl\":\"if-present\"")

static const rig_options plain = {.client_asks = true,
                                  .server_shows = true,
                                  .bindings = "cocos",
                                  .client_policy = BINDINGS("tdx", "")};

static void assert_works(rig *r)
{
    rig_open(r);
    const atls_verdict *v = atls_session_get0_verdict(r->client.session);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_binding(v), "session");
    assert_string_equal(atls_verdict_freshness(v), "this connection");
    rig_send(&r->client, &r->server, (const uint8_t *)"question", 8);
    rig_send(&r->server, &r->client, (const uint8_t *)"answer", 6);
}

static void tdx(void **state)
{
    (void)state;
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    for (size_t i = 0; i < 3; i++) {
        rig_options o = plain;
        rig r;
        o.suite = suites[i];
        rig_new(&r, &o);
        assert_works(&r);
        char *text = atls_verdict_text(atls_session_get0_verdict(r.client.session), false);
        assert_non_null(text);
        assert_non_null(strstr(text, "exporter + key"));
        atls_free(text);
        rig_free(&r);
    }
}

/* --- the other families --- */

typedef struct world {
    atls_sim_world *sim;
    atls_attester *attester;
    bool keep; /* its keys take a while to make */
} world;

static void world_new(world *w, const char *name, const atls_sim_request *request)
{
    if (w->sim == NULL) {
        assert_int_equal(atls_sim_world_new(name, RIG_WHEN_S, &w->sim, NULL), ATLS_OK);
    }
    assert_int_equal(atls_sim_world_attester_new(w->sim, request, &w->attester, NULL), ATLS_OK);
}

static void world_free(world *w)
{
    atls_attester_free(w->attester);
    w->attester = NULL;
    if (w->keep) {
        return;
    }
    atls_sim_world_free(w->sim);
    w->sim = NULL;
}

static void trust_world(atls_verifier *v, void *arg)
{
    const world *w = arg;
    char *pem = NULL;
    char *more = NULL;
    assert_int_equal(atls_sim_world_root(w->sim, &pem, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(w->sim, &more, NULL), ATLS_OK);
    if (pem != NULL) {
        assert_int_equal(atls_verifier_insecure_trust_simulator(
                             v, (atls_buf){(const uint8_t *)pem, strlen(pem)}, NULL),
                         ATLS_OK);
    }
    if (more != NULL) {
        assert_int_equal(atls_verifier_add1_endorsement(
                             v, (atls_buf){(const uint8_t *)more, strlen(more)}, NULL),
                         ATLS_OK);
    }
    atls_free(pem);
    atls_free(more);
}

static void families(void **state)
{
    (void)state;
    static const struct {
        const char *world, *variant, *policy;
    } rows[] = {
        {"snp", NULL, SNP_POLICY},
        {"snp", "genoa", SNP_POLICY},
        {"snp", "vlek", SNP_POLICY},
        {"tpm", NULL, BINDINGS("tpm", "")},
    };
    world w = {NULL, NULL, false};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig r;
        rig_options o = plain;
        print_message("%s %s\n", rows[i].world, rows[i].variant != NULL ? rows[i].variant : "");
        world_new(&w, rows[i].world, &(atls_sim_request){.variant = rows[i].variant});
        o.server_attester = w.attester;
        o.client_trust = trust_world;
        o.client_trust_arg = &w;
        o.client_policy = rows[i].policy;
        rig_new(&r, &o);
        assert_works(&r);
        rig_free(&r);
        w.keep =
            i + 1 < sizeof rows / sizeof rows[0] && strcmp(rows[i].world, rows[i + 1].world) == 0;
        world_free(&w);
    }
}

/* Without the caller's word for its key, a TPM's quote proves nothing. */
static void a_tpm_that_nobody_vouches_for(void **state)
{
    (void)state;
    world w = {NULL, NULL, false};
    rig r;
    rig_options o = plain;
    world_new(&w, "tpm", &(atls_sim_request){.debug = false});
    o.server_attester = w.attester;
    o.client_policy = BINDINGS("tpm", "");
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_INVALID, "tpm.ak.untrusted");
    rig_free(&r);
    world_free(&w);
}

/* --- settings --- */

static void layouts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *suite, *world, *server, *client;
    } rows[] = {
        {"layout", "binder-padded", "TLS_AES_256_GCM_SHA384", NULL, NULL, NULL},
        {"extension", "0xffff", "TLS_AES_128_GCM_SHA256", NULL, NULL, NULL},
        {"extension", "65281", "TLS_AES_128_GCM_SHA256", NULL, NULL, NULL},
        {"tpm", "binder", "TLS_AES_128_GCM_SHA256", "tpm", NULL, NULL},
        {"tpm", "binder", "TLS_AES_256_GCM_SHA384", "tpm", "cocos.tpm_binder", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world w = {NULL, NULL, false};
        rig r;
        rig_options o = plain;
        print_message("%s=%s\n", rows[i].name, rows[i].value);
        o.options[0] = rows[i].name;
        o.options[1] = rows[i].value;
        o.suite = rows[i].suite;
        if (rows[i].world != NULL) {
            world_new(&w, rows[i].world, &(atls_sim_request){.debug = false});
            o.server_attester = w.attester;
            o.client_trust = trust_world;
            o.client_trust_arg = &w;
            o.client_policy = BINDINGS("tpm", "");
        }
        rig_new(&r, &o);
        if (rows[i].server == NULL) {
            assert_works(&r);
        } else {
            rig_handshake(&r);
            rig_assert_failed(&r.server, ATLS_E_USAGE, rows[i].server);
            assert_int_not_equal(r.client.rc, ATLS_OK);
        }
        rig_free(&r);
        if (rows[i].world != NULL) {
            world_free(&w);
        }
    }
}

/* One side changes a setting by itself: never accepted. */
static void other_settings_at_the_other_end(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *check;
        bool tpm;
    } rows[] = {
        {"layout", "binder-padded", "binding.report_data", false},
        {"tpm", "binder", "binding.report_data", true},
        {"extension", "0xffff", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world w = {NULL, NULL, false};
        rig_side client;
        rig_side server;
        BIO *a = NULL;
        BIO *b = NULL;
        rig_options o = plain;
        o.suite = "TLS_AES_128_GCM_SHA256";
        if (rows[i].tpm) {
            world_new(&w, "tpm", &(atls_sim_request){.debug = false});
            o.server_attester = w.attester;
            o.client_trust = trust_world;
            o.client_trust_arg = &w;
            o.client_policy = BINDINGS("tpm", "");
        }
        rig_side_new(&client, ATLS_CLIENT, &o);
        o.options[0] = rows[i].name;
        o.options[1] = rows[i].value;
        rig_side_new(&server, ATLS_SERVER, &o);
        assert_int_equal(BIO_new_bio_pair(&a, 1u << 18, &b, 1u << 18), 1);
        rig_side_start(&client, a, RIG_NOW_MS, RIG_WHEN_S);
        rig_side_start(&server, b, RIG_NOW_MS, RIG_WHEN_S);
        for (int k = 0; k < 60; k++) {
            if (client.rc >= ATLS_WANT_READ) {
                (void)rig_step(&client);
            }
            if (server.rc >= ATLS_WANT_READ) {
                (void)rig_step(&server);
            }
        }
        if (rows[i].check != NULL) {
            rig_assert_failed(&client, ATLS_E_BINDING, rows[i].check);
        } else {
            rig_assert_failed(&server, ATLS_E_INVALID, "cocos.request");
        }
        assert_int_not_equal(client.rc, ATLS_OK);
        rig_side_free(&client);
        rig_side_free(&server);
        if (rows[i].tpm) {
            world_free(&w);
        }
    }
}

/* --- keys --- */

static void two_keys_by_policy(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        rig_cert ca = {NULL, NULL};
        rig_cert tls = {NULL, NULL};
        rig r;
        rig_options o = plain;
        rig_cert_make(&ca, "ca", NULL);
        rig_cert_make(&tls, "web.example", &ca);
        o.ca = &ca;
        o.client_policy =
            allowed ? BINDINGS("tdx", ",\"two_keys\":true,\"pki\":{\"names\":[\"web.example\"]}")
                    : BINDINGS("tdx", ",\"pki\":{\"names\":[\"web.example\"]}");
        rig_new(&r, &o);
        assert_int_equal(SSL_use_certificate(r.server.ssl, tls.cert), 1);
        assert_int_equal(SSL_use_PrivateKey(r.server.ssl, tls.key), 1);
        rig_handshake(&r);
        if (allowed) {
            assert_int_equal(r.client.rc, ATLS_OK);
        } else {
            rig_assert_failed(&r.client, ATLS_E_BINDING, "session.key");
        }
        rig_free(&r);
        rig_cert_free(&ca);
        rig_cert_free(&tls);
    }
}

/* The policy names other dialects. */
static void a_policy_without_it(void **state)
{
    (void)state;
    rig r;
    rig_options o = plain;
    o.client_policy = "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"tdx\"]}]}";
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "policy.binding");
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tdx),
        cmocka_unit_test(families),
        cmocka_unit_test(a_tpm_that_nobody_vouches_for),
        cmocka_unit_test(layouts),
        cmocka_unit_test(other_settings_at_the_other_end),
        cmocka_unit_test(two_keys_by_policy),
        cmocka_unit_test(a_policy_without_it),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    rig_sim_free();
    return rc;
}
