/* A fleet of three hosts, each with threads that verify all the time through one redis-server, which is killed and started
 * again under them: nothing is refused that the origin can give, nobody storms the origin, and the level is used again. SIGPIPE
 * keeps its default: a program that uses us need not ignore it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <unistd.h>

#include <cmocka.h>

#include <atls/fetch.h>

#include "collateral/fake_origin.h"
#include "collateral/redis_server.h"
#include "unit/sim_items.h"

#define HOSTS     3
#define THREADS   2 /* each */
#define PLATFORMS 150
#define KILLS     3
#define FEW       (HOSTS + 2) /* fetches of one item, whatever Redis does */

static const char *const shared_keys[] = {"intel/qe/tdx", "intel/pckcrl/platform", "intel/rootcrl"};

typedef struct platform {
    atls_sim *sim;
    uint8_t *quote;
    size_t quote_len;
    char tcb_key[ATLS_ITEM_KEY_LEN];
} platform;

typedef struct fleet fleet;
typedef struct host {
    fleet *of;
    atls_store *store;
    atls_verifier *verifier;
    atls_fetcher *f;
    atomic_uint troubles, recoveries; /* lines of the log */
} host;

struct fleet {
    fake_origin origin;
    redis_server redis;
    platform platforms[PLATFORMS];
    host hosts[HOSTS];
    atomic_uint met;     /* platforms: those before are known to the fleet */
    atomic_uint refused; /* verifications */
    atomic_uint verified;
    atomic_bool stop;
};
static fleet the_fleet;

static void pause_ms(unsigned ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static void put(fleet *x, const atls_sim *sim, const char *key)
{
    sim_item item;
    sim_item_from(sim, key, &item);
    fake_origin_put(&x->origin, &item.item);
    sim_item_clear(&item);
}

static void make_platform(fleet *x, unsigned i)
{
    platform *p = &x->platforms[i];
    const uint8_t fmspc[6] = {0x53, 0x49, 0x4d, 0, 1, (uint8_t)i};
    const atls_sim_quote q = {.type = "tdx"};
    atls_err err = {0};
    const atls_code rc = i == 0 ? atls_sim_new(time(NULL), NULL, &p->sim, &err)
                                : atls_sim_add_platform(x->platforms[0].sim, fmspc, &p->sim, &err);
    if (rc != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(atls_sim_make_quote(p->sim, &q, &p->quote, &p->quote_len, &err), ATLS_OK);
    (void)snprintf(p->tcb_key, sizeof p->tcb_key,
                   i == 0 ? "intel/tcb/tdx/53494d000000" : "intel/tcb/tdx/53494d0001%02x", i);
    put(x, p->sim, p->tcb_key);
}

static void count_line(void *arg, const char *line)
{
    host *h = arg;
    if (strstr(line, "\"event\":\"shared\"") != NULL) {
        atomic_fetch_add(strstr(line, "answers again") != NULL ? &h->recoveries : &h->troubles, 1);
    }
}

static void open_host(fleet *x, host *h)
{
    atls_err err = {0};
    char *root = NULL;
    char origin[128];
    h->of = x;
    assert_int_equal(atls_sim_root(x->platforms[0].sim, &root, &err), ATLS_OK);
    const atls_buf certs = {(const uint8_t *)root, strlen(root)};
    assert_int_equal(atls_store_open(NULL, &h->store, &err), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(h->store, certs, &err), ATLS_OK);
    h->verifier = atls_verifier_new();
    assert_non_null(h->verifier);
    assert_int_equal(atls_verifier_insecure_trust_simulator(h->verifier, certs, &err), ATLS_OK);
    assert_int_equal(atls_verifier_set0_store(h->verifier, h->store, true, &err), ATLS_OK);
    atls_free(root);
    assert_int_equal(atls_fetcher_new(h->store, &h->f, &err), ATLS_OK);
    (void)snprintf(origin, sizeof origin, "pccs=%.95s", x->origin.text);
    assert_int_equal(atls_fetcher_add_origin(h->f, origin, &err), ATLS_OK);
    assert_int_equal(atls_fetcher_set_shared(h->f, x->redis.url, &err), ATLS_OK);
    atls_fetcher_set_log(h->f, count_line, h);
    assert_int_equal(atls_fetcher_start(h->f, &err), ATLS_OK);
}

static void close_host(host *h)
{
    atls_fetcher_free(h->f);
    atls_verifier_free(h->verifier);
    atls_store_free(h->store);
}

static bool fetch_and_accept(const host *h, const platform *p)
{
    const atls_evidence e = {
        .type = "tdx", .parts_n = 1, .parts = {{"quote", {p->quote, p->quote_len}}}};
    atls_needs needs;
    atls_err err = {0};
    atls_evidence_needs(&e, &needs);
    if (atls_fetcher_get(h->f, &needs, 0, &err) != ATLS_OK) {
        print_error("%s: %s\n", err.check, err.msg);
        return false;
    }
    atls_verdict *r = atls_verifier_check(h->verifier, &e, NULL, time(NULL), NULL);
    const bool good = r != NULL && atls_verdict_accepted(r);
    if (!good && r != NULL) {
        print_error("%s: %s\n", atls_verdict_check(r), atls_verdict_message(r));
    }
    atls_verdict_free(r);
    return good;
}

/* Mostly the newest platforms: each is met by all hosts at about the same time. */
static void *verify_always(void *arg)
{
    host *h = arg;
    for (unsigned n = 0; !atomic_load(&h->of->stop); n++) {
        const unsigned met = atomic_load(&h->of->met);
        const unsigned back = n % 4 < met ? n % 4 : 0;
        if (!fetch_and_accept(h, &h->of->platforms[met - back])) {
            atomic_fetch_add(&h->of->refused, 1);
        }
        atomic_fetch_add(&h->of->verified, 1);
        pause_ms(2);
    }
    return NULL;
}

/* A new platform now and then. */
static void meet(fleet *x, unsigned n, unsigned every_ms)
{
    for (unsigned i = 0; i < n; i++) {
        assert_true(atomic_load(&x->met) + 1 < PLATFORMS);
        atomic_fetch_add(&x->met, 1);
        pause_ms(every_ms);
    }
}

static unsigned sum_of_asked(fleet *x, unsigned from, unsigned to)
{
    unsigned sum = 0;
    for (unsigned i = from; i < to; i++) {
        const unsigned asked = fake_origin_asked(&x->origin, x->platforms[i].tcb_key);
        if (asked > FEW) {
            fail_msg("platform %u was asked for %u times", i, asked);
        }
        sum += asked;
    }
    return sum;
}

static void kill_and_restart(fleet *x)
{
    for (unsigned i = 0; i < KILLS; i++) {
        redis_server_kill(&x->redis);
        meet(x, 15, 50);
        (void)unlink(x->redis.socket);
        redis_server_restart(&x->redis);
        meet(x, 10, 50);
    }
}

static void redis_dies_and_comes_back_under_load(void **state)
{
    fleet *x = *state;
    pthread_t threads[HOSTS * THREADS];
    (void)signal(SIGPIPE, SIG_DFL);
    for (unsigned i = 0; i < HOSTS * THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, verify_always, &x->hosts[i % HOSTS]), 0);
    }
    meet(x, 15, 50);
    kill_and_restart(x);
    pause_ms(4000); /* a level that failed is left alone for three seconds */
    const unsigned again = atomic_load(&x->met) + 1;
    meet(x, 20, 50);
    atomic_store(&x->stop, true);
    for (unsigned i = 0; i < HOSTS * THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&x->refused), 0);
    const unsigned met = atomic_load(&x->met);
    const unsigned all = sum_of_asked(x, 0, again);
    const unsigned last = sum_of_asked(x, again, met);
    (void)printf(
        "%u verifications; %u items fetched %u times while Redis came and went, %u items %u times after\n",
        atomic_load(&x->verified), again, all, met - again, last);
    /* Once for all hosts: the level is used again. Where threads were held up, one may have been passed over. */
    assert_true(last > 0 && last <= met - again);
    for (size_t i = 0; i < sizeof shared_keys / sizeof shared_keys[0]; i++) {
        assert_int_equal(fake_origin_asked(&x->origin, shared_keys[i]), 1);
    }
    for (unsigned i = 0; i < HOSTS; i++) { /* all lines are written then */
        atls_fetcher_free(x->hosts[i].f);
        x->hosts[i].f = NULL;
        assert_true(atomic_load(&x->hosts[i].troubles) >= 1);
        assert_true(atomic_load(&x->hosts[i].recoveries) >= 1);
        assert_true(atomic_load(&x->hosts[i].troubles) <= 2 * KILLS);
    }
}

static int set_up(void **state)
{
    fleet *x = &the_fleet;
    memset(x, 0, sizeof *x);
    fake_origin_open(&x->origin);
    for (unsigned i = 0; i < PLATFORMS; i++) {
        make_platform(x, i);
    }
    for (size_t i = 0; i < sizeof shared_keys / sizeof shared_keys[0]; i++) {
        put(x, x->platforms[0].sim, shared_keys[i]);
    }
    x->origin.delay_ms = 5;
    fake_origin_listen(&x->origin);
    redis_server_start(&x->redis, 0, NULL);
    for (unsigned i = 0; i < HOSTS; i++) {
        open_host(x, &x->hosts[i]);
    }
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    fleet *x = *state;
    for (unsigned i = 0; i < HOSTS; i++) {
        close_host(&x->hosts[i]);
    }
    redis_server_stop(&x->redis);
    fake_origin_hang_up(&x->origin);
    fake_origin_close(&x->origin);
    for (unsigned i = PLATFORMS; i-- > 0;) {
        atls_free(x->platforms[i].quote);
        atls_sim_free(x->platforms[i].sim);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(redis_dies_and_comes_back_under_load)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
