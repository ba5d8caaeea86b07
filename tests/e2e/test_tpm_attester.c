/* The TPM attester against a software TPM of this test's own: what it makes, what it refuses to make, and what it leaves
 * behind (nothing). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <tss2/tss2_mu.h>

#include <atls/attest.h>
#include <atls/sim.h>
#include <atls/tpm.h>

#include "attest/tpm_templates.h"
#include "crypto/digest.h"
#include "e2e/swtpm.h"

static swtpm tpm_of_test;

static atls_attester *open_attester(const atls_tpm_options *o)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    if (atls_attester_open(&(atls_attest_options){.type = "tpm", .tpm = o}, &a, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    assert_string_equal(a->name, "tpm");
    return a;
}

static atls_tpm_options usual(void)
{
    return (atls_tpm_options){.tcti = tpm_of_test.tcti};
}

static atls_report_data data_of(uint8_t fill)
{
    atls_report_data d;
    memset(&d, 0, sizeof d);
    memset(d.narrow, fill, sizeof d.narrow);
    memset(d.wide, 0x77, sizeof d.wide); /* not what a TPM signs */
    return d;
}

static void make(const atls_tpm_options *o, uint8_t fill, atls_evidence_blob *blob)
{
    atls_err err = {0};
    atls_attester *a = open_attester(o);
    atls_report_data d = data_of(fill);
    if (a->attest(a->self, &d, blob, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    atls_attester_free(a);
}

static atls_buf part(const atls_evidence_blob *blob, const char *name)
{
    for (size_t i = 0; i < blob->parts_n; i++) {
        if (strcmp(blob->parts[i].name, name) == 0) {
            return (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
        }
    }
    return (atls_buf){NULL, 0};
}

static TPMS_ATTEST attest_of(const atls_evidence_blob *blob)
{
    TPMS_ATTEST attest = {0};
    size_t at = 0;
    atls_buf quote = part(blob, "quote");
    assert_int_equal(Tss2_MU_TPMS_ATTEST_Unmarshal(quote.ptr, quote.len, &at, &attest), 0);
    assert_int_equal(at, quote.len);
    assert_int_equal(attest.type, TPM2_ST_ATTEST_QUOTE);
    return attest;
}

/* Fails to open, or to attest, by this check. */
static void assert_refused(const atls_tpm_options *o, atls_code code, const char *check)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    atls_evidence_blob blob = {0};
    atls_report_data d = data_of(1);
    atls_code rc = atls_attester_open(&(atls_attest_options){.type = "tpm", .tpm = o}, &a, &err);
    if (rc == ATLS_OK) {
        rc = a->attest(a->self, &d, &blob, &err);
        atls_attester_free(a);
    }
    if (rc != code || err.check == NULL || strcmp(err.check, check) != 0) {
        fail_msg("code %d, %s: %s; wanted %d, %s", (int)rc, err.check, err.msg, (int)code, check);
    }
    assert_int_equal(blob.parts_n, 0);
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

/* --- what it makes --- */

static void a_quote_with_its_parts(void **state)
{
    (void)state;
    static const char *const names[] = {"quote", "signature", "pcrs", "ak_public"};
    atls_evidence_blob blob = {0};
    atls_tpm_options o = usual();
    swtpm_extend(&tpm_of_test, 7, "secure boot");
    make(&o, 0x5A, &blob);
    assert_string_equal(blob.type, "tpm");
    assert_int_equal(blob.parts_n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(blob.parts[i].name, names[i]);
    }
    TPMS_ATTEST attest = attest_of(&blob);
    assert_int_equal(attest.extraData.size, 32);
    assert_memory_equal(attest.extraData.buffer, data_of(0x5A).narrow, 32);
    assert_int_equal(attest.attested.quote.pcrSelect.count, 1);
    assert_int_equal(part(&blob, "pcrs").len, 16 * 32); /* more than one TPM2_PCR_Read gives */
    static const uint8_t zeros[32] = {0};
    assert_memory_equal(part(&blob, "pcrs").ptr, zeros, 32);
    assert_memory_not_equal(part(&blob, "pcrs").ptr + 7 * 32, zeros, 32);
    atls_evidence_blob_clear(&blob);
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

static void several_banks_in_their_order(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    atls_tpm_options o = usual();
    o.pcrs = "sha384:0-15,20,23+sha256:1,7";
    make(&o, 1, &blob);
    TPMS_ATTEST attest = attest_of(&blob);
    assert_int_equal(attest.attested.quote.pcrSelect.count, 2);
    atls_buf pcrs = part(&blob, "pcrs");
    assert_int_equal(pcrs.len, 18 * 48 + 2 * 32);
    uint8_t digest[32]; /* of the signing scheme, not of the banks */
    assert_int_equal(atls_digest(ATLS_SHA256, &pcrs, 1, digest, NULL), ATLS_OK);
    assert_int_equal(attest.attested.quote.pcrDigest.size, 32);
    assert_memory_equal(attest.attested.quote.pcrDigest.buffer, digest, 32);
    atls_evidence_blob_clear(&blob);
}

static void the_same_key_at_every_call(void **state)
{
    (void)state;
    static const char *const kinds[] = {"ecc", "rsa"};
    for (size_t i = 0; i < 2; i++) {
        atls_evidence_blob a = {0};
        atls_evidence_blob b = {0};
        atls_tpm_options o = usual();
        o.ak = kinds[i];
        make(&o, 1, &a);
        make(&o, 2, &b);
        atls_buf first = part(&a, "ak_public");
        atls_buf second = part(&b, "ak_public");
        assert_int_equal(first.len, second.len);
        assert_memory_equal(first.ptr, second.ptr, first.len);
        assert_int_equal(first.ptr[3], i == 0 ? TPM2_ALG_ECC : TPM2_ALG_RSA);
        atls_evidence_blob_clear(&a);
        atls_evidence_blob_clear(&b);
    }
}

/* Made once at the handle, and found there from then on: also by who makes none. */
static void a_key_that_is_kept(void **state)
{
    (void)state;
    atls_evidence_blob a = {0};
    atls_evidence_blob b = {0};
    atls_tpm_options o = usual();
    o.ak = "0x81010020";
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.ak_missing");
    o.ak = "rsa@0x81010020";
    make(&o, 1, &a);
    make(&o, 1, &b);
    atls_evidence_blob_clear(&b);
    o.ak = "0x81010020";
    make(&o, 1, &b);
    assert_memory_equal(part(&a, "ak_public").ptr, part(&b, "ak_public").ptr,
                        part(&a, "ak_public").len);
    atls_evidence_blob_clear(&a);
    atls_evidence_blob_clear(&b);
}

/* Google's way: a template and a certificate in NV memory. The certificate here is any. */
static void a_template_from_nv_memory(void **state)
{
    (void)state;
    uint8_t template[512];
    size_t len = 0;
    uint8_t padded[300] = {0x30, 0x82, 0x00, 0x64}; /* 104 bytes of DER, then what pads the index */
    atls_evidence_blob blob = {0};
    atls_tpm_options o = usual();
    o.ak = "gcp";
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.ak_missing");
    assert_int_equal(Tss2_MU_TPMT_PUBLIC_Marshal(&tpm_template_ak_ecc.publicArea, template,
                                                 sizeof template, &len),
                     0);
    swtpm_put_nv(&tpm_of_test, 0x01C10003, (atls_buf){template, len});
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.ak_missing"); /* no certificate yet */
    swtpm_put_nv(&tpm_of_test, 0x01C10002, (atls_buf){padded, sizeof padded});
    make(&o, 1, &blob);
    assert_int_equal(part(&blob, "ak_cert").len, 104);
    atls_evidence_blob_clear(&blob);

    o.ak = "gcp-rsa"; /* bytes that are no template */
    swtpm_put_nv(&tpm_of_test, 0x01C10001, (atls_buf){padded, sizeof padded});
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.nv");
}

static void logs_as_parts(void **state)
{
    (void)state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/log", tpm_of_test.dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite("events", 1, 6, f), 6);
    assert_int_equal(fclose(f), 0);
    atls_evidence_blob blob = {0};
    atls_tpm_options o = usual();
    o.event_log = path;
    o.ima_log = path;
    make(&o, 1, &blob);
    assert_int_equal(blob.parts_n, 6);
    assert_memory_equal(part(&blob, "event_log").ptr, "events", 6);
    assert_int_equal(part(&blob, "ima_log").len, 6);
    atls_evidence_blob_clear(&blob);
    assert_int_equal(truncate(path, 0), 0);
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.file");
    assert_int_equal(truncate(path, 512 * 1024 + 1), 0);
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.file");
    assert_int_equal(unlink(path), 0);
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.file");
}

/* --- what it refuses --- */

static void no_tpm_there(void **state)
{
    (void)state;
    atls_tpm_options o = {.tcti = "device:/nonexistent/tpm"};
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.tcti");
    o.tcti = "swtpm:path=/nonexistent/tpm";
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.tcti");
    o.tcti = "nonsense:";
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.tcti");
    o.tcti = "device:/dev/null"; /* opens, and is none */
    assert_refused(&o, ATLS_E_SYSTEM, "attest.tpm.tcti");
}

static void a_key_that_signs_anything(void **state)
{
    (void)state;
    atls_tpm_options o = usual();
    o.ak = "0x81010030";
    swtpm_keep_unrestricted(&tpm_of_test, 0x81010030);
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.ak_attributes");
}

static void a_bank_that_is_not_there(void **state)
{
    (void)state;
    atls_tpm_options o = usual();
    o.pcrs = "sha512:0";
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.bank");
    o.pcrs = "sha256:0-15+sha512:7";
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.bank");
}

/* --- with others --- */

static void a_tpm_that_others_fill(void **state)
{
    (void)state;
    atls_tpm_options o = usual();
    o.busy_ms = 200;
    atls_attester *a = open_attester(&o);
    atls_report_data d = data_of(1);
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    swtpm_crowd(&tpm_of_test);
    assert_int_equal(a->attest(a->self, &d, &blob, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "attest.tpm.busy");
    swtpm_make_room(&tpm_of_test);
    assert_int_equal(a->attest(a->self, &d, &blob, &err), ATLS_OK);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
}

/* While one waits for room, another makes it. */
static void a_tpm_that_others_leave(void **state)
{
    (void)state;
    atls_tpm_options o = usual();
    swtpm_crowd(&tpm_of_test);
    pid_t other = fork();
    assert_true(other >= 0);
    if (other == 0) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
        swtpm_make_room(&tpm_of_test);
        _exit(0);
    }
    atls_evidence_blob blob = {0};
    make(&o, 1, &blob);
    atls_evidence_blob_clear(&blob);
    assert_int_equal(waitpid(other, NULL, 0), other);
}

enum { EACH = 20 };

static void *attest_often(void *arg)
{
    const atls_attester *a = arg;
    size_t failed = 0;
    for (int i = 0; i < EACH; i++) {
        atls_evidence_blob blob = {0};
        atls_report_data d = data_of((uint8_t)i);
        failed += a->attest(a->self, &d, &blob, NULL) != ATLS_OK;
        atls_evidence_blob_clear(&blob);
    }
    return failed == 0 ? arg : NULL;
}

static void threads_take_turns(void **state)
{
    (void)state;
    enum { N = 6 };
    atls_tpm_options o = usual();
    atls_attester *a = open_attester(&o);
    pthread_t threads[N];
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, attest_often, a), 0);
    }
    for (size_t i = 0; i < N; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_non_null(good);
    }
    atls_attester_free(a);
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

/* More processes than the TPM has room for keys, at a bare socket, with no resource manager. */
static void processes_take_turns(void **state)
{
    (void)state;
    enum { N = 6 };
    pid_t pids[N];
    for (size_t i = 0; i < N; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            atls_tpm_options o = usual();
            atls_attester *a = open_attester(&o);
            void *good = attest_often(a);
            atls_attester_free(a);
            _exit(good != NULL ? 0 : 1);
        }
    }
    for (size_t i = 0; i < N; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(swtpm_objects(&tpm_of_test), 0);
}

static void *extend_often(void *arg)
{
    for (int i = 0; i < 200; i++) {
        swtpm_extend(arg, 10, "a file");
    }
    return NULL;
}

/* PCRs that change meanwhile: what is given agrees with itself, or is not given. */
static void pcrs_that_change(void **state)
{
    (void)state;
    atls_tpm_options o = usual();
    atls_attester *a = open_attester(&o);
    pthread_t thread;
    size_t made = 0;
    assert_int_equal(pthread_create(&thread, NULL, extend_often, &tpm_of_test), 0);
    for (int i = 0; i < 60; i++) {
        atls_evidence_blob blob = {0};
        atls_err err = {0};
        atls_report_data d = data_of(1);
        if (a->attest(a->self, &d, &blob, &err) != ATLS_OK) {
            assert_string_equal(err.check, "attest.tpm.pcrs_changing");
            continue;
        }
        atls_buf pcrs = part(&blob, "pcrs");
        uint8_t digest[32];
        assert_int_equal(atls_digest(ATLS_SHA256, &pcrs, 1, digest, NULL), ATLS_OK);
        assert_memory_equal(attest_of(&blob).attested.quote.pcrDigest.buffer, digest, 32);
        atls_evidence_blob_clear(&blob);
        made++;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(made > 0);
    atls_attester_free(a);
}

static void how_many_a_second(void **state)
{
    (void)state;
    static const char *const keys[] = {"ecc", "ecc@0x81010040"};
    for (size_t k = 0; k < 2; k++) {
        struct timespec from;
        struct timespec to;
        enum { N = 50 };
        atls_tpm_options o = usual();
        o.ak = keys[k];
        atls_attester *a = open_attester(&o);
        (void)clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < N; i++) {
            atls_evidence_blob blob = {0};
            atls_report_data d = data_of(1);
            assert_int_equal(a->attest(a->self, &d, &blob, NULL), ATLS_OK);
            atls_evidence_blob_clear(&blob);
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &to);
        double s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        printf("%s: %.0f quotes/s\n", keys[k], N / s);
        atls_attester_free(a);
    }
}

/* --- last: from here on the hierarchies have owners --- */

static void a_tpm_that_has_an_owner(void **state)
{
    (void)state;
    static const char owner[] = "the owner";
    static const char endorsement[] = "its endorsement";
    atls_tpm_options o = usual();
    swtpm_take_ownership(&tpm_of_test, owner, endorsement);
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.auth");
    o.endorsement_auth = (atls_buf){(const uint8_t *)endorsement, strlen(endorsement)};
    o.ak = "ecc@0x81010041";
    assert_refused(&o, ATLS_E_USAGE, "attest.tpm.auth"); /* keeping a key is the owner's right */
    o.owner_auth = (atls_buf){(const uint8_t *)owner, strlen(owner)};
    atls_evidence_blob blob = {0};
    make(&o, 1, &blob);
    atls_evidence_blob_clear(&blob);
    o = usual();
    o.ak = "0x81010041"; /* the key itself is free to use */
    make(&o, 1, &blob);
    atls_evidence_blob_clear(&blob);
}

static int set_up(void **state)
{
    (void)state;
    swtpm_start(&tpm_of_test, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    swtpm_stop(&tpm_of_test);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_with_its_parts),
        cmocka_unit_test(several_banks_in_their_order),
        cmocka_unit_test(the_same_key_at_every_call),
        cmocka_unit_test(a_key_that_is_kept),
        cmocka_unit_test(a_template_from_nv_memory),
        cmocka_unit_test(logs_as_parts),
        cmocka_unit_test(no_tpm_there),
        cmocka_unit_test(a_key_that_signs_anything),
        cmocka_unit_test(a_bank_that_is_not_there),
        cmocka_unit_test(a_tpm_that_others_fill),
        cmocka_unit_test(a_tpm_that_others_leave),
        cmocka_unit_test(threads_take_turns),
        cmocka_unit_test(processes_take_turns),
        cmocka_unit_test(pcrs_that_change),
        cmocka_unit_test(how_many_a_second),
        cmocka_unit_test(a_tpm_that_has_an_owner),
    };
    if (!swtpm_is_installed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
