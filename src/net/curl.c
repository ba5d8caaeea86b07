#include "net/curl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/crypto.h>

#include "base/err.h"

#define KEY_HEADER     "Ocp-Apim-Subscription-Key: "
#define KEY_MAX        256
#define CONNECT_MAX_MS 5000
#define ORIGIN_SHOWN   80
#define HANDLES_KEPT   16 /* idle ones; their connections are kept in the multi handle anyway */
#define BODY_FIRST     16384u
#define STATUS_LINE    "HTTP/"

typedef struct bytes {
    uint8_t *ptr;
    size_t len, cap;
    size_t max;
} bytes;

typedef struct transfer transfer;
struct transfer {
    CURL *easy;
    transfer *next;
    uint64_t id;
    const atls_origin *origin;
    bytes headers, body;
    bool too_long, no_memory;
    char trouble[CURL_ERROR_SIZE];
};

struct atls_curl {
    CURLM *multi;
    atls_curl_settings settings;
    struct curl_slist *headers_with_key;
    transfer *active, *idle, *lent; /* lent: its answer is being looked at */
    size_t idle_n;
};

/* --- bytes as they come --- */

static bool add(bytes *b, const char *piece, size_t len, transfer *t)
{
    if (len > b->max - b->len) {
        t->too_long = true;
        return false;
    }
    if (b->len + len > b->cap) {
        size_t cap = b->cap > 0 ? b->cap : BODY_FIRST;
        while (cap < b->len + len) {
            cap *= 2;
        }
        uint8_t *more = realloc(b->ptr, cap);
        if (more == NULL) {
            t->no_memory = true;
            return false;
        }
        b->ptr = more;
        b->cap = cap;
    }
    memcpy(b->ptr + b->len, piece, len);
    b->len += len;
    return true;
}

static size_t take_body(char *piece, size_t one, size_t n, void *arg)
{
    transfer *t = arg;
    size_t len = one * n;
    return len == 0 || add(&t->body, piece, len, t) ? len : 0;
}

/* Only those of the last answer count: a proxy's, and interim ones, come before. */
static size_t take_header(char *piece, size_t one, size_t n, void *arg)
{
    transfer *t = arg;
    size_t len = one * n;
    if (len >= sizeof STATUS_LINE - 1 && memcmp(piece, STATUS_LINE, sizeof STATUS_LINE - 1) == 0) {
        t->headers.len = 0;
        t->body.len = 0;
        return len;
    }
    return len == 0 || add(&t->headers, piece, len, t) ? len : 0;
}

/* --- handles --- */

static void transfer_free(transfer *t)
{
    if (t != NULL) {
        curl_easy_cleanup(t->easy);
        free(t->headers.ptr);
        free(t->body.ptr);
        free(t);
    }
}

static transfer *transfer_get(atls_curl *c)
{
    transfer *t = c->idle;
    if (t != NULL) {
        c->idle = t->next;
        c->idle_n--;
        curl_easy_reset(t->easy);
    } else {
        t = calloc(1, sizeof *t);
        if (t != NULL && (t->easy = curl_easy_init()) == NULL) {
            free(t);
            t = NULL;
        }
    }
    return t;
}

static void put_back(atls_curl *c, transfer *t)
{
    if (c->idle_n >= HANDLES_KEPT) {
        transfer_free(t);
        return;
    }
    if (t->body.cap > BODY_FIRST) {
        free(t->body.ptr);
        t->body = (bytes){0};
    }
    t->next = c->idle;
    c->idle = t;
    c->idle_n++;
}

static void return_lent(atls_curl *c)
{
    if (c->lent != NULL) {
        put_back(c, c->lent);
        c->lent = NULL;
    }
}

static struct curl_slist *with_key(const char *key)
{
    char line[sizeof KEY_HEADER + KEY_MAX];
    struct curl_slist *list = NULL;
    if (key != NULL && strlen(key) <= KEY_MAX) {
        (void)snprintf(line, sizeof line, KEY_HEADER "%s", key);
        list = curl_slist_append(NULL, line);
        OPENSSL_cleanse(line, sizeof line);
    }
    return list;
}

static void forget_key(struct curl_slist *list)
{
    if (list != NULL) {
        OPENSSL_cleanse(list->data, strlen(list->data));
        curl_slist_free_all(list);
    }
}

atls_code atls_curl_new(const atls_curl_settings *settings, atls_curl **out, atls_err *err)
{
    atls_curl *c = calloc(1, sizeof *c);
    if (c == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(c);
        return ATLS_ERR_NOMEM(err);
    }
    c->settings = *settings;
    c->multi = curl_multi_init();
    c->headers_with_key = with_key(settings->api_key);
    if (c->multi == NULL || (settings->api_key != NULL && c->headers_with_key == NULL)) {
        atls_curl_free(c);
        return ATLS_ERR_NOMEM(err);
    }
    *out = c;
    return ATLS_OK;
}

void atls_curl_free(atls_curl *c)
{
    if (c == NULL) {
        return;
    }
    return_lent(c);
    for (transfer *t = c->active; t != NULL;) {
        transfer *next = t->next;
        (void)curl_multi_remove_handle(c->multi, t->easy);
        transfer_free(t);
        t = next;
    }
    for (transfer *t = c->idle; t != NULL;) {
        transfer *next = t->next;
        transfer_free(t);
        t = next;
    }
    (void)curl_multi_cleanup(c->multi);
    forget_key(c->headers_with_key);
    free(c);
    curl_global_cleanup();
}

/* --- a request --- */

#define SET(option, value) (curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

static bool set_address(const atls_curl *c, const transfer *t, const char *url)
{
    bool tls = strncmp(url, "https://", 8) == 0;
    const char *proxy = c->settings.proxy != NULL && tls && t->origin->unix_path[0] == '\0'
                            ? c->settings.proxy
                            : "";
    return SET(CURLOPT_URL, url) && SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http") &&
           SET(CURLOPT_UNIX_SOCKET_PATH,
               t->origin->unix_path[0] != '\0' ? t->origin->unix_path : (const char *)NULL) &&
           SET(CURLOPT_PROXY, proxy) && SET(CURLOPT_NOPROXY, "localhost,127.0.0.1,::1") &&
           SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
}

static bool set_tls(const atls_curl *c, const transfer *t)
{
    return SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (c->settings.ca_file == NULL ||
            (SET(CURLOPT_CAINFO, c->settings.ca_file) && SET(CURLOPT_CAPATH, (const char *)NULL)));
}

static bool set_rest(const atls_curl *c, transfer *t, const atls_http_request *request,
                     long timeout_ms)
{
    bool key = request->needs_api_key && t->origin->kind == ATLS_ORIGIN_INTEL;
    /* QUICK_EXIT: a resolver's thread that hangs is left behind, and not waited for. */
    return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_QUICK_EXIT, 1L) &&
           SET(CURLOPT_TIMEOUT_MS, timeout_ms) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS,
               timeout_ms < CONNECT_MAX_MS ? timeout_ms : (long)CONNECT_MAX_MS) &&
           SET(CURLOPT_HTTP_CONTENT_DECODING, 0L) && SET(CURLOPT_ERRORBUFFER, t->trouble) &&
           SET(CURLOPT_HTTPHEADER, key ? c->headers_with_key : NULL) &&
           SET(CURLOPT_USERAGENT, c->settings.user_agent) && SET(CURLOPT_HTTP09_ALLOWED, 0L) &&
           SET(CURLOPT_HEADERFUNCTION, take_header) && SET(CURLOPT_HEADERDATA, t) &&
           SET(CURLOPT_WRITEFUNCTION, take_body) && SET(CURLOPT_WRITEDATA, t) &&
           SET(CURLOPT_PRIVATE, t);
}

atls_code atls_curl_start(atls_curl *c, uint64_t id, const atls_origin *origin,
                          const atls_http_request *request, uint32_t timeout_ms, atls_err *err)
{
    return_lent(c);
    transfer *t = transfer_get(c);
    if (t == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    t->id = id;
    t->origin = origin;
    t->headers.len = t->body.len = 0;
    t->headers.max = ATLS_CURL_HEADERS_MAX;
    t->body.max = request->body_max;
    t->too_long = t->no_memory = false;
    t->trouble[0] = '\0';
    uint32_t most = c->settings.request_timeout_ms;
    if (!set_address(c, t, request->url) || !set_tls(c, t) ||
        !set_rest(c, t, request, (long)(timeout_ms < most ? timeout_ms : most)) ||
        curl_multi_add_handle(c->multi, t->easy) != CURLM_OK) {
        transfer_free(t);
        return ATLS_ERR_NOMEM(err);
    }
    t->next = c->active;
    c->active = t;
    return ATLS_OK;
}

/* --- its end --- */

/* libcurl calls it a broken connection. */
static bool proxy_refused(const transfer *t)
{
    long status = 0;
    return curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK &&
           status >= 300;
}

static void failed(const atls_curl *c, const transfer *t, CURLcode code, atls_err *err)
{
    code = proxy_refused(t) ? CURLE_COULDNT_CONNECT : code;
    const char *why = t->trouble[0] != '\0' ? t->trouble : curl_easy_strerror(code);
    const char *name = t->origin->name;
    if (strncmp(why, "Unsupported proxy", 17) ==
        0) { /* the address stands there, password and all */
        why = "the address of the proxy is none";
    }
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        (void)ATLS_ERR(
            err, ATLS_E_COLLATERAL, "fetch.timeout",
            "%.*s did not answer in time (%.80s): it may work later, or name a second origin",
            ORIGIN_SHOWN, name, why);
        return;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        (void)ATLS_ERR(
            err, ATLS_E_COLLATERAL, "fetch.tls",
            "TLS with %.*s failed (%.80s): if its certificate is of your own CA, give option ca",
            ORIGIN_SHOWN, name, why);
        return;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        (void)ATLS_ERR(
            err, ATLS_E_COLLATERAL, "fetch.cut",
            "%.*s ended the connection before its answer was whole (%.80s): it may work later",
            ORIGIN_SHOWN, name, why);
        return;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        (void)ATLS_ERR(
            err, ATLS_E_COLLATERAL, "fetch.connect",
            "%.*s cannot be reached%s (%.80s): check network, firewall and proxy, or name a second origin",
            ORIGIN_SHOWN, name, c->settings.proxy != NULL ? " through the proxy" : "", why);
        return;
    default:
        (void)ATLS_ERR(
            err, ATLS_E_COLLATERAL, "fetch.http",
            "%.*s does not speak HTTP as it should (%.80s): is its address right, or a proxy between?",
            ORIGIN_SHOWN, name, why);
    }
}

static void result_of(const atls_curl *c, transfer *t, CURLcode code, atls_curl_result *out)
{
    memset(out, 0, sizeof *out);
    out->id = t->id;
    if (t->no_memory) {
        (void)ATLS_ERR_NOMEM(&out->failure);
    } else if (t->too_long ||
               code == CURLE_OUT_OF_MEMORY) { /* so libcurl calls a header line of 100 KB, too */
        (void)ATLS_ERR(
            &out->failure, ATLS_E_COLLATERAL, "fetch.size",
            "%.*s answers with more than %zu bytes of headers, or %zu of body: it is no such service",
            ORIGIN_SHOWN, t->origin->name, t->headers.max, t->body.max);
    } else if (code != CURLE_OK) {
        failed(c, t, code, &out->failure);
    } else {
        out->answered = true;
        (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &out->response.status);
        out->response.headers = (atls_buf){t->headers.ptr, t->headers.len};
        out->response.body = (atls_buf){t->body.ptr, t->body.len};
    }
}

static void take_out(atls_curl *c, const transfer *t)
{
    transfer **at = &c->active;
    while (*at != NULL && *at != t) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = t->next;
    }
}

bool atls_curl_ended(atls_curl *c, atls_curl_result *out)
{
    int left = 0;
    int running = 0;
    return_lent(c);
    (void)curl_multi_perform(c->multi, &running);
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left)) != NULL;) {
        transfer *t = NULL;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE ||
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK) {
            continue;
        }
        (void)curl_multi_remove_handle(c->multi, t->easy);
        take_out(c, t);
        result_of(c, t, code, out);
        c->lent = t;
        return true;
    }
    return false;
}

void atls_curl_poll(atls_curl *c, uint32_t timeout_ms)
{
    return_lent(c);
    (void)curl_multi_poll(c->multi, NULL, 0, timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX,
                          NULL);
}

void atls_curl_wakeup(atls_curl *c)
{
    (void)curl_multi_wakeup(c->multi);
}
