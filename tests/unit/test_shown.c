/* What sessions of one configuration keep for each other: whose signature held, and blanks of certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "channel/shown.h"

/* Only the very bytes that were learned are known; another hash of the same place takes it over. */
static void signatures_are_known_by_hash(void **state)
{
    (void)state;
    atls_shown *shown = atls_shown_new();
    uint8_t first[32] = {0};
    uint8_t other[32] = {0};
    other[31] = 1;
    assert_false(atls_shown_knows_signature(shown, first));
    atls_shown_learn_signature(shown, first);
    assert_true(atls_shown_knows_signature(shown, first));
    assert_false(atls_shown_knows_signature(shown, other));
    atls_shown_learn_signature(shown, other);
    assert_true(atls_shown_knows_signature(shown, other));
    assert_false(atls_shown_knows_signature(shown, first));
    atls_shown_free(shown);
}

/* A blank goes to one caller, and only for its own dialect and key. */
static void blanks_are_of_a_dialect_and_a_key(void **state)
{
    (void)state;
    atls_shown *shown = atls_shown_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    X509 *blank = X509_new();
    assert_int_equal(X509_set_pubkey(blank, key), 1);
    assert_null(atls_shown_blank(shown, &atls_binding_contrast, key));
    atls_shown_give_blank(shown, &atls_binding_contrast, blank);
    assert_null(atls_shown_blank(shown, &atls_binding_constellation, key));
    assert_null(atls_shown_blank(shown, &atls_binding_contrast, other));
    assert_ptr_equal(atls_shown_blank(shown, &atls_binding_contrast, key), blank);
    assert_null(atls_shown_blank(shown, &atls_binding_contrast, key));
    atls_shown_give_blank(shown, &atls_binding_contrast, blank);
    for (size_t i = 0; i < 40; i++) { /* what has no place is freed */
        X509 *more = X509_new();
        assert_int_equal(X509_set_pubkey(more, key), 1);
        atls_shown_give_blank(shown, &atls_binding_contrast, more);
    }
    atls_shown_free(shown);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_known_by_hash),
        cmocka_unit_test(blanks_are_of_a_dialect_and_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
