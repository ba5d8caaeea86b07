/* collateral.h: the JSON object that carries TCB info, QE identity, CRLs and the chains behind them. */
#ifndef ATLS_SIM_COLLATERAL_H
#define ATLS_SIM_COLLATERAL_H

#include "sim/pki.h"
#include <atls/types.h>

/* The contract's collateral object for one TEE: malloc'ed text with NUL. */
ATLS_MUST_USE atls_code sim_collateral_make(const sim_plan *plan, sim_tee tee, int64_t when_s,
                                            const sim_pki *pki, char **json, atls_err *err);

#endif
