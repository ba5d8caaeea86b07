/* shared.h: the second level of a fleet: items and single-flight locks in Redis, Cluster included (the key's hash tag keeps
 * all of one item on one node). Hostile as a network: what comes out is judged like everything. Each call ends within its time;
 * after a failure the level counts as away for some seconds, and calls return at once. One thread. */
#ifndef ATLS_NET_SHARED_H
#define ATLS_NET_SHARED_H

#include <atls/fetch.h>

typedef struct atls_shared atls_shared;

/* ATLS_E_USAGE "fetch.shared". Does not connect yet. timeout_ms: of each call (100 is good). */
ATLS_MUST_USE atls_code atls_shared_new(const char *url, uint32_t timeout_ms, atls_shared **out,
                                        atls_err *err);
void atls_shared_free(atls_shared *s);

typedef enum atls_shared_result {
    ATLS_SHARED_FOUND = 0, /* *item is set: views that live until the next call */
    ATLS_SHARED_NONE,      /* and the lock is ours: fetch it, then put, or unlock */
    ATLS_SHARED_WAIT,      /* and another host is fetching it */
    ATLS_SHARED_AWAY
} atls_shared_result;
/* lock_ms: how long the others wait for us if it is not there. JWK sets are never asked for (NONE). */
atls_shared_result atls_shared_get(atls_shared *s, const char *key, uint32_t lock_ms,
                                   uint64_t now_ms, atls_item *item);
/* Shares what has just been taken, and ends the lock; an older one never replaces a newer one (number, then issued_s),
 * and it is forgotten after its expiry. JWK sets are not shared. False: away. */
bool atls_shared_put(atls_shared *s, const atls_item *item, const atls_item_status *status,
                     int64_t when_s, uint64_t now_ms);
void atls_shared_unlock(atls_shared *s, const char *key, uint64_t now_ms);
/* What was noticed last, for logs ("" : nothing). */
const char *atls_shared_trouble(const atls_shared *s);

#endif
