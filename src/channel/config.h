/* config.h: what sessions share: whom to ask, what to show, how long to wait. Not changed after set-up. */
#ifndef ATLS_CHANNEL_CONFIG_H
#define ATLS_CHANNEL_CONFIG_H

#include <atls/session.h>

#define ATLS_ALPN_NAMES           3
#define ATLS_DEFAULT_TIMEOUT_MS   10000u
#define ATLS_DEFAULT_ROUND_GAP_MS 1000u

struct atls_config {
    const atls_verifier *verifier; /* NULL: nothing is asked of the peer */
    const atls_attester *attester; /* NULL: its request is refused, by an empty authenticator */
    X509 *leaf;
    EVP_PKEY *key;
    uint8_t *spki; /* SubjectPublicKeyInfo of leaf */
    size_t spki_len;
    bool two_keys, attest_after_peer;
    uint32_t timeout_ms, round_gap_ms;
    const char *alpn[ATLS_ALPN_NAMES]; /* in order of preference; static text */
    size_t alpn_n;
    int (*fill)(uint8_t *out, size_t len); /* returns 1, like RAND_bytes */
};

/* The configured name that equals these bytes; NULL when it is none of ours. */
const char *atls_config_alpn_find(const atls_config *c, const uint8_t *name, size_t len);

#endif
