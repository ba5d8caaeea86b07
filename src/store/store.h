/* store.h: the inside of a store: what it holds, its floors, its directory, and the place where verifiers look.
 *
 * Two locks. writing: whoever changes something holds it from the first look at the floors to the new shelf, files
 * included. list->lock: guards the array and the notes, for as long as it takes to copy a pointer; readers take no
 * other. Verifiers take none: they look at the place. */
#ifndef ATLS_STORE_STORE_H
#define ATLS_STORE_STORE_H

#include <pthread.h>

#include "store/directory.h"
#include "store/held.h"
#include "trust/shelf.h"

#define ATLS_STORE_ITEMS_MAX 65536
#define ATLS_STORE_NOTES_MAX 256

typedef struct atls_store_list {
    pthread_mutex_t lock;
    atls_held **items; /* in the order of their keys; readers do not see them */
    size_t n, cap;
    atls_held **seen; /* the same once verifiers can see them, too: what readers find */
    size_t seen_n;
    char *notes[ATLS_STORE_NOTES_MAX]; /* each stays until the store ends */
    size_t notes_n;
    atomic_llong clock_floor_s;
} atls_store_list;

struct atls_store {
    pthread_mutex_t writing;
    atls_root_set roots[ATLS_FAMILIES];
    atls_floors *floors;         /* under writing */
    atls_store_directory *files; /* NULL: memory only; under writing */
    atls_store_state
        loaded; /* how the directory was when all of it was last known; under writing */
    atls_store_state floored; /* likewise, of its floors */
    bool was_loaded;
    size_t items_max;    /* ATLS_STORE_ITEMS_MAX, but in tests */
    bool floors_unsaved; /* they rose, and the file could not be written since; under writing */
    atls_store_list *list;
    atls_shelf_place *place;
};

/* Where a verifier finds what the store has: lent. */
atls_shelf_place *atls_store_get0_place(const atls_store *store);

/* Told to people once, however often it is seen. */
void atls_store_add_note(const atls_store *store, const char *fmt, ...) ATLS_PRINTF(2, 3);

/* The held item of that key, lent to whoever has writing; NULL: none. */
atls_held *atls_store_find(const atls_store *store, const char *key);
/* Puts held (a reference is taken) in the place of its key. ATLS_E_SYSTEM "store.full", "system.memory". Under writing. */
ATLS_MUST_USE atls_code atls_store_place_held(atls_store *store, atls_held *held, atls_err *err);
void atls_store_remove_held(atls_store *store, const char *key); /* out of memory; under writing */
/* Room for the keys of these that are new: certificates of platforms make it, from files too. ATLS_E_SYSTEM "store.full". Under writing. */
ATLS_MUST_USE atls_code atls_store_make_room(atls_store *store, atls_held *const *chosen, size_t n,
                                             bool with_files, atls_err *err);
/* Lets verifiers see all that is held, and the floors. Under writing. */
ATLS_MUST_USE atls_code atls_store_publish(atls_store *store, atls_err *err);

/* --- files; all under writing --- */

/* The directory's lock, and others' floors merged into the store's. *lock is -1 for a store in memory. ATLS_E_SYSTEM "store.lock". */
ATLS_MUST_USE atls_code atls_store_begin_write(atls_store *store, int *lock, atls_err *err);
/* Object and entry, safe when this returns; what the entry named before is removed. ATLS_E_SYSTEM "store.write". */
ATLS_MUST_USE atls_code atls_store_write_items(atls_store *store, atls_held *const *held, size_t n,
                                               atls_err *err);
void atls_store_remove_object(atls_store *store, const atls_held *held);
ATLS_MUST_USE atls_code atls_store_write_floors(atls_store *store, atls_err *err);
void atls_store_end_write(atls_store *store, int lock);
/* Of the file; *lost: there is none that could be read. Merges into the store's. ATLS_E_SYSTEM for lack of memory. */
ATLS_MUST_USE atls_code atls_store_read_floors(atls_store *store, bool *lost, atls_err *err);

/* --- taking --- */

/* JWK sets are roots in effect, and come from configured origins only. ATLS_E_INVALID "store.jwks". */
ATLS_MUST_USE atls_code atls_store_check_source(const char *key, atls_item_source source,
                                                atls_err *err);
/* May this item raise floors? Not TCB infos and identities that strangers chose: they may be of the set that is published
 * early, and would bar the one that is in force. Nor AMD's CRLs: of its two for a product neither says which it is. */
bool atls_store_raises_floors(const atls_held *held);
/* A simulator's is older than any vendor's; else by number, then by issue time. */
bool atls_store_is_older(const atls_item_facts *a, const atls_item_facts *b);

typedef enum atls_store_admitted {
    ATLS_STORE_NEW = 0,
    ATLS_STORE_SAME, /* it is held already, or a better one that has no floor */
    ATLS_STORE_BELOW /* its floor is above it */
} atls_store_admitted;

/* Judged items, each in its time, into files and memory; published once. admitted (n of them) says what became of each; err is filled
 * for the last that is below its floor too. ATLS_E_SYSTEM "store.write": files could not be written, memory has them. */
ATLS_MUST_USE atls_code atls_store_admit(atls_store *store, atls_held *const *held, size_t n,
                                         int64_t when_s, atls_store_admitted *admitted,
                                         atls_err *err);

/* As atls_store_take, and quick for what is held already; is_new: it was not, and is now. */
ATLS_MUST_USE atls_code atls_store_offer(atls_store *store, const atls_item *item,
                                         const atls_held_origin *origin, bool *is_new,
                                         atls_err *err);

#endif
