/* Whose it is: name by PKI, platform pins, owner claims (those are registers: see measurements). Each list
 * that is named must have a match. */
#include "policy/appraising.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void check_name(atls_appraising *a)
{
    const atls_workload *w = a->workload;
    const char *name = a->expected != NULL ? a->expected->pki_name : NULL;
    bool ok = false;
    if (w->pki_n == 0) {
        return;
    }
    for (size_t i = 0; name != NULL && i < w->pki_n && !ok; i++) {
        ok = strcasecmp(w->pki_names[i], name) == 0;
    }
    /* The name is the caller's text, which need not outlive the call: it is copied. */
    atls_value found =
        name != NULL && a->l != NULL ? atls_value_note(a->l, name) : atls_value_none();
    a->name_checked = atls_appraise_check(a, "policy.pki", ok, ATLS_E_POLICY, found,
                                          atls_value_text(w->pki_wanted));
}

static bool check_pin(atls_appraising *a, size_t i)
{
    const atls_any_of *pins = &a->workload->pins[i];
    atls_buf value = atls_pin_value(i, a->claims);
    atls_value found = atls_value_none();
    if (value.len > 0 && pins->is_text) {
        char text[128];
        (void)snprintf(text, sizeof text, "%.*s", (int)value.len, (const char *)value.ptr);
        found = a->l != NULL ? atls_value_note(a->l, text) : atls_value_none();
    } else if (value.len > 0) {
        found = atls_value_hex(value);
    }
    /* Masked ids are zero, and nobody's. */
    return atls_appraise_check(a, atls_pin_at(i)->id, atls_any_of_has(pins, value, true),
                               ATLS_E_POLICY, found, atls_value_text(pins->wanted));
}

/* Is the id one of this evidence's layers? */
static bool shows(const atls_appraising *a, const atls_pin *pin)
{
    atls_tee layers[ATLS_LAYERS_MAX];
    size_t n = atls_appraise_layers(a->claims, layers);
    for (size_t i = 0; i < n; i++) {
        if ((pin->tees >> layers[i] & 1u) != 0) {
            return true;
        }
    }
    return false;
}

static void check_platform(atls_appraising *a)
{
    const atls_workload *w = a->workload;
    const atls_platform_claims *p = &a->claims->platform;
    bool named = false;   /* in the policy */
    bool applied = false; /* to this family */
    bool ok = true;
    for (size_t i = 0; i < ATLS_PINS; i++) {
        named = named || w->pins[i].n > 0;
        if (w->pins[i].n > 0 && shows(a, atls_pin_at(i))) {
            ok = check_pin(a, i) && ok;
            applied = true;
        }
    }
    if (named && !applied) {
        ok = atls_appraise_check(a, "policy.platform.family", false, ATLS_E_POLICY,
                                 atls_value_text(atls_tee_name(a->claims->tee)),
                                 atls_value_text("a TEE that platforms names an id of"));
    }
    a->platform_checked = applied && ok;
    if (w->fmspc.n > 0) {
        atls_buf fmspc = {p->fmspc, sizeof p->fmspc};
        (void)atls_appraise_check(
            a, "policy.fmspc", p->has_fmspc && atls_any_of_has(&w->fmspc, fmspc, false),
            ATLS_E_POLICY, p->has_fmspc ? atls_value_hex(fmspc) : atls_value_none(),
            atls_value_text(w->fmspc.wanted));
    }
}

void atls_appraise_identity(atls_appraising *a)
{
    check_name(a);
    check_platform(a);
}

const char *atls_appraise_identity_line(const atls_appraising *a)
{
    static const char *const lines[8] = {
        "none",
        "name by PKI",
        "platform pinned",
        "name by PKI + platform pinned",
        "owner-bound claim",
        "name by PKI + owner-bound claim",
        "platform pinned + owner-bound claim",
        "name by PKI + platform pinned + owner-bound claim",
    };
    return lines[(a->name_checked ? 1 : 0) + (a->platform_checked ? 2 : 0) +
                 (a->owner_checked ? 4 : 0)];
}
