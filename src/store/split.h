/* split.h: items out of what carries several: the contract's JSON object, an SNP certificate table. What cannot be told
 * apart is left: nothing is judged here. */
#ifndef ATLS_STORE_SPLIT_H
#define ATLS_STORE_SPLIT_H

#include "store/store.h"

/* Each item found is taken or left. Not PCK chains: which platform one is for is said by the evidence beside it alone, so that a
 * stranger could put his own in the place of another's. ATLS_E_SYSTEM ends it. */
typedef struct atls_splitting {
    atls_store *store;
    const atls_held_origin *origin;
    size_t taken;  /* that were new */
    size_t good;   /* they, and those that were held already */
    atls_err left; /* why the first was left; check NULL: none was */
    atls_err *err;
} atls_splitting;

/* ATLS_E_INVALID "collateral.json": not a JSON object. */
ATLS_MUST_USE atls_code atls_split_json(atls_splitting *s, atls_buf json);
/* table may be empty, leaf (DER or PEM) too. */
ATLS_MUST_USE atls_code atls_split_amd(atls_splitting *s, atls_buf table, atls_buf leaf);

ATLS_MUST_USE atls_code atls_split_take(atls_splitting *s, const atls_item *item);

#endif
