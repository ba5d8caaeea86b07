/* curl.h: HTTP GETs to configured origins, many at a time, through libcurl; nothing blocks but atls_curl_poll. One thread, but for
 * atls_curl_wakeup. No redirects, no other protocol, nothing out of the environment (proxies, .netrc). */
#ifndef ATLS_NET_CURL_H
#define ATLS_NET_CURL_H

#include "net/response.h"

#define ATLS_CURL_HEADERS_MAX ((size_t)64 << 10) /* bytes, of one answer */

typedef struct atls_curl atls_curl;

typedef struct atls_curl_settings { /* strings are borrowed; NULL: none */
    const char *proxy;              /* URL; not for loopback and unix sockets */
    const char *ca_file;            /* in place of the system's certificates */
    const char *api_key;            /* for requests that need it, to Intel's own service */
    const char *user_agent;
    uint32_t request_timeout_ms;
} atls_curl_settings;

/* ATLS_E_SYSTEM. */
ATLS_MUST_USE atls_code atls_curl_new(const atls_curl_settings *settings, atls_curl **out,
                                      atls_err *err);
void atls_curl_free(atls_curl *c); /* what is under way is dropped */

/* Begins a request. ATLS_E_SYSTEM. */
ATLS_MUST_USE atls_code atls_curl_start(atls_curl *c, uint64_t id, const atls_origin *origin,
                                        const atls_http_request *request, uint32_t timeout_ms,
                                        atls_err *err);

typedef struct atls_curl_result {
    uint64_t id;
    bool answered;
    atls_http_response response; /* if answered; views until the next call with c */
    atls_err failure; /* otherwise, as atls_keeper_done wants it: "fetch.connect", "fetch.tls",
                                  * "fetch.timeout", "fetch.cut", "fetch.http"; "fetch.size" */
} atls_curl_result;
/* The next request that has ended; false: none. */
bool atls_curl_ended(atls_curl *c, atls_curl_result *out);

/* Waits until a request may have ended, the time is over, or somebody wakes it. */
void atls_curl_poll(atls_curl *c, uint32_t timeout_ms);
void atls_curl_wakeup(atls_curl *c); /* from any thread */

#endif
