/* state.h: what a simulator is once it is made: immutable, so that every thread may use it. */
#ifndef ATLS_SIM_STATE_H
#define ATLS_SIM_STATE_H

#include "sim/level.h"
#include "sim/pki.h"
#include "sim/plan.h"
#include "sim/signer.h"
#include <atls/sim.h>

#define SIM_FAULT_NAME_MAX 64                    /* bytes, with NUL */
#define SIM_WHEN_MIN       INT64_C(86400)        /* a day before it is still in 1970 */
#define SIM_WHEN_MAX       INT64_C(250000000000) /* ten years after it is still before the year 10000 */
#define SIM_SIGNERS        3                     /* of collateral: root, CA, TCB signing */

typedef struct sim_platform { /* the machine at one level */
    char *pck_pem;
    sim_signer *pck;                           /* its private key */
    uint8_t qe_report_signature[SIM_TEES][64]; /* constant, as on a real machine */
} sim_platform;

/* What the vendor has published last, for all machines that it makes. */
typedef struct sim_vendor {
    size_t refs;
    int64_t issued_s;
    int issues; /* how often; the CRLs' number */
    X509_CRL *root_crl, *pck_crl;
} sim_vendor;

/* As after sim.c's fill: all of it, from plan and pki. */
ATLS_MUST_USE atls_code sim_fill(atls_sim *sim, atls_err *err);
ATLS_MUST_USE atls_code sim_fill_collateral(atls_sim *sim, int64_t when_s, atls_err *err);
ATLS_MUST_USE atls_code sim_make_machine(atls_sim *sim, sim_machine *machine, atls_err *err);
/* What signs collateral, for a state; nothing where there is a fault. */
ATLS_MUST_USE atls_code sim_keep_signers(atls_sim *sim, atls_err *err);
/* The vendor of a state that was loaded; none where none was kept. */
ATLS_MUST_USE atls_code sim_vendor_restore(atls_sim *sim, atls_err *err);
/* sim's own, who has issued its CRLs. */
ATLS_MUST_USE atls_code sim_vendor_new(atls_sim *sim, atls_err *err);
void sim_vendor_free(sim_vendor *v);

struct atls_sim {
    int64_t when_s;
    char fault[SIM_FAULT_NAME_MAX]; /* "": none */
    char *root_pem;                 /* given out, to be trusted */
    char *chain_root_pem;           /* stands in the chains */
    char *ca_pem;
    char *collateral[SIM_TEES]; /* the contract's JSON */
    char *tcb_signing_pem; /* NULL: a fault is in it, and a state of it has no vendor */
    sim_signer *signers[SIM_SIGNERS];
    sim_signer *attestation;
    uint8_t qe_id[16];
    sim_platform platforms[SIM_LEVELS];
    /* To go on as the vendor; vendor NULL: it was loaded from a state without the vendor's keys. */
    sim_vendor *vendor;
    sim_plan plan;
    sim_pki pki;
    int issues;       /* of the vendor's, the one that this machine's collateral is of */
    int64_t issued_s; /* when that was */
    char fmspc[13];   /* "": the plan's */
};

#endif
