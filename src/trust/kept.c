#include "trust/kept.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN 32

typedef struct way {
    uint8_t key[KEY_LEN];
    atls_kept *kept; /* NULL: empty */
} way;

typedef struct set {
    pthread_mutex_t lock;
    unsigned next; /* way to be replaced next */
    way ways[ATLS_KEPT_WAYS];
} set;

struct atls_kept_cache {
    set sets[ATLS_KEPT_SETS];
};

void atls_kept_init(atls_kept *k, void (*free_self)(atls_kept *self))
{
    atomic_init(&k->refs, 1);
    k->free = free_self;
}

void *atls_kept_up_ref(void *kept)
{
    atls_kept *k = kept;
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return kept;
}

void atls_kept_free(void *kept)
{
    atls_kept *k = kept;
    if (k != NULL && atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1) {
        k->free(k);
    }
}

atls_kept_cache *atls_kept_cache_new(void)
{
    atls_kept_cache *c = calloc(1, sizeof *c);
    for (size_t i = 0; c != NULL && i < ATLS_KEPT_SETS; i++) {
        if (pthread_mutex_init(&c->sets[i].lock, NULL) != 0) {
            while (i-- > 0) {
                pthread_mutex_destroy(&c->sets[i].lock);
            }
            free(c);
            return NULL;
        }
    }
    return c;
}

void atls_kept_cache_clear(atls_kept_cache *c)
{
    for (size_t i = 0; i < ATLS_KEPT_SETS; i++) {
        set *s = &c->sets[i];
        pthread_mutex_lock(&s->lock);
        for (size_t k = 0; k < ATLS_KEPT_WAYS; k++) {
            atls_kept_free(s->ways[k].kept);
            s->ways[k].kept = NULL;
        }
        pthread_mutex_unlock(&s->lock);
    }
}

void atls_kept_cache_free(atls_kept_cache *c)
{
    if (c == NULL) {
        return;
    }
    atls_kept_cache_clear(c);
    for (size_t i = 0; i < ATLS_KEPT_SETS; i++) {
        pthread_mutex_destroy(&c->sets[i].lock);
    }
    free(c);
}

/* A key is a hash: any byte of it is spread well. */
static set *set_of(atls_kept_cache *c, const uint8_t key[32])
{
    return &c->sets[key[0] % ATLS_KEPT_SETS];
}

/* Where key stands, or NULL. The lock is held. */
static way *find(set *s, const uint8_t key[32])
{
    for (size_t i = 0; i < ATLS_KEPT_WAYS; i++) {
        if (s->ways[i].kept != NULL && memcmp(s->ways[i].key, key, KEY_LEN) == 0) {
            return &s->ways[i];
        }
    }
    return NULL;
}

void *atls_kept_cache_get(atls_kept_cache *c, const uint8_t key[32])
{
    set *s = set_of(c, key);
    pthread_mutex_lock(&s->lock);
    const way *w = find(s, key);
    void *found = w != NULL ? atls_kept_up_ref(w->kept) : NULL;
    pthread_mutex_unlock(&s->lock);
    return found;
}

void atls_kept_cache_put(atls_kept_cache *c, const uint8_t key[32], void *kept)
{
    set *s = set_of(c, key);
    atls_kept *out = atls_kept_up_ref(kept);
    pthread_mutex_lock(&s->lock);
    if (find(s, key) == NULL) { /* two threads may have judged the same at once */
        way *w = &s->ways[s->next];
        atls_kept *mine = out;
        out = w->kept;
        w->kept = mine;
        memcpy(w->key, key, KEY_LEN);
        s->next = (s->next + 1) % ATLS_KEPT_WAYS;
    }
    pthread_mutex_unlock(&s->lock);
    atls_kept_free(out); /* outside the lock: freeing may take its time */
}
