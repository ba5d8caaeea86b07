/* A simulated verification service: its keys, and tokens signed with them. */
#include "sim/jwt.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "sim/cose.h"
#include "sim/world.h"

#define SIGNATURE_MAX 512

enum { KEY_RSA, KEY_P256, KEY_P256_NEXT, KEY_P384, KEYS };

static const struct {
    const char *kid, *curve; /* NULL: RSA of 2048 bits */
} kinds[KEYS] = {[KEY_RSA] = {"sim-rsa", NULL},
                 [KEY_P256] = {"sim-p256", "P-256"},
                 [KEY_P256_NEXT] = {"sim-p256-next", "P-256"},
                 [KEY_P384] = {"sim-p384", "P-384"}};

static const struct {
    const char *name, *alg, *hash;
    int key;
} variants[] = {
    {"ita", "PS384", "SHA384", KEY_RSA},    {"maa", "RS256", "SHA256", KEY_RSA},
    {"ear", "ES256", "SHA256", KEY_P256},   {"confidential-space", "RS256", "SHA256", KEY_RSA},
    {"rs256", "RS256", "SHA256", KEY_RSA},  {"ps384", "PS384", "SHA384", KEY_RSA},
    {"es256", "ES256", "SHA256", KEY_P256}, {"es384", "ES384", "SHA384", KEY_P384}};
#define VARIANTS (sizeof variants / sizeof variants[0])

typedef struct service {
    int64_t when_s;
    EVP_PKEY *keys[KEYS];
} service;

static atls_code failed(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "OpenSSL could not make a token or a key");
}

/* --- the service --- */

static void service_close(void *state)
{
    service *s = state;
    for (size_t i = 0; s != NULL && i < KEYS; i++) {
        EVP_PKEY_free(s->keys[i]);
    }
    free(s);
}

static atls_code service_open(int64_t when_s, void **state, atls_err *err)
{
    service *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    s->when_s = when_s;
    for (size_t i = 0; i < KEYS; i++) {
        s->keys[i] = kinds[i].curve != NULL ? sim_key_new(kinds[i].curve) : EVP_RSA_gen(2048);
        if (s->keys[i] == NULL) {
            service_close(s);
            return failed(err);
        }
    }
    *state = s;
    return ATLS_OK;
}

static atls_code service_save(const void *state, json_t *to, atls_err *err)
{
    const service *s = state;
    for (size_t i = 0; i < KEYS; i++) {
        char *pem = sim_key_pem(s->keys[i]);
        int rc = pem == NULL ? -1 : json_object_set_new(to, kinds[i].kid, json_string(pem));
        free(pem);
        if (rc != 0) {
            return ATLS_ERR_NOMEM(err);
        }
    }
    return ATLS_OK;
}

static bool is_of_kind(EVP_PKEY *key, size_t kind)
{
    return key != NULL && EVP_PKEY_is_a(key, kinds[kind].curve != NULL ? "EC" : "RSA");
}

static atls_code service_load(const json_t *from, int64_t when_s, void **state, atls_err *err)
{
    service *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    s->when_s = when_s;
    for (size_t i = 0; i < KEYS; i++) {
        const char *pem = json_string_value(json_object_get(from, kinds[i].kid));
        s->keys[i] = pem != NULL ? sim_key_from_pem(pem) : NULL;
        if (!is_of_kind(s->keys[i], i)) {
            service_close(s);
            return ATLS_ERR(err, ATLS_E_USAGE, "sim.state", "the state has no key %s",
                            kinds[i].kid);
        }
    }
    *state = s;
    return ATLS_OK;
}

/* --- its JWK set --- */

/* A number of the key as RFC 7518 writes it; len 0: as long as it is. NULL: no memory. */
static json_t *number_of(EVP_PKEY *key, const char *parameter, size_t len)
{
    BIGNUM *n = NULL;
    uint8_t bytes[SIGNATURE_MAX];
    json_t *out = NULL;
    if (EVP_PKEY_get_bn_param(key, parameter, &n) == 1) {
        len = len != 0 ? len : (size_t)BN_num_bytes(n);
        if (BN_bn2binpad(n, bytes, (int)len) == (int)len) {
            char *text = atls_base64url_encode((atls_buf){bytes, len});
            out = text != NULL ? json_string(text) : NULL;
            free(text);
        }
    }
    BN_free(n);
    return out;
}

static json_t *jwk_of(EVP_PKEY *key, const char *kid, const char *curve)
{
    if (curve == NULL) {
        return json_pack("{sssssssoso}", "kty", "RSA", "kid", kid, "use", "sig", "n",
                         number_of(key, OSSL_PKEY_PARAM_RSA_N, 0), "e",
                         number_of(key, OSSL_PKEY_PARAM_RSA_E, 0));
    }
    size_t size = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    return json_pack("{sssssssssoso}", "kty", "EC", "crv", curve, "kid", kid, "use", "sig", "x",
                     number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size), "y",
                     number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

static atls_code service_jwks(const void *state, char **text, atls_err *err)
{
    const service *s = state;
    json_t *keys = json_array();
    for (size_t i = 0; i < KEYS; i++) {
        (void)json_array_append_new(keys, jwk_of(s->keys[i], kinds[i].kid, kinds[i].curve));
    }
    bool whole = json_array_size(keys) == KEYS;
    json_t *set = json_pack("{so}", "keys", keys);
    char *out = whole ? atls_json_write(set, JSON_INDENT(1)) : NULL;
    json_decref(set);
    if (out == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *text = out;
    return ATLS_OK;
}

/* --- signing --- */

typedef struct signing {
    EVP_PKEY *key; /* lent */
    size_t variant;
    sim_jwt_change change;
} signing;

/* DER to r and s of the curve's size. */
static bool to_raw(const signing *s, uint8_t *sig, size_t *len)
{
    const size_t size = ((size_t)EVP_PKEY_get_bits(s->key) + 7) / 8;
    const unsigned char *at = sig;
    ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)*len);
    bool good = both != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(both), sig, (int)size) == (int)size &&
                BN_bn2binpad(ECDSA_SIG_get0_s(both), sig + size, (int)size) == (int)size;
    ECDSA_SIG_free(both);
    *len = 2 * size;
    return good;
}

static bool set_pss(EVP_PKEY_CTX *ctx, const signing *s)
{
    if (strcmp(variants[s->variant].alg, "PS384") != 0) {
        return true;
    }
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(
               ctx, s->change == SIM_JWT_SALT ? 32 : RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool sign(const signing *s, const char *text, uint8_t sig[SIGNATURE_MAX], size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    *len = SIGNATURE_MAX;
    bool good = ctx != NULL &&
                EVP_DigestSignInit_ex(ctx, &pkey, variants[s->variant].hash, NULL, NULL, s->key,
                                      NULL) == 1 &&
                set_pss(pkey, s) &&
                EVP_DigestSign(ctx, sig, len, (const uint8_t *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(ctx);
    if (good && EVP_PKEY_is_a(s->key, "EC") && s->change != SIM_JWT_DER) {
        good = to_raw(s, sig, len);
    }
    if (s->change == SIM_JWT_ZERO) {
        memset(sig, 0, *len);
    } else if (s->change == SIM_JWT_BIT) {
        sig[*len / 2] ^= 1;
    } else if (s->change == SIM_JWT_NO_SIGNATURE) {
        *len = 0;
    }
    return good;
}

/* The classical confusion: a verifier that takes the public key for a secret would find this good. */
static bool mac(EVP_PKEY *key, const char *text, uint8_t sig[SIGNATURE_MAX], size_t *len)
{
    unsigned char *spki = NULL;
    unsigned n = 0;
    int spki_len = i2d_PUBKEY(key, &spki);
    bool good = spki_len > 0 && HMAC(EVP_sha256(), spki, spki_len, (const uint8_t *)text,
                                     strlen(text), sig, &n) != NULL;
    OPENSSL_free(spki);
    *len = n;
    return good;
}

/* --- the text --- */

/* head + middle + tail; NULL: no memory. */
static char *join(const char *head, const char *middle, const char *tail)
{
    size_t len = strlen(head) + strlen(middle) + strlen(tail);
    char *out = malloc(len + 1);
    if (out != NULL) {
        memcpy(out, head, strlen(head));
        memcpy(out + strlen(head), middle, strlen(middle));
        memcpy(out + strlen(head) + strlen(middle), tail, strlen(tail) + 1);
    }
    return out;
}

/* Encoded JSON, with `more` written before its closing brace. Takes json. */
static char *segment(json_t *json, const char *more)
{
    char *text = json != NULL ? atls_json_write(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text == NULL) {
        return NULL;
    }
    text[strlen(text) - 1] = '\0';
    char *whole = join(text, more, "}");
    free(text);
    char *out = whole != NULL
                    ? atls_base64url_encode((atls_buf){(const uint8_t *)whole, strlen(whole)})
                    : NULL;
    free(whole);
    return out;
}

/* The last character again, with one of its spare bits set. */
static void set_spare_bit(char *text)
{
    char *last = text + strlen(text) - 1;
    *last = (char)(*last == 'Z' ? 'a' : *last == 'z' ? '0' : *last + 1);
}

static char *finish(char *text, sim_jwt_change change)
{
    const char *tail = change == SIM_JWT_PADDING   ? "="
                       : change == SIM_JWT_NEWLINE ? "\n"
                       : change == SIM_JWT_FOUR    ? ".e30"
                                                   : "";
    if (text != NULL && change == SIM_JWT_SPARE_BITS) {
        set_spare_bit(text);
    }
    char *out = text != NULL ? join(text, tail, "") : NULL;
    free(text);
    return out;
}

/* The token out of its first two segments. NULL: no memory, or OpenSSL failed. */
static char *put_together(const service *s, const signing *how, const char *header,
                          const char *payload)
{
    uint8_t sig[SIGNATURE_MAX];
    size_t len = 0;
    char *text = join(header, ".", payload);
    bool good =
        text != NULL && (how->change == SIM_JWT_HMAC ? mac(s->keys[KEY_RSA], text, sig, &len)
                                                     : sign(how, text, sig, &len));
    char *end = good ? atls_base64url_encode((atls_buf){sig, len}) : NULL;
    if (how->change == SIM_JWT_PAYLOAD && end != NULL) { /* e30: {} */
        free(text);
        text = join(header, ".", "e30");
    }
    char *token = end != NULL && text != NULL ? join(text, ".", end) : NULL;
    free(end);
    free(text);
    return finish(token, how->change);
}

static char *make_token(const service *s, size_t variant, const atls_sim_request *request,
                        const sim_jwt_edit *edit)
{
    signing how = {s->keys[variants[variant].key], variant, edit->change};
    json_t *header = json_pack("{ssssss}", "alg", variants[variant].alg, "kid",
                               kinds[variants[variant].key].kid, "typ", "JWT");
    json_t *claims = sim_jwt_claims(variants[variant].name, request, s->when_s);
    EVP_PKEY *stranger = NULL;
    if (edit->change == SIM_JWT_STRANGER) {
        const char *curve = kinds[variants[variant].key].curve;
        stranger = sim_key_new(curve);
        how.key = stranger;
        (void)json_object_set_new(header, "jwk", jwk_of(stranger, "stranger", curve));
    }
    if (header != NULL && edit->header != NULL) {
        edit->header(header);
    }
    if (claims != NULL && edit->claims != NULL) {
        edit->claims(claims, s->when_s);
    }
    char *first = segment(header, edit->change == SIM_JWT_TWICE_HEADER ? ",\"typ\":\"JWT\"" : "");
    char *second =
        segment(claims, edit->change == SIM_JWT_TWICE_CLAIM ? ",\"iss\":\"another\"" : "");
    char *token = first != NULL && second != NULL && how.key != NULL
                      ? put_together(s, &how, first, second)
                      : NULL;
    free(first);
    free(second);
    EVP_PKEY_free(stranger);
    return token;
}

/* The place of the fault, whose name is known to be there. */
static sim_jwt_edit edit_of(const char *fault)
{
    for (size_t i = 0; fault != NULL && i < sim_jwt_faults_n; i++) {
        if (strcmp(sim_jwt_faults[i].name, fault) == 0) {
            return sim_jwt_edits[i];
        }
    }
    return (sim_jwt_edit){NULL, NULL, SIM_JWT_ASIS};
}

static atls_code service_make(const void *state, const atls_sim_request *request,
                              atls_evidence_blob *out, atls_err *err)
{
    const char *name = request->variant != NULL ? request->variant : variants[0].name;
    size_t variant = 0;
    while (variant < VARIANTS && strcmp(variants[variant].name, name) != 0) {
        variant++;
    }
    if (variant == VARIANTS) {
        return sim_no_variant("jwt", name, err);
    }
    const sim_jwt_edit edit = edit_of(request->fault);
    char *token = make_token(state, variant, request, &edit);
    if (token == NULL) {
        return failed(err);
    }
    memcpy(out->type, "jwt", 4);
    atls_code rc =
        sim_blob_add(out, "token", (atls_buf){(const uint8_t *)token, strlen(token)}, err);
    free(token);
    return rc;
}

const sim_family sim_family_jwt = {
    .name = "jwt",
    .open = service_open,
    .close = service_close,
    .save = service_save,
    .load = service_load,
    .root = NULL,
    .endorsement = service_jwks,
    .make = service_make,
    .faults = sim_jwt_faults,
    .faults_n = &sim_jwt_faults_n,
};
