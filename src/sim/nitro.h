/* nitro.h: the simulated AWS Nitro system, and what can be wrong with its documents. */
#ifndef ATLS_SIM_NITRO_H
#define ATLS_SIM_NITRO_H

#include "sim/world.h"

extern const atls_sim_world_fault sim_nitro_faults[];
extern const size_t sim_nitro_faults_n;

#endif
