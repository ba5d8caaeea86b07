/* extension.h: Intel's SGX extension of a PCK certificate, in DER (OID 1.2.840.113741.1.13.1). */
#ifndef ATLS_SIM_EXTENSION_H
#define ATLS_SIM_EXTENSION_H

#include "sim/plan.h"
#include <atls/types.h>

#define SIM_SGX_EXTENSION_OID "1.2.840.113741.1.13.1"
#define SIM_EXTENSION_MAX     1024

#define SIM_FMSPC "53494D000000" /* "SIM": no model of Intel's */
#define SIM_PCEID "0000"

/* What is particular to the machine. */
typedef struct sim_machine {
    uint8_t ppid[16];
    uint8_t instance_id[16];
} sim_machine;

/* The extension's value for a machine at a level. */
ATLS_MUST_USE atls_code sim_extension_make(const sim_plan *plan, const sim_machine *machine,
                                           size_t level, uint8_t out[SIM_EXTENSION_MAX],
                                           size_t *len, atls_err *err);

#endif
