/* floors.h: the newest that was ever seen of each item, below which nothing is taken again, and the newest signed time,
 * before which no clock is right. Only what held under a trusted root raises a floor. Not for several threads at once. */
#ifndef ATLS_TRUST_FLOORS_H
#define ATLS_TRUST_FLOORS_H

#include "trust/item_judge.h"

#define ATLS_FLOORS_MAX                                                                            \
    65536 /* entries; beyond that those that are least missed are not kept: of collateral asked for by number, then early, then TCB info */

typedef struct atls_floors atls_floors;

/* A floor belongs to a root and a key: a simulator's item never raises the vendor's. */
typedef struct atls_floor {
    uint8_t root_sha256[32];
    char key[ATLS_ITEM_KEY_LEN];
    uint64_t number; /* 0: none */
    int64_t issued_s;
} atls_floor;

atls_floors *atls_floors_new(void);                  /* NULL: no memory */
atls_floors *atls_floors_copy(const atls_floors *f); /* NULL: no memory */
void atls_floors_free(atls_floors *f);

/* Below its floor, in number or in issue date? ATLS_E_COLLATERAL "collateral.rollback", with both in the sentence and what to
 * do. Kinds without floor (PCK certificates, VCEK, chains, JWK sets) are never below. */
ATLS_MUST_USE atls_code atls_floors_check(const atls_floors *f, const char *key,
                                          const atls_item_facts *facts, atls_err *err);
/* Raises the item's floor, and the clock's to its issue time (to when_s, if that is earlier; not at all, if it is earlier by more than five
 * minutes). *changed: something rose. Nothing without a root rises. */
ATLS_MUST_USE atls_code atls_floors_raise(atls_floors *f, const char *key,
                                          const atls_item_facts *facts, int64_t when_s,
                                          bool *changed, atls_err *err);
/* Of another process or a file: the higher of each. */
ATLS_MUST_USE atls_code atls_floors_merge(atls_floors *f, const atls_floors *other, bool *changed,
                                          atls_err *err);
int64_t atls_floors_clock(const atls_floors *f); /* 0: nothing seen yet */
const atls_floor *atls_floors_find(const atls_floors *f, const uint8_t root_sha256[32],
                                   const char *key); /* NULL: none */

/* As text, one line a floor, the last line a SHA-256 of all before it. ATLS_E_INVALID "floors.form". */
ATLS_MUST_USE atls_code atls_floors_encode(const atls_floors *f, char **out, size_t *len,
                                           atls_err *err);
ATLS_MUST_USE atls_code atls_floors_decode(atls_buf text, atls_floors **out, atls_err *err);

#endif
