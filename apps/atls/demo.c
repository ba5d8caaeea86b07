/* demo.c: `atls demo`: one attested server is accepted, three that are not what they claim are refused. */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atls/atls.h>

#include "address.h"
#include "command.h"
#include "connection.h"
#include "demo_world.h"
#include "flags.h"
#include "say.h"

#define TIMEOUT_MS 10000
#define GREETING   "hello from inside the TEE"

static const flags demo_flags = {
    "atls demo",
    "Makes a simulated TEE, a server and a client in this process. The client accepts the server that\n"
    "it expects, and refuses other software, an old platform, and a thief who shows evidence that\n"
    "was made for another connection. Exit status 0 if all four end as they should.",
    {NULL},
};

/* An attester that keeps the first evidence it saw, and one that shows it again whatever is asked. */
typedef struct recorder {
    const atls_attester *inner; /* NULL: only replays */
    atls_evidence_blob kept;
} recorder;

static atls_code copy_blob(const atls_evidence_blob *from, atls_evidence_blob *out, atls_err *err)
{
    atls_evidence_blob copy = {.parts_n = from->parts_n};
    memcpy(copy.type, from->type, sizeof copy.type);
    for (size_t i = 0; i < from->parts_n; i++) {
        memcpy(copy.parts[i].name, from->parts[i].name, sizeof copy.parts[i].name);
        copy.parts[i].len = from->parts[i].len;
        copy.parts[i].bytes = malloc(from->parts[i].len);
        if (copy.parts[i].bytes == NULL) {
            atls_evidence_blob_clear(&copy);
            return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
        }
        memcpy(copy.parts[i].bytes, from->parts[i].bytes, from->parts[i].len);
    }
    *out = copy;
    return ATLS_OK;
}

static atls_code attest_and_keep(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                 atls_err *err)
{
    recorder *r = self;
    atls_code rc = r->inner->attest(r->inner->self, data, out, err);
    return rc == ATLS_OK && r->kept.parts_n == 0 ? copy_blob(out, &r->kept, err) : rc;
}

static atls_code attest_with_stolen(void *self, const atls_report_data *data,
                                    atls_evidence_blob *out, atls_err *err)
{
    (void)data;
    const recorder *r = self;
    return copy_blob(&r->kept, out, err);
}

typedef struct scene {
    const char *tried, *learned;
    const char *workload, *tcb;
    bool thief;
    atls_code expected;
    const char *check; /* that must decide; NULL: accepted */
} scene;

static const scene scenes[] = {
    {"the server that the policy names, on the machine that it names",
     "what runs there, whose machine it is and who holds the keys of this very connection are proved.",
     DEMO_WORKLOAD, "UpToDate", false, ATLS_OK, NULL},
    {"a server on the same machine that runs other software",
     "a sound machine is not enough: what was loaded is measured, and it is not what the policy names.",
     "other", "UpToDate", false, ATLS_E_POLICY, "policy.tdx.mrtd"},
    {"the right software, on an out-of-date platform",
     "the right software is refused, too, where a known hole lets others look into it.",
     DEMO_WORKLOAD, "OutOfDate", false, ATLS_E_POLICY, "tcb.status"},
    {"a thief, who shows evidence that he recorded on the first connection",
     "genuine evidence is worth nothing on another connection than its own.", DEMO_WORKLOAD,
     "UpToDate", true, ATLS_E_BINDING, "binding.report_data"},
};

typedef struct server {
    int listener;
    endpoint end;
} server;

/* Serves one connection: a greeting, if both sides have accepted. */
static void *serve_one(void *arg)
{
    server *s = arg;
    int fd = -1;
    connection c = {.fd = -1};
    if (address_accept(s->listener, &fd, NULL) != ATLS_OK ||
        connection_open(&s->end, ATLS_SERVER, fd, NULL, &c, NULL) != ATLS_OK) {
        return NULL;
    }
    atls_code rc = connection_handshake(&c, NULL);
    size_t sent = 0;
    while (rc == ATLS_OK && sent < strlen(GREETING)) {
        size_t done = 0;
        rc = atls_session_write(c.session, (const uint8_t *)GREETING + sent,
                                strlen(GREETING) - sent, &done, NULL);
        sent += done;
        rc = rc == ATLS_OK ? rc : connection_wait(&c, rc, NULL);
    }
    while (rc == ATLS_OK && (rc = atls_session_shutdown(c.session, NULL)) != ATLS_OK) {
        rc = connection_wait(&c, rc, NULL);
    }
    connection_close(&c);
    return NULL;
}

/* Reads until the server ends in order. */
static atls_code read_greeting(connection *c, char *out, size_t cap, atls_err *err)
{
    size_t len = 0;
    for (;;) {
        size_t done = 0;
        atls_code rc =
            atls_session_read(c->session, (uint8_t *)out + len, cap - 1 - len, &done, err);
        if (rc == ATLS_OK && (done == 0 || len + done == cap - 1)) {
            out[len + done] = '\0';
            return ATLS_OK;
        }
        len += done;
        rc = rc == ATLS_OK ? rc : connection_wait(c, rc, err);
        if (rc != ATLS_OK) {
            return rc;
        }
    }
}

/* The text without those rows of its table that `before` has, too; NULL: all of it. */
static void print_news(const char *text, const char *before)
{
    static const char continued[] = "\n            ";
    char row[1024];
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        while (end != NULL && strncmp(end, continued, strlen(continued)) == 0) {
            end = strchr(end + 1, '\n');
        }
        size_t len = end != NULL ? (size_t)(end - text) + 1 : strlen(text);
        bool is_row = text[0] == ' ' && len < sizeof row;
        (void)snprintf(row, sizeof row, "%.*s", is_row ? (int)len : 0, text);
        if (!is_row || before == NULL || strstr(before, row) == NULL) {
            (void)fwrite(text, 1, len, stdout);
        }
        text += len;
    }
}

static atls_code check_greeting(connection *c, atls_err *err)
{
    char greeting[64];
    atls_code rc = read_greeting(c, greeting, sizeof greeting, err);
    if (rc == ATLS_OK && strcmp(greeting, GREETING) != 0) {
        return fill_err(err, ATLS_E_SYSTEM, "demo.data", "the data did not arrive whole");
    }
    if (rc == ATLS_OK) {
        printf("Only now data flows; the server says: %s\n", greeting);
    }
    return rc;
}

/* *first: the text of the first verdict, which the caller frees; set by the first connection. */
static atls_code connect_once(const endpoint *client, const address *to, char **first,
                              atls_err *err)
{
    int fd = -1;
    connection c = {.fd = -1};
    atls_code rc = address_connect(to, TIMEOUT_MS, &fd, err);
    rc = rc != ATLS_OK ? rc : connection_open(client, ATLS_CLIENT, fd, NULL, &c, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    rc = connection_handshake(&c, err);
    const atls_verdict *verdict = atls_session_get0_verdict(c.session);
    char *text = verdict != NULL ? atls_verdict_text(verdict, false) : NULL;
    print_news(text != NULL ? text : "(no verdict)\n", *first);
    if (*first == NULL) {
        *first = text;
        text = NULL;
    }
    atls_free(text);
    if (rc == ATLS_OK && strcmp(atls_verdict_identity(verdict), "platform pinned") != 0) {
        rc = fill_err(err, ATLS_E_SYSTEM, "demo.platform", "the policy did not name the platform");
    }
    rc = rc != ATLS_OK ? rc : check_greeting(&c, err);
    connection_close(&c);
    return rc;
}

typedef struct stage { /* what stays from one scene to the next */
    const demo_world *world;
    recorder kept;
    char *first; /* text of the first verdict */
} stage;

static const demo_binding atls1 = {.name = "atls/1"};
static const demo_wanted demo_evidence = {.tee = "tdx", .binding = "atls/1"};

/* Plays one scene; *outcome is how the client's connection ended. */
static atls_code play(stage *st, const scene *sc, atls_code *outcome, atls_err *err)
{
    atls_sim_quote quote = {.workload = sc->workload, .tcb = sc->tcb};
    atls_attester *sim = NULL;
    server s = {.listener = -1};
    endpoint client = {0};
    address to = {.host = "127.0.0.1", .port = "0"};
    uint16_t port = 0;
    pthread_t thread;
    const demo_world *w = st->world;
    recorder *kept = &st->kept;
    atls_code rc = atls_sim_attester_new(w->sim, &quote, &sim, err);
    kept->inner = sim;
    const atls_attester attester = {
        .name = "demo", .self = kept, .attest = sc->thief ? attest_with_stolen : attest_and_keep};
    rc =
        rc != ATLS_OK ? rc : demo_end_open(ATLS_SERVER, &atls1, NULL, &attester, true, &s.end, err);
    rc = rc != ATLS_OK ? rc
                       : demo_end_open(ATLS_CLIENT, &atls1, w->verifier, NULL, false, &client, err);
    rc = rc != ATLS_OK ? rc : address_listen(&to, &s.listener, &port, err);
    if (rc == ATLS_OK && pthread_create(&thread, NULL, serve_one, &s) != 0) {
        rc = fill_err(err, ATLS_E_SYSTEM, "demo.thread", "no thread for the server");
    }
    if (rc == ATLS_OK) {
        (void)snprintf(to.port, sizeof to.port, "%u", port);
        *outcome = connect_once(&client, &to, &st->first, err);
        (void)pthread_join(thread, NULL);
    }
    if (s.listener >= 0) {
        (void)close(s.listener);
    }
    demo_end_close(&client);
    demo_end_close(&s.end);
    atls_attester_free(sim);
    return rc;
}

static bool is_as_it_should(const scene *sc, atls_code outcome, const atls_err *err)
{
    return outcome == sc->expected &&
           (sc->check == NULL || (err->check != NULL && strcmp(err->check, sc->check) == 0));
}

static int play_all(const demo_world *w)
{
    stage st = {.world = w};
    size_t wrong = 0;
    const size_t n = sizeof scenes / sizeof scenes[0];
    for (size_t i = 0; i < n; i++) {
        atls_err err = {0};
        atls_code outcome = ATLS_E_SYSTEM;
        printf("\n--- %zu of %zu: the client connects to %s ---\n", i + 1, n, scenes[i].tried);
        if (play(&st, &scenes[i], &outcome, &err) == ATLS_OK &&
            is_as_it_should(&scenes[i], outcome, &err)) {
            printf("Learned: %s\n", scenes[i].learned);
        } else {
            printf("NOT AS IT SHOULD BE: code %d, where %d is right [%s]\n", (int)outcome,
                   (int)scenes[i].expected, err.check != NULL ? err.check : "");
            wrong++;
        }
        (void)fflush(stdout);
    }
    atls_evidence_blob_clear(&st.kept.kept);
    atls_free(st.first);
    printf("\n%zu of %zu as they should be: one accepted, three refused\n", n - wrong, n);
    return wrong == 0 ? 0 : ATLS_E_SYSTEM;
}

int command_demo(int argc, char **argv)
{
    flags_begin();
    int id;
    while ((id = flags_next(&demo_flags, argc, argv)) != FLAGS_END) {
        return id == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }
    if (optind != argc) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "wanted is: %s", demo_flags.usage);
    }
    demo_world w = {0};
    atls_err err = {0};
    if (demo_world_open((int64_t)time(NULL), &demo_evidence, &w, &err) != ATLS_OK) {
        return say_err(&err, NULL);
    }
    printf(
        "A simulated TEE: nothing here is hardware, and every verdict says so. The client's policy names\n"
        "software, its machine and the state of that. The table of a verdict: whole at first, then what differs.\n");
    int status = play_all(&w);
    demo_world_close(&w);
    return status;
}
