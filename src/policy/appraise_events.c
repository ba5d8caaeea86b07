/* Measured events. Only logs that replay to signed registers are believed; of an event its digest, and its data only
 * where the digest was computed from it. */
#include "policy/appraising.h"

#include <stdio.h>
#include <string.h>

/* dstack's runtime events: RTMR 3 of a TD; where there is a TPM only, PCR 14. */
#define RUNTIME_RTMR 3
#define RUNTIME_PCR  14

/* Names that mean something to dstack itself. Behind "system-ready" an application can write them, too. */
static bool is_system_name(const char *name)
{
    static const char *const names[] = {
        "system-preparing", "app-id",          "compose-hash", "init-script-hash",
        "gpu-policy-hash",  "gpu-attestation", "instance-id",  "boot-mr-done",
        "os-image-hash",    "key-provider",    "storage-fs",   "system-ready",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t register_of(const atls_appraising *a, const atls_event_rule *rule)
{
    if (rule->name == NULL) {
        return rule->index;
    }
    return a->claims->tee == ATLS_TEE_TDX ? RUNTIME_RTMR : RUNTIME_PCR;
}

static bool is_about(const atls_appraising *a, const atls_event_rule *rule, const atls_event *e)
{
    if (e->index != register_of(a, rule)) {
        return false;
    }
    if (rule->name != NULL) {
        return e->is_runtime && strcmp(e->name, rule->name) == 0;
    }
    return rule->type_name == NULL || e->type == rule->type;
}

static bool check(atls_appraising *a, const char *id, bool cond, atls_value found,
                  const char *wanted)
{
    return atls_appraise_check(a, id, cond, ATLS_E_POLICY, found,
                               wanted != NULL ? atls_value_text(wanted) : atls_value_none());
}

static bool replays(const atls_event_claims *log, uint32_t index)
{
    return (log->replayed >> index & 1u) != 0 && (log->differs >> index & 1u) == 0;
}

static const char *state_of(const atls_event_claims *log, uint32_t index)
{
    if ((log->differs >> index & 1u) != 0) {
        return "a log that differs from the register";
    }
    return (log->replayed >> index & 1u) != 0 ? "replays" : "no log of the register";
}

/* "compose-hash aabb.." */
static atls_value wanted_value(const atls_appraising *a, const atls_event_rule *rule,
                               const char *value)
{
    char text[400];
    if (a->l == NULL) {
        return atls_value_none();
    }
    (void)snprintf(text, sizeof text, "%.120s %.260s", rule->shown, value);
    return atls_value_note(a->l, text);
}

/* Digest and payload of one event. True: both fit. */
static bool check_event(atls_appraising *a, const atls_event_rule *rule, const atls_event *e)
{
    atls_buf digest = {e->digest, e->digest_len};
    if (rule->digest.n > 0 && !atls_any_of_has(&rule->digest, digest, false)) {
        return atls_appraise_check(a, "policy.event.digest", false, ATLS_E_POLICY,
                                   atls_value_hex(digest),
                                   wanted_value(a, rule, rule->digest.wanted));
    }
    if (rule->payload.n > 0 && !e->data_matches) {
        return check(a, "policy.event.payload", false,
                     atls_value_text("data that the digest does not cover"), rule->payload.wanted);
    }
    if (rule->payload.n > 0 && !atls_any_of_has(&rule->payload, e->data, false)) {
        return atls_appraise_check(a, "policy.event.payload", false, ATLS_E_POLICY,
                                   e->data.len > 0 ? atls_value_hex(e->data)
                                                   : atls_value_text("empty"),
                                   wanted_value(a, rule, rule->payload.wanted));
    }
    return true;
}

static const char *id_of(const atls_event_rule *rule)
{
    return rule->is_absent       ? "policy.event.absent"
           : rule->payload.n > 0 ? "policy.event.payload"
           : rule->digest.n > 0  ? "policy.event.digest"
                                 : "policy.event.missing";
}

/* A name must stand once; of a register, every event that the rule is about must fit. */
static bool check_found(atls_appraising *a, const atls_event_rule *rule, size_t *n)
{
    const atls_event_claims *log = &a->claims->log;
    for (size_t i = 0; i < log->n; i++) {
        const atls_event *e = &log->events[i];
        if (!is_about(a, rule, e)) {
            continue;
        }
        (*n)++;
        if (rule->is_absent) {
            return check(a, "policy.event.absent", false, atls_value_text(rule->shown), "none");
        }
        if (rule->name != NULL && *n > 1) {
            return check(a, "policy.event.duplicate", false, atls_value_text(rule->shown),
                         "one event of that name");
        }
        if (rule->name != NULL && e->after_ready && is_system_name(rule->name)) {
            return check(a, "policy.event.missing", false,
                         atls_value_text("one that an application wrote, after system-ready"),
                         rule->shown);
        }
        if (!check_event(a, rule, e)) {
            return false;
        }
    }
    return true;
}

static void check_rule(atls_appraising *a, const atls_event_rule *rule)
{
    const atls_event_claims *log = &a->claims->log;
    uint32_t index = register_of(a, rule);
    size_t n = 0;
    if (!check_found(a, rule, &n)) {
        return;
    }
    /* What is not there tells something only if the log is whole. */
    if ((n == 0 || rule->name == NULL) && !replays(log, index)) {
        (void)check(a, "policy.event.log", false, atls_value_text(state_of(log, index)),
                    rule->shown);
    } else if (n == 0 && !rule->is_absent && !rule->is_optional) {
        (void)check(a, "policy.event.missing", false, atls_value_none(), rule->shown);
    } else {
        (void)check(a, id_of(rule), true, atls_value_text(rule->shown), NULL);
    }
}

static void check_replay(atls_appraising *a, const atls_event_claims *log, uint32_t registers)
{
    for (uint32_t i = 0; i < 32; i++) {
        if ((registers >> i & 1u) == 0) {
            continue;
        }
        atls_value found = atls_value_none();
        if (a->l != NULL && !replays(log, i)) {
            char text[80];
            (void)snprintf(text, sizeof text, "register %u: %s", i, state_of(log, i));
            found = atls_value_note(a->l, text);
        }
        (void)check(a, "policy.replay", replays(log, i), found,
                    "a log that replays to the register");
    }
}

void atls_appraise_events(atls_appraising *a)
{
    const atls_workload *w = a->workload;
    for (size_t i = 0; i < w->events_n; i++) {
        check_rule(a, &w->events[i]);
    }
    check_replay(a, &a->claims->log, w->replay_rtmrs | w->replay_pcrs);
    check_replay(a, &a->claims->ima, w->replay_ima ? 1u << 10 : 0);
}
