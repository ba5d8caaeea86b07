#include "sim/plan.h"

#include <string.h>

#define CA_USAGE (SIM_CERT_SIGN | SIM_CRL_SIGN)

static sim_cert_plan certificate(const char *cn, sim_who issuer)
{
    return (sim_cert_plan){.cn = cn,
                           .organisation = SIM_ORGANISATION,
                           .from_s = -SIM_DAY,
                           .until_s = 10 * SIM_YEAR,
                           .issuer = (int)issuer,
                           .signer = SIM_BY_ISSUER,
                           .path_len = -1,
                           .key_usage = SIM_DIGITAL_SIGNATURE};
}

static sim_text_plan signed_text(int version)
{
    return (sim_text_plan){.issue_s = -SIM_HOUR,
                           .next_s = 30 * SIM_DAY,
                           .holder = SIM_TCB_SIGNING,
                           .signer = SIM_BY_ISSUER,
                           .version = version,
                           .evaluation_number = 17,
                           .chain_len = 2,
                           .svn = -1,
                           .components = 16,
                           .isvprodid = -1};
}

void sim_plan_default(sim_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->root = certificate("Simulated SGX Root CA", SIM_ROOT);
    plan->root.is_ca = 1;
    plan->root.path_len = 1;
    plan->root.key_usage = CA_USAGE;
    plan->ca = certificate(NULL, SIM_ROOT); /* named for the kind of platform, in pki.c */
    plan->ca.is_ca = 1;
    plan->ca.path_len = 0;
    plan->ca.key_usage = CA_USAGE;
    plan->pck = certificate("Simulated SGX PCK Certificate", SIM_CA);
    plan->tcb_signing = certificate("Simulated SGX TCB Signing", SIM_ROOT);
    plan->extension = (sim_extension_plan){
        .model = {'S', 'I', 'M'}, .ppid_len = 16, .component = -1, .components = 16};
    plan->root_crl = (sim_crl_plan){.from_s = -SIM_HOUR,
                                    .until_s = 30 * SIM_DAY,
                                    .issuer = SIM_ROOT,
                                    .signer = SIM_BY_ISSUER,
                                    .revokes = SIM_NOBODY,
                                    .number = 1};
    plan->pck_crl = plan->root_crl;
    plan->pck_crl.issuer = SIM_CA;
    plan->tcb_info = signed_text(3);
    plan->qe_identity = signed_text(2);
}

void sim_quote_plan_default(sim_quote_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->certification_type = 5;
    plan->auth_len = 32;
}
