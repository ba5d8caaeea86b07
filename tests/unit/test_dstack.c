/* dstack's agent: a small HTTP server on a unix socket, with the new API or the old one. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attest/dstack_reply.h"
#include "unit/attest_rig.h"
#include "unit/unix_server.h"

#define QUOTE_LEN 700u
#define HEX_LEN   (2 * QUOTE_LEN)
#define LOG       "[{\\\"imr\\\":3,\\\"event\\\":\\\"app-id\\\"}]"
#define LOG_PLAIN "[{\"imr\":3,\"event\":\"app-id\"}]"

/* What the agent does. */
typedef struct agent {
    bool old;         /* only the API before 0.4 */
    int status;       /* 0: 200 */
    const char *body; /* instead of a quote */
    const char *log;  /* beside it; NULL: LOG */
    unsigned takes_ms;
    size_t flood; /* so many bytes more */
    bool hang_up;
    char last[512]; /* request line of the last */
    unsigned asked;
} agent;

static bool read_head(int fd, char *head, size_t cap)
{
    size_t len = 0;
    while (len + 1 < cap && (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0)) {
        if (!server_read(fd, head + len, 1)) {
            return false;
        }
        len++;
    }
    head[len] = '\0';
    return true;
}

static void answer(int fd, int status, const char *body, size_t len, size_t flood)
{
    char head[160];
    int n =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                 status, len + flood);
    if (server_write(fd, head, (size_t)n) && server_write(fd, body, len)) {
        char spaces[4096];
        memset(spaces, ' ', sizeof spaces);
        for (size_t at = 0; at < flood && server_write(fd, spaces, sizeof spaces);) {
            at += sizeof spaces;
        }
    }
}

static void serve(void *ctx, int fd)
{
    agent *g = ctx;
    char head[2048];
    char body[512] = "";
    char reply[HEX_LEN + 1024];
    g->asked++;
    if (!read_head(fd, head, sizeof head) || g->hang_up) {
        return;
    }
    const char *length = strstr(head, "Content-Length: ");
    size_t len = length != NULL ? (size_t)strtoul(length + 16, NULL, 10) : 0;
    if (len == 0 || len >= sizeof body || !server_read(fd, body, len)) {
        return;
    }
    (void)snprintf(g->last, sizeof g->last, "%.*s", (int)strcspn(head, "\r"), head);
    attest_os_libc.sleep_ms(NULL, g->takes_ms);
    const char *path = g->old ? "POST /prpc/Tappd.RawQuote HTTP/1.1" : "POST /GetQuote HTTP/1.1";
    const char *data = strstr(body, "{\"report_data\":\"");
    if (strcmp(g->last, path) != 0 || data == NULL ||
        strstr(head, "Content-Type: application/json\r\n") == NULL) {
        answer(fd, 404, "not found", 9, 0);
        return;
    }
    if (g->body != NULL) {
        answer(fd, g->status != 0 ? g->status : 200, g->body, strlen(g->body), g->flood);
        return;
    }
    char quote[HEX_LEN + 1];
    memset(quote, '0', HEX_LEN);
    quote[HEX_LEN] = '\0';
    memcpy(quote, "0400", 4);
    memcpy(quote + 2 * 568, data + 16, 128);
    int n = snprintf(
        reply, sizeof reply,
        "{\"quote\":\"%s\",\"event_log\":\"%s\",\"report_data\":\"\",\"vm_config\":\"{}\"}", quote,
        g->log != NULL ? g->log : LOG);
    answer(fd, 200, reply, (size_t)n, g->flood);
}

static atls_attest_options options_of(const unix_server *s)
{
    return (atls_attest_options){
        .source = "dstack", .type = "tdx", .dstack_socket = s->path, .timeout_ms = 5000};
}

static void both_apis(void **state)
{
    (void)state;
    for (int old = 0; old < 2; old++) {
        agent g = {.old = old != 0};
        unix_server s;
        unix_server_start(&s, serve, &g);
        atls_attest_options o = options_of(&s);
        atls_attester *a = open_over(&attest_os_libc, &o);
        assert_string_equal(a->name, "tdx");
        atls_evidence_blob blob = good(a, 0x3c);
        assert_string_equal(blob.type, "tdx");
        assert_int_equal(blob.parts_n, 2);
        assert_string_equal(blob.parts[0].name, "quote");
        assert_int_equal(blob.parts[0].len, QUOTE_LEN);
        assert_memory_equal(blob.parts[0].bytes + 568, data_of(0x3c).wide, 64);
        assert_string_equal(blob.parts[1].name, "event_log");
        assert_int_equal(blob.parts[1].len, strlen(LOG_PLAIN));
        assert_memory_equal(blob.parts[1].bytes, LOG_PLAIN, strlen(LOG_PLAIN));
        atls_evidence_blob_clear(&blob);
        g.log = "";
        blob = good(a, 0x3d);
        assert_int_equal(blob.parts_n, 1);
        atls_evidence_blob_clear(&blob);
        atls_attester_free(a);
        unix_server_stop(&s);
    }
}

static void proxies_are_not_asked(void **state)
{
    (void)state;
    agent g = {0};
    unix_server s;
    unix_server_start(&s, serve, &g);
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:9", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:9", 1), 0);
    atls_attest_options o = options_of(&s);
    atls_attester *a = open_over(&attest_os_libc, &o);
    atls_evidence_blob blob = good(a, 1);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
    unix_server_stop(&s);
}

static void failures(void **state)
{
    (void)state;
    static const struct {
        agent g;
        const char *check, *word;
    } rows[] = {
        {{.body = "{\"error\":\"no \\u0007 quote \\u00e9\"}", .status = 400},
         "attest.dstack.refused",
         "status 400: no ? quote ?"},
        {{.body = "oops", .status = 500}, "attest.dstack.refused", "status 500"},
        {{.body = "", .status = 301}, "attest.dstack.refused", "status 301"},
        {{.body = "null"}, "attest.dstack.reply", "no JSON"},
        {{.body = ""}, "attest.dstack.reply", "no JSON"},
        {{.body = "{\"quote\":\"00\",\"quote\":\"00\"}"}, "attest.dstack.reply", "no JSON"},
        {{.body = "{}"}, "attest.dstack.reply", "no quote"},
        {{.body = "{\"quote\":5}"}, "attest.dstack.reply", "no quote"},
        {{.body = "{\"quote\":\"0x00\"}"}, "attest.dstack.reply", "hex"},
        {{.body = "{\"quote\":\"0\"}"}, "attest.dstack.reply", "hex"},
        {{.body = "{\"quote\":\"\",\"attestation\":\"00\"}"},
         "attest.dstack.platform",
         "another platform"},
        {{.body = "{\"quote\":\"0400\"}"}, "attest.report_data", "other report data"},
        {{.body = "{}", .flood = DSTACK_REPLY_MAX}, "attest.dstack.reply", "more than"},
        {{.hang_up = true}, "attest.dstack.http", "asking"},
        {{.takes_ms = 400}, "attest.dstack.http", "one quote at a time"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        agent g = rows[i].g;
        unix_server s;
        unix_server_start(&s, serve, &g);
        atls_attest_options o = options_of(&s);
        o.timeout_ms = g.takes_ms != 0 ? 80 : 5000;
        atls_attester *a = open_over(&attest_os_libc, &o);
        assert_attest_fails(a, rows[i].check, rows[i].word);
        atls_attester_free(a);
        unix_server_stop(&s);
    }
}

static char *json_of(const char *before, size_t n, const char *behind)
{
    char *text = malloc(strlen(before) + n + strlen(behind) + 1);
    assert_non_null(text);
    strcpy(text, before);
    memset(text + strlen(before), '0', n);
    strcpy(text + strlen(before) + n, behind);
    return text;
}

static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *before, *behind;
        size_t most;
        const char *word;
    } rows[] = {
        {"{\"quote\":\"", "\"}", 2 * ATTEST_EVIDENCE_MAX, "a quote of"},
        {"{\"quote\":\"00\",\"event_log\":\"", "\"}", ATTEST_EVENT_LOG_MAX, "an event log of"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t more = 0; more <= 2; more += 2) {
            char *text = json_of(rows[i].before, rows[i].most + more, rows[i].behind);
            atls_evidence_blob blob = {0};
            atls_err err = {0};
            atls_code rc = dstack_read_reply(200, (atls_buf){(const uint8_t *)text, strlen(text)},
                                             &blob, &err);
            assert_int_equal(rc, more == 0 ? ATLS_OK : ATLS_E_SYSTEM);
            if (more > 0) {
                assert_told(&err, "attest.dstack.reply", rows[i].word);
            }
            atls_evidence_blob_clear(&blob);
            free(text);
        }
    }
}

static void not_there(void **state)
{
    (void)state;
    char file[] = "/tmp/atls-file-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    (void)close(fd);
    atls_attest_options o = {.source = "dstack", .dstack_socket = "/nonexistent/atls"};
    assert_not_there(&attest_os_libc, &o, "attest.dstack.socket", "no dstack guest", true);
    o.dstack_socket = file;
    assert_not_there(&attest_os_libc, &o, "attest.dstack.socket", "cannot be asked", false);
    (void)unlink(file);
    char path[120];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    o.dstack_socket = path;
    atls_attester *a = NULL;
    atls_err err = {0};
    assert_int_equal(attest_open(&attest_os_libc, &o, &a, &err), ATLS_E_USAGE);
    assert_told(&err, "attest.option", "119");
}

/* --- many at once, over one agent that takes one at a time --- */

#define ASKERS 8

typedef struct asker {
    const atls_attester *a;
    uint8_t byte;
    bool right;
} asker;

static void *ask(void *arg)
{
    asker *me = arg;
    atls_report_data d = data_of(me->byte);
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    if (me->a->attest(me->a->self, &d, &blob, &err) != ATLS_OK) {
        print_error("%s: %s\n", err.check, err.msg);
        return NULL;
    }
    me->right = memcmp(blob.parts[0].bytes + 568, d.wide, 64) == 0;
    atls_evidence_blob_clear(&blob);
    return NULL;
}

static void many_at_once(void **state)
{
    (void)state;
    agent g = {.takes_ms = 5};
    unix_server s;
    unix_server_start(&s, serve, &g);
    atls_attest_options o = options_of(&s);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        asker me = {.byte = 200};
        atls_attester *a = NULL;
        if (attest_open(&attest_os_libc, &o, &a, NULL) == ATLS_OK) {
            me.a = a;
            (void)ask(&me);
            atls_attester_free(a);
        }
        _exit(me.right ? 0 : 1);
    }
    atls_attester *a = open_over(&attest_os_libc, &o);
    pthread_t threads[ASKERS];
    asker askers[ASKERS];
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (asker){.a = a, .byte = (uint8_t)(i * 16)};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < ASKERS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_true(askers[i].right);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    atls_attester_free(a);
    unix_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_apis), cmocka_unit_test(proxies_are_not_asked),
        cmocka_unit_test(failures),  cmocka_unit_test(limits),
        cmocka_unit_test(not_there), cmocka_unit_test(many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
