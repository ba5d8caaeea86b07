/* bundle.c: the JSON form of evidence. */
#include <atls/bundle.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "claims/evidence_parts.h"
#include "codec/base64.h"
#include "codec/json.h"

#define BUNDLE_LEN_MAX ((size_t)4 * 1024 * 1024)
#define BUNDLE_VERSION 1
#define VERSION_MEMBER "atls_evidence"
#define TYPE_MEMBER    "type"

struct atls_bundle {
    atls_evidence evidence;
    uint8_t *owned[ATLS_EVIDENCE_PARTS]; /* what the parts point into */
};

static atls_buf text_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, s == NULL ? 0 : strlen(s)};
}

static bool has_part(const atls_evidence_type *type, const char *name)
{
    return atls_evidence_type_part(type, text_of(name)) != ATLS_PARTS_OF_A_TYPE;
}

static atls_code check_head(const json_t *root, const atls_evidence_type **type, atls_err *err)
{
    const json_t *version = json_object_get(root, VERSION_MEMBER);
    if (!json_is_integer(version) || json_integer_value(version) != BUNDLE_VERSION) {
        return ATLS_ERR(err, ATLS_E_INVALID, "bundle.version",
                        "the bundle lacks \"" VERSION_MEMBER "\": %d, the version that is known",
                        BUNDLE_VERSION);
    }
    const json_t *name = json_object_get(root, TYPE_MEMBER);
    *type = atls_evidence_type_find(text_of(json_string_value(name)));
    if (*type == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "bundle.type",
                        "the bundle's \"" TYPE_MEMBER "\" is '%.32s', which is not known",
                        json_is_string(name) ? json_string_value(name) : "(no text)");
    }
    return ATLS_OK;
}

static atls_code check_members(json_t *root, const atls_evidence_type *type, atls_err *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(root, name, value)
    {
        if (strcmp(name, VERSION_MEMBER) != 0 && strcmp(name, TYPE_MEMBER) != 0 &&
            !has_part(type, name)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "bundle.part",
                            "evidence of type %s has no part '%.32s'", type->name, name);
        }
    }
    return ATLS_OK;
}

static atls_code decode_part(const json_t *value, const char *name, uint8_t **out, size_t *len,
                             atls_err *err)
{
    const atls_buf text = {(const uint8_t *)json_string_value(value), json_string_length(value)};
    if (text.ptr == NULL || text.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "bundle.base64", "part %s is no text, or empty", name);
    }
    size_t cap = text.len / 4 * 3 + 3;
    uint8_t *bytes = malloc(cap);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (!atls_base64_decode(text, bytes, cap, len)) {
        free(bytes);
        return ATLS_ERR(err, ATLS_E_INVALID, "bundle.base64", "part %s is not base64", name);
    }
    *out = bytes;
    return ATLS_OK;
}

static atls_code take_parts(const json_t *root, const atls_evidence_type *type, atls_bundle *b,
                            atls_err *err)
{
    for (size_t i = 0; type->parts[i] != NULL; i++) {
        const char *name = type->parts[i];
        const json_t *value = json_object_get(root, name);
        if (value == NULL && i < type->needed) {
            return ATLS_ERR(err, ATLS_E_INVALID, "bundle.missing",
                            "evidence of type %s needs the part %s", type->name, name);
        }
        if (value == NULL) {
            continue;
        }
        size_t n = b->evidence.parts_n;
        if (n == ATLS_EVIDENCE_PARTS) {
            return ATLS_ERR(err, ATLS_E_INVALID, "bundle.part", "the bundle has more than %d parts",
                            ATLS_EVIDENCE_PARTS);
        }
        size_t len = 0;
        ATLS_TRY(decode_part(value, name, &b->owned[n], &len, err));
        b->evidence.parts[n].name = name;
        b->evidence.parts[n].bytes = (atls_buf){b->owned[n], len};
        b->evidence.parts_n = n + 1;
    }
    return ATLS_OK;
}

/* A TPM's key comes bare, in its certificate, or in the report that covers it. */
static atls_code check_tpm_key(const json_t *root, const atls_evidence_type *type, atls_err *err)
{
    if (has_part(type, "ak_public") && json_object_get(root, "ak_public") == NULL &&
        json_object_get(root, "ak_cert") == NULL && json_object_get(root, "hcl_report") == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "bundle.missing",
                        "evidence of type %s needs the part ak_public or ak_cert%s", type->name,
                        has_part(type, "hcl_report") ? ", or hcl_report" : "");
    }
    return ATLS_OK;
}

atls_code atls_bundle_parse(atls_buf text, atls_bundle **out, atls_err *err)
{
    json_t *root = NULL;
    const atls_evidence_type *type = NULL;
    ATLS_TRY(atls_json_parse(text, BUNDLE_LEN_MAX, "bundle.json", &root, err));

    atls_bundle *b = calloc(1, sizeof *b);
    atls_code rc = b != NULL ? check_head(root, &type, err) : ATLS_ERR_NOMEM(err);
    if (rc == ATLS_OK) {
        rc = check_members(root, type, err);
    }
    if (rc == ATLS_OK) {
        b->evidence.type = type->name;
        rc = take_parts(root, type, b, err);
    }
    if (rc == ATLS_OK) {
        rc = check_tpm_key(root, type, err);
    }
    json_decref(root);
    if (rc != ATLS_OK) {
        atls_bundle_free(b);
        return rc;
    }
    *out = b;
    return ATLS_OK;
}

void atls_bundle_free(atls_bundle *bundle)
{
    if (bundle == NULL) {
        return;
    }
    for (size_t i = 0; i < ATLS_EVIDENCE_PARTS; i++) {
        free(bundle->owned[i]);
    }
    free(bundle);
}

const atls_evidence *atls_bundle_get0_evidence(const atls_bundle *bundle)
{
    return &bundle->evidence;
}

static atls_code add_part(json_t *root, const char *name, atls_buf bytes, atls_err *err)
{
    char *text = atls_base64_encode(bytes);
    int failed = text == NULL ? -1 : json_object_set_new(root, name, json_string(text));
    free(text);
    return failed != 0 ? ATLS_ERR_NOMEM(err) : ATLS_OK;
}

atls_code atls_bundle_write(const atls_evidence *evidence, char **out, atls_err *err)
{
    const atls_evidence_type *type = atls_evidence_type_find(text_of(evidence->type));
    if (type == NULL || evidence->parts_n == 0 || evidence->parts_n > ATLS_EVIDENCE_PARTS) {
        return ATLS_ERR(err, ATLS_E_USAGE, "bundle.type", "the evidence has no type that is known");
    }
    json_t *root = json_pack("{siss}", VERSION_MEMBER, BUNDLE_VERSION, TYPE_MEMBER, type->name);
    atls_code rc = root != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
    for (size_t i = 0; rc == ATLS_OK && i < evidence->parts_n; i++) {
        const char *name = evidence->parts[i].name;
        name = name == NULL && i == 0 ? type->parts[0] : name;
        if (name == NULL || !has_part(type, name)) {
            rc = ATLS_ERR(err, ATLS_E_USAGE, "bundle.part", "evidence of type %s has no such part",
                          type->name);
        } else {
            rc = add_part(root, name, evidence->parts[i].bytes, err);
        }
    }
    char *text = rc == ATLS_OK ? atls_json_write(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (rc == ATLS_OK && text == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    }
    if (rc == ATLS_OK) {
        *out = text;
    }
    return rc;
}
