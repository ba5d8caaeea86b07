/* keeper_renew.c: what is held is renewed ahead of its end, and what was wanted and could not be had is asked for again. */
#include <string.h>

#include "net/keeper_state.h"

#define MINUTE_S        60
#define HOUR_S          3600
#define DAY_S           86400
#define SCAN_MS         600000 /* at least so often: the clock may jump, others may put items in */
#define SCAN_MIN_MS     1000
#define JOBS_AT_ONCE    64u /* of renewal */
#define RETRY_MIN_S     (5 * MINUTE_S)
#define UNCHANGED_MIN_S (15 * MINUTE_S)

static bool starts_with(const char *key, const char *prefix)
{
    return strncmp(key, prefix, strlen(prefix)) == 0;
}

int64_t keeper_due(const atls_keeper *k, const atls_item_status *s)
{
    uint32_t chance = keeper_hash(k->seed, s->key) ^ (uint32_t)s->issued_s;
    if (starts_with(s->key, "amd/vcek/")) {
        return INT64_MAX; /* never changes */
    }
    if (s->source == ATLS_ITEM_STAPLED) { /* of all that is in its time a stranger chose this one */
        return s->taken_s;
    }
    if (starts_with(
            s->key,
            "jwks/")) { /* has no end; issuers rotate keys, and revoke by leaving them out */
        return s->taken_s + HOUR_S - (int64_t)(chance % (HOUR_S / 4));
    }
    int64_t end = s->expires_s < s->next_update_s ? s->expires_s : s->next_update_s;
    if (end == INT64_MAX || end <= s->issued_s || s->issued_s < 0) {
        return end;
    }
    int64_t ahead = (end - s->issued_s) / 100 * (int64_t)k->settings.refresh_percent;
    return end - ahead - (int64_t)chance % (ahead / 4 + 1);
}

static int64_t random_part(const atls_keeper *k, int64_t seconds)
{
    return seconds / 2 +
           (int64_t)k->settings.random(k->settings.arg, (uint32_t)(seconds - seconds / 2) + 1);
}

void keeper_plan(atls_keeper *k, keeper_entry *e, bool taken, uint64_t now_ms, int64_t when_s)
{
    atls_item_status s;
    int64_t wait = 0;
    int64_t due = INT64_MAX;
    if (!taken) {
        unsigned n = e->renew_failures < 8 ? e->renew_failures++ : 8;
        wait = (int64_t)RETRY_MIN_S << n;
        wait = wait < HOUR_S ? wait : HOUR_S;
    } else {
        e->renew_failures = 0;
        e->told_failed_s = 0;
        e->told_expired = false;
        due = keeper_held(k, e->key, &s) ? keeper_due(k, &s) : INT64_MAX;
        if (due <= when_s) { /* the origin has no newer one yet */
            int64_t left = (s.expires_s - when_s) / 4;
            wait = left < UNCHANGED_MIN_S ? UNCHANGED_MIN_S : left > DAY_S ? DAY_S : left;
        }
    }
    e->renew_after_s = wait > 0 ? when_s + random_part(k, wait) : when_s;
    due = wait > 0 ? e->renew_after_s : due;
    if (due - when_s < SCAN_MS / 1000 && k->scan_ms > now_ms + (uint64_t)(due - when_s) * 1000) {
        k->scan_ms = now_ms + (uint64_t)(due - when_s) * 1000;
    }
}

typedef struct scan {
    uint64_t now_ms;
    int64_t when_s;
    int64_t next_s;   /* when the next item is due */
    unsigned started; /* jobs */
} scan;

static void note_due(scan *s, int64_t due_s)
{
    s->next_s = due_s < s->next_s ? due_s : s->next_s;
}

static void start_due(atls_keeper *k, keeper_entry *e, int64_t due_s, scan *s)
{
    if (e->renew_after_s > s->when_s + DAY_S) {
        e->renew_after_s = s->when_s; /* the clock went back */
    }
    due_s = e->renew_after_s > due_s ? e->renew_after_s : due_s;
    if (due_s > s->when_s) {
        note_due(s, due_s);
    } else if (s->started >= JOBS_AT_ONCE ||
               !keeper_start(k, e, false, false, s->now_ms, s->when_s)) {
        note_due(s, s->when_s);
    } else {
        s->started++;
    }
}

static void scan_held(atls_keeper *k, const atls_item_status *i, scan *s)
{
    int64_t due = keeper_due(k, i);
    keeper_entry *e = keeper_find(k, i->key);
    if (due > s->when_s) {
        note_due(s, due);
        return;
    }
    if (e == NULL) {
        e = keeper_add(k, i->key, s->now_ms);
    }
    if (e == NULL) {
        return;
    }
    if (i->expires_s <= s->when_s && !e->told_expired) {
        e->told_expired = true;
        keeper_log_item(k, "expired", i->key, NULL, true, s->when_s);
    }
    if (e->phase == KEEPER_IDLE) {
        start_due(k, e, due, s);
    }
}

/* Wanted within a day, not held, and not for want of its existence. */
static void scan_missing(atls_keeper *k, scan *s)
{
    atls_item_status held;
    for (size_t i = 0; i < KEEPER_BUCKETS; i++) {
        for (keeper_entry *e = k->buckets[i]; e != NULL; e = e->next_in_bucket) {
            if (e->phase == KEEPER_IDLE && e->wanted_s != 0 && e->wanted_s + DAY_S > s->when_s &&
                !e->absent && e->serving != 0 && !keeper_held(k, e->key, &held)) {
                start_due(k, e, e->renew_after_s, s);
            }
        }
    }
}

void keeper_scan(atls_keeper *k, uint64_t now_ms, int64_t when_s)
{
    scan s = {.now_ms = now_ms, .when_s = when_s, .next_s = INT64_MAX};
    atls_item_status i;
    for (size_t n = 0; atls_store_at(k->store, n, &i); n++) {
        scan_held(k, &i, &s);
    }
    scan_missing(k, &s);
    uint64_t wait = SCAN_MS;
    if (s.next_s - when_s < SCAN_MS / 1000) {
        wait = s.next_s <= when_s ? SCAN_MIN_MS : (uint64_t)(s.next_s - when_s) * 1000;
    }
    k->scan_ms = now_ms + wait;
}
