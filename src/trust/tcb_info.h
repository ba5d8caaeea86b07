/* tcb_info.h: Intel's TCB info (v2, v3) and enclave identity (v2), from signed text to plain arrays. */
#ifndef ATLS_TRUST_TCB_INFO_H
#define ATLS_TRUST_TCB_INFO_H

#include "claims/claims.h"
#include <atls/types.h>

typedef struct atls_advisories {
    const char **ids; /* owned by the object they belong to */
    size_t n;
} atls_advisories;

typedef struct atls_tcb_info_level {
    uint8_t sgx[16];
    uint16_t pcesvn;
    uint8_t tdx[16];
    atls_tcb_status status;
    int64_t date_s;
    atls_advisories advisories;
} atls_tcb_info_level;

typedef struct atls_isv_level { /* of a TDX module identity or a QE identity */
    uint32_t isvsvn;
    atls_tcb_status status;
    int64_t date_s;
    atls_advisories advisories;
} atls_isv_level;

typedef struct atls_module_identity {
    uint8_t version; /* of "TDX_03": 3; tdxModule itself is not in the list */
    uint8_t mrsigner[48];
    uint8_t attributes[8], attributes_mask[8];
    atls_isv_level *levels; /* descending by isvsvn */
    size_t levels_n;
} atls_module_identity;

typedef struct atls_tcb_info {
    bool is_tdx;
    unsigned version; /* 2 or 3 */
    int64_t issue_date_s, next_update_s;
    uint8_t fmspc[6], pceid[2];
    uint32_t evaluation_number;
    uint8_t module_mrsigner[48], module_attributes[8], module_attributes_mask[8]; /* TDX */
    atls_module_identity *identities; /* TDX, may be none */
    size_t identities_n;
    atls_tcb_info_level *levels; /* descending, as section 10 sorts */
    size_t levels_n;
} atls_tcb_info;

/* Parses the signed text (the value of "tcbInfo"). ATLS_E_INVALID: check "tcb_info.format". Stricter than
 * Intel: duplicate members, component SVNs over 255. */
ATLS_MUST_USE atls_code atls_tcb_info_parse(atls_buf text, atls_tcb_info **out, atls_err *err);
void atls_tcb_info_free(atls_tcb_info *info);

typedef enum atls_qe_id { ATLS_QE_ID_QE, ATLS_QE_ID_TD_QE, ATLS_QE_ID_QVE } atls_qe_id;

typedef struct atls_qe_identity {
    atls_qe_id id;
    int64_t issue_date_s, next_update_s;
    uint32_t evaluation_number;
    uint32_t miscselect, miscselect_mask; /* read little endian */
    uint8_t attributes[16], attributes_mask[16];
    uint8_t mrsigner[32];
    uint16_t isvprodid;
    atls_isv_level *levels; /* file order */
    size_t levels_n;
} atls_qe_identity;

/* Check "qe_identity.format" ("qe_identity.version" for a version other than 2). */
ATLS_MUST_USE atls_code atls_qe_identity_parse(atls_buf text, atls_qe_identity **out,
                                               atls_err *err);
void atls_qe_identity_free(atls_qe_identity *identity);

#endif
