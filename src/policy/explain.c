/* What a policy accepts, in plain words. */
#include "policy/policy.h"

#include "base/rfc3339.h"
#include "base/text.h"

static void say_values(atls_text *t, const char *what, const atls_any_of *any)
{
    if (any->n > 0) {
        atls_text_add(t, "    %-16s %s\n", what, any->wanted);
    }
}

static void say_set(atls_text *t, const atls_register_set *set, bool as_owner)
{
    for (size_t i = 0; i < set->rules_n; i++) {
        const atls_register_rule *rule = &set->rules[i];
        if (rule->reg->kind == ATLS_REGISTER_BYTES) {
            say_values(t, rule->reg->key, &rule->values);
        } else {
            atls_text_add(t, "    %-16s %u\n", rule->reg->key, rule->number);
        }
    }
    if (as_owner && set->rules_n > 0) {
        atls_text_add(t, "    (signed at launch; tells one owner's deployment from another's)\n");
    }
}

static void say_measurements(atls_text *t, const atls_workload *w)
{
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        const char *name = atls_tee_name((atls_tee)tee);
        if (!w->tees[tee]) {
            continue;
        }
        if (w->measured[tee].n == 0) {
            atls_text_add(t, "  software in %s: unchecked\n", name);
        }
        for (size_t i = 0; i < w->measured[tee].n; i++) {
            atls_text_add(t, "  %s %s, all of:\n", i == 0 ? "software in" : "or, in", name);
            say_set(t, &w->measured[tee].sets[i], false);
        }
    }
}

static void say_tcb(atls_text *t, const atls_tcb_rule *rule)
{
    atls_text_add(t, "  patch level: %s", rule->wanted);
    if (rule->has_grace) {
        atls_text_add(t, ", or OutOfDate until %u days after its tcbDate", rule->grace_days);
    }
    atls_text_add(t, "\n");
    for (size_t i = 0; i < rule->advisories_n; i++) {
        char until[ATLS_TIME_TEXT_LEN];
        atls_time_format(rule->advisories[i].until_s, until);
        atls_text_add(t, "    %s may be open%s%s\n", rule->advisories[i].id,
                      rule->advisories[i].until_s == INT64_MAX ? "" : " until ",
                      rule->advisories[i].until_s == INT64_MAX ? "" : until);
    }
    if (rule->min_evaluation_number != 0) {
        atls_text_add(t, "    collateral of evaluation number %u or newer\n",
                      rule->min_evaluation_number);
    }
    if (rule->max_collateral_age_days != 0) {
        atls_text_add(t, "    collateral issued at most %u days ago\n",
                      rule->max_collateral_age_days);
    }
}

static void say_identity(atls_text *t, const atls_workload *w)
{
    bool any = false;
    atls_text_add(t, "  whose it is:\n");
    for (size_t i = 0; i < w->pki_n; i++) {
        atls_text_add(t, "    %-16s %s\n", i == 0 ? "name by PKI" : "", w->pki_names[i]);
        any = true;
    }
    size_t before = t->len;
    say_values(t, "PPID", &w->ppid);
    say_values(t, "PCK serial", &w->pck_serial);
    say_values(t, "instance id", &w->instance_id);
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        say_set(t, &w->measured[tee].owner, true);
    }
    if (!any && t->len == before) {
        atls_text_add(t, "    unchecked: whoever runs the same image passes for it\n");
    }
    say_values(t, "model (FMSPC)", &w->fmspc);
}

static void say_rest(atls_text *t, const atls_workload *w)
{
    if (w->allow_debug || w->allow_sept_ve_disable_clear || w->allow_migratable ||
        w->service_td.n > 0) {
        atls_text_add(t, "  allowed:%s%s%s%s\n", w->allow_debug ? " debug" : "",
                      w->allow_sept_ve_disable_clear ? " SEPT_VE_DISABLE clear" : "",
                      w->allow_migratable ? " migration" : "",
                      w->service_td.n > 0 ? " pinned service TD" : "");
    }
    atls_text_add(t, "  connections: %s%s\n", w->bindings_wanted,
                  w->two_keys ? ", two keys (PKI judges the TLS key)" : "");
    if (w->max_evidence_age_s != 0) {
        atls_text_add(t, "  evidence at most %u s old\n", w->max_evidence_age_s);
    }
    if (w->reattest_s != 0) {
        atls_text_add(t, "  attested again every %u s%s\n", w->reattest_s,
                      w->platform_may_move ? ", on another platform too" : "");
    }
}

char *atls_policy_explain(const atls_policy *policy)
{
    atls_text t = atls_text_of(16u * 1024 * 1024);
    if (policy->is_builtin) {
        atls_text_add(&t, "The built-in rule: genuine, unrevoked, not debug, TCB UpToDate, "
                          "collateral in date.\nMeasurements and identity are unchecked.\n");
        return atls_text_take(&t);
    }
    atls_text_add(&t,
                  "A peer is accepted if it is one of %zu workload%s. Everything named under it "
                  "must fit;\nof values joined by \"or\" one is enough.\n",
                  policy->workloads_n, policy->workloads_n == 1 ? "" : "s");
    for (size_t i = 0; i < policy->workloads_n; i++) {
        const atls_workload *w = &policy->workloads[i];
        atls_text_add(&t, "\n%s: runs in %s\n", w->name, w->tees_wanted);
        say_measurements(&t, w);
        say_tcb(&t, &w->tcb);
        say_identity(&t, w);
        say_rest(&t, w);
    }
    return atls_text_take(&t);
}
