/* connect.c: `atls connect`: an attested client. Standard input and output are carried, the verdict is on stderr. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atls/atls.h>

#include "address.h"
#include "command.h"
#include "connection.h"
#include "endpoint.h"
#include "flags.h"
#include "say.h"
#include "sim_dir.h"

#define TIMEOUT_MS 10000

enum { BRIEF = 0x100, JSON, EXPLAIN };

static const flag own_flags[] = {
    {BRIEF, "brief", NULL, "only the verdict (on standard output), no data"},
    {EXPLAIN, "explain", NULL, "every check, not only those that failed"},
    {JSON, "json", NULL, "the verdict as one JSON object"},
    {0, NULL, NULL, NULL},
};
static const flags connect_flags = {
    "atls connect [options] HOST:PORT [-- CMD [ARGUMENT]...]",
    "Connects with attested TLS (binding atls/1, or one named), judges the server, and carries standard input and\n"
    "output only if it is accepted. With CMD: runs it with its input and output on the connection.\n"
    "Exit status: that of the verdict; 2 for a connection that is lost.",
    {own_flags, endpoint_flags, verifier_flags, collateral_fetch_flags, evidence_source_flags,
     sim_quote_flags},
};

typedef struct request {
    endpoint_setup setup;
    const char *address;
    char **cmd; /* NULL: none */
    bool brief, json, explain;
} request;

/* Cuts "-- CMD..." off argv. */
static int split_command(int argc, char **argv, request *r)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            r->cmd = argv[i + 1] != NULL ? argv + i + 1 : NULL;
            return i;
        }
    }
    return argc;
}

static int parse(int argc, char **argv, request *r)
{
    argc = split_command(argc, argv, r);
    flags_begin();
    int id;
    while ((id = flags_next(&connect_flags, argc, argv)) != FLAGS_END) {
        int taken = FLAGS_END;
        switch (id) {
        case FLAGS_HELP:
        case FLAGS_WRONG:
            return id;
        case BRIEF:
            r->brief = true;
            break;
        case JSON:
            r->json = true;
            break;
        case EXPLAIN:
            r->explain = true;
            break;
        default:
            taken = endpoint_setup_take(&r->setup, id, optarg);
        }
        if (taken != FLAGS_END) {
            return FLAGS_WRONG;
        }
    }
    return flags_one_operand(&connect_flags, argc, argv, &r->address) ? FLAGS_END : FLAGS_WRONG;
}

static void show_verdict(const atls_verdict *verdict, const request *r)
{
    FILE *to = r->brief ? stdout : stderr;
    char *text = r->json ? atls_verdict_json(verdict) : atls_verdict_text(verdict, r->explain);
    if (text != NULL) {
        fprintf(to, r->json ? "%s\n" : "%s", text);
        (void)fflush(to);
    }
    atls_free(text);
}

/* The verdict; for a peer that was refused before there was one (no evidence, no attestation), that refusal, so that
 * --json has one shape. Usage and lost connections are no verdicts. */
static void show_outcome(const connection *c, const request *r, atls_code rc, const atls_err *err)
{
    const atls_verdict *verdict = atls_session_get0_verdict(c->session);
    if (verdict != NULL) {
        show_verdict(verdict, r);
    } else if (r->json && rc >= ATLS_E_COLLATERAL && rc <= ATLS_E_BINDING) {
        atls_verdict *refusal = atls_verdict_refusal(err, (int64_t)time(NULL));
        if (refusal != NULL) {
            show_verdict(refusal, r);
        }
        atls_verdict_free(refusal);
    }
}

static int child_of(int in, int out, char **cmd)
{
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) {
        return 126;
    }
    (void)close(in);
    (void)close(out);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)execvp(cmd[0], cmd);
    (void)say_refusal(ATLS_E_SYSTEM, "connect.command", "%s: %s", cmd[0], strerror(errno));
    return 127;
}

static atls_code no_command(atls_err *err)
{
    return fill_err(err, ATLS_E_SYSTEM, "connect.command", "%s", strerror(errno));
}

/* Two pipes, so that either direction can end alone. */
static atls_code start_command(char **cmd, plain_side *plain, pid_t *pid, atls_err *err)
{
    int to_child[2] = {-1, -1};
    int from_child[2] = {-1, -1};
    if (pipe(to_child) != 0 || pipe(from_child) != 0 || (*pid = fork()) < 0) {
        atls_code rc = no_command(err);
        for (int i = 0; i < 2; i++) {
            (void)close(to_child[i]);
            (void)close(from_child[i]);
        }
        return rc;
    }
    if (*pid == 0) {
        (void)close(to_child[1]);
        (void)close(from_child[0]);
        _exit(child_of(to_child[0], from_child[1], cmd));
    }
    (void)close(to_child[0]);
    (void)close(from_child[1]);
    *plain = (plain_side){from_child[0], to_child[1], PLAIN_CLOSE};
    return ATLS_OK;
}

static atls_code run_command(connection *c, char **cmd, atls_err *err)
{
    plain_side plain = {-1, -1, PLAIN_CLOSE};
    pid_t pid = -1;
    atls_code rc = start_command(cmd, &plain, &pid, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    rc = connection_relay(c, &plain, err);
    (void)close(plain.in);
    if (plain.out >= 0) {
        (void)close(plain.out);
    }
    if (rc != ATLS_OK) {
        (void)shutdown(c->fd, SHUT_RDWR); /* the peer need not wait for the command, as we do */
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (rc == ATLS_OK && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        rc = fill_err(err, ATLS_E_SYSTEM, "connect.command", "%s ended with status %d", cmd[0],
                      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return rc;
}

/* A terminal can take less than poll() lets one hope, and a blocked write would stop the session's clock. So it is opened
 * once more, without blocking: the shell's own file keeps its flags. -1: no terminal. */
static int own_terminal(int fd)
{
    const char *name = isatty(fd) ? ttyname(fd) : NULL;
    return name != NULL ? open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
}

static atls_code carry(connection *c, const request *r, atls_err *err)
{
    if (r->brief) {
        atls_code rc = atls_session_shutdown(c->session, err);
        return rc == ATLS_WANT_WRITE || rc == ATLS_WANT_READ ? ATLS_OK : rc;
    }
    if (r->cmd != NULL) {
        return run_command(c, r->cmd, err);
    }
    int terminal = own_terminal(STDOUT_FILENO);
    plain_side plain = {STDIN_FILENO, terminal >= 0 ? terminal : STDOUT_FILENO, PLAIN_KEEP};
    atls_code rc = connection_relay(c, &plain, err);
    if (terminal >= 0) {
        (void)close(terminal);
    }
    return rc;
}

static atls_code run(request *r, endpoint *e, atls_err *err)
{
    address to;
    int fd = -1;
    connection c = {.fd = -1};
    atls_code rc = address_parse(r->address, &to, err);
    rc = rc != ATLS_OK ? rc : endpoint_open(&r->setup, ATLS_CLIENT, true, e, err);
    rc = rc != ATLS_OK ? rc : address_connect(&to, r->setup.timeout_ms, &fd, err);
    rc = rc != ATLS_OK ? rc
                       : connection_open(e, ATLS_CLIENT, fd, to.is_unix ? NULL : to.host, &c, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    rc = connection_handshake(&c, err);
    show_outcome(&c, r, rc, err);
    if (rc == ATLS_OK) {
        const atls_verdict *first = atls_session_get0_verdict(c.session);
        rc = carry(&c, r, err);
        if (rc != ATLS_OK && atls_session_get0_verdict(c.session) != first) {
            show_outcome(&c, r, rc, err); /* a re-attestation has decided otherwise */
        }
    }
    connection_close(&c);
    return rc;
}

int command_connect(int argc, char **argv)
{
    request r = {.setup = {.timeout_ms = TIMEOUT_MS}};
    int parsed = parse(argc, argv, &r);
    if (parsed != FLAGS_END) {
        return parsed == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }
    endpoint e = {0};
    atls_err err = {0};
    atls_code rc = run(&r, &e, &err);
    endpoint_close(&e, &r.setup);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}
