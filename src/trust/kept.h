/* kept.h: what was judged good and is worth keeping (an AMD leaf, a Nitro CA path), found by a hash of everything that
 * the judgement rested on: bytes, root, endorsements. Bounded; a lock is held only while a pointer is copied. Times and
 * revocation are not part of what is kept: they are judged each time. */
#ifndef ATLS_TRUST_KEPT_H
#define ATLS_TRUST_KEPT_H

#include <stdatomic.h>
#include <stdint.h>

#define ATLS_KEPT_SETS 256
#define ATLS_KEPT_WAYS 4

/* First member of what is kept. Immutable once put; the last reference frees it. */
typedef struct atls_kept {
    atomic_int refs;
    void (*free)(struct atls_kept *self);
} atls_kept;
void atls_kept_init(atls_kept *k, void (*free_self)(atls_kept *self)); /* one reference */
void *atls_kept_up_ref(void *kept);
void atls_kept_free(void *kept); /* NULL is fine */

typedef struct atls_kept_cache atls_kept_cache;
atls_kept_cache *atls_kept_cache_new(void); /* NULL: no memory */
void atls_kept_cache_free(atls_kept_cache *c);
void atls_kept_cache_clear(atls_kept_cache *c);
/* A reference that the caller frees, or NULL. */
void *atls_kept_cache_get(atls_kept_cache *c, const uint8_t key[32]);
/* Takes a reference of its own; the oldest of its set makes room. */
void atls_kept_cache_put(atls_kept_cache *c, const uint8_t key[32], void *kept);

#endif
