/* relay.h: a man in the middle who ends TLS on both sides: to the victim it plays the genuine server, to the genuine server a
 * client. It knows no dialect: what the victim's ClientHello says (SNI, ALPN, one extension) it says again, what the
 * genuine server shows (its certificate, the extension's answers) it shows again, and bytes it passes on as they are. */
#ifndef ATLS_TESTS_RELAY_H
#define ATLS_TESTS_RELAY_H

#include "e2e/rig.h"

typedef struct relay_extension { /* what the extension of that type said at its places */
    unsigned type;               /* 0: none */
    uint8_t hello[512], encrypted[512];
    uint8_t *certificate;
    size_t hello_len, encrypted_len, certificate_len;
} relay_extension;

typedef struct relay {
    SSL_CTX *to_victim_ctx, *to_genuine_ctx;
    SSL *to_victim, *to_genuine;
    EVP_PKEY *key; /* stolen, or the thief's own */
    bool stolen, both_up;
    relay_extension extension;
    uint8_t alpn[256];
    unsigned alpn_len;
    char selected[256];
} relay;

/* key: the genuine server's, stolen; NULL: the thief has none but its own, and signs a copy of the certificate with it. */
void relay_new(relay *r, EVP_PKEY *key, unsigned extension_type);
void relay_free(relay *r);
/* Steps victim (a client) and genuine (a server), which have been made and not started, through the thief until the victim has
 * ended or is open, or nothing moves any more. */
void relay_run(relay *r, rig_side *victim, rig_side *genuine);

#endif
