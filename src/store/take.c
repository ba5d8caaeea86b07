#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

/* --- what may be taken --- */

atls_code atls_store_check_source(const char *key, atls_item_source source, atls_err *err)
{
    atls_item_name name;
    ATLS_TRY(atls_item_name_parse(key, &name, err));
    if (name.kind == ATLS_ITEM_JWKS && source != ATLS_ITEM_FETCHED) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "store.jwks",
            "a JWK set is taken from its configured origin only, not out of a file, a bundle, "
            "evidence or another store: nobody has signed it");
    }
    return ATLS_OK;
}

static bool is_chosen_by_strangers(const atls_held *held)
{
    atls_item_name name;
    return held->source == ATLS_ITEM_STAPLED &&
           atls_item_name_parse(atls_held_key(held), &name, NULL) == ATLS_OK &&
           (name.kind == ATLS_ITEM_TCB_INFO || name.kind == ATLS_ITEM_QE_IDENTITY ||
            name.kind == ATLS_ITEM_AMD_CRL) &&
           name.channel == ATLS_CHANNEL_STANDARD;
}

bool atls_store_raises_floors(const atls_held *held)
{
    return !is_chosen_by_strangers(held);
}

bool atls_store_is_older(const atls_item_facts *a, const atls_item_facts *b)
{
    if (a->simulated != b->simulated) { /* two vendors: their numbers say nothing of each other */
        return a->simulated;
    }
    return a->number != b->number ? a->number < b->number : a->issued_s < b->issued_s;
}

static bool is_amd_crl(const atls_held *held)
{
    return strncmp(atls_held_key(held), "amd/crl/", 8) == 0;
}

/* Is what is held, and in its time, as good as held or better? Floors have been asked already. */
static bool is_no_better(const atls_held *held, const atls_held *before, int64_t when_s)
{
    if (atls_item_judge_time(atls_held_key(before), &before->facts, when_s, NULL) != ATLS_OK) {
        return false;
    }
    const bool strange = is_chosen_by_strangers(held);
    const bool was_strange = is_chosen_by_strangers(before);
    if (was_strange && !strange) {
        return false;
    }
    const atls_buf a = held->item.body;
    const atls_buf b = before->item.body;
    /* A VCEK that came once with its chain and once without it, for instance. */
    const bool says_the_same = a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0 &&
                               held->facts.expires_s <= before->facts.expires_s;
    return says_the_same || atls_store_is_older(&held->facts, &before->facts) ||
           (strange && !was_strange &&
            (held->facts.number > before->facts.number || is_amd_crl(held)));
}

/* Where it is to be kept? What a full disk has left in memory only is not. */
static bool is_kept(const atls_store *store, const atls_held *held)
{
    return store->files == NULL || atomic_load(&held->is_saved);
}

#define HOUR_S 3600

/* An issuer who says the same again says that it still holds; an origin, that what a stranger chose is what there is. */
static bool renews(const atls_held *held, const atls_held *before)
{
    const bool confirms = held->source == ATLS_ITEM_FETCHED && before->source == ATLS_ITEM_STAPLED;
    return confirms || (atls_held_is_jwks(held) && held->taken_s >= before->taken_s + HOUR_S);
}

static atls_store_admitted decide(const atls_store *store, const atls_held *held, int64_t when_s,
                                  atls_err *err)
{
    const atls_held *before = atls_store_find(store, atls_held_key(held));
    const bool same =
        before != NULL && memcmp(before->sha256, held->sha256, sizeof held->sha256) == 0;
    if (same && is_kept(store, before) && !renews(held, before) &&
        (atls_store_raises_floors(before) || !atls_store_raises_floors(held))) {
        return ATLS_STORE_SAME;
    }
    if (atls_floors_check(store->floors, atls_held_key(held), &held->facts, err) != ATLS_OK) {
        return ATLS_STORE_BELOW;
    }
    if (same && (!is_kept(store, before) || renews(held, before))) {
        return ATLS_STORE_NEW;
    }
    return before != NULL && is_no_better(held, before, when_s) ? ATLS_STORE_SAME : ATLS_STORE_NEW;
}

/* --- into files and memory --- */

/* Those of the items that are new; *n of them. */
static size_t choose(const atls_store *store, atls_held *const *held, size_t n, int64_t when_s,
                     atls_store_admitted *admitted, atls_held **chosen, atls_err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        admitted[i] = decide(store, held[i], when_s, err);
        if (admitted[i] == ATLS_STORE_NEW) {
            atls_held *before = atls_store_find(store, atls_held_key(held[i]));
            if (before != NULL && held[i]->source != ATLS_ITEM_FETCHED) {
                atomic_store(&held[i]->unreachable_since_s,
                             atomic_load(&before->unreachable_since_s));
            }
            chosen[count++] = held[i];
        }
    }
    return count;
}

static atls_code remember(atls_store *store, atls_held *const *chosen, size_t n, int64_t when_s,
                          bool *raised, atls_err *err)
{
    for (size_t i = 0; i < n; i++) {
        bool changed = false;
        ATLS_TRY(atls_store_place_held(store, chosen[i], err));
        if (atls_store_raises_floors(chosen[i])) {
            ATLS_TRY(atls_floors_raise(store->floors, atls_held_key(chosen[i]), &chosen[i]->facts,
                                       when_s, &changed, err));
        }
        *raised = *raised || changed;
    }
    return ATLS_OK;
}

/* disk: whether the files can be written, on the way in and out. Memory has the items in any case. */
static atls_code keep(atls_store *store, atls_held *const *chosen, size_t n, int64_t when_s,
                      atls_code *disk, atls_err *disk_err, atls_err *err)
{
    const bool has_files = store->files != NULL;
    ATLS_TRY(atls_store_make_room(store, chosen, n, has_files && *disk == ATLS_OK, err));
    /* A file of floors stands beside items always, so that a lost one is noticed. */
    if (has_files && *disk == ATLS_OK && store->floored.floors_file == 0) {
        *disk = atls_store_write_floors(store, disk_err);
    }
    if (has_files && *disk == ATLS_OK) {
        *disk = atls_store_write_items(store, chosen, n, disk_err);
    }
    bool raised = false;
    ATLS_TRY(remember(store, chosen, n, when_s, &raised, err));
    store->floors_unsaved = store->floors_unsaved || raised;
    if (has_files && *disk == ATLS_OK && store->floors_unsaved) {
        *disk = atls_store_write_floors(store, disk_err);
    }
    return atls_store_publish(store, err);
}

static atls_code admit(atls_store *store, atls_held *const *held, size_t n, int64_t when_s,
                       atls_store_admitted *admitted, atls_held **chosen, atls_err *err)
{
    int lock = -1;
    atls_err disk_err = {0};
    atls_code disk = atls_store_begin_write(store, &lock, &disk_err);
    const size_t count = choose(store, held, n, when_s, admitted, chosen, err);
    atls_code rc = ATLS_OK;
    if (count > 0) {
        rc = keep(store, chosen, count, when_s, &disk, &disk_err, err);
        atls_store_end_write(store, lock);
    } else if (lock >= 0) {
        atls_store_directory_unlock(lock);
    }
    if (rc == ATLS_OK && count > 0 && disk != ATLS_OK) {
        atls_store_add_note(store, "items are in memory only: %s", disk_err.msg);
        rc = ATLS_ERR(err, ATLS_E_SYSTEM, "store.write", "%.160s; it is in memory only",
                      disk_err.msg);
    }
    return rc;
}

atls_code atls_store_admit(atls_store *store, atls_held *const *held, size_t n, int64_t when_s,
                           atls_store_admitted *admitted, atls_err *err)
{
    atls_held **chosen = calloc(n + 1, sizeof(atls_held *));
    if (chosen == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    pthread_mutex_lock(&store->writing);
    atls_code rc = admit(store, held, n, when_s, admitted, chosen, err);
    pthread_mutex_unlock(&store->writing);
    free(chosen);
    return rc;
}

/* --- one item --- */

static atls_code judge(const atls_store *store, const atls_item *item,
                       const atls_held_origin *origin, atls_held **out, atls_err *err)
{
    ATLS_TRY(atls_store_check_source(item->key, origin->source, err));
    atls_held *held = NULL;
    ATLS_TRY(atls_held_new(store->roots, item, origin, &held, err));
    atls_code rc = atls_item_judge_time(atls_held_key(held), &held->facts, origin->taken_s, err);
    if (rc != ATLS_OK) {
        atls_held_free(held);
        return rc;
    }
    *out = held;
    return ATLS_OK;
}

/* Quick, for what is offered again and again: the same bytes are held already. */
static bool is_held(const atls_store *store, const atls_item *item, atls_item_source source)
{
    atls_held *held = NULL;
    if (item->key == NULL || !atls_store_get(store, item->key, &held)) {
        return false;
    }
    const bool same =
        held->item.chain.len == item->chain.len && held->item.body.len == item->body.len &&
        item->body.len > 0 && memcmp(held->item.body.ptr, item->body.ptr, item->body.len) == 0 &&
        (item->chain.len == 0 ||
         memcmp(held->item.chain.ptr, item->chain.ptr, item->chain.len) == 0) &&
        (source == ATLS_ITEM_STAPLED || (atls_store_raises_floors(held) && is_kept(store, held)));
    atls_held_free(held);
    return same;
}

static atls_code take(atls_store *store, const atls_item *item, const atls_held_origin *origin,
                      atls_store_admitted *admitted, atls_err *err)
{
    *admitted = ATLS_STORE_SAME;
    atls_held *held = NULL;
    ATLS_TRY(judge(store, item, origin, &held, err));
    atls_code rc = atls_store_admit(store, &held, 1, origin->taken_s, admitted, err);
    atls_held_free(held);
    return rc != ATLS_OK || *admitted != ATLS_STORE_BELOW ? rc : ATLS_E_COLLATERAL;
}

atls_code atls_store_take(atls_store *store, const atls_item *item, atls_item_source source,
                          const char *from, int64_t when_s, atls_err *err)
{
    const atls_held_origin origin = {.source = source, .from = from, .taken_s = when_s};
    atls_store_admitted admitted;
    if (item->key == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "item.key", "an item without a key");
    }
    return take(store, item, &origin, &admitted, err);
}

atls_code atls_store_offer(atls_store *store, const atls_item *item, const atls_held_origin *origin,
                           bool *is_new, atls_err *err)
{
    atls_store_admitted admitted = ATLS_STORE_SAME;
    const atls_code rc =
        is_held(store, item, origin->source) ? ATLS_OK : take(store, item, origin, &admitted, err);
    *is_new = rc == ATLS_OK && admitted == ATLS_STORE_NEW;
    return rc;
}
