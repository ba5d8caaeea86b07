/* Appraisal: registers of every family, one by one: what fits, and what each check refuses. */
#include "unit/appraise_families_rig.h"

#include <jansson.h>

typedef struct rule_case {
    const char *members;
    const char *check; /* "" : fits */
} rule_case;

static void run(const char *tee, const atls_claims *c, const rule_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        expect_of(tee, cases[i].members, c, cases[i].check);
    }
}
#define RUN(tee, claims, cases) run(tee, claims, cases, sizeof(cases) / sizeof((cases)[0]))

static void snp_fields_are_compared(void **state)
{
    (void)state;
    static const rule_case cases[] = {
        {",\"snp\":{\"measurement\":[\"" AA48 "\"]}", ""},
        {",\"snp\":{\"measurement\":[\"" BB48 "\"]}", "policy.snp.measurement"},
        {",\"snp\":{\"host_data\":[\"" BB32 "\"]}", ""},
        {",\"snp\":{\"host_data\":[\"" AA32 "\"]}", "policy.snp.host_data"},
        {",\"snp\":{\"id_key_digest\":[\"" CC48 "\"]}", ""},
        {",\"snp\":{\"id_key_digest\":[\"" AA48 "\"]}", "policy.snp.id_key_digest"},
        {",\"snp\":{\"author_key_digest\":[\"" AA48 "\"]}", "policy.snp.author_key_digest"},
        {",\"snp\":{\"family_id\":[\"00000000000000000000000000000000\"]}", ""},
        {",\"snp\":{\"family_id\":[\"" PP16 "\"]}", "policy.snp.family_id"},
        {",\"snp\":{\"image_id\":[\"" PP16 "\"]}", "policy.snp.image_id"},
        {",\"snp\":{\"report_id\":[\"" AA32 "\"]}", "policy.snp.report_id"},
        {",\"snp\":{\"guest_svn_min\":5}", ""},
        {",\"snp\":{\"guest_svn_min\":\"0x6\"}", "policy.snp.guest_svn_min"},
        {",\"snp\":{\"vmpl\":1}", ""},
        {",\"snp\":{\"vmpl\":0}", "policy.snp.vmpl"},
        {",\"snp\":{\"vmpl_max\":1}", ""},
        {",\"snp\":{\"vmpl_max\":0}", "policy.snp.vmpl_max"},
        {",\"snp\":{\"policy_set\":\"0x30000\"}", ""},
        {",\"snp\":{\"policy_set\":\"0x1030000\"}", "policy.snp.policy_set"},
        {",\"snp\":{\"policy_clear\":\"0x1000000\"}", ""},
        {",\"snp\":{\"policy_clear\":\"0x10000\"}", "policy.snp.policy_clear"},
        {",\"snp\":{\"platform_info_set\":\"0x20\"}", ""},
        {",\"snp\":{\"platform_info_set\":\"0x10\"}", "policy.snp.platform_info_set"},
        {",\"snp\":{\"platform_info_clear\":\"0x10\"}", ""},
        {",\"snp\":{\"platform_info_clear\":\"0xffffffffffffffff\"}",
         "policy.snp.platform_info_clear"},
        {",\"snp\":{\"launch_mit_vector_set\":\"0x1\"}", "policy.snp.launch_mit_vector_set"},
        {",\"snp\":{\"current_mit_vector_set\":\"0x1\"}", "policy.snp.current_mit_vector_set"},
        {",\"snp\":{\"product\":[\"Genoa\",\"Milan\"]}", ""},
        {",\"snp\":{\"product\":[\"Genoa\"]}", "policy.snp.product"},
        {",\"owner\":{\"host_data\":[\"" BB32 "\"]}", ""},
        {",\"owner\":{\"host_data\":[\"" AA32 "\"]}", "policy.owner.host_data"},
        {",\"owner\":{\"id_key_digest\":[\"" AA48 "\"]}", "policy.owner.id_key_digest"},
        {",\"owner\":{\"author_key_digest\":[\"" AA48 "\"]}", "policy.owner.author_key_digest"},
    };
    atls_claims c = snp_guest();
    c.as.snp.vmpl = 1;
    RUN("snp", &c, cases);
    expect_of("snp", ",\"snp\":{\"platform_info_set\":\"0x50\"}", &c,
              "policy.snp.platform_info_set");
    char shown[64];
    atls_value_print(&ledger, &entry("policy.snp.platform_info_set")->found, shown, sizeof shown);
    assert_string_equal(shown, "0x25");
    atls_value_print(&ledger, &entry("policy.snp.platform_info_set")->wanted, shown, sizeof shown);
    assert_string_equal(shown, "0x50 set");
    c.as.snp.version = 5; /* only then the vectors are there */
    c.as.snp.launch_mit_vector = 3;
    expect_of("snp", ",\"snp\":{\"launch_mit_vector_set\":\"0x1\"}", &c, "");
    expect_of("snp", ",\"snp\":{\"current_mit_vector_set\":\"0x1\"}", &c,
              "policy.snp.current_mit_vector_set");
}

static void tpm_fields_are_compared(void **state)
{
    (void)state;
    static const rule_case cases[] = {
        {",\"tpm\":{\"safe\":true,\"reset_count\":2,\"restart_count\":0}", ""},
        {",\"tpm\":{\"reset_count\":3}", "policy.tpm.reset_count"},
        {",\"tpm\":{\"restart_count\":1}", "policy.tpm.restart_count"},
        {",\"tpm\":{\"firmware_version_min\":\"0x2019102300163636\"}", ""},
        {",\"tpm\":{\"firmware_version_min\":\"0x2019102300163637\"}",
         "policy.tpm.firmware_version_min"},
        {",\"tpm\":{\"ak_trust\":[\"certificate\",\"vouched\"]}", ""},
        {",\"tpm\":{\"ak_trust\":[\"certificate\"]}", "policy.tpm.ak_trust"},
        {",\"tpm\":{\"sha384\":{\"0\":[\"" AA48 "\"]}}", "policy.tpm.pcr0"},
        {",\"tpm\":{\"sha512\":{\"0\":[\"" AA32 AA32 "\"]}}", "policy.tpm.pcr0"},
        {",\"tpm\":{\"sha1\":{\"0\":[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]}},"
         "\"allow\":{\"sha1\":true}",
         "policy.tpm.pcr0"},
    };
    atls_claims c = tpm_quote();
    RUN("tpm", &c, cases);
    c.tpm.safe = false;
    expect_of("tpm", ",\"tpm\":{\"safe\":true}", &c, "policy.tpm.safe");
}

/* The value of PCR i in the rig, and another one. */
static void pcr_case(const char *tee, const char *group, size_t len, const char *id,
                     const atls_claims *c, unsigned there)
{
    unsigned i = (unsigned)strtoul(strrchr(id, 'r') + 1, NULL, 10);
    char members[400];
    char right[129];
    for (size_t k = 0; k < len; k++) {
        (void)snprintf(right + 2 * k, 3, "%02x", (i + 1) & 0xff);
    }
    (void)snprintf(members, sizeof members, ",\"%s\":{\"%s\":{\"%u\":[\"%s\"]}}", tee, group, i,
                   right);
    expect_of(tee, members, c, i < there ? "" : id); /* what was not quoted fits nothing */
    right[0] = 'f';
    (void)snprintf(members, sizeof members, ",\"%s\":{\"%s\":{\"%u\":[\"%s\"]}}", tee, group, i,
                   right);
    expect_of(tee, members, c, id);
}

static const char *const tpm_pcrs[] = {
    "policy.tpm.pcr0",  "policy.tpm.pcr1",  "policy.tpm.pcr2",  "policy.tpm.pcr3",
    "policy.tpm.pcr4",  "policy.tpm.pcr5",  "policy.tpm.pcr6",  "policy.tpm.pcr7",
    "policy.tpm.pcr8",  "policy.tpm.pcr9",  "policy.tpm.pcr10", "policy.tpm.pcr11",
    "policy.tpm.pcr12", "policy.tpm.pcr13", "policy.tpm.pcr14", "policy.tpm.pcr15",
    "policy.tpm.pcr16", "policy.tpm.pcr17", "policy.tpm.pcr18", "policy.tpm.pcr19",
    "policy.tpm.pcr20", "policy.tpm.pcr21", "policy.tpm.pcr22", "policy.tpm.pcr23",
};
static const char *const nitro_pcrs[] = {
    "policy.nitro.pcr0",  "policy.nitro.pcr1",  "policy.nitro.pcr2",  "policy.nitro.pcr3",
    "policy.nitro.pcr4",  "policy.nitro.pcr5",  "policy.nitro.pcr6",  "policy.nitro.pcr7",
    "policy.nitro.pcr8",  "policy.nitro.pcr9",  "policy.nitro.pcr10", "policy.nitro.pcr11",
    "policy.nitro.pcr12", "policy.nitro.pcr13", "policy.nitro.pcr14", "policy.nitro.pcr15",
    "policy.nitro.pcr16", "policy.nitro.pcr17", "policy.nitro.pcr18", "policy.nitro.pcr19",
    "policy.nitro.pcr20", "policy.nitro.pcr21", "policy.nitro.pcr22", "policy.nitro.pcr23",
    "policy.nitro.pcr24", "policy.nitro.pcr25", "policy.nitro.pcr26", "policy.nitro.pcr27",
    "policy.nitro.pcr28", "policy.nitro.pcr29", "policy.nitro.pcr30", "policy.nitro.pcr31",
};
static const char *const nitrotpm_pcrs[] = {
    "policy.nitrotpm.pcr0",  "policy.nitrotpm.pcr1",  "policy.nitrotpm.pcr2",
    "policy.nitrotpm.pcr3",  "policy.nitrotpm.pcr4",  "policy.nitrotpm.pcr5",
    "policy.nitrotpm.pcr6",  "policy.nitrotpm.pcr7",  "policy.nitrotpm.pcr8",
    "policy.nitrotpm.pcr9",  "policy.nitrotpm.pcr10", "policy.nitrotpm.pcr11",
    "policy.nitrotpm.pcr12", "policy.nitrotpm.pcr13", "policy.nitrotpm.pcr14",
    "policy.nitrotpm.pcr15", "policy.nitrotpm.pcr16", "policy.nitrotpm.pcr17",
    "policy.nitrotpm.pcr18", "policy.nitrotpm.pcr19", "policy.nitrotpm.pcr20",
    "policy.nitrotpm.pcr21", "policy.nitrotpm.pcr22", "policy.nitrotpm.pcr23",
};

static void every_pcr_is_compared(void **state)
{
    (void)state;
    atls_claims c = tpm_quote();
    for (size_t i = 0; i < 24; i++) {
        pcr_case("tpm", "sha256", 32, tpm_pcrs[i], &c, 16);
    }
    c = nitro_enclave();
    for (size_t i = 0; i < 32; i++) {
        pcr_case("nitro", "pcrs", 48, nitro_pcrs[i], &c, 16);
    }
    c = nitro_tpm();
    for (size_t i = 0; i < 24; i++) {
        pcr_case("nitrotpm", "pcrs", 48, nitrotpm_pcrs[i], &c, 16);
    }
}

#define ZERO48                                                                                     \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define FOURS48                                                                                    \
    "040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404"
#define FIVES48                                                                                    \
    "050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505"
#define NINES48                                                                                    \
    "090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909"

static void nitro_fields_are_compared(void **state)
{
    (void)state;
    static const rule_case cases[] = {
        {",\"nitro\":{\"module_id\":[\"i-0123456789abcdef0-enc0123456789abcdef\"]}", ""},
        {",\"nitro\":{\"module_id\":[\"i-0123456789abcdef0\"]}", "policy.nitro.module_id"},
        {",\"owner\":{\"pcr3\":[\"" FOURS48 "\"],\"pcr4\":[\"" FIVES48 "\"],\"pcr8\":[\"" NINES48
         "\"]}",
         ""},
        {",\"owner\":{\"pcr3\":[\"" AA48 "\"]}", "policy.owner.pcr3"},
        {",\"owner\":{\"pcr4\":[\"" AA48 "\"]}", "policy.owner.pcr4"},
        {",\"owner\":{\"pcr8\":[\"" AA48 "\"]}", "policy.owner.pcr8"},
        {",\"max_evidence_age_s\":60", ""},
        {",\"max_evidence_age_s\":59", "policy.evidence_age"},
    };
    atls_claims c = nitro_enclave();
    RUN("nitro", &c, cases);
    assert_int_equal(entry("policy.evidence_age")->code, ATLS_E_BINDING);
    /* Zero measures nothing, whatever the policy says; only who allows debug may want it. */
    for (int i = 0; i < 3; i++) {
        memset(c.as.nitro.pcr[i], 0, 48);
    }
    expect_of("nitro", ",\"nitro\":{\"pcrs\":{\"0\":[\"" ZERO48 "\"]}}", &c, "policy.nitro.pcr0");
    expect_of("nitro", ",\"nitro\":{\"pcrs\":{\"1\":[\"" ZERO48 "\"]}}", &c, "policy.nitro.pcr1");
    c.as.nitro.is_debug = true;
    expect_of("nitro", ",\"nitro\":{\"pcrs\":{\"0\":[\"" ZERO48 "\"]}},\"allow\":{\"debug\":true}",
              &c, "");
    expect_of("nitro", "", &c, "policy.debug");
    c.as.nitro.timestamp_ms = 0;
    expect_of("nitro", ",\"max_evidence_age_s\":31536000,\"allow\":{\"debug\":true}", &c,
              "policy.evidence_age");
}

static void cca_fields_are_compared(void **state)
{
    (void)state;
    static const rule_case cases[] = {
        {",\"cca\":{\"realm_initial_measurement\":[\"" AA48 "\",\"" AA32 "\"]}", ""},
        {",\"cca\":{\"realm_initial_measurement\":[\"" AA48 "\"]}",
         "policy.cca.realm_initial_measurement"},
        {",\"cca\":{\"realm_extensible_measurements\":{\"0\":[\"" AA32 "\"]}}", "policy.cca.rem0"},
        {",\"cca\":{\"realm_extensible_measurements\":{\"1\":[\"" AA32 "\"]}}", "policy.cca.rem1"},
        {",\"cca\":{\"realm_extensible_measurements\":{\"2\":[\"" AA32 "\"]}}", "policy.cca.rem2"},
        {",\"cca\":{\"realm_extensible_measurements\":{\"3\":[\"" AA32 "\"]}}", "policy.cca.rem3"},
        {",\"cca\":{\"realm_extensible_measurements\":{\"0\":"
         "[\"0101010101010101010101010101010101010101010101010101010101010101\"]}}",
         ""},
        {",\"cca\":{\"implementation_id\":[\"7777777777777777777777777777777777777777777777777777777777"
         "777777\"]}",
         ""},
        {",\"cca\":{\"implementation_id\":[\"" AA32 "\"]}", "policy.cca.implementation_id"},
        {",\"cca\":{\"realm_personalization\":[\"" CC64 "\"],\"lifecycle\":12291}", ""},
        {",\"cca\":{\"realm_personalization\":[\"" AA32 AA32 "\"]}",
         "policy.cca.realm_personalization"},
        {",\"cca\":{\"lifecycle\":12288}", "policy.cca.lifecycle"},
        {",\"owner\":{\"realm_personalization\":[\"" CC64 "\"]}", ""},
        {",\"owner\":{\"realm_personalization\":[\"" AA32 AA32 "\"]}",
         "policy.owner.realm_personalization"},
#define COMPONENTS(list) ",\"cca\":{\"components\":[" list "]}"
        {COMPONENTS("{\"signer_id\":[\"" SIGNER "\"]}"), ""},
        {COMPONENTS("{\"type\":\"BL\",\"signer_id\":[\"" SIGNER "\"],\"measurement\":[\"" B1
                    "\"]},{\"type\":\"RMM\",\"signer_id\":[\"" SIGNER "\"],\"measurement\":[\"" B1
                    "\",\"" B2 "\"]}"),
         ""},
        /* one that nobody named */
        {COMPONENTS("{\"type\":\"BL\",\"signer_id\":[\"" SIGNER "\"]}"), "policy.cca.components"},
        {COMPONENTS("{\"signer_id\":[\"" B1 "\"]}"), "policy.cca.components"},
        {COMPONENTS("{\"signer_id\":[\"" SIGNER "\"],\"measurement\":[\"" B1 "\"]}"),
         "policy.cca.components"},
        /* one that is missing */
        {COMPONENTS("{\"signer_id\":[\"" SIGNER "\"]},{\"type\":\"TF-A\",\"signer_id\":[\"" SIGNER
                    "\"]}"),
         "policy.cca.components"},
        {COMPONENTS("{\"signer_id\":[\"" SIGNER "\"]},{\"signer_id\":[\"" B1 "\"]}"),
         "policy.cca.components"},
        {COMPONENTS("{\"signer_id\":[\"" SIGNER "\"]},{\"signer_id\":[\"" B1
                    "\"],\"optional\":true}"),
         ""},
    };
    atls_claims c = cca_realm();
    RUN("cca", &c, cases);
    c.as.cca.lifecycle = 0x4000;
    expect_of("cca", ",\"allow\":{\"unsecured_lifecycle\":true}", &c, "");
    expect_of("cca", "", &c, "policy.lifecycle");
}

static void token_fields_are_compared(void **state)
{
    (void)state;
    static const rule_case cases[] = {
        {",\"jwt\":{\"issuer\":[\"https://verifier.example\"],\"audience\":[\"me\"]}", ""},
        {",\"jwt\":{\"issuer\":[\"https://verifier.exampl\"]}", "policy.jwt.issuer"},
        {",\"jwt\":{\"audience\":[\"you\"]}", "policy.jwt.audience"},
        {",\"jwt\":{\"kind\":[\"maa\",\"ear\"]}", ""},
        {",\"jwt\":{\"kind\":[\"maa\"]}", "policy.jwt.kind"},
        {",\"jwt\":{\"attested_tee\":[\"tdx\"]}", "policy.jwt.attested_tee"},
        {",\"jwt\":{\"tcb_status\":[\"UpToDate\"]}", "policy.jwt.tcb_status"},
        {",\"jwt\":{\"status\":[\"warning\"]}", "policy.jwt.status"},
        {",\"jwt\":{\"status\":[\"affirming\"]}", ""},
        {",\"jwt\":{\"measurements\":{\"mrtd\":[\"bb\",\"aaaa\"]}}", ""},
        {",\"jwt\":{\"measurements\":{\"mrtd\":[\"aa\"]}}", "policy.jwt.measurements"},
        {",\"jwt\":{\"measurements\":{\"mrt\":[\"aaaa\"]}}", "policy.jwt.measurements"},
#define CLAIM(pointer, equals)                                                                     \
    ",\"jwt\":{\"claims\":[{\"pointer\":\"" pointer "\",\"equals\":[" equals "]}]}"
        {CLAIM("/text", "\"a\\\"b\""), ""},
        {CLAIM("/text", "\"a\""), "policy.jwt.claims"},
        {CLAIM("/number", "\"x\",7"), ""},
        {CLAIM("/number", "\"7\""), "policy.jwt.claims"},
        {CLAIM("/flag", "true"), ""},
        {CLAIM("/flag", "false,1,\"true\""), "policy.jwt.claims"},
        {CLAIM("/submods/cpu~10/ear.status", "\"ok\""), ""},
        {CLAIM("/submods/a~0b/1", "2"), ""},
        {CLAIM("/submods/a~0b/01", "2"), "policy.jwt.claims"},
        {CLAIM("/submods/a~0b/9", "2"), "policy.jwt.claims"},
        {CLAIM("/submods/a~0b/x", "2"), "policy.jwt.claims"},
        {CLAIM("/submods", "\"ok\""), "policy.jwt.claims"},
        {CLAIM("/none/of/it", "\"ok\""), "policy.jwt.claims"},
        {CLAIM("/text/deeper", "\"ok\""), "policy.jwt.claims"},
        {CLAIM("/real", "1"), "policy.jwt.claims"},
        {",\"max_evidence_age_s\":60", ""},
        {",\"max_evidence_age_s\":59", "policy.evidence_age"},
    };
    atls_claims c = token();
    json_t *all = json_loads("{\"text\":\"a\\\"b\",\"number\":7,\"flag\":true,\"real\":1.0,"
                             "\"submods\":{\"cpu/0\":{\"ear.status\":\"ok\"},\"a~b\":[1,2]}}",
                             0, NULL);
    c.as.token.all = all;
    RUN("jwt", &c, cases);
    c.as.token.iat_s = 0;
    expect_of("jwt", ",\"max_evidence_age_s\":31536000", &c, "policy.evidence_age");
    c.as.token.iat_s = INT64_MAX;
    expect_of("jwt", ",\"max_evidence_age_s\":31536000", &c, "");
    /* A policy may take what its issuer does not affirm, by name. */
    c.as.token.status = "warning";
    expect_of("jwt", ",\"jwt\":{\"status\":[\"warning\"]}", &c, "");
    expect_of("jwt", ",\"jwt\":{\"kind\":[\"ear\"]}", &c, "policy.status");
    c.as.token.status = NULL;
    expect_of("jwt", ",\"jwt\":{\"status\":[\"affirming\"]}", &c, "policy.jwt.status");
    c.as.token.attested_tee = ATLS_TEE_TDX;
    c.as.token.tcb_status = "UpToDate";
    expect_of("jwt", ",\"jwt\":{\"attested_tee\":[\"tdx\"],\"tcb_status\":[\"UpToDate\"]}", &c, "");
    const atls_token_measurement twice[] = {token_measurements[0], token_measurements[0]};
    c.as.token.measurements = twice;
    c.as.token.measurements_n = 2;
    expect_of("jwt", ",\"jwt\":{\"measurements\":{\"mrtd\":[\"aaaa\"]}}", &c,
              "policy.jwt.measurements");
    json_decref(all);
}

static void azure_is_all_of_its_layers(void **state)
{
    (void)state;
    static const char one[] = ",\"snp\":{\"measurement\":[\"" AA48 "\"]},\"tdx\":{\"mrtd\":[\"" AA48
                              "\"]},\"tpm\":{\"sha256\":{\"0\":[\"01010101010101010101010101010101"
                              "01010101010101010101010101010101\"]}}";
    atls_claims c = azure_guest(ATLS_TEE_SNP);
    expect_of("azure", one, &c, "");
    c.as.snp.measurement[0] = 0;
    expect_of("azure", one, &c, "policy.snp.measurement");
    c = azure_guest(ATLS_TEE_TDX);
    expect_of("azure", one, &c, "");
    c.as.tdx.mrtd[0] = 0;
    expect_of("azure", one, &c, "policy.tdx.mrtd");
    c = azure_guest(ATLS_TEE_TDX);
    c.tpm.banks[ATLS_TPM_SHA256].value[0][5] = 0;
    expect_of("azure", one, &c, "policy.tpm.pcr0");
    memcpy(c.tpm.vm_id, "AA-BB", 6);
    expect_of("azure", ",\"azure\":{\"vm_id\":[\"AA-BB\"]},\"owner\":{\"vm_id\":[\"AA-BB\"]}", &c,
              "");
    expect_of("azure", ",\"azure\":{\"vm_id\":[\"AA\"]}", &c, "policy.azure.vm_id");
    expect_of("azure", ",\"owner\":{\"vm_id\":[\"AA\"]}", &c, "policy.owner.vm_id");
    c.tpm.vm_id[0] = '\0';
    expect_of("azure", ",\"owner\":{\"vm_id\":[\"AA-BB\"]}", &c, "policy.owner.vm_id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snp_fields_are_compared),    cmocka_unit_test(tpm_fields_are_compared),
        cmocka_unit_test(every_pcr_is_compared),      cmocka_unit_test(nitro_fields_are_compared),
        cmocka_unit_test(cca_fields_are_compared),    cmocka_unit_test(token_fields_are_compared),
        cmocka_unit_test(azure_is_all_of_its_layers),
    };
    return cmocka_run_group_tests(tests, NULL, free_expected_policy);
}
