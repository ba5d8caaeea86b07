/* Atlas's exchange with a link made by hand: post-handshake.md 1.2 to 1.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/atlas_http.h"
#include "binding/atlas_json.h"
#include "binding/binding.h"

static const char certificate[] = "example certificate DER";

/* ekm = 20 .. 3f, nonce = 00 .. 1f: the worked example of 1.5. */
static const char worked_report_data[] =
    "ee4320ebaf3fdb4f2c832b137200c08e235e0fa7bbd0eb1740c7063ba8a0d151"
    "da77e003398e1714a955d475b05e3e950b639503b452ec185de4229bc4873949";
static const char worked_nonce[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char worked_hash[] =
    "9a2664f509c91cbde8035505ef382b9b5587064378c151f07ba10b3339060210";

static bool derive(void *self, const char *label, atls_buf context, uint8_t *out, size_t len)
{
    if (self != NULL || strcmp(label, "EXPORTER-Channel-Binding") != 0 || context.len != 0 ||
        len != 32) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(0x20 + i);
    }
    return true;
}

static bool derive_nothing(void *self, const char *label, atls_buf context, uint8_t *out,
                           size_t len)
{
    (void)self, (void)label, (void)context, (void)out, (void)len;
    return false;
}

static int count_up(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)i;
    }
    return 1;
}

static int no_random(uint8_t *out, size_t len)
{
    (void)out, (void)len;
    return 0;
}

typedef struct peer {
    atls_link link;
    atls_step next;
    atls_code rc;
    atls_err err;
} peer;

static const atls_binding_option with_host[] = {{"host", "a.test"}};

static void start(peer *p, atls_role role)
{
    memset(p, 0, sizeof *p);
    p->link = (atls_link){.binding = &atls_binding_atlas,
                          .role = role,
                          .state = calloc(1, atls_binding_atlas.state_size),
                          .when_s = 1763764119,
                          .asks = role == ATLS_CLIENT,
                          .shows = role == ATLS_SERVER,
                          .options = with_host,
                          .options_n = 1,
                          .fill = count_up,
                          .exporter = {derive, NULL, ATLS_SHA256},
                          .peer_der = {(const uint8_t *)certificate, strlen(certificate)}};
    assert_non_null(p->link.state);
}

static void end(peer *p)
{
    atls_carried_clear(&p->link.carried);
    atls_link_drop_evidence(&p->link);
    free(p->link.state);
    free(p->link.in);
    free(p->link.out);
}

static atls_code step(peer *p)
{
    memset(&p->err, 0, sizeof p->err);
    p->next = ATLS_STEP_DONE;
    p->rc = p->link.binding->exchange(&p->link, &p->next, &p->err);
    return p->rc;
}

static void give(peer *p, const char *bytes, size_t len)
{
    p->link.in = realloc(p->link.in, p->link.in_len + len + 1);
    assert_non_null(p->link.in);
    memcpy(p->link.in + p->link.in_len, bytes, len);
    p->link.in_len += len;
}

static void assert_failed(const peer *p, atls_code code, const char *check)
{
    assert_int_equal(p->rc, code);
    assert_string_equal(p->err.check, check);
    assert_true(p->err.msg[0] != '\0');
}

/* --- client --- */

static void asked(peer *p)
{
    start(p, ATLS_CLIENT);
    assert_int_equal(p->link.binding->begin(&p->link, &p->err), ATLS_OK);
    assert_int_equal(step(p), ATLS_OK);
    assert_int_equal(p->next, ATLS_STEP_READ);
}

static void the_request(void **state)
{
    (void)state;
    peer p;
    char wanted[512];
    asked(&p);
    const int n =
        snprintf(wanted, sizeof wanted,
                 "POST /tdx_quote HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n"
                 "Content-Length: 80\r\nConnection: keep-alive\r\n\r\n{\"nonce_hex\":\"%s\"}",
                 worked_nonce);
    assert_int_equal(p.link.out_len, n);
    assert_memory_equal(p.link.out, wanted, (size_t)n);
    end(&p);
}

static size_t answer_of(const char *body, char *out, size_t cap)
{
    const int n =
        snprintf(out, cap, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    assert_true(n > 0 && (size_t)n < cap);
    return (size_t)n;
}

static const char good_body[] =
    "{\"success\":true,\"quote\":{\"quote\":\"04000aFf\",\"event_log\":\"[]\",\"report_data\":\"00\"},"
    "\"tcb_info\":{\"mrtd\":\"00\",\"event_log\":[{\"imr\":0}]},\"timestamp\":\"1763764119\","
    "\"quote_type\":\"tdx\",\"error\":null}";

static void assert_carried(const peer *p)
{
    static const uint8_t quote[] = {0x04, 0x00, 0x0a, 0xff};
    char hex[129];
    const atls_carried *c = &p->link.carried;
    assert_int_equal(p->next, ATLS_STEP_JUDGE);
    assert_string_equal(c->evidence.type, "tdx");
    assert_int_equal(c->evidence.parts_n, 2);
    assert_string_equal(c->evidence.parts[0].name, "quote");
    assert_int_equal(c->evidence.parts[0].bytes.len, sizeof quote);
    assert_memory_equal(c->evidence.parts[0].bytes.ptr, quote, sizeof quote);
    assert_string_equal(c->evidence.parts[1].name, "event_log");
    assert_memory_equal(c->evidence.parts[1].bytes.ptr, "[]", 2);
    assert_true(c->expected.has_report_data);
    atls_hex_encode((atls_buf){c->expected.report_data, 64}, hex);
    assert_string_equal(hex, worked_report_data);
    assert_string_equal(c->expected.event, "New TLS Certificate");
    assert_int_equal(c->expected.event_data.len, 64);
    assert_memory_equal(c->expected.event_data.ptr, worked_hash, 64);
}

static void an_answer_whole(void **state)
{
    (void)state;
    peer p;
    char bytes[1024];
    const size_t n = answer_of(good_body, bytes, sizeof bytes);
    asked(&p);
    give(&p, bytes, n);
    assert_int_equal(step(&p), ATLS_OK);
    assert_carried(&p);
    assert_int_equal(p.link.in_len, 0);
    assert_int_equal(step(&p), ATLS_OK); /* accepted */
    assert_int_equal(p.next, ATLS_STEP_DONE);
    end(&p);
}

/* Slow, and so at each truncation: nothing but more bytes is wanted before the last one. */
static void an_answer_byte_by_byte(void **state)
{
    (void)state;
    peer p;
    char bytes[1024];
    const size_t n = answer_of(good_body, bytes, sizeof bytes);
    asked(&p);
    for (size_t i = 0; i < n; i++) {
        give(&p, bytes + i, 1);
        assert_int_equal(step(&p), ATLS_OK);
        assert_int_equal(p.next, i + 1 < n ? ATLS_STEP_READ : ATLS_STEP_JUDGE);
    }
    assert_carried(&p);
    end(&p);
}

static void answers_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bytes;
        atls_code code;
        const char *check;
    } table[] = {
        {"another server", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ATLS_E_POLICY,
         "session.no_evidence"},
        {"an error with a good body", "HTTP/1.1 500 Error\r\nContent-Length: 2\r\n\r\n{}",
         ATLS_E_POLICY, "session.no_evidence"},
        {"no HTTP", "hello\r\n\r\n", ATLS_E_INVALID, "atlas.http"},
        {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ATLS_E_INVALID,
         "atlas.http"},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
         ATLS_E_INVALID, "atlas.http"},
        {"1 MiB and a byte", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", ATLS_E_INVALID,
         "atlas.size"},
        {"bytes behind it", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}H", ATLS_E_INVALID,
         "atlas.more"},
        {"no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ATLS_E_INVALID, "atlas.json"},
        {"cut by its own length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", ATLS_E_INVALID,
         "atlas.json"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        peer p;
        asked(&p);
        give(&p, table[i].bytes, strlen(table[i].bytes));
        (void)step(&p);
        print_message("%s\n", table[i].what);
        assert_failed(&p, table[i].code, table[i].check);
        assert_int_equal(p.link.carried.evidence.parts_n, 0);
        end(&p);
    }
}

static void a_head_without_end(void **state)
{
    (void)state;
    peer p;
    asked(&p);
    for (size_t i = 0; i < ATLS_HTTP_HEAD_MAX; i++) {
        give(&p, "a", 1);
        if (i + 1 < ATLS_HTTP_HEAD_MAX && i % 1000 == 0) {
            assert_int_equal(step(&p), ATLS_OK);
        }
    }
    (void)step(&p);
    assert_failed(&p, ATLS_E_INVALID, "atlas.size");
    end(&p);
}

static void bytes_before_and_after_the_answer(void **state)
{
    (void)state;
    peer p;
    char bytes[1024];
    start(&p, ATLS_CLIENT);
    give(&p, "H", 1);
    (void)step(&p);
    assert_failed(&p, ATLS_E_INVALID, "atlas.more"); /* sent before it was asked */
    end(&p);
    asked(&p);
    give(&p, bytes, answer_of(good_body, bytes, sizeof bytes));
    assert_int_equal(step(&p), ATLS_OK);
    give(&p, "H", 1); /* while it was judged */
    (void)step(&p);
    assert_failed(&p, ATLS_E_INVALID, "atlas.more");
    end(&p);
}

static void documents_wrong_in_one_respect(void **state)
{
    (void)state;
    static const struct {
        const char *body, *check;
    } table[] = {
        {"[]", "atlas.json"},
        {"{\"quote\":{\"quote\":\"00\",\"event_log\":\"[]\"}", "atlas.json"},
        {"{\"quote\":{\"quote\":\"00\",\"event_log\":\"[]\"}}x", "atlas.json"},
        {"{}", "atlas.json"},
        {"{\"quote\":\"00\"}", "atlas.json"},
        {"{\"quote\":{\"event_log\":\"[]\"}}", "atlas.json"},
        {"{\"quote\":{\"quote\":7,\"event_log\":\"[]\"}}", "atlas.json"},
        {"{\"quote\":{\"quote\":null,\"event_log\":\"[]\"}}", "atlas.json"},
        {"{\"quote\":{\"quote\":\"00\"}}", "atlas.json"},
        {"{\"quote\":{\"quote\":\"00\",\"event_log\":[]}}", "atlas.json"},
        {"{\"quote\":{\"quote\":\"00\",\"event_log\":null}}", "atlas.json"},
        {"{\"quote\":{\"quote\":\"00\",\"event_log\":\"[]\",\"quote\":\"11\"}}", "atlas.json"},
        {"{\"Quote\":{\"quote\":\"00\",\"event_log\":\"[]\"}}", "atlas.json"},
        {"{\"quote\":{\"quote\":\"\",\"event_log\":\"[]\"}}", "atlas.quote"},
        {"{\"quote\":{\"quote\":\"0\",\"event_log\":\"[]\"}}", "atlas.quote"},
        {"{\"quote\":{\"quote\":\"000\",\"event_log\":\"[]\"}}", "atlas.quote"},
        {"{\"quote\":{\"quote\":\"0x00\",\"event_log\":\"[]\"}}", "atlas.quote"},
        {"{\"quote\":{\"quote\":\"0g\",\"event_log\":\"[]\"}}", "atlas.quote"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        atls_carried c = {0};
        atls_err err = {0};
        const atls_buf body = {(const uint8_t *)table[i].body, strlen(table[i].body)};
        print_message("%s\n", table[i].body);
        assert_int_equal(atls_atlas_read_answer(body, &c, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, table[i].check);
        assert_int_equal(c.owned_n, 0);
    }
}

static void what_a_client_cannot_do(void **state)
{
    (void)state;
    peer p;
    char bytes[1024];
    start(&p, ATLS_CLIENT);
    p.link.fill = no_random;
    (void)step(&p);
    assert_failed(&p, ATLS_E_SYSTEM, "system.random");
    end(&p);
    static const atls_binding_option bad_host[] = {{"host", "a\r\nX: y"}};
    start(&p, ATLS_CLIENT);
    p.link.options = bad_host;
    p.rc = p.link.binding->begin(&p.link, &p.err);
    assert_failed(&p, ATLS_E_USAGE, "atlas.host");
    end(&p);
    asked(&p);
    p.link.peer_der = (atls_buf){NULL, 0};
    give(&p, bytes, answer_of(good_body, bytes, sizeof bytes));
    (void)step(&p);
    assert_failed(&p, ATLS_E_BINDING, "atlas.certificate");
    end(&p);
    asked(&p);
    p.link.exporter.derive = derive_nothing;
    give(&p, bytes, answer_of(good_body, bytes, sizeof bytes));
    (void)step(&p);
    assert_failed(&p, ATLS_E_SYSTEM, "atlas.exporter");
    end(&p);
}

/* --- server --- */

static size_t request_of(const char *nonce, char *out, size_t cap)
{
    char body[256];
    const int len = snprintf(body, sizeof body, "{\"nonce_hex\":\"%s\"}", nonce);
    const int n = snprintf(
        out, cap, "POST /tdx_quote HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len, body);
    assert_true(n > 0 && (size_t)n < cap);
    return (size_t)n;
}

static void put_part(peer *p, const char *name, const char *bytes)
{
    atls_evidence_blob *b = &p->link.evidence;
    strcpy(b->parts[b->parts_n].name, name);
    b->parts[b->parts_n].bytes = (uint8_t *)strdup(bytes);
    assert_non_null(b->parts[b->parts_n].bytes);
    b->parts[b->parts_n].len = strlen(bytes);
    b->parts_n++;
}

/* Runtime events without digests, as newer releases tell them; a digest of V1 from 2.4 and the one of 1.6. */
static const char stripped_log[] =
    "[ {\"imr\":0,\"event_type\":4,\"digest\":\"\",\"event\":\"\",\"event_payload\":\"\"},"
    "{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"system-preparing\","
    "\"event_payload\":\"\"},"
    "{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"New TLS Certificate\","
    "\"event_payload\":\"3961323636346635303963393163626465383033353530356566333832623962"
    "35353837303634333738633135316630376261313062333333393036303231"
    "30\"}]";

static void a_request_byte_by_byte(void **state)
{
    (void)state;
    peer p;
    char hex[129];
    char bytes[512];
    const size_t n = request_of(worked_nonce, bytes, sizeof bytes);
    start(&p, ATLS_SERVER);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(step(&p), ATLS_OK);
        assert_int_equal(p.next, ATLS_STEP_READ);
        give(&p, bytes + i, 1);
    }
    give(&p, "GET / HTTP/1.1", 14); /* the application's */
    assert_int_equal(step(&p), ATLS_OK);
    assert_int_equal(p.next, ATLS_STEP_EVIDENCE);
    atls_hex_encode((atls_buf){p.link.wanted.wide, 64}, hex);
    assert_string_equal(hex, worked_report_data);
    strcpy(p.link.evidence.type, "tdx");
    put_part(&p, "quote", "\x04Q");
    put_part(&p, "event_log", stripped_log);
    p.link.has_evidence = true;
    assert_int_equal(step(&p), ATLS_OK);
    assert_int_equal(p.next, ATLS_STEP_DONE);
    assert_int_equal(p.link.in_len, 14);
    static const char wanted[] =
        "{\"success\":true,\"quote\":{\"quote\":\"0451\",\"event_log\":\"[ "
        "{\\\"imr\\\":0,\\\"event_type\\\":4,\\\"digest\\\":\\\"\\\",\\\"event\\\":\\\"\\\","
        "\\\"event_payload\\\":\\\"\\\"},"
        "{\\\"imr\\\":3,\\\"event_type\\\":134217729,\\\"digest\\\":\\\""
        "f9974020ef507068183313d0ca808e0d1ca9b2d1ad0c61f5784e7157c362c06536f5ddacdad4451693f48fcc72"
        "fff624\\\",\\\"event\\\":\\\"system-preparing\\\",\\\"event_payload\\\":\\\"\\\"},"
        "{\\\"imr\\\":3,\\\"event_type\\\":134217729,\\\"digest\\\":\\\""
        "65bcb486d0060172b49c9b01a6814f0deb1996c18ec131744f4a5a019fcaf783ae07505058772dee4759c3c1b4"
        "a6a4b9\\\",\\\"event\\\":\\\"New TLS Certificate\\\",\\\"event_payload\\\":\\\"";
    const char *body = strstr((char *)p.link.out, "\r\n\r\n") + 4;
    assert_memory_equal(body, wanted, strlen(wanted));
    static const char tail[] = "\"vm_config\":\"\"},\"tcb_info\":{},\"timestamp\":\"1763764119\","
                               "\"quote_type\":\"tdx\",\"error\":null}";
    assert_memory_equal(p.link.out + p.link.out_len - strlen(tail), tail, strlen(tail));
    end(&p);
}

/* What the server writes, the client reads: the same quote and log. */
static void answers_are_read_again(void **state)
{
    (void)state;
    atls_err err = {0};
    char *text = NULL;
    const uint8_t quote[] = {1, 2, 3};
    const atls_atlas_answer a = {
        {quote, sizeof quote}, {(const uint8_t *)"[]", 2}, {quote, sizeof quote}, 7};
    atls_carried c = {0};
    assert_int_equal(atls_atlas_write_answer(&a, &text, &err), ATLS_OK);
    assert_int_equal(atls_atlas_read_answer((atls_buf){(uint8_t *)text, strlen(text)}, &c, &err),
                     ATLS_OK);
    assert_int_equal(c.evidence.parts[0].bytes.len, sizeof quote);
    assert_memory_equal(c.evidence.parts[0].bytes.ptr, quote, sizeof quote);
    assert_int_equal(c.evidence.parts[1].bytes.len, 2);
    atls_carried_clear(&c);
    free(text);
}

/* The log of an answer is its own text, with digests where they were left out. */
static void the_log_stays_as_it_is(void **state)
{
    (void)state;
#define RUN  "\"imr\":3,\"event_type\":134217729,"
#define NAME "\"event\":\"system-preparing\",\"event_payload\":\"\""
#define MADE                                                                                       \
    "\"digest\":\"f9974020ef507068183313d0ca808e0d1ca9b2d1ad0c61f5784e7157c362c06536f5ddacdad4451" \
    "693f48fcc72fff624\""
    static const struct {
        const char *log, *wanted;
    } table[] = {
        {"[]", "[]"},
        {"[\n\t{ }\r\n]", "[\n\t{ }\r\n]"},
        {"[{\"event\":\"\\u0041\\n\\\"\xc3\xa4\",\"more\":[{\"digest\":1}]}]",
         "[{\"event\":\"\\u0041\\n\\\"\xc3\xa4\",\"more\":[{\"digest\":1}]}]"},
        {"[{" RUN "\"digest\":\"\"," NAME "}]", "[{" RUN MADE "," NAME "}]"},
        {"[ { " RUN NAME "}, {}]", "[ {" MADE ", " RUN NAME "}, {}]"},
        {"[{" NAME ",\"version\":1," RUN "\"digest\" : \"\"}]",
         "[{" NAME ",\"version\":1," RUN "\"digest\" : "
         "\"f9974020ef507068183313d0ca808e0d1ca9b2d1ad0c61f5784e7157c362c06536f5ddacdad4451"
         "693f48fcc72fff624\"}]"},
        {"[{" RUN "\"event\":\"s\\u0079stem\\u002dpreparing\",\"event_payload\":\"\"}]",
         "[{" MADE "," RUN "\"event\":\"s\\u0079stem\\u002dpreparing\",\"event_payload\":\"\"}]"},
        {"[{" RUN NAME ",\"version\":2}]", "[{" RUN NAME ",\"version\":2}]"},
        {"[{" RUN "\"digest\":\"00\"," NAME "}]", "[{" RUN "\"digest\":\"00\"," NAME "}]"},
        {"[{\"imr\":2,\"event_type\":134217729," NAME "}]",
         "[{\"imr\":2,\"event_type\":134217729," NAME "}]"},
        {"[{\"imr\":3,\"event_type\":134217728," NAME "}]",
         "[{\"imr\":3,\"event_type\":134217728," NAME "}]"},
        {"{}", NULL},
        {"[1]", NULL},
        {"[[]]", NULL},
        {"[{}]x", NULL},
        {"[{}", NULL},
        {"[{\"a\":}]", NULL},
        {"[{" RUN NAME "," NAME "}]", NULL},
        {"[{" RUN "\"event\":\"a\"}]", NULL},
        {"[{" RUN "\"event\":1,\"event_payload\":\"\"}]", NULL},
        {"[{" RUN "\"event\":\"a\",\"event_payload\":\"0g\"}]", NULL},
    };
    const uint8_t quote[] = {1, 2, 3};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        atls_err err = {0};
        char *text = NULL;
        atls_carried c = {0};
        const atls_atlas_answer a = {{quote, sizeof quote},
                                     {(const uint8_t *)table[i].log, strlen(table[i].log)},
                                     {quote, sizeof quote},
                                     7};
        print_message("%s\n", table[i].log);
        const atls_code rc = atls_atlas_write_answer(&a, &text, &err);
        assert_int_equal(rc, table[i].wanted != NULL ? ATLS_OK : ATLS_E_SYSTEM);
        if (rc != ATLS_OK) {
            assert_string_equal(err.check, "atlas.evidence");
            continue;
        }
        assert_int_equal(
            atls_atlas_read_answer((atls_buf){(uint8_t *)text, strlen(text)}, &c, &err), ATLS_OK);
        assert_int_equal(c.evidence.parts[1].bytes.len, strlen(table[i].wanted));
        assert_memory_equal(c.evidence.parts[1].bytes.ptr, table[i].wanted,
                            strlen(table[i].wanted));
        atls_carried_clear(&c);
        free(text);
    }
}

static void requests_that_are_refused(void **state)
{
    (void)state;
    char short_nonce[512];
    (void)request_of("00", short_nonce, sizeof short_nonce);
    const struct {
        const char *bytes, *answer;
    } table[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 "},
        {"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 "},
        {"GET /tdx_quote HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 "},
        {"POST /tdx_quote HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "},
        {"POST /tdx_quote HTTP/1.1\r\nContent-Length: 80\r\n\r\n", "HTTP/1.1 400 "},
        {"POST /tdx_quote HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n", "HTTP/1.1 400 "},
        {"POST /tdx_quote HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 422 "},
        {"POST /tdx_quote HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 422 "},
        {short_nonce, "HTTP/1.1 422 "},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        peer p;
        start(&p, ATLS_SERVER);
        give(&p, table[i].bytes, strlen(table[i].bytes));
        (void)step(&p);
        print_message("%s\n", table[i].bytes);
        assert_failed(&p, ATLS_E_INVALID, "atlas.request");
        assert_memory_equal(p.link.out, table[i].answer, strlen(table[i].answer));
        end(&p);
    }
}

static void evidence_that_atlas_cannot_carry(void **state)
{
    (void)state;
    static const struct {
        const char *type, *quote, *log;
    } table[] = {
        {"snp", "Q", "[]"},
        {"tdx", NULL, "[]"},
        {"tdx", "Q", NULL},
        {"tdx", "Q", "{}"},
        {"tdx", "Q", "no JSON"},
        {"tdx", "Q", "[1]"},
        {"tdx", "Q",
         "[{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"a\","
         "\"event_payload\":\"0\"}]"},
        {"tdx", "Q", "[{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"a\"}]"},
    };
    char bytes[512];
    const size_t n = request_of(worked_nonce, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        peer p;
        start(&p, ATLS_SERVER);
        give(&p, bytes, n);
        assert_int_equal(step(&p), ATLS_OK);
        strcpy(p.link.evidence.type, table[i].type);
        if (table[i].quote != NULL) {
            put_part(&p, "quote", table[i].quote);
        }
        if (table[i].log != NULL) {
            put_part(&p, "event_log", table[i].log);
        }
        (void)step(&p);
        assert_failed(&p, ATLS_E_SYSTEM, "atlas.evidence");
        end(&p);
    }
}

static void sides_that_have_nothing_to_do(void **state)
{
    (void)state;
    peer p;
    start(&p, ATLS_CLIENT);
    p.link.asks = false;
    assert_int_equal(step(&p), ATLS_OK);
    assert_int_equal(p.next, ATLS_STEP_DONE);
    end(&p);
    start(&p, ATLS_SERVER);
    p.link.asks = true;
    (void)step(&p);
    assert_failed(&p, ATLS_E_POLICY, "session.no_evidence");
    end(&p);
    start(&p, ATLS_SERVER);
    p.link.shows = false;
    (void)step(&p);
    assert_failed(&p, ATLS_E_INVALID, "atlas.request");
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request),
        cmocka_unit_test(an_answer_whole),
        cmocka_unit_test(an_answer_byte_by_byte),
        cmocka_unit_test(answers_that_are_refused),
        cmocka_unit_test(a_head_without_end),
        cmocka_unit_test(bytes_before_and_after_the_answer),
        cmocka_unit_test(documents_wrong_in_one_respect),
        cmocka_unit_test(what_a_client_cannot_do),
        cmocka_unit_test(a_request_byte_by_byte),
        cmocka_unit_test(answers_are_read_again),
        cmocka_unit_test(the_log_stays_as_it_is),
        cmocka_unit_test(requests_that_are_refused),
        cmocka_unit_test(evidence_that_atlas_cannot_carry),
        cmocka_unit_test(sides_that_have_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
