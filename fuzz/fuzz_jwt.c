/* Tokens and JWK sets. A text is split the same way twice; what is taken is the one text of its bytes; a key set is
 * taken whole or not at all; a verdict over any token, with any key set, is no acceptance unless its signature holds. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64url.h"
#include "codec/jws.h"
#include "evidence/token/token.h"
#include "verify/verdict.h"

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Encoding the segments again gives the text. */
static void encodes_back(const atls_jws *jws, atls_buf text)
{
    const atls_buf segments[] = {jws->header, jws->payload, jws->signature};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        char *again = atls_base64url_encode(segments[i]);
        assert(again != NULL);
        size_t len = strlen(again);
        assert(len <= text.len - at && memcmp(text.ptr + at, again, len) == 0);
        at += len;
        assert(i == 2 ? at == text.len : text.ptr[at] == '.');
        at++;
        free(again);
    }
}

static void one_token(atls_buf text)
{
    atls_jws jws;
    atls_err err = {0};
    if (atls_jws_decode(text, &jws, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && err.check != NULL);
        assert(atls_jws_parse(text, &jws, NULL) == ATLS_E_INVALID);
        return;
    }
    encodes_back(&jws, text);
    atls_jws_clear(&jws);
    if (atls_jws_parse(text, &jws, &err) == ATLS_OK) {
        assert(jws.alg != NULL && strlen(jws.kid) < sizeof jws.kid);
        atls_jws_clear(&jws);
    } else {
        assert(err.code == ATLS_E_INVALID && err.check != NULL);
    }
}

/* Claims, as if they were signed. */
static void one_claims(atls_buf text)
{
    atls_token_facts *facts = calloc(1, sizeof *facts);
    atls_token_claims claims;
    int64_t nbf_s = 0;
    atls_err err = {0};
    assert(facts != NULL);
    if (atls_json_parse(text, ATLS_JWS_MAX_LEN, "token.claims", &facts->all, NULL) == ATLS_OK) {
        if (atls_token_read(facts, &claims, &nbf_s, &err) == ATLS_OK) {
            assert(claims.issuer != NULL && claims.nonces_n <= ATLS_TOKEN_NONCES_MAX);
            assert(claims.audiences_n <= ATLS_TOKEN_AUDIENCES_MAX);
            assert(claims.measurements_n <= ATLS_TOKEN_MEASUREMENTS_MAX);
            assert(claims.kind != ATLS_TOKEN_EAR || claims.status != NULL);
            for (size_t i = 0; i < claims.measurements_n; i++) {
                assert(claims.measurements[i].bytes.len <= 64);
            }
        } else {
            assert(err.code == ATLS_E_INVALID && err.check != NULL && err.msg[0] != '\0');
        }
        json_decref(facts->all);
    }
    free(facts);
}

static void one_verdict(atls_buf token, atls_buf keys)
{
    static const atls_evidence shape = {.type = "jwt", .parts_n = 1};
    atls_verifier *v = atls_verifier_new();
    assert(v != NULL);
    atls_err err = {0};
    if (keys.len > 0 && atls_verifier_add1_endorsement(v, keys, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && err.check != NULL);
    }
    atls_evidence e = shape;
    e.parts[0].name = "token";
    e.parts[0].bytes = token;
    atls_verdict *r = atls_verifier_check(v, &e, NULL, 1790000000, NULL);
    assert(r != NULL);
    if (r->claims.tee != ATLS_TEE_NONE) {
        assert(atls_verdict_signatures(r) == 1 && r->claims.custom_root);
    }
    assert(keys.len > 0 || !atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_verifier_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf whole = {data, size};
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    /* A seed is a token, a line's end, and its issuer's keys. */
    const atls_buf token = {data, line != NULL ? (size_t)(line - data) : size};
    const atls_buf keys =
        line != NULL ? (atls_buf){line + 1, size - token.len - 1} : (atls_buf){NULL, 0};
    one_token(token);
    one_claims(whole);
    one_verdict(token, keys);
    return 0;
}
