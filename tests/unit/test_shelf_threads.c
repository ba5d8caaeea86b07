/* Eight threads verify while another changes what the store has: each verdict is by one shelf or by the next, never by half
 * of each. For TSan, too. And what a shelf costs a verification. */
#include "unit/shelf_rig.h"

#include <pthread.h>
#include <time.h>

#define THREADS 8
#define ROUNDS  150

typedef struct crew {
    shelf_rig *r;
    atls_shelf *good, *revoked; /* two states of one vendor */
    atomic_int accepted, refused, wrong;
    atomic_bool done;
} crew;

static void *verifying(void *object)
{
    crew *c = object;
    for (int i = 0; i < ROUNDS; i++) {
        const atls_evidence e = {.parts_n = 1,
                                 .parts = {{"quote", {c->r->quote, c->r->quote_len}}}};
        atls_verdict *v = atls_verifier_check(c->r->v, &e, NULL, NOW + 60, NULL);
        if (v != NULL && atls_verdict_accepted(v)) {
            atomic_fetch_add(&c->accepted, 1);
        } else if (v != NULL && atls_verdict_code(v) == ATLS_E_INVALID &&
                   strcmp(atls_verdict_check(v), "pck.leaf.crl") == 0) {
            atomic_fetch_add(&c->refused, 1);
        } else {
            atomic_fetch_add(&c->wrong, 1);
        }
        atls_verdict_free(v);
    }
    return NULL;
}

static void *publishing(void *object)
{
    crew *c = object;
    const struct timespec pause = {0, 300000};
    for (size_t i = 0; !atomic_load(&c->done); i++) {
        atls_shelf_place_put(c->r->place, atls_shelf_up_ref(i % 2 == 0 ? c->revoked : c->good));
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    pthread_t publisher;
    crew c = {.r = rig_open(true)};
    rig_take(c.r, SIM_TDX, NOW);
    c.good = rig_shelf(c.r, NULL);
    c.r->plan.pck_crl.revokes = SIM_PCK;
    rig_take(c.r, SIM_TDX, NOW + 30);
    c.revoked = rig_shelf(c.r, c.good);
    atls_shelf_place_put(c.r->place, atls_shelf_up_ref(c.good));
    assert_int_equal(pthread_create(&publisher, NULL, publishing, &c), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, verifying, &c), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    atomic_store(&c.done, true);
    pthread_join(publisher, NULL);
    print_message("%d accepted, %d refused\n", atomic_load(&c.accepted), atomic_load(&c.refused));
    assert_int_equal(atomic_load(&c.wrong), 0);
    assert_int_equal(atomic_load(&c.accepted) + atomic_load(&c.refused), THREADS * ROUNDS);
    assert_true(atomic_load(&c.refused) > 0);
    atls_shelf_place_put(c.r->place, atls_shelf_up_ref(c.revoked));
    rig_refuses(c.r, NOW + 60, ATLS_E_INVALID, "pck.leaf.crl");
    atls_shelf_free(c.good);
    atls_shelf_free(c.revoked);
    rig_close(c.r);
}

/* --- cost --- */

/* A sanitizer counts each atomic and each lock dearly: what it measures is itself. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define MOST 2.0
#endif
#endif
#if !defined(MOST) && (defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__))
#define MOST 2.0
#endif
#ifndef MOST
#define MOST 1.15
#endif

#define PASSES 21
#define CHECKS 60

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double pass(const shelf_rig *r)
{
    const double begin = seconds();
    for (int i = 0; i < CHECKS; i++) {
        rig_accepts(r, NOW);
    }
    return seconds() - begin;
}

/* A store costs a verification next to nothing: the quickest pass of each, as others use the machine, too. */
static void a_store_costs_next_to_nothing(void **state)
{
    (void)state;
    shelf_rig *with = rig_open(true);
    rig_take(with, SIM_TDX, NOW);
    rig_raise(with, NOW);
    rig_publish(with);
    shelf_rig *without = rig_open(true);
    atls_verifier_set0_shelf_place(without->v, NULL, false);
    char *json = rig_say(without, SIM_TDX, NOW);
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse(text_buf(json), &c, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(without->v, c, NULL), ATLS_OK);
    atls_collateral_free(c);
    free(json);
    double best_with = 1e9;
    double best_without = 1e9;
    for (int i = 0; i < PASSES; i++) {
        const double a = pass(with);
        const double b = pass(without);
        best_with = a < best_with ? a : best_with;
        best_without = b < best_without ? b : best_without;
    }
    print_message("a verification: %.1f us with a store, %.1f us in memory (%+.1f %%)\n",
                  best_with / CHECKS * 1e6, best_without / CHECKS * 1e6,
                  (best_with / best_without - 1) * 100);
    assert_true(best_with < best_without * MOST);
    rig_close(with);
    rig_close(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads),
        cmocka_unit_test(a_store_costs_next_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
