#include "policy/convert_terms.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "codec/json.h"

#define REGISTER_LEN 48
#define TEXT_MAX     ((size_t)4 << 20)

static const char *const boot_registers[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", NULL};

atls_code convert_parse(atls_buf text, json_t **out, atls_err *err)
{
    atls_err why = {0};
    const atls_code rc = atls_json_parse(text, TEXT_MAX, "convert.json", out, &why);
    if (rc == ATLS_E_INVALID) {
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.json", "%s", why.msg);
    }
    return rc == ATLS_OK ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

#define NAME_SHOWN 60

/* The name of the first member that is none of those, in out; false: there is none. */
static bool find_other(const json_t *object, const char *const *names, bool ours,
                       char out[NAME_SHOWN + 1])
{
    const char *name;
    json_t *member;
    bool found = false;
    json_t *copy = json_deep_copy(object); /* jansson walks no const object */
    json_object_foreach(copy, name, member)
    {
        const bool remark = ours && (strcmp(name, "why") == 0 || strcmp(name, "description") == 0);
        if (!found && !remark && !is_one_of(name, names)) {
            (void)snprintf(out, NAME_SHOWN + 1, "%s", name);
            found = true;
        }
    }
    if (object != NULL && copy == NULL) {
        (void)snprintf(out, NAME_SHOWN + 1, "?");
        return true;
    }
    json_decref(copy);
    return found;
}

atls_code convert_known(const json_t *object, const char *what, const char *const *names,
                        atls_err *err)
{
    char name[NAME_SHOWN + 1];
    if (!json_is_object(object)) {
        return convert_bad_value(what, "an object", err);
    }
    return find_other(object, names, false, name)
               ? ATLS_ERR(err, ATLS_E_USAGE, "convert.member",
                          "%s has a member \"%s\" that is not known", what, name)
               : ATLS_OK;
}

atls_code convert_sayable(const json_t *object, const char *what, const char *const *names,
                          atls_err *err)
{
    char name[NAME_SHOWN + 1];
    return find_other(object, names, true, name)
               ? ATLS_ERR(err, ATLS_E_USAGE, "convert.lossy",
                          "\"%s\" of %s cannot be said in that language", name, what)
               : ATLS_OK;
}

atls_code convert_bad_value(const char *what, const char *wanted, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "convert.value", "%s: %s is wanted", what, wanted);
}

atls_code convert_lossy(const char *what, const char *why, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "convert.lossy", "%s: %s", what, why);
}

static const char *digits_of(const json_t *v)
{
    const char *s = json_string_value(v);
    return s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? s + 2 : s;
}

bool convert_is_hex(const json_t *v, size_t bytes, bool prefix)
{
    if (!json_is_string(v)) {
        return false;
    }
    const char *s = prefix ? digits_of(v) : json_string_value(v);
    if (strlen(s) != 2 * bytes) {
        return false;
    }
    return strspn(s, prefix ? "0123456789abcdefABCDEF" : "0123456789abcdef") == 2 * bytes;
}

json_t *convert_digits(const json_t *v)
{
    char text[2 * 64 + 1];
    const char *s = digits_of(v);
    size_t n = 0;
    for (; s[n] != '\0' && n + 1 < sizeof text; n++) {
        text[n] = (char)(s[n] >= 'A' && s[n] <= 'F' ? s[n] - 'A' + 'a' : s[n]);
    }
    text[n] = '\0';
    return json_string(text);
}

void convert_put(json_t *object, const char *name, json_t *value, bool *good)
{
    *good = json_object_set_new(object, name, value) == 0 && *good;
}

void convert_append(json_t *list, json_t *value, bool *good)
{
    *good = json_array_append_new(list, value) == 0 && *good;
}

atls_code convert_boot_in(const json_t *theirs, const char *what, json_t **out, atls_err *err)
{
    bool good = true;
    ATLS_TRY(convert_known(theirs, what, boot_registers, err));
    for (size_t i = 0; boot_registers[i] != NULL; i++) {
        if (!convert_is_hex(json_object_get(theirs, boot_registers[i]), REGISTER_LEN, false)) {
            return ATLS_ERR(err, ATLS_E_USAGE, "convert.value",
                            "%s.%s: 96 lower-case hex digits are wanted", what, boot_registers[i]);
        }
    }
    json_t *set = json_object();
    for (size_t i = 0; boot_registers[i] != NULL; i++) {
        json_t *list = json_array();
        convert_append(list, json_incref(json_object_get(theirs, boot_registers[i])), &good);
        convert_put(set, boot_registers[i], list, &good);
    }
    if (!good) {
        json_decref(set);
        return ATLS_ERR_NOMEM(err);
    }
    *out = set;
    return ATLS_OK;
}

atls_code convert_boot_out(const json_t *set, json_t **out, atls_err *err)
{
    bool good = true;
    ATLS_TRY(convert_sayable(set, "tdx", boot_registers, err));
    for (size_t i = 0; boot_registers[i] != NULL; i++) {
        if (json_array_size(json_object_get(set, boot_registers[i])) != 1) {
            return convert_lossy(boot_registers[i],
                                 "exactly one value of each of mrtd, rtmr0, "
                                 "rtmr1 and rtmr2 can be said",
                                 err);
        }
    }
    json_t *theirs = json_object();
    for (size_t i = 0; boot_registers[i] != NULL; i++) {
        const json_t *list = json_object_get(set, boot_registers[i]);
        convert_put(theirs, boot_registers[i], convert_digits(json_array_get(list, 0)), &good);
    }
    if (!good) {
        json_decref(theirs);
        return ATLS_ERR_NOMEM(err);
    }
    *out = theirs;
    return ATLS_OK;
}

atls_code convert_statuses_in(const json_t *theirs, const char *what, const char *const *vocabulary,
                              json_t **out, atls_text *notes, atls_err *err)
{
    bool good = true;
    if (theirs != NULL && !json_is_array(theirs)) {
        return convert_bad_value(what, "a list of texts", err);
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(theirs); i++) {
        json_t *v = json_array_get(theirs, i);
        if (!json_is_string(v)) {
            json_decref(list);
            return convert_bad_value(what, "a list of texts", err);
        }
        if (is_one_of(json_string_value(v), vocabulary)) {
            convert_append(list, json_incref(v), &good);
        } else {
            atls_text_add(notes, "%s: ", what);
            atls_text_add_escaped(notes, json_string_value(v));
            atls_text_add(notes, " is left out: no platform is accepted with it here\n");
        }
    }
    if (theirs == NULL) {
        convert_append(list, json_string("UpToDate"), &good);
        atls_text_add(notes, "%s is not there: UpToDate alone, which is the default\n", what);
    }
    if (!good || json_array_size(list) == 0) {
        json_decref(list);
        return good ? convert_bad_value(what, "a status that can be accepted", err)
                    : ATLS_ERR_NOMEM(err);
    }
    *out = list;
    return ATLS_OK;
}

json_t *convert_event(const char *name, json_t *list)
{
    bool good = true;
    json_t *event = json_object();
    convert_put(event, "name", json_string(name), &good);
    convert_put(event, "payload", list, &good);
    if (!good) {
        json_decref(event);
        return NULL;
    }
    return event;
}

const json_t *convert_payloads(const json_t *workload, const char *name)
{
    const json_t *events = json_object_get(workload, "events");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *e = json_array_get(events, i);
        const char *own = json_string_value(json_object_get(e, "name"));
        if (own != NULL && strcmp(own, name) == 0) {
            return json_object_get(e, "payload");
        }
    }
    return NULL;
}
