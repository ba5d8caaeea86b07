/* shelf_intel.h: Intel's collateral for one TEE, FMSPC and CA, of the items that a shelf has. */
#ifndef ATLS_TRUST_SHELF_INTEL_H
#define ATLS_TRUST_SHELF_INTEL_H

#include "trust/shelf.h"

/* NULL: there is no such item. */
typedef struct atls_shelf_intel_items {
    atls_shelf_held *tcb_info, *qe_identity, *pck_crl, *root_crl;
} atls_shelf_intel_items;

/* Takes references of its own. */
ATLS_MUST_USE atls_code atls_shelf_intel_new(const atls_shelf_intel_name *name,
                                             const atls_shelf_intel_items *items,
                                             atls_shelf_intel **out, atls_err *err);
atls_shelf_intel *atls_shelf_intel_up_ref(atls_shelf_intel *intel);
void atls_shelf_intel_free(atls_shelf_intel *intel);

const atls_shelf_intel_name *atls_shelf_intel_named(const atls_shelf_intel *intel);
/* Of these very items? */
bool atls_shelf_intel_is(const atls_shelf_intel *intel, const atls_shelf_intel_items *items);

#endif
