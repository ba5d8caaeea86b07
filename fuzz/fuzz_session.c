/* A server's session behind a real TLS handshake, fed with what the input says: raw bytes, frames of any kind, well
 * made ones at any moment, steps of the clock, calls of its user. Whatever comes, a failure has a check and is final,
 * and no data passes before both sides have accepted. TLS itself is random; what is asserted does not depend on it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <atls/session.h>
#include <atls/sim.h>

#include "base/reader.h"
#include "binding/atls1.h"
#include "channel/config.h"

#define WHEN_S 1760000000
#define NOW_MS 1000000u
#define STEPS  64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once: keys, collateral and contexts take long, and no run changes them. */
static struct {
    atls_sim *sim;
    atls_attester *attester;
    atls_verifier *verifier;
    atls_config *server, *client;
    SSL_CTX *server_ctx, *client_ctx;
} fixed;

static int fill(uint8_t *out, size_t len)
{
    memset(out, 0x5a, len);
    return 1;
}

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void set_up_verifier(void)
{
    char *root = NULL;
    char *json = NULL;
    atls_collateral *collateral = NULL;
    fixed.verifier = atls_verifier_new();
    must(atls_sim_root(fixed.sim, &root, NULL) == ATLS_OK &&
         atls_verifier_insecure_trust_simulator(fixed.verifier, text_buf(root), NULL) == ATLS_OK &&
         atls_sim_collateral(fixed.sim, "tdx", &json, NULL) == ATLS_OK &&
         atls_collateral_parse(text_buf(json), &collateral, NULL) == ATLS_OK &&
         atls_verifier_add1_collateral(fixed.verifier, collateral, NULL) == ATLS_OK);
    atls_collateral_free(collateral);
    atls_free(root);
    atls_free(json);
}

static void set_up(void)
{
    if (fixed.sim != NULL) {
        return;
    }
    must(atls_sim_new(WHEN_S, NULL, &fixed.sim, NULL) == ATLS_OK &&
         atls_sim_attester_new(fixed.sim, &(atls_sim_quote){0}, &fixed.attester, NULL) == ATLS_OK);
    set_up_verifier();
    fixed.server = atls_config_new();
    fixed.client = atls_config_new();
    atls_config_set0_verifier(fixed.server, fixed.verifier);
    atls_config_set0_attester(fixed.server, fixed.attester);
    atls_config_set_random(fixed.server, fill);
    atls_config_set0_verifier(fixed.client, fixed.verifier);
    fixed.server_ctx = SSL_CTX_new(TLS_server_method());
    fixed.client_ctx = SSL_CTX_new(TLS_client_method());
    must(atls_config_make_identity(fixed.server, WHEN_S, NULL) == ATLS_OK &&
         atls_config_make_identity(fixed.client, WHEN_S, NULL) == ATLS_OK &&
         atls_config_apply(fixed.server, fixed.server_ctx, ATLS_SERVER, NULL) == ATLS_OK &&
         atls_config_apply(fixed.client, fixed.client_ctx, ATLS_CLIENT, NULL) == ATLS_OK);
}

typedef struct run {
    SSL *peer, *ssl;
    atls_session *session;
    uint64_t now_ms;
    atls_code rc; /* of the last call that could end the session */
    bool opened;  /* it has said so */
    uint32_t round;
    uint8_t context[ATLS1_CONTEXT_LEN]; /* of our last well-made request */
} run;

static bool failed(atls_code rc)
{
    return rc != ATLS_OK && rc < ATLS_WANT_READ;
}

static void note(run *r, atls_code rc, const atls_err *err)
{
    if (failed(rc)) {
        assert(err->check != NULL && err->check[0] != '\0' && err->msg[0] != '\0' &&
               err->code == rc);
    }
    r->rc = rc;
}

/* --- the server's user --- */

static void shake_hands(run *r)
{
    atls_err err = {0};
    note(r, atls_session_handshake(r->session, &err), &err);
    if (r->rc == ATLS_WANT_JOB) {
        atls_job_run(atls_session_get0_job(r->session));
        note(r, atls_session_handshake(r->session, &err), &err);
    }
    if (r->rc == ATLS_OK && !r->opened) {
        assert(atls_verdict_accepted(atls_session_get0_verdict(r->session)));
        assert(atls_session_peer_accepted(r->session));
        r->opened = true;
    }
}

static void read_some(run *r)
{
    atls_err err = {0};
    uint8_t b[100];
    size_t n = 0;
    note(r, atls_session_read(r->session, b, sizeof b, &n, &err), &err);
    assert(n == 0 || (r->opened && r->rc == ATLS_OK));
    if (r->rc == ATLS_WANT_JOB) {
        atls_job_run(atls_session_get0_job(r->session));
    }
}

static void write_some(run *r)
{
    atls_err err = {0};
    static const uint8_t b[20000];
    size_t n = 0;
    note(r, atls_session_write(r->session, b, sizeof b, &n, &err), &err);
    assert(n == 0 || (r->opened && r->rc == ATLS_OK));
}

static void call(run *r, uint8_t which)
{
    atls_err err = {0};
    switch (which % 4) {
    case 0:
        read_some(r);
        break;
    case 1:
        write_some(r);
        break;
    case 2:
        (void)!atls_session_reattest(r->session, &err);
        break;
    default:
        note(r, atls_session_shutdown(r->session, &err), &err);
        break;
    }
}

/* --- the peer --- */

static void send_frame(run *r, uint8_t type, atls_buf payload)
{
    static uint8_t frame[ATLS1_FRAME_HEADER + ATLS_EA_MAX];
    size_t n = 0;
    atls1_frame_header_write(type, (uint32_t)payload.len, frame);
    if (payload.len > 0) {
        memcpy(frame + ATLS1_FRAME_HEADER, payload.ptr, payload.len);
    }
    (void)SSL_write_ex(r->peer, frame, ATLS1_FRAME_HEADER + payload.len,
                       &n); /* full, or over: then not */
}

static void send_request(run *r)
{
    static const uint8_t random[27];
    uint8_t space[128];
    atls_buf raw = {NULL, 0};
    atls1_context(0, r->round++, random, r->context);
    must(atls_ea_request_build(ATLS_EA_SERVER, (atls_buf){r->context, sizeof r->context}, true,
                               ATLS_EA_CMW_TYPE, space, sizeof space, &raw, NULL) == ATLS_OK);
    send_frame(r, ATLS1_FRAME_REQUEST, raw);
}

static bool derive(void *self, const char *label, atls_buf context, uint8_t *out, size_t len)
{
    return SSL_export_keying_material(self, out, len, label, strlen(label), context.ptr,
                                      context.len, 1) == 1;
}

/* The answer to the server's request of this round, whose context is known: its random bytes are fixed. */
static void send_authenticator(run *r, uint32_t round)
{
    uint8_t random[27];
    uint8_t context[ATLS1_CONTEXT_LEN];
    uint8_t space[128];
    uint8_t binder[48];
    atls_report_data report_data = {0};
    atls_buf raw = {NULL, 0};
    atls_ea_request request;
    atls_ea_keys keys;
    atls_evidence_blob blob = {0};
    uint8_t *cmw = NULL;
    uint8_t *out = NULL;
    size_t cmw_len = 0;
    size_t len = 0;
    atls_exporter exporter = {derive, r->peer, ATLS_SHA384};
    (void)fill(random, sizeof random);
    atls1_context(1, round, random, context);
    must(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){context, sizeof context}, true,
                               ATLS_EA_CMW_TYPE, space, sizeof space, &raw, NULL) == ATLS_OK &&
         atls_ea_request_parse(raw, ATLS_EA_CLIENT, ATLS_EA_CMW_TYPE, &request, NULL) == ATLS_OK &&
         atls_ea_keys_derive(&exporter, &keys, NULL) == ATLS_OK &&
         atls_ea_binder(&exporter, (atls_buf){fixed.client->spki, fixed.client->spki_len},
                        request.context, binder, NULL) == ATLS_OK &&
         atls1_report_data(0, (atls_buf){binder, 48}, report_data.wide, NULL) == ATLS_OK &&
         fixed.attester->attest(fixed.attester->self, &report_data, &blob, NULL) == ATLS_OK &&
         atls1_payload_build(&blob, &cmw, &cmw_len, NULL) == ATLS_OK);
    X509 *const chain[] = {fixed.client->leaf};
    must(atls_ea_build(&keys, &request, chain, 1, fixed.client->key, (atls_buf){cmw, cmw_len},
                       ATLS_EA_CMW_TYPE, &out, &len, NULL) == ATLS_OK);
    send_frame(r, ATLS1_FRAME_AUTHENTICATOR, (atls_buf){out, len});
    atls_evidence_blob_clear(&blob);
    free(cmw);
    free(out);
}

static void send_verdict(run *r, uint8_t verdict)
{
    uint8_t payload[1 + ATLS1_CONTEXT_LEN];
    payload[0] = verdict;
    memcpy(payload + 1, r->context, sizeof r->context);
    send_frame(r, ATLS1_FRAME_VERDICT, (atls_buf){payload, sizeof payload});
}

static void drain(run *r)
{
    uint8_t b[4096];
    size_t n = 0;
    while (SSL_read_ex(r->peer, b, sizeof b, &n) == 1) {
    }
}

static void step(run *r, atls_reader *in)
{
    uint8_t op = atls_reader_u8(in);
    uint8_t arg = atls_reader_u8(in);
    size_t n = 0;
    size_t cap = in->left < arg ? in->left : arg;
    switch (op % 8) {
    case 0:
        (void)SSL_write_ex(r->peer, in->ptr, cap, &n);
        (void)atls_reader_view(in, cap);
        break;
    case 1:
        send_frame(r, (uint8_t)(op / 8), atls_reader_view(in, cap));
        break;
    case 2:
        send_request(r);
        break;
    case 3:
        send_authenticator(r, arg);
        break;
    case 4:
        send_verdict(r, arg);
        break;
    case 5:
        r->now_ms += (uint64_t)arg * 100;
        atls_session_set_time(r->session, r->now_ms,
                              WHEN_S + (int64_t)((r->now_ms - NOW_MS) / 1000));
        break;
    case 6:
        call(r, arg);
        break;
    default:
        drain(r);
        break;
    }
}

static void start(run *r)
{
    BIO *a = NULL;
    BIO *b = NULL;
    memset(r, 0, sizeof *r);
    r->now_ms = NOW_MS;
    r->ssl = SSL_new(fixed.server_ctx);
    r->peer = SSL_new(fixed.client_ctx);
    must(r->ssl != NULL && r->peer != NULL && BIO_new_bio_pair(&a, 200000, &b, 200000) == 1);
    SSL_set_bio(r->ssl, a, a);
    SSL_set_bio(r->peer, b, b);
    SSL_set_connect_state(r->peer);
    X509_VERIFY_PARAM_set_time(SSL_get0_param(r->peer), WHEN_S);
    must(atls_session_new(fixed.server, r->ssl, ATLS_SERVER, NOW_MS, WHEN_S, &r->session, NULL) ==
         ATLS_OK);
    for (int i = 0; i < 5 && !SSL_is_init_finished(r->peer); i++) {
        (void)SSL_do_handshake(r->peer);
        shake_hands(r);
    }
    must(SSL_is_init_finished(r->peer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run r;
    atls_reader in = atls_reader_of((atls_buf){data, size});
    set_up();
    start(&r);
    for (int i = 0; i < STEPS && in.left > 0; i++) {
        step(&r, &in);
        if (!r.opened) {
            shake_hands(&r);
        } else {
            read_some(&r);
        }
        if (failed(r.rc) && r.rc != ATLS_E_USAGE) { /* for good */
            atls_err err = {0};
            assert(atls_session_handshake(r.session, &err) == r.rc);
            assert(atls_session_deadline_ms(r.session) == UINT64_MAX);
            break;
        }
    }
    atls_session_free(r.session);
    SSL_free(r.ssl);
    SSL_free(r.peer);
    return 0;
}
