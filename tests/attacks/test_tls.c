/* Downgrades beneath atls/1: no ALPN, older TLS, resumption, early data, tickets, wrong certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "attacks/duel.h"

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

/* --- peers of another kind --- */

static void peers_that_do_not_speak_atls(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        evil_options evil;
        atls_role victim;
        atls_code code;
        const char *check;
    } bad[] = {
        {"a plain TLS server", {.alpn = ""}, ATLS_CLIENT, ATLS_E_POLICY, "tls.alpn"},
        {"a server that chooses unasked",
         {.alpn = "http/1.1"},
         ATLS_CLIENT,
         ATLS_E_SYSTEM,
         "tls.handshake"},
        {"another of our names, not offered",
         {.alpn = "atls/1+h2"},
         ATLS_CLIENT,
         ATLS_E_SYSTEM,
         "tls.handshake"},
        {"a prefix of our name", {.alpn = "atls/"}, ATLS_CLIENT, ATLS_E_SYSTEM, "tls.handshake"},
        {"a web client", {.alpn = "h2"}, ATLS_SERVER, ATLS_E_POLICY, "tls.alpn"},
        {"a client without ALPN", {.alpn = ""}, ATLS_SERVER, ATLS_E_POLICY, "tls.alpn"},
        {"a TLS 1.2 server",
         {.max_version = TLS1_2_VERSION},
         ATLS_CLIENT,
         ATLS_E_POLICY,
         "tls.version"},
        {"a TLS 1.2 client",
         {.max_version = TLS1_2_VERSION},
         ATLS_SERVER,
         ATLS_E_POLICY,
         "tls.version"},
        {"a client with other groups",
         {.groups = "X448:P-521"},
         ATLS_SERVER,
         ATLS_E_SYSTEM,
         "tls.handshake"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        duel d;
        duel_new_with(&d, bad[i].victim, NULL, &bad[i].evil);
        (void)rig_step(&d.victim);
        rig_assert_failed(&d.victim, bad[i].code, bad[i].check);
        duel_free(&d);
    }
}

/* Nothing but TLS records of the handshake and alerts has left a client that met a plain TLS server. */
static void not_one_byte_for_a_plain_server(void **state)
{
    (void)state;
    uint8_t byte = 0;
    duel d;
    duel_new_with(&d, ATLS_CLIENT, NULL, &(evil_options){.alpn = ""});
    (void)rig_step(&d.victim);
    assert_true(d.evil.tls_done);
    ERR_clear_error();
    assert_true(SSL_read(d.evil.ssl, &byte, 1) <= 0);
    assert_int_equal(SSL_get_error(d.evil.ssl, 0), SSL_ERROR_ZERO_RETURN);
    duel_free(&d);
}

static void something_that_is_no_tls(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        BIO *a = NULL;
        BIO *b = NULL;
        rig_side victim;
        rig_side_new(&victim, (atls_role)role, &mutual);
        assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
        rig_side_start(&victim, a, RIG_NOW_MS, RIG_WHEN_S);
        (void)rig_step(&victim);
        assert_int_equal(BIO_write(b, http, sizeof http - 1), sizeof http - 1);
        (void)rig_step(&victim);
        assert_int_equal(victim.rc == ATLS_E_SYSTEM || victim.rc == ATLS_E_POLICY, 1);
        assert_non_null(strstr(victim.err.check, "tls."));
        rig_side_free(&victim);
        BIO_free(b);
    }
}

/* --- a caller who changed the SSL behind our back --- */

static void old_version(SSL *ssl)
{
    SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
}

static void other_suite(SSL *ssl)
{
    assert_int_equal(SSL_set_ciphersuites(ssl, "TLS_AES_128_CCM_SHA256"), 1);
}

static void other_group(SSL *ssl)
{
    assert_int_equal(SSL_set1_groups_list(ssl, "X448"), 1);
}

static void settings_that_were_changed_are_noticed(void **state)
{
    (void)state;
    static const struct {
        void (*tweak)(SSL *ssl);
        const char *check;
    } bad[] = {
        {old_version, "tls.version"}, {other_suite, "tls.suite"}, {other_group, "tls.group"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig r;
        BIO *a = NULL;
        BIO *b = NULL;
        r = (rig){0};
        rig_side_new(&r.client, ATLS_CLIENT, &mutual);
        rig_side_new(&r.server, ATLS_SERVER, &mutual);
        r.client.tweak = bad[i].tweak;
        r.server.tweak = bad[i].tweak;
        assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
        rig_side_start(&r.client, a, RIG_NOW_MS, RIG_WHEN_S);
        rig_side_start(&r.server, b, RIG_NOW_MS, RIG_WHEN_S);
        rig_handshake(&r);
        rig_assert_failed(&r.client, ATLS_E_POLICY, bad[i].check);
        rig_assert_failed(&r.server, ATLS_E_POLICY, bad[i].check);
        rig_free(&r);
    }
}

static int suspend(SSL *ssl, void *arg)
{
    (void)ssl;
    (void)arg;
    return -1;
}

static void suspended_certificates(SSL *ssl)
{
    SSL_set_cert_cb(ssl, suspend, NULL);
}

/* Nothing in atls/1 waits for a caller's look-up of a certificate: it ends the session, and is no acceptance. */
static void a_callback_that_suspends_ends_it(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        BIO *a = NULL;
        BIO *b = NULL;
        rig r = {0};
        rig_side_new(&r.client, ATLS_CLIENT, &mutual);
        rig_side_new(&r.server, ATLS_SERVER, &mutual);
        rig_side *victim = role == ATLS_CLIENT ? &r.client : &r.server;
        victim->tweak = suspended_certificates;
        assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
        rig_side_start(&r.client, a, RIG_NOW_MS, RIG_WHEN_S);
        rig_side_start(&r.server, b, RIG_NOW_MS, RIG_WHEN_S);
        rig_handshake(&r);
        rig_assert_failed(victim, ATLS_E_USAGE, "tls.suspended");
        assert_null(atls_session_get0_verdict(victim->session));
        rig_free(&r);
    }
}

static int not_now(SSL *ssl, void *arg)
{
    (void)ssl;
    (void)arg;
    return -1;
}

static void suspended(SSL *ssl)
{
    SSL_set_cert_cb(ssl, not_now, NULL);
}

static void a_suspended_handshake_is_a_fault_of_the_caller(void **state)
{
    (void)state;
    evil e;
    rig_side victim;
    rig_side_new(&victim, ATLS_SERVER, &mutual);
    victim.tweak = suspended;
    evil_meet(&e, ATLS_CLIENT, NULL, &victim);
    rig_assert_failed(&victim, ATLS_E_USAGE, "tls.suspended");
    evil_free(&e);
    rig_side_free(&victim);
}

/* A record that was changed on the way, before and after the verdicts. */
static void a_changed_record(void **state)
{
    (void)state;
    static const uint8_t record[5 + 32] = {0x17, 3, 3, 0, 32};
    for (int open = 0; open < 2; open++) {
        duel d;
        duel_new(&d, ATLS_SERVER);
        if (open) {
            evil_open(&d.evil, &d.victim);
        }
        assert_int_equal(BIO_write(SSL_get_wbio(d.evil.ssl), record, sizeof record), sizeof record);
        duel_assert_ends(&d, ATLS_E_SYSTEM, "tls.record");
        duel_free(&d);
    }
}

static void the_wrong_role(void **state)
{
    (void)state;
    atls_err err = {0};
    atls_session *s = NULL;
    rig_side client;
    rig_side_new(&client, ATLS_CLIENT, &mutual);
    SSL *ssl = SSL_new(client.ctx);
    SSL_set_connect_state(ssl);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    (void)SSL_do_handshake(ssl);
    assert_int_equal(atls_session_new(client.config, ssl, ATLS_SERVER, 0, 0, &s, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "tls.role");
    SSL_free(ssl);
    rig_side_free(&client);
}

/* --- resumption, early data, tickets --- */

/* The server's tickets arrive and are nobody's: no cache, no callback, and the exchange goes on. */
static void tickets_of_a_server_are_discarded(void **state)
{
    (void)state;
    duel d;
    duel_new_with(&d, ATLS_CLIENT, NULL, &(evil_options){.tickets = 5});
    assert_true(d.evil.tls_done);
    evil_open(&d.evil, &d.victim);
    assert_int_equal(SSL_CTX_sess_number(d.victim.ctx), 0);
    assert_int_equal(SSL_session_reused(d.victim.ssl), 0);
    duel_free(&d);
}

/* Tickets without end do not keep us inside one call, where no deadline can pass. */
static void a_flood_of_tickets_meets_the_deadline(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_CLIENT);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(SSL_new_session_ticket(d.evil.ssl), 1);
        assert_int_equal(SSL_do_handshake(d.evil.ssl), 1);
    }
    BIO *in = SSL_get_rbio(d.victim.ssl);
    size_t before = BIO_ctrl_pending(in);
    assert_int_equal(rig_step(&d.victim), ATLS_WANT_READ);
    assert_true(BIO_ctrl_pending(in) > 0 && BIO_ctrl_pending(in) < before);
    atls_session_set_time(d.victim.session, RIG_NOW_MS + 10000, RIG_WHEN_S + 10);
    duel_assert_ends(&d, ATLS_E_SYSTEM, "session.deadline");
    duel_free(&d);
}

static void our_server_sends_none(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    assert_int_equal(SSL_SESSION_has_ticket(SSL_get_session(d.evil.ssl)), 0);
    duel_free(&d);
}

/* A session that a server with early data gave away, for a later connection. */
static SSL_SESSION *harvest(SSL_CTX **server_out)
{
    BIO *a = NULL;
    BIO *b = NULL;
    char byte = 0;
    evil server = {0};
    rig_side side;
    rig_side_new(&side, ATLS_SERVER, &mutual); /* for its certificate */
    SSL_CTX *sctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX *cctx = SSL_CTX_new(TLS_client_method());
    (void)server;
    assert_int_equal(SSL_CTX_use_certificate(sctx, SSL_CTX_get0_certificate(side.ctx)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(sctx, SSL_CTX_get0_privatekey(side.ctx)), 1);
    assert_int_equal(SSL_CTX_set_max_early_data(sctx, 1000), 1);
    SSL *ss = SSL_new(sctx);
    SSL *cs = SSL_new(cctx);
    assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
    SSL_set_bio(ss, a, a);
    SSL_set_bio(cs, b, b);
    for (int i = 0; i < 10; i++) {
        (void)SSL_connect(cs);
        (void)SSL_accept(ss);
    }
    (void)SSL_read(cs, &byte, 1); /* takes the tickets */
    SSL_SESSION *session = SSL_get1_session(cs);
    assert_true(SSL_SESSION_is_resumable(session));
    (void)SSL_shutdown(cs);
    (void)SSL_shutdown(ss);
    SSL_free(cs);
    SSL_free(ss);
    SSL_CTX_free(cctx);
    if (server_out != NULL) {
        *server_out = sctx;
    } else {
        SSL_CTX_free(sctx);
    }
    rig_side_free(&side);
    return session;
}

static int any_name(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                    const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    *out = in + 1;
    *out_len = in[0];
    return in_len > in[0] ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* A caller gives our client a session that a server wants to resume. */
static void a_resumed_session_is_refused(void **state)
{
    (void)state;
    SSL_CTX *sctx = NULL;
    BIO *a = NULL;
    BIO *b = NULL;
    rig_side victim;
    SSL_SESSION *session = harvest(&sctx);
    SSL_CTX_set_alpn_select_cb(sctx, any_name, NULL);
    rig_side_new(&victim, ATLS_CLIENT, &mutual);
    victim.resume = session;
    SSL *ss = SSL_new(sctx);
    assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
    SSL_set_bio(ss, a, a);
    rig_side_start(&victim, b, RIG_NOW_MS, RIG_WHEN_S);
    for (int i = 0; i < 10 && victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&victim);
        (void)SSL_accept(ss);
    }
    assert_int_equal(SSL_session_reused(victim.ssl), 1);
    rig_assert_failed(&victim, ATLS_E_BINDING, "tls.resumed");
    SSL_free(ss);
    SSL_CTX_free(sctx);
    rig_side_free(&victim);
    SSL_SESSION_free(session);
}

static void some_early_data(SSL *ssl)
{
    assert_int_equal(SSL_set_recv_max_early_data(ssl, 1000), 1);
}

/* Ours takes none at all; where a caller has allowed some, it is noticed afterwards. */
static void early_data_is_refused(void **state)
{
    (void)state;
    static const uint8_t alpn[] = {6, 'a', 't', 'l', 's', '/', '1'};
    for (int allowed = 0; allowed < 2; allowed++) {
        BIO *a = NULL;
        BIO *b = NULL;
        size_t n = 0;
        rig_side victim;
        SSL_SESSION *session = harvest(NULL);
        SSL_CTX *cctx = SSL_CTX_new(TLS_client_method());
        assert_int_equal(SSL_CTX_set_alpn_protos(cctx, alpn, sizeof alpn), 0);
        rig_side_new(&victim, ATLS_SERVER, &mutual);
        victim.tweak = allowed ? some_early_data : NULL;
        SSL *cs = SSL_new(cctx);
        assert_int_equal(SSL_set_session(cs, session), 1);
        assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
        SSL_set_bio(cs, a, a);
        SSL_set_connect_state(cs);
        rig_side_start(&victim, b, RIG_NOW_MS, RIG_WHEN_S);
        (void)SSL_write_early_data(cs, "early", 5, &n);
        for (int i = 0; i < 10 && victim.rc >= ATLS_WANT_READ; i++) {
            (void)rig_step(&victim);
            (void)SSL_connect(cs);
        }
        rig_assert_failed(&victim, allowed ? ATLS_E_BINDING : ATLS_E_SYSTEM,
                          allowed ? "tls.early_data" : "tls.handshake");
        SSL_free(cs);
        SSL_CTX_free(cctx);
        rig_side_free(&victim);
        SSL_SESSION_free(session);
    }
}

/* --- names --- */

static void wrong_host(SSL *ssl)
{
    assert_int_equal(SSL_set1_host(ssl, "other.example"), 1);
}

static void certificates_by_pki(void **state)
{
    (void)state;
    rig_cert ca = {NULL, NULL};
    rig_cert foreign = {NULL, NULL};
    rig_cert good = {NULL, NULL};
    rig_cert bad = {NULL, NULL};
    rig_cert_make(&ca, "ca", NULL);
    rig_cert_make(&foreign, "foreign", NULL);
    rig_cert_make(&good, "web.example", &ca);
    rig_cert_make(&bad, "web.example", &foreign);
    rig_options o = mutual;
    o.ca = &ca;
    o.client_cert = &good;
    o.server_cert = &bad; /* of a CA that the client does not know */
    rig r;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "tls.certificate");
    rig_free(&r);

    o.server_cert = &good;
    o.client_cert = &bad;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_POLICY, "tls.certificate");
    rig_free(&r);

    rig_cert second = {NULL, NULL};
    rig_cert_make(&second, "client.example", &ca);
    o.client_cert = &second;
    o.no_client_certificate = true; /* where one is wanted */
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_POLICY, "tls.certificate");
    rig_free(&r);

    o.no_client_certificate = false;
    rig_new(&r, &o);
    wrong_host(r.client.ssl);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "tls.certificate");
    rig_free(&r);

    rig_new(&r, &o);
    rig_open(&r);
    rig_free(&r);
    rig_cert_free(&ca);
    rig_cert_free(&foreign);
    rig_cert_free(&good);
    rig_cert_free(&bad);
    rig_cert_free(&second);
}

static void ask_for_a(SSL *ssl)
{
    assert_int_equal(SSL_set1_host(ssl, "a.web.example"), 1);
}

static void ask_for_b(SSL *ssl)
{
    assert_int_equal(SSL_set1_host(ssl, "b.web.example"), 1);
}

/* The policy's name is compared with the one that the caller asked for, also where a wildcard vouches for it; and a
 * certificate that is good for another name does not help. */
static void the_name_asked_for_is_the_identity(void **state)
{
    (void)state;
    static const struct {
        const char *certified;
        void (*ask)(SSL *ssl);
        const char *check; /* NULL: accepted */
    } cases[] = {
        {"a.web.example", ask_for_a, NULL},
        {"*.web.example", ask_for_a, NULL},
        {"*.web.example", ask_for_b, "policy.pki"},
        {"b.web.example", ask_for_b, "policy.pki"},
        {"b.web.example", ask_for_a, "tls.certificate"},
    };
    rig_cert ca = {NULL, NULL};
    rig_cert client = {NULL, NULL};
    rig_cert_make(&ca, "ca", NULL);
    rig_cert_make(&client, "client.example", &ca);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_cert server = {NULL, NULL};
        rig_cert_make(&server, cases[i].certified, &ca);
        rig_options o = mutual;
        o.ca = &ca;
        o.client_cert = &client;
        o.server_cert = &server;
        o.client_policy = "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\"tees\":[\"tdx\"],"
                          "\"pki\":{\"names\":[\"a.web.example\"]}}]}";
        rig r;
        rig_new(&r, &o);
        cases[i].ask(r.client.ssl);
        if (cases[i].check == NULL) {
            rig_open(&r);
            assert_string_not_equal(
                atls_verdict_identity(atls_session_get0_verdict(r.client.session)), "none");
        } else {
            rig_handshake(&r);
            rig_assert_failed(&r.client, ATLS_E_POLICY, cases[i].check);
        }
        rig_free(&r);
        rig_cert_free(&server);
    }
    rig_cert_free(&client);
    rig_cert_free(&ca);
}

/* A caller's callback that lets everything pass leaves the error behind, and that decides. */
static int let_pass(int ok, X509_STORE_CTX *store_ctx)
{
    (void)ok;
    (void)store_ctx;
    return 1;
}

static void lenient(SSL *ssl)
{
    SSL_set_verify(ssl, SSL_VERIFY_PEER, let_pass);
}

static void a_lenient_callback_does_not_decide(void **state)
{
    (void)state;
    rig_cert ca = {NULL, NULL};
    rig_cert_make(&ca, "ca", NULL);
    rig_options o = mutual;
    o.ca = &ca;
    rig_side victim;
    evil e;
    rig_side_new(&victim, ATLS_CLIENT, &o);
    victim.tweak = lenient;
    evil_meet(&e, ATLS_SERVER, NULL, &victim);
    rig_assert_failed(&victim, ATLS_E_POLICY, "tls.certificate");
    evil_free(&e);
    rig_side_free(&victim);
    rig_cert_free(&ca);
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
        cmocka_unit_test(peers_that_do_not_speak_atls),
        cmocka_unit_test(not_one_byte_for_a_plain_server),
        cmocka_unit_test(something_that_is_no_tls),
        cmocka_unit_test(settings_that_were_changed_are_noticed),
        cmocka_unit_test(a_callback_that_suspends_ends_it),
        cmocka_unit_test(a_suspended_handshake_is_a_fault_of_the_caller),
        cmocka_unit_test(a_changed_record),
        cmocka_unit_test(the_wrong_role),
        cmocka_unit_test(tickets_of_a_server_are_discarded),
        cmocka_unit_test(a_flood_of_tickets_meets_the_deadline),
        cmocka_unit_test(our_server_sends_none),
        cmocka_unit_test(a_resumed_session_is_refused),
        cmocka_unit_test(early_data_is_refused),
        cmocka_unit_test(certificates_by_pki),
        cmocka_unit_test(the_name_asked_for_is_the_identity),
        cmocka_unit_test(a_lenient_callback_does_not_decide),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
