/* AMD's platforms against `amd`: components of the TCB version, firmware, and whose the signing key is. */
#include "policy/appraising.h"

#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"

static uint32_t component(const atls_snp_tcb *tcb, int which)
{
    const uint8_t values[ATLS_AMD_COMPONENTS] = {tcb->fmc, tcb->bootloader, tcb->tee, tcb->snp,
                                                 tcb->microcode};
    return values[which];
}

/* What the host can fall back to counts: the lower of REPORTED and COMMITTED. */
static uint32_t counted(const atls_snp_claims *s, int at, int which)
{
    if (at == 1) {
        return component(&s->launch_tcb, which);
    }
    uint32_t reported = component(&s->reported_tcb, which);
    uint32_t committed = component(&s->committed_tcb, which);
    return reported < committed ? reported : committed;
}

/* A report that names no model (version 2) is held to the entries of all models of its product. */
static bool is_about(const atls_amd_floor *f, const atls_snp_claims *s)
{
    bool model = !s->has_cpuid || ((!f->has_family || f->family == s->family) &&
                                   (!f->has_model || f->model == s->model) &&
                                   (!f->has_stepping || f->stepping == s->stepping));
    return model && strcmp(f->product, s->product) == 0;
}

/* "219 or more (AMD-SB-3019), 2025-02-03" */
static atls_value wanted(const atls_appraising *a, const atls_amd_floor *f, uint32_t lowest)
{
    char text[400];
    if (a->l == NULL) {
        return atls_value_none();
    }
    (void)snprintf(text, sizeof text, "%u or more%s%.200s%s%s%.40s", lowest,
                   f->reason != NULL ? " (" : "", f->reason != NULL ? f->reason : "",
                   f->reason != NULL ? ")" : "", f->date != NULL ? ", of " : "",
                   f->date != NULL ? f->date : "");
    return atls_value_note(a->l, text);
}

static void check_component(atls_appraising *a, int at, int which)
{
    static const char *const ids[2][ATLS_AMD_COMPONENTS] = {
        {"policy.snp.tcb.fmc", "policy.snp.tcb.bootloader", "policy.snp.tcb.tee",
         "policy.snp.tcb.snp", "policy.snp.tcb.microcode"},
        {"policy.snp.launch_tcb.fmc", "policy.snp.launch_tcb.bootloader",
         "policy.snp.launch_tcb.tee", "policy.snp.launch_tcb.snp",
         "policy.snp.launch_tcb.microcode"},
    };
    const atls_amd_rule *rule = &a->workload->amd;
    const atls_snp_claims *s = &a->claims->as.snp;
    uint32_t found = counted(s, at, which);
    const atls_amd_floor *highest = NULL;
    for (size_t i = 0; i < rule->floors_n; i++) {
        const atls_amd_floor *f = &rule->floors[i];
        if (!is_about(f, s) || !f->has[at][which]) {
            continue;
        }
        bool low = found < f->lowest[at][which];
        if (low && a->when_s <= f->until_s) { /* 0 is over long since */
            atls_appraise_limit(a, f->until_s);
        } else if (highest == NULL || f->lowest[at][which] > highest->lowest[at][which]) {
            highest = f;
        }
    }
    if (highest != NULL) {
        uint32_t lowest = highest->lowest[at][which];
        bool ok = found >= lowest;
        (void)atls_appraise_check(a, ids[at][which], ok, ATLS_E_POLICY, atls_value_uint(found),
                                  ok ? atls_value_uint(lowest) : wanted(a, highest, lowest));
    }
}

/* A table that says nothing about this model has not judged it. */
static void check_floors(atls_appraising *a)
{
    const atls_amd_rule *rule = &a->workload->amd;
    bool any = false;
    for (size_t i = 0; i < rule->floors_n; i++) {
        any = any || is_about(&rule->floors[i], &a->claims->as.snp);
    }
    if (rule->floors_n == 0) {
        return;
    }
    (void)atls_appraise_check(a, "policy.snp.tcb", any, ATLS_E_POLICY,
                              a->l != NULL ? atls_value_note(a->l, a->claims->as.snp.product)
                                           : atls_value_none(),
                              atls_value_text("a product and model that tcb_min has an entry for"));
    for (int i = 0; i < ATLS_AMD_COMPONENTS; i++) {
        check_component(a, 0, i);
        check_component(a, 1, i);
    }
}

static bool is_provisional(const atls_snp_claims *s)
{
    for (int i = 0; i < ATLS_AMD_COMPONENTS; i++) {
        if (component(&s->committed_tcb, i) != component(&s->current_tcb, i)) {
            return true;
        }
    }
    return memcmp(s->committed_version, s->current_version, sizeof s->current_version) != 0;
}

static atls_value version_of(const atls_appraising *a, const uint8_t v[3])
{
    char text[16];
    if (a->l == NULL) {
        return atls_value_none();
    }
    (void)snprintf(text, sizeof text, "%u.%u.%u", v[0], v[1], v[2]);
    return atls_value_note(a->l, text);
}

/* The host may go back to the committed version: it is the one that counts, unless it is the higher. */
static void check_firmware(atls_appraising *a)
{
    const atls_amd_rule *rule = &a->workload->amd;
    const atls_snp_claims *s = &a->claims->as.snp;
    const uint8_t *lower = memcmp(s->committed_version, s->current_version, 3) < 0
                               ? s->committed_version
                               : s->current_version;
    if (rule->has_firmware) {
        (void)atls_appraise_check(a, "policy.snp.firmware_min",
                                  memcmp(lower, rule->firmware_min, 3) >= 0, ATLS_E_POLICY,
                                  version_of(a, lower), atls_value_text(rule->firmware_wanted));
    }
    if (rule->refuse_provisional) {
        bool provisional = is_provisional(s);
        (void)atls_appraise_check(a, "policy.snp.provisional", !provisional, ATLS_E_POLICY,
                                  atls_value_text(provisional ? "provisional" : "committed"),
                                  atls_value_text("committed"));
    }
}

static void check_signer(atls_appraising *a)
{
    const atls_amd_rule *rule = &a->workload->amd;
    const atls_snp_claims *s = &a->claims->as.snp;
    if (rule->refuse_vlek) {
        (void)atls_appraise_check(a, "policy.snp.vlek", !s->is_vlek, ATLS_E_POLICY,
                                  atls_value_text(s->is_vlek ? "VLEK" : "VCEK"),
                                  atls_value_text("VCEK"));
    }
    if (rule->csp_ids.n > 0 && s->is_vlek) {
        atls_buf id = {(const uint8_t *)s->csp_id, strlen(s->csp_id)};
        (void)atls_appraise_check(
            a, "policy.snp.csp_id", atls_any_of_has(&rule->csp_ids, id, false), ATLS_E_POLICY,
            a->l != NULL ? atls_value_note(a->l, s->csp_id) : atls_value_none(),
            atls_value_text(rule->csp_ids.wanted));
    }
    /* Without a policy identity is unchecked, and a chip without a name is a chip. */
    if (!a->workload->is_builtin && s->chip_id_masked && !s->is_vlek) {
        (void)atls_appraise_check(a, "policy.snp.masked_chip", rule->allow_masked_chip,
                                  ATLS_E_POLICY, atls_value_text("masked"),
                                  atls_value_text("the chip's own id"));
    }
}

void atls_appraise_amd(atls_appraising *a)
{
    if (atls_appraise_hardware(a->claims) != ATLS_TEE_SNP) {
        return;
    }
    check_floors(a);
    check_firmware(a);
    check_signer(a);
    if (a->workload->amd.refuse_reserved) {
        bool set = a->claims->as.snp.reserved_set;
        (void)atls_appraise_check(a, "policy.snp.reserved", !set, ATLS_E_POLICY,
                                  atls_value_text(set ? "set" : "zero"), atls_value_text("zero"));
    }
}
