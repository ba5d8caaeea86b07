#include "attacks/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#define EXTENSION_PLACES                                                                           \
    (SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS | SSL_EXT_TLS1_3_CERTIFICATE)

static int accept_any(X509_STORE_CTX *ctx, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

/* --- the extension, repeated --- */

static int add_extension(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                         size_t *len, X509 *x, size_t index, int *alert, void *arg)
{
    relay_extension *e = &((relay *)arg)->extension;
    (void)ssl;
    (void)type;
    (void)x;
    (void)alert;
    if ((context & SSL_EXT_CLIENT_HELLO) != 0) {
        *out = e->hello;
        *len = e->hello_len;
    } else if ((context & SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS) != 0) {
        *out = e->encrypted;
        *len = e->encrypted_len;
    } else {
        *out = e->certificate;
        *len = index == 0 ? e->certificate_len : 0;
    }
    return *len > 0;
}

static int take_extension(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
                          size_t len, X509 *x, size_t index, int *alert, void *arg)
{
    relay_extension *e = &((relay *)arg)->extension;
    (void)ssl;
    (void)type;
    (void)x;
    (void)alert;
    if ((context & SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS) != 0 && len <= sizeof e->encrypted) {
        memcpy(e->encrypted, in, len);
        e->encrypted_len = len;
    } else if ((context & SSL_EXT_TLS1_3_CERTIFICATE) != 0 && index == 0) {
        free(e->certificate);
        e->certificate = malloc(len + 1);
        assert_non_null(e->certificate);
        memcpy(e->certificate, in, len);
        e->certificate_len = len;
    }
    return 1;
}

/* --- the victim's side --- */

static int hello(SSL *ssl, int *alert, void *arg)
{
    relay *r = arg;
    const unsigned char *ext = NULL;
    size_t len = 0;
    (void)alert;
    if (r->both_up) {
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    if (!SSL_in_before(r->to_genuine)) {
        return SSL_CLIENT_HELLO_RETRY;
    }
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) == 1 && len > 5) {
        char name[256] = {0};
        assert_true(len - 5 < sizeof name);
        memcpy(name, ext + 5, len - 5); /* u16 list, u8 type, u16 length, name */
        assert_int_equal(SSL_set_tlsext_host_name(r->to_genuine, name), 1);
    }
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext,
                                  &len) == 1) {
        assert_int_equal(SSL_set_alpn_protos(r->to_genuine, ext + 2, (unsigned)(len - 2)), 0);
    }
    if (r->extension.type != 0 &&
        SSL_client_hello_get0_ext(ssl, r->extension.type, &ext, &len) == 1) {
        assert_true(len <= sizeof r->extension.hello);
        memcpy(r->extension.hello, ext, len);
        r->extension.hello_len = len;
    }
    SSL_set_connect_state(r->to_genuine);
    (void)SSL_do_handshake(r->to_genuine);
    return SSL_CLIENT_HELLO_RETRY;
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    relay *r = arg;
    (void)ssl;
    (void)in;
    (void)in_len;
    if (r->selected[0] == '\0') {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = (const unsigned char *)r->selected;
    *out_len = (unsigned char)strlen(r->selected);
    return SSL_TLSEXT_ERR_OK;
}

/* The genuine certificate with the stolen key; without it, a copy around the thief's own key. */
static void show_certificate(relay *r)
{
    X509 *genuine = SSL_get0_peer_certificate(r->to_genuine);
    assert_non_null(genuine);
    X509 *shown = X509_dup(genuine);
    assert_non_null(shown);
    if (!r->stolen) {
        assert_int_equal(X509_set_pubkey(shown, r->key), 1);
        assert_true(X509_sign(shown, r->key, EVP_sha256()) > 0);
    }
    assert_int_equal(SSL_use_certificate(r->to_victim, shown), 1);
    assert_int_equal(SSL_use_PrivateKey(r->to_victim, r->key), 1);
    X509_free(shown);
}

static void genuine_is_up(relay *r)
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(r->to_genuine, &name, &len);
    if (len > 0) {
        memcpy(r->selected, name, len);
    }
    show_certificate(r);
    r->both_up = true;
}

/* --- life --- */

void relay_new(relay *r, EVP_PKEY *key, unsigned extension_type)
{
    *r = (relay){.stolen = key != NULL, .key = key != NULL ? key : EVP_EC_gen("P-256")};
    r->extension.type = extension_type;
    if (key != NULL) {
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
    }
    r->to_victim_ctx = SSL_CTX_new(TLS_server_method());
    r->to_genuine_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_client_hello_cb(r->to_victim_ctx, hello, r);
    SSL_CTX_set_alpn_select_cb(r->to_victim_ctx, select_alpn, r);
    SSL_CTX_set_num_tickets(r->to_victim_ctx, 0);
    SSL_CTX_set_cert_verify_callback(r->to_genuine_ctx, accept_any, NULL);
    SSL_CTX_set_max_cert_list(r->to_genuine_ctx, 1 << 20);
    SSL_CTX *const both[] = {r->to_victim_ctx, r->to_genuine_ctx};
    for (size_t i = 0; extension_type != 0 && i < 2; i++) {
        assert_int_equal(SSL_CTX_add_custom_ext(both[i], extension_type, EXTENSION_PLACES,
                                                add_extension, NULL, r, take_extension, r),
                         1);
    }
}

void relay_free(relay *r)
{
    SSL_free(r->to_victim);
    SSL_free(r->to_genuine);
    SSL_CTX_free(r->to_victim_ctx);
    SSL_CTX_free(r->to_genuine_ctx);
    EVP_PKEY_free(r->key);
    free(r->extension.certificate);
    *r = (relay){0};
}

static void pass_on(SSL *from, SSL *to)
{
    uint8_t bytes[16384];
    int n;
    while (SSL_is_init_finished(from) && SSL_is_init_finished(to) &&
           (n = SSL_read(from, bytes, sizeof bytes)) > 0) {
        assert_int_equal(SSL_write(to, bytes, n), n);
    }
    ERR_clear_error();
}

static void turn(relay *r)
{
    if (!SSL_is_init_finished(r->to_genuine) && !SSL_in_before(r->to_genuine)) {
        if (SSL_do_handshake(r->to_genuine) == 1) {
            genuine_is_up(r);
        }
    }
    if (!SSL_is_init_finished(r->to_victim)) {
        (void)SSL_do_handshake(r->to_victim);
    }
    ERR_clear_error();
    pass_on(r->to_victim, r->to_genuine);
    pass_on(r->to_genuine, r->to_victim);
}

void relay_run(relay *r, rig_side *victim, rig_side *genuine)
{
    BIO *a = NULL;
    BIO *b = NULL;
    BIO *c = NULL;
    BIO *d = NULL;
    const size_t pipe = (size_t)1 << 20;
    assert_int_equal(BIO_new_bio_pair(&a, pipe, &b, pipe), 1);
    assert_int_equal(BIO_new_bio_pair(&c, pipe, &d, pipe), 1);
    r->to_victim = SSL_new(r->to_victim_ctx);
    r->to_genuine = SSL_new(r->to_genuine_ctx);
    SSL_set_bio(r->to_victim, b, b);
    SSL_set_bio(r->to_genuine, d, d);
    SSL_set_accept_state(r->to_victim);
    rig_side_start(victim, a, RIG_NOW_MS, RIG_WHEN_S);
    rig_side_start(genuine, c, RIG_NOW_MS, RIG_WHEN_S);
    for (int i = 0; i < 50; i++) {
        if (victim->rc >= ATLS_WANT_READ) {
            (void)rig_step(victim);
        }
        turn(r);
        if (genuine->rc >= ATLS_WANT_READ) {
            (void)rig_step(genuine);
        }
    }
}
