#include <math.h>
#include <string.h>

#include "base/err.h"
#include "evidence/token/token.h"

#define TIME_MAX 253402300799.0 /* the end of the year 9999 */

static atls_code malformed(const char *name, const char *wanted, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "token.claims", "the claim %s is not %s", name, wanted);
}

/* NumericDate (RFC 7519, 2): an integer, or with a fraction, which is dropped. *is_there false: absent. */
static atls_code read_time(const json_t *all, const char *name, bool *is_there, int64_t *out_s,
                           atls_err *err)
{
    const json_t *value = json_object_get(all, name);
    *is_there = value != NULL;
    if (value == NULL) {
        return ATLS_OK;
    }
    double s = json_number_value(value);
    if (!json_is_number(value) || !isfinite(s) || s < 0.0 || s > TIME_MAX) {
        return malformed(name, "a time in seconds between 1970 and 9999", err);
    }
    *out_s = json_is_integer(value) ? json_integer_value(value) : (int64_t)s;
    return ATLS_OK;
}

static atls_code read_times(const json_t *all, atls_token_claims *out, int64_t *nbf_s,
                            atls_err *err)
{
    bool has_nbf = false;
    bool has_iat = false;
    *nbf_s = INT64_MIN;
    ATLS_TRY(read_time(all, "exp", &out->has_exp, &out->exp_s, err));
    ATLS_TRY(read_time(all, "nbf", &has_nbf, nbf_s, err));
    return read_time(all, "iat", &has_iat, &out->iat_s, err);
}

/* Text, or a list of texts, into list. False: something else, or too many. */
static bool read_texts(const json_t *value, const char **list, size_t max, size_t *n)
{
    if (value == NULL) {
        return true;
    }
    if (json_is_string(value)) {
        list[(*n)++] = json_string_value(value);
        return true;
    }
    if (!json_is_array(value) || json_array_size(value) > max) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (text == NULL) {
            return false;
        }
        list[(*n)++] = text;
    }
    return true;
}

bool atls_token_add_nonce(atls_token_facts *facts, atls_token_claims *out, const char *text)
{
    if (text == NULL) {
        return true;
    }
    if (out->nonces_n == ATLS_TOKEN_NONCES_MAX) {
        return false;
    }
    facts->nonces[out->nonces_n++] = text;
    return true;
}

static atls_code read_registered(atls_token_facts *facts, atls_token_claims *out, int64_t *nbf_s,
                                 atls_err *err)
{
    const json_t *issuer = json_object_get(facts->all, "iss");
    if (issuer != NULL && !json_is_string(issuer)) {
        return malformed("iss", "text", err);
    }
    out->issuer = issuer != NULL ? json_string_value(issuer) : "";
    if (!read_texts(json_object_get(facts->all, "aud"), facts->audiences, ATLS_TOKEN_AUDIENCES_MAX,
                    &out->audiences_n)) {
        return malformed("aud", "text, or a list of at most 32 texts", err);
    }
    if (!read_texts(json_object_get(facts->all, "eat_nonce"), facts->nonces,
                    ATLS_TOKEN_NONCES_MAX - 2, &out->nonces_n)) {
        return malformed("eat_nonce", "text, or a list of at most 14 texts", err);
    }
    return read_times(facts->all, out, nbf_s, err);
}

atls_code atls_token_read(atls_token_facts *facts, atls_token_claims *out, int64_t *nbf_s,
                          atls_err *err)
{
    *out = (atls_token_claims){.all = facts->all,
                               .issuer = "",
                               .audiences = facts->audiences,
                               .nonces = facts->nonces,
                               .measurements = facts->measurements};
    if (!json_is_object(facts->all)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.claims", "the claims are not a JSON object");
    }
    ATLS_TRY(read_registered(facts, out, nbf_s, err));
    ATLS_TRY(atls_token_read_ear(facts->all, out, err));
    return out->kind == ATLS_TOKEN_EAR ? ATLS_OK : atls_token_read_profile(facts, out, err);
}
