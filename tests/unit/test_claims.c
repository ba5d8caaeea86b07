/* Names of TEEs and TCB statuses: the words of policies, JSON and collateral. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "claims/claims.h"

static void tee_names_go_both_ways(void **state)
{
    (void)state;
    static const char *const names[] = {"sgx", "tdx", "snp", "tpm", "nitro", "cca", "jwt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        atls_tee tee = ATLS_TEE_NONE;
        assert_true(atls_tee_by_name(names[i], &tee));
        assert_int_equal(tee, ATLS_TEE_SGX + i);
        assert_string_equal(atls_tee_name(tee), names[i]);
    }
    atls_tee tee = ATLS_TEE_CCA;
    assert_false(atls_tee_by_name("none", &tee));
    assert_false(atls_tee_by_name("TDX", &tee));
    assert_int_equal(tee, ATLS_TEE_CCA);
    assert_string_equal(atls_tee_name(ATLS_TEE_NONE), "none");
    assert_string_equal(atls_tee_name((atls_tee)99), "none");
}

static void status_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = ATLS_TCB_UP_TO_DATE; i <= ATLS_TCB_REVOKED; i++) {
        const char *name = atls_tcb_status_name((atls_tcb_status)i);
        atls_tcb_status back = ATLS_TCB_NONE;
        assert_non_null(name);
        assert_true(atls_tcb_status_by_name(name, strlen(name), &back));
        assert_int_equal(back, i);
    }
    assert_string_equal(atls_tcb_status_name(ATLS_TCB_OUT_OF_DATE), "OutOfDate");
    assert_string_equal(atls_tcb_status_name(ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED),
                        "TDRelaunchAdvisedConfigurationNeeded");
    assert_null(atls_tcb_status_name(ATLS_TCB_NONE));
    atls_tcb_status status = ATLS_TCB_NONE;
    assert_false(atls_tcb_status_by_name("UpToDat", 7, &status));
    assert_false(atls_tcb_status_by_name("UpToDateX", 9, &status));
    assert_false(atls_tcb_status_by_name("uptodate", 8, &status));
    assert_true(atls_tcb_status_by_name("UpToDateX", 8, &status));
    assert_int_equal(status, ATLS_TCB_UP_TO_DATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tee_names_go_both_ways),
        cmocka_unit_test(status_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
