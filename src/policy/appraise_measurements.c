/* Measured registers: alternatives, of which one must fit whole. */
#include "policy/appraising.h"

static bool check_rule(atls_appraising *a, const char *id, const atls_register_rule *rule,
                       bool not_zero)
{
    if (rule->reg->kind == ATLS_REGISTER_BYTES) {
        atls_buf value = atls_register_bytes(rule->reg, a->claims);
        bool ok = atls_any_of_has(&rule->values, value, not_zero);
        atls_value none = atls_value_none();
        return atls_appraise_check(a, id, ok, ATLS_E_POLICY,
                                   a->l == NULL     ? none
                                   : value.len == 0 ? atls_value_text("absent from this report")
                                                    : atls_value_hex(value),
                                   atls_value_text(rule->values.wanted));
    }
    uint16_t n = atls_register_number(rule->reg, a->claims);
    bool ok = rule->reg->kind == ATLS_REGISTER_MIN ? n >= rule->number : n == rule->number;
    return atls_appraise_check(a, id, ok, ATLS_E_POLICY, atls_value_uint(n),
                               atls_value_uint(rule->number));
}

static void check_set(atls_appraising *a, const atls_register_set *set)
{
    for (size_t i = 0; i < set->rules_n; i++) {
        (void)check_rule(a, set->rules[i].reg->id, &set->rules[i], false);
    }
}

/* The first alternative that fits, or the one with the fewest differences. */
static const atls_register_set *nearest_set(const atls_appraising *a)
{
    const atls_register_set *sets = a->workload->measured[a->claims->tee].sets;
    size_t n = a->workload->measured[a->claims->tee].n;
    size_t best = 0;
    size_t best_failed = SIZE_MAX;
    for (size_t i = 0; i < n && best_failed > 0; i++) {
        atls_appraising counting = {.workload = a->workload, .claims = a->claims};
        check_set(&counting, &sets[i]);
        if (counting.failed < best_failed) {
            best = i;
            best_failed = counting.failed;
        }
    }
    return n > 0 ? &sets[best] : NULL;
}

void atls_appraise_measurements(atls_appraising *a)
{
    a->set = nearest_set(a);
    if (a->set != NULL) {
        check_set(a, a->set);
    }
    const atls_register_set *owner = &a->workload->measured[a->claims->tee].owner;
    bool ok = owner->rules_n > 0;
    for (size_t i = 0; i < owner->rules_n; i++) {
        /* A field that was left empty names nobody. */
        ok = check_rule(a, owner->rules[i].reg->owner_id, &owner->rules[i], true) && ok;
    }
    a->owner_checked = ok;
}
