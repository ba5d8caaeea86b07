/* chain.h: the certification data of a quote: the PCK certificate, or how to find it. */
#ifndef ATLS_SIM_CHAIN_H
#define ATLS_SIM_CHAIN_H

#include "sim/state.h"
#include <atls/types.h>

/* malloc'ed; *len bytes. */
ATLS_MUST_USE atls_code sim_chain_make(const atls_sim *sim, const sim_platform *platform,
                                       const sim_quote_plan *plan, char **out, size_t *len,
                                       atls_err *err);

#endif
