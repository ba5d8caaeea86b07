/* keeper_table.c: the entries of a keeper by key. Keys come out of hostile evidence too: the table has an upper limit, and
 * forgets what nobody has asked for lately. */
#include <stdlib.h>
#include <string.h>

#include "net/keeper_state.h"

/* FNV-1a, from a seed. */
uint32_t keeper_hash(uint32_t seed, const char *key)
{
    uint32_t h = 2166136261u ^ seed;
    for (; *key != '\0'; key++) {
        h = (h ^ (uint8_t)*key) * 16777619u;
    }
    return h ^ (h >> 15);
}

static keeper_entry **bucket_of(const atls_keeper *k, const char *key)
{
    return (keeper_entry **)(uintptr_t)&k->buckets[keeper_hash(k->seed, key) % KEEPER_BUCKETS];
}

keeper_entry *keeper_find(const atls_keeper *k, const char *key)
{
    keeper_entry *e = *bucket_of(k, key);
    while (e != NULL && strcmp(e->key, key) != 0) {
        e = e->next_in_bucket;
    }
    return e;
}

static bool can_be_forgotten(const keeper_entry *e, bool soon, uint64_t now_ms)
{
    if (e->phase != KEEPER_IDLE || e->share_due || e->unlock_due) {
        return false;
    }
    return soon ? e->finished_ms + KEEPER_EVICT_MS <= now_ms
                : e->finished_ms + KEEPER_IDLE_MS <= now_ms && e->failed_until_ms <= now_ms;
}

static void forget_idle(atls_keeper *k, bool soon, uint64_t now_ms)
{
    for (size_t i = 0; i < KEEPER_BUCKETS; i++) {
        keeper_entry **at = &k->buckets[i];
        while (*at != NULL) {
            keeper_entry *e = *at;
            if (can_be_forgotten(e, soon, now_ms)) {
                *at = e->next_in_bucket;
                k->entries--;
                free(e);
            } else {
                at = &e->next_in_bucket;
            }
        }
    }
}

keeper_entry *keeper_add(atls_keeper *k, const char *key, uint64_t now_ms)
{
    if (k->entries >= KEEPER_ENTRIES_MAX) {
        forget_idle(k, false, now_ms);
    }
    /* Strangers' keys that nobody has must not keep others out for as long as their absence is remembered. */
    if (k->entries >= KEEPER_ENTRIES_MAX) {
        forget_idle(k, true, now_ms);
    }
    size_t len = strlen(key);
    keeper_entry *e =
        k->entries < KEEPER_ENTRIES_MAX && len < sizeof e->key ? calloc(1, sizeof *e) : NULL;
    if (e == NULL) {
        return NULL;
    }
    memcpy(e->key, key, len + 1);
    keeper_entry **bucket = bucket_of(k, key);
    e->next_in_bucket = *bucket;
    *bucket = e;
    k->entries++;
    return e;
}

void keeper_table_free(atls_keeper *k)
{
    for (size_t i = 0; i < KEEPER_BUCKETS; i++) {
        for (keeper_entry *e = k->buckets[i]; e != NULL;) {
            keeper_entry *next = e->next_in_bucket;
            free(e);
            e = next;
        }
    }
}
