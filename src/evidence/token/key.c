#include <string.h>

#include "base/err.h"
#include "codec/json.h"
#include "evidence/token/token.h"

static bool has_kid(const atls_vouched_key *key, const atls_jws *jws)
{
    return jws->kid[0] == '\0' || strcmp(key->kid, jws->kid) == 0;
}

/* RFC 7517, 4.4: a key that names an algorithm is for no other. */
static bool fits(const atls_vouched_key *key, const atls_jws_alg *alg)
{
    return atls_public_key_kind(key->key) == alg->key &&
           (key->alg[0] == '\0' || strcmp(key->alg, alg->name) == 0);
}

atls_code atls_token_key(const atls_endorsements *e, const atls_jws *jws, atls_public_key **out,
                         atls_err *err)
{
    size_t keys = 0;
    size_t named = 0;
    atls_public_key *found = NULL;
    for (size_t i = 0; i < e->keys_n; i++) {
        const atls_vouched_key *key = e->keys[i];
        if (key->what != ATLS_VOUCHED_FOR_TOKENS) {
            continue;
        }
        keys++;
        if (!has_kid(key, jws)) {
            continue;
        }
        named++;
        if (!fits(key, jws->alg)) {
            continue;
        }
        if (found != NULL &&
            memcmp(atls_public_key_sha256(found), atls_public_key_sha256(key->key), 32) != 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, "token.key.ambiguous",
                            "several keys that could have signed it: the header's kid \"%.60s\" "
                            "does not tell which",
                            jws->kid);
        }
        found = key->key;
    }
    if (keys == 0) {
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "token.key.missing",
                        "no key of a token's issuer was given");
    }
    if (named == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.key.kid",
                        "none of the %zu keys given has the kid \"%.100s\"", keys, jws->kid);
    }
    if (found == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.key.alg",
                        "no key that was given for it signs with %s", jws->alg->name);
    }
    *out = found;
    return ATLS_OK;
}

atls_code atls_token_issuer(atls_buf payload, char out[ATLS_TOKEN_ISSUER_LEN], atls_err *err)
{
    json_t *all = NULL;
    out[0] = '\0';
    const atls_code rc = atls_json_parse(payload, ATLS_JWS_MAX_LEN, "token.claims", &all, NULL);
    if (rc != ATLS_OK) { /* what is malformed is judged later */
        return rc == ATLS_E_SYSTEM ? ATLS_ERR_NOMEM(err) : ATLS_OK;
    }
    const json_t *issuer = json_object_get(all, "iss");
    if (json_is_string(issuer) && json_string_length(issuer) < ATLS_TOKEN_ISSUER_LEN) {
        memcpy(out, json_string_value(issuer), json_string_length(issuer) + 1);
    }
    json_decref(all);
    return ATLS_OK;
}
