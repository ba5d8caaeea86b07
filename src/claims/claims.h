/* claims.h: what verified evidence says, in one shape for all TEEs. Plain data, no pointers into the
 * evidence; strings in it live as long as the anchor that the verdict holds. */
#ifndef ATLS_CLAIMS_CLAIMS_H
#define ATLS_CLAIMS_CLAIMS_H

#include <atls/types.h>

typedef enum atls_tee {
    ATLS_TEE_NONE = 0,
    ATLS_TEE_SGX,
    ATLS_TEE_TDX,
    ATLS_TEE_SNP,
    ATLS_TEE_TPM,
    ATLS_TEE_NITRO,
    ATLS_TEE_CCA,
    ATLS_TEE_TOKEN
} atls_tee;

/* "sgx", "tdx", ...: as in --format, JSON and policy files. "none" for another value. */
const char *atls_tee_name(atls_tee tee);
bool atls_tee_by_name(const char *name, atls_tee *out);

/* Intel's TCB statuses, after convergence (names as in vectors/dcap). */
typedef enum atls_tcb_status {
    ATLS_TCB_NONE = 0, /* the family has none, or it could not be determined */
    ATLS_TCB_UP_TO_DATE,
    ATLS_TCB_SW_HARDENING_NEEDED,
    ATLS_TCB_CONFIGURATION_NEEDED,
    ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    ATLS_TCB_OUT_OF_DATE,
    ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    ATLS_TCB_TD_RELAUNCH_ADVISED,
    ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    ATLS_TCB_REVOKED
} atls_tcb_status;

/* "UpToDate", ..., "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded", "Revoked"; NULL for NONE. */
const char *atls_tcb_status_name(atls_tcb_status status);
bool atls_tcb_status_by_name(const char *name, size_t len, atls_tcb_status *out);

/* One matched level: of the platform, the TDX module, or the QE. */
typedef struct atls_tcb_level {
    bool present;
    atls_tcb_status status; /* as the vendor's table says it, before convergence */
    int64_t date_s;         /* tcbDate */
    const char *const *advisories; /* "INTEL-SA-00289"; live as long as the verdict's anchor */
    size_t advisories_n;
} atls_tcb_level;

typedef struct atls_tcb_claims {
    bool known;             /* false: this family has no TCB status, or a check before it failed */
    atls_tcb_status status; /* converged: what Intel's library would answer */
    atls_tcb_level platform;
    atls_tcb_level module; /* TDX with module version > 0 */
    atls_tcb_level qe;
    uint32_t evaluation_number;  /* smaller of TCB info and QE identity */
    int64_t earliest_expiration_s;
    /* Of TCB info, QE identity and PCK CRL; 0: unknown. Not of the root's CRL, issued about once a year. */
    int64_t oldest_issue_s;
} atls_tcb_claims;

typedef struct atls_platform_claims {
    bool has_fmspc, has_ppid, has_pck_serial, has_instance_id;
    uint8_t fmspc[6];
    uint8_t pceid[2];
    uint8_t ppid[16];
    uint8_t instance_id[16]; /* platform instance id, Platform CA only */
    uint8_t pck_serial[20];  /* big endian, without leading zeros */
    size_t pck_serial_len;
} atls_platform_claims;

typedef struct atls_sgx_claims {
    uint8_t cpusvn[16];
    uint32_t miscselect;
    uint8_t attributes[16]; /* flags u64 little endian, XFRM u64 */
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    uint8_t configid[64];
    uint8_t isvextprodid[16];
    uint8_t isvfamilyid[16];
    uint16_t isvprodid, isvsvn, configsvn;
} atls_sgx_claims;

typedef struct atls_tdx_claims {
    uint8_t tee_tcb_svn[16];
    uint8_t mrseam[48], mrsignerseam[48];
    uint8_t seam_attributes[8];
    uint8_t td_attributes[8]; /* u64 little endian */
    uint8_t xfam[8];
    uint8_t mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48];
    uint8_t rtmr[4][48];
    bool is_1_5; /* the two below are there */
    uint8_t tee_tcb_svn2[16];
    uint8_t mrservicetd[48];
} atls_tdx_claims;

typedef struct atls_claims {
    atls_tee tee;          /* NONE until the evidence's signatures verified */
    bool simulated;        /* under the simulator's root, whatever brought it in */
    bool custom_root;
    uint8_t report_data[64];
    size_t report_data_len;
    union {
        atls_sgx_claims sgx;
        atls_tdx_claims tdx;
    } as;
    atls_tcb_claims tcb;
    atls_platform_claims platform;
} atls_claims;

#endif
