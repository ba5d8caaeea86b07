/* appraise_families_rig.h: claims of a good guest, TPM, enclave, realm and token of each family beside Intel's. */
#ifndef ATLS_TESTS_APPRAISE_FAMILIES_RIG_H
#define ATLS_TESTS_APPRAISE_FAMILIES_RIG_H

#include "unit/appraise_rig.h"

/* Milan: policy 0x30000, TCB 4/0/24/219, firmware 1.55.29, chip ee.. */
static inline atls_claims snp_guest(void)
{
    atls_claims c = {.tee = ATLS_TEE_SNP, .hardware = ATLS_TEE_SNP};
    atls_snp_claims *s = &c.as.snp;
    s->version = 3;
    s->guest_svn = 5;
    s->policy = 0x30000;
    s->platform_info = 0x25;
    memset(s->measurement, 0xaa, 48);
    memset(s->host_data, 0xbb, 32);
    memset(s->id_key_digest, 0xcc, 48);
    memset(s->report_id_ma, 0xff, 32);
    memset(s->chip_id, 0xee, 64);
    s->reported_tcb = (atls_snp_tcb){.bootloader = 4, .tee = 0, .snp = 24, .microcode = 219};
    s->current_tcb = s->committed_tcb = s->launch_tcb = s->reported_tcb;
    memcpy(s->current_version, "\x01\x37\x1d", 3);
    memcpy(s->committed_version, "\x01\x37\x1d", 3);
    memcpy(s->product, "Milan", 6);
    s->has_cpuid = true;
    s->family = 0x19;
    s->model = 1;
    s->stepping = 1;
    s->crl_checked = true;
    return c;
}

/* PCRs 0 to 15 of the SHA-256 bank, each byte of PCR i is i + 1. */
static inline atls_claims tpm_quote(void)
{
    atls_claims c = {.tee = ATLS_TEE_TPM, .hardware = ATLS_TEE_TPM};
    atls_tpm_bank *bank = &c.tpm.banks[ATLS_TPM_SHA256];
    bank->selected = 0xffff;
    for (int i = 0; i < 16; i++) {
        memset(bank->value[i], i + 1, 32);
    }
    c.tpm.safe = true;
    c.tpm.firmware_version = 0x2019102300163636;
    c.tpm.reset_count = 2;
    c.tpm.ak_trust = ATLS_AK_VOUCHED;
    memset(c.tpm.ak_spki_sha256, 0x11, 32);
    return c;
}

/* A guest of Azure: the hardware's claims, the TPM's over them. */
static inline atls_claims azure_guest(atls_tee hardware)
{
    atls_claims c = hardware == ATLS_TEE_SNP ? snp_guest() : td();
    c.tpm = tpm_quote().tpm;
    c.tpm.ak_trust = ATLS_AK_REPORT;
    c.tee = ATLS_TEE_AZURE;
    c.hardware = hardware;
    return c;
}

/* PCRs 0 to 15, 48 bytes each of i + 1; made a minute ago. */
static inline atls_claims nitro_enclave(void)
{
    atls_claims c = {.tee = ATLS_TEE_NITRO, .hardware = ATLS_TEE_NITRO};
    atls_nitro_claims *n = &c.as.nitro;
    n->module_id = "i-0123456789abcdef0-enc0123456789abcdef";
    n->timestamp_ms = (uint64_t)(NOW - 60) * 1000;
    n->pcrs = 0xffff;
    for (int i = 0; i < 16; i++) {
        memset(n->pcr[i], i + 1, 48);
        n->pcr_len[i] = 48;
    }
    return c;
}

static inline atls_claims nitro_tpm(void)
{
    atls_claims c = nitro_enclave();
    c.tee = c.hardware = ATLS_TEE_NITROTPM;
    c.as.nitro.module_id = "i-0123456789abcdef0-tpm0123456789abcdef";
    return c;
}

static const uint8_t b1[32] = {[0] = 0xb1, [31] = 0xb1};
static const uint8_t b2[32] = {[0] = 0xb2, [31] = 0xb2};
static const uint8_t signer[32] = {[0] = 0x51, [31] = 0x51};
#define ZEROS30 "000000000000000000000000000000000000000000000000000000000000"
#define B1      "b1" ZEROS30 "b1"
#define B2      "b2" ZEROS30 "b2"
#define SIGNER  "51" ZEROS30 "51"
static const atls_cca_component cca_components[] = {
    {"BL", "1.0", {b1, 32}, {signer, 32}},
    {"RMM", NULL, {b2, 32}, {signer, 32}},
};

static inline atls_claims cca_realm(void)
{
    atls_claims c = {.tee = ATLS_TEE_CCA, .hardware = ATLS_TEE_CCA};
    atls_cca_claims *r = &c.as.cca;
    memset(r->personalization, 0xcc, 64);
    memset(r->rim, 0xaa, 32);
    r->rim_len = 32;
    for (int i = 0; i < 4; i++) {
        memset(r->rem[i], i + 1, 32);
        r->rem_len[i] = 32;
    }
    memset(r->implementation_id, 0x77, 32);
    memset(r->instance_id, 0x99, 33);
    r->lifecycle = 12291;
    r->components = cca_components;
    r->components_n = 2;
    return c;
}

static const char *const token_audiences[] = {"other", "me"};
static const atls_token_measurement token_measurements[] = {
    {"mrtd", {(const uint8_t *)"\xaa\xaa", 2}},
};

/* An EAR of a minute ago. */
static inline atls_claims token(void)
{
    atls_claims c = {.tee = ATLS_TEE_TOKEN, .hardware = ATLS_TEE_TOKEN};
    atls_token_claims *t = &c.as.token;
    t->kind = ATLS_TOKEN_EAR;
    t->issuer = "https://verifier.example";
    t->audiences = token_audiences;
    t->audiences_n = 2;
    t->iat_s = NOW - 60;
    t->status = "affirming";
    t->measurements = token_measurements;
    t->measurements_n = 1;
    return c;
}

/* One workload of this TEE with these members; decided by check ("" if it fits). */
static inline void expect_of(const char *tee, const char *members, const atls_claims *c,
                             const char *check)
{
    char text[12000];
    atls_appraisal a;
    (void)snprintf(text, sizeof text, "{\"name\":\"web\",\"tees\":[\"%s\"]%s}", tee, members);
    (void)free_expected_policy(NULL);
    expected_policy = policy_of(text);
    const char *d = decided(expected_policy, c, NULL, &a);
    if (strcmp(d, check) != 0) {
        fail_msg("%s: decided by \"%s\", wanted \"%s\"", text, d, check);
    }
    assert_int_equal(a.fits, check[0] == '\0');
    if (check[0] != '\0') {
        assert_non_null(entry(check));
    }
}

#endif
