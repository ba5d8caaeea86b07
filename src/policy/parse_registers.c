#include "policy/parse.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"

#define NAMES_MAX 40

/* What may stand in a set (group NULL) or in a group of it; each group's own name once. */
static size_t known_names(atls_tee tee, const char *group, const char **names)
{
    size_t table_n;
    size_t n = 0;
    const char *last = NULL;
    const atls_register *table = atls_registers(tee, &table_n);
    for (size_t i = 0; i < table_n && n < NAMES_MAX; i++) {
        const char *own = table[i].group;
        if (group != NULL ? own != NULL && strcmp(own, group) == 0 : own == NULL) {
            names[n++] = table[i].key;
        } else if (group == NULL && (last == NULL || strcmp(own, last) != 0)) {
            last = own;
            names[n++] = own;
        }
    }
    return n;
}

/* Words that a text register may be given; NULL: any text. */
static const char *const *words_of(const atls_register *reg, size_t *n)
{
    static const char *const kinds[] = {"plain", "ear", "maa", "ita", "confidential-space"};
    static const char *const reasons[] = {"vouched", "certificate", "report"};
    static const char *const products[] = {"Milan", "Genoa", "Turin"};
    static const char *const tees[] = {"sgx", "tdx", "snp", "tpm", "nitro", "cca", "azure"};
    switch (reg->place) {
    case ATLS_PLACE_TOKEN_KIND:
        *n = sizeof kinds / sizeof kinds[0];
        return kinds;
    case ATLS_PLACE_AK_TRUST:
        *n = sizeof reasons / sizeof reasons[0];
        return reasons;
    case ATLS_PLACE_ATTESTED:
        *n = sizeof tees / sizeof tees[0];
        return tees;
    default:
        *n = sizeof products / sizeof products[0];
        return strcmp(reg->key, "product") == 0 ? products : NULL;
    }
}

static atls_code parse_texts(atls_policy_parser *p, json_t *value, const atls_register *reg,
                             atls_register_rule *out)
{
    size_t n;
    const char *const *words = words_of(reg, &n);
    return atls_policy_parse_texts(p, value, reg->key, words, n, &out->values);
}

static atls_code parse_number(atls_policy_parser *p, json_t *value, const atls_register *reg,
                              atls_register_rule *out)
{
    uint64_t max = reg->size < 8 ? (UINT64_C(1) << 8 * reg->size) - 1 : UINT64_MAX;
    if (reg->kind == ATLS_REGISTER_TRUE) {
        out->number = 1;
        return json_is_true(value)
                   ? ATLS_OK
                   : atls_policy_refuse(p, "true is wanted; leave the key out to ask nothing");
    }
    if (reg->kind != ATLS_REGISTER_BITS_SET && reg->kind != ATLS_REGISTER_BITS_CLEAR) {
        return atls_policy_parse_u64(p, value, max, &out->number);
    }
    ATLS_TRY(atls_policy_parse_mask(p, value, &out->number));
    atls_text t = atls_text_of(64);
    atls_text_add(&t, "0x%" PRIx64 " %s", out->number,
                  reg->kind == ATLS_REGISTER_BITS_SET ? "set" : "clear");
    return atls_policy_keep_written(p, &t, &out->wanted);
}

static atls_code parse_rule(atls_policy_parser *p, json_t *value, const atls_register *reg,
                            bool not_zero, atls_register_rule *out)
{
    out->reg = reg;
    switch (reg->kind) {
    case ATLS_REGISTER_BYTES:
        return atls_policy_parse_any_of(p, value, reg->size, not_zero, &out->values);
    case ATLS_REGISTER_DIGEST:
        return atls_policy_parse_varied(p, value, 64, true, not_zero, &out->values);
    case ATLS_REGISTER_TEXT:
        return parse_texts(p, value, reg, out);
    case ATLS_REGISTER_COMPONENTS:
        return atls_policy_parse_components(p, value, out);
    case ATLS_REGISTER_NAMED:
        return atls_policy_parse_named(p, value, out);
    case ATLS_REGISTER_CLAIMS:
        return atls_policy_parse_claims(p, value, out);
    default:
        return parse_number(p, value, reg, out);
    }
}

/* The registers of a set, or of a group in it. */
typedef struct set_parser {
    atls_policy_parser *p;
    atls_tee tee;
    const char *group; /* NULL: the set itself */
    atls_register_set set;
} set_parser;

static bool is_group(atls_tee tee, const char *name)
{
    size_t n;
    const atls_register *table = atls_registers(tee, &n);
    for (size_t i = 0; i < n; i++) {
        if (table[i].group != NULL && strcmp(table[i].group, name) == 0) {
            return true;
        }
    }
    return false;
}

static atls_code parse_members(set_parser *s, json_t *value);

static atls_code parse_register(set_parser *s, const char *name, json_t *value)
{
    const atls_register *reg = atls_register_by_key(s->tee, s->group, name);
    if (reg == NULL && s->group == NULL && is_group(s->tee, name)) {
        if (!json_is_object(value) || json_object_size(value) == 0) {
            return atls_policy_refuse(s->p, "an object is wanted, from index to values: "
                                            "{\"7\": [...]}");
        }
        s->group = name;
        ATLS_TRY(parse_members(s, value));
        s->group = NULL;
        return ATLS_OK;
    }
    if (reg == NULL) {
        const char *known[NAMES_MAX];
        size_t n = known_names(s->tee, s->group, known);
        return atls_policy_refuse_unknown(s->p, true, "key", name, known, n);
    }
    return parse_rule(s->p, value, reg, false, &s->set.rules[s->set.rules_n++]);
}

static atls_code parse_members(set_parser *s, json_t *value)
{
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        atls_policy_enter(s->p, name);
        ATLS_TRY(strcmp(name, "why") == 0 ? atls_policy_parse_why(s->p, member, value)
                                          : parse_register(s, name, member));
        atls_policy_leave(s->p);
    }
    return ATLS_OK;
}

static atls_code parse_set(atls_policy_parser *p, json_t *value, atls_tee tee,
                           atls_register_set *out)
{
    if (!json_is_object(value)) {
        return atls_policy_refuse(p, "an object of registers is wanted");
    }
    size_t room = 1;
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        room += 1 + json_object_size(member);
    }
    set_parser s = {.p = p, .tee = tee};
    s.set.rules = atls_policy_keep(p->policy, room, sizeof *s.set.rules);
    if (s.set.rules == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    ATLS_TRY(parse_members(&s, value));
    if (s.set.rules_n == 0) {
        return atls_policy_refuse(p, "a set without a register would fit everything");
    }
    *out = s.set;
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
        size_t n;
        const atls_register *table = atls_registers((atls_tee)t, &n);
        for (size_t i = 0; i < n; i++) {
            const char *key = atls_register_owner_key(&table[i]);
            if (key != NULL && strcmp(key, name) == 0) {
                *tee = (atls_tee)t;
                return &table[i];
            }
        }
    }
    return NULL;
}

static size_t owner_names(const char **names)
{
    size_t n = 0;
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        size_t table_n;
        const atls_register *table = atls_registers((atls_tee)t, &table_n);
        for (size_t i = 0; i < table_n && n < NAMES_MAX; i++) {
            if (table[i].owner_id != NULL) {
                names[n++] = atls_register_owner_key(&table[i]);
            }
        }
    }
    return n;
}

static atls_code parse_claim_of_owner(atls_policy_parser *p, const char *name, json_t *value,
                                      size_t room, atls_workload *w)
{
    atls_tee tee = ATLS_TEE_NONE;
    const atls_register *reg = owner_register(name, &tee);
    if (reg == NULL) {
        const char *known[NAMES_MAX];
        size_t n = owner_names(known);
        return atls_policy_refuse_unknown(p, true, "key", name, known, n);
    }
    atls_register_set *set = &w->measured[tee].owner;
    if (set->rules == NULL) {
        set->rules = atls_policy_keep(p->policy, room, sizeof *set->rules);
    }
    if (set->rules == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    ATLS_TRY(parse_rule(p, value, reg, true, &set->rules[set->rules_n]));
    set->rules_n++;
    return ATLS_OK;
}

atls_code atls_policy_parse_owner(atls_policy_parser *p, json_t *value, atls_workload *w)
{
    size_t members = json_object_size(value);
    if (members == 0 || (members == 1 && json_object_get(value, "why") != NULL)) {
        return atls_policy_refuse(p, "an object with at least one owner claim is wanted");
    }
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        atls_policy_enter(p, name);
        ATLS_TRY(strcmp(name, "why") == 0 ? atls_policy_parse_why(p, member, value)
                                          : parse_claim_of_owner(p, name, member, members, w));
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

/* Evidence of two halves has the registers of its hardware and of its TPM. */
static bool has_registers_of(const atls_workload *w, atls_tee tee)
{
    bool both = tee == ATLS_TEE_SNP || tee == ATLS_TEE_TPM;
    return w->tees[tee] || ((both || tee == ATLS_TEE_TDX) && w->tees[ATLS_TEE_AZURE]) ||
           (both && w->tees[ATLS_TEE_SNP_TPM]);
}

static bool names_sha1(const atls_workload *w)
{
    for (size_t i = 0; i < w->measured[ATLS_TEE_TPM].n; i++) {
        const atls_register_set *set = &w->measured[ATLS_TEE_TPM].sets[i];
        for (size_t k = 0; k < set->rules_n; k++) {
            const atls_register *reg = set->rules[k].reg;
            if (reg->place == ATLS_PLACE_PCR && reg->bank == ATLS_TPM_SHA1) {
                return true;
            }
        }
    }
    return false;
}

atls_code atls_policy_check_registers(atls_policy_parser *p, const atls_workload *w)
{
    bool has_owner = false;
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        bool wrong_set = w->measured[t].n > 0 && !has_registers_of(w, (atls_tee)t);
        bool wrong_owner = w->measured[t].owner.rules_n > 0 && !w->tees[t];
        if (wrong_set || wrong_owner) {
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
    if (names_sha1(w) && !w->allow_sha1) {
        return atls_policy_refuse(p, "PCRs of the SHA-1 bank are named: SHA-1 collides at will; "
                                     "name another bank, or allow sha1");
    }
    return check_mrsigner(p, w);
}
