/* No memory while documents of Nitro and tokens of CCA are judged, cold and warm, and while trust anchors are taken: never
 * an acceptance that lacks a check, and nothing half-judged is kept. */
#include "unit/torture.h"

#include <stdlib.h>

#include "unit/failing_alloc.h"
#include "unit/world_walk.h"

typedef struct job {
    world_walk walk;
    atls_evidence_blob blob;
    char *anchors;
    atls_verifier *other; /* that the anchors are given to */
    atls_verdict *verdict;
} job;

static job job_of(const char *world, const char *variant)
{
    static const char *const none[] = {NULL};
    job j = {.anchors = NULL};
    const atls_sim_request request = {.variant = variant};
    walk_open(&j.walk, world, none);
    walk_make(&j.walk, &request, &j.blob);
    return j;
}

static void job_done(job *j)
{
    atls_evidence_blob_clear(&j->blob);
    atls_free(j->anchors);
    walk_close(&j->walk);
}

static atls_code judge(void *self, atls_err *err)
{
    job *j = self;
    const atls_evidence e = {.parts_n = 1,
                             .parts = {{NULL, {j->blob.parts[0].bytes, j->blob.parts[0].len}}}};
    j->verdict = atls_verifier_check(j->walk.verifier, &e, NULL, WALK_WHEN, err);
    if (j->verdict == NULL) {
        return err->code;
    }
    err->check = atls_verdict_check(j->verdict);
    return atls_verdict_code(j->verdict);
}

static char *verdict_json(void *self)
{
    const job *j = self;
    assert_true(atls_verdict_accepted(j->verdict));
    return atls_verdict_json(j->verdict);
}

static void forget(void *self)
{
    job *j = self;
    atls_verdict_free(j->verdict);
    j->verdict = NULL;
    atls_verifier_drop_caches(j->walk.verifier);
}

static void know(void *self)
{
    job *j = self;
    atls_verdict *r = walk_judge(&j->walk, &j->blob);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
}

/* What a run without memory left behind is no hindrance. */
static void judge_again(void *self)
{
    forget(self);
    know(self);
    forget(self);
}

static void documents_of_nitro(void **state)
{
    (void)state;
    job j = job_of("nitro", "nulls");
    atls_verifier_drop_caches(j.walk.verifier);
    torture_all(
        &(torture){"a document of Nitro, cold", &j, NULL, judge, verdict_json, judge_again});
    torture_all(&(torture){"a document of Nitro, warm", &j, know, judge, verdict_json, forget});
    job_done(&j);
}

static void tokens_of_cca(void **state)
{
    (void)state;
    job j = job_of("cca", "profile2023");
    torture_all(&(torture){"a token of CCA", &j, NULL, judge, verdict_json, forget});
    job_done(&j);
}

static atls_code take_anchors(void *self, atls_err *err)
{
    job *j = self;
    return atls_verifier_add1_endorsement(j->other, walk_text(j->anchors), err);
}

static void other_verifier(void *self)
{
    ((job *)self)->other = atls_verifier_new();
    assert_non_null(((job *)self)->other);
}

static void drop_other(void *self)
{
    atls_verifier_free(((job *)self)->other);
}

static char *verdict_of_other(void *self)
{
    job *j = self;
    const atls_buf token = {j->blob.parts[0].bytes, j->blob.parts[0].len};
    atls_verdict *r = walk_judge_at(j->other, token, NULL, WALK_WHEN);
    char *json = atls_verdict_json(r);
    atls_verdict_free(r);
    return json;
}

static void trust_anchors(void **state)
{
    (void)state;
    job j = job_of("cca", "es256");
    assert_int_equal(atls_sim_world_endorsement(j.walk.world, &j.anchors, NULL), ATLS_OK);
    torture_all(&(torture){"trust anchors", &j, other_verifier, take_anchors, verdict_of_other,
                           drop_other});
    job_done(&j);
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_of_nitro),
        cmocka_unit_test(tokens_of_cca),
        cmocka_unit_test(trust_anchors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
