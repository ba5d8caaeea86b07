/* What libcurl is let do: against a service on a unix socket that misbehaves as its path says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/curl.h"
#include "unit/unix_server.h"

static char last_request[4096];

static void say(int fd, const char *text)
{
    (void)server_write(fd, text, strlen(text));
}

static void much(int fd, const char *line, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        if (!server_write(fd, line, strlen(line))) {
            return;
        }
    }
}

static void misbehave(void *ctx, int fd)
{
    (void)ctx;
    size_t len = 0;
    memset(last_request, 0, sizeof last_request);
    while (len < sizeof last_request - 1 && strstr(last_request, "\r\n\r\n") == NULL) {
        if (!server_read(fd, last_request + len, 1)) {
            return;
        }
        len++;
    }
    const char *path = last_request + strlen("GET ");
    if (strncmp(path, "/good", 5) == 0) {
        say(fd,
            "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Name: value\r\nConnection: close\r\n\r\nhello");
    } else if (strncmp(path, "/moved", 6) == 0) {
        say(fd,
            "HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (strncmp(path, "/headers", 8) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\n");
        much(fd, "X-Long: 0123456789012345678901234567890123456789012345678901\r\n", 1200);
        say(fd, "\r\n");
    } else if (strncmp(path, "/body", 5) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        much(fd, "0123456789", 100000);
    } else if (strncmp(path, "/lie", 4) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n0123");
    } else if (strncmp(path, "/cut", 4) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123");
    } else if (strncmp(path, "/zipped", 7) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd");
    } else if (strncmp(path, "/noise", 6) == 0) {
        say(fd, "220 smtp.example ESMTP\r\n");
    } else if (strncmp(path, "/slow", 5) == 0) {
        (void)usleep(600000);
    }
}

typedef struct rig {
    unix_server server;
    atls_origin origin;
    atls_curl *c;
    atls_curl_result r;
} rig;

static void open_rig(rig *r, const atls_curl_settings *settings)
{
    memset(r, 0, sizeof *r);
    unix_server_start(&r->server, misbehave, r);
    r->origin.kind = ATLS_ORIGIN_INTEL;
    (void)snprintf(r->origin.unix_path, sizeof r->origin.unix_path, "%s", r->server.path);
    (void)snprintf(r->origin.name, sizeof r->origin.name, "pccs=unix:%s", r->server.path);
    assert_int_equal(atls_curl_new(settings, &r->c, NULL), ATLS_OK);
}

static const atls_curl_settings plain = {.request_timeout_ms = 3000, .user_agent = "atls/test"};

static void close_rig(rig *r)
{
    atls_curl_free(r->c);
    unix_server_stop(&r->server);
}

static void wait_for_end(rig *r)
{
    for (int i = 0; !atls_curl_ended(r->c, &r->r); i++) {
        assert_true(i < 2000);
        atls_curl_poll(r->c, 100);
    }
}

static void ask(rig *r, const char *path, uint32_t timeout_ms)
{
    static uint64_t id = 7;
    atls_http_request request = {.body_max = 1000, .needs_api_key = true};
    (void)snprintf(request.url, sizeof request.url, "http://localhost%s", path);
    assert_int_equal(atls_curl_start(r->c, ++id, &r->origin, &request, timeout_ms, NULL), ATLS_OK);
    wait_for_end(r);
    assert_int_equal(r->r.id, id);
}

static void failed(const rig *r, const char *check)
{
    assert_false(r->r.answered);
    assert_string_equal(r->r.failure.check, check);
    assert_int_equal(r->r.failure.code, ATLS_E_COLLATERAL);
    assert_non_null(strstr(r->r.failure.msg, r->origin.name));
}

static void the_last_answer_comes_with_its_headers(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, &plain);
    for (int i = 0; i < 3; i++) { /* handles are used again */
        ask(&r, "/good", 1000);
        assert_true(r.r.answered);
        assert_int_equal(r.r.response.status, 200);
        assert_int_equal(r.r.response.body.len, 5);
        assert_memory_equal(r.r.response.body.ptr, "hello", 5);
        const char want[] = "Content-Length: 5\r\nX-Name: value\r\nConnection: close\r\n\r\n";
        assert_int_equal(r.r.response.headers.len, sizeof want - 1);
        assert_memory_equal(r.r.response.headers.ptr, want, sizeof want - 1);
    }
    assert_non_null(strstr(last_request, "User-Agent: atls/test\r\n"));
    assert_null(strstr(last_request, "Ocp-Apim"));
    close_rig(&r);
}

static void a_key_goes_to_intel_alone(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, &(atls_curl_settings){.request_timeout_ms = 3000, .api_key = "0123abcd"});
    ask(&r, "/good", 1000);
    assert_non_null(strstr(last_request, "Ocp-Apim-Subscription-Key: 0123abcd\r\n"));
    r.origin.kind = ATLS_ORIGIN_PCCS;
    ask(&r, "/good", 1000);
    assert_null(strstr(last_request, "Ocp-Apim"));
    close_rig(&r);
}

static void a_redirect_is_an_answer(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, &plain);
    ask(&r, "/moved", 1000);
    assert_true(r.r.answered);
    assert_int_equal(r.r.response.status, 302);
    assert_non_null(strstr(last_request, "GET /moved "));
    close_rig(&r);
}

static void limits_hold_while_bytes_come(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, &plain);
    ask(&r, "/headers", 2000);
    failed(&r, "fetch.size");
    ask(&r, "/body", 2000);
    failed(&r, "fetch.size");
    ask(&r, "/zipped", 2000); /* nothing is unpacked */
    assert_memory_equal(r.r.response.body.ptr, "abcd", 4);
    close_rig(&r);
}

static void what_is_no_whole_answer_is_told(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, &plain);
    ask(&r, "/cut", 2000);
    failed(&r, "fetch.cut");
    ask(&r, "/lie", 2000);
    failed(&r, "fetch.cut");
    ask(&r, "/nothing", 2000);
    failed(&r, "fetch.cut");
    ask(&r, "/noise", 2000);
    failed(&r, "fetch.http");
    ask(&r, "/slow", 200);
    failed(&r, "fetch.timeout");
    close_rig(&r);
}

static void nobody_there_is_told(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, &plain);
    (void)snprintf(r.origin.unix_path, sizeof r.origin.unix_path, "%s.none", r.server.path);
    ask(&r, "/good", 2000);
    failed(&r, "fetch.connect");
    close_rig(&r);
}

/* A service on loopback with the port of its own. */
static int listen_on_loopback(uint16_t *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
                listen(fd, 4) == 0 && getsockname(fd, (struct sockaddr *)&to, &len) == 0);
    *port = ntohs(to.sin_port);
    return fd;
}

static void *speak_no_tls(void *arg)
{
    int fd = accept(*(const int *)arg, NULL, NULL);
    char sink[512];
    if (fd >= 0) {
        (void)!read(fd, sink, sizeof sink);
        say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
        (void)close(fd);
    }
    return NULL;
}

static void plain_http_in_place_of_tls_is_refused(void **state)
{
    (void)state;
    rig r;
    uint16_t port = 0;
    pthread_t thread;
    int fd = listen_on_loopback(&port);
    open_rig(&r, &plain);
    r.origin.unix_path[0] = '\0';
    assert_int_equal(pthread_create(&thread, NULL, speak_no_tls, &fd), 0);
    atls_http_request request = {.body_max = 1000};
    (void)snprintf(request.url, sizeof request.url, "https://127.0.0.1:%u/good", port);
    assert_int_equal(atls_curl_start(r.c, 1, &r.origin, &request, 2000, NULL), ATLS_OK);
    wait_for_end(&r);
    failed(&r, "fetch.tls");
    (void)pthread_join(thread, NULL);
    (void)close(fd);
    close_rig(&r);
}

static void *be_proxy(void *arg)
{
    int fd = accept(*(const int *)arg, NULL, NULL);
    memset(last_request, 0, sizeof last_request);
    if (fd >= 0) {
        (void)!read(fd, last_request, sizeof last_request - 1);
        say(fd, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        (void)close(fd);
    }
    return NULL;
}

static void a_proxy_is_used_for_others_and_not_for_this_machine(void **state)
{
    (void)state;
    rig r;
    uint16_t port = 0;
    pthread_t thread;
    char proxy[64];
    int fd = listen_on_loopback(&port);
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", port);
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1); /* nothing of the environment */
    (void)setenv("https_proxy", "http://127.0.0.1:1", 1);
    open_rig(&r, &(atls_curl_settings){.request_timeout_ms = 3000, .proxy = proxy});
    ask(&r, "/good", 1000);
    assert_true(r.r.answered);
    r.origin.unix_path[0] = '\0';
    assert_int_equal(pthread_create(&thread, NULL, be_proxy, &fd), 0);
    atls_http_request request = {.body_max = 1000};
    (void)snprintf(request.url, sizeof request.url, "https://collateral.invalid/good");
    assert_int_equal(atls_curl_start(r.c, 1, &r.origin, &request, 2000, NULL), ATLS_OK);
    wait_for_end(&r);
    failed(&r, "fetch.connect");
    assert_non_null(strstr(r.r.failure.msg, "403"));
    (void)pthread_join(thread, NULL);
    assert_non_null(strstr(last_request, "CONNECT collateral.invalid:443 "));
    (void)close(fd);
    close_rig(&r);
}

/* libcurl puts such an address whole into its sentence. */
static void a_proxy_that_is_none_tells_no_password(void **state)
{
    (void)state;
    static const char *const proxies[] = {"htp://u:sesame@127.0.0.1:1",
                                          "http://u:sesame@[127.0.0.1",
                                          "http://u:sesame@127.0.0.1:99999999"};
    for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++) {
        rig r;
        open_rig(&r, &(atls_curl_settings){.request_timeout_ms = 3000, .proxy = proxies[i]});
        r.origin.unix_path[0] = '\0';
        atls_http_request request = {.url = "https://collateral.invalid/good", .body_max = 1000};
        assert_int_equal(atls_curl_start(r.c, 1, &r.origin, &request, 2000, NULL), ATLS_OK);
        wait_for_end(&r);
        failed(&r, "fetch.connect");
        assert_null(strstr(r.r.failure.msg, "sesame"));
        close_rig(&r);
    }
}

static void what_is_under_way_can_be_dropped(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, &plain);
    atls_http_request request = {.url = "http://localhost/slow", .body_max = 1000};
    assert_int_equal(atls_curl_start(r.c, 1, &r.origin, &request, 2000, NULL), ATLS_OK);
    assert_false(atls_curl_ended(r.c, &r.r));
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_answer_comes_with_its_headers),
        cmocka_unit_test(a_key_goes_to_intel_alone),
        cmocka_unit_test(a_redirect_is_an_answer),
        cmocka_unit_test(limits_hold_while_bytes_come),
        cmocka_unit_test(what_is_no_whole_answer_is_told),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(plain_http_in_place_of_tls_is_refused),
        cmocka_unit_test(a_proxy_is_used_for_others_and_not_for_this_machine),
        cmocka_unit_test(a_proxy_that_is_none_tells_no_password),
        cmocka_unit_test(what_is_under_way_can_be_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
