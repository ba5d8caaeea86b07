/* Lists in a register set that are no register: CCA's components, a token's measurements and claims. */
#include "policy/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* --- components --- */

static atls_code parse_type(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_string(p, value, &((atls_component_rule *)target)->type);
}

static atls_code parse_signer(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_varied(p, value, 64, true, true,
                                    &((atls_component_rule *)target)->signer_id);
}

static atls_code parse_measurement(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_varied(p, value, 64, true, true,
                                    &((atls_component_rule *)target)->measurement);
}

static atls_code parse_optional(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_component_rule *)target)->is_optional);
}

static const atls_policy_key component_keys[] = {
    {"type", parse_type, false},
    {"signer_id", parse_signer, true},
    {"measurement", parse_measurement, false},
    {"optional", parse_optional, false},
};
const atls_policy_object atls_policy_component_object = {"component", component_keys, 4};

atls_code atls_policy_parse_components(atls_policy_parser *p, json_t *value,
                                       atls_register_rule *out)
{
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    if (n > ATLS_POLICY_COMPONENTS_MAX) {
        return atls_policy_refuse(p, "%zu components, where at most %d are taken", n,
                                  ATLS_POLICY_COMPONENTS_MAX);
    }
    out->components = atls_policy_keep(p->policy, n, sizeof *out->components);
    if (out->components == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(atls_policy_parse_object(p, json_array_get(value, i),
                                          &atls_policy_component_object, &out->components[i]));
        atls_policy_leave(p);
    }
    out->list_n = n;
    return ATLS_OK;
}

/* --- measurements by name --- */

atls_code atls_policy_parse_named(atls_policy_parser *p, json_t *value, atls_register_rule *out)
{
    size_t n = json_object_size(value);
    if (n == 0 || n > ATLS_POLICY_CLAIMS_MAX) {
        return atls_policy_refuse(p, "an object of 1 to %d names is wanted: {\"mrtd\": [...]}",
                                  ATLS_POLICY_CLAIMS_MAX);
    }
    out->named = atls_policy_keep(p->policy, n, sizeof *out->named);
    if (out->named == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        atls_named_rule *rule = &out->named[out->list_n];
        atls_policy_enter(p, name);
        rule->name = atls_policy_keep_text(p->policy, name);
        if (rule->name == NULL) {
            return ATLS_ERR_NOMEM(p->err);
        }
        ATLS_TRY(atls_policy_parse_varied(p, member, 64, false, false, &rule->values));
        atls_policy_leave(p);
        out->list_n++;
    }
    return ATLS_OK;
}

/* --- claims by pointer --- */

/* RFC 6901: "" or "/" and what follows, "~" only as "~0" or "~1". */
static atls_code parse_pointer(atls_policy_parser *p, json_t *value, void *target)
{
    atls_named_rule *rule = target;
    ATLS_TRY(atls_policy_parse_string(p, value, &rule->name));
    bool ok = rule->name[0] == '/';
    for (const char *c = rule->name; *c != '\0'; c++) {
        ok = ok && (*c != '~' || c[1] == '0' || c[1] == '1');
    }
    return ok ? ATLS_OK
              : atls_policy_refuse(p, "a JSON pointer is wanted: \"/submods/cpu0/ear.status\"");
}

/* As JSON text: what a claim is compared with. */
static atls_code keep_scalar(atls_policy_parser *p, json_t *value, uint8_t *out, uint8_t *out_len)
{
    if (!json_is_string(value) && !json_is_integer(value) && !json_is_boolean(value)) {
        return atls_policy_refuse(p, "a string, a whole number, true or false is wanted");
    }
    char *text = atls_json_write(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    size_t len = strlen(text);
    if (len <= ATLS_POLICY_TEXT_MAX) {
        memcpy(out, text, len);
    }
    free(text);
    *out_len = (uint8_t)len;
    return len <= ATLS_POLICY_TEXT_MAX
               ? ATLS_OK
               : atls_policy_refuse(p, "a value of more than %d bytes", ATLS_POLICY_TEXT_MAX);
}

static atls_code parse_equals(atls_policy_parser *p, json_t *value, void *target)
{
    atls_any_of any = {.stride = ATLS_POLICY_TEXT_MAX, .is_text = true};
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &any.n));
    any.bytes = atls_policy_keep(p->policy, any.n, any.stride);
    any.lens = atls_policy_keep(p->policy, any.n, 1);
    if (any.bytes == NULL || any.lens == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < any.n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(
            keep_scalar(p, json_array_get(value, i), any.bytes + i * any.stride, &any.lens[i]));
        atls_policy_leave(p);
    }
    ATLS_TRY(atls_policy_describe(p, &any));
    ((atls_named_rule *)target)->values = any;
    return ATLS_OK;
}

static const atls_policy_key claim_keys[] = {
    {"pointer", parse_pointer, true},
    {"equals", parse_equals, true},
};
const atls_policy_object atls_policy_claim_object = {"claim", claim_keys, 2};

atls_code atls_policy_parse_claims(atls_policy_parser *p, json_t *value, atls_register_rule *out)
{
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    if (n > ATLS_POLICY_CLAIMS_MAX) {
        return atls_policy_refuse(p, "%zu claims, where at most %d are taken", n,
                                  ATLS_POLICY_CLAIMS_MAX);
    }
    out->named = atls_policy_keep(p->policy, n, sizeof *out->named);
    if (out->named == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(atls_policy_parse_object(p, json_array_get(value, i), &atls_policy_claim_object,
                                          &out->named[i]));
        atls_policy_leave(p);
    }
    out->list_n = n;
    return ATLS_OK;
}
