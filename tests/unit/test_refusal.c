/* A refusal from before verification has the code, check and sentence that it was given, and no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <atls/verifier.h>

static void it_tells_its_one_reason(void **state)
{
    (void)state;
    for (atls_code code = ATLS_E_COLLATERAL; code <= ATLS_E_BINDING; code++) {
        const atls_err why = {.code = code, .check = "bundle.json", .msg = "line 1, column 2: no"};
        atls_verdict *r = atls_verdict_refusal(&why, 1751623200);
        assert_non_null(r);
        assert_false(atls_verdict_accepted(r));
        assert_int_equal(atls_verdict_code(r), code);
        assert_string_equal(atls_verdict_check(r), "bundle.json");
        assert_non_null(strstr(atls_verdict_message(r), "line 1, column 2: no"));
        assert_string_equal(atls_verdict_format(r), "unknown");
        assert_string_equal(atls_verdict_binding(r), "none");
        assert_string_equal(atls_verdict_identity(r), "none");
        assert_string_equal(atls_verdict_freshness(r), "none");
        assert_false(atls_verdict_simulated(r));
        atls_check_line line;
        assert_true(atls_verdict_check_at(r, 0, &line));
        assert_string_equal(line.id, "bundle.json");
        assert_string_equal(line.result, "fail");
        atls_verdict_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_its_one_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
