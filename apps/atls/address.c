#include "address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

#define BACKLOG 128

uint64_t clock_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static atls_code not_an_address(const char *text, atls_err *err)
{
    return fill_err(err, ATLS_E_USAGE, "usage.address",
                    "'%s' is no address; wanted is HOST:PORT, [IPv6]:PORT or unix:PATH", text);
}

atls_code address_parse(const char *text, address *out, atls_err *err)
{
    address a = {0};
    if (strncmp(text, "systemd:", 8) == 0) {
        return fill_err(err, ATLS_E_USAGE, "usage.address",
                        "systemd: addresses are not in this release");
    }
    if (strncmp(text, "unix:", 5) == 0) {
        size_t len = strlen(text + 5);
        if (len == 0 || len >= sizeof((struct sockaddr_un *)0)->sun_path) {
            return not_an_address(text, err);
        }
        memcpy(a.host, text + 5, len);
        a.is_unix = true;
        *out = a;
        return ATLS_OK;
    }
    const char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return not_an_address(text, err);
    }
    const char *host = text;
    size_t host_len = (size_t)(colon - text);
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    } else if (memchr(host, ':', host_len) != NULL) {
        return not_an_address(text, err); /* an IPv6 address without its brackets */
    }
    size_t port_len = strlen(colon + 1);
    if (host_len >= sizeof a.host || port_len == 0 || port_len > 5 ||
        strspn(colon + 1, "0123456789") != port_len) {
        return not_an_address(text, err);
    }
    memcpy(a.host, host, host_len);
    memcpy(a.port, colon + 1, port_len);
    *out = a;
    return ATLS_OK;
}

static bool make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd >= 0 && !make_nonblocking(fd)) {
        (void)close(fd);
        return -1;
    }
    int on = 1;
    if (fd >= 0 && family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return fd;
}

/* A connected socket, or -1 with errno. */
static int connect_one(int family, const struct sockaddr *to, socklen_t len, uint64_t deadline_ms)
{
    int fd = open_socket(family);
    if (fd < 0) {
        return -1;
    }
    if (connect(fd, to, len) == 0) {
        return fd;
    }
    int why = errno;
    while (why == EINPROGRESS || why == EINTR) {
        uint64_t now = clock_ms();
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int n = now >= deadline_ms ? 0 : poll(&p, 1, (int)(deadline_ms - now));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        socklen_t why_len = sizeof why;
        if (n <= 0) {
            why = ETIMEDOUT;
        } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &why_len) != 0) {
            why = errno;
        } else if (why == 0) {
            return fd;
        }
        break;
    }
    (void)close(fd);
    errno = why;
    return -1;
}

static struct sockaddr_un unix_address(const address *a)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, a->host, strnlen(a->host, sizeof to.sun_path - 1));
    return to;
}

static atls_code resolve(const address *a, int flags, struct addrinfo **out, atls_err *err)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    int rc = getaddrinfo(a->host[0] != '\0' ? a->host : NULL, a->port, &hints, out);
    if (rc != 0) {
        return fill_err(err, ATLS_E_SYSTEM, "net.resolve", "%s:%s: %s", a->host, a->port,
                        gai_strerror(rc));
    }
    return ATLS_OK;
}

atls_code address_connect(const address *a, uint32_t timeout_ms, int *fd, atls_err *err)
{
    const uint64_t deadline_ms = clock_ms() + timeout_ms;
    int got = -1;
    if (a->is_unix) {
        struct sockaddr_un to = unix_address(a);
        got = connect_one(AF_UNIX, (const struct sockaddr *)&to, sizeof to, deadline_ms);
    } else {
        struct addrinfo *list = NULL;
        atls_code rc = resolve(a, 0, &list, err);
        if (rc != ATLS_OK) {
            return rc;
        }
        for (struct addrinfo *i = list; i != NULL && got < 0; i = i->ai_next) {
            got = connect_one(i->ai_family, i->ai_addr, i->ai_addrlen, deadline_ms);
        }
        int why = errno;
        freeaddrinfo(list);
        errno = why;
    }
    if (got < 0) {
        return fill_err(err, ATLS_E_SYSTEM, "net.connect", "cannot connect to %s%s%s: %s", a->host,
                        a->is_unix ? "" : ":", a->port, strerror(errno));
    }
    *fd = got;
    return ATLS_OK;
}

static int listen_one(int family, const struct sockaddr *at, socklen_t len)
{
    int fd = open_socket(family);
    int on = 1;
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at, len) != 0 || listen(fd, BACKLOG) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    char port[8] = "0";
    if (getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
        (void)getnameinfo((const struct sockaddr *)&at, len, NULL, 0, port, sizeof port,
                          NI_NUMERICSERV);
    }
    unsigned v = 0;
    for (const char *p = port; *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (unsigned)(*p - '0');
    }
    return (uint16_t)v;
}

atls_code address_listen(const address *a, int *fd, uint16_t *port, atls_err *err)
{
    int got = -1;
    if (a->is_unix) {
        struct sockaddr_un at = unix_address(a);
        struct stat st;
        if (lstat(a->host, &st) == 0 && S_ISSOCK(st.st_mode)) {
            (void)unlink(a->host); /* left by a server that is gone */
        }
        got = listen_one(AF_UNIX, (const struct sockaddr *)&at, sizeof at);
    } else {
        struct addrinfo *list = NULL;
        atls_code rc = resolve(a, AI_PASSIVE, &list, err);
        if (rc != ATLS_OK) {
            return rc;
        }
        for (struct addrinfo *i = list; i != NULL && got < 0; i = i->ai_next) {
            got = listen_one(i->ai_family, i->ai_addr, i->ai_addrlen);
        }
        int why = errno;
        freeaddrinfo(list);
        errno = why;
    }
    if (got < 0) {
        return fill_err(err, ATLS_E_SYSTEM, "net.listen", "cannot listen on %s%s%s: %s", a->host,
                        a->is_unix ? "" : ":", a->port, strerror(errno));
    }
    if (port != NULL) {
        *port = a->is_unix ? 0 : port_of(got);
    }
    *fd = got;
    return ATLS_OK;
}

atls_code address_accept(int listener, int *fd, atls_err *err)
{
    for (;;) {
        int got = accept(listener, NULL, NULL);
        if (got >= 0 && make_nonblocking(got)) {
            int on = 1;
            (void)setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &on,
                             sizeof on); /* fails on unix sockets */
            *fd = got;
            return ATLS_OK;
        }
        if (got >= 0) {
            (void)close(got);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            (void)poll(NULL, 0, 100);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            return fill_err(err, ATLS_E_SYSTEM, "net.accept", "%s", strerror(errno));
        }
        struct pollfd p = {.fd = listener, .events = POLLIN};
        (void)poll(&p, 1, -1);
    }
}
