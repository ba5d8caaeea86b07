/* pck_item.h: which PCK certificate a quote without one is signed under. */
#ifndef ATLS_TRUST_PCK_ITEM_H
#define ATLS_TRUST_PCK_ITEM_H

#include "trust/item.h"

/* The store's name for the PCK certificate of certification data of type 1 to 3 (spec 2.3) and of the QE id out of the
 * quote's header. False: another type, or lengths that do not fit. */
bool atls_pck_item_name(uint16_t certification_type, atls_buf certification_data, atls_buf qe_id,
                        atls_item_name *out);

#endif
