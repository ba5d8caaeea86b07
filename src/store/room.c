/* room.c: a store that is full goes on. Anybody can have certificates of as many TCBs of one chip as he likes, and so fill it:
 * those of platforms make room, as they can be had again. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/index_entry.h"
#include "store/store.h"

#define BATCH_PART 64 /* so much of the store makes room at once, as looking for it takes a while */

static bool is_of_a_platform(const atls_held *held)
{
    atls_item_name name;
    return atls_item_name_parse(atls_held_key(held), &name, NULL) == ATLS_OK &&
           (name.kind == ATLS_ITEM_VCEK || name.kind == ATLS_ITEM_PCK_CERT);
}

static bool is_among(const atls_held *held, atls_held *const *chosen, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(atls_held_key(held), atls_held_key(chosen[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* What strangers brought first, then what was taken longest ago. */
static int by_worth(const void *a, const void *b)
{
    const atls_held *x = *(atls_held *const *)a;
    const atls_held *y = *(atls_held *const *)b;
    const int by_source = (int)(y->source == ATLS_ITEM_STAPLED) - (x->source == ATLS_ITEM_STAPLED);
    const int by_time = (x->taken_s > y->taken_s) - (x->taken_s < y->taken_s);
    return by_source != 0 ? by_source : by_time;
}

/* The files go as well, as far as they can be written; what stays is read again by the next process. */
static void drop(atls_store *store, atls_held *held, bool with_files)
{
    char name[ATLS_INDEX_NAME_LEN];
    atls_store_remove_held(store, atls_held_key(held));
    if (with_files && atls_index_name(atls_held_key(held), name, NULL) == ATLS_OK) {
        atls_store_directory_remove(store->files, ATLS_STORE_INDEX, name);
        atls_store_remove_object(store, held);
    }
}

static size_t new_keys(const atls_store *store, atls_held *const *chosen, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += atls_store_find(store, atls_held_key(chosen[i])) == NULL ? 1u : 0u;
    }
    return count;
}

atls_code atls_store_make_room(atls_store *store, atls_held *const *chosen, size_t n,
                               bool with_files, atls_err *err)
{
    const size_t wanted = store->list->n + new_keys(store, chosen, n);
    if (wanted <= store->items_max) {
        return ATLS_OK;
    }
    const size_t least = wanted - store->items_max;
    atls_held **candidates = calloc(store->list->n + 1, sizeof(atls_held *));
    if (candidates == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    size_t count = 0;
    for (size_t i = 0; i < store->list->n; i++) {
        atls_held *held = store->list->items[i];
        if (is_of_a_platform(held) && !is_among(held, chosen, n)) {
            candidates[count++] = atls_held_up_ref(held);
        }
    }
    qsort(candidates, count, sizeof(atls_held *), by_worth);
    const size_t batch = least + store->items_max / BATCH_PART;
    for (size_t i = 0; i < count; i++) {
        if (count >= least && i < batch) {
            drop(store, candidates[i], with_files);
        }
        atls_held_free(candidates[i]);
    }
    free(candidates);
    return count >= least
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_SYSTEM, "store.full",
                          "the store has %zu items: %zu are its most, and too few are of platforms",
                          store->list->n, store->items_max);
}
