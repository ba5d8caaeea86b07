/* config.h: what sessions share: whom to ask, what to show, how long to wait. Not changed after set-up. */
#ifndef ATLS_CHANNEL_CONFIG_H
#define ATLS_CHANNEL_CONFIG_H

#include <atls/session.h>

#include "binding/binding.h"

#define ATLS_ALPN_NAMES           3
#define ATLS_CONFIG_BINDINGS      8
#define ATLS_CONFIG_OPTIONS       16
#define ATLS_DEFAULT_TIMEOUT_MS   10000u
#define ATLS_DEFAULT_ROUND_GAP_MS 1000u

struct atls_config {
    const atls_verifier *verifier; /* NULL: nothing is asked of the peer */
    const atls_attester *attester; /* NULL: its request is refused, by an empty authenticator */
    atls_store *store;             /* NULL: evidence is judged with what the verifier has */
    atls_get_collateral *get;
    void *get_arg;
    X509 *leaf;
    EVP_PKEY *key;
    uint8_t *spki; /* SubjectPublicKeyInfo of leaf */
    size_t spki_len;
    bool two_keys, attest_after_peer;
    uint32_t timeout_ms, round_gap_ms;
    const char *alpn[ATLS_ALPN_NAMES]; /* in order of preference; static text */
    size_t alpn_n;
    int (*fill)(uint8_t *out, size_t len); /* returns 1, like RAND_bytes */
    bool own_key; /* made here: certificates around evidence get a new one each */
    const atls_binding *bindings[ATLS_CONFIG_BINDINGS]; /* best first; never empty */
    size_t bindings_n;
    atls_binding_option options[ATLS_CONFIG_OPTIONS]; /* owned texts */
    size_t options_n;
    struct atls_shown *shown; /* certificates that are kept, and seen; locks itself (shown.h) */
};

/* Is anything but atls/1 spoken here? */
static inline bool atls_config_has_dialects(const atls_config *c)
{
    return c->bindings_n != 1 || c->bindings[0] != &atls_binding_atls1;
}
bool atls_config_allows_tls12(const atls_config *c);
/* Can each of the dialects carry what is asked and shown in this role? ATLS_E_USAGE "config.binding". */
ATLS_MUST_USE atls_code atls_config_check_bindings(const atls_config *c, atls_role role,
                                                   atls_err *err);
void atls_config_drop_options(atls_config *c);

/* The configured name that equals these bytes; NULL when it is none of ours. */
const char *atls_config_alpn_find(const atls_config *c, const uint8_t *name, size_t len);

#endif
