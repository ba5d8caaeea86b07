/* server.c: an attested server. It shows evidence to whoever asks, and echoes what it is told.
 *
 *     server PORT DIRECTORY
 *
 * Evidence comes from the simulator, so that this runs anywhere: its root and collateral are written to DIRECTORY for
 * clients (root.pem, tdx.json). On real hardware another attester takes its place, and nothing else changes.
 * PORT 0 takes a free one; the port is printed. One connection at a time: a server with more uses threads, or
 * non-blocking sockets and what the session says it waits for. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atls/atls.h>
#include <atls/sim.h>

static int fail(const char *what, const atls_err *err)
{
    fprintf(stderr, "%s: %s (%s)\n", what, err->msg, err->check != NULL ? err->check : "");
    return (int)err->code;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "w");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        perror(path);
        exit(ATLS_E_SYSTEM);
    }
}

/* Simulated hardware, whose root and collateral a client needs. */
static atls_attester *new_attester(const char *directory)
{
    atls_err err = {0};
    atls_sim *sim = NULL;
    atls_attester *attester = NULL;
    char *root = NULL;
    char *collateral = NULL;
    const atls_sim_quote quote = {.type = "tdx", .workload = "echo"};
    if (atls_sim_new(time(NULL), NULL, &sim, &err) != ATLS_OK ||
        atls_sim_root(sim, &root, &err) != ATLS_OK ||
        atls_sim_collateral(sim, "tdx", &collateral, &err) != ATLS_OK ||
        atls_sim_attester_new(sim, &quote, &attester, &err) != ATLS_OK) {
        exit(fail("simulator", &err)); /* sim lives as long as the process */
    }
    write_file(directory, "root.pem", root);
    write_file(directory, "tdx.json", collateral);
    atls_free(root);
    atls_free(collateral);
    return attester;
}

static int listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror(port);
        exit(ATLS_E_SYSTEM);
    }
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

/* What a call of the session wants before it is made again; false when that is nothing. */
static bool provide(atls_session *s, atls_code rc)
{
    atls_session_set_time(s, now_ms(), time(NULL));
    if (rc == ATLS_WANT_JOB) {
        atls_job_run(atls_session_get0_job(s)); /* gets the quote; any thread may do this */
    }
    return rc >= ATLS_WANT_READ; /* a blocking socket has waited already */
}

static void serve(const atls_config *config, SSL *ssl)
{
    atls_err err = {0};
    atls_session *s = NULL;
    atls_code rc;
    uint8_t data[4096];
    size_t n = 0;
    if (atls_session_new(config, ssl, ATLS_SERVER, now_ms(), time(NULL), &s, &err) != ATLS_OK) {
        (void)fail("session", &err);
        return;
    }
    do {
        rc = atls_session_handshake(s, &err);
    } while (provide(s, rc));
    while (rc == ATLS_OK) {
        do { /* the peer may ask for new evidence at any time: then there is a job here, too */
            rc = atls_session_read(s, data, sizeof data, &n, &err);
        } while (provide(s, rc));
        if (rc != ATLS_OK || n == 0) { /* 0: the peer closed */
            break;
        }
        rc = atls_session_write(s, data, n, &n, &err);
    }
    if (rc == ATLS_OK) {
        rc = atls_session_shutdown(s, &err);
    }
    if (rc != ATLS_OK) {
        (void)fail("connection", &err);
    }
    atls_session_free(s);
}

int main(int argc, char **argv)
{
    atls_err err = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: server PORT DIRECTORY\n");
        return ATLS_E_USAGE;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    atls_config *config = atls_config_new();
    atls_config_set0_attester(config, new_attester(argv[2]));
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (atls_config_make_identity(config, time(NULL), &err) != ATLS_OK ||
        atls_config_apply(config, ctx, ATLS_SERVER, &err) != ATLS_OK) {
        return fail("set-up", &err);
    }
    int listener = listen_on(argv[1]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        /* A peer that says nothing is given up when the session's deadline passes, seen once a second. */
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 1},
                         sizeof(struct timeval));
        SSL *ssl = SSL_new(ctx);
        if (fd >= 0 && SSL_set_fd(ssl, fd) == 1) {
            serve(config, ssl);
        }
        SSL_free(ssl);
        (void)close(fd);
    }
}
