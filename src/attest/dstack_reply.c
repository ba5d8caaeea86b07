#include "attest/dstack_reply.h"

#include <stdlib.h>
#include <string.h>

#include "attest/attester.h"
#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"

#define REPLY "attest.dstack.reply"

static const char *text_of(const json_t *reply, const char *name)
{
    const char *text = json_string_value(json_object_get(reply, name));
    return text != NULL ? text : "";
}

static atls_code refused(long status, const json_t *reply, atls_err *err)
{
    char words[128];
    const char *error = text_of(reply, "error");
    size_t len = strnlen(error, sizeof words - 1);
    for (size_t i = 0; i < len; i++) {
        words[i] = error[i] >= ' ' && error[i] <= '~' ? error[i] : '?';
    }
    words[len] = '\0';
    return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.dstack.refused",
                    "dstack's agent answers with status %ld%s%s", status, len > 0 ? ": " : "",
                    words);
}

static atls_code take_quote(const char *hex, atls_evidence_blob *out, atls_err *err)
{
    size_t digits = strlen(hex);
    size_t len = 0;
    if (digits / 2 > ATTEST_EVIDENCE_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, REPLY, "a quote of %zu bytes, at most %zu", digits / 2,
                        ATTEST_EVIDENCE_MAX);
    }
    uint8_t *bytes = malloc(digits / 2 + 1);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (!atls_hex_decode(hex, digits, bytes, digits / 2, &len)) {
        free(bytes);
        return ATLS_ERR(err, ATLS_E_SYSTEM, REPLY, "the quote of dstack's agent is not hex");
    }
    attest_add_part(out, "quote", bytes, len);
    return ATLS_OK;
}

static atls_code take_event_log(const char *text, atls_evidence_blob *out, atls_err *err)
{
    size_t len = strlen(text);
    if (len == 0) {
        return ATLS_OK; /* older agents give none */
    }
    if (len > ATTEST_EVENT_LOG_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, REPLY, "an event log of %zu bytes, at most %zu", len,
                        ATTEST_EVENT_LOG_MAX);
    }
    uint8_t *bytes = malloc(len);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(bytes, text, len);
    attest_add_part(out, "event_log", bytes, len);
    return ATLS_OK;
}

static atls_code take_parts(const json_t *reply, atls_evidence_blob *out, atls_err *err)
{
    const char *quote = text_of(reply, "quote");
    if (*quote == '\0') {
        return *text_of(reply, "attestation") != '\0'
                   ? ATLS_ERR(
                         err, ATLS_E_SYSTEM, "attest.dstack.platform",
                         "dstack's agent gives an attestation of another platform than TDX: use "
                         "that platform's own source")
                   : ATLS_ERR(err, ATLS_E_SYSTEM, REPLY, "dstack's agent gives no quote");
    }
    atls_evidence_blob blob = attest_blob_of("tdx");
    atls_code rc = take_quote(quote, &blob, err);
    if (rc == ATLS_OK) {
        rc = take_event_log(text_of(reply, "event_log"), &blob, err);
    }
    if (rc != ATLS_OK) {
        atls_evidence_blob_clear(&blob);
        return rc;
    }
    *out = blob;
    return ATLS_OK;
}

atls_code dstack_read_reply(long status, atls_buf body, atls_evidence_blob *out, atls_err *err)
{
    json_t *reply = NULL;
    atls_code rc = atls_json_parse(body, DSTACK_REPLY_MAX, REPLY, &reply, err);
    if (rc == ATLS_E_SYSTEM) {
        return rc; /* memory */
    }
    if (status != 200) {
        rc = refused(status, reply, err);
    } else if (rc != ATLS_OK) {
        rc = ATLS_ERR(err, ATLS_E_SYSTEM, REPLY,
                      "dstack's agent answers %zu bytes that are no JSON", body.len);
    } else {
        rc = take_parts(reply, out, err);
    }
    json_decref(reply);
    return rc;
}
