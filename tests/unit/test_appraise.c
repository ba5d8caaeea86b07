/* Appraisal: the built-in rule, allowances, and the patch level. */
#include "unit/appraise_rig.h"

/* --- the built-in rule --- */

static const char *builtin(const atls_claims *c)
{
    atls_appraisal a;
    atls_policy *p = atls_policy_builtin();
    assert_non_null(p);
    const char *d = decided(p, c, NULL, &a);
    assert_string_equal(a.identity, "none");
    assert_null(a.workload);
    assert_int_equal(a.max_age_s + a.reattest_s, 0);
    assert_true(a.until_s == 0);
    assert_null(entry("policy.workload"));
    atls_policy_free(p);
    return d;
}

static void the_builtin_rule_takes_the_genuine(void **state)
{
    (void)state;
    atls_claims c = td();
    assert_string_equal(builtin(&c), "");
    c = enclave();
    assert_string_equal(builtin(&c), "");
    c.tee = ATLS_TEE_NITRO; /* what a family does not know is not asked of it */
    c.tcb.known = false;
    assert_string_equal(builtin(&c), "");
    assert_null(entry("tcb.status"));
    c.tee = ATLS_TEE_NONE;
    assert_string_equal(builtin(&c), "policy.tee");
    c.tee = (atls_tee)99;
    assert_string_equal(builtin(&c), "policy.tee");
}

static void attributes_are_judged_always(void **state)
{
    (void)state;
    static const struct {
        size_t byte;
        uint8_t bits;
        const char *check;
    } tdx[] = {
        {0, 0x01, "policy.debug"},
        {0, 0x02, "policy.reserved"},
        {0, 0x80, "policy.reserved"},
        {1, 0x01, "policy.reserved"},
        {2, 0x80, "policy.reserved"},
        {3, 0x01, "policy.reserved"},
        {3, 0x04, "policy.reserved"},
        {4, 0x10, "policy.reserved"},
        {5, 0x10, "policy.reserved"},
        {6, 0x10, "policy.reserved"},
        {7, 0x01, "policy.reserved"},
        {7, 0x20, "policy.reserved"},
        {3, 0x10, "policy.sept"},
        {3, 0x20, "policy.migratable"},
        {3, 0x08, ""},
        {3, 0x40, ""},
        {3, 0x80, ""},
        {7, 0x40, ""},
        {7, 0x80, ""},
    };
    for (size_t i = 0; i < sizeof tdx / sizeof tdx[0]; i++) {
        atls_claims c = td();
        c.as.tdx.td_attributes[tdx[i].byte] ^= tdx[i].bits;
        assert_string_equal(builtin(&c), tdx[i].check);
        expect("", &c, NULL, tdx[i].check);
    }
    atls_claims c = td();
    c.as.tdx.mrservicetd[47] = 1;
    assert_string_equal(builtin(&c), "policy.service_td");
    c.as.tdx.is_1_5 = false; /* then these bytes are none of the report's */
    assert_string_equal(builtin(&c), "");
    c = enclave();
    c.as.sgx.attributes[0] = 0x07;
    assert_string_equal(builtin(&c), "policy.debug");
    c.as.sgx.attributes[0] = 0x04;
    assert_string_equal(builtin(&c), "policy.init");
}

static void only_up_to_date_is_taken_by_default(void **state)
{
    (void)state;
    for (int s = ATLS_TCB_NONE; s <= ATLS_TCB_REVOKED + 1; s++) {
        atls_claims c = td();
        c.tcb.status = (atls_tcb_status)s;
        assert_string_equal(builtin(&c), s == ATLS_TCB_UP_TO_DATE ? "" : "tcb.status");
        expect("", &c, NULL, s == ATLS_TCB_UP_TO_DATE ? "" : "tcb.status");
    }
    atls_claims c = td();
    c.tcb.known = false;
    expect("", &c, NULL,
           "skipped"); /* whatever prevented it has a code of its own, which decides */
    assert_string_equal(builtin(&c), "skipped");
    assert_int_equal(entry("tcb.status")->result, ATLS_CHECK_SKIPPED);
}

/* --- allowances --- */

static void allowances_allow_what_they_name_only(void **state)
{
    (void)state;
    atls_claims c = td();
    c.as.tdx.td_attributes[0] = 0x01;
    expect(",\"allow\":{\"debug\":true}", &c, NULL, "");
    expect(",\"allow\":{\"debug\":false}", &c, NULL, "policy.debug");
    expect(",\"allow\":{\"sept_ve_disable_clear\":true}", &c, NULL, "policy.debug");
    c.as.tdx.td_attributes[0] = 0x03;
    expect(",\"allow\":{\"debug\":true}", &c, NULL, "policy.reserved");
    c = td();
    c.as.tdx.td_attributes[3] = 0;
    expect(",\"allow\":{\"sept_ve_disable_clear\":true}", &c, NULL, "");
    expect(",\"allow\":{\"debug\":true}", &c, NULL, "policy.sept");

    atls_claims e = enclave();
    e.as.sgx.attributes[0] = 0x06;
    expect(",\"allow\":{\"debug\":true}", &e, NULL, "policy.init");

    c = td();
    memset(c.as.tdx.mrservicetd, 0xaa, 48);
    expect(",\"allow\":{\"service_td\":[\"" BB48 "\"]}", &c, NULL, "policy.service_td");
    expect(",\"allow\":{\"service_td\":[\"" BB48 "\",\"" AA48 "\"]}", &c, NULL, "");
    expect(",\"tdx\":{\"mrservicetd\":[\"" AA48 "\"]}", &c, NULL, "");
    expect(",\"tdx\":{\"mrservicetd\":[\"" BB48 "\"]}", &c, NULL, "policy.tdx.mrservicetd");
    expect(",\"tdx\":{\"mrtd\":[\"" AA48 "\"]}", &c, NULL, "policy.service_td");
    c = td(); /* none is fine where one is pinned */
    expect(",\"allow\":{\"service_td\":[\"" BB48 "\"]}", &c, NULL, "");
    c.as.tdx.is_1_5 = false;
    expect(",\"tdx\":{\"mrservicetd\":[\"" AA48 "\"]}", &c, NULL, "policy.tdx.mrservicetd");
}

static void migration_needs_a_pinned_migration_td(void **state)
{
    (void)state;
    static const char members[] = ",\"allow\":{\"migratable\":true,\"service_td\":[\"" AA48 "\"]}";
    atls_claims c = td();
    c.as.tdx.td_attributes[3] |= 0x20;
    expect(members, &c, NULL, "policy.migratable"); /* none is bound: any could be */
    memset(c.as.tdx.mrservicetd, 0xbb, 48);
    expect(members, &c, NULL, "policy.migratable");
    memset(c.as.tdx.mrservicetd, 0xaa, 48);
    expect(members, &c, NULL, "");
    expect(",\"allow\":{\"service_td\":[\"" AA48 "\"]}", &c, NULL, "policy.migratable");
    c.as.tdx.is_1_5 = false; /* the report cannot tell */
    expect(members, &c, NULL, "policy.migratable");
}

/* --- TCB --- */

static void statuses_are_taken_as_listed(void **state)
{
    (void)state;
    for (int s = ATLS_TCB_UP_TO_DATE; s < ATLS_TCB_REVOKED; s++) {
        char members[128];
        (void)snprintf(members, sizeof members, ",\"tcb\":{\"statuses\":[\"%s\"]}",
                       atls_tcb_status_name((atls_tcb_status)s));
        for (int found = ATLS_TCB_UP_TO_DATE; found <= ATLS_TCB_REVOKED; found++) {
            atls_claims c = td();
            c.tcb.status = (atls_tcb_status)found;
            expect(members, &c, NULL, found == s ? "" : "tcb.status");
        }
    }
}

static void grace_ends_to_the_second(void **state)
{
    (void)state;
    static const char grace[] = ",\"tcb\":{\"grace_days\":30}";
    atls_claims c = out_of_date(NOW - 30 * DAY);
    expect(grace, &c, NULL, "");
    assert_true(entry("tcb.grace")->found.as.time_s == NOW);
    c = out_of_date(NOW - 30 * DAY - 1);
    expect(grace, &c, NULL, "tcb.status");
    char wanted[100];
    atls_value_print(&ledger, &entry("tcb.status")->wanted, wanted, sizeof wanted);
    assert_string_equal(wanted, "UpToDate, or OutOfDate until 2025-07-04");
    assert_null(entry("tcb.grace"));
    c.tcb.status = ATLS_TCB_REVOKED;
    c.tcb.platform.date_s = NOW;
    expect(grace, &c, NULL, "tcb.status");
    c.tcb.status = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    expect(grace, &c, NULL, "tcb.status");
    c = td(); /* nothing to do for a good platform */
    expect(grace, &c, NULL, "");
    assert_null(entry("tcb.grace"));
    c = out_of_date(NOW); /* converged so, and no level that says why: no date to count from */
    c.tcb.platform.present = false;
    expect(grace, &c, NULL, "tcb.status");
}

static void grace_counts_from_the_oldest_level_that_is_out_of_date(void **state)
{
    (void)state;
    static const char grace[] = ",\"tcb\":{\"grace_days\":30}";
    atls_claims c = out_of_date(NOW);
    c.tcb.qe.date_s = NOW - 300 * DAY; /* up to date: its day does not matter */
    expect(grace, &c, NULL, "");
    c.tcb.qe.status = ATLS_TCB_OUT_OF_DATE;
    expect(grace, &c, NULL, "tcb.status");
    c = out_of_date(NOW);
    c.tcb.module =
        (atls_tcb_level){true, ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, NOW - 31 * DAY, NULL, 0};
    expect(grace, &c, NULL, "tcb.status");
    c.tcb.module.date_s = NOW - 29 * DAY;
    expect(grace, &c, NULL, "");
    assert_true(entry("tcb.grace")->found.as.time_s == NOW + DAY);
}

static void grace_limits_the_verdict(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_claims c = out_of_date(NOW - 10 * DAY);
    atls_policy *p = policy_with(",\"tcb\":{\"grace_days\":30}");
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_true(a.until_s == NOW + 20 * DAY);
    atls_policy_free(p);
    p = policy_with(",\"tcb\":{\"grace_days\":30,\"max_collateral_age_days\":7}");
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_true(a.until_s == NOW + 2 * DAY);
    atls_policy_free(p);
}

#define SWH ",\"tcb\":{\"statuses\":[\"SWHardeningNeeded\"],\"advisories_allowed\":"

static void advisories_must_be_allowed_in_their_time(void **state)
{
    (void)state;
    atls_claims c = td();
    c.tcb.status = c.tcb.platform.status = ATLS_TCB_SW_HARDENING_NEEDED;
    expect(SWH "[{\"id\":\"INTEL-SA-00615\"}]}", &c, NULL, "");
    expect(SWH "[]}", &c, NULL, "tcb.advisories");
    assert_string_equal(entry("tcb.advisories")->found.as.text, "INTEL-SA-00615");
    expect(SWH "[{\"id\":\"INTEL-SA-0061\"}]}", &c, NULL, "tcb.advisories");
    expect(SWH "[{\"id\":\"INTEL-SA-00615\",\"until\":\"2025-07-04T09:59:59Z\"}]}", &c, NULL,
           "tcb.advisories");
    expect(SWH "[{\"id\":\"INTEL-SA-00615\",\"until\":\"2025-07-03\"}]}", &c, NULL,
           "tcb.advisories");
    expect(SWH "[{\"id\":\"INTEL-SA-00615\",\"until\":\"2025-07-04\"}]}", &c, NULL, "");
    c.tcb.platform.advisories = two_advisories;
    c.tcb.platform.advisories_n = 2;
    expect(SWH "[{\"id\":\"INTEL-SA-00615\"}]}", &c, NULL, "tcb.advisories");
    /* The QE is up to date: what is published about its level refuses nothing, until it is not. */
    c.tcb.platform.advisories_n = 1;
    c.tcb.qe.status = ATLS_TCB_SW_HARDENING_NEEDED;
    expect(SWH "[{\"id\":\"INTEL-SA-00615\"}]}", &c, NULL, "tcb.advisories");
    expect(SWH "[{\"id\":\"INTEL-SA-00615\"},{\"id\":\"INTEL-SA-00700\"}]}", &c, NULL, "");
    /* Without a list nothing is asked; and nothing of a level that is up to date. */
    expect(",\"tcb\":{\"statuses\":[\"SWHardeningNeeded\"]}", &c, NULL, "");
    c = td();
    expect(",\"tcb\":{\"advisories_allowed\":[]}", &c, NULL, "");
}

static void an_allowed_advisory_limits_the_verdict(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_claims c = td();
    c.tcb.status = c.tcb.platform.status = ATLS_TCB_SW_HARDENING_NEEDED;
    atls_policy *p =
        policy_with(SWH "[{\"id\":\"INTEL-SA-00615\",\"until\":\"2025-07-04T10:00:07Z\"}]}");
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_true(a.until_s == NOW + 7);
    atls_policy_free(p);
}

static void many_advisories_do_not_fill_the_ledger(void **state)
{
    (void)state;
    static const char *many[300];
    for (size_t i = 0; i < 300; i++) {
        many[i] = "INTEL-SA-00001";
    }
    atls_claims c = td();
    c.tcb.status = c.tcb.platform.status = ATLS_TCB_SW_HARDENING_NEEDED;
    c.tcb.platform.advisories = many;
    c.tcb.platform.advisories_n = 300;
    expect(SWH "[]}", &c, NULL, "tcb.advisories");
    assert_false(ledger.overflow);
}

static void collateral_must_be_new_enough(void **state)
{
    (void)state;
    atls_claims c = td();
    expect(",\"tcb\":{\"min_evaluation_number\":17}", &c, NULL, "");
    expect(",\"tcb\":{\"min_evaluation_number\":18}", &c, NULL, "tcb.evaluation_number");
    expect(",\"tcb\":{\"max_collateral_age_days\":5}", &c, NULL, "");
    expect(",\"tcb\":{\"max_collateral_age_days\":4}", &c, NULL, "policy.collateral_age");
    assert_int_equal(entry("policy.collateral_age")->code, ATLS_E_COLLATERAL);
    c.tcb.oldest_issue_s = 0; /* unknown is not new */
    expect(",\"tcb\":{\"max_collateral_age_days\":3650}", &c, NULL, "policy.collateral_age");
}

static void late_collateral_needs_grace(void **state)
{
    (void)state;
    atls_claims c = td();
    atls_appraisal a;
    atls_policy *builtin = atls_policy_builtin();
    expect(",\"tcb\":{\"collateral_grace_days\":2}", &c, NULL, "");
    c.late_s = 1;
    expect("", &c, NULL, "policy.collateral_grace");
    assert_int_equal(entry("policy.collateral_grace")->code, ATLS_E_COLLATERAL);
    assert_string_equal(decided(builtin, &c, NULL, &a), "policy.collateral_grace");
    c.late_s = INT64_C(2) * 86400;
    expect(",\"tcb\":{\"collateral_grace_days\":2}", &c, NULL, "");
    c.late_s++;
    expect(",\"tcb\":{\"collateral_grace_days\":2}", &c, NULL, "policy.collateral_grace");
    expect(",\"tcb\":{\"grace_days\":90}", &c, NULL, "policy.collateral_grace");
    atls_policy_free(builtin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_builtin_rule_takes_the_genuine),
        cmocka_unit_test(attributes_are_judged_always),
        cmocka_unit_test(only_up_to_date_is_taken_by_default),
        cmocka_unit_test(allowances_allow_what_they_name_only),
        cmocka_unit_test(migration_needs_a_pinned_migration_td),
        cmocka_unit_test(statuses_are_taken_as_listed),
        cmocka_unit_test(grace_ends_to_the_second),
        cmocka_unit_test(grace_counts_from_the_oldest_level_that_is_out_of_date),
        cmocka_unit_test(grace_limits_the_verdict),
        cmocka_unit_test(advisories_must_be_allowed_in_their_time),
        cmocka_unit_test(an_allowed_advisory_limits_the_verdict),
        cmocka_unit_test(many_advisories_do_not_fill_the_ledger),
        cmocka_unit_test(collateral_must_be_new_enough),
        cmocka_unit_test(late_collateral_needs_grace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
