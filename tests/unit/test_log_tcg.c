/* TCG records: every cut, every checked field wrong alone, padding, and what belongs to no register. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "evidence/log/event_list.h"
#include "evidence/log/event_type.h"
#include "evidence/log/tcg.h"
#include "sim/log.h"

static uint8_t space[4096];

/* A log of SHA-256 and of algorithm 0x0012 with 32 bytes, up to its first event. */
static atls_writer begin(void)
{
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_writer_u32le(&w, 0);
    atls_writer_u32le(&w, 3);
    atls_writer_zeros(&w, 20);
    atls_writer_u32le(&w, 24 + 4 + 8 + 1 + 2);
    atls_writer_bytes(&w, (atls_buf){(const uint8_t *)"Spec ID Event03", 16});
    atls_writer_zeros(&w, 8);
    atls_writer_u32le(&w, 2);
    atls_writer_u16le(&w, 0x000b);
    atls_writer_u16le(&w, 32);
    atls_writer_u16le(&w, 0x0012);
    atls_writer_u16le(&w, 32);
    atls_writer_u8(&w, 2); /* vendor information */
    atls_writer_zeros(&w, 2);
    return w;
}
#define FIRST_LEN 71 /* bytes of the first record */

static void put_event(atls_writer *w, uint32_t index, uint32_t type, const char *data, size_t len)
{
    atls_writer_u32le(w, index);
    atls_writer_u32le(w, type);
    atls_writer_u32le(w, 2);
    atls_writer_u16le(w, 0x0012);
    atls_writer_zeros(w, 32);
    atls_writer_u16le(w, 0x000b);
    for (int i = 0; i < 32; i++) {
        atls_writer_u8(w, 0xaa);
    }
    atls_writer_u32le(w, (uint32_t)len);
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)data, len});
}

static atls_buf good(void)
{
    atls_writer w = begin();
    put_event(&w, 7, 0x80000001, "data", 4);
    assert_true(atls_writer_ok(&w));
    return (atls_buf){space, w.len};
}

/* How many events; a refusal must name a check. */
static int count(atls_buf log, bool td, atls_err *err)
{
    atls_event_list list = {0};
    if (atls_event_list_from_tcg(log, td, &list, err) != ATLS_OK) {
        assert_int_equal(err->code, ATLS_E_INVALID);
        assert_memory_equal(err->check, "log.", 4);
        return -1;
    }
    int n = (int)list.n;
    atls_event_list_clear(&list);
    return n;
}

static void test_good(void **state)
{
    (void)state;
    atls_event_list list = {0};
    const atls_buf log = good();
    assert_true(atls_tcg_looks(log));
    assert_int_equal(atls_event_list_from_tcg(log, false, &list, NULL), ATLS_OK);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.events[0].index, 7);
    assert_string_equal(list.events[0].name, "EV_EFI_VARIABLE_DRIVER_CONFIG");
    assert_int_equal(list.events[0].digest[ATLS_TPM_SHA256].len, 32);
    assert_int_equal(list.events[0].digest[ATLS_TPM_SHA256].ptr[0], 0xaa);
    assert_int_equal(list.events[0].digest[ATLS_TPM_SHA1].len, 0);
    assert_memory_equal(list.events[0].data.ptr, "data", 4);
    atls_event_list_clear(&list);
}

static void test_every_cut(void **state)
{
    (void)state;
    const atls_buf log = good();
    for (size_t len = 0; len < log.len; len++) {
        uint8_t *copy = malloc(len + 1); /* so that a sanitizer sees one byte too many */
        atls_err err = {0};
        memcpy(copy, log.ptr, len);
        int n = count((atls_buf){copy, len}, false, &err);
        assert_int_equal(n, len == FIRST_LEN ? 0 : -1);
        free(copy);
    }
}

static void test_what_ends_a_log(void **state)
{
    (void)state;
    static const struct {
        uint8_t byte;
        size_t n;
        int events;
    } ends[] = {{0xff, 1, 1}, {0xff, 11, 1}, {0xff, 500, 1}, {0, 1, 1},
                {0, 11, 1},   {0, 500, 1},   {7, 1, -1},     {7, 500, -1}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const atls_buf log = good();
        atls_err err = {0};
        memset(space + log.len, ends[i].byte, ends[i].n);
        assert_int_equal(count((atls_buf){space, log.len + ends[i].n}, false, &err),
                         ends[i].events);
    }
    const atls_buf log = good(); /* padding of two kinds, too short for a record */
    atls_err err = {0};
    space[log.len] = 0;
    space[log.len + 1] = 0xff;
    assert_int_equal(count((atls_buf){space, log.len + 2}, false, &err), -1);
}

static void test_bad_fields(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {"first record of another type", 4, 8, "log.legacy"},
        {"first record of another signature", 32, 's', "log.legacy"},
        {"another version of the signature", 46, '2', "log.legacy"},
        {"first record longer than the log", 30, 1, "log.format"},
        {"first record longer than its fields", 28, 40, "log.format"},
        {"no algorithm", 56, 0, "log.algorithm"},
        {"nine algorithms", 56, 9, "log.algorithm"},
        {"SHA-256 of 33 bytes", 62, 33, "log.algorithm"},
        {"digests of no byte", 66, 0, "log.algorithm"},
        {"digests of 65 bytes", 66, 65, "log.algorithm"},
        {"an algorithm two times", 64, 0x0b, "log.algorithm"},
        {"vendor information of one byte too many", 68, 3, "log.format"},
        {"PCR 24", FIRST_LEN, 24, "log.format"},
        {"an unknown type in PCR 7", FIRST_LEN + 4, 0x77, "log.type"},
        {"three digests", FIRST_LEN + 8, 3, "log.algorithm"},
        {"a digest of an unknown algorithm", FIRST_LEN + 12, 0x0c, "log.algorithm"},
        {"two digests of one algorithm", FIRST_LEN + 12, 0x0b, "log.algorithm"},
        {"data longer than the log", FIRST_LEN + 80, 5, "log.format"},
        {"data shorter than the log", FIRST_LEN + 80, 3, "log.format"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const atls_buf log = good();
        atls_err err = {0};
        space[bad[i].at] = bad[i].value;
        if (count(log, false, &err) != -1 || strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s", bad[i].what, err.check != NULL ? err.check : "taken");
        }
    }
}

static void test_what_belongs_to_no_register(void **state)
{
    (void)state;
    atls_err err = {0};
    atls_writer w = begin();
    put_event(&w, 0xffffffff, 3, "note", 4); /* the padding's index, and yet a record */
    put_event(&w, 0, 3, "SP800-155 Event3", 16);
    put_event(&w, 9, 0x4711, "x", 1); /* not the firmware's: any type */
    assert_int_equal(count((atls_buf){space, w.len}, false, &err), 1);
    w = begin();
    for (uint32_t index = 0; index < 7; index++) { /* MR index 1 to 4 are RTMRs */
        put_event(&w, index, 4, "\0\0\0", 4);
    }
    assert_int_equal(count((atls_buf){space, w.len}, true, &err), 4);
}

static void test_locality(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t len;
        int events; /* -1: refused */
        uint8_t locality;
    } cases[] = {
        {"StartupLocality\0\0", 17, 1, 0}, {"StartupLocality\0\3", 17, 1, 3},
        {"StartupLocality\0\4", 17, 1, 4}, {"StartupLocality\0\1", 17, -1, 0},
        {"StartupLocality\0", 16, 1, 0},   {"StartupLocality\0\3x", 18, 1, 0},
        {"startupLocality\0\3", 17, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_event_list list = {0};
        atls_err err = {0};
        atls_writer w = begin();
        put_event(&w, 0, 8, "v", 1);
        put_event(&w, 0, 3, cases[i].data, cases[i].len);
        atls_code rc = atls_event_list_from_tcg((atls_buf){space, w.len}, false, &list, &err);
        assert_int_equal(rc, cases[i].events < 0 ? ATLS_E_INVALID : ATLS_OK);
        if (rc == ATLS_OK) {
            assert_int_equal(list.locality, cases[i].locality);
        } else {
            assert_string_equal(err.check, "log.locality");
        }
        atls_event_list_clear(&list);
    }
    atls_err err = {0};
    atls_writer w = begin();
    put_event(&w, 0, 3, "StartupLocality\0\3", 17);
    put_event(&w, 0, 3, "StartupLocality\0\3", 17);
    assert_int_equal(count((atls_buf){space, w.len}, false, &err), -1);
    assert_string_equal(err.check, "log.locality");

    atls_event_list list = {0}; /* an H-CRTM's event first, and no word about it */
    w = begin();
    put_event(&w, 0, 0x80000010, "h", 1);
    assert_int_equal(atls_event_list_from_tcg((atls_buf){space, w.len}, false, &list, NULL),
                     ATLS_OK);
    assert_int_equal(list.locality, 4);
    atls_event_list_clear(&list);
}

static void test_too_many_events(void **state)
{
    (void)state;
    const size_t each = 12 + 4; /* an event without digests and data */
    const size_t n = ATLS_TCG_EVENTS_MAX + 1;
    uint8_t *log = calloc(1, FIRST_LEN + n * each);
    atls_err err = {0};
    assert_non_null(log);
    (void)begin();
    memcpy(log, space, FIRST_LEN);
    for (size_t i = 0; i < n; i++) {
        log[FIRST_LEN + i * each + 4] = 4;
    }
    assert_int_equal(count((atls_buf){log, FIRST_LEN + (n - 1) * each}, false, &err),
                     ATLS_TCG_EVENTS_MAX);
    assert_int_equal(count((atls_buf){log, FIRST_LEN + n * each}, false, &err), -1);
    assert_string_equal(err.check, "log.events");
    free(log);
}

static void test_type_names(void **state)
{
    (void)state;
    assert_string_equal(atls_event_type_name(4), "EV_SEPARATOR");
    assert_string_equal(atls_event_type_name(0x800000e0), "EV_EFI_VARIABLE_AUTHORITY");
    assert_null(atls_event_type_name(0x80000000));
    assert_true(atls_event_type_hashes_data(5));
    assert_false(atls_event_type_hashes_data(0x80000003));
    assert_false(atls_event_type_hashes_data(0xdeadbeef));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_what_ends_a_log),
        cmocka_unit_test(test_bad_fields),
        cmocka_unit_test(test_what_belongs_to_no_register),
        cmocka_unit_test(test_locality),
        cmocka_unit_test(test_too_many_events),
        cmocka_unit_test(test_type_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
