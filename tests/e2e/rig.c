#include "e2e/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

static atls_sim *the_sim;

atls_sim *rig_sim(void)
{
    atls_err err = {0};
    if (the_sim == NULL && atls_sim_new(RIG_WHEN_S, NULL, &the_sim, &err) != ATLS_OK) {
        fail_msg("simulator: %s", err.msg);
    }
    return the_sim;
}

void rig_sim_free(void)
{
    atls_sim_free(the_sim);
    the_sim = NULL;
}

static void must(atls_code rc, const atls_err *err, const char *what)
{
    if (rc != ATLS_OK) {
        fail_msg("%s: code %d, %s: %s", what, (int)rc, err->check != NULL ? err->check : "-",
                 err->msg);
    }
}

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static atls_verifier *new_verifier(const char *policy_text, bool no_collateral)
{
    atls_err err = {0};
    atls_verifier *v = atls_verifier_new();
    char *root = NULL;
    assert_non_null(v);
    must(atls_sim_root(rig_sim(), &root, &err), &err, "root");
    must(atls_verifier_insecure_trust_simulator(v, text_buf(root), &err), &err, "trust");
    atls_free(root);
    static const char *const tees[] = {"tdx", "sgx"};
    for (size_t i = 0; i < 2 && !no_collateral; i++) {
        char *json = NULL;
        atls_collateral *collateral = NULL;
        must(atls_sim_collateral(rig_sim(), tees[i], &json, &err), &err, "collateral");
        must(atls_collateral_parse(text_buf(json), &collateral, &err), &err, "parse collateral");
        must(atls_verifier_add1_collateral(v, collateral, &err), &err, "add collateral");
        atls_collateral_free(collateral);
        atls_free(json);
    }
    if (policy_text != NULL) {
        atls_policy *policy = NULL;
        must(atls_policy_parse(text_buf(policy_text), &policy, &err), &err, "policy");
        must(atls_verifier_set1_policy(v, policy, &err), &err, "set policy");
        atls_policy_free(policy);
    }
    return v;
}

/* The TLS leaf of a side that has none of its own yet: with two keys a fresh one. */
static void other_tls_key(SSL_CTX *ctx)
{
    atls_err err = {0};
    atls_config *other = atls_config_new();
    atls_attester none = {.name = "none"};
    atls_config_set0_attester(other, &none);
    must(atls_config_make_identity(other, RIG_WHEN_S, &err), &err, "second identity");
    SSL_CTX *donor = SSL_CTX_new(TLS_server_method());
    must(atls_config_apply(other, donor, ATLS_SERVER, &err), &err, "donor");
    assert_int_equal(SSL_CTX_use_certificate(ctx, SSL_CTX_get0_certificate(donor)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, SSL_CTX_get0_privatekey(donor)), 1);
    SSL_CTX_free(donor);
    atls_config_free(other);
}

static void set_up(rig_side *side, const rig_options *o)
{
    atls_err err = {0};
    if (o->two_keys) {
        other_tls_key(side->ctx);
    }
    if (o->ca != NULL) {
        assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(side->ctx), o->ca->cert), 1);
    }
    must(atls_config_apply(side->config, side->ctx, side->role, &err), &err, "apply");
    if (side->role == ATLS_SERVER && SSL_CTX_get0_certificate(side->ctx) == NULL) {
        other_tls_key(side->ctx);
    }
    if (o->suite != NULL) {
        assert_int_equal(SSL_CTX_set_ciphersuites(side->ctx, o->suite), 1);
    }
}

static void set_bindings(atls_config *c, const rig_options *o)
{
    atls_err err = {0};
    if (o->bindings != NULL) {
        must(atls_config_set_bindings(c, o->bindings, &err), &err, "bindings");
    }
    for (size_t i = 0; o->options[i] != NULL; i += 2) {
        must(atls_config_set_option(c, o->options[i], o->options[i + 1], &err), &err, "option");
    }
}

void rig_side_new(rig_side *side, atls_role role, const rig_options *o)
{
    atls_err err = {0};
    bool client = role == ATLS_CLIENT;
    *side = (rig_side){.role = role};
    side->config = atls_config_new();
    assert_non_null(side->config);
    if (client ? o->client_asks : o->server_asks) {
        side->verifier = new_verifier(client ? o->client_policy : o->server_policy, o->no_collateral);
        if (client && o->client_trust != NULL) {
            o->client_trust(side->verifier, o->client_trust_arg);
        }
        if (!client && o->server_trust != NULL) {
            o->server_trust(side->verifier, o->server_trust_arg);
        }
        atls_config_set0_verifier(side->config, side->verifier);
    }
    const atls_attester *given = client ? o->client_attester : o->server_attester;
    if (given != NULL) {
        atls_config_set0_attester(side->config, given);
    } else if (client ? o->client_shows : o->server_shows) {
        const atls_sim_quote *quote = client ? o->client_quote : o->server_quote;
        must(atls_sim_attester_new(rig_sim(), quote != NULL ? quote : &(atls_sim_quote){0},
                                   &side->attester, &err),
             &err, "attester");
        atls_config_set0_attester(side->config, side->attester);
    }
    const rig_cert *cert = client ? o->client_cert : o->server_cert;
    must(cert != NULL ? atls_config_set1_identity(side->config, cert->cert, cert->key, &err)
                      : atls_config_make_identity(side->config, RIG_WHEN_S, &err),
         &err, "identity");
    atls_config_set_two_keys(side->config, o->two_keys);
    atls_config_set_attest_after_peer(side->config, !client && o->after_peer);
    atls_config_set_timeout_ms(side->config, o->timeout_ms);
    set_bindings(side->config, o);
    if (o->configure != NULL) {
        o->configure(side->config, role, o->configure_arg);
    }
    const char *alpn = client ? o->client_alpn : o->server_alpn;
    if (alpn != NULL) {
        must(atls_config_set_alpn(side->config, alpn, &err), &err, "alpn");
    }
    side->ctx = SSL_CTX_new(client ? TLS_client_method() : TLS_server_method());
    assert_non_null(side->ctx);
    set_up(side, o);
}

void rig_side_start(rig_side *side, BIO *bio, uint64_t now_ms, int64_t when_s)
{
    atls_err err = {0};
    side->ssl = SSL_new(side->ctx);
    assert_non_null(side->ssl);
    SSL_set_bio(side->ssl, bio, bio);
    if (side->resume != NULL) {
        assert_int_equal(SSL_set_session(side->ssl, side->resume), 1);
    }
    if (side->tweak != NULL) {
        side->tweak(side->ssl);
    }
    must(
        atls_session_new(side->config, side->ssl, side->role, now_ms, when_s, &side->session, &err),
        &err, "session");
    side->rc = ATLS_WANT_READ;
}

void rig_side_free(rig_side *side)
{
    atls_session_free(side->session);
    SSL_free(side->ssl);
    SSL_CTX_free(side->ctx);
    atls_config_free(side->config);
    atls_attester_free(side->attester);
    atls_verifier_free(side->verifier);
    *side = (rig_side){0};
}

void rig_new(rig *r, const rig_options *o)
{
    BIO *a = NULL;
    BIO *b = NULL;
    size_t pipe = o->pipe == 0 ? 65536 : o->pipe;
    *r = (rig){.now_ms = RIG_NOW_MS, .when_s = RIG_WHEN_S};
    rig_side_new(&r->client, ATLS_CLIENT, o);
    rig_side_new(&r->server, ATLS_SERVER, o);
    assert_int_equal(BIO_new_bio_pair(&a, pipe, &b, pipe), 1);
    rig_side_start(&r->client, a, r->now_ms, r->when_s);
    rig_side_start(&r->server, b, r->now_ms, r->when_s);
    if (o->no_client_certificate) {
        SSL_certs_clear(r->client.ssl);
    }
}

void rig_free(rig *r)
{
    rig_side_free(&r->client);
    rig_side_free(&r->server);
}

static bool wants(atls_code rc)
{
    return rc >= ATLS_WANT_READ;
}

static bool run_job(rig_side *side)
{
    atls_job *job = atls_session_get0_job(side->session);
    if (job == NULL || side->hold_jobs) {
        return false;
    }
    atls_job_run(job);
    return true;
}

atls_code rig_step(rig_side *side)
{
    side->rc = atls_session_handshake(side->session, &side->err);
    for (int i = 0; i < 4 && side->rc == ATLS_WANT_JOB && run_job(side); i++) {
        side->rc = atls_session_handshake(side->session, &side->err);
    }
    return side->rc;
}

void rig_handshake(rig *r)
{
    for (int i = 0; i < 2000; i++) {
        bool going = false;
        if (wants(r->client.rc)) {
            going = true;
            (void)rig_step(&r->client);
        }
        if (wants(r->server.rc)) {
            going = true;
            (void)rig_step(&r->server);
        }
        if (!going) {
            return;
        }
    }
}

static void assert_open(const rig_side *side)
{
    if (side->rc != ATLS_OK) {
        fail_msg("%s: code %d, %s: %s", side->role == ATLS_CLIENT ? "client" : "server",
                 (int)side->rc, side->err.check != NULL ? side->err.check : "-", side->err.msg);
    }
}

void rig_open(rig *r)
{
    rig_handshake(r);
    assert_open(&r->client);
    assert_open(&r->server);
}

void rig_clock(rig *r, uint64_t forward_ms)
{
    r->now_ms += forward_ms;
    r->when_s += (int64_t)(forward_ms / 1000);
    atls_session_set_time(r->client.session, r->now_ms, r->when_s);
    atls_session_set_time(r->server.session, r->now_ms, r->when_s);
}

atls_code rig_read(rig_side *side, uint8_t *out, size_t cap, size_t *done)
{
    side->rc = atls_session_read(side->session, out, cap, done, &side->err);
    if (side->rc == ATLS_WANT_JOB && run_job(side)) {
        side->rc = atls_session_read(side->session, out, cap, done, &side->err);
    }
    return side->rc;
}

void rig_send(rig_side *from, rig_side *to, const uint8_t *data, size_t len)
{
    uint8_t chunk[4096];
    size_t sent = 0;
    size_t got = 0;
    for (int i = 0; got < len && i < 1000000; i++) {
        size_t n = 0;
        if (sent < len) {
            from->rc = atls_session_write(from->session, data + sent, len - sent, &n, &from->err);
            assert_true(from->rc == ATLS_OK || from->rc == ATLS_WANT_WRITE);
            sent += n;
        } else {
            uint8_t none = 0;
            assert_true(wants(rig_read(from, &none, 1, &n))); /* flushes */
        }
        if (rig_read(to, chunk, sizeof chunk, &n) == ATLS_OK) {
            assert_true(n > 0 && got + n <= len);
            assert_memory_equal(chunk, data + got, n);
            got += n;
        } else if (!wants(to->rc)) {
            fail_msg("receiver: %s: %s", to->err.check, to->err.msg);
        }
    }
    assert_int_equal(got, len);
}

void rig_settle(rig *r)
{
    for (int i = 0; i < 200; i++) {
        uint8_t none = 0;
        size_t n = 0;
        if (rig_read(&r->client, &none, 1, &n) == ATLS_OK) {
            assert_int_equal(n, 0);
        }
        if (rig_read(&r->server, &none, 1, &n) == ATLS_OK) {
            assert_int_equal(n, 0);
        }
    }
}

void rig_assert_failed(const rig_side *side, atls_code code, const char *check)
{
    if (side->rc != code || side->err.check == NULL || strcmp(side->err.check, check) != 0) {
        fail_msg("%s: code %d, %s: %s; wanted %d, %s",
                 side->role == ATLS_CLIENT ? "client" : "server", (int)side->rc,
                 side->err.check != NULL ? side->err.check : "-", side->err.msg, (int)code, check);
    }
}
