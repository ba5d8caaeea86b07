/* keeper.h: which item to ask which origin for, and when: the rules of fetching as a machine without clock or connection.
 *
 * Single flight: one request an item at a time. Fail-over through the origins in order, retries with jitter until the item's total
 * time is over, peace where an origin asked for it (Retry-After) or is known to want it (KDS), absence remembered
 * briefly, renewal ahead of expiry. The driver (fetcher.c, or a test) calls next, makes the request, tells done. Not for
 * several threads at once: the driver has the lock. now_ms is of a clock that never goes back, and goes on in suspend. */
#ifndef ATLS_NET_KEEPER_H
#define ATLS_NET_KEEPER_H

#include "net/response.h"

typedef struct atls_keeper atls_keeper;

typedef struct atls_keeper_settings {
    const atls_origin *origins; /* borrowed */
    size_t origins_n;           /* at most ATLS_ORIGINS_MAX */
    uint32_t total_ms;          /* for one item, over all origins and retries */
    uint32_t refresh_percent;   /* of its life that an item is renewed before its end */
    char channel[16];
    bool has_shared;                               /* ask the second level before an origin */
    uint32_t (*random)(void *arg, uint32_t below); /* jitter: 0 to below - 1 */
    atls_fetch_log *log;                           /* NULL: none; called from all that take k */
    void *arg;                                     /* of both */
} atls_keeper_settings;

/* The store is borrowed. NULL: no memory. */
atls_keeper *atls_keeper_new(atls_store *store, const atls_keeper_settings *settings);
void atls_keeper_free(atls_keeper *k);

/* Somebody waits for it: it is fetched now unless the store has it in its time (force: even then). What failed a moment ago, and
 * absence, are answered from memory (unless force). Its place in *ticket, for atls_keeper_look.
 * ATLS_E_USAGE "item.key"; ATLS_E_COLLATERAL "fetch.busy". */
ATLS_MUST_USE atls_code atls_keeper_want(atls_keeper *k, const char *key, bool force,
                                         uint64_t now_ms, int64_t when_s, uint64_t *ticket,
                                         atls_err *err);
/* The same for another host, by whatever number it is told from others (0: ourselves, as above). Where an origin wants peace between
 * requests, each has its turn; it starts at most ATLS_KEEPER_CLIENT_JOBS fetches at a time ("fetch.busy"). */
#define ATLS_KEEPER_CLIENT_JOBS 16
ATLS_MUST_USE atls_code atls_keeper_want_for(atls_keeper *k, uint32_t client, const char *key,
                                             uint64_t now_ms, int64_t when_s, uint64_t *ticket,
                                             atls_err *err);
typedef enum atls_keeper_state {
    ATLS_KEEPER_PENDING = 0,
    ATLS_KEEPER_HELD,
    ATLS_KEEPER_FAILED
} atls_keeper_state;
/* FAILED: err says why (the most telling of what the origins answered). PENDING: what has gone wrong so far, code ATLS_OK if
 * nothing has. */
atls_keeper_state atls_keeper_look(const atls_keeper *k, const char *key, uint64_t ticket,
                                   atls_err *err);
/* Renew what the store holds, and go on asking for what was wanted and could not be had. */
void atls_keeper_keep_fresh(atls_keeper *k, bool keep);

/* The next thing to do now; false: nothing until *wake_ms (UINT64_MAX: until something is wanted, or done). */
typedef enum atls_keeper_step {
    ATLS_STEP_SHARED = 0, /* ask the second level; then atls_keeper_done_shared */
    ATLS_STEP_ORIGIN,     /* ask an origin; then atls_keeper_done */
    ATLS_STEP_SHARE,      /* give the second level what has been taken; nothing is told back */
    ATLS_STEP_UNLOCK      /* it could not be had: let other hosts try; nothing is told back */
} atls_keeper_step;
typedef struct atls_keeper_action {
    uint64_t id; /* for atls_keeper_done */
    atls_keeper_step step;
    char key[ATLS_ITEM_KEY_LEN];
    const atls_origin *origin; /* of STEP_ORIGIN */
    atls_http_request request; /* likewise */
    uint32_t timeout_ms;       /* likewise: what is left of the item's total time */
} atls_keeper_action;
bool atls_keeper_next(atls_keeper *k, uint64_t now_ms, int64_t when_s, atls_keeper_action *out,
                      uint64_t *wake_ms);

/* What came of it. response NULL: failure says why: "fetch.size": more came than is taken; others: no answer. Takes the item into
 * the store where it holds. */
void atls_keeper_done(atls_keeper *k, uint64_t id, const atls_http_response *response,
                      const atls_err *failure, uint64_t now_ms, int64_t when_s);
/* Of STEP_SHARED: the item that was there (NULL: none, or away); wait: another host is fetching it, ask the second level again. */
void atls_keeper_done_shared(atls_keeper *k, uint64_t id, const atls_item *item, bool wait,
                             uint64_t now_ms, int64_t when_s);

#endif
