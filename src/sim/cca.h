/* cca.h: the simulated Arm CCA platform, and what can be wrong with its tokens. */
#ifndef ATLS_SIM_CCA_H
#define ATLS_SIM_CCA_H

#include "sim/world.h"

extern const atls_sim_world_fault sim_cca_faults[];
extern const size_t sim_cca_faults_n;

#endif
