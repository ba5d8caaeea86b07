/* proxy.c: `atls proxy server`: attested TLS in, plain bytes out; a thread for each connection. */
#include <getopt.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <atls/atls.h>

#include "address.h"
#include "command.h"
#include "connection.h"
#include "endpoint.h"
#include "flags.h"
#include "say.h"
#include "sim_dir.h"

#define TIMEOUT_MS      10000
#define CONNECTIONS_MAX 256

enum { LISTEN = 0x100, FORWARD, CHECK, CONFIG };

static const flag own_flags[] = {
    {LISTEN, "listen", "ADDR", "where attested clients come in: HOST:PORT or unix:PATH"},
    {FORWARD, "forward", "ADDR", "where their bytes go, plain"},
    {CHECK, "check", NULL, "only see whether all of this can be used"},
    {CONFIG, "config", "FILE", "(not in this release)"},
    {0, NULL, NULL, NULL},
};
static const flags server_flags = {
    "atls proxy server --listen ADDR --forward ADDR [options]",
    "Takes attested TLS in and gives plain bytes out. It shows evidence with --attest; it asks evidence\n"
    "of clients when any option says whom to trust or where collateral comes from (--policy, --collateral,\n"
    "--fetch, --root, --endorsement, ...). One of the two there must\n"
    "be. A line on standard error for each connection.",
    {own_flags, endpoint_flags, verifier_flags, collateral_fetch_flags, evidence_source_flags,
     sim_quote_flags},
};

typedef struct server {
    endpoint_setup setup;
    const char *listen, *forward;
    bool check_only;
    endpoint endpoint;
    address to;
    sem_t room; /* connections that may still come */
} server;

typedef struct client {
    server *server;
    int fd;
    unsigned long number;
} client;

static void log_end(unsigned long number, const char *what, const atls_verdict *verdict,
                    atls_code rc, const atls_err *err)
{
    if (rc != ATLS_OK) {
        (void)say_refusal(rc, err->check, "connection %lu: %s: %s", number, what, err->msg);
    } else {
        fprintf(stderr, "atls: connection %lu: %s%s%s%s\n", number, what,
                verdict != NULL ? ", workload " : "",
                verdict != NULL ? atls_verdict_workload(verdict) : "",
                verdict != NULL && atls_verdict_simulated(verdict) ? " (simulated)" : "");
    }
}

/* Judges, is judged, and only then touches the backend. */
static void serve(client *who)
{
    server *s = who->server;
    connection c = {.fd = -1};
    atls_err err = {0};
    int backend = -1;
    const char *what = "refused";
    atls_code rc = connection_open(&s->endpoint, ATLS_SERVER, who->fd, NULL, &c, &err);
    rc = rc != ATLS_OK ? rc : connection_handshake(&c, &err);
    if (rc == ATLS_OK) {
        log_end(who->number, "accepted", atls_session_get0_verdict(c.session), rc, &err);
        what = "backend";
        rc = address_connect(&s->to, s->setup.timeout_ms, &backend, &err);
    }
    if (rc == ATLS_OK) {
        what = "ended";
        plain_side plain = {backend, backend, PLAIN_SHUTDOWN};
        rc = connection_relay(&c, &plain, &err);
    }
    log_end(who->number, what, NULL, rc, &err);
    if (backend >= 0) {
        (void)close(backend);
    }
    connection_close(&c);
}

static void *run_thread(void *arg)
{
    client *who = arg;
    server *s = who->server;
    serve(who);
    free(who);
    (void)sem_post(&s->room);
    return NULL;
}

/* The socket is taken over, by the thread or by close(). */
static void start_thread(server *s, int fd, unsigned long number)
{
    client *who = malloc(sizeof *who);
    pthread_attr_t attr;
    pthread_t thread;
    if (who == NULL || pthread_attr_init(&attr) != 0) {
        free(who);
        (void)close(fd);
        (void)sem_post(&s->room);
        return;
    }
    *who = (client){s, fd, number};
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, run_thread, who) != 0) {
        (void)say_refusal(ATLS_E_SYSTEM, "proxy.thread", "connection %lu: no thread for it",
                          number);
        (void)close(fd);
        free(who);
        (void)sem_post(&s->room);
    }
    (void)pthread_attr_destroy(&attr);
}

static int accept_all(server *s, int listener)
{
    for (unsigned long number = 1;; number++) {
        int fd = -1;
        atls_err err = {0};
        while (sem_wait(&s->room) != 0) {
        }
        if (address_accept(listener, &fd, &err) != ATLS_OK) {
            return say_err(&err, NULL);
        }
        start_thread(s, fd, number);
    }
}

static int parse(int argc, char **argv, server *s)
{
    flags_begin();
    int id;
    while ((id = flags_next(&server_flags, argc, argv)) != FLAGS_END) {
        switch (id) {
        case FLAGS_HELP:
        case FLAGS_WRONG:
            return id;
        case LISTEN:
            s->listen = optarg;
            break;
        case FORWARD:
            s->forward = optarg;
            break;
        case CHECK:
            s->check_only = true;
            break;
        case CONFIG:
            (void)say_refusal(ATLS_E_USAGE, "usage.option", "--config is not in this release");
            return FLAGS_WRONG;
        default:
            if (endpoint_setup_take(&s->setup, id, optarg) != FLAGS_END) {
                return FLAGS_WRONG;
            }
        }
    }
    if (s->listen == NULL || s->forward == NULL || optind != argc) {
        (void)say_refusal(ATLS_E_USAGE, "usage.option", "wanted is: %s", server_flags.usage);
        return FLAGS_WRONG;
    }
    return FLAGS_END;
}

static int run_server(int argc, char **argv)
{
    server s = {.setup = {.timeout_ms = TIMEOUT_MS}};
    int parsed = parse(argc, argv, &s);
    if (parsed != FLAGS_END) {
        return parsed == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }
    const bool ask = verifier_setup_is_asked(&s.setup.verifier);
    atls_err err = {0};
    address at;
    int listener = -1;
    uint16_t port = 0;
    atls_code rc = address_parse(s.listen, &at, &err);
    rc = rc != ATLS_OK ? rc : address_parse(s.forward, &s.to, &err);
    rc = rc != ATLS_OK ? rc : endpoint_open(&s.setup, ATLS_SERVER, ask, &s.endpoint, &err);
    if (rc == ATLS_OK && !s.check_only) {
        rc = address_listen(&at, &listener, &port, &err);
    }
    int status = rc == ATLS_OK ? 0 : say_err(&err, NULL);
    if (rc == ATLS_OK && !s.check_only) {
        (void)sem_init(&s.room, 0, CONNECTIONS_MAX);
        fprintf(stderr, "atls: listening on %s%s%u\n", at.host, at.is_unix ? " " : ":", port);
        status = accept_all(&s, listener);
        (void)close(listener);
    }
    endpoint_close(&s.endpoint, &s.setup);
    return status;
}

static int run_client(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return say_refusal(ATLS_E_USAGE, "usage.command",
                       "`atls proxy client` is not in this release; `atls connect` is a client");
}

int command_proxy(int argc, char **argv)
{
    static const command table[] = {
        {"server", "attested TLS in, plain bytes out", run_server},
        {"client", "(not in this release) plain bytes in, attested TLS out", run_client},
        {NULL, NULL, NULL},
    };
    return command_dispatch(
        "atls proxy",
        "The sidecar. In this release it is a plain server, a thread for each connection.", table,
        argc, argv);
}
