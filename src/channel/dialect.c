/* dialect.c: a session in another dialect than atls/1, up to the end of the TLS handshake: which one it is, what it does in
 * OpenSSL's callbacks, and the certificate that is made around evidence while TLS waits for it. */
#include <stdlib.h>
#include <string.h>

#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/err.h"
#include "base/reader.h"
#include "channel/session.h"
#include "channel/shown.h"
#include "crypto/digest.h"

#define ALPN_MAX 64 /* names looked at in a ClientHello */

static int fill_random(uint8_t *out, size_t len)
{
    return len <= INT32_MAX ? RAND_bytes(out, (int)len) : 0;
}

/* --- evidence of ours --- */

atls_code atls_dialect_start_job(atls_session *s, atls_err *err)
{
    atls_dialect *d = s->dialect;
    if (s->config->attester == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.attester",
                        "%s needs evidence of this side, and there is no attester",
                        d->link.binding->name);
    }
    d->link.wanted.spki = d->link.wanted.spki != NULL ? d->link.wanted.spki : d->link.spki.ptr;
    d->link.wanted.spki_len =
        d->link.wanted.spki_len != 0 ? d->link.wanted.spki_len : d->link.spki.len;
    atls_job_prepare(&s->job, s->config->attester, &d->link.wanted);
    s->job_told = false;
    return ATLS_OK;
}

atls_code atls_dialect_take_evidence(atls_session *s, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    if (atls_job_look(&s->job) != JOB_DONE) {
        return ATLS_WANT_JOB;
    }
    atls_code rc = s->job.code;
    if (rc != ATLS_OK) {
        rc = rc < ATLS_WANT_READ ? rc : ATLS_E_SYSTEM;
        if (s->job.err.check == NULL) {
            rc = ATLS_ERR(err, rc, "attester.failed", "the attester \"%s\" made no evidence",
                          s->job.attester->name);
        } else if (err != NULL) {
            *err = s->job.err;
            err->code = rc;
        }
    } else {
        atls_link_drop_evidence(link);
        link->evidence = s->job.evidence;
        link->has_evidence = true;
        memset(&s->job.evidence, 0, sizeof s->job.evidence);
    }
    atls_job_clear(&s->job);
    return rc;
}

/* From inside a callback that cannot be suspended: the handshake runs as a job of OpenSSL's, which pauses. */
static atls_code attest_inside(atls_link *link, atls_err *err)
{
    atls_session *s = link->channel;
    ATLS_TRY(atls_dialect_start_job(s, err));
    if (ASYNC_get_current_job() == NULL) {
        atls_job_run(&s->job);
    }
    while (atls_job_look(&s->job) != JOB_DONE) {
        if (s->dialect->given_up || ASYNC_pause_job() != 1) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "tls.suspended",
                            "OpenSSL cannot suspend the handshake");
        }
    }
    return atls_dialect_take_evidence(s, err);
}

/* --- birth and death --- */

static atls_code choose(atls_session *s, const atls_binding *binding, atls_err *err)
{
    atls_dialect *d = s->dialect;
    const atls_config *c = s->config;
    atls_link *link = &d->link;
    if (binding == &atls_binding_atls1) {
        return ATLS_OK;
    }
    link->state = calloc(1, binding->state_size > 0 ? binding->state_size : 1);
    if (link->state == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    link->binding = binding;
    link->asks = c->verifier != NULL;
    link->shows = c->attester != NULL;
    link->options = c->options;
    link->options_n = c->options_n;
    link->fill = c->fill != NULL ? c->fill : fill_random;
    link->key = c->key;
    link->leaf = c->leaf;
    link->spki = (atls_buf){c->spki, c->spki_len};
    d->chosen = true;
    return binding->begin != NULL ? binding->begin(link, err) : ATLS_OK;
}

static int show_certificate(SSL *ssl, void *arg);

atls_code atls_dialect_new(atls_session *s, atls_err *err)
{
    const atls_config *c = s->config;
    ATLS_TRY(atls_config_check_bindings(c, s->role, err));
    if (!SSL_in_before(s->ssl)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.usage",
                        "a session in another dialect than atls/1 begins before its handshake");
    }
    s->dialect = calloc(1, sizeof *s->dialect);
    if (s->dialect == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_link *link = &s->dialect->link;
    *link = (atls_link){.ssl = s->ssl,
                        .role = s->role,
                        .when_s = s->when_s,
                        .attest = attest_inside,
                        .inside = &s->dialect->inside,
                        .channel = s};
    if (!atls_link_attach(s->ssl, link)) {
        return ATLS_ERR_NOMEM(err);
    }
    s->dialect->attached = true;
    for (size_t i = 0; i < c->bindings_n; i++) {
        if (c->bindings[i]->attests_inside && ASYNC_is_capable() == 1) {
            (void)SSL_set_mode(s->ssl, SSL_MODE_ASYNC);
        }
    }
    SSL_set_cert_cb(s->ssl, show_certificate, s);
    bool settled = s->role == ATLS_CLIENT && c->bindings_n == 1;
    return settled ? choose(s, c->bindings[0], err) : ATLS_OK;
}

static void drop_own_key(atls_dialect *d)
{
    if (d->key_is_new) {
        EVP_PKEY_free(d->link.key);
        OPENSSL_free((void *)(uintptr_t)d->link.spki.ptr);
        d->key_is_new = false;
        d->link.key = NULL;
        d->link.spki = (atls_buf){NULL, 0};
    }
}

void atls_dialect_free(atls_session *s)
{
    atls_dialect *d = s->dialect;
    if (d == NULL) {
        return;
    }
    if (d->attached && SSL_waiting_for_async(s->ssl) == 1) {
        /* The handshake rests in a fiber, which nobody frees before it has come to its end. */
        d->given_up = true;
        (void)SSL_do_handshake(s->ssl);
        ERR_clear_error();
    }
    if (d->chosen && d->link.binding->end != NULL) {
        d->link.binding->end(&d->link);
    }
    if (d->is_renewing) {
        atls_shown_gave_up(s->config->shown, d->link.binding);
    }
    if (d->attached) { /* the SSL lives on, and its callbacks must not find us */
        (void)!atls_link_attach(s->ssl, NULL);
        SSL_set_cert_cb(s->ssl, NULL, NULL);
    }
    atls_link_drop_evidence(&d->link);
    atls_carried_clear(&d->link.carried);
    X509_free(d->link.made);
    X509_free(d->link.blank);
    drop_own_key(d);
    OPENSSL_free(d->peer_der);
    if (d->link.in != NULL) { /* it may hold data that came behind the exchange */
        OPENSSL_cleanse(d->link.in, d->link.in_len);
        free(d->link.in);
    }
    free(d->link.out);
    free(d->link.state);
    OPENSSL_cleanse(d, sizeof *d);
    free(d);
    s->dialect = NULL;
}

/* --- which one it is --- */

static const atls_binding *optional_one(const atls_config *c)
{
    for (size_t i = 0; i < c->bindings_n; i++) {
        if (c->bindings[i]->alpn_optional) {
            return c->bindings[i];
        }
    }
    return NULL;
}

static bool offers(const atls_buf *offered, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (offered[i].len == strlen(name) && memcmp(offered[i].ptr, name, offered[i].len) == 0) {
            return true;
        }
    }
    return false;
}

/* Is this one named by the offer? *name: what to select of it; NULL: nothing. */
static bool is_offered(const atls_config *c, const atls_binding *b, const atls_buf *offered,
                       size_t n, const char **name)
{
    bool framed = b == &atls_binding_atls1;
    *name = NULL;
    for (size_t i = 0; framed && i < c->alpn_n; i++) {
        if (offers(offered, n, c->alpn[i])) {
            *name = c->alpn[i];
            return true;
        }
    }
    for (size_t i = 0; !framed && *name == NULL && b->alpn[i] != NULL; i++) {
        *name = offers(offered, n, b->alpn[i]) ? b->alpn[i] : NULL;
    }
    bool taken = *name != NULL;
    for (size_t i = 0; !taken && b->takes_alpn != NULL && i < n; i++) {
        taken = b->takes_alpn(offered[i]);
    }
    return taken;
}

/* RFC 7301, 3.1: ProtocolNameList. */
static bool read_offer(SSL *ssl, atls_buf *offered, size_t *n)
{
    const unsigned char *bytes = NULL;
    size_t len = 0;
    *n = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &bytes,
                                  &len) != 1) {
        return true;
    }
    atls_reader r = atls_reader_of((atls_buf){bytes, len});
    atls_reader list = atls_reader_sub(&r, atls_reader_u16be(&r));
    while (*n < ALPN_MAX && atls_reader_ok(&list) && !atls_reader_end(&list)) {
        offered[(*n)++] = atls_reader_view(&list, atls_reader_u8(&list));
    }
    return atls_reader_end(&r) && atls_reader_end(&list);
}

static const atls_binding *named_by_offer(const atls_config *c, const atls_buf *offered, size_t n,
                                          const char **name)
{
    for (size_t i = 0; i < c->bindings_n; i++) {
        if (is_offered(c, c->bindings[i], offered, n, name)) {
            return c->bindings[i];
        }
    }
    *name = NULL;
    return optional_one(c);
}

static atls_code greet(atls_session *s, int *alert, atls_err *err)
{
    atls_buf offered[ALPN_MAX];
    size_t n = 0;
    *alert = SSL_AD_DECODE_ERROR;
    if (!read_offer(s->ssl, offered, &n)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tls.hello",
                        "a malformed list of ALPN names, or more than 64");
    }
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    const atls_binding *b = named_by_offer(s->config, offered, n, &s->dialect->alpn);
    if (b == NULL) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.alpn",
                        "the client offers no ALPN name of the bindings that are spoken here");
    }
    *alert = SSL_AD_INTERNAL_ERROR;
    ATLS_TRY(choose(s, b, err));
    if (!s->dialect->chosen) {
        return ATLS_OK;
    }
    if (b->in_certificate && s->dialect->link.asks) {
        SSL_set_verify(s->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       SSL_get_verify_callback(s->ssl));
    }
    return b->hello != NULL ? b->hello(&s->dialect->link, err) : ATLS_OK;
}

int atls_dialect_hello(SSL *ssl, int *alert, void *arg)
{
    atls_link *link = atls_link_of(ssl);
    (void)arg;
    if (link == NULL) { /* no session on this SSL: nobody would judge it */
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    atls_session *s = link->channel;
    if (s->dialect->chosen) { /* a second ClientHello, after HelloRetryRequest */
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    if (greet(s, alert, &s->dialect->inside) != ATLS_OK) {
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

int atls_dialect_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                      const unsigned char *in, unsigned int in_len, void *arg)
{
    atls_link *link = atls_link_of(ssl);
    (void)arg;
    const char *name = link == NULL ? NULL : ((atls_session *)link->channel)->dialect->alpn;
    for (size_t at = 0; name != NULL && at < in_len; at += (size_t)in[at] + 1) {
        if (in[at] == strlen(name) && at + 1 + in[at] <= in_len &&
            memcmp(in + at + 1, name, in[at]) == 0) {
            *out = in + at + 1;
            *out_len = in[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return link == NULL ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

atls_code atls_dialect_resolve(atls_session *s, atls_err *err)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;
    const atls_config *c = s->config;
    SSL_get0_alpn_selected(s->ssl, &name, &len);
    if (s->role == ATLS_SERVER) {
        return ATLS_OK; /* settled at the ClientHello */
    }
    const atls_binding *found = len == 0 ? optional_one(c) : NULL;
    for (size_t i = 0; len > 0 && found == NULL && i < c->bindings_n; i++) {
        bool framed = c->bindings[i] == &atls_binding_atls1;
        bool takes = framed ? atls_config_alpn_find(c, name, len) != NULL
                            : atls_binding_takes(c->bindings[i], (atls_buf){name, len});
        found = takes ? c->bindings[i] : NULL;
    }
    if (found == NULL || (s->dialect->chosen && found != s->dialect->link.binding)) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.alpn",
                        len == 0 ? "the peer chose no ALPN name, where the binding wants one"
                                 : "the peer chose an ALPN name that is not ours");
    }
    return s->dialect->chosen ? ATLS_OK : choose(s, found, err);
}

/* --- our certificate --- */

/* Both at once, so that they are compared with each other and not with what stood there before. A chain of the identity's is
 * not one of this certificate's. */
static bool use_certificate(atls_session *s, X509 *leaf, EVP_PKEY *key)
{
    return SSL_use_cert_and_key(s->ssl, leaf, key, NULL, 1) == 1;
}

/* What was made before and still serves. */
static bool use_kept(atls_session *s, bool *ok)
{
    atls_dialect *d = s->dialect;
    X509 *leaf = NULL;
    EVP_PKEY *key = NULL;
    bool due = false;
    if (!d->link.binding->keeps_certificate || d->is_renewing ||
        !atls_shown_get(s->config->shown, d->link.binding, s->when_s, &leaf, &key, &due)) {
        d->is_renewing = d->is_renewing || due;
        return false;
    }
    *ok = use_certificate(s, leaf, key);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return true;
}

/* A key of its own for each certificate that is kept, where the identity was made here anyway: who stole the last one
 * has nothing in the next. */
static atls_code new_key(atls_session *s, atls_err *err)
{
    atls_dialect *d = s->dialect;
    if (!s->config->own_key || !d->link.binding->keeps_certificate || d->key_is_new) {
        return ATLS_OK;
    }
    unsigned char *spki = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    int len = key == NULL ? 0 : i2d_PUBKEY(key, &spki);
    if (len <= 0) {
        EVP_PKEY_free(key);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "config.make_identity", "cannot make a P-256 key");
    }
    d->link.key = key;
    d->link.spki = (atls_buf){spki, (size_t)len};
    d->key_is_new = true;
    return ATLS_OK;
}

static atls_code finish_certificate(atls_session *s, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    if (link->made == NULL || !use_certificate(s, link->made, link->key)) {
        ERR_clear_error();
        return ATLS_ERR(err, ATLS_E_SYSTEM, "certificate.make",
                        "TLS does not take the certificate made around the evidence");
    }
    if (link->binding->keeps_certificate && link->made_until_s != 0) {
        atls_shown_put(s->config->shown, link->binding, link->made, link->key, link->made_until_s);
        s->dialect->is_renewing = false;
    }
    return ATLS_OK;
}

/* ATLS_OK: TLS has our certificate; ATLS_WANT_JOB: the evidence for it is being made. */
static atls_code make_certificate(atls_session *s, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    atls_step next = ATLS_STEP_DONE;
    if (atls_job_look(&s->job) != JOB_NONE) {
        ATLS_TRY(atls_dialect_take_evidence(s, err));
    } else {
        bool ok = false;
        if (use_kept(s, &ok)) {
            return ok ? ATLS_OK
                      : ATLS_ERR(err, ATLS_E_SYSTEM, "certificate.make",
                                 "TLS does not take the certificate made around the evidence");
        }
        ATLS_TRY(new_key(s, err));
    }
    if (link->blank == NULL && !link->binding->keeps_certificate) {
        link->blank = atls_shown_blank(s->config->shown, link->binding, link->key);
    }
    ATLS_TRY(link->binding->show(link, &next, err));
    if (next == ATLS_STEP_EVIDENCE) {
        ATLS_TRY(atls_dialect_start_job(s, err));
        return ATLS_WANT_JOB;
    }
    return finish_certificate(s, err);
}

static atls_code show(atls_session *s, atls_err *err)
{
    if (s->role == ATLS_CLIENT) {
        ATLS_TRY(atls_dialect_resolve(s, err));
    }
    if (s->dialect->link.made != NULL) { /* a second ClientHello: TLS has it already */
        return ATLS_OK;
    }
    bool makes = s->dialect->chosen && s->dialect->link.binding->makes_certificate &&
                 s->dialect->link.binding->show != NULL && s->dialect->link.shows;
    return makes ? make_certificate(s, err) : ATLS_OK;
}

static int show_certificate(SSL *ssl, void *arg)
{
    (void)ssl;
    atls_session *s = arg;
    atls_code rc = show(s, &s->dialect->inside);
    return rc == ATLS_OK ? 1 : rc == ATLS_WANT_JOB ? -1 : 0;
}

/* --- after it --- */

/* A certificate made for this handshake alone has been shown: TLS 1.3 without authentication after the handshake, and TLS
 * 1.2 without renegotiation, do not look at it again. Without it the SSL holds no reference, and the next can be made of it. */
static void recycle_certificate(atls_session *s)
{
    atls_link *link = &s->dialect->link;
    if (link->made == NULL || link->binding->keeps_certificate) {
        return;
    }
    SSL_certs_clear(s->ssl);
    atls_shown_give_blank(s->config->shown, link->binding, link->made);
    link->made = NULL;
}

/* Of a certificate that may serve for many connections, what has been checked once. */
static atls_code recognise_peer(atls_session *s, atls_err *err)
{
    atls_dialect *d = s->dialect;
    if (d->link.binding->kind != ATLS_BINDING_KEY_ONLY) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_digest(ATLS_SHA256, &d->link.peer_der, 1, d->peer_sha256, err));
    d->link.peer_self_signed = atls_shown_knows_signature(s->config->shown, d->peer_sha256);
    return ATLS_OK;
}

atls_code atls_dialect_handshaken(atls_session *s, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    link->exporter = s->exporter;
    link->peer = SSL_get0_peer_certificate(s->ssl);
    link->peer_spki = (atls_buf){s->tls_spki, s->tls_spki_len};
    link->peer_by_pki = link->peer != NULL && s->pki_verified;
    if (link->peer != NULL) {
        int len = i2d_X509(link->peer, &s->dialect->peer_der);
        if (len <= 0) {
            return ATLS_ERR_NOMEM(err);
        }
        link->peer_der = (atls_buf){s->dialect->peer_der, (size_t)len};
    }
    recycle_certificate(s);
    return recognise_peer(s, err);
}
