/* fetcher_shared.c: the second level on the fetcher's side. Its calls may take their time, so the lock is not held over them. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rfc3339.h"
#include "codec/json.h"
#include "net/fetcher.h"

#define CALL_MS     100
#define LOCK_MAX_MS 15000u

atls_code atls_fetcher_set_shared(atls_fetcher *f, const char *url, atls_err *err)
{
    atls_shared *s = NULL;
    if (f->started) {
        return ATLS_ERR(err, ATLS_E_USAGE, "fetch.shared",
                        "the second level is given before the start");
    }
    ATLS_TRY(atls_shared_new(url, CALL_MS, &s, err));
    atls_shared_free(f->shared);
    f->shared = s;
    return ATLS_OK;
}

/* A trouble is told when it is another than before. */
static void tell_trouble(atls_fetcher *f)
{
    const char *trouble = atls_shared_trouble(f->shared);
    char when[ATLS_TIME_TEXT_LEN];
    if (f->log == NULL || strncmp(trouble, f->shared_trouble, sizeof f->shared_trouble - 1) == 0) {
        return;
    }
    size_t len = strlen(trouble);
    len = len < sizeof f->shared_trouble ? len : sizeof f->shared_trouble - 1;
    memcpy(f->shared_trouble, trouble, len);
    f->shared_trouble[len] = '\0';
    atls_time_format(fetcher_clock_s(), when);
    json_t *o = json_pack("{s:s, s:s, s:s}", "event", "shared", "when", when, "message",
                          len > 0 ? f->shared_trouble : "answers again");
    char *line = o != NULL ? atls_json_write(o, JSON_COMPACT) : NULL;
    if (line != NULL) {
        fetcher_keep_line(f, line);
    }
    free(line);
    json_decref(o);
}

static void share(atls_fetcher *f, const char *key)
{
    atls_held *held = NULL;
    atls_item item;
    atls_item_status status;
    if (!atls_store_get(f->store, key, &held)) {
        atls_shared_unlock(f->shared, key, fetcher_clock_ms());
        return;
    }
    atls_held_item(held, &item);
    atls_held_status(held, &status);
    (void)atls_shared_put(f->shared, &item, &status, fetcher_clock_s(), fetcher_clock_ms());
    atls_held_free(held);
}

static void ask(atls_fetcher *f, const atls_keeper_action *a)
{
    atls_item item;
    (void)pthread_mutex_unlock(&f->lock);
    atls_shared_result r =
        atls_shared_get(f->shared, a->key, f->total_ms < LOCK_MAX_MS ? f->total_ms : LOCK_MAX_MS,
                        fetcher_clock_ms(), &item);
    (void)pthread_mutex_lock(&f->lock);
    atls_keeper_done_shared(f->keeper, a->id, r == ATLS_SHARED_FOUND ? &item : NULL,
                            r == ATLS_SHARED_WAIT, fetcher_clock_ms(), fetcher_clock_s());
}

void fetcher_shared_step(atls_fetcher *f, const atls_keeper_action *a)
{
    if (a->step == ATLS_STEP_SHARED) {
        ask(f, a);
    } else {
        (void)pthread_mutex_unlock(&f->lock);
        if (a->step == ATLS_STEP_SHARE) {
            share(f, a->key);
        } else {
            atls_shared_unlock(f->shared, a->key, fetcher_clock_ms());
        }
        (void)pthread_mutex_lock(&f->lock);
    }
    tell_trouble(f);
}
