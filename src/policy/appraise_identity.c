/* Whose it is: name by PKI, platform pins, owner claims (those are registers: see measurements). Each list
 * that is named must have a match. */
#include "policy/appraising.h"

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

/* True when nothing is asked; *asked is set when something is. */
static bool check_pin(atls_appraising *a, const char *id, const atls_any_of *pins, bool has,
                      atls_buf value, bool *asked)
{
    if (pins->n == 0) {
        return true;
    }
    *asked = true;
    bool ok = has && atls_any_of_has(pins, value, true); /* masked ids are zero, and nobody's */
    return atls_appraise_check(a, id, ok, ATLS_E_POLICY,
                               has ? atls_value_hex(value) : atls_value_none(),
                               atls_value_text(pins->wanted));
}

static void check_platform(atls_appraising *a)
{
    const atls_workload *w = a->workload;
    const atls_platform_claims *p = &a->claims->platform;
    bool asked = false;
    bool ok = check_pin(a, "policy.platform.ppid", &w->ppid, p->has_ppid,
                        (atls_buf){p->ppid, sizeof p->ppid}, &asked);
    ok = check_pin(a, "policy.platform.pck_serial", &w->pck_serial, p->has_pck_serial,
                   (atls_buf){p->pck_serial, p->pck_serial_len}, &asked) &&
         ok;
    ok = check_pin(a, "policy.platform.instance_id", &w->instance_id, p->has_instance_id,
                   (atls_buf){p->instance_id, sizeof p->instance_id}, &asked) &&
         ok;
    a->platform_checked = asked && ok;
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
