#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "trust/kept.h"
#include "trust/trust.h"

static atomic_int alive;

typedef struct thing {
    atls_kept kept;
    int number;
} thing;

static void thing_free(atls_kept *self)
{
    atomic_fetch_sub(&alive, 1);
    free(self);
}

static thing *thing_new(int number)
{
    thing *t = calloc(1, sizeof *t);
    assert_non_null(t);
    atls_kept_init(&t->kept, thing_free);
    t->number = number;
    atomic_fetch_add(&alive, 1);
    return t;
}

static void key_of(uint8_t set, uint8_t number, uint8_t key[32])
{
    memset(key, 0, 32);
    key[0] = set;
    key[31] = number;
}

static void what_was_put_is_found_under_its_whole_key(void **state)
{
    (void)state;
    atls_kept_cache *c = atls_kept_cache_new();
    uint8_t key[32];
    uint8_t other[32];
    key_of(7, 1, key);
    key_of(7, 2, other);
    assert_null(atls_kept_cache_get(c, key));
    thing *t = thing_new(5);
    atls_kept_cache_put(c, key, t);
    atls_kept_free(t);
    assert_int_equal(alive, 1);
    assert_null(atls_kept_cache_get(c, other));
    thing *found = atls_kept_cache_get(c, key);
    assert_non_null(found);
    assert_int_equal(found->number, 5);
    atls_kept_cache_clear(c);
    assert_int_equal(alive, 1); /* ours still */
    assert_null(atls_kept_cache_get(c, key));
    atls_kept_free(found);
    assert_int_equal(alive, 0);
    atls_kept_cache_free(c);
    atls_kept_cache_free(NULL);
    atls_kept_free(NULL);
}

static void the_oldest_of_a_set_makes_room(void **state)
{
    (void)state;
    atls_kept_cache *c = atls_kept_cache_new();
    uint8_t key[32];
    for (uint8_t i = 0; i <= ATLS_KEPT_WAYS; i++) {
        key_of(9, i, key);
        thing *t = thing_new(i);
        atls_kept_cache_put(c, key, t);
        atls_kept_cache_put(c, key, t); /* once more changes nothing */
        atls_kept_free(t);
    }
    assert_int_equal(alive, ATLS_KEPT_WAYS);
    key_of(9, 0, key);
    assert_null(atls_kept_cache_get(c, key));
    for (uint8_t i = 1; i <= ATLS_KEPT_WAYS; i++) {
        key_of(9, i, key);
        thing *t = atls_kept_cache_get(c, key);
        assert_non_null(t);
        assert_int_equal(t->number, i);
        atls_kept_free(t);
    }
    atls_kept_cache_free(c);
    assert_int_equal(alive, 0);
}

static void the_caches_of_a_verifier_are_dropped_together(void **state)
{
    (void)state;
    atls_trust *t = atls_trust_new();
    uint8_t key[32];
    key_of(1, 1, key);
    thing *kept = thing_new(1);
    atls_kept_cache_put(t->kept, key, kept);
    atls_kept_free(kept);
    atls_trust_drop_caches(t);
    assert_int_equal(alive, 0);
    assert_null(atls_kept_cache_get(t->kept, key));
    atls_trust_free(t);
}

#define THREADS 4
#define ROUNDS  2000

static void *hammer(void *arg)
{
    atls_kept_cache *c = arg;
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t key[32];
        key_of((uint8_t)(i % 3), (uint8_t)(i % 7), key);
        thing *t = thing_new(i % 7);
        atls_kept_cache_put(c, key, t);
        atls_kept_free(t);
        thing *found = atls_kept_cache_get(c, key);
        wrong += found != NULL && found->number != i % 7 ? 1 : 0;
        atls_kept_free(found);
    }
    return (void *)wrong;
}

static void many_threads_may_use_it(void **state)
{
    (void)state;
    atls_kept_cache *c = atls_kept_cache_new();
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, c), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    atls_kept_cache_free(c);
    assert_int_equal(alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_under_its_whole_key),
        cmocka_unit_test(the_oldest_of_a_set_makes_room),
        cmocka_unit_test(the_caches_of_a_verifier_are_dropped_together),
        cmocka_unit_test(many_threads_may_use_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
