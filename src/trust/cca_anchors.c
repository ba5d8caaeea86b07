#include "trust/cca_anchors.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/base64.h"
#include "codec/json.h"

#define COORDINATE_MAX      66 /* bytes, P-521 */
#define COORDINATE_TEXT_MAX 92

static bool recognise(atls_buf bytes)
{
    static const char name[] = "\"instance-id\"";
    const size_t len = sizeof name - 1;
    size_t at = 0;
    while (at < bytes.len && (bytes.ptr[at] == ' ' || bytes.ptr[at] == '\t' ||
                              bytes.ptr[at] == '\r' || bytes.ptr[at] == '\n')) {
        at++;
    }
    if (at == bytes.len || bytes.ptr[at] != '[') {
        return false;
    }
    for (; bytes.len - at >= len; at++) {
        if (memcmp(bytes.ptr + at, name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* RFC 7518, 6.2.1.2: base64url without padding, exactly as long as the curve's coordinates. */
static bool read_coordinate(const json_t *jwk, const char *name, size_t size,
                            uint8_t out[COORDINATE_MAX])
{
    const json_t *value = json_object_get(jwk, name);
    const char *text = json_string_value(value);
    const size_t len = json_string_length(value);
    uint8_t padded[COORDINATE_TEXT_MAX];
    size_t n = 0;
    if (text == NULL || len + 3 > sizeof padded) {
        return false;
    }
    for (; n < len; n++) {
        if (text[n] == '+' || text[n] == '/' || text[n] == '=') {
            return false;
        }
        padded[n] = (uint8_t)(text[n] == '-' ? '+' : text[n] == '_' ? '/' : text[n]);
    }
    while (n % 4 != 0) {
        padded[n++] = '=';
    }
    size_t got = 0;
    return atls_base64_decode((atls_buf){padded, n}, out, COORDINATE_MAX, &got) && got == size;
}

static bool is_text(const json_t *value, const char *wanted)
{
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

static atls_code read_jwk(const json_t *jwk, atls_public_key **out, atls_err *err)
{
    static const struct {
        const char *name;
        atls_key_kind kind;
        size_t size;
    } curves[] = {
        {"P-256", ATLS_KEY_P256, 32}, {"P-384", ATLS_KEY_P384, 48}, {"P-521", ATLS_KEY_P521, 66}};
    uint8_t x[COORDINATE_MAX];
    uint8_t y[COORDINATE_MAX];
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        const size_t size = curves[i].size;
        if (!is_text(json_object_get(jwk, "crv"), curves[i].name)) {
            continue;
        }
        if (!is_text(json_object_get(jwk, "kty"), "EC") || json_object_get(jwk, "d") != NULL ||
            !read_coordinate(jwk, "x", size, x) || !read_coordinate(jwk, "y", size, y)) {
            break;
        }
        atls_code rc =
            atls_public_key_ec(curves[i].kind, (atls_buf){x, size}, (atls_buf){y, size}, out, err);
        if (rc != ATLS_E_INVALID) {
            return rc;
        }
        return ATLS_ERR(err, rc, "endorsement.cca_key", "a point that is not on %s",
                        curves[i].name);
    }
    return ATLS_ERR(err, ATLS_E_INVALID, "endorsement.cca_key",
                    "pkey is no JWK of a public key on P-256, P-384 or P-521");
}

static atls_code read_id(const json_t *anchor, const char *name, uint8_t *out, size_t len,
                         atls_err *err)
{
    const json_t *value = json_object_get(anchor, name);
    size_t got = 0;
    if (json_is_string(value) &&
        atls_hex_decode(json_string_value(value), json_string_length(value), out, len, &got) &&
        got == len) {
        return ATLS_OK;
    }
    return ATLS_ERR(err, ATLS_E_INVALID, "endorsement.cca",
                    "%s is missing, or not %zu bytes in hexadecimal", name, len);
}

static atls_code add_anchor(atls_endorsements *e, const json_t *anchor, atls_err *err)
{
    atls_vouched_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    key->what = ATLS_VOUCHED_FOR_CCA;
    key->has_ids = true;
    atls_code rc = read_id(anchor, "instance-id", key->instance_id, sizeof key->instance_id, err);
    if (rc == ATLS_OK) {
        rc = read_id(anchor, "implementation-id", key->implementation_id,
                     sizeof key->implementation_id, err);
    }
    if (rc == ATLS_OK) {
        rc = read_jwk(json_object_get(anchor, "pkey"), &key->key, err);
    }
    if (rc != ATLS_OK) {
        free(key);
        return rc;
    }
    const atls_public_key *known =
        atls_cca_anchor_find(e, (atls_buf){key->instance_id, sizeof key->instance_id},
                             (atls_buf){key->implementation_id, sizeof key->implementation_id});
    if (known != NULL) { /* which one counts would be a guess; the same one again changes nothing */
        const bool same =
            memcmp(atls_public_key_sha256(known), atls_public_key_sha256(key->key), 32) == 0;
        atls_public_key_free(key->key);
        free(key);
        return same ? ATLS_OK
                    : ATLS_ERR(err, ATLS_E_INVALID, "endorsement.cca_twice",
                               "two keys for one instance of one implementation");
    }
    return atls_endorsements_add_key(e, key, err);
}

static atls_code add(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    json_t *list = NULL;
    ATLS_TRY(atls_json_parse(bytes, ATLS_ENDORSEMENT_MAX_LEN, "endorsement.cca", &list, err));
    atls_code rc = ATLS_OK;
    if (!json_is_array(list) || json_array_size(list) == 0) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "endorsement.cca", "no array of trust anchors");
    }
    for (size_t i = 0; rc == ATLS_OK && i < json_array_size(list); i++) {
        rc = add_anchor(e, json_array_get(list, i), err);
    }
    json_decref(list);
    return rc;
}

const atls_endorsement_kind atls_endorsement_cca_anchors = {"CCA trust anchors", recognise, add};

atls_public_key *atls_cca_anchor_find(const atls_endorsements *e, atls_buf instance_id,
                                      atls_buf implementation_id)
{
    for (size_t i = 0; i < e->keys_n; i++) {
        const atls_vouched_key *key = e->keys[i];
        if (key->what == ATLS_VOUCHED_FOR_CCA && key->has_ids &&
            instance_id.len == sizeof key->instance_id &&
            implementation_id.len == sizeof key->implementation_id &&
            memcmp(key->instance_id, instance_id.ptr, instance_id.len) == 0 &&
            memcmp(key->implementation_id, implementation_id.ptr, implementation_id.len) == 0) {
            return key->key;
        }
    }
    return NULL;
}
