/* Measured registers: alternatives, of which one must fit whole; one such list a layer of the evidence. */
#include "policy/appraising.h"

#include <string.h>

/* PCR 0 to 2 of an enclave in debug mode are zero: they measure nothing, whatever a policy writes down. */
static bool measures_nothing_if_zero(const atls_appraising *a, const atls_register *reg)
{
    return reg->place == ATLS_PLACE_DOCUMENT && reg->index <= 2 && !a->workload->allow_debug;
}

static bool check_bytes(atls_appraising *a, const char *id, const atls_register_rule *rule,
                        bool not_zero)
{
    atls_buf value = atls_register_bytes(rule->reg, a->claims);
    bool ok =
        atls_any_of_has(&rule->values, value, not_zero || measures_nothing_if_zero(a, rule->reg));
    return atls_appraise_check(a, id, ok, ATLS_E_POLICY,
                               a->l == NULL     ? atls_value_none()
                               : value.len == 0 ? atls_value_text("absent from this evidence")
                                                : atls_value_hex(value),
                               atls_value_text(rule->values.wanted));
}

static bool check_texts(atls_appraising *a, const char *id, const atls_register_rule *rule)
{
    bool ok = false;
    const char *first = atls_register_text(rule->reg, a->claims, 0);
    const char *text;
    for (size_t i = 0; (text = atls_register_text(rule->reg, a->claims, i)) != NULL; i++) {
        ok = ok ||
             atls_any_of_has(&rule->values, (atls_buf){(const uint8_t *)text, strlen(text)}, false);
    }
    return atls_appraise_check(a, id, ok, ATLS_E_POLICY,
                               a->l == NULL    ? atls_value_none()
                               : first != NULL ? atls_value_note(a->l, first)
                                               : atls_value_text("absent from this evidence"),
                               atls_value_text(rule->values.wanted));
}

static bool number_fits(const atls_register_rule *rule, uint64_t n)
{
    switch (rule->reg->kind) {
    case ATLS_REGISTER_MIN:
        return n >= rule->number;
    case ATLS_REGISTER_MAX:
        return n <= rule->number;
    case ATLS_REGISTER_BITS_SET:
        return (n & rule->number) == rule->number;
    case ATLS_REGISTER_BITS_CLEAR:
        return (n & rule->number) == 0;
    default:
        return n == rule->number;
    }
}

/* The mask's number as "0x..": bits are not read in decimal. */
static atls_value shown_number(const atls_appraising *a, const atls_register_rule *rule, uint64_t n)
{
    char text[24];
    size_t at = 2;
    if (rule->wanted == NULL || a->l == NULL) {
        return atls_value_uint(n);
    }
    memcpy(text, "0x", 2);
    for (int shift = 60; shift >= 0; shift -= 4) {
        unsigned digit = (unsigned)(n >> shift & 15);
        if (digit != 0 || at > 2 || shift == 0) {
            text[at++] = "0123456789abcdef"[digit];
        }
    }
    text[at] = '\0';
    return atls_value_note(a->l, text);
}

static bool check_number(atls_appraising *a, const char *id, const atls_register_rule *rule)
{
    uint64_t n = 0;
    bool has = atls_register_number(rule->reg, a->claims, &n);
    return atls_appraise_check(
        a, id, has && number_fits(rule, n), ATLS_E_POLICY,
        has ? shown_number(a, rule, n) : atls_value_text("absent from this evidence"),
        rule->wanted != NULL ? atls_value_text(rule->wanted) : atls_value_uint(rule->number));
}

static bool check_rule(atls_appraising *a, const char *id, const atls_register_rule *rule,
                       bool not_zero)
{
    switch (rule->reg->kind) {
    case ATLS_REGISTER_BYTES:
    case ATLS_REGISTER_DIGEST:
        return check_bytes(a, id, rule, not_zero);
    case ATLS_REGISTER_TEXT:
        return check_texts(a, id, rule);
    case ATLS_REGISTER_COMPONENTS:
        return atls_appraise_components(a, rule);
    case ATLS_REGISTER_NAMED:
        return atls_appraise_named(a, rule);
    case ATLS_REGISTER_CLAIMS:
        return atls_appraise_claims(a, rule);
    default:
        return check_number(a, id, rule);
    }
}

static void check_set(atls_appraising *a, const atls_register_set *set)
{
    for (size_t i = 0; i < set->rules_n; i++) {
        (void)check_rule(a, set->rules[i].reg->id, &set->rules[i], false);
    }
}

/* The first alternative that fits, or the one with the fewest differences. */
static const atls_register_set *nearest_set(const atls_appraising *a, atls_tee layer)
{
    const atls_register_set *sets = a->workload->measured[layer].sets;
    size_t n = a->workload->measured[layer].n;
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
    atls_tee layers[ATLS_LAYERS_MAX];
    size_t n = atls_appraise_layers(a->claims, layers);
    for (size_t i = 0; i < n; i++) {
        a->sets[layers[i]] = nearest_set(a, layers[i]);
        if (a->sets[layers[i]] != NULL) {
            check_set(a, a->sets[layers[i]]);
        }
    }
    const atls_register_set *owner = &a->workload->measured[a->claims->tee].owner;
    bool ok = owner->rules_n > 0;
    for (size_t i = 0; i < owner->rules_n; i++) {
        /* A field that was left empty names nobody. */
        ok = check_rule(a, owner->rules[i].reg->owner_id, &owner->rules[i], true) && ok;
    }
    a->owner_checked = ok;
}
