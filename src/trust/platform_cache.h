/* platform_cache.h: platforms judged good, found by the exact bytes that were judged. Bounded; a lock is
 * held only while a pointer is copied. */
#ifndef ATLS_TRUST_PLATFORM_CACHE_H
#define ATLS_TRUST_PLATFORM_CACHE_H

#include "trust/intel_platform.h"

#define ATLS_PLATFORM_SETS 256
#define ATLS_PLATFORM_WAYS 4 /* at most 1024 platforms, of some 8 KiB each */

typedef struct atls_platform_cache atls_platform_cache;

atls_platform_cache *atls_platform_cache_new(void);
void atls_platform_cache_free(atls_platform_cache *c);
void atls_platform_cache_clear(atls_platform_cache *c);

/* A reference that the caller frees, or NULL. */
atls_intel_platform *atls_platform_cache_get(atls_platform_cache *c,
                                             const atls_platform_evidence *evidence);
/* Takes a reference of its own; what was judged of the same bytes before makes room, or the oldest of its set. */
void atls_platform_cache_put(atls_platform_cache *c, const atls_platform_evidence *evidence,
                             atls_intel_platform *p);

#endif
