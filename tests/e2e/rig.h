/* rig.h: a client and a server in one process, over a memory pipe, stepped by hand, on a clock that the test sets. */
#ifndef ATLS_TESTS_RIG_H
#define ATLS_TESTS_RIG_H

#include <atls/session.h>
#include <atls/sim.h>

#include "e2e/rig_pki.h"

#define RIG_WHEN_S 1760000000 /* 2025-10-09 */
#define RIG_NOW_MS 1000000

typedef struct rig_options { /* zero: that side does neither */
    bool client_shows, client_asks, server_shows, server_asks;
    bool after_peer, two_keys, no_client_certificate;
    bool no_collateral; /* verifiers have what client_trust and server_trust give them */
    const char *client_policy, *server_policy; /* JSON; NULL: the built-in rule */
    const atls_sim_quote *client_quote, *server_quote;
    const atls_attester *server_attester; /* borrowed; NULL: the simulator's */
    const atls_attester *client_attester; /* likewise */
    const char *bindings;                 /* atls_config_set_bindings; NULL: atls/1 */
    const char *options[13];              /* of the bindings: name, value, name, value, ... NULL */
    void (*configure)(atls_config *c, atls_role role,
                      void *arg); /* before it is applied; may be NULL */
    void *configure_arg;
    void (*server_trust)(atls_verifier *v,
                         void *arg); /* as client_trust, for the server's verifier */
    void *server_trust_arg;
    void (*client_trust)(atls_verifier *v,
                         void *arg); /* what else the client's verifier knows; may be NULL */
    void *client_trust_arg;
    const rig_cert *ca;                        /* what both trust for names; NULL: no PKI */
    const rig_cert *client_cert, *server_cert; /* identities; NULL: made on the spot */
    const char *suite, *client_alpn, *server_alpn;
    size_t pipe; /* bytes each way; 0: 64 KiB */
    uint32_t timeout_ms;
} rig_options;

typedef struct rig_side {
    atls_role role;
    atls_verifier *verifier;
    atls_attester *attester;
    atls_config *config;
    SSL_CTX *ctx;
    SSL *ssl;
    atls_session *session;
    atls_code rc; /* of the last call */
    atls_err err;
    bool hold_jobs;          /* the test runs them */
    void (*tweak)(SSL *ssl); /* what a caller does to its SSL behind our back; may be NULL */
    SSL_SESSION *resume;     /* likewise; may be NULL */
} rig_side;

typedef struct rig {
    uint64_t now_ms;
    int64_t when_s;
    rig_side client, server;
} rig;

/* One simulator serves a whole program: its keys take a while to make. */
atls_sim *rig_sim(void);
void rig_sim_free(void);

void rig_new(rig *r, const rig_options *o);
void rig_free(rig *r);

/* A side alone, for a peer that the test plays itself: bio is given away. */
void rig_side_new(rig_side *side, atls_role role, const rig_options *o);
void rig_side_start(rig_side *side, BIO *bio, uint64_t now_ms, int64_t when_s);
void rig_side_free(rig_side *side);

/* One handshake call; jobs are run inline unless held. */
atls_code rig_step(rig_side *side);
/* Steps both until both have ended or are open, or nothing moves any more. */
void rig_handshake(rig *r);
void rig_open(rig *r); /* and asserts that both are */
void rig_clock(rig *r, uint64_t forward_ms);

/* Moves data until all of it has arrived; asserts. */
void rig_send(rig_side *from, rig_side *to, const uint8_t *data, size_t len);
/* One read of up to cap bytes, running a job if one is wanted. */
atls_code rig_read(rig_side *side, uint8_t *out, size_t cap, size_t *done);
/* Reads on both sides, with no data expected, until nothing moves: lets re-attestations run. */
void rig_settle(rig *r);

/* Asserts code and check id of the side's failure. */
void rig_assert_failed(const rig_side *side, atls_code code, const char *check);

#endif
