#include "claims/claims.h"

#include <string.h>

static const struct {
    atls_tee tee;
    const char *name;
} tees[] = {
    {ATLS_TEE_SGX, "sgx"},     {ATLS_TEE_TDX, "tdx"},         {ATLS_TEE_SNP, "snp"},
    {ATLS_TEE_TPM, "tpm"},     {ATLS_TEE_NITRO, "nitro"},     {ATLS_TEE_CCA, "cca"},
    {ATLS_TEE_TOKEN, "jwt"},   {ATLS_TEE_AZURE, "azure"},     {ATLS_TEE_NITROTPM, "nitrotpm"},
    {ATLS_TEE_DUMMY, "dummy"}, {ATLS_TEE_SNP_TPM, "snp-tpm"},
};

bool atls_tee_is_composite(atls_tee tee)
{
    return tee == ATLS_TEE_AZURE || tee == ATLS_TEE_SNP_TPM;
}

bool atls_tee_has_tpm(atls_tee tee)
{
    return tee == ATLS_TEE_TPM || atls_tee_is_composite(tee);
}

const char *atls_tee_name(atls_tee tee)
{
    for (size_t i = 0; i < sizeof tees / sizeof tees[0]; i++) {
        if (tees[i].tee == tee) {
            return tees[i].name;
        }
    }
    return "none";
}

bool atls_tee_by_name(const char *name, atls_tee *out)
{
    for (size_t i = 0; i < sizeof tees / sizeof tees[0]; i++) {
        if (strcmp(tees[i].name, name) == 0) {
            *out = tees[i].tee;
            return true;
        }
    }
    return false;
}

static const struct {
    atls_tcb_status status;
    const char *name;
} statuses[] = {
    {ATLS_TCB_UP_TO_DATE, "UpToDate"},
    {ATLS_TCB_SW_HARDENING_NEEDED, "SWHardeningNeeded"},
    {ATLS_TCB_CONFIGURATION_NEEDED, "ConfigurationNeeded"},
    {ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED, "ConfigurationAndSWHardeningNeeded"},
    {ATLS_TCB_OUT_OF_DATE, "OutOfDate"},
    {ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, "OutOfDateConfigurationNeeded"},
    {ATLS_TCB_TD_RELAUNCH_ADVISED, "TDRelaunchAdvised"},
    {ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED, "TDRelaunchAdvisedConfigurationNeeded"},
    {ATLS_TCB_REVOKED, "Revoked"},
};

const char *atls_tcb_status_name(atls_tcb_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].status == status) {
            return statuses[i].name;
        }
    }
    return NULL;
}

bool atls_tcb_status_by_name(const char *name, size_t len, atls_tcb_status *out)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (strlen(statuses[i].name) == len && memcmp(statuses[i].name, name, len) == 0) {
            *out = statuses[i].status;
            return true;
        }
    }
    return false;
}
