/* held.h: one item that the store has judged: its bytes and what holds of it. Immutable but for its origins' silence;
 * reference counted. */
#ifndef ATLS_STORE_HELD_H
#define ATLS_STORE_HELD_H

#include <stdatomic.h>

#include "trust/item_judge.h"
#include <atls/store.h>

#define ATLS_HELD_FROM_LEN 200 /* with NUL */

/* A JWK set names no end of its own, and an issuer revokes a key by leaving it out: what it said that long ago counts no more. */
#define ATLS_HELD_JWKS_MAX_S ((int64_t)7 * 86400)

struct atls_held {
    atomic_int refs;
    atls_item item; /* views into bytes */
    atls_item_facts facts;
    uint8_t sha256[32]; /* of bytes */
    int64_t taken_s;
    atls_item_source source;
    char from[ATLS_HELD_FROM_LEN];    /* printable ASCII */
    atomic_llong unreachable_since_s; /* 0: its origins answer, or were not asked */
    atomic_bool is_saved;             /* the directory has it */
    size_t len;
    uint8_t bytes[]; /* the item as item.h encodes it */
};

/* How an item came. from: NULL is "". */
typedef struct atls_held_origin {
    atls_item_source source;
    const char *from;
    int64_t taken_s, unreachable_since_s;
} atls_held_origin;

/* Encodes, and judges against the roots; its time is not looked at. ATLS_E_INVALID (the judge's ids); ATLS_E_SYSTEM. */
ATLS_MUST_USE atls_code atls_held_new(const atls_root_set roots[ATLS_FAMILIES],
                                      const atls_item *item, const atls_held_origin *origin,
                                      atls_held **out, atls_err *err);
atls_held *atls_held_up_ref(atls_held *held);
bool atls_held_is_jwks(const atls_held *held);

static inline const char *atls_held_key(const atls_held *held)
{
    return held->item.key;
}

#endif
