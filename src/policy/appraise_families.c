/* What the relying party judges always, of the families beside Intel's: debug, migration, revocation, life
 * cycle, and a token's own word. (Intel's attributes are in appraise_attributes.c.) */
#include "policy/appraising.h"

#include <string.h>

/* POLICY of a guest (SNP firmware ABI): what its owner lets the host do. */
#define SNP_MIGRATION_AGENT (UINT64_C(1) << 18)
#define SNP_DEBUG           (UINT64_C(1) << 19)

/* Arm CCA: security life cycle states in which nobody can look into the platform. */
#define CCA_SECURED_FIRST 0x3000u
#define CCA_SECURED_LAST  0x30ffu

static void check(atls_appraising *a, const char *id, bool cond, atls_value found,
                  const char *wanted)
{
    (void)atls_appraise_check(a, id, cond, ATLS_E_POLICY, found, atls_value_text(wanted));
}

/* AMD's leaves cannot be revoked, its intermediate certificates can: only the CRL of the root tells. */
static void check_crl(atls_appraising *a)
{
    bool checked = a->claims->as.snp.crl_checked;
    (void)atls_appraise_check(a, "policy.crl", checked || a->workload->crl_if_present,
                              ATLS_E_COLLATERAL, atls_value_text(checked ? "checked" : "no CRL"),
                              atls_value_text("a CRL of AMD's for this product"));
}

static void check_snp(atls_appraising *a)
{
    uint64_t policy = a->claims->as.snp.policy;
    atls_appraise_debug(a, (policy & SNP_DEBUG) != 0);
    bool agent = (policy & SNP_MIGRATION_AGENT) != 0;
    check(a, "policy.migration_agent", !agent, atls_value_text(agent ? "allowed" : "not allowed"),
          "not allowed");
    check_crl(a);
    if (a->claims->tee == ATLS_TEE_AZURE) { /* the paravisor's level: what runs above it may lie */
        uint32_t vmpl = a->claims->as.snp.vmpl;
        check(a, "policy.azure.vmpl", vmpl == 0, atls_value_uint(vmpl), "0");
    }
}

static void check_cca(atls_appraising *a)
{
    uint32_t state = a->claims->as.cca.lifecycle;
    check(a, "policy.lifecycle", state >= CCA_SECURED_FIRST && state <= CCA_SECURED_LAST,
          atls_value_uint(state), "secured (12288 to 12543)");
}

/* A plain token has no status, and is asked for none. */
static void check_token(atls_appraising *a)
{
    const atls_token_claims *token = &a->claims->as.token;
    if (token->has_debug) {
        atls_appraise_debug(a, token->debug);
    }
    if (token->status != NULL) {
        check(a, "policy.status", strcmp(token->status, "affirming") == 0,
              atls_value_text(token->status), "affirming");
    }
}

void atls_appraise_family(atls_appraising *a, atls_tee layer)
{
    switch (layer) {
    case ATLS_TEE_SNP:
        check_snp(a);
        break;
    case ATLS_TEE_NITRO:
        atls_appraise_debug(a, a->claims->as.nitro.is_debug);
        break;
    case ATLS_TEE_CCA:
        check_cca(a);
        break;
    case ATLS_TEE_TOKEN:
        check_token(a);
        break;
    default: /* a TPM, and AWS's document of one, have no debug mode and no life cycle */
        break;
    }
}
