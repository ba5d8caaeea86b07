#include "attest/tpm_esys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#define FIRST_WAIT_MS 5u
#define LONG_WAIT_MS  100u
#define BUSY_MS       5000u
#define OPEN_TRIES    2 /* a device that was busy may be free when asked why it did not open */

bool tpm_rc_is(TSS2_RC rc, TSS2_RC wanted)
{
    TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
    if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER &&
        layer != TSS2_RESMGR_RC_LAYER) {
        return false;
    }
    rc &= ~(TSS2_RC)TSS2_RC_LAYER_MASK;
    if ((rc & TPM2_RC_FMT1) != 0) {
        rc &= ~(TSS2_RC)(TPM2_RC_N_MASK | TPM2_RC_P); /* which handle, session or parameter */
    }
    return rc == wanted;
}

/* Others have filled its memory, or it asks to be called again. (Part 2, 6.6.3: TPM_RC.) */
static bool is_busy(TSS2_RC rc)
{
    static const TSS2_RC codes[] = {
        TPM2_RC_OBJECT_MEMORY,  TPM2_RC_SESSION_MEMORY,  TPM2_RC_MEMORY,
        TPM2_RC_OBJECT_HANDLES, TPM2_RC_SESSION_HANDLES, TPM2_RC_RETRY,
        TPM2_RC_YIELDED,        TPM2_RC_TESTING,         TPM2_RC_NV_RATE};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (tpm_rc_is(rc, codes[i])) {
            return true;
        }
    }
    return false;
}

atls_code tpm_said(tpm *t, TSS2_RC rc, const char *command, atls_err *err)
{
    if (rc == TSS2_RC_SUCCESS) {
        return ATLS_OK;
    }
    t->is_busy = is_busy(rc);
    return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.command", "%s: %s (0x%x)", command,
                    Tss2_RC_Decode(rc), (unsigned)rc);
}

atls_code tpm_hold(tpm *t, ESYS_TR object, atls_err *err)
{
    if (t->held_n == TPM_HELD_MAX) {
        (void)Esys_FlushContext(t->esys, object);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.command", "more than %d objects held",
                        TPM_HELD_MAX);
    }
    t->held[t->held_n++] = object;
    return ATLS_OK;
}

/* tpm2-tss says no more than "IO error" of a device that does not open. */
static atls_code no_tpm(tpm *t, const char *tcti, TSS2_RC rc, atls_err *err)
{
    static const char prefix[] = "device:";
    const char *path = tcti + sizeof prefix - 1;
    if (strncmp(tcti, prefix, sizeof prefix - 1) == 0 && *path != '\0') {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        int why = fd < 0 ? errno : 0;
        if (fd >= 0) {
            (void)close(fd);
        }
        t->is_busy = why == EBUSY;
        if (why != 0) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.tcti", "%s: %s%s", path, strerror(why),
                            why == EACCES ? " (its users are in the group tss)" : "");
        }
    }
    return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.tcti", "no TPM at \"%s\": %s", tcti,
                    Tss2_RC_Decode(rc));
}

static atls_code reach(tpm *t, const char *tcti, atls_err *err)
{
    for (int left = OPEN_TRIES;;) {
        TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti, &t->tcti);
        if (rc == TSS2_RC_SUCCESS) {
            return tpm_said(t, Esys_Initialize(&t->esys, t->tcti, NULL), "Esys_Initialize", err);
        }
        t->tcti = NULL;
        atls_code code = no_tpm(t, tcti, rc, err);
        if (t->is_busy || --left == 0) {
            return code;
        }
    }
}

static void leave(tpm *t)
{
    while (t->held_n > 0) {
        (void)Esys_FlushContext(t->esys, t->held[--t->held_n]);
    }
    if (t->esys != NULL) {
        Esys_Finalize(&t->esys);
    }
    if (t->tcti != NULL) {
        Tss2_TctiLdr_Finalize(&t->tcti);
    }
}

static uint64_t now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void wait_ms(uint32_t ms)
{
    struct timespec left = {(time_t)(ms / 1000u), (long)(ms % 1000u) * 1000000L};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

atls_code tpm_turn(const char *tcti, uint32_t busy_ms, tpm_task task, void *arg, atls_err *err)
{
    uint64_t limit_ms = busy_ms == 0 ? BUSY_MS : busy_ms;
    uint64_t from_ms = now_ms();
    atls_err why = {0};
    for (uint32_t wait = FIRST_WAIT_MS;; wait = wait < LONG_WAIT_MS ? wait * 2 : LONG_WAIT_MS) {
        tpm t = {0};
        atls_code rc = reach(&t, tcti, &why);
        if (rc == ATLS_OK) {
            rc = task(&t, arg, &why);
        }
        leave(&t);
        if (rc == ATLS_OK) {
            return ATLS_OK;
        }
        if (!t.is_busy) {
            if (err != NULL) {
                *err = why;
            }
            return rc;
        }
        if (now_ms() - from_ms >= limit_ms) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.busy",
                            "the TPM was busy with others for %u ms: %.150s", (unsigned)limit_ms,
                            why.msg);
        }
        wait_ms(wait);
    }
}
