/* evil.h: a peer that speaks TLS well and atls/1 as the test likes: every frame is made by hand. */
#ifndef ATLS_TESTS_EVIL_H
#define ATLS_TESTS_EVIL_H

#include "binding/atls1.h"
#include "e2e/rig.h"

typedef struct evil_options {
    const atls_config *identity; /* key and certificate to use (stolen, say); NULL: fresh ones */
    const char *alpn;            /* NULL: "atls/1"; "": none */
    const char *groups;          /* NULL: OpenSSL's */
    int max_version;             /* 0: TLS 1.3 */
    int tickets;                 /* that a server sends */
    bool no_certificate;         /* a client without one */
} evil_options;

typedef struct evil {
    atls_role role;
    atls_config *own;
    const atls_config *identity;
    atls_attester *attester;
    SSL_CTX *ctx;
    SSL *ssl;
    bool tls_done;
    atls_exporter exporter;
    atls_ea_keys keys;
    uint8_t request[256]; /* our own last one */
    size_t request_len;
    uint8_t context[ATLS1_CONTEXT_LEN]; /* and its context */
    uint8_t asked[ATLS_EA_REQUEST_MAX]; /* the victim's last request */
    size_t asked_len;
    uint8_t asked_context[ATLS1_CONTEXT_LEN];
    uint8_t type; /* of the last frame read */
    uint8_t frame[ATLS_EA_MAX];
    size_t frame_len;
} evil;

/* Joins a victim (made by rig_side_new, not started) and steps both until our TLS handshake is over or has failed. */
void evil_meet(evil *e, atls_role role, const evil_options *o, rig_side *victim);
void evil_free(evil *e);

/* --- frames --- */
void evil_send(evil *e, uint8_t type, const uint8_t *bytes, size_t len);
void evil_send_raw(evil *e, const uint8_t *bytes, size_t len);
/* Steps the victim and reads one frame into e->frame; false when none comes. Requests are noted in e->asked. */
bool evil_read(evil *e, rig_side *victim);
void evil_expect(evil *e, rig_side *victim,
                 uint8_t type); /* reads one of this type, or the test fails */

/* --- what an honest peer would send --- */
void evil_make_request(evil *e, uint8_t role, uint32_t round); /* into e->request */
void evil_ask(evil *e, uint32_t round);                        /* and sends it */
/* Report data for the victim's last request and this key, as if role attested. */
void evil_report_data(evil *e, uint8_t role, const atls_config *key, uint8_t out[64]);
/* A payload around a simulated quote over this report data; the caller frees it. */
void evil_payload(evil *e, const uint8_t report_data[64], uint8_t **out, size_t *len);
/* An authenticator for the victim's last request, with this key, around this payload (may be empty). */
void evil_authenticator(evil *e, const atls_config *key, atls_buf cmw, uint8_t **out, size_t *len);
void evil_show(evil *e); /* all of it, well made, and sends it */
void evil_show_payload(evil *e, atls_buf cmw);
void evil_verdict(evil *e,
                  uint8_t verdict); /* on the victim's authenticator for our last request */
/* The whole exchange with a victim that asks and shows, until it is open. */
void evil_open(evil *e, rig_side *victim);

#endif
