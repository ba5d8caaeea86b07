#include "binding/cocos_payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "binding/go_json.h"
#include "codec/base64.h"

#define MEMBER "cocos.payload.member"

/* --- reading --- */

static atls_code check_types(const json_t *root, atls_err *err)
{
    const json_t *version = NULL;
    const json_t *media = NULL;
    ATLS_TRY(atls_go_member(root, "version", MEMBER, &version, err));
    ATLS_TRY(atls_go_member(root, "media_type", MEMBER, &media, err));
    if ((version != NULL && !json_is_integer(version)) ||
        (media != NULL && !json_is_string(media))) {
        return ATLS_ERR(err, ATLS_E_INVALID, MEMBER,
                        "version is no integer, or media_type no text");
    }
    return ATLS_OK;
}

static atls_code read_binder(const json_t *root, atls_carried *c, atls_cocos_payload *p,
                             atls_err *err)
{
    const json_t *binder = NULL;
    const json_t *label = NULL;
    ATLS_TRY(atls_go_member(root, "binder", MEMBER, &binder, err));
    if (binder == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.payload.binder", "a payload without a binder");
    }
    ATLS_TRY(atls_go_member(binder, "exporter_label", MEMBER, &label, err));
    const char *text = label == NULL ? "" : json_string_value(label);
    if (text == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, MEMBER, "exporter_label is no text");
    }
    if (text[0] != '\0' && strcmp(text, ATLS_COCOS_LABEL) != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.payload.label",
                        "another exporter label than \"%s\"", ATLS_COCOS_LABEL);
    }
    ATLS_TRY(atls_go_bytes(binder, "aik_pub_hash", MEMBER, c, &p->aik_pub_hash, err));
    ATLS_TRY(atls_go_bytes(binder, "binding", MEMBER, c, &p->binding, err));
    if (p->aik_pub_hash.len == 0 || p->binding.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.payload.binder",
                        "a binder without aik_pub_hash or without binding");
    }
    return ATLS_OK;
}

/* Attestation results are a verifier's word about some evidence: they carry nothing that a connection could be compared
 * with, so alone they would be good on any. */
static atls_code read_evidence(const json_t *root, atls_carried *c, atls_cocos_payload *p,
                               atls_err *err)
{
    atls_buf results = {NULL, 0};
    ATLS_TRY(atls_go_bytes(root, "evidence", MEMBER, c, &p->evidence, err));
    ATLS_TRY(atls_go_bytes(root, "attestation_results", MEMBER, c, &results, err));
    p->has_results = results.len > 0;
    if (p->evidence.len > 0) {
        return ATLS_OK;
    }
    if (p->has_results) {
        return ATLS_ERR(err, ATLS_E_BINDING, "cocos.payload.results",
                        "attestation results without evidence: nothing in them is bound to this "
                        "connection");
    }
    return ATLS_ERR(err, ATLS_E_INVALID, "cocos.payload.evidence", "a payload without evidence");
}

atls_code atls_cocos_payload_parse(atls_buf json, atls_carried *c, atls_cocos_payload *out,
                                   atls_err *err)
{
    atls_cocos_payload p = {.has_results = false};
    json_t *root = NULL;
    ATLS_TRY(atls_json_parse(json, ATLS_COCOS_PAYLOAD_MAX, "cocos.payload.json", &root, err));
    atls_code rc = json_is_object(root) ? check_types(root, err)
                                        : ATLS_ERR(err, ATLS_E_INVALID, "cocos.payload.json",
                                                   "the payload is no JSON object");
    if (rc == ATLS_OK) {
        rc = read_evidence(root, c, &p, err);
    }
    if (rc == ATLS_OK) {
        rc = read_binder(root, c, &p, err);
    }
    json_decref(root);
    if (rc == ATLS_OK) {
        *out = p;
    }
    return rc;
}

/* --- writing --- */

static const char *const pieces[] = {
    "{\"version\":1,\"media_type\":\"" ATLS_COCOS_MEDIA_TYPE "\",\"evidence\":\"",
    "\",\"binder\":{\"exporter_label\":\"" ATLS_COCOS_LABEL "\",\"aik_pub_hash\":\"",
    "\",\"binding\":\"",
    "\"}}",
};

atls_code atls_cocos_payload_write(const atls_cocos_payload *payload, uint8_t **out,
                                   size_t *out_len, atls_err *err)
{
    const atls_buf values[] = {payload->evidence, payload->aik_pub_hash, payload->binding};
    uint8_t *space = malloc(ATLS_COCOS_PAYLOAD_MAX);
    atls_code rc = space == NULL ? ATLS_ERR_NOMEM(err) : ATLS_OK;
    atls_writer w = atls_writer_of(space, space == NULL ? 0 : ATLS_COCOS_PAYLOAD_MAX);
    for (size_t i = 0; rc == ATLS_OK && i < 3; i++) {
        char *text = values[i].len > ATLS_COCOS_PAYLOAD_MAX ? NULL : atls_base64_encode(values[i]);
        atls_writer_text(&w, pieces[i]);
        if (text != NULL) {
            atls_writer_text(&w, text);
        } else if (values[i].len <= ATLS_COCOS_PAYLOAD_MAX) {
            rc = ATLS_ERR_NOMEM(err);
        } else {
            w.failed = true;
        }
        free(text);
    }
    atls_writer_text(&w, pieces[3]);
    if (rc == ATLS_OK && !atls_writer_ok(&w)) {
        rc = ATLS_ERR(err, ATLS_E_USAGE, "cocos.payload.size",
                      "%zu bytes of evidence make a payload of more than %d", payload->evidence.len,
                      ATLS_COCOS_PAYLOAD_MAX);
    }
    if (rc != ATLS_OK) {
        free(space);
        return rc;
    }
    *out = space;
    *out_len = w.len;
    return ATLS_OK;
}
