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

static void check_migration(atls_appraising *a, bool agent)
{
    const atls_any_of *pins = &a->workload->migration_agent;
    atls_buf id = {a->claims->as.snp.report_id_ma, sizeof a->claims->as.snp.report_id_ma};
    check(a, "policy.migration_agent", !agent || atls_any_of_has(pins, id, true),
          agent ? atls_value_hex(id) : atls_value_text("not allowed"),
          pins->n > 0 ? pins->wanted : "not allowed");
}

static void check_snp(atls_appraising *a)
{
    uint64_t policy = a->claims->as.snp.policy;
    atls_appraise_debug(a, (policy & SNP_DEBUG) != 0);
    check_migration(a, (policy & SNP_MIGRATION_AGENT) != 0);
    check_crl(a);
    if (a->claims->tee == ATLS_TEE_AZURE) { /* the paravisor's level: what runs above it may lie */
        uint32_t vmpl = a->claims->as.snp.vmpl;
        check(a, "policy.azure.vmpl", vmpl == 0, atls_value_uint(vmpl), "0");
    }
}

static void check_cca(atls_appraising *a)
{
    uint32_t state = a->claims->as.cca.lifecycle;
    bool secured = state >= CCA_SECURED_FIRST && state <= CCA_SECURED_LAST;
    check(a, "policy.lifecycle", secured || a->workload->allow_unsecured_lifecycle,
          atls_value_uint(state), "secured (12288 to 12543)");
}

/* Does the workload itself say which statuses are good? Then its registers have judged it. */
static bool names_status(const atls_appraising *a)
{
    const atls_register_set *set = a->sets[ATLS_TEE_TOKEN];
    for (size_t i = 0; set != NULL && i < set->rules_n; i++) {
        if (strcmp(set->rules[i].reg->key, "status") == 0) {
            return true;
        }
    }
    return false;
}

/* A plain token has no status, and is asked for none. */
static void check_token(atls_appraising *a)
{
    const atls_token_claims *token = &a->claims->as.token;
    if (token->has_debug) {
        atls_appraise_debug(a, token->debug);
    }
    if (token->status != NULL && !names_status(a)) {
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

/* A document or token has a time in it that is signed; 0: it has none, and is as old as can be. Other evidence is at least as
 * old as the verifier has known it, where it is shown again and again (a certificate's). */
void atls_appraise_age(atls_appraising *a)
{
    int64_t max_s = (int64_t)a->workload->max_evidence_age_s;
    int64_t made_s = 0;
    switch (a->claims->tee) {
    case ATLS_TEE_NITRO:
    case ATLS_TEE_NITROTPM:
        made_s = (int64_t)(a->claims->as.nitro.timestamp_ms / 1000);
        break;
    case ATLS_TEE_TOKEN:
        made_s = a->claims->as.token.iat_s;
        break;
    default:
        if (a->expected == NULL || !a->expected->has_since) {
            return;
        }
        made_s = a->expected->since_s;
        break;
    }
    if (max_s == 0) {
        return;
    }
    int64_t since = a->when_s < max_s ? 0 : a->when_s - max_s; /* the clock may say anything */
    bool ok = made_s > 0 && since <= made_s;
    if (atls_appraise_check(a, "policy.evidence_age", ok, ATLS_E_BINDING,
                            made_s > 0 ? atls_value_time(made_s) : atls_value_none(),
                            atls_value_text("evidence within max_evidence_age_s"))) {
        atls_appraise_limit(a, made_s < INT64_MAX - max_s ? made_s + max_s : INT64_MAX);
    }
}
