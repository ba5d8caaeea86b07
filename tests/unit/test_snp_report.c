#include "unit/snp_world.h"

#include "evidence/snp/report.h"

static atls_evidence_blob good(void **state, const char *variant)
{
    return snp_evidence(*state, variant, NULL);
}

static atls_buf bytes_of(const atls_evidence_blob *blob)
{
    return (atls_buf){blob->parts[0].bytes, blob->parts[0].len};
}

static void fields_stand_where_the_table_says(void **state)
{
    atls_evidence_blob blob = good(state, "turin");
    const atls_buf b = bytes_of(&blob);
    atls_snp_report r;
    assert_int_equal(atls_snp_report_parse(b, &r, NULL), ATLS_OK);
    assert_int_equal(r.version, 5);
    assert_int_equal(r.guest_svn, 2);
    assert_true(r.policy == 0x3001f);
    assert_true(r.platform_info == 0x25);
    assert_int_equal(r.signer_info, 1);
    assert_int_equal(r.signing_key, ATLS_SNP_VCEK);
    assert_true(r.has_cpuid && r.family == 0x1a && r.model == 2 && r.stepping == 1);
    assert_true(r.launch_mit_vector == 0x3f && r.current_mit_vector == 0x3f);
    assert_false(r.reserved_set);
    static const struct {
        size_t at, len;
    } places[] = {{0x010, 16}, {0x020, 16}, {0x038, 8},  {0x050, 64}, {0x090, 48},
                  {0x0c0, 32}, {0x0e0, 48}, {0x110, 48}, {0x140, 32}, {0x160, 32},
                  {0x180, 8},  {0x1a0, 64}, {0x1e0, 8},  {0x1e8, 3},  {0x1ec, 3},
                  {0x1f0, 8},  {0, 672},    {0x2a0, 48}, {0x2e8, 48}};
    const atls_buf views[] = {r.family_id,
                              r.image_id,
                              r.current_tcb,
                              r.report_data,
                              r.measurement,
                              r.host_data,
                              r.id_key_digest,
                              r.author_key_digest,
                              r.report_id,
                              r.report_id_ma,
                              r.reported_tcb,
                              r.chip_id,
                              r.committed_tcb,
                              r.current_version,
                              r.committed_version,
                              r.launch_tcb,
                              r.signed_range,
                              r.r,
                              r.s};
    assert_int_equal(sizeof places / sizeof places[0], sizeof views / sizeof views[0]);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        assert_ptr_equal(views[i].ptr, b.ptr + places[i].at);
        assert_int_equal(views[i].len, places[i].len);
    }
    atls_evidence_blob_clear(&blob);
}

static void every_truncation_and_one_byte_more(void **state)
{
    atls_evidence_blob blob = good(state, NULL);
    uint8_t longer[1185] = {0};
    memcpy(longer, blob.parts[0].bytes, 1184);
    for (size_t len = 0; len <= 1185; len++) {
        atls_snp_report r;
        atls_err err = {0};
        uint8_t *exact = malloc(len > 0 ? len : 1); /* so that a sanitizer sees a byte too many */
        memcpy(exact, longer, len);
        atls_code rc = atls_snp_report_parse((atls_buf){exact, len}, &r, &err);
        assert_int_equal(rc, len == 1184 ? ATLS_OK : ATLS_E_INVALID);
        if (len != 1184) {
            assert_string_equal(err.check, "snp.report.size");
        }
        assert_int_equal(atls_snp_report_looks((atls_buf){exact, len}, false), len == 1184);
        assert_int_equal(atls_snp_report_looks((atls_buf){exact, len}, true), len >= 1184);
        free(exact);
    }
    atls_evidence_blob_clear(&blob);
}

static void each_checked_field_wrong_alone(void **state)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {"version 0", 0x000, 0, "snp.report.version"},
        {"version 1", 0x000, 1, "snp.report.version"},
        {"version 6", 0x000, 6, "snp.report.version"},
        {"version 259", 0x001, 1, "snp.report.version"},
        {"no algorithm", 0x034, 0, "snp.report.algorithm"},
        {"algorithm 2", 0x034, 2, "snp.report.algorithm"},
        {"algorithm 257", 0x035, 1, "snp.report.algorithm"},
        {"signed by nobody", 0x048, 7 * 4, "snp.report.signer"},
        {"a reserved key", 0x048, 2 * 4, "snp.report.signer"},
        {"policy without bit 17", 0x00a, 1, "snp.report.policy"},
        {"VMPL 4", 0x030, 4, "snp.report.vmpl"},
        {"VMPL 256", 0x031, 1, "snp.report.vmpl"},
        {"r of 49 bytes", 0x2d0, 1, "snp.report.tail"},
        {"r of 72 bytes", 0x2e7, 1, "snp.report.tail"},
        {"s of 49 bytes", 0x318, 1, "snp.report.tail"},
        {"the first byte behind s", 0x330, 1, "snp.report.tail"},
        {"the last byte", 0x49f, 1, "snp.report.tail"},
    };
    atls_evidence_blob blob = good(state, NULL);
    uint8_t *bytes = blob.parts[0].bytes;
    atls_snp_report r;
    atls_err err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t was = bytes[bad[i].at];
        bytes[bad[i].at] = bad[i].value;
        err = (atls_err){0};
        assert_int_equal(atls_snp_report_parse(bytes_of(&blob), &r, &err), ATLS_E_INVALID);
        if (strcmp(err.check, bad[i].check) != 0) {
            print_error("%s: %s\n", bad[i].what, err.check);
        }
        assert_string_equal(err.check, bad[i].check);
        bytes[bad[i].at] = was;
    }
    memset(bytes + 0x030, 0xff, 4);
    assert_int_equal(atls_snp_report_parse(bytes_of(&blob), &r, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "snp.report.vmpl");
    atls_evidence_blob_clear(&blob);
}

/* What is reserved depends on the version: each byte of each of them. */
static void every_reserved_byte_is_noticed(void **state)
{
    static const struct {
        const char *variant;
        size_t from, to;
    } ranges[] = {
        {"milan", 0x04c, 0x050},    {"milan", 0x18b, 0x1a0}, {"milan", 0x1eb, 0x1ec},
        {"milan", 0x1ef, 0x1f0},    {"milan", 0x1f8, 0x2a0}, {"milan-v2", 0x188, 0x1a0},
        {"milan-v2", 0x1f8, 0x2a0}, {"turin", 0x18b, 0x1a0}, {"turin", 0x208, 0x2a0},
        {"milan", 0x04a, 0x04c},    {"milan", 0x00c, 0x010},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        atls_evidence_blob blob = good(state, ranges[i].variant);
        uint8_t *bytes = blob.parts[0].bytes;
        for (size_t at = ranges[i].from; at < ranges[i].to; at++) {
            atls_snp_report r;
            bytes[at] ^= 0x80;
            assert_int_equal(atls_snp_report_parse(bytes_of(&blob), &r, NULL), ATLS_OK);
            assert_true(r.reserved_set);
            bytes[at] ^= 0x80;
            assert_int_equal(atls_snp_report_parse(bytes_of(&blob), &r, NULL), ATLS_OK);
            assert_false(r.reserved_set);
        }
        atls_evidence_blob_clear(&blob);
    }
}

/* An author's digest without an author. */
static void an_author_key_must_be_announced(void **state)
{
    atls_evidence_blob blob = good(state, NULL);
    atls_snp_report r;
    blob.parts[0].bytes[0x48] = 0;
    assert_int_equal(atls_snp_report_parse(bytes_of(&blob), &r, NULL), ATLS_OK);
    assert_true(r.reserved_set);
    memset(blob.parts[0].bytes + 0x110, 0, 48);
    assert_int_equal(atls_snp_report_parse(bytes_of(&blob), &r, NULL), ATLS_OK);
    assert_false(r.reserved_set);
    atls_evidence_blob_clear(&blob);
}

/* Each bit of the report, from its first to its last: either its form or its signature does not hold. */
static void every_bit_counts(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = good(state, NULL);
    for (size_t at = 0; at < 1184; at++) {
        uint8_t bit = (uint8_t)(1u << (at % 8));
        blob.parts[0].bytes[at] ^= bit;
        atls_verdict *r = snp_check(rig->v, &blob, 2, NOW);
        assert_false(atls_verdict_accepted(r));
        if (at < 0x2a0 && r->ledger.count > 8) {
            assert_true(has_failure(r, "snp.report.signature", ATLS_E_INVALID) ||
                        atls_verdict_code(r) == ATLS_E_COLLATERAL); /* another leaf is wanted */
        }
        assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
        atls_verdict_free(r);
        blob.parts[0].bytes[at] ^= bit;
    }
    atls_evidence_blob_clear(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_stand_where_the_table_says),
        cmocka_unit_test(every_truncation_and_one_byte_more),
        cmocka_unit_test(each_checked_field_wrong_alone),
        cmocka_unit_test(every_reserved_byte_is_noticed),
        cmocka_unit_test(an_author_key_must_be_announced),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
