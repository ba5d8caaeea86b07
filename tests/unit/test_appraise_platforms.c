/* Appraisal: pins of every family, AMD's platforms, migration agents. */
#include "unit/appraise_families_rig.h"

#define H11 "1111111111111111111111111111111111111111111111111111111111111111"
#define H22 "2222222222222222222222222222222222222222222222222222222222222222"
#define EE64                                                                                       \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"                             \
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define H33 "999999999999999999999999999999999999999999999999999999999999999999"

static void identity_is(const char *tee, const char *members, const atls_claims *c,
                        const char *line)
{
    char text[2000];
    atls_appraisal a;
    (void)snprintf(text, sizeof text, "{\"name\":\"web\",\"tees\":[\"%s\"]%s}", tee, members);
    atls_policy *p = policy_of(text);
    assert_string_equal(decided(p, c, NULL, &a), "");
    assert_string_equal(a.identity, line);
    atls_policy_free(p);
}

static void a_chip_is_pinned_only_when_certified(void **state)
{
    (void)state;
    static const char pin[] = ",\"platforms\":{\"chip_id\":[\"" EE64 "\"]}";
    static const char id[] = "policy.platform.chip_id";
    atls_claims c = snp_guest();
    expect_of("snp", pin, &c, id); /* nobody certified it */
    c.platform.has_chip_id = true;
    expect_of("snp", pin, &c, "");
    identity_is("snp", pin, &c, "platform pinned");
    c.as.snp.is_vlek = true;
    expect_of("snp", pin, &c, id);
    c.as.snp.is_vlek = false;
    c.as.snp.chip_id[63] = 0;
    expect_of("snp", pin, &c, id);
    memset(c.as.snp.chip_id, 0, 64); /* Turin: 8 bytes, and zeros */
    memset(c.as.snp.chip_id, 0xee, 8);
    expect_of("snp", ",\"platforms\":{\"chip_id\":[\"eeeeeeeeeeeeeeee\"]}", &c, "");
    expect_of("snp", ",\"platforms\":{\"chip_id\":[\"eeeeeeeeeeeeeeef\"]}", &c, id);
    memset(c.as.snp.chip_id, 0, 64);
    c.as.snp.chip_id_masked = true;
    expect_of("snp",
              ",\"platforms\":{\"chip_id\":[\"eeeeeeeeeeeeeeee\"]},\"amd\":{"
              "\"masked_chip\":\"allow\"}",
              &c, id);
}

static void keys_of_a_tpm_are_pins(void **state)
{
    (void)state;
    atls_claims c = tpm_quote();
    expect_of("tpm", ",\"platforms\":{\"ak\":[\"" H11 "\"]}", &c, "");
    expect_of("tpm", ",\"platforms\":{\"ak\":[\"" H22 "\"]}", &c, "policy.platform.ak");
    memset(c.tpm.ek_spki_sha256, 0x22, 32);
    expect_of("tpm", ",\"platforms\":{\"ek\":[\"" H22 "\"]}", &c, "policy.platform.ek");
    c.tpm.has_ek = true;
    expect_of("tpm", ",\"platforms\":{\"ek\":[\"" H22 "\"],\"ak\":[\"" H11 "\"]}", &c, "");
    expect_of("tpm", ",\"platforms\":{\"ek\":[\"" H11 "\"],\"ak\":[\"" H11 "\"]}", &c,
              "policy.platform.ek");
    static const char google[] = ",\"platforms\":{\"gcp_instance_id\":[\"72623859790382856\"]}";
    expect_of("tpm", google, &c, "policy.platform.gcp_instance_id");
    memcpy(c.tpm.gcp_instance_id, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    expect_of("tpm", google, &c, "");
}

static void instances_are_pins(void **state)
{
    (void)state;
    static const char id[] = "policy.platform.nitro_instance";
    static const char pin[] = ",\"platforms\":{\"nitro_instance\":[\"i-0123456789abcdef0\"]}";
    atls_claims c = nitro_enclave();
    expect_of("nitro", pin, &c, "");
    c.as.nitro.module_id = "i-0123456789abcdef0-xyz0123456789abcdef";
    expect_of("nitro", pin, &c, id);
    c.as.nitro.module_id = "i-0123456789abcdef00-enc0123456789abcdef";
    expect_of("nitro", pin, &c, id);
    c.as.nitro.module_id = "nodash";
    expect_of("nitro", pin, &c, id);
    c = nitro_tpm();
    expect_of("nitrotpm", pin, &c, "");
    c = cca_realm();
    expect_of("cca", ",\"platforms\":{\"cca_instance_id\":[\"" H33 "\"]}", &c, "");
    c.as.cca.instance_id[32] = 0;
    expect_of("cca", ",\"platforms\":{\"cca_instance_id\":[\"" H33 "\"]}", &c,
              "policy.platform.cca_instance_id");
}

static void a_pin_is_of_its_family(void **state)
{
    (void)state;
    static const char both[] =
        "{\"name\":\"w\",\"tees\":[\"tdx\",\"tpm\",\"azure\"],\"platforms\":{\"ppid\":[\"" PP16
        "\"],\"ak\":[\"" H11 "\"]}}";
    atls_appraisal a;
    atls_policy *p = policy_of(both);
    atls_claims c = td();
    assert_string_equal(decided(p, &c, NULL, &a), "");
    c = tpm_quote();
    assert_string_equal(decided(p, &c, NULL, &a), "");
    c = azure_guest(ATLS_TEE_TDX);
    assert_string_equal(decided(p, &c, NULL, &a), "");
    c.platform.ppid[0] = 0; /* both lists are about this one */
    assert_string_equal(decided(p, &c, NULL, &a), "policy.platform.ppid");
    c = azure_guest(ATLS_TEE_SNP);
    assert_string_equal(decided(p, &c, NULL, &a), "");
    atls_policy_free(p);
    /* Azure has hardware of two makers: one that no list is about is nobody's. */
    c = azure_guest(ATLS_TEE_SNP);
    expect_of("azure", ",\"platforms\":{\"ppid\":[\"" PP16 "\"]}", &c, "policy.platform.family");
    expect_of("azure", ",\"platforms\":{\"ppid\":[\"" PP16 "\"],\"ak\":[\"" H22 "\"]}", &c,
              "policy.platform.ak");
}

/* --- AMD --- */

#define FLOOR(more) ",\"amd\":{\"tcb_min\":[{\"product\":\"Milan\"" more "}]}"

static void components_are_compared_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *members, *check;
    } cases[] = {
        {FLOOR(""), ""},
        {FLOOR(",\"min\":{\"bootloader\":4,\"tee\":0,\"snp\":24,\"microcode\":219}"), ""},
        {FLOOR(",\"min\":{\"bootloader\":5}"), "policy.snp.tcb.bootloader"},
        {FLOOR(",\"min\":{\"tee\":1}"), "policy.snp.tcb.tee"},
        {FLOOR(",\"min\":{\"snp\":25}"), "policy.snp.tcb.snp"},
        {FLOOR(",\"min\":{\"microcode\":220}"), "policy.snp.tcb.microcode"},
        {FLOOR(",\"launch_min\":{\"bootloader\":5}"), "policy.snp.launch_tcb.bootloader"},
        {FLOOR(",\"launch_min\":{\"tee\":1}"), "policy.snp.launch_tcb.tee"},
        {FLOOR(",\"launch_min\":{\"snp\":25}"), "policy.snp.launch_tcb.snp"},
        {FLOOR(",\"launch_min\":{\"microcode\":220}"), "policy.snp.launch_tcb.microcode"},
        {FLOOR(",\"launch_min\":{\"microcode\":219}"), ""},
        /* a floor of another model is none of ours; without any, nothing was judged */
        {FLOOR(",\"family\":25,\"model\":1,\"stepping\":1,\"min\":{\"snp\":25}"),
         "policy.snp.tcb.snp"},
        {FLOOR(",\"model\":2,\"min\":{\"snp\":25}"), "policy.snp.tcb"},
        {FLOOR(",\"family\":26"), "policy.snp.tcb"},
        {FLOOR(",\"stepping\":0"), "policy.snp.tcb"},
        {FLOOR("},{\"product\":\"Milan\",\"model\":2,\"min\":{\"snp\":25}"), ""},
        {FLOOR("},{\"product\":\"Milan\",\"model\":1,\"min\":{\"snp\":25}"), "policy.snp.tcb.snp"},
        {",\"amd\":{\"tcb_min\":[{\"product\":\"Genoa\"}]}", "policy.snp.tcb"},
        /* lower ones are good for a while */
        {FLOOR(",\"min\":{\"snp\":25},\"until\":\"2025-07-04\""), ""},
        {FLOOR(",\"min\":{\"snp\":25},\"until\":\"2025-07-03\""), "policy.snp.tcb.snp"},
        {FLOOR(",\"min\":{\"snp\":26},\"until\":\"2025-07-04\"},"
               "{\"product\":\"Milan\",\"min\":{\"snp\":25}"),
         "policy.snp.tcb.snp"},
    };
    atls_claims c = snp_guest();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_of("snp", cases[i].members, &c, cases[i].check);
    }
    expect_of("snp",
              FLOOR(",\"min\":{\"snp\":25},\"date\":\"2025-02-03\",\"reason\":\"AMD-SB-3020\""), &c,
              "policy.snp.tcb.snp");
    char text[200];
    atls_value_print(&ledger, &entry("policy.snp.tcb.snp")->wanted, text, sizeof text);
    assert_string_equal(text, "25 or more (AMD-SB-3020), of 2025-02-03");
    c.as.snp.has_cpuid = false; /* which model it is is not known: all entries hold */
    expect_of("snp", FLOOR(",\"model\":2,\"min\":{\"snp\":25}"), &c, "policy.snp.tcb.snp");
    c = azure_guest(ATLS_TEE_SNP);
    expect_of("azure", FLOOR(",\"min\":{\"snp\":25}"), &c, "policy.snp.tcb.snp");
    c = azure_guest(ATLS_TEE_TDX);
    expect_of("azure", FLOOR(",\"min\":{\"snp\":25}"), &c, "");
}

static void the_lower_of_reported_and_committed_counts(void **state)
{
    (void)state;
    static const char floor[] = FLOOR(",\"min\":{\"microcode\":219,\"snp\":24}");
    atls_claims c = snp_guest();
    c.as.snp.committed_tcb.microcode = 218; /* the host can go back to it */
    expect_of("snp", floor, &c, "policy.snp.tcb.microcode");
    c = snp_guest();
    c.as.snp.reported_tcb.microcode = 218;
    expect_of("snp", floor, &c, "policy.snp.tcb.microcode");
    c = snp_guest();
    c.as.snp.current_tcb.microcode = 255;
    expect_of("snp", floor, &c, "");
    c = snp_guest();
    c.as.snp.reported_tcb = (atls_snp_tcb){.has_fmc = true, .fmc = 1, .snp = 4};
    c.as.snp.committed_tcb = c.as.snp.launch_tcb = c.as.snp.reported_tcb;
    memcpy(c.as.snp.product, "Turin", 6);
    static const char turin[] =
        ",\"amd\":{\"tcb_min\":[{\"product\":\"Turin\",\"%s\":{\"fmc\":%d}}]}";
    char members[200];
    (void)snprintf(members, sizeof members, turin, "min", 1);
    expect_of("snp", members, &c, "");
    (void)snprintf(members, sizeof members, turin, "min", 2);
    expect_of("snp", members, &c, "policy.snp.tcb.fmc");
    (void)snprintf(members, sizeof members, turin, "launch_min", 2);
    expect_of("snp", members, &c, "policy.snp.launch_tcb.fmc");
}

static void an_allowed_floor_limits_the_verdict(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_claims c = snp_guest();
    atls_policy *p = policy_of("{\"name\":\"w\",\"tees\":[\"snp\"],\"amd\":{\"tcb_min\":[{"
                               "\"product\":\"Milan\",\"min\":{\"snp\":25},"
                               "\"until\":\"2025-07-04T10:00:07Z\"}]}}");
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_true(a.until_s == NOW + 7);
    c.as.snp.reported_tcb.snp = c.as.snp.committed_tcb.snp = 25;
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_true(a.until_s == 0);
    atls_policy_free(p);
    p = policy_of("{\"name\":\"w\",\"tees\":[\"nitro\"],\"max_evidence_age_s\":90}");
    c = nitro_enclave();
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_true(a.until_s == NOW + 30);
    atls_policy_free(p);
}

static void firmware_and_signer_are_as_asked(void **state)
{
    (void)state;
    atls_claims c = snp_guest();
    expect_of("snp", ",\"amd\":{\"firmware_min\":\"1.55.29\",\"provisional\":\"refuse\"}", &c, "");
    expect_of("snp", ",\"amd\":{\"firmware_min\":\"1.55.30\"}", &c, "policy.snp.firmware_min");
    expect_of("snp", ",\"amd\":{\"firmware_min\":\"1.54.255\"}", &c, "");
    c.as.snp.committed_version[2] = 28;
    expect_of("snp", ",\"amd\":{\"firmware_min\":\"1.55.29\"}", &c, "policy.snp.firmware_min");
    expect_of("snp", ",\"amd\":{\"provisional\":\"refuse\"}", &c, "policy.snp.provisional");
    c = snp_guest();
    c.as.snp.committed_tcb.snp = 23;
    expect_of("snp", ",\"amd\":{\"provisional\":\"refuse\"}", &c, "policy.snp.provisional");
    expect_of("snp", "", &c, "");
    c = snp_guest();
    expect_of("snp", ",\"amd\":{\"reserved\":\"refuse\"}", &c, "");
    c.as.snp.reserved_set = true;
    expect_of("snp", ",\"amd\":{\"reserved\":\"refuse\"}", &c, "policy.snp.reserved");
    expect_of("snp", "", &c, "");
    c = snp_guest();
    expect_of("snp", ",\"amd\":{\"csp_id\":[\"cc-us-east-2.amazonaws.com\"]}", &c, "");
    c.as.snp.is_vlek = true;
    memcpy(c.as.snp.csp_id, "cc-eu.example", 14);
    expect_of("snp", "", &c, "");
    expect_of("snp", ",\"amd\":{\"vlek\":\"refuse\"}", &c, "policy.snp.vlek");
    expect_of("snp", ",\"amd\":{\"csp_id\":[\"cc-us-east-2.amazonaws.com\"]}", &c,
              "policy.snp.csp_id");
    expect_of("snp", ",\"amd\":{\"csp_id\":[\"cc-eu.example\"]}", &c, "");
    c.as.snp.chip_id_masked = true; /* a VLEK names no chip anyway */
    expect_of("snp", "", &c, "");
    c.as.snp.is_vlek = false;
    expect_of("snp", "", &c, "policy.snp.masked_chip");
    expect_of("snp", ",\"amd\":{\"masked_chip\":\"allow\"}", &c, "");
}

static void a_missing_crl_is_a_choice(void **state)
{
    (void)state;
    atls_claims c = snp_guest();
    c.as.snp.crl_checked = false;
    expect_of("snp", "", &c, "policy.crl");
    expect_of("snp", ",\"crl\":\"required\"", &c, "policy.crl");
    expect_of("snp", ",\"crl\":\"if-present\"", &c, "");
}

static void a_migration_agent_is_pinned(void **state)
{
    (void)state;
    atls_claims c = snp_guest();
    c.as.snp.policy |= 1u << 18;
    memset(c.as.snp.report_id_ma, 0x11, 32);
    expect_of("snp", ",\"allow\":{\"migration_agent\":[\"" H11 "\"]}", &c, "");
    expect_of("snp", ",\"allow\":{\"migration_agent\":[\"" H22 "\"]}", &c,
              "policy.migration_agent");
    expect_of("snp", "", &c, "policy.migration_agent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chip_is_pinned_only_when_certified),
        cmocka_unit_test(keys_of_a_tpm_are_pins),
        cmocka_unit_test(instances_are_pins),
        cmocka_unit_test(a_pin_is_of_its_family),
        cmocka_unit_test(components_are_compared_one_by_one),
        cmocka_unit_test(the_lower_of_reported_and_committed_counts),
        cmocka_unit_test(an_allowed_floor_limits_the_verdict),
        cmocka_unit_test(firmware_and_signer_are_as_asked),
        cmocka_unit_test(a_missing_crl_is_a_choice),
        cmocka_unit_test(a_migration_agent_is_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, free_expected_policy);
}
