/* configfs-tsm against a made-up kernel with the real one's semantics. */
#include <errno.h>
#include <limits.h>

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

static void each_provider(void **state)
{
    (void)state;
    static const struct {
        const char *provider, *type, *part;
        size_t at;
    } rows[] = {
        {"tdx_guest", "tdx", "quote", 568},
        {"sev_guest", "snp", "report", 0x50},
        {"arm_cca_guest", "cca", "token", 0x50},
        {"arm-cca-guest", "cca", "token", 0x50},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine m = start_with(&(fake_tsm_plan){.provider = rows[i].provider, .piece = 1000});
        open_on(&m, &options);
        assert_string_equal(m.a->name, rows[i].type);
        atls_evidence_blob blob = good(m.a, 9);
        assert_string_equal(blob.type, rows[i].type);
        assert_int_equal(blob.parts_n, 1);
        assert_string_equal(blob.parts[0].name, rows[i].part);
        assert_int_equal(blob.parts[0].len, 5000);
        assert_memory_equal(blob.parts[0].bytes + rows[i].at, data_of(9).wide, 64);
        atls_evidence_blob_clear(&blob);
        stop(&m);
    }
}

static void type_wanted(void **state)
{
    (void)state;
    machine m = start_with(&(fake_tsm_plan){.provider = "sev_guest"});
    atls_attest_options o = options;
    atls_err err = {0};
    o.type = "tdx";
    assert_int_equal(attest_open(&m.os, &o, &m.a, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "attest.tsm.other");
    o.type = "snp";
    open_on(&m, &o);
    stop(&m);
}

static void opening_fails(void **state)
{
    (void)state;
    static const struct {
        const char *provider;
        int mkdir_errno;
        const char *check, *word;
        bool absent;
    } rows[] = {
        {"tdx_guest", EACCES, "attest.tsm.mkdir", "run as root", false},
        {"tdx_guest", EROFS, "attest.tsm.mkdir", "writable", false},
        {"tdx_guest", ENOMEM, "system.memory", "memory", false},
        {NULL, 0, "attest.tsm.mkdir", "no provider", true},
        {"pef_guest", 0, "attest.tsm.provider", "pef_guest", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine m = start_with(
            &(fake_tsm_plan){.provider = rows[i].provider, .mkdir_errno = rows[i].mkdir_errno});
        atls_attest_probe p;
        assert_true(attest_probe_at(&m.os, &options, 0, &p));
        assert_string_equal(p.check, rows[i].check);
        assert_non_null(strstr(p.why, rows[i].word));
        assert_int_equal(p.absent, rows[i].absent);
        stop(&m);
    }
}

static void every_errno_is_told(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *word;
    } rows[] = {
        {EINVAL, "does not take"},  {ETIMEDOUT, "did not answer"},
        {EIO, "refused"},           {ENXIO, "no provider"},
        {EFBIG, "larger"},          {EBUSY, "under way"},
        {EWOULDBLOCK, "under way"}, {EINTR, "nterrupted"},
        {ENODEV, "No such device"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine m = start_with(&(fake_tsm_plan){.provider = "tdx_guest",
                                                .out_errno = rows[i].number,
                                                .out_times = UINT_MAX,
                                                .frozen = true});
        open_on(&m, &options);
        assert_attest_fails(m.a, "attest.tsm.outblob", rows[i].word);
        stop(&m);
    }
}

static void what_passes_is_tried_again(void **state)
{
    (void)state;
    static const int rows[] = {EBUSY, EWOULDBLOCK, EINTR};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine m = start_with(&(fake_tsm_plan){
            .provider = "tdx_guest", .out_errno = rows[i], .out_times = 20, .frozen = true});
        open_on(&m, &options);
        atls_evidence_blob blob = good(m.a, 1);
        atls_evidence_blob_clear(&blob);
        stop(&m);
    }
}

/* However long the host stays busy, the caller is told in time. */
static void waits_are_bounded(void **state)
{
    (void)state;
    machine m = start_with(&(fake_tsm_plan){
        .provider = "tdx_guest", .out_errno = EBUSY, .out_times = UINT_MAX, .frozen = true});
    atls_attest_options o = options;
    o.timeout_ms = 700;
    open_on(&m, &o);
    int64_t from = m.os.now_ms(m.k);
    assert_attest_fails(m.a, "attest.tsm.outblob", "busy");
    assert_in_range(m.os.now_ms(m.k) - from, 400, 700);
    stop(&m);
}

static void somebody_else_writes(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        machine m = start_with(&(fake_tsm_plan){.provider = "tdx_guest", .frozen = true});
        fake_tsm_plan *now = fake_tsm_change(m.k);
        open_on(&m, &options);
        *(late ? &now->raced_late : &now->raced) = 3;
        atls_evidence_blob blob = good(m.a, 5);
        assert_memory_equal(blob.parts[0].bytes + 568, data_of(5).wide, 64);
        assert_int_equal(fake_tsm_reports(m.k), late ? 4 : 1);
        atls_evidence_blob_clear(&blob);
        *(late ? &now->raced_late : &now->raced) = UINT_MAX;
        assert_attest_fails(m.a, "attest.tsm.generation", "another program");
        stop(&m);
    }
}

/* The commit at close failed, and close said nothing. */
static void a_write_is_lost(void **state)
{
    (void)state;
    machine m = start_with(&(fake_tsm_plan){.provider = "sev_guest", .lost = 2, .frozen = true});
    open_on(&m, &options);
    atls_evidence_blob blob = good(m.a, 5);
    assert_int_equal(fake_tsm_reports(m.k), 1);
    atls_evidence_blob_clear(&blob);
    fake_tsm_change(m.k)->lost = UINT_MAX;
    assert_attest_fails(m.a, "attest.tsm.generation", "did not take ours");
    stop(&m);
}

/* A kernel that gives evidence over what somebody else wrote, and hides it. */
static size_t foreign(void *ctx, const uint8_t *inblob, uint8_t *out, size_t cap)
{
    (void)ctx;
    (void)inblob;
    memset(out, 0x33, 1184);
    return cap > 1184 ? 1184 : 0;
}

static void evidence_over_other_data(void **state)
{
    (void)state;
    static const char *const all[] = {"tdx_guest", "sev_guest", "arm_cca_guest"};
    for (size_t i = 0; i < 3; i++) {
        machine m = start_with(&(fake_tsm_plan){.provider = all[i], .make = foreign});
        open_on(&m, &options);
        assert_attest_fails(m.a, "attest.report_data", "other report data");
        stop(&m);
    }
}

static void sizes(void **state)
{
    (void)state;
    machine m = start_with(&(fake_tsm_plan){.provider = "tdx_guest", .empty = true});
    open_on(&m, &options);
    assert_attest_fails(m.a, "attest.tsm.empty", "empty");
    fake_tsm_change(m.k)->empty = false;
    fake_tsm_change(m.k)->out_len = ATTEST_EVIDENCE_MAX;
    atls_evidence_blob blob = good(m.a, 2);
    assert_int_equal(blob.parts[0].len, ATTEST_EVIDENCE_MAX);
    atls_evidence_blob_clear(&blob);
    fake_tsm_change(m.k)->out_len = ATTEST_EVIDENCE_MAX + 1;
    assert_attest_fails(m.a, "attest.tsm.outblob", "larger");
    stop(&m);
}

/* --- SNP: certificates and levels --- */

/* One certificate of 5 bytes, in a page as the kernel gives it. */
static const uint8_t table[4096] = {
    0x63, 0xda, 0x75, 0x8d, [16] = 48, [20] = 5, [48] = 0x30, 0x03, 0x02, 0x01, 0x01};

static void certificates(void **state)
{
    (void)state;
    machine m = start_with(
        &(fake_tsm_plan){.provider = "sev_guest", .aux = table, .aux_len = sizeof table});
    open_on(&m, &options);
    atls_evidence_blob blob = good(m.a, 3);
    assert_int_equal(blob.parts_n, 2);
    assert_string_equal(blob.parts[1].name, "certs");
    assert_int_equal(blob.parts[1].len, 53);
    assert_memory_equal(blob.parts[1].bytes, table, 53);
    atls_evidence_blob_clear(&blob);
    fake_tsm_change(m.k)->aux_errno = ENOENT;
    blob = good(m.a, 3);
    assert_int_equal(blob.parts_n, 1);
    atls_evidence_blob_clear(&blob);
    fake_tsm_change(m.k)->aux_errno = EIO;
    assert_attest_fails(m.a, "attest.tsm.auxblob", "refused");
    stop(&m);
}

static void levels(void **state)
{
    (void)state;
    static const struct {
        unsigned floor;
        const char *wanted;
        long level; /* -1: refused */
    } rows[] = {{0, NULL, 0}, {2, NULL, 2}, {0, "3", 3}, {1, "1", 1}, {2, "1", -1}, {0, "0", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine m = start_with(&(fake_tsm_plan){.provider = "sev_guest", .floor = rows[i].floor});
        atls_attest_options o = options;
        o.snp_vmpl = rows[i].wanted;
        open_on(&m, &o);
        if (rows[i].level < 0) {
            assert_attest_fails(m.a, "attest.tsm.privlevel", "lowest");
        } else {
            atls_evidence_blob blob = good(m.a, 4);
            assert_int_equal(fake_tsm_level(m.k), rows[i].level);
            atls_evidence_blob_clear(&blob);
        }
        stop(&m);
    }
}

static void provider_goes_away(void **state)
{
    (void)state;
    machine m = start_with(&(fake_tsm_plan){.provider = "tdx_guest"});
    open_on(&m, &options);
    fake_tsm_change(m.k)->provider = NULL;
    assert_attest_fails(m.a, "attest.tsm.mkdir", "no provider");
    fake_tsm_change(m.k)->provider = "sev_guest";
    assert_attest_fails(m.a, "attest.tsm.provider", "start again");
    stop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_provider),
        cmocka_unit_test(type_wanted),
        cmocka_unit_test(opening_fails),
        cmocka_unit_test(every_errno_is_told),
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(waits_are_bounded),
        cmocka_unit_test(somebody_else_writes),
        cmocka_unit_test(a_write_is_lost),
        cmocka_unit_test(evidence_over_other_data),
        cmocka_unit_test(sizes),
        cmocka_unit_test(certificates),
        cmocka_unit_test(levels),
        cmocka_unit_test(provider_goes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
