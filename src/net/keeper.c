/* keeper.c: what is wanted becomes jobs, jobs become questions, answers end jobs. */
#include "net/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/keeper_state.h"
#include "trust/item.h"

atls_keeper *atls_keeper_new(atls_store *store, const atls_keeper_settings *settings)
{
    atls_keeper *k = settings->origins_n <= ATLS_ORIGINS_MAX ? calloc(1, sizeof *k) : NULL;
    if (k != NULL) {
        k->store = store;
        k->settings = *settings;
        k->seed = settings->random(settings->arg, UINT32_MAX);
        k->scan_ms = UINT64_MAX;
    }
    return k;
}

void atls_keeper_free(atls_keeper *k)
{
    if (k != NULL) {
        keeper_table_free(k);
        free(k);
    }
}

void atls_keeper_keep_fresh(atls_keeper *k, bool keep)
{
    k->keep = keep;
    k->scan_ms = keep ? 0 : UINT64_MAX;
}

/* --- waiting --- */

/* A job that nobody waited for has a waiter now. */
static void hurry(const atls_keeper *k, keeper_entry *e, bool force, uint64_t now_ms)
{
    e->forced = e->forced || force;
    if (e->forced && e->phase == KEEPER_SHARED) {
        e->phase = KEEPER_ORIGINS;
    }
    if (!e->wanted) {
        e->wanted = true;
        e->deadline_ms = now_ms + k->settings.total_ms;
        e->next_ms = now_ms;
    }
}

/* May it start one more? We ourselves may. */
static bool has_room(const atls_keeper *k, uint32_t client)
{
    size_t n = 0;
    for (const keeper_entry *e = k->first_job; client != 0 && e != NULL; e = e->after) {
        n += e->client == client ? 1 : 0;
    }
    return n < ATLS_KEEPER_CLIENT_JOBS;
}

static atls_code want_for(atls_keeper *k, uint32_t client, const char *key, bool force,
                          uint64_t now_ms, int64_t when_s, uint64_t *ticket, atls_err *err)
{
    atls_item_name name;
    ATLS_TRY(atls_item_name_parse(key, &name, err));
    if (!force && keeper_in_time(k, key, when_s)) {
        *ticket = 0;
        return ATLS_OK;
    }
    keeper_entry *e = keeper_find(k, key);
    if (e == NULL) {
        e = keeper_add(k, key, now_ms);
    }
    bool fine = e != NULL;
    if (fine && e->phase != KEEPER_IDLE) {
        hurry(k, e, force, now_ms);
        if (k->turn_of[client % KEEPER_TURNS] < k->turn_of[e->client % KEEPER_TURNS]) {
            e->client = client; /* whoever of those who wait for it is first */
        }
    } else if (fine && (force || e->failed_until_ms <= now_ms)) {
        fine = has_room(k, client) && keeper_start(k, e, true, force, now_ms, when_s);
        e->client = client;
    }
    if (!fine) {
        return ATLS_ERR(
            err, ATLS_E_COLLATERAL, "fetch.busy",
            "%zu items are being fetched already, and no more is taken on: ask again later",
            k->jobs);
    }
    e->wanted_s = when_s;
    *ticket = e->phase != KEEPER_IDLE ? e->ticket : e->done_ticket;
    return ATLS_OK;
}

atls_code atls_keeper_want(atls_keeper *k, const char *key, bool force, uint64_t now_ms,
                           int64_t when_s, uint64_t *ticket, atls_err *err)
{
    return want_for(k, 0, key, force, now_ms, when_s, ticket, err);
}

atls_code atls_keeper_want_for(atls_keeper *k, uint32_t client, const char *key, uint64_t now_ms,
                               int64_t when_s, uint64_t *ticket, atls_err *err)
{
    return want_for(k, client, key, false, now_ms, when_s, ticket, err);
}

atls_keeper_state atls_keeper_look(const atls_keeper *k, const char *key, uint64_t ticket,
                                   atls_err *err)
{
    const keeper_entry *e = ticket != 0 ? keeper_find(k, key) : NULL;
    if (ticket == 0) {
        return ATLS_KEEPER_HELD;
    }
    if (e == NULL) { /* forgotten since */
        atls_item_status s;
        (void)ATLS_ERR(err, ATLS_E_COLLATERAL, "fetch.busy",
                       "too much was asked for since: what came of %.120s is forgotten; ask again",
                       key);
        return keeper_held(k, key, &s) ? ATLS_KEEPER_HELD : ATLS_KEEPER_FAILED;
    }
    bool ended = e->done_ticket >= ticket;
    if (err != NULL) {
        *err = ended ? e->why : e->trouble;
    }
    return !ended ? ATLS_KEEPER_PENDING : e->done_held ? ATLS_KEEPER_HELD : ATLS_KEEPER_FAILED;
}

/* --- what is to be done --- */

static void act(atls_keeper *k, keeper_entry *e, atls_keeper_step step, atls_keeper_action *out)
{
    memset(out, 0, sizeof *out);
    out->step = step;
    memcpy(out->key, e->key, sizeof out->key);
    if (step == ATLS_STEP_SHARED || step == ATLS_STEP_ORIGIN) {
        out->id = e->action = ++k->actions;
        e->phase = KEEPER_BUSY;
    }
}

static bool ask_origin(atls_keeper *k, keeper_entry *e, size_t i, uint64_t now_ms,
                       atls_keeper_action *out)
{
    const atls_origin *o = &k->settings.origins[i];
    atls_http_request request;
    atls_err why;
    if (atls_origin_request(o, e->key, k->settings.channel, &request, &why) != ATLS_OK) {
        e->dropped |= 1u << i;
        keeper_trouble(e, RANK_REFUSED, &why);
        return false;
    }
    act(k, e, ATLS_STEP_ORIGIN, out);
    out->origin = o;
    out->request = request;
    out->timeout_ms = (uint32_t)(e->deadline_ms - now_ms);
    e->origin = i;
    e->tried |= 1u << i;
    e->attempts++;
    k->origins[i].in_flight++;
    k->origins[i].gap_until_ms = now_ms + o->gap_ms;
    if (o->gap_ms > 0) {
        k->turn_of[e->client % KEEPER_TURNS] = ++k->turns;
    }
    return true;
}

/* True: *out is to be done. False: the job waits, or has ended. */
static bool step(atls_keeper *k, keeper_entry *e, uint64_t now_ms, int64_t when_s,
                 atls_keeper_action *out)
{
    size_t origin = 0;
    if (now_ms >= e->deadline_ms) {
        keeper_finish(k, e, false, NULL, now_ms, when_s);
        return false;
    }
    if (e->next_ms > now_ms) {
        return false;
    }
    if (keeper_waits_for_chain(k, e)) {
        e->next_ms = now_ms + KEEPER_CHAIN_MS;
        return false;
    }
    if (e->phase == KEEPER_SHARED) {
        act(k, e, ATLS_STEP_SHARED, out);
        return true;
    }
    for (;;) {
        keeper_choice choice = keeper_choose(k, e, now_ms, &origin);
        if (choice == CHOICE_ASK && keeper_yields(k, e, origin, now_ms)) {
            e->next_ms = now_ms + KEEPER_YIELD_MS;
            return false;
        }
        if (choice == CHOICE_ASK && ask_origin(k, e, origin, now_ms, out)) {
            return true;
        }
        if (choice == CHOICE_NONE) {
            keeper_finish(k, e, false, NULL, now_ms, when_s);
        }
        if (choice != CHOICE_ASK) {
            return false;
        }
    }
}

static bool step_jobs(atls_keeper *k, bool wanted, uint64_t now_ms, int64_t when_s,
                      atls_keeper_action *out, uint64_t *wake_ms)
{
    keeper_entry *next = NULL;
    for (keeper_entry *e = k->first_job; e != NULL; e = next) {
        next = e->after;
        if (e->phase == KEEPER_BUSY || e->wanted != wanted) {
            continue;
        }
        if (step(k, e, now_ms, when_s, out)) {
            return true;
        }
        if (e->phase !=
            KEEPER_IDLE) { /* waiting for one of an origin's requests to end: only the deadline counts */
            uint64_t at = e->next_ms > now_ms ? e->next_ms : e->deadline_ms;
            at = at < e->deadline_ms ? at : e->deadline_ms;
            *wake_ms = at < *wake_ms ? at : *wake_ms;
        }
    }
    return false;
}

bool atls_keeper_next(atls_keeper *k, uint64_t now_ms, int64_t when_s, atls_keeper_action *out,
                      uint64_t *wake_ms)
{
    *wake_ms = UINT64_MAX;
    if (k->follow != NULL) {
        keeper_entry *e = k->follow;
        k->follow = e->next_follow;
        act(k, e, e->share_due ? ATLS_STEP_SHARE : ATLS_STEP_UNLOCK, out);
        e->share_due = e->unlock_due = false;
        return true;
    }
    if (k->keep && now_ms >= k->scan_ms) {
        keeper_scan(k, now_ms, when_s);
    }
    if (step_jobs(k, true, now_ms, when_s, out, wake_ms) ||
        step_jobs(k, false, now_ms, when_s, out, wake_ms)) {
        return true;
    }
    if (k->follow != NULL) { /* a job has just ended */
        *wake_ms = now_ms;
    }
    if (k->keep && k->scan_ms < *wake_ms) {
        *wake_ms = k->scan_ms;
    }
    return false;
}

/* --- what came of it --- */

static keeper_entry *busy_with(const atls_keeper *k, uint64_t id)
{
    keeper_entry *e = k->first_job;
    while (e != NULL && !(e->phase == KEEPER_BUSY && e->action == id)) {
        e = e->after;
    }
    return e;
}

/* Memory may have it although the directory could not be written. */
static bool take(atls_keeper *k, keeper_entry *e, const atls_item *item, atls_item_source source,
                 const char *from, int64_t when_s, atls_err *why)
{
    atls_code rc = atls_store_take(k->store, item, source, from, when_s, why);
    if (rc == ATLS_E_SYSTEM && keeper_in_time(k, e->key, when_s)) {
        keeper_log_trouble(k, "failed", e->key, from, why, when_s);
        return true;
    }
    return rc == ATLS_OK;
}

static void refuse(const atls_keeper *k, keeper_entry *e, const char *from, const atls_err *why,
                   int64_t when_s)
{
    keeper_trouble(e, RANK_REFUSED, why);
    keeper_log_trouble(k, "refused", e->key, from, why, when_s);
}

static void fail_origin(atls_keeper *k, keeper_entry *e, const atls_err *why,
                        const atls_response_hint *hint, uint64_t now_ms, int64_t when_s)
{
    bool throttled = why->check != NULL && strcmp(why->check, "fetch.throttled") == 0;
    e->silent = true;
    keeper_trouble(e, throttled ? RANK_THROTTLED : RANK_SILENT, why);
    keeper_origin_failed(k, e->origin, throttled, hint->retry_after_s, now_ms, when_s);
    if (e->wanted) {
        keeper_log_trouble(k, "retry", e->key, k->settings.origins[e->origin].name, why, when_s);
    }
}

/* True: the item was taken. */
static bool answer(atls_keeper *k, keeper_entry *e, const atls_http_response *response,
                   const atls_err *failure, uint64_t now_ms, int64_t when_s)
{
    const atls_origin *o = &k->settings.origins[e->origin];
    atls_response_item item;
    atls_response_hint hint = {.unreachable = false};
    atls_err why = {.code = ATLS_OK};
    if (response == NULL) {
        why = *failure;
        hint.unreachable = why.check == NULL || strcmp(why.check, "fetch.size") != 0;
    } else if (atls_response_read(o, e->key, response, when_s, &item, &hint, &why) == ATLS_OK) {
        keeper_origin_answered(k, e->origin, when_s);
        e->answered = true;
        atls_held *chain = NULL;
        keeper_add_chain(k, e, &item.item, &chain);
        bool taken = take(k, e, &item.item, ATLS_ITEM_FETCHED, o->name, when_s, &why);
        atls_held_free(chain);
        atls_response_item_free(&item);
        if (!taken && keeper_fetch_chain(k, e, &why, now_ms, when_s)) {
            e->tried &= ~(1u << e->origin); /* the same once more, then */
            return false;
        }
        if (!taken) {
            refuse(k, e, o->name, &why, when_s);
            e->dropped |= 1u << e->origin;
        }
        return taken;
    }
    if (hint.unreachable) {
        fail_origin(k, e, &why, &hint, now_ms, when_s);
        return false;
    }
    keeper_origin_answered(k, e->origin, when_s);
    e->answered = true;
    e->dropped |= 1u << e->origin;
    if (hint.absent) {
        keeper_trouble(e, RANK_ABSENT, &why);
    } else {
        refuse(k, e, o->name, &why, when_s);
    }
    return false;
}

void atls_keeper_done(atls_keeper *k, uint64_t id, const atls_http_response *response,
                      const atls_err *failure, uint64_t now_ms, int64_t when_s)
{
    keeper_entry *e = busy_with(k, id);
    if (e == NULL) {
        return;
    }
    e->phase = KEEPER_ORIGINS;
    e->next_ms = now_ms;
    k->origins[e->origin].in_flight--;
    if (answer(k, e, response, failure, now_ms, when_s)) {
        keeper_finish(k, e, true, k->settings.origins[e->origin].name, now_ms, when_s);
    }
}

void atls_keeper_done_shared(atls_keeper *k, uint64_t id, const atls_item *item, bool wait,
                             uint64_t now_ms, int64_t when_s)
{
    keeper_entry *e = busy_with(k, id);
    atls_item_status s;
    atls_err why;
    if (e == NULL) {
        return;
    }
    e->phase = KEEPER_ORIGINS;
    e->next_ms = now_ms;
    if (item != NULL && strcmp(item->key, e->key) == 0) {
        if (!take(k, e, item, ATLS_ITEM_SHARED, "shared", when_s, &why)) {
            keeper_log_trouble(k, "refused", e->key, "shared", &why, when_s);
        } else if (!e->was_held || (keeper_held(k, e->key, &s) &&
                                    memcmp(s.sha256, e->was_sha256, sizeof s.sha256) != 0)) {
            keeper_finish(k, e, true, NULL, now_ms, when_s);
        }
    } else if (wait && now_ms < e->shared_until_ms) {
        e->phase = KEEPER_SHARED;
        e->next_ms = now_ms + KEEPER_SHARED_ASK_MS +
                     k->settings.random(k->settings.arg, KEEPER_SHARED_ASK_MS / 2);
    } else {
        e->lock_is_ours = item == NULL && !wait;
    }
}
