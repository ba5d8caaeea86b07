/* convert.c: the languages of others, in plain sight. */
#include "policy/convert.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/json.h"

#define CONVERT_MAX ((size_t)4 << 20)

static const atls_policy_language *const languages[] = {
    &atls_policy_language_atlas,
    &atls_policy_language_dstack,
    &atls_policy_language_constellation,
    &atls_policy_language_flashbots,
};

static const atls_policy_language *language_at(size_t i)
{
    return i < sizeof languages / sizeof languages[0] ? languages[i] : NULL;
}

const char *atls_policy_language_name(size_t i)
{
    return language_at(i) != NULL ? language_at(i)->name : NULL;
}

static const atls_policy_language *find(const char *name)
{
    for (size_t i = 0; language_at(i) != NULL; i++) {
        if (strcmp(language_at(i)->name, name) == 0) {
            return language_at(i);
        }
    }
    return NULL;
}

static atls_code unknown(const char *name, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "convert.language", "there is no policy language \"%.40s\"",
                    name);
}

/* What was made must be a policy of ours: otherwise the mistake would show only where it is used. */
static atls_code written(json_t *policy, char **out, atls_err *err)
{
    atls_policy *parsed = NULL;
    char *text = policy != NULL ? atls_json_write(policy, JSON_INDENT(2)) : NULL;
    json_decref(policy);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = atls_policy_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &parsed, err);
    atls_policy_free(parsed);
    if (rc != ATLS_OK) {
        free(text);
        return rc;
    }
    *out = text;
    return ATLS_OK;
}

static atls_code take_notes(atls_text *notes, char **out, atls_err *err)
{
    *out = notes->len == 0 && !notes->failed ? calloc(1, 1) : atls_text_take(notes);
    return *out != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

atls_code atls_policy_convert_from(const char *language, atls_buf text, char **out, char **notes,
                                   atls_err *err)
{
    const atls_policy_language *l = find(language);
    json_t *policy = NULL;
    char *made = NULL;
    if (l == NULL) {
        return unknown(language, err);
    }
    atls_text said = atls_text_of(CONVERT_MAX);
    atls_code rc = l->read(text, &policy, &said, err);
    rc = rc == ATLS_OK ? written(policy, &made, err) : rc;
    rc = rc == ATLS_OK ? take_notes(&said, notes, err) : rc;
    if (rc != ATLS_OK) {
        free(made);
        free(atls_text_take(&said));
        return rc;
    }
    *out = made;
    return ATLS_OK;
}

static atls_code only_workload(atls_buf text, json_t **root, const json_t **out, atls_err *err)
{
    atls_policy *parsed = NULL;
    ATLS_TRY(atls_policy_parse(text, &parsed, err));
    atls_policy_free(parsed);
    ATLS_TRY(atls_json_parse(text, CONVERT_MAX, "policy.json", root, err));
    const json_t *list = json_object_get(*root, "workloads");
    if (json_array_size(list) != 1) {
        json_decref(*root);
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.workloads",
                        "a policy of %zu workloads, where 1 is wanted", json_array_size(list));
    }
    *out = json_array_get(list, 0);
    return ATLS_OK;
}

atls_code atls_policy_convert_to(const char *language, atls_buf text, char **out, char **notes,
                                 atls_err *err)
{
    const atls_policy_language *l = find(language);
    json_t *root = NULL;
    const json_t *workload = NULL;
    char *made = NULL;
    ATLS_TRY(only_workload(text, &root, &workload, err));
    if (l == NULL || l->write == NULL) {
        json_decref(root);
        return unknown(language, err);
    }
    atls_text said = atls_text_of(CONVERT_MAX);
    atls_code rc = l->write(workload, &made, &said, err);
    rc = rc == ATLS_OK ? take_notes(&said, notes, err) : rc;
    json_decref(root);
    if (rc != ATLS_OK) {
        free(made);
        free(atls_text_take(&said));
        return rc;
    }
    *out = made;
    return ATLS_OK;
}
