/* faults.h: the table of faults: what is wrong, in what, and what a verifier must answer. */
#ifndef ATLS_SIM_FAULTS_H
#define ATLS_SIM_FAULTS_H

#include "sim/plan.h"
#include <atls/types.h>

/* Quote types a fault shows in: bits. */
enum { SIM_IN_TDX = 1, SIM_IN_TDX5 = 2, SIM_IN_SGX = 4, SIM_IN_TD = 3, SIM_IN_ALL = 7 };

typedef enum sim_scope {
    SIM_OF_PLATFORM, /* a value of sim_plan: PKI and collateral */
    SIM_OF_QUOTE,    /* a value of sim_quote_plan */
    SIM_OF_BYTE      /* a byte of the quote */
} sim_scope;

/* Parts of a quote, each with its own offsets. */
typedef enum sim_part {
    SIM_HEADER,
    SIM_BODY,
    SIM_DESCRIPTOR, /* v5: type and size of the body */
    SIM_QE_REPORT,  /* signed by the PCK key */
    SIM_SIGNATURE_LEN,
    SIM_SIGNED,    /* the signed range, changed after signing */
    SIM_SIGNATURE, /* likewise */
    SIM_KEY,
    SIM_OUTER_HEADER, /* v4, v5: type 6 and size */
    SIM_AUTH_LEN,
    SIM_AUTH,
    SIM_CERT_HEADER /* inner type and size */
} sim_part;

typedef enum sim_how { SIM_SET, SIM_FLIP } sim_how;

typedef struct sim_fault {
    const char *name;
    unsigned types; /* SIM_IN_... */
    atls_code expected;
    sim_scope scope;
    size_t at;        /* offset of the value in the plan, or of the byte in its part */
    int number;       /* new value; FLIP: the bits to turn over */
    const char *text; /* new value of a text; NULL: it is a number */
    sim_part part;
    sim_how how;
    const char *what; /* one clause for the table in docs/simulator.md */
} sim_fault;

extern const sim_fault sim_faults[];
extern const size_t sim_faults_n;

/* NULL or "" names no fault: *out is NULL. ATLS_E_USAGE "sim.fault" for a name that is not in the table. */
ATLS_MUST_USE atls_code sim_fault_by_name(const char *name, const sim_fault **out, atls_err *err);

/* Makes plan bad in one respect; a fault of another scope leaves it alone, NULL too. */
void sim_fault_apply(const sim_fault *fault, sim_plan *plan);
void sim_fault_apply_to_quote(const sim_fault *fault, sim_quote_plan *plan);
/* Changes the byte when fault is one of that part; len: bytes of the part. */
void sim_fault_apply_to_part(const sim_fault *fault, sim_part part, uint8_t *bytes, size_t len);

#endif
