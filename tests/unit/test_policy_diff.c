/* What one policy accepts and another does not. */
#include "unit/appraise_rig.h"

#include "policy/policy.h"

static atls_policy *of(const char *tees, const char *members)
{
    char text[8192];
    (void)snprintf(text, sizeof text, "{\"name\":\"web\",\"tees\":[%s]%s}", tees, members);
    return policy_of(text);
}

/* The text has these words, and the reverse comparison the same with A and B exchanged. */
static void differ(const char *tees, const char *a, const char *b, const char *words)
{
    bool equal = true;
    atls_policy *pa = of(tees, a);
    atls_policy *pb = of(tees, b);
    char *text = atls_policy_diff_text(pa, pb, &equal);
    if (strstr(text, words) == NULL) {
        fail_msg("%s against %s: \"%s\" is not in:\n%s", a, b, words, text);
    }
    assert_false(equal);
    atls_free(text);
    char mirrored[300];
    (void)snprintf(mirrored, sizeof mirrored, "%s", words);
    char *side = strstr(mirrored, "only ");
    if (side != NULL) {
        side[5] = side[5] == 'A' ? 'B' : 'A';
    }
    text = atls_policy_diff_text(pb, pa, &equal);
    if (strstr(text, mirrored) == NULL) {
        fail_msg("reversed, \"%s\" is not in:\n%s", mirrored, text);
    }
    assert_false(equal);
    atls_free(text);
    text = atls_policy_diff_text(pa, pa, &equal);
    assert_true(equal);
    assert_string_equal(text, "Both accept the same.\n");
    atls_free(text);
    atls_policy_free(pa);
    atls_policy_free(pb);
}

#define SNP_FLOOR(more)                                                                            \
    ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\",\"min\":{\"snp\":" more "}}]}"
#define TDX(more) ",\"tdx\":{" more "}"

static void each_demand_is_compared(void **state)
{
    (void)state;
    static const struct {
        const char *tees, *a, *b, *words;
    } cases[] = {
        {"\"tdx\"", TDX("\"mrtd\":[\"" AA48 "\"]"), TDX("\"mrtd\":[\"" BB48 "\",\"" AA48 "\"]"),
         "tdx: only B accepts software with all of:"},
        {"\"tdx\"", TDX("\"mrtd\":[\"" AA48 "\"],\"rtmr0\":[\"" AA48 "\"]"),
         TDX("\"mrtd\":[\"" AA48 "\"]"), "tdx: only B accepts software"},
        {"\"tdx\"", "", TDX("\"mrtd\":[\"" AA48 "\"]"), "tdx: only A accepts any software"},
        {"\"snp\"", ",\"snp\":{\"vmpl_max\":1}", ",\"snp\":{\"vmpl_max\":0}",
         "snp: only A accepts"},
        {"\"snp\"", ",\"snp\":{\"guest_svn_min\":1}", ",\"snp\":{\"guest_svn_min\":2}",
         "snp: only A accepts"},
        {"\"snp\"", ",\"snp\":{\"policy_clear\":\"0x3\"}", ",\"snp\":{\"policy_clear\":\"0x1\"}",
         "snp: only B accepts"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":1}", ",\"snp\":{\"vmpl\":0}", "snp: only A accepts"},
        {"\"snp\"", ",\"owner\":{\"host_data\":[\"" AA32 "\"]}", "",
         "owner.host_data: only B accepts anything"},
        {"\"snp\"", ",\"owner\":{\"host_data\":[\"" AA32 "\"]}",
         ",\"owner\":{\"host_data\":[\"" BB32 "\"]}", "owner.host_data: only A accepts aaaa"},
        {"\"snp\"", ",\"platforms\":{\"chip_id\":[\"1111111111111111\"]}",
         ",\"platforms\":{\"chip_id\":[\"1111111111111111\",\"1111111111111112\"]}",
         "platform.chip_id: only B accepts 11111111111111120"},
        {"\"snp\"", ",\"crl\":\"if-present\"", "",
         "crl: only A accepts SNP evidence without a CRL"},
        {"\"snp\"", SNP_FLOOR("24"), "", "amd.tcb_min: only B accepts anything"},
        {"\"snp\"", SNP_FLOOR("24"), SNP_FLOOR("25"),
         "amd.tcb_min: only A accepts     Milan, snp 24"},
        {"\"snp\"", ",\"amd\":{\"firmware_min\":\"1.2.3\"}",
         ",\"amd\":{\"firmware_min\":\"1.2.4\"}",
         "amd.firmware_min: only A accepts firmware older than 1.2.4"},
        {"\"snp\"", ",\"amd\":{\"provisional\":\"refuse\"}", "", "amd.provisional: only B accepts"},
        {"\"snp\"", ",\"amd\":{\"reserved\":\"refuse\"}", "", "amd.reserved: only B accepts"},
        {"\"snp\"", ",\"amd\":{\"vlek\":\"refuse\"}", "", "amd.vlek: only B accepts"},
        {"\"snp\"", ",\"amd\":{\"masked_chip\":\"allow\"}", "", "amd.masked_chip: only A accepts"},
        {"\"snp\"", ",\"amd\":{\"csp_id\":[\"a\"]}", ",\"amd\":{\"csp_id\":[\"b\"]}",
         "amd.csp_id: only B accepts b"},
        {"\"snp\"", ",\"allow\":{\"migration_agent\":[\"" AA32 "\"]}", "",
         "allow.migration_agent: only A accepts aa"},
        {"\"tdx\"", ",\"tcb\":{\"statuses\":[\"UpToDate\",\"ConfigurationNeeded\"]}", "",
         "tcb.statuses: only A accepts ConfigurationNeeded"},
        {"\"tdx\"", ",\"tcb\":{\"grace_days\":30}", ",\"tcb\":{\"grace_days\":20}",
         "tcb.grace_days: only A accepts OutOfDate up to 30 days"},
        {"\"tdx\"", ",\"tcb\":{\"advisories_allowed\":[]}", "",
         "tcb.advisories_allowed: only B accepts any open advisory"},
        {"\"tdx\"", ",\"tcb\":{\"advisories_allowed\":[{\"id\":\"X\",\"until\":\"2026-01-31\"}]}",
         ",\"tcb\":{\"advisories_allowed\":[{\"id\":\"X\"}]}",
         "tcb.advisories_allowed: only A accepts open X until 2026-01-31"},
        {"\"tdx\"", ",\"tcb\":{\"min_evaluation_number\":17}",
         ",\"tcb\":{\"min_evaluation_number\":19}",
         "tcb.min_evaluation_number: only A accepts 17 to 18"},
        {"\"tdx\"", ",\"tcb\":{\"max_collateral_age_days\":7}", "",
         "tcb.max_collateral_age_days: only B accepts any number, where the other takes at most 7"},
        {"\"tdx\"", ",\"tcb\":{\"collateral_grace_days\":7}",
         ",\"tcb\":{\"collateral_grace_days\":9}",
         "tcb.collateral_grace_days: only B accepts collateral up to 9 days past its next update, "
         "its origin not answering"},
        {"\"tdx\"", ",\"max_evidence_age_s\":60", ",\"max_evidence_age_s\":90",
         "max_evidence_age_s: only B accepts up to 90"},
        {"\"tdx\"", ",\"fmspc\":[\"00806f050000\"]", "", "fmspc: only B accepts anything"},
        {"\"tdx\"", ",\"pki\":{\"names\":[\"a\"]}", ",\"pki\":{\"names\":[\"a\",\"b\"]}",
         "pki: only B accepts b"},
        {"\"tdx\"", ",\"bindings\":[\"atls/1\",\"ra-tls\"]", ",\"bindings\":[\"atls/1\"]",
         "bindings: only A accepts ra-tls"},
        {"\"tdx\"", ",\"allow\":{\"debug\":true}", "", "allow.debug: only A accepts debug"},
        {"\"tdx\"", ",\"allow\":{\"sept_ve_disable_clear\":true}", "",
         "allow.sept_ve_disable_clear: only A"},
        {"\"tdx\"", ",\"platform_may_move\":true", "", "platform_may_move: only A accepts"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\",\"payload\":[\"00\",\"01\",\"02\"]}]",
         ",\"events\":[{\"name\":\"a\",\"payload\":[\"00\",\"01\",\"03\"]}]",
         "events: only B accepts what does not fit the event a: payload 00 or 01 or 1 more"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\"}]", "", "events: only B accepts"},
        {"\"tdx\"", ",\"replay\":[\"rtmr3\"]", "",
         "replay: only B accepts a log that does not explain register 3"},
        {"\"tpm\"", ",\"replay\":[\"ima\"]", "", "replay: only B accepts an IMA log"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"/a\",\"equals\":[1,2,3]}]}",
         ",\"jwt\":{\"claims\":[{\"pointer\":\"/a\",\"equals\":[1,2,4]}]}", "jwt: only A accepts"},
        {"\"cca\"", ",\"cca\":{\"components\":[{\"signer_id\":[\"" AA32 "\"]}]}",
         ",\"cca\":{\"components\":[{\"signer_id\":[\"" AA32 "\"],\"optional\":true}]}",
         "cca: only A accepts"},
        {"\"cca\"", ",\"allow\":{\"unsecured_lifecycle\":true}", "",
         "allow.unsecured_lifecycle: only A"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        differ(cases[i].tees, cases[i].a, cases[i].b, cases[i].words);
    }
}

static void the_same_in_other_words_is_the_same(void **state)
{
    (void)state;
    bool equal = false;
    atls_policy *a = of("\"tdx\"", ",\"tdx\":{\"mrtd\":[\"" AA48 "\",\"" BB48 "\"],\"why\":\"x\"},"
                                   "\"crl\":\"required\"");
    atls_policy *b =
        of("\"tdx\"", ",\"tdx\":[{\"mrtd\":[\"" BB48 "\",\"" AA48 "\"]},{\"mrtd\":[\"" AA48
                      "\"],\"rtmr0\":[\"" CC48 "\"]}],\"bindings\":[\"evidence-alone\","
                      "\"atls/1\"]");
    char *text = atls_policy_diff(a, b, &equal);
    assert_string_equal(text, "{\"equal\":true,\"differences\":[]}");
    assert_true(equal);
    atls_free(text);
    atls_policy_free(a);
    atls_policy_free(b);
}

static void workloads_are_compared_by_name(void **state)
{
    (void)state;
    bool equal = true;
    atls_policy *a =
        policy_of("{\"name\":\"x\",\"tees\":[\"tdx\"]},{\"name\":\"z\",\"tees\":[\"tdx\"]}");
    atls_policy *b = policy_of(
        "{\"name\":\"z\",\"tees\":[\"tdx\",\"sgx\"]},{\"name\":\"y\",\"tees\":[\"tdx\"]}");
    char *text = atls_policy_diff(a, b, &equal);
    assert_string_equal(
        text, "{\"equal\":false,\"differences\":["
              "{\"workload\":\"x\",\"what\":\"workload\",\"side\":\"a\",\"accepts\":\"the whole "
              "workload: only this policy has it\"},"
              "{\"workload\":\"z\",\"what\":\"tees\",\"side\":\"b\",\"accepts\":\"sgx\"},"
              "{\"workload\":\"y\",\"what\":\"workload\",\"side\":\"b\",\"accepts\":\"the whole "
              "workload: only this policy has it\"}]}");
    assert_false(equal);
    atls_free(text);
    atls_policy_free(a);
    atls_policy_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_demand_is_compared),
        cmocka_unit_test(the_same_in_other_words_is_the_same),
        cmocka_unit_test(workloads_are_compared_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
