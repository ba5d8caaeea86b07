/* tcb_level.h: which level a platform is at, and what Intel's library makes of it (specs 10 to 14).
 * Pure functions over plain arrays: no IO, no allocation. */
#ifndef ATLS_TRUST_TCB_LEVEL_H
#define ATLS_TRUST_TCB_LEVEL_H

#include "trust/tcb_info.h"

/* What the PCK certificate says of the platform's SVNs (component OIDs, not CPUSVN). */
typedef struct atls_pck_svn {
    uint8_t sgx[16];
    uint16_t pcesvn;
} atls_pck_svn;

/* The TD report's part; NULL for SGX. */
typedef struct atls_td_svn {
    uint8_t tee_tcb_svn[16];
    bool is_1_5;
    uint8_t tee_tcb_svn2[16];
} atls_td_svn;

typedef enum atls_match_error {
    ATLS_MATCH_OK = 0,
    ATLS_MATCH_NO_LEVEL,        /* TCB_NOT_SUPPORTED: no platform level fits */
    ATLS_MATCH_NO_MODULE_LEVEL, /* TCB_NOT_SUPPORTED: no module level fits */
    ATLS_MATCH_NO_QE_LEVEL,     /* TCB_NOT_SUPPORTED: no QE level fits */
    ATLS_MATCH_NO_MODULE,       /* TDX_MODULE_MISMATCH: no identity of that module version */
    ATLS_MATCH_UNRECOGNIZED     /* TCB_UNRECOGNIZED_STATUS */
} atls_match_error;

/* Section 12, first half: identity (NULL for module version 0) and expected values for this TD; false when
 * no identity has that version. */
bool atls_module_find(const atls_tcb_info *info, const uint8_t tee_tcb_svn[16],
                      const atls_module_identity **identity);

/* Sections 10 to 14 together. qe_isvsvn: of the QE report. Fills out->known, status, platform, module, qe,
 * evaluation_number (levels as far as they were found, also on error). */
atls_match_error atls_tcb_match(const atls_tcb_info *info, const atls_qe_identity *identity,
                                const atls_pck_svn *pck, const atls_td_svn *td, uint16_t qe_isvsvn,
                                atls_tcb_claims *out);

#endif
