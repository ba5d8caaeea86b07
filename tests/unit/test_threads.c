/* One verifier and one simulated platform, shared by eight threads from the first verification on: every verdict is the
 * right one. .ci/run builds this with ThreadSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include <atls/atls.h>
#include <atls/sim.h>

#define WHEN_S  1767225600 /* 2026-01-01 */
#define THREADS 8
#define ROUNDS  24

typedef struct shared {
    atls_sim *sim;
    atls_verifier *verifier;
    pthread_barrier_t start;
} shared;

typedef struct worker {
    shared *all;
    unsigned number;
    unsigned wrong; /* verdicts that were not as they should be */
    unsigned made;
} worker;

static const struct {
    const char *type, *tcb;
    bool debug;
    bool other_data; /* other report data than the quote has is wanted */
    atls_code code;
} kinds[] = {
    {"tdx", "UpToDate", false, false, ATLS_OK},
    {"sgx", "UpToDate", false, false, ATLS_OK},
    {"tdx5", "UpToDate", false, false, ATLS_OK},
    {"tdx", "OutOfDate", false, false, ATLS_E_POLICY},
    {"tdx", "UpToDate", true, false, ATLS_E_POLICY},
    {"sgx", "Revoked", false, false, ATLS_E_POLICY},
    {"tdx", "UpToDate", false, true, ATLS_E_BINDING},
};

static void verify_one(worker *w, size_t kind, unsigned round)
{
    atls_sim_quote q = {
        .type = kinds[kind].type, .tcb = kinds[kind].tcb, .debug = kinds[kind].debug};
    q.report_data[0] = (uint8_t)w->number;
    q.report_data[1] = (uint8_t)round;
    atls_expected expected = {.has_report_data = true};
    memcpy(expected.report_data, q.report_data, sizeof expected.report_data);
    expected.report_data[63] = kinds[kind].other_data ? 1 : 0;

    uint8_t *quote = NULL;
    size_t len = 0;
    atls_evidence evidence = {.parts_n = 1};
    w->made++;
    if (atls_sim_make_quote(w->all->sim, &q, &quote, &len, NULL) != ATLS_OK) {
        w->wrong++;
        return;
    }
    evidence.parts[0].bytes = (atls_buf){quote, len};
    atls_verdict *verdict =
        atls_verifier_check(w->all->verifier, &evidence, &expected, WHEN_S, NULL);
    char *json = verdict != NULL ? atls_verdict_json(verdict) : NULL;
    if (json == NULL || atls_verdict_code(verdict) != kinds[kind].code ||
        atls_verdict_accepted(verdict) != (kinds[kind].code == ATLS_OK)) {
        w->wrong++;
    }
    atls_free(json);
    atls_verdict_free(verdict);
    atls_free(quote);
}

static void *work(void *arg)
{
    worker *w = arg;
    (void)pthread_barrier_wait(&w->all->start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        verify_one(w, (w->number + round) % (sizeof kinds / sizeof kinds[0]), round);
    }
    return NULL;
}

static atls_buf buf_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void teach(shared *all, const char *tee)
{
    char *json = NULL;
    atls_collateral *collateral = NULL;
    assert_int_equal(atls_sim_collateral(all->sim, tee, &json, NULL), ATLS_OK);
    assert_int_equal(atls_collateral_parse(buf_of(json), &collateral, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(all->verifier, collateral, NULL), ATLS_OK);
    atls_collateral_free(collateral);
    atls_free(json);
}

static void a_verifier_shared_by_threads(void **state)
{
    (void)state;
    shared all = {.verifier = atls_verifier_new()};
    char *root = NULL;
    assert_int_equal(atls_sim_new(WHEN_S, NULL, &all.sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(all.sim, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(all.verifier, buf_of(root), NULL),
                     ATLS_OK);
    atls_free(root);
    teach(&all, "tdx");
    teach(&all, "sgx");
    assert_int_equal(pthread_barrier_init(&all.start, NULL, THREADS), 0);

    pthread_t threads[THREADS];
    worker workers[THREADS] = {{0}};
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (worker){.all = &all, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].made, ROUNDS);
        assert_int_equal(workers[i].wrong, 0);
    }
    assert_int_equal(pthread_barrier_destroy(&all.start), 0);
    atls_verifier_free(all.verifier);
    atls_sim_free(all.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verifier_shared_by_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
