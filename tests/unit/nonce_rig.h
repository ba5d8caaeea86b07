/* nonce_rig.h: a client and a server of a dialect whose evidence is in a certificate made for the handshake, over memory
 * BIOs, with nothing of the channel: the test calls the dialect where the channel would. */
#ifndef ATLS_TESTS_NONCE_RIG_H
#define ATLS_TESTS_NONCE_RIG_H

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "binding/certificate.h"
#include "unit/simulated.h"

typedef struct nonce_end {
    atls_link link;
    SSL_CTX *ctx;
    const atls_attester *attester; /* NULL: shows nothing */
    const atls_verifier *verifier; /* NULL: asks nothing */
    atls_verdict *verdict;
    uint64_t state[64];
    unsigned char *peer_der;
    unsigned char *spki;
    unsigned attested; /* how often evidence was made */
    atls_code rc;      /* of the dialect, or of the verdict */
    atls_err err;
    void (*before)(struct nonce_end *end); /* after begin() */
} nonce_end;

typedef struct nonce_pair {
    nonce_end client, server;
    int version; /* TLS1_2_VERSION; 0: 1.3 */
    SSL_SESSION *session;
    bool connected;
} nonce_pair;

static inline int nonce_random(uint8_t *out, size_t len)
{
    return RAND_bytes(out, (int)len);
}

static inline int nonce_hello(SSL *ssl, int *alert, void *arg)
{
    nonce_end *e = arg;
    (void)ssl;
    *alert = SSL_AD_INTERNAL_ERROR;
    e->rc = e->link.binding->hello(&e->link, &e->err);
    return e->rc == ATLS_OK ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

static inline int nonce_show(SSL *ssl, void *arg)
{
    nonce_end *e = arg;
    atls_step next = ATLS_STEP_EVIDENCE;
    while (e->rc == ATLS_OK && next == ATLS_STEP_EVIDENCE) {
        e->rc = e->link.binding->show(&e->link, &next, &e->err);
        if (e->rc == ATLS_OK && next == ATLS_STEP_EVIDENCE) {
            assert_non_null(e->attester);
            assert_false(e->link.has_evidence);
            e->rc =
                e->attester->attest(e->attester->self, &e->link.wanted, &e->link.evidence, &e->err);
            e->link.has_evidence = e->rc == ATLS_OK;
            e->attested++;
        }
    }
    return e->rc == ATLS_OK && SSL_use_certificate(ssl, e->link.made) == 1 &&
           SSL_use_PrivateKey(ssl, e->link.key) == 1;
}

static inline int nonce_any_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static inline int nonce_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                             const unsigned char *in, unsigned in_len, void *arg)
{
    const nonce_end *e = arg;
    (void)ssl;
    for (unsigned at = 0; at < in_len; at += in[at] + 1u) {
        if (atls_binding_takes(e->link.binding, (atls_buf){in + at + 1, in[at]})) {
            *out = in + at + 1;
            *out_len = in[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static inline void nonce_open(nonce_end *e, const atls_binding *binding, atls_role role,
                              const atls_binding_option *options, size_t options_n)
{
    e->ctx = SSL_CTX_new(TLS_method());
    e->link.binding = binding;
    e->link.state = e->state;
    assert_true(binding->state_size <= sizeof e->state);
    e->link.role = role;
    e->link.when_s = NOW;
    e->link.asks = e->verifier != NULL;
    e->link.shows = e->attester != NULL;
    e->link.options = options;
    e->link.options_n = options_n;
    e->link.fill = nonce_random;
    e->link.key = EVP_EC_gen("P-256");
    const int len = i2d_PUBKEY(e->link.key, &e->spki);
    assert_true(len > 0);
    e->link.spki = (atls_buf){e->spki, (size_t)len};
    SSL_CTX_set_cert_verify_callback(e->ctx, nonce_any_certificate, NULL);
    SSL_CTX_set_max_cert_list(e->ctx, 1 << 20);
    SSL_CTX_set_cert_cb(e->ctx, nonce_show, e);
    if (role == ATLS_SERVER) {
        SSL_CTX_set_client_hello_cb(e->ctx, nonce_hello, e);
        SSL_CTX_set_alpn_select_cb(e->ctx, nonce_alpn, e);
    } else {
        SSL_CTX_set_verify(e->ctx, SSL_VERIFY_PEER, NULL);
    }
    e->link.ssl = SSL_new(e->ctx);
    assert_non_null(e->link.ssl);
}

static inline void nonce_close(nonce_end *e)
{
    if (e->link.binding->end != NULL) {
        e->link.binding->end(&e->link);
    }
    atls_carried_clear(&e->link.carried);
    atls_link_drop_evidence(&e->link);
    X509_free(e->link.made);
    X509_free(e->link.peer);
    OPENSSL_free(e->peer_der);
    OPENSSL_free(e->spki);
    EVP_PKEY_free(e->link.key);
    atls_verdict_free(e->verdict);
    SSL_free(e->link.ssl);
    SSL_CTX_free(e->ctx);
}

/* What the channel does after the handshake. */
static inline void nonce_judge(nonce_end *e)
{
    atls_step next = ATLS_STEP_DONE;
    if (e->link.peer == NULL) {
        e->link.peer = SSL_get1_peer_certificate(e->link.ssl);
    }
    if (e->link.peer != NULL) {
        const int len = i2d_X509(e->link.peer, &e->peer_der);
        e->link.peer_der = (atls_buf){e->peer_der, (size_t)len};
    }
    e->rc = e->link.binding->exchange(&e->link, &next, &e->err);
    if (e->rc != ATLS_OK || next != ATLS_STEP_JUDGE) {
        return;
    }
    atls_expected expected = e->link.carried.expected;
    expected.binding = e->link.binding->kind;
    e->verdict =
        atls_verifier_check(e->verifier, &e->link.carried.evidence, &expected, NOW, &e->err);
    assert_non_null(e->verdict);
    e->rc = atls_verdict_code(e->verdict);
    e->link.verdict = e->verdict;
    if (e->rc == ATLS_OK) {
        assert_int_equal(e->link.binding->exchange(&e->link, &next, &e->err), ATLS_OK);
        assert_int_equal(next, ATLS_STEP_DONE);
    }
}

static inline void nonce_shake(nonce_pair *p)
{
    SSL *c = p->client.link.ssl;
    SSL *s = p->server.link.ssl;
    BIO *a = NULL;
    BIO *b = NULL;
    assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(c, a, a);
    SSL_set_bio(s, b, b);
    SSL_set_connect_state(c);
    SSL_set_accept_state(s);
    for (int i = 0; i < 4000; i++) {
        const int rc = SSL_do_handshake(c);
        const int rs = SSL_do_handshake(s);
        if (rc == 1 && rs == 1) {
            p->connected = true;
            return;
        }
        if ((rc != 1 && SSL_get_error(c, rc) == SSL_ERROR_SSL) ||
            (rs != 1 && SSL_get_error(s, rs) == SSL_ERROR_SSL)) {
            return;
        }
    }
}

/* Attesters and verifiers of both ends are set already. */
static inline void nonce_run(nonce_pair *p, const atls_binding *binding,
                             const atls_binding_option *client, size_t client_n,
                             const atls_binding_option *server, size_t server_n)
{
    nonce_open(&p->client, binding, ATLS_CLIENT, client, client_n);
    nonce_open(&p->server, binding, ATLS_SERVER, server, server_n);
    const int version = p->version != 0 ? p->version : TLS1_3_VERSION;
    SSL_set_max_proto_version(p->client.link.ssl, version);
    assert_int_equal(binding->begin(&p->client.link, &p->client.err), ATLS_OK);
    assert_int_equal(binding->begin(&p->server.link, &p->server.err), ATLS_OK);
    if (p->client.before != NULL) {
        p->client.before(&p->client);
    }
    nonce_shake(p);
    if (p->connected) {
        nonce_judge(&p->client);
        nonce_judge(&p->server);
    }
}

/* After a handshake that was accepted: what the client says of another certificate for the same key and nonce, with these
 * extensions. The check that failed; "": accepted. */
static inline void nonce_expect_of(const nonce_pair *p,
                                   const atls_certificate_extension *extensions, size_t n,
                                   const atls_binding_option *options, size_t options_n,
                                   const char *check)
{
    const atls_certificate_plan plan = {.common_name = "peer",
                                        .not_before_s = NOW - 60,
                                        .not_after_s = NOW + 60,
                                        .extensions = extensions,
                                        .extensions_n = n};
    nonce_end e = p->client;
    e.verdict = NULL;
    e.peer_der = NULL;
    memset(&e.err, 0, sizeof e.err);
    memset(&e.link.carried, 0, sizeof e.link.carried);
    e.link.verdict = NULL;
    e.link.options = options;
    e.link.options_n = options_n;
    assert_int_equal(atls_certificate_make(&plan, p->server.link.key, &e.link.peer, NULL), ATLS_OK);
    nonce_judge(&e);
    const char *found = e.verdict != NULL ? atls_verdict_check(e.verdict) : e.err.check;
    if (e.rc == ATLS_OK) {
        assert_string_equal(check, "");
        assert_true(e.verdict != NULL && atls_verdict_accepted(e.verdict));
    } else {
        assert_string_equal(found, check);
    }
    atls_verdict_free(e.verdict);
    atls_carried_clear(&e.link.carried);
    X509_free(e.link.peer);
    OPENSSL_free(e.peer_der);
}

static inline void nonce_done(nonce_pair *p)
{
    nonce_close(&p->client);
    nonce_close(&p->server);
    SSL_SESSION_free(p->session);
}

#endif
