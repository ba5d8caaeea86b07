#include "attest/qgs.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attest/qgs_message.h"
#include "base/err.h"

/* Digits up to end, and no more than 32 bits. */
static bool take_number(const char *text, size_t len, uint32_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || i >= 10) {
            return false;
        }
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    *out = (uint32_t)v;
    return len > 0 && v <= UINT32_MAX;
}

static qgs_address vsock_address(uint32_t cid, uint32_t port)
{
    qgs_address a = {.family = AF_VSOCK};
    a.vm.svm_family = AF_VSOCK;
    a.vm.svm_cid = cid;
    a.vm.svm_port = port;
    return a;
}

qgs_address qgs_host_address(uint32_t port)
{
    return vsock_address(VMADDR_CID_HOST, port);
}

atls_code qgs_parse_address(const char *text, qgs_address *out, atls_err *err)
{
    uint32_t cid = 0;
    uint32_t port = 0;
    const char *path = strncmp(text, "unix:", 5) == 0 ? text + 5 : NULL;
    if (path != NULL && *path != '\0' && strlen(path) < sizeof out->un.sun_path) {
        *out = (qgs_address){.family = AF_UNIX};
        out->un.sun_family = AF_UNIX;
        memcpy(out->un.sun_path, path, strlen(path) + 1);
        return ATLS_OK;
    }
    if (strncmp(text, "vsock:", 6) == 0) {
        const char *first = text + 6;
        size_t len = strcspn(first, ":");
        if (first[len] == ':' && take_number(first, len, &cid) &&
            take_number(first + len + 1, strlen(first + len + 1), &port)) {
            *out = vsock_address(cid, port);
            return ATLS_OK;
        }
    }
    return ATLS_ERR(err, ATLS_E_USAGE, "attest.option",
                    "a quote service is vsock:CID:PORT or unix:PATH, and this is %.60s", text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* "port = N", blanks anywhere. */
static bool take_port(const char *line, size_t len, uint32_t *out)
{
    char bare[32];
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_blank(line[i])) {
            if (n + 1 >= sizeof bare) {
                return false;
            }
            bare[n++] = line[i];
        }
    }
    return n > 5 && memcmp(bare, "port=", 5) == 0 && take_number(bare + 5, n - 5, out);
}

uint32_t qgs_conf_port(atls_buf text)
{
    for (size_t at = 0; at < text.len;) {
        const uint8_t *line = text.ptr + at;
        const uint8_t *end = memchr(line, '\n', text.len - at);
        size_t len = end != NULL ? (size_t)(end - line) : text.len - at;
        uint32_t found = 0;
        if (take_port((const char *)line, len, &found)) {
            return found;
        }
        at += len + 1;
    }
    return 0;
}

/* --- the socket --- */

typedef struct stream {
    const attest_os *os;
    int64_t deadline_ms;
    int fd;
} stream;

/* 0, or an errno: ETIMEDOUT at the deadline. */
static int wait_for(const stream *s, short events)
{
    for (;;) {
        int64_t left = s->deadline_ms - s->os->now_ms(s->os->self);
        if (left <= 0) {
            return ETIMEDOUT;
        }
        struct pollfd p = {.fd = s->fd, .events = events};
        int n = poll(&p, 1, left > 1000 ? 1000 : (int)left);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return errno;
        }
    }
}

static int connect_stream(stream *s, const qgs_address *a)
{
    const struct sockaddr *to =
        a->family == AF_UNIX ? (const struct sockaddr *)&a->un : (const struct sockaddr *)&a->vm;
    socklen_t len = a->family == AF_UNIX ? sizeof a->un : sizeof a->vm;
    s->fd = socket(a->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0) {
        return errno;
    }
    if (connect(s->fd, to, len) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        return errno;
    }
    int number = wait_for(s, POLLOUT);
    int failed = 0;
    socklen_t size = sizeof failed;
    if (number == 0 && getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) {
        number = errno;
    }
    return number != 0 ? number : failed;
}

static bool is_not_yet(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

static int send_all(const stream *s, atls_buf bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n > 0) {
            bytes.ptr += n;
            bytes.len -= (size_t)n;
            continue;
        }
        int number = n == 0 ? EPIPE : errno;
        number = is_not_yet(number) ? wait_for(s, POLLOUT) : number;
        if (number != 0) {
            return number;
        }
    }
    return 0;
}

static int receive_all(const stream *s, uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(s->fd, out, len, 0);
        if (n > 0) {
            out += n;
            len -= (size_t)n;
            continue;
        }
        int number = n == 0 ? ECONNRESET : errno;
        number = is_not_yet(number) ? wait_for(s, POLLIN) : number;
        if (number != 0) {
            return number;
        }
    }
    return 0;
}

static atls_code failed(const char *check, const char *doing, int number, atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    return ATLS_ERR(err, ATLS_E_SYSTEM, check,
                    "%s the quote service: %s: is qgsd running on the host?", doing,
                    attest_errno(number, text));
}

static atls_code receive_message(const stream *s, uint8_t **response, size_t *len, atls_err *err)
{
    uint8_t size[QGS_SIZE_LEN];
    int number = receive_all(s, size, sizeof size);
    if (number != 0) {
        return failed("attest.qgs.receive", "waiting for", number, err);
    }
    atls_reader r = atls_reader_of((atls_buf){size, sizeof size});
    uint32_t n = atls_reader_u32be(&r);
    if (n == 0 || n > QGS_MESSAGE_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.qgs.response",
                        "the quote service announces %lu bytes, 1 to %u are possible",
                        (unsigned long)n, QGS_MESSAGE_MAX);
    }
    uint8_t *bytes = malloc(n);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    number = receive_all(s, bytes, n);
    if (number != 0) {
        free(bytes);
        return failed("attest.qgs.receive", "reading from", number, err);
    }
    *response = bytes;
    *len = n;
    return ATLS_OK;
}

atls_code qgs_ask(const attest_os *os, const qgs_address *address, atls_buf request,
                  int64_t deadline_ms, uint8_t **response, size_t *len, atls_err *err)
{
    stream s = {.os = os, .deadline_ms = deadline_ms, .fd = -1};
    int number = connect_stream(&s, address);
    atls_code rc =
        number == 0 ? ATLS_OK : failed("attest.qgs.connect", "connecting to", number, err);
    if (rc == ATLS_OK) {
        number = send_all(&s, request);
        rc = number == 0 ? receive_message(&s, response, len, err)
                         : failed("attest.qgs.send", "writing to", number, err);
    }
    if (s.fd >= 0) {
        (void)close(s.fd);
    }
    return rc;
}
