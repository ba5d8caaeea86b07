/* Lists in a register set: CCA's components, a token's measurements by name and claims by pointer. */
#include "policy/appraising.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

/* --- components --- */

static bool component_fits(const atls_component_rule *rule, const atls_cca_component *c)
{
    bool typed = rule->type == NULL || (c->type != NULL && strcmp(rule->type, c->type) == 0);
    return typed && atls_any_of_has(&rule->signer_id, c->signer_id, true) &&
           (rule->measurement.n == 0 || atls_any_of_has(&rule->measurement, c->measurement, true));
}

static bool is_known(const atls_register_rule *rule, const atls_cca_component *c)
{
    for (size_t i = 0; i < rule->list_n; i++) {
        if (component_fits(&rule->components[i], c)) {
            return true;
        }
    }
    return false;
}

static bool is_shown(const atls_component_rule *rule, const atls_cca_claims *cca)
{
    for (size_t i = 0; i < cca->components_n; i++) {
        if (component_fits(rule, &cca->components[i])) {
            return true;
        }
    }
    return false;
}

/* Both ways: all that runs there is known, and nothing that is wanted is missing. */
bool atls_appraise_components(atls_appraising *a, const atls_register_rule *rule)
{
    const atls_cca_claims *cca = &a->claims->as.cca;
    for (size_t i = 0; i < cca->components_n; i++) {
        const atls_cca_component *c = &cca->components[i];
        if (!is_known(rule, c)) {
            return atls_appraise_check(a, rule->reg->id, false, ATLS_E_POLICY,
                                       atls_value_hex(c->measurement),
                                       atls_value_text("a component that the policy names"));
        }
    }
    for (size_t i = 0; i < rule->list_n; i++) {
        const atls_component_rule *wanted = &rule->components[i];
        if (!wanted->is_optional && !is_shown(wanted, cca)) {
            return atls_appraise_check(
                a, rule->reg->id, false, ATLS_E_POLICY, atls_value_text("missing"),
                atls_value_text(wanted->type != NULL ? wanted->type : wanted->signer_id.wanted));
        }
    }
    return atls_appraise_check(a, rule->reg->id, true, ATLS_E_POLICY, atls_value_none(),
                               atls_value_none());
}

/* --- measurements of a token --- */

/* A name that stands twice says two things: it fits no value. */
static atls_buf named(const atls_token_claims *token, const char *name)
{
    atls_buf value = {NULL, 0};
    size_t n = 0;
    for (size_t i = 0; i < token->measurements_n; i++) {
        if (strcmp(token->measurements[i].name, name) == 0) {
            value = token->measurements[i].bytes;
            n++;
        }
    }
    return n == 1 ? value : (atls_buf){NULL, 0};
}

/* "mrtd aabb.. or more", so that the reader sees which of them it was. */
static atls_value wanted_named(const atls_appraising *a, const atls_named_rule *rule)
{
    char text[400];
    if (a->l == NULL) {
        return atls_value_none();
    }
    (void)snprintf(text, sizeof text, "%.160s %.200s", rule->name, rule->values.wanted);
    return atls_value_note(a->l, text);
}

bool atls_appraise_named(atls_appraising *a, const atls_register_rule *rule)
{
    bool all = true;
    for (size_t i = 0; i < rule->list_n; i++) {
        atls_buf value = named(&a->claims->as.token, rule->named[i].name);
        bool ok = atls_any_of_has(&rule->named[i].values, value, false);
        all = atls_appraise_check(a, rule->reg->id, ok, ATLS_E_POLICY,
                                  value.len > 0 ? atls_value_hex(value)
                                                : atls_value_text("absent from this evidence"),
                                  ok ? atls_value_none() : wanted_named(a, &rule->named[i])) &&
              all;
    }
    return all;
}

/* --- claims of a token, RFC 6901 --- */

#define STEP_MAX ATLS_POLICY_TEXT_MAX

/* The next reference token, unescaped; returns what is behind it. */
static const char *next_step(const char *pointer, char out[STEP_MAX + 1])
{
    size_t n = 0;
    const char *c = pointer + 1;
    for (; *c != '\0' && *c != '/'; c++) {
        char plain = *c;
        if (*c == '~') { /* the parser took "~0" and "~1" only */
            c++;
            plain = *c == '0' ? '~' : '/';
        }
        out[n++] = plain;
    }
    out[n] = '\0';
    return c;
}

/* An index has no leading zero, and at most 6 digits. */
static const json_t *element(const json_t *array, const char *step)
{
    size_t digits = strspn(step, "0123456789");
    if (digits == 0 || digits > 6 || step[digits] != '\0' || (digits > 1 && step[0] == '0')) {
        return NULL;
    }
    return json_array_get(array, (size_t)strtoul(step, NULL, 10));
}

static const json_t *resolve(const json_t *value, const char *pointer)
{
    char step[STEP_MAX + 1];
    while (value != NULL && *pointer != '\0') {
        pointer = next_step(pointer, step);
        value = json_is_array(value) ? element(value, step) : json_object_get(value, step);
    }
    return value;
}

bool atls_appraise_claims(atls_appraising *a, const atls_register_rule *rule)
{
    bool all = true;
    for (size_t i = 0; i < rule->list_n; i++) {
        const json_t *value = resolve(a->claims->as.token.all, rule->named[i].name);
        bool scalar = json_is_string(value) || json_is_integer(value) || json_is_boolean(value);
        char *text = scalar ? atls_json_write(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        if (scalar && text == NULL && a->l != NULL) {
            atls_ledger_no_memory(a->l);
        }
        atls_buf bytes = {(const uint8_t *)text, text != NULL ? strlen(text) : 0};
        bool ok = atls_any_of_has(&rule->named[i].values, bytes, false);
        atls_value found = a->l == NULL    ? atls_value_none()
                           : text != NULL  ? atls_value_note(a->l, text)
                           : value != NULL ? atls_value_text("neither text, number nor flag")
                                           : atls_value_text("absent from this evidence");
        all = atls_appraise_check(a, rule->reg->id, ok, ATLS_E_POLICY, found,
                                  ok ? atls_value_none() : wanted_named(a, &rule->named[i])) &&
              all;
        free(text);
    }
    return all;
}
