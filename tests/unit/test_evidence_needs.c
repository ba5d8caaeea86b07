/* What a store is asked for, by evidence that nobody has judged. */
#include "unit/shelf_rig.h"

#include <atls/store.h>

#include "base/hex.h"
#include "evidence/snp/report.h"
#include "sim/snp_plan.h"
#include "trust/vcek_item.h"

static atls_needs needs_of(const char *type, const char *name, atls_buf bytes)
{
    const atls_evidence e = {.type = type, .parts_n = 1, .parts = {{name, bytes}}};
    atls_needs needs;
    memset(&needs, 0xa5, sizeof needs);
    atls_evidence_needs(&e, &needs);
    return needs;
}

static void expect(const atls_needs *needs, size_t n, const char *const *keys)
{
    for (size_t i = 0; i < needs->n && i < ATLS_NEEDS_MAX; i++) {
        atls_item_name name;
        assert_int_equal(atls_item_name_parse(needs->keys[i], &name, NULL), ATLS_OK);
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(i < needs->n);
        assert_string_equal(needs->keys[i], keys[i]);
    }
    assert_int_equal(needs->n, n);
}

static void quotes_with_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *type, *fault, *tcb, *qe;
    } rows[] = {{"tdx", NULL, "intel/tcb/tdx/53494d000000", "intel/qe/tdx"},
                {"tdx5", NULL, "intel/tcb/tdx/53494d000000", "intel/qe/tdx"},
                {"sgx", NULL, "intel/tcb/sgx/53494d000000", "intel/qe/sgx"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        shelf_rig *r = rig_open(true);
        rig_quote(r, rows[i].type, rows[i].fault);
        const char *const keys[] = {rows[i].tcb, rows[i].qe, "intel/pckcrl/platform",
                                    "intel/rootcrl"};
        const atls_needs needs = needs_of(NULL, NULL, (atls_buf){r->quote, r->quote_len});
        expect(&needs, 4, keys);
        rig_close(r);
    }
}

static void the_ca_is_the_certificates(void **state)
{
    (void)state;
    static const char *const keys[] = {"intel/tcb/tdx/53494d000000", "intel/qe/tdx",
                                       "intel/pckcrl/processor", "intel/rootcrl"};
    atls_sim *sim = NULL;
    uint8_t *quote = NULL;
    size_t len = 0;
    const atls_sim_quote q = {.type = "tdx"};
    assert_int_equal(atls_sim_new(NOW, "pck.processor", &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_make_quote(sim, &q, &quote, &len, NULL), ATLS_OK);
    const atls_needs needs = needs_of("tdx", "quote", (atls_buf){quote, len});
    expect(&needs, 4, keys);
    atls_free(quote);
    atls_sim_free(sim);
}

/* The certificate says the rest. */
static void quotes_that_name_their_platform(void **state)
{
    (void)state;
    static const char *const faults[] = {"quote.type_1", "quote.type_2", "quote.type_3"};
    for (size_t i = 0; i < 3; i++) {
        shelf_rig *r = rig_open(true);
        char id[33];
        char wanted[64];
        rig_quote(r, "sgx", faults[i]);
        atls_hex_encode((atls_buf){r->sim->qe_id, 16}, id);
        (void)snprintf(wanted, sizeof wanted, "intel/pck/%s/", id);
        const atls_needs needs = needs_of("sgx", "quote", (atls_buf){r->quote, r->quote_len});
        assert_int_equal(needs.n, 1);
        assert_memory_equal(needs.keys[0], wanted, strlen(wanted));
        rig_close(r);
    }
}

/* Every truncation: no more than the whole asks for, and no crash. */
static void half_evidence_needs_nothing(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    for (size_t len = 0; len < r->quote_len; len += 7) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, r->quote, len);
        const atls_needs needs = needs_of("tdx", "quote", (atls_buf){copy, len});
        assert_int_equal(needs.n, 0);
        free(copy);
    }
    rig_close(r);
    atls_needs needs;
    atls_evidence_needs(NULL, &needs);
    assert_int_equal(needs.n, 0);
    needs = needs_of(NULL, NULL, text_buf("nothing known"));
    assert_int_equal(needs.n, 0);
}

static void reports(void **state)
{
    (void)state;
    atls_sim_world *world = NULL;
    assert_int_equal(atls_sim_world_new("snp", NOW, &world, NULL), ATLS_OK);
    for (size_t i = 0; snp_variant_at(i) != NULL; i++) {
        static const char *const names[] = {"Milan", "Genoa", "Turin"};
        const snp_variant *v = snp_variant_at(i);
        const atls_sim_request request = {.variant = v->name};
        atls_evidence_blob blob = {0};
        atls_snp_report report;
        atls_item_name name;
        char vcek[ATLS_ITEM_KEY_LEN] = "";
        char crl[ATLS_ITEM_KEY_LEN];
        assert_int_equal(atls_sim_world_make(world, &request, &blob, NULL), ATLS_OK);
        const atls_buf bytes = {blob.parts[0].bytes, blob.parts[0].len};
        assert_int_equal(atls_snp_report_parse(bytes, &report, NULL), ATLS_OK);
        (void)snprintf(crl, sizeof crl, "amd/crl/%s/%s", v->is_vlek ? "vlek" : "vcek",
                       names[v->product]);
        if (atls_vcek_item_name(atls_amd_product_by_name(names[v->product]), report.chip_id,
                                report.reported_tcb, &name)) {
            atls_item_name_format(&name, vcek);
        }
        const char *const keys[] = {vcek, crl};
        atls_needs needs = needs_of("snp", "report", bytes);
        if (!report.has_cpuid) {
            assert_int_equal(needs.n, 0); /* it does not tell the product */
        } else {
            expect(&needs, v->is_vlek ? 1 : 2, v->is_vlek ? keys + 1 : keys);
        }
        /* With its table the leaf is there, and tells the product. */
        const atls_evidence e = {
            .type = "snp",
            .parts_n = 2,
            .parts = {{"report", bytes}, {"certs", {blob.parts[1].bytes, blob.parts[1].len}}}};
        atls_evidence_needs(&e, &needs);
        expect(&needs, 1, keys + 1);
        atls_evidence_blob_clear(&blob);
    }
    atls_sim_world_free(world);
}

static void the_report_in_azures(void **state)
{
    (void)state;
    atls_sim_world *world = NULL;
    atls_evidence_blob blob = {0};
    const atls_sim_request request = {.variant = NULL};
    atls_needs needs;
    atls_evidence e = {.type = "azure"};
    assert_int_equal(atls_sim_world_new("azure", NOW, &world, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_make(world, &request, &blob, NULL), ATLS_OK);
    for (size_t i = 0; i < blob.parts_n; i++) {
        if (strcmp(blob.parts[i].name, "vcek") != 0) {
            e.parts[e.parts_n].name = blob.parts[i].name;
            e.parts[e.parts_n++].bytes = (atls_buf){blob.parts[i].bytes, blob.parts[i].len};
        }
    }
    atls_evidence_needs(&e, &needs);
    assert_int_equal(needs.n, 2);
    assert_memory_equal(needs.keys[0], "amd/vcek/", 9);
    assert_memory_equal(needs.keys[1], "amd/crl/vcek/", 13);
    atls_evidence_blob_clear(&blob);
    atls_sim_world_free(world);
}

static void tokens(void **state)
{
    (void)state;
    static const char *const keys[] = {"jwks/https%3a%2f%2fsimulator.atls.invalid"};
    atls_sim_world *world = NULL;
    atls_evidence_blob blob = {0};
    const atls_sim_request request = {.variant = NULL};
    assert_int_equal(atls_sim_world_new("jwt", NOW, &world, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_make(world, &request, &blob, NULL), ATLS_OK);
    atls_needs needs = needs_of(NULL, "token", (atls_buf){blob.parts[0].bytes, blob.parts[0].len});
    expect(&needs, 1, keys);
    needs = needs_of("jwt", "token", (atls_buf){blob.parts[0].bytes, blob.parts[0].len / 2});
    assert_int_equal(needs.n, 0);
    atls_evidence_blob_clear(&blob);
    atls_sim_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_with_certificates),
        cmocka_unit_test(the_ca_is_the_certificates),
        cmocka_unit_test(quotes_that_name_their_platform),
        cmocka_unit_test(half_evidence_needs_nothing),
        cmocka_unit_test(reports),
        cmocka_unit_test(the_report_in_azures),
        cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
