/* The types of evidence and their parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "claims/evidence_parts.h"

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void types_and_parts_are_found_by_their_whole_name(void **state)
{
    (void)state;
    static const char *const names[] = {"sgx", "tdx", "snp", "nitro", "cca", "jwt", "tpm", "azure"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const atls_evidence_type *type = atls_evidence_type_find(text(names[i]));
        assert_non_null(type);
        assert_string_equal(type->name, names[i]);
        size_t n = 0;
        for (; type->parts[n] != NULL; n++) {
            assert_true(n < ATLS_PARTS_OF_A_TYPE);
            assert_int_equal(atls_evidence_type_part(type, text(type->parts[n])), n);
            const atls_buf shorter = {(const uint8_t *)type->parts[n], strlen(type->parts[n]) - 1};
            assert_int_equal(atls_evidence_type_part(type, shorter), ATLS_PARTS_OF_A_TYPE);
        }
        assert_in_range(type->needed, 1, n);
        assert_int_equal(atls_evidence_type_part(type, text("")), ATLS_PARTS_OF_A_TYPE);
        assert_int_equal(atls_evidence_type_part(type, text("type")), ATLS_PARTS_OF_A_TYPE);
    }
    static const char *const no_types[] = {"", "t", "td", "tdxx", "TDX", "sim", "quote"};
    for (size_t i = 0; i < sizeof no_types / sizeof no_types[0]; i++) {
        assert_null(atls_evidence_type_find(text(no_types[i])));
    }
    assert_null(atls_evidence_type_find((atls_buf){NULL, 0}));
    assert_null(
        atls_evidence_type_find((atls_buf){(const uint8_t *)"tdx", 4})); /* its NUL counts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_parts_are_found_by_their_whole_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
