#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "say.h"

#define RELAY_BUFFER ((size_t)64 * 1024)
#define LINGER_MS    500
#define LINGER_BYTES ((size_t)1024 * 1024)
#define PIPE_CHUNK   ((size_t)4096) /* PIPE_BUF: what poll() says can be written without blocking */

static void tell_time(connection *c)
{
    atls_session_set_time(c->session, clock_ms(), (int64_t)time(NULL));
}

static void run_job(connection *c)
{
    atls_job *job = atls_session_get0_job(c->session);
    if (job != NULL) {
        atls_job_run(job);
    }
}

/* Milliseconds for poll(): until the session wants a call; -1: no limit. */
static int poll_timeout(const connection *c)
{
    uint64_t deadline = atls_session_deadline_ms(c->session);
    uint64_t now = clock_ms();
    if (deadline == UINT64_MAX) {
        return -1;
    }
    if (deadline <= now) {
        return 0;
    }
    return deadline - now > 60000 ? 60000 : (int)(deadline - now);
}

static bool is_literal_address(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host) || strchr(host, ':') != NULL;
}

/* OpenSSL copies the name, but its macro casts const away. */
static bool set_sni(SSL *ssl, const char *name)
{
    char copy[TLSEXT_MAXLEN_host_name + 1];
    int len = snprintf(copy, sizeof copy, "%s", name);
    return len > 0 && (size_t)len < sizeof copy && SSL_set_tlsext_host_name(ssl, copy) == 1;
}

/* SNI, and with a CA the name that the certificate must show. */
static bool set_peer_name(const endpoint *e, SSL *ssl, const char *host)
{
    const char *name = e->server_name != NULL ? e->server_name : host;
    if (name == NULL || name[0] == '\0') {
        return true;
    }
    if (!is_literal_address(name) && !set_sni(ssl, name)) {
        return false;
    }
    if (!e->pki) {
        return true;
    }
    if (is_literal_address(name)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    }
    return SSL_set1_host(ssl, name) == 1;
}

atls_code connection_open(const endpoint *e, atls_role role, int fd, const char *host,
                          connection *out, atls_err *err)
{
    connection c = {.fd = fd, .ssl = SSL_new(e->ctx)};
    atls_code rc = ATLS_OK;
    if (c.ssl == NULL || SSL_set_fd(c.ssl, fd) != 1 ||
        (role == ATLS_CLIENT && !set_peer_name(e, c.ssl, host))) {
        rc = fill_err(err, ATLS_E_SYSTEM, "tls.setup", "OpenSSL refuses the connection's settings");
    } else {
        rc = atls_session_new(e->config, c.ssl, role, clock_ms(), (int64_t)time(NULL), &c.session,
                              err);
    }
    if (rc != ATLS_OK) {
        connection_close(&c);
        return rc;
    }
    *out = c;
    return ATLS_OK;
}

atls_code connection_wait(connection *c, atls_code want, atls_err *err)
{
    if (want == ATLS_WANT_JOB) {
        run_job(c);
    } else if (want == ATLS_WANT_READ || want == ATLS_WANT_WRITE) {
        short events = want == ATLS_WANT_WRITE ? POLLIN | POLLOUT : POLLIN;
        struct pollfd p = {.fd = c->fd, .events = events};
        if (poll(&p, 1, poll_timeout(c)) < 0 && errno != EINTR) {
            return fill_err(err, ATLS_E_SYSTEM, "net.poll", "%s", strerror(errno));
        }
    } else {
        return want;
    }
    tell_time(c);
    return ATLS_OK;
}

atls_code connection_handshake(connection *c, atls_err *err)
{
    tell_time(c);
    for (;;) {
        atls_code rc = atls_session_handshake(c->session, err);
        if (rc == ATLS_OK) {
            return rc;
        }
        rc = connection_wait(c, rc, err);
        if (rc != ATLS_OK) {
            return rc;
        }
    }
}

/* --- carrying data --- */

typedef struct lane { /* bytes of one direction that wait to be handed on: from done to len */
    uint8_t bytes[RELAY_BUFFER];
    size_t len, done;
} lane;

typedef struct relay {
    connection *c;
    plain_side *plain;
    bool in_ended, told_peer, peer_ended, told_out;
    bool want_read;  /* the session waits for bytes of the peer */
    bool want_write; /* the session waits for room in the socket */
    bool call_again; /* it has more to do at once */
    lane to_peer, to_out;
} relay;

static bool is_want(atls_code rc)
{
    return rc == ATLS_WANT_READ || rc == ATLS_WANT_WRITE || rc == ATLS_WANT_JOB;
}

/* ATLS_OK for all that is no failure. */
static atls_code after_call(relay *r, atls_code rc)
{
    if (rc == ATLS_WANT_WRITE) {
        r->want_write = true;
    }
    if (rc == ATLS_WANT_JOB) {
        run_job(r->c);
        r->call_again = true; /* what the job made is not sent yet */
    }
    return is_want(rc) ? ATLS_OK : rc;
}

/* Room behind what waits; what is handed on already is given up, when that moves little. */
static size_t lane_room(lane *l)
{
    if (l->done == l->len || l->done >= sizeof l->bytes / 2) {
        memmove(l->bytes, l->bytes + l->done, l->len - l->done);
        l->len -= l->done;
        l->done = 0;
    }
    return sizeof l->bytes - l->len;
}

/* Data, as far as there is room for it. Without room, or after the peer's end, all the rest still moves: requests,
 * evidence, verdicts and the clock do not wait for whoever takes the data. */
static atls_code from_peer(relay *r, atls_err *err)
{
    lane *l = &r->to_out;
    size_t room = r->peer_ended ? 0 : lane_room(l);
    size_t done = 0;
    atls_code rc = room > 0 ? atls_session_read(r->c->session, l->bytes + l->len, room, &done, err)
                            : atls_session_advance(r->c->session, err);
    if (rc == ATLS_OK && room > 0) {
        l->len += done;
        r->peer_ended = done == 0;
        r->call_again = true; /* more may wait inside OpenSSL, with nothing left in the socket */
    }
    r->want_read = is_want(rc);
    return after_call(r, rc);
}

static atls_code to_peer(relay *r, atls_err *err)
{
    lane *l = &r->to_peer;
    while (l->done < l->len) {
        size_t done = 0;
        atls_code rc =
            atls_session_write(r->c->session, l->bytes + l->done, l->len - l->done, &done, err);
        l->done += done;
        if (rc != ATLS_OK) {
            return after_call(r, rc);
        }
    }
    l->len = 0;
    l->done = 0;
    if (r->in_ended && !r->told_peer) {
        atls_code rc = atls_session_shutdown(r->c->session, err);
        r->told_peer = rc == ATLS_OK;
        return after_call(r, rc);
    }
    return ATLS_OK;
}

static atls_code from_in(relay *r, atls_err *err)
{
    ssize_t n = read(r->plain->in, r->to_peer.bytes, sizeof r->to_peer.bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return ATLS_OK;
    }
    if (n < 0) {
        return fill_err(err, ATLS_E_SYSTEM, "relay.read", "reading what goes to the peer: %s",
                        strerror(errno));
    }
    r->in_ended = n == 0;
    r->to_peer.len = (size_t)n;
    r->to_peer.done = 0;
    return ATLS_OK;
}

static atls_code to_out(relay *r, atls_err *err)
{
    lane *l = &r->to_out;
    size_t left = l->len - l->done;
    size_t part = r->plain->at_end == PLAIN_SHUTDOWN || left < PIPE_CHUNK ? left : PIPE_CHUNK;
    ssize_t n = write(r->plain->out, l->bytes + l->done, part);
    if (n < 0 && errno != EINTR && errno != EAGAIN) {
        return fill_err(err, ATLS_E_SYSTEM, "relay.write", "handing on what came from the peer: %s",
                        strerror(errno));
    }
    l->done += n > 0 ? (size_t)n : 0;
    return ATLS_OK;
}

static bool out_waits(const relay *r)
{
    return r->to_out.done < r->to_out.len;
}

static void tell_out(relay *r)
{
    if (!r->peer_ended || out_waits(r) || r->told_out) {
        return;
    }
    r->told_out = true;
    if (r->plain->at_end == PLAIN_SHUTDOWN) {
        (void)shutdown(r->plain->out, SHUT_WR);
    } else if (r->plain->at_end == PLAIN_CLOSE) {
        (void)close(r->plain->out);
        r->plain->out = -1;
    }
}

/* Waits until something can be done. *in_ready, *out_ready: which of the two ends are. */
static atls_code wait_for(relay *r, bool *in_ready, bool *out_ready, atls_err *err)
{
    struct pollfd p[3] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};
    bool want_write = r->want_write || atls_session_wants_write(r->c->session);
    if (r->want_read || want_write) {
        p[0].fd = r->c->fd;
        p[0].events = (short)((r->want_read ? POLLIN : 0) | (want_write ? POLLOUT : 0));
    }
    if (!r->in_ended && r->to_peer.len == 0) {
        p[1] = (struct pollfd){.fd = r->plain->in, .events = POLLIN};
    }
    if (out_waits(r)) {
        p[2] = (struct pollfd){.fd = r->plain->out, .events = POLLOUT};
    }
    if (poll(p, 3, r->call_again ? 0 : poll_timeout(r->c)) < 0 && errno != EINTR) {
        return fill_err(err, ATLS_E_SYSTEM, "net.poll", "%s", strerror(errno));
    }
    *in_ready = p[1].fd >= 0 && p[1].revents != 0;
    *out_ready = p[2].fd >= 0 && p[2].revents != 0;
    return ATLS_OK;
}

/* The session is asked first, on a clock just read: data goes on only while the verdict stands. It is read from last, so
 * that want_read tells what is so when poll() begins. */
static atls_code relay_step(relay *r, bool in_ready, bool out_ready, atls_err *err)
{
    r->want_write = false;
    r->call_again = false;
    tell_time(r->c);
    atls_code rc = after_call(r, atls_session_advance(r->c->session, err));
    if (rc == ATLS_OK && out_ready) {
        rc = to_out(r, err);
    }
    if (rc == ATLS_OK && in_ready) {
        rc = from_in(r, err);
    }
    rc = rc != ATLS_OK ? rc : to_peer(r, err);
    rc = rc != ATLS_OK ? rc : from_peer(r, err);
    if (rc == ATLS_OK) {
        tell_out(r);
    }
    return rc;
}

atls_code connection_relay(connection *c, plain_side *plain, atls_err *err)
{
    relay *r = OPENSSL_zalloc(sizeof *r);
    if (r == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    r->c = c;
    r->plain = plain;
    bool in_ready = false;
    bool out_ready = false;
    atls_code rc = relay_step(r, false, false, err);
    while (rc == ATLS_OK && !(r->told_peer && r->told_out)) {
        rc = wait_for(r, &in_ready, &out_ready, err);
        rc = rc != ATLS_OK ? rc : relay_step(r, in_ready, out_ready, err);
    }
    OPENSSL_clear_free(r, sizeof *r);
    return rc;
}

/* A socket that is closed while bytes of the peer wait in it is reset, and what we sent last (data, a verdict, an alert)
 * may be lost on the peer's side. So: say that we have ended, and take what still comes, for a short while. */
static void linger(int fd)
{
    uint8_t dropped[4096];
    const uint64_t until = clock_ms() + LINGER_MS;
    size_t left = LINGER_BYTES;
    if (shutdown(fd, SHUT_WR) != 0) {
        return;
    }
    for (uint64_t now = clock_ms(); now < until && left > 0; now = clock_ms()) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)(until - now)) <= 0) {
            continue;
        }
        ssize_t n = read(fd, dropped, sizeof dropped);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            return;
        }
        left -= n > 0 ? (size_t)n < left ? (size_t)n : left : 0;
    }
}

void connection_close(connection *c)
{
    if (c->fd >= 0 && c->session != NULL) {
        linger(c->fd);
    }
    atls_session_free(c->session);
    SSL_free(c->ssl);
    if (c->fd >= 0) {
        (void)close(c->fd);
    }
    *c = (connection){.fd = -1};
}
