/* The policy parser on what families beside Intel's bring: what it refuses, warns of, and says in plain words. */
#include "unit/appraise_rig.h"

#include "policy/policy.h"

typedef struct parse_case {
    const char *tees, *members, *words;
} parse_case;

static atls_policy *parsed(const char *tees, const char *members, atls_err *err)
{
    char text[9000];
    atls_policy *p = NULL;
    int len = snprintf(text, sizeof text,
                       "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\n\"tees\":[%s]%s}]}",
                       tees, members);
    atls_code rc = atls_policy_parse((atls_buf){(const uint8_t *)text, (size_t)len}, &p, err);
    assert_true((rc == ATLS_OK) == (p != NULL));
    return p;
}

static void each_mistake_is_named(void **state)
{
    (void)state;
    static const parse_case cases[] = {
        {"\"snp\"", ",\"snp\":{\"measurment\":[]}",
         "line 2 column 23: unknown key \"measurment\"; did you mean \"measurement\"?"},
        {"\"snp\"", ",\"snp\":{\"measurement\":[\"00\"]}", "2 hex digits, where 96"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":4294967296}", "4294967296, where 0 to 4294967295"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":\"3\"}", "a whole number is wanted, or its hex text"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":\"0x\"}", "a whole number"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":\"0xg\"}", "a whole number"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":\"0x12345678901234567\"}", "a whole number"},
        {"\"snp\"", ",\"snp\":{\"policy_clear\":12}", "a mask as hex text"},
        {"\"snp\"", ",\"snp\":{\"policy_clear\":\"0x0\"}", "no bit is set"},
        {"\"snp\"", ",\"snp\":{\"product\":[\"Genova\"]}", "did you mean \"Genoa\"?"},
        {"\"snp\"", ",\"snp\":{\"product\":\"Genoa\"}", "a list is wanted"},
        {"\"snp\"", ",\"snp\":{\"product\":[]}", "an empty list"},
        {"\"snp\"", ",\"snp\":{\"why\":\"nothing else\"}", "a set without a register"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":0,\"why\":1}", "a string is wanted, or an object"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":0,\"why\":{\"vmpl\":1}}", "a string is wanted"},
        {"\"snp\"", ",\"snp\":{\"vmpl\":0,\"why\":{\"vmp\":\"x\"}}",
         "line 2 column 39: a reason for what does not stand beside"},
        {"\"snp\"", ",\"tdx\":{\"mrtd\":[\"" AA48 "\"]}", "registers of tdx are named"},
        {"\"snp\"", ",\"owner\":{\"pcr3\":[\"" AA48 "\"]}", "registers of nitro are named"},
        {"\"snp\",\"nitro\"", ",\"owner\":{\"pcr3\":[\"" AA48 "\"]}",
         "owner names no claim of snp"},
        {"\"snp\"", ",\"owner\":{\"host_dat\":[]}", "did you mean \"host_data\"?"},
        {"\"snp\"", ",\"owner\":{\"why\":\"x\"}", "at least one owner claim"},
        {"\"azure\"", ",\"owner\":{\"host_data\":[\"" AA32 "\"]}", "registers of snp are named"},
        {"\"azure\"", ",\"sgx\":{\"isvprodid\":1}", "registers of sgx are named"},
        {"\"tpm\"", ",\"tpm\":{\"sha265\":{}}", "did you mean \"sha256\"?"},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{}}", "an object is wanted, from index to values"},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":[]}", "an object is wanted, from index to values"},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{\"24\":[\"" AA32 "\"]}}", "unknown key \"24\""},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{\"07\":[\"" AA32 "\"]}}", "unknown key \"07\""},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{\"7\":[\"" AA48 "\"]}}",
         "96 hex digits, where at most 64"},
        {"\"tpm\"", ",\"tpm\":{\"7\":[\"" AA48 "\"]}", "unknown key \"7\""},
        {"\"tpm\"", ",\"tpm\":{\"sha1\":{\"7\":[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]}}",
         "or allow sha1"},
        {"\"tpm\"", ",\"tpm\":{\"safe\":false}", "true is wanted"},
        {"\"tpm\"", ",\"tpm\":{\"ak_trust\":[\"none\"]}", "unknown ak_trust \"none\""},
        {"\"nitro\"", ",\"nitro\":{\"pcrs\":{\"0\":[\"aa\"]}}",
         "2 hex digits, where 64, 96 or 128"},
        {"\"nitro\"", ",\"nitro\":{\"pcrs\":{\"32\":[\"" AA48 "\"]}}", "unknown key \"32\""},
        {"\"nitro\"", ",\"owner\":{\"pcr3\":[\"" AA48 "\"],\"pcr0\":[]}", "did you mean \"pcr3\"?"},
        {"\"cca\"", ",\"cca\":{\"components\":[]}", "an empty list"},
        {"\"cca\"", ",\"cca\":{\"components\":[{}]}", "\"signer_id\" is missing"},
        {"\"cca\"", ",\"cca\":{\"components\":[{\"signer_id\":[\"00\"]}]}",
         "2 hex digits, where 64"},
        {"\"cca\"", ",\"cca\":{\"realm_extensible_measurements\":{\"4\":[]}}", "unknown key \"4\""},
        {"\"jwt\"", ",\"jwt\":{\"kind\":[\"mma\"]}", "did you mean \"maa\"?"},
        {"\"jwt\"", ",\"jwt\":{\"attested_tee\":[\"sev\"]}", "unknown attested_tee \"sev\""},
        {"\"jwt\"", ",\"jwt\":{\"measurements\":{}}", "an object of 1 to 32 names"},
        {"\"jwt\"", ",\"jwt\":{\"measurements\":{\"a\":[\"x\"]}}", "not hex"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[]}", "an empty list"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"/a\"}]}", "\"equals\" is missing"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"a\",\"equals\":[1]}]}", "a JSON pointer"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"/~\",\"equals\":[1]}]}",
         "a JSON pointer"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"/~2\",\"equals\":[1]}]}",
         "a JSON pointer"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"/a\",\"equals\":[1.5]}]}",
         "a string, a whole"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"/a\",\"equals\":[null]}]}",
         "a string, a whole"},
        {"\"jwt\"",
         ",\"jwt\":{\"claims\":[{\"pointer\":\"/a\",\"equals\":[\"" AA48 AA48 AA48 "\"]}]}",
         "a value of more than 255 bytes"},
        {"\"azure\"", ",\"azure\":{\"vm_id\":[1]}", "a string is wanted"},
        {"\"snp\"", ",\"crl\":\"optional\"", "unknown word \"optional\""},
        {"\"snp\"", ",\"amd\":{\"provisional\":\"allow\"}", "unknown word \"allow\""},
        {"\"snp\"", ",\"amd\":{\"vlek\":\"refuse\",\"csp_id\":[\"a\"]}", "name one of the two"},
        {"\"snp\"", ",\"amd\":{\"firmware_min\":\"1.55\"}", "a version is wanted"},
        {"\"snp\"", ",\"amd\":{\"firmware_min\":\"1.55.256\"}", "a version is wanted"},
        {"\"snp\"", ",\"amd\":{\"firmware_min\":\"1.55.29.1\"}", "a version is wanted"},
        {"\"snp\"", ",\"amd\":{\"firmware_min\":\"1..29\"}", "a version is wanted"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[]}", "an empty list"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{}]}", "\"product\" is missing"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{\"product\":\"Milano\"}]}", "did you mean \"Milan\"?"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\",\"min\":{\"fmc\":1}}]}",
         "Milan has no fmc"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\",\"min\":{}}]}",
         "at least one component"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\",\"min\":{\"snp\":256}}]}",
         "256, where 0 to 255"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\",\"until\":\"x\"}]}", "a date"},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\",\"date\":\"x\"}]}", "a date"},
        {"\"snp\"", ",\"platforms\":{\"chip_id\":[\"" AA32 "\"]}", "64 hex digits, where 128"},
        {"\"snp\"", ",\"platforms\":{\"chip_id\":[\"0000000000000000\"]}", "all zero"},
        {"\"snp\"", ",\"platforms\":{\"chipid\":[]}", "did you mean \"chip_id\"?"},
        {"\"snp\"", ",\"platforms\":{\"why\":\"x\"}", "at least one list"},
        {"\"snp\"", ",\"platforms\":{\"ppid\":[\"" PP16 "\"]}", "platforms names no id of snp"},
        {"\"tpm\"", ",\"platforms\":{\"gcp_instance_id\":[\"0\"]}", "a number in decimal"},
        {"\"tpm\"", ",\"platforms\":{\"gcp_instance_id\":[\"1x\"]}", "a number in decimal"},
        {"\"tpm\"", ",\"platforms\":{\"gcp_instance_id\":[1]}", "a number in decimal"},
        {"\"tpm\"", ",\"platforms\":{\"gcp_instance_id\":[\"18446744073709551616\"]}",
         "a number in decimal"},
        {"\"tpm\"", ",\"platforms\":{\"gcp_instance_id\":[\"111111111111111111111\"]}",
         "a number in decimal"},
        {"\"snp\"", ",\"allow\":{\"migration_agent\":[\"" AA48 "\"]}", "96 hex digits"},
        {"\"tdx\"", ",\"events\":[]", "an empty list"},
        {"\"tdx\"", ",\"events\":[{}]", "an event is named by"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\",\"rtmr\":3}]", "an event is named by"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\",\"type\":\"EV_IPL\"}]", "an event is named by"},
        {"\"tdx\"", ",\"events\":[{\"pcr\":1,\"rtmr\":1,\"type\":\"EV_IPL\"}]",
         "an event is named by"},
        {"\"tdx\"", ",\"events\":[{\"type\":\"EV_IPL\"}]", "an event is named by"},
        {"\"tdx\"", ",\"events\":[{\"rtmr\":1}]", "this asks nothing"},
        {"\"tdx\"", ",\"events\":[{\"rtmr\":4,\"absent\":true}]", "4, where 0 to 3"},
        {"\"tpm\"", ",\"events\":[{\"pcr\":24,\"absent\":true}]", "24, where 0 to 23"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a:b\"}]", "a name with ':'"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\",\"absent\":true,\"payload\":[\"00\"]}]",
         "has no payload"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\",\"absent\":true,\"required\":false}]",
         "has no payload"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\",\"payload\":[\"\"]}]", "not hex"},
        {"\"tdx\"", ",\"events\":[{\"rtmr\":1,\"type\":\"EV_IPLX\"}]", "did you mean \"EV_IPL\"?"},
        {"\"tdx\"", ",\"events\":[{\"pcr\":1,\"type\":\"EV_IPL\"}]", "evidence of tdx has not"},
        {"\"tpm\"", ",\"events\":[{\"rtmr\":1,\"type\":\"EV_IPL\"}]", "evidence of tpm has not"},
        {"\"snp\"", ",\"events\":[{\"name\":\"a\"}]", "evidence of snp has not"},
        {"\"tdx\"", ",\"replay\":[\"pcr1\"]", "evidence of tdx has not"},
        {"\"tpm\"", ",\"replay\":[\"rtmr1\"]", "evidence of tpm has not"},
        {"\"tdx\"", ",\"replay\":[\"rtmr4\"]", "\"rtmr0\" to \"rtmr3\""},
        {"\"tdx\"", ",\"replay\":[\"ima\"]", "evidence of tdx has not"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_err err = {0};
        atls_policy *p = parsed(cases[i].tees, cases[i].members, &err);
        if (p != NULL || err.code != ATLS_E_USAGE || strcmp(err.check, "policy.format") != 0 ||
            strstr(err.msg, cases[i].words) == NULL) {
            fail_msg("%s: %s\nwanted %s", cases[i].members, err.msg, cases[i].words);
        }
        assert_non_null(strstr(err.msg, "policy line "));
        assert_null(strstr(err.msg, "policy line 0 "));
    }
}

/* A list of n times this element. */
static void refused_when_long(const char *tees, const char *before, const char *element, size_t n,
                              const char *after, const char *words)
{
    static char members[400000];
    size_t len = (size_t)snprintf(members, sizeof members, "%s", before);
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(members + len, sizeof members - len, "%s%s", i > 0 ? "," : "",
                                element);
    }
    (void)snprintf(members + len, sizeof members - len, "%s", after);
    static char text[500000];
    int total = snprintf(text, sizeof text,
                         "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[%s]%s}]}",
                         tees, members);
    atls_policy *p = NULL;
    atls_err err = {0};
    assert_int_equal(atls_policy_parse((atls_buf){(const uint8_t *)text, (size_t)total}, &p, &err),
                     ATLS_E_USAGE);
    if (strstr(err.msg, words) == NULL) {
        fail_msg("%s, wanted %s", err.msg, words);
    }
}

static void lists_have_their_limits(void **state)
{
    (void)state;
    refused_when_long("\"snp\"", ",\"amd\":{\"tcb_min\":[", "{\"product\":\"Milan\"}", 129, "]}",
                      "129 entries, where at most 128");
    refused_when_long("\"tdx\"", ",\"events\":[", "{\"name\":\"a\"}", 65, "]",
                      "65 events, where at most 64");
    refused_when_long("\"cca\"", ",\"cca\":{\"components\":[", "{\"signer_id\":[\"" AA32 "\"]}", 65,
                      "]}", "65 components, where at most 64");
    refused_when_long("\"jwt\"", ",\"jwt\":{\"claims\":[", "{\"pointer\":\"/a\",\"equals\":[1]}",
                      33, "]}", "33 claims, where at most 32");
    refused_when_long("\"jwt\"", ",\"jwt\":{\"issuer\":[", "\"a\"", 1025, "]}", "at most 1024");
}

static bool warns(const atls_policy *p, const char *words)
{
    const char *w;
    for (size_t i = 0; (w = atls_policy_warning(p, i)) != NULL; i++) {
        if (strstr(w, words) != NULL) {
            return true;
        }
    }
    return false;
}

static void what_is_weak_is_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *tees, *members, *words;
        bool expected;
    } cases[] = {
        {"\"snp\"", "", "measurements unchecked", true},
        {"\"snp\"", "", "AMD tells no TCB status", true},
        {"\"tdx\"", "", "AMD tells no TCB status", false},
        {"\"snp\"", ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\"}]}", "AMD tells no", false},
        {"\"snp\"", "", "any provider's key", true},
        {"\"snp\"", ",\"amd\":{\"vlek\":\"refuse\"}", "any provider's key", false},
        {"\"snp\"", ",\"amd\":{\"csp_id\":[\"a\"]}", "any provider's key", false},
        {"\"snp\"", ",\"crl\":\"if-present\"", "hides a revocation", true},
        {"\"snp\"", ",\"crl\":\"required\"", "hides a revocation", false},
        {"\"snp\"",
         ",\"platforms\":{\"chip_id\":[\"1111111111111111\"]},\"amd\":{\"masked_chip\":\"allow\"}",
         "never fit", true},
        {"\"snp\"", ",\"platforms\":{\"chip_id\":[\"1111111111111111\"]}", "never fit", false},
        {"\"snp\"", ",\"platforms\":{\"chip_id\":[\"1111111111111111\"]}", "identity none", false},
        {"\"snp\"", ",\"allow\":{\"migration_agent\":[\"" AA32 "\"]}", "migration agent", true},
        {"\"azure\"", ",\"snp\":{\"measurement\":[\"" AA48 "\"]}", "Microsoft's paravisor", true},
        {"\"azure\"", ",\"tpm\":{\"sha256\":{\"4\":[\"" AA32 "\"]}}", "Microsoft's paravisor",
         false},
        {"\"azure\"", ",\"tpm\":{\"sha256\":{\"4\":[\"" AA32 "\"]}}", "unchecked", false},
#define PCR4 ",\"tpm\":{\"sha256\":{\"4\":[\"" AA32 "\"]}}"
#define SNP  ",\"snp\":{\"measurement\":[\"" AA48 "\"]}"
#define MRTD ",\"tdx\":{\"mrtd\":[\"" AA48 "\"]}"
        {"\"azure\"", PCR4, "which paravisor", true},
        {"\"azure\"", PCR4 ",\"owner\":{\"vm_id\":[\"8C3A1F60-2B7D-4E09-9A51-6D2E7F80B1C4\"]}",
         "which paravisor", true},
        {"\"azure\"", PCR4 ",\"snp\":{\"vmpl\":0}" MRTD, "which paravisor", true},
        {"\"azure\"", PCR4 SNP, "which paravisor", true}, /* of a TD's nobody asks */
        {"\"azure\"", PCR4 SNP MRTD, "which paravisor", false},
        {"\"azure\"", PCR4 MRTD ",\"snp\":{\"id_key_digest\":[\"" AA48 "\"]}", "which paravisor",
         false},
        {"\"snp-tpm\"", PCR4, "which firmware", true},
        {"\"snp-tpm\"", PCR4 SNP, "which firmware", false},
        {"\"tpm\"", PCR4, "which", false},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{\"16\":[\"" AA32 "\"]}}", "PCR 16 and 23", true},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{\"23\":[\"" AA32 "\"]}}", "without a PCR that lasts",
         true},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{\"7\":[\"" AA32 "\"]}}", "PCR 16", false},
        {"\"tpm\"", ",\"tpm\":{\"safe\":true}", "without a PCR that lasts", true},
        {"\"tpm\"", ",\"allow\":{\"sha1\":true}", "sha1 is allowed", true},
        {"\"tpm\"", ",\"events\":[{\"pcr\":4,\"type\":\"EV_IPL\"}]", "named by its type", true},
        {"\"tpm\"", ",\"events\":[{\"pcr\":4,\"digest\":[\"" AA32 "\"]}]", "named by its type",
         false},
        {"\"tdx\"", ",\"events\":[{\"name\":\"compose-hash\"}]", "measurements unchecked", false},
        {"\"nitro\"", ",\"platforms\":{\"nitro_instance\":[\"i-1\"]}", "not a leaked key", true},
        {"\"jwt\"", "", "any token of a trusted key", true},
        {"\"jwt\"", ",\"jwt\":{\"issuer\":[\"a\"]}", "any token of a trusted key", false},
        {"\"cca\"", ",\"allow\":{\"unsecured_lifecycle\":true}", "unsecured life cycle", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_err err = {0};
        atls_policy *p = parsed(cases[i].tees, cases[i].members, &err);
        if (p == NULL || warns(p, cases[i].words) != cases[i].expected) {
            fail_msg("%s: %s %s", cases[i].members, cases[i].words, err.msg);
        }
        atls_policy_free(p);
    }
}

static void explanations_say_all(void **state)
{
    (void)state;
    static const parse_case cases[] = {
        {"\"snp\",\"tdx\"", ",\"snp\":{\"vmpl_max\":1,\"policy_clear\":\"0x10\"}",
         "policy_clear     0x10 clear"},
        {"\"snp\"", ",\"snp\":{\"product\":[\"Milan\",\"Genoa\"]}", "Milan or Genoa"},
        {"\"snp\"", ",\"snp\":{\"vmpl_max\":1}", "vmpl_max         1"},
        {"\"snp\"", "", "not revoked, by AMD's CRL"},
        {"\"snp\"", ",\"crl\":\"if-present\"", "a missing CRL refuses nothing"},
        {"\"snp\"",
         ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\",\"family\":25,\"model\":1,\"stepping\":2,"
         "\"min\":{\"snp\":24},\"launch_min\":{\"tee\":1},\"until\":\"2026-01-31\",\"reason\":\"SB\"}]}",
         "Milan family 25 model 1 stepping 2, snp 24 or more, tee at launch 1 or more; less until "
         "2026-01-31T23:59:59Z (SB)"},
        {"\"snp\"", ",\"amd\":{\"firmware_min\":\"1.55.29\"}", "firmware 1.55.29 or newer"},
        {"\"snp\"",
         ",\"amd\":{\"provisional\":\"refuse\",\"reserved\":\"refuse\",\"vlek\":\"refuse\","
         "\"masked_chip\":\"allow\"}",
         "no provisional firmware"},
        {"\"snp\"", ",\"amd\":{\"csp_id\":[\"aws\"]}", "provider (VLEK)  aws"},
        {"\"snp\"", ",\"platforms\":{\"chip_id\":[\"1111111111111111\"]}", "chip id"},
        {"\"tpm\"", ",\"tpm\":{\"sha256\":{\"7\":[\"" AA32 "\"]},\"safe\":true}", "sha256 7"},
        {"\"tpm\"", ",\"tpm\":{\"safe\":true}", "safe             yes"},
        {"\"cca\"",
         ",\"cca\":{\"components\":[{\"type\":\"BL\",\"signer_id\":[\"" AA32
         "\"],\"optional\":true}]}",
         "component (if any) BL signed by aa"},
        {"\"jwt\"", ",\"jwt\":{\"claims\":[{\"pointer\":\"/a/b\",\"equals\":[\"x\",7]}]}",
         "/a/b             \"x\" or 7"},
        {"\"jwt\"", ",\"jwt\":{\"measurements\":{\"mrtd\":[\"aabb\"]}}", "mrtd             aabb"},
        {"\"tdx\"", ",\"events\":[{\"name\":\"a\",\"payload\":[\"00\"]}]", "event a: payload 00"},
        {"\"tdx\"", ",\"events\":[{\"rtmr\":1,\"absent\":true}]",
         "event any event in rtmr1: must not be in the log"},
        {"\"tpm\"",
         ",\"events\":[{\"pcr\":4,\"type\":\"EV_IPL\",\"required\":false,\"digest\":[\"" AA32
         "\"]}]",
         "event EV_IPL in pcr4, if it is there: digest aa"},
        {"\"tdx\"", ",\"replay\":[\"rtmr3\"]", "explained by a log: rtmr3"},
        {"\"tpm\"", ",\"replay\":[\"pcr7\",\"ima\"]", "explained by a log: pcr7 IMA's pcr10"},
        {"\"cca\"", ",\"allow\":{\"unsecured_lifecycle\":true,\"sha1\":true}",
         "allowed: SHA-1 PCRs, unsecured life cycle"},
        {"\"azure\"", "", "web: runs in azure"},
        {"\"azure\"", ",\"tpm\":{\"safe\":true}", "software in tpm, all of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_err err = {0};
        atls_policy *p = parsed(cases[i].tees, cases[i].members, &err);
        char *text = p != NULL ? atls_policy_explain(p) : NULL;
        if (text == NULL || strstr(text, cases[i].words) == NULL) {
            fail_msg("\"%s\" (%s) is not in:\n%s", cases[i].words, err.msg, text);
        }
        atls_free(text);
        atls_policy_free(p);
    }
}

static void reasons_are_for_readers(void **state)
{
    (void)state;
    atls_err err = {0};
    atls_policy *p = parsed(
        "\"snp\"",
        ",\"why\":{\"snp\":\"our build\",\"tees\":\"AMD only\"},"
        "\"snp\":{\"vmpl\":0,\"why\":\"the kernel\"},\"owner\":{\"host_data\":[\"" AA32
        "\"],\"why\":{\"host_data\":\"ours\"}},\"platforms\":{\"chip_id\":[\"1111111111111111\"],"
        "\"why\":{\"chip_id\":\"rack 7\"}},\"amd\":{\"why\":\"bulletins\",\"tcb_min\":[{\"product\":"
        "\"Milan\",\"why\":\"2025\",\"min\":{\"snp\":1,\"why\":\"all\"}}]}",
        &err);
    assert_non_null(p);
    assert_int_equal(p->workloads[0].measured[ATLS_TEE_SNP].sets[0].rules_n, 1);
    assert_int_equal(p->workloads[0].measured[ATLS_TEE_SNP].owner.rules_n, 1);
    atls_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_named),     cmocka_unit_test(lists_have_their_limits),
        cmocka_unit_test(what_is_weak_is_warned_of), cmocka_unit_test(explanations_say_all),
        cmocka_unit_test(reasons_are_for_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
