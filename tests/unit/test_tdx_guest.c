/* /dev/tdx_guest with Intel's quote service on a socket, and with the quote requests of vendors' kernels. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sys/socket.h>

#include "attest/os.h"
#include "attest/qgs.h"
#include "attest/qgs_message.h"
#include "attest/tdx_guest.h"
#include "unit/attest_rig.h"
#include "unit/fake_device.h"
#include "unit/unix_server.h"

#define DEVICE    "/fake/tdx_guest"
#define QUOTE_LEN 4900u

static const atls_attest_options options = {
    .source = "tdx-guest", .tdx_device = DEVICE, .tdx_conf = "/fake/conf"};

/* A quote (version 4) over the report data in a TD report, where 128 is its place. */
static void make_quote(const uint8_t *tdreport, uint8_t quote[QUOTE_LEN])
{
    memset(quote, 0xcc, QUOTE_LEN);
    quote[0] = 4;
    quote[1] = 0;
    memcpy(quote + 568, tdreport + 128, 64);
}

/* --- what the service says --- */

typedef struct service {
    const char *what; /* is wrong; NULL: nothing */
    unsigned asked;
} service;

static bool is_wrong(const service *s, const char *what)
{
    return s->what != NULL && strcmp(s->what, what) == 0;
}

/* A response without the size before it. */
static size_t response_of(const service *s, const uint8_t *request, uint8_t *out, size_t cap)
{
    uint8_t quote[QUOTE_LEN];
    uint32_t code = is_wrong(s, "code") ? 0x12008 : 0;
    uint32_t more = is_wrong(s, "size") ? 1 : 0;
    make_quote(request + 24, quote);
    atls_writer w = atls_writer_of(out, cap);
    atls_writer_u16le(&w, is_wrong(s, "major") ? 2 : 1);
    atls_writer_u16le(&w, 1);
    atls_writer_u32le(&w, is_wrong(s, "type") ? 0 : 1);
    atls_writer_u32le(&w, 16 + 8 + 4 + QUOTE_LEN + more);
    atls_writer_u32le(&w, code);
    atls_writer_u32le(&w, is_wrong(s, "id") ? 0xfffffff0u : 4);
    atls_writer_u32le(&w, is_wrong(s, "quote") ? QUOTE_LEN - 1 : QUOTE_LEN);
    atls_writer_text(&w, "ID.."); /* the attestation key chosen */
    atls_writer_bytes(&w, (atls_buf){quote, sizeof quote});
    return atls_writer_done(&w).len;
}

static void serve(void *ctx, int fd)
{
    service *s = ctx;
    uint8_t request[QGS_REQUEST_LEN];
    uint8_t size[QGS_SIZE_LEN];
    uint8_t response[8192];
    s->asked++;
    if (is_wrong(s, "silent")) {
        attest_os_libc.sleep_ms(NULL, 1000);
        return;
    }
    if (is_wrong(s, "deaf") || !server_read(fd, request, sizeof request)) {
        return;
    }
    size_t len = response_of(s, request + QGS_SIZE_LEN, response, sizeof response);
    atls_writer w = atls_writer_of(size, sizeof size);
    atls_writer_u32be(&w, is_wrong(s, "huge")    ? QGS_MESSAGE_MAX + 1
                          : is_wrong(s, "empty") ? 0
                                                 : (uint32_t)len);
    if (server_write(fd, size, sizeof size)) {
        for (size_t at = 0; at < len && !is_wrong(s, "huge"); at += 1000) { /* in pieces */
            size_t n = len - at < 1000 ? len - at : 1000;
            if (is_wrong(s, "cut") && at > 0) {
                return;
            }
            (void)server_write(fd, response + at, n);
        }
    }
}

/* --- the device --- */

typedef struct guest {
    unsigned long request; /* known of GET_QUOTE; 0: none */
    uint64_t status;
    unsigned in_flight; /* so many times first */
    int number;
    bool bad_report, short_quote;
} guest;

static void put_quote(const guest *g, uint8_t *buffer)
{
    uint8_t quote[QUOTE_LEN];
    uint8_t response[8192];
    bool raw = g->request == TDX_GET_QUOTE_RAW;
    atls_buf data = {quote, sizeof quote};
    if (raw) {
        make_quote(buffer + TDX_QUOTE_DATA_AT, quote);
    } else {
        data.ptr = response;
        data.len = response_of(&(service){0}, buffer + TDX_QUOTE_DATA_AT + QGS_SIZE_LEN, response,
                               sizeof response);
    }
    atls_writer w = atls_writer_of(buffer, TDX_QUOTE_BUFFER_LEN);
    atls_writer_u64le(&w, 1);
    atls_writer_u64le(&w, g->status);
    atls_writer_u32le(&w, 0);
    atls_writer_u32le(&w, g->short_quote ? 0 : (uint32_t)data.len + (raw ? 0 : QGS_SIZE_LEN));
    if (!raw) {
        atls_writer_u32be(&w, (uint32_t)data.len);
    }
    atls_writer_bytes(&w, data);
}

static int tdx_ioctl(fake_device *d, unsigned long request, void *arg)
{
    guest *g = d->ctx;
    if (request == TDX_GET_REPORT0) {
        tdx_report0 *r = arg;
        memset(r->tdreport, 0x81, sizeof r->tdreport);
        memcpy(r->tdreport + 128, r->report_data, 64);
        return g->bad_report ? fake_errno(EIO) : 0;
    }
    if (request != g->request || g->request == 0) {
        return fake_errno(ENOTTY);
    }
    if (arg == NULL) {
        return fake_errno(EFAULT);
    }
    if (g->number != 0) {
        return fake_errno(g->number);
    }
    tdx_quote_call *call = arg;
    uint8_t *buffer = (uint8_t *)(uintptr_t)call->buffer;
    uint64_t status = g->status;
    if (g->in_flight > 0) {
        g->in_flight -= g->in_flight != UINT32_MAX;
        g->status = TDX_QUOTE_IN_FLIGHT;
    }
    put_quote(g, buffer);
    g->status = status;
    return 0;
}

static fake_device device_of(guest *g)
{
    return (fake_device){.path = DEVICE, .ioctl = tdx_ioctl, .ctx = g, .real_clock = true};
}

static void assert_quote(const atls_attester *a)
{
    assert_string_equal(a->name, "tdx");
    atls_evidence_blob blob = good(a, 0x77);
    assert_string_equal(blob.type, "tdx");
    assert_int_equal(blob.parts_n, 1);
    assert_string_equal(blob.parts[0].name, "quote");
    assert_int_equal(blob.parts[0].len, QUOTE_LEN);
    assert_memory_equal(blob.parts[0].bytes + 568, data_of(0x77).wide, 64);
    atls_evidence_blob_clear(&blob);
}

static void by_service(void **state)
{
    (void)state;
    static const struct {
        const char *what, *check, *word;
    } rows[] = {
        {NULL, NULL, NULL},
        {"code", "attest.qgs.error", "0x12008"},
        {"major", "attest.qgs.response", "version 1"},
        {"type", "attest.qgs.response", "no quote response"},
        {"size", "attest.qgs.response", "no quote response"},
        {"id", "attest.qgs.response", "add up"},
        {"quote", "attest.qgs.response", "add up"},
        {"huge", "attest.qgs.response", "announces"},
        {"empty", "attest.qgs.response", "announces"},
        {"cut", "attest.qgs.receive", "qgsd"},
        {"silent", "attest.qgs.receive", "timed out"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        guest g = {0};
        fake_device d = device_of(&g);
        attest_os os = fake_device_os(&d);
        service s = {.what = rows[i].what};
        unix_server server;
        char address[96];
        unix_server_start(&server, serve, &s);
        (void)snprintf(address, sizeof address, "unix:%s", server.path);
        atls_attest_options o = options;
        o.tdx_qgs = address;
        o.timeout_ms = rows[i].what != NULL && strcmp(rows[i].what, "silent") == 0 ? 100 : 5000;
        atls_attester *a = open_over(&os, &o);
        if (rows[i].what == NULL) {
            assert_quote(a);
            assert_quote(a);
            assert_int_equal(s.asked, 2);
        } else {
            assert_attest_fails(a, rows[i].check, rows[i].word);
        }
        atls_attester_free(a);
        unix_server_stop(&server);
        assert_int_equal(d.living, 0);
    }
}

/* It hangs up before or while we write. */
static void service_is_deaf(void **state)
{
    (void)state;
    service s = {.what = "deaf"};
    unix_server server;
    qgs_address to;
    char address[96];
    uint8_t *response = NULL;
    size_t len = 0;
    atls_err err = {0};
    unix_server_start(&server, serve, &s);
    (void)snprintf(address, sizeof address, "unix:%s", server.path);
    assert_int_equal(qgs_parse_address(address, &to, NULL), ATLS_OK);
    size_t much = (size_t)4 * 1024 * 1024; /* more than a socket holds */
    uint8_t *request = calloc(1, much);
    assert_non_null(request);
    int64_t deadline = attest_os_libc.now_ms(NULL) + 5000;
    assert_int_equal(
        qgs_ask(&attest_os_libc, &to, (atls_buf){request, much}, deadline, &response, &len, &err),
        ATLS_E_SYSTEM);
    assert_told(&err, "attest.qgs.send", "qgsd");
    assert_null(response);
    free(request);
    unix_server_stop(&server);
}

static void by_kernel(void **state)
{
    (void)state;
    static const unsigned long known[] = {TDX_GET_QUOTE_INTEL, TDX_GET_QUOTE_INTEL_W,
                                          TDX_GET_QUOTE_RAW};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        guest g = {.request = known[i], .in_flight = 2};
        fake_device d = device_of(&g);
        attest_os os = fake_device_os(&d);
        d.real_clock = false;
        atls_attester *a = open_over(&os, &options);
        assert_quote(a);
        g.in_flight = UINT32_MAX;
        assert_attest_fails(a, "attest.tdx_guest.quote", "still making");
        g.in_flight = 0;
        g.status = TDX_QUOTE_NO_SERVICE;
        assert_attest_fails(a, "attest.tdx_guest.quote", "no quote service");
        g.status = 0x8000000000000000u;
        assert_attest_fails(a, "attest.tdx_guest.quote", "failed to make");
        g.status = 0;
        g.short_quote = true;
        assert_attest_fails(a, "attest.tdx_guest.quote", "no quote");
        g.short_quote = false;
        g.number = EBUSY;
        assert_attest_fails(a, "attest.tdx_guest.quote", "busy");
        g.number = 0;
        g.bad_report = true;
        assert_attest_fails(a, "attest.tdx_guest.report", "no TD report");
        d.open_errno = EACCES;
        assert_attest_fails(a, "attest.tdx_guest.device", "root");
        atls_attester_free(a);
        assert_int_equal(d.living, 0);
    }
}

/* Nobody at the address: the kernel's way if it has one. */
static void service_is_down(void **state)
{
    (void)state;
    guest g = {.request = TDX_GET_QUOTE_RAW};
    fake_device d = device_of(&g);
    attest_os os = fake_device_os(&d);
    atls_attest_options o = options;
    o.tdx_qgs = "unix:/nonexistent/atls";
    atls_attester *a = open_over(&os, &o);
    assert_quote(a);
    atls_attester_free(a);
    g.request = 0;
    a = open_over(&os, &o);
    assert_attest_fails(a, "attest.qgs.connect", "No such file");
    atls_attester_free(a);
}

static void configuration(void **state)
{
    (void)state;
    guest g = {0};
    fake_device d = device_of(&g);
    attest_os os = fake_device_os(&d);
    assert_not_there(&os, &options, "attest.tdx_guest.service", "names no port", false);
    d.text_path = "/fake/conf";
    d.text = "# port=1\nuse_tdvmcall = 1\n";
    assert_not_there(&os, &options, "attest.tdx_guest.service", "names no port", false);
    d.text = "# comment\n\tport = 4050 \n";
    atls_attester_free(open_over(&os, &options));
    d.path = "/elsewhere";
    assert_not_there(&os, &options, "attest.tdx_guest.device", "no TDX guest", true);
    assert_int_equal(d.living, 0);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "4050",
                                      "vsock:2",    "vsock:2:",
                                      "vsock::1",   "vsock:2:x",
                                      "unix:",      "vsock:2:4294967296",
                                      "vsock:2:1 ", "vsock:12345678901:1"};
    qgs_address a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_err err = {0};
        assert_int_equal(qgs_parse_address(bad[i], &a, &err), ATLS_E_USAGE);
        assert_told(&err, "attest.option", "vsock:CID:PORT");
    }
    assert_int_equal(qgs_parse_address("vsock:2:4294967295", &a, NULL), ATLS_OK);
    assert_int_equal(a.family, AF_VSOCK);
    assert_int_equal(a.vm.svm_cid, 2);
    assert_int_equal(a.vm.svm_port, 4294967295u);
    assert_int_equal(qgs_host_address(4050).vm.svm_cid, VMADDR_CID_HOST);
    static const struct {
        const char *text;
        uint32_t port;
    } confs[] = {{"port=4050", 4050},       {"port=1\nport=2\n", 1},      {"", 0},
                 {"PORT=5\n", 0},           {"port=5x\nport=6", 6},       {" port\t=\t7 \r\n", 7},
                 {"port=99999999999\n", 0}, {"export=3\n#port=4\n\n", 0}, {"port=\n", 0}};
    for (size_t i = 0; i < sizeof confs / sizeof confs[0]; i++) {
        atls_buf text = {(const uint8_t *)confs[i].text, strlen(confs[i].text)};
        assert_int_equal(qgs_conf_port(text), confs[i].port);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    uint8_t request[QGS_TDREPORT_LEN + 24] = {0};
    uint8_t whole[8192];
    size_t len = response_of(&(service){0}, request, whole, sizeof whole);
    atls_buf quote = {0};
    for (size_t n = 0; n <= len + 1; n++) {
        uint8_t *exact = malloc(n > 0 ? n : 1);
        assert_non_null(exact);
        memcpy(exact, whole, n);
        atls_err err = {0};
        atls_code rc = qgs_read_response((atls_buf){exact, n}, &quote, &err);
        assert_int_equal(rc, n == len ? ATLS_OK : ATLS_E_SYSTEM);
        assert_true(rc == ATLS_OK || strcmp(err.check, "attest.qgs.response") == 0);
        assert_true(rc != ATLS_OK || (quote.len == QUOTE_LEN && quote.ptr == exact + 28));
        /* The same with the size in the header that fits. */
        if (n >= 16 && n < len) {
            atls_writer w = atls_writer_of(exact + 8, 4);
            atls_writer_u32le(&w, (uint32_t)n);
            assert_int_equal(qgs_read_response((atls_buf){exact, n}, &quote, &err), ATLS_E_SYSTEM);
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_service),       cmocka_unit_test(service_is_deaf),
        cmocka_unit_test(by_kernel),        cmocka_unit_test(service_is_down),
        cmocka_unit_test(configuration),    cmocka_unit_test(addresses),
        cmocka_unit_test(every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
