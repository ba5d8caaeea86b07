/* Two processes, a mutual connection, TCP on 127.0.0.1 and a socket pair: what only real sockets show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/rig.h"

enum { DATA_LEN = 3000000, STEP = 50000 };

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

static bool wait_for(const rig_side *side, int fd)
{
    short events = POLLIN;
    if (side->rc == ATLS_WANT_WRITE || atls_session_wants_write(side->session)) {
        events |= POLLOUT;
    }
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 20000) == 1;
}

static bool shake_hands(rig_side *side, int fd)
{
    while (rig_step(side) >= ATLS_WANT_READ) {
        if (side->rc != ATLS_WANT_JOB && !wait_for(side, fd)) {
            return false;
        }
    }
    return side->rc == ATLS_OK;
}

/* Both send DATA_LEN bytes at once, read as many, then close; the client asks for new evidence halfway. */
static bool exchange(rig_side *side, int fd)
{
    static uint8_t out[DATA_LEN];
    static uint8_t in[65536];
    size_t sent = 0;
    size_t got = 0;
    bool asked = side->role == ATLS_SERVER;
    atls_session_set_time(side->session, RIG_NOW_MS + 5000, RIG_WHEN_S + 5);
    memset(out, side->role == ATLS_CLIENT ? 'c' : 's', sizeof out);
    while (sent < DATA_LEN || got < DATA_LEN) {
        size_t n = 0;
        bool moved = false;
        if (!asked && sent > DATA_LEN / 2) {
            asked = atls_session_reattest(side->session, &side->err) == ATLS_OK;
        }
        if (sent < DATA_LEN) {
            side->rc =
                atls_session_write(side->session, out + sent,
                                   DATA_LEN - sent < STEP ? DATA_LEN - sent : STEP, &n, &side->err);
            moved = n > 0;
            sent += n;
        }
        if (side->rc == ATLS_OK || side->rc >= ATLS_WANT_READ) {
            (void)rig_read(side, in, sizeof in, &n);
            for (size_t i = 0; i < n; i++) {
                if (in[i] != (side->role == ATLS_CLIENT ? 's' : 'c')) {
                    return false;
                }
            }
            moved = moved || n > 0;
            got += n;
        }
        if (side->rc != ATLS_OK && side->rc < ATLS_WANT_READ) {
            return false;
        }
        if (!moved && side->rc != ATLS_WANT_JOB && !wait_for(side, fd)) {
            return false;
        }
    }
    return got == DATA_LEN;
}

static bool finish(rig_side *side, int fd)
{
    uint8_t b[16];
    size_t n = 0;
    while ((side->rc = atls_session_shutdown(side->session, &side->err)) == ATLS_WANT_WRITE) {
        if (!wait_for(side, fd)) {
            return false;
        }
    }
    while (side->rc == ATLS_OK && rig_read(side, b, sizeof b, &n) >= ATLS_WANT_READ) {
        if (side->rc != ATLS_WANT_JOB && !wait_for(side, fd)) {
            return false;
        }
        side->rc = ATLS_OK;
    }
    /* A socket closed while bytes lie in it unread (the peer's close_notify) resets the peer's. */
    (void)shutdown(fd, SHUT_WR);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, 20000) == 1 && read(fd, b, sizeof b) > 0) {
    }
    return side->rc == ATLS_OK && n == 0;
}

static bool run_side(rig_side *side, int fd)
{
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        return false;
    }
    rig_side_start(side, BIO_new_socket(fd, BIO_NOCLOSE), RIG_NOW_MS, RIG_WHEN_S);
    return shake_hands(side, fd) && exchange(side, fd) && finish(side, fd);
}

/* The child is the server; its exit status says how it went. */
static void two_processes(int client_fd, int server_fd)
{
    rig_side client;
    rig_side server;
    rig_side_new(&client, ATLS_CLIENT, &mutual);
    rig_side_new(&server, ATLS_SERVER, &mutual);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(client_fd);
        bool ok = run_side(&server, server_fd);
        if (!ok) {
            print_error("server: %d %s %s\n", (int)server.rc,
                        server.err.check != NULL ? server.err.check : "", server.err.msg);
        }
        _exit(ok && atls_session_rounds(server.session) == 1 ? 0 : 1);
    }
    (void)close(server_fd);
    bool ok = run_side(&client, client_fd);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!ok) {
        fail_msg("client: %d %s %s", (int)client.rc,
                 client.err.check != NULL ? client.err.check : "", client.err.msg);
    }
    assert_int_equal(status, 0);
    assert_int_equal(atls_session_rounds(client.session), 2);
    (void)close(client_fd);
    rig_side_free(&client);
    rig_side_free(&server);
}

static void over_a_socket_pair(void **state)
{
    (void)state;
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    two_processes(fd[0], fd[1]);
}

static void over_tcp(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    int server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    (void)close(listener);
    two_processes(client, server);
}

static int tear_down(void **state)
{
    (void)state;
    rig_sim_free();
    return 0;
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_a_socket_pair),
        cmocka_unit_test(over_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
