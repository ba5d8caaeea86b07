/* Collateral: what its outer form may be, and what is told as missing or unreadable rather than refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/collateral.h"
#include <atls/sim.h>

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void genuine_collateral_is_unwrapped(void **state)
{
    (void)state;
    atls_sim *sim = NULL;
    char *json = NULL;
    atls_collateral *c = NULL;
    assert_int_equal(atls_sim_new(1790000000, NULL, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_collateral(sim, "tdx", &json, NULL), ATLS_OK);
    assert_int_equal(atls_collateral_parse(text_buf(json), &c, NULL), ATLS_OK);
    assert_true(c->tcb_info_chain.readable && c->tcb_info_chain.n == 2);
    assert_true(c->qe_identity_chain.readable && c->pck_crl_chain.readable);
    assert_true(atls_collateral_same_chain(&c->tcb_info_chain, &c->qe_identity_chain));
    assert_false(atls_collateral_same_chain(&c->tcb_info_chain, &c->pck_crl_chain));
    assert_false(atls_collateral_same_chain(&c->pck_chain, &c->pck_chain));
    assert_true(c->root_crl.readable && c->root_crl.bytes.ptr[0] == 0x30);
    assert_true(c->pck_crl.readable && c->pck_crl.bytes.ptr[0] == 0x30);
    assert_true(c->tcb_info.readable && c->tcb_info.bytes.ptr[0] == '{');
    assert_int_equal(c->tcb_info_signature.bytes.len, 64);
    assert_int_equal(c->qe_identity_signature.bytes.len, 64);
    assert_false(c->pck_chain.present);
    assert_true(c->has_hint && c->hint_tdx);
    atls_collateral *again = atls_collateral_up_ref(c);
    atls_collateral_free(c);
    assert_int_equal(again->tcb_info_chain.n, 2);
    atls_collateral_free(again);
    atls_collateral_free(NULL);

    /* No truncation of it is whole JSON. */
    size_t len = strlen(json);
    for (size_t cut = 0; cut < len - 1; cut += 1 + cut / 20) {
        atls_err err = {0};
        c = NULL;
        assert_int_equal(atls_collateral_parse((atls_buf){(uint8_t *)json, cut}, &c, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "collateral.json");
        assert_null(c);
    }
    atls_free(json);
    atls_sim_free(sim);
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *check;
    } cases[] = {
        {"", "collateral.json"},
        {"not json", "collateral.json"},
        {"[]", "collateral.json"},
        {"{\"tcb_info\":\"{}\",\"tcb_info\":\"{}\"}", "collateral.json"},
        {"{\"tcb_info\":\"{}\"} more", "collateral.json"},
        {"{}", "collateral.member"},
        {"{\"other\":\"member\"}", "collateral.member"},
        {"{\"tcb_info\":{}}", "collateral.member"},
        {"{\"tcb_info\":\"{}\",\"pck_crl\":7}", "collateral.member"},
        {"{\"tcb_info\":\"{}\",\"tcb_info_issuer_chain\":[]}", "collateral.member"},
        {"{\"tcb_info\":\"{}\",\"tcb_info_signature\":true}", "collateral.member"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_collateral *c = NULL;
        atls_err err = {0};
        assert_int_equal(atls_collateral_parse(text_buf(cases[i].text), &c, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, cases[i].check);
        assert_null(c);
    }
    size_t len = (4u << 20) + 1;
    char *large = malloc(len);
    assert_non_null(large);
    memset(large, ' ', len);
    atls_collateral *c = NULL;
    atls_err err = {0};
    assert_int_equal(atls_collateral_parse((atls_buf){(uint8_t *)large, len}, &c, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "collateral.json");
    free(large);
}

/* What is not there, or cannot be read, is for the ledger to tell, beside all else that can be judged. */
static void absent_and_unreadable_items_are_told_apart(void **state)
{
    (void)state;
    static const char text[] =
        "{\"tcb_info\":\"{\\\"id\\\":\\\"TDX\\\",\\\"fmspc\\\":\\\"00A0\\\"}\",\"qe_identity\":\"\",\"pck_crl\":null,"
        "\"root_ca_crl\":\"no hex\",\"tcb_info_signature\":\"00ff\",\"tcb_info_issuer_chain\":\"no PEM\","
        "\"unknown\":{\"a\":[1]}}";
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse(text_buf(text), &c, NULL), ATLS_OK);
    assert_true(c->tcb_info.present && c->tcb_info.readable);
    assert_false(c->qe_identity.present || c->pck_crl.present || c->qe_identity_signature.present);
    assert_true(c->root_crl.present && !c->root_crl.readable);
    assert_true(c->tcb_info_signature.present && !c->tcb_info_signature.readable);
    assert_true(c->tcb_info_chain.present && !c->tcb_info_chain.readable);
    assert_false(c->has_hint); /* FMSPC has six bytes */
    atls_collateral_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_collateral_is_unwrapped),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(absent_and_unreadable_items_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
