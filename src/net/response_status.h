/* response_status.h: what an HTTP status other than 200 means for an item, and what a person can do about it. */
#ifndef ATLS_NET_RESPONSE_STATUS_H
#define ATLS_NET_RESPONSE_STATUS_H

#include "net/response.h"
#include "trust/item.h"

/* "TCB info (tdx) of FMSPC 00906ea10000": as a person names it. */
#define ATLS_ITEM_TEXT_LEN 96
void atls_item_text(const atls_item_name *name, char out[ATLS_ITEM_TEXT_LEN]);

/* Fills hint but for retry_after_s. Always a failure: ATLS_E_COLLATERAL "fetch....". */
ATLS_MUST_USE atls_code atls_response_refuse(const atls_origin *origin, const atls_item_name *name,
                                             long status, atls_response_hint *hint, atls_err *err);

#endif
