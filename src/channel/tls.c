/* tls.c: what attested connections want of TLS: set before the handshake, and asked for again after it, because a caller
 * can change an SSL in between and OpenSSL counts a suspended verification as a success. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "channel/session.h"

#define ATLS_CERTIFICATES_MAX (1 << 20) /* bytes of a peer's chain that may carry evidence */

/* --- before the handshake --- */

static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned int in_len, void *arg)
{
    const atls_config *c = arg;
    (void)ssl;
    for (size_t i = 0; i < c->alpn_n; i++) { /* our order of preference */
        size_t len = strlen(c->alpn[i]);
        for (size_t at = 0; at < in_len; at += (size_t)in[at] + 1) {
            if (in[at] == len && at + 1 + len <= in_len &&
                memcmp(in + at + 1, c->alpn[i], len) == 0) {
                *out = in + at + 1;
                *out_len = in[at];
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol (120) */
}

static bool add_alpn_name(const char *name, uint8_t *wire, size_t cap, size_t *len)
{
    size_t n = strlen(name);
    if (*len + 1 + n > cap) {
        return false;
    }
    wire[*len] = (uint8_t)n;
    memcpy(wire + *len + 1, name, n);
    *len += 1 + n;
    return true;
}

/* What a client offers: the names of its dialects, and nothing beside them. */
static bool offer_alpn(const atls_config *c, SSL_CTX *ctx)
{
    uint8_t wire[512];
    size_t len = 0;
    bool ok = true;
    for (size_t b = 0; b < c->bindings_n; b++) {
        const atls_binding *binding = c->bindings[b];
        bool framed = binding == &atls_binding_atls1;
        for (size_t i = 0; framed && ok && i < c->alpn_n; i++) {
            ok = add_alpn_name(c->alpn[i], wire, sizeof wire, &len);
        }
        for (size_t i = 0; !framed && !binding->own_alpn && ok && binding->alpn[i] != NULL; i++) {
            ok = add_alpn_name(binding->alpn[i], wire, sizeof wire, &len);
        }
    }
    return ok && (len == 0 ||
                  SSL_CTX_set_alpn_protos(ctx, wire, (unsigned)len) == 0); /* 0 is success here */
}

static bool set_alpn(const atls_config *c, SSL_CTX *ctx, atls_role role)
{
    if (role == ATLS_CLIENT) {
        return offer_alpn(c, ctx);
    }
    /* OpenSSL hands the pointer back to the callbacks, which only read. */
    void *arg = (void *)(uintptr_t)c;
    SSL_CTX_set_alpn_select_cb(ctx, atls_config_has_dialects(c) ? atls_dialect_alpn : alpn_select,
                               arg);
    if (atls_config_has_dialects(c)) {
        SSL_CTX_set_client_hello_cb(ctx, atls_dialect_hello, arg);
    }
    return true;
}

static bool set_versions(const atls_config *c, SSL_CTX *ctx)
{
    bool tls12 = atls_config_allows_tls12(c);
    /* With TLS 1.2 as with 1.3: an ephemeral key exchange, and authenticated encryption. */
    return SSL_CTX_set_min_proto_version(ctx, tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           (!tls12 || SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
}

static bool set_dialects(const atls_config *c, SSL_CTX *ctx, atls_role role, atls_err *err)
{
    for (size_t i = 0; i < c->bindings_n; i++) {
        const atls_binding *b = c->bindings[i];
        if (b->in_certificate) {
            SSL_CTX_set_max_cert_list(ctx, ATLS_CERTIFICATES_MAX);
        }
        if (b->context != NULL && b->context(ctx, role, c->options, c->options_n, err) != ATLS_OK) {
            return false;
        }
    }
    return true;
}

/* Without PKI the peer's certificate only carries its key, which evidence vouches for. */
static int accept_any_certificate(X509_STORE_CTX *store_ctx, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
    return 1;
}

/* A caller who loaded CAs or asked for verification gets it; then a certificate must be there too. */
static bool pki_wanted(SSL_CTX *ctx)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    return (SSL_CTX_get_verify_mode(ctx) & SSL_VERIFY_PEER) != 0 ||
           (store != NULL && sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) > 0);
}

static void ask_for_certificate(const atls_config *c, SSL_CTX *ctx)
{
    if (c->verifier == NULL) {
        return; /* nothing is asked of the peer: whatever the caller set stays */
    }
    if (pki_wanted(ctx)) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           SSL_CTX_get_verify_callback(ctx));
    } else {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(ctx, accept_any_certificate, NULL);
    }
}

static void forbid_resumption(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(ctx, NULL); /* a ticket that comes is not handed to anybody */
    SSL_CTX_sess_set_get_cb(ctx, NULL);
    SSL_CTX_set_psk_use_session_callback(ctx, NULL);
    SSL_CTX_set_psk_find_session_callback(ctx, NULL);
    SSL_CTX_set_psk_client_callback(ctx, NULL);
    SSL_CTX_set_psk_server_callback(ctx, NULL);
    SSL_CTX_set_post_handshake_auth(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_NO_DHE_KEX);
}

atls_code atls_config_apply(const atls_config *c, SSL_CTX *ctx, atls_role role, atls_err *err)
{
    if (c->verifier == NULL && c->attester == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.empty",
                        "neither a verifier nor an attester is set");
    }
    if (c->attester != NULL && c->leaf == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.identity",
                        "an attester needs an identity to attest");
    }
    ATLS_TRY(atls_config_check_bindings(c, role, err));
    ERR_clear_error();
    bool ok = set_versions(c, ctx) && SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 &&
              SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
              SSL_CTX_set_recv_max_early_data(ctx, 0) == 1 && set_alpn(c, ctx, role);
    /* A caller may narrow the suites afterwards; wider ones are noticed after the handshake. */
    ok = ok && SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
                                             "TLS_CHACHA20_POLY1305_SHA256") == 1;
    /* With one key the TLS leaf is the identity, unless the caller has put a certificate there. */
    if (ok && c->leaf != NULL && !c->two_keys && SSL_CTX_get0_certificate(ctx) == NULL) {
        ok = SSL_CTX_use_certificate(ctx, c->leaf) == 1 && SSL_CTX_use_PrivateKey(ctx, c->key) == 1;
    }
    if (!ok) {
        ERR_clear_error();
        return ATLS_ERR(err, ATLS_E_SYSTEM, "tls.setup", "OpenSSL refuses our settings");
    }
    if (!set_dialects(c, ctx, role, err)) {
        return err != NULL && err->code != ATLS_OK ? err->code : ATLS_E_SYSTEM;
    }
    forbid_resumption(ctx);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    ask_for_certificate(c, ctx);
    return ATLS_OK;
}

/* --- failures --- */

static atls_code protocol_failure(const atls_session *s, unsigned long e, atls_err *err)
{
    const char *reason = ERR_reason_error_string(e);
    switch (ERR_GET_REASON(e)) {
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.alpn",
                        "the two ends share no ALPN name of atls/1");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.version", "the peer does not speak TLS 1.3");
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.certificate",
                        "the peer's certificate is refused: %s",
                        X509_verify_cert_error_string(SSL_get_verify_result(s->ssl)));
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.certificate",
                        "the peer shows no certificate where one is wanted");
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return ATLS_ERR(err, ATLS_E_POLICY, "session.refused",
                        "the peer refuses our certificate, or that there is none: %s", reason);
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        break;
    default:
        return ATLS_ERR(err, ATLS_E_SYSTEM, s->stage == STAGE_TLS ? "tls.handshake" : "tls.record",
                        "TLS failed: %s", reason != NULL ? reason : "no reason given");
    }
    return ATLS_ERR(
        err, ATLS_E_SYSTEM, s->stage == STAGE_OPEN ? "session.truncated" : "session.lost",
        "the stream ended without %s", s->stage == STAGE_OPEN ? "a close frame" : "verdicts");
}

atls_code atls_tls_failure(atls_session *s, int ret, atls_err *err)
{
    switch (SSL_get_error(s->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        return ATLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return ATLS_WANT_WRITE;
    case SSL_ERROR_WANT_X509_LOOKUP:
    case SSL_ERROR_WANT_ASYNC:
        if (atls_job_look(&s->job) != JOB_NONE) { /* another thread may have ended it by now */
            return ATLS_WANT_JOB;                 /* our certificate waits for its evidence */
        }
        ERR_clear_error();
        return ATLS_ERR(err, ATLS_E_USAGE, "tls.suspended",
                        "a callback of the SSL suspended the handshake");
    case SSL_ERROR_SSL: {
        s->tls_broken = true;
        if (s->dialect != NULL && s->dialect->inside.check != NULL) {
            ERR_clear_error();
            if (err != NULL) {
                *err = s->dialect->inside;
            }
            return s->dialect->inside.code;
        }
        unsigned long e = ERR_peek_error();
        ERR_clear_error();
        return protocol_failure(s, e, err);
    }
    case SSL_ERROR_ZERO_RETURN:
    case SSL_ERROR_SYSCALL:
        s->tls_broken = true;
        ERR_clear_error();
        return ATLS_ERR(err, ATLS_E_SYSTEM,
                        s->stage == STAGE_OPEN ? "session.truncated" : "session.lost",
                        "the connection ended without %s",
                        s->stage == STAGE_OPEN ? "a close frame" : "verdicts");
    default: /* suspended look-ups of certificates and the like: atls/1 has no place for them */
        ERR_clear_error();
        return ATLS_ERR(err, ATLS_E_USAGE, "tls.suspended",
                        "a callback of the SSL suspended the handshake");
    }
}

/* --- after the handshake --- */

static bool suite_allowed(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (SSL_version(ssl) == TLS1_2_VERSION) { /* where version_allowed() has let it be */
        return cipher != NULL && SSL_CIPHER_is_aead(cipher) == 1 &&
               SSL_CIPHER_get_kx_nid(cipher) == NID_kx_ecdhe;
    }
    uint16_t id = cipher == NULL ? 0 : SSL_CIPHER_get_protocol_id(cipher);
    return id >= 0x1301 && id <= 0x1303;
}

static bool group_allowed(SSL *ssl)
{
    int nid = (int)SSL_get_negotiated_group(ssl);
    return nid == NID_X25519 || nid == NID_X9_62_prime256v1 || nid == NID_secp384r1;
}

static bool version_allowed(const atls_session *s)
{
    int version = SSL_version(s->ssl);
    return version == TLS1_3_VERSION ||
           (version == TLS1_2_VERSION && atls_config_allows_tls12(s->config));
}

static atls_code check_alpn(atls_session *s, atls_err *err)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;
    if (s->dialect != NULL) {
        ATLS_TRY(atls_dialect_resolve(s, err));
    }
    if (atls_session_is_plain(s)) {
        return ATLS_OK;
    }
    SSL_get0_alpn_selected(s->ssl, &name, &len);
    if (len == 0 || atls_config_alpn_find(s->config, name, len) == NULL) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.alpn",
                        len == 0 ? "the peer chose no ALPN name, atls/1 is wanted"
                                 : "the peer chose an ALPN name that is not ours");
    }
    return ATLS_OK;
}

static atls_code check_connection(atls_session *s, atls_err *err)
{
    SSL *ssl = s->ssl;
    if (!version_allowed(s)) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.version",
                        "%s was negotiated, where TLS 1.3 is wanted", SSL_get_version(ssl));
    }
    if (!suite_allowed(ssl)) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.suite",
                        "a cipher suite beside 0x1301 to 0x1303 was negotiated");
    }
    if (SSL_session_reused(ssl)) {
        return ATLS_ERR(err, ATLS_E_BINDING, "tls.resumed",
                        "the TLS session is resumed; a full handshake is wanted");
    }
    if (!group_allowed(ssl)) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.group",
                        "a key exchange group beside X25519, P-256, P-384 was negotiated");
    }
    if (SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_NOT_SENT) {
        return ATLS_ERR(err, ATLS_E_BINDING, "tls.early_data", "early data was sent");
    }
    return check_alpn(s, err);
}

/* The name that ordinary verification has proved: the one asked for, else the leaf's own. */
static char *verified_name(SSL *ssl, X509 *leaf)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    const char *matched = SSL_get0_peername(ssl);
    if (matched != NULL) {
        /* What matched may be a pattern (*.example.org), and so may what was asked for (.example.org). */
        const char *asked = X509_VERIFY_PARAM_get0_host(param, 0);
        bool exact =
            asked != NULL && asked[0] != '.' && X509_VERIFY_PARAM_get0_host(param, 1) == NULL;
        return OPENSSL_strdup(exact ? asked : matched);
    }
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    char *found = NULL;
    for (int i = 0; found == NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        if (g->type == GEN_DNS) {
            const char *text = (const char *)ASN1_STRING_get0_data(g->d.dNSName);
            size_t len = (size_t)ASN1_STRING_length(g->d.dNSName);
            /* A NUL inside would let a longer name pass as a shorter one. */
            found = memchr(text, 0, len) == NULL ? OPENSSL_strndup(text, len) : NULL;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

static atls_code check_certificate(atls_session *s, atls_err *err)
{
    X509 *leaf = SSL_get0_peer_certificate(s->ssl);
    int mode = SSL_get_verify_mode(s->ssl);
    bool wanted = s->role == ATLS_CLIENT || (mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0;
    if (leaf == NULL) {
        return wanted ? ATLS_ERR(err, ATLS_E_POLICY, "tls.certificate",
                                 "the peer shows no certificate where one is wanted")
                      : ATLS_OK;
    }
    if ((mode & SSL_VERIFY_PEER) != 0 && SSL_get_verify_result(s->ssl) != X509_V_OK) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.certificate",
                        "the peer's certificate is refused: %s",
                        X509_verify_cert_error_string(SSL_get_verify_result(s->ssl)));
    }
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &s->tls_spki);
    if (len <= 0) {
        return ATLS_ERR_NOMEM(err);
    }
    s->tls_spki_len = (size_t)len;
    s->tls_key = X509_get_pubkey(leaf);
    if (s->config->spki != NULL && s->config->spki_len == s->tls_spki_len &&
        memcmp(s->config->spki, s->tls_spki, s->tls_spki_len) == 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.own_key",
                        "the peer's TLS certificate has our own key");
    }
    /* A chain is there only when ordinary verification has built it. */
    if ((mode & SSL_VERIFY_PEER) != 0 && SSL_get0_verified_chain(s->ssl) != NULL) {
        s->pki_name = verified_name(s->ssl, leaf);
        s->pki_verified = true;
    }
    return ATLS_OK;
}

static bool derive(void *self, const char *label, atls_buf context, uint8_t *out, size_t len)
{
    SSL *ssl = self;
    return SSL_is_init_finished(ssl) &&
           SSL_export_keying_material(ssl, out, len, label, strlen(label), context.ptr, context.len,
                                      1) == 1;
}

/* The server's request could go right behind its own Finished (0.5-RTT), and would save a round trip. OpenSSL 3.0
 * writes it through SSL_write_early_data, which drops what the transport does not take at once: a session would
 * then wait for its deadline. So the request follows the client's Finished. A peer that sends it early is read. */
atls_code atls_tls_handshake(atls_session *s, atls_err *err)
{
    ERR_clear_error();
    int ret = SSL_do_handshake(s->ssl);
    if (ret != 1) {
        return atls_tls_failure(s, ret, err);
    }
    if (!SSL_is_init_finished(s->ssl) || SSL_is_server(s->ssl) != (s->role == ATLS_SERVER)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "tls.role",
                        "the SSL is not of the role that the session was given");
    }
    ATLS_TRY(check_connection(s, err));
    ATLS_TRY(check_certificate(s, err));
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(s->ssl));
    s->exporter =
        (atls_exporter){derive, s->ssl, EVP_MD_get_size(md) == 48 ? ATLS_SHA384 : ATLS_SHA256};
    return atls_session_is_plain(s) ? atls_dialect_handshaken(s, err) : ATLS_OK;
}
