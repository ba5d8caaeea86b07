/* keeper_job.c: the life of one fetch, from its start to its end. */
#include "net/keeper_state.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define JWKS_GOOD_S     86400
#define TOLD_WANTED_S   600
#define TOLD_RENEWING_S 86400

bool keeper_held(const atls_keeper *k, const char *key, atls_item_status *out)
{
    atls_held *held = NULL;
    if (!atls_store_get(k->store, key, &held)) {
        return false;
    }
    atls_held_status(held, out);
    atls_held_free(held);
    return true;
}

bool keeper_in_time(const atls_keeper *k, const char *key, int64_t when_s)
{
    atls_item_status s;
    if (!keeper_held(k, key, &s) || s.expires_s <= when_s) {
        return false;
    }
    return strncmp(key, "jwks/", 5) != 0 || when_s < s.taken_s + JWKS_GOOD_S;
}

uint32_t keeper_backoff(const atls_keeper *k, uint32_t base, uint32_t max, unsigned n)
{
    uint64_t d = (uint64_t)base << (n < 20 ? n : 20);
    uint32_t whole = d < max ? (uint32_t)d : max;
    return whole - whole / 2 + k->settings.random(k->settings.arg, whole / 2 + 1);
}

void keeper_trouble(keeper_entry *e, keeper_rank rank, const atls_err *why)
{
    if (rank >= e->rank) {
        e->rank = rank;
        e->trouble = *why;
    }
}

static uint32_t serving(const atls_keeper *k, const char *key)
{
    uint32_t set = 0;
    for (size_t i = 0; i < k->settings.origins_n; i++) {
        if (atls_origin_serves(&k->settings.origins[i], key)) {
            set |= 1u << i;
        }
    }
    return set;
}

static void append(atls_keeper *k, keeper_entry *e)
{
    e->before = k->last_job;
    e->after = NULL;
    *(k->last_job != NULL ? &k->last_job->after : &k->first_job) = e;
    k->last_job = e;
    k->jobs++;
}

static void take_out(atls_keeper *k, keeper_entry *e)
{
    *(e->before != NULL ? &e->before->after : &k->first_job) = e->after;
    *(e->after != NULL ? &e->after->before : &k->last_job) = e->before;
    e->before = e->after = NULL;
    k->jobs--;
}

bool keeper_start(atls_keeper *k, keeper_entry *e, bool wanted, bool forced, uint64_t now_ms,
                  int64_t when_s)
{
    atls_item_status s;
    bool shares = k->settings.has_shared && !forced && strncmp(e->key, "jwks/", 5) != 0;
    if (k->jobs >= KEEPER_JOBS_MAX) {
        return false;
    }
    e->phase = shares ? KEEPER_SHARED : KEEPER_ORIGINS;
    e->wanted = wanted;
    e->forced = forced;
    e->client = 0;
    e->ticket = ++k->tickets;
    e->deadline_ms = now_ms + k->settings.total_ms;
    e->next_ms = now_ms;
    e->round = e->attempts = 0;
    e->serving = serving(k, e->key);
    e->tried = e->dropped = 0;
    e->answered = e->absent = e->silent = e->lock_is_ours = e->asked_for_chain = false;
    uint32_t wait = k->settings.total_ms / 2;
    e->shared_until_ms = now_ms + (wait < KEEPER_SHARED_MAX_MS ? wait : KEEPER_SHARED_MAX_MS);
    e->rank = RANK_NONE;
    e->trouble = (atls_err){.code = ATLS_OK};
    e->was_held = keeper_held(k, e->key, &s);
    if (e->was_held) {
        memcpy(e->was_sha256, s.sha256, sizeof e->was_sha256);
    }
    if (e->was_held && s.expires_s <= when_s && !e->told_expired) {
        e->told_expired = true;
        keeper_log_item(k, "expired", e->key, NULL, true, when_s);
    }
    append(k, e);
    return true;
}

/* The end of a job that nobody could do anything for yet. */
static void explain_nothing(const atls_keeper *k, keeper_entry *e)
{
    if (e->serving == 0) {
        (void)ATLS_ERR(
            &e->trouble, ATLS_E_COLLATERAL, "fetch.no_origin",
            "no configured origin has %.120s: add one of its kind (intel=, pccs=, amd=, jwks:ISSUER=)",
            e->key);
        return;
    }
    const atls_err *chain = keeper_chain_trouble(k, e);
    if (chain != NULL) {
        e->trouble = *chain;
        e->silent = true;
        return;
    }
    size_t i = 0;
    while ((e->serving & 1u << i) == 0) {
        i++;
    }
    (void)ATLS_ERR(
        &e->trouble, ATLS_E_COLLATERAL, "fetch.throttled",
        "%zu items wait for their turn at %.100s and its likes, and the time for this one is over: ask again, "
        "or raise total-timeout",
        k->jobs, k->settings.origins[i].name);
}

static void set_reachable(const atls_keeper *k, const keeper_entry *e, bool taken, int64_t when_s)
{
    atls_item_status s;
    if (taken || e->answered) {
        if (keeper_held(k, e->key, &s) && s.unreachable_since_s != 0) {
            atls_store_set_reachable(k->store, e->key, true, when_s);
        }
    } else if (e->silent) {
        atls_store_set_reachable(k->store, e->key, false, when_s);
    }
}

static void tell_failed(const atls_keeper *k, keeper_entry *e, int64_t when_s)
{
    int64_t quiet = e->wanted ? TOLD_WANTED_S : TOLD_RENEWING_S;
    bool same = e->told_check != NULL && e->trouble.check != NULL &&
                strcmp(e->told_check, e->trouble.check) == 0;
    if (!same || e->told_failed_s == 0 || when_s >= e->told_failed_s + quiet ||
        when_s < e->told_failed_s) {
        e->told_failed_s = when_s;
        e->told_check = e->trouble.check;
        keeper_log_trouble(k, "failed", e->key, NULL, &e->trouble, when_s);
    }
}

static void follow_up(atls_keeper *k, keeper_entry *e, bool taken_from_origin)
{
    bool queued = e->share_due || e->unlock_due;
    bool share = taken_from_origin && k->settings.has_shared && strncmp(e->key, "jwks/", 5) != 0;
    bool unlock = !share && e->lock_is_ours;
    if ((share || unlock) && !queued) {
        e->next_follow = k->follow;
        k->follow = e;
    }
    e->share_due = e->share_due || share;
    e->unlock_due = e->unlock_due || unlock;
}

void keeper_finish(atls_keeper *k, keeper_entry *e, bool taken, const char *from, uint64_t now_ms,
                   int64_t when_s)
{
    atls_item_status s;
    bool held = keeper_held(k, e->key, &s);
    bool changed = held && !(e->was_held && memcmp(s.sha256, e->was_sha256, 32) == 0);
    if (!taken && e->rank == RANK_NONE) {
        explain_nothing(k, e);
    }
    set_reachable(k, e, taken, when_s);
    take_out(k, e);
    e->phase = KEEPER_IDLE;
    e->done_ticket = e->ticket;
    e->done_held = taken || (!e->forced && held && s.expires_s > when_s);
    e->why = e->trouble;
    e->finished_ms = now_ms;
    e->absent = !taken && e->rank == RANK_ABSENT && !e->silent;
    e->failed_until_ms = taken ? 0 : now_ms + (e->absent ? KEEPER_ABSENT_MS : KEEPER_FAILED_MS);
    follow_up(k, e, taken && from != NULL);
    if (taken) {
        keeper_log_item(k, e->was_held ? "renewed" : "fetched", e->key,
                        from != NULL ? from : "shared", changed, when_s);
    } else {
        tell_failed(k, e, when_s);
    }
    keeper_plan(k, e, taken, now_ms, when_s);
}
