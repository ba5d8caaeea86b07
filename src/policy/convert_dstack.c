/* convert_dstack.c: the allow-list by which a dstack key server lets applications boot (auth-config.json): images, and for
 * each application its compose hashes and machines. It names an image by the hash of its files; a quote has registers
 * instead, and what links the two is dstack's own measuring tool. So "bootchain" is wanted beside it: a list of
 * {mrtd, rtmr0, rtmr1, rtmr2}, as that tool tells them. Without it a policy would believe events of any image. */
#include "policy/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/json.h"
#include "policy/convert_terms.h"

#define APP_ID_LEN 20
#define HASH_LEN   32

static const char *const members[] = {
    "osImages",           "bootchain",         "apps",    "kms",
    "allowedTcbStatuses", "gatewayAppId",      "chainId", "kmsContractAddr",
    "allowedAdvisoryIds", "appImplementation", NULL};
static const char *const app_members[] = {"composeHashes", "devices", "allowAnyDevice", NULL};
static const char *const statuses[] = {"UpToDate",
                                       "SWHardeningNeeded",
                                       "ConfigurationNeeded",
                                       "ConfigurationAndSWHardeningNeeded",
                                       "OutOfDate",
                                       "OutOfDateConfigurationNeeded",
                                       "TDRelaunchAdvised",
                                       "TDRelaunchAdvisedConfigurationNeeded",
                                       NULL};

/* --- read --- */

/* A list of theirs, hex with or without 0x, as digits. */
static atls_code read_hex_list(const json_t *list, size_t bytes, const char *what, json_t **out,
                               atls_err *err)
{
    bool good = true;
    if (json_array_size(list) == 0) {
        return convert_bad_value(what, "a list of hex, with one entry at least", err);
    }
    json_t *digits = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (!convert_is_hex(v, bytes, true)) {
            json_decref(digits);
            return convert_bad_value(what, "hex of the right length", err);
        }
        convert_append(digits, convert_digits(v), &good);
    }
    if (!good) {
        json_decref(digits);
        return ATLS_ERR_NOMEM(err);
    }
    *out = digits;
    return ATLS_OK;
}

static atls_code read_advisories(const json_t *list, json_t *tcb, atls_err *err)
{
    bool good = true;
    json_t *allowed = json_array();
    convert_put(tcb, "advisories_allowed", allowed, &good);
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        json_t *entry = json_object();
        const json_t *id = json_array_get(list, i);
        if (!json_is_string(id)) {
            json_decref(entry);
            return convert_bad_value("allowedAdvisoryIds", "a list of texts", err);
        }
        convert_put(entry, "id", json_string(json_string_value(id)), &good);
        convert_append(allowed, entry, &good);
    }
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* What every workload has alike: registers, image, patch level, dialects. */
static atls_code read_common(const json_t *root, json_t *workload, json_t *events, atls_text *notes,
                             atls_err *err)
{
    bool good = true;
    json_t *list = NULL;
    const json_t *boot = json_object_get(root, "bootchain");
    json_t *sets = json_array();
    json_t *tcb = json_object();
    convert_put(workload, "tdx", sets, &good);
    convert_put(workload, "tcb", tcb, &good);
    if (!good) {
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < json_array_size(boot); i++) {
        json_t *set = NULL;
        ATLS_TRY(convert_boot_in(json_array_get(boot, i), "bootchain", &set, err));
        convert_append(sets, set, &good);
    }
    ATLS_TRY(read_hex_list(json_object_get(root, "osImages"), HASH_LEN, "osImages", &list, err));
    convert_append(events, convert_event("os-image-hash", list), &good);
    list = NULL;
    ATLS_TRY(convert_statuses_in(json_object_get(root, "allowedTcbStatuses"), "allowedTcbStatuses",
                                 statuses, &list, notes, err));
    convert_put(tcb, "statuses", list, &good);
    return good ? read_advisories(json_object_get(root, "allowedAdvisoryIds"), tcb, err)
                : ATLS_ERR_NOMEM(err);
}

static atls_code read_devices(const json_t *app, atls_err *err)
{
    const json_t *any = json_object_get(app, "allowAnyDevice");
    const json_t *devices = json_object_get(app, "devices");
    if ((any != NULL && !json_is_boolean(any)) || (devices != NULL && !json_is_array(devices))) {
        return convert_bad_value("devices, allowAnyDevice", "a list, and true or false", err);
    }
    if (!json_is_true(
            any)) { /* then no other machine may boot it, and none at all where the list is empty */
        return convert_lossy(
            "devices",
            "without allowAnyDevice these machines alone are meant. dstack's device id is a hash "
            "of a machine's id, which evidence does not show: set allowAnyDevice, and name the "
            "machines in platforms.ppid",
            err);
    }
    return ATLS_OK;
}

static atls_code read_app(const json_t *root, const char *id, const json_t *app, json_t *workload,
                          atls_text *notes, atls_err *err)
{
    bool good = true;
    json_t *hashes = NULL;
    char name[64];
    json_t *id_text = json_string(id);
    json_t *ids = json_array();
    json_t *events = json_array();
    const bool is_id = id_text != NULL && convert_is_hex(id_text, APP_ID_LEN, true);
    convert_append(ids, is_id ? convert_digits(id_text) : json_null(), &good);
    json_decref(id_text);
    (void)snprintf(name, sizeof name, "app-%.40s",
                   is_id ? json_string_value(json_array_get(ids, 0)) : "");
    convert_put(workload, "name", json_string(name), &good);
    convert_put(workload, "tees", json_pack("[s]", "tdx"), &good);
    convert_put(workload, "replay", json_pack("[s]", "rtmr3"), &good);
    convert_put(workload, "bindings",
                json_pack("[sss]", "atlas", "ra-tls-dstack", "evidence-alone"), &good);
    convert_put(workload, "events", events, &good);
    convert_append(events, convert_event("app-id", ids), &good);
    if (!is_id) {
        return convert_bad_value("apps", "names that are app ids: 40 hex digits", err);
    }
    ATLS_TRY(convert_known(app, "an app", app_members, err));
    ATLS_TRY(read_devices(app, err));
    ATLS_TRY(read_hex_list(json_object_get(app, "composeHashes"), HASH_LEN, "composeHashes",
                           &hashes, err));
    convert_append(events, convert_event("compose-hash", hashes), &good);
    return good ? read_common(root, workload, events, notes, err) : ATLS_ERR_NOMEM(err);
}

static atls_code read_apps(const json_t *root, json_t *workloads, atls_text *notes, atls_err *err)
{
    const char *id;
    json_t *app;
    json_t *apps = json_object_get(root, "apps");
    json_object_foreach(apps, id, app)
    {
        bool good = true;
        json_t *workload = json_object();
        convert_append(workloads, workload, &good);
        if (!good) {
            return ATLS_ERR_NOMEM(err);
        }
        /* The notes of what all have alike are told once. */
        atls_text again = atls_text_of(notes->max);
        atls_code rc = read_app(root, id, app, workload,
                                json_array_size(workloads) == 1 ? notes : &again, err);
        free(atls_text_take(&again));
        ATLS_TRY(rc);
    }
    return json_array_size(workloads) > 0
               ? ATLS_OK
               : convert_bad_value("apps", "an application at least", err);
}

static void note_differences(const json_t *root, atls_text *notes)
{
    if (json_object_get(root, "kms") != NULL) {
        atls_text_add(notes,
                      "kms: key servers are not among the workloads; nothing accepts them\n");
    }
    atls_text_add(notes, "osImages: compared with what the log says its key server said; the image "
                         "itself is pinned by bootchain\n");
    atls_text_add(notes, "allowedAdvisoryIds: judged of levels that are not up to date; dstack's "
                         "server judges them at every level\n");
    atls_text_add(notes, "whose it is: add pki, platforms or owner\n");
}

static atls_code read_policy(const json_t *root, json_t *policy, atls_text *notes, atls_err *err)
{
    bool good = true;
    json_t *workloads = json_array();
    convert_put(policy, "atls_policy", json_integer(1), &good);
    convert_put(policy, "workloads", workloads, &good);
    if (!good) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(convert_known(root, "the allow-list", members, err));
    if (json_array_size(json_object_get(root, "bootchain")) == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.member",
                        "\"bootchain\" is missing: a list of {mrtd, rtmr0, rtmr1, rtmr2} of the "
                        "images in osImages; without it events of any image would be believed");
    }
    ATLS_TRY(read_apps(root, workloads, notes, err));
    note_differences(root, notes);
    return ATLS_OK;
}

static atls_code read_dstack(atls_buf text, json_t **out, atls_text *notes, atls_err *err)
{
    json_t *root = NULL;
    ATLS_TRY(convert_parse(text, &root, err));
    json_t *policy = json_object();
    atls_code rc = policy == NULL ? ATLS_ERR_NOMEM(err) : read_policy(root, policy, notes, err);
    json_decref(root);
    if (rc != ATLS_OK) {
        json_decref(policy);
        return rc;
    }
    *out = policy;
    return ATLS_OK;
}

/* --- write --- */

static atls_code write_hex_list(const json_t *workload, const char *event, json_t **out,
                                atls_err *err)
{
    bool good = true;
    char text[2 + 2 * 64 + 1];
    const json_t *list = convert_payloads(workload, event);
    if (json_array_size(list) == 0) {
        return convert_lossy(event,
                             "dstack's allow-list names app-id, compose-hash and "
                             "os-image-hash, each by its payload",
                             err);
    }
    json_t *theirs = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *digits = convert_digits(json_array_get(list, i));
        (void)snprintf(text, sizeof text, "0x%.128s",
                       digits != NULL ? json_string_value(digits) : "");
        good = good && digits != NULL;
        json_decref(digits);
        convert_append(theirs, json_string(text), &good);
    }
    if (!good) {
        json_decref(theirs);
        return ATLS_ERR_NOMEM(err);
    }
    *out = theirs;
    return ATLS_OK;
}

static atls_code write_boot(const json_t *workload, json_t *theirs, atls_err *err)
{
    bool good = true;
    const json_t *sets = json_object_get(workload, "tdx");
    json_t *list = json_array();
    convert_put(theirs, "bootchain", list, &good);
    if (!good) {
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < (json_is_array(sets) ? json_array_size(sets) : 1); i++) {
        json_t *boot = NULL;
        ATLS_TRY(
            convert_boot_out(json_is_array(sets) ? json_array_get(sets, i) : sets, &boot, err));
        convert_append(list, boot, &good);
    }
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code write_tcb(const json_t *workload, json_t *theirs, atls_err *err)
{
    static const char *const known[] = {"statuses", "advisories_allowed", NULL};
    static const char *const of_advisory[] = {"id", NULL};
    bool good = true;
    const json_t *tcb = json_object_get(workload, "tcb");
    json_t *list = json_object_get(tcb, "statuses");
    const json_t *advisories = json_object_get(tcb, "advisories_allowed");
    json_t *ids = json_array();
    convert_put(theirs, "allowedAdvisoryIds", ids, &good);
    ATLS_TRY(convert_sayable(tcb, "tcb", known, err));
    for (size_t i = 0; i < json_array_size(advisories); i++) {
        const json_t *a = json_array_get(advisories, i);
        ATLS_TRY(convert_sayable(a, "an advisory", of_advisory, err));
        convert_append(ids, json_incref(json_object_get(a, "id")), &good);
    }
    if (list != NULL) {
        convert_put(theirs, "allowedTcbStatuses", json_incref(list), &good);
    }
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* Every event is one of the three, by name and payload alone. */
static atls_code judge_events(const json_t *workload, atls_err *err)
{
    static const char *const known[] = {"name", "payload", NULL};
    const json_t *events = json_object_get(workload, "events");
    for (size_t i = 0; i < json_array_size(events); i++) {
        ATLS_TRY(convert_sayable(json_array_get(events, i), "an event", known, err));
    }
    return json_array_size(events) == 3 &&
                   json_array_size(convert_payloads(workload, "app-id")) == 1
               ? ATLS_OK
               : convert_lossy("events",
                               "app-id (one), compose-hash and os-image-hash can be said, and all "
                               "three must be",
                               err);
}

static atls_code write_app(const json_t *workload, json_t *theirs, atls_err *err)
{
    bool good = true;
    json_t *hashes = NULL;
    json_t *ids = NULL;
    json_t *images = NULL;
    json_t *apps = json_object();
    json_t *app = json_object();
    convert_put(theirs, "apps", apps, &good);
    ATLS_TRY(write_hex_list(workload, "app-id", &ids, err));
    convert_put(apps, good ? json_string_value(json_array_get(ids, 0)) : "", app, &good);
    json_decref(ids);
    ATLS_TRY(write_hex_list(workload, "compose-hash", &hashes, err));
    convert_put(app, "composeHashes", hashes, &good);
    convert_put(app, "devices", json_array(), &good);
    convert_put(app, "allowAnyDevice", json_true(), &good);
    ATLS_TRY(write_hex_list(workload, "os-image-hash", &images, err));
    convert_put(theirs, "osImages", images, &good);
    return good ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code write_all(const json_t *workload, json_t *theirs, atls_err *err)
{
    static const char *const known[] = {"name",   "tees", "tdx",      "events",
                                        "replay", "tcb",  "bindings", NULL};
    const json_t *tees = json_object_get(workload, "tees");
    const char *tee = json_string_value(json_array_get(tees, 0));
    ATLS_TRY(convert_sayable(workload, "the workload", known, err));
    if (json_array_size(tees) != 1 || strcmp(tee, "tdx") != 0) {
        return convert_lossy("tees", "tdx alone can be said", err);
    }
    ATLS_TRY(judge_events(workload, err));
    ATLS_TRY(write_app(workload, theirs, err));
    ATLS_TRY(write_boot(workload, theirs, err));
    return write_tcb(workload, theirs, err);
}

static atls_code write_dstack(const json_t *workload, char **text, atls_text *notes, atls_err *err)
{
    json_t *theirs = json_object();
    atls_code rc = theirs == NULL ? ATLS_ERR_NOMEM(err) : write_all(workload, theirs, err);
    char *made = rc == ATLS_OK ? atls_json_write(theirs, JSON_INDENT(2)) : NULL;
    json_decref(theirs);
    if (rc != ATLS_OK) {
        return rc;
    }
    if (made == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_text_add(notes, "replay, bindings: dstack's key server has its own\n"
                         "allowedAdvisoryIds: dstack's server judges them at every level\n");
    *text = made;
    return ATLS_OK;
}

const atls_policy_language atls_policy_language_dstack = {
    .name = "dstack",
    .read = read_dstack,
    .write = write_dstack,
};
