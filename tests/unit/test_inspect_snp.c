/* SNP reports for the eye: a name for every bit, TCB versions as their product lays them out, tables with what is in them. */
#include "unit/snp_world.h"

#include <stdlib.h>

#include <atls/inspect.h>

#define REPORT_LEN 1184

static char *inspect(atls_buf bytes)
{
    char *text = NULL;
    atls_err err = {0};
    if (atls_inspect(bytes, true, &text, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return text;
}

static void assert_shows(atls_buf bytes, const char *const *wanted, size_t n)
{
    char *text = inspect(bytes);
    for (size_t i = 0; i < n; i++) {
        if (strstr(text, wanted[i]) == NULL) {
            fail_msg("'%s' is missing in: %s", wanted[i], text);
        }
    }
    atls_free(text);
}
#define ASSERT_SHOWS(bytes, ...)                                                                   \
    do {                                                                                           \
        const char *const wanted_[] = {__VA_ARGS__};                                               \
        assert_shows(bytes, wanted_, sizeof wanted_ / sizeof wanted_[0]);                          \
    } while (0)

static atls_buf part(const atls_evidence_blob *blob, size_t i)
{
    return (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
}

static void a_report_in_full(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, "milan", NULL);
    ASSERT_SHOWS(part(&blob, 0), "\"kind\":\"SNP report\"", "no signature was checked",
                 "\"report\":{\"version\":3,\"guest_svn\":2,", "\"policy_abi_minimum\":\"0.31\"",
                 "\"policy_flags\":[\"SMT allowed\",\"always one\"]", "\"vmpl\":0",
                 "\"report_data\":\"42424242",
                 "\"platform_info_flags\":[\"SMT on\",\"ECC on\",\"alias check complete\"]",
                 "\"product\":\"Milan\",\"cpuid_family\":25,\"cpuid_model\":1,\"cpuid_stepping\":1",
                 "\"reported_tcb\":{\"raw\":\"04000000000018db\",\"boot_loader\":4,\"tee\":0,"
                 "\"snp\":24,\"microcode\":219}",
                 "\"launch_tcb\":{", "\"current_version\":\"1.55.29\"",
                 "\"committed_version\":\"1.55.29\"", "\"reserved_bytes_set\":false",
                 "\"signing_key\":\"VCEK\"", "\"signer_info_flags\":[\"AUTHOR_KEY_EN\"]",
                 "\"signature_s_little_endian\":\"");
    atls_evidence_blob_clear(&blob);
    blob = snp_evidence(*state, "turin", NULL);
    ASSERT_SHOWS(part(&blob, 0), "\"version\":5", "\"product\":\"Turin\"",
                 "\"committed_tcb\":{\"raw\":\"0101010400000051\",\"fmc\":1,\"boot_loader\":1,"
                 "\"tee\":1,\"snp\":4,\"microcode\":81}",
                 "\"launch_mitigation_vector\":63", "\"current_mitigation_vector\":63");
    atls_evidence_blob_clear(&blob);
    blob = snp_evidence(*state, "vlek", NULL);
    ASSERT_SHOWS(part(&blob, 0), "\"signing_key\":\"VLEK\"");
    atls_evidence_blob_clear(&blob);
}

/* A report of version 2 has no CPUID: its chip id tells Turin's TCB from the others'. */
static void version_2_by_its_chip_id(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, "milan-v2", NULL);
    uint8_t *r = blob.parts[0].bytes;
    char *text = inspect(part(&blob, 0));
    assert_non_null(strstr(text, "\"snp\":24,\"microcode\":219"));
    assert_null(strstr(text, "\"product\""));
    assert_null(strstr(text, "mitigation"));
    atls_free(text);
    memset(r + 0x1a8, 0, 56);
    ASSERT_SHOWS(part(&blob, 0), "\"fmc\":4,");
    atls_evidence_blob_clear(&blob);
}

static void every_bit_has_a_name(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, "genoa", NULL);
    uint8_t *r = blob.parts[0].bytes;
    memset(r + 0x008, 0xff, 8);
    memset(r + 0x040, 0xff, 8);
    r[0x048] = 0x3;
    ASSERT_SHOWS(part(&blob, 0),
                 "\"policy_flags\":[\"SMT allowed\",\"always one\",\"MIGRATION AGENT allowed\","
                 "\"DEBUG allowed\",\"single socket\",\"CXL allowed\",\"AES-256-XTS required\","
                 "\"RAPL must be off\",\"ciphertext hiding required\",\"page swap disabled\","
                 "\"bit 26\",",
                 "\"bit 63\"]", "\"policy_abi_minimum\":\"255.255\"",
                 "\"platform_info_flags\":[\"SMT on\",\"TSME on\",\"ECC on\",\"RAPL off\","
                 "\"ciphertext hiding on\",\"alias check complete\",\"bit 6\",\"SEV-TIO on\","
                 "\"bit 8\",",
                 "\"signer_info_flags\":[\"AUTHOR_KEY_EN\",\"MASK_CHIP_KEY\"]",
                 "\"reserved_bytes_set\":true");
    atls_evidence_blob_clear(&blob);
}

static void tables_alone_and_behind_a_report(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, "vlek", NULL);
    ASSERT_SHOWS(part(&blob, 1), "\"kind\":\"certificate table\"", "\"entries\":3",
                 "\"vlek\":[{\"subject\":\"", "SEV-VLEK", "\"ask\":[{", "SEV-VLEK-Milan",
                 "\"crl\":{");
    const size_t len = blob.parts[0].len + blob.parts[1].len;
    uint8_t *raw = malloc(len);
    assert_non_null(raw);
    memcpy(raw, blob.parts[0].bytes, REPORT_LEN);
    memcpy(raw + REPORT_LEN, blob.parts[1].bytes, blob.parts[1].len);
    ASSERT_SHOWS(((atls_buf){raw, len}), "\"report\":{", "\"certificate_table\":{", "\"vlek\":[");
    ASSERT_SHOWS(((atls_buf){raw, len - 1}), "\"report\":{", "[snp.table.entry]");
    memset(raw + REPORT_LEN + 8 * 24, 0, 4); /* the leaf is no certificate any more */
    ASSERT_SHOWS(((atls_buf){raw + REPORT_LEN, len - REPORT_LEN}),
                 "\"vlek\":{\"error\":", "[cert.");
    free(raw);
    atls_evidence_blob_clear(&blob);
}

static void parts_of_a_bundle(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, "turin", NULL);
    atls_evidence e = {.type = "snp",
                       .parts_n = 3,
                       .parts = {{"report", part(&blob, 0)},
                                 {"certs", part(&blob, 1)},
                                 {"vcek", text_buf("no certificate")}}};
    char *bundle = NULL;
    assert_int_equal(atls_bundle_write(&e, &bundle, NULL), ATLS_OK);
    ASSERT_SHOWS(text_buf(bundle), "\"type\":\"snp\"", "\"report\":{\"bytes\":1184,\"report\":{",
                 "\"certs\":{\"bytes\":", "\"certificate_table\":{\"entries\":3",
                 "\"vcek\":{\"bytes\":14,\"error\":");
    atls_free(bundle);
    atls_evidence_blob_clear(&blob);
}

static void no_truncation_is_shown(void **state)
{
    atls_evidence_blob blob = snp_evidence(*state, NULL, NULL);
    for (size_t n = 0; n < REPORT_LEN; n++) {
        char *text = NULL;
        atls_err err = {0};
        assert_int_equal(atls_inspect((atls_buf){blob.parts[0].bytes, n}, false, &text, &err),
                         ATLS_E_INVALID);
        assert_non_null(err.check);
        assert_null(text);
    }
    atls_evidence_blob_clear(&blob);
    blob = snp_evidence(*state, NULL, "report.version_6");
    char *text = NULL;
    atls_err err = {0};
    assert_int_equal(atls_inspect(part(&blob, 0), false, &text, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "snp.report.version");
    atls_evidence_blob_clear(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_in_full),     cmocka_unit_test(version_2_by_its_chip_id),
        cmocka_unit_test(every_bit_has_a_name), cmocka_unit_test(tables_alone_and_behind_a_report),
        cmocka_unit_test(parts_of_a_bundle),    cmocka_unit_test(no_truncation_is_shown),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
