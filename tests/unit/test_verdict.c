/* The verdict: what conclude accepts, what decides, what it says, and how long it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/err.h"
#include "verify/remedy.h"
#include "verify/verdict.h"

/* Everything an acceptance needs; each test takes one thing away. */
static atls_verdict *good(void)
{
    atls_verdict *r = atls_verdict_new();
    assert_non_null(r);
    r->format = "tdx";
    r->at_s = 1751623200;
    r->claims.tee = ATLS_TEE_TDX;
    r->claims.platform.has_ppid = true;
    memset(r->claims.platform.ppid, 7, 16);
    r->appraisal.fits = true;
    r->appraisal.workload = "web";
    r->appraisal.identity = "platform pinned";
    atls_ledger_ok(&r->ledger, "quote.signature");
    atls_ledger_ok(&r->ledger, "tcb.status");
    return r;
}

static void a_new_verdict_refuses(void **state)
{
    (void)state;
    atls_verdict *r = atls_verdict_new();
    assert_false(atls_verdict_accepted(r));
    assert_int_not_equal(atls_verdict_code(r), ATLS_OK);
    atls_verdict_conclude(r);
    assert_false(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
    assert_string_equal(atls_verdict_check(r), "verdict.evidence");
    assert_string_equal(atls_verdict_format(r), "unknown");
    assert_string_equal(atls_verdict_workload(r), "");
    assert_string_equal(atls_verdict_identity(r), "none");
    assert_string_equal(atls_verdict_freshness(r), "none");
    assert_string_equal(atls_verdict_binding(r), "none");
    assert_true(atls_verdict_expires(r) == INT64_MAX);
    atls_verdict_free(r);
    atls_verdict_free(NULL);
}

static void all_that_is_needed_accepts(void **state)
{
    (void)state;
    atls_verdict *r = good();
    r->freshness = "this connection";
    r->signatures = 2;
    atls_verdict_conclude(r);
    assert_true(atls_verdict_accepted(r));
    assert_int_equal(atls_verdict_code(r), ATLS_OK);
    assert_string_equal(atls_verdict_check(r), "");
    assert_string_equal(atls_verdict_message(r), "fits workload web");
    assert_string_equal(atls_verdict_workload(r), "web");
    assert_string_equal(atls_verdict_identity(r), "platform pinned");
    assert_string_equal(atls_verdict_freshness(r), "this connection");
    assert_int_equal(atls_verdict_signatures(r), 2);
    atls_verdict_free(r);
}

static void each_missing_thing_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        atls_code code;
        const char *check;
    } cases[] = {
        {"claims", ATLS_E_INVALID, "verdict.evidence"},
        {"signature", ATLS_E_INVALID, "verdict.signature"},
        {"appraisal", ATLS_E_POLICY, "verdict.appraisal"},
        {"skipped", ATLS_E_POLICY, "late"},
        {"overflow", ATLS_E_SYSTEM, "verdict.ledger"},
        {"failed", ATLS_E_BINDING, "late"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_verdict *r = good();
        if (strcmp(cases[i].what, "claims") == 0) {
            r->claims.tee = ATLS_TEE_NONE;
        } else if (strcmp(cases[i].what, "signature") == 0) {
            r->ledger.entries[0].id = "quote.signatures";
        } else if (strcmp(cases[i].what, "appraisal") == 0) {
            r->appraisal.fits = false;
        } else if (strcmp(cases[i].what, "skipped") == 0) {
            atls_ledger_skip(&r->ledger, "late", "of something");
        } else if (strcmp(cases[i].what, "overflow") == 0) {
            r->ledger.overflow = true;
        } else {
            atls_ledger_fail(&r->ledger, "late", ATLS_E_BINDING, atls_value_none(),
                             atls_value_none());
        }
        atls_verdict_conclude(r);
        assert_false(atls_verdict_accepted(r));
        assert_int_equal(atls_verdict_code(r), cases[i].code);
        assert_string_equal(atls_verdict_check(r), cases[i].check);
        assert_true(strlen(atls_verdict_message(r)) > 0);
        atls_verdict_free(r);
    }
}

static void message(atls_value found, atls_value wanted, const char *id, const char *want)
{
    atls_verdict *r = good();
    r->claims.tcb.platform.present = true;
    r->claims.tcb.platform.date_s = 1710288000;
    atls_ledger_fail(&r->ledger, id, ATLS_E_POLICY, found, wanted);
    atls_verdict_conclude(r);
    assert_string_equal(atls_verdict_message(r), want);
    atls_verdict_free(r);
}

static void the_message_is_a_sentence(void **state)
{
    (void)state;
    atls_value none = atls_value_none();
    message(atls_value_text("OutOfDate"), atls_value_text("UpToDate"), "tcb.status",
            "platform TCB is OutOfDate (level of 2024-03-13), where UpToDate is wanted");
    message(atls_value_uint(1), none, "policy.debug", "debug mode is 1, which is refused");
    message(atls_value_uint(1), atls_value_uint(2), "some.thing",
            "some.thing: 1, where 2 is wanted");
    message(none, atls_value_text("a name"), "policy.pki",
            "peer's name by PKI: a name is wanted, and there is none");
    message(none, none, "some.thing", "some.thing: the check failed");
    message(atls_value_text("no keyCertSign"), atls_value_text("keyCertSign"),
            "nitro.zonal.key_usage",
            "AWS zonal certificate, key usage: no keyCertSign, where keyCertSign is wanted");
    message(none, none, "token.ear.submods", "token, ear submods: the check failed");
    message(none, none, "tpm.ak", "attestation key: the check failed");
    message(none, none, "tpm.akx.y", "TPM, akx y: the check failed");

    atls_verdict *r = good();
    atls_err err;
    (void)ATLS_ERR(&err, ATLS_E_INVALID, "quote.header.version",
                   "quote version 9, where 4 is known");
    atls_ledger_fail_err(&r->ledger, &err);
    atls_verdict_conclude(r);
    assert_string_equal(atls_verdict_message(r), "quote version 9, where 4 is known");
    atls_verdict_free(r);

    r = good();
    r->claims.simulated = true;
    r->appraisal.workload = NULL;
    atls_verdict_conclude(r);
    assert_true(atls_verdict_simulated(r));
    assert_string_equal(
        atls_verdict_message(r),
        "SIMULATED: genuine, by the built-in rule; measurements and identity are unchecked");
    atls_verdict_free(r);
}

static void bindings_have_their_words(void **state)
{
    (void)state;
    static const char *const words[] = {"none", "key", "handshake", "session"};
    atls_verdict *r = good();
    for (int i = ATLS_BINDING_NONE; i <= ATLS_BINDING_SESSION; i++) {
        r->binding = (atls_binding_kind)i;
        assert_string_equal(atls_verdict_binding(r), words[i]);
    }
    atls_verdict_free(r);
}

static void a_verdict_stands_until_the_first_end(void **state)
{
    (void)state;
    atls_verdict *r = good();
    r->claims.tcb.earliest_expiration_s = r->at_s + 5000;
    assert_true(atls_verdict_expires(r) == r->at_s + 5000);
    r->appraisal.max_age_s = 300;
    assert_true(atls_verdict_expires(r) == r->at_s + 300);
    r->appraisal.max_age_s = 6000;
    assert_true(atls_verdict_expires(r) == r->at_s + 5000);
    r->appraisal.until_s = r->at_s + 4000;
    assert_true(atls_verdict_expires(r) == r->at_s + 4000);
    r->appraisal.reattest_s = 60;
    assert_int_equal(atls_verdict_reattest_s(r), 60);
    atls_verdict_free(r);
}

static void the_same_peer_is_the_same_in_all(void **state)
{
    (void)state;
    atls_verdict *a = good();
    atls_verdict *b = good();
    assert_false(atls_verdict_same_peer(a, b)); /* not accepted yet */
    atls_verdict_conclude(a);
    assert_false(atls_verdict_same_peer(a, b));
    atls_verdict_conclude(b);
    assert_true(atls_verdict_same_peer(a, b));

    b->appraisal.workload = "db";
    assert_false(atls_verdict_same_peer(a, b));
    b->appraisal.workload = "web";
    b->claims.tee = ATLS_TEE_SGX;
    assert_false(atls_verdict_same_peer(a, b));
    b->claims.tee = ATLS_TEE_TDX;
    b->claims.simulated = true;
    assert_false(atls_verdict_same_peer(a, b));
    b->claims.simulated = false;

    b->claims.platform.ppid[15] ^= 1;
    assert_false(atls_verdict_same_peer(a, b));
    b->appraisal.platform_may_move = true;
    assert_false(atls_verdict_same_peer(a, b)); /* both must allow it */
    a->appraisal.platform_may_move = true;
    assert_true(atls_verdict_same_peer(a, b));
    atls_verdict_free(a);
    atls_verdict_free(b);
}

static void platforms_without_a_certified_id_are_not_the_same(void **state)
{
    (void)state;
    atls_verdict *a = good();
    atls_verdict *b = good();
    atls_verdict_conclude(a);
    atls_verdict_conclude(b);
    memset(a->claims.platform.ppid, 0, 16); /* masked */
    memset(b->claims.platform.ppid, 0, 16);
    assert_false(atls_verdict_same_peer(a, b));
    a->claims.platform.has_instance_id = b->claims.platform.has_instance_id = true;
    assert_false(atls_verdict_same_peer(a, b)); /* zero as well */
    a->claims.platform.instance_id[0] = b->claims.platform.instance_id[0] = 1;
    assert_true(atls_verdict_same_peer(a, b));
    b->claims.platform.instance_id[0] = 2;
    assert_false(atls_verdict_same_peer(a, b));
    a->claims.platform.has_instance_id = false;
    a->claims.platform.has_pck_serial = b->claims.platform.has_pck_serial = true;
    assert_false(atls_verdict_same_peer(a, b)); /* empty */
    a->claims.platform.pck_serial_len = b->claims.platform.pck_serial_len = 2;
    assert_true(atls_verdict_same_peer(a, b));
    b->claims.platform.pck_serial[1] = 1;
    assert_false(atls_verdict_same_peer(a, b));
    b->claims.platform.pck_serial_len = 1;
    assert_false(atls_verdict_same_peer(a, b));
    atls_verdict_free(a);
    atls_verdict_free(b);
}

static void checks_are_lent_line_by_line(void **state)
{
    (void)state;
    atls_verdict *r = good();
    atls_ledger_fail(&r->ledger, "tcb.status", ATLS_E_POLICY, atls_value_text("OutOfDate"),
                     atls_value_text("UpToDate"));
    atls_ledger_skip(&r->ledger, "policy.tdx.mrtd", "no reason");
    atls_verdict_conclude(r);
    assert_int_equal(atls_verdict_checks(r), 4);
    atls_check_line line;
    assert_true(atls_verdict_check_at(r, 0, &line));
    assert_string_equal(line.result, "ok");
    assert_string_equal(line.remedy, "");
    assert_true(atls_verdict_check_at(r, 2, &line));
    assert_string_equal(line.id, "tcb.status");
    assert_string_equal(line.result, "fail");
    assert_string_equal(line.found, "OutOfDate");
    assert_string_equal(line.wanted, "UpToDate");
    assert_int_equal(line.code, ATLS_E_POLICY);
    assert_true(strlen(line.remedy) > 0);
    assert_true(atls_verdict_check_at(r, 3, &line));
    assert_string_equal(line.result, "skipped");
    assert_string_equal(line.because, "no reason");
    assert_false(atls_verdict_check_at(r, 4, &line));
    atls_verdict_free(r);
}

static int released;
static void release(void *object)
{
    released += *(int *)object;
}

static void the_anchor_is_released_once(void **state)
{
    (void)state;
    int one = 1;
    atls_verdict *r = good();
    r->anchor = (atls_anchor){&one, release};
    atls_verdict_free(r);
    assert_int_equal(released, 1);
}

static void remedies_go_by_whole_words_of_an_id(void **state)
{
    (void)state;
    assert_string_equal(atls_remedy("nothing.known"),
                        "See docs/checks.md for what this check means.");
    assert_null(atls_remedy_subject("nothing.known"));
    assert_string_equal(atls_remedy("tcb.status.detail"), atls_remedy("tcb.status"));
    assert_string_equal(atls_remedy("tcbx"), atls_remedy("nothing.known"));
    assert_string_not_equal(atls_remedy("tcb.status"), atls_remedy("tcb.other"));
    assert_string_equal(atls_remedy_subject("policy.tdx.rtmr2"), "rtmr2");
    assert_null(atls_remedy_subject("quote.signature"));
}

/* --- JSON and text --- */

static const char *const advisory[] = {"INTEL-SA-00289"};

/* A refused TDX verdict with something in every member. */
static atls_verdict *rich(void)
{
    atls_verdict *r = good();
    atls_claims *c = &r->claims;
    r->appraisal.fits = false;
    memset(c->as.tdx.mrtd, 0xab, 48);
    memset(c->as.tdx.rtmr[3], 0xcd, 48);
    c->as.tdx.is_1_5 = true;
    memset(c->report_data, 0x11, 64);
    c->report_data_len = 64;
    c->tcb.known = true;
    c->tcb.status = ATLS_TCB_OUT_OF_DATE;
    c->tcb.platform = (atls_tcb_level){true, ATLS_TCB_OUT_OF_DATE, 1710288000, advisory, 1};
    c->tcb.qe = (atls_tcb_level){true, ATLS_TCB_UP_TO_DATE, 1710288000, NULL, 0};
    c->tcb.evaluation_number = 17;
    c->tcb.earliest_expiration_s = 1752919278;
    c->platform.has_fmspc = c->platform.has_pck_serial = c->platform.has_instance_id = true;
    c->platform.fmspc[1] = 0xa0;
    c->platform.pck_serial_len = 2;
    c->platform.pck_serial[0] = 0x7f;
    atls_ledger_fail(&r->ledger, "tcb.status", ATLS_E_POLICY, atls_value_text("OutOfDate"),
                     atls_value_text("UpToDate"));
    atls_ledger_fail(&r->ledger, "tcb.evaluation_number", ATLS_E_POLICY, atls_value_uint(17),
                     atls_value_uint(18));
    atls_ledger_skip(&r->ledger, "policy.tdx.mrtd", "of an \x1b[31mescape\n\"quote\"");
    atls_ledger_fail(&r->ledger, "policy.pki", ATLS_E_POLICY,
                     atls_value_note(&r->ledger, "evil\r\nforged \xff\"}"), atls_value_none());
    atls_verdict_conclude(r);
    return r;
}

static const char *text_at(const json_t *json, const char *a, const char *b)
{
    const json_t *member = json_object_get(json, a);
    const char *text = json_string_value(b != NULL ? json_object_get(member, b) : member);
    return text != NULL ? text : "(no such member)";
}

static void json_is_the_contracts_object(void **state)
{
    (void)state;
    atls_verdict *r = rich();
    char *text = atls_verdict_json(r);
    assert_non_null(text);
    assert_null(strpbrk(text, "\n\r\x1b"));
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    static const char *const members[] = {
        "accepted", "code",     "format",    "check",        "message", "checks",
        "binding",  "identity", "freshness", "binding_line", "root",    "simulated",
        "at",       "tcb",      "platform",  "claims",       "workload"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        assert_non_null(json_object_get(j, members[i]));
    }
    assert_true(json_is_false(json_object_get(j, "accepted")));
    assert_int_equal(json_integer_value(json_object_get(j, "code")), 5);
    assert_string_equal(text_at(j, "format", NULL), "tdx");
    assert_string_equal(text_at(j, "check", NULL), "tcb.status");
    assert_string_equal(text_at(j, "message", NULL), "platform TCB is OutOfDate (level of "
                                                     "2024-03-13), where UpToDate is wanted");
    assert_string_equal(text_at(j, "root", NULL), "vendor");
    assert_string_equal(text_at(j, "at", NULL), "2025-07-04T10:00:00Z");
    assert_string_equal(text_at(j, "workload", NULL), "");
    assert_string_equal(text_at(j, "identity", NULL), "none");
    assert_string_equal(text_at(j, "tcb", "status"), "OutOfDate");
    assert_string_equal(text_at(j, "tcb", "date"), "2024-03-13T00:00:00Z");
    assert_string_equal(text_at(j, "tcb", "collateral_earliest_expiration"),
                        "2025-07-19T10:01:18Z");
    const json_t *tcb = json_object_get(j, "tcb");
    assert_int_equal(json_integer_value(json_object_get(tcb, "evaluation_number")), 17);
    assert_string_equal(json_string_value(json_array_get(json_object_get(tcb, "advisories"), 0)),
                        "INTEL-SA-00289");
    assert_string_equal(text_at(tcb, "qe", "status"), "UpToDate");
    assert_null(json_object_get(tcb, "module"));
    assert_string_equal(text_at(j, "platform", "fmspc"), "00a000000000");
    assert_string_equal(text_at(j, "platform", "pck_serial"), "7f00");
    assert_int_equal(strlen(text_at(j, "platform", "ppid")), 32);
    assert_int_equal(strlen(text_at(j, "platform", "instance_id")), 32);
    json_t *claims = json_object_get(j, "claims");
    static const char *const fields[] = {
        "mrtd",          "rtmr0",        "rtmr1",       "rtmr2",       "rtmr3",
        "mrseam",        "mrsignerseam", "mrconfigid",  "mrowner",     "mrownerconfig",
        "td_attributes", "xfam",         "tee_tcb_svn", "report_data", "mrservicetd"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        assert_true(json_is_string(json_object_get(claims, fields[i])));
    }
    assert_memory_equal(text_at(claims, "rtmr3", NULL), "cdcdcd", 6);
    assert_int_equal(strlen(text_at(claims, "report_data", NULL)), 128);
    const json_t *checks = json_object_get(j, "checks");
    assert_int_equal(json_array_size(checks), 6);
    assert_string_equal(text_at(json_array_get(checks, 0), "result", NULL), "ok");
    assert_string_equal(text_at(json_array_get(checks, 2), "found", NULL), "OutOfDate");
    assert_string_equal(text_at(json_array_get(checks, 2), "wanted", NULL), "UpToDate");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(checks, 3), "found")), 17);
    assert_string_equal(text_at(json_array_get(checks, 4), "result", NULL), "skipped");
    assert_non_null(json_object_get(json_array_get(checks, 4), "because"));
    assert_string_equal(text_at(json_array_get(checks, 5), "found", NULL),
                        "evil\\x0d\\x0aforged \\xff\"}");
    json_decref(j);
    atls_free(text);
    atls_verdict_free(r);
}

static void json_of_sgx_and_of_nothing(void **state)
{
    (void)state;
    atls_verdict *r = good();
    r->format = "sgx";
    r->claims.tee = ATLS_TEE_SGX;
    r->claims.as.sgx.isvsvn = 9;
    r->claims.report_data_len = 64;
    r->claims.custom_root = r->claims.simulated = true;
    r->claims.tcb.earliest_expiration_s = r->at_s + 60;
    r->policy = atls_policy_builtin();
    atls_verdict_conclude(r);
    char *text = atls_verdict_json(r);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_true(json_object_get(j, "accepted")));
    assert_string_equal(text_at(j, "check", NULL), "");
    assert_string_equal(text_at(j, "root", NULL), "custom");
    assert_string_equal(text_at(j, "workload", NULL), "web");
    assert_string_equal(text_at(j, "expires", NULL), "2025-07-04T10:01:00Z");
    assert_int_equal(strlen(text_at(j, "policy", NULL)), 64);
    json_t *claims = json_object_get(j, "claims");
    static const char *const fields[] = {"mrenclave", "mrsigner", "attributes", "configid",
                                         "report_data"};
    static const char *const numbers[] = {"isvprodid", "isvsvn", "miscselect", "configsvn"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(json_is_string(json_object_get(claims, fields[i])));
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(json_is_integer(json_object_get(claims, numbers[i])));
    }
    json_decref(j);
    atls_free(text);
    atls_verdict_free(r);

    r = atls_verdict_new();
    atls_verdict_conclude(r);
    text = atls_verdict_json(r);
    j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(text_at(j, "format", NULL), "unknown");
    assert_null(json_object_get(j, "tcb")); /* nothing unverified is told as a claim */
    assert_null(json_object_get(j, "claims"));
    assert_null(json_object_get(j, "platform"));
    json_decref(j);
    atls_free(text);
    atls_verdict_free(r);
}

static void says(const char *text, const char *words)
{
    if (strstr(text, words) == NULL) {
        fail_msg("\"%s\" is not in:\n%s", words, text);
    }
}

static void text_tells_a_refusal(void **state)
{
    (void)state;
    atls_verdict *r = rich();
    char *text = atls_verdict_text(r, false);
    says(text, "REFUSED  tdx: by policy (code 5, tcb.status)");
    says(text, "platform TCB is OutOfDate (level of 2024-03-13), where UpToDate is wanted");
    says(text, "mrtd abababababababab..");
    says(text, "Intel TDX, FMSPC 00a000000000");
    says(text, "INTEL-SA-00289");
    says(text, "none (evidence alone)");
    says(text, "FAILED  tcb.status");
    says(text, "found   OutOfDate");
    says(text, "wanted  UpToDate");
    says(text, "do      Update BIOS");
    says(text, "skipped policy.tdx.mrtd");
    says(text, "evil\\x0d\\x0aforged");
    assert_null(strchr(text, 0x1b));
    assert_null(strstr(text, "quote.signature"));
    assert_null(strstr(text, "SIMULATED"));
    atls_free(text);
    text = atls_verdict_text(r, true);
    says(text, "all 6 checks");
    says(text, "ok      quote.signature");
    says(text, "fail    tcb.status = OutOfDate");
    atls_free(text);
    atls_verdict_free(r);
}

/* Failures that one thing heals are one block: each with its values, and the remedy once, behind the last. */
static void text_tells_a_remedy_once(void **state)
{
    (void)state;
    static const char *const ids[] = {"policy.tdx.mrtd", "policy.tdx.rtmr0", "policy.tdx.rtmr1",
                                      "tcb.status"};
    atls_verdict *r = good();
    for (size_t i = 0; i < 4; i++) {
        atls_ledger_fail(&r->ledger, ids[i], ATLS_E_POLICY, atls_value_uint(10 + i),
                         atls_value_uint(20 + i));
    }
    atls_ledger_skip(&r->ledger, "policy.workload", "none fits");
    atls_verdict_conclude(r);
    char *text = atls_verdict_text(r, false);
    says(text, "\n\n  FAILED  policy.tdx.mrtd\n    found   10\n    wanted  20\n"
               "  FAILED  policy.tdx.rtmr0\n    found   11\n    wanted  21\n"
               "  FAILED  policy.tdx.rtmr1\n    found   12\n    wanted  22\n    do      Compare");
    says(text,
         "is meant.\n\n  FAILED  tcb.status\n    found   13\n    wanted  23\n    do      Update");
    says(text, "grace period.\n  skipped policy.workload\n    because none fits\n");
    atls_free(text);
    atls_verdict_free(r);
}

/* The dialect's words stand only where its binding was shown. */
static void the_dialect_says_what_it_proves(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        atls_verdict *r = good();
        r->binding = (atls_binding_kind)i;
        r->binding_line = "a nonce, and luck";
        atls_verdict_conclude(r);
        const char *wanted = i == ATLS_BINDING_NONE ? "none (evidence alone)" : "a nonce, and luck";
        assert_string_equal(atls_verdict_binding_line(r), wanted);
        char *text = atls_verdict_text(r, false);
        char *json = atls_verdict_json(r);
        says(text, wanted);
        says(json, wanted);
        atls_free(text);
        atls_free(json);
        atls_verdict_free(r);
    }
}

/* "none" stays "none" for scripts; people are told how long the same evidence has been about. */
static void evidence_that_was_seen_before_says_so(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        atls_verdict *r = good();
        r->binding = (atls_binding_kind)i;
        r->freshness = "none";
        r->has_since = true;
        r->since_s = r->at_s - 77;
        atls_verdict_conclude(r);
        assert_string_equal(atls_verdict_freshness(r), "none");
        char *text = atls_verdict_text(r, false);
        assert_true((strstr(text, "none; first seen 77 s ago") != NULL) ==
                    (i == ATLS_BINDING_KEY_ONLY));
        atls_free(text);
        atls_verdict_free(r);
    }
}

static void text_marks_simulation_twice(void **state)
{
    (void)state;
    static const char *const lines[] = {"none (evidence alone)", "key only (relay possible)",
                                        "handshake nonce + key", "session (exporter + key + role)"};
    for (int i = 0; i < 4; i++) {
        atls_verdict *r = good();
        r->claims.tee = ATLS_TEE_SGX;
        r->claims.simulated = r->claims.custom_root = true;
        r->binding = (atls_binding_kind)i;
        r->freshness = "this connection";
        r->appraisal.max_age_s = 60;
        atls_verdict_conclude(r);
        char *text = atls_verdict_text(r, false);
        assert_memory_equal(text, "*** SIMULATED ***", 17);
        says(text + 17, "*** SIMULATED ***");
        says(text, "ACCEPTED  tdx: SIMULATED: fits workload web");
        says(text, lines[i]);
        says(text, "simulated Intel SGX");
        says(text, "this connection");
        says(text, "platform pinned");
        says(text, "custom: not the vendor's");
        says(text, "stands until 2025-07-04T10:01:00Z at most");
        atls_free(text);
        atls_verdict_free(r);
    }
}

static void text_tells_each_code(void **state)
{
    (void)state;
    static const struct {
        atls_code code;
        const char *words;
    } cases[] = {{ATLS_E_COLLATERAL, "collateral missing or out of its time (code 3"},
                 {ATLS_E_INVALID, "evidence invalid (code 4"},
                 {ATLS_E_BINDING, "binding or freshness (code 6"},
                 {ATLS_E_SYSTEM, "it could not be judged (code 2"}};
    for (size_t i = 0; i < 4; i++) {
        atls_verdict *r = atls_verdict_new();
        atls_ledger_fail(&r->ledger, "some.check", cases[i].code, atls_value_none(),
                         atls_value_none());
        atls_verdict_conclude(r);
        char *text = atls_verdict_text(r, true);
        says(text, cases[i].words);
        says(text, "not proved: the evidence did not verify");
        atls_free(text);
        atls_verdict_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_verdict_refuses),
        cmocka_unit_test(all_that_is_needed_accepts),
        cmocka_unit_test(each_missing_thing_refuses),
        cmocka_unit_test(the_message_is_a_sentence),
        cmocka_unit_test(bindings_have_their_words),
        cmocka_unit_test(a_verdict_stands_until_the_first_end),
        cmocka_unit_test(the_same_peer_is_the_same_in_all),
        cmocka_unit_test(platforms_without_a_certified_id_are_not_the_same),
        cmocka_unit_test(checks_are_lent_line_by_line),
        cmocka_unit_test(the_anchor_is_released_once),
        cmocka_unit_test(remedies_go_by_whole_words_of_an_id),
        cmocka_unit_test(json_is_the_contracts_object),
        cmocka_unit_test(json_of_sgx_and_of_nothing),
        cmocka_unit_test(text_tells_a_refusal),
        cmocka_unit_test(text_tells_a_remedy_once),
        cmocka_unit_test(the_dialect_says_what_it_proves),
        cmocka_unit_test(evidence_that_was_seen_before_says_so),
        cmocka_unit_test(text_marks_simulation_twice),
        cmocka_unit_test(text_tells_each_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
