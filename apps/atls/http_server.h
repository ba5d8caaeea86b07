/* http_server.h: an HTTP(S) server for GET alone, on libmicrohttpd: limits on connections, sizes and times; a thread a
 * connection, so that one that waits for an origin blocks nobody else. */
#ifndef ATLS_APPS_HTTP_SERVER_H
#define ATLS_APPS_HTTP_SERVER_H

#include <atls/fetch.h>

#define HTTP_CONNECTIONS_MAX 1024

/* Answers one request; from many threads. As atls_fetcher_serve. */
typedef atls_code http_answer(void *arg, const char *client, const char *method,
                              const char *path_and_query, atls_served *out, atls_err *err);

typedef struct http_settings {
    const char *cert_pem, *key_pem; /* text; NULL: no TLS */
    unsigned connections;           /* at a time: 1 to HTTP_CONNECTIONS_MAX */
    uint32_t idle_s; /* a request must have come, or an answer have gone, within it */
    http_answer *answer;
    void *arg;
    bool quiet; /* no line a request on stderr */
} http_settings;

typedef struct http_server http_server;
/* Takes the listening socket over, whatever comes of it. ATLS_E_SYSTEM "serve.start". */
atls_code http_server_start(int listener, const http_settings *settings, http_server **out,
                            atls_err *err);
/* Takes no more connections, waits at most drain_s for those that are there, and ends. */
void http_server_stop(http_server *s, uint32_t drain_s);

/* Keeps SIGTERM and SIGINT for http_serve: to be called before the first thread is made, which inherits it. */
void http_block_signals(void);
/* Serves on HOST:PORT or unix:PATH, which is told on stderr, until SIGTERM or SIGINT. Without TLS only where nobody else reaches it, unless
 * insecure_plain: ATLS_E_USAGE "serve.plain". */
atls_code http_serve(const char *listen, bool insecure_plain, const http_settings *settings,
                     atls_err *err);

#endif
