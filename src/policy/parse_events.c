/* `events` and `replay`: what a log of measured events must say. */
#include "policy/parse.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* TCG PC Client Platform Firmware Profile, 10.4.1. */
static const struct {
    const char *name;
    uint32_t type;
} types[] = {
    {"EV_POST_CODE", 0x1},
    {"EV_SEPARATOR", 0x4},
    {"EV_ACTION", 0x5},
    {"EV_EVENT_TAG", 0x6},
    {"EV_S_CRTM_CONTENTS", 0x7},
    {"EV_S_CRTM_VERSION", 0x8},
    {"EV_CPU_MICROCODE", 0x9},
    {"EV_PLATFORM_CONFIG_FLAGS", 0xa},
    {"EV_TABLE_OF_DEVICES", 0xb},
    {"EV_COMPACT_HASH", 0xc},
    {"EV_IPL", 0xd},
    {"EV_IPL_PARTITION_DATA", 0xe},
    {"EV_NONHOST_CODE", 0xf},
    {"EV_NONHOST_CONFIG", 0x10},
    {"EV_NONHOST_INFO", 0x11},
    {"EV_OMIT_BOOT_DEVICE_EVENTS", 0x12},
    {"EV_POST_CODE2", 0x13},
    {"EV_EFI_VARIABLE_DRIVER_CONFIG", 0x80000001},
    {"EV_EFI_VARIABLE_BOOT", 0x80000002},
    {"EV_EFI_BOOT_SERVICES_APPLICATION", 0x80000003},
    {"EV_EFI_BOOT_SERVICES_DRIVER", 0x80000004},
    {"EV_EFI_RUNTIME_SERVICES_DRIVER", 0x80000005},
    {"EV_EFI_GPT_EVENT", 0x80000006},
    {"EV_EFI_ACTION", 0x80000007},
    {"EV_EFI_PLATFORM_FIRMWARE_BLOB", 0x80000008},
    {"EV_EFI_HANDOFF_TABLES", 0x80000009},
    {"EV_EFI_PLATFORM_FIRMWARE_BLOB2", 0x8000000a},
    {"EV_EFI_HANDOFF_TABLES2", 0x8000000b},
    {"EV_EFI_VARIABLE_BOOT2", 0x8000000c},
    {"EV_EFI_GPT_EVENT2", 0x8000000d},
    {"EV_EFI_HCRTM_EVENT", 0x80000010},
    {"EV_EFI_VARIABLE_AUTHORITY", 0x800000e0},
    {"EV_EFI_SPDM_FIRMWARE_BLOB", 0x800000e1},
    {"EV_EFI_SPDM_FIRMWARE_CONFIG", 0x800000e2},
};
#define TYPES (sizeof types / sizeof types[0])

static atls_code parse_name(atls_policy_parser *p, json_t *value, void *target)
{
    atls_event_rule *rule = target;
    ATLS_TRY(atls_policy_parse_string(p, value, &rule->name));
    return strchr(rule->name, ':') == NULL
               ? ATLS_OK
               : atls_policy_refuse(p, "a name with ':' in it: such a name and its payload cannot "
                                       "be told apart");
}

static atls_code parse_type(atls_policy_parser *p, json_t *value, void *target)
{
    atls_event_rule *rule = target;
    const char *known[TYPES];
    size_t i = 0;
    for (size_t k = 0; k < TYPES; k++) {
        known[k] = types[k].name;
    }
    ATLS_TRY(atls_policy_parse_word(p, value, "type", known, TYPES, &i));
    rule->type_name = types[i].name;
    rule->type = types[i].type;
    return ATLS_OK;
}

#define NO_INDEX UINT32_MAX

static atls_code parse_pcr(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_number(p, value, 0, ATLS_TPM_PCRS - 1,
                                    &((atls_event_rule *)target)->index);
}

static atls_code parse_rtmr(atls_policy_parser *p, json_t *value, void *target)
{
    ((atls_event_rule *)target)->is_rtmr = true;
    return atls_policy_parse_number(p, value, 0, 3, &((atls_event_rule *)target)->index);
}

static atls_code parse_payload(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_varied(p, value, ATLS_POLICY_TEXT_MAX, false, false,
                                    &((atls_event_rule *)target)->payload);
}

static atls_code parse_digest(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_varied(p, value, 64, true, false,
                                    &((atls_event_rule *)target)->digest);
}

static atls_code parse_required(atls_policy_parser *p, json_t *value, void *target)
{
    bool required = true;
    ATLS_TRY(atls_policy_parse_bool(p, value, &required));
    ((atls_event_rule *)target)->is_optional = !required;
    return ATLS_OK;
}

static atls_code parse_absent(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_bool(p, value, &((atls_event_rule *)target)->is_absent);
}

static const atls_policy_key event_keys[] = {
    {"name", parse_name, false},         {"type", parse_type, false},
    {"pcr", parse_pcr, false},           {"rtmr", parse_rtmr, false},
    {"payload", parse_payload, false},   {"digest", parse_digest, false},
    {"required", parse_required, false}, {"absent", parse_absent, false},
};
const atls_policy_object atls_policy_event_object = {"event", event_keys,
                                                     sizeof event_keys / sizeof event_keys[0]};

static atls_code describe(atls_policy_parser *p, atls_event_rule *rule)
{
    atls_text t = atls_text_of(512);
    if (rule->name != NULL) {
        atls_text_add(&t, "%s", rule->name);
    } else {
        atls_text_add(&t, "%s in %s%u", rule->type_name != NULL ? rule->type_name : "any event",
                      rule->is_rtmr ? "rtmr" : "pcr", rule->index);
    }
    return atls_policy_keep_written(p, &t, &rule->shown);
}

static atls_code parse_event(atls_policy_parser *p, json_t *value, atls_event_rule *rule)
{
    rule->index = NO_INDEX;
    ATLS_TRY(atls_policy_parse_object(p, value, &atls_policy_event_object, rule));
    bool by_register = rule->index != NO_INDEX;
    bool both = json_object_get(value, "pcr") != NULL && json_object_get(value, "rtmr") != NULL;
    if ((rule->name != NULL) == by_register || (rule->name != NULL && rule->type_name != NULL) ||
        both) {
        return atls_policy_refuse(p, "an event is named by \"name\" (dstack's), or by \"pcr\" or "
                                     "\"rtmr\", with or without \"type\"");
    }
    if (rule->is_absent &&
        (rule->payload.n > 0 || rule->digest.n > 0 || json_object_get(value, "required") != NULL)) {
        return atls_policy_refuse(p, "an event that must be absent has no payload, no digest, and "
                                     "is not required");
    }
    if (by_register && !rule->is_absent && rule->type_name == NULL && rule->digest.n == 0) {
        return atls_policy_refuse(p, "\"type\" or \"digest\" is wanted: this asks nothing");
    }
    return describe(p, rule);
}

atls_code atls_policy_parse_events(atls_policy_parser *p, json_t *value, void *target)
{
    atls_workload *w = target;
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    if (n > ATLS_POLICY_EVENTS_MAX) {
        return atls_policy_refuse(p, "%zu events, where at most %d are taken", n,
                                  ATLS_POLICY_EVENTS_MAX);
    }
    w->events = atls_policy_keep(p->policy, n, sizeof *w->events);
    if (w->events == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_event(p, json_array_get(value, i), &w->events[i]));
        atls_policy_leave(p);
    }
    w->events_n = n;
    return ATLS_OK;
}

/* "rtmr0" to "rtmr3", "pcr0" to "pcr23", "ima". */
static atls_code parse_replayed(atls_policy_parser *p, json_t *value, atls_workload *w)
{
    char name[8];
    const char *word;
    ATLS_TRY(atls_policy_parse_string(p, value, &word));
    if (strcmp(word, "ima") == 0) {
        w->replay_ima = true;
        return ATLS_OK;
    }
    for (unsigned i = 0; i < ATLS_TPM_PCRS; i++) {
        (void)snprintf(name, sizeof name, "rtmr%u", i);
        if (i < 4 && strcmp(word, name) == 0) {
            w->replay_rtmrs |= 1u << i;
            return ATLS_OK;
        }
        (void)snprintf(name, sizeof name, "pcr%u", i);
        if (strcmp(word, name) == 0) {
            w->replay_pcrs |= 1u << i;
            return ATLS_OK;
        }
    }
    return atls_policy_refuse(p, "\"rtmr0\" to \"rtmr3\", \"pcr0\" to \"pcr23\" or \"ima\" is "
                                 "wanted");
}

atls_code atls_policy_parse_replay(atls_policy_parser *p, json_t *value, void *target)
{
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_replayed(p, json_array_get(value, i), target));
        atls_policy_leave(p);
    }
    return ATLS_OK;
}
