/* Attributes of the workload's own TEE that no vendor library judges (specification of DCAP, 16). Always on. */
#include "policy/appraising.h"

#include <string.h>

/* TDATTRIBUTES, little endian. Bit 0 DEBUG; 1-7 reserved; 27 LASS, 28 SEPT_VE_DISABLE, 29 MIGRATABLE,
 * 30 PKS, 31 KL, 62 TPA, 63 PERFMON; all others unknown. */
#define TD_DEBUG           0x01 /* byte 0 */
#define TD_SEPT_VE_DISABLE 0x10 /* byte 3 */
#define TD_MIGRATABLE      0x20 /* byte 3 */
static const uint8_t td_known[8] = {TD_DEBUG, 0, 0, 0xf8, 0, 0, 0, 0xc0};

/* ATTRIBUTES flags, byte 0. */
#define SGX_INIT  0x01
#define SGX_DEBUG 0x02

static void check(atls_appraising *a, const char *id, bool cond, const char *found,
                  const char *wanted)
{
    (void)atls_appraise_check(a, id, cond, ATLS_E_POLICY, atls_value_text(found),
                              atls_value_text(wanted));
}

void atls_appraise_debug(atls_appraising *a, bool debug)
{
    check(a, "policy.debug", !debug || a->workload->allow_debug, debug ? "on" : "off", "off");
}

static void check_sgx(atls_appraising *a)
{
    uint8_t flags = a->claims->as.sgx.attributes[0];
    atls_appraise_debug(a, (flags & SGX_DEBUG) != 0);
    check(a, "policy.init", (flags & SGX_INIT) != 0, (flags & SGX_INIT) != 0 ? "set" : "clear",
          "set");
}

static void check_reserved(atls_appraising *a, const uint8_t attributes[8])
{
    uint8_t unknown[8];
    uint8_t any = 0;
    for (size_t i = 0; i < 8; i++) {
        unknown[i] = (uint8_t)(attributes[i] & (uint8_t)~td_known[i]);
        any |= unknown[i];
    }
    atls_value found = any != 0 ? atls_value_hex((atls_buf){unknown, 8}) : atls_value_none();
    (void)atls_appraise_check(a, "policy.reserved", any == 0, ATLS_E_POLICY, found,
                              atls_value_text("zero"));
}

/* Is this service TD pinned, by the allowance or by the build's own registers? */
static bool is_pinned(const atls_appraising *a, atls_buf mrservicetd)
{
    if (atls_any_of_has(&a->workload->service_td, mrservicetd, true)) {
        return true;
    }
    const atls_register_set *set = a->sets[ATLS_TEE_TDX];
    for (size_t i = 0; set != NULL && i < set->rules_n; i++) {
        const atls_register_rule *rule = &set->rules[i];
        if (strcmp(rule->reg->key, "mrservicetd") == 0) {
            return atls_any_of_has(&rule->values, mrservicetd, true);
        }
    }
    return false;
}

static void check_service_td(atls_appraising *a, bool migratable)
{
    static const uint8_t zero[48];
    const atls_tdx_claims *td = &a->claims->as.tdx;
    atls_buf value = {td->mrservicetd, sizeof td->mrservicetd};
    bool none = !td->is_1_5 || memcmp(td->mrservicetd, zero, sizeof zero) == 0;
    bool pinned = !none && is_pinned(a, value);
    bool ok = !migratable || (a->workload->allow_migratable && pinned);
    check(a, "policy.migratable", ok, migratable ? "migratable" : "not migratable",
          a->workload->allow_migratable ? "a migration TD that service_td pins" : "not migratable");
    if (td->is_1_5) {
        const atls_any_of *list = &a->workload->service_td;
        (void)atls_appraise_check(a, "policy.service_td", none || pinned, ATLS_E_POLICY,
                                  none ? atls_value_text("none") : atls_value_hex(value),
                                  atls_value_text(list->n > 0 ? list->wanted : "none"));
    }
}

static void check_tdx(atls_appraising *a)
{
    const uint8_t *attributes = a->claims->as.tdx.td_attributes;
    bool sept = (attributes[3] & TD_SEPT_VE_DISABLE) != 0;
    atls_appraise_debug(a, (attributes[0] & TD_DEBUG) != 0);
    check_reserved(a, attributes);
    check(a, "policy.sept", sept || a->workload->allow_sept_ve_disable_clear,
          sept ? "set" : "clear", "set");
    check_service_td(a, (attributes[3] & TD_MIGRATABLE) != 0);
}

void atls_appraise_attributes(atls_appraising *a)
{
    atls_tee layers[ATLS_LAYERS_MAX];
    size_t n = atls_appraise_layers(a->claims, layers);
    for (size_t i = 0; i < n; i++) {
        switch (layers[i]) {
        case ATLS_TEE_SGX:
            check_sgx(a);
            break;
        case ATLS_TEE_TDX:
            check_tdx(a);
            break;
        default:
            atls_appraise_family(a, layers[i]);
            break;
        }
    }
}
