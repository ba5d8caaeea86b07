/* What can be pinned of a TEE that is known to be good, why, and what is left open. */
#include "policy/learn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"
#include "policy/appraising.h"
#include "policy/policy.h"

/* Failure sticks: a value that could not be made is missed at the end. */
typedef struct learner {
    const atls_claims *claims;
    json_t *workload;
    atls_tee layer; /* whose registers are being learned */
    bool failed;
} learner;

static void put(learner *l, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        l->failed = true;
    }
}

static void append(learner *l, json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) != 0) {
        l->failed = true;
    }
}

/* The member of that name, made if it is not there: a list or an object. Never NULL while nothing failed. */
static json_t *member(learner *l, json_t *object, const char *key, bool is_list)
{
    json_t *found = json_object_get(object, key);
    if (found == NULL) {
        put(l, object, key, is_list ? json_array() : json_object());
        found = json_object_get(object, key);
    }
    return found;
}

static void put_why(learner *l, json_t *object, const char *key, const char *why)
{
    put(l, member(l, object, "why", false), key, json_string(why));
}

static json_t *hex(atls_buf bytes)
{
    char text[2 * ATLS_POLICY_TEXT_MAX + 1];
    if (bytes.len > ATLS_POLICY_TEXT_MAX) {
        return NULL;
    }
    atls_hex_encode(bytes, text);
    return json_string(text);
}

static bool list_has(const json_t *list, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_equal(json_array_get(list, i), value)) {
            return true;
        }
    }
    return false;
}

/* Into the any-of list of that name, once. */
static void put_any(learner *l, json_t *object, const char *key, json_t *value)
{
    json_t *list = member(l, object, key, true);
    if (value == NULL || !list_has(list, value)) {
        append(l, list, value);
    } else {
        json_decref(value);
    }
}

static bool is_zero(atls_buf b)
{
    uint8_t any = 0;
    for (size_t i = 0; i < b.len; i++) {
        any |= b.ptr[i];
    }
    return any == 0;
}

/* --- registers --- */

static bool replays_events(const learner *l)
{
    const atls_event_claims *log = &l->claims->log;
    return l->claims->tee == ATLS_TEE_TDX && (log->replayed & ~log->differs & 8u) != 0;
}

/* Left out: what changes with each start or update, and is judged otherwise or proves nothing. */
static bool is_left_open(const learner *l, const atls_register *reg)
{
    static const char *const keys[] = {
        "mrseam",
        "mrsignerseam",
        "mrservicetd",
        "report_id",
        "module_id",
        "reset_count",
        "restart_count",
        "configsvn_min",
        "isvextprodid",
        "isvfamilyid",
        "attributes",
        "td_attributes",
        "xfam",
        "vmpl_max",
        "claims",
        "lifecycle",
        "tcb_status",
        "launch_mit_vector_set",
        "current_mit_vector_set",
        "firmware_version_min",
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(reg->key, keys[i]) == 0) {
            return true;
        }
    }
    bool resettable = reg->index == 10 || reg->index == 16 || reg->index == 23;
    bool sha1 = reg->place == ATLS_PLACE_PCR && reg->bank == ATLS_TPM_SHA1;
    bool is_pcr = reg->place == ATLS_PLACE_PCR || reg->place == ATLS_PLACE_DOCUMENT;
    bool nitro_instance =
        reg->place == ATLS_PLACE_DOCUMENT && reg->index == 4 && l->claims->tee == ATLS_TEE_NITRO;
    return sha1 || nitro_instance || (is_pcr && resettable) ||
           (replays_events(l) && strcmp(reg->key, "rtmr3") == 0);
}

/* Permissions that are not given, demands that are made: both must stay so. */
static uint64_t mask_of(const atls_register *reg, uint64_t n)
{
    static const uint64_t policy_gives = UINT64_C(0x2d0000);  /* SMT, agent, debug, CXL */
    static const uint64_t policy_wants = UINT64_C(0x3d00000); /* socket, XTS, RAPL, hiding, swap */
    static const uint64_t protects = UINT64_C(0x38);          /* RAPL off, hiding, alias check */
    bool policy = strncmp(reg->key, "policy", 6) == 0;
    if (reg->kind == ATLS_REGISTER_BITS_CLEAR) {
        return (policy ? policy_gives : 1) & ~n;
    }
    return (policy ? policy_wants : protects) & n;
}

static void learn_number(learner *l, json_t *into, const atls_register *reg)
{
    char text[24];
    uint64_t n = 0;
    if (!atls_register_number(reg, l->claims, &n)) {
        return;
    }
    if (reg->kind == ATLS_REGISTER_BITS_SET || reg->kind == ATLS_REGISTER_BITS_CLEAR) {
        uint64_t mask = mask_of(reg, n);
        (void)snprintf(text, sizeof text, "0x%" PRIx64, mask);
        if (mask == 0) {
            return;
        }
        put(l, into, reg->key, json_string(text));
    } else if (reg->kind == ATLS_REGISTER_TRUE) {
        if (n == 0) {
            return;
        }
        put(l, into, reg->key, json_true());
    } else {
        put(l, into, reg->key, json_integer((json_int_t)n));
    }
    put_why(l, into, reg->key, reg->why);
}

static void learn_components(learner *l, json_t *into, const atls_register *reg)
{
    const atls_cca_claims *cca = &l->claims->as.cca;
    for (size_t i = 0; i < cca->components_n; i++) {
        const atls_cca_component *c = &cca->components[i];
        json_t *one = json_object();
        if (c->type != NULL && c->type[0] != '\0') {
            put(l, one, "type", json_string(c->type));
        }
        put_any(l, one, "signer_id", hex(c->signer_id));
        put_any(l, one, "measurement", hex(c->measurement));
        append(l, member(l, into, reg->key, true), one);
        put_why(l, into, reg->key, reg->why);
    }
}

static void learn_named(learner *l, json_t *into, const atls_register *reg)
{
    const atls_token_claims *token = &l->claims->as.token;
    for (size_t i = 0; i < token->measurements_n && i < ATLS_POLICY_CLAIMS_MAX; i++) {
        const atls_token_measurement *m = &token->measurements[i];
        if (m->bytes.len > 0 && m->bytes.len <= 64) {
            put_any(l, member(l, into, reg->key, false), m->name, hex(m->bytes));
            put_why(l, into, reg->key, reg->why);
        }
    }
}

static void learn_bytes(learner *l, json_t *into, const atls_register *reg, const char *key,
                        bool not_zero)
{
    atls_buf value = atls_register_bytes(reg, l->claims);
    if (value.len == 0 || (not_zero && is_zero(value))) {
        return;
    }
    put_any(l, into, key, hex(value));
    put_why(l, into, key, reg->why);
}

static void learn_text(learner *l, json_t *into, const atls_register *reg, const char *key)
{
    const char *text = atls_register_text(reg, l->claims, 0);
    if (text != NULL && strlen(text) <= ATLS_POLICY_TEXT_MAX) {
        put_any(l, into, key, json_string(text));
        put_why(l, into, key, reg->why);
    }
}

static void learn_register(learner *l, json_t *set, const atls_register *reg)
{
    if (is_left_open(l, reg)) {
        return;
    }
    bool owned = reg->owner_id != NULL;
    if (owned && l->layer != l->claims->tee) { /* Azure's launch fields are Microsoft's */
        return;
    }
    /* A group is made only when something goes into it. */
    bool empty =
        (reg->kind == ATLS_REGISTER_BYTES || reg->kind == ATLS_REGISTER_DIGEST) &&
        is_zero(atls_register_bytes(reg, l->claims)) &&
        (reg->group != NULL || owned || strcmp(reg->key + strlen(reg->key) - 3, "_id") == 0);
    if (empty) {
        return;
    }
    empty = reg->kind == ATLS_REGISTER_TEXT && atls_register_text(reg, l->claims, 0) == NULL;
    if (empty) {
        return;
    }
    json_t *into = owned                ? member(l, l->workload, "owner", false)
                   : reg->group != NULL ? member(l, set, reg->group, false)
                                        : set;
    const char *key = owned ? atls_register_owner_key(reg) : reg->key;
    switch (reg->kind) {
    case ATLS_REGISTER_BYTES:
    case ATLS_REGISTER_DIGEST:
        learn_bytes(l, into, reg, key, owned);
        break;
    case ATLS_REGISTER_TEXT:
        learn_text(l, into, reg, key);
        break;
    case ATLS_REGISTER_COMPONENTS:
        learn_components(l, into, reg);
        break;
    case ATLS_REGISTER_NAMED:
        learn_named(l, into, reg);
        break;
    default:
        learn_number(l, into, reg);
        break;
    }
}

static void learn_layer(learner *l, atls_tee layer)
{
    size_t n;
    const atls_register *table = atls_registers(layer, &n);
    json_t *set = json_object();
    l->layer = layer;
    for (size_t i = 0; i < n; i++) {
        learn_register(l, set, &table[i]);
    }
    if (set == NULL || json_object_size(set) == 0) {
        json_decref(set);
        return;
    }
    json_t *sets = member(l, l->workload, atls_tee_name(layer), true);
    if (list_has(sets, set)) {
        json_decref(set);
    } else {
        append(l, sets, set);
    }
}

/* --- the platform, the log --- */

static void learn_amd(learner *l)
{
    const atls_snp_claims *s = &l->claims->as.snp;
    const uint8_t reported[] = {s->reported_tcb.fmc, s->reported_tcb.bootloader,
                                s->reported_tcb.tee, s->reported_tcb.snp,
                                s->reported_tcb.microcode};
    const uint8_t committed[] = {s->committed_tcb.fmc, s->committed_tcb.bootloader,
                                 s->committed_tcb.tee, s->committed_tcb.snp,
                                 s->committed_tcb.microcode};
    static const char *const names[] = {"fmc", "bootloader", "tee", "snp", "microcode"};
    json_t *amd = member(l, l->workload, "amd", false);
    json_t *entry = json_object();
    json_t *min = member(l, entry, "min", false);
    for (size_t i = s->reported_tcb.has_fmc ? 0 : 1; i < 5; i++) {
        uint8_t lower = reported[i] < committed[i] ? reported[i] : committed[i];
        put(l, min, names[i], json_integer(lower));
    }
    put(l, entry, "product", json_string(s->product));
    if (s->has_cpuid) {
        put(l, entry, "family", json_integer(s->family));
        put(l, entry, "model", json_integer(s->model));
        put(l, entry, "stepping", json_integer(s->stepping));
    }
    put(l, entry, "why",
        json_string("what the good machine had: the lower of reported and committed"));
    put_any(l, amd, "tcb_min", entry);
    if (s->is_vlek && s->csp_id[0] != '\0') {
        put_any(l, amd, "csp_id", json_string(s->csp_id));
    } else if (s->chip_id_masked) {
        put(l, amd, "masked_chip", json_string("allow"));
    }
}

static json_t *pin_of(size_t i, atls_buf value)
{
    char text[ATLS_POLICY_TEXT_MAX + 1];
    uint64_t n = 0;
    switch (atls_pin_at(i)->kind) {
    case ATLS_PIN_TEXT:
        (void)snprintf(text, sizeof text, "%.*s", (int)value.len, (const char *)value.ptr);
        return json_string(text);
    case ATLS_PIN_DECIMAL:
        for (size_t k = 0; k < value.len; k++) {
            n = n * 256u + value.ptr[k];
        }
        (void)snprintf(text, sizeof text, "%" PRIu64, n);
        return json_string(text);
    default:
        return hex(value);
    }
}

static void learn_pins(learner *l)
{
    atls_tee layers[ATLS_LAYERS_MAX];
    size_t n = atls_appraise_layers(l->claims, layers);
    for (size_t i = 0; i < ATLS_PINS; i++) {
        bool own = false;
        for (size_t k = 0; k < n; k++) {
            own = own || (atls_pin_at(i)->tees >> layers[k] & 1u) != 0;
        }
        atls_buf value = own ? atls_pin_value(i, l->claims) : (atls_buf){NULL, 0};
        /* A serial number is that of a certificate, and changes with it. */
        if (value.len > 0 && !is_zero(value) && atls_pin_at(i)->kind != ATLS_PIN_SERIAL) {
            json_t *platforms = member(l, l->workload, "platforms", false);
            put_any(l, platforms, atls_pin_at(i)->key, pin_of(i, value));
            put_why(l, platforms, atls_pin_at(i)->key, atls_pin_at(i)->shown);
        }
    }
}

/* A payload of the event's rule, which is made if there is none. */
static void learn_event(learner *l, json_t *events, const atls_event *e)
{
    for (size_t i = 0; i < json_array_size(events); i++) {
        json_t *rule = json_array_get(events, i);
        if (strcmp(json_string_value(json_object_get(rule, "name")), e->name) == 0) {
            put_any(l, rule, "payload", hex(e->data));
            return;
        }
    }
    json_t *rule = json_object();
    put(l, rule, "name", json_string(e->name));
    put_any(l, rule, "payload", hex(e->data));
    put(l, rule, "why", json_string("measured into RTMR 3 by dstack"));
    append(l, events, rule);
}

static void learn_events(learner *l)
{
    static const char *const names[] = {"compose-hash", "os-image-hash", "key-provider"};
    const atls_event_claims *log = &l->claims->log;
    if (!replays_events(l)) {
        return;
    }
    json_t *events = member(l, l->workload, "events", true);
    for (size_t i = 0; i < log->n; i++) {
        const atls_event *e = &log->events[i];
        bool known = false;
        for (size_t k = 0; k < 3; k++) {
            known = known || strcmp(e->name, names[k]) == 0;
        }
        if (known && e->is_runtime && e->index == 3 && !e->after_ready && e->data_matches &&
            e->data.len > 0 && e->data.len <= ATLS_POLICY_TEXT_MAX) {
            learn_event(l, events, e);
        }
    }
    if (json_array_size(events) == 0) {
        (void)json_object_del(l->workload, "events");
    }
    put_any(l, l->workload, "replay", json_string("rtmr3"));
}

/* --- workloads --- */

static const char left_open[] =
    "learned from evidence that verified. Not pinned: what each start makes anew (report ids, module ids, "
    "counters, PCR 10, 16, 23, Nitro's PCR 4), what its vendor judges (TDX module, attributes, TCB status), "
    "SHA-1, and fields that are zero. Is the owner yours, and is every machine named? Then add names by "
    "pki, or take platforms out.";

static json_t *workload_of(learner *l, json_t *workloads, const char *name, atls_tee tee)
{
    json_t *found;
    size_t i;
    json_array_foreach(workloads, i, found)
    {
        const json_t *tees = json_object_get(found, "tees");
        const char *own = json_string_value(json_array_get(tees, 0));
        if (own != NULL && strcmp(own, atls_tee_name(tee)) == 0) {
            return found;
        }
    }
    json_t *made = json_object();
    put(l, made, "name", json_string(name));
    put(l, made, "why", json_string(left_open));
    put_any(l, made, "tees", json_string(atls_tee_name(tee)));
    append(l, workloads, made);
    return json_array_get(workloads, json_array_size(workloads) - 1);
}

static void learn_one(learner *l, json_t *workloads, const char *name)
{
    atls_tee layers[ATLS_LAYERS_MAX];
    size_t n = atls_appraise_layers(l->claims, layers);
    l->workload = workload_of(l, workloads, name, l->claims->tee);
    for (size_t i = 0; i < n; i++) {
        learn_layer(l, layers[i]);
    }
    learn_events(l);
    if (atls_appraise_hardware(l->claims) == ATLS_TEE_SNP) {
        learn_amd(l);
    }
    learn_pins(l);
}

static bool several_tees(const atls_claims *const *claims, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (claims[i]->tee != claims[0]->tee) {
            return true;
        }
    }
    return false;
}

static atls_code check_input(const atls_claims *const *claims, size_t n, const char *name,
                             atls_err *err)
{
    bool ok = n > 0 && n <= ATLS_LEARN_MAX && name[0] != '\0' && strlen(name) <= 100;
    for (size_t i = 0; ok && i < n; i++) {
        ok = claims[i]->tee > ATLS_TEE_NONE && claims[i]->tee < ATLS_TEES;
    }
    return ok ? ATLS_OK
              : ATLS_ERR(
                    err, ATLS_E_USAGE, "learn.evidence",
                    "1 to %d pieces of verified evidence and a name of 1 to 100 characters are "
                    "wanted",
                    ATLS_LEARN_MAX);
}

/* What was learned must accept all that it was learned from. */
static atls_code prove(const char *text, const atls_claims *const *claims, size_t n, atls_err *err)
{
    atls_policy *policy = NULL;
    ATLS_TRY(atls_policy_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &policy, err));
    atls_ledger *ledger = malloc(sizeof *ledger);
    atls_code rc = ledger != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
    for (size_t i = 0; i < n && rc == ATLS_OK; i++) {
        atls_appraisal appraisal;
        atls_ledger_init(ledger);
        atls_policy_appraise(policy, claims[i], NULL, 0, ledger, &appraisal);
        const atls_entry *e = atls_ledger_deciding(ledger);
        if (!appraisal.fits) {
            rc = ATLS_ERR(err, ATLS_E_USAGE, "learn.mixed",
                          "evidence %zu does not fit into one workload with the others (%s): learn "
                          "from it alone",
                          i + 1, e != NULL ? e->id : "a check was skipped");
        }
    }
    free(ledger);
    atls_policy_free(policy);
    return rc;
}

atls_code atls_policy_learn_claims(const atls_claims *const *claims, size_t n, const char *name,
                                   char **out, atls_err *err)
{
    ATLS_TRY(check_input(claims, n, name, err));
    bool several = several_tees(claims, n);
    json_t *policy = json_object();
    learner l = {.workload = NULL};
    put(&l, policy, "atls_policy", json_integer(1));
    json_t *workloads = member(&l, policy, "workloads", true);
    for (size_t i = 0; i < n && !l.failed; i++) {
        char own[128];
        (void)snprintf(own, sizeof own, "%s%s%s", name, several ? "-" : "",
                       several ? atls_tee_name(claims[i]->tee) : "");
        l.claims = claims[i];
        learn_one(&l, workloads, own);
    }
    char *text = l.failed ? NULL : atls_json_write(policy, JSON_INDENT(2));
    json_decref(policy);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = prove(text, claims, n, err);
    if (rc != ATLS_OK) {
        free(text);
        return rc;
    }
    *out = text;
    return ATLS_OK;
}
