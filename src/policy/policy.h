/* policy.h: what a parsed policy is inside. Immutable once the parser is done; everything that it
 * points to is allocated through atls_policy_keep() and lives as long as it. */
#ifndef ATLS_POLICY_POLICY_H
#define ATLS_POLICY_POLICY_H

#include <stdatomic.h>

#include <atls/policy.h>

#include "claims/claims.h"
#include "policy/pins.h"
#include "policy/registers.h"

#define ATLS_POLICY_MAX_LEN        (1024 * 1024) /* bytes of text */
#define ATLS_POLICY_WORKLOADS_MAX  256
#define ATLS_POLICY_SETS_MAX       64   /* alternatives of one TEE */
#define ATLS_POLICY_VALUES_MAX     1024 /* of one any-of list */
#define ATLS_POLICY_TEXT_MAX       255  /* bytes of a name, and of a value of any length */
#define ATLS_POLICY_EVENTS_MAX     64
#define ATLS_POLICY_CLAIMS_MAX     32 /* claims of a token, by pointer; and its measurements by name */
#define ATLS_POLICY_FLOORS_MAX     128
#define ATLS_POLICY_COMPONENTS_MAX 64

/* Values of which one must be equal. Each occupies stride bytes and is lens[i] long, or stride where lens
 * is NULL. wanted: all of them as one short text, for the ledger. */
typedef struct atls_any_of {
    size_t n;     /* 0: nothing is asked */
    bool is_text; /* else bytes, shown as hex */
    size_t stride;
    uint8_t *bytes;
    uint8_t *lens;
    const char *wanted;
} atls_any_of;

/* CCA: one kind of software of the platform. */
typedef struct atls_component_rule {
    const char *type; /* NULL: any */
    atls_any_of signer_id, measurement;
    bool is_optional;
} atls_component_rule;

/* Token: what stands behind a JSON pointer, or the measurement of that name. */
typedef struct atls_named_rule {
    const char *name;
    atls_any_of values; /* of a claim: JSON texts ("\"debug\"", "7", "true") */
} atls_named_rule;

typedef struct atls_register_rule {
    const atls_register *reg;
    atls_any_of values; /* of registers of bytes and texts */
    uint64_t number;    /* of numbers; a mask */
    const char *wanted; /* of a mask: "0x20 set" */
    size_t list_n;      /* of the kinds below */
    atls_component_rule *components;
    atls_named_rule *named;
} atls_register_rule;

/* Registers that must all fit together: one consistent build. */
typedef struct atls_register_set {
    size_t rules_n;
    atls_register_rule *rules;
} atls_register_set;

typedef struct atls_allowed_advisory {
    const char *id;
    int64_t until_s; /* last second; INT64_MAX: for ever */
} atls_allowed_advisory;

typedef struct atls_tcb_rule {
    uint32_t statuses; /* bit n: status n is accepted */
    const char *wanted;
    bool has_grace;
    uint32_t grace_days;
    bool has_advisories;
    size_t advisories_n;
    atls_allowed_advisory *advisories;
    uint32_t min_evaluation_number;
    uint32_t max_collateral_age_days; /* 0: no limit */
    uint32_t collateral_grace_days;   /* past its next update, its origin being unreachable; 0: none */
} atls_tcb_rule;

/* Components of AMD's TCB version. */
enum {
    ATLS_AMD_FMC = 0,
    ATLS_AMD_BOOTLOADER,
    ATLS_AMD_TEE,
    ATLS_AMD_SNP,
    ATLS_AMD_MICROCODE,
    ATLS_AMD_COMPONENTS
};

/* One line of a table of lowest components: for a product, or for models of it. */
typedef struct atls_amd_floor {
    const char *product;
    bool has_family, has_model, has_stepping;
    uint32_t family, model, stepping;
    bool has[2][ATLS_AMD_COMPONENTS]; /* 0: now; 1: at launch */
    uint32_t lowest[2][ATLS_AMD_COMPONENTS];
    int64_t until_s;           /* what is lower is accepted until then; 0: it is not */
    const char *date, *reason; /* of the vendor's bulletin; NULL: not told */
} atls_amd_floor;

typedef struct atls_amd_rule {
    size_t floors_n; /* 0: nothing is asked */
    atls_amd_floor *floors;
    bool refuse_provisional, refuse_reserved, refuse_vlek, allow_masked_chip;
    atls_any_of csp_ids;
    bool has_firmware;
    uint8_t firmware_min[3];
    const char *firmware_wanted;
} atls_amd_rule;

/* Measured events of a log that replays. By name (dstack's), or by register and type (TCG's). */
typedef struct atls_event_rule {
    const char *name;      /* NULL: by register */
    const char *type_name; /* NULL: every event of the register */
    uint32_t type, index;
    bool is_rtmr, is_absent, is_optional;
    atls_any_of payload, digest; /* n 0: not asked */
    const char *shown;           /* "compose-hash", "EV_SEPARATOR in pcr4" */
} atls_event_rule;

typedef struct atls_workload {
    bool is_builtin;
    const char *name;
    const char *nearest; /* what the ledger says when this one is shown, and none fits */
    bool tees[ATLS_TEES];
    const char *tees_wanted;
    struct {
        size_t n; /* 0: measurements unchecked */
        atls_register_set *sets;
        atls_register_set owner;
    } measured[ATLS_TEES]; /* by atls_tee */
    atls_tcb_rule tcb;
    atls_any_of pins[ATLS_PINS]; /* by number in the table of pins */
    atls_any_of fmspc;
    atls_amd_rule amd;
    size_t events_n;
    atls_event_rule *events;
    uint32_t replay_rtmrs, replay_pcrs; /* registers that a log must explain */
    bool replay_ima;
    bool crl_if_present; /* AMD's: a missing one refuses nothing */
    bool allow_debug, allow_sept_ve_disable_clear, allow_migratable;
    bool allow_sha1, allow_unsecured_lifecycle;
    atls_any_of service_td, migration_agent;
    size_t pki_n;
    const char **pki_names;
    const char *pki_wanted;
    uint32_t bindings; /* bit n: atls_policy_binding_name(n) is accepted */
    const char *bindings_wanted;
    bool two_keys, platform_may_move;
    uint32_t max_evidence_age_s, reattest_s;
} atls_workload;

struct atls_policy {
    atomic_int refs;
    bool is_builtin;
    uint8_t hash[32];
    size_t workloads_n;
    atls_workload *workloads;
    size_t warnings_n;
    const char **warnings;
    struct atls_policy_block *blocks;
};

atls_policy *atls_policy_new(void); /* one reference, empty; NULL: no memory */
/* n zeroed items of size bytes that are freed with the policy; NULL: no memory. */
void *atls_policy_keep(atls_policy *policy, size_t n, size_t size);
char *atls_policy_keep_text(atls_policy *policy, const char *text);

/* Dialects that a policy may name, and "evidence-alone"; NULL after the last. */
const char *atls_policy_binding_name(size_t i);
bool atls_policy_binding_by_name(const char *name, size_t *i);
#define ATLS_POLICY_EVIDENCE_ALONE "evidence-alone"

/* Collects what `atls policy check` warns of. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_policy_collect_warnings(atls_policy *policy, atls_err *err);

#endif
