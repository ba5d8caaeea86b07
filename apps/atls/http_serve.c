/* http_serve.c: a server from its address to its end by a signal. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "http_server.h"
#include "say.h"

#define DRAIN_S 10

/* Of the address that was bound, whatever name led to it. */
static bool is_loopback(int fd)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0) {
        return false;
    }
    if (bound.ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, &bound, sizeof v4);
        return ntohl(v4.sin_addr.s_addr) / 0x1000000u == 127;
    }
    if (bound.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, &bound, sizeof v6);
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
    }
    return bound.ss_family == AF_UNIX;
}

static void end_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
}

void http_block_signals(void)
{
    sigset_t ends;
    end_signals(&ends);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
}

/* A second one ends at once. */
static void wait_for_end(void)
{
    sigset_t ends;
    int got = 0;
    end_signals(&ends);
    while (sigwait(&ends, &got) != 0) {
    }
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, &ends, NULL);
    fprintf(stderr, "atls: no more connections are taken; ending\n");
}

atls_code http_serve(const char *listen, bool insecure_plain, const http_settings *settings,
                     atls_err *err)
{
    address at;
    http_server *server = NULL;
    uint16_t port = 0;
    int fd = -1;
    atls_code rc = address_parse(listen, &at, err);
    rc = rc == ATLS_OK ? address_listen(&at, &fd, &port, err) : rc;
    if (rc == ATLS_OK && settings->cert_pem == NULL && !insecure_plain && !is_loopback(fd)) {
        (void)close(fd);
        return fill_err(err, ATLS_E_USAGE, "serve.plain",
                        "others reach %.64s: give --tls-cert and --tls-key (or --insecure-plain)",
                        listen);
    }
    rc = rc == ATLS_OK ? http_server_start(fd, settings, &server, err) : rc;
    if (rc != ATLS_OK) {
        return rc;
    }
    if (at.is_unix) {
        fprintf(stderr, "atls: listening on unix:%s\n", at.host);
    } else {
        fprintf(stderr, "atls: listening on %s:%u\n", at.host, port);
    }
    wait_for_end();
    http_server_stop(server, DRAIN_S);
    if (at.is_unix) {
        (void)unlink(at.host);
    }
    return ATLS_OK;
}
