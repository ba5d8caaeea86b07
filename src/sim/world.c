#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/json.h"

#define STATE_MAX ((size_t)1 << 20)

/* Every family there is, in plain sight. NULL behind the last. */
static const sim_family *const families[] = {
    &sim_family_snp,
    &sim_family_cca,
    &sim_family_nitro,
    &sim_family_tpm,
    &sim_family_azure,
    &sim_family_snp_tpm,
    &sim_family_jwt,
    NULL,
};

struct atls_sim_world {
    const sim_family *family;
    int64_t when_s;
    void *state;
};

const char *atls_sim_world_name(size_t i)
{
    for (size_t at = 0; families[at] != NULL; at++) {
        if (at == i) {
            return families[at]->name;
        }
    }
    return NULL;
}

static const sim_family *family_of(const char *name)
{
    for (size_t i = 0; name != NULL && families[i] != NULL; i++) {
        if (strcmp(families[i]->name, name) == 0) {
            return families[i];
        }
    }
    return NULL;
}

static atls_code unknown(const char *name, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "sim.world", "there is no simulated family \"%.40s\"",
                    name != NULL ? name : "");
}

atls_code atls_sim_world_new(const char *name, int64_t when_s, atls_sim_world **out, atls_err *err)
{
    const sim_family *family = family_of(name);
    if (family == NULL) {
        return unknown(name, err);
    }
    atls_sim_world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    w->family = family;
    w->when_s = when_s;
    atls_code rc = family->open(when_s, &w->state, err);
    if (rc != ATLS_OK) {
        free(w);
        return rc;
    }
    *out = w;
    return ATLS_OK;
}

void atls_sim_world_free(atls_sim_world *w)
{
    if (w != NULL) {
        w->family->close(w->state);
        free(w);
    }
}

atls_code atls_sim_world_save(const atls_sim_world *w, char **out, atls_err *err)
{
    json_t *to = json_pack("{sssI}", "world", w->family->name, "when", (json_int_t)w->when_s);
    atls_code rc = to != NULL ? w->family->save(w->state, to, err) : ATLS_ERR_NOMEM(err);
    char *text = rc == ATLS_OK ? atls_json_write(to, JSON_INDENT(1)) : NULL;
    json_decref(to);
    if (rc == ATLS_OK && text == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    }
    if (rc == ATLS_OK) {
        *out = text;
    }
    return rc;
}

static atls_code load(const json_t *from, atls_sim_world *w, atls_err *err)
{
    const char *name = json_string_value(json_object_get(from, "world"));
    const json_t *when = json_object_get(from, "when");
    w->family = family_of(name);
    if (w->family == NULL || !json_is_integer(when)) {
        return unknown(name, err);
    }
    w->when_s = json_integer_value(when);
    return w->family->load(from, w->when_s, &w->state, err);
}

atls_code atls_sim_world_load(atls_buf json, atls_sim_world **out, atls_err *err)
{
    json_t *from = NULL;
    ATLS_TRY(atls_json_parse(json, STATE_MAX, "sim.state", &from, err));
    atls_sim_world *w = calloc(1, sizeof *w);
    atls_code rc = w != NULL ? load(from, w, err) : ATLS_ERR_NOMEM(err);
    json_decref(from);
    if (rc != ATLS_OK) {
        free(w);
        return rc;
    }
    *out = w;
    return ATLS_OK;
}

atls_code atls_sim_world_root(const atls_sim_world *w, char **pem, atls_err *err)
{
    if (w->family->root == NULL) {
        *pem = NULL;
        return ATLS_OK;
    }
    return w->family->root(w->state, pem, err);
}

atls_code atls_sim_world_endorsement(const atls_sim_world *w, char **text, atls_err *err)
{
    if (w->family->endorsement == NULL) {
        *text = NULL;
        return ATLS_OK;
    }
    return w->family->endorsement(w->state, text, err);
}

static const atls_sim_world_fault *fault_of(const sim_family *family, const char *name)
{
    for (size_t i = 0; i < *family->faults_n; i++) {
        if (strcmp(family->faults[i].name, name) == 0) {
            return &family->faults[i];
        }
    }
    return NULL;
}

atls_code atls_sim_world_make(const atls_sim_world *w, const atls_sim_request *request,
                              atls_evidence_blob *out, atls_err *err)
{
    if (request->fault != NULL && fault_of(w->family, request->fault) == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.fault", "the simulated %s has no fault \"%.60s\"",
                        w->family->name, request->fault);
    }
    atls_evidence_blob blob = {0};
    atls_code rc = w->family->make(w->state, request, &blob, err);
    if (rc != ATLS_OK) {
        atls_evidence_blob_clear(&blob);
        return rc;
    }
    *out = blob;
    return ATLS_OK;
}

bool atls_sim_world_fault_at(const char *world, size_t i, atls_sim_world_fault *out)
{
    const sim_family *family = family_of(world);
    if (family == NULL || i >= *family->faults_n) {
        return false;
    }
    *out = family->faults[i];
    return true;
}

atls_code sim_no_variant(const char *family, const char *variant, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "sim.variant", "the simulated %s has no variant \"%.40s\"",
                    family, variant);
}

atls_code sim_blob_add(atls_evidence_blob *blob, const char *name, atls_buf bytes, atls_err *err)
{
    size_t n = blob->parts_n;
    if (n == sizeof blob->parts / sizeof blob->parts[0] ||
        strlen(name) >= sizeof blob->parts[n].name) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.parts", "no room for the part %s", name);
    }
    blob->parts[n].bytes = malloc(bytes.len > 0 ? bytes.len : 1);
    if (blob->parts[n].bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (bytes.len > 0) {
        memcpy(blob->parts[n].bytes, bytes.ptr, bytes.len);
    }
    memcpy(blob->parts[n].name, name, strlen(name) + 1);
    blob->parts[n].len = bytes.len;
    blob->parts_n = n + 1;
    return ATLS_OK;
}

/* --- as an attester --- */

typedef struct source {
    const atls_sim_world *world;
    atls_sim_request request;
} source;

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const source *s = self;
    atls_sim_request request = s->request;
    request.data = *data;
    return atls_sim_world_make(s->world, &request, out, err);
}

atls_code atls_sim_world_attester_new(const atls_sim_world *w, const atls_sim_request *request,
                                      atls_attester **out, atls_err *err)
{
    source *s = calloc(1, sizeof *s);
    atls_attester *a = calloc(1, sizeof *a);
    if (s == NULL || a == NULL) {
        free(s);
        free(a);
        return ATLS_ERR_NOMEM(err);
    }
    *s = (source){w, *request};
    *a = (atls_attester){.name = "sim", .self = s, .attest = attest, .free = free};
    *out = a;
    return ATLS_OK;
}
