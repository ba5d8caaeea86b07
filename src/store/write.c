#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "store/index_entry.h"
#include "store/store.h"

#define FLOORS_FILE "floors"
#define FLOORS_LEN                                                                                 \
    ((size_t)ATLS_FLOORS_MAX * (ATLS_ITEM_KEY_LEN + 128)) /* bytes of the file, at most */
#define OBJECT_NAME_LEN 65

/* --- floors --- */

atls_code atls_store_read_floors(atls_store *store, bool *lost, atls_err *err)
{
    uint8_t *text = NULL;
    size_t len = 0;
    atls_err why = {0};
    *lost = true;
    atls_code rc = atls_store_directory_read(store->files, ATLS_STORE_TOP, FLOORS_FILE, FLOORS_LEN,
                                             &text, &len, &why);
    atls_floors *floors = NULL;
    if (rc == ATLS_OK && text != NULL) {
        rc = atls_floors_decode((atls_buf){text, len}, &floors, &why);
    }
    free(text);
    if (rc != ATLS_OK) {
        atls_store_add_note(store, "the file of floors is passed over: %s", why.msg);
    }
    if (floors != NULL) {
        bool changed = false;
        *lost = false;
        rc = atls_floors_merge(store->floors, floors, &changed, err);
        atls_floors_free(floors);
        return rc;
    }
    return ATLS_OK;
}

atls_code atls_store_write_floors(atls_store *store, atls_err *err)
{
    char *text = NULL;
    size_t len = 0;
    ATLS_TRY(atls_floors_encode(store->floors, &text, &len, err));
    atls_code rc = atls_store_directory_write(store->files, ATLS_STORE_TOP, FLOORS_FILE,
                                              (atls_buf){(const uint8_t *)text, len}, err);
    free(text);
    store->floors_unsaved = rc != ATLS_OK;
    return rc; /* the directory is not synced: floors that are lost with it stand in the items, too */
}

/* --- a change --- */

atls_code atls_store_begin_write(atls_store *store, int *lock, atls_err *err)
{
    *lock = -1;
    if (store->files == NULL) {
        return ATLS_OK;
    }
    int held = -1;
    ATLS_TRY(atls_store_directory_lock(store->files, true, &held, err));
    atls_store_state now;
    atls_store_directory_state(store->files, &now);
    bool lost = false;
    atls_code rc = ATLS_OK;
    if (!atls_store_state_equal(&now, &store->floored)) {
        rc = atls_store_read_floors(store, &lost, err);
        store->floored = now;
    }
    if (rc != ATLS_OK) {
        atls_store_directory_unlock(held);
        return rc;
    }
    *lock = held;
    return ATLS_OK;
}

void atls_store_end_write(atls_store *store, int lock)
{
    if (lock < 0) {
        return;
    }
    /* Our own change is known; one of others that we have not looked at yet stays unknown. */
    const bool was_known = atls_store_state_equal(&store->loaded, &store->floored);
    atls_err why = {0};
    if (atls_store_directory_count(store->files, &why) != ATLS_OK) {
        atls_store_add_note(store, "other processes are not told of a change: %s", why.msg);
    }
    atls_store_directory_state(store->files, &store->floored);
    if (was_known) {
        store->loaded = store->floored;
    }
    atls_store_directory_unlock(lock);
}

/* --- an item --- */

static void object_name(const uint8_t sha256[32], char out[OBJECT_NAME_LEN])
{
    atls_hex_encode((atls_buf){sha256, 32}, out);
}

void atls_store_remove_object(atls_store *store, const atls_held *held)
{
    char name[OBJECT_NAME_LEN];
    object_name(held->sha256, name);
    atls_store_directory_remove(store->files, ATLS_STORE_OBJECTS, name);
}

static bool object_is_there(const atls_store *store, const atls_held *held, const char *name)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    const bool same = atls_store_directory_read(store->files, ATLS_STORE_OBJECTS, name,
                                                ATLS_ITEM_MAX_LEN, &bytes, &len, NULL) == ATLS_OK &&
                      bytes != NULL && len == held->len && memcmp(bytes, held->bytes, len) == 0;
    free(bytes);
    return same;
}

/* What the index says of the key now. False: nothing, or nothing that can be read. */
static bool present_entry(const atls_store *store, const char *name, const char *key,
                          atls_index_entry *out)
{
    uint8_t *text = NULL;
    size_t len = 0;
    const bool ok = atls_store_directory_read(store->files, ATLS_STORE_INDEX, name,
                                              ATLS_INDEX_ENTRY_MAX, &text, &len, NULL) == ATLS_OK &&
                    text != NULL &&
                    atls_index_entry_read((atls_buf){text, len}, out, NULL) == ATLS_OK &&
                    strcmp(out->key, key) == 0;
    free(text);
    return ok;
}

static void entry_of(const atls_held *held, atls_index_entry *out)
{
    *out = (atls_index_entry){.source = held->source,
                              .taken_s = held->taken_s,
                              .unreachable_since_s = atomic_load(&held->unreachable_since_s)};
    memcpy(out->key, held->item.key, strlen(held->item.key) + 1);
    memcpy(out->sha256, held->sha256, sizeof out->sha256);
    memcpy(out->from, held->from, sizeof out->from);
}

static atls_code write_object(atls_store *store, const atls_held *held, atls_err *err)
{
    char name[OBJECT_NAME_LEN];
    object_name(held->sha256, name);
    if (object_is_there(store, held, name)) {
        return ATLS_OK;
    }
    return atls_store_directory_write(store->files, ATLS_STORE_OBJECTS, name,
                                      (atls_buf){held->bytes, held->len}, err);
}

/* *old: the object that the entry named before, "" if that is none or the same. */
static atls_code write_entry(atls_store *store, const atls_held *held, char old[OBJECT_NAME_LEN],
                             atls_err *err)
{
    char name[ATLS_INDEX_NAME_LEN];
    ATLS_TRY(atls_index_name(held->item.key, name, err));
    atls_index_entry entry;
    old[0] = '\0';
    if (present_entry(store, name, held->item.key, &entry) &&
        memcmp(entry.sha256, held->sha256, sizeof entry.sha256) != 0) {
        object_name(entry.sha256, old);
    }
    uint8_t text[ATLS_INDEX_ENTRY_MAX];
    atls_writer w = atls_writer_of(text, sizeof text);
    entry_of(held, &entry);
    ATLS_TRY(atls_index_entry_write(&entry, &w, err));
    return atls_store_directory_write(store->files, ATLS_STORE_INDEX, name, (atls_buf){text, w.len},
                                      err);
}

static atls_code write_all(atls_store *store, atls_held *const *held, size_t n,
                           char (*old)[OBJECT_NAME_LEN], atls_err *err)
{
    for (size_t i = 0; i < n; i++) {
        ATLS_TRY(write_object(store, held[i], err));
    }
    ATLS_TRY(atls_store_directory_sync(store->files, ATLS_STORE_OBJECTS, err));
    for (size_t i = 0; i < n; i++) {
        ATLS_TRY(write_entry(store, held[i], old[i], err));
    }
    return atls_store_directory_sync(store->files, ATLS_STORE_INDEX, err);
}

atls_code atls_store_write_items(atls_store *store, atls_held *const *held, size_t n, atls_err *err)
{
    char(*old)[OBJECT_NAME_LEN] = calloc(n + 1, sizeof *old);
    if (old == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = write_all(store, held, n, old, err);
    for (size_t i = 0; rc == ATLS_OK && i < n; i++) {
        atomic_store(&held[i]->is_saved, true);
        if (old[i][0] != '\0') {
            atls_store_directory_remove(store->files, ATLS_STORE_OBJECTS, old[i]);
        }
    }
    free(old);
    return rc;
}
