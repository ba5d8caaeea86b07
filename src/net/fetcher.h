/* fetcher.h: the inside of a fetcher: a keeper that says what to ask, a thread that asks it, and those who wait. The only part that
 * reads clocks. */
#ifndef ATLS_NET_FETCHER_H
#define ATLS_NET_FETCHER_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/curl.h"
#include "net/keeper.h"
#include "net/shared.h"

/* Lines for the log, kept until the thread can write them without holding the lock. */
typedef struct fetcher_line fetcher_line;
struct fetcher_line {
    fetcher_line *next;
    char text[];
};
#define FETCHER_LINES_MAX 4096 /* more than that at once are left out */

struct atls_fetcher {
    atls_store *store; /* borrowed */

    /* settings: not changed after the start */
    atls_origin origins[ATLS_ORIGINS_MAX];
    size_t origins_n;
    char *proxy, *ca_file, *api_key, *user_agent; /* malloc'ed, or NULL */
    uint32_t request_ms, total_ms, refresh_percent;
    char channel[16];
    atls_fetch_log *log;
    void *log_arg;

    bool started;
    pthread_t thread;
    atls_shared *shared; /* the thread's; NULL: there is none */
    char shared_trouble[200];
    atls_curl *curl; /* the thread's; others only wake it */
    atomic_uint_fast64_t requests;

    pthread_mutex_t lock; /* all below, and log lines in the order of what they tell */
    pthread_cond_t ended; /* of CLOCK_MONOTONIC: some job may have ended */
    bool stop, keep;
    unsigned waiting; /* threads in atls_fetcher_get */
    unsigned served;  /* those of them that wait for other hosts */
    atls_keeper *keeper;
    fetcher_line *lines, *last_line;
    size_t lines_n;
};

#define FETCHER_SERVED_MAX                                                                         \
    192 /* of the requests of other hosts that wait: what is held is answered besides */
/* atls_fetcher_get for another host, told from others by that number. Likewise ATLS_E_COLLATERAL "fetch.busy". */
ATLS_MUST_USE atls_code fetcher_get_for(atls_fetcher *f, uint32_t client, const atls_needs *needs,
                                        atls_err *err);

int64_t fetcher_clock_s(void);   /* CLOCK_REALTIME, seconds since 1970 */
uint64_t fetcher_clock_ms(void); /* CLOCK_BOOTTIME */

/* Makes keeper, connections and thread out of the settings. */
ATLS_MUST_USE atls_code fetcher_thread_start(atls_fetcher *f, atls_err *err);
void fetcher_thread_stop(atls_fetcher *f);
void fetcher_keep_line(void *arg, const char *text); /* for the log; with the lock */
/* STEP_SHARED, SHARE and UNLOCK; with the lock, which is given away meanwhile. */
void fetcher_shared_step(atls_fetcher *f, const atls_keeper_action *a);

#endif
