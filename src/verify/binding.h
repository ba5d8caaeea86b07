/* binding.h: what the verifier's own side of the connection knows, against the fields that the hardware signed. */
#ifndef ATLS_VERIFY_BINDING_H
#define ATLS_VERIFY_BINDING_H

#include <atls/verifier.h>

#include "claims/claims.h"
#include "claims/ledger.h"

/* Adds "binding...." to l for each thing expected. Sets *kind and *freshness (static) only when something was
 * compared and all of it was equal; expected may be NULL. */
void atls_judge_binding(const atls_claims *claims, const atls_expected *expected, atls_ledger *l,
                        atls_binding_kind *kind, const char **freshness);

#endif
