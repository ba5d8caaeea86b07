/* shelf.h: what a store has put at the disposal of verifiers: immutable, reference counted. A store publishes a new shelf
 * for each change; a verification takes the present one once, and sees nothing else until it ends. */
#ifndef ATLS_TRUST_SHELF_H
#define ATLS_TRUST_SHELF_H

#include "trust/floors.h"
#include "trust/intel_snapshot.h"

/* Intel's collateral for one TEE, FMSPC and CA, put together from items; shared by successive shelves while none of its
 * items changes, and so is what was judged of it. */
typedef struct atls_shelf_intel atls_shelf_intel;

typedef struct atls_shelf atls_shelf;

/* --- made by the store --- */

/* One held item, as the store hands it over; item and facts are copied or referenced, never borrowed. */
typedef struct atls_shelf_item {
    const atls_item *item;
    const atls_item_facts *facts;
    int64_t unreachable_since_s;
} atls_shelf_item;

/* A shelf of all these items (in the order of their keys); what is unchanged since before (NULL: nothing was) is shared
 * with it, parsed objects and judgements too. Items of channels other than standard are not for verification, and left out. floors are copied.
 * An item that cannot be decoded is left out: the store has judged it before. */
ATLS_MUST_USE atls_code atls_shelf_make(const atls_shelf_item *items, size_t n,
                                        const atls_floors *floors, const atls_shelf *before,
                                        atls_shelf **out, atls_err *err);
atls_shelf *atls_shelf_up_ref(const atls_shelf *shelf);
void atls_shelf_free(atls_shelf *shelf);

/* --- where verifiers find it --- */

typedef struct atls_shelf_place
    atls_shelf_place; /* of one store; outlives the verifiers attached to it */
atls_shelf_place *atls_shelf_place_new(void); /* with an empty shelf; NULL: no memory */
void atls_shelf_place_free(atls_shelf_place *place);
/* Publishes: later verifications see it; takes over the caller's reference. */
void atls_shelf_place_put(atls_shelf_place *place, atls_shelf *shelf);
atls_shelf *atls_shelf_place_get(const atls_shelf_place *place); /* a reference; never NULL */

#endif
