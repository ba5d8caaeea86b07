#include "policy/parse.h"

#include <string.h>

#include "base/err.h"

#define REGISTERS_MAX 32

/* Names that a set of this TEE may have; only_owner: those that can be an owner claim. */
static size_t register_names(atls_tee tee, bool only_owner, const char **names, size_t room)
{
    size_t table_n;
    size_t n = 0;
    const atls_register *table = atls_registers(tee, &table_n);
    for (size_t i = 0; i < table_n && n < room; i++) {
        if (!only_owner || table[i].owner_id != NULL) {
            names[n++] = table[i].key;
        }
    }
    return n;
}

static atls_code parse_rule(atls_policy_parser *p, json_t *value, const atls_register *reg,
                            bool not_zero, atls_register_rule *out)
{
    out->reg = reg;
    if (reg->kind == ATLS_REGISTER_BYTES) {
        return atls_policy_parse_any_of(p, value, reg->size, not_zero, &out->values);
    }
    uint32_t number;
    ATLS_TRY(atls_policy_parse_number(p, value, 0, UINT16_MAX, &number));
    out->number = (uint16_t)number;
    return ATLS_OK;
}

static atls_code parse_set(atls_policy_parser *p, json_t *value, atls_tee tee,
                           atls_register_set *out)
{
    if (!json_is_object(value)) {
        return atls_policy_refuse(p, "an object of registers is wanted");
    }
    if (json_object_size(value) == 0) {
        return atls_policy_refuse(p, "a set without a register would fit everything");
    }
    atls_register_set set = {.rules_n = 0};
    set.rules = atls_policy_keep(p->policy, json_object_size(value), sizeof *set.rules);
    if (set.rules == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        const atls_register *reg = atls_register_by_key(tee, name);
        atls_policy_enter(p, name);
        if (reg == NULL) {
            const char *known[REGISTERS_MAX];
            size_t n = register_names(tee, false, known, REGISTERS_MAX);
            return atls_policy_refuse_unknown(p, true, "key", name, known, n);
        }
        ATLS_TRY(parse_rule(p, member, reg, false, &set.rules[set.rules_n++]));
        atls_policy_leave(p);
    }
    *out = set;
    return ATLS_OK;
}

atls_code atls_policy_parse_sets(atls_policy_parser *p, json_t *value, atls_tee tee,
                                 atls_workload *w)
{
    bool is_list = json_is_array(value);
    size_t n = 1;
    if (is_list) {
        ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    }
    if (n > ATLS_POLICY_SETS_MAX) {
        return atls_policy_refuse(p, "%zu sets, where at most %d are taken", n,
                                  ATLS_POLICY_SETS_MAX);
    }
    atls_register_set *sets = atls_policy_keep(p->policy, n, sizeof *sets);
    if (sets == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < n; i++) {
        if (is_list) {
            atls_policy_enter_element(p, i);
        }
        ATLS_TRY(parse_set(p, is_list ? json_array_get(value, i) : value, tee, &sets[i]));
        if (is_list) {
            atls_policy_leave(p);
        }
    }
    w->measured[tee].sets = sets;
    w->measured[tee].n = n;
    return ATLS_OK;
}

static const atls_register *owner_register(const char *name, atls_tee *tee)
{
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        const atls_register *reg = atls_register_by_key((atls_tee)t, name);
        if (reg != NULL && reg->owner_id != NULL) {
            *tee = (atls_tee)t;
            return reg;
        }
    }
    return NULL;
}

atls_code atls_policy_parse_owner(atls_policy_parser *p, json_t *value, atls_workload *w)
{
    if (!json_is_object(value) || json_object_size(value) == 0) {
        return atls_policy_refuse(p, "an object with at least one owner claim is wanted");
    }
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        atls_tee tee = ATLS_TEE_NONE;
        const atls_register *reg = owner_register(name, &tee);
        atls_policy_enter(p, name);
        if (reg == NULL) {
            const char *known[REGISTERS_MAX];
            size_t n = register_names(ATLS_TEE_SGX, true, known, REGISTERS_MAX);
            n += register_names(ATLS_TEE_TDX, true, known + n, REGISTERS_MAX - n);
            return atls_policy_refuse_unknown(p, true, "key", name, known, n);
        }
        atls_register_set *set = &w->measured[tee].owner;
        if (set->rules == NULL) {
            set->rules = atls_policy_keep(p->policy, json_object_size(value), sizeof *set->rules);
        }
        if (set->rules == NULL) {
            return ATLS_ERR_NOMEM(p->err);
        }
        ATLS_TRY(parse_rule(p, member, reg, true, &set->rules[set->rules_n]));
        set->rules_n++;
        atls_policy_leave(p);
    }
    return ATLS_OK;
}

static bool set_names(const atls_register_set *set, const char *key)
{
    for (size_t i = 0; i < set->rules_n; i++) {
        if (strcmp(set->rules[i].reg->key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* MRSIGNER alone fits every enclave of that signer, old ones and other products included. */
static atls_code check_mrsigner(atls_policy_parser *p, const atls_workload *w)
{
    bool owned = set_names(&w->measured[ATLS_TEE_SGX].owner, "mrsigner");
    size_t n = w->measured[ATLS_TEE_SGX].n;
    bool alone = owned && n == 0;
    for (size_t i = 0; i < n && !alone; i++) {
        const atls_register_set *set = &w->measured[ATLS_TEE_SGX].sets[i];
        bool exact = set_names(set, "mrenclave");
        bool product = set_names(set, "isvprodid") && set_names(set, "isvsvn_min");
        alone = (owned || set_names(set, "mrsigner")) && !exact && !product;
    }
    return alone ? atls_policy_refuse(p, "mrsigner needs isvprodid and isvsvn_min beside it (or "
                                         "mrenclave): alone it accepts every enclave of that "
                                         "signer, old ones too")
                 : ATLS_OK;
}

atls_code atls_policy_check_registers(atls_policy_parser *p, const atls_workload *w)
{
    bool has_owner = false;
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        bool named = w->measured[t].n > 0 || w->measured[t].owner.rules_n > 0;
        if (named && !w->tees[t]) {
            return atls_policy_refuse(p, "registers of %s are named, which is not among the tees",
                                      atls_tee_name((atls_tee)t));
        }
        has_owner = has_owner || w->measured[t].owner.rules_n > 0;
    }
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        if (has_owner && w->tees[t] && w->measured[t].owner.rules_n == 0) {
            return atls_policy_refuse(p, "owner names no claim of %s, which is among the tees",
                                      atls_tee_name((atls_tee)t));
        }
    }
    return check_mrsigner(p, w);
}
