/* world.h: what a simulated family must offer. Const descriptors, listed in world.c. */
#ifndef ATLS_SIM_WORLD_H
#define ATLS_SIM_WORLD_H

#include <jansson.h>

#include <atls/sim.h>

typedef struct sim_family {
    const char *name;
    /* New keys. The state is the family's own. */
    atls_code (*open)(int64_t when_s, void **state, atls_err *err);
    void (*close)(void *state);
    /* The members that load needs, into an object that has "world" and "when" already. */
    atls_code (*save)(const void *state, json_t *to, atls_err *err);
    atls_code (*load)(const json_t *from, int64_t when_s, void **state, atls_err *err);
    atls_code (*root)(const void *state, char **pem, atls_err *err); /* NULL: the family has none */
    atls_code (*endorsement)(const void *state, char **text, atls_err *err); /* NULL: likewise */
    atls_code (*make)(const void *state, const atls_sim_request *request, atls_evidence_blob *out,
                      atls_err *err);
    const atls_sim_world_fault *faults;
    const size_t *faults_n;
} sim_family;

/* ATLS_E_USAGE "sim.variant". */
atls_code sim_no_variant(const char *family, const char *variant, atls_err *err);

extern const sim_family sim_family_cca;
extern const sim_family sim_family_nitro;
extern const sim_family sim_family_tpm;
extern const sim_family sim_family_jwt;
extern const sim_family sim_family_snp;
extern const sim_family sim_family_azure;
extern const sim_family sim_family_snp_tpm;

/* A malloc'ed copy of bytes as part name of blob. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code sim_blob_add(atls_evidence_blob *blob, const char *name, atls_buf bytes,
                                     atls_err *err);

#endif
