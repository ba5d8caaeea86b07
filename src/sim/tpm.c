/* The world "tpm": a software TPM with an AK of every kind. All but one are vouched for by being handed over as PEM; the
 * one of variant "cert" has a certificate under a root of family tpm. */
#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/err.h"
#include "sim/log.h"
#include "sim/plan.h"
#include "sim/tpm_pki.h"
#include "sim/tpm_quote.h"
#include "sim/tpm_world.h"
#include "trust/tpm_public.h"

enum { KEY_ECC256, KEY_RSASSA, KEY_RSAPSS, KEY_ECC384, KEY_CERT, KEY_ROOT, KEY_STRANGER, KEYS };
#define VOUCHED_KEYS KEY_CERT /* those before it */

static const struct {
    const char *name;  /* of the variant, and in the saved state */
    const char *group; /* NULL: RSA of 2048 bits */
    uint16_t scheme, hash;
} kinds[KEYS] = {
    [KEY_ECC256] = {"ecc256", "P-256", ATLS_TPM_ALG_ECDSA, ATLS_TPM_ALG_SHA256},
    [KEY_RSASSA] = {"rsassa", NULL, ATLS_TPM_ALG_RSASSA, ATLS_TPM_ALG_SHA256},
    [KEY_RSAPSS] = {"rsapss", NULL, ATLS_TPM_ALG_RSAPSS, ATLS_TPM_ALG_SHA256},
    [KEY_ECC384] = {"ecc384", "P-384", ATLS_TPM_ALG_ECDSA, ATLS_TPM_ALG_SHA384},
    [KEY_CERT] = {"cert", "P-256", ATLS_TPM_ALG_ECDSA, ATLS_TPM_ALG_SHA256},
    [KEY_ROOT] = {"root", "P-256", 0, 0},
    [KEY_STRANGER] = {"stranger", "P-256", ATLS_TPM_ALG_ECDSA, ATLS_TPM_ALG_SHA256},
};

typedef struct world {
    EVP_PKEY *keys[KEYS];
    int64_t when_s;
    X509 *root;
} world;

static void close_world(void *state)
{
    world *w = state;
    if (w != NULL) {
        for (size_t i = 0; i < KEYS; i++) {
            EVP_PKEY_free(w->keys[i]);
        }
        X509_free(w->root);
        free(w);
    }
}

static bool is(const char *fault, const char *name)
{
    return fault != NULL && strcmp(fault, name) == 0;
}

/* --- keys and certificates --- */

static X509 *make_root(const world *w)
{
    return sim_tpm_cert_make(&(sim_tpm_cert){.cn = "Simulated TPM Root",
                                             .key_usage = "critical,keyCertSign,cRLSign",
                                             .is_ca = true,
                                             .from_s = w->when_s - SIM_DAY,
                                             .until_s = w->when_s + 10 * (int64_t)SIM_YEAR,
                                             .key = w->keys[KEY_ROOT],
                                             .signer = w->keys[KEY_ROOT]});
}

/* Root and state around keys that are there. */
static atls_code finish(world *w, void **state, atls_err *err)
{
    w->root = make_root(w);
    if (w->root == NULL) {
        close_world(w);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a TPM's root could not be made");
    }
    *state = w;
    return ATLS_OK;
}

static atls_code open_world(int64_t when_s, void **state, atls_err *err)
{
    world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    w->when_s = when_s;
    for (size_t i = 0; i < KEYS; i++) {
        w->keys[i] = kinds[i].group != NULL ? EVP_EC_gen(kinds[i].group) : EVP_RSA_gen(2048);
        if (w->keys[i] == NULL) {
            close_world(w);
            return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a TPM's key could not be made");
        }
    }
    return finish(w, state, err);
}

static X509 *make_ak_cert(const world *w, const char *fault)
{
    sim_tpm_cert plan = {.cn = "Simulated TPM AK",
                         .key_usage = "critical,digitalSignature",
                         .eku = "2.23.133.8.3",
                         .san = "critical,DNS:simulated",
                         .from_s = w->when_s - SIM_DAY,
                         .until_s = w->when_s + SIM_YEAR,
                         .key = w->keys[KEY_CERT],
                         .issuer = w->root,
                         .signer = w->keys[KEY_ROOT]};
    X509 *other = NULL;
    plan.until_s = is(fault, "cert.expired") ? w->when_s - SIM_MINUTE : plan.until_s;
    plan.from_s = is(fault, "cert.not_yet_valid") ? w->when_s + SIM_DAY : plan.from_s;
    plan.is_ca = is(fault, "cert.ca");
    if (is(fault, "cert.critical")) {
        plan.oid = "1.3.6.1.4.1.99999.1";
        plan.value = "critical,DER:0500";
    }
    plan.key_usage = is(fault, "cert.usage") ? "critical,keyEncipherment" : plan.key_usage;
    plan.signer = is(fault, "cert.signature") ? w->keys[KEY_STRANGER] : plan.signer;
    if (is(fault, "cert.self_signed")) {
        plan.issuer = NULL;
        plan.signer = plan.key;
    } else if (is(fault, "cert.issuer")) {
        other = sim_tpm_cert_make(&(sim_tpm_cert){.cn = "Another TPM Root",
                                                  .key_usage = "critical,keyCertSign",
                                                  .is_ca = true,
                                                  .from_s = w->when_s - SIM_DAY,
                                                  .until_s = w->when_s + SIM_YEAR,
                                                  .key = w->keys[KEY_STRANGER],
                                                  .signer = w->keys[KEY_STRANGER]});
        plan.issuer = other;
        plan.signer = w->keys[KEY_STRANGER];
    }
    X509 *cert = sim_tpm_cert_make(&plan);
    X509_free(other);
    return cert;
}

/* --- saving --- */

static atls_code pem_of(EVP_PKEY *key, bool is_private, BIO *bio, atls_err *err)
{
    const int ok = is_private ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                              : PEM_write_bio_PUBKEY(bio, key);
    return bio != NULL && ok == 1 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static char *text_of(BIO *bio)
{
    char *bytes = NULL;
    const long len = BIO_get_mem_data(bio, &bytes);
    return strndup(bytes, (size_t)len);
}

static atls_code save(const void *state, json_t *to, atls_err *err)
{
    const world *w = state;
    for (size_t i = 0; i < KEYS; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        atls_code rc = bio != NULL ? pem_of(w->keys[i], true, bio, err) : ATLS_ERR_NOMEM(err);
        char *text = rc == ATLS_OK ? text_of(bio) : NULL;
        BIO_free(bio);
        const bool set =
            text != NULL && json_object_set_new(to, kinds[i].name, json_string(text)) == 0;
        free(text);
        if (!set) {
            return rc != ATLS_OK ? rc : ATLS_ERR_NOMEM(err);
        }
    }
    return ATLS_OK;
}

static atls_code load(const json_t *from, int64_t when_s, void **state, atls_err *err)
{
    world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    w->when_s = when_s;
    for (size_t i = 0; i < KEYS; i++) {
        const json_t *text = json_object_get(from, kinds[i].name);
        BIO *bio = json_is_string(text) ? BIO_new_mem_buf(json_string_value(text), -1) : NULL;
        w->keys[i] = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
        if (w->keys[i] == NULL) {
            close_world(w);
            return ATLS_ERR(err, ATLS_E_USAGE, "sim.state", "the key %s cannot be read",
                            kinds[i].name);
        }
    }
    return finish(w, state, err);
}

static atls_code root(const void *state, char **pem, atls_err *err)
{
    const world *w = state;
    BIO *bio = BIO_new(BIO_s_mem());
    const bool good = bio != NULL && PEM_write_bio_X509(bio, w->root) == 1;
    char *text = good ? text_of(bio) : NULL;
    BIO_free(bio);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *pem = text;
    return ATLS_OK;
}

static atls_code endorsement(const void *state, char **text, atls_err *err)
{
    const world *w = state;
    BIO *bio = BIO_new(BIO_s_mem());
    atls_code rc = bio != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
    for (size_t i = 0; rc == ATLS_OK && i < VOUCHED_KEYS; i++) {
        rc = pem_of(w->keys[i], false, bio, err);
    }
    char *all = rc == ATLS_OK ? text_of(bio) : NULL;
    BIO_free(bio);
    if (all == NULL) {
        return rc != ATLS_OK ? rc : ATLS_ERR_NOMEM(err);
    }
    *text = all;
    return ATLS_OK;
}

/* --- evidence --- */

static atls_code kind_of(const char *variant, size_t *out, atls_err *err)
{
    *out = KEY_ECC256;
    for (size_t i = 0; variant != NULL && i <= KEY_CERT; i++) {
        if (strcmp(variant, kinds[i].name) == 0) {
            *out = i;
            return ATLS_OK;
        }
    }
    return variant == NULL ? ATLS_OK : sim_no_variant("TPM", variant, err);
}

atls_code sim_tpm_ak_spki(const void *state, const char *variant, uint8_t out[SIM_TPM_SPKI_MAX],
                          size_t *len, atls_err *err)
{
    const world *w = state;
    size_t kind = 0;
    uint8_t *at = out;
    ATLS_TRY(kind_of(variant, &kind, err));
    const int n = i2d_PUBKEY(w->keys[kind], NULL);
    if (n <= 0 || n > SIM_TPM_SPKI_MAX || i2d_PUBKEY(w->keys[kind], &at) != n) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a TPM's key could not be encoded");
    }
    *len = (size_t)n;
    return ATLS_OK;
}

static atls_code add_cert(const world *w, const char *fault, atls_evidence_blob *out, atls_err *err)
{
    X509 *cert = make_ak_cert(w, fault);
    unsigned char *der = NULL;
    const int len = cert != NULL ? i2d_X509(cert, &der) : -1;
    X509_free(cert);
    if (len <= 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "an AK certificate could not be made");
    }
    const size_t cut = is(fault, "cert.truncated") ? 1 : 0;
    const atls_code rc = sim_blob_add(out, "ak_cert", (atls_buf){der, (size_t)len - cut}, err);
    OPENSSL_free(der);
    return rc;
}

static atls_code add_key(const world *w, size_t kind, const sim_tpm_key *key, const char *fault,
                         atls_evidence_blob *out, atls_err *err)
{
    sim_tpm_part area = {0};
    sim_tpm_key shown = *key;
    if (is(fault, "ak.missing")) {
        return ATLS_OK;
    }
    shown.pkey = is(fault, "ak.differs") ? w->keys[KEY_ECC256] : key->pkey;
    ATLS_TRY(sim_tpm_area(&shown, fault, &area, err));
    ATLS_TRY(sim_blob_add(out, "ak_public", (atls_buf){area.bytes, area.len}, err));
    return kind == KEY_CERT ? add_cert(w, fault, out, err) : ATLS_OK;
}

/* Firmware's log and the IMA list, and the PCRs that they give; a fault changes the log that has it. */
static atls_code add_logs(const atls_sim_request *request, atls_tpm_bank banks[ATLS_TPM_BANKS],
                          atls_evidence_blob *out, atls_err *err)
{
    const char *workload = request->workload != NULL ? request->workload : "demo";
    const bool of_ima = sim_log_has_fault("ima", request->fault);
    uint8_t *log = NULL;
    uint8_t *ima = NULL;
    size_t log_len = 0;
    size_t ima_len = 0;
    const char *of_pcrs = sim_log_has_fault("pcrs", request->fault) ? request->fault : NULL;
    atls_code rc = sim_log_pcrs(workload, of_pcrs, banks, &log, &log_len, err);
    rc = rc != ATLS_OK
             ? rc
             : sim_log_ima(workload, of_ima ? request->fault : NULL, banks, &ima, &ima_len, err);
    rc = rc != ATLS_OK ? rc : sim_blob_add(out, "event_log", (atls_buf){log, log_len}, err);
    rc = rc != ATLS_OK ? rc : sim_blob_add(out, "ima_log", (atls_buf){ima, ima_len}, err);
    free(log);
    free(ima);
    return rc;
}

static atls_code make(const void *state, const atls_sim_request *request, atls_evidence_blob *out,
                      atls_err *err)
{
    const world *w = state;
    const char *fault = request->fault;
    size_t kind = KEY_ECC256;
    atls_tpm_bank banks[ATLS_TPM_BANKS];
    memset(banks, 0, sizeof banks);
    const bool logs = is(request->variant, "logs");
    ATLS_TRY(kind_of(logs ? NULL : request->variant, &kind, err));
    ATLS_TRY(sim_tpm_values(request->workload, banks, err));
    if (logs) {
        ATLS_TRY(add_logs(request, banks, out, err));
    }
    banks[ATLS_TPM_SHA256].selected = SIM_TPM_SELECTED;
    banks[ATLS_TPM_SHA384].selected = kind == KEY_ECC384 ? SIM_TPM_SELECTED : 0;
    memcpy(out->type, "tpm", sizeof "tpm");
    sim_tpm_key key = {w->keys[kind], kinds[kind].scheme, kinds[kind].hash};
    if (is(fault, "ak.untrusted") || is(fault, "signature.key")) {
        key.pkey = w->keys[KEY_STRANGER];
    }
    const atls_buf data = {request->data.narrow, sizeof request->data.narrow};
    ATLS_TRY(sim_tpm_quote(&key, banks, data, false, fault, out, err));
    key.pkey = is(fault, "signature.key") ? w->keys[kind] : key.pkey;
    return add_key(w, kind, &key, fault, out, err);
}

const sim_family sim_family_tpm = {.name = "tpm",
                                   .open = open_world,
                                   .close = close_world,
                                   .save = save,
                                   .load = load,
                                   .root = root,
                                   .endorsement = endorsement,
                                   .make = make,
                                   .faults = sim_tpm_faults,
                                   .faults_n = &sim_tpm_faults_n};
