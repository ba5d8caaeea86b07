/* A writer is killed (SIGKILL) at 200 random moments. After each the store opens, uses nothing that is half-written, and has
 * everything that was acknowledged. ATLS_SEED repeats a run. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "unit/store_rig.h"

#define KILLS        200
#define ITEMS        400
#define PLATFORMS    4 /* and a CRL: five keys in turn */
#define KEYS         (PLATFORMS + 1)
#define PAUSE_MAX_US 300000
#define LIVES_ITEMS  8 /* that a writer has time for, at most */

static made items[ITEMS];

static int64_t time_of(size_t i)
{
    return NOW + (int64_t)i * 60;
}

static made make(const vendor *v, size_t i)
{
    return i % KEYS == PLATFORMS ? vendor_root_crl(v, time_of(i))
                                 : vendor_tcb(v, (unsigned)(i % KEYS) + 1, time_of(i), 17);
}

/* Takes one after another, and tells of each that was taken. */
static void write_items(const vendor *v, const char *dir, size_t from, int to)
{
    atls_store *s = store_loaded(v, dir, time_of(from));
    for (size_t i = from; i < ITEMS; i++) {
        const uint32_t told = (uint32_t)i;
        if (store_take(s, &items[i], time_of(i), NULL) != ATLS_OK ||
            write(to, &told, sizeof told) != (ssize_t)sizeof told) {
            _exit(1);
        }
    }
    pause(); /* all are written: wait for the end */
    _exit(0);
}

/* Which of the items of that key the store holds, by its bytes: ITEMS if it is none of ours. */
static size_t held_of(const atls_store *s, size_t key)
{
    for (size_t i = key; i < ITEMS; i += KEYS) {
        if (holds(s, &items[i])) {
            return i;
        }
    }
    return ITEMS;
}

/* acked: the newest acknowledged of each key, ITEMS if there is none. */
static void check_store(const vendor *v, const char *dir, const size_t acked[KEYS])
{
    atls_store *s = store_loaded(v, dir, time_of(ITEMS));
    if (atls_store_note(s, 0) != NULL) {
        print_notes(s);
    }
    assert_null(atls_store_note(s, 0));
    for (size_t k = 0; k < KEYS; k++) {
        atls_held *held = NULL;
        const bool there = atls_store_get(s, items[k].item.key, &held);
        const size_t is = held_of(s, k);
        atls_held_free(held);
        assert_true(!there || is < ITEMS);
        if (acked[k] < ITEMS) {
            assert_true(there && is >= acked[k]);
        }
    }
    atls_store_free(s);
}

/* One writer from its first item to its end. What was acknowledged goes to acked; the next item to write is returned. */
static size_t one_life(const vendor *v, const char *dir, size_t from, useconds_t pause_us,
                       size_t acked[KEYS])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        close(ends[0]);
        write_items(v, dir, from, ends[1]);
    }
    close(ends[1]);
    usleep(pause_us);
    assert_int_equal(kill(writer, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_true(WIFSIGNALED(status));
    uint32_t told = 0;
    size_t next = from;
    while (read(ends[0], &told, sizeof told) == (ssize_t)sizeof told) {
        acked[told % KEYS] = told;
        next = (size_t)told + 1;
    }
    close(ends[0]);
    return next;
}

static void forget(size_t acked[KEYS])
{
    for (size_t k = 0; k < KEYS; k++) {
        acked[k] = ITEMS;
    }
}

static unsigned seed(void)
{
    const char *given = getenv("ATLS_SEED");
    const unsigned value = given != NULL ? (unsigned)strtoul(given, NULL, 10)
                                         : (unsigned)time(NULL) ^ (unsigned)getpid();
    print_message("ATLS_SEED=%u\n", value);
    return value;
}

static int64_t now_us(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* How long a writer may live, at most: disks differ. */
static long longest_life_us(const vendor *v)
{
    char *dir = fresh_dir();
    const int64_t began = now_us();
    atls_store *s = store_loaded(v, dir, NOW);
    for (size_t i = 0; i < LIVES_ITEMS; i++) {
        assert_taken(s, &items[i], time_of(i));
    }
    const int64_t took = now_us() - began;
    atls_store_free(s);
    close_dir(dir);
    return took < PAUSE_MAX_US ? (long)took + 1000 : PAUSE_MAX_US;
}

static void nothing_acknowledged_is_lost(void **state)
{
    vendor v;
    (void)state;
    vendor_open(&v);
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = make(&v, i);
    }
    srandom(seed());
    const long pause_us = longest_life_us(&v);
    char *dir = fresh_dir();
    size_t acked[KEYS];
    size_t next = 0;
    size_t taken = 0;
    forget(acked);
    for (int i = 0; i < KILLS; i++) {
        const size_t from = next;
        next = one_life(&v, dir, from, (useconds_t)(random() % pause_us), acked);
        taken += next - from;
        check_store(&v, dir, acked);
        if (next == ITEMS) { /* all are written: begin anew */
            remove_tree(dir);
            forget(acked);
            next = 0;
        }
    }
    print_message("%d kills, %zu items acknowledged, lives of up to %ld us\n", KILLS, taken,
                  pause_us);
    assert_true(taken > KILLS / 4); /* some were killed at work, not all before it */
    close_dir(dir);
    for (size_t i = 0; i < ITEMS; i++) {
        made_free(&items[i]);
    }
    vendor_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_acknowledged_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
