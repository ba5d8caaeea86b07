/* Real collateral, piece by piece: each holds under the vendor's pinned root as what it is, and as nothing else. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/amd_leaf.h"
#include "trust/tcb_info.h"
#include "unit/sim_items.h"
#include "vectors/vector_files.h"

static atls_root_set roots[ATLS_FAMILIES];

static atls_code judge(const atls_item *item, atls_item_facts *f, atls_err *err)
{
    *err = (atls_err){.check = ""};
    return atls_item_judge(roots, item, f, err);
}

static void holds(const atls_item *item)
{
    atls_item_facts f;
    atls_err err;
    if (judge(item, &f, &err) != ATLS_OK) {
        fail_msg("%s: %s: %s", item->key, err.check, err.msg);
    }
    assert_true(!f.simulated && f.issued_s > 1500000000 && f.expires_s > f.issued_s);
}

static void refused(const atls_item *item, const char *check)
{
    atls_item_facts f;
    atls_err err;
    assert_int_not_equal(judge(item, &f, &err), ATLS_OK);
    assert_string_equal(err.check, check);
}

/* *fmspc: of the text, as a key has it. */
static void name_of(const char *json_text, char fmspc[13], bool *is_tdx)
{
    json_t *json = json_loads(json_text, 0, NULL);
    char *text = sim_text_of(json, "tcb_info");
    atls_tcb_info *info = NULL;
    assert_int_equal(
        atls_tcb_info_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &info, NULL), ATLS_OK);
    atls_hex_encode((atls_buf){info->fmspc, sizeof info->fmspc}, fmspc);
    *is_tdx = info->is_tdx;
    atls_tcb_info_free(info);
    free(text);
    json_decref(json);
}

static void one_key(const char *json, const char *key, const char *other, const char *check)
{
    sim_item s;
    sim_item_of(json, key, &s);
    if (s.body_len > 0) {
        holds(&s.item);
        s.item.key = other;
        refused(&s.item, check);
    }
    sim_item_clear(&s);
}

static void one_file(const char *json)
{
    char fmspc[13];
    char key[ATLS_ITEM_KEY_LEN];
    bool is_tdx = false;
    sim_item s;
    name_of(json, fmspc, &is_tdx);
    (void)snprintf(key, sizeof key, "intel/tcb/%s/%s", is_tdx ? "tdx" : "sgx", fmspc);
    one_key(json, key, is_tdx ? "intel/tcb/tdx/000000000000" : "intel/tcb/sgx/000000000000",
            "item.name");
    one_key(json, is_tdx ? "intel/qe/tdx" : "intel/qe/sgx",
            is_tdx ? "intel/qe/sgx" : "intel/qe/tdx", "item.name");
    one_key(json, "intel/rootcrl", "intel/pckcrl/platform", "pck_crl.chain.format");
    sim_item_of(json, "intel/pckcrl/platform", &s);
    if (s.body_len > 0) {
        atls_item_facts f;
        atls_err err;
        const bool platform = judge(&s.item, &f, &err) == ATLS_OK;
        s.item.key = platform ? "intel/pckcrl/processor" : "intel/pckcrl/platform";
        refused(&s.item, "item.name");
        s.item.key = platform ? "intel/pckcrl/platform" : "intel/pckcrl/processor";
        holds(&s.item);
    }
    sim_item_clear(&s);
}

static void intel(void **state)
{
    (void)state;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/dcap/real/collateral", getenv("ATLS_VECTORS"));
    DIR *d = opendir(path);
    size_t n = 0;
    const struct dirent *e;
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.') {
            size_t len = 0;
            char *json = (char *)vector_read("dcap/real/collateral", e->d_name, &len);
            print_message("%s\n", e->d_name);
            one_file(json);
            free(json);
            n++;
        }
    }
    (void)closedir(d);
    assert_true(n >= 10);
}

static void amd(void **state)
{
    (void)state;
    static const char *const vceks[] = {"milan-v2-vcek.vcek.der", "milan-v3-vcek.vcek.der",
                                        "turin-v5-vcek.vcek.der", "turin-other.vcek.der"};
    static const struct {
        const char *file, *key, *other;
    } chains[] = {
        {"milan-vcek-chain.pem", "amd/chain/vcek/Milan", "amd/chain/vlek/Milan"},
        {"milan-vlek-chain.pem", "amd/chain/vlek/Milan", "amd/chain/vcek/Milan"},
        {"genoa-vcek-chain.pem", "amd/chain/vcek/Genoa", "amd/chain/vcek/Turin"},
        {"genoa-vlek-chain.pem", "amd/chain/vlek/Genoa", "amd/chain/vcek/Genoa"},
        {"turin-vcek-chain.pem", "amd/chain/vcek/Turin", "amd/chain/vcek/Milan"},
        {"turin-vlek-chain.pem", "amd/chain/vlek/Turin", "amd/chain/vlek/Milan"},
    };
    for (size_t i = 0; i < sizeof vceks / sizeof vceks[0]; i++) {
        size_t len = 0;
        uint8_t *der = vector_read("sev-snp", vceks[i], &len);
        atls_cert *cert = NULL;
        atls_amd_leaf leaf;
        atls_item_name name = {.kind = ATLS_ITEM_VCEK};
        char key[ATLS_ITEM_KEY_LEN];
        assert_int_equal(atls_cert_parse((atls_buf){der, len}, &cert, NULL), ATLS_OK);
        assert_int_equal(atls_amd_leaf_read(cert, false, &leaf, NULL), ATLS_OK);
        name.product = leaf.product;
        memcpy(name.hwid, leaf.hw_id, sizeof name.hwid);
        memcpy(name.tcb, leaf.tcb, sizeof name.tcb);
        atls_item_name_format(&name, key);
        atls_item item = {key, {NULL, 0}, {der, len}};
        holds(&item);
        name.tcb[7] ^= 1;
        atls_item_name_format(&name, key);
        refused(&item, "item.name");
        atls_cert_free(cert);
        free(der);
    }
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        size_t len = 0;
        uint8_t *pem = vector_read("sev-snp", chains[i].file, &len);
        atls_item item = {chains[i].key, {NULL, 0}, {pem, len}};
        holds(&item);
        item.key = chains[i].other;
        refused(&item, "item.name");
        free(pem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(intel), cmocka_unit_test(amd)};
    json_t *there = getenv("ATLS_VECTORS") != NULL ? vector_manifest("dcap") : NULL;
    if (there == NULL) {
        (void)printf("skipped: no vectors (ATLS_VECTORS)\n");
        return 77;
    }
    json_decref(there);
    for (int f = 0; f < ATLS_FAMILIES; f++) {
        if (atls_root_set_pinned(&roots[f], (atls_family)f, NULL) != ATLS_OK) {
            return 1;
        }
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int f = 0; f < ATLS_FAMILIES; f++) {
        atls_root_set_clear(&roots[f]);
    }
    return failed;
}
