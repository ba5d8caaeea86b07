/* log.h: event logs of simulated machines, and the registers that they replay to. */
#ifndef ATLS_SIM_LOG_H
#define ATLS_SIM_LOG_H

#include <atls/sim.h>
#include <atls/types.h>

#include "claims/claims.h"

/* The faults of logs, whatever evidence carries them; variants says in which logs: "ccel", "dstack", "pcrs", "ima". */
extern const atls_sim_world_fault sim_log_faults[];
extern const size_t sim_log_faults_n;

/* Is there such a fault in logs of that variant? NULL is none of them. */
bool sim_log_has_fault(const char *variant, const char *fault);

/* A log and the values its registers had when it was honest: a fault (NULL: none) changes the log only, or in
 * "log.extended" the register. *log is malloc'ed. The events are about the workload ("demo"). ATLS_E_SYSTEM only. */

/* variant "ccel": RTMR 0 to 2; "dstack": its JSON, with RTMR 3 too; certificate (NULL: none, at most
 * SIM_CERTIFICATE_MAX bytes): the text that its last event, "New TLS Certificate", has. */
#define SIM_CERTIFICATE_MAX 128
ATLS_MUST_USE atls_code sim_log_rtmrs(const char *variant, const char *workload,
                                      const char *certificate, const char *fault,
                                      uint8_t rtmr[4][48], uint8_t **log, size_t *len,
                                      atls_err *err);

/* A TPM's firmware log of SHA-1, SHA-256 and SHA-384: value of every PCR of every bank is set, as after a reset and these
 * events; selected is left alone. */
ATLS_MUST_USE atls_code sim_log_pcrs(const char *workload, const char *fault,
                                     atls_tpm_bank banks[ATLS_TPM_BANKS], uint8_t **log,
                                     size_t *len, atls_err *err);

/* An IMA list; extends PCR 10 of every bank from the value that is there. */
ATLS_MUST_USE atls_code sim_log_ima(const char *workload, const char *fault,
                                    atls_tpm_bank banks[ATLS_TPM_BANKS], uint8_t **log, size_t *len,
                                    atls_err *err);

#endif
