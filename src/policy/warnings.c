/* What `atls policy check` warns of: a policy may say it, and its author should know what it means. */
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

typedef struct warning_list {
    atls_policy *policy;
    const atls_workload *workload;
    bool failed; /* no memory */
} warning_list;

#define WARNINGS_MAX 1024

static void warn(warning_list *list, const char *sentence)
{
    atls_policy *policy = list->policy;
    if (policy->warnings_n == WARNINGS_MAX) {
        return;
    }
    atls_text t = atls_text_of(4096);
    atls_text_add(&t, "workload \"%s\": %s", list->workload->name, sentence);
    char *text = atls_text_take(&t);
    const char *kept = text != NULL ? atls_policy_keep_text(policy, text) : NULL;
    free(text);
    if (kept == NULL) {
        list->failed = true;
        return;
    }
    policy->warnings[policy->warnings_n++] = kept;
}

static void warn_of_identity(warning_list *list, const atls_workload *w)
{
    bool owner = false;
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        owner = owner || w->measured[t].owner.rules_n > 0;
    }
    bool platform = false;
    for (size_t i = 0; i < ATLS_PINS; i++) {
        platform = platform || w->pins[i].n > 0;
    }
    if (w->pki_n > 0 || platform) {
        return;
    }
    warn(list, owner
                   ? "only owner claims say whose it is. One leaked attestation key, anywhere in "
                     "the world, signs that field too; only pki and platforms stop diversion."
                   : "identity none. Whoever runs the same image, or holds one leaked attestation "
                     "key, passes for it; name at least one of pki, platforms, owner.");
    if (w->fmspc.n > 0) {
        warn(list, "fmspc names a model of processor, which is no identity.");
    }
}

static bool set_has(const atls_register_set *set, const char *key)
{
    for (size_t i = 0; i < set->rules_n; i++) {
        if (strncmp(set->rules[i].reg->key, key, strlen(key)) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_log(int tee)
{
    return tee == ATLS_TEE_TDX || tee == ATLS_TEE_TPM;
}

/* PCR 16 and 23 can be reset by whoever is root there. */
static void warn_of_tpm(warning_list *list, const atls_workload *w)
{
    bool resettable = false;
    for (size_t i = 0; i < w->measured[ATLS_TEE_TPM].n; i++) {
        const atls_register_set *set = &w->measured[ATLS_TEE_TPM].sets[i];
        bool any = false;
        for (size_t k = 0; k < set->rules_n; k++) {
            const atls_register *reg = set->rules[k].reg;
            bool pcr = reg->place == ATLS_PLACE_PCR;
            bool reset = pcr && (reg->index == 16 || reg->index == 23);
            resettable = resettable || reset;
            any = any || (pcr && !reset);
        }
        if (!any && w->events_n == 0) {
            warn(list, "a tpm set without a PCR that lasts: the software may be any.");
        }
    }
    if (resettable) {
        warn(list, "PCR 16 and 23 can be reset and filled by any software there: they prove "
                   "nothing.");
    }
    if (w->allow_sha1) {
        warn(list, "sha1 is allowed: whoever makes the software can make two with one digest.");
    }
}

static bool names_events_by_type(const atls_workload *w)
{
    for (size_t i = 0; i < w->events_n; i++) {
        if (w->events[i].type_name != NULL) {
            return true;
        }
    }
    return false;
}

static void warn_of_events(warning_list *list, const atls_workload *w)
{
    if (names_events_by_type(w)) {
        warn(list, "an event is named by its type, which no digest covers: what runs there may "
                   "write another. Without type every event of the register must fit.");
    }
}

static const atls_any_of *pin_of(const atls_workload *w, const char *key)
{
    size_t i = 0;
    (void)atls_pin_by_key(key, &i);
    return &w->pins[i];
}

static void warn_of_amd(warning_list *list, const atls_workload *w)
{
    const bool own_report = w->tees[ATLS_TEE_SNP] || w->tees[ATLS_TEE_SNP_TPM];
    if (!own_report && !w->tees[ATLS_TEE_AZURE]) {
        return;
    }
    if (w->amd.floors_n == 0) {
        warn(list, "AMD tells no TCB status: without amd.tcb_min any firmware fits, old and broken "
                   "ones too.");
    }
    if (w->crl_if_present) {
        warn(list, "a missing CRL of AMD's refuses nothing: whoever holds it back hides a "
                   "revocation.");
    }
    if (own_report && !w->amd.refuse_vlek && w->amd.csp_ids.n == 0 &&
        pin_of(w, "chip_id")->n == 0) {
        warn(list, "any provider's key (VLEK) may sign: amd.csp_id names those that are trusted.");
    }
    if (pin_of(w, "chip_id")->n > 0 && (w->amd.allow_masked_chip || w->amd.csp_ids.n > 0)) {
        warn(list, "chip_id is pinned: reports of a VLEK or a masked chip name no chip, and never "
                   "fit.");
    }
}

static void warn_of_weak_pins(warning_list *list, const atls_workload *w)
{
    if (pin_of(w, "nitro_instance")->n > 0) {
        warn(list, "nitro_instance is an id that AWS's hypervisor writes down, under a key that "
                   "serves others too: it stops a mistake, not a leaked key.");
    }
    if (w->tees[ATLS_TEE_TOKEN] && w->measured[ATLS_TEE_TOKEN].n == 0) {
        warn(list, "any token of a trusted key fits: name its issuer and audience in jwt.");
    }
    if (w->allow_unsecured_lifecycle) {
        warn(list, "an unsecured life cycle is allowed: the platform may be open to inspection.");
    }
    if (w->migration_agent.n > 0) {
        warn(list, "a migration agent is accepted: it gets this guest's memory and keys.");
    }
}

/* Does a report of that layer have to have one of these values, whichever alternative is taken? */
static bool layer_is_pinned(const atls_workload *w, int tee, const char *one, const char *other)
{
    const size_t n = w->measured[tee].n;
    bool all = n > 0;
    for (size_t i = 0; i < n; i++) {
        const atls_register_set *set = &w->measured[tee].sets[i];
        all = all && (set_has(set, one) || set_has(set, other));
    }
    return all || set_has(&w->measured[tee].owner, one) || set_has(&w->measured[tee].owner, other);
}

/* PCRs are the word of whoever holds the TPM's key: below the guest that is the paravisor, and any hardware runs any. */
static void warn_of_paravisor(warning_list *list, const atls_workload *w)
{
    bool platform = false;
    for (size_t i = 0; i < ATLS_PINS; i++) {
        platform = platform || w->pins[i].n > 0;
    }
    const bool snp = layer_is_pinned(w, ATLS_TEE_SNP, "measurement", "id_key_digest");
    if (w->tees[ATLS_TEE_AZURE] && !platform &&
        !(snp && layer_is_pinned(w, ATLS_TEE_TDX, "mrtd", "mrtd"))) {
        warn(list, "which paravisor runs is not asked: on a machine of anybody's own another one "
                   "can claim any PCRs and any vm_id. Pin snp (measurement or id_key_digest) and "
                   "tdx (mrtd), or platforms.");
    }
    if (w->tees[ATLS_TEE_SNP_TPM] && !platform && !snp) {
        warn(list, "which firmware runs is not asked: a guest of anybody's whose report names a "
                   "key of its own can claim any PCRs. Pin snp (measurement), or platforms.");
    }
}

static void warn_of_measurements(warning_list *list, const atls_workload *w)
{
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        bool unchecked = w->tees[t] && w->measured[t].n == 0 && t != ATLS_TEE_DUMMY &&
                         !atls_tee_is_composite((atls_tee)t);
        if (unchecked && !(has_log(t) && w->events_n > 0)) {
            warn(list, "measurements unchecked: any software in a genuine TEE fits.");
        }
    }
    if (w->tees[ATLS_TEE_DUMMY]) {
        warn(list, "dummy evidence is accepted where the verifier is told to take it: it proves "
                   "nothing, and anybody can write it.");
    }
    if (w->tees[ATLS_TEE_AZURE] && w->measured[ATLS_TEE_TPM].n == 0 && w->events_n == 0) {
        warn(list, "measurements unchecked: on Azure the hardware's measurement is that of "
                   "Microsoft's paravisor; what the guest runs stands in the PCRs (tpm).");
    }
    if (w->tees[ATLS_TEE_SNP_TPM] && w->measured[ATLS_TEE_TPM].n == 0 && w->events_n == 0) {
        warn(list, "measurements unchecked: the SNP report measures firmware; what the guest runs "
                   "stands in the PCRs (tpm).");
    }
    for (size_t i = 0; i < w->measured[ATLS_TEE_TDX].n; i++) {
        const atls_register_set *set = &w->measured[ATLS_TEE_TDX].sets[i];
        if (!set_has(set, "mrtd")) {
            warn(list, "a tdx set without mrtd: the firmware, which fills the other registers, may "
                       "be any.");
        } else if (!set_has(set, "rtmr")) {
            warn(list, "a tdx set without rtmr0 to rtmr3: firmware is checked, kernel and "
                       "application are not.");
        }
    }
    for (size_t i = 0; i < w->measured[ATLS_TEE_SGX].n; i++) {
        const atls_register_set *set = &w->measured[ATLS_TEE_SGX].sets[i];
        if (!set_has(set, "mrenclave") && !set_has(set, "mrsigner")) {
            warn(list, "an sgx set with neither mrenclave nor mrsigner: the code may be any.");
        }
    }
}

static void warn_of_allowances(warning_list *list, const atls_workload *w)
{
    uint32_t forever = 1u << ATLS_TCB_OUT_OF_DATE | 1u << ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    if ((w->tcb.statuses & forever) != 0) {
        warn(list, "an out-of-date TCB is accepted for ever; grace_days sets an end.");
    }
    if ((w->tcb.statuses & ~(1u << ATLS_TCB_UP_TO_DATE)) != 0 && !w->tcb.has_advisories) {
        warn(list, "statuses beside UpToDate are accepted whatever advisories are open; "
                   "advisories_allowed names those that are known.");
    }
    if (w->allow_debug) {
        warn(list, "debug is allowed: the host can read all of the workload's memory.");
    }
    if (w->allow_sept_ve_disable_clear) {
        warn(list, "SEPT_VE_DISABLE may be clear: the host can raise #VE in a guest that is not "
                   "made for it.");
    }
    if (w->service_td.n > 0) {
        warn(list, "a service TD is accepted: it is trusted with this workload's secrets.");
    }
}

static void warn_of_bindings(warning_list *list, const atls_workload *w)
{
    for (size_t i = 0; atls_policy_binding_name(i) != NULL; i++) {
        const char *name = atls_policy_binding_name(i);
        if ((w->bindings & 1u << i) != 0 && strncmp(name, "ra-tls", 6) == 0) {
            warn(list, "ra-tls binds evidence to a key only: whoever steals that key can relay.");
            break;
        }
    }
}

atls_code atls_policy_collect_warnings(atls_policy *policy, atls_err *err)
{
    policy->warnings = atls_policy_keep(policy, WARNINGS_MAX, sizeof *policy->warnings);
    warning_list list = {.policy = policy, .failed = policy->warnings == NULL};
    for (size_t i = 0; i < policy->workloads_n && !list.failed; i++) {
        const atls_workload *w = &policy->workloads[i];
        list.workload = w;
        warn_of_identity(&list, w);
        warn_of_measurements(&list, w);
        warn_of_paravisor(&list, w);
        warn_of_tpm(&list, w);
        warn_of_events(&list, w);
        warn_of_amd(&list, w);
        warn_of_weak_pins(&list, w);
        warn_of_allowances(&list, w);
        warn_of_bindings(&list, w);
    }
    return list.failed ? ATLS_ERR_NOMEM(err) : ATLS_OK;
}
