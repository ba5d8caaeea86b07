/* The contract's built-in rule: genuine, unrevoked, not debug, UpToDate, collateral in date. Measurements
 * and identity are unchecked, and the verdict says so. */
#include "policy/appraise.h"
#include "policy/policy.h"

#include <string.h>

#include "crypto/digest.h"

atls_policy *atls_policy_builtin(void)
{
    static const char text[] = "atls built-in rule 1";
    atls_buf piece = {(const uint8_t *)text, sizeof text - 1};
    atls_policy *p = atls_policy_new();
    atls_workload *w = p != NULL ? atls_policy_keep(p, 1, sizeof *w) : NULL;
    if (w == NULL || atls_digest(ATLS_SHA256, &piece, 1, p->hash, NULL) != ATLS_OK) {
        atls_policy_free(p);
        return NULL;
    }
    w->name = "built-in rule";
    w->is_builtin = true;
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        w->tees[t] = true;
    }
    w->tees_wanted = "a TEE that atls knows";
    w->tcb.statuses = 1u << ATLS_TCB_UP_TO_DATE;
    w->tcb.wanted = atls_tcb_status_name(ATLS_TCB_UP_TO_DATE);
    /* Which dialect is spoken is then the configuration's choice alone. */
    w->bindings = UINT32_MAX;
    w->bindings_wanted = "any";
    p->is_builtin = true;
    p->workloads = w;
    p->workloads_n = 1;
    return p;
}
