/* policy.h: what a parsed policy is inside. Immutable once the parser is done; everything that it
 * points to is allocated through atls_policy_keep() and lives as long as it. */
#ifndef ATLS_POLICY_POLICY_H
#define ATLS_POLICY_POLICY_H

#include <stdatomic.h>

#include <atls/policy.h>

#include "claims/claims.h"
#include "policy/registers.h"

#define ATLS_POLICY_MAX_LEN       (1024 * 1024) /* bytes of text */
#define ATLS_POLICY_WORKLOADS_MAX 256
#define ATLS_POLICY_SETS_MAX      64   /* alternatives of one TEE */
#define ATLS_POLICY_VALUES_MAX    1024 /* of one any-of list */
#define ATLS_POLICY_TEXT_MAX      255  /* bytes of a name */

/* Values of which one must be equal. Each occupies stride bytes and is lens[i] long, or stride where lens
 * is NULL. wanted: all of them as one short text, for the ledger. */
typedef struct atls_any_of {
    size_t n; /* 0: nothing is asked */
    size_t stride;
    uint8_t *bytes;
    uint8_t *lens;
    const char *wanted;
} atls_any_of;

typedef struct atls_register_rule {
    const atls_register *reg;
    atls_any_of values; /* of a register of bytes */
    uint16_t number;    /* of the others */
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
} atls_tcb_rule;

typedef struct atls_workload {
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
    atls_any_of ppid, pck_serial, instance_id;
    atls_any_of fmspc;
    bool crl_if_present; /* AMD's: a missing one refuses nothing */
    bool allow_debug, allow_sept_ve_disable_clear, allow_migratable;
    atls_any_of service_td;
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
