/* nitro.c: documents of Nitro Enclaves and NitroTPM of the shape of real ones. The certificates are made once; a fault of
 * one of them makes that one again, wrong in one respect and signed in earnest. */
#include "sim/nitro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/cbor.h"
#include "crypto/digest.h"
#include "sim/cose.h"
#include "sim/nitro_pki.h"
#include "sim/plan.h"

#define SPACE    32768
#define BYTES(s) ((atls_buf){(const uint8_t *)(s), sizeof(s) - 1})

enum { STRANGER = NITRO_ROLES, OTHER_CURVE, KEYS };
/* Beside one of each role: roots that are trusted and odd, and one that is not trusted. */
enum { ROOT_SHORT = NITRO_ROLES, ROOT_P256, ROOT_EXPIRED, ROOT_FUTURE, ROOT_STRANGER, CERTS };

static const char *const key_names[KEYS] = {"root_key", "regional_key", "zonal_key", "instance_key",
                                            "leaf_key", "stranger_key", "p256_key"};
static const char *const cert_names[CERTS] = {
    "root",       "regional",  "zonal",        "instance",    "leaf",
    "root_short", "root_p256", "root_expired", "root_future", "root_stranger"};

typedef struct nitro_state {
    int64_t when_s;
    EVP_PKEY *key[KEYS];
    uint8_t *cert[CERTS];
    size_t cert_len[CERTS];
} nitro_state;

typedef struct nitro_plan {
    const nitro_state *state;
    const atls_sim_request *request;
    const char *fault; /* never NULL */
    bool is_tagged, is_tpm, has_nulls;
    atls_buf cert[NITRO_ROLES];
    uint8_t *own; /* the certificate that the fault is about, made for this document */
} nitro_plan;

/* --- keys and certificates --- */

static void close_state(void *state)
{
    nitro_state *s = state;
    for (size_t i = 0; s != NULL && i < KEYS; i++) {
        EVP_PKEY_free(s->key[i]);
    }
    for (size_t i = 0; s != NULL && i < CERTS; i++) {
        free(s->cert[i]);
    }
    free(s);
}

static atls_code make_cert(nitro_state *s, size_t which, const nitro_cert_plan *plan, atls_err *err)
{
    return nitro_cert_make(plan, &s->cert[which], &s->cert_len[which], err);
}

static atls_code make_certs(nitro_state *s, atls_err *err)
{
    for (size_t i = 0; i < NITRO_ROLES; i++) {
        nitro_cert_plan plan = nitro_cert_usual((nitro_role)i, s->when_s);
        plan.key = s->key[i];
        plan.signer = s->key[i == NITRO_ROOT ? NITRO_ROOT : i - 1];
        ATLS_TRY(make_cert(s, i, &plan, err));
    }
    for (size_t i = ROOT_SHORT; i < CERTS; i++) {
        nitro_cert_plan plan = nitro_cert_usual(NITRO_ROOT, s->when_s);
        plan.key = s->key[i == ROOT_P256       ? (size_t)OTHER_CURVE
                          : i == ROOT_STRANGER ? (size_t)STRANGER
                                               : (size_t)NITRO_ROOT];
        plan.signer = plan.key;
        plan.basic = i == ROOT_SHORT ? "critical,CA:TRUE,pathlen:1" : plan.basic;
        plan.ends_s = i == ROOT_EXPIRED ? s->when_s - SIM_HOUR : plan.ends_s;
        plan.begins_s = i == ROOT_FUTURE ? s->when_s + SIM_HOUR : plan.begins_s;
        ATLS_TRY(make_cert(s, i, &plan, err));
    }
    return ATLS_OK;
}

static atls_code open_state(int64_t when_s, void **state, atls_err *err)
{
    nitro_state *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    s->when_s = when_s;
    atls_code rc = ATLS_OK;
    for (size_t i = 0; rc == ATLS_OK && i < KEYS; i++) {
        s->key[i] = sim_key_new(i == OTHER_CURVE ? "P-256" : "P-384");
        rc = s->key[i] != NULL
                 ? ATLS_OK
                 : ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "no key could be generated");
    }
    if (rc == ATLS_OK) {
        rc = make_certs(s, err);
    }
    if (rc != ATLS_OK) {
        close_state(s);
        return rc;
    }
    *state = s;
    return ATLS_OK;
}

static bool save_cert(const nitro_state *s, size_t i, json_t *to)
{
    char *hex = malloc(2 * s->cert_len[i] + 1);
    if (hex == NULL) {
        return false;
    }
    atls_hex_encode((atls_buf){s->cert[i], s->cert_len[i]}, hex);
    const bool ok = json_object_set_new(to, cert_names[i], json_string(hex)) == 0;
    free(hex);
    return ok;
}

static bool save_key(const nitro_state *s, size_t i, json_t *to)
{
    char *pem = sim_key_pem(s->key[i]);
    const bool ok = pem != NULL && json_object_set_new(to, key_names[i], json_string(pem)) == 0;
    if (pem != NULL) {
        OPENSSL_cleanse(pem, strlen(pem));
    }
    free(pem);
    return ok;
}

static atls_code save(const void *state, json_t *to, atls_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < KEYS; i++) {
        ok = save_key(state, i, to);
    }
    for (size_t i = 0; ok && i < CERTS; i++) {
        ok = save_cert(state, i, to);
    }
    return ok ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static bool load_cert(nitro_state *s, size_t i, const json_t *from)
{
    const json_t *hex = json_object_get(from, cert_names[i]);
    const size_t len = json_string_length(hex);
    s->cert[i] = len >= 2 ? malloc(len / 2) : NULL;
    return s->cert[i] != NULL &&
           atls_hex_decode(json_string_value(hex), len, s->cert[i], len / 2, &s->cert_len[i]);
}

static atls_code load(const json_t *from, int64_t when_s, void **state, atls_err *err)
{
    nitro_state *s = calloc(1, sizeof *s);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < KEYS; i++) {
        s->key[i] = sim_key_from_pem(json_string_value(json_object_get(from, key_names[i])));
        ok = s->key[i] != NULL && EVP_PKEY_is_a(s->key[i], "EC") == 1;
    }
    for (size_t i = 0; ok && i < CERTS; i++) {
        ok = load_cert(s, i, from);
    }
    if (!ok) {
        close_state(s);
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.state",
                        "the state lacks a key or a certificate of the simulated nitro");
    }
    s->when_s = when_s;
    *state = s;
    return ATLS_OK;
}

static atls_code root(const void *state, char **pem, atls_err *err)
{
    static const size_t trusted[] = {NITRO_ROOT, ROOT_SHORT, ROOT_P256, ROOT_EXPIRED, ROOT_FUTURE};
    const nitro_state *s = state;
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = bio != NULL;
    for (size_t i = 0; ok && i < sizeof trusted / sizeof *trusted; i++) {
        const uint8_t *der = s->cert[trusted[i]];
        X509 *x = d2i_X509(NULL, &der, (long)s->cert_len[trusted[i]]);
        ok = x != NULL && PEM_write_bio_X509(bio, x) == 1;
        X509_free(x);
    }
    char *data = NULL;
    const long len = ok ? BIO_get_mem_data(bio, &data) : 0;
    char *text = len > 0 ? calloc(1, (size_t)len + 1) : NULL;
    if (text != NULL) {
        memcpy(text, data, (size_t)len);
        *pem = text;
    }
    BIO_free(bio);
    return text != NULL
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "the root could not be written");
}

/* --- a certificate that is wrong --- */

static bool is(const nitro_plan *p, const char *fault)
{
    return strcmp(p->fault, fault) == 0;
}

/* What the fault says behind the role's name; "" if it is about something else. */
static const char *fault_of(const nitro_plan *p, nitro_role role)
{
    const size_t len = strlen(cert_names[role]);
    return strncmp(p->fault, cert_names[role], len) == 0 && p->fault[len] == '.'
               ? p->fault + len + 1
               : "";
}

static bool spoil(const nitro_plan *p, const char *what, nitro_cert_plan *plan)
{
    const bool is_leaf = plan->role == NITRO_LEAF;
    const nitro_state *s = p->state;
    if (strcmp(what, "key") == 0) {
        plan->key = s->key[OTHER_CURVE];
    } else if (strcmp(what, "algorithm") == 0) {
        plan->hash = "SHA2-256";
    } else if (strcmp(what, "issuer") == 0) {
        plan->issuer_cn = "somebody else";
    } else if (strcmp(what, "ca") == 0) {
        plan->basic = is_leaf ? "critical,CA:TRUE" : "critical,CA:FALSE";
    } else if (strcmp(what, "ca.absent") == 0) {
        plan->basic = NULL;
    } else if (strcmp(what, "key_usage") == 0) {
        plan->usage = is_leaf ? "nonRepudiation" : "critical,digitalSignature,cRLSign";
    } else if (strcmp(what, "key_usage.absent") == 0) {
        plan->usage = NULL;
    } else if (strcmp(what, "path_len") == 0) {
        plan->basic = plan->role == NITRO_REGIONAL ? "critical,CA:TRUE,pathlen:1"
                                                   : "critical,CA:TRUE,pathlen:0";
    } else if (strcmp(what, "critical") == 0) {
        plan->is_critical_odd = true;
    } else if (strcmp(what, "signature") == 0) {
        plan->signer = s->key[STRANGER];
    } else if (strcmp(what, "expired") == 0) {
        plan->ends_s = s->when_s - SIM_HOUR;
    } else if (strcmp(what, "future") == 0) {
        plan->begins_s = s->when_s + SIM_HOUR;
    } else {
        return false;
    }
    return true;
}

static atls_code take_certs(nitro_plan *p, atls_err *err)
{
    static const struct {
        const char *fault;
        size_t which;
    } roots[] = {{"root.other", ROOT_STRANGER},
                 {"root.path_len", ROOT_SHORT},
                 {"root.key", ROOT_P256},
                 {"root.expired", ROOT_EXPIRED},
                 {"root.future", ROOT_FUTURE}};
    const nitro_state *s = p->state;
    for (size_t i = 0; i < NITRO_ROLES; i++) {
        const char *what = fault_of(p, (nitro_role)i);
        nitro_cert_plan plan = nitro_cert_usual((nitro_role)i, s->when_s);
        plan.key = s->key[i];
        plan.signer = s->key[i == NITRO_ROOT ? NITRO_ROOT : i - 1];
        p->cert[i] = (atls_buf){s->cert[i], s->cert_len[i]};
        if (strcmp(what, "certificate") == 0) {
            p->cert[i] = BYTES("no certificate");
        } else if (i != NITRO_ROOT && spoil(p, what, &plan)) {
            size_t len = 0;
            ATLS_TRY(nitro_cert_make(&plan, &p->own, &len, err));
            p->cert[i] = (atls_buf){p->own, len};
        }
    }
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        if (is(p, roots[i].fault)) {
            p->cert[NITRO_ROOT] = (atls_buf){s->cert[roots[i].which], s->cert_len[roots[i].which]};
        }
    }
    return ATLS_OK;
}

/* --- the payload --- */

static void write_name(atls_writer *w, const char *name)
{
    atls_cbor_write_string(w, ATLS_CBOR_TEXT, (atls_buf){(const uint8_t *)name, strlen(name)});
}

static const uint8_t too_long[1025];

/* A member that may be absent or null: of the request, or longer than it may be. */
static void write_optional(const nitro_plan *p, const char *name, const char *fault, atls_buf bytes,
                           atls_writer *w)
{
    const bool is_wrong = is(p, fault);
    if (is_wrong || bytes.len > 0) {
        write_name(w, name);
        atls_cbor_write_string(w, ATLS_CBOR_BYTES,
                               is_wrong ? (atls_buf){too_long, sizeof too_long} : bytes);
    } else if (p->has_nulls) {
        write_name(w, name);
        atls_cbor_write_head(w, ATLS_CBOR_NULL, 0);
    }
}

/* SHA-384 of "NAME/pcrN"; zero for those that nothing was measured into. */
static void write_pcr(const nitro_plan *p, unsigned index, atls_writer *w)
{
    char text[160];
    uint8_t value[48] = {0};
    const bool is_measured = p->is_tpm || index < 5 || index == 8;
    const bool is_debug = is(p, "debug") || p->request->debug;
    const bool is_zero = is_debug && !p->is_tpm && (index < 3 || index == 8);
    (void)snprintf(text, sizeof text, "%.100s/pcr%u",
                   p->request->workload != NULL ? p->request->workload : "demo", index);
    if (is_measured && !is_zero &&
        atls_digest(ATLS_SHA384, &(atls_buf){(const uint8_t *)text, strlen(text)}, 1, value,
                    NULL) != ATLS_OK) {
        w->failed = true;
    }
    atls_cbor_write_head(w, ATLS_CBOR_UINT, index);
    atls_cbor_write_string(w, ATLS_CBOR_BYTES,
                           (atls_buf){value, is(p, "field.pcrs") && index == 2 ? 32 : 48});
}

static void write_pcrs(const nitro_plan *p, bool as_tpm, atls_writer *w)
{
    const unsigned from = is(p, "field.pcr0") ? 1 : 0;
    const bool has_33 = is(p, "field.pcrs.index");
    const unsigned to = is(p, "field.pcrs.empty") ? from : 16;
    write_name(w, as_tpm ? "nitrotpm_pcrs" : "pcrs");
    atls_cbor_write_head(w, ATLS_CBOR_MAP, to - from + (has_33 ? 1 : 0));
    for (unsigned i = from; i < to; i++) {
        write_pcr(p, i, w);
    }
    if (has_33) {
        write_pcr(p, 32, w);
    }
}

static void write_bundle(const nitro_plan *p, atls_writer *w)
{
    const atls_buf *c = p->cert;
    const atls_buf orders[][4] = {
        {c[NITRO_ROOT], c[NITRO_REGIONAL], c[NITRO_ZONAL], c[NITRO_INSTANCE]},
        {c[NITRO_REGIONAL], c[NITRO_ZONAL], c[NITRO_INSTANCE]},
        {c[NITRO_INSTANCE], c[NITRO_ZONAL], c[NITRO_REGIONAL], c[NITRO_ROOT]},
        {c[NITRO_ROOT], c[NITRO_REGIONAL], c[NITRO_INSTANCE]},
        {c[NITRO_ROOT], c[NITRO_ZONAL], c[NITRO_REGIONAL], c[NITRO_INSTANCE]},
    };
    const size_t order = is(p, "root.absent")     ? 1
                         : is(p, "root.last")     ? 2
                         : is(p, "chain.missing") ? 3
                         : is(p, "chain.swapped") ? 4
                                                  : 0;
    const size_t n = is(p, "field.cabundle")        ? 0
                     : is(p, "field.cabundle.long") ? 9
                     : orders[order][3].len > 0     ? 4
                                                    : 3;
    write_name(w, "cabundle");
    atls_cbor_write_head(w, ATLS_CBOR_ARRAY, n);
    for (size_t i = 0; i < n; i++) {
        const bool is_long = is(p, "field.cabundle.size") && i == 2;
        atls_cbor_write_string(w, ATLS_CBOR_BYTES,
                               is_long ? (atls_buf){too_long, sizeof too_long}
                                       : orders[order][i < 4 ? i : 3]);
    }
}

static void write_module_id(const nitro_plan *p, atls_writer *w)
{
    atls_buf id = p->is_tpm ? BYTES("i-0123456789abcdef0-tpm0123456789abcdef")
                            : BYTES("i-0123456789abcdef0-enc0123456789abcdef");
    if (is(p, "field.module_id")) {
        id.len = 0;
    } else if (is(p, "field.module_id.control")) {
        id = BYTES("i-0\0enc");
    }
    write_name(w, "module_id");
    atls_cbor_write_string(w, ATLS_CBOR_TEXT, id);
}

static void write_members(const nitro_plan *p, atls_writer *w)
{
    if (!is(p, "field.module_id.absent")) {
        write_module_id(p, w);
    }
    if (!is(p, "field.digest.absent")) {
        write_name(w, "digest");
        write_name(w, is(p, "field.digest") ? "SHA512" : "SHA384");
    }
    if (!is(p, "field.timestamp.absent")) {
        write_name(w, "timestamp");
        const uint64_t ahead_s = is(p, "time.future") ? 61 : is(p, "time.leeway") ? 60 : 0;
        atls_cbor_write_head(
            w, ATLS_CBOR_UINT,
            is(p, "field.timestamp") ? 0 : ((uint64_t)p->state->when_s + ahead_s) * 1000);
    }
    if (!is(p, "field.pcrs.absent")) {
        write_pcrs(p, p->is_tpm, w);
    }
    if (is(p, "field.pcrs.both")) {
        write_pcrs(p, !p->is_tpm, w);
    }
    if (!is(p, "field.certificate.absent")) {
        write_name(w, "certificate");
        atls_cbor_write_string(w, ATLS_CBOR_BYTES,
                               is(p, "field.certificate") ? (atls_buf){too_long, sizeof too_long}
                                                          : p->cert[NITRO_LEAF]);
    }
    if (!is(p, "field.cabundle.absent")) {
        write_bundle(p, w);
    }
    write_optional(p, "public_key", "field.public_key",
                   (atls_buf){p->request->data.spki, p->request->data.spki_len}, w);
    write_optional(p, "user_data", "field.user_data", (atls_buf){NULL, 0}, w);
    write_optional(p, "nonce", "field.nonce",
                   (atls_buf){p->request->data.wide, sizeof p->request->data.wide}, w);
    if (is(p, "field.twice")) {
        write_module_id(p, w);
    }
    if (is(p, "odd.unknown_member")) {
        write_name(w, "shoe_size");
        atls_cbor_write_head(w, ATLS_CBOR_UINT, 44);
    }
    if (is(p, "field.size")) {
        static const uint8_t ballast[16384];
        write_name(w, "ballast");
        atls_cbor_write_string(w, ATLS_CBOR_BYTES, (atls_buf){ballast, sizeof ballast});
    }
}

/* A first pass counts the members. */
static uint64_t members(const nitro_plan *p)
{
    uint64_t n = 7; /* module_id, digest, timestamp, PCRs, certificate, bundle, nonce */
    const size_t len = strlen(p->fault);
    const bool is_absent = len > 7 && strcmp(p->fault + len - 7, ".absent") == 0 &&
                           strncmp(p->fault, "field.", 6) == 0;
    n -= is_absent ? 1 : 0;
    n += is(p, "field.pcrs.both") || is(p, "field.twice") || is(p, "odd.unknown_member") ||
                 is(p, "field.size")
             ? 1
             : 0;
    n += p->has_nulls || p->request->data.spki_len > 0 || is(p, "field.public_key") ? 1 : 0;
    n += p->has_nulls || is(p, "field.user_data") ? 1 : 0;
    return n;
}

static void write_payload(const nitro_plan *p, atls_writer *w)
{
    if (is(p, "field.map")) {
        atls_cbor_write_head(w, ATLS_CBOR_ARRAY, 0);
        return;
    }
    atls_cbor_write_head(w, ATLS_CBOR_MAP, members(p));
    write_members(p, w);
}

/* --- the document --- */

static sim_cose sign_plan(const nitro_plan *p, atls_buf payload)
{
    sim_cose cose = {.key = p->state->key[NITRO_LEAF],
                     .hash = "SHA2-384",
                     .protected_header = BYTES(SIM_COSE_ES384),
                     .payload = payload,
                     .tagged = p->is_tagged};
    cose.is_wrong = is(p, "document.signature");
    cose.is_der = is(p, "document.der");
    cose.is_zero = is(p, "document.zero");
    cose.is_detached = is(p, "document.detached");
    cose.has_trailing = is(p, "document.trailing");
    if (is(p, "document.other_key")) {
        cose.key = p->state->key[STRANGER];
    } else if (is(p, "document.es256")) {
        cose.protected_header = BYTES(SIM_COSE_ES256);
    } else if (is(p, "document.eddsa")) {
        cose.protected_header = BYTES("\xa1\x01\x27");
    } else if (is(p, "document.no_alg")) {
        cose.protected_header = BYTES("");
    } else if (is(p, "document.unprotected")) {
        cose.unprotected = cose.protected_header;
        cose.protected_header = BYTES("");
    } else if (is(p, "document.crit")) {
        cose.protected_header = BYTES("\xa2\x01\x38\x22\x02\x81\x04");
    }
    return cose;
}

static atls_code make_document(nitro_plan *p, atls_evidence_blob *out, atls_err *err)
{
    ATLS_TRY(take_certs(p, err));
    uint8_t *space = malloc(SPACE);
    uint8_t *document = NULL;
    size_t len = 0;
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, SPACE);
    write_payload(p, &w);
    const sim_cose cose = sign_plan(p, atls_writer_done(&w));
    atls_code rc = atls_writer_ok(&w) ? sim_cose_make(&cose, &document, &len, err)
                                      : ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto",
                                                 "the document could not be made");
    if (rc == ATLS_OK) {
        rc = sim_blob_add(out, "document", (atls_buf){document, len}, err);
        memcpy(out->type, "nitro", sizeof "nitro");
    }
    free(document);
    free(space);
    return rc;
}

static atls_code make(const void *state, const atls_sim_request *request, atls_evidence_blob *out,
                      atls_err *err)
{
    const char *variant = request->variant != NULL ? request->variant : "plain";
    nitro_plan p = {.state = state,
                    .request = request,
                    .fault = request->fault != NULL ? request->fault : "",
                    .is_tagged = strcmp(variant, "tag18") == 0,
                    .is_tpm = strcmp(variant, "nitrotpm") == 0,
                    .has_nulls = strcmp(variant, "nulls") == 0};
    if (!p.is_tagged && !p.is_tpm && !p.has_nulls && strcmp(variant, "plain") != 0) {
        return sim_no_variant("nitro", variant, err);
    }
    const atls_code rc = make_document(&p, out, err);
    free(p.own);
    return rc;
}

const sim_family sim_family_nitro = {
    .name = "nitro",
    .open = open_state,
    .close = close_state,
    .save = save,
    .load = load,
    .root = root,
    .make = make,
    .faults = sim_nitro_faults,
    .faults_n = &sim_nitro_faults_n,
};
