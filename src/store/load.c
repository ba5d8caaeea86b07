#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "crypto/digest.h"
#include "store/index_entry.h"
#include "store/store.h"

#define OBJECT_NAME_LEN 65
#define READ_TRIES      8 /* an entry whose object was replaced between two looks is read again */

typedef struct loading {
    atls_store *store;
    int64_t when_s;
    char (*objects)[OBJECT_NAME_LEN]; /* that entries name */
    size_t objects_n;
    bool unreadable; /* an entry: what it named is not known */
    bool changed;    /* what is held */
    bool raised;     /* a floor, above the file's */
    atls_err *err;
} loading;

static void pass_over(const loading *l, const char *name, const atls_err *why)
{
    atls_store_add_note(l->store, "%s is passed over: %s (%s)", name, why->msg, why->check);
}

/* --- one item --- */

/* *stale: its object is not there any more. */
static atls_code read_object(const loading *l, const atls_index_entry *entry, uint8_t **out,
                             size_t *len, bool *stale, atls_err *why)
{
    char name[OBJECT_NAME_LEN];
    uint8_t sha256[32];
    uint8_t *bytes = NULL;
    atls_hex_encode((atls_buf){entry->sha256, 32}, name);
    ATLS_TRY(atls_store_directory_read(l->store->files, ATLS_STORE_OBJECTS, name, ATLS_ITEM_MAX_LEN,
                                       &bytes, len, why));
    *stale = bytes == NULL;
    if (*stale) {
        return ATLS_ERR(why, ATLS_E_INVALID, "store.object", "its object %.16s... is not there",
                        name);
    }
    const atls_buf whole = {bytes, *len};
    atls_code rc = atls_digest(ATLS_SHA256, &whole, 1, sha256, why);
    if (rc == ATLS_OK && memcmp(sha256, entry->sha256, sizeof sha256) != 0) {
        rc = ATLS_ERR(why, ATLS_E_INVALID, "store.object",
                      "the bytes of object %.16s... have another SHA-256: it is damaged", name);
    }
    if (rc != ATLS_OK) {
        free(bytes);
        return rc;
    }
    *out = bytes;
    return ATLS_OK;
}

static atls_code make_held(const loading *l, const atls_index_entry *entry, atls_buf bytes,
                           atls_held **out, atls_err *why)
{
    atls_item item;
    ATLS_TRY(atls_item_decode(bytes, &item, why));
    if (strcmp(item.key, entry->key) != 0) {
        return ATLS_ERR(why, ATLS_E_INVALID, "store.object", "its object is of another key");
    }
    ATLS_TRY(atls_store_check_source(entry->key, entry->source, why));
    const atls_held_origin origin = {entry->source, entry->from, entry->taken_s,
                                     entry->unreachable_since_s};
    ATLS_TRY(atls_held_new(l->store->roots, &item, &origin, out, why));
    atomic_store(&(*out)->is_saved, true);
    return ATLS_OK;
}

/* Held in the place of what memory has, unless that is better. */
static atls_code admit(loading *l, atls_held *held, atls_err *why)
{
    atls_floors *floors = l->store->floors;
    const char *key = atls_held_key(held);
    ATLS_TRY(atls_floors_check(floors, key, &held->facts, why));
    const atls_held *before = atls_store_find(l->store, key);
    if (before != NULL && atls_store_is_older(&held->facts, &before->facts) &&
        atls_store_raises_floors(before)) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_store_place_held(l->store, held, why));
    l->changed = true;
    bool raised = false;
    if (atls_store_raises_floors(held)) {
        ATLS_TRY(atls_floors_raise(floors, key, &held->facts, l->when_s, &raised, why));
    }
    l->raised = l->raised || raised;
    return ATLS_OK;
}

/* The item that an entry names. */
static atls_code load_object(loading *l, const atls_index_entry *entry, bool *stale, atls_err *why)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    atls_held *held = NULL;
    ATLS_TRY(read_object(l, entry, &bytes, &len, stale, why));
    atls_code rc = make_held(l, entry, (atls_buf){bytes, len}, &held, why);
    free(bytes);
    rc = rc == ATLS_OK ? admit(l, held, why) : rc;
    atls_held_free(held);
    return rc;
}

/* Memory has that very item; only what is known of its origins may have changed. */
static bool is_known(loading *l, const atls_index_entry *entry)
{
    atls_held *before = atls_store_find(l->store, entry->key);
    if (before == NULL || before->source != entry->source ||
        memcmp(before->sha256, entry->sha256, sizeof entry->sha256) != 0) {
        return false;
    }
    atomic_store(&before->is_saved, true);
    if (atomic_exchange(&before->unreachable_since_s, entry->unreachable_since_s) !=
        entry->unreachable_since_s) {
        l->changed = true;
    }
    return true;
}

/* --- one entry --- */

static atls_code read_entry(const loading *l, const char *name, atls_index_entry *out, bool *there,
                            atls_err *why)
{
    uint8_t *text = NULL;
    size_t len = 0;
    char wanted[ATLS_INDEX_NAME_LEN];
    ATLS_TRY(atls_store_directory_read(l->store->files, ATLS_STORE_INDEX, name,
                                       ATLS_INDEX_ENTRY_MAX, &text, &len, why));
    *there = text != NULL;
    if (!*there) {
        return ATLS_OK;
    }
    atls_code rc = atls_index_entry_read((atls_buf){text, len}, out, why);
    free(text);
    ATLS_TRY(rc);
    ATLS_TRY(atls_index_name(out->key, wanted, why));
    return strcmp(wanted, name) == 0
               ? ATLS_OK
               : ATLS_ERR(why, ATLS_E_INVALID, "store.index", "the entry is of another key");
}

static atls_code try_entry(loading *l, const char *name, bool *stale, atls_err *why)
{
    atls_index_entry entry;
    bool there = false;
    *stale = false;
    atls_code rc = read_entry(l, name, &entry, &there, why);
    if (rc != ATLS_OK || !there) {
        l->unreadable = l->unreadable || rc != ATLS_OK;
        return rc;
    }
    if (is_known(l, &entry)) {
        rc = ATLS_OK;
    } else {
        rc = load_object(l, &entry, stale, why);
    }
    if (!*stale) {
        atls_hex_encode((atls_buf){entry.sha256, 32}, l->objects[l->objects_n++]);
    }
    return rc;
}

/* ATLS_E_SYSTEM for lack of memory only: everything else is noted, and passed over. */
static atls_code load_entry(loading *l, const char *name)
{
    bool stale = true;
    atls_err why = {0};
    atls_code rc = ATLS_OK;
    for (int i = 0; i < READ_TRIES && stale; i++) {
        rc = try_entry(l, name, &stale, &why);
    }
    if (rc == ATLS_E_SYSTEM && strcmp(why.check, "system.memory") == 0) {
        return ATLS_ERR_NOMEM(l->err);
    }
    if (rc != ATLS_OK) {
        pass_over(l, name, &why);
    }
    return ATLS_OK;
}

/* --- what dead writers have left --- */

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, OBJECT_NAME_LEN);
}

static void remove_orphans(loading *l)
{
    atls_store_directory *files = l->store->files;
    atls_store_names names;
    if (l->unreadable ||
        atls_store_directory_names(files, ATLS_STORE_OBJECTS, &names, NULL) != ATLS_OK) {
        return;
    }
    if (l->objects_n > 1) {
        qsort(l->objects, l->objects_n, sizeof *l->objects, by_name);
    }
    for (size_t i = 0; i < names.n; i++) {
        char name[OBJECT_NAME_LEN] = "";
        const size_t len = strlen(names.names[i]);
        if (len >= sizeof name) {
            continue; /* nothing of ours */
        }
        memcpy(name, names.names[i], len);
        if (l->objects_n == 0 ||
            bsearch(name, l->objects, l->objects_n, sizeof *l->objects, by_name) == NULL) {
            atls_store_directory_remove(files, ATLS_STORE_OBJECTS, names.names[i]);
        }
    }
    atls_store_names_free(&names);
}

/* Only if nobody is writing, and nobody has since the index was read: then whatever no entry names is of nobody. */
static void sweep(loading *l)
{
    atls_store_directory *files = l->store->files;
    int lock = -1;
    if (atls_store_directory_lock(files, false, &lock, NULL) != ATLS_OK) {
        return;
    }
    atls_store_state now;
    atls_store_directory_state(files, &now);
    const bool known = atls_store_state_equal(&now, &l->store->loaded);
    if (known) {
        remove_orphans(l);
    }
    for (unsigned room = 0; room < ATLS_STORE_ROOMS; room++) {
        atls_store_directory_sweep(files, (atls_store_room)room);
    }
    /* Sweeping the index moves its time: the directory is as known as before. */
    atls_store_state after;
    atls_store_directory_state(files, &after);
    if (known) {
        l->store->loaded = after;
    }
    atls_store_directory_unlock(lock);
}

/* --- all --- */

static atls_code load_all(loading *l, const atls_store_names *names)
{
    l->objects = calloc(names->n + 1, sizeof *l->objects);
    if (l->objects == NULL) {
        return ATLS_ERR_NOMEM(l->err);
    }
    for (size_t i = 0; i < names->n; i++) {
        ATLS_TRY(load_entry(l, names->names[i]));
    }
    return ATLS_OK;
}

/* The floors of the items are higher than the file says, or there is no file. */
static void restore_floors(loading *l)
{
    atls_store *s = l->store;
    int lock = -1;
    atls_err why = {0};
    atls_code rc = atls_store_begin_write(s, &lock, &why);
    if (rc == ATLS_OK) {
        rc = atls_store_write_floors(s, &why);
        atls_store_end_write(s, lock);
    }
    if (rc != ATLS_OK) {
        atls_store_add_note(s, "the floors could not be written: %s", why.msg);
    }
}

static atls_code read_directory(loading *l, const atls_store_state *now)
{
    atls_store *s = l->store;
    atls_store_names names;
    bool lost = false;
    ATLS_TRY(atls_store_read_floors(s, &lost, l->err));
    s->floored = *now;
    ATLS_TRY(atls_store_directory_names(s->files, ATLS_STORE_INDEX, &names, l->err));
    const bool any = names.n > 0;
    atls_code rc = load_all(l, &names);
    atls_store_names_free(&names);
    ATLS_TRY(rc);
    if (lost && any) {
        atls_store_add_note(
            s,
            "the file of floors is lost: they are what the items that are here say, so older ones "
            "that were replaced before cannot be told any more");
    }
    s->loaded = *now;
    ATLS_TRY(atls_store_publish(s, l->err));
    if (l->raised || (lost && any)) {
        restore_floors(l);
    }
    return ATLS_OK;
}

static atls_code load(atls_store *store, int64_t when_s, atls_err *err)
{
    loading l = {.store = store, .when_s = when_s, .err = err};
    atls_store_state now;
    atls_store_directory_state(store->files, &now);
    if (store->was_loaded && atls_store_state_equal(&now, &store->loaded)) {
        return ATLS_OK;
    }
    atls_code rc = read_directory(&l, &now);
    if (rc == ATLS_OK && !store->was_loaded) {
        sweep(&l);
    }
    store->was_loaded = store->was_loaded || rc == ATLS_OK;
    free(l.objects);
    return rc;
}

atls_code atls_store_load(atls_store *store, int64_t when_s, atls_err *err)
{
    if (store->files == NULL) {
        return ATLS_OK;
    }
    pthread_mutex_lock(&store->writing);
    atls_code rc = load(store, when_s, err);
    pthread_mutex_unlock(&store->writing);
    return rc;
}
