/* fetcher_thread.c: does what the keeper says, until it is told to stop. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "base/err.h"
#include "net/fetcher.h"

#define WAIT_MAX_MS 60000u /* the clock may have been set, or the machine asleep */

static int64_t clock_of(clockid_t id, int64_t per_s)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return t.tv_sec * per_s + t.tv_nsec / (1000000000 / per_s);
}

int64_t fetcher_clock_s(void)
{
    return clock_of(CLOCK_REALTIME, 1);
}

uint64_t fetcher_clock_ms(void)
{
    return (uint64_t)clock_of(CLOCK_BOOTTIME, 1000);
}

/* Jitter only: a failure of the generator makes hosts ask at the same time, and nothing worse. */
static uint32_t random_below(void *arg, uint32_t below)
{
    unsigned char b[4] = {0};
    (void)arg;
    (void)RAND_bytes(b, sizeof b);
    uint32_t n = b[0] * 16777216u + b[1] * 65536u + b[2] * 256u + b[3];
    return below > 0 ? n % below : 0;
}

/* --- lines --- */

/* From the keeper, under the lock. */
void fetcher_keep_line(void *arg, const char *text)
{
    atls_fetcher *f = arg;
    size_t len = strlen(text) + 1;
    fetcher_line *l = f->lines_n < FETCHER_LINES_MAX ? malloc(sizeof *l + len) : NULL;
    if (l == NULL) {
        return;
    }
    memcpy(l->text, text, len);
    l->next = NULL;
    *(f->lines != NULL ? &f->last_line->next : &f->lines) = l;
    f->last_line = l;
    f->lines_n++;
}

/* Called with the lock, which is given away while lines are written: who writes them may call us. */
static void write_lines(atls_fetcher *f)
{
    fetcher_line *l = f->lines;
    f->lines = f->last_line = NULL;
    f->lines_n = 0;
    (void)pthread_mutex_unlock(&f->lock);
    while (l != NULL) {
        fetcher_line *next = l->next;
        f->log(f->log_arg, l->text);
        free(l);
        l = next;
    }
    (void)pthread_mutex_lock(&f->lock);
}

/* --- the thread --- */

static void do_step(atls_fetcher *f, const atls_keeper_action *a)
{
    atls_err err;
    switch (a->step) {
    case ATLS_STEP_ORIGIN:
        if (atls_curl_start(f->curl, a->id, a->origin, &a->request, a->timeout_ms, &err) ==
            ATLS_OK) {
            (void)atomic_fetch_add(&f->requests, 1);
        } else {
            atls_keeper_done(f->keeper, a->id, NULL, &err, fetcher_clock_ms(), fetcher_clock_s());
        }
        return;
    case ATLS_STEP_SHARED:
    case ATLS_STEP_SHARE:
    case ATLS_STEP_UNLOCK:
        fetcher_shared_step(f, a);
        return;
    }
}

/* How long there is nothing to begin, in ms. */
static uint32_t begin_steps(atls_fetcher *f)
{
    atls_keeper_action a;
    uint64_t wake = 0;
    while (atls_keeper_next(f->keeper, fetcher_clock_ms(), fetcher_clock_s(), &a, &wake)) {
        do_step(f, &a);
    }
    uint64_t now = fetcher_clock_ms();
    return wake <= now ? 0 : wake - now < WAIT_MAX_MS ? (uint32_t)(wake - now) : WAIT_MAX_MS;
}

static void *work(void *arg)
{
    atls_fetcher *f = arg;
    atls_curl_result r;
    (void)pthread_mutex_lock(&f->lock);
    while (!f->stop) {
        uint32_t wait = begin_steps(f);
        (void)pthread_cond_broadcast(&f->ended); /* jobs end for lack of time, too */
        if (f->lines != NULL) {
            write_lines(f);
        }
        (void)pthread_mutex_unlock(&f->lock);
        atls_curl_poll(f->curl, wait);
        while (atls_curl_ended(f->curl, &r)) {
            (void)pthread_mutex_lock(&f->lock);
            atls_keeper_done(f->keeper, r.id, r.answered ? &r.response : NULL, &r.failure,
                             fetcher_clock_ms(), fetcher_clock_s());
            (void)pthread_mutex_unlock(&f->lock);
        }
        (void)pthread_mutex_lock(&f->lock);
    }
    (void)pthread_cond_broadcast(&f->ended);
    if (f->lines != NULL) {
        write_lines(f);
    }
    (void)pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* No signal of the program is handled in our thread. */
static int start_quietly(atls_fetcher *f)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&f->thread, NULL, work, f);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

atls_code fetcher_thread_start(atls_fetcher *f, atls_err *err)
{
    const atls_curl_settings curl = {.proxy = f->proxy,
                                     .ca_file = f->ca_file,
                                     .api_key = f->api_key,
                                     .user_agent = f->user_agent,
                                     .request_timeout_ms = f->request_ms};
    atls_keeper_settings settings = {.origins = f->origins,
                                     .origins_n = f->origins_n,
                                     .total_ms = f->total_ms,
                                     .refresh_percent = f->refresh_percent,
                                     .has_shared = f->shared != NULL,
                                     .random = random_below,
                                     .log = f->log != NULL ? fetcher_keep_line : NULL,
                                     .arg = f};
    memcpy(settings.channel, f->channel, sizeof settings.channel);
    ATLS_TRY(atls_curl_new(&curl, &f->curl, err));
    f->keeper = atls_keeper_new(f->store, &settings);
    if (f->keeper == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_keeper_keep_fresh(f->keeper, f->keep);
    if (start_quietly(f) != 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "fetch.thread",
                        "no thread for fetching can be started");
    }
    f->started = true;
    return ATLS_OK;
}

void fetcher_thread_stop(atls_fetcher *f)
{
    if (f->started) {
        (void)pthread_mutex_lock(&f->lock);
        f->stop = true;
        (void)pthread_mutex_unlock(&f->lock);
        atls_curl_wakeup(f->curl);
        (void)pthread_join(f->thread, NULL);
        (void)pthread_mutex_lock(&f->lock);
        while (f->waiting > 0) { /* they look at the keeper once more */
            (void)pthread_cond_wait(&f->ended, &f->lock);
        }
        (void)pthread_mutex_unlock(&f->lock);
        f->started = false;
    }
    atls_curl_free(f->curl);
    atls_keeper_free(f->keeper);
    f->curl = NULL;
    f->keeper = NULL;
}
