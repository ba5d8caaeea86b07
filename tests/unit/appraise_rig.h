/* appraise_rig.h: claims of a good TD and a good enclave, and a policy around a few members. */
#ifndef ATLS_TESTS_APPRAISE_RIG_H
#define ATLS_TESTS_APPRAISE_RIG_H

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
static inline atls_claims td(void)
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

static inline atls_claims enclave(void)
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

static inline atls_policy *policy_of(const char *workloads)
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
static inline atls_policy *policy_with(const char *members)
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

static inline int free_expected_policy(void **state)
{
    (void)state;
    atls_policy_free(expected_policy);
    expected_policy = NULL;
    return 0;
}

static inline void expect(const char *members, const atls_claims *c, const atls_expected *e,
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
                    strstr(check, "collateral_") != NULL);
    }
    (void)free_expected_policy(NULL);
    expected_policy = p;
}

static inline atls_claims out_of_date(int64_t date_s)
{
    atls_claims c = td();
    c.tcb.status = ATLS_TCB_OUT_OF_DATE;
    c.tcb.platform.status = ATLS_TCB_OUT_OF_DATE;
    c.tcb.platform.date_s = date_s;
    return c;
}

#endif
