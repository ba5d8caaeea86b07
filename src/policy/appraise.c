#include "policy/appraise.h"

#include <string.h>

#include "policy/appraising.h"
#include "policy/policy.h"

bool atls_appraise_check(atls_appraising *a, const char *id, bool cond, atls_code code,
                         atls_value found, atls_value wanted)
{
    if (!cond) {
        a->failed++;
    }
    return a->l != NULL ? atls_ledger_check(a->l, id, cond, code, found, wanted) : cond;
}

void atls_appraise_limit(atls_appraising *a, int64_t until_s)
{
    if (a->until_s == 0 || until_s < a->until_s) {
        a->until_s = until_s;
    }
}

bool atls_any_of_has(const atls_any_of *any, atls_buf value, bool not_zero)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < value.len; i++) {
        bits |= value.ptr[i];
    }
    if (value.len == 0 || (not_zero && bits == 0)) {
        return false;
    }
    for (size_t i = 0; i < any->n; i++) {
        size_t len = any->lens != NULL ? any->lens[i] : any->stride;
        if (len == value.len && memcmp(any->bytes + i * any->stride, value.ptr, len) == 0) {
            return true;
        }
    }
    return false;
}

atls_tee atls_appraise_hardware(const atls_claims *claims)
{
    return atls_tee_is_composite(claims->tee) ? claims->hardware : claims->tee;
}

size_t atls_appraise_layers(const atls_claims *claims, atls_tee out[ATLS_LAYERS_MAX])
{
    out[0] = atls_appraise_hardware(claims);
    out[1] = ATLS_TEE_TPM;
    out[2] = claims->tee;
    return atls_tee_is_composite(claims->tee) ? 3 : 1;
}

/* Evidence of two halves is as good as its hardware report. */
static void check_hardware(atls_appraising *a)
{
    atls_tee hardware = a->claims->hardware;
    if (a->claims->tee == ATLS_TEE_AZURE) {
        (void)atls_appraise_check(
            a, "policy.azure.hardware", hardware == ATLS_TEE_SNP || hardware == ATLS_TEE_TDX,
            ATLS_E_POLICY, atls_value_text(atls_tee_name(hardware)), atls_value_text("snp or tdx"));
    } else if (a->claims->tee == ATLS_TEE_SNP_TPM) {
        (void)atls_appraise_check(a, "policy.snp_tpm.hardware", hardware == ATLS_TEE_SNP,
                                  ATLS_E_POLICY, atls_value_text(atls_tee_name(hardware)),
                                  atls_value_text("snp"));
    }
}

static void check_tee(atls_appraising *a)
{
    atls_tee tee = a->claims->tee;
    bool known = tee > ATLS_TEE_NONE && tee < ATLS_TEES;
    (void)atls_appraise_check(a, "policy.tee", known && a->workload->tees[tee], ATLS_E_POLICY,
                              atls_value_text(atls_tee_name(tee)),
                              atls_value_text(a->workload->tees_wanted));
}

static void check_binding(atls_appraising *a)
{
    /* A name without a binding behind it is evidence alone, whatever it says. */
    const atls_expected *e = a->expected;
    bool bound = e != NULL && e->binding_name != NULL && e->binding != ATLS_BINDING_NONE;
    const char *name = bound ? e->binding_name : ATLS_POLICY_EVIDENCE_ALONE;
    size_t i = 0;
    bool known = atls_policy_binding_by_name(name, &i);
    atls_value found = known          ? atls_value_text(atls_policy_binding_name(i))
                       : a->l != NULL ? atls_value_note(a->l, name)
                                      : atls_value_none();
    (void)atls_appraise_check(a, "policy.binding", known && (a->workload->bindings & 1u << i) != 0,
                              ATLS_E_POLICY, found, atls_value_text(a->workload->bindings_wanted));
}

static void appraise_workload(atls_appraising *a)
{
    check_tee(a);
    check_hardware(a);
    atls_appraise_tcb(a);
    atls_appraise_amd(a);
    atls_appraise_measurements(a);
    atls_appraise_events(a);
    atls_appraise_attributes(a);
    atls_appraise_age(a);
    atls_appraise_identity(a);
    check_binding(a);
}

static atls_appraising begin(const atls_policy *policy, size_t i, const atls_claims *claims,
                             const atls_expected *expected, int64_t when_s, atls_ledger *l)
{
    return (atls_appraising){.workload = &policy->workloads[i],
                             .claims = claims,
                             .expected = expected,
                             .when_s = when_s,
                             .l = l};
}

/* How far a workload is from fitting. One of another TEE shares no register: it comes last. */
static size_t distance(const atls_appraising *a)
{
    return a->failed + (a->workload->tees[a->claims->tee] ? 0 : ATLS_LEDGER_MAX);
}

static size_t nearest(const atls_policy *policy, const atls_claims *claims,
                      const atls_expected *expected, int64_t when_s)
{
    size_t best = 0;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; policy->workloads_n > 1 && i < policy->workloads_n; i++) {
        atls_appraising a = begin(policy, i, claims, expected, when_s, NULL);
        appraise_workload(&a);
        if (distance(&a) < best_distance) {
            best = i;
            best_distance = distance(&a);
        }
        if (a.failed == 0) {
            break;
        }
    }
    return best;
}

void atls_policy_appraise(const atls_policy *policy, const atls_claims *claims,
                          const atls_expected *expected, int64_t when_s, atls_ledger *l,
                          atls_appraisal *out)
{
    atls_appraisal result = {.fits = false, .identity = "none"};
    if (claims->tee <= ATLS_TEE_NONE || claims->tee >= ATLS_TEES) {
        atls_ledger_fail(l, "policy.tee", ATLS_E_POLICY, atls_value_text("none"),
                         atls_value_none());
        *out = result;
        return;
    }
    size_t best = nearest(policy, claims, expected, when_s);
    atls_appraising a = begin(policy, best, claims, expected, when_s, l);
    appraise_workload(&a);
    const atls_workload *w = a.workload;
    if (!policy->is_builtin && a.failed == 0) {
        atls_ledger_ok_found(l, "policy.workload", atls_value_text(w->name));
    } else if (!policy->is_builtin) {
        /* Not a failure of its own: what failed has said so, each with the code that it deserves. */
        atls_ledger_skip(l, "policy.workload", w->nearest);
    }
    if (a.failed == 0) {
        result = (atls_appraisal){.fits = true,
                                  .workload = policy->is_builtin ? NULL : w->name,
                                  .identity = atls_appraise_identity_line(&a),
                                  .max_age_s = w->max_evidence_age_s,
                                  .reattest_s = w->reattest_s,
                                  .until_s = a.until_s,
                                  .platform_may_move = w->platform_may_move,
                                  .two_keys = w->two_keys};
    }
    *out = result;
}
