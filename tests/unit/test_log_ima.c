/* IMA lists: every cut, each field wrong alone, violations, templates, and the kernels before 5.8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "crypto/digest.h"
#include "evidence/log/ima.h"
#include "evidence/log/log.h"

static uint8_t space[4096];

static atls_buf data_of(uint8_t *to, size_t cap, const char *path, bool is_signed)
{
    atls_writer w = atls_writer_of(to, cap);
    atls_writer_u32le(&w, 8 + 32);
    atls_writer_bytes(&w, (atls_buf){(const uint8_t *)"sha256:", 8});
    for (int i = 0; i < 32; i++) {
        atls_writer_u8(&w, (uint8_t)(0x40 + i));
    }
    atls_writer_u32le(&w, (uint32_t)strlen(path) + 1);
    atls_writer_bytes(&w, (atls_buf){(const uint8_t *)path, strlen(path) + 1});
    if (is_signed) {
        atls_writer_u32le(&w, 3);
        atls_writer_bytes(&w, (atls_buf){(const uint8_t *)"sig", 3});
    }
    return (atls_buf){to, w.len};
}

static void put(atls_writer *w, const char *template_name, atls_buf data, bool violation)
{
    uint8_t sha1[20] = {0};
    if (!violation) {
        assert_int_equal(atls_digest(ATLS_SHA1, &data, 1, sha1, NULL), ATLS_OK);
    }
    atls_writer_u32le(w, 10);
    atls_writer_bytes(w, (atls_buf){sha1, sizeof sha1});
    atls_writer_u32le(w, (uint32_t)strlen(template_name));
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)template_name, strlen(template_name)});
    atls_writer_u32le(w, (uint32_t)data.len);
    atls_writer_bytes(w, data);
}

static atls_buf good(const char *template_name)
{
    uint8_t data[256];
    atls_writer w = atls_writer_of(space, sizeof space);
    put(&w, template_name,
        data_of(data, sizeof data, "/bin/x", strcmp(template_name, "ima-sig") == 0), false);
    return (atls_buf){space, w.len};
}

static atls_code next(atls_buf list, atls_ima_entry *e, atls_err *err)
{
    atls_reader r = atls_reader_of(list);
    bool more = false;
    atls_code rc = atls_ima_next(&r, &more, e, err);
    if (rc == ATLS_OK && more && !atls_reader_end(&r)) { /* what is behind it must be one too */
        atls_ima_entry behind;
        rc = atls_ima_next(&r, &more, &behind, err);
    }
    return rc;
}

static void test_good(void **state)
{
    (void)state;
    static const char *const known[] = {"ima-ng", "ima-sig"};
    atls_ima_entry e;
    for (size_t i = 0; i < 2; i++) {
        const atls_buf list = good(known[i]);
        assert_true(atls_ima_looks(list));
        assert_int_equal(next(list, &e, NULL), ATLS_OK);
        assert_true(e.is_known);
        assert_int_equal(e.pcr, 10);
        assert_int_equal(e.algorithm.len, 6);
        assert_memory_equal(e.algorithm.ptr, "sha256", 6);
        assert_int_equal(e.digest.len, 32);
        assert_int_equal(e.digest.ptr[0], 0x40);
        assert_int_equal(e.path.len, 6);
        assert_memory_equal(e.path.ptr, "/bin/x", 6);
    }
    assert_int_equal(next(good("ima-buf"), &e, NULL), ATLS_OK); /* hashed all the same */
    assert_false(e.is_known);
}

static void test_every_cut(void **state)
{
    (void)state;
    const atls_buf list = good("ima-ng");
    for (size_t len = 1; len < list.len; len++) {
        uint8_t *copy = malloc(len);
        atls_ima_entry e;
        atls_err err = {0};
        memcpy(copy, list.ptr, len);
        assert_int_equal(next((atls_buf){copy, len}, &e, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "log.ima.format");
        free(copy);
    }
    atls_ima_entry e;
    atls_err err = {0};
    assert_int_equal(next((atls_buf){space, list.len + 1}, &e, &err), ATLS_E_INVALID);
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
        {"PCR 24", 0, 24, "log.ima.format"},
        {"a template without name", 24, 0, "log.ima.format"},
        {"a template's name of 262 bytes", 25, 1, "log.ima.format"},
        {"an entry longer than the list", 34, 60, "log.ima.format"},
        {"an entry shorter than its fields", 34, 54, "log.ima.event"},
        {"a digest longer than the entry", 38, 80, "log.ima.event"},
        {"no colon", 48, ' ', "log.ima.event"},
        {"no NUL behind the colon", 49, 1, "log.ima.event"},
        {"no algorithm", 42, ':', "log.ima.event"},
        {"a path longer than the entry", 82, 8, "log.ima.event"},
        {"a path that ends early", 88, 0, "log.ima.event"},
        {"a path without end", 92, 'y', "log.ima.event"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const atls_buf list = good("ima-ng");
        atls_ima_entry e;
        atls_err err = {0};
        space[bad[i].at] = bad[i].value;
        if (next(list, &e, &err) != ATLS_E_INVALID || strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s", bad[i].what, err.check != NULL ? err.check : "taken");
        }
    }
    atls_ima_entry e;
    atls_err err = {0};
    assert_int_equal(next(good("ima"), &e, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "log.ima.template");
}

/* --- against PCR 10 --- */

static void extend(uint8_t pcr[64], const uint8_t digest[32])
{
    const atls_buf pieces[] = {{pcr, 32}, {digest, 32}};
    assert_int_equal(atls_digest(ATLS_SHA256, pieces, 2, pcr, NULL), ATLS_OK);
}

static void test_violations_and_padding(void **state)
{
    (void)state;
    static atls_tpm_bank banks[ATLS_TPM_BANKS];
    uint8_t data[256];
    uint8_t digest[32];
    uint8_t ones[32];
    atls_ledger *l = calloc(1, sizeof *l);
    atls_event_claims claims = {0};
    atls_anchor anchor = {0};
    uint8_t *pcr = banks[ATLS_TPM_SHA256].value[10];
    atls_writer w = atls_writer_of(space, sizeof space);
    assert_non_null(l);
    memset(ones, 0xff, sizeof ones);
    banks[ATLS_TPM_SHA256].selected = 1u << 10;
    const atls_buf entry = data_of(data, sizeof data, "/bin/x", false);
    put(&w, "ima-ng", entry, false);
    put(&w, "ima-ng", entry, true);
    assert_int_equal(atls_digest(ATLS_SHA256, &entry, 1, digest, NULL), ATLS_OK);
    extend(pcr, digest);
    extend(pcr, ones);
    atls_log_judge_ima((atls_buf){space, w.len}, banks, l, &claims, &anchor);
    assert_int_equal(atls_ledger_code(l), ATLS_OK);
    assert_int_equal(claims.n, 2);
    assert_string_equal(claims.events[0].name, "/bin/x");
    assert_true(claims.events[0].data_matches);
    assert_string_equal(claims.events[1].name, "violation");
    assert_false(claims.events[1].data_matches); /* what it was about is not measured */
    assert_int_equal(claims.events[1].digest_len, 0);
    anchor.release(anchor.object);

    uint8_t padded[32] = {0}; /* as kernels before 5.8 extended this bank: refused, and told */
    assert_int_equal(atls_digest(ATLS_SHA1, &entry, 1, padded, NULL), ATLS_OK);
    memset(pcr, 0, 64);
    extend(pcr, padded);
    extend(pcr, ones);
    atls_ledger_init(l);
    claims = (atls_event_claims){0};
    atls_log_judge_ima((atls_buf){space, w.len}, banks, l, &claims, &anchor);
    assert_int_equal(atls_ledger_code(l), ATLS_E_INVALID);
    assert_string_equal(atls_ledger_deciding(l)->id, "log.ima.replay");
    char text[200];
    atls_value_print(l, &atls_ledger_deciding(l)->found, text, sizeof text);
    assert_non_null(strstr(text, "5.8"));
    assert_int_equal(claims.n, 0);
    assert_int_equal(claims.differs, 1u << 10);
    free(l);
}

static void test_number_of_entries(void **state)
{
    (void)state;
    static const atls_tpm_bank banks[ATLS_TPM_BANKS];
    const atls_buf one = {space, 24 + 4 + 1 + 4}; /* a template "x" of no data */
    uint8_t *list = malloc((ATLS_IMA_ENTRIES_MAX + 1) * one.len);
    atls_ledger *l = calloc(1, sizeof *l);
    atls_event_claims claims = {0};
    atls_anchor anchor = {0};
    atls_writer w = atls_writer_of(space, sizeof space);
    assert_true(list != NULL && l != NULL);
    put(&w, "x", (atls_buf){NULL, 0}, true);
    assert_int_equal(w.len, one.len);
    for (size_t i = 0; i <= ATLS_IMA_ENTRIES_MAX; i++) {
        memcpy(list + i * one.len, space, one.len);
    }
    atls_log_judge_ima((atls_buf){list, (ATLS_IMA_ENTRIES_MAX + 1) * one.len}, banks, l, &claims,
                       &anchor);
    assert_string_equal(atls_ledger_deciding(l)->id, "log.ima.entries");
    free(list);
    free(l);
}

/* A template's name is not measured: an entry of an unknown one is believed to be there, and nothing it is called. One
 * bank better than SHA-1 decides, whatever the others say. */
static void test_what_is_not_measured(void **state)
{
    (void)state;
    static atls_tpm_bank banks[ATLS_TPM_BANKS];
    uint8_t data[256], digest[32];
    atls_ledger l;
    atls_event_claims out = {0};
    atls_anchor anchor = {0};
    atls_writer w = atls_writer_of(space, sizeof space);
    const atls_buf honest = data_of(data, sizeof data, "/usr/bin/evil", false);
    put(&w, "/usr/bin/good", honest, false);
    assert_int_equal(atls_digest(ATLS_SHA256, &honest, 1, digest, NULL), ATLS_OK);
    memset(banks, 0, sizeof banks);
    const atls_buf pieces[] = {{banks[ATLS_TPM_SHA256].value[10], 32}, {digest, 32}};
    assert_int_equal(atls_digest(ATLS_SHA256, pieces, 2, banks[ATLS_TPM_SHA256].value[10], NULL),
                     ATLS_OK);
    banks[ATLS_TPM_SHA256].selected = banks[ATLS_TPM_SHA512].selected = 1u << 10;
    atls_ledger_init(&l);
    atls_log_judge_ima((atls_buf){space, w.len}, banks, &l, &out, &anchor);
    assert_int_equal(atls_ledger_code(&l), ATLS_OK);
    assert_int_equal(out.n, 1);
    assert_false(out.events[0].data_matches);
    assert_int_equal(out.events[0].digest_len, 0);
    anchor.release(anchor.object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_bad_fields),
        cmocka_unit_test(test_violations_and_padding),
        cmocka_unit_test(test_number_of_entries),
        cmocka_unit_test(test_what_is_not_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
