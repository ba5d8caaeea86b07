/* keeper_choose.c: whom to ask next, and how long to leave an origin in peace. */
#include "net/keeper_state.h"

#include <string.h>

#include "base/err.h"

static uint64_t free_at(const keeper_origin *o)
{
    return o->peace_until_ms > o->gap_until_ms ? o->peace_until_ms : o->gap_until_ms;
}

/* Never before an origin's peace is over; before those that failed a moment ago, those that did not; otherwise as configured. */
static bool first_of(const atls_keeper *k, uint32_t pool, uint64_t now_ms, size_t *origin)
{
    bool found = false;
    for (size_t i = 0; i < k->settings.origins_n; i++) {
        const keeper_origin *o = &k->origins[i];
        if ((pool & 1u << i) == 0 || free_at(o) > now_ms) {
            continue;
        }
        if (o->shy_until_ms <= now_ms) {
            *origin = i;
            return true;
        }
        if (!found) {
            *origin = i;
            found = true;
        }
    }
    return found;
}

/* Those whose peace ends before the job does; *first_ms: when the first one's ends. */
static uint32_t in_reach(const atls_keeper *k, uint32_t pool, uint64_t deadline_ms,
                         uint64_t *first_ms)
{
    uint32_t reach = 0;
    *first_ms = UINT64_MAX;
    for (size_t i = 0; i < k->settings.origins_n; i++) {
        uint64_t end = free_at(&k->origins[i]);
        if ((pool & 1u << i) != 0 && end < deadline_ms) {
            reach |= 1u << i;
            *first_ms = end < *first_ms ? end : *first_ms;
        }
    }
    return reach;
}

static void tell_of_peace(const atls_keeper *k, keeper_entry *e, uint32_t pool, uint64_t now_ms)
{
    size_t i = 0;
    while ((pool & 1u << i) == 0) {
        i++;
    }
    const atls_origin *o = &k->settings.origins[i];
    atls_err why;
    e->silent = e->silent || k->origins[i].peace_until_ms > now_ms;
    if (e->rank != RANK_NONE) {
        return; /* its own words say more */
    }
    (void)ATLS_ERR(
        &why, ATLS_E_COLLATERAL, "fetch.throttled",
        "%.100s is to be left in peace for another %llu s, longer than there is time for this item: ask again "
        "later, or add another origin",
        o->name, (unsigned long long)(free_at(&k->origins[i]) - now_ms + 999) / 1000);
    keeper_trouble(e, RANK_THROTTLED, &why);
}

keeper_choice keeper_choose(atls_keeper *k, keeper_entry *e, uint64_t now_ms, size_t *origin)
{
    uint32_t left = e->serving & ~e->dropped;
    uint64_t first_ms = UINT64_MAX;
    if (left == 0) {
        return CHOICE_NONE;
    }
    uint32_t reach = in_reach(k, left, e->deadline_ms, &first_ms);
    if (reach == 0) {
        tell_of_peace(k, e, left, now_ms);
        return CHOICE_NONE;
    }
    uint32_t pool = reach & ~e->tried;
    if (pool == 0 && !e->wanted) {
        return CHOICE_NONE; /* nobody waits: the next renewal is time enough */
    }
    if (pool == 0) { /* all were asked: once more, later */
        e->tried = 0;
        e->next_ms = now_ms + keeper_backoff(k, KEEPER_RETRY_MS, KEEPER_RETRY_MAX_MS, e->round++);
        return e->next_ms < e->deadline_ms ? CHOICE_WAIT : CHOICE_NONE;
    }
    if (!first_of(k, pool, now_ms, origin)) {
        (void)in_reach(k, pool, e->deadline_ms, &first_ms);
        e->next_ms = first_ms;
        return CHOICE_WAIT;
    }
    return k->origins[*origin].in_flight < KEEPER_ORIGIN_FLIGHT ? CHOICE_ASK : CHOICE_WAIT;
}

/* Would this job ask that origin now? */
static bool would_ask(const atls_keeper *k, const keeper_entry *e, size_t origin, uint64_t now_ms)
{
    uint64_t first_ms = UINT64_MAX;
    size_t first = 0;
    if (e->phase != KEEPER_ORIGINS || e->next_ms > now_ms || e->deadline_ms <= now_ms ||
        keeper_waits_for_chain(k, e)) {
        return false;
    }
    const uint32_t pool =
        in_reach(k, e->serving & ~e->dropped, e->deadline_ms, &first_ms) & ~e->tried;
    return pool != 0 && first_of(k, pool, now_ms, &first) && first == origin;
}

bool keeper_yields(const atls_keeper *k, const keeper_entry *e, size_t origin, uint64_t now_ms)
{
    if (k->settings.origins[origin].gap_ms == 0) {
        return false;
    }
    const bool is_chips = strncmp(e->key, "amd/vcek/", 9) == 0;
    const uint64_t turn = k->turn_of[e->client % KEEPER_TURNS];
    for (const keeper_entry *o = k->first_job; o != NULL; o = o->after) {
        const bool others_chips = strncmp(o->key, "amd/vcek/", 9) == 0;
        const uint64_t others = k->turn_of[o->client % KEEPER_TURNS];
        const bool before = is_chips != others_chips ? is_chips : others < turn;
        if (o != e && before && o->wanted == e->wanted && would_ask(k, o, origin, now_ms)) {
            return true;
        }
    }
    return false;
}

void keeper_origin_failed(atls_keeper *k, size_t origin, bool throttled, uint32_t retry_after_s,
                          uint64_t now_ms, int64_t when_s)
{
    keeper_origin *o = &k->origins[origin];
    const char *name = k->settings.origins[origin].name;
    bool again = o->failures > 0 &&
                 o->shy_until_ms > now_ms; /* many requests fail at once: that is one failure */
    o->failures += again ? 0 : 1;
    uint32_t shy = keeper_backoff(k, KEEPER_SHY_MS, KEEPER_SHY_MAX_MS, o->failures - 1);
    o->shy_until_ms = again ? o->shy_until_ms : now_ms + shy;
    uint64_t peace = retry_after_s > 0 ? retry_after_s * UINT64_C(1000) : throttled ? shy : 0;
    if (now_ms + peace > o->peace_until_ms) {
        o->peace_until_ms = now_ms + peace;
    }
    if (peace > 0) {
        keeper_log_origin(k, "throttled", name, (int64_t)((peace + 999) / 1000), when_s);
    }
    if (o->failures == 1 && !again) {
        o->silent_since_s = when_s;
    }
    if (o->failures >= KEEPER_TOLD_AFTER && !throttled && !o->told_unreachable) {
        o->told_unreachable = true;
        keeper_log_origin(k, "unreachable", name, when_s - o->silent_since_s, when_s);
    }
}

void keeper_origin_answered(atls_keeper *k, size_t origin, int64_t when_s)
{
    keeper_origin *o = &k->origins[origin];
    if (o->told_unreachable) {
        keeper_log_origin(k, "recovered", k->settings.origins[origin].name,
                          when_s - o->silent_since_s, when_s);
    }
    o->told_unreachable = false;
    o->failures = 0;
    o->shy_until_ms = 0;
}
