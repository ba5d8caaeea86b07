#include "unit/snp_world.h"

#include "crypto/x509_name.h"
#include "trust/amd_cert_table.h"
#include "trust/amd_leaf.h"

static atls_cert *leaf_of(const snp_rig *rig, const char *variant, const char *fault)
{
    atls_evidence_blob blob = snp_evidence(rig, variant, fault);
    atls_amd_cert_table t;
    atls_cert *cert = NULL;
    assert_int_equal(
        atls_amd_cert_table_parse((atls_buf){blob.parts[1].bytes, blob.parts[1].len}, &t, NULL),
        ATLS_OK);
    const atls_buf der = t.entry[t.entry[ATLS_AMD_VLEK].len > 0 ? ATLS_AMD_VLEK : ATLS_AMD_VCEK];
    assert_int_equal(atls_cert_parse(der, &cert, NULL), ATLS_OK);
    atls_evidence_blob_clear(&blob);
    return cert;
}

static void what_leaves_say(void **state)
{
    static const struct {
        const char *variant;
        atls_amd_product product;
        uint8_t struct_version, tcb[8];
        size_t hw_id_len;
        const char *csp_id;
    } cases[] = {
        {"milan", ATLS_AMD_MILAN, 0, {4, 0, 0, 0, 0, 0, 24, 219}, 64, ""},
        {"genoa", ATLS_AMD_GENOA, 0, {9, 0, 0, 0, 0, 0, 23, 84}, 64, ""},
        {"turin", ATLS_AMD_TURIN, 1, {1, 1, 1, 4, 0, 0, 0, 81}, 8, ""},
        {"vlek", ATLS_AMD_MILAN, 0, {4, 0, 0, 0, 0, 0, 24, 219}, 0, "CN=simulator.invalid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_amd_leaf leaf;
        atls_err err = {0};
        const bool is_vlek = cases[i].csp_id[0] != '\0';
        atls_cert *cert = leaf_of(*state, cases[i].variant, NULL);
        assert_int_equal(atls_amd_leaf_read(cert, is_vlek, &leaf, NULL), ATLS_OK);
        assert_int_equal(leaf.product, cases[i].product);
        assert_int_equal(leaf.struct_version, cases[i].struct_version);
        assert_memory_equal(leaf.tcb, cases[i].tcb, 8);
        assert_int_equal(leaf.hw_id_len, cases[i].hw_id_len);
        assert_int_equal(leaf.has_hw_id, !is_vlek);
        assert_string_equal(leaf.csp_id, cases[i].csp_id);
        assert_int_equal(atls_amd_leaf_read(cert, !is_vlek, &leaf, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "snp.leaf.extensions");
        atls_cert_free(cert);
    }
}

/* The chip ids of the simulator begin with the tag of an OCTET STRING: they are taken as they are. */
static void chip_ids_are_raw(void **state)
{
    atls_amd_leaf raw;
    atls_amd_leaf wrapped;
    atls_cert *cert = leaf_of(*state, "milan", NULL);
    assert_int_equal(atls_amd_leaf_read(cert, false, &raw, NULL), ATLS_OK);
    assert_int_equal(raw.hw_id[0], 4);
    atls_cert_free(cert);
    cert = leaf_of(*state, "milan", "leaf.hwID_wrapped");
    assert_int_equal(atls_amd_leaf_read(cert, false, &wrapped, NULL), ATLS_OK);
    assert_memory_equal(raw.hw_id, wrapped.hw_id, sizeof raw.hw_id);
    atls_cert_free(cert);
}

static void products_by_cpuid(void **state)
{
    (void)state;
    static const struct {
        uint8_t family, model;
        atls_amd_product product;
    } cases[] = {
        {0x19, 0x00, ATLS_AMD_MILAN},   {0x19, 0x0f, ATLS_AMD_MILAN},
        {0x19, 0x10, ATLS_AMD_GENOA},   {0x19, 0x1f, ATLS_AMD_GENOA},
        {0x19, 0x20, ATLS_AMD_UNKNOWN}, {0x19, 0xa0, ATLS_AMD_GENOA},
        {0x19, 0xaf, ATLS_AMD_GENOA},   {0x19, 0xb0, ATLS_AMD_UNKNOWN},
        {0x1a, 0x00, ATLS_AMD_TURIN},   {0x1a, 0x11, ATLS_AMD_TURIN},
        {0x1a, 0x12, ATLS_AMD_UNKNOWN}, {0x1a, 0x50, ATLS_AMD_VENICE},
        {0x1a, 0xc7, ATLS_AMD_VENICE},  {0x1a, 0xc8, ATLS_AMD_UNKNOWN},
        {0x17, 0x01, ATLS_AMD_UNKNOWN}, {0x00, 0x00, ATLS_AMD_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(atls_amd_product_by_cpuid(cases[i].family, cases[i].model),
                         cases[i].product);
    }
    assert_int_equal(atls_amd_product_by_name("Genoa-B1"), ATLS_AMD_GENOA);
    assert_int_equal(atls_amd_product_by_name("Gen"), ATLS_AMD_UNKNOWN);
    assert_int_equal(atls_amd_product_by_name("Venice"), ATLS_AMD_UNKNOWN);
    assert_int_equal(atls_amd_product_by_name(""), ATLS_AMD_UNKNOWN);
}

/* Component by component: as one number the first of these would be below the second. */
static void tcb_versions_are_compared_by_component(void **state)
{
    (void)state;
    static const uint8_t a[8] = {4, 0, 0, 0, 0, 0, 24, 100};
    static const uint8_t b[8] = {3, 0, 0, 0, 0, 0, 25, 200};
    atls_snp_tcb x = atls_amd_tcb(a, ATLS_AMD_MILAN);
    atls_snp_tcb y = atls_amd_tcb(b, ATLS_AMD_MILAN);
    assert_string_equal(atls_amd_tcb_above(&x, &y), "boot loader");
    assert_string_equal(atls_amd_tcb_above(&y, &x), "SNP");
    assert_null(atls_amd_tcb_above(&x, &x));
    x = atls_amd_tcb(a, ATLS_AMD_TURIN);
    assert_true(x.has_fmc && x.fmc == 4 && x.bootloader == 0 && x.snp == 0 && x.microcode == 100);
}

static void one_attribute_of_a_name(void **state)
{
    char cn[16];
    char shorter[8];
    atls_cert *cert = leaf_of(*state, "milan", NULL);
    assert_true(atls_x509_name_one(cert->issuer, "CN", cn, sizeof cn));
    assert_string_equal(cn, "SEV-Milan");
    assert_false(atls_x509_name_one(cert->issuer, "CN", shorter, sizeof shorter));
    assert_string_equal(shorter, "");
    assert_false(atls_x509_name_one(cert->issuer, "L", cn, sizeof cn));
    assert_false(atls_x509_name_one((atls_buf){cert->issuer.ptr, cert->issuer.len - 1}, "CN", cn,
                                    sizeof cn));
    atls_cert_free(cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_leaves_say),
        cmocka_unit_test(chip_ids_are_raw),
        cmocka_unit_test(products_by_cpuid),
        cmocka_unit_test(tcb_versions_are_compared_by_component),
        cmocka_unit_test(one_attribute_of_a_name),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
