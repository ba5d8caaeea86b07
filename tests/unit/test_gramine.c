/* Gramine's files, as plain files behind which somebody makes quotes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/attest_rig.h"

#define QUOTE_LEN 4600

/* The library OS: real files, and a quote made anew when what was written is closed. */
typedef struct gramine {
    char dir[64];
    char written[96], quote[96];
    int write_fd;
    unsigned raced; /* so many quotes carry another's data */
    unsigned takes_ms;
    size_t len; /* of the quote; 0 is none */
} gramine;

static void put_file(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static int os_open(void *self, const char *path, int flags)
{
    gramine *g = self;
    int fd = attest_os_libc.open(NULL, path, flags);
    if (fd >= 0 && strcmp(path, g->written) == 0) {
        g->write_fd = fd;
    }
    return fd;
}

static void make_quote(gramine *g)
{
    uint8_t quote[QUOTE_LEN] = {3};
    FILE *f = fopen(g->written, "rb");
    if (f == NULL || fread(quote + 368, 1, 64, f) != 64) {
        abort();
    }
    (void)fclose(f);
    if (g->raced > 0) {
        g->raced--;
        quote[400] ^= 1;
    }
    attest_os_libc.sleep_ms(NULL, g->takes_ms);
    put_file(g->quote, quote, g->len);
}

static int os_close(void *self, int fd)
{
    gramine *g = self;
    bool written = fd == g->write_fd;
    int rc = attest_os_libc.close(NULL, fd);
    if (written) {
        g->write_fd = -1;
        make_quote(g);
    }
    return rc;
}

static attest_os os_of(gramine *g)
{
    attest_os os = attest_os_libc;
    os.self = g;
    os.open = os_open;
    os.close = os_close;
    return os;
}

static void put_type(const gramine *g, const char *text)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/attestation_type", g->dir);
    put_file(path, text, strlen(text));
}

static gramine start(void)
{
    gramine g = {.dir = "/tmp/atls-gramine-XXXXXX", .write_fd = -1, .len = QUOTE_LEN};
    assert_non_null(mkdtemp(g.dir));
    (void)snprintf(g.written, sizeof g.written, "%s/user_report_data", g.dir);
    (void)snprintf(g.quote, sizeof g.quote, "%s/quote", g.dir);
    put_file(g.written, "", 0);
    put_file(g.quote, "", 0);
    put_type(&g, "dcap\n");
    return g;
}

static void stop(const gramine *g)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/attestation_type", g->dir);
    (void)unlink(path);
    (void)unlink(g->written);
    (void)unlink(g->quote);
    assert_int_equal(rmdir(g->dir), 0);
}

static atls_attest_options options_of(const gramine *g)
{
    return (atls_attest_options){.type = "sgx", .gramine_dir = g->dir, .timeout_ms = 5000};
}

static void a_quote(void **state)
{
    (void)state;
    gramine g = start();
    attest_os os = os_of(&g);
    atls_attest_options o = options_of(&g);
    g.raced = 3; /* somebody else in the process: tried again */
    atls_attester *a = open_over(&os, &o);
    assert_string_equal(a->name, "sgx");
    atls_evidence_blob blob = good(a, 0x42);
    assert_string_equal(blob.type, "sgx");
    assert_string_equal(blob.parts[0].name, "quote");
    assert_int_equal(blob.parts[0].len, QUOTE_LEN);
    assert_memory_equal(blob.parts[0].bytes + 368, data_of(0x42).wide, 64);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
    stop(&g);
}

static void failures(void **state)
{
    (void)state;
    gramine g = start();
    attest_os os = os_of(&g);
    atls_attest_options o = options_of(&g);
    o.timeout_ms = 60;
    atls_attester *a = open_over(&os, &o);
    g.raced = UINT32_MAX;
    assert_attest_fails(a, "attest.gramine.raced", "something else");
    g.raced = 0;
    g.len = 0;
    assert_attest_fails(a, "attest.gramine.quote", "empty");
    assert_int_equal(unlink(g.quote), 0);
    assert_int_equal(mkdir(g.quote, 0700), 0); /* a file that opens, and cannot be read */
    os.close = attest_os_libc.close;
    assert_attest_fails(a, "attest.gramine.quote", "directory");
    assert_int_equal(rmdir(g.quote), 0);
    assert_attest_fails(a, "attest.gramine.quote", "AESM");
    assert_int_equal(unlink(g.written), 0);
    assert_attest_fails(a, "attest.gramine.write", "No such file");
    assert_int_equal(mkfifo(g.written, 0600), 0); /* nobody reads: no hanging */
    assert_attest_fails(a, "attest.gramine.write", "No such device");
    atls_attester_free(a);
    stop(&g);
}

static void not_there(void **state)
{
    (void)state;
    gramine g = start();
    atls_attest_options o = options_of(&g);
    put_type(&g, "none\n");
    assert_not_there(&attest_os_libc, &o, "attest.gramine.type", "manifest", false);
    put_type(&g, "dcapx");
    assert_not_there(&attest_os_libc, &o, "attest.gramine.type", "manifest", false);
    o.gramine_dir = "/nonexistent/atls";
    assert_not_there(&attest_os_libc, &o, "attest.gramine.type", "no enclave", true);
    stop(&g);
}

/* The whole way through libc, on files that nobody changes. */
static void plain_files(void **state)
{
    (void)state;
    gramine g = start();
    atls_attest_options o = options_of(&g);
    atls_attester *a = NULL;
    uint8_t quote[QUOTE_LEN] = {3};
    memcpy(quote + 368, data_of(0x11).wide, 64);
    put_file(g.quote, quote, sizeof quote);
    o.timeout_ms = 50;
    assert_int_equal(atls_attester_open(&o, &a, NULL), ATLS_OK);
    atls_evidence_blob blob = good(a, 0x11);
    assert_memory_equal(blob.parts[0].bytes, quote, sizeof quote);
    atls_evidence_blob_clear(&blob);
    assert_attest_fails(a, "attest.gramine.raced", "something else");
    atls_attester_free(a);
    stop(&g);
}

/* --- threads --- */

typedef struct asker {
    const atls_attester *a;
    uint8_t byte;
    atls_code rc;
    bool right;
    atls_err err;
} asker;

static void *ask(void *arg)
{
    asker *me = arg;
    atls_report_data d = data_of(me->byte);
    atls_evidence_blob blob = {0};
    me->rc = me->a->attest(me->a->self, &d, &blob, &me->err);
    me->right = me->rc == ATLS_OK && memcmp(blob.parts[0].bytes + 368, d.wide, 64) == 0;
    atls_evidence_blob_clear(&blob);
    return NULL;
}

#define ASKERS 8

static void eight_threads(void **state)
{
    (void)state;
    gramine g = start();
    attest_os os = os_of(&g);
    atls_attest_options o = options_of(&g);
    atls_attester *a = open_over(&os, &o);
    pthread_t threads[ASKERS];
    asker askers[ASKERS];
    g.takes_ms = 5;
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (asker){.a = a, .byte = (uint8_t)(i * 16)};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < ASKERS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_true(askers[i].right);
    }
    atls_attester_free(a);
    stop(&g);
}

/* A turn that does not come in time is told. */
static void too_busy(void **state)
{
    (void)state;
    gramine g = start();
    attest_os os = os_of(&g);
    atls_attest_options o = options_of(&g);
    o.timeout_ms = 30;
    atls_attester *a = open_over(&os, &o);
    pthread_t threads[2];
    asker askers[2] = {{.a = a, .byte = 1}, {.a = a, .byte = 2}};
    g.takes_ms = 1200;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    const asker *late = askers[0].right ? &askers[1] : &askers[0];
    assert_true(askers[0].right != askers[1].right);
    assert_int_equal(late->rc, ATLS_E_SYSTEM);
    assert_told(&late->err, "attest.gramine.busy", "30 ms");
    atls_attester_free(a);
    stop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote),     cmocka_unit_test(failures),      cmocka_unit_test(not_there),
        cmocka_unit_test(plain_files), cmocka_unit_test(eight_threads), cmocka_unit_test(too_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
