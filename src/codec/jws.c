#include "codec/jws.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/base64url.h"
#include "codec/json.h"

#define HEADER_MAX ((size_t)16 << 10) /* bytes: x5c may hold a chain */

static const atls_jws_alg algs[] = {
    {"RS256", ATLS_RSA_PKCS1, ATLS_SHA256, ATLS_KEY_RSA},
    {"RS384", ATLS_RSA_PKCS1, ATLS_SHA384, ATLS_KEY_RSA},
    {"PS256", ATLS_RSA_PSS, ATLS_SHA256, ATLS_KEY_RSA},
    {"PS384", ATLS_RSA_PSS, ATLS_SHA384, ATLS_KEY_RSA},
    {"ES256", ATLS_ECDSA, ATLS_SHA256, ATLS_KEY_P256},
    {"ES384", ATLS_ECDSA, ATLS_SHA384, ATLS_KEY_P384},
};

const atls_jws_alg *atls_jws_alg_find(const char *name)
{
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        if (strcmp(algs[i].name, name) == 0) {
            return &algs[i];
        }
    }
    return NULL;
}

/* The segments as they stand in the text; false: not exactly two dots. */
static bool split(atls_buf text, atls_buf segments[3])
{
    size_t n = 0;
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '.') {
            continue;
        }
        if (n == 3) {
            return false;
        }
        segments[n++] = (atls_buf){text.ptr + from, i - from};
        from = i + 1;
    }
    return n == 3;
}

static bool decode(const atls_buf segments[3], size_t cap, atls_jws *jws)
{
    atls_buf *const parts[] = {&jws->header, &jws->payload, &jws->signature};
    size_t used = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t len = 0;
        if (!atls_base64url_decode(segments[i], jws->space + used, cap - used, &len)) {
            return false;
        }
        *parts[i] = (atls_buf){jws->space + used, len};
        used += len;
    }
    return true;
}

static atls_code read_kid(const json_t *header, atls_jws *jws, atls_err *err)
{
    const json_t *kid = json_object_get(header, "kid");
    if (kid == NULL) {
        return ATLS_OK;
    }
    if (!json_is_string(kid) || json_string_length(kid) == 0 ||
        json_string_length(kid) >= sizeof jws->kid) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.kid",
                        "the header's kid is not text of 1 to %d bytes", ATLS_JWS_KID_MAX - 1);
    }
    memcpy(jws->kid, json_string_value(kid), json_string_length(kid) + 1);
    return ATLS_OK;
}

static atls_code read_header(const json_t *header, atls_jws *jws, atls_err *err)
{
    if (!json_is_object(header)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.header", "the header is not a JSON object");
    }
    const char *alg = json_string_value(json_object_get(header, "alg"));
    jws->alg = alg != NULL ? atls_jws_alg_find(alg) : NULL;
    if (jws->alg == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.alg",
                        "signed with %.20s, where RS256, RS384, PS256, PS384, ES256 or ES384 is "
                        "wanted",
                        alg != NULL ? alg : "no algorithm");
    }
    /* RFC 7515, 4.1.11: what is listed there must be understood, and nothing of it is. b64 (RFC 7797) stands only with
     * crit. */
    if (json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.crit",
                        "the header asks for extensions that nobody here knows");
    }
    return read_kid(header, jws, err);
}

atls_code atls_jws_decode(atls_buf text, atls_jws *out, atls_err *err)
{
    if (text.len == 0 || text.len > ATLS_JWS_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.size",
                        "a token of %zu bytes, where 1 to %zu are taken", text.len,
                        ATLS_JWS_MAX_LEN);
    }
    atls_jws jws = {.space = malloc(text.len)};
    if (jws.space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_buf segments[3];
    if (!split(text, segments) || !decode(segments, text.len, &jws)) {
        atls_jws_clear(&jws);
        return ATLS_ERR(err, ATLS_E_INVALID, "token.format",
                        "not three segments of base64url without padding or white space");
    }
    jws.signed_text = (atls_buf){text.ptr, segments[0].len + 1 + segments[1].len};
    *out = jws;
    return ATLS_OK;
}

atls_code atls_jws_parse(atls_buf text, atls_jws *out, atls_err *err)
{
    atls_jws jws = {.space = NULL};
    json_t *header = NULL;
    ATLS_TRY(atls_jws_decode(text, &jws, err));
    atls_code rc = atls_json_parse(jws.header, HEADER_MAX, "token.header", &header, err);
    rc = rc != ATLS_OK ? rc : read_header(header, &jws, err);
    json_decref(header);
    if (rc != ATLS_OK) {
        atls_jws_clear(&jws);
        return rc;
    }
    *out = jws;
    return ATLS_OK;
}

void atls_jws_clear(atls_jws *jws)
{
    free(jws->space);
    *jws = (atls_jws){.space = NULL};
}

bool atls_jws_signed_by(const atls_jws *jws, atls_public_key *key)
{
    const atls_buf sig = jws->signature;
    if (atls_public_key_kind(key) != jws->alg->key) {
        return false;
    }
    if (jws->alg->scheme != ATLS_ECDSA) {
        return atls_public_key_verify(key, jws->alg->scheme, jws->alg->hash, &jws->signed_text, 1,
                                      sig);
    }
    size_t size = atls_public_key_size(key); /* RFC 7518, 3.4 */
    return sig.len == 2 * size &&
           atls_public_key_verify_rs(key, jws->alg->hash, &jws->signed_text, 1,
                                     (atls_buf){sig.ptr, size}, (atls_buf){sig.ptr + size, size});
}
