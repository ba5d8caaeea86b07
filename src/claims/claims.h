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
    ATLS_TEE_TOKEN,
    ATLS_TEE_AZURE,    /* a vTPM whose key a hardware report covers: claims of both */
    ATLS_TEE_NITROTPM, /* AWS: a document about an instance's TPM, not about an enclave */
    ATLS_TEE_DUMMY,    /* for tests: it has report data, and proves nothing */
    ATLS_TEE_SNP_TPM   /* a vTPM outside of the VM, and the VM's SNP report: claims of both */
} atls_tee;
#define ATLS_TEES (ATLS_TEE_SNP_TPM + 1)

/* A TPM's quote and a hardware report, each with its claims. */
bool atls_tee_is_composite(atls_tee tee);
/* Its evidence has a TPM's quote. */
bool atls_tee_has_tpm(atls_tee tee);

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
    atls_tcb_status status;        /* as the vendor's table says it, before convergence */
    int64_t date_s;                /* tcbDate */
    const char *const *advisories; /* "INTEL-SA-00289"; live as long as the verdict's anchor */
    size_t advisories_n;
} atls_tcb_level;

typedef struct atls_tcb_claims {
    bool known;             /* false: this family has no TCB status, or a check before it failed */
    atls_tcb_status status; /* converged: what Intel's library would answer */
    atls_tcb_level platform;
    atls_tcb_level module; /* TDX with module version > 0 */
    atls_tcb_level qe;
    uint32_t evaluation_number; /* smaller of TCB info and QE identity */
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
    bool has_chip_id; /* SNP: the VCEK certifies as.snp.chip_id; never with a VLEK or a masked id */
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

/* Components of AMD's TCB version, taken apart by the product's layout. */
typedef struct atls_snp_tcb {
    uint8_t raw[8];
    bool has_fmc; /* Turin */
    uint8_t fmc, bootloader, tee, snp, microcode;
} atls_snp_tcb;

typedef struct atls_snp_claims {
    uint32_t version, guest_svn, vmpl, signer_info;
    uint64_t policy, platform_info;
    uint8_t family_id[16], image_id[16];
    uint8_t measurement[48], host_data[32], id_key_digest[48], author_key_digest[48];
    uint8_t report_id[32], report_id_ma[32], chip_id[64];
    atls_snp_tcb current_tcb, reported_tcb, committed_tcb, launch_tcb;
    uint8_t current_version[3], committed_version[3]; /* major, minor, build */
    uint64_t launch_mit_vector, current_mit_vector;   /* report version 5 */
    char product[8]; /* of the chain that verified: "Milan", "Genoa", "Turin" */
    bool has_cpuid;  /* report version 3 and later */
    uint8_t family, model, stepping;
    bool is_vlek;
    char csp_id[64];     /* VLEK only */
    bool chip_id_masked; /* zero: the report names no chip */
    bool reserved_set;   /* reserved bytes of the signed part are not zero */
    /* A CRL of this chain's ARK was judged and lists neither ASK nor ASVK. False: none was there (a CRL that was
     * there and did not hold has failed in the ledger). Policy decides what that means. */
    bool crl_checked;
} atls_snp_claims;

enum { ATLS_TPM_SHA1 = 0, ATLS_TPM_SHA256, ATLS_TPM_SHA384, ATLS_TPM_SHA512, ATLS_TPM_BANKS };
#define ATLS_TPM_PCRS 24

typedef struct atls_tpm_bank {
    uint32_t
        selected; /* bit i: PCR i is in the signed selection, and value[i] is what was quoted */
    uint8_t value[ATLS_TPM_PCRS][64];
} atls_tpm_bank;

typedef enum atls_ak_trust { /* why the key that signed a quote is believed */
                             ATLS_AK_NONE = 0,
                             ATLS_AK_VOUCHED, /* the caller gave it (pinned, or after credential activation) */
                             ATLS_AK_CERTIFICATE, /* a certificate to a root */
                             ATLS_AK_REPORT       /* a hardware report covers it */
} atls_ak_trust;

typedef struct atls_tpm_claims {
    uint8_t qualifying_data[66];
    size_t qualifying_data_len;
    uint64_t firmware_version, clock_ms;
    uint32_t reset_count, restart_count;
    bool safe;
    atls_ak_trust ak_trust;
    uint8_t ak_spki_sha256[32]; /* of the key that signed */
    bool has_ek;                /* an EK that vouches for the AK is known: from its certificate */
    uint8_t ek_spki_sha256[32];
    atls_tpm_bank banks[ATLS_TPM_BANKS];
    bool
        has_user_data; /* Azure: 64 bytes that the guest gave to the hardware report, by way of the runtime data */
    uint8_t user_data[64];
    char vm_id[40]; /* Azure: vmUniqueId of the runtime data that the report covers; "" */
    uint8_t gcp_instance_id[8]; /* big endian; zero: none in the AK certificate */
} atls_tpm_claims;

typedef struct atls_nitro_claims {
    const char *module_id; /* as long as the anchor, like all views here */
    uint64_t timestamp_ms;
    uint32_t pcrs; /* bit i: PCR i is in the document */
    uint8_t pcr[32][64];
    uint8_t pcr_len[32];
    bool has_nonce, has_user_data, has_public_key; /* null and absent are the same */
    atls_buf nonce, user_data, public_key;
    bool is_debug; /* PCR 0 is all zero */
} atls_nitro_claims;

typedef struct atls_cca_component {
    const char *type, *version; /* NULL: absent */
    atls_buf measurement, signer_id;
} atls_cca_component;

typedef struct atls_cca_claims {
    const char *platform_profile, *realm_profile; /* NULL: legacy, absent */
    uint8_t personalization[64];
    uint8_t rim[64], rem[4][64];
    size_t rim_len, rem_len[4];
    uint8_t implementation_id[32], instance_id[33];
    uint32_t lifecycle;
    atls_buf config;
    const char *verification_service; /* NULL: absent */
    const atls_cca_component *components;
    size_t components_n;
} atls_cca_claims;

typedef enum atls_token_kind {
    ATLS_TOKEN_PLAIN = 0, /* a signed JWT of a profile that nobody here knows */
    ATLS_TOKEN_EAR,
    ATLS_TOKEN_MAA,
    ATLS_TOKEN_ITA,
    ATLS_TOKEN_CONFIDENTIAL_SPACE
} atls_token_kind;

typedef struct
    atls_token_measurement { /* what the token's issuer says it saw; names as in policies */
    const char *name;        /* "mrtd", "measurement", "image_digest" */
    atls_buf bytes;
} atls_token_measurement;

struct json_t; /* jansson's */
typedef struct atls_token_claims {
    atls_token_kind kind;
    const struct json_t *all; /* every claim */
    const char *issuer;       /* "" if there is none */
    const char *const *audiences;
    size_t audiences_n;
    const char *const *nonces; /* the claim that the profile has for it, as text */
    size_t nonces_n;
    bool has_exp;
    int64_t exp_s, iat_s;  /* iat 0: none */
    atls_tee attested_tee; /* what the issuer says it is; NONE: it does not say */
    bool has_debug, debug;
    const char *status;     /* the token's own word: "affirming", "warning", ...; NULL: none */
    const char *tcb_status; /* the issuer's word, mapped to nothing; NULL: none */
    const atls_token_measurement *measurements;
    size_t measurements_n;
} atls_token_claims;

/* One measured event of a log that replays to a register which the hardware signed. */
typedef struct atls_event {
    uint32_t index;   /* PCR, or RTMR */
    uint32_t type;    /* EV_...; dstack's runtime events 0x08000001 */
    const char *name; /* "compose-hash", a file's path (IMA), or the name of the type; never NULL */
    uint8_t digest
        [64]; /* that extended the register; IMA: the file's, which the extended digest covers */
    uint8_t digest_len;
    atls_buf data; /* the event's own bytes */
    bool
        data_matches; /* the digest was computed from data (or name and data): data is as good as the digest */
    bool is_runtime; /* dstack's: found by name */
    bool
        after_ready; /* dstack's, behind "system-ready": an application's, and never a system event */
    bool after_separator; /* of its register: no longer the firmware's word */
} atls_event;

/* Only events of registers whose replay gave the quoted value are here. */
typedef struct atls_event_claims {
    const atls_event *events; /* as long as the anchor */
    size_t n;
    uint32_t replayed; /* bit i: register i has events, and they replay to the quoted value */
    uint32_t differs;  /* bit i: register i has events, and they do not */
} atls_event_claims;

typedef struct atls_claims {
    atls_tee tee; /* NONE until the evidence's signatures verified */
    atls_tee
        hardware; /* AZURE, SNP_TPM: SNP or TDX, whose claims are in `as` too; otherwise equal to tee */
    bool simulated;          /* under the simulator's root, whatever brought it in */
    bool custom_root;        /* or a key that the caller vouches for */
    uint8_t report_data[64]; /* CCA: the challenge. AZURE, SNP_TPM: the hardware report's */
    size_t report_data_len;  /* 0: this evidence has no such field */
    union {
        atls_sgx_claims sgx;
        atls_tdx_claims tdx;
        atls_snp_claims snp;
        atls_nitro_claims nitro; /* NITROTPM too */
        atls_cca_claims cca;
        atls_token_claims token;
    } as;
    atls_tpm_claims tpm;   /* TPM, AZURE and SNP_TPM */
    atls_event_claims log; /* firmware's or dstack's: RTMRs or PCRs */
    atls_event_claims ima; /* of PCR 10 */
    atls_tcb_claims tcb;
    atls_platform_claims platform;
    /* The first end of what else this rests on (certificates, CRLs, a token): seconds; 0: nothing known. */
    int64_t expires_s;
    /* Collateral that is past its next update by so much is relied on, since its origin does not answer: seconds; 0:
     * none is. Only a policy that grants grace accepts it. lasting_s: then, the first end of all the rest. */
    int64_t late_s, lasting_s;
} atls_claims;

#endif
