#include "http_server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "address.h"
#include "output.h"
#include "say.h"

#define HEAD_MAX                                                                                   \
    ((size_t)160 << 10) /* bytes of a request and of its answer's head, in which chains stand */
#define STACK_SIZE   ((size_t)512 << 10)
#define CLIENT_LEN   32
#define LOGGED_MAX   300 /* characters of a path */
#define WATCH_MS     500
#define NO_DEADLINE  UINT64_MAX
#define TLS_VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* What libmicrohttpd's own timeout lets through: a client that sends a byte now and then. */
typedef struct watched {
    int fd; /* -1: free */
    uint64_t until_ms;
} watched;

struct http_server {
    struct MHD_Daemon *daemon;
    http_settings settings;
    pthread_mutex_t lock; /* of the two below */
    watched connections[HTTP_CONNECTIONS_MAX];
    bool stop;
    pthread_t watch;
};

typedef struct request {
    char *path; /* as on the request line; NULL: no memory */
    bool headers_seen;
} request;

/* --- connections that take too long --- */

static void *watch(void *arg)
{
    http_server *s = arg;
    const struct timespec pause = {WATCH_MS / 1000, WATCH_MS % 1000 * 1000000L};
    bool stop = false;
    while (!stop) {
        (void)nanosleep(&pause, NULL);
        const uint64_t now = clock_ms();
        (void)pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
            if (s->connections[i].fd >= 0 && s->connections[i].until_ms < now) {
                (void)shutdown(s->connections[i].fd, SHUT_RDWR);
                s->connections[i].until_ms = NO_DEADLINE;
            }
        }
        stop = s->stop;
        (void)pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

static int socket_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

/* Gives a connection until then; from < 0: it is the one on fd. */
static void set_deadline(http_server *s, int from, int fd, uint64_t until_ms)
{
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        if (s->connections[i].fd == from) {
            s->connections[i] = (watched){fd, until_ms};
            break;
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
}

static uint64_t soon(const http_server *s)
{
    return clock_ms() + 1000u * (uint64_t)s->settings.idle_s;
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    http_server *s = arg;
    const int fd = socket_of(c);
    (void)context;
    if (fd < 0) {
        return;
    }
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        set_deadline(s, -1, fd, soon(s));
    } else {
        set_deadline(s, fd, -1, NO_DEADLINE);
    }
}

/* --- requests --- */

static void *on_path(void *arg, const char *uri, struct MHD_Connection *c)
{
    request *r = calloc(1, sizeof *r);
    (void)arg;
    (void)c;
    if (r != NULL) {
        r->path = strdup(uri);
    }
    return r;
}

static void on_end(void *arg, struct MHD_Connection *c, void **context,
                   enum MHD_RequestTerminationCode why)
{
    request *r = *context;
    (void)arg;
    (void)c;
    (void)why;
    if (r != NULL) {
        free(r->path);
        free(r);
        *context = NULL;
    }
}

static void log_request(const http_server *s, const request *r, const char *method, int status,
                        uint64_t began_ms)
{
    char path[LOGGED_MAX + 4];
    if (s->settings.quiet) {
        return;
    }
    const int n = snprintf(path, LOGGED_MAX, "%s", r->path);
    if (n >= LOGGED_MAX) {
        memcpy(path + LOGGED_MAX - 1, "...", 4);
    }
    flockfile(stderr);
    fprintf(stderr, "{\"event\":\"served\",\"method\":");
    output_json_string(stderr, method);
    fprintf(stderr, ",\"path\":");
    output_json_string(stderr, path);
    fprintf(stderr, ",\"status\":%d,\"ms\":%llu}\n", status,
            (unsigned long long)(clock_ms() - began_ms));
    funlockfile(stderr);
}

/* The answer as libmicrohttpd's; what served owns goes into it. NULL: no memory. */
static struct MHD_Response *response_of(atls_served *served)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(served->body_len, served->body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        return NULL;
    }
    served->body = NULL;
    bool fine = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                        served->content_type) == MHD_YES &&
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    for (size_t i = 0; fine && i < served->headers_n; i++) {
        fine = MHD_add_response_header(response, served->headers[i].name,
                                       served->headers[i].value) == MHD_YES;
    }
    if (!fine) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

/* Its address; of IPv6 the network, as a host has many; all who share a unix socket are one. */
static void name_client(int fd, char out[CLIENT_LEN])
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    unsigned char bytes[8] = {0}; /* of the address */
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0) {
        peer.ss_family = AF_UNSPEC;
    }
    if (peer.ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, &peer, sizeof v4);
        memcpy(bytes, &v4.sin_addr, 4);
    } else if (peer.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, &peer, sizeof v6);
        const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
        memcpy(bytes, v6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    }
    (void)snprintf(out, CLIENT_LEN, "%d/%02x%02x%02x%02x%02x%02x%02x%02x", (int)peer.ss_family,
                   bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
}

static enum MHD_Result give(http_server *s, struct MHD_Connection *c, const request *r,
                            const char *method)
{
    const uint64_t began_ms = clock_ms();
    const int fd = socket_of(c);
    atls_served served = {0};
    set_deadline(s, fd, fd, NO_DEADLINE); /* an origin has its own time */
    char client[CLIENT_LEN];
    name_client(fd, client);
    const atls_code rc =
        s->settings.answer(s->settings.arg, client, method, r->path, &served, NULL);
    struct MHD_Response *response = rc == ATLS_OK ? response_of(&served) : NULL;
    log_request(s, r, method, response != NULL ? served.status : 500, began_ms);
    enum MHD_Result result = MHD_NO;
    if (response != NULL) {
        result = MHD_queue_response(c, (unsigned)served.status, response);
        MHD_destroy_response(response);
    }
    atls_served_clear(&served);
    set_deadline(s, fd, fd, soon(s));
    return result;
}

/* A first call when the head is there; a second for GET, when it is sure that no body came. Others are refused at once. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
    http_server *s = arg;
    request *r = *context;
    (void)url;
    (void)version;
    (void)upload;
    if (r == NULL || r->path == NULL) {
        return MHD_NO;
    }
    if (!r->headers_seen && strcmp(method, MHD_HTTP_METHOD_GET) == 0) {
        r->headers_seen = true;
        return MHD_YES;
    }
    if (*upload_len > 0) { /* a GET with a body: thrown away */
        *upload_len = 0;
        return MHD_YES;
    }
    return give(s, c, r, method);
}

/* --- the server --- */

static struct MHD_Daemon *start_daemon(http_server *s, int listener)
{
    const bool tls = s->settings.cert_pem != NULL;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)s->settings.cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)s->settings.key_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_VERSIONS},
        {MHD_OPTION_END, 0, NULL},
    };
    const unsigned all = s->settings.connections;
    const unsigned one_address = all - all / 4; /* others find room */
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
            MHD_USE_ITC | (tls ? MHD_USE_TLS : 0u),
        0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, s->settings.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        one_address, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)s->settings.idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MAX, MHD_OPTION_THREAD_STACK_SIZE, STACK_SIZE,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_path, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_ARRAY, tls ? secure : plain, MHD_OPTION_END);
}

static void stop_watch(http_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->stop = true;
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->watch, NULL);
}

atls_code http_server_start(int listener, const http_settings *settings, http_server **out,
                            atls_err *err)
{
    http_server *s = calloc(1, sizeof *s);
    if (s == NULL || pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        (void)close(listener);
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    s->settings = *settings;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        s->connections[i] = (watched){-1, NO_DEADLINE};
    }
    if (pthread_create(&s->watch, NULL, watch, s) == 0) {
        s->daemon = start_daemon(s, listener);
        if (s->daemon != NULL) {
            *out = s;
            return ATLS_OK;
        }
        stop_watch(s);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    (void)close(listener);
    return fill_err(err, ATLS_E_SYSTEM, "serve.start", "the server cannot be started%s",
                    settings->cert_pem == NULL ? ""
                                               : ": is the certificate that of the key, in PEM?");
}

static unsigned connections_now(http_server *s)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info == NULL ? 0 : info->num_connections;
}

void http_server_stop(http_server *s, uint32_t drain_s)
{
    const struct timespec pause = {0, 20000000L};
    if (s == NULL) {
        return;
    }
    const MHD_socket listener = MHD_quiesce_daemon(s->daemon);
    if (listener != MHD_INVALID_SOCKET) {
        (void)close(listener);
    }
    for (uint32_t i = 0; i < drain_s * 50 && connections_now(s) > 0; i++) {
        (void)nanosleep(&pause, NULL);
    }
    MHD_stop_daemon(s->daemon);
    stop_watch(s);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}
