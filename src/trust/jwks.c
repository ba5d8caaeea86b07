#include "trust/jwks.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/base64.h"
#include "codec/base64url.h"
#include "codec/json.h"

#define NUMBER_MAX                                                                                 \
    520 /* bytes of a coordinate, modulus or exponent: RSA-4096, and zeros in front */

static bool is_object_with(atls_buf bytes, const char *name)
{
    atls_buf value;
    return atls_json_member_bytes(bytes, name, &value);
}

static bool is_jwks(atls_buf bytes)
{
    return is_object_with(bytes, "kty") ||
           (is_object_with(bytes, "keys") && !is_object_with(bytes, "atls_evidence"));
}

/* A member that is text; NULL: absent. False: there, and no text of 1 to max bytes. */
static bool text_of(const json_t *jwk, const char *name, size_t max, const char **out)
{
    const json_t *value = json_object_get(jwk, name);
    *out = json_string_value(value);
    return value == NULL ||
           (*out != NULL && json_string_length(value) > 0 && json_string_length(value) <= max);
}

/* A number as RFC 7518 writes it (Base64urlUInt, or a coordinate). */
static bool number_of(const json_t *jwk, const char *name, uint8_t out[NUMBER_MAX],
                      atls_buf *number)
{
    const json_t *value = json_object_get(jwk, name);
    size_t len = 0;
    if (!json_is_string(value) ||
        !atls_base64url_decode(
            (atls_buf){(const uint8_t *)json_string_value(value), json_string_length(value)}, out,
            NUMBER_MAX, &len) ||
        len == 0) {
        return false;
    }
    *number = (atls_buf){out, len};
    return true;
}

static bool curve_of(const char *crv, atls_key_kind *kind, size_t *size)
{
    static const struct {
        const char *name;
        atls_key_kind kind;
        size_t size;
    } curves[] = {
        {"P-256", ATLS_KEY_P256, 32}, {"P-384", ATLS_KEY_P384, 48}, {"P-521", ATLS_KEY_P521, 66}};
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (strcmp(curves[i].name, crv) == 0) {
            *kind = curves[i].kind;
            *size = curves[i].size;
            return true;
        }
    }
    return false;
}

static atls_code malformed(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "jwks.key", "a JWK whose %s is missing or malformed",
                    what);
}

/* The key by its numbers; *out stays NULL when there are none (x5c alone). */
static atls_code from_numbers(const json_t *jwk, bool is_rsa, atls_public_key **out, atls_err *err)
{
    uint8_t first[NUMBER_MAX];
    uint8_t second[NUMBER_MAX];
    atls_buf a;
    atls_buf b;
    if (is_rsa) {
        if (json_object_get(jwk, "n") == NULL && json_object_get(jwk, "e") == NULL) {
            return ATLS_OK;
        }
        if (!number_of(jwk, "n", first, &a) || !number_of(jwk, "e", second, &b)) {
            return malformed("modulus or exponent", err);
        }
        return atls_public_key_rsa(a, b, out, err);
    }
    if (json_object_get(jwk, "x") == NULL && json_object_get(jwk, "y") == NULL) {
        return ATLS_OK;
    }
    atls_key_kind kind = ATLS_KEY_P256;
    size_t size = 0;
    const char *crv = json_string_value(json_object_get(jwk, "crv"));
    /* RFC 7518, 6.2.1.2: coordinates have the curve's full size. */
    if (crv == NULL || !curve_of(crv, &kind, &size) || !number_of(jwk, "x", first, &a) ||
        !number_of(jwk, "y", second, &b) || a.len != size || b.len != size) {
        return malformed("curve or coordinates", err);
    }
    return atls_public_key_ec(kind, a, b, out, err);
}

/* The key of x5c[0]; *out stays NULL without x5c. The certificate says nothing else here. */
static atls_code from_x5c(const json_t *jwk, atls_public_key **out, atls_err *err)
{
    const json_t *x5c = json_object_get(jwk, "x5c");
    const json_t *first = json_array_get(x5c, 0);
    if (x5c == NULL) {
        return ATLS_OK;
    }
    if (!json_is_string(first) || json_string_length(first) > (size_t)ATLS_CERT_MAX_LEN * 2) {
        return malformed("x5c", err);
    }
    uint8_t *der = malloc(json_string_length(first) + 1);
    size_t len = 0;
    if (der == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_cert *cert = NULL;
    atls_code rc = ATLS_OK;
    if (!atls_base64_decode(
            (atls_buf){(const uint8_t *)json_string_value(first), json_string_length(first)}, der,
            json_string_length(first), &len)) {
        rc = malformed("x5c", err);
    }
    rc = rc != ATLS_OK ? rc : atls_cert_parse((atls_buf){der, len}, &cert, err);
    rc = rc != ATLS_OK ? rc : atls_cert_public_key(cert, out, err);
    atls_cert_free(cert);
    free(der);
    return rc;
}

static atls_code public_key_of(const json_t *jwk, bool is_rsa, atls_public_key **out, atls_err *err)
{
    atls_public_key *key = NULL;
    atls_public_key *certified = NULL;
    atls_code rc = from_numbers(jwk, is_rsa, &key, err);
    rc = rc != ATLS_OK ? rc : from_x5c(jwk, &certified, err);
    if (rc == ATLS_OK && key == NULL && certified == NULL) {
        rc = malformed("key", err);
    } else if (rc == ATLS_OK && key != NULL && certified != NULL &&
               memcmp(atls_public_key_sha256(key), atls_public_key_sha256(certified), 32) != 0) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "jwks.x5c", "a JWK whose certificate is of another key");
    }
    if (rc == ATLS_OK && key == NULL) {
        key = atls_public_key_up_ref(certified);
    }
    atls_public_key_free(certified);
    if (rc == ATLS_OK && (atls_public_key_kind(key) == ATLS_KEY_RSA) != is_rsa) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "jwks.x5c", "a JWK whose key is not of its kty");
    }
    if (rc != ATLS_OK) {
        atls_public_key_free(key);
        return rc;
    }
    *out = key;
    return ATLS_OK;
}

static bool has_private_member(const json_t *jwk)
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (json_object_get(jwk, members[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Is it for verifying signatures? RFC 7517, 4.2 and 4.3: where it does not say, it may be. */
static bool is_for_signatures(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use");
    const json_t *ops = json_object_get(jwk, "key_ops");
    bool verifies = ops == NULL;
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const char *op = json_string_value(json_array_get(ops, i));
        verifies = verifies || (op != NULL && strcmp(op, "verify") == 0);
    }
    const char *used = json_string_value(use);
    return verifies && (use == NULL || (used != NULL && strcmp(used, "sig") == 0));
}

static bool is_taken_kind(const json_t *jwk, const char *kty)
{
    atls_key_kind kind;
    size_t size;
    const char *crv = json_string_value(json_object_get(jwk, "crv"));
    return strcmp(kty, "RSA") == 0 ||
           (strcmp(kty, "EC") == 0 && (crv == NULL || curve_of(crv, &kind, &size)));
}

static atls_code add_key(atls_endorsements *e, const json_t *jwk, const char *kty, atls_err *err)
{
    const char *kid = NULL;
    const char *alg = NULL;
    atls_vouched_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = ATLS_OK;
    if (!text_of(jwk, "kid", sizeof key->kid - 1, &kid) ||
        !text_of(jwk, "alg", sizeof key->alg - 1, &alg)) {
        rc = malformed("kid or alg", err);
    }
    rc = rc != ATLS_OK ? rc : public_key_of(jwk, strcmp(kty, "RSA") == 0, &key->key, err);
    if (rc != ATLS_OK) {
        free(key);
        return rc;
    }
    key->what = ATLS_VOUCHED_FOR_TOKENS;
    if (kid != NULL) {
        memcpy(key->kid, kid, strlen(kid) + 1);
    }
    if (alg != NULL) {
        memcpy(key->alg, alg, strlen(alg) + 1);
    }
    return atls_endorsements_add_key(e, key, err);
}

/* *taken tells whether it was a key for tokens. */
static atls_code add_jwk(atls_endorsements *e, const json_t *jwk, bool *taken, atls_err *err)
{
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    *taken = false;
    if (kty == NULL) {
        return malformed("kty", err);
    }
    if (strcmp(kty, "oct") == 0 || has_private_member(jwk)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "jwks.private",
                        "a JWK with a secret or a private key, where only public ones belong");
    }
    if (!is_taken_kind(jwk, kty) || !is_for_signatures(jwk)) {
        return ATLS_OK;
    }
    *taken = true;
    return add_key(e, jwk, kty, err);
}

static atls_code add_all(atls_endorsements *e, const json_t *root, atls_err *err)
{
    const json_t *keys = json_object_get(root, "keys");
    bool taken = false;
    size_t n = 0;
    if (json_object_get(root, "kty") != NULL) {
        ATLS_TRY(add_jwk(e, root, &taken, err));
        n += taken ? 1 : 0;
    } else if (!json_is_array(keys)) {
        return malformed("keys", err);
    }
    size_t count = json_object_get(root, "kty") == NULL ? json_array_size(keys) : 0;
    for (size_t i = 0; i < count; i++) {
        ATLS_TRY(add_jwk(e, json_array_get(keys, i), &taken, err));
        n += taken ? 1 : 0;
    }
    if (n == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "jwks.empty",
                        "no RSA key and no key on P-256, P-384 or P-521 for signatures");
    }
    return ATLS_OK;
}

static atls_code add_jwks(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    json_t *root = NULL;
    ATLS_TRY(atls_json_parse(bytes, ATLS_JWKS_MAX_LEN, "jwks.json", &root, err));
    atls_code rc = add_all(e, root, err);
    json_decref(root);
    return rc;
}

const atls_endorsement_kind atls_endorsement_jwks = {"JSON Web Keys", is_jwks, add_jwks};
