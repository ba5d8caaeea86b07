/* Each check of the trust chain fails for the fault that is its own, whichever check decides the verdict.
 * (Every fault of the simulator, and the check that decides: test_sim_faults.) */
#include "unit/simulated.h"

/* Which check it is that notices: one for each id that a platform's trust can fail with. */
static void each_check_notices_its_fault(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *type, *check;
        atls_code code;
        bool of_quote;
    } cases[] = {
        {"root.other", "tdx", "pck.chain.root", ATLS_E_INVALID, false},
        {"root.reissued", "tdx", "pck.chain.root", ATLS_E_INVALID, false},
        {"root.not_ca", "tdx", "pck.chain.usage", ATLS_E_INVALID, false},
        {"root.wrong_aki", "tdx", "pck.root.issuer", ATLS_E_INVALID, false},
        {"root.path_len", "tdx", "pck.chain.usage", ATLS_E_INVALID, false},
        {"root.revoked", "tdx", "pck.root.crl", ATLS_E_INVALID, false},
        {"root.expired", "tdx", "pck.chain.time", ATLS_E_COLLATERAL, false},
        {"ca.not_yet_valid", "tdx", "pck.chain.time", ATLS_E_COLLATERAL, false},
        {"ca.signature", "tdx", "pck.ca.signature", ATLS_E_INVALID, false},
        {"ca.issuer", "tdx", "pck.ca.issuer", ATLS_E_INVALID, false},
        {"ca.wrong_aki", "tdx", "pck.ca.issuer", ATLS_E_INVALID, false},
        {"ca.name", "tdx", "pck.chain.ca", ATLS_E_INVALID, false},
        {"ca.key_usage", "tdx", "pck.chain.usage", ATLS_E_INVALID, false},
        {"ca.revoked", "tdx", "pck.ca.crl", ATLS_E_INVALID, false},
        {"pck.signature", "sgx", "pck.leaf.signature", ATLS_E_INVALID, false},
        {"pck.other_ca", "sgx", "pck.leaf.issuer", ATLS_E_INVALID, false},
        {"pck.name", "sgx", "pck.chain.leaf", ATLS_E_INVALID, false},
        {"pck.no_crl_dp", "sgx", "pck.chain.extensions", ATLS_E_INVALID, false},
        {"pck.critical", "sgx", "pck.chain.extensions", ATLS_E_INVALID, false},
        {"pck.curve", "sgx", "pck.chain.extensions", ATLS_E_INVALID, false},
        {"pck.revoked", "sgx", "pck.leaf.crl", ATLS_E_INVALID, false},
        {"pck.extension_twice", "sgx", "pck.extension", ATLS_E_INVALID, false},
        {"pck.no_level", "sgx", "tcb.level", ATLS_E_POLICY, false},
        {"pck.fmspc", "sgx", "tcb_info.fmspc", ATLS_E_INVALID, false},
        {"pck.pceid", "sgx", "tcb_info.pceid", ATLS_E_INVALID, false},
        {"tcb_signing.signature", "sgx", "tcb_info.chain.signature", ATLS_E_INVALID, false},
        {"tcb_signing.name", "sgx", "tcb_info.chain.signer", ATLS_E_INVALID, false},
        {"tcb_signing.no_ski", "sgx", "tcb_info.chain.extensions", ATLS_E_INVALID, false},
        {"tcb_signing.wrong_aki", "sgx", "tcb_info.chain.issuer", ATLS_E_INVALID, false},
        {"tcb_signing.ca_flag", "sgx", "tcb_info.chain.usage", ATLS_E_INVALID, false},
        {"tcb_signing.revoked", "sgx", "tcb_info.chain.crl", ATLS_E_INVALID, false},
        {"tcb_signing.revoked", "sgx", "qe_identity.chain.crl", ATLS_E_INVALID, false},
        {"tcb_signing.expired", "sgx", "tcb_info.chain.time", ATLS_E_COLLATERAL, false},
        {"tcb_signing.expired", "sgx", "qe_identity.chain.time", ATLS_E_COLLATERAL, false},
        {"root_crl.missing", "tdx", "root_crl.missing", ATLS_E_COLLATERAL, false},
        {"root_crl.cut", "tdx", "root_crl.format", ATLS_E_INVALID, false},
        {"root_crl.issuer", "tdx", "root_crl.issuer", ATLS_E_INVALID, false},
        {"root_crl.no_number", "tdx", "root_crl.extensions", ATLS_E_INVALID, false},
        {"root_crl.signature", "tdx", "root_crl.signature", ATLS_E_INVALID, false},
        {"root_crl.expired", "tdx", "root_crl.time", ATLS_E_COLLATERAL, false},
        {"pck_crl.missing", "tdx", "pck_crl.missing", ATLS_E_COLLATERAL, false},
        {"pck_crl.cut", "tdx", "pck_crl.format", ATLS_E_INVALID, false},
        {"pck_crl.other_ca", "tdx", "pck_crl.issuer", ATLS_E_INVALID, false},
        {"pck_crl.wrong_aki", "tdx", "pck_crl.extensions", ATLS_E_INVALID, false},
        {"pck_crl.signature", "tdx", "pck_crl.signature", ATLS_E_INVALID, false},
        {"pck_crl.future", "tdx", "pck_crl.time", ATLS_E_COLLATERAL, false},
        {"tcb_info.missing", "tdx", "tcb_info.missing", ATLS_E_COLLATERAL, false},
        {"tcb_info.chain_missing", "tdx", "tcb_info.chain.missing", ATLS_E_COLLATERAL, false},
        {"tcb_info.chain_long", "tdx", "tcb_info.chain.format", ATLS_E_INVALID, false},
        {"tcb_info.edited", "tdx", "tcb_info.signature", ATLS_E_INVALID, false},
        {"tcb_info.no_levels", "tdx", "tcb_info.format", ATLS_E_INVALID, false},
        {"tcb_info.future", "tdx", "tcb_info.time", ATLS_E_COLLATERAL, false},
        {"qe_identity.missing", "tdx", "qe_identity.missing", ATLS_E_COLLATERAL, false},
        {"qe_identity.chain_missing", "tdx", "qe_identity.chain.missing", ATLS_E_COLLATERAL, false},
        {"qe_identity.chain_short", "tdx", "qe_identity.chain.format", ATLS_E_INVALID, false},
        {"qe_identity.signature", "tdx", "qe_identity.signature", ATLS_E_INVALID, false},
        {"qe_identity.version", "tdx", "qe_identity.version", ATLS_E_INVALID, false},
        {"qe_identity.expired", "tdx", "qe_identity.time", ATLS_E_COLLATERAL, false},
        {"qe_identity.wrong_id", "tdx", "qe_identity.id", ATLS_E_INVALID, false},
        {"qe_identity.attributes", "tdx", "qe_identity.attributes", ATLS_E_INVALID, false},
        {"qe.mrsigner", "tdx", "qe_identity.mrsigner", ATLS_E_INVALID, true},
        {"qe.isvprodid", "tdx", "qe_identity.isvprodid", ATLS_E_INVALID, true},
        {"qe.miscselect", "tdx", "qe_identity.miscselect", ATLS_E_INVALID, true},
        {"qe.no_level", "tdx", "tcb.qe_level", ATLS_E_POLICY, true},
        {"module.unknown", "tdx", "tdx_module.identity", ATLS_E_INVALID, true},
        {"module.mrsigner", "tdx", "tdx_module.mrsigner", ATLS_E_INVALID, true},
        {"module.seam_attributes", "tdx", "tdx_module.attributes", ATLS_E_INVALID, true},
        {"module.no_level", "tdx", "tcb.module_level", ATLS_E_POLICY, true},
        {"quote.signature", "tdx", "quote.signature", ATLS_E_INVALID, true},
        {"quote.changed", "sgx", "quote.signature", ATLS_E_INVALID, true},
        {"quote.qe_report_signature", "tdx", "qe_report.signature", ATLS_E_INVALID, true},
        {"quote.attestation_key", "tdx", "qe_report.data", ATLS_E_INVALID, true},
        {"quote.type_1", "tdx", "pck.missing", ATLS_E_COLLATERAL, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench b = set_up(cases[i].type, cases[i].of_quote ? NULL : cases[i].fault,
                         cases[i].of_quote ? cases[i].fault : NULL);
        trust_all(&b);
        atls_verdict *r = check_at(&b, NULL, NOW);
        if (!has_failure(r, cases[i].check, cases[i].code)) {
            print_error("%s: not noticed by %s, but: %s: %s\n", cases[i].fault, cases[i].check,
                        atls_verdict_check(r), atls_verdict_message(r));
        }
        assert_true(has_failure(r, cases[i].check, cases[i].code));
        assert_false(atls_verdict_accepted(r));
        atls_verdict_free(r);
        tear_down(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_check_notices_its_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
