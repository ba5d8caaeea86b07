/* snp_world.h: one simulated AMD world a program, evidence of it, and a verifier that trusts it. */
#ifndef ATLS_TESTS_SNP_WORLD_H
#define ATLS_TESTS_SNP_WORLD_H

#include "unit/simulated.h"

typedef struct snp_rig {
    atls_sim_world *world;
    char *root;
    atls_verifier *v;
} snp_rig;

static inline int snp_rig_open(void **state)
{
    static snp_rig rig;
    assert_int_equal(atls_sim_world_new("snp", NOW, &rig.world, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_root(rig.world, &rig.root, NULL), ATLS_OK);
    rig.v = atls_verifier_new();
    assert_non_null(rig.v);
    assert_int_equal(atls_verifier_insecure_trust_simulator(rig.v, text_buf(rig.root), NULL),
                     ATLS_OK);
    *state = &rig;
    return 0;
}

static inline int snp_rig_close(void **state)
{
    snp_rig *rig = *state;
    atls_verifier_free(rig->v);
    atls_free(rig->root);
    atls_sim_world_free(rig->world);
    return 0;
}

static inline atls_evidence_blob snp_evidence(const snp_rig *rig, const char *variant,
                                              const char *fault)
{
    atls_sim_request request = {.variant = variant, .fault = fault};
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    memset(request.data.wide, 0x42, sizeof request.data.wide);
    if (atls_sim_world_make(rig->world, &request, &blob, &err) != ATLS_OK) {
        print_error("%s\n", err.msg);
    }
    assert_int_equal(blob.parts_n, 2);
    return blob;
}

/* The parts of the blob, or only the first n of them. */
static inline atls_verdict *snp_check(const atls_verifier *v, const atls_evidence_blob *blob,
                                      size_t n, int64_t when_s)
{
    atls_evidence e = {.type = blob->type, .parts_n = n};
    for (size_t i = 0; i < n; i++) {
        e.parts[i].name = blob->parts[i].name;
        e.parts[i].bytes = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
    }
    atls_verdict *r = atls_verifier_check(v, &e, NULL, when_s, NULL);
    assert_non_null(r);
    return r;
}

#endif
