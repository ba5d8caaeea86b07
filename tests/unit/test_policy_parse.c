/* The policy parser: what it takes, and for each thing that it refuses, the line, the column and the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/policy.h>

#include "policy/appraise.h"
#include "policy/parse.h"
#include "policy/policy.h"

#define H16 "00112233445566778899aabbccddeeff"
#define H32 H16 H16
#define H48 H16 H16 H16
#define H64 H32 H32
#define Z48 "000000000000000000000000000000000000000000000000" /* 24 bytes */

static atls_code parse(const char *text, atls_policy **out, atls_err *err)
{
    return atls_policy_parse((atls_buf){(const uint8_t *)text, strlen(text)}, out, err);
}

static atls_policy *good(const char *text)
{
    atls_policy *p = NULL;
    atls_err err = {0};
    if (parse(text, &p, &err) != ATLS_OK) {
        fail_msg("%s\nin %s", err.msg, text);
    }
    return p;
}

/* A workload with these members behind name and tees. */
static atls_policy *good_workload(const char *members)
{
    char text[8192];
    (void)snprintf(text, sizeof text,
                   "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\","
                   "\"tees\":[\"sgx\",\"tdx\"]%s}]}",
                   members);
    return good(text);
}

static const char full[] =
    "{\n"
    "  \"atls_policy\": 1, \"description\": \"all keys\",\n"
    "  \"workloads\": [{\n"
    "    \"name\": \"web\", \"description\": \"front\",\n"
    "    \"tees\": [\"sgx\", \"tdx\"],\n"
    "    \"sgx\": {\"mrenclave\": [\"" H32 "\"], \"mrsigner\": [\"" H32 "\"], \"isvprodid\": 1,\n"
    "      \"isvsvn_min\": 2, \"configid\": [\"" H64 "\"], \"configsvn_min\": 3,\n"
    "      \"isvextprodid\": [\"" H16 "\"], \"isvfamilyid\": [\"" H16 "\"],\n"
    "      \"attributes\": [\"" H16 "\"]},\n"
    "    \"tdx\": [{\"mrtd\": [\"" H48 "\"], \"rtmr0\": [\"" H48 "\"], \"rtmr1\": [\"" H48 "\"],\n"
    "      \"rtmr2\": [\"" H48 "\"], \"rtmr3\": [\"" H48 "\"], \"mrseam\": [\"" H48 "\"],\n"
    "      \"mrsignerseam\": [\"" H48 "\"], \"mrconfigid\": [\"" H48 "\"],\n"
    "      \"mrowner\": [\"" H48 "\"], \"mrownerconfig\": [\"" H48 "\"],\n"
    "      \"mrservicetd\": [\"" H48 "\"], \"td_attributes\": [\"0000001000000000\"],\n"
    "      \"xfam\": [\"e702060000000000\"]}, {\"mrtd\": [\"" Z48 Z48 "\"]}],\n"
    "    \"tcb\": {\"statuses\": [\"UpToDate\", \"SWHardeningNeeded\"], \"grace_days\": 30,\n"
    "      \"advisories_allowed\": [{\"id\": \"INTEL-SA-00615\", \"until\": \"2026-01-31\"},\n"
    "        {\"id\": \"INTEL-SA-00289\", \"until\": \"2026-01-31T12:00:00Z\"}, {\"id\": \"X\"}],\n"
    "      \"min_evaluation_number\": 17, \"max_collateral_age_days\": 30,\n"
    "      \"collateral_grace_days\": 3},\n"
    "    \"platforms\": {\"ppid\": [\"" H16 "\"], \"pck_serial\": [\"00aB01\", \"01\", \"02\"],\n"
    "      \"instance_id\": [\"" H16 "\"]},\n"
    "    \"fmspc\": [\"00806f050000\", \"90c06f000000\"],\n"
    "    \"owner\": {\"mrconfigid\": [\"" H48 "\"], \"mrsigner\": [\"" H32 "\"],\n"
    "      \"configid\": [\"" H64 "\"], \"mrowner\": [\"" H48 "\"], \"mrownerconfig\": [\"" H48
    "\"]},\n"
    "    \"allow\": {\"debug\": true, \"sept_ve_disable_clear\": true, \"migratable\": true,\n"
    "      \"service_td\": [\"" H48 "\"]},\n"
    "    \"pki\": {\"names\": [\"a.example\", \"b.example\"]},\n"
    "    \"two_keys\": true, \"bindings\": [\"atls/1\", \"ra-tls\"],\n"
    "    \"max_evidence_age_s\": 3600, \"reattest_s\": 300, \"platform_may_move\": true\n"
    "  }]\n"
    "}\n";

static void every_key_is_taken(void **state)
{
    (void)state;
    atls_policy *p = good(full);
    assert_int_equal(atls_policy_workloads(p), 1);
    assert_string_equal(atls_policy_workload_name(p, 0), "web");
    assert_null(atls_policy_workload_name(p, 1));
    const atls_workload *w = &p->workloads[0];
    assert_int_equal(w->measured[ATLS_TEE_SGX].n, 1);
    assert_int_equal(w->measured[ATLS_TEE_SGX].sets[0].rules_n, 9);
    assert_int_equal(w->measured[ATLS_TEE_TDX].n, 2);
    assert_int_equal(w->measured[ATLS_TEE_TDX].sets[0].rules_n, 13);
    assert_int_equal(w->measured[ATLS_TEE_TDX].owner.rules_n, 3);
    assert_int_equal(w->measured[ATLS_TEE_SGX].owner.rules_n, 2);
    assert_string_equal(w->tees_wanted, "sgx or tdx");
    assert_string_equal(w->tcb.wanted, "UpToDate or SWHardeningNeeded");
    assert_int_equal(w->tcb.grace_days, 30);
    assert_int_equal(w->tcb.advisories_n, 3);
    assert_true(w->tcb.advisories[0].until_s == 1769903999);
    assert_true(w->tcb.advisories[1].until_s == 1769860800);
    assert_true(w->tcb.advisories[2].until_s == INT64_MAX);
    assert_int_equal(w->tcb.min_evaluation_number, 17);
    assert_int_equal(w->tcb.max_collateral_age_days, 30);
    assert_int_equal(w->tcb.collateral_grace_days, 3);
    assert_int_equal(w->pins[1].lens[0], 2);
    assert_string_equal(w->pins[1].wanted, "ab01 or 01 or 1 more");
    assert_string_equal(w->fmspc.wanted, "00806f050000 or 90c06f000000");
    assert_string_equal(w->pki_wanted, "a.example or 1 more");
    assert_string_equal(w->bindings_wanted, "atls/1 or ra-tls");
    assert_true(w->allow_debug && w->allow_sept_ve_disable_clear && w->allow_migratable);
    assert_true(w->two_keys && w->platform_may_move);
    assert_int_equal(w->max_evidence_age_s, 3600);
    assert_int_equal(w->reattest_s, 300);
    atls_policy_free(p);
}

static void defaults_are_the_strict_ones(void **state)
{
    (void)state;
    atls_policy *p = good_workload("");
    const atls_workload *w = &p->workloads[0];
    assert_int_equal(w->tcb.statuses, 1u << ATLS_TCB_UP_TO_DATE);
    assert_string_equal(w->tcb.wanted, "UpToDate");
    assert_string_equal(w->bindings_wanted, "atls/1 or evidence-alone");
    assert_false(w->allow_debug || w->allow_sept_ve_disable_clear || w->allow_migratable);
    assert_false(w->two_keys || w->platform_may_move || w->tcb.has_grace || w->tcb.has_advisories);
    atls_policy_free(p);
}

static void a_policy_is_shared_by_reference(void **state)
{
    (void)state;
    atls_policy *p = good_workload("");
    assert_ptr_equal(atls_policy_up_ref(p), p);
    atls_policy_free(p);
    assert_int_equal(atls_policy_workloads(p), 1);
    uint8_t hash[32];
    uint8_t again[32];
    atls_policy_hash(p, hash);
    atls_policy_free(p);
    atls_policy_free(NULL);
    assert_null(atls_policy_up_ref(NULL));
    p = good_workload(" ");
    atls_policy_hash(p, again);
    assert_memory_not_equal(hash, again, 32);
    atls_policy_free(p);
}

/* --- refusals --- */

static void refused(const char *text, const char *what, const char *check, const char *words)
{
    atls_policy *p = NULL;
    atls_err err = {0};
    atls_code rc = parse(text, &p, &err);
    if (rc != ATLS_E_USAGE || p != NULL || err.check == NULL || strcmp(err.check, check) != 0 ||
        strstr(err.msg, words) == NULL || err.code != rc) {
        fail_msg("%s: code %d check %s: %s\nwanted %s: %s", what, rc, err.check, err.msg, check,
                 words);
    }
    assert_int_equal(parse(text, &p, NULL), ATLS_E_USAGE); /* without a place for the reason, too */
}

static void broken_json_is_the_callers_mistake(void **state)
{
    (void)state;
    refused("", "empty", "policy.json", "line 1");
    refused("{\"atls_policy\":1,\"atls_policy\":1}", "twice", "policy.json", "line 1");
    refused("[[[[[[[[[1]]]]]]]]]", "deep", "policy.json", "too deep");
    char *big = malloc(ATLS_POLICY_MAX_LEN + 2);
    memset(big, ' ', ATLS_POLICY_MAX_LEN + 1);
    big[ATLS_POLICY_MAX_LEN + 1] = '\0';
    refused(big, "a byte more than 1 MiB", "policy.json", "1048577 bytes");
    free(big);
    for (size_t i = 0; i < sizeof full - 2;
         i++) { /* every truncation; the last byte is a newline */
        char *cut = strndup(full, i);
        refused(cut, "cut", "policy.json", "line ");
        free(cut);
    }
}

static void positions_are_those_of_the_mistake(void **state)
{
    (void)state;
    refused("[]", "a list", "policy.format", "policy line 1 column 1: an object is wanted");
    refused("{}", "no version", "policy.format", "line 1 column 1: \"atls_policy\" is missing");
    refused("{\"atls_policy\":1}", "no workloads", "policy.format", "\"workloads\" is missing");
    refused("{\n  \"atls_policy\": 2,\n  \"workloads\": []}", "version 2", "policy.format",
            "line 2 column 18: version 1");
    refused("{\"atls_policy\":1.0,\"workloads\":[]}", "real", "policy.format", "version 1");
    refused("{\"atls_policy\":1,\n \"workload\":[]}", "misspelt", "policy.format",
            "line 2 column 2: unknown key \"workload\"; did you mean \"workloads\"?");
    refused("{\"atls_policy\":1,\n\n \"x\\u001b[2J\":[]}", "escape sequence in a key",
            "policy.format", "line 3 column 2: unknown key \"x?[2J\"");
    refused("{\"atls_policy\":1,\"workloads\":[\n{\"name\":\"a\",\"tees\":[\"tdx\"],\n"
            "        \"tdx\": {\"mrdt\": []}}]}",
            "misspelt register", "policy.format",
            "policy line 3 column 17: unknown key \"mrdt\"; did you mean \"mrtd\"?");
    refused("{\"atls_policy\":1,\"workloads\":[\n{\"name\":\"a\",\"tees\":[\"tdx\"],\n"
            "        \"tdx\": [{}, {\"mrtd\": []}]}]}",
            "second set", "policy.format", "line 3 column 17: a set without a register");
}

static const struct {
    const char *what;
    const char *members; /* of a workload, behind name and tees sgx and tdx */
    const char *words;
} bad[] = {
    {"unknown key", ",\"tcbs\":{}", "did you mean \"tcb\"?"},
    {"far from any key", ",\"zzzzzz\":{}", "unknown key \"zzzzzz\""},
    {"a key of 60 letters", ",\"" H16 H16 "\":{}",
     "unknown key \"00112233445566778899aabbccddeeff00"},
    {"description", ",\"description\":1", "a string is wanted"},
    {"sets of no kind", ",\"tdx\":1", "an object of registers"},
    {"sets, empty list", ",\"tdx\":[]", "an empty list"},
    {"set, empty", ",\"tdx\":{}", "a set without a register"},
    {"set of the other TEE", ",\"tdx\":{\"mrenclave\":[\"" H32 "\"]}", "unknown key \"mrenclave\""},
    {"register no list", ",\"tdx\":{\"mrtd\":\"" H48 "\"}", "a list is wanted"},
    {"register, empty list", ",\"tdx\":{\"mrtd\":[]}", "an empty list"},
    {"register no string", ",\"tdx\":{\"mrtd\":[1]}", "hex in a string"},
    {"register too short", ",\"tdx\":{\"mrtd\":[\"" H32 "\"]}", "64 hex digits, where 96"},
    {"register too long", ",\"tdx\":{\"mrtd\":[\"" H64 "\"]}", "128 hex digits, where at most 96"},
    {"register, odd digits", ",\"tdx\":{\"mrtd\":[\"" H32 "1\"]}", "not hex"},
    {"register no hex", ",\"tdx\":{\"mrtd\":[\"0x" H32 "\"]}", "not hex"},
    {"register, no digits", ",\"tdx\":{\"mrtd\":[\"\"]}", "not hex"},
    {"number as text", ",\"sgx\":{\"isvprodid\":\"1\"}", "a whole number"},
    {"number negative", ",\"sgx\":{\"isvprodid\":-1}", "-1, where 0 to 65535"},
    {"number too large", ",\"sgx\":{\"isvprodid\":65536}", "65536, where 0 to 65535"},
    {"mrsigner alone", ",\"sgx\":{\"mrsigner\":[\"" H32 "\"]}", "mrsigner needs isvprodid"},
    {"mrsigner without svn", ",\"sgx\":{\"mrsigner\":[\"" H32 "\"],\"isvprodid\":1}",
     "mrsigner needs isvprodid"},
    {"mrsigner without product", ",\"sgx\":{\"mrsigner\":[\"" H32 "\"],\"isvsvn_min\":1}",
     "mrsigner needs isvprodid"},
    {"owner mrsigner alone", ",\"owner\":{\"mrsigner\":[\"" H32 "\"],\"mrowner\":[\"" H48 "\"]}",
     "mrsigner needs"},
    {"owner mrsigner beside another set",
     ",\"sgx\":{\"isvprodid\":1},\"owner\":{\"mrsigner\":[\"" H32 "\"],\"mrowner\":[\"" H48 "\"]}",
     "mrsigner needs"},
    {"owner no object", ",\"owner\":[]", "at least one owner claim"},
    {"owner empty", ",\"owner\":{}", "at least one owner claim"},
    {"owner of a register that is none", ",\"owner\":{\"mrtd\":[]}", "unknown key \"mrtd\""},
    {"owner misspelt", ",\"owner\":{\"mrowners\":[]}", "did you mean \"mrowner\"?"},
    {"owner zero", ",\"owner\":{\"mrowner\":[\"" Z48 Z48 "\"]}", "all zero"},
    {"owner for one TEE of two", ",\"owner\":{\"mrowner\":[\"" H48 "\"]}", "no claim of sgx"},
    {"tcb no object", ",\"tcb\":[]", "an object is wanted (tcb)"},
    {"statuses no list", ",\"tcb\":{\"statuses\":\"UpToDate\"}", "a list is wanted"},
    {"statuses empty", ",\"tcb\":{\"statuses\":[]}", "an empty list"},
    {"status no string", ",\"tcb\":{\"statuses\":[1]}", "a string is wanted"},
    {"status misspelt", ",\"tcb\":{\"statuses\":[\"UptoDate\"]}", "did you mean \"UpToDate\"?"},
    {"status Revoked", ",\"tcb\":{\"statuses\":[\"Revoked\"]}", "Revoked cannot be accepted"},
    {"grace and the status", ",\"tcb\":{\"statuses\":[\"OutOfDate\"],\"grace_days\":1}",
     "name one of the two"},
    {"grace zero", ",\"tcb\":{\"grace_days\":0}", "0, where 1 to 3650"},
    {"grace too long", ",\"tcb\":{\"grace_days\":3651}", "3651, where"},
    {"advisories no list", ",\"tcb\":{\"advisories_allowed\":{}}", "a list is wanted"},
    {"advisory no object", ",\"tcb\":{\"advisories_allowed\":[\"X\"]}", "(advisory)"},
    {"advisory without id", ",\"tcb\":{\"advisories_allowed\":[{}]}", "\"id\" is missing"},
    {"advisory date", ",\"tcb\":{\"advisories_allowed\":[{\"id\":\"X\",\"until\":\"2026-02-30\"}]}",
     "a date is wanted"},
    {"advisory date no string", ",\"tcb\":{\"advisories_allowed\":[{\"id\":\"X\",\"until\":1}]}",
     "a date is wanted"},
    {"evaluation number zero", ",\"tcb\":{\"min_evaluation_number\":0}", "0, where 1 to"},
    {"evaluation number too large", ",\"tcb\":{\"min_evaluation_number\":4294967296}",
     "where 1 to"},
    {"collateral age", ",\"tcb\":{\"max_collateral_age_days\":0}", "0, where 1 to 3650"},
    {"collateral grace zero", ",\"tcb\":{\"collateral_grace_days\":0}", "0, where 1 to 90"},
    {"collateral grace too long", ",\"tcb\":{\"collateral_grace_days\":91}", "91, where 1 to 90"},
    {"platforms no object", ",\"platforms\":[]", "platform ids is wanted"},
    {"platforms empty", ",\"platforms\":{}", "at least one list"},
    {"ppid empty", ",\"platforms\":{\"ppid\":[]}", "an empty list"},
    {"ppid zero", ",\"platforms\":{\"ppid\":[\"00000000000000000000000000000000\"]}", "all zero"},
    {"ppid short", ",\"platforms\":{\"ppid\":[\"00\"]}", "2 hex digits, where 32"},
    {"serial no hex", ",\"platforms\":{\"pck_serial\":[\"xy\"]}", "not hex"},
    {"serial zero", ",\"platforms\":{\"pck_serial\":[\"0000\"]}", "all zero"},
    {"serial empty list", ",\"platforms\":{\"pck_serial\":[]}", "an empty list"},
    {"serial too long", ",\"platforms\":{\"pck_serial\":[\"" H16 "0011223344\"]}", "at most 40"},
    {"instance id", ",\"platforms\":{\"instance_id\":[\"" H32 "\"]}", "at most 32"},
    {"fmspc as an identity", ",\"platforms\":{\"fmspc\":[\"00806f050000\"]}", "unknown key"},
    {"fmspc", ",\"fmspc\":[\"00806f0500\"]", "10 hex digits, where 12"},
    {"allow no object", ",\"allow\":true", "(allow)"},
    {"allow no bool", ",\"allow\":{\"debug\":1}", "true or false"},
    {"allow sept no bool", ",\"allow\":{\"sept_ve_disable_clear\":null}", "true or false"},
    {"migration unpinned", ",\"allow\":{\"migratable\":true}", "migratable needs service_td"},
    {"service td zero", ",\"allow\":{\"service_td\":[\"" Z48 Z48 "\"]}", "all zero"},
    {"pki no object", ",\"pki\":[]", "(pki)"},
    {"pki without names", ",\"pki\":{}", "\"names\" is missing"},
    {"pki names empty", ",\"pki\":{\"names\":[]}", "an empty list"},
    {"pki name empty", ",\"pki\":{\"names\":[\"\"]}", "a string of 0 bytes"},
    {"pki wildcard", ",\"pki\":{\"names\":[\"*.example\"]}", "without wildcard"},
    {"pki name not ASCII", ",\"pki\":{\"names\":[\"\\u00e9.example\"]}", "not printable ASCII"},
    {"pki name with DEL", ",\"pki\":{\"names\":[\"a\\u007f\"]}", "not printable ASCII"},
    {"two keys without pki", ",\"two_keys\":true", "two_keys needs pki"},
    {"two keys no bool", ",\"two_keys\":\"yes\"", "true or false"},
    {"bindings no list", ",\"bindings\":\"atls/1\"", "a list is wanted"},
    {"bindings empty", ",\"bindings\":[]", "an empty list"},
    {"binding unknown", ",\"bindings\":[\"atls/2\"]", "did you mean \"atls/1\"?"},
    {"binding none", ",\"bindings\":[\"none\"]", "unknown binding \"none\""},
    {"binding no string", ",\"bindings\":[1]", "a string is wanted"},
    {"age zero", ",\"max_evidence_age_s\":0", "0, where 1 to"},
    {"age a year and more", ",\"max_evidence_age_s\":31536001", "where 1 to"},
    {"reattest real", ",\"reattest_s\":1.5", "a whole number"},
    {"reattest after the age", ",\"max_evidence_age_s\":300,\"reattest_s\":300", "must be less"},
    {"move no bool", ",\"platform_may_move\":0", "true or false"},
};

static void each_mistake_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[4096];
        (void)snprintf(text, sizeof text,
                       "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\","
                       "\"tees\":[\"sgx\",\"tdx\"]%s}]}",
                       bad[i].members);
        refused(text, bad[i].what, "policy.format", bad[i].words);
        atls_policy *p = NULL;
        atls_err err;
        assert_int_equal(parse(text, &p, &err), ATLS_E_USAGE);
        assert_non_null(strstr(err.msg, "policy line 1 column "));
    }
}

static void names_and_tees_are_checked(void **state)
{
    (void)state;
#define TOP "{\"atls_policy\":1,\"workloads\":"
    refused(TOP "{}}", "no list", "policy.format", "a list is wanted");
    refused(TOP "[]}", "none", "policy.format", "an empty list");
    refused(TOP "[1]}", "no object", "policy.format", "(workload)");
    refused(TOP "[{\"tees\":[\"tdx\"]}]}", "no name", "policy.format", "\"name\" is missing");
    refused(TOP "[{\"name\":\"a\"}]}", "no tees", "policy.format", "\"tees\" is missing");
    refused(TOP "[{\"name\":1,\"tees\":[\"tdx\"]}]}", "name", "policy.format", "a string is");
    refused(TOP "[{\"name\":\" a\",\"tees\":[\"tdx\"]}]}", "space", "policy.format",
            "without space");
    refused(TOP "[{\"name\":\"a\\n\",\"tees\":[\"tdx\"]}]}", "newline", "policy.format",
            "not printable ASCII");
    refused(TOP "[{\"name\":\"" H64 "1\",\"tees\":[\"tdx\"]}]}", "129", "policy.format",
            "1 to 128 characters");
    refused(TOP "[{\"name\":\"" H64 H64 "\",\"tees\":[\"tdx\"]}]}", "256", "policy.format",
            "a string of 256 bytes");
    refused(TOP "[{\"name\":\"a\",\"tees\":[]}]}", "no tee", "policy.format", "an empty list");
    refused(TOP "[{\"name\":\"a\",\"tees\":[\"tdxx\"]}]}", "tee", "policy.format",
            "unknown TEE \"tdxx\"; did you mean \"tdx\"?");
    refused(TOP "[{\"name\":\"a\",\"tees\":[\"sev\"]}]}", "other tee", "policy.format",
            "unknown TEE \"sev\"");
    refused(TOP "[{\"name\":\"a\",\"tees\":[\"sgx\"],\"tdx\":{\"mrtd\":[\"" H48 "\"]}}]}",
            "sets of a TEE that is not named", "policy.format", "registers of tdx");
    refused(TOP "[{\"name\":\"a\",\"tees\":[\"sgx\"],\"owner\":{\"mrowner\":[\"" H48 "\"]}}]}",
            "owner of a TEE that is not named", "policy.format", "registers of tdx");
    refused(TOP "[{\"name\":\"a\",\"tees\":[\"sgx\"]},\n{\"name\":\"a\",\"tees\":[\"tdx\"]}]}",
            "name twice", "policy.format", "line 2 column 1: two workloads of the name \"a\"");
}

/* n elements of one kind: a list that is too long by one, and one that is just long enough. */
static char *list_of(const char *before, const char *element, size_t n, const char *behind)
{
    char *text = malloc(strlen(before) + n * (strlen(element) + 12) + strlen(behind) + 1);
    char *p = text + sprintf(text, "%s", before);
    for (size_t i = 0; i < n; i++) {
        p += sprintf(p, i == 0 ? "" : ",");
        p += sprintf(p, element, (int)i);
    }
    (void)sprintf(p, "%s", behind);
    return text;
}

static void lists_have_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *before, *element, *behind, *words;
        size_t max;
    } lists[] = {
        {TOP "[", "{\"name\":\"w%d\",\"tees\":[\"tdx\"]}", "]}", "257 workloads", 256},
        {TOP "[{\"name\":\"a\",\"tees\":[\"tdx\"],\"tdx\":[", "{\"xfam\":[\"%016x\"]}", "]}]}",
         "65 sets", 64},
        {TOP "[{\"name\":\"a\",\"tees\":[\"tdx\"],\"fmspc\":[", "\"%012x\"", "]}]}",
         "a list of 1025", 1024},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char *fits = list_of(lists[i].before, lists[i].element, lists[i].max, lists[i].behind);
        char *more = list_of(lists[i].before, lists[i].element, lists[i].max + 1, lists[i].behind);
        atls_policy_free(good(fits));
        refused(more, "too long", "policy.format", lists[i].words);
        free(fits);
        free(more);
    }
}

/* --- warnings, explanations --- */

static bool warns(const atls_policy *p, const char *words)
{
    const char *w;
    for (size_t i = 0; (w = atls_policy_warning(p, i)) != NULL; i++) {
        if (strstr(w, words) != NULL) {
            assert_non_null(strstr(w, "workload \"web\": "));
            return true;
        }
    }
    return false;
}

static void what_is_weak_is_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *words;
        bool expected;
    } cases[] = {
        {"", "identity none", true},
        {"", "measurements unchecked", true},
        {",\"pki\":{\"names\":[\"a\"]}", "identity none", false},
        {",\"platforms\":{\"ppid\":[\"" H16 "\"]}", "identity none", false},
        {",\"fmspc\":[\"00806f050000\"]", "no identity", true},
        {",\"sgx\":{\"mrenclave\":[\"" H32 "\"]},\"owner\":{\"mrowner\":[\"" H48
         "\"],\"configid\":[\"" H64 "\"]}",
         "only owner claims", true},
        {",\"tdx\":{\"rtmr1\":[\"" H48 "\"]}", "without mrtd", true},
        {",\"tdx\":{\"mrtd\":[\"" H48 "\"]}", "without rtmr0", true},
        {",\"tdx\":{\"mrtd\":[\"" H48 "\"],\"rtmr1\":[\"" H48 "\"]}", "without", false},
        {",\"sgx\":{\"isvprodid\":1}", "neither mrenclave nor mrsigner", true},
        {",\"tcb\":{\"statuses\":[\"OutOfDate\"]}", "accepted for ever", true},
        {",\"tcb\":{\"statuses\":[\"SWHardeningNeeded\"]}", "whatever advisories", true},
        {",\"tcb\":{\"statuses\":[\"SWHardeningNeeded\"],\"advisories_allowed\":[]}",
         "whatever advisories", false},
        {",\"allow\":{\"debug\":true}", "debug is allowed", true},
        {",\"allow\":{\"sept_ve_disable_clear\":true}", "SEPT_VE_DISABLE", true},
        {",\"allow\":{\"service_td\":[\"" H48 "\"]}", "service TD", true},
        {",\"bindings\":[\"ra-tls-oe\"]", "steals that key", true},
        {"", "steals that key", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_policy *p = good_workload(cases[i].members);
        if (warns(p, cases[i].words) != cases[i].expected) {
            fail_msg("%s: %s", cases[i].members, cases[i].words);
        }
        atls_policy_free(p);
    }
}

static void explanations_say_all(void **state)
{
    (void)state;
    atls_policy *p = good(full);
    char *text = atls_policy_explain(p);
    static const char *const words[] = {
        "one of 1 workload.",
        "web: runs in sgx or tdx",
        "software in sgx",
        "or, in tdx",
        "mrtd",
        "isvsvn_min",
        "30 days after its tcbDate",
        "INTEL-SA-00615 may be open until 2026-01-31",
        "evaluation number 17",
        "at most 30 days ago",
        "a.example",
        "b.example",
        "PPID",
        "PCK serial",
        "instance id",
        "FMSPC",
        "mrownerconfig",
        "signed at launch",
        "allowed: debug",
        "migration",
        "atls/1 or ra-tls, two keys",
        "at most 3600 s",
        "every 300 s, on another platform too",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(text, words[i]) == NULL) {
            fail_msg("\"%s\" is not in:\n%s", words[i], text);
        }
    }
    atls_free(text);
    atls_policy_free(p);

    p = good_workload("");
    text = atls_policy_explain(p);
    assert_non_null(strstr(text, "software in tdx: unchecked"));
    assert_non_null(strstr(text, "whoever runs the same image"));
    atls_free(text);
    atls_policy_free(p);

    p = atls_policy_builtin();
    text = atls_policy_explain(p);
    assert_non_null(strstr(text, "built-in rule"));
    assert_null(atls_policy_warning(p, 0));
    atls_free(text);
    atls_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_taken),
        cmocka_unit_test(defaults_are_the_strict_ones),
        cmocka_unit_test(a_policy_is_shared_by_reference),
        cmocka_unit_test(broken_json_is_the_callers_mistake),
        cmocka_unit_test(positions_are_those_of_the_mistake),
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(names_and_tees_are_checked),
        cmocka_unit_test(lists_have_their_limits),
        cmocka_unit_test(what_is_weak_is_warned_of),
        cmocka_unit_test(explanations_say_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
