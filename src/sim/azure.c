/* The world "azure": a paravisor on a simulated AMD chip, and the vTPM whose key its report covers. The evidence has the
 * VCEK; the intermediate certificate and the CRL are the endorsement, as no part is for them. */
#include "sim/azure.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/err.h"
#include "sim/plan.h"
#include "sim/snp_report.h"
#include "sim/tpm_pki.h"
#include "sim/tpm_quote.h"
#include "trust/tpm_public.h"

enum { KEY_AK, KEY_EK, KEY_STRANGER, KEYS };
static const char *const key_names[KEYS] = {"ak", "ek", "stranger"};

typedef struct world {
    void *amd; /* of the family snp */
    EVP_PKEY *keys[KEYS];
    int64_t when_s;
} world;

static bool is(const char *fault, const char *name)
{
    return fault != NULL && strcmp(fault, name) == 0;
}

static atls_code no_crypto(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a simulated vTPM could not be made");
}

static void close_world(void *state)
{
    world *w = state;
    if (w != NULL) {
        for (size_t i = 0; i < KEYS; i++) {
            EVP_PKEY_free(w->keys[i]);
        }
        sim_family_snp.close(w->amd);
        free(w);
    }
}

static atls_code open_world(int64_t when_s, void **state, atls_err *err)
{
    world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    w->when_s = when_s;
    atls_code rc = sim_family_snp.open(when_s, &w->amd, err);
    for (size_t i = 0; rc == ATLS_OK && i < KEYS; i++) {
        w->keys[i] = EVP_RSA_gen(2048);
        rc = w->keys[i] != NULL ? ATLS_OK : no_crypto(err);
    }
    if (rc != ATLS_OK) {
        close_world(w);
        return rc;
    }
    *state = w;
    return ATLS_OK;
}

/* --- state --- */

static char *text_of(BIO *bio)
{
    char *bytes = NULL;
    const long len = BIO_get_mem_data(bio, &bytes);
    return len > 0 ? strndup(bytes, (size_t)len) : NULL;
}

static atls_code save_key(EVP_PKEY *key, const char *name, json_t *to, atls_err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const bool good =
        bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    char *text = good ? text_of(bio) : NULL;
    BIO_free(bio);
    const bool set = text != NULL && json_object_set_new(to, name, json_string(text)) == 0;
    if (text != NULL) {
        OPENSSL_cleanse(text, strlen(text));
    }
    free(text);
    return set ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code save(const void *state, json_t *to, atls_err *err)
{
    const world *w = state;
    json_t *amd = json_object();
    if (json_object_set_new(to, "amd", amd) != 0) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(sim_family_snp.save(w->amd, amd, err));
    for (size_t i = 0; i < KEYS; i++) {
        ATLS_TRY(save_key(w->keys[i], key_names[i], to, err));
    }
    return ATLS_OK;
}

static atls_code load_keys(const json_t *from, world *w, atls_err *err)
{
    for (size_t i = 0; i < KEYS; i++) {
        const json_t *text = json_object_get(from, key_names[i]);
        BIO *bio = json_is_string(text) ? BIO_new_mem_buf(json_string_value(text), -1) : NULL;
        w->keys[i] = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
        if (w->keys[i] == NULL) {
            return ATLS_ERR(err, ATLS_E_USAGE, "sim.state", "the key %s cannot be read",
                            key_names[i]);
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
    atls_code rc = load_keys(from, w, err);
    if (rc == ATLS_OK) {
        rc = sim_family_snp.load(json_object_get(from, "amd"), when_s, &w->amd, err);
    }
    if (rc != ATLS_OK) {
        close_world(w);
        return rc;
    }
    *state = w;
    return ATLS_OK;
}

static atls_code root(const void *state, char **pem, atls_err *err)
{
    return sim_family_snp.root(((const world *)state)->amd, pem, err);
}

/* --- what AMD says of the chip --- */

static bool put_pem(BIO *bio, const char *name, atls_buf der)
{
    return bio != NULL && PEM_write_bio(bio, name, "", der.ptr, (long)der.len) > 0;
}

static atls_code endorsement(const void *state, char **text, atls_err *err)
{
    const world *w = state;
    const atls_sim_request request = {.variant = NULL};
    atls_evidence_blob blob = {0};
    ATLS_TRY(sim_family_snp.make(w->amd, &request, &blob, err));
    const atls_buf table = {blob.parts[1].bytes, blob.parts[1].len};
    BIO *bio = BIO_new(BIO_s_mem());
    const bool good = put_pem(bio, "CERTIFICATE", snp_table_entry(table, SNP_ENTRY_CA)) &&
                      put_pem(bio, "X509 CRL", snp_table_entry(table, SNP_ENTRY_CRL));
    char *all = good ? text_of(bio) : NULL;
    BIO_free(bio);
    atls_evidence_blob_clear(&blob);
    if (all == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *text = all;
    return ATLS_OK;
}

/* --- evidence --- */

/* Faults of the report and of its leaf are those of the family snp. */
static const char *amd_fault(const char *fault)
{
    const bool of_amd =
        fault != NULL && (strncmp(fault, "report.", 7) == 0 || strncmp(fault, "leaf.", 5) == 0);
    return of_amd ? fault : NULL;
}

static atls_code add_hardware(const world *w, const atls_sim_request *request,
                              atls_evidence_blob *out, atls_err *err)
{
    const char *fault = request->fault;
    char runtime[SIM_RUNTIME_MAX];
    uint8_t hcl[SIM_HCL_MAX];
    size_t len = 0;
    atls_evidence_blob amd = {0};
    atls_sim_request ask = *request;
    ATLS_TRY(sim_azure_runtime(w->keys[KEY_AK], w->keys[KEY_EK], request->data.wide, fault, runtime,
                               &len, err));
    const atls_buf covered = {(const uint8_t *)runtime, len};
    ask.variant = NULL;
    ask.fault = amd_fault(fault);
    ATLS_TRY(sim_azure_report_data(covered, fault, ask.data.wide, err));
    atls_code rc = sim_family_snp.make(w->amd, &ask, &amd, err);
    if (rc == ATLS_OK && !is(fault, "hcl.missing")) {
        rc = sim_azure_hcl((atls_buf){amd.parts[0].bytes, amd.parts[0].len}, covered, fault, hcl,
                           &len, err);
        rc = rc == ATLS_OK ? sim_blob_add(out, "hcl_report", (atls_buf){hcl, len}, err) : rc;
    }
    if (rc == ATLS_OK) {
        const atls_buf table = {amd.parts[1].bytes, amd.parts[1].len};
        const atls_buf vcek = snp_table_entry(table, SNP_ENTRY_VCEK);
        rc = vcek.len > 0 ? sim_blob_add(out, "vcek", vcek, err) : ATLS_OK;
    }
    atls_evidence_blob_clear(&amd);
    return rc;
}

static atls_code add_cert(const world *w, const char *fault, atls_evidence_blob *out, atls_err *err)
{
    const size_t named = is(fault, "splice.ak_cert") ? KEY_STRANGER : KEY_AK;
    const sim_tpm_cert plan = {.cn = "Simulated vTPM AK",
                               .key_usage = "critical,digitalSignature",
                               .from_s = w->when_s - SIM_DAY,
                               .until_s = w->when_s + SIM_YEAR,
                               .key = w->keys[named],
                               .signer = w->keys[KEY_STRANGER]};
    X509 *cert = sim_tpm_cert_make(&plan);
    unsigned char *der = NULL;
    const int len = cert != NULL ? i2d_X509(cert, &der) : -1;
    X509_free(cert);
    if (len <= 0) {
        return no_crypto(err);
    }
    const atls_code rc = sim_blob_add(out, "ak_cert", (atls_buf){der, (size_t)len}, err);
    OPENSSL_free(der);
    return rc;
}

static atls_code add_names(const world *w, const sim_tpm_key *key, const char *fault,
                           atls_evidence_blob *out, atls_err *err)
{
    sim_tpm_part area = {0};
    sim_tpm_key shown = *key;
    shown.pkey = w->keys[is(fault, "splice.ak_public") ? KEY_STRANGER : KEY_AK];
    ATLS_TRY(sim_tpm_area(&shown, fault, &area, err));
    ATLS_TRY(sim_blob_add(out, "ak_public", (atls_buf){area.bytes, area.len}, err));
    return add_cert(w, fault, out, err);
}

static atls_code make(const void *state, const atls_sim_request *request, atls_evidence_blob *out,
                      atls_err *err)
{
    const world *w = state;
    const char *variant = request->variant != NULL ? request->variant : "snp";
    const bool bare = strcmp(variant, "bare") == 0;
    const bool other = is(request->fault, "splice.quote");
    atls_tpm_bank banks[ATLS_TPM_BANKS];
    if (!bare && strcmp(variant, "snp") != 0) {
        return sim_no_variant("azure", variant, err);
    }
    memset(banks, 0, sizeof banks);
    ATLS_TRY(sim_tpm_values(request->workload, banks, err));
    banks[ATLS_TPM_SHA256].selected = 0xffffff;
    memcpy(out->type, "azure", sizeof "azure");
    const sim_tpm_key key = {w->keys[other ? KEY_STRANGER : KEY_AK], ATLS_TPM_ALG_RSASSA,
                             ATLS_TPM_ALG_SHA256};
    const atls_buf data = {request->data.narrow, sizeof request->data.narrow};
    ATLS_TRY(sim_tpm_quote(&key, banks, data, bare, request->fault, out, err));
    if (!bare) {
        ATLS_TRY(add_names(w, &key, request->fault, out, err));
    }
    return add_hardware(w, request, out, err);
}

const sim_family sim_family_azure = {.name = "azure",
                                     .open = open_world,
                                     .close = close_world,
                                     .save = save,
                                     .load = load,
                                     .root = root,
                                     .endorsement = endorsement,
                                     .make = make,
                                     .faults = sim_azure_faults,
                                     .faults_n = &sim_azure_faults_n};
