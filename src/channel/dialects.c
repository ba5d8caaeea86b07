/* dialects.c: which dialects a configuration speaks, and whether they can live side by side. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "channel/config.h"

const char *atls_binding_name(size_t i)
{
    return atls_binding_at(i) != NULL ? atls_binding_at(i)->name : NULL;
}

static bool share_a_name(const atls_binding *a, const atls_binding *b)
{
    for (size_t i = 0; a->alpn[i] != NULL; i++) {
        const atls_buf name = {(const uint8_t *)a->alpn[i], strlen(a->alpn[i])};
        if (atls_binding_takes(b, name)) {
            return true;
        }
    }
    return a->alpn_optional && b->alpn_optional;
}

/* ALPN alone tells two apart: never the first bytes. */
static atls_code check_pair(const atls_binding *a, const atls_binding *b, atls_err *err)
{
    if (a == b) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.bindings", "%s is named twice", a->name);
    }
    if (share_a_name(a, b) || share_a_name(b, a)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.bindings",
                        "%s and %s cannot be told apart by ALPN: name one of them", a->name,
                        b->name);
    }
    return ATLS_OK;
}

atls_code atls_config_set_bindings(atls_config *c, const char *names, atls_err *err)
{
    const atls_binding *list[ATLS_CONFIG_BINDINGS] = {NULL};
    size_t n = 0;
    for (const char *at = names; at != NULL;) {
        size_t len = strcspn(at, ",");
        const atls_binding *b = atls_binding_find((atls_buf){(const uint8_t *)at, len});
        if (b == NULL || n == ATLS_CONFIG_BINDINGS) {
            return ATLS_ERR(err, ATLS_E_USAGE, "config.bindings",
                            b == NULL ? "there is no binding \"%.*s\""
                                      : "more than 8 bindings, from \"%.*s\" on",
                            len < 40 ? (int)len : 40, at);
        }
        for (size_t i = 0; i < n; i++) {
            ATLS_TRY(check_pair(list[i], b, err));
        }
        list[n++] = b;
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    if (n == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.bindings", "no binding named");
    }
    memcpy(c->bindings, list, sizeof list);
    c->bindings_n = n;
    return ATLS_OK;
}

static bool known_option(const atls_config *c, const char *name)
{
    for (size_t i = 0; i < c->bindings_n; i++) {
        if (atls_binding_has_option(c->bindings[i], name)) {
            return true;
        }
    }
    return false;
}

atls_code atls_config_set_option(atls_config *c, const char *name, const char *value, atls_err *err)
{
    if (!known_option(c, name)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.option",
                        "none of the bindings named has a setting \"%.40s\"", name);
    }
    if (c->options_n == ATLS_CONFIG_OPTIONS ||
        atls_binding_option_of(c->options, c->options_n, name, NULL) != NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.option",
                        "\"%.40s\" is set twice, or behind 16 other settings", name);
    }
    atls_binding_option o = {OPENSSL_strdup(name), OPENSSL_strdup(value)};
    if (o.name == NULL || o.value == NULL) {
        OPENSSL_free((void *)(uintptr_t)o.name);
        OPENSSL_free((void *)(uintptr_t)o.value);
        return ATLS_ERR_NOMEM(err);
    }
    c->options[c->options_n++] = o;
    return ATLS_OK;
}

void atls_config_drop_options(atls_config *c)
{
    for (size_t i = 0; i < c->options_n; i++) {
        OPENSSL_free((void *)(uintptr_t)c->options[i].name);
        OPENSSL_free((void *)(uintptr_t)c->options[i].value);
    }
    c->options_n = 0;
}

bool atls_config_allows_tls12(const atls_config *c)
{
    const char *value = atls_binding_option_of(c->options, c->options_n, "tls12", "no");
    bool all = true;
    for (size_t i = 0; i < c->bindings_n; i++) {
        all = all && c->bindings[i]->tls12;
    }
    return all && strcmp(value, "yes") == 0;
}

static unsigned bit_of(atls_role role)
{
    return role == ATLS_CLIENT ? ATLS_SHOWS_CLIENT : ATLS_SHOWS_SERVER;
}

static atls_code check_binding(const atls_config *c, const atls_binding *b, atls_role role,
                               atls_err *err)
{
    const char *self = role == ATLS_CLIENT ? "client" : "server";
    const char *peer = role == ATLS_CLIENT ? "server" : "client";
    atls_role other = role == ATLS_CLIENT ? ATLS_SERVER : ATLS_CLIENT;
    if (c->verifier != NULL && (b->shows & bit_of(other)) == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.binding",
                        "%s cannot carry the evidence that is asked of the %s", b->name, peer);
    }
    if (c->attester != NULL && ((b->shows & bit_of(role)) == 0 || b->verify_only)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.binding",
                        "%s cannot carry evidence of this side, the %s", b->name, self);
    }
    if (b != &atls_binding_atls1 && (c->two_keys || c->attest_after_peer)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.binding",
                        "two keys, and evidence after the peer's, are for atls/1 alone, not for %s",
                        b->name);
    }
    if (role == ATLS_CLIENT && b->alone && c->bindings_n > 1) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.binding",
                        "a client that speaks %s speaks nothing beside it", b->name);
    }
    return ATLS_OK;
}

atls_code atls_config_check_bindings(const atls_config *c, atls_role role, atls_err *err)
{
    for (size_t i = 0; i < c->bindings_n; i++) {
        ATLS_TRY(check_binding(c, c->bindings[i], role, err));
    }
    return ATLS_OK;
}
