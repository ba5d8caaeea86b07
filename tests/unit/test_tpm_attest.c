#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "evidence/tpm/attest.h"
#include "tpm_bytes.h"

static atls_code parse(const uint8_t *bytes, size_t len, atls_tpm_attest *out, atls_err *err)
{
    return atls_tpm_attest_parse((atls_buf){bytes, len}, out, err);
}

static void test_good(void **state)
{
    (void)state;
    uint8_t bytes[TPM_ATTEST_LEN];
    atls_tpm_attest a;
    assert_int_equal(tpm_attest_bytes(bytes), TPM_ATTEST_LEN);
    assert_int_equal(parse(bytes, sizeof bytes, &a, NULL), ATLS_OK);
    assert_ptr_equal(a.qualified_signer.ptr, bytes + 8);
    assert_int_equal(a.qualified_signer.len, 34);
    assert_int_equal(a.qualifying_data.len, 32);
    assert_int_equal(a.clock_ms, 230044);
    assert_int_equal(a.reset_count, 2);
    assert_int_equal(a.restart_count, 1);
    assert_true(a.safe);
    assert_true(a.firmware_version == 0x2019102300163636u);
    assert_int_equal(a.selections_n, 1);
    assert_int_equal(a.selections[0].hash, ATLS_TPM_ALG_SHA256);
    assert_int_equal(a.selections[0].pcrs, 1u | 1u << 7 | 1u << 16);
    assert_ptr_equal(a.pcr_digest.ptr, bytes + 113);
    bytes[TPM_AT_SAFE] = 0;
    assert_int_equal(parse(bytes, sizeof bytes, &a, NULL), ATLS_OK);
    assert_false(a.safe);
}

static void test_lengths(void **state)
{
    (void)state;
    uint8_t bytes[TPM_ATTEST_LEN + 1] = {0};
    atls_tpm_attest a;
    (void)tpm_attest_bytes(bytes);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        atls_err err = {0};
        if (len != TPM_ATTEST_LEN) {
            assert_int_equal(parse(bytes, len, &a, &err), ATLS_E_INVALID);
            assert_string_equal(err.check, "tpm.attest.length");
        }
    }
    static const uint8_t long_one[ATLS_TPM_ATTEST_MAX_LEN + 1];
    atls_err err = {0};
    assert_int_equal(parse(long_one, sizeof long_one, &a, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.attest.length");
}

static void test_fields(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {"not made by a TPM", TPM_AT_MAGIC, 0xfe, "tpm.attest.magic"},
        {"TPM_ST_ATTEST_CERTIFY", TPM_AT_TYPE + 1, 0x17, "tpm.attest.type"},
        {"TPM_ST_ATTEST_NV", TPM_AT_TYPE + 1, 0x14, "tpm.attest.type"},
        {"a longer name than there is", TPM_AT_NAME, 0x01, "tpm.attest.length"},
        {"more data than there is", TPM_AT_DATA, 0x01, "tpm.attest.length"},
        {"a truth value of 2", TPM_AT_SAFE, 2, "tpm.attest.safe"},
        {"2 banks, where one is there", TPM_AT_COUNT + 3, 2, "tpm.attest.selection"},
        {"17 banks", TPM_AT_COUNT + 3, 17, "tpm.attest.selection"},
        {"2^24 banks", TPM_AT_COUNT, 1, "tpm.attest.selection"},
        {"an empty bitmap", TPM_AT_SELECT, 0, "tpm.attest.selection"},
        {"a bitmap of 5 bytes", TPM_AT_SELECT, 5, "tpm.attest.selection"},
        {"a shorter bitmap", TPM_AT_SELECT, 2, "tpm.attest.length"},
        {"a longer digest", TPM_AT_DIGEST + 1, 33, "tpm.attest.length"},
        {"a shorter digest", TPM_AT_DIGEST + 1, 31, "tpm.attest.length"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[TPM_ATTEST_LEN];
        atls_tpm_attest a;
        atls_err err = {0};
        (void)tpm_attest_bytes(bytes);
        bytes[bad[i].at] = bad[i].value;
        assert_int_equal(parse(bytes, sizeof bytes, &a, &err), ATLS_E_INVALID);
        if (strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s, where %s is wanted", bad[i].what, err.check, bad[i].check);
        }
    }
}

/* Fields that are longer than any TPM makes them, with everything else in order. */
static void test_too_long(void **state)
{
    (void)state;
    static const struct {
        size_t name, data, digest;
        uint8_t select; /* bytes of the bitmap */
        const char *check;
    } cases[] = {
        {68, 66, 64, 3, NULL},
        {69, 0, 32, 3, "tpm.attest.name"},
        {34, 67, 32, 3, "tpm.attest.qualifying_data"},
        {34, 32, 65, 3, "tpm.attest.digest"},
        {34, 32, 32, 4, "tpm.attest.selection"}, /* its last bit: PCR 31 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[512];
        atls_writer w = atls_writer_of(bytes, sizeof bytes);
        atls_tpm_attest a;
        atls_err err = {0};
        atls_writer_u32be(&w, 0xff544347u);
        atls_writer_u16be(&w, 0x8018);
        atls_writer_u16be(&w, (uint16_t)cases[i].name);
        atls_writer_zeros(&w, cases[i].name);
        atls_writer_u16be(&w, (uint16_t)cases[i].data);
        atls_writer_zeros(&w, cases[i].data + 25);
        atls_writer_u32be(&w, 1);
        atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
        atls_writer_u8(&w, cases[i].select);
        atls_writer_zeros(&w, cases[i].select - 1u);
        atls_writer_u8(&w, 0x80);
        atls_writer_u16be(&w, (uint16_t)cases[i].digest);
        atls_writer_zeros(&w, cases[i].digest);
        const atls_buf done = atls_writer_done(&w);
        const atls_code rc = parse(done.ptr, done.len, &a, &err);
        if (cases[i].check == NULL) {
            assert_int_equal(rc, ATLS_OK);
        } else {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, cases[i].check);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
