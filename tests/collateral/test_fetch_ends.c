/* What takes longer than it may: a name service that hangs, and a fetcher that ends while others wait for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <netdb.h>
#include <unistd.h>

#include <cmocka.h>

#include <atls/fetch.h>

#include "collateral/fake_origin.h"
#include "unit/sim_items.h"

#define KEY     "intel/rootcrl"
#define HANG_S  6
#define WAITERS 6

/* libcurl's threads call this one: every name hangs. */
int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
    (void)node;
    (void)service;
    (void)hints;
    *res = NULL;
    (void)sleep(HANG_S);
    return EAI_AGAIN;
}

typedef struct rig {
    fake_origin origin;
    atls_sim *sim;
    atls_store *store;
    atls_fetcher *f;
    atomic_uint ended;
} rig;

static void open_rig(rig *r, unsigned delay_ms, const char *first)
{
    char *root = NULL;
    char origin[128];
    sim_item item;
    memset(r, 0, sizeof *r);
    assert_int_equal(atls_sim_new(time(NULL), NULL, &r->sim, NULL), ATLS_OK);
    fake_origin_open(&r->origin);
    sim_item_from(r->sim, KEY, &item);
    fake_origin_put(&r->origin, &item.item);
    sim_item_clear(&item);
    r->origin.delay_ms = delay_ms;
    fake_origin_listen(&r->origin);
    assert_int_equal(atls_store_open(NULL, &r->store, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(r->sim, &root, NULL), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(
                         r->store, (atls_buf){(const uint8_t *)root, strlen(root)}, NULL),
                     ATLS_OK);
    atls_free(root);
    assert_int_equal(atls_fetcher_new(r->store, &r->f, NULL), ATLS_OK);
    if (first != NULL) {
        assert_int_equal(atls_fetcher_add_origin(r->f, first, NULL), ATLS_OK);
    }
    (void)snprintf(origin, sizeof origin, "pccs=%s", r->origin.text);
    assert_int_equal(atls_fetcher_add_origin(r->f, origin, NULL), ATLS_OK);
    assert_int_equal(atls_fetcher_set_option(r->f, "request-timeout", "1", NULL), ATLS_OK);
    assert_int_equal(atls_fetcher_start(r->f, NULL), ATLS_OK);
}

static void close_rig(rig *r)
{
    atls_fetcher_free(r->f);
    atls_store_free(r->store);
    fake_origin_hang_up(&r->origin);
    fake_origin_close(&r->origin);
    atls_sim_free(r->sim);
}

static double now_s(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A resolver's thread cannot be stopped; nobody waits for it. */
static void a_name_service_that_hangs_holds_nobody_up(void **state)
{
    (void)state;
    rig r;
    atls_needs needs = {.n = 1, .keys = {KEY}};
    atls_err err = {0};
    open_rig(&r, 0, "pccs=https://hangs.example");
    const double began = now_s();
    if (atls_fetcher_get(r.f, &needs, 0, &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    assert_true(now_s() - began < 3);
    assert_int_equal(atls_fetcher_renew(r.f, &needs, 500, &err), ATLS_OK);
    close_rig(&r);
    assert_true(now_s() - began < HANG_S - 1);
}

static void *wait_long(void *arg)
{
    rig *r = arg;
    atls_needs needs = {.n = 1, .keys = {KEY}};
    atls_err err = {0};
    if (atls_fetcher_get(r->f, &needs, 0, &err) == ATLS_E_COLLATERAL) {
        atomic_fetch_add(&r->ended, 1);
    }
    return NULL;
}

/* Whoever waits is told that nothing came, and has left before the fetcher is freed. */
static void a_fetcher_ends_while_others_wait(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        rig r;
        pthread_t waiters[WAITERS];
        open_rig(&r, 900, NULL);
        for (size_t i = 0; i < WAITERS; i++) {
            assert_int_equal(pthread_create(&waiters[i], NULL, wait_long, &r), 0);
        }
        (void)usleep(200000);
        atls_fetcher_free(r.f);
        r.f = NULL;
        for (size_t i = 0; i < WAITERS; i++) {
            (void)pthread_join(waiters[i], NULL);
        }
        assert_int_equal(atomic_load(&r.ended), WAITERS);
        close_rig(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_service_that_hangs_holds_nobody_up),
        cmocka_unit_test(a_fetcher_ends_while_others_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
