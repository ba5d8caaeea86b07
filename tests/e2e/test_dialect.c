/* What the channel does for every dialect, shown with two that exist here alone: one whose evidence follows the handshake
 * in a message of its own, one whose evidence is in the certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "binding/certificate.h"
#include "channel/session.h"
#include "crypto/digest.h"
#include "e2e/rig.h"

/* --- a dialect after the handshake: u16 length, quote over the exporter and a role --- */

typedef struct message_state {
    int phase;
    bool sent, judged, misbehave;
} message_state;

static atls_code bind(const atls_link *link, atls_role attester, uint8_t out[64], atls_err *err)
{
    uint8_t ekm[33] = {(uint8_t)attester};
    if (!link->exporter.derive(link->exporter.self, "test", (atls_buf){NULL, 0}, ekm + 1, 32)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "system.memory", "no exporter");
    }
    return atls_digest(ATLS_SHA512, &(atls_buf){ekm, sizeof ekm}, 1, out, err);
}

static atls_code say(atls_link *link, atls_step *next, atls_err *err)
{
    message_state *m = link->state;
    if (!link->has_evidence) {
        *next = ATLS_STEP_EVIDENCE;
        return bind(link, link->role, link->wanted.wide, err);
    }
    atls_buf quote = atls_link_part(link, "quote");
    const uint8_t head[2] = {(uint8_t)(quote.len / 256), (uint8_t)quote.len};
    ATLS_TRY(atls_link_send(link, (atls_buf){head, 2}, err));
    ATLS_TRY(atls_link_send(link, quote, err));
    atls_link_drop_evidence(link);
    m->sent = true;
    return ATLS_OK;
}

static atls_code hear(atls_link *link, atls_step *next, atls_err *err)
{
    message_state *m = link->state;
    size_t len = link->in_len < 2 ? 0 : link->in[0] * 256u + link->in[1];
    if (link->in_len < 2 + len || len == 0) {
        *next = ATLS_STEP_READ;
        return ATLS_OK;
    }
    if (link->verdict == NULL && !m->judged) {
        uint8_t *copy = atls_carried_room(&link->carried, len);
        if (copy == NULL) {
            return ATLS_ERR_NOMEM(err);
        }
        memcpy(copy, link->in + 2, len);
        link->carried.evidence.type = "tdx";
        assert_true(atls_carried_add(&link->carried, "quote", (atls_buf){copy, len}));
        link->carried.expected.has_report_data = true;
        m->judged = true;
        *next = ATLS_STEP_JUDGE;
        return bind(link, link->role == ATLS_CLIENT ? ATLS_SERVER : ATLS_CLIENT,
                    link->carried.expected.report_data, err);
    }
    atls_link_take(link, 2 + len);
    return ATLS_OK;
}

static atls_code message_exchange(atls_link *link, atls_step *next, atls_err *err)
{
    message_state *m = link->state;
    if (link->shows && !m->sent) {
        ATLS_TRY(say(link, next, err));
        if (!m->sent) {
            return ATLS_OK;
        }
    }
    return link->asks && m->phase == 0 ? hear(link, next, err) : ATLS_OK;
}

/* Says DONE without evidence, whatever is asked of it. */
static atls_code careless_exchange(atls_link *link, atls_step *next, atls_err *err)
{
    (void)link;
    (void)err;
    *next = ATLS_STEP_DONE;
    return ATLS_OK;
}

/* Wants evidence of a side that has no attester. */
static atls_code greedy_exchange(atls_link *link, atls_step *next, atls_err *err)
{
    (void)err;
    *next = link->has_evidence ? ATLS_STEP_DONE : ATLS_STEP_EVIDENCE;
    return ATLS_OK;
}

static const atls_binding message_binding = {
    .name = "cocos", /* a name that policies know */
    .kind = ATLS_BINDING_SESSION,
    .line = "session (of a test)",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn = {"test/1"},
    .options = {"colour"},
    .in_max = 20000,
    .state_size = sizeof(message_state),
    .exchange = message_exchange,
};

/* --- and one in the certificate --- */

static const uint8_t test_oid[] = {0x2b, 0xcd, 0x2c, 0x63};
static const atls_buf test_oid_buf = {test_oid, sizeof test_oid};

static atls_code key_hash(atls_buf spki, uint8_t out[64], atls_err *err)
{
    return atls_digest(ATLS_SHA512, &spki, 1, out, err);
}

static atls_code certificate_show(atls_link *link, atls_step *next, atls_err *err)
{
    if (!link->has_evidence) {
        *next = ATLS_STEP_EVIDENCE;
        return key_hash(link->spki, link->wanted.wide, err);
    }
    const atls_certificate_extension e = {test_oid_buf, atls_link_part(link, "quote")};
    const atls_certificate_plan plan = {.common_name = "test",
                                        .not_before_s = link->when_s - 300,
                                        .not_after_s = link->when_s + 3600,
                                        .extensions = &e,
                                        .extensions_n = 1};
    link->made_until_s = link->when_s + 1800;
    return atls_certificate_make(&plan, link->key, &link->made, err);
}

static atls_code certificate_read(const atls_carrier *c, const atls_binding_option *options,
                                  size_t options_n, atls_carried *out, bool *found, atls_err *err)
{
    atls_buf quote = {NULL, 0};
    (void)options;
    (void)options_n;
    *found = atls_carrier_extension(c, test_oid_buf, &quote, NULL);
    if (!*found) {
        return ATLS_OK;
    }
    out->evidence.type = "tdx";
    (void)!atls_carried_add(out, "quote", quote);
    out->expected.has_report_data = true;
    return key_hash(c->spki, out->expected.report_data, err);
}

static const atls_binding certificate_binding = {
    .name = "ra-tls",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line = "key only (of a test)",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .tls12 = true,
    .in_certificate = true,
    .makes_certificate = true,
    .keeps_certificate = true,
    .show = certificate_show,
    .exchange = atls_certificate_exchange,
    .read_certificate = certificate_read,
};

/* --- helpers --- */

static void speak(atls_config *c, atls_role role, void *arg)
{
    (void)role;
    c->bindings[0] = arg;
    c->bindings_n = 1;
}

static rig_options options_of(const atls_binding *b)
{
    return (rig_options){.configure = speak, .configure_arg = (void *)(uintptr_t)b};
}

static void both_ways(rig *r)
{
    uint8_t data[50000];
    memset(data, 0x5a, sizeof data);
    rig_send(&r->client, &r->server, data, sizeof data);
    rig_send(&r->server, &r->client, data, sizeof data);
}

static void ends_in_order(rig *r)
{
    uint8_t byte;
    size_t n = 0;
    assert_int_equal(atls_session_shutdown(r->client.session, NULL), ATLS_OK);
    assert_int_equal(rig_read(&r->server, &byte, 1, &n), ATLS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(atls_session_shutdown(r->server.session, NULL), ATLS_OK);
    assert_int_equal(rig_read(&r->client, &byte, 1, &n), ATLS_OK);
    assert_int_equal(n, 0);
}

/* --- the tests --- */

static void every_direction(void **state)
{
    (void)state;
    const atls_binding *const kinds[] = {&message_binding, &certificate_binding};
    for (size_t k = 0; k < 2; k++) {
        for (int way = 1; way < 4; way++) {
            rig r;
            rig_options o = options_of(kinds[k]);
            o.client_asks = o.server_shows = (way & 1) != 0;
            o.server_asks = o.client_shows = (way & 2) != 0;
            o.pipe = 2048;
            rig_new(&r, &o);
            rig_open(&r);
            assert_string_equal(atls_session_get0_binding(r.client.session), kinds[k]->name);
            const atls_verdict *v = atls_session_get0_verdict(r.client.session);
            assert_int_equal(v != NULL, o.client_asks);
            if (v != NULL) {
                assert_true(atls_verdict_accepted(v));
                assert_string_equal(atls_verdict_binding(v), k == 0 ? "session" : "key");
                assert_string_equal(atls_verdict_freshness(v), k == 0 ? "this connection" : "none");
            }
            both_ways(&r);
            assert_int_equal(atls_session_reattest(r.client.session, NULL), ATLS_E_USAGE);
            ends_in_order(&r);
            rig_free(&r);
        }
    }
}

static void speak_tls12(atls_config *c, atls_role role, void *arg)
{
    speak(c, role, arg);
    assert_int_equal(atls_config_set_option(c, "tls12", "yes", NULL), ATLS_OK);
}

static void only_tls12(SSL *ssl)
{
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
}

static void tls_1_2_where_it_is_said(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        rig r;
        rig_options o = options_of(&certificate_binding);
        o.client_asks = o.server_shows = o.server_asks = o.client_shows = true;
        o.configure = allowed ? speak_tls12 : speak;
        rig_new(&r, &o);
        only_tls12(r.server.ssl);
        rig_handshake(&r);
        assert_int_equal(r.client.rc == ATLS_OK && r.server.rc == ATLS_OK, allowed);
        if (allowed) {
            assert_int_equal(SSL_version(r.client.ssl), TLS1_2_VERSION);
            both_ways(&r);
        }
        rig_free(&r);
    }
}

static void a_dialect_that_forgets_to_ask(void **state)
{
    (void)state;
    rig r;
    atls_binding careless = message_binding;
    careless.exchange = careless_exchange;
    rig_options o = options_of(&careless);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "session.no_evidence");
    assert_false(atls_verdict_accepted(atls_session_get0_verdict(r.client.session)));
    rig_free(&r);
}

static void evidence_without_an_attester(void **state)
{
    (void)state;
    rig r;
    atls_binding greedy = message_binding;
    greedy.exchange = greedy_exchange;
    rig_options o = options_of(&greedy);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_USAGE, "config.attester");
    rig_free(&r);
}

static void more_bytes_than_a_dialect_takes(void **state)
{
    (void)state;
    rig r;
    atls_binding narrow = message_binding;
    narrow.in_max = 100;
    rig_options o = options_of(&narrow);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_INVALID, "session.input");
    rig_free(&r);
}

static void slow_peers_meet_the_deadline(void **state)
{
    (void)state;
    rig r;
    rig_options o = options_of(&message_binding);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    r.server.hold_jobs = true;
    for (int i = 0; i < 20; i++) {
        (void)rig_step(&r.client);
        (void)rig_step(&r.server);
    }
    assert_int_equal(r.client.rc, ATLS_WANT_READ);
    assert_int_equal(r.server.rc, ATLS_WANT_JOB);
    rig_clock(&r, 10001);
    (void)rig_step(&r.client);
    rig_assert_failed(&r.client, ATLS_E_SYSTEM, "session.deadline");
    rig_free(&r);
}

static void a_certificate_waits_for_its_job(void **state)
{
    (void)state;
    rig r;
    rig_options o = options_of(&certificate_binding);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    r.server.hold_jobs = true;
    for (int i = 0; i < 5; i++) {
        (void)rig_step(&r.client);
        (void)rig_step(&r.server);
        assert_int_equal(r.server.rc == ATLS_OK, false);
    }
    assert_int_equal(r.server.rc, ATLS_WANT_JOB);
    r.server.hold_jobs = false;
    rig_open(&r);
    rig_free(&r);
}

static int shown_n;
static atls_code counted_show(atls_link *link, atls_step *next, atls_err *err)
{
    shown_n += link->has_evidence;
    return certificate_show(link, next, err);
}

static void only_p384(SSL *ssl)
{
    assert_int_equal(SSL_set1_groups_list(ssl, "P-384"), 1);
}

/* A client makes a server ask for the certificate twice: it is made once, whoever pays for it. */
static void a_second_client_hello_makes_no_second_certificate(void **state)
{
    (void)state;
    atls_binding fresh = certificate_binding;
    fresh.keeps_certificate = false;
    fresh.show = counted_show;
    rig r;
    rig_options o = options_of(&fresh);
    o.client_asks = o.server_shows = true;
    shown_n = 0;
    rig_new(&r, &o);
    only_p384(r.server.ssl); /* the client has sent a share of another group */
    rig_open(&r);
    assert_int_equal(SSL_get_negotiated_group(r.client.ssl), NID_secp384r1);
    assert_int_equal(shown_n, 1);
    rig_free(&r);
}

/* Another thread may end the job between our look at it and the caller's. */
static int ends_behind_our_back(SSL *ssl, void *arg)
{
    rig_side *side = arg;
    (void)ssl;
    static const atls_report_data data;
    atls_job *job = &side->session->job;
    if (atls_job_look(job) == JOB_NONE) {
        atls_job_prepare(job, side->config->attester, &data);
        return -1;
    }
    if (atls_job_look(job) == JOB_READY) {
        atls_job_run(job);
        return -1;
    }
    atls_job_clear(job);
    return 1;
}

static void a_job_that_ends_between_two_looks(void **state)
{
    (void)state;
    rig r;
    rig_options o = options_of(&certificate_binding);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    r.server.hold_jobs = true;
    SSL_set_cert_cb(r.server.ssl, ends_behind_our_back, &r.server);
    (void)rig_step(&r.client);
    assert_int_equal(rig_step(&r.server), ATLS_WANT_JOB);
    assert_int_equal(rig_step(&r.server), ATLS_WANT_JOB); /* done by now */
    assert_null(atls_session_get0_job(r.server.session));
    assert_int_not_equal(rig_step(&r.server), ATLS_WANT_JOB);
    assert_null(r.server.err.check);
    rig_free(&r);
}

static int made;
static atls_code counted(void *self, const atls_report_data *data, atls_evidence_blob *out,
                         atls_err *err)
{
    const atls_attester *inner = self;
    made++;
    return inner->attest(inner->self, data, out, err);
}

/* Connections of one configuration share it until it is due, and then one of them makes the next, with a new key. */
static void a_certificate_is_kept_and_renewed(void **state)
{
    (void)state;
    atls_attester *inner = NULL;
    assert_int_equal(atls_sim_attester_new(rig_sim(), &(atls_sim_quote){0}, &inner, NULL), ATLS_OK);
    atls_attester counting = {"sim", inner, counted, NULL};
    rig_options o = options_of(&certificate_binding);
    rig_side server;
    rig_side client;
    uint8_t *first_key = NULL;
    int first_len = 0;
    o.client_asks = true;
    o.server_attester = &counting;
    made = 0;
    rig_side_new(&server, ATLS_SERVER, &o);
    rig_side_new(&client, ATLS_CLIENT, &o);
    const int64_t later[] = {0, 1700, 1900, 1901};
    const int wanted[] = {1, 1, 2, 2};
    for (size_t i = 0; i < 4; i++) {
        rig r = {.now_ms = RIG_NOW_MS,
                 .when_s = RIG_WHEN_S + later[i],
                 .client = client,
                 .server = server};
        BIO *a = NULL;
        BIO *b = NULL;
        assert_int_equal(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
        rig_side_start(&r.client, a, r.now_ms, r.when_s);
        rig_side_start(&r.server, b, r.now_ms, r.when_s);
        rig_open(&r);
        assert_int_equal(made, wanted[i]);
        uint8_t *key = NULL;
        int len =
            i2d_X509_PUBKEY(X509_get_X509_PUBKEY(SSL_get0_peer_certificate(r.client.ssl)), &key);
        if (i == 0) {
            first_key = key;
            first_len = len;
        } else {
            bool same = len == first_len && memcmp(key, first_key, (size_t)len) == 0;
            assert_int_equal(same, wanted[i] == 1);
            OPENSSL_free(key);
        }
        atls_session_free(r.client.session);
        atls_session_free(r.server.session);
        SSL_free(r.client.ssl);
        SSL_free(r.server.ssl);
    }
    OPENSSL_free(first_key);
    rig_side_free(&server);
    rig_side_free(&client);
    atls_attester_free(inner);
}

/* What cannot be asked again ends when it would have been. */
static void the_interval_of_reattestation_ends_a_connection(void **state)
{
    (void)state;
    static const char policy[] =
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"tdx\"],\"reattest_s\":60,"
        "\"bindings\":[\"cocos\"]}]}";
    rig r;
    rig_options o = options_of(&message_binding);
    o.client_asks = o.server_shows = true;
    o.client_policy = policy;
    rig_new(&r, &o);
    rig_open(&r);
    assert_true(atls_session_deadline_ms(r.client.session) == RIG_NOW_MS + 60000);
    rig_clock(&r, 60000);
    assert_int_equal(atls_session_advance(r.client.session, &r.client.err), ATLS_E_BINDING);
    assert_string_equal(r.client.err.check, "session.expired");
    rig_free(&r);
}

static void what_does_not_fit_is_refused_at_set_up(void **state)
{
    (void)state;
    atls_err err = {0};
    atls_config *c = atls_config_new();
    assert_int_equal(atls_config_set_bindings(c, "atls/2", &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.bindings");
    assert_int_equal(atls_config_set_bindings(c, "atls/1,atls/1", &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.bindings");
    assert_int_equal(atls_config_set_bindings(c, "", &err), ATLS_E_USAGE);
    assert_int_equal(atls_config_set_bindings(c, "atls/1", &err), ATLS_OK);
    assert_int_equal(atls_config_set_option(c, "colour", "red", &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.option");
    c->bindings[0] = &message_binding;
    assert_int_equal(atls_config_set_option(c, "colour", "red", &err), ATLS_OK);
    assert_int_equal(atls_config_set_option(c, "colour", "blue", &err), ATLS_E_USAGE);

    /* A dialect in which the client cannot show evidence, on a server that asks for it. */
    atls_binding one_way = message_binding;
    one_way.shows = ATLS_SHOWS_SERVER;
    atls_verifier *v = atls_verifier_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    c->bindings[0] = &one_way;
    atls_config_set0_verifier(c, v);
    assert_int_equal(atls_config_apply(c, ctx, ATLS_SERVER, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.binding");

    /* A dialect that is judged here and not made, on a side that has an attester. */
    atls_binding judged_only = message_binding;
    judged_only.verify_only = true;
    const atls_attester attester = {.name = "none"};
    c->bindings[0] = &judged_only;
    assert_int_equal(atls_config_make_identity(c, RIG_WHEN_S, &err), ATLS_OK);
    assert_int_equal(atls_config_apply(c, ctx, ATLS_SERVER, &err), ATLS_OK);
    atls_config_set0_attester(c, &attester);
    err = (atls_err){0};
    assert_int_equal(atls_config_apply(c, ctx, ATLS_SERVER, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "config.binding");
    SSL_CTX_free(ctx);
    atls_verifier_free(v);
    atls_config_free(c);
}

static void a_server_takes_what_alpn_names(void **state)
{
    (void)state;
    rig r;
    rig_options o = options_of(&message_binding);
    o.client_asks = o.server_shows = true;
    rig_new(&r, &o);
    static const uint8_t other[] = "\x06test/2";
    assert_int_equal(SSL_set_alpn_protos(r.client.ssl, other, 7), 0);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_POLICY, "tls.alpn");
    rig_assert_failed(&r.client, ATLS_E_POLICY, "tls.alpn");
    rig_free(&r);

    uint8_t many[65 * 2];
    for (size_t i = 0; i < sizeof many; i += 2) {
        many[i] = 1;
        many[i + 1] = (uint8_t)(1 + i);
    }
    rig_new(&r, &o);
    assert_int_equal(SSL_set_alpn_protos(r.client.ssl, many, sizeof many), 0);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_INVALID, "tls.hello");
    rig_free(&r);
}

static int sim_teardown(void **state)
{
    (void)state;
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_direction),
        cmocka_unit_test(tls_1_2_where_it_is_said),
        cmocka_unit_test(a_dialect_that_forgets_to_ask),
        cmocka_unit_test(evidence_without_an_attester),
        cmocka_unit_test(more_bytes_than_a_dialect_takes),
        cmocka_unit_test(slow_peers_meet_the_deadline),
        cmocka_unit_test(a_certificate_waits_for_its_job),
        cmocka_unit_test(a_second_client_hello_makes_no_second_certificate),
        cmocka_unit_test(a_job_that_ends_between_two_looks),
        cmocka_unit_test(a_certificate_is_kept_and_renewed),
        cmocka_unit_test(the_interval_of_reattestation_ends_a_connection),
        cmocka_unit_test(what_does_not_fit_is_refused_at_set_up),
        cmocka_unit_test(a_server_takes_what_alpn_names),
    };
    return cmocka_run_group_tests(tests, NULL, sim_teardown);
}
