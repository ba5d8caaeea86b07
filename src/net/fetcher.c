/* fetcher.c: the settings of a fetcher, and waiting for what it gets. */
#include "net/fetcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "base/err.h"

#define REQUEST_S     10
#define TOTAL_S       30
#define REFRESH_AHEAD 25
#define API_KEY_MAX   256
#define NUMBER_MAX    3600 /* of seconds */

static const char *const vendors[] = {"intel=https://api.trustedservices.intel.com",
                                      "amd=https://kdsintf.amd.com"};

static bool make_lock(atls_fetcher *f)
{
    pthread_condattr_t attr;
    if (pthread_mutex_init(&f->lock, NULL) != 0) {
        return false;
    }
    bool fine = pthread_condattr_init(&attr) == 0;
    if (fine) {
        fine = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
               pthread_cond_init(&f->ended, &attr) == 0;
        (void)pthread_condattr_destroy(&attr);
    }
    if (!fine) {
        (void)pthread_mutex_destroy(&f->lock);
    }
    return fine;
}

atls_code atls_fetcher_new(atls_store *store, atls_fetcher **out, atls_err *err)
{
    atls_fetcher *f = calloc(1, sizeof *f);
    char *agent = strdup("atls/" ATLS_VERSION);
    if (f == NULL || agent == NULL || !make_lock(f)) {
        free(agent);
        free(f);
        return ATLS_ERR_NOMEM(err);
    }
    f->store = store;
    f->user_agent = agent;
    f->request_ms = REQUEST_S * 1000;
    f->total_ms = TOTAL_S * 1000;
    f->refresh_percent = REFRESH_AHEAD;
    (void)snprintf(f->channel, sizeof f->channel, "standard");
    atomic_init(&f->requests, 0);
    *out = f;
    return ATLS_OK;
}

static void forget(char *secret)
{
    if (secret != NULL) {
        OPENSSL_cleanse(secret, strlen(secret));
        free(secret);
    }
}

void atls_fetcher_free(atls_fetcher *f)
{
    if (f == NULL) {
        return;
    }
    fetcher_thread_stop(f);
    atls_shared_free(f->shared);
    for (fetcher_line *l = f->lines; l != NULL;) {
        fetcher_line *next = l->next;
        free(l);
        l = next;
    }
    (void)pthread_cond_destroy(&f->ended);
    (void)pthread_mutex_destroy(&f->lock);
    free(f->ca_file);
    free(f->user_agent);
    forget(f->proxy); /* may hold a password */
    forget(f->api_key);
    free(f);
}

/* --- settings --- */

atls_code atls_fetcher_add_origin(atls_fetcher *f, const char *origin, atls_err *err)
{
    if (f->started || f->origins_n >= ATLS_ORIGINS_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "fetch.origin",
                        f->started ? "origins are given before the start" : "at most %d origins",
                        ATLS_ORIGINS_MAX);
    }
    ATLS_TRY(atls_origin_parse(origin, &f->origins[f->origins_n], err));
    f->origins_n++;
    return ATLS_OK;
}

atls_code atls_fetcher_add_vendors(atls_fetcher *f, atls_err *err)
{
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++) {
        ATLS_TRY(atls_fetcher_add_origin(f, vendors[i], err));
    }
    return ATLS_OK;
}

static bool set_text(char **to, const char *value)
{
    char *copy = strdup(value);
    if (copy != NULL) {
        forget(*to);
        *to = copy;
    }
    return copy != NULL;
}

static bool read_number(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
    uint32_t n = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || n > most) {
            return false;
        }
        n = n * 10 + (uint32_t)(*c - '0');
    }
    if (text[0] == '\0' || n < least || n > most) {
        return false;
    }
    *out = n;
    return true;
}

/* One line of printable characters, which stands in a header. */
static bool read_key_file(const char *path, char **out)
{
    char key[API_KEY_MAX + 2] = "";
    FILE *file = fopen(path, "re");
    bool fine = file != NULL && fgets(key, sizeof key, file) != NULL;
    if (file != NULL) {
        (void)fclose(file);
    }
    size_t len = strcspn(key, "\r\n");
    key[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        fine = fine && key[i] > ' ' && key[i] < 0x7f;
    }
    fine = fine && len > 0 && len <= API_KEY_MAX && set_text(out, key);
    OPENSSL_cleanse(key, sizeof key);
    return fine;
}

static bool set_channel(atls_fetcher *f, const char *value)
{
    uint32_t n = 0;
    bool fine = strcmp(value, "standard") == 0 || strcmp(value, "early") == 0 ||
                (value[0] != '0' && read_number(value, 1, 999999, &n));
    if (fine) {
        (void)snprintf(f->channel, sizeof f->channel, "%s", value);
    }
    return fine;
}

static bool is_plain(const char *value)
{
    size_t n = 0;
    for (; value[n] >= ' ' && value[n] < 0x7f; n++) {
    }
    return value[n] == '\0' && n > 0 && n < 256;
}

/* False: not of that option's values; *known: whether there is such an option. */
static bool set_option(atls_fetcher *f, const char *name, const char *value, bool *known)
{
    uint32_t n = 0;
    *known = true;
    if (strcmp(name, "proxy") == 0) {
        return is_plain(value) && set_text(&f->proxy, value);
    }
    if (strcmp(name, "ca") == 0) {
        FILE *file = fopen(value, "re");
        bool there = file != NULL;
        if (there) {
            (void)fclose(file);
        }
        return there && set_text(&f->ca_file, value);
    }
    if (strcmp(name, "api-key") == 0) {
        return read_key_file(value, &f->api_key);
    }
    if (strcmp(name, "user-agent") == 0) {
        return is_plain(value) && set_text(&f->user_agent, value);
    }
    if (strcmp(name, "channel") == 0) {
        return set_channel(f, value);
    }
    if (strcmp(name, "refresh-ahead") == 0) {
        return read_number(value, 1, 90, &f->refresh_percent);
    }
    bool total = strcmp(name, "total-timeout") == 0;
    *known = total || strcmp(name, "request-timeout") == 0;
    if (!*known || !read_number(value, 1, NUMBER_MAX, &n)) {
        return false;
    }
    *(total ? &f->total_ms : &f->request_ms) = n * 1000;
    return true;
}

atls_code atls_fetcher_set_option(atls_fetcher *f, const char *name, const char *value,
                                  atls_err *err)
{
    bool known = true;
    if (f->started) {
        return ATLS_ERR(err, ATLS_E_USAGE, "fetch.option", "options are given before the start");
    }
    if (set_option(f, name, value, &known)) {
        return ATLS_OK;
    }
    if (!known) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, "fetch.option",
            "no option %.40s: proxy, ca, api-key, request-timeout, total-timeout, refresh-ahead, channel, "
            "user-agent",
            name);
    }
    return ATLS_ERR(
        err, ATLS_E_USAGE, "fetch.option",
        "option %.40s cannot be %.100s: proxy a URL; ca, api-key files that can be read; timeouts 1 to %d "
        "seconds; refresh-ahead 1 to 90; channel standard, early or a number",
        name, strcmp(name, "proxy") == 0 ? "that" : value /* a password may stand in it */,
        NUMBER_MAX);
}

void atls_fetcher_set_log(atls_fetcher *f, atls_fetch_log *log, void *arg)
{
    f->log = log;
    f->log_arg = arg;
}

/* --- work --- */

atls_code atls_fetcher_start(atls_fetcher *f, atls_err *err)
{
    if (f->started) {
        return ATLS_ERR(err, ATLS_E_USAGE, "fetch.started", "the fetcher is at work already");
    }
    atls_code rc = fetcher_thread_start(f, err);
    if (rc != ATLS_OK) {
        fetcher_thread_stop(f);
    }
    return rc;
}

void atls_fetcher_keep_fresh(atls_fetcher *f, bool keep)
{
    (void)pthread_mutex_lock(&f->lock);
    f->keep = keep;
    if (f->keeper != NULL) {
        atls_keeper_keep_fresh(f->keeper, keep);
    }
    (void)pthread_mutex_unlock(&f->lock);
    if (f->started) {
        atls_curl_wakeup(f->curl);
    }
}

uint64_t atls_fetcher_requests(const atls_fetcher *f)
{
    return atomic_load(&f->requests);
}

/* Those who wait for one another's keys meet in the keeper. */
typedef struct waiting {
    size_t n;
    uint64_t tickets[ATLS_NEEDS_MAX];
    bool hopeless[ATLS_NEEDS_MAX];
    atls_err why; /* of the first that is hopeless */
} waiting;

static void want_all(atls_fetcher *f, uint32_t client, const atls_needs *needs, bool force,
                     waiting *w)
{
    uint64_t now_ms = fetcher_clock_ms();
    int64_t when_s = fetcher_clock_s();
    w->n = needs->n < ATLS_NEEDS_MAX ? needs->n : ATLS_NEEDS_MAX;
    for (size_t i = 0; i < w->n; i++) {
        atls_err err = {0};
        atls_code rc = client != 0 ? atls_keeper_want_for(f->keeper, client, needs->keys[i], now_ms,
                                                          when_s, &w->tickets[i], &err)
                                   : atls_keeper_want(f->keeper, needs->keys[i], force, now_ms,
                                                      when_s, &w->tickets[i], &err);
        w->hopeless[i] = rc != ATLS_OK;
        if (w->hopeless[i] && w->why.code == ATLS_OK) {
            w->why = err;
        }
    }
}

/* What became of them all: PENDING while one of them is; else FAILED, and why of the first that did. */
static atls_keeper_state look_at_all(const atls_fetcher *f, const atls_needs *needs,
                                     const waiting *w, atls_err *why)
{
    atls_keeper_state all = ATLS_KEEPER_HELD;
    for (size_t i = 0; i < w->n; i++) {
        atls_err err = w->why;
        atls_keeper_state one =
            w->hopeless[i] ? ATLS_KEEPER_FAILED
                           : atls_keeper_look(f->keeper, needs->keys[i], w->tickets[i], &err);
        if (one == ATLS_KEEPER_PENDING) {
            *why = err;
            return one;
        }
        if (one == ATLS_KEEPER_FAILED && all == ATLS_KEEPER_HELD) {
            *why = err;
            all = one;
        }
    }
    return all;
}

static struct timespec in_ms(uint32_t ms)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static atls_code give_up(const atls_err *why, atls_err *err)
{
    if (why->code != ATLS_OK) { /* what has gone wrong so far */
        if (err != NULL) {
            *err = *why;
        }
        return why->code;
    }
    return ATLS_ERR(err, ATLS_E_COLLATERAL, "fetch.timeout",
                    "no origin has answered yet: ask again, or wait longer (total-timeout)");
}

static atls_code wait_for(atls_fetcher *f, uint32_t client, const atls_needs *needs, bool force,
                          uint32_t timeout_ms, atls_err *err)
{
    /* The keeper ends each job in its time; the last request may take a little longer. */
    struct timespec end = in_ms(timeout_ms != 0 ? timeout_ms : f->total_ms + 1000);
    waiting w = {0};
    atls_err why = {0};
    atls_keeper_state state = ATLS_KEEPER_PENDING;
    bool late = false;
    (void)pthread_mutex_lock(&f->lock);
    f->waiting++;
    want_all(f, client, needs, force, &w);
    atls_curl_wakeup(f->curl);
    while ((state = look_at_all(f, needs, &w, &why)) == ATLS_KEEPER_PENDING && !late && !f->stop) {
        late = pthread_cond_timedwait(&f->ended, &f->lock, &end) != 0;
    }
    f->waiting--;
    if (f->stop) {
        (void)pthread_cond_broadcast(&f->ended);
    }
    (void)pthread_mutex_unlock(&f->lock);
    return state == ATLS_KEEPER_HELD ? ATLS_OK : give_up(&why, err);
}

static atls_code get(atls_fetcher *f, uint32_t client, const atls_needs *needs, bool force,
                     uint32_t timeout_ms, atls_err *err)
{
    atls_needs left = *needs;
    if (!f->started) {
        return ATLS_ERR(err, ATLS_E_USAGE, "fetch.started", "the fetcher was not started");
    }
    if (!force) {
        bool jwks = false; /* has no end; the keeper knows its age */
        for (size_t i = 0; i < left.n && i < ATLS_NEEDS_MAX; i++) {
            jwks = jwks || strncmp(left.keys[i], "jwks/", 5) == 0;
        }
        if (!jwks) {
            atls_store_reduce_needs(f->store, &left, fetcher_clock_s());
        }
    }
    return left.n == 0 ? ATLS_OK : wait_for(f, client, &left, force, timeout_ms, err);
}

atls_code atls_fetcher_get(atls_fetcher *f, const atls_needs *needs, uint32_t timeout_ms,
                           atls_err *err)
{
    return get(f, 0, needs, false, timeout_ms, err);
}

atls_code atls_fetcher_renew(atls_fetcher *f, const atls_needs *needs, uint32_t timeout_ms,
                             atls_err *err)
{
    return get(f, 0, needs, true, timeout_ms, err);
}

static bool enter(atls_fetcher *f)
{
    (void)pthread_mutex_lock(&f->lock);
    const bool room = f->served < FETCHER_SERVED_MAX;
    f->served += room ? 1 : 0;
    (void)pthread_mutex_unlock(&f->lock);
    return room;
}

static void leave(atls_fetcher *f)
{
    (void)pthread_mutex_lock(&f->lock);
    f->served--;
    (void)pthread_mutex_unlock(&f->lock);
}

atls_code fetcher_get_for(atls_fetcher *f, uint32_t client, const atls_needs *needs, atls_err *err)
{
    if (!enter(f)) {
        return ATLS_ERR(
            err, ATLS_E_COLLATERAL, "fetch.busy",
            "%d requests of other hosts wait already for what is not here: ask again later",
            FETCHER_SERVED_MAX);
    }
    const atls_code rc = get(f, client, needs, false, 0, err);
    leave(f);
    return rc;
}
