/* Two policies compared by what they accept: each demand by itself, and each build against the other's builds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "codec/json.h"
#include "policy/policy.h"
#include "policy/say.h"

typedef enum side { A = 0, B } side;

typedef struct comparison {
    json_t *differences;
    const char *workload;
    bool failed; /* no memory */
} comparison;

/* This side accepts what the other does not. t's text is used up. */
static void tell(comparison *c, const char *what, side accepting, atls_text *t)
{
    char *text = atls_text_take(t);
    json_t *one = text != NULL ? json_pack("{ssssssss}", "workload", c->workload, "what", what,
                                           "side", accepting == A ? "a" : "b", "accepts", text)
                               : NULL;
    if (one == NULL || json_array_append_new(c->differences, one) != 0) {
        c->failed = true;
    }
    free(text);
}

static void tell_words(comparison *c, const char *what, side accepting, const char *words)
{
    atls_text t = atls_text_of(4096);
    atls_text_add(&t, "%s", words);
    tell(c, what, accepting, &t);
}

/* --- any-of lists --- */

static atls_buf value_at(const atls_any_of *any, size_t i)
{
    return (atls_buf){any->bytes + i * any->stride, any->lens != NULL ? any->lens[i] : any->stride};
}

static bool has_value(const atls_any_of *any, atls_buf value)
{
    for (size_t i = 0; i < any->n; i++) {
        atls_buf own = value_at(any, i);
        if (own.len == value.len && memcmp(own.ptr, value.ptr, own.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_within(const atls_any_of *inner, const atls_any_of *outer)
{
    for (size_t i = 0; i < inner->n; i++) {
        if (!has_value(outer, value_at(inner, i))) {
            return false;
        }
    }
    return true;
}

static void tell_values(comparison *c, const char *what, side own, const atls_any_of *mine,
                        const atls_any_of *other)
{
    char hex[2 * ATLS_POLICY_TEXT_MAX + 1];
    for (size_t i = 0; i < mine->n; i++) {
        atls_buf value = value_at(mine, i);
        if (has_value(other, value)) {
            continue;
        }
        atls_text t = atls_text_of(4096);
        if (mine->is_text) {
            atls_text_add(&t, "%.*s", (int)value.len, (const char *)value.ptr);
        } else {
            atls_hex_encode(value, hex);
            atls_text_add(&t, "%s", hex);
        }
        tell(c, what, own, &t);
    }
}

/* Lists of which an absent one asks nothing. */
static void compare_demands(comparison *c, const char *what, const atls_any_of *a,
                            const atls_any_of *b)
{
    if (a->n == 0 || b->n == 0) {
        if (a->n != b->n) {
            tell_words(c, what, a->n == 0 ? A : B, "anything: it is not asked");
        }
        return;
    }
    tell_values(c, what, A, a, b);
    tell_values(c, what, B, b, a);
}

/* Lists of which an absent one allows nothing. */
static void compare_allowances(comparison *c, const char *what, const atls_any_of *a,
                               const atls_any_of *b)
{
    tell_values(c, what, A, a, b);
    tell_values(c, what, B, b, a);
}

/* --- words, numbers, flags --- */

static void compare_flags(comparison *c, const char *what, bool a, bool b, const char *words)
{
    if (a != b) {
        tell_words(c, what, a ? A : B, words);
    }
}

/* The lower number accepts more: a smallest version. */
static void compare_lowest(comparison *c, const char *what, uint64_t a, uint64_t b)
{
    if (a != b) {
        atls_text t = atls_text_of(100);
        atls_text_add(&t, "%" PRIu64 " to %" PRIu64, a < b ? a : b, (a < b ? b : a) - 1);
        tell(c, what, a < b ? A : B, &t);
    }
}

/* The higher number accepts more, and 0 is no limit. */
static void compare_highest(comparison *c, const char *what, uint64_t a, uint64_t b)
{
    if (a == b) {
        return;
    }
    side wider = a == 0 ? A : b == 0 ? B : a > b ? A : B;
    uint64_t most = wider == A ? a : b;
    atls_text t = atls_text_of(100);
    if (most == 0) {
        atls_text_add(&t, "any number, where the other takes at most %" PRIu64, a + b);
    } else {
        atls_text_add(&t, "up to %" PRIu64, most);
    }
    tell(c, what, wider, &t);
}

typedef const char *(*bit_name)(size_t i);

static void compare_bits(comparison *c, const char *what, uint32_t a, uint32_t b, size_t n,
                         bit_name name)
{
    for (size_t i = 0; i < n; i++) {
        if (((a ^ b) >> i & 1u) != 0) {
            tell_words(c, what, (a >> i & 1u) != 0 ? A : B, name(i));
        }
    }
}

/* --- builds --- */

static bool same_values(const atls_any_of *x, const atls_any_of *y)
{
    return is_within(x, y) && is_within(y, x);
}

static bool same_text(const char *x, const char *y)
{
    return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
}

/* Components, measurements by name, claims: entry for entry. */
static bool same_lists(const atls_register_rule *x, const atls_register_rule *y)
{
    bool same = x->list_n == y->list_n;
    for (size_t i = 0; same && i < x->list_n; i++) {
        if (x->reg->kind == ATLS_REGISTER_COMPONENTS) {
            const atls_component_rule *cx = &x->components[i];
            const atls_component_rule *cy = &y->components[i];
            same = same_text(cx->type, cy->type) && cx->is_optional == cy->is_optional &&
                   same_values(&cx->signer_id, &cy->signer_id) &&
                   same_values(&cx->measurement, &cy->measurement);
        } else {
            same = same_text(x->named[i].name, y->named[i].name) &&
                   same_values(&x->named[i].values, &y->named[i].values);
        }
    }
    return same;
}

/* Does whatever fits x fit y's rule? */
static bool implies(const atls_register_rule *x, const atls_register_rule *y)
{
    switch (y->reg->kind) {
    case ATLS_REGISTER_BYTES:
    case ATLS_REGISTER_DIGEST:
    case ATLS_REGISTER_TEXT:
        return is_within(&x->values, &y->values);
    case ATLS_REGISTER_MIN:
        return x->number >= y->number;
    case ATLS_REGISTER_MAX:
        return x->number <= y->number;
    case ATLS_REGISTER_BITS_SET:
    case ATLS_REGISTER_BITS_CLEAR:
        return (x->number & y->number) == y->number;
    case ATLS_REGISTER_EQUAL:
    case ATLS_REGISTER_TRUE:
        return x->number == y->number;
    default:
        return same_lists(x, y);
    }
}

static bool is_covered_by(const atls_register_set *x, const atls_register_set *y)
{
    for (size_t i = 0; i < y->rules_n; i++) {
        bool implied = false;
        for (size_t k = 0; k < x->rules_n && !implied; k++) {
            implied = x->rules[k].reg == y->rules[i].reg && implies(&x->rules[k], &y->rules[i]);
        }
        if (!implied) {
            return false;
        }
    }
    return true;
}

static void tell_builds(comparison *c, const char *what, side own, const atls_workload *mine,
                        const atls_workload *other, int tee)
{
    for (size_t i = 0; i < mine->measured[tee].n; i++) {
        const atls_register_set *set = &mine->measured[tee].sets[i];
        bool covered = false;
        for (size_t k = 0; k < other->measured[tee].n && !covered; k++) {
            covered = is_covered_by(set, &other->measured[tee].sets[k]);
        }
        if (covered) {
            continue;
        }
        atls_text t = atls_text_of(65536);
        atls_text_add(&t, "software with all of:\n");
        for (size_t k = 0; k < set->rules_n; k++) {
            atls_policy_say_rule(&t, &set->rules[k]);
        }
        tell(c, what, own, &t);
    }
}

static const atls_any_of nothing;

static const atls_any_of *owner_values(const atls_workload *w, int tee, const atls_register *reg)
{
    const atls_register_set *set = &w->measured[tee].owner;
    for (size_t i = 0; i < set->rules_n; i++) {
        if (set->rules[i].reg == reg) {
            return &set->rules[i].values;
        }
    }
    return &nothing;
}

static void compare_software(comparison *c, const atls_workload *a, const atls_workload *b)
{
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        const char *what = atls_tee_name((atls_tee)t);
        size_t na = a->measured[t].n;
        size_t nb = b->measured[t].n;
        if (na == 0 || nb == 0) {
            compare_flags(c, what, na == 0, nb == 0, "any software: it is not asked");
        } else {
            tell_builds(c, what, A, a, b, t);
            tell_builds(c, what, B, b, a, t);
        }
        size_t n;
        const atls_register *table = atls_registers((atls_tee)t, &n);
        for (size_t i = 0; i < n; i++) {
            if (table[i].owner_id != NULL) {
                compare_demands(c, table[i].owner_id + strlen("policy."),
                                owner_values(a, t, &table[i]), owner_values(b, t, &table[i]));
            }
        }
    }
}

/* --- whole entries: the same, or told --- */

typedef struct entry_kind {
    void (*say)(atls_text *t, const atls_workload *w, size_t i);
    bool (*same)(const atls_workload *x, size_t i, const atls_workload *y, size_t k);
} entry_kind;

/* Entries of mine that the other has not; accepting: whom that lets accept more. */
static void tell_entries(comparison *c, const char *what, side accepting, const atls_workload *mine,
                         size_t mine_n, const atls_workload *other, size_t other_n,
                         const entry_kind *kind, const char *before)
{
    for (size_t i = 0; i < mine_n; i++) {
        bool found = false;
        for (size_t k = 0; k < other_n && !found; k++) {
            found = kind->same(mine, i, other, k);
        }
        if (!found) {
            atls_text t = atls_text_of(65536);
            atls_text_add(&t, "%s", before);
            kind->say(&t, mine, i);
            tell(c, what, accepting, &t);
        }
    }
}

static void say_advisory(atls_text *t, const atls_workload *w, size_t i)
{
    const atls_allowed_advisory *entry = &w->tcb.advisories[i];
    atls_text_add(t, "%s", entry->id);
    if (entry->until_s != INT64_MAX) {
        char until[ATLS_TIME_TEXT_LEN];
        atls_time_format(entry->until_s, until);
        atls_text_add(t, " until %s", until);
    }
}

static bool same_advisory(const atls_workload *x, size_t i, const atls_workload *y, size_t k)
{
    const atls_allowed_advisory *a = &x->tcb.advisories[i];
    const atls_allowed_advisory *b = &y->tcb.advisories[k];
    return strcmp(a->id, b->id) == 0 && a->until_s == b->until_s;
}

static void say_floor(atls_text *t, const atls_workload *w, size_t i)
{
    atls_policy_say_floor(t, &w->amd.floors[i]);
}

static bool same_floor(const atls_workload *x, size_t i, const atls_workload *y, size_t k)
{
    const atls_amd_floor *a = &x->amd.floors[i];
    const atls_amd_floor *b = &y->amd.floors[k];
    return strcmp(a->product, b->product) == 0 && a->has_family == b->has_family &&
           a->has_model == b->has_model && a->has_stepping == b->has_stepping &&
           a->family == b->family && a->model == b->model && a->stepping == b->stepping &&
           a->until_s == b->until_s && memcmp(a->has, b->has, sizeof a->has) == 0 &&
           memcmp(a->lowest, b->lowest, sizeof a->lowest) == 0;
}

static void say_event(atls_text *t, const atls_workload *w, size_t i)
{
    atls_policy_say_event(t, &w->events[i]);
}

static bool same_event(const atls_workload *x, size_t i, const atls_workload *y, size_t k)
{
    const atls_event_rule *a = &x->events[i];
    const atls_event_rule *b = &y->events[k];
    return strcmp(a->shown, b->shown) == 0 && a->is_absent == b->is_absent &&
           a->is_optional == b->is_optional && same_values(&a->payload, &b->payload) &&
           same_values(&a->digest, &b->digest);
}

static void say_name(atls_text *t, const atls_workload *w, size_t i)
{
    atls_text_add(t, "%s", w->pki_names[i]);
}

static bool same_name(const atls_workload *x, size_t i, const atls_workload *y, size_t k)
{
    return strcmp(x->pki_names[i], y->pki_names[k]) == 0;
}

static const entry_kind advisories = {say_advisory, same_advisory};
static const entry_kind floors = {say_floor, same_floor};
static const entry_kind events = {say_event, same_event};
static const entry_kind names = {say_name, same_name};

/* A table that one of them has not asks nothing of that one; otherwise each entry is told that differs. */
static void compare_tables(comparison *c, const char *what, const atls_workload *a, size_t a_n,
                           const atls_workload *b, size_t b_n, const entry_kind *kind)
{
    if (a_n == 0 || b_n == 0) {
        compare_flags(c, what, a_n == 0, b_n == 0, "anything: it is not asked");
        return;
    }
    tell_entries(c, what, A, a, a_n, b, b_n, kind, "");
    tell_entries(c, what, B, b, b_n, a, a_n, kind, "");
}

/* --- the rest --- */

static const char *status_name(size_t i)
{
    return atls_tcb_status_name((atls_tcb_status)i);
}

static void compare_tcb(comparison *c, const atls_workload *wa, const atls_workload *wb)
{
    const atls_tcb_rule *a = &wa->tcb;
    const atls_tcb_rule *b = &wb->tcb;
    compare_bits(c, "tcb.statuses", a->statuses, b->statuses, ATLS_TCB_REVOKED + 1, status_name);
    if (a->has_grace != b->has_grace || a->grace_days != b->grace_days) {
        atls_text t = atls_text_of(100);
        uint32_t most = a->grace_days > b->grace_days ? a->grace_days : b->grace_days;
        atls_text_add(&t, "OutOfDate up to %u days after its tcbDate", most);
        tell(c, "tcb.grace_days", a->grace_days > b->grace_days ? A : B, &t);
    }
    if (a->has_advisories && b->has_advisories) {
        tell_entries(c, "tcb.advisories_allowed", A, wa, a->advisories_n, wb, b->advisories_n,
                     &advisories, "open ");
        tell_entries(c, "tcb.advisories_allowed", B, wb, b->advisories_n, wa, a->advisories_n,
                     &advisories, "open ");
    } else {
        compare_flags(c, "tcb.advisories_allowed", !a->has_advisories, !b->has_advisories,
                      "any open advisory");
    }
    compare_lowest(c, "tcb.min_evaluation_number", a->min_evaluation_number,
                   b->min_evaluation_number);
    compare_highest(c, "tcb.max_collateral_age_days", a->max_collateral_age_days,
                    b->max_collateral_age_days);
    if (a->collateral_grace_days != b->collateral_grace_days) {
        const bool more_in_a = a->collateral_grace_days > b->collateral_grace_days;
        atls_text t = atls_text_of(120);
        atls_text_add(&t, "collateral up to %u days past its next update, its origin not answering",
                      more_in_a ? a->collateral_grace_days : b->collateral_grace_days);
        tell(c, "tcb.collateral_grace_days", more_in_a ? A : B, &t);
    }
}

static uint64_t version(const atls_amd_rule *r)
{
    return (r->firmware_min[0] * 256u + r->firmware_min[1]) * 256u + r->firmware_min[2];
}

static void compare_amd(comparison *c, const atls_workload *wa, const atls_workload *wb)
{
    const atls_amd_rule *a = &wa->amd;
    const atls_amd_rule *b = &wb->amd;
    compare_flags(c, "crl", wa->crl_if_present, wb->crl_if_present, "SNP evidence without a CRL");
    compare_tables(c, "amd.tcb_min", wa, a->floors_n, wb, b->floors_n, &floors);
    if (version(a) != version(b)) {
        const atls_amd_rule *higher = version(a) > version(b) ? a : b;
        atls_text t = atls_text_of(300);
        atls_text_add(&t, "firmware older than %s", higher->firmware_wanted);
        tell(c, "amd.firmware_min", higher == a ? B : A, &t);
    }
    compare_flags(c, "amd.provisional", !a->refuse_provisional, !b->refuse_provisional,
                  "provisional firmware");
    compare_flags(c, "amd.reserved", !a->refuse_reserved, !b->refuse_reserved,
                  "reserved bytes that are set");
    compare_flags(c, "amd.vlek", !a->refuse_vlek, !b->refuse_vlek, "a provider's key (VLEK)");
    compare_flags(c, "amd.masked_chip", a->allow_masked_chip, b->allow_masked_chip,
                  "chips that hide their id");
    compare_demands(c, "amd.csp_id", &a->csp_ids, &b->csp_ids);
}

static void compare_allowed(comparison *c, const atls_workload *a, const atls_workload *b)
{
    compare_flags(c, "allow.debug", a->allow_debug, b->allow_debug, "debug");
    compare_flags(c, "allow.sept_ve_disable_clear", a->allow_sept_ve_disable_clear,
                  b->allow_sept_ve_disable_clear, "SEPT_VE_DISABLE clear");
    compare_flags(c, "allow.migratable", a->allow_migratable, b->allow_migratable, "migration");
    compare_flags(c, "allow.unsecured_lifecycle", a->allow_unsecured_lifecycle,
                  b->allow_unsecured_lifecycle, "platforms that can be looked into");
    compare_allowances(c, "allow.service_td", &a->service_td, &b->service_td);
    compare_allowances(c, "allow.migration_agent", &a->migration_agent, &b->migration_agent);
}

/* Registers that the other one wants explained, and this one does not. */
static void tell_replays(comparison *c, side accepting, uint32_t registers)
{
    for (unsigned i = 0; i < ATLS_TPM_PCRS; i++) {
        if ((registers >> i & 1u) != 0) {
            atls_text t = atls_text_of(100);
            atls_text_add(&t, "a log that does not explain register %u", i);
            tell(c, "replay", accepting, &t);
        }
    }
}

/* What one asks for and the other does not, the other accepts without: so the sides are exchanged. */
static void compare_logs(comparison *c, const atls_workload *a, const atls_workload *b)
{
    static const char without[] = "what does not fit the event ";
    tell_entries(c, "events", B, a, a->events_n, b, b->events_n, &events, without);
    tell_entries(c, "events", A, b, b->events_n, a, a->events_n, &events, without);
    uint32_t of_a = a->replay_pcrs | a->replay_rtmrs;
    uint32_t of_b = b->replay_pcrs | b->replay_rtmrs;
    tell_replays(c, A, of_b & ~of_a);
    tell_replays(c, B, of_a & ~of_b);
    compare_flags(c, "replay", !a->replay_ima, !b->replay_ima, "an IMA log that does not replay");
}

static const char *tee_name(size_t i)
{
    return atls_tee_name((atls_tee)i);
}

static void compare_workloads(comparison *c, const atls_workload *a, const atls_workload *b)
{
    uint32_t tees[2] = {0, 0};
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        tees[A] |= a->tees[t] ? 1u << t : 0;
        tees[B] |= b->tees[t] ? 1u << t : 0;
    }
    compare_bits(c, "tees", tees[A], tees[B], ATLS_TEES, tee_name);
    compare_software(c, a, b);
    compare_logs(c, a, b);
    compare_tcb(c, a, b);
    compare_amd(c, a, b);
    for (size_t i = 0; i < ATLS_PINS; i++) {
        compare_demands(c, atls_pin_at(i)->id + strlen("policy."), &a->pins[i], &b->pins[i]);
    }
    compare_demands(c, "fmspc", &a->fmspc, &b->fmspc);
    compare_tables(c, "pki", a, a->pki_n, b, b->pki_n, &names);
    compare_allowed(c, a, b);
    compare_bits(c, "bindings", a->bindings, b->bindings, 16, atls_policy_binding_name);
    compare_flags(c, "two_keys", a->two_keys, b->two_keys, "two keys");
    compare_flags(c, "platform_may_move", a->platform_may_move, b->platform_may_move,
                  "a move to another machine");
    compare_highest(c, "max_evidence_age_s", a->max_evidence_age_s, b->max_evidence_age_s);
    compare_highest(c, "reattest_s", a->reattest_s, b->reattest_s);
}

static const atls_workload *by_name(const atls_policy *p, const char *name)
{
    for (size_t i = 0; i < p->workloads_n; i++) {
        if (strcmp(p->workloads[i].name, name) == 0) {
            return &p->workloads[i];
        }
    }
    return NULL;
}

static void compare_all(comparison *c, const atls_policy *a, const atls_policy *b)
{
    for (size_t i = 0; i < a->workloads_n; i++) {
        const atls_workload *other = by_name(b, a->workloads[i].name);
        c->workload = a->workloads[i].name;
        if (other != NULL) {
            compare_workloads(c, &a->workloads[i], other);
        } else {
            tell_words(c, "workload", A, "the whole workload: only this policy has it");
        }
    }
    for (size_t i = 0; i < b->workloads_n; i++) {
        c->workload = b->workloads[i].name;
        if (by_name(a, c->workload) == NULL) {
            tell_words(c, "workload", B, "the whole workload: only this policy has it");
        }
    }
}

/* NULL: no memory. The caller json_decref()s it. */
static json_t *differences(const atls_policy *a, const atls_policy *b)
{
    comparison c = {.differences = json_array()};
    c.failed = c.differences == NULL;
    if (!c.failed) {
        compare_all(&c, a, b);
    }
    if (c.failed) {
        json_decref(c.differences);
        return NULL;
    }
    return c.differences;
}

char *atls_policy_diff(const atls_policy *a, const atls_policy *b, bool *equal)
{
    json_t *list = differences(a, b);
    bool same = json_array_size(list) == 0;
    json_t *all = list != NULL ? json_pack("{sbso}", "equal", same, "differences", list) : NULL;
    char *text = all != NULL ? atls_json_write(all, JSON_COMPACT) : NULL;
    json_decref(all);
    if (text != NULL) {
        *equal = same;
    }
    return text;
}

char *atls_policy_diff_text(const atls_policy *a, const atls_policy *b, bool *equal)
{
    json_t *list = differences(a, b);
    if (list == NULL) {
        return NULL;
    }
    atls_text t = atls_text_of(16u * 1024 * 1024);
    size_t i;
    json_t *d;
    json_array_foreach(list, i, d)
    {
        bool is_a = strcmp(json_string_value(json_object_get(d, "side")), "a") == 0;
        atls_text_add(&t, "%s: %s: only %s accepts %s\n",
                      json_string_value(json_object_get(d, "workload")),
                      json_string_value(json_object_get(d, "what")), is_a ? "A" : "B",
                      json_string_value(json_object_get(d, "accepts")));
    }
    if (i == 0) {
        atls_text_add(&t, "Both accept the same.\n");
    }
    char *text = atls_text_take(&t);
    if (text != NULL) {
        *equal = i == 0;
    }
    json_decref(list);
    return text;
}
