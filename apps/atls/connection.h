/* connection.h: one attested connection over a socket, waited for with poll(). */
#ifndef ATLS_APPS_CONNECTION_H
#define ATLS_APPS_CONNECTION_H

#include <atls/session.h>

#include "endpoint.h"

typedef struct connection {
    int fd; /* -1: none */
    SSL *ssl;
    atls_session *session;
} connection;

/* Takes fd over, whatever comes of it. host: the name connected to, for SNI and PKI; NULL on a server. */
atls_code connection_open(const endpoint *e, atls_role role, int fd, const char *host,
                          connection *out, atls_err *err);

/* Does what the session asked for with ATLS_WANT_*: waits for the socket, or runs the job. ATLS_OK: call it again;
 * a failure is handed back as it is. */
atls_code connection_wait(connection *c, atls_code want, atls_err *err);

/* TLS and attestation both ways. */
atls_code connection_handshake(connection *c, atls_err *err);

/* The plain side of a connection: where bytes for the peer come from, and where the peer's go. */
typedef enum plain_end { PLAIN_KEEP, PLAIN_SHUTDOWN, PLAIN_CLOSE } plain_end;
typedef struct plain_side {
    int in;
    int out; /* -1 once closed */
    plain_end
        at_end; /* what tells `out` that the peer has ended: nothing, shutdown of a socket, close */
} plain_side;

/* Carries bytes both ways until both have ended: end of file on `in` is told to the peer while its data still comes, and
 * the peer's end is told to `out`. ATLS_OK only if both ended in order. */
atls_code connection_relay(connection *c, plain_side *plain, atls_err *err);

void connection_close(connection *c);

#endif
