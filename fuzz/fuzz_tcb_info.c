/* What the TCB info parser takes, jansson takes too and reads the same; levels come out strictly sorted. */
#include <assert.h>
#include <string.h>

#include "codec/json.h"
#include "trust/tcb_info.h"
#include "trust/tcb_level.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_components(json_t *array, const uint8_t svn[16])
{
    assert(json_array_size(array) == 16);
    for (size_t i = 0; i < 16; i++) {
        if (json_integer_value(json_object_get(json_array_get(array, i), "svn")) != svn[i]) {
            return false;
        }
    }
    return true;
}

static bool is_level(const atls_tcb_info *info, json_t *json, const atls_tcb_info_level *level)
{
    json_t *tcb = json_object_get(json, "tcb");
    if (json_integer_value(json_object_get(tcb, "pcesvn")) != level->pcesvn) {
        return false;
    }
    if (info->version == 2) {
        json_t *last = json_object_get(tcb, "sgxtcbcomp16svn");
        assert(json_is_integer(last));
        return json_integer_value(last) == level->sgx[15];
    }
    return has_components(json_object_get(tcb, "sgxtcbcomponents"), level->sgx) &&
           (!info->is_tdx || has_components(json_object_get(tcb, "tdxtcbcomponents"), level->tdx));
}

/* Version 2 is looked up by two values only, so several levels may answer. */
static void level_is_there(const atls_tcb_info *info, json_t *json)
{
    const char *status = json_string_value(json_object_get(json, "tcbStatus"));
    size_t advisories = json_array_size(json_object_get(json, "advisoryIDs"));
    for (size_t i = 0; i < info->levels_n; i++) {
        const atls_tcb_info_level *level = &info->levels[i];
        if (is_level(info, json, level) &&
            strcmp(atls_tcb_status_name(level->status), status) == 0 &&
            level->advisories.n == advisories) {
            return;
        }
    }
    assert(false && "a level of the text is in the parsed levels");
}

static void reads_the_same(const atls_tcb_info *info, json_t *json)
{
    assert(json_integer_value(json_object_get(json, "version")) == info->version);
    assert(json_integer_value(json_object_get(json, "tcbEvaluationDataNumber")) ==
           info->evaluation_number);
    const char *id = json_string_value(json_object_get(json, "id"));
    assert(info->is_tdx == (id != NULL && strcmp(id, "TDX") == 0));
    json_t *levels = json_object_get(json, "tcbLevels");
    assert(json_array_size(levels) == info->levels_n && info->levels_n <= 256);
    assert(json_array_size(json_object_get(json, "tdxModuleIdentities")) >= info->identities_n);
    size_t i;
    json_t *level;
    json_array_foreach(levels, i, level)
    {
        level_is_there(info, level);
    }
}

static void is_sorted(const atls_tcb_info *info)
{
    for (size_t i = 1; i < info->levels_n; i++) {
        const atls_tcb_info_level *a = &info->levels[i - 1];
        const atls_tcb_info_level *b = &info->levels[i];
        int sgx = memcmp(a->sgx, b->sgx, 16);
        assert(sgx > 0 || (sgx == 0 && a->pcesvn > b->pcesvn) ||
               (sgx == 0 && a->pcesvn == b->pcesvn && memcmp(a->tdx, b->tdx, 16) > 0));
    }
    for (size_t i = 0; i < info->identities_n; i++) {
        assert(info->identities[i].levels_n > 0);
        for (size_t k = 1; k < info->identities[i].levels_n; k++) {
            assert(info->identities[i].levels[k - 1].isvsvn > info->identities[i].levels[k].isvsvn);
        }
    }
}

/* A platform that has everything is at the first level, whatever the file says. */
static void best_platform_has_the_first_level(const atls_tcb_info *info)
{
    atls_isv_level qe_level = {.status = ATLS_TCB_UP_TO_DATE};
    const atls_qe_identity identity = {.levels = &qe_level, .levels_n = 1};
    atls_pck_svn pck = {.pcesvn = UINT16_MAX};
    atls_td_svn td = {.is_1_5 = false};
    memset(pck.sgx, 0xff, sizeof pck.sgx);
    memset(td.tee_tcb_svn, 0xff, sizeof td.tee_tcb_svn);
    td.tee_tcb_svn[1] = 0;
    atls_tcb_claims claims = {0};
    atls_match_error error =
        atls_tcb_match(info, &identity, &pck, info->is_tdx ? &td : NULL, 0, &claims);
    /* Module version 0 is what such a TD has: a first level that wants more there does not fit. */
    if (!info->is_tdx || info->levels[0].tdx[1] == 0) {
        assert(error == ATLS_MATCH_OK && claims.status == info->levels[0].status);
        assert(claims.platform.advisories_n == info->levels[0].advisories.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_buf text = {data, size};
    atls_tcb_info *info = NULL;
    atls_err err = {0};
    if (atls_tcb_info_parse(text, &info, &err) != ATLS_OK) {
        assert(info == NULL && err.code == ATLS_E_INVALID &&
               strcmp(err.check, "tcb_info.format") == 0 && err.msg[0] != '\0');
        return 0;
    }
    json_t *json = NULL;
    atls_code rc = atls_json_parse(text, size, "fuzz", &json, &err);
    assert(rc == ATLS_OK);
    reads_the_same(info, json);
    is_sorted(info);
    best_platform_has_the_first_level(info);
    json_decref(json);
    atls_tcb_info_free(info);
    return 0;
}
