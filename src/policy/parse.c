#include "policy/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "crypto/digest.h"

#define DAYS_MAX             3650
#define COLLATERAL_GRACE_MAX 90       /* days; ATLS_LATE_MAX_S */
#define SECONDS_MAX          31536000 /* a year */
#define NAME_MAX_LEN         128

/* Free words for whoever reads the file. */
static atls_code parse_description(atls_policy_parser *p, json_t *value, void *target)
{
    (void)target;
    return json_is_string(value) ? ATLS_OK : atls_policy_refuse(p, "a string is wanted");
}

/* --- tcb --- */

static atls_code parse_status(atls_policy_parser *p, json_t *value, atls_tcb_rule *rule)
{
    const char *name;
    atls_tcb_status status;
    ATLS_TRY(atls_policy_parse_string(p, value, &name));
    if (!atls_tcb_status_by_name(name, strlen(name), &status)) {
        const char *known[ATLS_TCB_REVOKED];
        for (int i = ATLS_TCB_UP_TO_DATE; i <= ATLS_TCB_REVOKED; i++) {
            known[i - 1] = atls_tcb_status_name((atls_tcb_status)i);
        }
        return atls_policy_refuse_unknown(p, false, "status", name, known, ATLS_TCB_REVOKED);
    }
    if (status == ATLS_TCB_REVOKED) {
        return atls_policy_refuse(p, "Revoked cannot be accepted: the vendor has withdrawn its "
                                     "word for such platforms");
    }
    rule->statuses |= 1u << status;
    return ATLS_OK;
}

static atls_code parse_statuses(atls_policy_parser *p, json_t *value, void *target)
{
    atls_tcb_rule *rule = target;
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_status(p, json_array_get(value, i), rule));
        atls_policy_leave(p);
    }
    return ATLS_OK;
}

static atls_code parse_grace(atls_policy_parser *p, json_t *value, void *target)
{
    atls_tcb_rule *rule = target;
    rule->has_grace = true;
    return atls_policy_parse_number(p, value, 1, DAYS_MAX, &rule->grace_days);
}

static atls_code parse_advisory_id(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_string(p, value, &((atls_allowed_advisory *)target)->id);
}

static atls_code parse_advisory_until(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_until(p, value, &((atls_allowed_advisory *)target)->until_s);
}

static const atls_policy_key advisory_keys[] = {
    {"id", parse_advisory_id, true},
    {"until", parse_advisory_until, false},
};
static const atls_policy_object advisory_object = {"advisory", advisory_keys, 2};

static atls_code parse_advisories(atls_policy_parser *p, json_t *value, void *target)
{
    atls_tcb_rule *rule = target;
    ATLS_TRY(atls_policy_parse_list(p, value, 0, &rule->advisories_n));
    rule->has_advisories = true;
    rule->advisories =
        atls_policy_keep(p->policy, rule->advisories_n + 1, sizeof *rule->advisories);
    if (rule->advisories == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < rule->advisories_n; i++) {
        rule->advisories[i].until_s = INT64_MAX;
        atls_policy_enter_element(p, i);
        ATLS_TRY(atls_policy_parse_object(p, json_array_get(value, i), &advisory_object,
                                          &rule->advisories[i]));
        atls_policy_leave(p);
    }
    return ATLS_OK;
}

static atls_code parse_evaluation(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_number(p, value, 1, UINT32_MAX,
                                    &((atls_tcb_rule *)target)->min_evaluation_number);
}

static atls_code parse_collateral_age(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_number(p, value, 1, DAYS_MAX,
                                    &((atls_tcb_rule *)target)->max_collateral_age_days);
}

static atls_code parse_collateral_grace(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_number(p, value, 1, COLLATERAL_GRACE_MAX,
                                    &((atls_tcb_rule *)target)->collateral_grace_days);
}

static const atls_policy_key tcb_keys[] = {
    {"statuses", parse_statuses, false},
    {"grace_days", parse_grace, false},
    {"advisories_allowed", parse_advisories, false},
    {"min_evaluation_number", parse_evaluation, false},
    {"max_collateral_age_days", parse_collateral_age, false},
    {"collateral_grace_days", parse_collateral_grace, false},
};
static const atls_policy_object tcb_object = {"tcb", tcb_keys,
                                              sizeof tcb_keys / sizeof tcb_keys[0]};

static atls_code parse_tcb(atls_policy_parser *p, json_t *value, void *target)
{
    atls_tcb_rule *rule = &((atls_workload *)target)->tcb;
    ATLS_TRY(atls_policy_parse_object(p, value, &tcb_object, rule));
    if (rule->has_grace && (rule->statuses & 1u << ATLS_TCB_OUT_OF_DATE) != 0) {
        return atls_policy_refuse(p, "OutOfDate among the statuses accepts it for ever, grace_days "
                                     "for a time: name one of the two");
    }
    return ATLS_OK;
}

/* --- fmspc, crl --- */

static atls_code parse_fmspc(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_any_of(p, value, 6, false, &((atls_workload *)target)->fmspc);
}

static atls_code parse_crl(atls_policy_parser *p, json_t *value, void *target)
{
    static const char *const words[] = {"required", "if-present"};
    size_t i = 0;
    ATLS_TRY(atls_policy_parse_word(p, value, "word", words, 2, &i));
    ((atls_workload *)target)->crl_if_present = i == 1;
    return ATLS_OK;
}

/* --- allow --- */

static atls_code parse_allow_debug(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_workload *)target)->allow_debug);
}

static atls_code parse_allow_sept(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value,
                                  &((atls_workload *)target)->allow_sept_ve_disable_clear);
}

static atls_code parse_allow_migratable(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_workload *)target)->allow_migratable);
}

static atls_code parse_service_td(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_any_of(p, value, 48, true, &((atls_workload *)target)->service_td);
}

static atls_code parse_migration_agent(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_any_of(p, value, 32, true,
                                    &((atls_workload *)target)->migration_agent);
}

static atls_code parse_allow_sha1(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_workload *)target)->allow_sha1);
}

static atls_code parse_allow_lifecycle(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_workload *)target)->allow_unsecured_lifecycle);
}

static const atls_policy_key allow_keys[] = {
    {"debug", parse_allow_debug, false},
    {"sept_ve_disable_clear", parse_allow_sept, false},
    {"migratable", parse_allow_migratable, false},
    {"service_td", parse_service_td, false},
    {"migration_agent", parse_migration_agent, false},
    {"sha1", parse_allow_sha1, false},
    {"unsecured_lifecycle", parse_allow_lifecycle, false},
};
static const atls_policy_object allow_object = {"allow", allow_keys,
                                                sizeof allow_keys / sizeof allow_keys[0]};

static atls_code parse_allow(atls_policy_parser *p, json_t *value, void *target)
{
    atls_workload *w = target;
    ATLS_TRY(atls_policy_parse_object(p, value, &allow_object, w));
    if (w->allow_migratable && w->service_td.n == 0) {
        return atls_policy_refuse(p, "migratable needs service_td: the migration TD gets this TD's "
                                     "memory, so pin it");
    }
    return ATLS_OK;
}

/* --- pki --- */

static atls_code parse_pki_name(atls_policy_parser *p, json_t *value, const char **out)
{
    ATLS_TRY(atls_policy_parse_string(p, value, out));
    return strpbrk(*out, "* ") == NULL
               ? ATLS_OK
               : atls_policy_refuse(p, "a whole name is wanted, without wildcard or space");
}

static atls_code parse_pki_names(atls_policy_parser *p, json_t *value, void *target)
{
    atls_workload *w = target;
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    w->pki_names = atls_policy_keep(p->policy, n, sizeof *w->pki_names);
    if (w->pki_names == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_pki_name(p, json_array_get(value, i), &w->pki_names[i]));
        atls_policy_leave(p);
    }
    w->pki_n = n;
    atls_text t = atls_text_of(1024);
    atls_text_add(&t, "%s", w->pki_names[0]);
    if (n > 1) {
        atls_text_add(&t, " or %zu more", n - 1);
    }
    return atls_policy_keep_written(p, &t, &w->pki_wanted);
}

static const atls_policy_key pki_keys[] = {{"names", parse_pki_names, true}};
static const atls_policy_object pki_object = {"pki", pki_keys, 1};

static atls_code parse_pki(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_object(p, value, &pki_object, target);
}

/* --- workload --- */

static atls_code parse_name(atls_policy_parser *p, json_t *value, void *target)
{
    atls_workload *w = target;
    ATLS_TRY(atls_policy_parse_string(p, value, &w->name));
    size_t len = strlen(w->name);
    if (len > NAME_MAX_LEN || w->name[0] == ' ' || w->name[len - 1] == ' ') {
        return atls_policy_refuse(p,
                                  "a name of 1 to %d characters is wanted, without space at its "
                                  "ends",
                                  NAME_MAX_LEN);
    }
    return ATLS_OK;
}

static atls_code parse_tee(atls_policy_parser *p, json_t *value, atls_workload *w)
{
    const char *known[ATLS_TEES];
    size_t i = 0;
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        known[t - 1] = atls_tee_name((atls_tee)t);
    }
    ATLS_TRY(atls_policy_parse_word(p, value, "TEE", known, ATLS_TEES - 1, &i));
    w->tees[i + 1] = true;
    return ATLS_OK;
}

static atls_code parse_tees(atls_policy_parser *p, json_t *value, void *target)
{
    atls_workload *w = target;
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_tee(p, json_array_get(value, i), w));
        atls_policy_leave(p);
    }
    atls_text t = atls_text_of(256);
    for (int i = ATLS_TEE_SGX; i < ATLS_TEES; i++) {
        if (w->tees[i]) {
            atls_text_add(&t, "%s%s", t.len > 0 ? " or " : "", atls_tee_name((atls_tee)i));
        }
    }
    return atls_policy_keep_written(p, &t, &w->tees_wanted);
}

/* One function a TEE: a key's parser knows its workload only. */
#define SETS_OF(name, tee)                                                                         \
    static atls_code name(atls_policy_parser *p, json_t *value, void *target)                      \
    {                                                                                              \
        return atls_policy_parse_sets(p, value, tee, target);                                      \
    }
SETS_OF(parse_sgx, ATLS_TEE_SGX)
SETS_OF(parse_tdx, ATLS_TEE_TDX)
SETS_OF(parse_snp, ATLS_TEE_SNP)
SETS_OF(parse_tpm, ATLS_TEE_TPM)
SETS_OF(parse_nitro, ATLS_TEE_NITRO)
SETS_OF(parse_nitrotpm, ATLS_TEE_NITROTPM)
SETS_OF(parse_cca, ATLS_TEE_CCA)
SETS_OF(parse_jwt, ATLS_TEE_TOKEN)
SETS_OF(parse_azure, ATLS_TEE_AZURE)
#undef SETS_OF

static atls_code parse_owner(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_owner(p, value, target);
}

static atls_code parse_binding(atls_policy_parser *p, json_t *value, atls_workload *w)
{
    const char *name;
    size_t i;
    ATLS_TRY(atls_policy_parse_string(p, value, &name));
    if (!atls_policy_binding_by_name(name, &i)) {
        const char *known[32];
        size_t n = 0;
        while (n < 32 && atls_policy_binding_name(n) != NULL) {
            known[n] = atls_policy_binding_name(n);
            n++;
        }
        return atls_policy_refuse_unknown(p, false, "binding", name, known, n);
    }
    w->bindings |= 1u << i;
    return ATLS_OK;
}

static atls_code parse_bindings(atls_policy_parser *p, json_t *value, void *target)
{
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_binding(p, json_array_get(value, i), target));
        atls_policy_leave(p);
    }
    return ATLS_OK;
}

static atls_code parse_two_keys(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_workload *)target)->two_keys);
}

static atls_code parse_may_move(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_workload *)target)->platform_may_move);
}

static atls_code parse_max_age(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_number(p, value, 1, SECONDS_MAX,
                                    &((atls_workload *)target)->max_evidence_age_s);
}

static atls_code parse_reattest(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_number(p, value, 1, SECONDS_MAX,
                                    &((atls_workload *)target)->reattest_s);
}

static const atls_policy_key workload_keys[] = {
    {"name", parse_name, true},
    {"description", parse_description, false},
    {"tees", parse_tees, true},
    {"sgx", parse_sgx, false},
    {"tdx", parse_tdx, false},
    {"snp", parse_snp, false},
    {"tpm", parse_tpm, false},
    {"nitro", parse_nitro, false},
    {"nitrotpm", parse_nitrotpm, false},
    {"cca", parse_cca, false},
    {"jwt", parse_jwt, false},
    {"azure", parse_azure, false},
    {"events", atls_policy_parse_events, false},
    {"replay", atls_policy_parse_replay, false},
    {"tcb", parse_tcb, false},
    {"amd", atls_policy_parse_amd, false},
    {"crl", parse_crl, false},
    {"platforms", atls_policy_parse_platforms, false},
    {"fmspc", parse_fmspc, false},
    {"owner", parse_owner, false},
    {"allow", parse_allow, false},
    {"pki", parse_pki, false},
    {"two_keys", parse_two_keys, false},
    {"bindings", parse_bindings, false},
    {"max_evidence_age_s", parse_max_age, false},
    {"reattest_s", parse_reattest, false},
    {"platform_may_move", parse_may_move, false},
};
static const atls_policy_object workload_object = {"workload", workload_keys,
                                                   sizeof workload_keys / sizeof workload_keys[0]};

/* Defaults, and the texts that the ledger shows as wanted. */
static atls_code complete_workload(atls_policy_parser *p, atls_workload *w)
{
    atls_text t = atls_text_of(1024);
    if (w->tcb.statuses == 0) {
        w->tcb.statuses = 1u << ATLS_TCB_UP_TO_DATE;
    }
    for (int i = ATLS_TCB_UP_TO_DATE; i <= ATLS_TCB_REVOKED; i++) {
        if ((w->tcb.statuses & 1u << i) != 0) {
            atls_text_add(&t, "%s%s", t.len > 0 ? " or " : "",
                          atls_tcb_status_name((atls_tcb_status)i));
        }
    }
    ATLS_TRY(atls_policy_keep_written(p, &t, &w->tcb.wanted));
    if (w->bindings == 0) {
        size_t alone = 0;
        (void)atls_policy_binding_by_name(ATLS_POLICY_EVIDENCE_ALONE, &alone);
        w->bindings = 1u | 1u << alone; /* atls/1 is the first */
    }
    t = atls_text_of(1024);
    atls_text_add(&t, "no workload fits; the checks shown are those of %s, the nearest", w->name);
    ATLS_TRY(atls_policy_keep_written(p, &t, &w->nearest));
    t = atls_text_of(1024);
    for (size_t i = 0; atls_policy_binding_name(i) != NULL; i++) {
        if ((w->bindings & 1u << i) != 0) {
            atls_text_add(&t, "%s%s", t.len > 0 ? " or " : "", atls_policy_binding_name(i));
        }
    }
    return atls_policy_keep_written(p, &t, &w->bindings_wanted);
}

static bool has_log(const atls_workload *w, atls_tee tee)
{
    bool rtmrs = tee == ATLS_TEE_TDX;
    bool pcrs = atls_tee_has_tpm(tee);
    for (size_t i = 0; i < w->events_n; i++) {
        const atls_event_rule *rule = &w->events[i];
        if (!rtmrs && !(pcrs && (rule->name != NULL || !rule->is_rtmr))) {
            return false;
        }
        if (rtmrs && rule->name == NULL && !rule->is_rtmr) {
            return false;
        }
    }
    return (w->replay_rtmrs == 0 || rtmrs) && ((w->replay_pcrs == 0 && !w->replay_ima) || pcrs);
}

/* Is there a TEE among the tees that could never fit, or a demand that would not reach it? */
static atls_code check_reach(atls_policy_parser *p, const atls_workload *w)
{
    bool has_pins = false;
    for (size_t i = 0; i < ATLS_PINS; i++) {
        has_pins = has_pins || w->pins[i].n > 0;
    }
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        bool pinned = false;
        for (size_t i = 0; i < ATLS_PINS; i++) {
            pinned = pinned || (w->pins[i].n > 0 && atls_pin_is_of(atls_pin_at(i), (atls_tee)t));
        }
        if (w->tees[t] && has_pins && !pinned) {
            return atls_policy_refuse(p, "platforms names no id of %s, which is among the tees",
                                      atls_tee_name((atls_tee)t));
        }
        if (w->tees[t] && !has_log(w, (atls_tee)t)) {
            return atls_policy_refuse(p,
                                      "events or replay name a register that evidence of %s has "
                                      "not: give it a workload of its own",
                                      atls_tee_name((atls_tee)t));
        }
    }
    return ATLS_OK;
}

static atls_code check_workload(atls_policy_parser *p, const atls_workload *w, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(p->policy->workloads[i].name, w->name) == 0) {
            return atls_policy_refuse(p,
                                      "two workloads of the name \"%.40s\": the name is the "
                                      "peer's identity",
                                      w->name);
        }
    }
    if (w->max_evidence_age_s != 0 && w->reattest_s >= w->max_evidence_age_s) {
        return atls_policy_refuse(p,
                                  "reattest_s (%u) must be less than max_evidence_age_s (%u), or "
                                  "every session ends before its evidence is renewed",
                                  w->reattest_s, w->max_evidence_age_s);
    }
    if (w->two_keys && w->pki_n == 0) {
        return atls_policy_refuse(p, "two_keys needs pki: the TLS key is judged by nothing else");
    }
    ATLS_TRY(check_reach(p, w));
    return atls_policy_check_registers(p, w);
}

/* --- top --- */

static atls_code parse_version(atls_policy_parser *p, json_t *value, void *target)
{
    (void)target;
    return json_is_integer(value) && json_integer_value(value) == 1
               ? ATLS_OK
               : atls_policy_refuse(p, "version 1 of the policy format is wanted here");
}

static atls_code parse_workloads(atls_policy_parser *p, json_t *value, void *target)
{
    atls_policy *policy = target;
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    if (n > ATLS_POLICY_WORKLOADS_MAX) {
        return atls_policy_refuse(p, "%zu workloads, where at most %d are taken", n,
                                  ATLS_POLICY_WORKLOADS_MAX);
    }
    policy->workloads = atls_policy_keep(policy, n, sizeof *policy->workloads);
    if (policy->workloads == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < n; i++) {
        atls_workload *w = &policy->workloads[i];
        atls_policy_enter_element(p, i);
        ATLS_TRY(atls_policy_parse_object(p, json_array_get(value, i), &workload_object, w));
        ATLS_TRY(complete_workload(p, w));
        ATLS_TRY(check_workload(p, w, i));
        atls_policy_leave(p);
    }
    policy->workloads_n = n;
    return ATLS_OK;
}

static const atls_policy_key policy_keys[] = {
    {"atls_policy", parse_version, true},
    {"description", parse_description, false},
    {"workloads", parse_workloads, true},
};
static const atls_policy_object policy_object = {"policy", policy_keys, 3};

const atls_policy_object *atls_policy_object_at(size_t i)
{
    static const atls_policy_object *const objects[] = {
        &policy_object,
        &workload_object,
        &tcb_object,
        &advisory_object,
        &allow_object,
        &pki_object,
        &atls_policy_amd_object,
        &atls_policy_floor_object,
        &atls_policy_components_object,
        &atls_policy_event_object,
        &atls_policy_component_object,
        &atls_policy_claim_object,
    };
    return i < sizeof objects / sizeof objects[0] ? objects[i] : NULL;
}

static atls_code parse_policy(atls_buf text, json_t *json, atls_policy *policy, atls_err *err)
{
    atls_policy_parser p = {.text = text, .policy = policy, .err = err};
    ATLS_TRY(atls_policy_parse_object(&p, json, &policy_object, policy));
    ATLS_TRY(atls_digest(ATLS_SHA256, &text, 1, policy->hash, err));
    return atls_policy_collect_warnings(policy, err);
}

atls_code atls_policy_parse(atls_buf json, atls_policy **out, atls_err *err)
{
    json_t *root = NULL;
    atls_err cause;
    atls_code rc = atls_json_parse(json, ATLS_POLICY_MAX_LEN, "policy.json", &root, &cause);
    if (rc != ATLS_OK) {
        /* A broken policy is the caller's, not the peer's. */
        rc = rc == ATLS_E_INVALID ? ATLS_E_USAGE : rc;
        return ATLS_ERR(err, rc, cause.check, "policy: %.200s", cause.msg);
    }
    atls_policy *policy = atls_policy_new();
    rc = policy != NULL ? parse_policy(json, root, policy, err) : ATLS_ERR_NOMEM(err);
    json_decref(root);
    if (rc != ATLS_OK) {
        atls_policy_free(policy);
        return rc;
    }
    *out = policy;
    return ATLS_OK;
}
