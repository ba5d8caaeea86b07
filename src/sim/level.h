/* level.h: the simulated platform's patch levels, and what a quote must say to be at one of them. */
#ifndef ATLS_SIM_LEVEL_H
#define ATLS_SIM_LEVEL_H

#include "sim/plan.h"
#include <atls/types.h>

#define SIM_LEVELS 7 /* levels of the TCB info, best first */

/* What "tcb": STATUS means for a quote. SGX: the PCK certificate of that level. TDX: the TEE_TCB_SVN; the
 * PCK certificate is always the best one. */
typedef struct sim_level {
    const char *status;
    int pck;            /* index of the PCK certificate for SGX; -1: SGX has no such status */
    uint8_t seam_svn;   /* TEE_TCB_SVN[2]: chooses the platform level */
    uint8_t module_svn; /* TEE_TCB_SVN[0]: chooses the TDX module's level */
    bool needs_1_5;     /* only a TD report 1.5 can say it */
} sim_level;

/* NULL: no such status. status NULL: "UpToDate". */
const sim_level *sim_level_by_status(const char *status);

/* Level i of the TCB info, 0 <= i < SIM_LEVELS. */
const char *sim_level_status(size_t i);
uint8_t sim_level_seam_svn(size_t i);
int64_t sim_level_date(size_t i, int64_t when_s); /* tcbDate: a midnight */

void sim_level_components(size_t i, uint8_t sgx[16]);
#define SIM_PCESVN 0x0102 /* two content bytes in DER, as real ones may have */

/* TDX module 1.x: "TDX_01", levels by isvsvn. */
#define SIM_MODULE_VERSION 1
#define SIM_MODULE_CURRENT 5
#define SIM_MODULE_OLD     3
#define SIM_MODULE_REVOKED 1

/* QE levels by isvsvn. */
#define SIM_QE_CURRENT 8
#define SIM_QE_OLD     6
#define SIM_QE_REVOKED 4

#endif
