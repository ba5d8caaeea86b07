/* Whose a quote is, and where its report data stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "binding/intel_quote.h"

static void by_the_header(void **state)
{
    (void)state;
    static const struct {
        uint8_t version, key_type, tee_type;
        bool is_tdx;
        size_t at;
        const char *check;
    } cases[] = {
        {3, 2, 0, false, 368, NULL},
        {3, 3, 0, false, 368, NULL},
        {4, 2, 0, false, 368, NULL},
        {4, 2, 0x81, true, 568, NULL},
        {5, 2, 0, false, 374, NULL},
        {5, 2, 0x81, true, 574, NULL},
        {2, 2, 0, false, 0, "carried.epid"},
        {2, 0, 0, false, 0, "carried.epid"},
        {3, 0, 0, false, 0, "carried.epid"},
        {3, 1, 0, false, 0, "carried.epid"},
        {3, 4, 0, false, 0, "carried.quote"},
        {3, 2, 0x81, false, 0, "carried.quote"},
        {1, 2, 0, false, 0, "carried.quote"},
        {6, 2, 0, false, 0, "carried.quote"},
        {4, 2, 0x80, false, 0, "carried.quote"},
        {5, 2, 1, false, 0, "carried.quote"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t quote[700] = {cases[i].version, 0, cases[i].key_type, 0, cases[i].tee_type};
        atls_intel_quote q = {0};
        atls_err err = {0};
        atls_code rc = atls_intel_quote_look((atls_buf){quote, sizeof quote}, &q, &err);
        if (cases[i].check != NULL) {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, cases[i].check);
            assert_null(q.report_data.ptr);
            continue;
        }
        assert_int_equal(rc, ATLS_OK);
        assert_int_equal(q.is_tdx, cases[i].is_tdx);
        assert_ptr_equal(q.report_data.ptr, quote + cases[i].at);
        assert_int_equal(q.report_data.len, 64);
        /* every truncation before the end of the report data, and not one byte later */
        for (size_t len = 0; len < cases[i].at + 64; len++) {
            assert_int_equal(atls_intel_quote_look((atls_buf){quote, len}, &q, &err),
                             ATLS_E_INVALID);
            assert_string_equal(err.check, "carried.quote");
        }
        assert_int_equal(atls_intel_quote_look((atls_buf){quote, cases[i].at + 64}, &q, NULL),
                         ATLS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
