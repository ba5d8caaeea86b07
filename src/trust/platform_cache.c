#include "trust/platform_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct set {
    pthread_mutex_t lock;
    unsigned next; /* way to be replaced next */
    atls_intel_platform *ways[ATLS_PLATFORM_WAYS];
} set;

struct atls_platform_cache {
    set sets[ATLS_PLATFORM_SETS];
};

atls_platform_cache *atls_platform_cache_new(void)
{
    atls_platform_cache *c = calloc(1, sizeof *c);
    for (size_t i = 0; c != NULL && i < ATLS_PLATFORM_SETS; i++) {
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

void atls_platform_cache_clear(atls_platform_cache *c)
{
    for (size_t i = 0; i < ATLS_PLATFORM_SETS; i++) {
        set *s = &c->sets[i];
        pthread_mutex_lock(&s->lock);
        for (size_t k = 0; k < ATLS_PLATFORM_WAYS; k++) {
            atls_intel_platform_free(s->ways[k]);
            s->ways[k] = NULL;
        }
        pthread_mutex_unlock(&s->lock);
    }
}

void atls_platform_cache_free(atls_platform_cache *c)
{
    if (c == NULL) {
        return;
    }
    atls_platform_cache_clear(c);
    for (size_t i = 0; i < ATLS_PLATFORM_SETS; i++) {
        pthread_mutex_destroy(&c->sets[i].lock);
    }
    free(c);
}

/* Any bytes of a signature are spread well enough; only genuine platforms ever get in. */
static set *set_of(atls_platform_cache *c, const atls_platform_evidence *evidence)
{
    return &c->sets[evidence->qe_report_signature.ptr[31] % ATLS_PLATFORM_SETS];
}

static bool is_of(const atls_intel_platform *p, const atls_platform_evidence *evidence)
{
    return p->is_tdx == evidence->is_tdx && p->version == evidence->version &&
           p->bytes_len == evidence->bytes.len &&
           memcmp(p->bytes, evidence->bytes.ptr, p->bytes_len) == 0;
}

atls_intel_platform *atls_platform_cache_get(atls_platform_cache *c,
                                             const atls_platform_evidence *evidence)
{
    set *s = set_of(c, evidence);
    atls_intel_platform *ways[ATLS_PLATFORM_WAYS];
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < ATLS_PLATFORM_WAYS; i++) {
        if (s->ways[i] != NULL) {
            ways[n++] = atls_intel_platform_up_ref(s->ways[i]);
        }
    }
    pthread_mutex_unlock(&s->lock);
    atls_intel_platform *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (found == NULL && is_of(ways[i], evidence)) {
            found = ways[i];
        } else {
            atls_intel_platform_free(ways[i]);
        }
    }
    return found;
}

void atls_platform_cache_put(atls_platform_cache *c, const atls_platform_evidence *evidence,
                             atls_intel_platform *p)
{
    set *s = set_of(c, evidence);
    atls_intel_platform *mine = atls_intel_platform_up_ref(p);
    pthread_mutex_lock(&s->lock);
    size_t at = ATLS_PLATFORM_WAYS;
    for (size_t i = 0; i < ATLS_PLATFORM_WAYS; i++) {
        at = s->ways[i] != NULL && is_of(s->ways[i], evidence) ? i : at;
    }
    if (at == ATLS_PLATFORM_WAYS) {
        at = s->next;
        s->next = (s->next + 1) % ATLS_PLATFORM_WAYS;
    }
    atls_intel_platform *out = s->ways[at];
    s->ways[at] = mine;
    pthread_mutex_unlock(&s->lock);
    atls_intel_platform_free(out);
}
