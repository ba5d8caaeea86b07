/* appraising.h: one workload being held against one peer's claims. Each concern is a function that adds its
 * checks; with l NULL they are only counted, to find the workload that is nearest. */
#ifndef ATLS_POLICY_APPRAISING_H
#define ATLS_POLICY_APPRAISING_H

#include "policy/appraise.h"
#include "policy/policy.h"

typedef struct atls_appraising {
    const atls_workload *workload;
    const atls_claims *claims;
    const atls_expected *expected; /* NULL: evidence alone */
    int64_t when_s;
    atls_ledger *l; /* NULL: count only */
    size_t failed;
    int64_t until_s; /* first end of an allowance; 0: none */
    const atls_register_set
        *sets[ATLS_TEES]; /* a layer's alternative that fits best; NULL: unchecked */
    bool name_checked, platform_checked, owner_checked; /* asked for, and ok */
} atls_appraising;

/* One check; code is ATLS_E_POLICY but where collateral's age is judged. Returns cond. */
bool atls_appraise_check(atls_appraising *a, const char *id, bool cond, atls_code code,
                         atls_value found, atls_value wanted);
/* What is accepted here ends at until_s. */
void atls_appraise_limit(atls_appraising *a, int64_t until_s);
/* Is value one of them? Never, when value is all zero and not_zero. */
bool atls_any_of_has(const atls_any_of *any, atls_buf value, bool not_zero);

/* Whose claims there are: one TEE; of Azure's the hardware, the TPM, and Azure's own. Returns how many. */
#define ATLS_LAYERS_MAX 3
size_t atls_appraise_layers(const atls_claims *claims, atls_tee out[ATLS_LAYERS_MAX]);
/* The layer that is hardware: SNP or TDX of Azure, otherwise the TEE itself. */
atls_tee atls_appraise_hardware(const atls_claims *claims);

void atls_appraise_tcb(atls_appraising *a);
void atls_appraise_amd(atls_appraising *a);
void atls_appraise_measurements(atls_appraising *a); /* sets a->sets */
void atls_appraise_events(atls_appraising *a);
void atls_appraise_age(
    atls_appraising *a); /* of evidence that says when it was made, or was seen before */
void atls_appraise_attributes(atls_appraising *a); /* after measurements */
void atls_appraise_debug(atls_appraising *a, bool debug);
void atls_appraise_family(atls_appraising *a, atls_tee layer); /* all but SGX and TDX */
void atls_appraise_identity(atls_appraising *a);

/* A rule whose register is a list. True: all of it fits. */
bool atls_appraise_components(atls_appraising *a, const atls_register_rule *rule);
bool atls_appraise_named(atls_appraising *a, const atls_register_rule *rule);
bool atls_appraise_claims(atls_appraising *a, const atls_register_rule *rule);

/* "name by PKI + platform pinned", ..., "none". */
const char *atls_appraise_identity_line(const atls_appraising *a);

#endif
