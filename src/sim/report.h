/* report.h: the signed bodies: enclave report (384 bytes) and TD report (584 or 648 bytes). */
#ifndef ATLS_SIM_REPORT_H
#define ATLS_SIM_REPORT_H

#include "sim/level.h"
#include "sim/plan.h"
#include <atls/types.h>

#define SIM_SGX_REPORT_LEN  384
#define SIM_TD_REPORT_LEN   584
#define SIM_TD_REPORT_1_5   648
#define SIM_SGX_REPORT_DATA 320 /* offset */
#define SIM_TD_REPORT_DATA  520
#define SIM_TD_REPORT_RTMR  328 /* four of 48 bytes */

/* The workload's reports, report data zero. */
ATLS_MUST_USE atls_code sim_sgx_report(const char *workload, const sim_level *level, bool debug,
                                       uint8_t out[SIM_SGX_REPORT_LEN], atls_err *err);
ATLS_MUST_USE atls_code sim_td_report(const char *workload, const sim_level *level, bool debug,
                                      bool is_1_5, uint8_t out[SIM_TD_REPORT_1_5], atls_err *err);

/* The QE's own report, which vouches for attestation key xy and the authentication data. */
ATLS_MUST_USE atls_code sim_qe_report(sim_tee tee, const uint8_t xy[64], atls_buf auth_data,
                                      uint8_t out[SIM_SGX_REPORT_LEN], atls_err *err);

#endif
