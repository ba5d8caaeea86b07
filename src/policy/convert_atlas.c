/* convert_atlas.c: Atlas's policy, {"type":"dstack_tdx", ...}. */
#include "policy/convert.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/json.h"
#include "policy/compose_hash.h"
#include "policy/convert_terms.h"

#define TEXT_MAX       ((size_t)4 << 20)
#define DAY_S          86400
#define GRACE_DAYS_MAX 3650

static const char *const members[] = {"type",
                                      "expected_bootchain",
                                      "app_compose",
                                      "os_image_hash",
                                      "allowed_tcb_status",
                                      "grace_period",
                                      "pccs_url",
                                      "cache_collateral",
                                      "disable_runtime_verification",
                                      NULL};
/* Revoked is in its vocabulary, but nothing is accepted with it. */
static const char *const statuses[] = {
    "UpToDate", "OutOfDate", "ConfigurationNeeded", "TDRelaunchAdvised", "SWHardeningNeeded", NULL};

/* --- read --- */

static atls_code read_flag(const json_t *root, const char *name, bool *out, atls_err *err)
{
    const json_t *v = json_object_get(root, name);
    if (v != NULL && !json_is_boolean(v)) {
        return convert_bad_value(name, "true or false", err);
    }
    *out = json_is_true(v);
    return ATLS_OK;
}

static bool has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *own = json_string_value(json_array_get(list, i));
        if (own != NULL && strcmp(own, text) == 0) {
            return true;
        }
    }
    return false;
}

/* Ours names OutOfDate among the statuses, or a grace: never both. */
static bool take_out_of_date(json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), "OutOfDate") == 0) {
            return json_array_remove(list, i) == 0;
        }
    }
    return false;
}

/* Whole days, rounded down: that accepts no more. */
static atls_code read_grace(const json_t *v, json_t *tcb, atls_text *notes, atls_err *err)
{
    bool good = true;
    json_t *list = json_object_get(tcb, "statuses");
    if (!json_is_integer(v) || json_integer_value(v) < DAY_S) {
        return convert_bad_value("grace_period", "a number of seconds, a day at least", err);
    }
    if (!take_out_of_date(list) || json_array_size(list) == 0) {
        return convert_bad_value("grace_period",
                                 "OutOfDate, and a better status, in allowed_tcb_status", err);
    }
    json_int_t days = json_integer_value(v) / DAY_S;
    if (days > GRACE_DAYS_MAX || json_integer_value(v) % DAY_S != 0) {
        days = days > GRACE_DAYS_MAX ? GRACE_DAYS_MAX : days;
        atls_text_add(notes, "grace_period: shortened to %lld whole days\n", (long long)days);
    }
    convert_put(tcb, "grace_days", json_integer(days), &good);
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code read_tcb(const json_t *root, json_t *workload, atls_text *notes, atls_err *err)
{
    bool good = true;
    json_t *list = NULL;
    const json_t *grace = json_object_get(root, "grace_period");
    ATLS_TRY(convert_statuses_in(json_object_get(root, "allowed_tcb_status"), "allowed_tcb_status",
                                 statuses, &list, notes, err));
    json_t *tcb = json_object();
    convert_put(tcb, "statuses", list, &good);
    convert_put(workload, "tcb", tcb, &good);
    if (!good) {
        return ATLS_ERR_NOMEM(err);
    }
    return grace == NULL ? ATLS_OK : read_grace(grace, tcb, notes, err);
}

static json_t *one(json_t *value)
{
    bool good = true;
    json_t *list = json_array();
    convert_append(list, value, &good);
    if (!good) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* The document stays beside its hash, as the reason for it, so that it can be written again. */
static atls_code read_compose(json_t *v, json_t *events, atls_text *notes, atls_err *err)
{
    char hex[65];
    char *text = NULL;
    bool good = true;
    if (v == NULL) {
        return convert_bad_value("app_compose", "the deployed document, its text, or its SHA-256",
                                 err);
    }
    ATLS_TRY(atls_compose_hash(v, hex, &text, err));
    json_t *event = convert_event("compose-hash", one(json_string(hex)));
    if (text != NULL) {
        json_t *why = json_object();
        convert_put(why, "payload", json_string(text), &good);
        convert_put(event, "why", why, &good);
    }
    free(text);
    convert_append(events, event, &good);
    if (json_is_string(v)) {
        atls_text_add(notes, "app_compose is a text: taken as the deployed file or its SHA-256, "
                             "which Atlas's own client does not\n");
    }
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code read_runtime(const json_t *root, json_t *workload, atls_text *notes, atls_err *err)
{
    bool good = true;
    json_t *set = NULL;
    const json_t *boot = json_object_get(root, "expected_bootchain");
    json_t *image = json_object_get(root, "os_image_hash");
    if (boot == NULL || image == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.member",
                        "expected_bootchain and os_image_hash must both be there, unless "
                        "disable_runtime_verification is true");
    }
    if (!convert_is_hex(image, 32, false)) {
        return convert_bad_value("os_image_hash", "64 lower-case hex digits", err);
    }
    ATLS_TRY(convert_boot_in(boot, "expected_bootchain", &set, err));
    convert_put(workload, "tdx", set, &good);
    json_t *events = json_array();
    convert_put(workload, "events", events, &good);
    if (!good) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(read_compose(json_object_get(root, "app_compose"), events, notes, err));
    convert_append(events, convert_event("os-image-hash", one(json_incref(image))), &good);
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code note_rest(const json_t *root, bool without_runtime, atls_text *notes,
                           atls_err *err)
{
    bool ignored = false;
    const json_t *url = json_object_get(root, "pccs_url");
    ATLS_TRY(read_flag(root, "cache_collateral", &ignored, err));
    if (url != NULL && !json_is_string(url) && !json_is_null(url)) {
        return convert_bad_value("pccs_url", "a text or null", err);
    }
    if (url != NULL || json_object_get(root, "cache_collateral") != NULL) {
        atls_text_add(notes, "pccs_url, cache_collateral: where collateral comes from is no part "
                             "of a policy here (--collateral)\n");
    }
    if (without_runtime) {
        atls_text_add(notes, "disable_runtime_verification: nothing is asked of what runs there; "
                             "what the policy says of it is left out, as Atlas does\n");
    }
    atls_text_add(notes, "the server's name: Atlas always verifies it by PKI; add pki.names\n");
    return ATLS_OK;
}

static json_t *texts(const char *const *list)
{
    bool good = true;
    json_t *out = json_array();
    for (size_t i = 0; list[i] != NULL; i++) {
        convert_append(out, json_string(list[i]), &good);
    }
    if (!good) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static atls_code read_workload(const json_t *root, json_t *workload, atls_text *notes,
                               atls_err *err)
{
    static const char *const tees[] = {"tdx", NULL};
    static const char *const bindings[] = {"atlas", NULL};
    static const char *const replay[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3", NULL};
    bool good = true;
    bool without_runtime = false;
    const char *type = json_string_value(json_object_get(root, "type"));
    ATLS_TRY(convert_known(root, "the policy", members, err));
    if (type == NULL || strcmp(type, "dstack_tdx") != 0) {
        return convert_bad_value("type", "\"dstack_tdx\"", err);
    }
    ATLS_TRY(read_flag(root, "disable_runtime_verification", &without_runtime, err));
    convert_put(workload, "name", json_string("atlas"), &good);
    convert_put(workload, "tees", texts(tees), &good);
    if (!without_runtime) {
        ATLS_TRY(read_runtime(root, workload, notes, err));
    }
    convert_put(workload, "replay", texts(replay), &good);
    ATLS_TRY(read_tcb(root, workload, notes, err));
    convert_put(workload, "bindings", texts(bindings), &good);
    ATLS_TRY(note_rest(root, without_runtime, notes, err));
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code read_atlas(atls_buf text, json_t **out, atls_text *notes, atls_err *err)
{
    bool good = true;
    json_t *root = NULL;
    ATLS_TRY(convert_parse(text, &root, err));
    json_t *workload = json_object();
    atls_code rc =
        workload == NULL ? ATLS_ERR_NOMEM(err) : read_workload(root, workload, notes, err);
    json_decref(root);
    if (rc != ATLS_OK) {
        json_decref(workload);
        return rc;
    }
    json_t *policy = json_object();
    convert_put(policy, "atls_policy", json_integer(1), &good);
    convert_put(policy, "workloads", one(workload), &good);
    if (!good) {
        json_decref(policy);
        return ATLS_ERR_NOMEM(err);
    }
    *out = policy;
    return ATLS_OK;
}

/* --- write --- */

static atls_code write_tcb(const json_t *workload, json_t *theirs, atls_err *err)
{
    static const char *const known[] = {"statuses", "grace_days", NULL};
    bool good = true;
    const json_t *tcb = json_object_get(workload, "tcb");
    json_t *list = json_object_get(tcb, "statuses");
    const json_t *days = json_object_get(tcb, "grace_days");
    ATLS_TRY(convert_sayable(tcb, "tcb", known, err));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *const *at = statuses;
        while (*at != NULL && strcmp(*at, json_string_value(json_array_get(list, i))) != 0) {
            at++;
        }
        if (*at == NULL) {
            return convert_lossy(json_string_value(json_array_get(list, i)),
                                 "a status that Atlas's policies cannot name", err);
        }
    }
    json_t *all = list != NULL ? json_copy(list) : one(json_string("UpToDate"));
    if (days != NULL) {
        convert_append(all, json_string("OutOfDate"), &good);
        convert_put(theirs, "grace_period", json_integer(json_integer_value(days) * DAY_S), &good);
    }
    convert_put(theirs, "allowed_tcb_status", all, &good);
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* The document that the event's reason holds, if it is one, and has that hash. */
static atls_code compose_of(const json_t *event, json_t **out, atls_err *err)
{
    char hex[65] = "";
    char *again = NULL;
    json_t *document = NULL;
    atls_err why;
    const json_t *payload = json_array_get(json_object_get(event, "payload"), 0);
    const char *text = json_string_value(json_object_get(json_object_get(event, "why"), "payload"));
    if (text != NULL && json_string_value(payload) != NULL &&
        atls_json_parse((atls_buf){(const uint8_t *)text, strlen(text)}, TEXT_MAX,
                        "convert.compose", &document, &why) == ATLS_OK &&
        atls_compose_hash(document, hex, &again, &why) == ATLS_OK) {
        free(again);
        if (strcmp(hex, json_string_value(payload)) == 0) {
            *out = document;
            return ATLS_OK;
        }
    }
    json_decref(document);
    return convert_lossy("compose-hash",
                         "Atlas wants the document: put it, as compact JSON of that hash, into "
                         "\"why\": {\"payload\": ...} of the event",
                         err);
}

static atls_code write_event(const json_t *event, json_t *theirs, atls_err *err)
{
    static const char *const known[] = {"name", "payload", NULL};
    bool good = true;
    json_t *document = NULL;
    const char *name = json_string_value(json_object_get(event, "name"));
    const json_t *list = json_object_get(event, "payload");
    ATLS_TRY(convert_sayable(event, "an event", known, err));
    if (name == NULL || json_array_size(list) != 1) {
        return convert_lossy("events", "an event by name, with exactly one payload, can be said",
                             err);
    }
    if (strcmp(name, "os-image-hash") == 0) {
        convert_put(theirs, "os_image_hash", convert_digits(json_array_get(list, 0)), &good);
    } else if (strcmp(name, "compose-hash") == 0) {
        ATLS_TRY(compose_of(event, &document, err));
        convert_put(theirs, "app_compose", document, &good);
    } else {
        return convert_lossy(name, "Atlas looks at compose-hash and os-image-hash only", err);
    }
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code write_runtime(const json_t *workload, json_t *theirs, atls_err *err)
{
    bool good = true;
    json_t *boot = NULL;
    const json_t *set = json_object_get(workload, "tdx");
    const json_t *events = json_object_get(workload, "events");
    if (set == NULL && events == NULL) {
        convert_put(theirs, "disable_runtime_verification", json_true(), &good);
        return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
    }
    if (json_is_array(set) && json_array_size(set) != 1) {
        return convert_lossy("tdx", "one build alone can be said", err);
    }
    ATLS_TRY(convert_boot_out(json_is_array(set) ? json_array_get(set, 0) : set, &boot, err));
    convert_put(theirs, "expected_bootchain", boot, &good);
    if (!good) {
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < json_array_size(events); i++) {
        ATLS_TRY(write_event(json_array_get(events, i), theirs, err));
    }
    if (json_array_size(events) != 2 || json_object_get(theirs, "app_compose") == NULL ||
        json_object_get(theirs, "os_image_hash") == NULL) {
        return convert_lossy("events",
                             "Atlas wants compose-hash and os-image-hash beside registers", err);
    }
    return ATLS_OK;
}

static atls_code write_all(const json_t *workload, json_t *theirs, atls_text *notes, atls_err *err)
{
    static const char *const known[] = {"name",   "tees", "tdx",      "events",
                                        "replay", "tcb",  "bindings", NULL};
    static const char *const replayed[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    bool good = true;
    const json_t *tees = json_object_get(workload, "tees");
    const json_t *bindings = json_object_get(workload, "bindings");
    const json_t *replay = json_object_get(workload, "replay");
    size_t found = 0;
    ATLS_TRY(convert_sayable(workload, "the workload", known, err));
    if (json_array_size(tees) != 1 || !has_text(tees, "tdx")) {
        return convert_lossy("tees", "tdx alone can be said", err);
    }
    if (bindings != NULL && !has_text(bindings, "atlas")) {
        return convert_lossy("bindings", "without atlas none of Atlas's clients would be meant",
                             err);
    }
    for (size_t i = 0; i < 4; i++) {
        found += has_text(replay, replayed[i]) ? 1 : 0;
    }
    if (found != json_array_size(replay)) {
        return convert_lossy("replay", "rtmr0 to rtmr3 alone can be said", err);
    }
    convert_put(theirs, "type", json_string("dstack_tdx"), &good);
    ATLS_TRY(write_runtime(workload, theirs, err));
    ATLS_TRY(write_tcb(workload, theirs, err));
    if (json_array_size(bindings) != 1) {
        atls_text_add(notes, "bindings: Atlas's clients speak Atlas alone\n");
    }
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code write_atlas(const json_t *workload, char **text, atls_text *notes, atls_err *err)
{
    json_t *theirs = json_object();
    atls_code rc = theirs == NULL ? ATLS_ERR_NOMEM(err) : write_all(workload, theirs, notes, err);
    char *made = rc == ATLS_OK ? atls_json_write(theirs, JSON_INDENT(2)) : NULL;
    json_decref(theirs);
    if (rc != ATLS_OK) {
        return rc;
    }
    if (made == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *text = made;
    return ATLS_OK;
}

const atls_policy_language atls_policy_language_atlas = {
    .name = "atlas",
    .read = read_atlas,
    .write = write_atlas,
};
