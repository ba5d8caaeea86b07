/* azure.h: the paravisor of a simulated confidential VM: its runtime data, and the HCL report around them. */
#ifndef ATLS_SIM_AZURE_H
#define ATLS_SIM_AZURE_H

#include <openssl/evp.h>

#include "sim/world.h"

#define SIM_HCL_MAX     6000
#define SIM_RUNTIME_MAX 3000

extern const atls_sim_world_fault sim_azure_faults[];
extern const size_t sim_azure_faults_n;

/* JSON with ak as HCLAkPub, other as HCLEkPub, and user-data. Faults "runtime....", "odd....". */
ATLS_MUST_USE atls_code sim_azure_runtime(EVP_PKEY *ak, EVP_PKEY *other,
                                          const uint8_t user_data[64], const char *fault,
                                          char out[SIM_RUNTIME_MAX], size_t *len, atls_err *err);

/* What the hardware report has as report data: the hash of the runtime data, and zeros. */
ATLS_MUST_USE atls_code sim_azure_report_data(atls_buf runtime, const char *fault, uint8_t out[64],
                                              atls_err *err);

/* The HCL report around an SNP report. Faults "hcl....". */
ATLS_MUST_USE atls_code sim_azure_hcl(atls_buf report, atls_buf runtime, const char *fault,
                                      uint8_t out[SIM_HCL_MAX], size_t *len, atls_err *err);

#endif
