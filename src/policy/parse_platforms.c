/* `platforms`: the machines of a workload. */
#include "policy/parse.h"

#include <string.h>

#include "base/err.h"

/* A chip id of Turin has 8 bytes; the report has zeros behind them. */
static atls_code parse_chips(atls_policy_parser *p, json_t *value, atls_any_of *out)
{
    ATLS_TRY(atls_policy_parse_varied(p, value, 64, false, true, out));
    for (size_t i = 0; i < out->n; i++) {
        if (out->lens[i] != 64 && out->lens[i] != 8) {
            atls_policy_enter_element(p, i);
            return atls_policy_refuse(p, "%d hex digits, where 128 (Turin: 16) are wanted",
                                      2 * out->lens[i]);
        }
        out->lens[i] = 64;
    }
    return ATLS_OK;
}

static atls_code parse_decimal(atls_policy_parser *p, json_t *value, uint8_t out[8])
{
    const char *s = json_is_string(value) ? json_string_value(value) : "";
    uint64_t n = 0;
    bool ok = s[0] != '\0' && s[0] != '0' && strlen(s) <= 20;
    for (; ok && *s != '\0'; s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        ok = *s >= '0' && *s <= '9' && n <= (UINT64_MAX - digit) / 10;
        n = n * 10 + digit;
    }
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(n >> (56 - 8 * i));
    }
    return ok ? ATLS_OK : atls_policy_refuse(p, "a number in decimal, as text, is wanted");
}

static atls_code parse_decimals(atls_policy_parser *p, json_t *value, atls_any_of *out)
{
    atls_any_of any = {.stride = 8};
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &any.n));
    any.bytes = atls_policy_keep(p->policy, any.n, any.stride);
    if (any.bytes == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < any.n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_decimal(p, json_array_get(value, i), any.bytes + i * any.stride));
        atls_policy_leave(p);
    }
    ATLS_TRY(atls_policy_describe(p, &any));
    *out = any;
    return ATLS_OK;
}

static atls_code parse_pin(atls_policy_parser *p, json_t *value, const atls_pin *pin,
                           atls_any_of *out)
{
    switch (pin->kind) {
    case ATLS_PIN_SERIAL:
        return atls_policy_parse_serials(p, value, pin->size, out);
    case ATLS_PIN_CHIP:
        return parse_chips(p, value, out);
    case ATLS_PIN_DECIMAL:
        return parse_decimals(p, value, out);
    case ATLS_PIN_TEXT:
        return atls_policy_parse_texts(p, value, pin->key, NULL, 0, out);
    default:
        return atls_policy_parse_any_of(p, value, pin->size, true, out);
    }
}

atls_code atls_policy_parse_platforms(atls_policy_parser *p, json_t *value, void *target)
{
    size_t members = json_object_size(value);
    if (members == 0 || (members == 1 && json_object_get(value, "why") != NULL)) {
        return atls_policy_refuse(p, "an object with at least one list of platform ids is wanted");
    }
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        size_t i;
        atls_policy_enter(p, name);
        if (strcmp(name, "why") == 0) {
            ATLS_TRY(atls_policy_parse_why(p, member, value));
        } else if (atls_pin_by_key(name, &i)) {
            ATLS_TRY(parse_pin(p, member, atls_pin_at(i), &((atls_workload *)target)->pins[i]));
        } else {
            const char *known[ATLS_PINS];
            for (size_t k = 0; k < ATLS_PINS; k++) {
                known[k] = atls_pin_at(k)->key;
            }
            return atls_policy_refuse_unknown(p, true, "key", name, known, ATLS_PINS);
        }
        atls_policy_leave(p);
    }
    return ATLS_OK;
}
