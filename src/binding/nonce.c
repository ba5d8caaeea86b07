#include "binding/nonce.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/hex.h"
#include "binding/hello.h"
#include "codec/base64.h"

/* --- as text --- */

static atls_code malformed(const char *what, size_t len, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_BINDING, "nonce.form",
                    "the peer's nonce, %s of %zu characters, is not one of %d bytes", what, len,
                    ATLS_NONCE_LEN);
}

atls_code atls_nonce_of_text(atls_buf text, uint8_t out[ATLS_NONCE_LEN], atls_err *err)
{
    uint8_t bytes[ATLS_NONCE_LEN];
    size_t len = 0;
    if (text.len != ATLS_NONCE_SNI_LEN || !atls_base64_decode(text, bytes, sizeof bytes, &len) ||
        len != sizeof bytes) {
        return malformed("base64", text.len, err);
    }
    memcpy(out, bytes, sizeof bytes);
    return ATLS_OK;
}

static bool is_lower_hex(atls_buf text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

atls_code atls_nonce_of_protocol(atls_buf name, uint8_t out[ATLS_NONCE_LEN], atls_err *err)
{
    static const char prefix[] = ATLS_NONCE_ALPN;
    const size_t at = sizeof prefix - 1;
    if (name.len != ATLS_NONCE_ALPN_LEN || memcmp(name.ptr, prefix, at) != 0) {
        return malformed("an ALPN name", name.len, err);
    }
    const atls_buf digits = {name.ptr + at, name.len - at};
    uint8_t bytes[ATLS_NONCE_LEN];
    size_t len = 0;
    if (!is_lower_hex(digits) ||
        !atls_hex_decode((const char *)digits.ptr, digits.len, bytes, sizeof bytes, &len)) {
        return malformed("an ALPN name", name.len, err);
    }
    memcpy(out, bytes, sizeof bytes);
    return ATLS_OK;
}

static atls_code text_of(const uint8_t nonce[ATLS_NONCE_LEN], char out[ATLS_NONCE_SNI_LEN + 1],
                         atls_err *err)
{
    char *text = atls_base64_encode((atls_buf){nonce, ATLS_NONCE_LEN});
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(out, text, ATLS_NONCE_SNI_LEN + 1);
    free(text);
    return ATLS_OK;
}

/* OpenSSL has no other reason not to take them. */
static atls_code refused_by_tls(atls_err *err)
{
    ERR_clear_error();
    return ATLS_ERR_NOMEM(err);
}

/* --- the client's --- */

static bool offer(SSL *ssl, const uint8_t nonce[ATLS_NONCE_LEN], const char *protocol)
{
    static const char prefix[] = ATLS_NONCE_ALPN;
    const size_t len = strlen(protocol);
    uint8_t wire[1 + ATLS_NONCE_ALPN_LEN + 1 + 32];
    char hex[2 * ATLS_NONCE_LEN + 1];
    if (len > 32) {
        return false;
    }
    atls_hex_encode((atls_buf){nonce, ATLS_NONCE_LEN}, hex);
    wire[0] = ATLS_NONCE_ALPN_LEN;
    memcpy(wire + 1, prefix, sizeof prefix - 1);
    memcpy(wire + sizeof prefix, hex, sizeof hex - 1);
    wire[1 + ATLS_NONCE_ALPN_LEN] = (uint8_t)len;
    memcpy(wire + 2 + ATLS_NONCE_ALPN_LEN, protocol, len);
    /* 0 is success here. */
    return SSL_set_alpn_protos(ssl, wire, (unsigned)(2 + ATLS_NONCE_ALPN_LEN + len)) == 0;
}

atls_code atls_nonces_begin(atls_link *link, atls_nonces *n, unsigned places, const char *protocol,
                            atls_err *err)
{
    char text[ATLS_NONCE_SNI_LEN + 1];
    if (link->role != ATLS_CLIENT) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_link_random(link, n->own, sizeof n->own, err));
    n->has_own = true;
    ATLS_TRY(text_of(n->own, text, err));
    const bool sni = (places & ATLS_NONCE_IN_SNI) != 0;
    const bool alpn = (places & ATLS_NONCE_IN_ALPN) != 0;
    if ((sni && SSL_set_tlsext_host_name(link->ssl, text) != 1) ||
        (alpn && !offer(link->ssl, n->own, protocol))) {
        return refused_by_tls(err);
    }
    return ATLS_OK;
}

static bool extension_of(SSL *ssl, unsigned type, atls_buf *out)
{
    const unsigned char *bytes = NULL;
    size_t len = 0;
    if (SSL_client_hello_get0_ext(ssl, type, &bytes, &len) != 1) {
        return false;
    }
    *out = (atls_buf){bytes, len};
    return true;
}

static atls_code take_protocol(const atls_link *link, atls_nonces *n, atls_err *err)
{
    atls_buf extension;
    atls_buf name = {NULL, 0};
    if (!extension_of(link->ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension)) {
        return ATLS_OK;
    }
    if (!atls_hello_atls_protocol(extension, &name)) {
        return malformed("in a list of ALPN names", extension.len, err);
    }
    if (name.len > 0) {
        ATLS_TRY(atls_nonce_of_protocol(name, n->peer, err));
        n->has_peer = true;
    }
    return ATLS_OK;
}

static atls_code take_server_name(const atls_link *link, atls_nonces *n, atls_err *err)
{
    atls_buf extension;
    atls_buf name = {NULL, 0};
    if (!extension_of(link->ssl, TLSEXT_TYPE_server_name, &extension)) {
        return ATLS_OK;
    }
    if (!atls_hello_server_name(extension, &name)) {
        return malformed("in a list of server names", extension.len, err);
    }
    ATLS_TRY(atls_nonce_of_text(name, n->peer, err));
    n->has_peer = true;
    return ATLS_OK;
}

static atls_code take_client_nonce(const atls_link *link, atls_nonces *n, unsigned places,
                                   atls_err *err)
{
    if ((places & ATLS_NONCE_IN_ALPN) != 0) {
        ATLS_TRY(take_protocol(link, n, err));
    }
    if (!n->has_peer && (places & ATLS_NONCE_IN_SNI) != 0) {
        ATLS_TRY(take_server_name(link, n, err));
    }
    if (!n->has_peer) {
        return ATLS_ERR(err, ATLS_E_BINDING, "nonce.missing",
                        "the client sends no nonce for our evidence to repeat");
    }
    return ATLS_OK;
}

/* --- the server's --- */

static STACK_OF(X509_NAME) * names_of(const char *text)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    X509_NAME *name = X509_NAME_new();
    if (names != NULL && name != NULL &&
        X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_PRINTABLESTRING,
                                   (const unsigned char *)text, -1, -1, 0) == 1 &&
        sk_X509_NAME_push(names, name) > 0) {
        return names;
    }
    X509_NAME_free(name);
    sk_X509_NAME_free(names);
    return NULL;
}

static atls_code ask(atls_link *link, atls_nonces *n, atls_err *err)
{
    char text[ATLS_NONCE_SNI_LEN + 1];
    ATLS_TRY(atls_link_random(link, n->own, sizeof n->own, err));
    n->has_own = true;
    ATLS_TRY(text_of(n->own, text, err));
    STACK_OF(X509_NAME) *names = names_of(text);
    if (names == NULL) {
        return refused_by_tls(err);
    }
    SSL_set0_CA_list(link->ssl, names);
    SSL_set_verify(link->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                   SSL_get_verify_callback(link->ssl));
    return ATLS_OK;
}

atls_code atls_nonces_hello(atls_link *link, atls_nonces *n, unsigned places, atls_err *err)
{
    if (link->shows) {
        ATLS_TRY(take_client_nonce(link, n, places, err));
    }
    return link->asks && !n->has_own ? ask(link, n, err) : ATLS_OK;
}

atls_code atls_nonces_asked(const atls_link *link, atls_nonces *n, atls_err *err)
{
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(link->ssl);
    const int count = names != NULL ? sk_X509_NAME_num(names) : 0;
    X509_NAME *name = count == 1 ? sk_X509_NAME_value(names, 0) : NULL;
    const int at = name != NULL ? X509_NAME_get_index_by_NID(name, NID_commonName, -1) : -1;
    if (at < 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "nonce.names",
                        "the server wants our evidence and names %d CAs, where the one name that "
                        "is its nonce is wanted",
                        count);
    }
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    const atls_buf text = {ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
    ATLS_TRY(atls_nonce_of_text(text, n->peer, err));
    n->has_peer = true;
    return ATLS_OK;
}
