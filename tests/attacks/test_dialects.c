/* The attacks of the threat model on every dialect, and what came of each. Where a dialect is known not to resist, the attack
 * must work here, and the verdict's own lines must say so; everywhere else it must fail. Prints the table that it measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "attacks/relay.h"
#include "base/hex.h"
#include "binding/binding.h"

/* threats.md, 2: what evidence binds to. */
typedef enum mode {
    MODE_KEY,        /* P: the key alone */
    MODE_NONCE,      /* N: the key and a nonce of the handshake */
    MODE_TRANSCRIPT, /* the key and the handshake's transcript */
    MODE_EXPORTER    /* E, X: the exporter of this connection */
} mode;

typedef struct subject {
    const char *name;
    mode mode;
    bool mutual;
    const char *quote, *event_log; /* of the simulator; NULL: TDX, none */
    unsigned extension;            /* of TLS, that a relay passes on */
    int same;                      /* those of one number above 0 have one report data by design */
} subject;

static const subject subjects[] = {
    {"atls/1", MODE_EXPORTER, true, NULL, NULL, 0, 0},
    {"cocos", MODE_EXPORTER, false, NULL, NULL, 0, 0},
    {"atlas", MODE_EXPORTER, false, NULL, "dstack", 0, 0},
    {"flashbots", MODE_EXPORTER, true, NULL, NULL, 0, 0},
    {"seat-early", MODE_TRANSCRIPT, true, NULL, NULL, 0xff10, 0},
    {"constellation", MODE_NONCE, true, NULL, NULL, 0, 0},
    {"contrast", MODE_NONCE, true, NULL, NULL, 0, 0},
    {"ra-tls", MODE_KEY, true, NULL, NULL, 0, 1},
    {"ra-tls-gramine", MODE_KEY, true, "sgx", NULL, 0, 1},
    {"ra-tls-sdk", MODE_KEY, true, "sgx", NULL, 0, 1},
    {"ra-tls-cmw", MODE_KEY, true, NULL, NULL, 0, 1},
    {"ra-tls-dstack", MODE_KEY, true, NULL, "dstack", 0, 0},
    {"ra-tls-flashbots", MODE_KEY, true, NULL, NULL, 0, 0},
};
#define SUBJECTS (sizeof subjects / sizeof subjects[0])

/* --- what came of it --- */

typedef enum attack {
    HONEST,
    RELAY,
    RELAY_STOLEN_KEY,
    DIVERSION,
    DIVERSION_PINNED,
    DIVERSION_NAMED,
    REPLAY,
    SPLICE,
    REFLECTION,
    PLAIN_TLS,
    OLD_TLS,
    RESUMED,
    EARLY_BYTES,
    OVERSIZE,
    SLOW,
    RECONFIGURED,
    ATTACKS
} attack;

static const char *const attack_names[ATTACKS] = {
    "honest peer", "relay, no key", "relay, stolen key",
    "diversion",   "  with a pin",  "  with a name",
    "replay",      "splice",        "reflection",
    "plain TLS",   "TLS 1.2",       "resumption",
    "data first",  "endless data",  "silence",
    "asked again",
};

static char results[SUBJECTS][ATTACKS][64];
static char crossed[SUBJECTS][SUBJECTS];

static void note(const subject *s, attack a, const rig_side *victim)
{
    char *cell = results[s - subjects][a];
    if (victim->rc == ATLS_OK) {
        (void)snprintf(cell, 64, "ACCEPTED");
    } else {
        (void)snprintf(cell, 64, "%s", victim->err.check != NULL ? victim->err.check : "-");
    }
}

static void must_be(const subject *s, attack a, const rig_side *victim, bool accepted)
{
    note(s, a, victim);
    if ((victim->rc == ATLS_OK) != accepted || victim->rc >= ATLS_WANT_READ) {
        fail_msg("%s, %s: code %d, %s: %s; wanted: %s", s->name, attack_names[a], (int)victim->rc,
                 victim->err.check != NULL ? victim->err.check : "-", victim->err.msg,
                 accepted ? "accepted" : "refused");
    }
    const atls_verdict *v = atls_session_get0_verdict(victim->session);
    assert_true(accepted || v == NULL || !atls_verdict_accepted(v));
    if (!accepted) { /* nothing can be had from, or given to, a peer that was refused */
        uint8_t byte = 0;
        size_t done = 0;
        assert_int_not_equal(atls_session_read(victim->session, &byte, 1, &done, NULL), ATLS_OK);
        assert_int_not_equal(atls_session_write(victim->session, &byte, 1, &done, NULL), ATLS_OK);
    }
}

/* --- the genuine server, machine A, whose key the test knows --- */

static rig_cert genuine_key;
static char genuine_sha256[65]; /* of its certificate, as Atlas's event has it */

static atls_attester *attester_of(const atls_sim *sim, const subject *s, const char *workload)
{
    static atls_sim_quote quote; /* strings of it are lent to the attester */
    atls_attester *a = NULL;
    quote = (atls_sim_quote){.type = s->quote,
                             .event_log = s->event_log,
                             .workload = workload,
                             .certificate_event = s->event_log != NULL ? genuine_sha256 : NULL};
    assert_int_equal(atls_sim_attester_new(sim, &quote, &a, NULL), ATLS_OK);
    return a;
}

static rig_options victim_of(const subject *s)
{
    return (rig_options){.bindings = s->name, .client_asks = true};
}

static rig_options server_of(const subject *s, const atls_attester *attester)
{
    return (rig_options){
        .bindings = s->name, .server_attester = attester, .server_cert = &genuine_key};
}

static void meet(rig_side *victim, rig_side *server)
{
    BIO *a = NULL;
    BIO *b = NULL;
    assert_int_equal(BIO_new_bio_pair(&a, 1 << 20, &b, 1 << 20), 1);
    rig_side_start(victim, a, RIG_NOW_MS, RIG_WHEN_S);
    rig_side_start(server, b, RIG_NOW_MS, RIG_WHEN_S);
    for (int i = 0; i < 50; i++) {
        if (victim->rc >= ATLS_WANT_READ) {
            (void)rig_step(victim);
        }
        if (server->rc >= ATLS_WANT_READ) {
            (void)rig_step(server);
        }
    }
}

/* One connection of a victim with a server of the dialect. */
static void connect_to(const subject *s, attack a, const rig_options *client,
                       const atls_attester *attester, bool accepted)
{
    rig_side victim;
    rig_side server;
    rig_options o = server_of(s, attester);
    rig_side_new(&victim, ATLS_CLIENT, client);
    rig_side_new(&server, ATLS_SERVER, &o);
    meet(&victim, &server);
    must_be(s, a, &victim, accepted);
    rig_side_free(&victim);
    rig_side_free(&server);
}

/* --- evidence, recorded and shown again --- */

#define MADE_MAX 2
typedef struct recorder {
    const atls_attester *inner;
    atls_evidence_blob made[MADE_MAX]; /* in their order: a certificate may need two */
    size_t made_n, shown_n;
    const struct recorder *again;
    const struct recorder *log_of; /* its event log instead of our own */
} recorder;

static void copy_part(atls_evidence_blob *out, const atls_evidence_blob *from, size_t i)
{
    out->parts[i] = from->parts[i];
    out->parts[i].bytes = malloc(from->parts[i].len);
    assert_non_null(out->parts[i].bytes);
    memcpy(out->parts[i].bytes, from->parts[i].bytes, from->parts[i].len);
}

static void copy_blob(atls_evidence_blob *out, const atls_evidence_blob *from)
{
    *out = *from;
    for (size_t i = 0; i < from->parts_n; i++) {
        copy_part(out, from, i);
    }
}

static atls_code attest_recorded(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                 atls_err *err)
{
    recorder *r = self;
    if (r->again != NULL) {
        copy_blob(out, &r->again->made[r->shown_n++ % r->again->made_n]);
        return ATLS_OK;
    }
    atls_code rc = r->inner->attest(r->inner->self, data, out, err);
    if (rc == ATLS_OK && r->made_n < MADE_MAX) {
        copy_blob(&r->made[r->made_n++], out);
    }
    if (rc == ATLS_OK && r->log_of != NULL) {
        for (size_t i = 1; i < out->parts_n; i++) {
            free(out->parts[i].bytes);
            copy_part(out, &r->log_of->made[0], i);
        }
    }
    return rc;
}

static recorder recorded[SUBJECTS]; /* of an honest connection each */

static void forget(recorder *r)
{
    for (size_t i = 0; i < r->made_n; i++) {
        atls_evidence_blob_clear(&r->made[i]);
    }
    r->made_n = 0;
}

static void honest(const subject *s)
{
    atls_attester *inner = attester_of(rig_sim(), s, NULL);
    recorder *r = &recorded[s - subjects];
    r->inner = inner;
    const atls_attester a = {"recorder", r, attest_recorded, NULL};
    rig_options o = victim_of(s);
    connect_to(s, HONEST, &o, &a, true);
    atls_attester_free(inner);
}

static void replay(const subject *s)
{
    recorder r = {.again = &recorded[s - subjects]};
    const atls_attester a = {"replay", &r, attest_recorded, NULL};
    rig_options o = victim_of(s);
    /* Evidence about a key alone is as good the second time: freshness "none" says so. */
    connect_to(s, REPLAY, &o, &a, s->mode == MODE_KEY);
}

static void cross(const subject *s)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        recorder r = {.again = &recorded[i]};
        const atls_attester a = {"another dialect's", &r, attest_recorded, NULL};
        rig_options o = victim_of(s);
        rig_options so = server_of(s, &a);
        rig_side victim;
        rig_side server;
        if (&subjects[i] == s || recorded[i].made_n == 0) {
            continue;
        }
        rig_side_new(&victim, ATLS_CLIENT, &o);
        rig_side_new(&server, ATLS_SERVER, &so);
        meet(&victim, &server);
        crossed[s - subjects][i] = victim.rc == ATLS_OK ? 'A' : '.';
        bool by_design = s->same > 0 && s->same == subjects[i].same;
        if (victim.rc == ATLS_OK && !by_design) {
            fail_msg("evidence of %s in %s: code %d, %s", subjects[i].name, s->name, (int)victim.rc,
                     victim.err.check != NULL ? victim.err.check : "-");
        }
        rig_side_free(&victim);
        rig_side_free(&server);
    }
}

static void splice(const subject *s)
{
    if (s->event_log == NULL) {
        (void)snprintf(results[s - subjects][SPLICE], 64, "(one part)");
        return;
    }
    atls_attester *inner = attester_of(rig_sim(), s, "another");
    recorder r = {.inner = inner, .log_of = &recorded[s - subjects]};
    const atls_attester a = {"splice", &r, attest_recorded, NULL};
    rig_options o = victim_of(s);
    connect_to(s, SPLICE, &o, &a, false);
    forget(&r);
    atls_attester_free(inner);
}

/* --- relays --- */

static void relay_attack(const subject *s, bool stolen)
{
    const attack a = stolen ? RELAY_STOLEN_KEY : RELAY;
    atls_attester *attester = attester_of(rig_sim(), s, NULL);
    rig_options co = victim_of(s);
    rig_options so = server_of(s, attester);
    rig_side victim;
    rig_side genuine;
    relay r;
    rig_side_new(&victim, ATLS_CLIENT, &co);
    rig_side_new(&genuine, ATLS_SERVER, &so);
    relay_new(&r, stolen ? genuine_key.key : NULL, s->extension);
    relay_run(&r, &victim, &genuine);
    assert_true(r.both_up); /* the thief did its part */
    bool works = stolen && (s->mode == MODE_KEY || s->mode == MODE_NONCE);
    must_be(s, a, &victim, works);
    if (works) { /* and the verdict does not hide it */
        char *text = atls_verdict_text(atls_session_get0_verdict(victim.session), false);
        assert_non_null(text);
        assert_non_null(strstr(text, "relay"));
        atls_free(text);
    }
    relay_free(&r);
    rig_side_free(&victim);
    rig_side_free(&genuine);
    atls_attester_free(attester);
}

/* --- diversion: machine B, whose attestation key has leaked, poses as A; and identity crisis with it: right code, not
 * ours --- */

static atls_sim *machine_b;

typedef struct other_vendor { /* a victim whose vendor made B as well */
    atls_verifier *verifier;
    bool pinned;
} other_vendor;

static char ppid_of_a[33];

static void find_ppid_of_a(void)
{
    rig r;
    rig_new(&r, &(rig_options){.client_asks = true, .server_shows = true});
    rig_open(&r);
    char *json = atls_verdict_json(atls_session_get0_verdict(r.client.session));
    const char *at = strstr(json, "\"ppid\":\"");
    assert_non_null(at);
    memcpy(ppid_of_a, at + 8, 32);
    atls_free(json);
    rig_free(&r);
}

static void know_b(other_vendor *o, const subject *s)
{
    char *root = NULL;
    atls_err err = {0};
    o->verifier = atls_verifier_new();
    assert_int_equal(atls_sim_root(machine_b, &root, &err), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(
                         o->verifier, (atls_buf){(uint8_t *)root, strlen(root)}, &err),
                     ATLS_OK);
    atls_free(root);
    char *json = NULL;
    atls_collateral *c = NULL;
    assert_int_equal(
        atls_sim_collateral(machine_b, s->quote != NULL ? s->quote : "tdx", &json, &err), ATLS_OK);
    assert_int_equal(atls_collateral_parse((atls_buf){(uint8_t *)json, strlen(json)}, &c, &err),
                     ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(o->verifier, c, &err), ATLS_OK);
    atls_collateral_free(c);
    atls_free(json);
    if (o->pinned) {
        char text[512];
        atls_policy *policy = NULL;
        (void)snprintf(text, sizeof text,
                       "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"%s\"],"
                       "\"platforms\":{\"ppid\":[\"%s\"]},\"bindings\":[\"%s\"]}]}",
                       s->quote != NULL ? s->quote : "tdx", ppid_of_a, s->name);
        assert_int_equal(
            atls_policy_parse((atls_buf){(uint8_t *)text, strlen(text)}, &policy, &err), ATLS_OK);
        assert_int_equal(atls_verifier_set1_policy(o->verifier, policy, &err), ATLS_OK);
        atls_policy_free(policy);
    }
}

static void use_other_vendor(atls_config *c, atls_role role, void *arg)
{
    if (role == ATLS_CLIENT) {
        atls_config_set0_verifier(c, ((other_vendor *)arg)->verifier);
    }
}

static void diversion(const subject *s, bool pinned)
{
    other_vendor vendor = {.pinned = pinned};
    know_b(&vendor, s);
    atls_attester *b = attester_of(machine_b, s, NULL);
    rig_options o = victim_of(s);
    o.configure = use_other_vendor;
    o.configure_arg = &vendor;
    rig_side victim;
    rig_side server;
    rig_options so = server_of(s, b);
    rig_side_new(&victim, ATLS_CLIENT, &o);
    rig_side_new(&server, ATLS_SERVER, &so);
    meet(&victim, &server);
    must_be(s, pinned ? DIVERSION_PINNED : DIVERSION, &victim, !pinned);
    if (!pinned) {
        assert_string_equal(atls_verdict_identity(atls_session_get0_verdict(victim.session)),
                            "none");
    } else {
        assert_int_equal(victim.rc, ATLS_E_POLICY);
    }
    rig_side_free(&victim);
    rig_side_free(&server);
    atls_attester_free(b);
    atls_verifier_free(vendor.verifier);
}

/* The victim wants a name, by a CA that the attacker has no certificate of. */
static void diversion_named(const subject *s)
{
    rig_cert ca;
    rig_cert_make(&ca, "ca.test", NULL);
    atls_attester *a = attester_of(rig_sim(), s, NULL);
    rig_options o = victim_of(s);
    o.ca = &ca;
    connect_to(s, DIVERSION_NAMED, &o, a, false);
    atls_attester_free(a);
    rig_cert_free(&ca);
}

/* --- reflection --- */

static void reflection(const subject *s)
{
    if (!s->mutual) {
        (void)snprintf(results[s - subjects][REFLECTION], 64, "(one way)");
        return;
    }
    atls_attester *a = attester_of(rig_sim(), s, NULL);
    rig_options o = {.bindings = s->name,
                     .client_asks = true,
                     .client_attester = a,
                     .client_cert = &genuine_key};
    connect_to(s, REFLECTION, &o, a, false); /* the server has the victim's own key */
    atls_attester_free(a);
}

/* --- peers that speak TLS and nothing else --- */

typedef struct plain_server {
    SSL_CTX *ctx;
    SSL *ssl;
    const char *says; /* after the handshake */
    bool endless;
} plain_server;

static int any_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                    const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    (void)in_len;
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void plain_new(plain_server *p)
{
    p->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_alpn_select_cb(p->ctx, any_alpn, NULL);
    assert_int_equal(SSL_CTX_use_certificate(p->ctx, genuine_key.cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(p->ctx, genuine_key.key), 1);
    p->ssl = SSL_new(p->ctx);
    SSL_set_accept_state(p->ssl);
}

static void plain_turn(plain_server *p)
{
    static const uint8_t zeros[16384];
    if (SSL_is_init_finished(p->ssl)) {
        if (p->says != NULL) {
            (void)SSL_write(p->ssl, p->says, (int)strlen(p->says));
            p->says = NULL;
        }
        while (p->endless && SSL_write(p->ssl, zeros, sizeof zeros) > 0) {
        }
    } else {
        (void)SSL_do_handshake(p->ssl);
    }
    ERR_clear_error();
}

static void against_plain(const subject *s, attack a, plain_server *p, int turns)
{
    rig_side victim;
    BIO *x = NULL;
    BIO *y = NULL;
    rig_options o = victim_of(s);
    rig_side_new(&victim, ATLS_CLIENT, &o);
    assert_int_equal(BIO_new_bio_pair(&x, 1 << 20, &y, 1 << 20), 1);
    SSL_set_bio(p->ssl, y, y);
    rig_side_start(&victim, x, RIG_NOW_MS, RIG_WHEN_S);
    for (int i = 0; i < turns && victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&victim);
        plain_turn(p);
    }
    if (victim.rc >= ATLS_WANT_READ) { /* it waits: its deadline ends it */
        atls_session_set_time(victim.session, RIG_NOW_MS + 10001, RIG_WHEN_S + 10);
        (void)rig_step(&victim);
    }
    must_be(s, a, &victim, false);
    rig_side_free(&victim);
    SSL_free(p->ssl);
    SSL_CTX_free(p->ctx);
}

static void plain_peers(const subject *s)
{
    plain_server p = {0};
    plain_new(&p);
    against_plain(s, PLAIN_TLS, &p, 30);

    p = (plain_server){0};
    plain_new(&p);
    SSL_set_max_proto_version(p.ssl, TLS1_2_VERSION);
    against_plain(s, OLD_TLS, &p, 30);

    p = (plain_server){.says = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};
    plain_new(&p);
    against_plain(s, EARLY_BYTES, &p, 30);

    p = (plain_server){.endless = true};
    plain_new(&p);
    against_plain(s, OVERSIZE, &p, 400);
}

/* A server that answers nothing at all, from the first byte on. */
static void silence(const subject *s)
{
    rig_side victim;
    rig_options o = victim_of(s);
    BIO *x = NULL;
    BIO *y = NULL;
    rig_side_new(&victim, ATLS_CLIENT, &o);
    assert_int_equal(BIO_new_bio_pair(&x, 65536, &y, 65536), 1);
    rig_side_start(&victim, x, RIG_NOW_MS, RIG_WHEN_S);
    (void)rig_step(&victim);
    assert_int_equal(victim.rc, ATLS_WANT_READ);
    atls_session_set_time(victim.session, RIG_NOW_MS + 10000, RIG_WHEN_S + 10);
    (void)rig_step(&victim);
    must_be(s, SLOW, &victim, false);
    rig_assert_failed(&victim, ATLS_E_SYSTEM, "session.deadline");
    rig_side_free(&victim);
    BIO_free(y);
}

/* --- resumption: a ticket got elsewhere, slipped into the victim's SSL --- */

static SSL_SESSION *ticket_of(SSL_CTX *server)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *c = SSL_new(ctx);
    SSL *v = SSL_new(server);
    BIO *x = NULL;
    BIO *y = NULL;
    uint8_t byte = 0;
    assert_int_equal(BIO_new_bio_pair(&x, 65536, &y, 65536), 1);
    SSL_set_bio(c, x, x);
    SSL_set_bio(v, y, y);
    SSL_set_connect_state(c);
    SSL_set_accept_state(v);
    for (int i = 0; i < 5; i++) {
        (void)SSL_do_handshake(c);
        (void)SSL_do_handshake(v);
    }
    assert_int_equal(SSL_write(v, "x", 1), 1);
    assert_int_equal(SSL_read(c, &byte, 1), 1);
    SSL_SESSION *session = SSL_get1_session(c);
    assert_int_equal(SSL_SESSION_is_resumable(session), 1);
    (void)SSL_shutdown(c);
    SSL_free(c);
    SSL_free(v);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return session;
}

static void resumption(const subject *s)
{
    plain_server p = {0};
    plain_new(&p);
    SSL_CTX_set_session_id_context(p.ctx, (const unsigned char *)"t", 1);
    SSL_SESSION *ticket = ticket_of(p.ctx);
    SSL_free(p.ssl);
    p.ssl = SSL_new(p.ctx);
    SSL_set_accept_state(p.ssl);
    rig_side victim;
    rig_options o = victim_of(s);
    BIO *x = NULL;
    BIO *y = NULL;
    rig_side_new(&victim, ATLS_CLIENT, &o);
    assert_int_equal(BIO_new_bio_pair(&x, 1 << 20, &y, 1 << 20), 1);
    SSL_set_bio(p.ssl, y, y);
    victim.resume = ticket;
    rig_side_start(&victim, x, RIG_NOW_MS, RIG_WHEN_S);
    for (int i = 0; i < 10 && victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&victim);
        plain_turn(&p);
    }
    assert_int_equal(SSL_session_reused(p.ssl), 1); /* the server would have gone on with it */
    must_be(s, RESUMED, &victim, false);
    rig_side_free(&victim);
    SSL_SESSION_free(ticket);
    SSL_free(p.ssl);
    SSL_CTX_free(p.ctx);
}

/* --- the peer changes after the handshake: a new look is due when policy says --- */

static void reconfigured(const subject *s)
{
    char policy[256];
    atls_attester *a = attester_of(rig_sim(), s, NULL);
    (void)snprintf(policy, sizeof policy,
                   "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"%s\"],"
                   "\"reattest_s\":60,\"bindings\":[\"%s\"]}]}",
                   s->quote != NULL ? s->quote : "tdx", s->name);
    rig_options o = server_of(s, a);
    o.client_asks = true;
    o.client_policy = policy;
    rig r;
    rig_new(&r, &o);
    rig_open(&r);
    rig_clock(&r, 60001);
    rig_settle(&r);
    bool asked_again = atls_session_rounds(r.client.session) == 2;
    (void)snprintf(results[s - subjects][RECONFIGURED], 64, "%s",
                   asked_again ? "asked again" : r.client.err.check);
    assert_int_equal(asked_again, strcmp(s->name, "atls/1") == 0);
    if (!asked_again) {
        rig_assert_failed(&r.client, ATLS_E_BINDING, "session.expired");
    }
    rig_free(&r);
    atls_attester_free(a);
}

/* --- all of it --- */

static bool is_there(const subject *s)
{
    return atls_binding_find((atls_buf){(const uint8_t *)s->name, strlen(s->name)}) != NULL;
}

static void each_dialect(void (*attack_one)(const subject *s))
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        assert_true(is_there(&subjects[i]));
        attack_one(&subjects[i]);
    }
}

static void no_key(const subject *s)
{
    relay_attack(s, false);
}
static void stolen_key(const subject *s)
{
    relay_attack(s, true);
}
static void unpinned(const subject *s)
{
    diversion(s, false);
}
static void pinned(const subject *s)
{
    diversion(s, true);
}

#define EACH(test, attack_one)                                                                     \
    static void test(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        each_dialect(attack_one);                                                                  \
    }
EACH(an_honest_peer_is_accepted, honest)
EACH(relays_without_the_key, no_key)
EACH(relays_with_the_stolen_key, stolen_key)
EACH(a_leaked_attestation_key_elsewhere, unpinned)
EACH(and_a_pin_against_it, pinned)
EACH(and_a_name_against_it, diversion_named)
EACH(old_evidence, replay)
EACH(evidence_of_other_dialects, cross)
EACH(parts_of_two_machines, splice)
EACH(the_victims_own_key, reflection)
EACH(peers_without_evidence, plain_peers)
EACH(peers_that_say_nothing, silence)
EACH(tickets_of_elsewhere, resumption)
EACH(peers_that_change, reconfigured)

/* Every dialect that can show evidence is in the table. */
static void none_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; atls_binding_at(i) != NULL; i++) {
        bool there = atls_binding_at(i)->verify_only;
        for (size_t k = 0; k < SUBJECTS; k++) {
            there = there || strcmp(subjects[k].name, atls_binding_at(i)->name) == 0;
        }
        assert_true(there);
    }
}

static void print_table(void)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        printf("\n%s\n", subjects[i].name);
        for (size_t a = 0; a < ATTACKS; a++) {
            printf("  %-20s %s\n", attack_names[a], results[i][a]);
        }
        printf("  %-20s", "others' evidence");
        for (size_t k = 0; k < SUBJECTS; k++) {
            printf("%s%s", k == i || crossed[i][k] != 'A' ? "" : " ",
                   k == i || crossed[i][k] != 'A' ? "" : subjects[k].name);
        }
        printf("\n");
    }
}

static int set_up(void **state)
{
    (void)state;
    uint8_t sha256[32];
    unsigned len = 0;
    rig_cert_make(&genuine_key, "server.test", NULL);
    if (X509_digest(genuine_key.cert, EVP_sha256(), sha256, &len) != 1) {
        return -1;
    }
    atls_hex_encode((atls_buf){sha256, sizeof sha256}, genuine_sha256);
    if (atls_sim_new(RIG_WHEN_S, NULL, &machine_b, NULL) != ATLS_OK) {
        return -1;
    }
    find_ppid_of_a();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    print_table();
    for (size_t i = 0; i < SUBJECTS; i++) {
        forget(&recorded[i]);
    }
    atls_sim_free(machine_b);
    rig_cert_free(&genuine_key);
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_left_out),
        cmocka_unit_test(an_honest_peer_is_accepted),
        cmocka_unit_test(relays_without_the_key),
        cmocka_unit_test(relays_with_the_stolen_key),
        cmocka_unit_test(a_leaked_attestation_key_elsewhere),
        cmocka_unit_test(and_a_pin_against_it),
        cmocka_unit_test(and_a_name_against_it),
        cmocka_unit_test(old_evidence),
        cmocka_unit_test(evidence_of_other_dialects),
        cmocka_unit_test(parts_of_two_machines),
        cmocka_unit_test(the_victims_own_key),
        cmocka_unit_test(peers_without_evidence),
        cmocka_unit_test(peers_that_say_nothing),
        cmocka_unit_test(tickets_of_elsewhere),
        cmocka_unit_test(peers_that_change),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
