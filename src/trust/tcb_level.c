#include "trust/tcb_level.h"

#include <string.h>

/* ---- section 10: the platform */

static bool all_at_least(const uint8_t *have, const uint8_t *want, size_t from)
{
    for (size_t i = from; i < 16; i++) {
        if (have[i] < want[i]) {
            return false;
        }
    }
    return true;
}

static bool sgx_fits(const atls_pck_svn *pck, const atls_tcb_info_level *level)
{
    return all_at_least(pck->sgx, level->sgx, 0) && pck->pcesvn >= level->pcesvn;
}

/* From module version 1 on, the first two components are the module's business (section 12). */
static bool tdx_fits(const atls_td_svn *td, const atls_tcb_info_level *level)
{
    return all_at_least(td->tee_tcb_svn, level->tdx, td->tee_tcb_svn[1] > 0 ? 2 : 0);
}

/* td NULL: the SGX level. */
static const atls_tcb_info_level *first_fit(const atls_tcb_info *info, const atls_pck_svn *pck,
                                            const atls_td_svn *td)
{
    for (size_t i = 0; i < info->levels_n; i++) {
        if (sgx_fits(pck, &info->levels[i]) && (td == NULL || tdx_fits(td, &info->levels[i]))) {
            return &info->levels[i];
        }
    }
    return NULL;
}

/* ---- sections 11 and 12: QE and module, levels by ISVSVN */

static const atls_isv_level *first_isv_fit(const atls_isv_level *levels, size_t n, uint32_t isvsvn)
{
    for (size_t i = 0; i < n; i++) {
        if (levels[i].isvsvn <= isvsvn) {
            return &levels[i];
        }
    }
    return NULL;
}

bool atls_module_find(const atls_tcb_info *info, const uint8_t tee_tcb_svn[16],
                      const atls_module_identity **identity)
{
    uint8_t version = tee_tcb_svn[1];
    if (version == 0) {
        *identity = NULL;
        return true;
    }
    for (size_t i = 0; i < info->identities_n; i++) {
        if (info->identities[i].version == version) {
            *identity = &info->identities[i];
            return true;
        }
    }
    return false;
}

/* ---- section 13: convergence */

/* Step 1, a row a platform status: module UpToDate, OutOfDate, Revoked. */
static const atls_tcb_status with_module[][3] = {
    [ATLS_TCB_UP_TO_DATE] = {ATLS_TCB_UP_TO_DATE, ATLS_TCB_OUT_OF_DATE, ATLS_TCB_REVOKED},
    [ATLS_TCB_SW_HARDENING_NEEDED] = {ATLS_TCB_SW_HARDENING_NEEDED, ATLS_TCB_OUT_OF_DATE,
                                      ATLS_TCB_REVOKED},
    [ATLS_TCB_CONFIGURATION_NEEDED] = {ATLS_TCB_CONFIGURATION_NEEDED,
                                       ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, ATLS_TCB_REVOKED},
    [ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] =
        {ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED, ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
         ATLS_TCB_REVOKED},
    [ATLS_TCB_OUT_OF_DATE] = {ATLS_TCB_OUT_OF_DATE, ATLS_TCB_OUT_OF_DATE, ATLS_TCB_REVOKED},
    [ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = {ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
                                                   ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
                                                   ATLS_TCB_REVOKED},
    [ATLS_TCB_REVOKED] = {ATLS_TCB_REVOKED, ATLS_TCB_REVOKED, ATLS_TCB_REVOKED},
};

/* Step 3, for a QE that is out of date; an up-to-date one changes nothing, a revoked one revokes. */
static const atls_tcb_status with_old_qe[] = {
    [ATLS_TCB_UP_TO_DATE] = ATLS_TCB_OUT_OF_DATE,
    [ATLS_TCB_SW_HARDENING_NEEDED] = ATLS_TCB_OUT_OF_DATE,
    [ATLS_TCB_CONFIGURATION_NEEDED] = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    [ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    [ATLS_TCB_OUT_OF_DATE] = ATLS_TCB_OUT_OF_DATE,
    [ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    [ATLS_TCB_TD_RELAUNCH_ADVISED] = ATLS_TCB_TD_RELAUNCH_ADVISED,
    [ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] =
        ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    [ATLS_TCB_REVOKED] = ATLS_TCB_REVOKED,
};

/* NONE: the module's status is none of the three that mean something. */
static atls_tcb_status merge_module(atls_tcb_status platform, atls_tcb_status module)
{
    switch (module) {
    case ATLS_TCB_UP_TO_DATE:
        return with_module[platform][0];
    case ATLS_TCB_OUT_OF_DATE:
        return with_module[platform][1];
    case ATLS_TCB_REVOKED:
        return with_module[platform][2];
    default:
        return ATLS_TCB_NONE;
    }
}

static atls_tcb_status merge_qe(atls_tcb_status platform, atls_tcb_status qe)
{
    switch (qe) {
    case ATLS_TCB_UP_TO_DATE:
        return platform;
    case ATLS_TCB_REVOKED:
        return ATLS_TCB_REVOKED;
    default: /* section 11: every other status, ConfigurationNeeded included */
        return with_old_qe[platform];
    }
}

/* ---- section 14: relaunch advice */

static bool needs_configuration(atls_tcb_status status)
{
    return status == ATLS_TCB_CONFIGURATION_NEEDED ||
           status == ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
           status == ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

static bool is_current(atls_tcb_status status)
{
    return status == ATLS_TCB_UP_TO_DATE || status == ATLS_TCB_SW_HARDENING_NEEDED ||
           status == ATLS_TCB_CONFIGURATION_NEEDED ||
           status == ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
}

/* Whether what runs now (SVN2) is the newest there is; false in *known if its module is in no identity. */
static bool runs_newest(const atls_tcb_info *info, const uint8_t svn2[16], bool *known)
{
    const uint8_t *newest = info->levels[0].tdx;
    const atls_module_identity *module = NULL;
    *known = atls_module_find(info, svn2, &module);
    if (!*known) {
        return false;
    }
    uint32_t want = module != NULL ? module->levels[0].isvsvn : newest[0];
    return svn2[0] >= want && svn2[2] >= newest[2];
}

/* Everything was as it should be but the module that started this TD, and that has been replaced since.
 * merged is the status after step 1; the result is what goes into step 3, NONE for "unrecognized". */
static atls_tcb_status advise_relaunch(const atls_tcb_info *info, const atls_td_svn *td,
                                       atls_tcb_status sgx, atls_tcb_status merged,
                                       atls_tcb_status module, atls_tcb_status qe)
{
    if (!td->is_1_5 || qe != ATLS_TCB_UP_TO_DATE || !is_current(sgx) ||
        (merged != ATLS_TCB_OUT_OF_DATE && merged != ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED) ||
        module != ATLS_TCB_OUT_OF_DATE) {
        return merged;
    }
    bool known;
    bool newest = runs_newest(info, td->tee_tcb_svn2, &known);
    if (!known) {
        return ATLS_TCB_NONE;
    }
    if (!newest) {
        return merged;
    }
    return needs_configuration(sgx) || needs_configuration(merged)
               ? ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
               : ATLS_TCB_TD_RELAUNCH_ADVISED;
}

/* ---- all together */

static atls_tcb_level claim(atls_tcb_status status, int64_t date_s,
                            const atls_advisories *advisories)
{
    return (atls_tcb_level){.present = true,
                            .status = status,
                            .date_s = date_s,
                            .advisories = advisories->ids,
                            .advisories_n = advisories->n};
}

static atls_tcb_level isv_claim(const atls_isv_level *level)
{
    return level != NULL ? claim(level->status, level->date_s, &level->advisories)
                         : (atls_tcb_level){.present = false};
}

static atls_match_error conclude(atls_tcb_claims *out, atls_tcb_status status)
{
    if (status == ATLS_TCB_NONE) {
        return ATLS_MATCH_UNRECOGNIZED;
    }
    out->known = true;
    out->status = status;
    return ATLS_MATCH_OK;
}

/* Steps 1 and 2 of section 13, for a TD. */
static atls_match_error match_td(const atls_tcb_info *info, const atls_pck_svn *pck,
                                 const atls_td_svn *td, const atls_module_identity *module,
                                 const atls_tcb_claims *found, atls_tcb_status *status)
{
    atls_tcb_status module_status = module != NULL ? found->module.status : ATLS_TCB_UP_TO_DATE;
    if (module != NULL && !found->module.present) {
        return ATLS_MATCH_NO_MODULE_LEVEL;
    }
    atls_tcb_status merged = merge_module(found->platform.status, module_status);
    if (merged != ATLS_TCB_REVOKED && merged != ATLS_TCB_NONE) {
        const atls_tcb_info_level *sgx = first_fit(info, pck, NULL); /* at or above the TDX level */
        merged = advise_relaunch(info, td, sgx->status, merged, module_status,
                                 found->qe.present ? found->qe.status : ATLS_TCB_NONE);
    }
    *status = merged;
    return merged != ATLS_TCB_NONE ? ATLS_MATCH_OK : ATLS_MATCH_UNRECOGNIZED;
}

atls_match_error atls_tcb_match(const atls_tcb_info *info, const atls_qe_identity *identity,
                                const atls_pck_svn *pck, const atls_td_svn *td, uint16_t qe_isvsvn,
                                atls_tcb_claims *out)
{
    out->known = false;
    out->status = ATLS_TCB_NONE;
    out->platform = out->module = (atls_tcb_level){.present = false};
    out->qe = isv_claim(first_isv_fit(identity->levels, identity->levels_n, qe_isvsvn));
    out->evaluation_number = info->evaluation_number < identity->evaluation_number
                                 ? info->evaluation_number
                                 : identity->evaluation_number;
    if (info->is_tdx != (td != NULL)) {
        return ATLS_MATCH_NO_LEVEL; /* the caller has compared them before: section 9.4, step 6 */
    }
    const atls_tcb_info_level *level = first_fit(info, pck, td);
    if (level != NULL) {
        out->platform = claim(level->status, level->date_s, &level->advisories);
    }
    const atls_module_identity *module = NULL;
    bool has_module = td == NULL || atls_module_find(info, td->tee_tcb_svn, &module);
    if (module != NULL) {
        out->module =
            isv_claim(first_isv_fit(module->levels, module->levels_n, td->tee_tcb_svn[0]));
    }
    if (!has_module) {
        return ATLS_MATCH_NO_MODULE;
    }
    if (level == NULL) {
        return ATLS_MATCH_NO_LEVEL;
    }
    atls_tcb_status status = level->status;
    if (td != NULL) {
        atls_match_error error = match_td(info, pck, td, module, out, &status);
        if (error != ATLS_MATCH_OK) {
            return error;
        }
        if (status == ATLS_TCB_REVOKED) {
            return conclude(out, status); /* before the QE has its say */
        }
    }
    if (!out->qe.present) {
        return ATLS_MATCH_NO_QE_LEVEL;
    }
    return conclude(out, merge_qe(status, out->qe.status));
}
