/* flashbots-ratls/1 between a client and a server of ours, and what peers might send instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "binding/flashbots_message.h"
#include "channel/config.h"
#include "crypto/digest.h"
#include "e2e/rig.h"
#include "unit/azure_td.h"

static rig_options flashbots(bool client_asks, bool server_asks)
{
    return (rig_options){.bindings = "flashbots",
                         .client_asks = client_asks,
                         .server_shows = client_asks,
                         .server_asks = server_asks,
                         .client_shows = server_asks};
}

static void says(const atls_verdict *v, const char *line)
{
    assert_non_null(v);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_binding(v), "session");
    assert_string_equal(atls_verdict_freshness(v), "this connection");
    assert_string_equal(atls_verdict_binding_line(v), line);
}

static const char whole_line[] = "session (exporter + key; no role, no nonce)";

static void both_ways(rig *r)
{
    uint8_t data[70000];
    memset(data, 0x5a, sizeof data);
    rig_send(&r->client, &r->server, data, sizeof data);
    rig_send(&r->server, &r->client, data, sizeof data);
}

static void every_direction(void **state)
{
    (void)state;
    for (int way = 1; way < 4; way++) {
        rig r;
        rig_options o = flashbots((way & 1) != 0, (way & 2) != 0);
        o.pipe = 2048;
        rig_new(&r, &o);
        rig_open(&r);
        assert_string_equal(atls_session_get0_binding(r.client.session), "flashbots");
        if (o.client_asks) {
            says(atls_session_get0_verdict(r.client.session), whole_line);
        } else {
            assert_null(atls_session_get0_verdict(r.client.session));
        }
        if (o.server_asks) {
            says(atls_session_get0_verdict(r.server.session), whole_line);
        } else {
            assert_null(atls_session_get0_verdict(r.server.session));
        }
        both_ways(&r);
        rig_free(&r);
    }
}

static const char *alpn_of(const rig_side *side, char out[32])
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(side->ssl, &name, &len);
    assert_true(len < 32);
    memcpy(out, name, len);
    out[len] = '\0';
    return out;
}

static const unsigned char h2_name[] = "\x14"
                                       "flashbots-ratls/1+h2";
static const unsigned char http_name[] = "\x1a"
                                         "flashbots-ratls/1+http/1.1";
static const unsigned char bare_name[] = "\x11"
                                         "flashbots-ratls/1";

static void offer(SSL *ssl, const unsigned char *names, size_t len)
{
    assert_int_equal(SSL_set_alpn_protos(ssl, names, (unsigned)len), 0);
}

static void only_h2(SSL *ssl)
{
    offer(ssl, h2_name, sizeof h2_name - 1);
}

static void only_http(SSL *ssl)
{
    offer(ssl, http_name, sizeof http_name - 1);
}

static void only_bare(SSL *ssl)
{
    offer(ssl, bare_name, sizeof bare_name - 1);
}

static void only_http_of_the_web(SSL *ssl)
{
    offer(ssl, (const unsigned char *)"\x08http/1.1", 9);
}

static void nothing_offered(SSL *ssl)
{
    assert_int_equal(SSL_set_alpn_protos(ssl, NULL, 0), 0);
}

static void names_of_the_application(void **state)
{
    (void)state;
    static const struct {
        void (*offer)(SSL *ssl);
        const char *agreed; /* NULL: no handshake */
    } cases[] = {
        {NULL, "flashbots-ratls/1+h2"},
        {only_h2, "flashbots-ratls/1+h2"},
        {only_http, "flashbots-ratls/1+http/1.1"},
        {only_bare, "flashbots-ratls/1"},
        {only_http_of_the_web, NULL},
        {nothing_offered, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig r;
        char name[32];
        rig_options o = flashbots(true, true);
        rig_new(&r, &o);
        if (cases[i].offer != NULL) {
            cases[i].offer(r.client.ssl);
        }
        rig_handshake(&r);
        if (cases[i].agreed != NULL) {
            assert_int_equal(r.client.rc, ATLS_OK);
            assert_int_equal(r.server.rc, ATLS_OK);
            assert_string_equal(alpn_of(&r.client, name), cases[i].agreed);
            both_ways(&r);
        } else {
            rig_assert_failed(&r.server, ATLS_E_POLICY, "tls.alpn");
            assert_true(r.client.rc != ATLS_OK);
        }
        rig_free(&r);
    }
}

/* --- clients without a certificate: their server asks for none, or gets none --- */

static void ask_for_none(SSL *ssl)
{
    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
}

static void clients_without_a_certificate(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        rig r;
        rig_options o = flashbots(true, true);
        o.no_client_certificate = asked == 1;
        rig_new(&r, &o);
        if (!asked) {
            ask_for_none(r.server.ssl); /* the client has one, and is not asked for it */
        }
        rig_open(&r);
        assert_null(SSL_get0_peer_certificate(r.server.ssl));
        says(atls_session_get0_verdict(r.client.session), whole_line);
        says(atls_session_get0_verdict(r.server.session),
             "session (exporter; the peer showed no key; no role, no nonce)");
        both_ways(&r);
        rig_free(&r);
    }
}

/* --- what is wanted and not there --- */

static void none_where_evidence_is_wanted(void **state)
{
    (void)state;
    rig r;
    rig_options o = flashbots(true, true);
    o.server_shows = false;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "session.no_evidence");
    assert_true(r.server.rc != ATLS_OK);
    rig_free(&r);

    o = flashbots(true, true);
    o.client_shows = false;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.no_evidence");
    rig_free(&r);
}

static void evidence_that_nobody_asked_for(void **state)
{
    (void)state;
    rig r;
    rig_options o = flashbots(true, false);
    o.client_shows = true;
    rig_new(&r, &o);
    rig_open(&r);
    assert_null(atls_session_get0_verdict(r.server.session));
    both_ways(&r);
    rig_free(&r);
}

/* --- attesters that play back --- */

typedef struct tape {
    const atls_attester *real;
    atls_evidence_blob kept;
    bool plays; /* what was kept, instead of what was asked for */
    atls_attester self;
} tape;

static void copy_blob(const atls_evidence_blob *from, atls_evidence_blob *to)
{
    *to = *from;
    for (size_t i = 0; i < from->parts_n; i++) {
        to->parts[i].bytes = malloc(from->parts[i].len);
        assert_non_null(to->parts[i].bytes);
        memcpy(to->parts[i].bytes, from->parts[i].bytes, from->parts[i].len);
    }
}

static atls_code attest_from_tape(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                  atls_err *err)
{
    tape *t = self;
    if (t->plays) {
        copy_blob(&t->kept, out);
        return ATLS_OK;
    }
    ATLS_TRY(t->real->attest(t->real->self, data, out, err));
    atls_evidence_blob_clear(&t->kept);
    copy_blob(out, &t->kept);
    return ATLS_OK;
}

static tape *tape_new(atls_attester *real)
{
    tape *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->real = real;
    t->self = (atls_attester){.name = "tape", .self = t, .attest = attest_from_tape};
    return t;
}

static void tape_free(tape *t)
{
    atls_evidence_blob_clear(&t->kept);
    free(t);
}

static atls_attester *simulated(void)
{
    atls_attester *a = NULL;
    const atls_sim_quote quote = {0};
    assert_int_equal(atls_sim_attester_new(rig_sim(), &quote, &a, NULL), ATLS_OK);
    return a;
}

static void messages_of_another_connection(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        atls_attester *real = simulated();
        tape *t = tape_new(real);
        rig_options o = flashbots(true, true);
        *(role == ATLS_SERVER ? &o.server_attester : &o.client_attester) = &t->self;
        for (int again = 0; again < 2; again++) {
            rig r;
            t->plays = again == 1;
            rig_new(&r, &o);
            rig_handshake(&r);
            if (again) {
                rig_assert_failed(role == ATLS_SERVER ? &r.client : &r.server, ATLS_E_BINDING,
                                  "binding.report_data");
            } else {
                assert_true(r.client.rc == ATLS_OK && r.server.rc == ATLS_OK);
            }
            rig_free(&r);
        }
        tape_free(t);
        atls_attester_free(real);
    }
}

static void our_own_evidence_comes_back(void **state)
{
    (void)state;
    rig r;
    atls_attester *real = simulated();
    tape *server = tape_new(real);
    rig_options o = flashbots(true, true);
    o.server_attester = &server->self;
    /* The client's attester is the server's tape: by then it plays what went out. */
    tape *client = tape_new(&server->self);
    o.client_attester = &client->self;
    rig_new(&r, &o);
    r.client.hold_jobs = true;
    rig_handshake(&r);
    server->plays = true;
    r.client.hold_jobs = false;
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_BINDING, "flashbots.reflection");
    rig_free(&r);
    tape_free(client);
    tape_free(server);
    atls_attester_free(real);
}

static void a_peer_with_our_own_key(void **state)
{
    (void)state;
    rig r;
    rig_cert ca;
    rig_cert both;
    rig_cert_make(&ca, "CA", NULL);
    rig_cert_make(&both, "both.test", &ca);
    rig_options o = flashbots(true, true);
    o.client_cert = o.server_cert = &both;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_BINDING, "session.own_key");
    rig_free(&r);
    rig_cert_free(&both);
    rig_cert_free(&ca);
}

/* --- peers that send what they like --- */

typedef struct script {
    const char *bytes;
    size_t len;
    atls_binding binding;
    atls_role role; /* who plays it */
} script;

static const script *playing;

static atls_code play(atls_link *link, atls_step *next, atls_err *err)
{
    if (link->role == ATLS_CLIENT && link->in_len < 10) { /* the server speaks first */
        *next = ATLS_STEP_READ;
        return ATLS_OK;
    }
    *next = ATLS_STEP_DONE;
    return atls_link_send(link, (atls_buf){(const uint8_t *)playing->bytes, playing->len}, err);
}

static void speak(atls_config *c, atls_role role, void *arg)
{
    const script *s = arg;
    c->bindings[0] = role == s->role ? &s->binding : &atls_binding_flashbots;
    c->bindings_n = 1;
}

static void frames_of_odd_peers(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bytes;
        size_t len;
        atls_code code;
        const char *check;
    } cases[] = {
        {"a frame of 65,537 bytes", "\0\1\0\1", 4, ATLS_E_INVALID, "flashbots.frame"},
        {"HTTP at once", "GET / HTTP/1.1\r\n", 16, ATLS_E_INVALID, "flashbots.frame"},
        {"an empty frame", "\0\0\0\0", 4, ATLS_E_INVALID, "flashbots.message"},
        {"another type", "\0\0\0\x05\x0csnp\0", 9, ATLS_E_INVALID, "flashbots.type"},
        {"none, and more", "\0\0\0\x07\x10none\x04x", 11, ATLS_E_INVALID, "flashbots.none"},
        {"bytes behind it", "\0\0\0\x07\x10none\0x", 11, ATLS_E_INVALID, "flashbots.trailing"},
        {"none", "\0\0\0\x06\x10none\0", 10, ATLS_E_POLICY, "session.no_evidence"},
        {"Azure's, without a document",
         "\0\0\0\x0b\x24"
         "azure-tdx\0",
         15, ATLS_E_INVALID, "flashbots.azure"},
        {"no quote",
         "\0\0\0\x0a\x20"
         "dcap-tdx\0",
         14, ATLS_E_INVALID, "quote.size"},
    };
    for (int role = 0; role < 2; role++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            script s = {cases[i].bytes, cases[i].len, atls_binding_flashbots, (atls_role)role};
            s.binding.exchange = play;
            playing = &s;
            rig r;
            rig_options o = flashbots(role == ATLS_SERVER, role == ATLS_CLIENT);
            o.bindings = NULL;
            o.configure = speak;
            o.configure_arg = &s;
            rig_new(&r, &o);
            rig_handshake(&r);
            const rig_side *judge = role == ATLS_SERVER ? &r.client : &r.server;
            if (judge->rc != cases[i].code || strcmp(judge->err.check, cases[i].check) != 0) {
                fail_msg("%s: %d %s %s", cases[i].what, (int)judge->rc, judge->err.check,
                         judge->err.msg);
            }
            rig_free(&r);
        }
    }
}

static void a_frame_that_never_ends(void **state)
{
    (void)state;
    rig r;
    script s = {"\0\0\x10\0\x20", 5, atls_binding_flashbots, ATLS_SERVER};
    s.binding.exchange = play;
    playing = &s;
    rig_options o = flashbots(true, false);
    o.bindings = NULL;
    o.configure = speak;
    o.configure_arg = &s;
    rig_new(&r, &o);
    rig_handshake(&r);
    assert_int_equal(r.client.rc, ATLS_WANT_READ);
    rig_clock(&r, 10001);
    (void)rig_step(&r.client);
    rig_assert_failed(&r.client, ATLS_E_SYSTEM, "session.deadline");
    rig_free(&r);
}

/* Nothing says that the client was accepted: it writes at once, and that is no part of the exchange. */
static void data_right_behind_the_message(void **state)
{
    (void)state;
    rig r;
    uint8_t got[16];
    size_t n = 0;
    rig_options o = flashbots(true, true);
    rig_new(&r, &o);
    r.server.hold_jobs = true;
    rig_handshake(&r);
    r.server.hold_jobs = false;
    for (int i = 0; i < 20 && r.client.rc != ATLS_OK; i++) {
        (void)rig_step(&r.server);
        (void)rig_step(&r.client);
    }
    assert_int_equal(r.client.rc, ATLS_OK);
    assert_int_equal(atls_session_write(r.client.session, (const uint8_t *)"hello", 5, &n, NULL),
                     ATLS_OK);
    rig_handshake(&r);
    assert_int_equal(r.server.rc, ATLS_OK);
    assert_int_equal(rig_read(&r.server, got, sizeof got, &n), ATLS_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(got, "hello", 5);
    rig_free(&r);
}

/* The same names, and other evidence than a frame can carry. */
static void evidence_that_cannot_be_sent(void **state)
{
    (void)state;
    rig r;
    const atls_sim_quote sgx = {.type = "sgx"};
    rig_options o = flashbots(true, false);
    o.server_quote = &sgx;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_USAGE, "flashbots.evidence");
    assert_true(r.client.rc != ATLS_OK);
    rig_free(&r);
}

static void other_names_of_a_quote(void **state)
{
    (void)state;
    static const char *const names[] = {"dcap-tdx", "gcp-tdx", "qemu-tdx"};
    for (size_t i = 0; i < 3; i++) {
        rig r;
        rig_options o = flashbots(true, true);
        o.options[0] = "type";
        o.options[1] = names[i];
        rig_new(&r, &o);
        rig_open(&r);
        says(atls_session_get0_verdict(r.client.session), whole_line);
        rig_free(&r);
    }
}

/* As azure-tdx: the runtime data's user-data are the session's 64 bytes, and the vTPM signs the first 32. */
static void a_td_of_azure(void **state)
{
    (void)state;
    static const atls_sim_request request = {.variant = "snp"};
    atls_sim_world *world = NULL;
    atls_attester *vm = NULL;
    assert_int_equal(atls_sim_world_new("azure", RIG_WHEN_S, &world, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_attester_new(world, &request, &vm, NULL), ATLS_OK);
    azure_td td = {.vm = vm, .intel = rig_sim()};
    const atls_attester attester = {.name = "azure-td", .attest = azure_td_attest, .self = &td};
    for (int other = 0; other < 2; other++) {
        rig r;
        rig_options o = flashbots(true, false);
        o.server_attester = &attester;
        td.other_user_data = other == 1;
        rig_new(&r, &o);
        if (other == 0) {
            rig_open(&r);
            says(atls_session_get0_verdict(r.client.session), whole_line);
            assert_string_equal(atls_verdict_format(atls_session_get0_verdict(r.client.session)),
                                "azure");
            both_ways(&r);
        } else {
            rig_handshake(&r);
            assert_int_equal(r.client.rc, ATLS_E_BINDING);
            assert_string_equal(r.client.err.check, "binding.user_data");
        }
        rig_free(&r);
    }
    atls_attester_free(vm);
    atls_sim_world_free(world);
}

static int drop_simulator(void **state)
{
    (void)state;
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_direction),
        cmocka_unit_test(names_of_the_application),
        cmocka_unit_test(clients_without_a_certificate),
        cmocka_unit_test(none_where_evidence_is_wanted),
        cmocka_unit_test(evidence_that_nobody_asked_for),
        cmocka_unit_test(messages_of_another_connection),
        cmocka_unit_test(our_own_evidence_comes_back),
        cmocka_unit_test(a_peer_with_our_own_key),
        cmocka_unit_test(frames_of_odd_peers),
        cmocka_unit_test(a_frame_that_never_ends),
        cmocka_unit_test(data_right_behind_the_message),
        cmocka_unit_test(evidence_that_cannot_be_sent),
        cmocka_unit_test(other_names_of_a_quote),
        cmocka_unit_test(a_td_of_azure),
    };
    return cmocka_run_group_tests(tests, NULL, drop_simulator);
}
