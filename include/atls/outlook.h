/* outlook.h: what a vendor's early data will make of a platform: TCB recovery, seen before it is enforced. */
#ifndef ATLS_OUTLOOK_H
#define ATLS_OUTLOOK_H

#include <atls/store.h>

#define ATLS_SHORTFALLS_MAX 40

/* One component that is below what the early data's newest level wants. */
typedef struct atls_shortfall {
    char component[96]; /* "TDX module ISV SVN", "SGX component 1 (BIOS, Early Microcode Update)" */
    uint32_t is, needs;
    char remedy[96];    /* "update the SEAM module (TDX module)" */
} atls_shortfall;

typedef struct atls_outlook {
    char tee[4];       /* "tdx", "sgx" */
    char fmspc[13];    /* hex */
    char platform[33]; /* PPID, hex; "": a kind of platform, as it is today when all is applied */
    const char *now, *early;        /* TCB status, static; NULL: below every level */
    uint32_t now_number, early_number; /* tcbEvaluationDataNumber */
    int64_t early_issued_s;
    int64_t not_before_s; /* what is enforced now stands at least until its renewal, at the latest then: this time */
    bool will_fail;       /* early is not UpToDate */
    size_t shortfalls_n;
    atls_shortfall shortfalls[ATLS_SHORTFALLS_MAX];
    char advisories[512]; /* of the early level it falls to, separated by spaces */
} atls_outlook;

/* The platform that made this quote (type sgx or tdx, with its PCK certificate in it or, by its name, in the store; the quote
 * is not judged), under the store's
 * items of the standard and early channels: intel/tcb/TEE/FMSPC, intel/qe/TEE, and both with /early.
 * ATLS_E_COLLATERAL "outlook.missing" names the key that is not there; ATLS_E_INVALID "outlook.evidence". */
ATLS_API ATLS_MUST_USE atls_code atls_store_outlook(const atls_store *store, const atls_evidence *quote, atls_outlook *out,
                                                    atls_err *err);
/* The same for a kind of platform: one that is, in everything, at the newest UpToDate level of today. fmspc: 12 hex digits. */
ATLS_API ATLS_MUST_USE atls_code atls_store_outlook_fmspc(const atls_store *store, bool is_tdx, const char *fmspc,
                                                          atls_outlook *out, atls_err *err);

#endif
