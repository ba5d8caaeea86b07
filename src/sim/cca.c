/* cca.c: Arm CCA tokens of the shape of real ones. A token is made from tables of claims, of which a fault takes one out
 * or puts another in its place; then everything is signed in earnest. */
#include "sim/cca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/base64.h"
#include "codec/cbor.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "sim/cose.h"
#include "sim/plan.h"

#define CLAIMS_MAX 12
#define SPACE      4096
#define BYTES(s)   ((atls_buf){(const uint8_t *)(s), sizeof(s) - 1})

enum { CPAK, CPAK_P256, RAK, STRANGER, KEYS };
static const char *const key_names[KEYS] = {"cpak", "cpak_p256", "rak", "stranger"};
static const char *const key_curves[KEYS] = {"P-384", "P-256", "P-384", "P-384"};

typedef struct cca_state {
    EVP_PKEY *key[KEYS];
} cca_state;

typedef struct claim {
    const char *name; /* of a fault, behind "platform." or "realm." */
    uint64_t label;
    atls_cbor_kind kind; /* NONE: bytes is an encoded item */
    atls_buf bytes;
    uint64_t number;
} claim;

typedef struct claim_list {
    claim claims[CLAIMS_MAX];
    size_t n;
} claim_list;

typedef struct cca_plan {
    const cca_state *state;
    const atls_sim_request *request;
    const char *fault; /* never NULL */
    bool is_legacy, is_p256;
    uint8_t space[SPACE]; /* what the claims point to */
    atls_writer w;
} cca_plan;

/* --- keys --- */

static void close_state(void *state)
{
    cca_state *s = state;
    for (size_t i = 0; s != NULL && i < KEYS; i++) {
        EVP_PKEY_free(s->key[i]);
    }
    free(s);
}

static atls_code open_state(int64_t when_s, void **state, atls_err *err)
{
    (void)when_s;
    cca_state *s = calloc(1, sizeof *s);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < KEYS; i++) {
        s->key[i] = sim_key_new(key_curves[i]);
        ok = s->key[i] != NULL;
    }
    if (!ok) {
        close_state(s);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "no keys could be generated");
    }
    *state = s;
    return ATLS_OK;
}

static atls_code save(const void *state, json_t *to, atls_err *err)
{
    const cca_state *s = state;
    for (size_t i = 0; i < KEYS; i++) {
        char *pem = sim_key_pem(s->key[i]);
        const bool ok = pem != NULL && json_object_set_new(to, key_names[i], json_string(pem)) == 0;
        if (pem != NULL) {
            OPENSSL_cleanse(pem, strlen(pem));
        }
        free(pem);
        if (!ok) {
            return ATLS_ERR_NOMEM(err);
        }
    }
    return ATLS_OK;
}

static atls_code load(const json_t *from, int64_t when_s, void **state, atls_err *err)
{
    (void)when_s;
    cca_state *s = calloc(1, sizeof *s);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < KEYS; i++) {
        s->key[i] = sim_key_from_pem(json_string_value(json_object_get(from, key_names[i])));
        ok = s->key[i] != NULL && EVP_PKEY_is_a(s->key[i], "EC") == 1;
    }
    if (!ok) {
        close_state(s);
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.state",
                        "the state lacks a key of the simulated cca");
    }
    *state = s;
    return ATLS_OK;
}

static bool point_of(EVP_PKEY *key, uint8_t point[97], size_t *size)
{
    size_t len = 0;
    const bool ok = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
                                                    97, &len) == 1;
    *size = len / 2;
    return ok && point[0] == 0x04;
}

/* 01, and a hash of the platform's key. */
static bool instance_id_of(EVP_PKEY *key, uint8_t out[33])
{
    uint8_t point[97];
    size_t size = 0;
    out[0] = 0x01;
    return point_of(key, point, &size) &&
           atls_digest(ATLS_SHA256, &(atls_buf){point, 1 + 2 * size}, 1, out + 1, NULL) == ATLS_OK;
}

static const uint8_t implementation_id[32] = SIM_ORGANISATION;

/* --- trust anchors --- */

static json_t *coordinate(const uint8_t *bytes, size_t len)
{
    char *text = atls_base64_encode((atls_buf){bytes, len});
    for (char *c = text; c != NULL && *c != '\0'; c++) {
        if (*c == '=') {
            *c = '\0';
            break;
        }
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
    json_t *value = text != NULL ? json_string(text) : NULL;
    free(text);
    return value;
}

static json_t *anchor(EVP_PKEY *key)
{
    uint8_t point[97];
    uint8_t id[33];
    size_t size = 0;
    char instance[2 * sizeof id + 1];
    char implementation[2 * sizeof implementation_id + 1];
    if (!point_of(key, point, &size) || !instance_id_of(key, id)) {
        return NULL;
    }
    atls_hex_encode((atls_buf){id, sizeof id}, instance);
    atls_hex_encode((atls_buf){implementation_id, sizeof implementation_id}, implementation);
    return json_pack("{s:s,s:s,s:{s:s,s:s,s:o,s:o}}", "instance-id", instance, "implementation-id",
                     implementation, "pkey", "kty", "EC", "crv", size == 48 ? "P-384" : "P-256",
                     "x", coordinate(point + 1, size), "y", coordinate(point + 1 + size, size));
}

static atls_code endorsement(const void *state, char **text, atls_err *err)
{
    const cca_state *s = state;
    json_t *list = json_pack("[o,o]", anchor(s->key[CPAK]), anchor(s->key[CPAK_P256]));
    char *out = list != NULL ? atls_json_write(list, JSON_INDENT(1)) : NULL;
    json_decref(list);
    if (out == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *text = out;
    return ATLS_OK;
}

/* --- claims --- */

static bool is(const cca_plan *p, const char *fault)
{
    return strcmp(p->fault, fault) == 0;
}

/* What was written since from. */
static atls_buf since(const cca_plan *p, size_t from)
{
    return (atls_buf){p->space + from, p->w.len - from};
}

/* SHA-256 of "NAME/REGISTER". */
static atls_buf measured(cca_plan *p, const char *what)
{
    char text[160];
    uint8_t digest[32] = {0};
    const size_t from = p->w.len;
    (void)snprintf(text, sizeof text, "%.100s/%s",
                   p->request->workload != NULL ? p->request->workload : "demo", what);
    if (atls_digest(ATLS_SHA256, &(atls_buf){(const uint8_t *)text, strlen(text)}, 1, digest,
                    NULL) != ATLS_OK) {
        p->w.failed = true;
    }
    atls_writer_bytes(&p->w, (atls_buf){digest, sizeof digest});
    return since(p, from);
}

static void add(claim_list *list, const char *name, uint64_t label, atls_cbor_kind kind,
                atls_buf bytes)
{
    list->claims[list->n++] = (claim){name, label, kind, bytes, 0};
}

static void add_number(claim_list *list, const char *name, uint64_t label, uint64_t number)
{
    list->claims[list->n++] = (claim){name, label, ATLS_CBOR_UINT, {NULL, 0}, number};
}

static void write_claim(const claim *c, atls_writer *w)
{
    atls_cbor_write_head(w, ATLS_CBOR_UINT, c->label);
    if (c->kind == ATLS_CBOR_NONE) {
        atls_writer_bytes(w, c->bytes);
    } else if (c->kind == ATLS_CBOR_UINT) {
        atls_cbor_write_head(w, ATLS_CBOR_UINT, c->number);
    } else {
        atls_cbor_write_string(w, c->kind, c->bytes);
    }
}

/* The fault "PREFIX.NAME" makes a claim wrong, "PREFIX.NAME.absent" leaves it out. */
static void spoil(const cca_plan *p, const char *prefix, claim_list *list)
{
    const size_t len = strlen(prefix);
    if (strncmp(p->fault, prefix, len) != 0 || p->fault[len] != '.') {
        return;
    }
    const char *name = p->fault + len + 1;
    for (size_t i = 0; i < list->n; i++) {
        claim *c = &list->claims[i];
        const size_t n = strlen(c->name);
        if (strncmp(name, c->name, n) != 0) {
            continue;
        }
        if (strcmp(name + n, ".absent") == 0) {
            list->claims[i] = list->claims[--list->n];
            return;
        }
        if (name[n] != '\0') {
            continue;
        }
        static const uint8_t odd[64] = {0x02};
        switch (c->kind) {
        case ATLS_CBOR_TEXT:
            c->bytes = BYTES("md5\0");
            break;
        case ATLS_CBOR_UINT:
            c->number = 0x6100;
            break;
        case ATLS_CBOR_BYTES: /* a byte less, or of another first byte where the length is odd already */
            c->bytes = (atls_buf){odd, c->bytes.len == 33 ? 33 : c->bytes.len - 1};
            break;
        default:
            c->bytes = BYTES("\x80");
            break;
        }
        return;
    }
}

static atls_buf write_map(cca_plan *p, const char *prefix, claim_list *list)
{
    char twice[32];
    char no_map[32];
    (void)snprintf(twice, sizeof twice, "%s.twice", prefix);
    (void)snprintf(no_map, sizeof no_map, "%s.claims", prefix);
    spoil(p, prefix, list);
    if (is(p, twice)) {
        list->claims[list->n++] = list->claims[0];
    }
    if (is(p, "odd.unknown_claims")) {
        add(list, "", 70000, ATLS_CBOR_TEXT, BYTES("nobody knows"));
    }
    const size_t from = p->w.len;
    if (is(p, no_map)) {
        atls_cbor_write_head(&p->w, ATLS_CBOR_ARRAY, 0);
        return since(p, from);
    }
    atls_cbor_write_head(&p->w, ATLS_CBOR_MAP, list->n);
    for (size_t i = 0; i < list->n; i++) {
        write_claim(&list->claims[i], &p->w);
    }
    return since(p, from);
}

/* --- the realm token --- */

/* The claim's bytes: a point, or a COSE_Key. */
static atls_buf rak_claim(cca_plan *p, size_t who, bool as_point)
{
    uint8_t point[97] = {0};
    size_t size = 0;
    if (!point_of(p->state->key[who], point, &size) || size != 48) {
        p->w.failed = true;
        return (atls_buf){NULL, 0};
    }
    if (is(p, "realm.rak")) {
        point[96] ^= 1;
    }
    const size_t from = p->w.len;
    if (as_point) {
        atls_writer_bytes(&p->w, (atls_buf){point, sizeof point});
        return since(p, from);
    }
    atls_cbor_write_head(&p->w, ATLS_CBOR_MAP, 4);
    atls_writer_bytes(&p->w, BYTES("\x01\x02\x20\x02\x21"));
    atls_cbor_write_string(&p->w, ATLS_CBOR_BYTES, (atls_buf){point + 1, 48});
    atls_cbor_write_head(&p->w, ATLS_CBOR_NEGATIVE, 2);
    atls_cbor_write_string(&p->w, ATLS_CBOR_BYTES, (atls_buf){point + 49, 48});
    return since(p, from);
}

static atls_buf rem_claim(cca_plan *p)
{
    static const char *const names[4] = {"rem0", "rem1", "rem2", "rem3"};
    atls_buf values[4];
    for (size_t i = 0; i < 4; i++) {
        values[i] = measured(p, names[i]);
    }
    values[2].len -= is(p, "realm.rem_size") ? 1 : 0;
    const size_t n = is(p, "realm.rem") ? 3 : 4;
    const size_t from = p->w.len;
    atls_cbor_write_head(&p->w, ATLS_CBOR_ARRAY, n);
    for (size_t i = 0; i < n; i++) {
        atls_cbor_write_string(&p->w, ATLS_CBOR_BYTES, values[i]);
    }
    return since(p, from);
}

static atls_buf realm_payload(cca_plan *p, atls_buf *rak)
{
    static const uint8_t personalization[64] = "simulated realm";
    claim_list list = {.n = 0};
    *rak = rak_claim(p, RAK, p->is_legacy != is(p, "realm.rak_form"));
    const atls_buf rim = measured(p, "rim");
    const atls_buf rem = rem_claim(p);
    if (!p->is_legacy) {
        add(&list, "profile", 265, ATLS_CBOR_TEXT, BYTES("tag:arm.com,2023:realm#1.0.0"));
    } else if (is(p, "realm.profile")) {
        add(&list, "", 265, ATLS_CBOR_TEXT, BYTES("tag:arm.com,2022:realm#1.0.0"));
    }
    add(&list, "challenge", 10, ATLS_CBOR_BYTES, (atls_buf){p->request->data.wide, 64});
    add(&list, "personalization", 44235, ATLS_CBOR_BYTES,
        (atls_buf){personalization, sizeof personalization});
    add(&list, "rim", 44238, ATLS_CBOR_BYTES, rim);
    add(&list, is(p, "realm.rem") ? "" : "rem", 44239, ATLS_CBOR_NONE, rem);
    add(&list, "hash", 44236, ATLS_CBOR_TEXT, BYTES("sha-256"));
    add(&list, is(p, "realm.rak") ? "" : "rak", 44237, ATLS_CBOR_BYTES, *rak);
    add(&list, "rak_hash", 44240, ATLS_CBOR_TEXT,
        p->is_legacy ? BYTES("sha-256") : BYTES("sha-512"));
    return write_map(p, "realm", &list);
}

/* --- the platform token --- */

static atls_buf components_claim(cca_plan *p)
{
    static const char *const names[] = {"BL", "RMM"};
    atls_buf values[2];
    for (size_t i = 0; i < 2; i++) {
        values[i] = measured(p, names[i]);
    }
    const size_t from = p->w.len;
    const bool unsigned_one = is(p, "platform.component_signer");
    atls_cbor_write_head(&p->w, ATLS_CBOR_ARRAY, 2);
    for (size_t i = 0; i < 2; i++) {
        atls_cbor_write_head(&p->w, ATLS_CBOR_MAP, unsigned_one ? 4 : 5);
        atls_cbor_write_head(&p->w, ATLS_CBOR_UINT, 1);
        atls_cbor_write_string(&p->w, ATLS_CBOR_TEXT,
                               (atls_buf){(const uint8_t *)names[i], strlen(names[i])});
        atls_cbor_write_head(&p->w, ATLS_CBOR_UINT, 2);
        atls_cbor_write_string(&p->w, ATLS_CBOR_BYTES, values[i]);
        atls_cbor_write_head(&p->w, ATLS_CBOR_UINT, 4);
        atls_cbor_write_string(&p->w, ATLS_CBOR_TEXT, BYTES("1.0.0"));
        atls_cbor_write_head(&p->w, ATLS_CBOR_UINT, 6);
        atls_cbor_write_string(&p->w, ATLS_CBOR_TEXT, BYTES("sha-256"));
        if (!unsigned_one) {
            atls_cbor_write_head(&p->w, ATLS_CBOR_UINT, 5);
            atls_cbor_write_string(&p->w, ATLS_CBOR_BYTES,
                                   (atls_buf){implementation_id, sizeof implementation_id});
        }
    }
    return since(p, from);
}

/* The hash by which the platform vouches for the RAK. */
static atls_buf challenge_claim(cca_plan *p, atls_buf rak)
{
    uint8_t digest[ATLS_HASH_MAX];
    atls_buf over = rak;
    atls_hash hash = p->is_legacy ? ATLS_SHA256 : ATLS_SHA512;
    if (is(p, "binding.other_rak")) {
        over = rak_claim(p, STRANGER, p->is_legacy);
    } else if (is(p, "binding.point")) {
        over = rak_claim(p, RAK, true);
    }
    if (is(p, "binding.hash")) {
        hash = ATLS_SHA384;
    }
    if (atls_digest(hash, &over, 1, digest, NULL) != ATLS_OK) {
        p->w.failed = true;
    }
    const size_t from = p->w.len;
    atls_writer_bytes(&p->w, (atls_buf){digest, atls_hash_len(hash)});
    return since(p, from);
}

static atls_buf ids_claim(cca_plan *p, size_t who)
{
    uint8_t id[33] = {0};
    const size_t from = p->w.len;
    if (!instance_id_of(p->state->key[is(p, "platform.stranger") ? STRANGER : who], id)) {
        p->w.failed = true;
    }
    atls_writer_bytes(&p->w, (atls_buf){id, sizeof id});
    return since(p, from);
}

static atls_buf platform_payload(cca_plan *p, atls_buf rak)
{
    static const uint8_t other[32] = SIM_ORGANISATION " 2";
    claim_list list = {.n = 0};
    const atls_buf challenge = challenge_claim(p, rak);
    const atls_buf instance = ids_claim(p, p->is_p256 ? CPAK_P256 : CPAK);
    const atls_buf components = components_claim(p);
    add(&list, "profile", 265, ATLS_CBOR_TEXT,
        p->is_legacy ? BYTES("http://arm.com/CCA-SSD/1.0.0")
                     : BYTES("tag:arm.com,2023:cca_platform#1.0.0"));
    add(&list, "challenge", 10, ATLS_CBOR_BYTES, challenge);
    add(&list, "implementation_id", 2396, ATLS_CBOR_BYTES,
        (atls_buf){is(p, "platform.implementation") ? other : implementation_id, 32});
    add(&list, "instance_id", 256, ATLS_CBOR_BYTES, instance);
    add(&list, "config", 2401, is(p, "platform.config") ? ATLS_CBOR_TEXT : ATLS_CBOR_BYTES,
        BYTES("\x01\x02\x03"));
    add_number(&list, "lifecycle", 2395,
               is(p, "lifecycle.unsecured")                          ? 0x1000
               : is(p, "lifecycle.recoverable") || p->request->debug ? 0x5000
                                                                     : 0x3003);
    add(&list, "components", 2399, ATLS_CBOR_NONE, components);
    add(&list, "service", 2400, ATLS_CBOR_TEXT, BYTES("https://verifier.invalid/"));
    add(&list, "hash", 2402, ATLS_CBOR_TEXT, BYTES("sha-256"));
    return write_map(p, "platform", &list);
}

/* --- both, signed --- */

static sim_cose sign_plan(const cca_plan *p, const char *prefix, EVP_PKEY *key, bool is_p256,
                          atls_buf payload)
{
    sim_cose cose = {.key = key,
                     .hash = is_p256 ? "SHA2-256" : "SHA2-384",
                     .protected_header = is_p256 ? BYTES(SIM_COSE_ES256) : BYTES(SIM_COSE_ES384),
                     .payload = payload,
                     .tagged = true};
    const size_t len = strlen(prefix);
    const char *name = strncmp(p->fault, prefix, len) == 0 ? p->fault + len : "";
    cose.is_wrong = strcmp(name, ".signature") == 0;
    cose.is_der = strcmp(name, ".der") == 0;
    cose.is_zero = strcmp(name, ".zero") == 0;
    cose.is_detached = strcmp(name, ".detached") == 0;
    cose.has_trailing = strcmp(name, ".trailing") == 0;
    if (strcmp(name, ".other_key") == 0) {
        cose.key = is_p256 ? p->state->key[CPAK] : p->state->key[STRANGER];
        cose.hash = "SHA2-384";
    } else if (strcmp(name, ".other_alg") == 0 || strcmp(name, ".es256") == 0) {
        cose.protected_header = is_p256 ? BYTES(SIM_COSE_ES384) : BYTES(SIM_COSE_ES256);
    } else if (strcmp(name, ".eddsa") == 0) {
        cose.protected_header = BYTES("\xa1\x01\x27");
    } else if (strcmp(name, ".no_alg") == 0) {
        cose.protected_header = BYTES("");
    } else if (strcmp(name, ".unprotected") == 0) {
        cose.unprotected = cose.protected_header;
        cose.protected_header = BYTES("");
    } else if (strcmp(name, ".crit") == 0) {
        cose.protected_header = BYTES("\xa2\x01\x38\x22\x02\x81\x04");
    }
    return cose;
}

static void write_token(const cca_plan *p, atls_buf platform, atls_buf realm, atls_writer *w)
{
    const bool no_platform = is(p, "token.no_platform");
    const bool no_realm = is(p, "token.no_realm");
    const bool third = is(p, "token.unknown");
    atls_cbor_write_head(w, ATLS_CBOR_TAG, is(p, "token.tag") ? 907 : 399);
    atls_cbor_write_head(w, ATLS_CBOR_MAP, no_platform || no_realm ? 1 : third ? 3 : 2);
    if (!no_platform) {
        atls_cbor_write_head(w, ATLS_CBOR_UINT, 44234);
        if (is(p, "token.no_bytes")) {
            atls_writer_bytes(w, platform);
        } else {
            atls_cbor_write_string(w, ATLS_CBOR_BYTES,
                                   is(p, "platform.shape") ? BYTES("\x80") : platform);
        }
    }
    if (!no_realm) {
        atls_cbor_write_head(w, ATLS_CBOR_UINT, 44241);
        atls_cbor_write_string(w, ATLS_CBOR_BYTES, is(p, "realm.shape") ? BYTES("\x80") : realm);
    }
    if (third) {
        atls_cbor_write_head(w, ATLS_CBOR_UINT, 44242);
        atls_cbor_write_string(w, ATLS_CBOR_BYTES, platform);
    }
    if (is(p, "token.trailing")) {
        atls_writer_u8(w, 0);
    }
}

static atls_code sign_and_wrap(cca_plan *p, atls_evidence_blob *out, atls_err *err)
{
    atls_buf rak;
    const atls_buf realm_claims = realm_payload(p, &rak);
    const atls_buf platform_claims = platform_payload(p, rak);
    if (!atls_writer_ok(&p->w)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "the claims could not be made");
    }
    const sim_cose realm = sign_plan(p, "realm", p->state->key[RAK], false, realm_claims);
    const sim_cose platform = sign_plan(p, "platform", p->state->key[p->is_p256 ? CPAK_P256 : CPAK],
                                        p->is_p256, platform_claims);
    uint8_t *parts[2] = {NULL, NULL};
    size_t len[2] = {0, 0};
    uint8_t token[2 * SPACE];
    atls_writer w = atls_writer_of(token, sizeof token);
    atls_code rc = sim_cose_make(&platform, &parts[0], &len[0], err);
    if (rc == ATLS_OK) {
        rc = sim_cose_make(&realm, &parts[1], &len[1], err);
    }
    if (rc == ATLS_OK) {
        write_token(p, (atls_buf){parts[0], len[0]}, (atls_buf){parts[1], len[1]}, &w);
        rc = sim_blob_add(out, "token", atls_writer_done(&w), err);
        memcpy(out->type, "cca", sizeof "cca");
    }
    free(parts[0]);
    free(parts[1]);
    return rc;
}

static atls_code make(const void *state, const atls_sim_request *request, atls_evidence_blob *out,
                      atls_err *err)
{
    const char *variant = request->variant != NULL ? request->variant : "profile2023";
    cca_plan *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    p->state = state;
    p->request = request;
    p->fault = request->fault != NULL ? request->fault : "";
    p->is_legacy = strcmp(variant, "legacy") == 0;
    p->is_p256 = strcmp(variant, "es256") == 0;
    p->w = atls_writer_of(p->space, sizeof p->space);
    const bool known = p->is_legacy || p->is_p256 || strcmp(variant, "profile2023") == 0;
    const atls_code rc = known ? sign_and_wrap(p, out, err) : sim_no_variant("cca", variant, err);
    free(p);
    return rc;
}

const sim_family sim_family_cca = {
    .name = "cca",
    .open = open_state,
    .close = close_state,
    .save = save,
    .load = load,
    .endorsement = endorsement,
    .make = make,
    .faults = sim_cca_faults,
    .faults_n = &sim_cca_faults_n,
};
