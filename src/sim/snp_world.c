/* snp_world.c: AMD's chain and a chip under it. Keys are made once a world, and so is what all evidence without a fault
 * shares; a fault makes anew what it changes. */
#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/err.h"
#include "sim/snp_report.h"

#define VARIANTS_MAX 8

typedef struct chain {
    snp_bytes leaf, ca, crl;
} chain;

typedef struct world {
    int64_t when_s;
    snp_keys keys;
    snp_bytes roots[SNP_PRODUCTS];
    chain chains[VARIANTS_MAX];
} world;

static const char *const key_names[SNP_KEYS] = {"ark", "ask", "asvk", "vcek", "vlek", "p256"};

static atls_code no_crypto(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a simulated AMD chain could not be made");
}

static bool chain_make(const world *w, const snp_variant *v, const snp_plan *plan, chain *out)
{
    out->leaf = snp_leaf_make(&w->keys, v, plan, w->when_s);
    out->ca = snp_ca_make(&w->keys, v, plan, w->when_s);
    out->crl = snp_crl_make(&w->keys, v, plan, w->when_s);
    return out->leaf.len > 0 && out->ca.len > 0 && out->crl.len > 0;
}

static bool same_crl(const snp_plan *a, const snp_plan *b)
{
    return a->crl_from_s == b->crl_from_s && a->crl_until_s == b->crl_until_s &&
           a->crl_signer == b->crl_signer && a->crl_issuer == b->crl_issuer &&
           a->crl_revokes + a->crl_critical + a->crl_endless + a->crl_garbage + a->crl_sha256 == 0;
}

/* Only what the fault changes is made anew: *used is a mixture of made and usual. */
static bool chain_change(const world *w, const snp_variant *v, const snp_plan *plan,
                         const chain *usual, chain *made, chain *used)
{
    snp_plan good;
    snp_plan_default(&good);
    *used = *usual;
    if (memcmp(&plan->leaf, &good.leaf, sizeof good.leaf) != 0 || plan->extension != NULL) {
        used->leaf = made->leaf = snp_leaf_make(&w->keys, v, plan, w->when_s);
    }
    if (memcmp(&plan->ca, &good.ca, sizeof good.ca) != 0) {
        used->ca = made->ca = snp_ca_make(&w->keys, v, plan, w->when_s);
    }
    if (!same_crl(plan, &good)) {
        used->crl = made->crl = snp_crl_make(&w->keys, v, plan, w->when_s);
    }
    return used->leaf.len > 0 && used->ca.len > 0 && used->crl.len > 0;
}

static void chain_clear(chain *c)
{
    free(c->leaf.ptr);
    free(c->ca.ptr);
    free(c->crl.ptr);
}

static void world_close(void *state)
{
    world *w = state;
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < SNP_KEYS; i++) {
        EVP_PKEY_free(w->keys.key[i]);
    }
    for (size_t i = 0; i < SNP_PRODUCTS; i++) {
        free(w->roots[i].ptr);
    }
    for (size_t i = 0; i < VARIANTS_MAX; i++) {
        chain_clear(&w->chains[i]);
    }
    free(w);
}

/* With the keys there: all certificates. */
static bool certify(world *w)
{
    snp_plan plan;
    snp_plan_default(&plan);
    for (size_t i = 0; i < SNP_PRODUCTS; i++) {
        w->roots[i] = snp_root_make(&w->keys, (snp_product)i, w->when_s);
        if (w->roots[i].len == 0) {
            return false;
        }
    }
    for (size_t i = 0; snp_variant_at(i) != NULL; i++) {
        if (!chain_make(w, snp_variant_at(i), &plan, &w->chains[i])) {
            return false;
        }
    }
    return true;
}

static atls_code world_open(int64_t when_s, void **state, atls_err *err)
{
    static const char *const curves[SNP_KEYS] = {
        [SNP_VCEK] = "P-384", [SNP_VLEK] = "P-384", [SNP_P256] = "P-256"};
    world *w = calloc(1, sizeof *w);
    bool ok = w != NULL;
    for (size_t i = 0; ok && i < SNP_KEYS; i++) {
        w->keys.key[i] = curves[i] != NULL ? EVP_EC_gen(curves[i]) : EVP_RSA_gen(4096);
        ok = w->keys.key[i] != NULL;
    }
    if (ok) {
        w->when_s = when_s;
        ok = certify(w);
    }
    if (!ok) {
        world_close(w);
        return no_crypto(err);
    }
    *state = w;
    return ATLS_OK;
}

/* --- state --- */

static json_t *key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    json_t *text = NULL;
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        char *pem = NULL;
        const long len = BIO_get_mem_data(bio, &pem);
        text = json_stringn(pem, (size_t)len);
    }
    BIO_free(bio);
    return text;
}

static EVP_PKEY *key_from(const json_t *text)
{
    if (!json_is_string(text)) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(json_string_value(text), (int)json_string_length(text));
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return key;
}

static char *roots_pem(const world *w)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *lent = NULL;
    bool ok = bio != NULL;
    for (size_t i = 0; ok && i < SNP_PRODUCTS; i++) {
        ok = PEM_write_bio(bio, "CERTIFICATE", "", w->roots[i].ptr, (long)w->roots[i].len) > 0;
    }
    const long len = ok ? BIO_get_mem_data(bio, &lent) : 0;
    char *text = len > 0 ? strndup(lent, (size_t)len) : NULL;
    BIO_free(bio);
    return text;
}

static atls_code world_save(const void *state, json_t *to, atls_err *err)
{
    const world *w = state;
    for (size_t i = 0; i < SNP_KEYS; i++) {
        if (json_object_set_new(to, key_names[i], key_pem(w->keys.key[i])) != 0) {
            return ATLS_ERR_NOMEM(err);
        }
    }
    return ATLS_OK;
}

static atls_code world_load(const json_t *from, int64_t when_s, void **state, atls_err *err)
{
    world *w = calloc(1, sizeof *w);
    bool ok = w != NULL;
    for (size_t i = 0; ok && i < SNP_KEYS; i++) {
        w->keys.key[i] = key_from(json_object_get(from, key_names[i]));
        if (w->keys.key[i] == NULL) {
            world_close(w);
            return ATLS_ERR(err, ATLS_E_INVALID, "sim.state",
                            "the state of a simulated AMD chain has no key named %s", key_names[i]);
        }
    }
    if (ok) {
        w->when_s = when_s;
        ok = certify(w);
    }
    if (!ok) {
        world_close(w);
        return no_crypto(err);
    }
    *state = w;
    return ATLS_OK;
}

static atls_code world_root(const void *state, char **pem, atls_err *err)
{
    char *text = roots_pem(state);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *pem = text;
    return ATLS_OK;
}

/* --- evidence --- */

static atls_code make_parts(const world *w, const snp_variant *v, const snp_plan *plan,
                            const chain *c, const atls_sim_request *request,
                            atls_evidence_blob *out, atls_err *err)
{
    static const snp_bytes none;
    uint8_t report[SNP_REPORT_MAX];
    size_t len = 0;
    uint8_t *table = malloc(SNP_TABLE_MAX);
    if (table == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = no_crypto(err);
    if (snp_report_make(&w->keys, v, plan, request, report, &len)) {
        rc = sim_blob_add(out, "report", (atls_buf){report, len}, err);
    }
    if (rc == ATLS_OK) {
        rc = snp_table_make(v, plan, plan->no_leaf ? &none : &c->leaf, plan->no_ca ? &none : &c->ca,
                            plan->no_crl ? &none : &c->crl, table, &len)
                 ? sim_blob_add(out, "certs", (atls_buf){table, len}, err)
                 : no_crypto(err);
    }
    free(table);
    return rc;
}

static atls_code world_make(const void *state, const atls_sim_request *request,
                            atls_evidence_blob *out, atls_err *err)
{
    const world *w = state;
    const snp_variant *v = snp_variant_named(request->variant);
    if (v == NULL) {
        return sim_no_variant("snp", request->variant, err);
    }
    size_t at = 0;
    while (snp_variant_at(at) != v) {
        at++;
    }
    memcpy(out->type, "snp", 4);
    snp_plan plan;
    snp_plan_default(&plan);
    if (request->fault == NULL) {
        return make_parts(w, v, &plan, &w->chains[at], request, out, err);
    }
    chain made = {0};
    chain used;
    snp_fault_apply(request->fault, &plan);
    const atls_code rc = chain_change(w, v, &plan, &w->chains[at], &made, &used)
                             ? make_parts(w, v, &plan, &used, request, out, err)
                             : no_crypto(err);
    chain_clear(&made);
    return rc;
}

const sim_family sim_family_snp = {.name = "snp",
                                   .open = world_open,
                                   .close = world_close,
                                   .save = world_save,
                                   .load = world_load,
                                   .root = world_root,
                                   .make = world_make,
                                   .faults = snp_faults_told,
                                   .faults_n = &snp_faults_n};
