/* A policy learned from good evidence accepts it, and nothing that differs in what it pinned. */
#include "policy/learn.h"
#include "policy/policy.h"
#include "unit/appraise_families_rig.h"
#include "verify/verdict.h"

static atls_policy *learned(const atls_claims *const *claims, size_t n)
{
    char *text = NULL;
    atls_err err = {0};
    atls_policy *p = NULL;
    if (atls_policy_learn_claims(claims, n, "web", &text, &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    if (atls_policy_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &p, &err) != ATLS_OK) {
        fail_msg("%s\n%s", err.msg, text);
    }
    atls_free(text);
    return p;
}

/* Learns from c; then c as changed is decided by check. */
static void learn_and_expect(const atls_claims *good, const atls_claims *changed, const char *check)
{
    atls_appraisal a;
    atls_policy *p = learned(&good, 1);
    assert_string_equal(decided(p, good, NULL, &a), "");
    assert_string_equal(a.workload, "web");
    const char *d = decided(p, changed, NULL, &a);
    if (strcmp(d, check) != 0) {
        fail_msg("decided by %s, wanted %s", d, check);
    }
    atls_policy_free(p);
}

static void every_family_is_learned(void **state)
{
    (void)state;
    atls_claims c = td();
    atls_claims other = c;
    other.as.tdx.rtmr[3][0] = 1;
    learn_and_expect(&c, &other, "policy.tdx.rtmr3");
    other = c;
    other.platform.ppid[0] = 1;
    learn_and_expect(&c, &other, "policy.platform.ppid");
    other = c;
    other.as.tdx.mrconfigid[0] = 1;
    learn_and_expect(&c, &other, "policy.owner.mrconfigid");
    other = c; /* the vendor's part */
    other.as.tdx.mrseam[0] = 1;
    other.platform.pck_serial[0] = 1;
    learn_and_expect(&c, &other, "");
    c = other = enclave();
    other.as.sgx.mrenclave[0] = 1;
    learn_and_expect(&c, &other, "policy.sgx.mrenclave");
    c = other = snp_guest();
    other.as.snp.policy &= ~(UINT64_C(1) << 16); /* fewer permissions are fine */
    other.as.snp.report_id[0] = 9;
    learn_and_expect(&c, &other, "");
    other.as.snp.policy |= 1u << 21;
    learn_and_expect(&c, &other, "policy.snp.policy_clear");
    other = c;
    other.as.snp.platform_info = 1;
    learn_and_expect(&c, &other, "policy.snp.platform_info_set");
    other = c;
    other.as.snp.committed_tcb.microcode--;
    learn_and_expect(&c, &other, "policy.snp.tcb.microcode");
    c.platform.has_chip_id = true;
    other = c;
    other.as.snp.chip_id[5] = 0;
    learn_and_expect(&c, &other, "policy.platform.chip_id");
    c = snp_guest();
    c.as.snp.is_vlek = true;
    memcpy(c.as.snp.csp_id, "aws", 4);
    other = c;
    other.as.snp.csp_id[0] = 'b';
    learn_and_expect(&c, &other, "policy.snp.csp_id");
    c = snp_guest();
    c.as.snp.chip_id_masked = true;
    c.as.snp.has_cpuid = false;
    c.as.snp.reported_tcb.has_fmc = true;
    memcpy(c.as.snp.product, "Turin", 6);
    learn_and_expect(&c, &c, "");
}

static void tpms_and_documents_are_learned(void **state)
{
    (void)state;
    atls_claims c = tpm_quote();
    atls_claims other = c;
    other.tpm.banks[ATLS_TPM_SHA256].value[7][0] = 1;
    learn_and_expect(&c, &other, "policy.tpm.pcr7");
    other = c; /* what each start makes anew */
    other.tpm.banks[ATLS_TPM_SHA256].value[10][0] = 1;
    other.tpm.reset_count++;
    learn_and_expect(&c, &other, "");
    other.tpm.ak_spki_sha256[0] = 1;
    learn_and_expect(&c, &other, "policy.platform.ak");
    memcpy(c.tpm.gcp_instance_id, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    other = c;
    other.tpm.gcp_instance_id[7] = 9;
    learn_and_expect(&c, &other, "policy.platform.gcp_instance_id");
    c = azure_guest(ATLS_TEE_SNP);
    memcpy(c.tpm.vm_id, "AA", 3);
    other = c;
    other.tpm.vm_id[0] = 'B';
    learn_and_expect(&c, &other, "policy.owner.vm_id");
    c = azure_guest(ATLS_TEE_TDX);
    other = c;
    other.as.tdx.mrtd[0] = 1;
    learn_and_expect(&c, &other, "policy.tdx.mrtd");
    c = other = nitro_enclave();
    other.as.nitro.pcr[0][0] = 9;
    learn_and_expect(&c, &other, "policy.nitro.pcr0");
    other = c;
    other.as.nitro.pcr[3][0] = 9;
    learn_and_expect(&c, &other, "policy.owner.pcr3");
    other = c;
    other.as.nitro.module_id = "i-1-enc1";
    learn_and_expect(&c, &other, "policy.platform.nitro_instance");
    c = other = nitro_tpm();
    other.as.nitro.pcr[4][0] = 9;
    learn_and_expect(&c, &other, "policy.nitrotpm.pcr4");
    c = other = cca_realm();
    other.as.cca.rem[2][0] = 9;
    learn_and_expect(&c, &other, "policy.cca.rem2");
    other = c;
    other.as.cca.components_n = 1;
    learn_and_expect(&c, &other, "policy.cca.components");
    c = other = token();
    other.as.token.issuer = "x";
    learn_and_expect(&c, &other, "policy.jwt.issuer");
    other = c;
    other.as.token.measurements_n = 0;
    learn_and_expect(&c, &other, "policy.jwt.measurements");
}

static void events_are_learned_instead_of_their_register(void **state)
{
    (void)state;
    atls_event events[] = {
        {.index = 3, .name = "compose-hash", .data = {(const uint8_t *)"ab", 2}},
        {.index = 3, .name = "instance-id", .data = {(const uint8_t *)"cd", 2}},
    };
    for (size_t i = 0; i < 2; i++) {
        events[i].is_runtime = events[i].data_matches = true;
    }
    atls_claims c = td();
    c.log = (atls_event_claims){.events = events, .n = 2, .replayed = 0xf};
    atls_event changed[] = {events[0], events[1]};
    atls_claims other = c;
    other.log.events = changed;
    changed[1].data.ptr = (const uint8_t *)"xy"; /* another instance: another RTMR 3 */
    other.as.tdx.rtmr[3][0] = 1;
    learn_and_expect(&c, &other, "");
    changed[0].data.ptr = (const uint8_t *)"xy";
    learn_and_expect(&c, &other, "policy.event.payload");
    other = c;
    other.log.replayed = 7;
    learn_and_expect(&c, &other, "policy.replay");
    const atls_claims *two[] = {&c, &c};
    changed[0].data.ptr = (const uint8_t *)"zz";
    other = c;
    other.log.events = changed;
    two[1] = &other;
    atls_policy *p = learned(two, 2);
    atls_appraisal a;
    assert_string_equal(decided(p, &other, NULL, &a), "");
    atls_policy_free(p);
}

static void several_make_one_policy(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_claims c = td();
    atls_claims second = td();
    second.as.tdx.rtmr[1][0] = 1;
    second.platform.ppid[0] = 1;
    atls_claims e = enclave();
    const atls_claims *all[] = {&c, &second, &e, &c};
    atls_policy *p = learned(all, 4);
    assert_int_equal(atls_policy_workloads(p), 2);
    assert_string_equal(atls_policy_workload_name(p, 0), "web-tdx");
    assert_string_equal(atls_policy_workload_name(p, 1), "web-sgx");
    assert_int_equal(p->workloads[0].measured[ATLS_TEE_TDX].n, 2);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(decided(p, all[i], NULL, &a), "");
    }
    atls_policy_free(p);
}

static void what_cannot_be_learned_is_refused(void **state)
{
    (void)state;
    char *text = NULL;
    atls_err err = {0};
    atls_claims c = td();
    atls_claims mixed = td();
    memset(mixed.as.tdx.mrconfigid, 0, 48); /* the other one has an owner */
    const atls_claims *two[] = {&c, &mixed};
    assert_int_equal(atls_policy_learn_claims(two, 2, "web", &text, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "learn.mixed");
    assert_non_null(strstr(err.msg, "evidence 2 does not fit"));
    assert_int_equal(atls_policy_learn_claims(two, 0, "web", &text, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "learn.evidence");
    assert_int_equal(atls_policy_learn_claims(two, 1, "", &text, &err), ATLS_E_USAGE);
    mixed.tee = ATLS_TEE_NONE;
    assert_int_equal(atls_policy_learn_claims(two, 2, "web", &text, &err), ATLS_E_USAGE);
    atls_verdict *v = atls_verdict_new();
    const atls_verdict *one[] = {v};
    assert_int_equal(atls_policy_learn(one, 1, "web", &text, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "learn.refused");
    v->accepted = true;
    v->claims = c;
    assert_int_equal(atls_policy_learn(one, 1, "web", &text, &err), ATLS_OK);
    atls_free(text);
    atls_verdict_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_is_learned),
        cmocka_unit_test(tpms_and_documents_are_learned),
        cmocka_unit_test(events_are_learned_instead_of_their_register),
        cmocka_unit_test(several_make_one_policy),
        cmocka_unit_test(what_cannot_be_learned_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
