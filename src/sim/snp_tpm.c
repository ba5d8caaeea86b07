/* The world "snp-tpm": a guest on a simulated AMD chip, and a simulated TPM beside it. Variant "aws": a report of a VLEK
 * that names the TPM's key; "gcp": a report of a VCEK over the connection, and a certificate of the key. */
#include "sim/snp_tpm.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "sim/tpm_world.h"

typedef struct world {
    void *amd, *tpm; /* of the families snp and tpm */
} world;

static bool is(const char *fault, const char *name)
{
    return fault != NULL && strcmp(fault, name) == 0;
}

static void close_world(void *state)
{
    world *w = state;
    if (w != NULL) {
        sim_family_snp.close(w->amd);
        sim_family_tpm.close(w->tpm);
        free(w);
    }
}

static atls_code done(world *w, atls_code rc, void **state)
{
    if (rc != ATLS_OK) {
        close_world(w);
        return rc;
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
    atls_code rc = sim_family_snp.open(when_s, &w->amd, err);
    rc = rc == ATLS_OK ? sim_family_tpm.open(when_s, &w->tpm, err) : rc;
    return done(w, rc, state);
}

static atls_code load(const json_t *from, int64_t when_s, void **state, atls_err *err)
{
    world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = sim_family_tpm.load(json_object_get(from, "tpm"), when_s, &w->tpm, err);
    rc = rc == ATLS_OK ? sim_family_snp.load(json_object_get(from, "amd"), when_s, &w->amd, err)
                       : rc;
    return done(w, rc, state);
}

static atls_code save(const void *state, json_t *to, atls_err *err)
{
    const world *w = state;
    json_t *amd = json_object();
    json_t *tpm = json_object();
    const bool amd_set = json_object_set_new(to, "amd", amd) == 0;
    if (json_object_set_new(to, "tpm", tpm) != 0 || !amd_set) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(sim_family_snp.save(w->amd, amd, err));
    return sim_family_tpm.save(w->tpm, tpm, err);
}

/* AMD's roots, and the TPM maker's. */
static atls_code root(const void *state, char **pem, atls_err *err)
{
    const world *w = state;
    char *amd = NULL, *tpm = NULL, *all = NULL;
    atls_code rc = sim_family_snp.root(w->amd, &amd, err);
    rc = rc == ATLS_OK ? sim_family_tpm.root(w->tpm, &tpm, err) : rc;
    if (rc == ATLS_OK) {
        const size_t amd_len = strlen(amd), tpm_len = strlen(tpm);
        all = malloc(amd_len + tpm_len + 1);
        rc = all != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
        if (all != NULL) {
            memcpy(all, amd, amd_len);
            memcpy(all + amd_len, tpm, tpm_len + 1);
        }
    }
    free(amd);
    free(tpm);
    if (rc == ATLS_OK) {
        *pem = all;
    }
    return rc;
}

/* --- the TPM --- */

static bool begins(const char *fault, const char *with)
{
    return fault != NULL && strncmp(fault, with, strlen(with)) == 0;
}

/* Faults of a half are those of its family. */
static const char *tpm_fault(const char *fault, bool gcp)
{
    if (is(fault, "splice.quote")) {
        return "signature.key";
    }
    if (is(fault, "splice.ak_cert")) {
        return gcp ? "ak.differs" : NULL;
    }
    if (is(fault, "part.ak")) {
        return "ak.missing";
    }
    return begins(fault, "attest.") || begins(fault, "pcrs.") || begins(fault, "signature.") ||
                   begins(fault, "ak.") || begins(fault, "cert.")
               ? fault
               : NULL;
}

static const atls_buf *part_of(const atls_evidence_blob *blob, const char *name, atls_buf *out)
{
    for (size_t i = 0; i < blob->parts_n; i++) {
        if (strcmp(blob->parts[i].name, name) == 0) {
            *out = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
            return out;
        }
    }
    return NULL;
}

/* The certificate of the TPM's other key, beside a key that the report names. */
static atls_code add_other_cert(const world *w, const atls_sim_request *request,
                                atls_evidence_blob *out, atls_err *err)
{
    atls_evidence_blob other = {0};
    atls_sim_request ask = *request;
    atls_buf der;
    ask.variant = "cert";
    ask.fault = NULL;
    atls_code rc = sim_family_tpm.make(w->tpm, &ask, &other, err);
    if (rc == ATLS_OK && part_of(&other, "ak_cert", &der) != NULL) {
        rc = sim_blob_add(out, "ak_cert", der, err);
    }
    atls_evidence_blob_clear(&other);
    return rc;
}

static atls_code add_tpm(const world *w, const atls_sim_request *request, bool gcp,
                         atls_evidence_blob *out, atls_err *err)
{
    atls_sim_request ask = *request;
    ask.variant = is(request->fault, "splice.tpm") ? "ecc256" : gcp ? "cert" : "rsassa";
    ask.fault = tpm_fault(request->fault, gcp);
    ATLS_TRY(sim_family_tpm.make(w->tpm, &ask, out, err));
    return !gcp && is(request->fault, "splice.ak_cert") ? add_other_cert(w, request, out, err)
                                                        : ATLS_OK;
}

/* --- the report --- */

/* What AWS's report has: the digest of the TPM's key, or of another one's. */
static atls_code name_key(const world *w, const char *fault, uint8_t out[64], atls_err *err)
{
    uint8_t spki[SIM_TPM_SPKI_MAX];
    size_t len = 0;
    const char *whose = is(fault, "splice.report") ? "ecc384" : "rsassa";
    ATLS_TRY(sim_tpm_ak_spki(w->tpm, whose, spki, &len, err));
    const size_t from = is(fault, "link.modulus") ? 33 : 0;
    const atls_buf named = {spki + from, len - from};
    memset(out, 0, 64);
    ATLS_TRY(
        atls_digest(is(fault, "link.sha256") ? ATLS_SHA256 : ATLS_SHA512, &named, 1, out, err));
    out[63] ^= is(fault, "link.digest") ? 1 : 0;
    return ATLS_OK;
}

static atls_code add_report(const world *w, const atls_sim_request *request, bool gcp,
                            atls_evidence_blob *out, atls_err *err)
{
    const char *fault = request->fault;
    atls_evidence_blob amd = {0};
    atls_sim_request ask = *request;
    atls_buf bytes;
    ask.variant = gcp ? NULL : "vlek";
    ask.fault = begins(fault, "report.") || begins(fault, "leaf.") ? fault : NULL;
    if (!gcp) {
        ATLS_TRY(name_key(w, fault, ask.data.wide, err));
    }
    atls_code rc = sim_family_snp.make(w->amd, &ask, &amd, err);
    if (rc == ATLS_OK && !is(fault, "part.report") && part_of(&amd, "report", &bytes) != NULL) {
        rc = sim_blob_add(out, "snp_report", bytes, err);
    }
    if (rc == ATLS_OK && part_of(&amd, "certs", &bytes) != NULL) {
        rc = sim_blob_add(out, "certs", bytes, err);
    }
    atls_evidence_blob_clear(&amd);
    return rc;
}

static atls_code make(const void *state, const atls_sim_request *request, atls_evidence_blob *out,
                      atls_err *err)
{
    const char *variant = request->variant != NULL ? request->variant : "aws";
    const bool gcp = strcmp(variant, "gcp") == 0;
    if (!gcp && strcmp(variant, "aws") != 0) {
        return sim_no_variant("snp-tpm", variant, err);
    }
    ATLS_TRY(add_tpm(state, request, gcp, out, err));
    ATLS_TRY(add_report(state, request, gcp, out, err));
    memcpy(out->type, "snp-tpm", sizeof "snp-tpm");
    return ATLS_OK;
}

const sim_family sim_family_snp_tpm = {.name = "snp-tpm",
                                       .open = open_world,
                                       .close = close_world,
                                       .save = save,
                                       .load = load,
                                       .root = root,
                                       .make = make,
                                       .faults = sim_snp_tpm_faults,
                                       .faults_n = &sim_snp_tpm_faults_n};
