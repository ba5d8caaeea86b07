/* Sessions between our own two ends: every way to attest, data, closing. design.md 4.1 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channel/session.h"
#include "e2e/rig.h"

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

static void assert_verdict(const rig_side *side)
{
    const atls_verdict *v = atls_session_get0_verdict(side->session);
    assert_non_null(v);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_binding(v), "session");
    assert_string_equal(atls_verdict_freshness(v), "this connection");
    assert_true(atls_verdict_simulated(v));
    assert_int_equal(atls_session_rounds(side->session), 1);
}

static void both_attest(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    assert_verdict(&r.client);
    assert_verdict(&r.server);
    assert_true(atls_session_peer_accepted(r.client.session));
    assert_true(atls_session_peer_accepted(r.server.session));
    static const uint8_t ping[] = "ping";
    rig_send(&r.client, &r.server, ping, sizeof ping);
    rig_send(&r.server, &r.client, ping, sizeof ping);
    rig_free(&r);
}

static void server_attests(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &(rig_options){.client_asks = true, .server_shows = true});
    rig_open(&r);
    assert_verdict(&r.client);
    assert_null(atls_session_get0_verdict(r.server.session));
    static const uint8_t ping[] = "ping";
    rig_send(&r.client, &r.server, ping, sizeof ping);
    rig_send(&r.server, &r.client, ping, sizeof ping);
    rig_free(&r);
}

static void client_attests(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &(rig_options){.server_asks = true, .client_shows = true});
    rig_open(&r);
    assert_verdict(&r.server);
    assert_null(atls_session_get0_verdict(r.client.session));
    rig_free(&r);
}

static void client_without_a_tls_certificate_attests(void **state)
{
    (void)state;
    rig r;
    rig_options o = mutual;
    o.no_client_certificate = true;
    rig_new(&r, &o);
    rig_open(&r);
    assert_verdict(&r.server);
    rig_free(&r);
}

/* What both ends' configurations say of themselves allows the peer nothing: the policy would have to. */
static void two_keys_need_the_policy(void **state)
{
    (void)state;
    rig r;
    rig_options o = mutual;
    o.two_keys = true;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_BINDING, "session.key");
    rig_free(&r);
}

static void server_shows_only_after_the_client_is_accepted(void **state)
{
    (void)state;
    rig r;
    rig_options o = mutual;
    o.after_peer = true;
    rig_new(&r, &o);
    r.client.hold_jobs = true;
    r.server.hold_jobs = true;
    rig_handshake(&r);
    assert_int_equal(r.client.rc, ATLS_WANT_JOB);
    assert_int_equal(r.server.rc, ATLS_WANT_READ);
    assert_null(atls_session_get0_job(r.server.session));
    r.client.hold_jobs = false;
    rig_handshake(&r);
    assert_int_equal(atls_session_rounds(r.server.session), 1);
    assert_int_equal(r.server.rc, ATLS_WANT_JOB); /* now, and not before */
    r.server.hold_jobs = false;
    rig_open(&r);
    assert_verdict(&r.client);
    rig_free(&r);
}

static void after_peer_is_for_servers_that_ask(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &mutual);
    atls_session *s = NULL;
    atls_err err = {0};
    atls_config_set_attest_after_peer(r.client.config, true);
    SSL *ssl = SSL_new(r.client.ctx);
    assert_int_equal(atls_session_new(r.client.config, ssl, ATLS_CLIENT, 0, 0, &s, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "config.after_peer");
    SSL_free(ssl);
    rig_free(&r);
}

static void nothing_asked_by_both_is_an_error(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &(rig_options){.client_shows = true, .server_shows = true});
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_USAGE, "session.nothing_asked");
    rig_assert_failed(&r.server, ATLS_E_USAGE, "session.nothing_asked");
    rig_free(&r);
}

static void each_suite(void **state)
{
    (void)state;
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    for (size_t i = 0; i < 3; i++) {
        rig r;
        rig_options o = mutual;
        o.suite = suites[i];
        rig_new(&r, &o);
        rig_open(&r);
        assert_string_equal(SSL_get_cipher_name(r.client.ssl), suites[i]);
        assert_verdict(&r.client);
        assert_verdict(&r.server);
        rig_free(&r);
    }
}

static void each_alpn_name(void **state)
{
    (void)state;
    static const char *const names[] = {"atls/1", "atls/1+h2", "atls/1+http/1.1"};
    for (size_t i = 0; i < 3; i++) {
        rig r;
        rig_options o = mutual;
        o.client_alpn = names[i];
        o.server_alpn = "atls/1+http/1.1,atls/1,atls/1+h2";
        rig_new(&r, &o);
        rig_open(&r);
        const unsigned char *name = NULL;
        unsigned len = 0;
        SSL_get0_alpn_selected(r.server.ssl, &name, &len);
        assert_int_equal(len, strlen(names[i]));
        assert_memory_equal(name, names[i], len);
        rig_free(&r);
    }
}

static void no_common_alpn_name(void **state)
{
    (void)state;
    rig r;
    rig_options o = mutual;
    o.client_alpn = "atls/1+h2";
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "tls.alpn");
    rig_assert_failed(&r.server, ATLS_E_POLICY, "tls.alpn");
    rig_free(&r);
}

static void alpn_lists_that_make_no_sense(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "h2", "atls/1,", "atls/1,atls/1", "atls/2", "atls/1 "};
    atls_config *c = atls_config_new();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_err err = {0};
        assert_int_equal(atls_config_set_alpn(c, bad[i], &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "config.alpn");
    }
    atls_config_free(c);
}

/* Pipes so small that every frame is written and read in pieces. */
static void small_pipes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 7, 100, 1000};
    for (size_t i = 0; i < 4; i++) {
        rig r;
        rig_options o = mutual;
        o.pipe = sizes[i];
        o.timeout_ms = 60000;
        rig_new(&r, &o);
        for (int k = 0; k < 200 && (r.client.rc >= 16 || r.server.rc >= 16); k++) {
            rig_handshake(&r);
        }
        rig_open(&r);
        rig_free(&r);
    }
}

static void much_data_both_ways_at_once(void **state)
{
    (void)state;
    enum { LEN = 1000003 };
    uint8_t *data = malloc(LEN);
    assert_non_null(data);
    for (size_t i = 0; i < LEN; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    rig_side *side[2] = {&r.client, &r.server};
    size_t sent[2] = {0, 0};
    size_t got[2] = {0, 0};
    uint8_t chunk[5000];
    for (int i = 0; (got[0] < LEN || got[1] < LEN) && i < 100000; i++) {
        rig_side *s = side[i % 2];
        size_t n = 0;
        if (sent[i % 2] < LEN) {
            s->rc =
                atls_session_write(s->session, data + sent[i % 2], LEN - sent[i % 2], &n, &s->err);
            assert_true(s->rc == ATLS_OK || s->rc == ATLS_WANT_WRITE);
            sent[i % 2] += n;
        }
        if (rig_read(s, chunk, sizeof chunk, &n) == ATLS_OK) {
            assert_memory_equal(chunk, data + got[i % 2], n);
            got[i % 2] += n;
        }
    }
    assert_int_equal(got[0], LEN);
    assert_int_equal(got[1], LEN);
    rig_free(&r);
    free(data);
}

static void close_is_an_end_and_truncation_is_not(void **state)
{
    (void)state;
    uint8_t b[16];
    size_t n = 1;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    assert_int_equal(atls_session_shutdown(r.client.session, &r.client.err), ATLS_OK);
    assert_int_equal(rig_read(&r.server, b, sizeof b, &n), ATLS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(rig_read(&r.server, b, sizeof b, &n), ATLS_OK); /* and it stays so */
    assert_int_equal(n, 0);
    assert_int_equal(atls_session_write(r.client.session, b, 1, &n, &r.client.err), ATLS_E_USAGE);
    /* The other half is still open. */
    assert_int_equal(
        atls_session_write(r.server.session, (const uint8_t *)"late", 4, &n, &r.server.err),
        ATLS_OK);
    assert_int_equal(rig_read(&r.client, b, sizeof b, &n), ATLS_OK);
    assert_int_equal(n, 4);
    rig_free(&r);

    rig_new(&r, &mutual);
    rig_open(&r);
    assert_int_equal(SSL_shutdown(r.client.ssl), 0); /* close_notify without frame 5 */
    (void)rig_read(&r.server, b, sizeof b, &n);
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "session.truncated");
    (void)rig_read(&r.server, b, sizeof b, &n);
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "session.truncated");
    rig_free(&r);

    rig_new(&r, &mutual);
    rig_open(&r);
    assert_int_equal(BIO_shutdown_wr(SSL_get_wbio(r.client.ssl)), 1); /* the transport ends */
    (void)rig_read(&r.server, b, sizeof b, &n);
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "session.truncated");
    rig_free(&r);
}

static void one_deadline_from_tls_to_verdicts(void **state)
{
    (void)state;
    rig r;
    rig_options o = mutual;
    o.timeout_ms = 3000;
    rig_new(&r, &o);
    assert_int_equal(atls_session_deadline_ms(r.client.session), RIG_NOW_MS + 3000);
    r.client.hold_jobs = true;
    rig_handshake(&r);
    rig_clock(&r, 2999);
    rig_handshake(&r);
    assert_int_equal(r.server.rc, ATLS_WANT_READ);
    rig_clock(&r, 1);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_SYSTEM, "session.deadline");
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "session.deadline");
    r.client.hold_jobs = false;
    assert_int_equal(rig_step(&r.client), ATLS_E_SYSTEM); /* for good */
    assert_int_equal(atls_session_deadline_ms(r.client.session), UINT64_MAX);
    rig_free(&r);

    rig_new(&r, &o); /* a peer that sends nothing at all */
    rig_clock(&r, 3000);
    (void)rig_step(&r.server);
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "session.deadline");
    rig_free(&r);
}

static void calls_out_of_order_are_told_and_harmless(void **state)
{
    (void)state;
    uint8_t b[4];
    size_t n = 0;
    atls_err err = {0};
    rig r;
    rig_new(&r, &mutual);
    assert_int_equal(atls_session_read(r.client.session, b, sizeof b, &n, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "session.usage");
    assert_int_equal(atls_session_write(r.client.session, b, sizeof b, &n, &err), ATLS_E_USAGE);
    assert_int_equal(atls_session_shutdown(r.client.session, &err), ATLS_E_USAGE);
    assert_int_equal(atls_session_reattest(r.client.session, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "session.reattest");
    assert_null(atls_session_get0_job(r.client.session));
    atls_job_run(NULL);
    rig_open(&r);
    assert_int_equal(atls_session_read(r.client.session, b, 0, &n, &err), ATLS_E_USAGE);
    assert_int_equal(atls_session_write(r.client.session, b, 0, &n, &err), ATLS_OK);
    assert_int_equal(atls_session_handshake(r.client.session, &err), ATLS_OK);
    rig_free(&r);
}

static void configurations_that_make_no_sense(void **state)
{
    (void)state;
    atls_err err = {0};
    atls_config *c = atls_config_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_int_equal(atls_config_apply(c, ctx, ATLS_CLIENT, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.empty");
    atls_attester none = {.name = "none"};
    atls_config_set0_attester(c, &none);
    assert_int_equal(atls_config_apply(c, ctx, ATLS_CLIENT, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.identity");
    assert_int_equal(atls_config_set1_identity(c, NULL, NULL, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.identity");
    SSL_CTX_free(ctx);
    atls_config_free(c);
}

static int no_random(uint8_t *out, size_t len)
{
    (void)out;
    (void)len;
    return 0;
}

/* What goes wrong on our own side has its check too. */
static void faults_of_our_own(void **state)
{
    (void)state;
    atls_err err = {0};
    static const uint8_t byte[1] = {0};
    rig r;
    rig_new(&r, &mutual);
    atls_config_set_random(r.client.config, no_random);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_SYSTEM, "system.random");
    rig_free(&r);

    rig_new(&r, &mutual);
    assert_int_equal(atls_frames_queue(r.client.session, ATLS1_FRAME_CLOSE, (atls_buf){byte, 1},
                                       (atls_buf){NULL, 0}, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "frame.too_large");
    rig_free(&r);

    atls_config *c = atls_config_new();
    assert_int_equal(atls_config_make_identity(c, INT64_C(100000000000000000), &err),
                     ATLS_E_SYSTEM);
    assert_string_equal(err.check, "config.make_identity");
    assert_int_equal(atls_config_make_identity(c, RIG_WHEN_S, &err), ATLS_OK);
    atls_attester none = {.name = "none"};
    atls_config_set0_attester(c, &none);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 5); /* wants 256 bits: P-256 is too small */
    assert_int_equal(atls_config_apply(c, ctx, ATLS_SERVER, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "tls.setup");
    SSL_CTX_free(ctx);
    atls_config_free(c);
}

static int tear_down(void **state)
{
    (void)state;
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_attest),
        cmocka_unit_test(server_attests),
        cmocka_unit_test(client_attests),
        cmocka_unit_test(client_without_a_tls_certificate_attests),
        cmocka_unit_test(two_keys_need_the_policy),
        cmocka_unit_test(server_shows_only_after_the_client_is_accepted),
        cmocka_unit_test(after_peer_is_for_servers_that_ask),
        cmocka_unit_test(nothing_asked_by_both_is_an_error),
        cmocka_unit_test(each_suite),
        cmocka_unit_test(each_alpn_name),
        cmocka_unit_test(no_common_alpn_name),
        cmocka_unit_test(alpn_lists_that_make_no_sense),
        cmocka_unit_test(small_pipes),
        cmocka_unit_test(much_data_both_ways_at_once),
        cmocka_unit_test(close_is_an_end_and_truncation_is_not),
        cmocka_unit_test(one_deadline_from_tls_to_verdicts),
        cmocka_unit_test(calls_out_of_order_are_told_and_harmless),
        cmocka_unit_test(configurations_that_make_no_sense),
        cmocka_unit_test(faults_of_our_own),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
