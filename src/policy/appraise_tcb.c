/* The platform's patch level: status, grace, advisories, age of the collateral. Families without a vendor's
 * table of levels are asked nothing here. */
#include "policy/appraising.h"

#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"

#define DAY_S 86400

static bool has_level_table(atls_tee tee)
{
    return tee == ATLS_TEE_SGX || tee == ATLS_TEE_TDX;
}

static bool is_out_of_date(atls_tcb_status status)
{
    return status == ATLS_TCB_OUT_OF_DATE || status == ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* Grace counts from the oldest tcbDate of the levels that are out of date. False: there is none. */
static bool grace_end(const atls_appraising *a, int64_t *end)
{
    const atls_tcb_claims *tcb = &a->claims->tcb;
    const atls_tcb_level *const levels[] = {&tcb->platform, &tcb->module, &tcb->qe};
    const atls_tcb_level *oldest = NULL;
    for (size_t i = 0; i < 3; i++) {
        bool counts = levels[i]->present && is_out_of_date(levels[i]->status);
        if (counts && (oldest == NULL || levels[i]->date_s < oldest->date_s)) {
            oldest = levels[i];
        }
    }
    if (oldest == NULL) {
        return false;
    }
    *end = oldest->date_s + (int64_t)a->workload->tcb.grace_days * DAY_S;
    return true;
}

/* "UpToDate, or OutOfDate until 2024-04-12": only when it is printed does it cost anything. */
static atls_value wanted_with_grace(const atls_appraising *a, int64_t end)
{
    char date[ATLS_TIME_TEXT_LEN];
    char text[160];
    if (a->l == NULL) {
        return atls_value_none();
    }
    atls_time_format(end, date);
    (void)snprintf(text, sizeof text, "%.100s, or OutOfDate until %.10s", a->workload->tcb.wanted,
                   date);
    return atls_value_note(a->l, text);
}

static void check_status(atls_appraising *a)
{
    const atls_tcb_rule *rule = &a->workload->tcb;
    atls_tcb_status status = a->claims->tcb.status;
    atls_value found = atls_value_text(atls_tcb_status_name(status));
    bool listed = status != ATLS_TCB_NONE && status != ATLS_TCB_REVOKED &&
                  (rule->statuses & 1u << status) != 0;
    int64_t end = 0;
    if (listed || status != ATLS_TCB_OUT_OF_DATE || !rule->has_grace || !grace_end(a, &end)) {
        (void)atls_appraise_check(a, "tcb.status", listed, ATLS_E_POLICY, found,
                                  atls_value_text(rule->wanted));
        return;
    }
    if (a->when_s > end) {
        (void)atls_appraise_check(a, "tcb.status", false, ATLS_E_POLICY, found,
                                  wanted_with_grace(a, end));
        return;
    }
    (void)atls_appraise_check(a, "tcb.status", true, ATLS_E_POLICY, found, atls_value_none());
    (void)atls_appraise_check(a, "tcb.grace", true, ATLS_E_POLICY, atls_value_time(end),
                              atls_value_none());
    atls_appraise_limit(a, end);
}

static const atls_allowed_advisory *allowed(const atls_appraising *a, const char *id)
{
    const atls_tcb_rule *rule = &a->workload->tcb;
    for (size_t i = 0; i < rule->advisories_n; i++) {
        if (strcmp(rule->advisories[i].id, id) == 0 && a->when_s <= rule->advisories[i].until_s) {
            return &rule->advisories[i];
        }
    }
    return NULL;
}

#define ADVISORIES_SHOWN 16 /* failures of one level that the ledger lists one by one */

static void check_advisories_of(atls_appraising *a, const atls_tcb_level *level)
{
    size_t failed = 0;
    for (size_t i = 0; i < level->advisories_n && failed < ADVISORIES_SHOWN; i++) {
        const atls_allowed_advisory *entry = allowed(a, level->advisories[i]);
        if (entry == NULL) {
            failed++;
            (void)atls_appraise_check(a, "tcb.advisories", false, ATLS_E_POLICY,
                                      atls_value_text(level->advisories[i]),
                                      atls_value_text("an id in advisories_allowed, in its time"));
        } else if (entry->until_s != INT64_MAX) {
            atls_appraise_limit(a, entry->until_s);
        }
    }
}

static void check_advisories(atls_appraising *a)
{
    const atls_tcb_claims *tcb = &a->claims->tcb;
    const atls_tcb_level *const levels[] = {&tcb->platform, &tcb->module, &tcb->qe};
    if (!a->workload->tcb.has_advisories || tcb->status == ATLS_TCB_UP_TO_DATE) {
        return;
    }
    size_t before = a->failed;
    for (size_t i = 0; i < 3; i++) {
        if (levels[i]->present && levels[i]->status != ATLS_TCB_UP_TO_DATE) {
            check_advisories_of(a, levels[i]);
        }
    }
    if (a->failed == before) {
        (void)atls_appraise_check(a, "tcb.advisories", true, ATLS_E_POLICY, atls_value_none(),
                                  atls_value_none());
    }
}

/* "2025-06-27T10:00:00Z or later" */
static atls_value wanted_since(const atls_appraising *a, int64_t since)
{
    char text[ATLS_TIME_TEXT_LEN + 16];
    if (a->l == NULL) {
        return atls_value_none();
    }
    atls_time_format(since, text);
    (void)strncat(text, " or later", sizeof text - strlen(text) - 1);
    return atls_value_note(a->l, text);
}

static void check_age(atls_appraising *a)
{
    int64_t age_s = (int64_t)a->workload->tcb.max_collateral_age_days * DAY_S;
    int64_t issued = a->claims->tcb.oldest_issue_s;
    bool known = issued > 0; /* 0: the family's verifier could not tell */
    bool ok = known && a->when_s <= issued + age_s;
    int64_t since = a->when_s < age_s ? 0 : a->when_s - age_s; /* the clock may say anything */
    atls_value found = known ? atls_value_time(issued) : atls_value_none();
    atls_value wanted = ok ? atls_value_none() : wanted_since(a, since);
    if (atls_appraise_check(a, "policy.collateral_age", ok, ATLS_E_COLLATERAL, found, wanted)) {
        atls_appraise_limit(a, issued + age_s);
    }
}

static void check_collateral(atls_appraising *a)
{
    const atls_tcb_rule *rule = &a->workload->tcb;
    const atls_tcb_claims *tcb = &a->claims->tcb;
    if (rule->min_evaluation_number != 0) {
        (void)atls_appraise_check(a, "tcb.evaluation_number",
                                  tcb->evaluation_number >= rule->min_evaluation_number,
                                  ATLS_E_POLICY, atls_value_uint(tcb->evaluation_number),
                                  atls_value_uint(rule->min_evaluation_number));
    }
    if (rule->max_collateral_age_days != 0) {
        check_age(a);
    }
}

/* Of every family: what is late has been let through so far, so this is asked whatever the policy says. */
static void check_lateness(atls_appraising *a)
{
    const int64_t late_s = a->claims->late_s;
    const int64_t grace_s = (int64_t)a->workload->tcb.collateral_grace_days * DAY_S;
    char text[96];
    if (late_s <= 0) {
        return;
    }
    (void)snprintf(text, sizeof text, "collateral %lld days past its next update",
                   (long long)(late_s / DAY_S));
    const atls_value found = a->l != NULL ? atls_value_note(a->l, text) : atls_value_none();
    (void)snprintf(text, sizeof text, "at most %lld days of grace", (long long)(grace_s / DAY_S));
    const atls_value wanted = grace_s == 0   ? atls_value_text("collateral in its time")
                              : a->l != NULL ? atls_value_note(a->l, text)
                                             : atls_value_none();
    if (atls_appraise_check(a, "policy.collateral_grace", late_s <= grace_s, ATLS_E_COLLATERAL,
                            found, wanted)) {
        atls_appraise_limit(a, a->when_s - late_s + grace_s);
    }
}

void atls_appraise_tcb(atls_appraising *a)
{
    check_lateness(a);
    if (!has_level_table(atls_appraise_hardware(a->claims))) {
        return;
    }
    if (!a->claims->tcb.known) {
        a->failed++;
        if (a->l != NULL) {
            atls_ledger_skip(a->l, "tcb.status", "no TCB status could be determined");
        }
        return;
    }
    check_status(a);
    check_advisories(a);
    check_collateral(a);
}
