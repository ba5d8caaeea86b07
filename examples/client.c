/* client.c: an attested client. It connects, learns what runs at the other end, and only then says hello.
 *
 *     client HOST PORT COLLATERAL.json [SIMULATOR-ROOT.pem]
 *
 * The exit status is the verdict's code: 0 accepted, 3 to 6 refused. Policy: the built-in rule (genuine, up to date,
 * no debugging); a real client names workloads with atls_verifier_set1_policy. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atls/atls.h>

static int fail(const char *what, const atls_err *err)
{
    fprintf(stderr, "%s: %s (%s)\n", what, err->msg, err->check != NULL ? err->check : "");
    return err->code != ATLS_OK ? (int)err->code : ATLS_E_SYSTEM;
}

/* A clock that goes on while the machine sleeps. */
static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, port, &hints, &list) != 0) {
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    /* Reads give up once a second, so that the session sees its deadline pass. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 1},
                     sizeof(struct timeval));
    return fd;
}

static atls_buf read_file(const char *path, uint8_t *space, size_t cap)
{
    FILE *f = fopen(path, "rb");
    atls_buf bytes = {space, f != NULL ? fread(space, 1, cap, f) : 0};
    if (f != NULL) {
        (void)fclose(f);
    }
    return bytes;
}

/* One connection: the handshake, a look at the verdict, and a question with its answer. */
static int talk(const atls_config *config, SSL *ssl)
{
    atls_err err = {0};
    atls_session *s = NULL;
    atls_code rc;
    uint8_t reply[256];
    size_t n = 0;
    if (atls_session_new(config, ssl, ATLS_CLIENT, now_ms(), time(NULL), &s, &err) != ATLS_OK) {
        return fail("session", &err);
    }
    do { /* WANT_READ again: nothing came for a second */
        atls_session_set_time(s, now_ms(), time(NULL));
        rc = atls_session_handshake(s, &err);
    } while (rc == ATLS_WANT_READ);

    const atls_verdict *verdict = atls_session_get0_verdict(s);
    char *text = verdict != NULL ? atls_verdict_text(verdict, false) : NULL;
    fprintf(stderr, "%s", text != NULL ? text : "");
    atls_free(text);

    if (rc == ATLS_OK) { /* from here on the peer is the one whom the verdict describes */
        rc = atls_session_write(s, (const uint8_t *)"hello\n", 6, &n, &err);
    }
    if (rc == ATLS_OK) {
        do {
            atls_session_set_time(s, now_ms(), time(NULL));
            rc = atls_session_read(s, reply, sizeof reply, &n, &err);
        } while (rc == ATLS_WANT_READ);
    }
    if (rc == ATLS_OK) {
        (void)fwrite(reply, 1, n, stdout);
        rc = atls_session_shutdown(s, &err);
    }
    atls_session_free(s);
    return rc == ATLS_OK ? 0 : fail("connection", &err);
}

/* Whom to trust: set up once, for all connections. */
static atls_verifier *new_verifier(const char *collateral_path, const char *simulator_root)
{
    static uint8_t file[1 << 20];
    atls_err err = {0};
    atls_collateral *collateral = NULL;
    atls_verifier *verifier = atls_verifier_new();
    if (atls_collateral_parse(read_file(collateral_path, file, sizeof file), &collateral, &err) !=
            ATLS_OK ||
        atls_verifier_add1_collateral(verifier, collateral, &err) != ATLS_OK) {
        exit(fail(collateral_path, &err));
    }
    atls_collateral_free(collateral);
    if (simulator_root != NULL &&
        atls_verifier_insecure_trust_simulator(
            verifier, read_file(simulator_root, file, sizeof file), &err) != ATLS_OK) {
        exit(fail(simulator_root, &err));
    }
    return verifier;
}

int main(int argc, char **argv)
{
    atls_err err = {0};
    if (argc < 4) {
        fprintf(stderr, "usage: client HOST PORT COLLATERAL.json [SIMULATOR-ROOT.pem]\n");
        return ATLS_E_USAGE;
    }
    atls_verifier *verifier = new_verifier(argv[3], argv[4]);
    atls_config *config = atls_config_new();
    atls_config_set0_verifier(config, verifier);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (atls_config_apply(config, ctx, ATLS_CLIENT, &err) != ATLS_OK) {
        return fail("set-up", &err);
    }

    int fd = connect_to(argv[1], argv[2]);
    SSL *ssl = SSL_new(ctx);
    if (fd < 0 || SSL_set_fd(ssl, fd) != 1) {
        perror(argv[1]);
        return ATLS_E_SYSTEM;
    }
    int status = talk(config, ssl);

    SSL_free(ssl);
    SSL_CTX_free(ctx);
    atls_config_free(config);
    atls_verifier_free(verifier);
    (void)close(fd);
    return status;
}
