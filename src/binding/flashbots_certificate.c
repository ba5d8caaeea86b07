#include "binding/flashbots_certificate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "binding/flashbots_azure.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/json_pull.h"

#define DOCUMENT "flashbots.certificate.document"
#define TYPE_MAX 32

static const char azure[] = "azure-tdx";
static const char *const td_types[] = {"dcap-tdx", "gcp-tdx", "qemu-tdx", "self-hosted-tdx"};

/* --- reading --- */

static bool is(atls_buf text, const char *wanted)
{
    return text.len == strlen(wanted) && memcmp(text.ptr, wanted, text.len) == 0;
}

static bool is_td(atls_buf type)
{
    for (size_t i = 0; i < sizeof td_types / sizeof td_types[0]; i++) {
        if (is(type, td_types[i])) {
            return true;
        }
    }
    return false;
}

static atls_code take(atls_buf type, atls_buf evidence, atls_carried *out, bool *none,
                      atls_err *err)
{
    if (is(type, "none") && evidence.len == 0) {
        *none = true;
        return ATLS_OK;
    }
    if (is(type, azure)) {
        return flashbots_azure_read(evidence, out, err);
    }
    if (!is_td(type)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.certificate.type",
                        "a certificate with evidence of a type (%zu bytes long) that is not known",
                        type.len);
    }
    if (evidence.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, DOCUMENT, "a document without a quote");
    }
    out->evidence.type = "tdx";
    return atls_carried_add(out, "quote", evidence) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* {"attestation_type": text, "attestation": [numbers]}: one by one, as there may be very many. */
static atls_code read_older(atls_buf text, atls_carried *out, bool *none, atls_err *err)
{
    static const char *const names[] = {"attestation_type", "attestation"};
    atls_json_pull pull;
    atls_json_members members;
    atls_buf type = {NULL, 0};
    size_t len = 0;
    uint8_t *room = atls_carried_room(out, text.len / 2 + 1); /* a number and a comma at least */
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_json_pull_init(&pull, text, FLASHBOTS_DOCUMENT_MAX, DOCUMENT, err);
    atls_json_pull_object(&pull, &members, names, 2, 3);
    for (int at; (at = atls_json_pull_member(&pull, &members)) >= 0;) {
        if (at == 0) {
            type = atls_json_pull_string(&pull, TYPE_MAX);
            continue;
        }
        atls_json_pull_array(&pull);
        while (atls_json_pull_element(&pull)) {
            room[len++] = (uint8_t)atls_json_pull_uint(&pull, 255);
        }
    }
    ATLS_TRY(atls_json_pull_finish(&pull));
    return take(type, (atls_buf){room, len}, out, none, err);
}

static atls_buf text_of(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    return json_is_string(v)
               ? (atls_buf){(const uint8_t *)json_string_value(v), json_string_length(v)}
               : (atls_buf){NULL, 0};
}

/* {"quote": base64, "platform": {"attestation_type": text, ...}} */
static atls_code read_evidence(const json_t *evidence, atls_carried *out, bool *none, atls_err *err)
{
    const atls_buf quote = text_of(evidence, "quote");
    const atls_buf type = text_of(json_object_get(evidence, "platform"), "attestation_type");
    size_t len = 0;
    uint8_t *room = atls_carried_room(out, quote.len);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (type.len == 0 || quote.len == 0 || quote.len / 4 * 3 > FLASHBOTS_QUOTE_MAX ||
        !atls_base64_decode(quote, room, quote.len, &len)) {
        return ATLS_ERR(err, ATLS_E_INVALID, DOCUMENT,
                        "a document without a quote in base64, or without attestation_type");
    }
    return take(type, (atls_buf){room, len}, out, none, err);
}

static atls_code read_present(atls_buf text, atls_carried *out, bool *none, atls_err *err)
{
    json_t *root = NULL;
    ATLS_TRY(atls_json_parse(text, FLASHBOTS_DOCUMENT_MAX, DOCUMENT, &root, err));
    const json_t *evidence = json_object_get(root, "attestation_evidence");
    atls_code rc = ATLS_OK;
    if (json_is_null(evidence)) {
        *none = true;
    } else if (json_is_object(evidence)) {
        rc = read_evidence(evidence, out, none, err);
    } else {
        rc = ATLS_ERR(err, ATLS_E_INVALID, DOCUMENT,
                      "\"attestation_evidence\" is neither null nor an object");
    }
    json_decref(root);
    return rc;
}

atls_code flashbots_document_read(atls_buf text, atls_carried *out, bool *none, atls_err *err)
{
    atls_buf value;
    *none = false;
    if (text.len == 0 || text.len > FLASHBOTS_DOCUMENT_MAX || text.ptr[0] != '{') {
        return ATLS_ERR(err, ATLS_E_INVALID, DOCUMENT, "%zu bytes that are no JSON object",
                        text.len);
    }
    return atls_json_member_bytes(text, "attestation_evidence", &value)
               ? read_present(text, out, none, err)
               : read_older(text, out, none, err);
}

/* --- writing --- */

static void write_older(atls_text *t, const char *type, atls_buf evidence)
{
    atls_text_add(t, "{\"attestation_type\":\"%s\",\"attestation\":[", type);
    for (size_t i = 0; i < evidence.len; i++) {
        atls_text_add(t, i > 0 ? ",%u" : "%u", (unsigned)evidence.ptr[i]);
    }
    atls_text_add(t, "]}");
}

static void write_present(atls_text *t, const char *type, const flashbots_platform *p,
                          atls_buf evidence)
{
    char *quote = atls_base64_encode(evidence);
    if (quote == NULL) {
        t->failed = true;
        return;
    }
    atls_text_add(t,
                  "{\"attestation_evidence\":{\"quote\":\"%s\",\"platform\":{\"attestation_type\":"
                  "\"%s\",\"ram_bytes\":%" PRIu64 ",\"num_disks\":%" PRIu32 ",\"acpi\":null}}}",
                  quote, type, p->ram_bytes, p->disks);
    free(quote);
}

atls_code flashbots_document_write(const atls_evidence_blob *evidence,
                                   const flashbots_platform *platform, char **text, atls_err *err)
{
    const bool is_azure = strcmp(evidence->type, "azure") == 0;
    atls_text t = atls_text_of(FLASHBOTS_DOCUMENT_MAX);
    atls_buf bytes = {NULL, 0};
    char *document = NULL;
    if (is_azure) {
        size_t len = 0;
        ATLS_TRY(flashbots_azure_write(evidence, &document, &len, err));
        bytes = (atls_buf){(const uint8_t *)document, len};
    } else if (strcmp(evidence->type, "tdx") == 0 && evidence->parts_n > 0 &&
               evidence->parts[0].len <= FLASHBOTS_QUOTE_MAX) {
        bytes = (atls_buf){evidence->parts[0].bytes, evidence->parts[0].len};
    } else {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "flashbots.certificate.make",
                        "certificates of this form carry TDX quotes, not evidence of type %.15s",
                        evidence->type);
    }
    const char *type = is_azure ? azure : platform->type;
    if (platform->older) {
        write_older(&t, type, bytes);
    } else {
        write_present(&t, type, platform, bytes);
    }
    free(document);
    *text = atls_text_take(&t);
    return *text != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
}
