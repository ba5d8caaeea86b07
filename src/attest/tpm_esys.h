/* tpm_esys.h: one turn at a TPM: reached, used, and left without anything of ours in it. */
#ifndef ATLS_ATTEST_TPM_ESYS_H
#define ATLS_ATTEST_TPM_ESYS_H

#include <tss2/tss2_esys.h>

#include "base/err.h"

#define TPM_HELD_MAX 8

typedef struct tpm {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR held
        [TPM_HELD_MAX]; /* objects and sessions in the TPM's memory, flushed at the end of the turn */
    size_t held_n;
    bool is_busy; /* what failed may succeed when others have left */
} tpm;

/* What is done in a turn. It is begun anew when the TPM was busy: so it changes nothing that matters before it succeeds. */
typedef atls_code (*tpm_task)(tpm *t, void *arg, atls_err *err);

/* Reaches the TPM, runs task, flushes what it holds, and leaves. While the TPM is busy with others this is tried for up to
 * busy_ms, then ATLS_E_SYSTEM "attest.tpm.busy". ATLS_E_SYSTEM "attest.tpm.tcti": there is no TPM to talk to. */
ATLS_MUST_USE atls_code tpm_turn(const char *tcti, uint32_t busy_ms, tpm_task task, void *arg,
                                 atls_err *err);

/* Registers what was loaded or started, to be flushed. Flushes it at once when there is no room. */
ATLS_MUST_USE atls_code tpm_hold(tpm *t, ESYS_TR object, atls_err *err);

/* Fills err when rc is a failure: ATLS_E_SYSTEM "attest.tpm.command", "TPM2_Quote: ..." with tpm2-tss' words. */
ATLS_MUST_USE atls_code tpm_said(tpm *t, TSS2_RC rc, const char *command, atls_err *err);

/* Is rc (of any layer) this response of a TPM, whichever handle or parameter it is about? */
bool tpm_rc_is(TSS2_RC rc, TSS2_RC wanted);

#endif
