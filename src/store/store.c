#include "store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

#define NOTE_MAX 1024 /* bytes of a note */

/* --- its life --- */

static atls_store_list *list_new(void)
{
    atls_store_list *list = calloc(1, sizeof *list);
    if (list != NULL && pthread_mutex_init(&list->lock, NULL) != 0) {
        free(list);
        return NULL;
    }
    if (list != NULL) {
        atomic_init(&list->clock_floor_s, 0);
    }
    return list;
}

static void free_held(atls_held **held, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        atls_held_free(held[i]);
    }
    free(held);
}

static void list_free(atls_store_list *list)
{
    if (list == NULL) {
        return;
    }
    free_held(list->items, list->n);
    free_held(list->seen, list->seen_n);
    for (size_t i = 0; i < list->notes_n; i++) {
        free(list->notes[i]);
    }
    pthread_mutex_destroy(&list->lock);
    free(list);
}

static atls_code open_parts(atls_store *s, const char *dir, atls_err *err)
{
    s->items_max = ATLS_STORE_ITEMS_MAX;
    s->list = list_new();
    s->floors = atls_floors_new();
    s->place = atls_shelf_place_new();
    if (s->list == NULL || s->floors == NULL || s->place == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    for (unsigned f = 0; f < ATLS_FAMILIES; f++) {
        ATLS_TRY(atls_root_set_pinned(&s->roots[f], (atls_family)f, err));
    }
    return dir == NULL ? ATLS_OK : atls_store_directory_open(dir, &s->files, err);
}

atls_code atls_store_open(const char *dir, atls_store **out, atls_err *err)
{
    atls_store *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (pthread_mutex_init(&s->writing, NULL) != 0) {
        free(s);
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = open_parts(s, dir, err);
    if (rc != ATLS_OK) {
        atls_store_free(s);
        return rc;
    }
    *out = s;
    return ATLS_OK;
}

void atls_store_free(atls_store *store)
{
    if (store == NULL) {
        return;
    }
    atls_shelf_place_free(store->place);
    atls_store_directory_free(store->files);
    atls_floors_free(store->floors);
    list_free(store->list);
    for (size_t f = 0; f < ATLS_FAMILIES; f++) {
        atls_root_set_clear(&store->roots[f]);
    }
    pthread_mutex_destroy(&store->writing);
    free(store);
}

atls_code atls_store_set1_root(atls_store *store, atls_family family, atls_buf certs, atls_err *err)
{
    if ((unsigned)family >= ATLS_FAMILIES) {
        return ATLS_ERR(err, ATLS_E_USAGE, "root.family", "family %u is not known",
                        (unsigned)family);
    }
    pthread_mutex_lock(&store->writing);
    atls_code rc = atls_root_set_add(&store->roots[family], family, certs, false, err);
    pthread_mutex_unlock(&store->writing);
    return rc;
}

atls_code atls_store_insecure_trust_simulator(atls_store *store, atls_buf certs, atls_err *err)
{
    pthread_mutex_lock(&store->writing);
    atls_code rc = atls_root_sets_add_simulators(store->roots, certs, err);
    pthread_mutex_unlock(&store->writing);
    return rc;
}

atls_shelf_place *atls_store_get0_place(const atls_store *store)
{
    return store->place;
}

/* --- the list --- */

/* Where key is, or belongs. */
static size_t find_place(atls_held *const *items, size_t n, const char *key, bool *there)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(atls_held_key(items[middle]), key);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *there = false;
    return low;
}

atls_held *atls_store_find(const atls_store *store, const char *key)
{
    bool there = false;
    const size_t at = find_place(store->list->items, store->list->n, key, &there);
    return there ? store->list->items[at] : NULL;
}

/* Room for one more; the array is seen by readers, so it grows under their lock. */
static atls_code grow(atls_store_list *list, atls_err *err)
{
    if (list->n >= ATLS_STORE_ITEMS_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "store.full", "the store has %d items, its most",
                        ATLS_STORE_ITEMS_MAX);
    }
    if (list->n < list->cap) {
        return ATLS_OK;
    }
    const size_t cap = list->cap == 0 ? 64 : list->cap * 2;
    atls_held **more = realloc(list->items, cap * sizeof *more);
    if (more == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    list->items = more;
    list->cap = cap;
    return ATLS_OK;
}

static atls_code insert(atls_store_list *list, size_t at, atls_held *held, atls_err *err)
{
    ATLS_TRY(grow(list, err));
    memmove(list->items + at + 1, list->items + at, (list->n - at) * sizeof(atls_held *));
    list->items[at] = atls_held_up_ref(held);
    list->n++;
    return ATLS_OK;
}

atls_code atls_store_place_held(atls_store *store, atls_held *held, atls_err *err)
{
    atls_store_list *list = store->list;
    bool there = false;
    atls_held *before = NULL;
    atls_code rc = ATLS_OK;
    pthread_mutex_lock(&list->lock);
    const size_t at = find_place(list->items, list->n, atls_held_key(held), &there);
    if (there) {
        before = list->items[at];
        list->items[at] = atls_held_up_ref(held);
    } else {
        rc = insert(list, at, held, err);
    }
    pthread_mutex_unlock(&list->lock);
    atls_held_free(before);
    return rc;
}

void atls_store_remove_held(atls_store *store, const char *key)
{
    atls_store_list *list = store->list;
    bool there = false;
    atls_held *before = NULL;
    pthread_mutex_lock(&list->lock);
    const size_t at = find_place(list->items, list->n, key, &there);
    if (there) {
        before = list->items[at];
        list->n--;
        memmove(list->items + at, list->items + at + 1, (list->n - at) * sizeof(atls_held *));
    }
    pthread_mutex_unlock(&list->lock);
    atls_held_free(before);
}

/* What readers find from now on, in the place of what they found before. */
static void show(atls_store_list *list, atls_held **seen)
{
    const size_t n = list->n;
    for (size_t i = 0; i < n; i++) {
        seen[i] = atls_held_up_ref(list->items[i]);
    }
    pthread_mutex_lock(&list->lock);
    atls_held **before = list->seen;
    const size_t before_n = list->seen_n;
    list->seen = seen;
    list->seen_n = n;
    pthread_mutex_unlock(&list->lock);
    free_held(before, before_n);
}

atls_code atls_store_publish(atls_store *store, atls_err *err)
{
    const size_t n = store->list->n;
    atls_shelf_item *items = calloc(n + 1, sizeof *items);
    atls_held **seen = calloc(n + 1, sizeof(atls_held *));
    if (items == NULL || seen == NULL) {
        free(items);
        free(seen);
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < n; i++) {
        const atls_held *h = store->list->items[i];
        items[i] = (atls_shelf_item){.item = &h->item,
                                     .facts = &h->facts,
                                     .unreachable_since_s = atomic_load(&h->unreachable_since_s)};
    }
    atls_shelf *before = atls_shelf_place_get(store->place);
    atls_shelf *shelf = NULL;
    atls_code rc = atls_shelf_make(items, n, store->floors, before, &shelf, err);
    atls_shelf_free(before);
    free(items);
    if (rc == ATLS_OK) {
        atomic_store(&store->list->clock_floor_s, atls_floors_clock(store->floors));
        atls_shelf_place_put(store->place, shelf);
        show(store->list, seen); /* not before: who is told that it is held verifies with it */
    } else {
        free(seen);
    }
    return rc;
}

/* --- looking --- */

bool atls_store_get(const atls_store *store, const char *key, atls_held **out)
{
    atls_store_list *list = store->list;
    bool there = false;
    pthread_mutex_lock(&list->lock);
    const size_t at = find_place(list->seen, list->seen_n, key, &there);
    if (there) {
        *out = atls_held_up_ref(list->seen[at]);
    }
    pthread_mutex_unlock(&list->lock);
    return there;
}

bool atls_store_at(const atls_store *store, size_t i, atls_item_status *out)
{
    atls_store_list *list = store->list;
    pthread_mutex_lock(&list->lock);
    atls_held *held = i < list->seen_n ? atls_held_up_ref(list->seen[i]) : NULL;
    pthread_mutex_unlock(&list->lock);
    if (held != NULL) {
        atls_held_status(held, out);
    }
    const bool there = held != NULL;
    atls_held_free(held);
    return there;
}

int64_t atls_store_clock_floor(const atls_store *store)
{
    return atomic_load(&store->list->clock_floor_s);
}

static bool in_time(const atls_store *store, const char *key, int64_t when_s)
{
    atls_held *held = NULL;
    if (!atls_store_get(store, key, &held)) {
        return false;
    }
    const bool ok = atls_item_judge_time(key, &held->facts, when_s, NULL) == ATLS_OK;
    atls_held_free(held);
    return ok;
}

void atls_store_reduce_needs(const atls_store *store, atls_needs *needs, int64_t when_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < needs->n && i < ATLS_NEEDS_MAX; i++) {
        if (!in_time(store, needs->keys[i], when_s)) {
            memmove(needs->keys[kept++], needs->keys[i], sizeof needs->keys[i]);
        }
    }
    needs->n = kept;
}

/* --- notes --- */

static bool is_noted(const atls_store_list *list, const char *note)
{
    for (size_t i = 0; i < list->notes_n; i++) {
        if (strcmp(list->notes[i], note) == 0) {
            return true;
        }
    }
    return false;
}

void atls_store_add_note(const atls_store *store, const char *fmt, ...)
{
    char raw[NOTE_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    atls_text text = atls_text_of(4 * NOTE_MAX + 1);
    atls_text_add_escaped(&text, raw);
    char *note = atls_text_take(&text);
    atls_store_list *list = store->list;
    pthread_mutex_lock(&list->lock);
    if (note != NULL && list->notes_n < ATLS_STORE_NOTES_MAX && !is_noted(list, note)) {
        list->notes[list->notes_n++] = note;
        note = NULL;
    }
    pthread_mutex_unlock(&list->lock);
    free(note);
}

const char *atls_store_note(const atls_store *store, size_t i)
{
    atls_store_list *list = store->list;
    pthread_mutex_lock(&list->lock);
    const char *note = i < list->notes_n ? list->notes[i] : NULL;
    pthread_mutex_unlock(&list->lock);
    return note;
}
