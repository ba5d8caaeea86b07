/* shelf.h: what a store has put at the disposal of verifiers: immutable, reference counted. A store publishes a new shelf
 * for each change; a verification takes the present one once, and sees nothing else until it ends. */
#ifndef ATLS_TRUST_SHELF_H
#define ATLS_TRUST_SHELF_H

#include "trust/endorsements.h"
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

/* --- what a verification looks for: all of it lent by the shelf --- */

/* One item, taken apart. Immutable; reference counted, as successive shelves share it. */
typedef struct atls_shelf_held {
    atomic_int refs;
    atls_item_name name;
    atls_item_facts facts;
    const char *key;
    atls_buf chain, body;
    atls_collateral_chain pck; /* PCK certificate: all of its chain */
    atls_cert *issuer;         /* AMD chain: the ASK or ASVK */
    atls_crl *crl;             /* AMD CRL */
    atls_endorsements *keys;   /* JWK set */
    uint8_t space[];
} atls_shelf_held;
atls_shelf_held *atls_shelf_held_up_ref(atls_shelf_held *held);
void atls_shelf_held_free(atls_shelf_held *held);

/* The item of that key that holds under one of these roots (NULL: under any, or none); NULL: there is none. *since_s
 * (may be NULL): since when its origins are unreachable; 0: they are not. */
atls_shelf_held *atls_shelf_find(const atls_shelf *shelf, const char *key,
                                 const atls_root_set *roots, int64_t *since_s);
/* The i-th of a kind; NULL: i is past the end. */
atls_shelf_held *atls_shelf_at(const atls_shelf *shelf, atls_item_kind kind, size_t i,
                               int64_t *since_s);
/* Of all of AMD's chains: what is judged by them rests on this. */
const uint8_t *atls_shelf_amd_chains_sha256(const atls_shelf *shelf); /* 32 bytes */
const atls_floors *atls_shelf_floors(const atls_shelf *shelf);

/* For which platforms a piece of Intel's collateral is, and under which root. */
typedef struct atls_shelf_intel_name {
    bool is_tdx, is_processor;
    uint8_t fmspc[6];
    uint8_t root_sha256[32];
} atls_shelf_intel_name;

/* NULL: there is no TCB info for it. Parts that there are no items of are absent. */
atls_shelf_intel *atls_shelf_intel_find(const atls_shelf *shelf, const atls_shelf_intel_name *name);
void atls_shelf_intel_since(const atls_shelf *shelf, const atls_shelf_intel_name *name,
                            atls_intel_since *out);
const atls_collateral *atls_shelf_intel_collateral(const atls_shelf_intel *intel);
/* Judged under root, from its cache or anew: as atls_trust_snapshot. */
ATLS_MUST_USE atls_code atls_shelf_intel_snapshot(atls_shelf_intel *intel, const atls_root *root,
                                                  atls_cert *root_cert, const atls_judging *j,
                                                  atls_intel_snapshot **out, atls_err *err);

#endif
