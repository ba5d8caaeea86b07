#include "channel/config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/err.h"
#include "channel/shown.h"

static const char *const known_alpn[ATLS_ALPN_NAMES] = {"atls/1", "atls/1+h2", "atls/1+http/1.1"};

atls_config *atls_config_new(void)
{
    atls_config *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->timeout_ms = ATLS_DEFAULT_TIMEOUT_MS;
    c->round_gap_ms = ATLS_DEFAULT_ROUND_GAP_MS;
    c->alpn[0] = known_alpn[0];
    c->alpn_n = 1;
    c->bindings[0] = &atls_binding_atls1;
    c->bindings_n = 1;
    c->shown = atls_shown_new();
    if (c->shown == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void atls_config_free(atls_config *c)
{
    if (c == NULL) {
        return;
    }
    X509_free(c->leaf);
    EVP_PKEY_free(c->key);
    OPENSSL_free(c->spki);
    atls_shown_free(c->shown);
    atls_config_drop_options(c);
    free(c);
}

void atls_config_set0_verifier(atls_config *c, const atls_verifier *v)
{
    c->verifier = v;
}

void atls_config_set0_attester(atls_config *c, const atls_attester *a)
{
    c->attester = a;
}

void atls_config_set0_store(atls_config *c, atls_store *store, atls_get_collateral *get, void *arg)
{
    c->store = store;
    c->get = get;
    c->get_arg = arg;
}

atls_code atls_config_set1_identity(atls_config *c, X509 *leaf, EVP_PKEY *key, atls_err *err)
{
    if (leaf == NULL || key == NULL || X509_check_private_key(leaf, key) != 1) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.identity",
                        "the identity needs a certificate and the private key that belongs to it");
    }
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    if (len <= 0 || X509_up_ref(leaf) != 1) {
        OPENSSL_free(spki);
        return ATLS_ERR_NOMEM(err);
    }
    if (EVP_PKEY_up_ref(key) != 1) {
        X509_free(leaf);
        OPENSSL_free(spki);
        return ATLS_ERR_NOMEM(err);
    }
    X509_free(c->leaf);
    EVP_PKEY_free(c->key);
    OPENSSL_free(c->spki);
    c->own_key = false;
    c->leaf = leaf;
    c->key = key;
    c->spki = spki;
    c->spki_len = (size_t)len;
    return ATLS_OK;
}

const X509 *atls_config_get0_leaf(const atls_config *c)
{
    return c->leaf;
}

void atls_config_set_two_keys(atls_config *c, bool two_keys)
{
    c->two_keys = two_keys;
}

void atls_config_set_attest_after_peer(atls_config *c, bool after_peer)
{
    c->attest_after_peer = after_peer;
}

void atls_config_set_timeout_ms(atls_config *c, uint32_t ms)
{
    c->timeout_ms = ms == 0 ? ATLS_DEFAULT_TIMEOUT_MS : ms;
}

void atls_config_set_round_gap_ms(atls_config *c, uint32_t ms)
{
    c->round_gap_ms = ms == 0 ? ATLS_DEFAULT_ROUND_GAP_MS : ms;
}

void atls_config_set_random(atls_config *c, int (*fill)(uint8_t *out, size_t len))
{
    c->fill = fill;
}

static const char *alpn_known(const char *name, size_t len)
{
    for (size_t i = 0; i < ATLS_ALPN_NAMES; i++) {
        if (strlen(known_alpn[i]) == len && memcmp(known_alpn[i], name, len) == 0) {
            return known_alpn[i];
        }
    }
    return NULL;
}

atls_code atls_config_set_alpn(atls_config *c, const char *names, atls_err *err)
{
    const char *list[ATLS_ALPN_NAMES] = {NULL};
    size_t n = 0;
    for (const char *at = names; at != NULL;) {
        size_t len = strcspn(at, ",");
        const char *name = alpn_known(at, len);
        bool twice = false;
        for (size_t i = 0; i < n; i++) {
            twice = twice || list[i] == name;
        }
        if (name == NULL || twice || n == ATLS_ALPN_NAMES) {
            return ATLS_ERR(err, ATLS_E_USAGE, "config.alpn",
                            "\"%s\" is no list of atls/1, atls/1+h2, atls/1+http/1.1, each once",
                            names);
        }
        list[n++] = name;
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    if (n == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.alpn", "no ALPN name given");
    }
    memcpy(c->alpn, list, sizeof list);
    c->alpn_n = n;
    return ATLS_OK;
}

const char *atls_config_alpn_find(const atls_config *c, const uint8_t *name, size_t len)
{
    for (size_t i = 0; i < c->alpn_n; i++) {
        if (strlen(c->alpn[i]) == len && memcmp(c->alpn[i], name, len) == 0) {
            return c->alpn[i];
        }
    }
    return NULL;
}
