/* Early attestation: between two ends of ours in every direction, and against peers that this file plays itself with
 * OpenSSL's own interface and a second computation of the binder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "binding/atls1.h"
#include "binding/seat_binder.h"
#include "binding/seat_schemes.h"
#include "e2e/rig.h"

#define EXTENSION 0xff10

static const rig_options mutual = {.client_shows = true,
                                   .client_asks = true,
                                   .server_shows = true,
                                   .server_asks = true,
                                   .bindings = "seat-early"};
static const rig_options server_alone = {
    .client_asks = true, .server_shows = true, .bindings = "seat-early"};
static const rig_options client_alone = {
    .server_asks = true, .client_shows = true, .bindings = "seat-early"};

static void assert_verdict(const rig_side *side)
{
    const atls_verdict *v = atls_session_get0_verdict(side->session);
    assert_non_null(v);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_binding(v), "handshake");
    assert_string_equal(atls_verdict_freshness(v), "this connection");
    assert_string_equal(atls_session_get0_binding(side->session), "seat-early");
}

static void exchange_data(rig *r)
{
    static const uint8_t ping[] = "ping";
    rig_send(&r->client, &r->server, ping, sizeof ping);
    rig_send(&r->server, &r->client, ping, sizeof ping);
}

static void want_p384(SSL *ssl)
{
    assert_int_equal(SSL_set1_groups_list(ssl, "P-384"), 1);
}

static void each_direction(void **state)
{
    (void)state;
    static const char *const suites[] = {NULL, "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    const rig_options *const ways[] = {&mutual, &server_alone, &client_alone};
    for (size_t i = 0; i < 3 * 4 * 2; i++) {
        rig r;
        rig_options o = *ways[i % 3];
        o.suite = suites[i / 3 % 4];
        rig_new(&r, &o);
        if (i / 12 == 1) { /* a share of another group: HelloRetryRequest */
            want_p384(r.server.ssl);
        }
        rig_open(&r);
        assert_int_equal(SSL_get_negotiated_group(r.client.ssl),
                         i / 12 == 1 ? NID_secp384r1 : NID_X25519);
        if (o.client_asks) {
            assert_verdict(&r.client);
        }
        if (o.server_asks) {
            assert_verdict(&r.server);
        }
        exchange_data(&r);
        rig_free(&r);
    }
}

static void other_numbers(void **state)
{
    (void)state;
    rig r;
    rig_options o = mutual;
    o.options[0] = "extension";
    o.options[1] = "0xff77";
    rig_new(&r, &o);
    rig_open(&r);
    rig_free(&r);
    static const struct {
        const char *name, *value;
    } bad[] = {
        {"extension", "16"}, /* ALPN's */
        {"extension", "65536"}, {"extension", "0x"},          {"extension", "-1"},
        {"extension", ""},      {"alert_unsupported", "256"}, {"alert_required", "x"},
        {"alert_failed", "4 "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_err err = {0};
        atls_attester none = {.name = "none"};
        atls_config *c = atls_config_new();
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        atls_config_set0_attester(c, &none);
        assert_int_equal(atls_config_make_identity(c, RIG_WHEN_S, NULL), ATLS_OK);
        assert_int_equal(atls_config_set_bindings(c, "seat-early", NULL), ATLS_OK);
        assert_int_equal(atls_config_set_option(c, bad[i].name, bad[i].value, NULL), ATLS_OK);
        assert_int_equal(atls_config_apply(c, ctx, ATLS_CLIENT, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "seat_early.option");
        SSL_CTX_free(ctx);
        atls_config_free(c);
    }
}

static void a_slow_attester(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &mutual);
    r.client.hold_jobs = r.server.hold_jobs = true;
    unsigned jobs = 0;
    for (int i = 0; i < 200 && (r.client.rc >= ATLS_WANT_READ || r.server.rc >= ATLS_WANT_READ);
         i++) {
        rig_side *const sides[] = {&r.client, &r.server};
        for (size_t k = 0; k < 2; k++) {
            if (sides[k]->rc < ATLS_WANT_READ) {
                continue;
            }
            if (rig_step(sides[k]) == ATLS_WANT_JOB) {
                assert_int_equal(rig_step(sides[k]), ATLS_WANT_JOB); /* nothing moves without it */
                atls_job_run(atls_session_get0_job(sides[k]->session));
                jobs++;
            }
        }
    }
    assert_int_equal(r.client.rc, ATLS_OK);
    assert_int_equal(r.server.rc, ATLS_OK);
    assert_int_equal(jobs, 2);
    assert_verdict(&r.client);
    assert_verdict(&r.server);
    exchange_data(&r);
    rig_free(&r);
}

/* The connection is given up while evidence is made: nothing is left behind (a sanitizer would say so). */
static void given_up_while_attesting(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        rig r;
        rig_new(&r, &mutual);
        rig_side *side = k == 0 ? &r.server : &r.client;
        side->hold_jobs = true;
        rig_handshake(&r);
        assert_int_equal(side->rc, ATLS_WANT_JOB);
        rig_free(&r);
    }
}

static atls_code fail_to_attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                atls_err *err)
{
    (void)self, (void)data, (void)out, (void)err;
    return ATLS_E_SYSTEM;
}

/* As much as a payload takes: one byte more than the extension has room for. */
static atls_code attest_a_byte_too_much(void *self, const atls_report_data *data,
                                        atls_evidence_blob *out, atls_err *err)
{
    (void)self, (void)data, (void)err;
    *out = (atls_evidence_blob){.type = "tdx", .parts_n = 1, .parts = {{.name = "quote"}}};
    out->parts[0].bytes = calloc(1, 65528);
    for (size_t len = 65400, total = 0; total < ATLS_SEAT_CMW_MAX + 1; len++) {
        uint8_t *cmw = NULL;
        out->parts[0].len = len;
        assert_int_equal(atls1_payload_build(out, &cmw, &total, NULL), ATLS_OK);
        free(cmw);
    }
    return ATLS_OK;
}

static atls_code attest_too_much(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                 atls_err *err)
{
    (void)self, (void)data, (void)err;
    *out = (atls_evidence_blob){
        .type = "tdx", .parts_n = 1, .parts = {{.name = "quote", .len = 65528}}};
    out->parts[0].bytes = calloc(1, 65528);
    return ATLS_OK;
}

static void attesters_that_fail(void **state)
{
    (void)state;
    static const atls_attester failing = {.name = "broken", .attest = fail_to_attest};
    static const atls_attester talking = {.name = "talking", .attest = attest_too_much};
    static const atls_attester filling = {.name = "filling", .attest = attest_a_byte_too_much};
    static const atls_attester *const all[] = {&failing, &talking, &filling};
    for (int k = 0; k < 6; k++) {
        rig r;
        rig_options o = k % 2 == 0 ? server_alone : client_alone;
        const atls_attester *a = all[k / 2];
        o.server_attester = k % 2 == 0 ? a : NULL;
        o.client_attester = k % 2 == 0 ? NULL : a;
        rig_new(&r, &o);
        rig_handshake(&r);
        rig_side *side = k % 2 == 0 ? &r.server : &r.client;
        if (k < 2) {
            rig_assert_failed(side, ATLS_E_SYSTEM, "attester.failed");
        } else {
            rig_assert_failed(side, k < 4 ? ATLS_E_USAGE : ATLS_E_SYSTEM,
                              k < 4 ? "payload.size" : "seat_early.size");
        }
        assert_int_not_equal((k % 2 == 0 ? &r.client : &r.server)->rc, ATLS_OK);
        rig_free(&r);
    }
}

static void wrong_measurements(void **state)
{
    (void)state;
    static const atls_sim_quote debug = {.debug = true};
    rig r;
    rig_options o = mutual;
    o.server_quote = &debug;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "policy.debug");
    rig_free(&r);
}

/* Ends that want what the other one does not give. */
static void no_agreement(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        bool client_shows, client_asks, server_shows, server_asks;
        const char *client, *server; /* checks */
    } rows[] = {
        {"evidence is wanted of a server that has none", false, true, false, true, NULL,
         "seat_early.unsupported"},
        {"evidence is wanted of a client that has none", false, true, true, true, NULL,
         "seat_early.required"},
        {"two that only show", true, false, true, false, NULL, "seat_early.unsupported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig r;
        rig_new(&r, &(rig_options){.bindings = "seat-early",
                                   .client_shows = rows[i].client_shows,
                                   .client_asks = rows[i].client_asks,
                                   .server_shows = rows[i].server_shows,
                                   .server_asks = rows[i].server_asks});
        print_message("%s\n", rows[i].what);
        rig_handshake(&r);
        rig_assert_failed(&r.server, ATLS_E_POLICY, rows[i].server);
        assert_true(r.client.rc != ATLS_OK && r.client.rc < ATLS_WANT_READ);
        rig_free(&r);
    }
}

/* --- peers that this file plays --- */

typedef struct evil {
    SSL_CTX *ctx;
    SSL *ssl;
    atls_seat_hellos hellos;
    bool server;
    atls_buf hello, choice, request; /* data in CH or EE, and CR; NULL: not sent */
    bool silent;                     /* no evidence */
    size_t entry;                    /* that it stands beside */
    bool both_entries;
    int flip;              /* a byte of the binder, from 1 on; 0: none */
    const EVP_PKEY *bound; /* instead of the certificate's key */
    atls_buf replayed;     /* instead of a CMW of its own */
    atls_buf cmw;          /* sent; malloc'ed */
    bool batched;
    unsigned hellos_n;
    int second;   /* the second ClientHello: 1 without an offer, 2 with another one */
    atls_buf raw; /* the extension's data, instead of all that */
} evil;

static const uint8_t our_scheme[] = "\0\1\0\x22" ATLS1_MEDIA_TYPE;
#define SCHEME_LEN (sizeof our_scheme - 1)

static void keep(int write_p, int version, int content_type, const void *bytes, size_t len,
                 SSL *ssl, void *arg)
{
    evil *e = arg;
    (void)write_p, (void)version, (void)ssl;
    if (content_type == SSL3_RT_HANDSHAKE) {
        atls_seat_hellos_add(&e->hellos, (atls_buf){bytes, len});
    }
}

static void make_cmw(evil *e, X509 *leaf)
{
    atls_sim_quote q = {.type = "tdx"};
    atls_report_data data;
    uint8_t value[48];
    unsigned char *spki = NULL;
    uint8_t *cmw = NULL;
    size_t len = 0;
    atls_evidence_blob blob = {.type = "tdx", .parts_n = 1, .parts = {{.name = "quote"}}};
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_pending_cipher(e->ssl));
    const atls_hash hash = EVP_MD_get_size(md) == 48 ? ATLS_SHA384 : ATLS_SHA256;
    const int spki_len = e->bound != NULL ? i2d_PUBKEY(e->bound, &spki)
                                          : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    assert_int_equal(atls_seat_transcript(&e->hellos, hash, value, NULL), ATLS_OK);
    assert_int_equal(atls_seat_base(hash, value, value, NULL), ATLS_OK);
    assert_int_equal(atls_seat_binder(hash, value, (atls_buf){spki, (size_t)spki_len}, value, NULL),
                     ATLS_OK);
    assert_int_equal(atls_seat_report_data(hash, value, &data, NULL), ATLS_OK);
    memcpy(q.report_data, data.wide, 64);
    if (e->flip > 0) {
        q.report_data[e->flip - 1] ^= 1;
    }
    assert_int_equal(
        atls_sim_make_quote(rig_sim(), &q, &blob.parts[0].bytes, &blob.parts[0].len, NULL),
        ATLS_OK);
    atls1_payload payload = {
        .batched = e->batched,
        .size = 1,
        .evidence = {.type = "tdx",
                     .parts_n = 1,
                     .parts = {{"quote", {blob.parts[0].bytes, blob.parts[0].len}}}}};
    assert_int_equal(atls1_payload_encode(&payload, &cmw, &len, NULL), ATLS_OK);
    free((void *)(uintptr_t)e->cmw.ptr);
    e->cmw = (atls_buf){cmw, len};
    atls_evidence_blob_clear(&blob);
    OPENSSL_free(spki);
}

static int evil_evidence(evil *e, X509 *leaf, size_t place, const unsigned char **out, size_t *len)
{
    static uint8_t space[70000];
    if (e->silent || (place != e->entry && !e->both_entries)) {
        return 0;
    }
    if (e->raw.ptr != NULL) {
        *out = e->raw.ptr;
        *len = e->raw.len;
        return 1;
    }
    atls_buf cmw = e->replayed;
    if (cmw.ptr == NULL) {
        make_cmw(e, leaf);
        cmw = e->cmw;
    }
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_writer_u24be(&w, (uint32_t)cmw.len);
    atls_writer_bytes(&w, cmw);
    *out = space;
    *len = atls_writer_done(&w).len;
    return 1;
}

static int evil_add(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                    size_t *len, X509 *leaf, size_t place, int *alert, void *arg)
{
    evil *e = arg;
    (void)ssl, (void)type, (void)alert;
    if ((context & SSL_EXT_TLS1_3_CERTIFICATE) != 0) {
        return evil_evidence(e, leaf, place, out, len);
    }
    static const uint8_t other[] = {0, 0, 0, 4, 0, 0, 0x27, 0x13};
    if ((context & SSL_EXT_CLIENT_HELLO) != 0 && e->hellos_n++ > 0 && e->second != 0) {
        *out = other;
        *len = sizeof other;
        return e->second - 1;
    }
    const atls_buf data = (context & SSL_EXT_CLIENT_HELLO) != 0                 ? e->hello
                          : (context & SSL_EXT_TLS1_3_CERTIFICATE_REQUEST) != 0 ? e->request
                                                                                : e->choice;
    *out = data.ptr;
    *len = data.len;
    return data.ptr == NULL ? 0 : 1;
}

static int evil_parse(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
                      size_t len, X509 *leaf, size_t place, int *alert, void *arg)
{
    (void)ssl, (void)type, (void)context, (void)in, (void)len, (void)leaf, (void)place, (void)alert,
        (void)arg;
    return 1;
}

static int any_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* A self-signed certificate and its key. */
static X509 *self_signed(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"evil", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &(time_t){RIG_WHEN_S - 60});
    X509_time_adj_ex(X509_getm_notAfter(x), 1, 0, &(time_t){RIG_WHEN_S});
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

typedef struct played {
    rig_side ours;
    evil *theirs;
    int ret; /* of the peer's last handshake call */
} played;

/* Our side in role against e: until ours has ended or is open, or nothing moves any more. */
static void play_tweaked(played *p, const rig_options *o, evil *e, bool certificate,
                         void (*tweak)(SSL *ssl))
{
    BIO *a = NULL, *b = NULL;
    const atls_role role = e->server ? ATLS_CLIENT : ATLS_SERVER;
    *p = (played){.theirs = e};
    e->ctx = SSL_CTX_new(e->server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_msg_callback(e->ctx, keep);
    SSL_CTX_set_msg_callback_arg(e->ctx, e);
    SSL_CTX_set_verify(e->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(e->ctx, any_certificate, NULL);
    assert_int_equal(
        SSL_CTX_add_custom_ext(e->ctx, EXTENSION,
                               SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS |
                                   SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE,
                               evil_add, NULL, e, evil_parse, e),
        1);
    if (certificate) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *x = self_signed(key);
        assert_int_equal(SSL_CTX_use_certificate(e->ctx, x), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(e->ctx, key), 1);
        SSL_CTX_add_extra_chain_cert(e->ctx, self_signed(key)); /* entry 1 */
        X509_free(x);
        EVP_PKEY_free(key);
    }
    e->ssl = SSL_new(e->ctx);
    assert_int_equal(BIO_new_bio_pair(&a, 1 << 18, &b, 1 << 18), 1);
    SSL_set_bio(e->ssl, a, a);
    if (e->server) {
        SSL_set_accept_state(e->ssl);
    } else {
        SSL_set_connect_state(e->ssl);
    }
    rig_side_new(&p->ours, role, o);
    p->ours.tweak = tweak;
    rig_side_start(&p->ours, b, RIG_NOW_MS, RIG_WHEN_S);
    for (int i = 0; i < 20 && p->ours.rc >= ATLS_WANT_READ; i++) {
        p->ret = SSL_do_handshake(e->ssl);
        (void)rig_step(&p->ours);
    }
}

static void play(played *p, const rig_options *o, evil *e, bool certificate)
{
    play_tweaked(p, o, e, certificate, NULL);
}

static void done(played *p)
{
    rig_side_free(&p->ours);
    SSL_free(p->theirs->ssl);
    SSL_CTX_free(p->theirs->ctx);
    atls_seat_hellos_clear(&p->theirs->hellos);
    free((void *)(uintptr_t)p->theirs->cmw.ptr);
    p->theirs->cmw = (atls_buf){NULL, 0};
}

static const atls_buf good_choice = {our_scheme, SCHEME_LEN};

static void servers_played(void **state)
{
    (void)state;
    EVP_PKEY *other = EVP_EC_gen("P-256");
    static const uint8_t number[] = {0, 0, 0x27, 0x13};
    static const uint8_t cut[] = {0, 1, 0};
    static const uint8_t junk[] = {0, 0, 4, 'j', 'u', 'n', 'k'};
    static const uint8_t longer[] = {0, 0, 9, 'j', 'u', 'n', 'k'};
    const struct {
        const char *what;
        evil e;
        atls_code code;
        const char *check; /* NULL: accepted */
    } rows[] = {
        {"an honest one", {.choice = good_choice}, ATLS_OK, NULL},
        {"the binder's first byte",
         {.choice = good_choice, .flip = 1},
         ATLS_E_BINDING,
         "binding.report_data"},
        {"the binder's last byte",
         {.choice = good_choice, .flip = 48},
         ATLS_E_BINDING,
         "binding.report_data"},
        {"behind the binder",
         {.choice = good_choice, .flip = 64},
         ATLS_E_BINDING,
         "binding.report_data"},
        {"over another key",
         {.choice = good_choice, .bound = other},
         ATLS_E_BINDING,
         "binding.report_data"},
        {"no evidence",
         {.choice = good_choice, .silent = true},
         ATLS_E_POLICY,
         "session.no_evidence"},
        {"no choice", {.choice = {NULL, 0}, .silent = true}, ATLS_E_POLICY, "seat_early.absent"},
        {"evidence without a choice", {.choice = {NULL, 0}}, ATLS_E_INVALID, "seat_early.unasked"},
        {"beside the second certificate",
         {.choice = good_choice, .entry = 1},
         ATLS_E_INVALID,
         "seat_early.entry"},
        {"beside both",
         {.choice = good_choice, .both_entries = true},
         ATLS_E_INVALID,
         "seat_early.entry"},
        {"a choice that was not offered",
         {.choice = {number, 4}},
         ATLS_E_INVALID,
         "seat_early.choice"},
        {"a choice that is cut", {.choice = {cut, 3}}, ATLS_E_INVALID, "seat_early.choice"},
        {"a client's choice that was not offered",
         {.choice = good_choice, .request = good_choice},
         ATLS_E_INVALID,
         "seat_early.choice"},
        {"evidence that is junk",
         {.choice = good_choice, .raw = {junk, sizeof junk}},
         ATLS_E_INVALID,
         "payload.cbor"},
        {"evidence of a batch",
         {.choice = good_choice, .batched = true},
         ATLS_E_INVALID,
         "seat_early.payload"},
        {"evidence that is cut",
         {.choice = good_choice, .raw = {longer, sizeof longer}},
         ATLS_E_INVALID,
         "seat_early.evidence"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        played p;
        evil e = rows[i].e;
        e.server = true;
        print_message("%s\n", rows[i].what);
        play(&p, &server_alone, &e, true);
        if (rows[i].check == NULL) {
            assert_int_equal(p.ours.rc, ATLS_OK);
            assert_verdict(&p.ours);
        } else {
            rig_assert_failed(&p.ours, rows[i].code, rows[i].check);
        }
        done(&p);
    }
    EVP_PKEY_free(other);
}

static void evidence_of_another_connection(void **state)
{
    (void)state;
    played first, second;
    evil a = {.server = true, .choice = good_choice};
    play(&first, &server_alone, &a, true);
    assert_int_equal(first.ours.rc, ATLS_OK);
    evil b = {.server = true, .choice = good_choice, .replayed = a.cmw};
    play(&second, &server_alone, &b, true);
    rig_assert_failed(&second.ours, ATLS_E_BINDING, "binding.report_data");
    done(&second);
    done(&first);
}

/* u16 length and the lists, as they are named. */
static atls_buf offer_of(const atls_buf *server, const atls_buf *client, uint8_t space[128])
{
    atls_writer w = atls_writer_of(space, 128);
    atls_writer_u16be(&w, server != NULL ? (uint16_t)server->len : 0);
    atls_writer_bytes(&w, server != NULL ? *server : (atls_buf){NULL, 0});
    atls_writer_u16be(&w, client != NULL ? (uint16_t)client->len : 0);
    atls_writer_bytes(&w, client != NULL ? *client : (atls_buf){NULL, 0});
    return atls_writer_done(&w);
}

static void clients_played(void **state)
{
    (void)state;
    static const uint8_t number_bytes[] = {0, 0, 0x27, 0x13};
    static const atls_buf number = {number_bytes, 4};
    uint8_t client_space[128], number_space[128], both_space[128], empty_space[128];
    const atls_buf client = offer_of(NULL, &good_choice, client_space);
    const atls_buf of_number = offer_of(NULL, &number, number_space);
    const atls_buf both = offer_of(&good_choice, &good_choice, both_space);
    const atls_buf empty = offer_of(NULL, NULL, empty_space);
    const struct {
        const char *what;
        evil e;
        bool certificate;
        atls_code code;
        const char *check;
    } rows[] = {
        {"an honest one", {.hello = client}, true, ATLS_OK, NULL},
        {"TLS and nothing else", {.hello = {NULL, 0}}, true, ATLS_E_POLICY, "seat_early.absent"},
        {"evidence in another form",
         {.hello = of_number},
         true,
         ATLS_E_POLICY,
         "seat_early.required"},
        {"wants evidence too", {.hello = both}, true, ATLS_E_POLICY, "seat_early.unsupported"},
        {"two empty lists", {.hello = empty}, true, ATLS_E_INVALID, "seat_early.schemes"},
        {"half an offer", {.hello = {client.ptr, 3}}, true, ATLS_E_INVALID, "seat_early.schemes"},
        {"no evidence",
         {.hello = client, .silent = true},
         true,
         ATLS_E_POLICY,
         "session.no_evidence"},
        {"no certificate", {.hello = client}, false, ATLS_E_POLICY, "tls.certificate"},
        {"a wrong binder",
         {.hello = client, .flip = 3},
         true,
         ATLS_E_BINDING,
         "binding.report_data"},
        {"beside the second certificate",
         {.hello = client, .entry = 1},
         true,
         ATLS_E_INVALID,
         "seat_early.entry"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        played p;
        evil e = rows[i].e;
        print_message("%s\n", rows[i].what);
        play(&p, &client_alone, &e, rows[i].certificate);
        if (rows[i].check == NULL) {
            assert_int_equal(p.ours.rc, ATLS_OK);
            assert_verdict(&p.ours);
        } else {
            rig_assert_failed(&p.ours, rows[i].code, rows[i].check);
        }
        done(&p);
    }
}

/* The server wants a share of another group, and the client offers something else with it. */
static void second_hellos(void **state)
{
    (void)state;
    uint8_t space[128];
    for (int second = 0; second < 3; second++) {
        played p;
        evil e = {.hello = offer_of(NULL, &good_choice, space), .second = second};
        play_tweaked(&p, &client_alone, &e, true, want_p384);
        assert_int_equal(e.hellos_n, 2);
        if (second == 0) {
            assert_int_equal(p.ours.rc, ATLS_OK);
            assert_verdict(&p.ours);
        } else {
            rig_assert_failed(&p.ours, ATLS_E_INVALID, "seat_early.changed");
        }
        done(&p);
    }
}

static int end_of_group(void **state)
{
    (void)state;
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_direction),
        cmocka_unit_test(other_numbers),
        cmocka_unit_test(a_slow_attester),
        cmocka_unit_test(given_up_while_attesting),
        cmocka_unit_test(attesters_that_fail),
        cmocka_unit_test(wrong_measurements),
        cmocka_unit_test(no_agreement),
        cmocka_unit_test(servers_played),
        cmocka_unit_test(evidence_of_another_connection),
        cmocka_unit_test(clients_played),
        cmocka_unit_test(second_hellos),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
