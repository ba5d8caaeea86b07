/* dstack.c: the agent of a dstack guest (TDX), on a unix socket: a quote, and the event log that goes with it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <curl/curl.h>

#include "attest/attester.h"
#include "attest/dstack_reply.h"
#include "base/err.h"
#include "base/hex.h"

#define SOCKET_MAX (sizeof((struct sockaddr_un *)0)->sun_path)
#define NOT_FOUND  404
#define NO_METHOD  405

static const char *const usual_sockets[] = {"/var/run/dstack.sock", "/var/run/dstack/dstack.sock",
                                            "/var/run/tappd.sock"};

/* The present API, and that of dstack before 0.4. RawQuote takes the report data as it is. */
static const char *const urls[] = {"http://dstack/GetQuote", "http://dstack/prpc/Tappd.RawQuote"};

typedef struct dstack {
    const attest_os *os;
    char socket[SOCKET_MAX];
    uint32_t timeout_ms;
} dstack;

typedef struct reply {
    uint8_t *bytes;
    size_t len;
    bool no_memory, too_long;
    long status;
} reply;

static size_t take_piece(char *piece, size_t one, size_t n, void *arg)
{
    reply *r = arg;
    size_t len = one * n;
    if (len > DSTACK_REPLY_MAX - r->len) {
        r->too_long = true;
        return 0;
    }
    uint8_t *more = realloc(r->bytes, r->len + len + 1);
    if (more == NULL) {
        r->no_memory = true;
        return 0;
    }
    memcpy(more + r->len, piece, len);
    r->bytes = more;
    r->len += len;
    return len;
}

/* Nothing of the caller's environment (proxies), no other protocol, no redirection. */
static bool set_up(CURL *curl, const dstack *d, const char *url, const char *body,
                   struct curl_slist *headers, long left_ms, reply *r)
{
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, d->socket) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, r) == CURLE_OK;
}

static atls_code transfer_failed(const dstack *d, CURLcode failed, const reply *r, atls_err *err)
{
    if (r->no_memory || failed == CURLE_OUT_OF_MEMORY) {
        return ATLS_ERR_NOMEM(err);
    }
    if (r->too_long) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.dstack.reply",
                        "dstack's agent answers more than %zu bytes", DSTACK_REPLY_MAX);
    }
    return ATLS_ERR(
        err, ATLS_E_SYSTEM, "attest.dstack.http", "asking dstack's agent at %.108s: %s%s",
        d->socket, curl_easy_strerror(failed),
        failed == CURLE_OPERATION_TIMEDOUT ? ": it makes one quote at a time; ask less often" : "");
}

static atls_code post(const dstack *d, const char *url, const char *body, long left_ms, reply *r,
                      atls_err *err)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    atls_code rc = ATLS_OK;
    if (curl == NULL || headers == NULL || !set_up(curl, d, url, body, headers, left_ms, r)) {
        rc = ATLS_ERR_NOMEM(err);
    } else {
        CURLcode failed = curl_easy_perform(curl);
        if (failed != CURLE_OK) {
            rc = transfer_failed(d, failed, r, err);
        } else {
            (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r->status);
        }
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return rc;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const dstack *d = self;
    char hex[2 * sizeof data->wide + 1];
    char body[sizeof hex + 32];
    atls_hex_encode((atls_buf){data->wide, sizeof data->wide}, hex);
    (void)snprintf(body, sizeof body, "{\"report_data\":\"%s\"}", hex);
    int64_t deadline = d->os->now_ms(d->os->self) + (int64_t)d->timeout_ms;
    for (size_t i = 0;; i++) {
        reply r = {0};
        int64_t left = deadline - d->os->now_ms(d->os->self);
        atls_code rc = post(d, urls[i], body, left > 1 ? (long)left : 1, &r, err);
        bool other_api =
            rc == ATLS_OK && (r.status == NOT_FOUND || r.status == NO_METHOD) && i == 0;
        if (rc == ATLS_OK && !other_api) {
            rc = dstack_read_reply(r.status, (atls_buf){r.bytes, r.len}, out, err);
        }
        free(r.bytes);
        if (!other_api) {
            return rc;
        }
    }
}

/* 0, or the errno of a connection to it. */
static int try_socket(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    int number = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
    (void)close(fd);
    return number == EAGAIN ? 0 : number; /* a long queue: it is there */
}

static atls_code find_socket(const attest_want *want, dstack *d, bool *absent, atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    const char *const *paths = usual_sockets;
    size_t n = sizeof usual_sockets / sizeof usual_sockets[0];
    if (want->options->dstack_socket != NULL) {
        paths = &want->options->dstack_socket;
        n = 1;
    }
    int number = ENOENT;
    for (size_t i = 0; i < n && number == ENOENT; i++) {
        if (strlen(paths[i]) >= SOCKET_MAX) {
            return ATLS_ERR(err, ATLS_E_USAGE, "attest.option",
                            "a socket's path has %zu bytes, at most %zu", strlen(paths[i]),
                            SOCKET_MAX - 1);
        }
        memcpy(d->socket, paths[i], strlen(paths[i]) + 1);
        number = try_socket(d->socket);
    }
    *absent = number == ENOENT || number == ENOTDIR;
    return number == 0
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_SYSTEM, "attest.dstack.socket", "%.108s: %s: %s", d->socket,
                          attest_errno(number, text),
                          *absent ? "no dstack guest, or its socket is not mounted into this "
                                    "container"
                                  : "dstack's agent cannot be asked there");
}

static atls_code open_dstack(const attest_want *want, attest_opened *opened, atls_err *err)
{
    dstack *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    d->os = want->os;
    d->timeout_ms = want->timeout_ms;
    atls_code rc = find_socket(want, d, &opened->absent, err);
    if (rc != ATLS_OK) {
        free(d);
        return rc;
    }
    opened->self = d;
    opened->type = "tdx";
    return ATLS_OK;
}

const attest_source attest_source_dstack = {
    .name = "dstack",
    .types = {"tdx"},
    .open = open_dstack,
    .attest = attest,
    .free = free,
};
