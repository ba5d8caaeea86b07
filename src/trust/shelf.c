/* shelf.c: items in the order of their keys, so that each is found by bisection, and what is put together of them. */
#include "trust/shelf.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "trust/shelf_intel.h"
#include "trust/shelf_item.h"

typedef struct entry {
    atls_shelf_held *held;
    int64_t since_s;
} entry;

struct atls_shelf {
    atomic_int refs;
    entry *entries; /* by key, then by root */
    size_t n;
    struct {
        size_t from, n;
    } kinds[ATLS_ITEM_KINDS]; /* keys of one kind stand together */
    atls_shelf_intel **intel; /* by name */
    size_t intel_n;
    atls_floors *floors;
    uint8_t amd_chains_sha256[32];
};

/* --- order --- */

static int order(const char *key, const uint8_t root[32], const atls_shelf_held *b)
{
    const int by_key = strcmp(key, b->key);
    return by_key != 0 ? by_key : memcmp(root, b->facts.root_sha256, 32);
}

static int order_entries(const void *a, const void *b)
{
    const atls_shelf_held *held = ((const entry *)a)->held;
    return order(held->key, held->facts.root_sha256, ((const entry *)b)->held);
}

static int order_names(const atls_shelf_intel_name *a, const atls_shelf_intel_name *b)
{
    int by = (int)a->is_tdx - (int)b->is_tdx;
    by = by != 0 ? by : memcmp(a->fmspc, b->fmspc, sizeof a->fmspc);
    by = by != 0 ? by : (int)a->is_processor - (int)b->is_processor;
    return by != 0 ? by : memcmp(a->root_sha256, b->root_sha256, sizeof a->root_sha256);
}

static int order_intel(const void *a, const void *b)
{
    return order_names(atls_shelf_intel_named(*(atls_shelf_intel *const *)a),
                       atls_shelf_intel_named(*(atls_shelf_intel *const *)b));
}

/* --- finding --- */

/* The first entry that is not before this key and root. */
static size_t lower_bound(const atls_shelf *shelf, const char *key, const uint8_t root[32])
{
    size_t from = 0;
    size_t to = shelf->n;
    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        if (order(key, root, shelf->entries[mid].held) > 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

static const uint8_t no_root[32]; /* before all others */

static const entry *find(const atls_shelf *shelf, const char *key, const uint8_t root[32])
{
    const size_t at = lower_bound(shelf, key, root);
    const bool same = at < shelf->n && order(key, root, shelf->entries[at].held) == 0;
    return same ? &shelf->entries[at] : NULL;
}

atls_shelf_held *atls_shelf_find(const atls_shelf *shelf, const char *key,
                                 const atls_root_set *roots, int64_t *since_s)
{
    for (size_t i = lower_bound(shelf, key, no_root);
         i < shelf->n && strcmp(shelf->entries[i].held->key, key) == 0; i++) {
        const entry *e = &shelf->entries[i];
        if (roots == NULL || atls_root_find_sha256(roots, e->held->facts.root_sha256) != NULL) {
            if (since_s != NULL) {
                *since_s = e->since_s;
            }
            return e->held;
        }
    }
    return NULL;
}

atls_shelf_held *atls_shelf_at(const atls_shelf *shelf, atls_item_kind kind, size_t i,
                               int64_t *since_s)
{
    if (i >= shelf->kinds[kind].n) {
        return NULL;
    }
    const entry *e = &shelf->entries[shelf->kinds[kind].from + i];
    if (since_s != NULL) {
        *since_s = e->since_s;
    }
    return e->held;
}

const uint8_t *atls_shelf_amd_chains_sha256(const atls_shelf *shelf)
{
    return shelf->amd_chains_sha256;
}

const atls_floors *atls_shelf_floors(const atls_shelf *shelf)
{
    return shelf->floors;
}

/* --- Intel's --- */

static const entry *find_named(const atls_shelf *shelf, atls_item_kind kind,
                               const atls_shelf_intel_name *name)
{
    char key[ATLS_ITEM_KEY_LEN];
    atls_item_name item = {
        .kind = kind, .is_tdx = name->is_tdx, .is_processor = name->is_processor};
    memcpy(item.fmspc, name->fmspc, sizeof item.fmspc);
    atls_item_name_format(&item, key);
    return find(shelf, key, name->root_sha256);
}

static const atls_item_kind parts[] = {ATLS_ITEM_TCB_INFO, ATLS_ITEM_QE_IDENTITY, ATLS_ITEM_PCK_CRL,
                                       ATLS_ITEM_ROOT_CRL};
#define PARTS (sizeof parts / sizeof parts[0])

static void find_parts(const atls_shelf *shelf, const atls_shelf_intel_name *name,
                       const entry *out[PARTS])
{
    for (size_t i = 0; i < PARTS; i++) {
        out[i] = find_named(shelf, parts[i], name);
    }
}

static size_t find_intel(const atls_shelf *shelf, const atls_shelf_intel_name *name)
{
    size_t from = 0;
    size_t to = shelf->intel_n;
    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        if (order_names(name, atls_shelf_intel_named(shelf->intel[mid])) > 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    const bool same =
        from < shelf->intel_n && order_names(name, atls_shelf_intel_named(shelf->intel[from])) == 0;
    return same ? from : shelf->intel_n;
}

static int64_t since_of(const entry *e)
{
    return e != NULL ? e->since_s : 0;
}

atls_shelf_intel *atls_shelf_intel_find(const atls_shelf *shelf, const atls_shelf_intel_name *name)
{
    const size_t at = find_intel(shelf, name);
    return at == shelf->intel_n ? NULL : shelf->intel[at];
}

void atls_shelf_intel_since(const atls_shelf *shelf, const atls_shelf_intel_name *name,
                            atls_intel_since *out)
{
    const entry *found[PARTS];
    find_parts(shelf, name, found);
    *out = (atls_intel_since){since_of(found[0]), since_of(found[1]), since_of(found[2]),
                              since_of(found[3])};
}

static atls_shelf_held *held_of(const entry *e)
{
    return e != NULL ? e->held : NULL;
}

/* Of this TCB info and the other items of its root, or that of the shelf before if it is of the same items. */
static atls_code add_intel(atls_shelf *shelf, const atls_shelf *before,
                           const atls_shelf_intel_name *name, atls_err *err)
{
    const entry *found[PARTS];
    find_parts(shelf, name, found);
    const atls_shelf_intel_items items = {held_of(found[0]), held_of(found[1]), held_of(found[2]),
                                          held_of(found[3])};
    atls_shelf_intel **place = &shelf->intel[shelf->intel_n];
    atls_shelf_intel *old = before != NULL ? atls_shelf_intel_find(before, name) : NULL;
    if (old != NULL && atls_shelf_intel_is(old, &items)) {
        *place = atls_shelf_intel_up_ref(old);
    } else {
        ATLS_TRY(atls_shelf_intel_new(name, &items, place, err));
    }
    shelf->intel_n++;
    return ATLS_OK;
}

static atls_code make_intel(atls_shelf *shelf, const atls_shelf *before, atls_err *err)
{
    const size_t infos = shelf->kinds[ATLS_ITEM_TCB_INFO].n;
    shelf->intel = calloc(2 * infos + 1, sizeof(atls_shelf_intel *));
    if (shelf->intel == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < 2 * infos; i++) {
        const atls_shelf_held *info = atls_shelf_at(shelf, ATLS_ITEM_TCB_INFO, i / 2, NULL);
        atls_shelf_intel_name name = {.is_tdx = info->name.is_tdx, .is_processor = i % 2 == 1};
        memcpy(name.fmspc, info->name.fmspc, sizeof name.fmspc);
        memcpy(name.root_sha256, info->facts.root_sha256, sizeof name.root_sha256);
        ATLS_TRY(add_intel(shelf, before, &name, err));
    }
    qsort(shelf->intel, shelf->intel_n, sizeof(atls_shelf_intel *), order_intel);
    return ATLS_OK;
}

/* --- making --- */

/* The item as the shelf before has it, or taken apart anew; *out NULL: it is left out. */
static atls_code hold(const atls_shelf *before, const atls_shelf_item *item, atls_shelf_held **out,
                      atls_err *err)
{
    const entry *old =
        before != NULL ? find(before, item->item->key, item->facts->root_sha256) : NULL;
    if (old != NULL && atls_shelf_held_is(old->held, item)) {
        *out = atls_shelf_held_up_ref(old->held);
        return ATLS_OK;
    }
    return atls_shelf_held_new(item, out, err);
}

static atls_code make_entries(atls_shelf *shelf, const atls_shelf_item *items, size_t n,
                              const atls_shelf *before, atls_err *err)
{
    shelf->entries = calloc(n + 1, sizeof *shelf->entries);
    if (shelf->entries == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < n; i++) {
        entry *e = &shelf->entries[shelf->n];
        ATLS_TRY(hold(before, &items[i], &e->held, err));
        e->since_s = items[i].unreachable_since_s;
        shelf->n += e->held != NULL ? 1 : 0;
    }
    qsort(shelf->entries, shelf->n, sizeof *shelf->entries, order_entries);
    for (size_t i = shelf->n; i-- > 0;) {
        const atls_item_kind kind = shelf->entries[i].held->name.kind;
        shelf->kinds[kind].from = i;
        shelf->kinds[kind].n++;
    }
    return ATLS_OK;
}

static atls_code digest_amd_chains(atls_shelf *shelf, atls_err *err)
{
    uint8_t both[64] = {0};
    const size_t n = shelf->kinds[ATLS_ITEM_AMD_CHAIN].n;
    atls_code rc = ATLS_OK;
    for (size_t i = 0; rc == ATLS_OK && i < n; i++) {
        const atls_shelf_held *held = atls_shelf_at(shelf, ATLS_ITEM_AMD_CHAIN, i, NULL);
        rc = atls_digest(ATLS_SHA256, &held->issuer->der, 1, both + 32, err);
        const atls_buf whole = {both, sizeof both};
        rc = rc != ATLS_OK ? rc : atls_digest(ATLS_SHA256, &whole, 1, both, err);
    }
    memcpy(shelf->amd_chains_sha256, both, 32);
    return rc;
}

static atls_code fill(atls_shelf *shelf, const atls_shelf_item *items, size_t n,
                      const atls_floors *floors, const atls_shelf *before, atls_err *err)
{
    shelf->floors = floors != NULL ? atls_floors_copy(floors) : atls_floors_new();
    if (shelf->floors == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(make_entries(shelf, items, n, before, err));
    ATLS_TRY(make_intel(shelf, before, err));
    return digest_amd_chains(shelf, err);
}

atls_code atls_shelf_make(const atls_shelf_item *items, size_t n, const atls_floors *floors,
                          const atls_shelf *before, atls_shelf **out, atls_err *err)
{
    atls_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atomic_init(&shelf->refs, 1);
    const atls_code rc = fill(shelf, items, n, floors, before, err);
    if (rc != ATLS_OK) {
        atls_shelf_free(shelf);
        return rc;
    }
    *out = shelf;
    return ATLS_OK;
}

atls_shelf *atls_shelf_up_ref(const atls_shelf *shelf)
{
    atls_shelf *mine = (atls_shelf *)(uintptr_t)shelf; /* immutable but for its count */
    atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void atls_shelf_free(atls_shelf *shelf)
{
    if (shelf == NULL || atomic_fetch_sub_explicit(&shelf->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < shelf->intel_n; i++) {
        atls_shelf_intel_free(shelf->intel[i]);
    }
    for (size_t i = 0; i < shelf->n; i++) {
        atls_shelf_held_free(shelf->entries[i].held);
    }
    free(shelf->intel);
    free(shelf->entries);
    atls_floors_free(shelf->floors);
    free(shelf);
}

/* --- the place --- */

struct atls_shelf_place {
    pthread_mutex_t lock; /* held for a pointer's copy only */
    atls_shelf *shelf;
};

atls_shelf_place *atls_shelf_place_new(void)
{
    atls_shelf_place *place = calloc(1, sizeof *place);
    if (place == NULL || pthread_mutex_init(&place->lock, NULL) != 0) {
        free(place);
        return NULL;
    }
    if (atls_shelf_make(NULL, 0, NULL, NULL, &place->shelf, NULL) != ATLS_OK) {
        atls_shelf_place_free(place);
        return NULL;
    }
    return place;
}

void atls_shelf_place_free(atls_shelf_place *place)
{
    if (place != NULL) {
        atls_shelf_free(place->shelf);
        pthread_mutex_destroy(&place->lock);
        free(place);
    }
}

void atls_shelf_place_put(atls_shelf_place *place, atls_shelf *shelf)
{
    pthread_mutex_lock(&place->lock);
    atls_shelf *before = place->shelf;
    place->shelf = shelf;
    pthread_mutex_unlock(&place->lock);
    atls_shelf_free(before); /* outside the lock: freeing may take its time */
}

atls_shelf *atls_shelf_place_get(const atls_shelf_place *place)
{
    atls_shelf_place *mine = (atls_shelf_place *)(uintptr_t)place; /* its lock is no part of it */
    pthread_mutex_lock(&mine->lock);
    atls_shelf *shelf = atls_shelf_up_ref(mine->shelf);
    pthread_mutex_unlock(&mine->lock);
    return shelf;
}
