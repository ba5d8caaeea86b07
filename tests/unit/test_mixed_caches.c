/* What was judged good says nothing about what only looks like it: one verifier, evidence accepted and so kept, and then
 * evidence of another root, key, time, policy or connection, in turn and from many threads at once. */
#include "world_walk.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS  40
#define LATER_S (11 * 31557600) /* the simulator's certificates last ten years */

static atls_sim_world *world_of(const char *name)
{
    atls_sim_world *w = NULL;
    assert_int_equal(atls_sim_world_new(name, WALK_WHEN, &w, NULL), ATLS_OK);
    return w;
}

static void make(atls_sim_world *w, const char *variant, const char *fault, atls_evidence_blob *out)
{
    const world_walk walk = {.world = w};
    const atls_sim_request request = {.variant = variant, .fault = fault};
    walk_make(&walk, &request, out);
}

static atls_buf part_of(const atls_evidence_blob *blob)
{
    return (atls_buf){blob->parts[0].bytes, blob->parts[0].len};
}

static void judged(const atls_verifier *v, const atls_evidence_blob *blob,
                   const atls_expected *expected, int64_t when_s, const char *check)
{
    atls_verdict *r = walk_judge_at(v, part_of(blob), expected, when_s);
    if (strcmp(atls_verdict_check(r), check) != 0 ||
        atls_verdict_accepted(r) != (check[0] == '\0')) {
        fail_msg("%s, where \"%s\" was to decide", atls_verdict_text(r, true), check);
    }
    atls_verdict_free(r);
}

static void set_root(atls_verifier *v, const atls_sim_world *w)
{
    char *root = NULL;
    assert_int_equal(atls_sim_world_root(w, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_AWS, walk_text(root), NULL), ATLS_OK);
    atls_free(root);
}

static atls_code endorse(atls_verifier *v, const atls_sim_world *w, atls_err *err)
{
    char *text = NULL;
    assert_int_equal(atls_sim_world_endorsement(w, &text, NULL), ATLS_OK);
    const atls_code rc = atls_verifier_add1_endorsement(v, walk_text(text), err);
    atls_free(text);
    return rc;
}

static void roots_replaced_take_their_paths_along(void **state)
{
    (void)state;
    atls_sim_world *worlds[2] = {world_of("nitro"), world_of("nitro")};
    atls_evidence_blob documents[2] = {{.parts_n = 0}, {.parts_n = 0}};
    atls_verifier *v = atls_verifier_new();
    for (size_t i = 0; i < 2; i++) {
        make(worlds[i], "plain", NULL, &documents[i]);
        judged(v, &documents[i], NULL, WALK_WHEN, "nitro.chain.root");
    }
    for (size_t round = 0; round < 4; round++) {
        set_root(v, worlds[round % 2]);
        for (size_t again = 0; again < 2; again++) {
            judged(v, &documents[round % 2], NULL, WALK_WHEN, "");
            judged(v, &documents[1 - round % 2], NULL, WALK_WHEN, "nitro.chain.root");
        }
    }
    for (size_t i = 0; i < 2; i++) {
        atls_evidence_blob_clear(&documents[i]);
        atls_sim_world_free(worlds[i]);
    }
    atls_verifier_free(v);
}

static void a_kept_path_is_judged_at_each_time_and_for_each_connection(void **state)
{
    (void)state;
    static const struct {
        int64_t after_s;
        const char *check; /* "?": any, but refused */
    } times[] = {{0, ""},  {LATER_S, "?"},
                 {0, ""},  {-2 * 86400, "nitro.document.time"},
                 {30, ""}, {INT64_MAX - WALK_WHEN, "?"},
                 {0, ""}};
    atls_sim_world *w = world_of("nitro");
    atls_verifier *v = walk_verifier(w);
    atls_evidence_blob blob = {0};
    make(w, "plain", NULL, &blob);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        const bool any = times[i].check[0] == '?';
        atls_verdict *r = walk_judge_at(v, part_of(&blob), NULL, WALK_WHEN + times[i].after_s);
        assert_true(any ? atls_verdict_code(r) == ATLS_E_COLLATERAL
                        : strcmp(atls_verdict_check(r), times[i].check) == 0);
        assert_int_equal(atls_verdict_accepted(r), times[i].check[0] == '\0');
        atls_verdict_free(r);
    }
    atls_expected expected = {.has_report_data = true};
    judged(v, &blob, &expected, WALK_WHEN, "");
    expected.report_data[63] = 1;
    judged(v, &blob, &expected, WALK_WHEN, "binding.report_data");
    judged(v, &blob, NULL, WALK_WHEN, "");
    atls_evidence_blob_clear(&blob);
    atls_verifier_free(v);
    atls_sim_world_free(w);
}

static void a_policy_set_later_is_asked(void **state)
{
    (void)state;
    static const char text[] =
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\"tees\":[\"nitro\"],"
        "\"bindings\":[\"evidence-alone\"],\"max_evidence_age_s\":300}]}";
    atls_policy *policy = NULL;
    atls_err err = {0};
    atls_sim_world *w = world_of("nitro");
    atls_verifier *v = walk_verifier(w);
    atls_evidence_blob enclave = {0};
    atls_evidence_blob tpm = {0};
    make(w, "plain", NULL, &enclave);
    make(w, "nitrotpm", NULL, &tpm);
    judged(v, &enclave, NULL, WALK_WHEN + 301, "");
    judged(v, &tpm, NULL, WALK_WHEN + 301, "");
    if (atls_policy_parse(walk_text(text), &policy, &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(atls_verifier_set1_policy(v, policy, NULL), ATLS_OK);
    atls_policy_free(policy);
    judged(v, &enclave, NULL, WALK_WHEN + 300, "");
    judged(v, &enclave, NULL, WALK_WHEN + 301, "policy.evidence_age");
    judged(v, &tpm, NULL, WALK_WHEN, "policy.tee");
    atls_evidence_blob_clear(&tpm);
    atls_evidence_blob_clear(&enclave);
    atls_verifier_free(v);
    atls_sim_world_free(w);
}

/* The keys of two issuers have the same kids here. */
static void keys_added_later_make_a_token_ambiguous(void **state)
{
    (void)state;
    static const char *const variants[] = {"rs256", "ps384", "es256", "es384", "ear", "maa", "ita"};
    atls_sim_world *own = world_of("jwt");
    atls_sim_world *other = world_of("jwt");
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        atls_verifier *v = walk_verifier(own);
        atls_evidence_blob good = {0};
        atls_evidence_blob bad = {0};
        make(own, variants[i], NULL, &good);
        make(other, variants[i], NULL, &bad);
        judged(v, &good, NULL, WALK_WHEN, "");
        judged(v, &bad, NULL, WALK_WHEN, "token.signature");
        judged(v, &good, NULL, WALK_WHEN, "");
        assert_int_equal(endorse(v, other, NULL), ATLS_OK);
        judged(v, &good, NULL, WALK_WHEN, "token.key.ambiguous");
        judged(v, &bad, NULL, WALK_WHEN, "token.key.ambiguous");
        atls_evidence_blob_clear(&good);
        atls_evidence_blob_clear(&bad);
        atls_verifier_free(v);
    }
    atls_sim_world_free(other);
    atls_sim_world_free(own);
}

/* Keys are for one kind of evidence, and roots of one family for that family. */
static void what_is_vouched_for_one_kind_counts_for_no_other(void **state)
{
    (void)state;
    static const char *const names[] = {"nitro", "cca", "jwt", "tpm", "snp"};
    enum { WORLDS = sizeof names / sizeof names[0] };
    atls_sim_world *worlds[WORLDS];
    atls_evidence_blob blobs[WORLDS];
    memset(blobs, 0, sizeof blobs);
    for (size_t i = 0; i < WORLDS; i++) {
        worlds[i] = world_of(names[i]);
        make(worlds[i], NULL, NULL, &blobs[i]);
    }
    for (size_t trusted = 0; trusted < WORLDS; trusted++) {
        world_walk walk = {.world = worlds[trusted]};
        walk.verifier = walk_verifier(worlds[trusted]);
        for (size_t i = 0; i < 2 * WORLDS; i++) {
            atls_verdict *r = walk_judge(&walk, &blobs[i % WORLDS]);
            assert_int_equal(atls_verdict_accepted(r), i % WORLDS == trusted);
            assert_int_equal(r->claims.tee != ATLS_TEE_NONE, i % WORLDS == trusted);
            atls_verdict_free(r);
        }
        atls_verifier_free(walk.verifier);
    }
    for (size_t i = 0; i < WORLDS; i++) {
        atls_evidence_blob_clear(&blobs[i]);
        atls_sim_world_free(worlds[i]);
    }
}

static void a_trust_anchor_is_for_its_own_platform(void **state)
{
    (void)state;
    atls_sim_world *own = world_of("cca");
    atls_sim_world *other = world_of("cca");
    atls_verifier *v = walk_verifier(own);
    atls_evidence_blob good = {0};
    atls_evidence_blob bad = {0};
    make(own, "profile2023", NULL, &good);
    make(other, "profile2023", NULL, &bad);
    judged(v, &good, NULL, WALK_WHEN, "");
    judged(v, &bad, NULL, WALK_WHEN, "cca.platform.trust_anchor");
    assert_int_equal(endorse(v, other, NULL), ATLS_OK);
    judged(v, &bad, NULL, WALK_WHEN, "");
    judged(v, &good, NULL, WALK_WHEN, "");
    atls_evidence_blob_clear(&good);
    atls_evidence_blob_clear(&bad);
    make(other, "profile2023", "binding.other_rak", &bad);
    judged(v, &bad, NULL, WALK_WHEN, "cca.binding");
    atls_evidence_blob_clear(&bad);
    atls_verifier_free(v);
    atls_sim_world_free(other);
    atls_sim_world_free(own);
}

/* --- many threads --- */

static const struct {
    const char *fault; /* NULL: none */
    int64_t after_s;
    bool other_data;
    atls_code code;
} cases[] = {
    {NULL, 0, false, ATLS_OK},
    {NULL, 0, true, ATLS_E_BINDING},
    {NULL, LATER_S, false, ATLS_E_COLLATERAL},
    {NULL, -3600, false, ATLS_E_BINDING},
    {"document.signature", 0, false, ATLS_E_INVALID},
    {"leaf.signature", 0, false, ATLS_E_INVALID},
    {"leaf.expired", 0, false, ATLS_E_COLLATERAL},
    {"zonal.signature", 0, false, ATLS_E_INVALID},
    {"zonal.expired", 0, false, ATLS_E_COLLATERAL},
    {"chain.missing", 0, false, ATLS_E_INVALID},
    {"root.other", 0, false, ATLS_E_INVALID},
};
enum { CASES = sizeof cases / sizeof cases[0] };

typedef struct worker {
    const atls_verifier *v;
    const atls_evidence_blob *blobs;
    pthread_barrier_t *start;
    unsigned number, wrong, made;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    (void)pthread_barrier_wait(w->start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        const size_t i = (w->number + round) % CASES;
        const atls_evidence e = {.parts_n = 1, .parts = {{NULL, part_of(&w->blobs[i])}}};
        atls_expected expected = {.has_report_data = true};
        expected.report_data[0] = cases[i].other_data ? 1 : 0;
        atls_verdict *r =
            atls_verifier_check(w->v, &e, &expected, WALK_WHEN + cases[i].after_s, NULL);
        w->wrong += r == NULL || atls_verdict_code(r) != cases[i].code ||
                            atls_verdict_accepted(r) != (cases[i].code == ATLS_OK)
                        ? 1
                        : 0;
        w->made++;
        atls_verdict_free(r);
    }
    return NULL;
}

static void threads_do_not_share_what_differs(void **state)
{
    (void)state;
    atls_sim_world *w = world_of("nitro");
    atls_verifier *v = walk_verifier(w);
    atls_evidence_blob blobs[CASES];
    memset(blobs, 0, sizeof blobs);
    worker workers[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    for (size_t i = 0; i < CASES; i++) {
        make(w, "plain", cases[i].fault, &blobs[i]);
    }
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (worker){.v = v, .blobs = blobs, .start = &start, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
        assert_int_equal(workers[i].made, ROUNDS);
    }
    pthread_barrier_destroy(&start);
    for (size_t i = 0; i < CASES; i++) {
        atls_evidence_blob_clear(&blobs[i]);
    }
    atls_verifier_free(v);
    atls_sim_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_replaced_take_their_paths_along),
        cmocka_unit_test(a_kept_path_is_judged_at_each_time_and_for_each_connection),
        cmocka_unit_test(a_policy_set_later_is_asked),
        cmocka_unit_test(keys_added_later_make_a_token_ambiguous),
        cmocka_unit_test(what_is_vouched_for_one_kind_counts_for_no_other),
        cmocka_unit_test(a_trust_anchor_is_for_its_own_platform),
        cmocka_unit_test(threads_do_not_share_what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
