/* 50 platforms, 8 threads, 10,000 verifications and an empty store: each item is fetched once. And what a full one costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atls/fetch.h>

#include "collateral/fake_origin.h"
#include "unit/sim_items.h"

#define PLATFORMS 50
#define THREADS   8
#define TOTAL     10000
#define ITEMS     (PLATFORMS + 3) /* TCB info each; QE identity and two CRLs of the vendor's */
#define BLOCK     250
#define BLOCKS    10

typedef struct platform {
    atls_sim *sim;
    uint8_t *quote;
    size_t quote_len;
    char tcb_key[ATLS_ITEM_KEY_LEN];
} platform;

typedef struct storm {
    char dir[64];
    fake_origin origin;
    platform platforms[PLATFORMS];
    atls_store *store;
    atls_verifier *with_store, *in_memory;
    atls_fetcher *f;
    atomic_uint refused, unfetched;
} storm;
static storm the_storm;

static const char *const shared_keys[] = {"intel/qe/tdx", "intel/pckcrl/platform", "intel/rootcrl"};

static void put(storm *s, const atls_sim *sim, const char *key)
{
    sim_item item;
    sim_item_from(sim, key, &item);
    fake_origin_put(&s->origin, &item.item);
    sim_item_clear(&item);
}

static void make_platform(storm *s, unsigned i)
{
    platform *p = &s->platforms[i];
    const uint8_t fmspc[6] = {0x53, 0x49, 0x4d, 0, 1, (uint8_t)i};
    const atls_sim_quote q = {.type = "tdx"};
    atls_err err;
    atls_code rc = i == 0 ? atls_sim_new(time(NULL), NULL, &p->sim, &err)
                          : atls_sim_add_platform(s->platforms[0].sim, fmspc, &p->sim, &err);
    if (rc != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(atls_sim_make_quote(p->sim, &q, &p->quote, &p->quote_len, &err), ATLS_OK);
    (void)snprintf(p->tcb_key, sizeof p->tcb_key,
                   i == 0 ? "intel/tcb/tdx/53494d000000" : "intel/tcb/tdx/53494d0001%02x", i);
    put(s, p->sim, p->tcb_key);
}

static atls_verifier *new_verifier(atls_buf root)
{
    atls_verifier *v = atls_verifier_new();
    assert_non_null(v);
    assert_int_equal(atls_verifier_insecure_trust_simulator(v, root, NULL), ATLS_OK);
    return v;
}

static int set_up(void **state)
{
    storm *s = &the_storm;
    atls_err err;
    char *root = NULL;
    char origin[128];
    memset(s, 0, sizeof *s);
    (void)snprintf(s->dir, sizeof s->dir, "/tmp/atls-storm-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    fake_origin_open(&s->origin);
    for (unsigned i = 0; i < PLATFORMS; i++) {
        make_platform(s, i);
    }
    for (size_t i = 0; i < sizeof shared_keys / sizeof shared_keys[0]; i++) {
        put(s, s->platforms[0].sim, shared_keys[i]);
    }
    s->origin.delay_ms = 5;
    fake_origin_listen(&s->origin);
    assert_int_equal(atls_sim_root(s->platforms[0].sim, &root, &err), ATLS_OK);
    const atls_buf certs = {(const uint8_t *)root, strlen(root)};
    assert_int_equal(atls_store_open(s->dir, &s->store, &err), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(s->store, certs, &err), ATLS_OK);
    s->with_store = new_verifier(certs);
    s->in_memory = new_verifier(certs);
    atls_free(root);
    assert_int_equal(atls_verifier_set0_store(s->with_store, s->store, true, &err), ATLS_OK);
    assert_int_equal(atls_fetcher_new(s->store, &s->f, &err), ATLS_OK);
    (void)snprintf(origin, sizeof origin, "pccs=%.95s", s->origin.text);
    assert_int_equal(atls_fetcher_add_origin(s->f, origin, &err), ATLS_OK);
    assert_int_equal(atls_fetcher_start(s->f, &err), ATLS_OK);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    storm *s = *state;
    char command[96];
    atls_fetcher_free(s->f);
    atls_verifier_free(s->with_store);
    atls_verifier_free(s->in_memory);
    atls_store_free(s->store);
    fake_origin_hang_up(&s->origin);
    fake_origin_close(&s->origin);
    for (unsigned i = PLATFORMS; i-- > 0;) {
        atls_free(s->platforms[i].quote);
        atls_sim_free(s->platforms[i].sim);
    }
    (void)snprintf(command, sizeof command, "rm -r '%s'", s->dir);
    return system(command);
}

static atls_evidence evidence_of(const platform *p)
{
    return (atls_evidence){
        .type = "tdx", .parts_n = 1, .parts = {{"quote", {p->quote, p->quote_len}}}};
}

static bool accepts(const atls_verifier *v, const platform *p)
{
    const atls_evidence e = evidence_of(p);
    atls_verdict *r = atls_verifier_check(v, &e, NULL, time(NULL), NULL);
    const bool good = r != NULL && atls_verdict_accepted(r);
    if (!good && r != NULL) {
        print_error("%s: %s\n", atls_verdict_check(r), atls_verdict_message(r));
    }
    atls_verdict_free(r);
    return good;
}

/* As a program does it that meets a peer. */
static bool fetch_and_accept(storm *s, const platform *p)
{
    const atls_evidence e = evidence_of(p);
    atls_needs needs;
    atls_err err = {0};
    atls_evidence_needs(&e, &needs);
    if (atls_fetcher_get(s->f, &needs, 0, &err) != ATLS_OK) {
        print_error("%s: %s\n", err.check, err.msg);
        atomic_fetch_add(&s->unfetched, 1);
        return false;
    }
    return accepts(s->with_store, p);
}

typedef struct worker {
    storm *s;
    unsigned seed;
    pthread_t thread;
} worker;

static void *verify_many(void *arg)
{
    worker *w = arg;
    unsigned chance = w->seed;
    for (unsigned i = 0; i < TOTAL / THREADS; i++) {
        chance = chance * 1664525u + 1013904223u;
        if (!fetch_and_accept(w->s, &w->s->platforms[(chance >> 8) % PLATFORMS])) {
            atomic_fetch_add(&w->s->refused, 1);
        }
    }
    return NULL;
}

static void storm_of(storm *s)
{
    worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (worker){.s = s, .seed = 17 * i + 1};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, verify_many, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    assert_int_equal(atomic_load(&s->refused), 0);
}

static void an_empty_store_is_filled_with_one_fetch_an_item(void **state)
{
    storm *s = *state;
    storm_of(s);
    assert_int_equal(atls_fetcher_requests(s->f), ITEMS);
    assert_int_equal(atomic_load(&s->origin.asked), ITEMS);
    for (unsigned i = 0; i < PLATFORMS; i++) {
        assert_int_equal(fake_origin_asked(&s->origin, s->platforms[i].tcb_key), 1);
    }
    for (size_t i = 0; i < sizeof shared_keys / sizeof shared_keys[0]; i++) {
        assert_int_equal(fake_origin_asked(&s->origin, shared_keys[i]), 1);
    }
}

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_full_store_costs_next_to_nothing(void **state)
{
    storm *s = *state;
    double best[3] = {1e9, 1e9, 1e9};
    const uint64_t before = atls_fetcher_requests(s->f);
    for (unsigned i = 0; i < PLATFORMS; i++) {
        char *json = NULL;
        atls_collateral *c = NULL;
        assert_int_equal(atls_sim_collateral(s->platforms[i].sim, "tdx", &json, NULL), ATLS_OK);
        assert_int_equal(
            atls_collateral_parse((atls_buf){(const uint8_t *)json, strlen(json)}, &c, NULL),
            ATLS_OK);
        assert_int_equal(atls_verifier_add1_collateral(s->in_memory, c, NULL), ATLS_OK);
        atls_collateral_free(c);
        atls_free(json);
    }
    for (unsigned block = 0; block < 3 * BLOCKS; block++) { /* in turns: the machine is busy */
        const double began = cpu_s();
        for (unsigned i = 0; i < BLOCK; i++) {
            const platform *p = &s->platforms[i % PLATFORMS];
            assert_true(block % 3 == 2   ? fetch_and_accept(s, p)
                        : block % 3 == 1 ? accepts(s->in_memory, p)
                                         : accepts(s->with_store, p));
        }
        const double took = cpu_s() - began;
        best[block % 3] = took < best[block % 3] ? took : best[block % 3];
    }
    assert_int_equal(atls_fetcher_requests(s->f), before);
    (void)printf(
        "in memory %.0f verifications/s; with a store %.0f: %+.1f %%; asking a fetcher first %.0f\n",
        BLOCK / best[1], BLOCK / best[0], 100 * (best[0] / best[1] - 1), BLOCK / best[2]);
    assert_true(best[0] < 1.15 * best[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_store_is_filled_with_one_fetch_an_item),
        cmocka_unit_test(a_full_store_costs_next_to_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
