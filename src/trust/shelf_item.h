/* shelf_item.h: one item on a shelf, made of what the store hands over. */
#ifndef ATLS_TRUST_SHELF_ITEM_H
#define ATLS_TRUST_SHELF_ITEM_H

#include "trust/shelf.h"

/* NULL in *out: it cannot be decoded, or is not for verification (a channel other than standard). ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_shelf_held_new(const atls_shelf_item *item, atls_shelf_held **out,
                                            atls_err *err);

/* Byte for byte what this item would become? */
bool atls_shelf_held_is(const atls_shelf_held *held, const atls_shelf_item *item);

#endif
