#include "unit/snp_world.h"

#include "trust/amd_cert_table.h"

static atls_buf table_bytes(const atls_evidence_blob *blob)
{
    return (atls_buf){blob->parts[1].bytes, blob->parts[1].len};
}

static void entries_are_found(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, NULL, NULL);
    atls_amd_cert_table t;
    assert_int_equal(atls_amd_cert_table_parse(table_bytes(&blob), &t, NULL), ATLS_OK);
    assert_int_equal(t.n, 3);
    assert_true(t.entry[ATLS_AMD_VCEK].len > 500 && t.entry[ATLS_AMD_VCEK].ptr[0] == 0x30);
    assert_true(t.entry[ATLS_AMD_ASK].len > 500 && t.entry[ATLS_AMD_CRL].len > 300);
    assert_true(t.entry[ATLS_AMD_VLEK].len == 0 && t.entry[ATLS_AMD_ARK].len == 0);
    assert_true(atls_amd_cert_table_looks(table_bytes(&blob)));
    assert_false(atls_amd_cert_table_looks((atls_buf){blob.parts[0].bytes, 1184}));
    atls_evidence_blob_clear(&blob);
}

/* All entries lie inside what is left, or the table is refused. */
static void every_truncation(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, NULL, NULL);
    for (size_t len = 0; len < blob.parts[1].len; len++) {
        atls_amd_cert_table t;
        atls_err err = {0};
        uint8_t *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, blob.parts[1].bytes, len);
        atls_code rc = atls_amd_cert_table_parse((atls_buf){exact, len}, &t, &err);
        assert_int_equal(rc, len == 0 ? ATLS_OK : ATLS_E_INVALID);
        if (len > 0) {
            assert_string_equal(err.check, len < 4 * 24 ? "snp.table.header" : "snp.table.entry");
        }
        free(exact);
    }
    atls_evidence_blob_clear(&blob);
}

static void put32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(v >> (8 * i));
    }
}

static void lengths_and_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t offset, length;
        bool good;
    } cases[] = {
        {"the first byte behind the header", 48, 1, true},
        {"the last byte", 99, 1, true},
        {"all of it", 48, 52, true},
        {"nothing, anywhere", 0xffffffffu, 0, true},
        {"the last byte of the header", 47, 1, false},
        {"one byte behind the end", 100, 1, false},
        {"one byte too many", 48, 53, false},
        {"a sum of 2^32", 0xffffff9cu, 100, false},
        {"a sum that wraps to a good end", 0xffffff00u, 0x130, false},
        {"the longest", 48, 0xffffffffu, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t table[100] = {0xee};
        atls_amd_cert_table t;
        atls_err err = {0};
        put32(table + 16, cases[i].offset);
        put32(table + 20, cases[i].length);
        atls_code rc = atls_amd_cert_table_parse((atls_buf){table, sizeof table}, &t, &err);
        if ((rc == ATLS_OK) != cases[i].good) {
            print_error("%s\n", cases[i].what);
        }
        assert_int_equal(rc, cases[i].good ? ATLS_OK : ATLS_E_INVALID);
        if (!cases[i].good) {
            assert_string_equal(err.check, "snp.table.entry");
        }
    }
}

static void limits(void **state)
{
    (void)state;
    static uint8_t table[ATLS_AMD_TABLE_MAX_LEN + 1];
    atls_amd_cert_table t;
    atls_err err = {0};
    assert_int_equal(atls_amd_cert_table_parse((atls_buf){table, sizeof table}, &t, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "snp.table.size");
    assert_int_equal(atls_amd_cert_table_parse((atls_buf){table, sizeof table - 1}, &t, NULL),
                     ATLS_OK); /* a page of zeros: no entries */
    assert_int_equal(t.n, 0);
    for (size_t i = 0; i <= ATLS_AMD_TABLE_MAX_ENTRIES; i++) {
        assert_int_equal(atls_amd_cert_table_parse((atls_buf){table, 2000}, &t, NULL), ATLS_OK);
        assert_int_equal(t.n, i);
        table[i * 24] = 0xee; /* one more, of length 0 */
        table[i * 24 + 1] = (uint8_t)(i + 1);
    }
    assert_int_equal(atls_amd_cert_table_parse((atls_buf){table, 2000}, &t, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "snp.table.header");
    memset(table, 0, sizeof table);
    table[0] = table[24] = 0xee;
    assert_int_equal(atls_amd_cert_table_parse((atls_buf){table, 2000}, &t, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "snp.table.twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(lengths_and_offsets),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
