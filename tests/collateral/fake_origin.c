#include "collateral/fake_origin.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define THREADS (sizeof((fake_origin *)0)->threads / sizeof(pthread_t))

static void need(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

void fake_origin_open(fake_origin *o)
{
    memset(o, 0, sizeof *o);
    need(pthread_mutex_init(&o->lock, NULL) == 0, "mutex");
}

static void answer_free(fake_answer *a)
{
    if (a != NULL) {
        free(a->headers);
        free(a->body);
        free(a);
    }
}

void fake_origin_close(fake_origin *o)
{
    for (size_t i = 0; i < o->n; i++) {
        answer_free(o->answers[i]);
    }
    (void)pthread_mutex_destroy(&o->lock);
}

/* --- answers --- */

static const char *chain_header(const char *key)
{
    return strncmp(key, "intel/tcb/", 10) == 0      ? "TCB-Info-Issuer-Chain"
           : strncmp(key, "intel/qe/", 9) == 0      ? "SGX-Enclave-Identity-Issuer-Chain"
           : strncmp(key, "intel/pckcrl/", 13) == 0 ? "SGX-PCK-CRL-Issuer-Chain"
           : strncmp(key, "intel/pck/", 10) == 0    ? "SGX-PCK-Certificate-Issuer-Chain"
                                                    : NULL;
}

/* A PCCS gives the PCK certificate as its body, and what is above it in the header. */
static size_t first_certificate(atls_buf pem)
{
    const char end[] = "-----END CERTIFICATE-----\n";
    for (size_t i = 0; i + sizeof end - 1 <= pem.len; i++) {
        if (memcmp(pem.ptr + i, end, sizeof end - 1) == 0) {
            return i + sizeof end - 1;
        }
    }
    return pem.len;
}

static char *headers_of(const char *key, atls_buf chain)
{
    const bool json = strncmp(key, "intel/tcb/", 10) == 0 || strncmp(key, "intel/qe/", 9) == 0 ||
                      strncmp(key, "jwks/", 5) == 0;
    char *out = malloc(3 * chain.len + 256);
    need(out != NULL, "malloc");
    size_t len = (size_t)sprintf(out, "Content-Type: %s\r\n",
                                 json ? "application/json" : "application/octet-stream");
    if (chain_header(key) != NULL) {
        len += (size_t)sprintf(out + len, "%s: ", chain_header(key));
        for (size_t i = 0; i < chain.len; i++) {
            len += (size_t)sprintf(out + len, "%%%02X", chain.ptr[i]);
        }
        len += (size_t)sprintf(out + len, "\r\n");
    }
    return out;
}

static void target_of(const char *key, char target[ATLS_URL_LEN])
{
    atls_origin origin;
    atls_http_request request;
    atls_err err;
    const char *text = strncmp(key, "amd/", 4) == 0 ? "amd=unix:/x" : "pccs=unix:/x";
    need(atls_origin_parse(text, &origin, &err) == ATLS_OK &&
             atls_origin_request(&origin, key, "standard", &request, &err) == ATLS_OK,
         "request");
    (void)snprintf(target, ATLS_URL_LEN, "%s", request.url + strlen(origin.base));
}

void fake_origin_put(fake_origin *o, const atls_item *item)
{
    fake_answer *a = calloc(1, sizeof *a);
    need(a != NULL, "calloc");
    (void)snprintf(a->key, sizeof a->key, "%s", item->key);
    target_of(item->key, a->target);
    atls_buf body = item->body;
    atls_buf chain = item->chain;
    if (strncmp(item->key, "intel/pck/", 10) == 0) {
        const size_t first = first_certificate(body);
        chain = (atls_buf){body.ptr + first, body.len - first};
        body.len = first;
    }
    a->headers = headers_of(item->key, chain);
    a->body = malloc(body.len + 1);
    need(a->body != NULL, "malloc");
    memcpy(a->body, body.ptr, body.len);
    a->body_len = body.len;
    (void)pthread_mutex_lock(&o->lock);
    size_t i = 0;
    while (i < o->n && strcmp(o->answers[i]->key, a->key) != 0) {
        i++;
    }
    need(i < FAKE_ANSWERS_MAX, "answers");
    if (i < o->n) {
        atomic_store(&a->asked, atomic_load(&o->answers[i]->asked));
        answer_free(o->answers[i]);
    } else {
        o->n++;
    }
    o->answers[i] = a;
    (void)pthread_mutex_unlock(&o->lock);
}

static fake_answer *find(fake_origin *o, const char *key, const char *target)
{
    for (size_t i = 0; i < o->n; i++) {
        if (key != NULL ? strcmp(o->answers[i]->key, key) == 0
                        : strcmp(o->answers[i]->target, target) == 0) {
            return o->answers[i];
        }
    }
    return NULL;
}

void fake_origin_answer(fake_origin *o, const char *key, atls_http_response *out)
{
    fake_answer *a = find(o, key, NULL);
    atomic_fetch_add(&o->asked, 1);
    *out = (atls_http_response){.status = 404};
    if (a != NULL) {
        atomic_fetch_add(&a->asked, 1);
        *out = (atls_http_response){.status = 200,
                                    .headers = {(const uint8_t *)a->headers, strlen(a->headers)},
                                    .body = {a->body, a->body_len}};
    }
}

unsigned fake_origin_asked(fake_origin *o, const char *key)
{
    (void)pthread_mutex_lock(&o->lock);
    fake_answer *a = find(o, key, NULL);
    const unsigned n = a != NULL ? atomic_load(&a->asked) : 0;
    (void)pthread_mutex_unlock(&o->lock);
    return n;
}

/* --- the socket --- */

static bool write_all(int fd, const void *bytes, size_t len)
{
    for (const uint8_t *p = bytes; len > 0;) {
        const ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* The target of the next request on the connection; false: its end. */
static bool read_request(int fd, char *text, size_t cap, char **target)
{
    size_t len = 0;
    text[0] = '\0';
    while (strstr(text, "\r\n\r\n") == NULL) {
        const ssize_t n = len < cap - 1 ? read(fd, text + len, 1) : 0;
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
        text[len] = '\0';
    }
    *target = strchr(text, ' ');
    char *end = *target != NULL ? strchr(*target + 1, ' ') : NULL;
    if (end == NULL) {
        return false;
    }
    (*target)++;
    *end = '\0';
    return true;
}

static void give(fake_origin *o, int fd, const char *target)
{
    char line[128];
    (void)pthread_mutex_lock(&o->lock);
    fake_answer *a = find(o, NULL, target);
    atomic_fetch_add(&o->asked, 1);
    if (a == NULL) {
        const char none[] =
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        (void)write_all(fd, none, sizeof none - 1);
    } else {
        atomic_fetch_add(&a->asked, 1);
        (void)snprintf(line, sizeof line, "\r\nContent-Length: %zu\r\n\r\n", a->body_len);
        (void)(write_all(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n", 36) &&
               write_all(fd, a->headers, strlen(a->headers) - 2) &&
               write_all(fd, line, strlen(line)) && write_all(fd, a->body, a->body_len));
    }
    (void)pthread_mutex_unlock(&o->lock);
}

static void serve(fake_origin *o, int fd)
{
    char text[4096];
    char *target = NULL;
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = o->stop[0], .events = POLLIN}};
    if (poll(p, 2, -1) < 0 || p[1].revents != 0 || !read_request(fd, text, sizeof text, &target)) {
        return;
    }
    if (o->delay_ms > 0) {
        (void)usleep(o->delay_ms * 1000);
    }
    give(o, fd, target);
}

static void *accept_all(void *arg)
{
    fake_origin *o = arg;
    for (;;) {
        struct pollfd p[2] = {{.fd = o->listener, .events = POLLIN},
                              {.fd = o->stop[0], .events = POLLIN}};
        if (poll(p, 2, -1) < 0 || p[1].revents != 0) {
            return NULL;
        }
        const int fd = accept(o->listener, NULL, NULL);
        if (fd >= 0) {
            serve(o, fd);
            (void)close(fd);
        }
    }
}

void fake_origin_listen(fake_origin *o)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(o->dir, sizeof o->dir, "/tmp/atls-origin-XXXXXX");
    need(mkdtemp(o->dir) != NULL, "mkdtemp");
    (void)snprintf(o->path, sizeof o->path, "%s/s", o->dir);
    (void)snprintf(o->text, sizeof o->text, "unix:%s", o->path);
    memcpy(to.sun_path, o->path, strlen(o->path) + 1);
    o->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    need(o->listener >= 0 && bind(o->listener, (const struct sockaddr *)&to, sizeof to) == 0 &&
             listen(o->listener, 128) == 0 && pipe(o->stop) == 0,
         "listen");
    for (size_t i = 0; i < THREADS; i++) {
        need(pthread_create(&o->threads[i], NULL, accept_all, o) == 0, "thread");
    }
}

void fake_origin_hang_up(fake_origin *o)
{
    need(write(o->stop[1], "", 1) == 1, "write"); /* never read: all threads see it */
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(o->threads[i], NULL);
    }
    (void)close(o->listener);
    (void)close(o->stop[0]);
    (void)close(o->stop[1]);
    (void)unlink(o->path);
    (void)rmdir(o->dir);
}
