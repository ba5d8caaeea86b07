#include "sim/level.h"

#include <string.h>

static const char *const platform_levels[SIM_LEVELS] = {
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
};

#define SEAM(i) (uint8_t)(2 + SIM_LEVELS - (i))

static const sim_level levels[] = {
    {"UpToDate", 0, SEAM(0), SIM_MODULE_CURRENT, false},
    {"SWHardeningNeeded", 1, SEAM(1), SIM_MODULE_CURRENT, false},
    {"ConfigurationNeeded", 2, SEAM(2), SIM_MODULE_CURRENT, false},
    {"ConfigurationAndSWHardeningNeeded", 3, SEAM(3), SIM_MODULE_CURRENT, false},
    {"OutOfDate", 4, SEAM(4), SIM_MODULE_CURRENT, false},
    {"OutOfDateConfigurationNeeded", 5, SEAM(5), SIM_MODULE_CURRENT, false},
    {"Revoked", 6, SEAM(6), SIM_MODULE_CURRENT, false},
    /* An old module started this TD and a current one runs it now: TEE_TCB_SVN2 says so. */
    {"TDRelaunchAdvised", -1, SEAM(0), SIM_MODULE_OLD, true},
    {"TDRelaunchAdvisedConfigurationNeeded", -1, SEAM(2), SIM_MODULE_OLD, true},
};

const sim_level *sim_level_by_status(const char *status)
{
    const char *wanted = status == NULL ? "UpToDate" : status;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(levels[i].status, wanted) == 0) {
            return &levels[i];
        }
    }
    return NULL;
}

const char *sim_level_status(size_t i)
{
    return platform_levels[i];
}

uint8_t sim_level_seam_svn(size_t i)
{
    return SEAM(i);
}

int64_t sim_level_date(size_t i, int64_t when_s)
{
    int64_t days = when_s / SIM_DAY - 60 - 180 * (int64_t)i;
    return days < 0 ? 0 : days * SIM_DAY;
}

void sim_level_components(size_t i, uint8_t sgx[16])
{
    memset(sgx, 0, 16);
    sgx[0] = (uint8_t)(10 + SIM_LEVELS - i);
    sgx[1] = 14;
    sgx[2] = 3;
    sgx[3] = 3;
    sgx[4] =
        0xff; /* 128 to 255 have a leading 00 in DER: shown to every parser that reads a simulator's */
    sgx[5] = 1;
}
