/* One store, eight threads: two take, one loads, one tells of silent origins, four read. */
#include <pthread.h>
#include <stdatomic.h>

#include "store/store.h"
#include "trust/shelf_item.h"
#include "unit/store_rig.h"

#define ROUNDS    40
#define PLATFORMS 3
#define READERS   4

typedef struct bench {
    atls_store *store;
    made items[2][ROUNDS];
    atomic_bool done;
} bench;

static int64_t time_of(size_t i)
{
    return NOW + (int64_t)i * 60;
}

typedef struct writer {
    bench *b;
    size_t i;
} writer;

static void *take_all(void *arg)
{
    const writer *w = arg;
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_int_equal(store_take(w->b->store, &w->b->items[w->i][i], time_of(i), NULL), ATLS_OK);
        assert_true(holds(w->b->store, &w->b->items[w->i][i]));
    }
    return NULL;
}

static void *load(void *arg)
{
    bench *b = arg;
    while (!atomic_load(&b->done)) {
        assert_int_equal(atls_store_load(b->store, time_of(ROUNDS), NULL), ATLS_OK);
    }
    return NULL;
}

static void *tell_silence(void *arg)
{
    bench *b = arg;
    for (int64_t i = 1; !atomic_load(&b->done); i++) {
        atls_store_set_reachable(b->store, TCB, i % 2 == 0, NOW + i);
    }
    return NULL;
}

/* What is said to be held, verifiers have: else who fetched it is refused for want of it. */
static void verifiers_have(const atls_store *store, const atls_item_status *status)
{
    atls_shelf *shelf = atls_shelf_place_get(atls_store_get0_place(store));
    const atls_shelf_held *held = atls_shelf_find(shelf, status->key, NULL, NULL);
    assert_non_null(held);
    assert_true(held->facts.issued_s >= status->issued_s);
    atls_shelf_free(shelf);
}

static void *look(void *arg)
{
    bench *b = arg;
    int64_t newest = 0;
    while (!atomic_load(&b->done)) {
        atls_item_status status;
        atls_needs needs = {.n = 2, .keys = {TCB, "intel/rootcrl"}};
        if (status_of(b->store, TCB, &status)) {
            assert_true(status.issued_s >= newest);
            newest = status.issued_s;
        }
        for (size_t i = 0; atls_store_at(b->store, i, &status); i++) {
            assert_true(status.number == 17);
            verifiers_have(b->store, &status);
        }
        atls_store_reduce_needs(b->store, &needs, NOW);
        assert_true(needs.n >= 1);
        assert_null(atls_store_note(b->store, 0));
        (void)atls_store_clock_floor(b->store);
    }
    return NULL;
}

static bench b;

static void run(const vendor *v, const char *dir)
{
    b.store = store_loaded(v, dir, NOW);
    atomic_init(&b.done, false);
    writer writers[2] = {{&b, 0}, {&b, 1}};
    pthread_t takers[2];
    pthread_t others[2 + READERS];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&takers[i], NULL, take_all, &writers[i]), 0);
    }
    assert_int_equal(pthread_create(&others[0], NULL, load, &b), 0);
    assert_int_equal(pthread_create(&others[1], NULL, tell_silence, &b), 0);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&others[2 + i], NULL, look, &b), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(takers[i], NULL), 0);
    }
    atomic_store(&b.done, true);
    for (size_t i = 0; i < 2 + READERS; i++) {
        assert_int_equal(pthread_join(others[i], NULL), 0);
    }
    assert_int_equal(count_of(b.store), 2 * PLATFORMS);
    atls_store_free(b.store);
}

static void readers_never_see_half(void **state)
{
    (void)state;
    vendor v;
    vendor_open(&v);
    for (unsigned w = 0; w < 2; w++) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            b.items[w][i] = vendor_tcb(&v, 1 + w * PLATFORMS + i % PLATFORMS, time_of(i), 17);
        }
    }
    char *dir = fresh_dir();
    run(&v, NULL);
    run(&v, dir);
    close_dir(dir);
    for (size_t i = 0; i < 2 * ROUNDS; i++) {
        made_free(&b.items[i / ROUNDS][i % ROUNDS]);
    }
    vendor_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_never_see_half)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
