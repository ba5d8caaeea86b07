#include "simulated.h"

#include "trust/endorsements.h"

static void certificates_in_pem_and_der_are_taken(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    atls_endorsements e = {0};
    assert_int_equal(atls_endorsements_add(&e, text_buf(b.root), NULL), ATLS_OK);
    assert_int_equal(e.certs_n, 1);
    assert_int_equal(atls_endorsements_add(&e, e.certs[0]->der, NULL), ATLS_OK);
    assert_int_equal(e.certs_n, 2);
    assert_memory_equal(e.certs[0]->sha256, e.certs[1]->sha256, 32);
    atls_endorsements_clear(&e);
    tear_down(&b);
}

static void what_does_not_vouch_is_refused(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    atls_endorsements e = {0};
    atls_err err = {0};
    assert_int_equal(atls_endorsements_add(&e, text_buf(""), &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "endorsement.size");
    assert_int_equal(atls_endorsements_add(&e, text_buf("hello"), &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "endorsement.unknown");
    assert_int_equal(atls_verifier_add1_endorsement(b.v, text_buf("hello"), &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "endorsement.unknown");
    assert_int_equal(atls_verifier_add1_endorsement(b.v, text_buf(b.root), &err), ATLS_OK);
    for (size_t i = 0; i < ATLS_ENDORSED_CERTS_MAX; i++) {
        assert_int_equal(atls_endorsements_add(&e, text_buf(b.root), NULL), ATLS_OK);
    }
    assert_int_equal(atls_endorsements_add(&e, text_buf(b.root), &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "endorsement.count");
    assert_int_equal(e.certs_n, ATLS_ENDORSED_CERTS_MAX);
    atls_endorsements_clear(&e);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_in_pem_and_der_are_taken),
        cmocka_unit_test(what_does_not_vouch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
