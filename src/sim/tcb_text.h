/* tcb_text.h: the bodies that Intel signs: TCB info (version 3) and enclave identity (version 2). */
#ifndef ATLS_SIM_TCB_TEXT_H
#define ATLS_SIM_TCB_TEXT_H

#include <jansson.h>

#include "sim/plan.h"
#include <atls/types.h>

/* Compact JSON, members in Intel's order, malloc'ed; NULL: no memory. */
char *sim_tcb_info_text(const sim_text_plan *plan, sim_tee tee, int64_t when_s);
char *sim_qe_identity_text(const sim_text_plan *plan, sim_tee tee, int64_t when_s);

/* What the QE identity asks of a QE report, and the simulator's QE reports say. */
#define SIM_QE_FLAGS 0x15 /* INIT, MODE64BIT, PROVISION_KEY */
void sim_qe_mrsigner(uint8_t out[32]);
uint16_t sim_qe_isvprodid(sim_tee tee);

#endif
