/* Two processes write into one directory at once, a third reads: nobody sees half of anything, nothing is lost, nothing goes
 * back. */
#include <sys/wait.h>

#include "unit/store_rig.h"

#define WRITERS 2
#define ROUNDS  60
#define OWN     3 /* platforms of each writer's own; platform 1 and the CRL are everybody's */

static int64_t time_of(unsigned i)
{
    return NOW + (int64_t)i * 60;
}

static void must(bool good)
{
    if (!good) {
        _exit(1);
    }
}

/* Of what both write, the other may have a newer one already. */
static void take_shared(atls_store *s, const made *m, int64_t when_s)
{
    atls_err err = {0};
    const atls_code rc = store_take(s, m, when_s, &err);
    must(rc == ATLS_OK ||
         (rc == ATLS_E_COLLATERAL && strcmp(err.check, "collateral.rollback") == 0));
}

static void write_rounds(const vendor *v, const char *dir, unsigned writer)
{
    atls_store *s = store_loaded(v, dir, NOW);
    for (unsigned i = 0; i < ROUNDS; i++) {
        made own = vendor_tcb(v, 10 + writer * OWN + i % OWN, time_of(i), 17);
        made shared = vendor_tcb(v, 1, time_of(i), 17);
        made crl = vendor_root_crl(v, time_of(i));
        must(store_take(s, &own, time_of(i), NULL) == ATLS_OK && holds(s, &own));
        take_shared(s, &shared, time_of(i));
        take_shared(s, &crl, time_of(i));
        must(atls_store_load(s, time_of(i), NULL) == ATLS_OK);
        made_free(&own);
        made_free(&shared);
        made_free(&crl);
    }
    if (atls_store_note(s, 0) != NULL) {
        print_notes(s);
        _exit(1);
    }
    atls_store_free(s);
    _exit(0);
}

static void watch(const vendor *v, const char *dir, const pid_t writers[WRITERS])
{
    atls_store *s = store_loaded(v, dir, NOW);
    int64_t newest = 0;
    int living = WRITERS;
    size_t loads = 0;
    while (living > 0) {
        int status = 0;
        const pid_t ended = waitpid(-1, &status, WNOHANG);
        assert_int_equal(atls_store_load(s, time_of(ROUNDS), NULL), ATLS_OK);
        atls_item_status item;
        if (status_of(s, TCB, &item)) {
            assert_true(item.issued_s >= newest);
            newest = item.issued_s;
        }
        if (ended == writers[0] || ended == writers[1]) {
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            living--;
        }
        loads++;
    }
    if (atls_store_note(s, 0) != NULL) {
        print_notes(s);
    }
    assert_null(atls_store_note(s, 0));
    print_message("%zu loads while %d processes wrote\n", loads, WRITERS);
    atls_store_free(s);
}

static void all_is_there(const vendor *v, const char *dir)
{
    atls_store *s = store_loaded(v, dir, time_of(ROUNDS));
    atls_item_status item;
    assert_int_equal(count_of(s), 2 + WRITERS * OWN);
    assert_true(status_of(s, TCB, &item));
    assert_int_equal(item.issued_s, time_of(ROUNDS - 1) - SIM_HOUR);
    assert_true(status_of(s, "intel/rootcrl", &item));
    assert_int_equal(item.issued_s, time_of(ROUNDS - 1) - SIM_HOUR);
    for (unsigned p = 0; p < WRITERS * OWN; p++) {
        char key[ATLS_ITEM_KEY_LEN];
        (void)snprintf(key, sizeof key, "intel/tcb/tdx/53494d%06x", 10 + p);
        assert_true(status_of(s, key, &item));
        assert_int_equal(item.issued_s, time_of(ROUNDS - OWN + p % OWN) - SIM_HOUR);
    }
    assert_null(atls_store_note(s, 0));
    atls_store_free(s);
}

static void two_write_at_once(void **state)
{
    vendor v;
    (void)state;
    vendor_open(&v);
    char *dir = fresh_dir();
    pid_t writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_true(writers[i] >= 0);
        if (writers[i] == 0) {
            write_rounds(&v, dir, i);
        }
    }
    watch(&v, dir, writers);
    all_is_there(&v, dir);
    close_dir(dir);
    vendor_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_write_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
