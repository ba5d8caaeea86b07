#include "binding/atlas_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "binding/atlas_http.h"
#include "codec/json.h"

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
