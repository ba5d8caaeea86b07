/* snp_tpm.h: a simulated confidential VM with a TPM outside of it (Google, AWS). */
#ifndef ATLS_SIM_SNP_TPM_H
#define ATLS_SIM_SNP_TPM_H

#include "sim/world.h"

extern const atls_sim_world_fault sim_snp_tpm_faults[];
extern const size_t sim_snp_tpm_faults_n;

#endif
