/* The heads of Atlas's request and answer: post-handshake.md 1.2, 1.3; each rule wrong alone, each truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/atlas_http.h"

static const char answer[] = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 12\r\n\r\n";
static const char request[] =
    "POST /tdx_quote HTTP/1.1\r\nHost: a.test\r\nContent-Length: 80\r\n\r\n";

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void what_is_right(void **state)
{
    (void)state;
    atls_http_head head;
    assert_int_equal(atls_http_response_head(text(answer), &head), ATLS_HTTP_FINE);
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body_len, 12);
    assert_int_equal(atls_http_request_head(text(request), &head), ATLS_HTTP_FINE);
    assert_int_equal(head.body_len, 80);
}

typedef struct wrong {
    const char *what, *head;
    atls_http_fault fault;
} wrong;

static void answers_wrong_in_one_respect(void **state)
{
    (void)state;
    static const wrong table[] = {
        {"no reason, which is allowed", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n",
         ATLS_HTTP_FINE},
        {"other case and blanks, likewise", "HTTP/1.1 200 \r\ncONTENT-lENGTH:\t 1 \t\r\nX:\r\n\r\n",
         ATLS_HTTP_FINE},
        {"the longest body", "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n", ATLS_HTTP_FINE},
        {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_LINE},
        {"2", "HTTP/2 200\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_LINE},
        {"two digits", "HTTP/1.1 20 OK\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_LINE},
        {"four digits", "HTTP/1.1 2000\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_LINE},
        {"low", "HTTP/1.1 099 OK\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_LINE},
        {"empty", "\r\n\r\n", ATLS_HTTP_LINE},
        {"a control character", "HTTP/1.1 200 O\001K\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_LINE},
        {"continue", "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_STATUS},
        {"created", "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_STATUS},
        {"not found", "HTTP/1.1 404 Not Found\r\n\r\n", ATLS_HTTP_STATUS},
        {"error", "HTTP/1.1 500 Error\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_STATUS},
        {"LF alone", "HTTP/1.1 200 OK\r\nX: 1\nContent-Length: 1\r\n\r\n", ATLS_HTTP_FIELD},
        {"CR alone", "HTTP/1.1 200 OK\r\nX: 1\rContent-Length: 1\r\n\r\n", ATLS_HTTP_FIELD},
        {"no colon", "HTTP/1.1 200 OK\r\nContent-Length 1\r\n\r\n", ATLS_HTTP_FIELD},
        {"no name", "HTTP/1.1 200 OK\r\n: 1\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_FIELD},
        {"a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n",
         ATLS_HTTP_FIELD},
        {"a folded line", "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 1\r\n\r\n",
         ATLS_HTTP_FIELD},
        {"a DEL", "HTTP/1.1 200 OK\r\nX: \177\r\nContent-Length: 1\r\n\r\n", ATLS_HTTP_FIELD},
        {"none", "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n", ATLS_HTTP_NO_LENGTH},
        {"two of them", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
         ATLS_HTTP_LENGTH},
        {"a list", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", ATLS_HTTP_LENGTH},
        {"a sign", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", ATLS_HTTP_LENGTH},
        {"a zero in front", "HTTP/1.1 200 OK\r\nContent-Length: 01\r\n\r\n", ATLS_HTTP_LENGTH},
        {"hex", "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n", ATLS_HTTP_LENGTH},
        {"empty", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", ATLS_HTTP_LENGTH},
        {"ten digits", "HTTP/1.1 200 OK\r\nContent-Length: 4294967297\r\n\r\n", ATLS_HTTP_LENGTH},
        {"one too long", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", ATLS_HTTP_LARGE},
        {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ATLS_HTTP_CODING},
        {"both", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\ntransfer-encoding: identity\r\n\r\n",
         ATLS_HTTP_CODING},
        {"more behind the end", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\r\n",
         ATLS_HTTP_FIELD},
    };
    atls_http_head head;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (atls_http_response_head(text(table[i].head), &head) != table[i].fault) {
            fail_msg("%s: not fault %d", table[i].what, (int)table[i].fault);
        }
    }
}

static void requests_wrong_in_one_respect(void **state)
{
    (void)state;
#define REST " HTTP/1.1\r\nHost: a\r\nContent-Length: 80\r\n\r\n"
    static const wrong table[] = {
        {"another method", "GET /tdx_quote" REST, ATLS_HTTP_METHOD},
        {"its case", "post /tdx_quote" REST, ATLS_HTTP_METHOD},
        {"another path", "POST /" REST, ATLS_HTTP_TARGET},
        {"a query", "POST /tdx_quote?a=1" REST, ATLS_HTTP_TARGET},
        {"a slash behind it", "POST /tdx_quote/" REST, ATLS_HTTP_TARGET},
        {"its case", "POST /TDX_quote" REST, ATLS_HTTP_TARGET},
        {"absolute", "POST https://a/tdx_quote" REST, ATLS_HTTP_TARGET},
        {"health", "GET /health" REST, ATLS_HTTP_TARGET},
        {"no method", " /tdx_quote" REST, ATLS_HTTP_LINE},
        {"no target", "POST " REST, ATLS_HTTP_LINE},
        {"a blank more", "POST /tdx_quote " REST, ATLS_HTTP_LINE},
        {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", ATLS_HTTP_LINE},
        {"one word", "POST\r\nHost: a\r\nContent-Length: 80\r\n\r\n", ATLS_HTTP_LINE},
        {"no Host", "POST /tdx_quote HTTP/1.1\r\nContent-Length: 80\r\n\r\n", ATLS_HTTP_HOST},
        {"two", "POST /tdx_quote HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 80\r\n\r\n",
         ATLS_HTTP_HOST},
        {"no length", "POST /tdx_quote HTTP/1.1\r\nHost: a\r\n\r\n", ATLS_HTTP_NO_LENGTH},
        {"chunked", "POST /tdx_quote HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
         ATLS_HTTP_CODING},
        {"a bad line", "POST /tdx_quote HTTP/1.1\r\nHost\r\nContent-Length: 80\r\n\r\n",
         ATLS_HTTP_FIELD},
    };
    atls_http_head head;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (atls_http_request_head(text(table[i].head), &head) != table[i].fault) {
            fail_msg("%s: not fault %d", table[i].what, (int)table[i].fault);
        }
    }
}

static void every_truncation(void **state)
{
    (void)state;
    const char *const heads[] = {answer, request};
    atls_http_head head;
    for (size_t k = 0; k < 2; k++) {
        for (size_t len = 0; len < strlen(heads[k]); len++) {
            uint8_t *exact =
                malloc(len > 0 ? len : 1); /* so that a sanitizer sees a byte too far */
            memcpy(exact, heads[k], len);
            const atls_buf cut = {exact, len};
            assert_int_equal(atls_http_head_end(cut, 0), 0);
            assert_int_not_equal(atls_http_response_head(cut, &head), ATLS_HTTP_FINE);
            assert_int_not_equal(atls_http_request_head(cut, &head), ATLS_HTTP_FINE);
            free(exact);
        }
    }
}

static void the_end_is_found_from_anywhere(void **state)
{
    (void)state;
    char more[256];
    const int n = snprintf(more, sizeof more, "%s%s", answer, "\r\n\r\nmore");
    const size_t len = strlen(answer);
    for (size_t from = 0; from <= len - 1; from++) {
        assert_int_equal(atls_http_head_end((atls_buf){(uint8_t *)more, (size_t)n}, from), len);
        assert_int_equal(atls_http_head_end((atls_buf){(uint8_t *)more, len}, from), len);
    }
    assert_int_equal(atls_http_head_end((atls_buf){NULL, 0}, 0), 0);
    assert_int_equal(atls_http_head_end((atls_buf){(const uint8_t *)answer, 10}, 10), 0);
}

static void too_many_lines(void **state)
{
    (void)state;
    char long_head[2048] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n";
    atls_http_head head;
    for (size_t i = 0; i < ATLS_HTTP_FIELDS_MAX - 2; i++) {
        strcat(long_head, "X: y\r\n");
    }
    char *end = long_head + strlen(long_head);
    strcpy(end, "\r\n");
    assert_int_equal(atls_http_response_head(text(long_head), &head), ATLS_HTTP_FINE);
    strcpy(end, "X: y\r\n\r\n");
    assert_int_equal(atls_http_response_head(text(long_head), &head), ATLS_HTTP_FIELD);
}

static void the_request_byte_for_byte(void **state)
{
    (void)state;
    uint8_t space[512];
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_http_put_request(&w, text("vllm.example.com"), text("{\"nonce_hex\":\"00\"}"));
    static const char wanted[] = "POST /tdx_quote HTTP/1.1\r\n"
                                 "Host: vllm.example.com\r\n"
                                 "Content-Type: application/json\r\n"
                                 "Content-Length: 18\r\n"
                                 "Connection: keep-alive\r\n"
                                 "\r\n"
                                 "{\"nonce_hex\":\"00\"}";
    assert_int_equal(w.len, strlen(wanted));
    assert_memory_equal(space, wanted, w.len);
}

static void heads_of_answers(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        size_t len;
        bool closing;
        const char *wanted;
    } table[] = {
        {200, 1048576, false,
         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n"
         "Connection: keep-alive\r\n\r\n"},
        {404, 0, true,
         "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 0\r\n"
         "Connection: close\r\n\r\n"},
        {405, 10, true,
         "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Type: application/json\r\n"
         "Content-Length: 10\r\nConnection: close\r\n\r\n"},
        {422, 9, true,
         "HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: application/json\r\n"
         "Content-Length: 9\r\nConnection: close\r\n\r\n"},
        {400, 102, true,
         "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 102\r\n"
         "Connection: close\r\n\r\n"},
    };
    uint8_t space[256];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        atls_writer w = atls_writer_of(space, sizeof space);
        atls_http_put_response_head(&w, table[i].status, table[i].len, table[i].closing);
        assert_int_equal(w.len, strlen(table[i].wanted));
        assert_memory_equal(space, table[i].wanted, w.len);
    }
}

static void names_for_host(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a.test", "A_b-1.example:8443", "[::1]:443"};
    static const char *const bad[] = {"", "a b", "a\r\nX: y", "a/b", "a@b", "\303\244"};
    char long_name[257];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(atls_http_host_fits(text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(atls_http_host_fits(text(bad[i])));
    }
    memset(long_name, 'a', 256);
    long_name[256] = '\0';
    assert_false(atls_http_host_fits(text(long_name)));
    assert_true(atls_http_host_fits(text(long_name + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right),
        cmocka_unit_test(answers_wrong_in_one_respect),
        cmocka_unit_test(requests_wrong_in_one_respect),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(the_end_is_found_from_anywhere),
        cmocka_unit_test(too_many_lines),
        cmocka_unit_test(the_request_byte_for_byte),
        cmocka_unit_test(heads_of_answers),
        cmocka_unit_test(names_for_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
