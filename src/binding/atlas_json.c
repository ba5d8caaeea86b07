#include "binding/atlas_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "binding/atlas_http.h"
#include "codec/json.h"
#include "crypto/digest.h"

#define RUNTIME_TYPE 0x08000001
#define RUNTIME_RTMR 3
#define DIGEST_LEN   48

/* --- the request --- */

void atls_atlas_request_body(const uint8_t nonce[ATLS_ATLAS_NONCE_LEN],
                             char out[ATLS_ATLAS_REQUEST_LEN + 1])
{
    char hex[2 * ATLS_ATLAS_NONCE_LEN + 1];
    atls_hex_encode((atls_buf){nonce, ATLS_ATLAS_NONCE_LEN}, hex);
    (void)snprintf(out, ATLS_ATLAS_REQUEST_LEN + 1, "{\"nonce_hex\":\"%s\"}", hex);
}

static bool has_nonce(const json_t *root, uint8_t nonce[ATLS_ATLAS_NONCE_LEN])
{
    const json_t *v = json_object_get(root, "nonce_hex");
    size_t len = 0;
    return json_is_string(v) && json_string_length(v) == 2 * ATLS_ATLAS_NONCE_LEN &&
           atls_hex_decode(json_string_value(v), json_string_length(v), nonce, ATLS_ATLAS_NONCE_LEN,
                           &len);
}

atls_code atls_atlas_read_request(atls_buf body, uint8_t nonce[ATLS_ATLAS_NONCE_LEN], atls_err *err)
{
    json_t *root = NULL;
    uint8_t found[ATLS_ATLAS_NONCE_LEN];
    ATLS_TRY(atls_json_parse(body, ATLS_HTTP_BODY_MAX, "atlas.json", &root, err));
    const bool good = has_nonce(root, found);
    json_decref(root);
    if (!good) {
        return ATLS_ERR(err, ATLS_E_INVALID, "atlas.json",
                        "the request has no \"nonce_hex\" of 64 hex digits");
    }
    memcpy(nonce, found, sizeof found);
    return ATLS_OK;
}

/* --- the answer, read --- */

static atls_code carry_quote(const json_t *v, atls_carried *out, atls_err *err)
{
    const size_t len = json_string_length(v) / 2;
    size_t found = 0;
    uint8_t *room = atls_carried_room(out, len);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (len == 0 ||
        !atls_hex_decode(json_string_value(v), json_string_length(v), room, len, &found)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "atlas.quote",
                        "\"quote.quote\" is no hex: %zu characters", json_string_length(v));
    }
    return atls_carried_add(out, "quote", (atls_buf){room, found}) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code carry_log(const json_t *v, atls_carried *out, atls_err *err)
{
    const size_t len = json_string_length(v);
    uint8_t *room = atls_carried_room(out, len);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(room, json_string_value(v), len);
    return atls_carried_add(out, "event_log", (atls_buf){room, len}) ? ATLS_OK
                                                                     : ATLS_ERR_NOMEM(err);
}

static atls_code carry(const json_t *root, atls_carried *out, atls_err *err)
{
    const json_t *quote = json_object_get(root, "quote");
    const json_t *hex = json_object_get(quote, "quote");
    const json_t *log = json_object_get(quote, "event_log");
    if (!json_is_object(quote) || !json_is_string(hex)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "atlas.json",
                        "the answer has no \"quote.quote\", a text");
    }
    if (!json_is_string(log)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "atlas.json",
                        "the answer has no \"quote.event_log\", a text that holds JSON");
    }
    out->evidence.type = "tdx";
    ATLS_TRY(carry_quote(hex, out, err));
    return carry_log(log, out, err);
}

atls_code atls_atlas_read_answer(atls_buf body, atls_carried *out, atls_err *err)
{
    json_t *root = NULL;
    ATLS_TRY(atls_json_parse(body, ATLS_HTTP_BODY_MAX, "atlas.json", &root, err));
    atls_code rc = carry(root, out, err);
    json_decref(root);
    if (rc != ATLS_OK) {
        atls_carried_clear(out);
    }
    return rc;
}

/* --- the answer, written --- */

static bool is_number(const json_t *event, const char *member, json_int_t wanted)
{
    const json_t *v = json_object_get(event, member);
    return json_is_integer(v) && json_integer_value(v) == wanted;
}

static bool lacks_digest(const json_t *event)
{
    const json_t *digest = json_object_get(event, "digest");
    const json_t *version = json_object_get(event, "version");
    return is_number(event, "event_type", RUNTIME_TYPE) && is_number(event, "imr", RUNTIME_RTMR) &&
           (digest == NULL || (json_is_string(digest) && json_string_length(digest) == 0)) &&
           (version == NULL || is_number(event, "version", 1));
}

static atls_code bad_log(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "atlas.evidence",
                    "our evidence has no event log of dstack's: Atlas needs it");
}

/* Version 1: SHA-384 of the type (little-endian), ":", the name, ":", the payload. */
static atls_code fill_digest(json_t *event, atls_err *err)
{
    static const uint8_t head[] = {0x01, 0x00, 0x00, 0x08, ':'};
    const json_t *name = json_object_get(event, "event");
    const json_t *payload = json_object_get(event, "event_payload");
    uint8_t digest[DIGEST_LEN];
    char hex[2 * DIGEST_LEN + 1];
    size_t len = 0;
    if (!json_is_string(name) || !json_is_string(payload)) {
        return bad_log(err);
    }
    uint8_t *bytes = malloc(json_string_length(payload) / 2 + 1);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (!atls_hex_decode(json_string_value(payload), json_string_length(payload), bytes,
                         json_string_length(payload) / 2, &len)) {
        free(bytes);
        return bad_log(err);
    }
    const atls_buf pieces[] = {{head, sizeof head},
                               {(const uint8_t *)json_string_value(name), json_string_length(name)},
                               {head + 4, 1},
                               {bytes, len}};
    atls_code rc = atls_digest(ATLS_SHA384, pieces, 4, digest, err);
    free(bytes);
    if (rc != ATLS_OK) {
        return rc;
    }
    atls_hex_encode((atls_buf){digest, sizeof digest}, hex);
    return json_object_set_new(event, "digest", json_string(hex)) == 0 ? ATLS_OK
                                                                       : ATLS_ERR_NOMEM(err);
}

static atls_code fill_digests(json_t *log, atls_err *err)
{
    if (!json_is_array(log) || json_array_size(log) > ATLS_ATLAS_EVENTS_MAX) {
        return bad_log(err);
    }
    for (size_t i = 0; i < json_array_size(log); i++) {
        json_t *event = json_array_get(log, i);
        if (!json_is_object(event)) {
            return bad_log(err);
        }
        if (lacks_digest(event)) {
            ATLS_TRY(fill_digest(event, err));
        }
    }
    return ATLS_OK;
}

static atls_code log_text(atls_buf event_log, char **out, atls_err *err)
{
    json_t *log = NULL;
    atls_err why;
    if (event_log.len == 0 ||
        atls_json_parse(event_log, ATLS_HTTP_BODY_MAX, "atlas.evidence", &log, &why) != ATLS_OK) {
        return bad_log(err);
    }
    atls_code rc = fill_digests(log, err);
    char *text = rc == ATLS_OK ? atls_json_write(log, JSON_COMPACT) : NULL;
    json_decref(log);
    if (rc == ATLS_OK && text == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    }
    *out = text;
    return rc;
}

static json_t *hex_text(atls_buf bytes)
{
    char *hex = malloc(2 * bytes.len + 1);
    if (hex == NULL) {
        return NULL;
    }
    atls_hex_encode(bytes, hex);
    json_t *v = json_string(hex);
    free(hex);
    return v;
}

/* jansson's setters take NULL for a failure, and then fail: the last question is whether all are there. */
static json_t *document(const atls_atlas_answer *a, const char *log)
{
    char when[24];
    json_t *root = json_object();
    json_t *quote = json_object();
    (void)snprintf(when, sizeof when, "%" PRId64, a->when_s);
    bool good = json_object_set_new(quote, "quote", hex_text(a->quote)) == 0;
    good = json_object_set_new(quote, "event_log", json_string(log)) == 0 && good;
    good = json_object_set_new(quote, "report_data", hex_text(a->report_data)) == 0 && good;
    good = json_object_set_new(quote, "vm_config", json_string("")) == 0 && good;
    good = json_object_set_new(root, "success", json_true()) == 0 && good;
    good = json_object_set_new(root, "quote", quote) == 0 && good;
    good = json_object_set_new(root, "tcb_info", json_object()) == 0 && good;
    good = json_object_set_new(root, "timestamp", json_string(when)) == 0 && good;
    good = json_object_set_new(root, "quote_type", json_string("tdx")) == 0 && good;
    good = json_object_set_new(root, "error", json_null()) == 0 && good;
    if (!good) {
        json_decref(root);
        return NULL;
    }
    return root;
}

atls_code atls_atlas_write_answer(const atls_atlas_answer *a, char **out, atls_err *err)
{
    char *log = NULL;
    if (a->quote.len == 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "atlas.evidence", "our evidence is no TDX quote");
    }
    ATLS_TRY(log_text(a->event_log, &log, err));
    json_t *root = document(a, log);
    free(log);
    char *text = root != NULL ? atls_json_write(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (strlen(text) > ATLS_HTTP_BODY_MAX) {
        free(text);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "atlas.evidence",
                        "our evidence is longer than the answer may be");
    }
    *out = text;
    return ATLS_OK;
}
