/* Threads and processes that ask one kernel for evidence at once. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/attest_rig.h"
#include "unit/fake_tsm.h"

static const atls_attest_options options = {.source = "tsm", .tsm_dir = FAKE_TSM_DIR};

typedef struct machine {
    fake_tsm *k;
    attest_os os;
    atls_attester *a;
} machine;

static machine start_with(const fake_tsm_plan *plan)
{
    machine m = {.k = fake_tsm_new(plan)};
    m.os = fake_tsm_os(m.k);
    return m;
}

static void open_on(machine *m, const atls_attest_options *o)
{
    m->a = open_over(&m->os, o);
}

static void stop(machine *m)
{
    atls_attester_free(m->a);
    assert_int_equal(fake_tsm_left(m->k), 0);
    fake_tsm_free(m->k);
}

#define ASKERS 8
#define TIMES  5

typedef struct asker {
    const atls_attester *a;
    uint8_t byte;
    unsigned good;
} asker;

static void *ask_often(void *arg)
{
    asker *me = arg;
    for (unsigned i = 0; i < TIMES; i++) {
        uint8_t byte = (uint8_t)(me->byte + 16 * i);
        atls_report_data d = data_of(byte);
        atls_evidence_blob blob = {0};
        atls_err err = {0};
        if (me->a->attest(me->a->self, &d, &blob, &err) == ATLS_OK) {
            me->good += memcmp(blob.parts[0].bytes + 568, d.wide, 64) == 0;
            atls_evidence_blob_clear(&blob);
        } else {
            print_error("%s: %s\n", err.check, err.msg);
        }
    }
    return NULL;
}

static unsigned ask_in_threads(const atls_attester *a, size_t n)
{
    pthread_t threads[ASKERS];
    asker askers[ASKERS];
    unsigned all = 0;
    for (size_t i = 0; i < n; i++) {
        askers[i] = (asker){.a = a, .byte = (uint8_t)i};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(threads[i], NULL);
        all += askers[i].good;
    }
    return all;
}

static void eight_threads(void **state)
{
    (void)state;
    for (int busy = 0; busy < 2; busy++) {
        machine m = start_with(
            &(fake_tsm_plan){.provider = "tdx_guest", .takes_ms = 2, .host_busy = busy != 0});
        open_on(&m, &options);
        assert_int_equal(ask_in_threads(m.a, ASKERS), ASKERS * TIMES);
        stop(&m);
    }
}

static void two_processes(void **state)
{
    (void)state;
    machine m =
        start_with(&(fake_tsm_plan){.provider = "tdx_guest", .takes_ms = 3, .host_busy = true});
    pid_t child = fork();
    assert_true(child >= 0);
    machine mine = m;
    if (child == 0) {
        atls_err err = {0};
        asker me = {.byte = 100};
        if (attest_open(&mine.os, &options, &mine.a, &err) == ATLS_OK) {
            me.a = mine.a;
            (void)ask_often(&me);
            atls_attester_free(mine.a);
        }
        _exit(me.good == TIMES ? 0 : 1);
    }
    open_on(&mine, &options);
    asker me = {.a = mine.a, .byte = 1};
    (void)ask_often(&me);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(me.good, TIMES);
    stop(&mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_threads),
        cmocka_unit_test(two_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
