#include "store/store.h"

/* The entry tells other processes, and the next one, since when an origin is silent. */
static void tell(atls_store *store, atls_held *held)
{
    int lock = -1;
    atls_err why = {0};
    atls_code rc = atls_store_begin_write(store, &lock, &why);
    if (rc == ATLS_OK && lock >= 0) {
        rc = atls_store_write_items(store, &held, 1, &why);
        atls_store_end_write(store, lock);
    }
    /* Whatever the disk says: an origin that answers again excuses nothing any more. */
    atls_err unseen = {0};
    if (atls_store_publish(store, &unseen) != ATLS_OK && rc == ATLS_OK) {
        rc = unseen.code;
        why = unseen;
    }
    if (rc != ATLS_OK) {
        atls_store_add_note(store, "the silence of origins is not kept: %s", why.msg);
    }
}

void atls_store_set_reachable(atls_store *store, const char *key, bool reachable, int64_t when_s)
{
    pthread_mutex_lock(&store->writing);
    atls_held *held = atls_store_find(store, key);
    const long long before = held != NULL ? atomic_load(&held->unreachable_since_s) : 0;
    if (held != NULL && (before == 0) != reachable) {
        atomic_store(&held->unreachable_since_s, reachable ? 0 : when_s);
        tell(store, held);
    }
    pthread_mutex_unlock(&store->writing);
}
