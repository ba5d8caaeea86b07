/* Many threads, one fetcher: what they ask for at once is fetched once. */
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

#define THREADS 8
#define TIMES   50

static const char *const keys[] = {"intel/tcb/tdx/53494d000000",
                                   "intel/tcb/sgx/53494d000000",
                                   "intel/qe/tdx",
                                   "intel/qe/sgx",
                                   "intel/pckcrl/platform",
                                   "intel/rootcrl"};
#define KEYS (sizeof keys / sizeof keys[0])

typedef struct rig {
    fake_origin origin;
    atls_sim *sim;
    atls_store *store;
    atls_fetcher *f;
    atls_err err;
    atomic_uint lines, failed;
} rig;

static void count_line(void *arg, const char *line)
{
    rig *r = arg;
    assert_non_null(strstr(line, "\"event\":\""));
    atomic_fetch_add(&r->lines, 1);
    (void)atls_fetcher_requests(r->f); /* the log may call us */
    atls_fetcher_keep_fresh(r->f, true);
}

static void open_rig(rig *r, unsigned delay_ms)
{
    memset(r, 0, sizeof *r);
    char *root = NULL;
    assert_int_equal(atls_sim_new(time(NULL), NULL, &r->sim, &r->err), ATLS_OK);
    fake_origin_open(&r->origin);
    for (size_t i = 0; i < KEYS; i++) {
        sim_item item;
        sim_item_from(r->sim, keys[i], &item);
        fake_origin_put(&r->origin, &item.item);
        sim_item_clear(&item);
    }
    r->origin.delay_ms = delay_ms;
    fake_origin_listen(&r->origin);
    assert_int_equal(atls_store_open(NULL, &r->store, &r->err), ATLS_OK);
    assert_int_equal(atls_sim_root(r->sim, &root, &r->err), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(
                         r->store, (atls_buf){(const uint8_t *)root, strlen(root)}, &r->err),
                     ATLS_OK);
    atls_free(root);
    char origin[128];
    (void)snprintf(origin, sizeof origin, "pccs=%s", r->origin.text);
    assert_int_equal(atls_fetcher_new(r->store, &r->f, &r->err), ATLS_OK);
    assert_int_equal(atls_fetcher_add_origin(r->f, origin, &r->err), ATLS_OK);
    atls_fetcher_set_log(r->f, count_line, r);
    assert_int_equal(atls_fetcher_start(r->f, &r->err), ATLS_OK);
}

static void close_rig(rig *r)
{
    atls_fetcher_free(r->f);
    atls_store_free(r->store);
    fake_origin_hang_up(&r->origin);
    fake_origin_close(&r->origin);
    atls_sim_free(r->sim);
}

static void needs_of(unsigned seed, atls_needs *out)
{
    memset(out, 0, sizeof *out);
    out->n = 1 + seed % 4;
    for (size_t i = 0; i < out->n; i++) {
        (void)snprintf(out->keys[i], sizeof out->keys[i], "%s", keys[(seed / 4 + i) % KEYS]);
    }
}

typedef struct asker {
    rig *r;
    unsigned seed;
    bool renew;
    pthread_t thread;
} asker;

static void *ask_often(void *arg)
{
    asker *me = arg;
    for (unsigned i = 0; i < TIMES; i++) {
        atls_needs needs;
        atls_err err = {0};
        needs_of(me->seed + i, &needs);
        atls_code rc = me->renew && i % 16 == 0 ? atls_fetcher_renew(me->r->f, &needs, 0, &err)
                                                : atls_fetcher_get(me->r->f, &needs, 0, &err);
        if (rc != ATLS_OK) {
            print_error("%s: %s\n", err.check, err.msg);
            atomic_fetch_add(&me->r->failed, 1);
        }
    }
    return NULL;
}

static void ask_with_all(rig *r, bool renew)
{
    asker askers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        askers[i] = (asker){.r = r, .seed = 7 * i, .renew = renew};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(askers[i].thread, NULL);
    }
    assert_int_equal(atomic_load(&r->failed), 0);
}

static void each_item_is_fetched_once(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, 20);
    ask_with_all(&r, false);
    assert_int_equal(atls_fetcher_requests(r.f), KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(fake_origin_asked(&r.origin, keys[i]), 1);
    }
    atls_fetcher_free(r.f); /* all lines are written before it ends */
    r.f = NULL;
    assert_int_equal(atomic_load(&r.lines), KEYS);
    close_rig(&r);
}

static void renewals_go_between(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, 0);
    ask_with_all(&r, true);
    assert_true(atls_fetcher_requests(r.f) >= KEYS);
    assert_int_equal(atls_fetcher_requests(r.f), atomic_load(&r.origin.asked));
    close_rig(&r);
}

static void *wait_in_vain(void *arg)
{
    asker *me = arg;
    atls_needs needs;
    atls_err err = {0};
    needs_of(0, &needs);
    if (atls_fetcher_get(me->r->f, &needs, 100, &err) != ATLS_E_COLLATERAL ||
        strcmp(err.check, "fetch.timeout") != 0) {
        atomic_fetch_add(&me->r->failed, 1);
    }
    return NULL;
}

static void a_fetcher_ends_while_requests_are_under_way(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, 500);
    asker me = {.r = &r};
    assert_int_equal(pthread_create(&me.thread, NULL, wait_in_vain, &me), 0);
    (void)pthread_join(me.thread, NULL);
    assert_int_equal(atomic_load(&r.failed), 0);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_fetched_once),
        cmocka_unit_test(renewals_go_between),
        cmocka_unit_test(a_fetcher_ends_while_requests_are_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
