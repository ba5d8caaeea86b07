#include "attacks/evil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "channel/config.h"

/* --- TLS --- */

static int accept_any(X509_STORE_CTX *store_ctx, void *arg)
{
    (void)store_ctx;
    (void)arg;
    return 1;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned int in_len, void *arg)
{
    const char *name = arg;
    (void)ssl;
    (void)in;
    (void)in_len;
    *out = (const unsigned char *)name; /* ours, offered or not */
    *out_len = (unsigned char)strlen(name);
    return name[0] == '\0' ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

static void set_alpn(evil *e, const char *name)
{
    uint8_t wire[32];
    if (e->role == ATLS_SERVER) {
        SSL_CTX_set_alpn_select_cb(e->ctx, choose_alpn, (void *)(uintptr_t)name);
    } else if (name[0] != '\0') {
        wire[0] = (uint8_t)strlen(name);
        memcpy(wire + 1, name, wire[0]);
        assert_int_equal(SSL_CTX_set_alpn_protos(e->ctx, wire, wire[0] + 1u), 0);
    }
}

static bool derive(void *self, const char *label, atls_buf context, uint8_t *out, size_t len)
{
    return SSL_export_keying_material(self, out, len, label, strlen(label), context.ptr,
                                      context.len, 1) == 1;
}

static void set_up(evil *e, const evil_options *o)
{
    atls_err err = {0};
    e->own = atls_config_new();
    assert_int_equal(atls_config_make_identity(e->own, RIG_WHEN_S, &err), ATLS_OK);
    e->identity = o->identity != NULL ? o->identity : e->own;
    assert_int_equal(atls_sim_attester_new(rig_sim(), &(atls_sim_quote){0}, &e->attester, &err),
                     ATLS_OK);
    e->ctx = SSL_CTX_new(e->role == ATLS_CLIENT ? TLS_client_method() : TLS_server_method());
    assert_non_null(e->ctx);
    SSL_CTX_set_max_proto_version(e->ctx, o->max_version == 0 ? TLS1_3_VERSION : o->max_version);
    SSL_CTX_set_num_tickets(e->ctx, (size_t)o->tickets);
    SSL_CTX_set_verify(e->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(e->ctx, accept_any, NULL);
    set_alpn(e, o->alpn != NULL ? o->alpn : "atls/1");
    if (o->groups != NULL) {
        assert_int_equal(SSL_CTX_set1_groups_list(e->ctx, o->groups), 1);
    }
    if (!o->no_certificate) {
        assert_int_equal(SSL_CTX_use_certificate(e->ctx, e->identity->leaf), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(e->ctx, e->identity->key), 1);
    }
    e->ssl = SSL_new(e->ctx);
    assert_non_null(e->ssl);
}

void evil_meet(evil *e, atls_role role, const evil_options *o, rig_side *victim)
{
    BIO *a = NULL;
    BIO *b = NULL;
    memset(e, 0, sizeof *e);
    e->role = role;
    set_up(e, o != NULL ? o : &(evil_options){0});
    assert_int_equal(BIO_new_bio_pair(&a, 1u << 20, &b, 1u << 20), 1);
    SSL_set_bio(e->ssl, a, a);
    rig_side_start(victim, b, RIG_NOW_MS, RIG_WHEN_S);
    for (int i = 0; i < 20 && !e->tls_done; i++) {
        ERR_clear_error();
        int ret = role == ATLS_CLIENT ? SSL_connect(e->ssl) : SSL_accept(e->ssl);
        e->tls_done = ret == 1;
        if (victim->rc >= ATLS_WANT_READ) {
            (void)rig_step(victim);
        }
    }
    if (e->tls_done && SSL_version(e->ssl) == TLS1_3_VERSION) {
        const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(e->ssl));
        e->exporter =
            (atls_exporter){derive, e->ssl, EVP_MD_get_size(md) == 48 ? ATLS_SHA384 : ATLS_SHA256};
        assert_int_equal(atls_ea_keys_derive(&e->exporter, &e->keys, NULL), ATLS_OK);
    }
}

void evil_free(evil *e)
{
    SSL_free(e->ssl);
    SSL_CTX_free(e->ctx);
    atls_attester_free(e->attester);
    atls_config_free(e->own);
    memset(e, 0, sizeof *e);
}

/* --- frames --- */

void evil_send_raw(evil *e, const uint8_t *bytes, size_t len)
{
    ERR_clear_error();
    assert_int_equal(SSL_write(e->ssl, bytes, (int)len), len);
}

void evil_send(evil *e, uint8_t type, const uint8_t *bytes, size_t len)
{
    uint8_t *frame = malloc(ATLS1_FRAME_HEADER + len);
    assert_non_null(frame);
    atls1_frame_header_write(type, (uint32_t)len, frame);
    if (len > 0) {
        memcpy(frame + ATLS1_FRAME_HEADER, bytes, len);
    }
    evil_send_raw(e, frame, ATLS1_FRAME_HEADER + len);
    free(frame);
}

static bool read_exactly(evil *e, rig_side *victim, uint8_t *out, size_t len)
{
    size_t got = 0;
    for (int i = 0; got < len && i < 50; i++) {
        size_t n = 0;
        ERR_clear_error();
        if (SSL_read_ex(e->ssl, out + got, len - got, &n) == 1) {
            got += n;
        } else if (victim->rc >= ATLS_WANT_READ) {
            (void)rig_step(victim);
        } else if (victim->rc == ATLS_OK) {
            uint8_t none = 0;
            (void)rig_read(victim, &none, 1, &n);
        }
    }
    return got == len;
}

bool evil_read(evil *e, rig_side *victim)
{
    uint8_t header[ATLS1_FRAME_HEADER];
    uint32_t len = 0;
    if (!read_exactly(e, victim, header, sizeof header)) {
        return false;
    }
    assert_int_equal(atls1_frame_header_parse(header, &e->type, &len, NULL), ATLS_OK);
    assert_true(len <= sizeof e->frame);
    assert_true(read_exactly(e, victim, e->frame, len));
    e->frame_len = len;
    if (e->type == ATLS1_FRAME_REQUEST) {
        atls_ea_request request;
        memcpy(e->asked, e->frame, len);
        e->asked_len = len;
        assert_int_equal(atls_ea_request_parse((atls_buf){e->asked, len}, (atls_ea_sender)e->role,
                                               ATLS_EA_CMW_TYPE, &request, NULL),
                         ATLS_OK);
        memcpy(e->asked_context, request.context.ptr, sizeof e->asked_context);
    }
    return true;
}

void evil_expect(evil *e, rig_side *victim, uint8_t type)
{
    if (!evil_read(e, victim)) {
        fail_msg("no frame of type %u; victim: %d %s %s", type, (int)victim->rc,
                 victim->err.check != NULL ? victim->err.check : "-", victim->err.msg);
    }
    assert_int_equal(e->type, type);
}

/* --- what an honest peer would send --- */

static uint8_t other(atls_role role)
{
    return role == ATLS_CLIENT ? 1 : 0;
}

void evil_make_request(evil *e, uint8_t role, uint32_t round)
{
    static const uint8_t random[27] = {1, 2, 3};
    atls_buf raw = {NULL, 0};
    atls1_context(role, round, random, e->context);
    assert_int_equal(atls_ea_request_build(
                         (atls_ea_sender)other(e->role), (atls_buf){e->context, sizeof e->context},
                         true, ATLS_EA_CMW_TYPE, e->request, sizeof e->request, &raw, NULL),
                     ATLS_OK);
    e->request_len = raw.len;
}

void evil_ask(evil *e, uint32_t round)
{
    evil_make_request(e, (uint8_t)e->role, round);
    evil_send(e, ATLS1_FRAME_REQUEST, e->request, e->request_len);
}

void evil_report_data(evil *e, uint8_t role, const atls_config *key, uint8_t out[64])
{
    uint8_t binder[48];
    assert_int_equal(atls_ea_binder(&e->exporter, (atls_buf){key->spki, key->spki_len},
                                    (atls_buf){e->asked_context, sizeof e->asked_context}, binder,
                                    NULL),
                     ATLS_OK);
    assert_int_equal(
        atls1_report_data(role, (atls_buf){binder, atls_hash_len(e->exporter.hash)}, out, NULL),
        ATLS_OK);
}

void evil_payload(evil *e, const uint8_t report_data[64], uint8_t **out, size_t *len)
{
    atls_evidence_blob blob = {0};
    atls_report_data data = {0};
    memcpy(data.wide, report_data, sizeof data.wide);
    assert_int_equal(e->attester->attest(e->attester->self, &data, &blob, NULL), ATLS_OK);
    assert_int_equal(atls1_payload_build(&blob, out, len, NULL), ATLS_OK);
    atls_evidence_blob_clear(&blob);
}

void evil_authenticator(evil *e, const atls_config *key, atls_buf cmw, uint8_t **out, size_t *len)
{
    atls_ea_request request;
    X509 *const chain[] = {key->leaf};
    assert_int_equal(atls_ea_request_parse((atls_buf){e->asked, e->asked_len},
                                           (atls_ea_sender)e->role, ATLS_EA_CMW_TYPE, &request,
                                           NULL),
                     ATLS_OK);
    assert_int_equal(atls_ea_build(&e->keys, &request, chain, 1, key->key, cmw, ATLS_EA_CMW_TYPE,
                                   out, len, NULL),
                     ATLS_OK);
}

void evil_show_payload(evil *e, atls_buf cmw)
{
    uint8_t *authenticator = NULL;
    size_t len = 0;
    evil_authenticator(e, e->identity, cmw, &authenticator, &len);
    evil_send(e, ATLS1_FRAME_AUTHENTICATOR, authenticator, len);
    free(authenticator);
}

void evil_show(evil *e)
{
    uint8_t report_data[64];
    uint8_t *cmw = NULL;
    size_t len = 0;
    evil_report_data(e, (uint8_t)e->role, e->identity, report_data);
    evil_payload(e, report_data, &cmw, &len);
    evil_show_payload(e, (atls_buf){cmw, len});
    free(cmw);
}

void evil_verdict(evil *e, uint8_t verdict)
{
    uint8_t payload[1 + ATLS1_CONTEXT_LEN];
    payload[0] = verdict;
    memcpy(payload + 1, e->context, sizeof e->context);
    evil_send(e, ATLS1_FRAME_VERDICT, payload, sizeof payload);
}

void evil_open(evil *e, rig_side *victim)
{
    evil_expect(e, victim, ATLS1_FRAME_REQUEST);
    evil_ask(e, 0);
    evil_expect(e, victim, ATLS1_FRAME_AUTHENTICATOR);
    evil_show(e);
    evil_verdict(e, 0);
    evil_expect(e, victim, ATLS1_FRAME_VERDICT);
    assert_int_equal(e->frame[0], 0);
    (void)rig_step(victim);
    assert_int_equal(victim->rc, ATLS_OK);
}
