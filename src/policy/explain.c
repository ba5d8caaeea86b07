/* What a policy accepts, in plain words. */
#include "policy/say.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/rfc3339.h"
#include "base/text.h"

static void say_values(atls_text *t, const char *what, const atls_any_of *any)
{
    if (any->n > 0) {
        atls_text_add(t, "    %-16s %s\n", what, any->wanted);
    }
}

static void say_components(atls_text *t, const atls_register_rule *rule)
{
    for (size_t i = 0; i < rule->list_n; i++) {
        const atls_component_rule *c = &rule->components[i];
        atls_text_add(t, "    component%s %s signed by %s%s%s\n", c->is_optional ? " (if any)" : "",
                      c->type != NULL ? c->type : "of any type", c->signer_id.wanted,
                      c->measurement.n > 0 ? ", measured " : "",
                      c->measurement.n > 0 ? c->measurement.wanted : "");
    }
    atls_text_add(t, "    and no other component\n");
}

void atls_policy_say_rule(atls_text *t, const atls_register_rule *rule)
{
    const atls_register *reg = rule->reg;
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s%s", reg->group != NULL ? reg->group : "",
                   reg->group != NULL ? " " : "", reg->key);
    switch (reg->kind) {
    case ATLS_REGISTER_COMPONENTS:
        say_components(t, rule);
        break;
    case ATLS_REGISTER_NAMED:
    case ATLS_REGISTER_CLAIMS:
        for (size_t i = 0; i < rule->list_n; i++) {
            say_values(t, rule->named[i].name, &rule->named[i].values);
        }
        break;
    case ATLS_REGISTER_TRUE:
        atls_text_add(t, "    %-16s yes\n", name);
        break;
    default:
        if (!atls_register_is_number(reg)) {
            say_values(t, name, &rule->values);
        } else if (rule->wanted != NULL) {
            atls_text_add(t, "    %-16s %s\n", name, rule->wanted);
        } else {
            atls_text_add(t, "    %-16s %" PRIu64 "\n", name, rule->number);
        }
        break;
    }
}

static void say_set(atls_text *t, const atls_register_set *set, bool as_owner)
{
    for (size_t i = 0; i < set->rules_n; i++) {
        atls_policy_say_rule(t, &set->rules[i]);
    }
    if (as_owner && set->rules_n > 0) {
        atls_text_add(t, "    (signed at launch; tells one owner's deployment from another's)\n");
    }
}

static void say_measurements(atls_text *t, const atls_workload *w)
{
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        const char *name = atls_tee_name((atls_tee)tee);
        if (!w->tees[tee] && w->measured[tee].n == 0) {
            continue;
        }
        if (w->measured[tee].n == 0 && atls_tee_is_composite((atls_tee)tee)) {
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
    if (rule->collateral_grace_days != 0) {
        atls_text_add(
            t,
            "    collateral up to %u days past its next update while its origin does not answer\n",
            rule->collateral_grace_days);
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
    for (size_t i = 0; i < ATLS_PINS; i++) {
        say_values(t, atls_pin_at(i)->shown, &w->pins[i]);
    }
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        say_set(t, &w->measured[tee].owner, true);
    }
    if (!any && t->len == before) {
        atls_text_add(t, "    unchecked: whoever runs the same image passes for it\n");
    }
    say_values(t, "model (FMSPC)", &w->fmspc);
}

void atls_policy_say_floor(atls_text *t, const atls_amd_floor *f)
{
    static const char *const names[ATLS_AMD_COMPONENTS] = {"fmc", "bootloader", "tee", "snp",
                                                           "microcode"};
    atls_text_add(t, "    %s", f->product);
    if (f->has_family) {
        atls_text_add(t, " family %u", f->family);
    }
    if (f->has_model) {
        atls_text_add(t, " model %u", f->model);
    }
    if (f->has_stepping) {
        atls_text_add(t, " stepping %u", f->stepping);
    }
    for (int at = 0; at < 2; at++) {
        for (int i = 0; i < ATLS_AMD_COMPONENTS; i++) {
            if (f->has[at][i]) {
                atls_text_add(t, ", %s%s %u or more", names[i], at == 1 ? " at launch" : "",
                              f->lowest[at][i]);
            }
        }
    }
    if (f->until_s != 0) {
        char until[ATLS_TIME_TEXT_LEN];
        atls_time_format(f->until_s, until);
        atls_text_add(t, "; less until %s", until);
    }
    if (f->reason != NULL) {
        atls_text_add(t, " (%s)", f->reason);
    }
    atls_text_add(t, "\n");
}

static void say_amd(atls_text *t, const atls_workload *w)
{
    const atls_amd_rule *amd = &w->amd;
    if (!w->tees[ATLS_TEE_SNP] && !w->tees[ATLS_TEE_AZURE] && !w->tees[ATLS_TEE_SNP_TPM]) {
        return;
    }
    atls_text_add(t, "  AMD platform: %s\n",
                  w->crl_if_present ? "a missing CRL refuses nothing"
                                    : "not revoked, by AMD's CRL");
    for (size_t i = 0; i < amd->floors_n; i++) {
        atls_policy_say_floor(t, &amd->floors[i]);
    }
    if (amd->has_firmware) {
        atls_text_add(t, "    firmware %s or newer\n", amd->firmware_wanted);
    }
    atls_text_add(t, "%s%s%s%s", amd->refuse_provisional ? "    no provisional firmware\n" : "",
                  amd->refuse_reserved ? "    no reserved bytes set\n" : "",
                  amd->refuse_vlek ? "    signed by the chip's own key, not a provider's\n" : "",
                  amd->allow_masked_chip ? "    the chip may hide its id\n" : "");
    say_values(t, "provider (VLEK)", &amd->csp_ids);
}

void atls_policy_say_event(atls_text *t, const atls_event_rule *e)
{
    atls_text_add(t, "%s%s", e->shown,
                  e->is_absent     ? ": must not be in the log"
                  : e->is_optional ? ", if it is there:"
                                   : ":");
    atls_text_add(t, "%s%s%s%s", e->payload.n > 0 ? " payload " : "",
                  e->payload.n > 0 ? e->payload.wanted : "", e->digest.n > 0 ? " digest " : "",
                  e->digest.n > 0 ? e->digest.wanted : "");
}

static void say_events(atls_text *t, const atls_workload *w)
{
    for (size_t i = 0; i < w->events_n; i++) {
        atls_text_add(t, "  event ");
        atls_policy_say_event(t, &w->events[i]);
        atls_text_add(t, "\n");
    }
    if ((w->replay_rtmrs | w->replay_pcrs) == 0 && !w->replay_ima) {
        return;
    }
    atls_text_add(t, "  explained by a log:");
    for (unsigned i = 0; i < 32; i++) {
        if ((w->replay_rtmrs >> i & 1u) != 0) {
            atls_text_add(t, " rtmr%u", i);
        }
        if ((w->replay_pcrs >> i & 1u) != 0) {
            atls_text_add(t, " pcr%u", i);
        }
    }
    atls_text_add(t, "%s\n", w->replay_ima ? " IMA's pcr10" : "");
}

static void say_allowances(atls_text *t, const atls_workload *w)
{
    const struct {
        bool allowed;
        const char *what;
    } all[] = {
        {w->allow_debug, "debug"},
        {w->allow_sept_ve_disable_clear, "SEPT_VE_DISABLE clear"},
        {w->allow_migratable, "migration"},
        {w->service_td.n > 0, "pinned service TD"},
        {w->migration_agent.n > 0, "pinned migration agent"},
        {w->allow_sha1, "SHA-1 PCRs"},
        {w->allow_unsecured_lifecycle, "unsecured life cycle"},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].allowed) {
            atls_text_add(t, "%s%s", n++ == 0 ? "  allowed: " : ", ", all[i].what);
        }
    }
    atls_text_add(t, "%s", n > 0 ? "\n" : "");
}

/* Intel's families have a vendor's table of statuses. */
static bool has_statuses(const atls_workload *w)
{
    return w->tees[ATLS_TEE_SGX] || w->tees[ATLS_TEE_TDX] || w->tees[ATLS_TEE_AZURE];
}

static void say_rest(atls_text *t, const atls_workload *w)
{
    say_allowances(t, w);
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
        atls_text_add(&t, "The built-in rule: genuine, unrevoked, not debug, no migration, TCB "
                          "UpToDate where the vendor\nsays it, collateral in date; a token that "
                          "is affirmed.\nMeasurements and identity are unchecked.\n");
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
        say_events(&t, w);
        if (has_statuses(w)) {
            say_tcb(&t, &w->tcb);
        }
        say_amd(&t, w);
        say_identity(&t, w);
        say_rest(&t, w);
    }
    return atls_text_take(&t);
}
