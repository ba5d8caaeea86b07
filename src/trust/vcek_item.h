/* vcek_item.h: which VCEK an SNP report is signed with. */
#ifndef ATLS_TRUST_VCEK_ITEM_H
#define ATLS_TRUST_VCEK_ITEM_H

#include "trust/item.h"

/* The store's name for it: of the product, the report's chip id (64 bytes; Turin's are 8, and zeros) and its REPORTED_TCB
 * (8). False: a product without roots, a masked chip id, or a chip id that the product has not. */
bool atls_vcek_item_name(atls_amd_product product, atls_buf chip_id, atls_buf reported_tcb,
                         atls_item_name *out);

#endif
