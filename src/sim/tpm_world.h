/* tpm_world.h: the simulated TPM. */
#ifndef ATLS_SIM_TPM_WORLD_H
#define ATLS_SIM_TPM_WORLD_H

#include "sim/world.h"

#define SIM_TPM_SELECTED 0x0081ffffu /* PCR 0 to 16, and 23 */

#define SIM_TPM_SPKI_MAX 600

/* SubjectPublicKeyInfo (DER) of the AK of that variant. */
ATLS_MUST_USE atls_code sim_tpm_ak_spki(const void *state, const char *variant,
                                        uint8_t out[SIM_TPM_SPKI_MAX], size_t *len, atls_err *err);

extern const atls_sim_world_fault sim_tpm_faults[];
extern const size_t sim_tpm_faults_n;

#endif
