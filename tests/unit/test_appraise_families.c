/* Appraisal of the families beside Intel's: what is judged always, with the built-in rule and with any policy. */
#include "unit/appraise_families_rig.h"

static atls_appraisal appraisal;

static const char *builtin(const atls_claims *c)
{
    atls_policy *p = atls_policy_builtin();
    assert_non_null(p);
    const char *d = decided(p, c, NULL, &appraisal);
    assert_string_equal(appraisal.identity, "none");
    atls_policy_free(p);
    return d;
}

static void the_genuine_of_every_family_passes(void **state)
{
    (void)state;
    const atls_claims good[] = {
        snp_guest(), tpm_quote(), nitro_enclave(),           nitro_tpm(),
        cca_realm(), token(),     azure_guest(ATLS_TEE_SNP), azure_guest(ATLS_TEE_TDX)};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_string_equal(builtin(&good[i]), "");
        bool is_intel = good[i].hardware == ATLS_TEE_TDX;
        assert_true((entry("tcb.status") != NULL) == is_intel);
    }
}

static void an_snp_guest_must_be_closed(void **state)
{
    (void)state;
    for (int azure = 0; azure < 2; azure++) {
        atls_claims c = azure ? azure_guest(ATLS_TEE_SNP) : snp_guest();
        c.as.snp.policy |= 1u << 19;
        assert_string_equal(builtin(&c), "policy.debug");
        c.as.snp.policy = 0x30000 | 1u << 18;
        assert_string_equal(builtin(&c), "policy.migration_agent");
        c.as.snp.policy = 0x3001f;
        assert_string_equal(builtin(&c), "");
        c.as.snp.crl_checked = false;
        assert_string_equal(builtin(&c), "policy.crl");
        assert_int_equal(entry("policy.crl")->code, ATLS_E_COLLATERAL);
        c.as.snp.policy |= 1u << 19; /* the policy's word goes before missing collateral */
        assert_string_equal(builtin(&c), "policy.debug");
    }
    atls_claims c = snp_guest();
    c.as.snp.vmpl = 3;
    assert_string_equal(builtin(&c), "");
}

static void azure_is_judged_by_its_hardware_too(void **state)
{
    (void)state;
    atls_claims c = azure_guest(ATLS_TEE_SNP);
    c.as.snp.vmpl = 1;
    assert_string_equal(builtin(&c), "policy.azure.vmpl");
    c = azure_guest(ATLS_TEE_TDX);
    c.tcb.status = ATLS_TCB_OUT_OF_DATE;
    assert_string_equal(builtin(&c), "tcb.status");
    c = azure_guest(ATLS_TEE_TDX);
    c.tcb.known = false;
    assert_string_equal(builtin(&c), "skipped");
    c = azure_guest(ATLS_TEE_TDX);
    c.as.tdx.td_attributes[0] = 1;
    assert_string_equal(builtin(&c), "policy.debug");
    c = azure_guest(ATLS_TEE_TDX);
    c.as.tdx.td_attributes[3] = 0;
    assert_string_equal(builtin(&c), "policy.sept");
    const atls_tee no_hardware[] = {ATLS_TEE_NONE, ATLS_TEE_TPM, ATLS_TEE_AZURE, ATLS_TEE_SGX};
    for (size_t i = 0; i < 4; i++) {
        c = azure_guest(ATLS_TEE_SNP);
        c.hardware = no_hardware[i];
        if (c.hardware != ATLS_TEE_SGX) {
            assert_string_equal(builtin(&c), "policy.azure.hardware");
        } else {
            assert_string_not_equal(builtin(&c), "");
        }
    }
}

static void a_tpm_beside_a_guest_has_its_report(void **state)
{
    (void)state;
    atls_claims c = azure_guest(ATLS_TEE_SNP);
    c.tee = ATLS_TEE_SNP_TPM;
    assert_string_equal(builtin(&c), "");
    c.as.snp.policy |= UINT64_C(1) << 19;
    assert_string_equal(builtin(&c), "policy.debug");
    c = azure_guest(ATLS_TEE_TDX);
    c.tee = ATLS_TEE_SNP_TPM;
    assert_string_equal(builtin(&c), "policy.snp_tpm.hardware");
}

static void enclaves_realms_and_tokens_must_be_closed(void **state)
{
    (void)state;
    atls_claims c = nitro_enclave();
    c.as.nitro.is_debug = true;
    assert_string_equal(builtin(&c), "policy.debug");
    static const struct {
        uint32_t lifecycle;
        const char *check;
    } states[] = {
        {0, "policy.lifecycle"},      {0x2fff, "policy.lifecycle"},     {0x3000, ""}, {0x30ff, ""},
        {0x3100, "policy.lifecycle"}, {UINT32_MAX, "policy.lifecycle"},
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        c = cca_realm();
        c.as.cca.lifecycle = states[i].lifecycle;
        assert_string_equal(builtin(&c), states[i].check);
    }
    static const char *const words[] = {"warning", "contraindicated", "none", "", "Affirming"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        c = token();
        c.as.token.status = words[i];
        assert_string_equal(builtin(&c), "policy.status");
    }
    c.as.token.status = NULL; /* a plain token has none */
    assert_string_equal(builtin(&c), "");
    c.as.token.has_debug = true;
    assert_string_equal(builtin(&c), "");
    c.as.token.debug = true;
    assert_string_equal(builtin(&c), "policy.debug");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_genuine_of_every_family_passes),
        cmocka_unit_test(an_snp_guest_must_be_closed),
        cmocka_unit_test(azure_is_judged_by_its_hardware_too),
        cmocka_unit_test(a_tpm_beside_a_guest_has_its_report),
        cmocka_unit_test(enclaves_realms_and_tokens_must_be_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
