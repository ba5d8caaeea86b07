#include "verify/verdict_text.h"

#include <string.h>

#include "base/hex.h"

void verdict_text_short(atls_text *row, const char *name, const uint8_t *bytes, size_t len)
{
    char hex[17];
    atls_hex_encode((atls_buf){bytes, len < 8 ? len : 8}, hex);
    atls_text_add(row, "%s%s %s%s", row->len > 0 ? ", " : "", name, hex, len > 8 ? ".." : "");
}

static void numbered(atls_text *row, const char *prefix, size_t i, const uint8_t *bytes, size_t len)
{
    char hex[17];
    atls_hex_encode((atls_buf){bytes, len < 8 ? len : 8}, hex);
    atls_text_add(row, "%s%s%zu %s%s", row->len > 0 ? ", " : "", prefix, i, hex,
                  len > 8 ? ".." : "");
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static void run_tdx(atls_text *row, const atls_tdx_claims *c)
{
    verdict_text_short(row, "mrtd", c->mrtd, sizeof c->mrtd);
    for (size_t i = 0; i < 4; i++) {
        numbered(row, "rtmr", i, c->rtmr[i], sizeof c->rtmr[i]);
    }
}

static void run_snp(atls_text *row, const atls_snp_claims *c)
{
    verdict_text_short(row, "measurement", c->measurement, sizeof c->measurement);
    if (!is_zero(c->host_data, sizeof c->host_data)) {
        verdict_text_short(row, "host_data", c->host_data, sizeof c->host_data);
    }
    atls_text_add(row, ", VMPL %u, guest svn %u", (unsigned)c->vmpl, (unsigned)c->guest_svn);
}

/* The bank that says most: of the longest hash that was quoted. */
static void run_tpm(atls_text *row, const atls_tpm_claims *c)
{
    static const struct {
        int bank;
        size_t len;
        const char *name;
    } banks[] = {{ATLS_TPM_SHA512, 64, "sha512 PCR "},
                 {ATLS_TPM_SHA384, 48, "sha384 PCR "},
                 {ATLS_TPM_SHA256, 32, "PCR "},
                 {ATLS_TPM_SHA1, 20, "sha1 PCR "}};
    for (size_t b = 0; b < 4; b++) {
        const atls_tpm_bank *bank = &c->banks[banks[b].bank];
        for (size_t i = 0; i < ATLS_TPM_PCRS; i++) {
            if ((bank->selected & 1u << i) != 0 && !is_zero(bank->value[i], banks[b].len)) {
                numbered(row, banks[b].name, i, bank->value[i], banks[b].len);
            }
        }
        if (bank->selected != 0) {
            return;
        }
    }
}

static void run_nitro(atls_text *row, const atls_nitro_claims *c)
{
    for (size_t i = 0; i < 32; i++) {
        if ((c->pcrs & 1u << i) != 0 && !is_zero(c->pcr[i], c->pcr_len[i])) {
            numbered(row, "PCR ", i, c->pcr[i], c->pcr_len[i]);
        }
    }
    if (c->is_debug) {
        atls_text_add(row, "%sdebug mode: no image is measured", row->len > 0 ? ", " : "");
    }
}

static void run_cca(atls_text *row, const atls_cca_claims *c)
{
    verdict_text_short(row, "rim", c->rim, c->rim_len);
    for (size_t i = 0; i < 4; i++) {
        if (!is_zero(c->rem[i], c->rem_len[i])) {
            numbered(row, "rem", i, c->rem[i], c->rem_len[i]);
        }
    }
}

static void run_token(atls_text *row, const atls_token_claims *c)
{
    atls_text_add(row, "%swhat %s says", row->len > 0 ? ", " : "",
                  c->issuer[0] != '\0' ? c->issuer : "its issuer");
    if (c->status != NULL) {
        atls_text_add(row, ": %s", c->status);
    }
    for (size_t i = 0; i < c->measurements_n; i++) {
        verdict_text_short(row, c->measurements[i].name, c->measurements[i].bytes.ptr,
                           c->measurements[i].bytes.len);
    }
}

void verdict_text_runs(atls_text *row, const atls_claims *c)
{
    switch (c->tee) {
    case ATLS_TEE_TDX:
        run_tdx(row, &c->as.tdx);
        break;
    case ATLS_TEE_SGX:
        verdict_text_short(row, "mrenclave", c->as.sgx.mrenclave, sizeof c->as.sgx.mrenclave);
        verdict_text_short(row, "mrsigner", c->as.sgx.mrsigner, sizeof c->as.sgx.mrsigner);
        atls_text_add(row, ", product %u, svn %u", c->as.sgx.isvprodid, c->as.sgx.isvsvn);
        break;
    case ATLS_TEE_SNP:
        run_snp(row, &c->as.snp);
        break;
    case ATLS_TEE_TPM:
    case ATLS_TEE_SNP_TPM:
    case ATLS_TEE_AZURE: /* the report's own measurement is the paravisor's */
        run_tpm(row, &c->tpm);
        break;
    case ATLS_TEE_NITRO:
    case ATLS_TEE_NITROTPM:
        run_nitro(row, &c->as.nitro);
        break;
    case ATLS_TEE_CCA:
        run_cca(row, &c->as.cca);
        break;
    case ATLS_TEE_TOKEN:
        run_token(row, &c->as.token);
        break;
    case ATLS_TEE_DUMMY:
        atls_text_add(row, "%sanything: dummy evidence proves nothing", row->len > 0 ? ", " : "");
        break;
    default:
        atls_text_add(row, "not proved: the evidence did not verify");
        break;
    }
}

static void on_snp(atls_text *row, const atls_snp_claims *c)
{
    atls_text_add(row, "AMD SEV-SNP %s", c->product);
    if (c->is_vlek) {
        atls_text_add(row, ", key of %s", c->csp_id[0] != '\0' ? c->csp_id : "a provider");
    }
    if (c->chip_id_masked) {
        atls_text_add(row, ", chip not named");
    } else {
        verdict_text_short(row, "chip", c->chip_id, sizeof c->chip_id);
    }
    const atls_snp_tcb *t = &c->reported_tcb;
    atls_text_add(row, ", TCB");
    if (t->has_fmc) {
        atls_text_add(row, " fmc %u", t->fmc);
    }
    atls_text_add(row, " boot loader %u, tee %u, snp %u, microcode %u", t->bootloader, t->tee,
                  t->snp, t->microcode);
}

static const char *ak_words(atls_ak_trust trust)
{
    switch (trust) {
    case ATLS_AK_VOUCHED:
        return "its key is the one you vouch for";
    case ATLS_AK_CERTIFICATE:
        return "its key is certified";
    case ATLS_AK_REPORT:
        return "its key is covered by the hardware report";
    default:
        return "nobody vouches for its key";
    }
}

static void on_azure(atls_text *row, const atls_claims *c)
{
    atls_text_add(row, "Azure paravisor on ");
    if (c->hardware == ATLS_TEE_SNP) {
        on_snp(row, &c->as.snp);
    } else {
        atls_text_add(row, "Intel TDX");
    }
    if (c->tpm.vm_id[0] != '\0') {
        atls_text_add(row, ", VM %s", c->tpm.vm_id);
    }
}

static void on_snp_tpm(atls_text *row, const atls_claims *c)
{
    on_snp(row, &c->as.snp);
    atls_text_add(row, "; and a TPM, firmware %016llx; %s",
                  (unsigned long long)c->tpm.firmware_version, ak_words(c->tpm.ak_trust));
}

static void on_token(atls_text *row, const atls_token_claims *c)
{
    static const char *const kinds[] = {"token", "EAR", "token of Microsoft Azure Attestation",
                                        "token of Intel Trust Authority",
                                        "token of Confidential Space"};
    atls_text_add(row, "%s", kinds[c->kind]);
    if (c->attested_tee != ATLS_TEE_NONE) {
        atls_text_add(row, " about %s", atls_tee_name(c->attested_tee));
    }
    atls_text_add(row, ": its issuer has judged the evidence, not atls");
}

void verdict_text_on(atls_text *row, const atls_claims *c)
{
    const char *simulated = c->simulated ? "simulated " : "";
    atls_text_add(row, "%s", simulated);
    switch (c->tee) {
    case ATLS_TEE_SGX:
    case ATLS_TEE_TDX:
        atls_text_add(row, "Intel %s", c->tee == ATLS_TEE_SGX ? "SGX" : "TDX");
        break;
    case ATLS_TEE_SNP:
        on_snp(row, &c->as.snp);
        break;
    case ATLS_TEE_TPM:
        atls_text_add(row, "TPM 2.0, firmware %016llx; %s",
                      (unsigned long long)c->tpm.firmware_version, ak_words(c->tpm.ak_trust));
        break;
    case ATLS_TEE_AZURE:
        on_azure(row, c);
        break;
    case ATLS_TEE_SNP_TPM:
        on_snp_tpm(row, c);
        break;
    case ATLS_TEE_NITRO:
    case ATLS_TEE_NITROTPM:
        atls_text_add(row, "AWS %s, %s", c->tee == ATLS_TEE_NITRO ? "Nitro Enclaves" : "NitroTPM",
                      c->as.nitro.module_id);
        break;
    case ATLS_TEE_CCA:
        atls_text_add(row, "Arm CCA, lifecycle %04x", (unsigned)c->as.cca.lifecycle);
        verdict_text_short(row, "instance", c->as.cca.instance_id, sizeof c->as.cca.instance_id);
        break;
    case ATLS_TEE_TOKEN:
        on_token(row, &c->as.token);
        break;
    case ATLS_TEE_DUMMY:
        atls_text_add(row, "nothing: no hardware is named");
        break;
    default:
        break;
    }
}
