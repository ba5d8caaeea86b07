/* Appraisal: claims against policies. Every check can fail alone, and then names itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/appraise.h"

#define NOW 1751623200 /* 2025-07-04T10:00:00Z */
#define DAY 86400
#define AA48                                                                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BB48                                                                                       \
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define CC48                                                                                       \
    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define AA32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BB32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define CC64 CC32 CC32
#define CC32 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define PP16 "77777777777777777777777777777777"
#define II16 "99999999999999999999999999999999"

static const char *const one_advisory[] = {"INTEL-SA-00615"};
static const char *const two_advisories[] = {"INTEL-SA-00615", "INTEL-SA-00289"};
static const char *const qe_advisory[] = {"INTEL-SA-00700"};

static atls_ledger ledger;

/* A TD as it should be: mrtd aa.., rtmr0 bb.., mrconfigid cc... */
static atls_claims td(void)
{
    atls_claims c = {.tee = ATLS_TEE_TDX};
    memset(c.as.tdx.mrtd, 0xaa, 48);
    memset(c.as.tdx.rtmr[0], 0xbb, 48);
    memset(c.as.tdx.mrconfigid, 0xcc, 48);
    c.as.tdx.td_attributes[3] = 0x10;
    c.as.tdx.is_1_5 = true;
    c.tcb.known = true;
    c.tcb.status = ATLS_TCB_UP_TO_DATE;
    c.tcb.platform = (atls_tcb_level){true, ATLS_TCB_UP_TO_DATE, NOW - 100 * DAY, one_advisory, 1};
    c.tcb.qe = (atls_tcb_level){true, ATLS_TCB_UP_TO_DATE, NOW - 90 * DAY, qe_advisory, 1};
    c.tcb.evaluation_number = 17;
    c.tcb.oldest_issue_s = NOW - 5 * DAY;
    c.platform.has_ppid = c.platform.has_fmspc = true;
    c.platform.has_instance_id = c.platform.has_pck_serial = true;
    memset(c.platform.ppid, 0x77, 16);
    memset(c.platform.instance_id, 0x99, 16);
    memcpy(c.platform.fmspc, "\x00\x80\x6f\x05\x00\x00", 6);
    memcpy(c.platform.pck_serial, "\xab\xcd", 2);
    c.platform.pck_serial_len = 2;
    return c;
}

static atls_claims enclave(void)
{
    atls_claims c = td();
    memset(&c.as, 0, sizeof c.as);
    c.tee = ATLS_TEE_SGX;
    memset(c.as.sgx.mrenclave, 0xaa, 32);
    memset(c.as.sgx.mrsigner, 0xbb, 32);
    memset(c.as.sgx.configid, 0xcc, 64);
    c.as.sgx.isvprodid = 3;
    c.as.sgx.isvsvn = 7;
    c.as.sgx.configsvn = 2;
    c.as.sgx.attributes[0] = 0x05;
    return c;
}

static atls_policy *policy_of(const char *workloads)
{
    char text[16384];
    atls_policy *p = NULL;
    atls_err err = {0};
    int len = snprintf(text, sizeof text, "{\"atls_policy\":1,\"workloads\":[%s]}", workloads);
    if (atls_policy_parse((atls_buf){(const uint8_t *)text, (size_t)len}, &p, &err) != ATLS_OK) {
        fail_msg("%s\nin %s", err.msg, text);
    }
    return p;
}

/* One workload with these members behind its name and tees. */
static atls_policy *policy_with(const char *members)
{
    char text[8192];
    (void)snprintf(text, sizeof text, "{\"name\":\"web\",\"tees\":[\"sgx\",\"tdx\"]%s}", members);
    return policy_of(text);
}

static const atls_entry *entry(const char *id)
{
    for (size_t i = 0; i < ledger.count; i++) {
        if (strcmp(ledger.entries[i].id, id) == 0) {
            return &ledger.entries[i];
        }
    }
    return NULL;
}

/* Appraises, frees the policy but for the result's strings, and says which check decided ("" if it fits). */
static const char *decided(atls_policy *p, const atls_claims *c, const atls_expected *e,
                           atls_appraisal *out)
{
    atls_ledger_init(&ledger);
    atls_policy_appraise(p, c, e, NOW, &ledger, out);
    atls_code code = atls_ledger_code(&ledger);
    assert_int_equal(out->fits, code == ATLS_OK);
    const atls_entry *d = atls_ledger_deciding(&ledger);
    if (code == ATLS_OK) {
        return "";
    }
    return d != NULL ? d->id : "skipped";
}

/* The ledger's strings live as long as the policy: that of the last expect() stays until the next. */
static atls_policy *expected_policy;

static int free_expected_policy(void **state)
{
    (void)state;
    atls_policy_free(expected_policy);
    expected_policy = NULL;
    return 0;
}

static void expect(const char *members, const atls_claims *c, const atls_expected *e,
                   const char *check)
{
    atls_appraisal a;
    atls_policy *p = policy_with(members);
    const char *d = decided(p, c, e, &a);
    if (strcmp(d, check) != 0) {
        fail_msg("%s: decided by \"%s\", wanted \"%s\"", members, d, check);
    }
    if (check[0] == '\0') {
        assert_string_equal(a.workload, "web");
    } else {
        assert_null(a.workload);
        assert_string_equal(a.identity, "none");
        assert_true(check[0] == 's' || entry(check)->code == ATLS_E_POLICY ||
                    strcmp(check, "policy.collateral_age") == 0);
    }
    (void)free_expected_policy(NULL);
    expected_policy = p;
}

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

static atls_claims out_of_date(int64_t date_s)
{
    atls_claims c = td();
    c.tcb.status = ATLS_TCB_OUT_OF_DATE;
    c.tcb.platform.status = ATLS_TCB_OUT_OF_DATE;
    c.tcb.platform.date_s = date_s;
    return c;
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

/* --- measurements --- */

static void each_register_is_compared(void **state)
{
    (void)state;
    static const struct {
        const char *id; /* the key stands behind its second dot */
        size_t offset, size;
    } tdx[] = {
#define R(field) offsetof(atls_tdx_claims, field), sizeof(((atls_tdx_claims *)0)->field)
        {"policy.tdx.mrtd", R(mrtd)},
        {"policy.tdx.mrseam", R(mrseam)},
        {"policy.tdx.mrsignerseam", R(mrsignerseam)},
        {"policy.tdx.mrconfigid", R(mrconfigid)},
        {"policy.tdx.mrowner", R(mrowner)},
        {"policy.tdx.mrownerconfig", R(mrownerconfig)},
        {"policy.tdx.mrservicetd", R(mrservicetd)},
        {"policy.tdx.xfam", R(xfam)},
        {"policy.tdx.rtmr0", R(rtmr[0])},
        {"policy.tdx.rtmr1", R(rtmr[1])},
        {"policy.tdx.rtmr2", R(rtmr[2])},
        {"policy.tdx.rtmr3", R(rtmr[3])},
#undef R
    };
    for (size_t i = 0; i < sizeof tdx / sizeof tdx[0]; i++) {
        char members[300];
        (void)snprintf(members, sizeof members, ",\"tdx\":{\"%s\":[\"%.*s\"]}",
                       tdx[i].id + strlen("policy.tdx."), (int)(2 * tdx[i].size), AA48);
        atls_claims c = td();
        uint8_t *field = (uint8_t *)&c.as.tdx + tdx[i].offset;
        memset(field, 0xaa, tdx[i].size);
        expect(members, &c, NULL, "");
        for (size_t k = 0; k < tdx[i].size; k += tdx[i].size - 1) { /* first byte, last byte */
            field[k] ^= 1;
            expect(members, &c, NULL, tdx[i].id);
            field[k] ^= 1;
        }
    }
    atls_claims c = td();
    expect(",\"tdx\":{\"td_attributes\":[\"0000001000000000\"]}", &c, NULL, "");
    expect(",\"tdx\":{\"td_attributes\":[\"0000005000000000\"]}", &c, NULL,
           "policy.tdx.td_attributes");
}

static void each_enclave_field_is_compared(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *check;
    } cases[] = {
        {"\"mrenclave\":[\"" AA32 "\"]", ""},
        {"\"mrenclave\":[\"" BB32 "\"]", "policy.sgx.mrenclave"},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":3,\"isvsvn_min\":7", ""},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":3,\"isvsvn_min\":6", ""},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":3,\"isvsvn_min\":8", "policy.sgx.isvsvn_min"},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":2,\"isvsvn_min\":7", "policy.sgx.isvprodid"},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":4,\"isvsvn_min\":7", "policy.sgx.isvprodid"},
        {"\"mrsigner\":[\"" AA32 "\"],\"isvprodid\":3,\"isvsvn_min\":7", "policy.sgx.mrsigner"},
        {"\"configid\":[\"" CC64 "\"],\"configsvn_min\":2", ""},
        {"\"configid\":[\"" AA32 AA32 "\"]", "policy.sgx.configid"},
        {"\"configsvn_min\":3", "policy.sgx.configsvn_min"},
        {"\"isvextprodid\":[\"00000000000000000000000000000000\"]", ""},
        {"\"isvextprodid\":[\"" PP16 "\"]", "policy.sgx.isvextprodid"},
        {"\"isvfamilyid\":[\"" PP16 "\"]", "policy.sgx.isvfamilyid"},
        {"\"attributes\":[\"05000000000000000000000000000000\"]", ""},
        {"\"attributes\":[\"" PP16 "\"]", "policy.sgx.attributes"},
    };
    atls_claims c = enclave();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char members[500];
        (void)snprintf(members, sizeof members, ",\"sgx\":{%s}", cases[i].members);
        expect(members, &c, NULL, cases[i].check);
    }
}

static void a_set_fits_whole_or_not_at_all(void **state)
{
    (void)state;
    atls_claims c = td(); /* mrtd aa, rtmr0 bb */
    expect(",\"tdx\":[{\"mrtd\":[\"" AA48 "\"],\"rtmr0\":[\"" AA48 "\"]},"
           "{\"mrtd\":[\"" BB48 "\"],\"rtmr0\":[\"" BB48 "\"]}]",
           &c, NULL, "policy.tdx.rtmr0"); /* mixed from two builds */
    expect(",\"tdx\":[{\"mrtd\":[\"" BB48 "\"]},{\"mrtd\":[\"" CC48 "\",\"" AA48 "\"]}]", &c, NULL,
           "");
    /* The nearest alternative is the one that is shown. */
    expect(",\"tdx\":[{\"mrtd\":[\"" BB48 "\"],\"rtmr0\":[\"" CC48 "\"]},"
           "{\"mrtd\":[\"" AA48 "\"],\"rtmr0\":[\"" AA48 "\",\"" CC48 "\"]}]",
           &c, NULL, "policy.tdx.rtmr0");
    assert_int_equal(entry("policy.tdx.mrtd")->result, ATLS_CHECK_OK);
    char text[300];
    atls_value_print(&ledger, &entry("policy.tdx.rtmr0")->found, text, sizeof text);
    assert_string_equal(text, BB48);
    atls_value_print(&ledger, &entry("policy.tdx.rtmr0")->wanted, text, sizeof text);
    assert_string_equal(text, AA48 " or " CC48);
}

static void all_differences_are_shown(void **state)
{
    (void)state;
    atls_claims c = out_of_date(NOW);
    c.as.tdx.td_attributes[0] = 1;
    expect(",\"tdx\":{\"mrtd\":[\"" BB48 "\"],\"rtmr0\":[\"" AA48 "\"],\"rtmr1\":[\"" AA48 "\"]},"
           "\"pki\":{\"names\":[\"a\"]},\"fmspc\":[\"000000000000\"]",
           &c, NULL, "tcb.status");
    static const char *const ids[] = {"tcb.status",       "policy.debug",     "policy.tdx.mrtd",
                                      "policy.tdx.rtmr0", "policy.tdx.rtmr1", "policy.pki",
                                      "policy.fmspc"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_non_null(entry(ids[i]));
        assert_int_equal(entry(ids[i])->result, ATLS_CHECK_FAIL);
    }
}

/* --- workloads --- */

static const char three[] =
    "{\"name\":\"a\",\"tees\":[\"sgx\"],\"sgx\":{\"mrenclave\":[\"" AA32 "\"]}},"
    "{\"name\":\"b\",\"tees\":[\"tdx\"],\"tdx\":{\"mrtd\":[\"" CC48 "\"],\"rtmr0\":[\"" CC48 "\"],"
    "\"rtmr1\":[\"" CC48 "\"]}},"
    "{\"name\":\"c\",\"tees\":[\"tdx\"],\"tdx\":{\"mrtd\":[\"" AA48 "\"],\"rtmr0\":[\"" BB48 "\"]},"
    "\"max_evidence_age_s\":600,\"reattest_s\":60,\"platform_may_move\":true},"
    "{\"name\":\"d\",\"tees\":[\"tdx\"]}";

static void the_first_workload_that_fits_is_the_peer(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_policy *p = policy_of(three);
    atls_claims c = td();
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_string_equal(a.workload, "c");
    assert_int_equal(a.max_age_s, 600);
    assert_int_equal(a.reattest_s, 60);
    assert_true(a.platform_may_move);
    assert_false(a.two_keys);
    assert_string_equal(entry("policy.workload")->found.as.text, "c");
    c.as.tdx.mrtd[0] = 0;
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_string_equal(a.workload, "d");
    assert_int_equal(a.max_age_s, 0);
    c = enclave();
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_string_equal(a.workload, "a");
    atls_policy_free(p);
}

static void the_nearest_workload_explains_the_refusal(void **state)
{
    (void)state;
    atls_appraisal a;
    char text[4096];
    (void)snprintf(text, sizeof text, "%.*s", (int)(strstr(three, ",{\"name\":\"d\"") - three),
                   three);
    atls_policy *p = policy_of(text);
    atls_claims c = td();
    c.as.tdx.rtmr[0][0] = 0;
    assert_string_equal(decided(p, &c, NULL, &a), "policy.tdx.rtmr0");
    assert_int_equal(entry("policy.tdx.mrtd")->result, ATLS_CHECK_OK);
    assert_int_equal(entry("policy.workload")->result, ATLS_CHECK_SKIPPED);
    assert_string_equal(entry("policy.workload")->because,
                        "no workload fits; the checks shown are those of c, the nearest");
    assert_string_equal(a.identity, "none");
    assert_int_equal(a.max_age_s + a.reattest_s, 0);
    c = enclave();
    c.as.sgx.mrenclave[0] = 0; /* far from the TDX workloads, however little they ask */
    assert_string_equal(decided(p, &c, NULL, &a), "policy.sgx.mrenclave");
    atls_policy_free(p);
    p = policy_of("{\"name\":\"a\",\"tees\":[\"tdx\"]}");
    assert_string_equal(decided(p, &c, NULL, &a), "policy.tee");
    atls_policy_free(p);
}

/* --- identity --- */

static void identity(const char *members, const atls_claims *c, const atls_expected *e,
                     const char *line)
{
    atls_appraisal a;
    atls_policy *p = policy_with(members);
    assert_string_equal(decided(p, c, e, &a), "");
    assert_string_equal(a.identity, line);
    atls_policy_free(p);
}

#define PKI      ",\"pki\":{\"names\":[\"other.example\",\"web.example\"]}"
#define PLATFORM ",\"platforms\":{\"ppid\":[\"" PP16 "\"]}"
#define OWNER    ",\"owner\":{\"mrconfigid\":[\"" CC48 "\"],\"configid\":[\"" CC64 "\"]}"

static void the_identity_line_tells_what_was_checked(void **state)
{
    (void)state;
    atls_claims c = td();
    atls_expected e = {.pki_name = "WEB.example"};
    identity("", &c, &e, "none");
    identity(PKI, &c, &e, "name by PKI");
    identity(PLATFORM, &c, NULL, "platform pinned");
    identity(OWNER, &c, NULL, "owner-bound claim");
    identity(PKI PLATFORM, &c, &e, "name by PKI + platform pinned");
    identity(PKI OWNER, &c, &e, "name by PKI + owner-bound claim");
    identity(PLATFORM OWNER, &c, &e, "platform pinned + owner-bound claim");
    identity(PKI PLATFORM OWNER, &c, &e, "name by PKI + platform pinned + owner-bound claim");
    identity(",\"fmspc\":[\"00806f050000\"]", &c, &e, "none"); /* a model is no identity */
    c = enclave();
    identity(OWNER, &c, NULL, "owner-bound claim");
}

static void names_must_be_the_one_that_pki_verified(void **state)
{
    (void)state;
    atls_claims c = td();
    static const char *const names[] = {"web.example.org", "eb.example", "a.web.example", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        atls_expected e = {.pki_name = names[i]};
        expect(PKI, &c, &e, "policy.pki");
    }
    atls_expected none = {.pki_name = NULL};
    expect(PKI, &c, &none, "policy.pki");
    expect(PKI, &c, NULL, "policy.pki");
}

static void pins_must_match_and_masked_ids_never_do(void **state)
{
    (void)state;
    atls_claims c = td();
    expect(",\"platforms\":{\"ppid\":[\"" II16 "\",\"" PP16 "\"]}", &c, NULL, "");
    expect(",\"platforms\":{\"ppid\":[\"" II16 "\"]}", &c, NULL, "policy.platform.ppid");
    expect(",\"platforms\":{\"instance_id\":[\"" II16 "\"]}", &c, NULL, "");
    expect(",\"platforms\":{\"instance_id\":[\"" PP16 "\"]}", &c, NULL,
           "policy.platform.instance_id");
    expect(",\"platforms\":{\"pck_serial\":[\"00abcd\"]}", &c, NULL, "");
    expect(",\"platforms\":{\"pck_serial\":[\"abcd00\"]}", &c, NULL, "policy.platform.pck_serial");
    expect(",\"platforms\":{\"pck_serial\":[\"ab\"]}", &c, NULL, "policy.platform.pck_serial");
    /* Every list that is named must have a match. */
    expect(",\"platforms\":{\"ppid\":[\"" PP16 "\"],\"pck_serial\":[\"01\"]}", &c, NULL,
           "policy.platform.pck_serial");
    expect(",\"fmspc\":[\"00806f050001\"]", &c, NULL, "policy.fmspc");

    c.platform.has_ppid = false;
    expect(PLATFORM, &c, NULL, "policy.platform.ppid");
    c = td();
    memset(c.platform.ppid, 0, 16);
    expect(PLATFORM, &c, NULL, "policy.platform.ppid");
    c.platform.has_pck_serial = c.platform.has_instance_id = c.platform.has_fmspc = false;
    expect(",\"platforms\":{\"pck_serial\":[\"abcd\"]}", &c, NULL, "policy.platform.pck_serial");
    expect(",\"platforms\":{\"instance_id\":[\"" II16 "\"]}", &c, NULL,
           "policy.platform.instance_id");
    expect(",\"fmspc\":[\"00806f050000\"]", &c, NULL, "policy.fmspc");
}

static void owner_claims_must_match(void **state)
{
    (void)state;
    atls_claims c = td();
    c.as.tdx.mrconfigid[0] = 0;
    expect(OWNER, &c, NULL, "policy.owner.mrconfigid");
    c = td();
    expect(",\"owner\":{\"mrowner\":[\"" AA48 "\"],\"configid\":[\"" CC64 "\"]}", &c, NULL,
           "policy.owner.mrowner");
    expect(",\"owner\":{\"mrconfigid\":[\"" CC48 "\"],\"mrownerconfig\":[\"" AA48
           "\"],\"configid\":[\"" CC64 "\"]}",
           &c, NULL, "policy.owner.mrownerconfig");
    c = enclave();
    c.as.sgx.configid[63] = 0;
    expect(OWNER, &c, NULL, "policy.owner.configid");
    expect(",\"sgx\":{\"mrenclave\":[\"" AA32 "\"]},\"owner\":{\"mrsigner\":[\"" AA32
           "\"],\"mrowner\":[\"" AA48 "\"]}",
           &c, NULL, "policy.owner.mrsigner");
}

/* --- bindings --- */

static void bindings_must_be_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *name; /* NULL: evidence alone */
        const char *check;
    } cases[] = {
        {"", "atls/1", ""},
        {"", NULL, ""},
        {"", "ra-tls", "policy.binding"},
        {"", "unheard-of\n", "policy.binding"},
        {",\"bindings\":[\"atls/1\"]", "atls/1", ""},
        {",\"bindings\":[\"atls/1\"]", NULL, "policy.binding"},
        {",\"bindings\":[\"ra-tls\"]", "ra-tls", ""},
        {",\"bindings\":[\"ra-tls\"]", "ra-tls-oe", "policy.binding"},
        {",\"bindings\":[\"ra-tls\"]", "atls/1", "policy.binding"},
        {",\"bindings\":[\"cocos\",\"evidence-alone\"]", NULL, ""},
    };
    atls_claims c = td();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_expected e = {.binding = ATLS_BINDING_SESSION, .binding_name = cases[i].name};
        expect(cases[i].members, &c, &e, cases[i].check);
    }
    expect(",\"bindings\":[\"atls/1\"]", &c, NULL, "policy.binding");
    atls_expected claimed = {.binding = ATLS_BINDING_NONE, .binding_name = "atls/1"};
    expect(",\"bindings\":[\"atls/1\"]", &c, &claimed, "policy.binding");

    /* Without a policy the dialect is the configuration's choice. */
    atls_appraisal a;
    atls_expected e = {.binding = ATLS_BINDING_KEY_ONLY, .binding_name = "ra-tls"};
    atls_policy *p = atls_policy_builtin();
    assert_string_equal(decided(p, &c, &e, &a), "");
    atls_policy_free(p);
}

static void two_keys_reach_the_channel(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_claims c = td();
    atls_expected e = {.pki_name = "web.example"};
    atls_policy *p = policy_with(PKI ",\"two_keys\":true");
    assert_string_equal(decided(p, &c, &e, &a), "");
    assert_true(a.two_keys);
    atls_policy_free(p);
}

/* A caller's strings may be gone when the ledger is read. */
static void foreign_strings_are_copied(void **state)
{
    (void)state;
    atls_appraisal a;
    char name[] = "evil.example";
    char binding[] = "evil/1";
    atls_claims c = td();
    atls_expected e = {.pki_name = name, .binding = ATLS_BINDING_KEY_ONLY, .binding_name = binding};
    atls_policy *p = policy_with(PKI);
    (void)decided(p, &c, &e, &a);
    memset(name, 'Z', sizeof name - 1);
    memset(binding, 'Z', sizeof binding - 1);
    char text[64];
    atls_value_print(&ledger, &entry("policy.pki")->found, text, sizeof text);
    assert_string_equal(text, "evil.example");
    atls_value_print(&ledger, &entry("policy.binding")->found, text, sizeof text);
    assert_string_equal(text, "evil/1");
    atls_policy_free(p);
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
        cmocka_unit_test(each_register_is_compared),
        cmocka_unit_test(each_enclave_field_is_compared),
        cmocka_unit_test(a_set_fits_whole_or_not_at_all),
        cmocka_unit_test(all_differences_are_shown),
        cmocka_unit_test(the_first_workload_that_fits_is_the_peer),
        cmocka_unit_test(the_nearest_workload_explains_the_refusal),
        cmocka_unit_test(the_identity_line_tells_what_was_checked),
        cmocka_unit_test(names_must_be_the_one_that_pki_verified),
        cmocka_unit_test(pins_must_match_and_masked_ids_never_do),
        cmocka_unit_test(owner_claims_must_match),
        cmocka_unit_test(bindings_must_be_accepted),
        cmocka_unit_test(two_keys_reach_the_channel),
        cmocka_unit_test(foreign_strings_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, free_expected_policy);
}
