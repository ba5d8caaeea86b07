/* Matching and convergence (specs 10 to 14): every row of the tables, each condition of the relaunch advice
 * alone, and every quote of the vectors against what Intel's library said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "trust/tcb_level.h"

enum {
    NONE = ATLS_TCB_NONE,
    UTD = ATLS_TCB_UP_TO_DATE,
    SWH = ATLS_TCB_SW_HARDENING_NEEDED,
    CFG = ATLS_TCB_CONFIGURATION_NEEDED,
    CSW = ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    OOD = ATLS_TCB_OUT_OF_DATE,
    OCF = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    TDR = ATLS_TCB_TD_RELAUNCH_ADVISED,
    TDC = ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    REV = ATLS_TCB_REVOKED
};

/* A platform that is at the newest level of everything; a test spoils what it is about. */
typedef struct scene {
    const char *ids[3][1];
    atls_tcb_info_level levels[3];
    atls_isv_level module_levels[2][3];
    atls_module_identity identities[2];
    atls_tcb_info info;
    atls_isv_level qe_levels[3];
    atls_qe_identity identity;
    atls_pck_svn pck;
    atls_td_svn td;
    uint16_t qe_isvsvn;
    bool is_tdx;
} scene;

/* One platform level (2,.. / pcesvn 10 / tdx 5,1,3), modules 1 and 3 with isvsvn 4, one QE level 6. */
static void scene_init(scene *s, bool is_tdx)
{
    *s = (scene){.is_tdx = is_tdx};
    s->ids[0][0] = "INTEL-SA-00001";
    s->ids[1][0] = "INTEL-SA-00002";
    s->ids[2][0] = "INTEL-SA-00003";
    s->levels[0] = (atls_tcb_info_level){.sgx = {2, 2},
                                         .pcesvn = 10,
                                         .status = ATLS_TCB_UP_TO_DATE,
                                         .date_s = 100,
                                         .advisories = {s->ids[0], 1}};
    if (is_tdx) {
        s->levels[0].tdx[0] = 5;
        s->levels[0].tdx[2] = 3;
        s->td = (atls_td_svn){.tee_tcb_svn = {4, 1, 3}, .tee_tcb_svn2 = {4, 1, 3}};
    }
    s->module_levels[0][0] = (atls_isv_level){
        .isvsvn = 4, .status = ATLS_TCB_UP_TO_DATE, .date_s = 200, .advisories = {s->ids[1], 1}};
    s->module_levels[1][0] = s->module_levels[0][0];
    s->identities[0] =
        (atls_module_identity){.version = 1, .levels = s->module_levels[0], .levels_n = 1};
    s->identities[1] =
        (atls_module_identity){.version = 3, .levels = s->module_levels[1], .levels_n = 1};
    s->info = (atls_tcb_info){.is_tdx = is_tdx,
                              .version = 3,
                              .evaluation_number = 17,
                              .levels = s->levels,
                              .levels_n = 1,
                              .identities = is_tdx ? s->identities : NULL,
                              .identities_n = is_tdx ? 2 : 0};
    s->qe_levels[0] = (atls_isv_level){
        .isvsvn = 6, .status = ATLS_TCB_UP_TO_DATE, .date_s = 300, .advisories = {s->ids[2], 1}};
    s->identity = (atls_qe_identity){.id = is_tdx ? ATLS_QE_ID_TD_QE : ATLS_QE_ID_QE,
                                     .evaluation_number = 18,
                                     .levels = s->qe_levels,
                                     .levels_n = 1};
    s->pck = (atls_pck_svn){.sgx = {2, 2}, .pcesvn = 10};
    s->qe_isvsvn = 6;
}

static atls_match_error match(const scene *s, atls_tcb_claims *out)
{
    memset(out, 0xa5, sizeof *out);
    return atls_tcb_match(&s->info, &s->identity, &s->pck, s->is_tdx ? &s->td : NULL, s->qe_isvsvn,
                          out);
}

#define assert_status(s, wanted)                                                                   \
    do {                                                                                           \
        atls_tcb_claims claims_;                                                                   \
        assert_int_equal(match((s), &claims_), ATLS_MATCH_OK);                                     \
        assert_true(claims_.known);                                                                \
        assert_int_equal(claims_.status, (wanted));                                                \
    } while (0)

#define assert_error(s, wanted)                                                                    \
    do {                                                                                           \
        atls_tcb_claims claims_;                                                                   \
        assert_int_equal(match((s), &claims_), (wanted));                                          \
        assert_false(claims_.known);                                                               \
        assert_int_equal(claims_.status, ATLS_TCB_NONE);                                           \
    } while (0)

static void claims_carry_the_three_levels_apart(void **state)
{
    (void)state;
    scene s;
    atls_tcb_claims c;
    scene_init(&s, true);
    assert_int_equal(match(&s, &c), ATLS_MATCH_OK);
    assert_true(c.known && c.platform.present && c.module.present && c.qe.present);
    assert_int_equal(c.platform.date_s, 100);
    assert_int_equal(c.module.date_s, 200);
    assert_int_equal(c.qe.date_s, 300);
    assert_int_equal(c.platform.advisories_n + c.module.advisories_n + c.qe.advisories_n, 3);
    assert_string_equal(c.platform.advisories[0], "INTEL-SA-00001");
    assert_string_equal(c.module.advisories[0], "INTEL-SA-00002");
    assert_string_equal(c.qe.advisories[0], "INTEL-SA-00003");
    assert_int_equal(c.evaluation_number, 17);
    s.identity.evaluation_number = 16;
    assert_int_equal(match(&s, &c), ATLS_MATCH_OK);
    assert_int_equal(c.evaluation_number, 16);
    scene_init(&s, false);
    assert_int_equal(match(&s, &c), ATLS_MATCH_OK);
    assert_true(c.platform.present && !c.module.present && c.qe.present);
}

static void each_component_counts(void **state)
{
    (void)state;
    scene s;
    for (size_t i = 0; i < 16; i++) {
        scene_init(&s, false);
        s.levels[0].sgx[i] = s.pck.sgx[i] = 7;
        assert_status(&s, UTD);
        s.pck.sgx[i] = 255;
        assert_status(&s, UTD);
        s.pck.sgx[i] = 6;
        assert_error(&s, ATLS_MATCH_NO_LEVEL);
    }
    scene_init(&s, false);
    s.pck.pcesvn = 9;
    assert_error(&s, ATLS_MATCH_NO_LEVEL);
    s.pck.pcesvn = 65535;
    assert_status(&s, UTD);
}

/* Section 10: start = 2 if TEE_TCB_SVN[1] > 0, else 0. */
static void tdx_components_count_from_0_or_2(void **state)
{
    (void)state;
    scene s;
    for (size_t i = 0; i < 16; i++) {
        scene_init(&s, true); /* module version 1 */
        s.levels[0].tdx[i] = 7;
        s.td.tee_tcb_svn[i] = i == 1 ? 1 : 6;
        if (i < 2) {
            assert_status(&s, UTD);
        } else {
            assert_error(&s, ATLS_MATCH_NO_LEVEL);
        }
        scene_init(&s, true);
        s.td.tee_tcb_svn[0] = 7;
        s.td.tee_tcb_svn[1] = 0; /* module version 0: all 16 count */
        assert_status(&s, UTD);
        s.levels[0].tdx[i] = 8;
        assert_error(&s, ATLS_MATCH_NO_LEVEL);
    }
}

static void first_level_that_fits_is_taken(void **state)
{
    (void)state;
    scene s;
    atls_tcb_claims c;
    scene_init(&s, false);
    s.levels[1] = (atls_tcb_info_level){.sgx = {2, 1}, .pcesvn = 5, .status = ATLS_TCB_OUT_OF_DATE};
    s.levels[2] = (atls_tcb_info_level){.sgx = {1, 1}, .pcesvn = 0, .status = ATLS_TCB_REVOKED};
    s.info.levels_n = 3;
    assert_status(&s, UTD);
    s.pck.pcesvn = 9;
    assert_status(&s, OOD);
    s.pck.sgx[0] = 1;
    assert_status(&s, REV);
    s.pck.sgx[0] = 0;
    assert_error(&s, ATLS_MATCH_NO_LEVEL);
    assert_int_equal(match(&s, &c), ATLS_MATCH_NO_LEVEL);
    assert_false(c.platform.present);
    assert_true(c.qe.present);
}

/* Section 10: a revoked SGX level above a matching out-of-date TDX level yields OutOfDate. */
static void status_of_a_td_is_that_of_the_tdx_level(void **state)
{
    (void)state;
    scene s;
    scene_init(&s, true);
    s.levels[1] = s.levels[0];
    s.levels[0].tdx[2] = 4; /* the TD has 3 */
    s.levels[0].status = ATLS_TCB_REVOKED;
    s.levels[1].status = ATLS_TCB_OUT_OF_DATE;
    s.info.levels_n = 2;
    assert_status(&s, OOD);
}

static void tee_of_info_and_quote_must_agree(void **state)
{
    (void)state;
    scene s;
    scene_init(&s, true);
    s.is_tdx = false;
    assert_error(&s, ATLS_MATCH_NO_LEVEL);
    scene_init(&s, false);
    s.is_tdx = true;
    assert_error(&s, ATLS_MATCH_NO_LEVEL);
}

static void module_is_found_by_version(void **state)
{
    (void)state;
    scene s;
    scene_init(&s, true);
    const atls_module_identity *identity = &s.identities[0];
    uint8_t svn[16] = {9, 0};
    assert_true(atls_module_find(&s.info, svn, &identity));
    assert_null(identity);
    svn[1] = 3;
    assert_true(atls_module_find(&s.info, svn, &identity));
    assert_ptr_equal(identity, &s.identities[1]);
    svn[1] = 2;
    assert_false(atls_module_find(&s.info, svn, &identity));
    s.info.identities_n = 0;
    svn[1] = 1;
    assert_false(atls_module_find(&s.info, svn, &identity));
    s.td.tee_tcb_svn[1] = 1;
    assert_error(&s, ATLS_MATCH_NO_MODULE);
    s.td.tee_tcb_svn[1] = 0; /* needs no identity */
    s.td.tee_tcb_svn[0] = 5;
    assert_status(&s, UTD);
}

static void module_level_is_the_first_at_or_below(void **state)
{
    (void)state;
    scene s;
    atls_tcb_claims c;
    scene_init(&s, true);
    s.module_levels[0][1] = (atls_isv_level){.isvsvn = 2, .status = ATLS_TCB_OUT_OF_DATE};
    s.identities[0].levels_n = 2;
    static const struct {
        uint8_t svn;
        int status;
    } rows[] = {{5, UTD}, {4, UTD}, {3, OOD}, {2, OOD}};
    for (size_t i = 0; i < 4; i++) {
        s.td.tee_tcb_svn[0] = rows[i].svn;
        assert_status(&s, rows[i].status);
    }
    s.td.tee_tcb_svn[0] = 1;
    assert_error(&s, ATLS_MATCH_NO_MODULE_LEVEL);
    assert_int_equal(match(&s, &c), ATLS_MATCH_NO_MODULE_LEVEL);
    assert_true(c.platform.present && !c.module.present && c.qe.present);
    /* Only three statuses mean something for a module. */
    scene_init(&s, true);
    static const int strange[] = {NONE, SWH, CFG, CSW, OCF};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        s.module_levels[0][0].status = (atls_tcb_status)strange[i];
        assert_error(&s, ATLS_MATCH_UNRECOGNIZED);
    }
}

/* Section 13, step 1. */
static void platform_and_module_converge(void **state)
{
    (void)state;
    static const int rows[][4] = {
        /* platform; module UpToDate, OutOfDate, Revoked */
        {UTD, UTD, OOD, REV}, {SWH, SWH, OOD, REV}, {CFG, CFG, OCF, REV}, {CSW, CSW, OCF, REV},
        {OOD, OOD, OOD, REV}, {OCF, OCF, OCF, REV}, {REV, REV, REV, REV},
    };
    static const int modules[] = {UTD, OOD, REV};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        for (size_t m = 0; m < 3; m++) {
            scene s;
            scene_init(&s, true);
            s.levels[0].status = (atls_tcb_status)rows[r][0];
            s.module_levels[0][0].status = (atls_tcb_status)modules[m];
            assert_status(&s, rows[r][m + 1]);
            if (rows[r][m + 1] == REV) { /* and that before the QE has its say */
                s.qe_isvsvn = 0;
                assert_status(&s, REV);
            }
        }
    }
}

/* Section 13, step 3: QE up to date, out of date (two ways), revoked, not supported. */
static void platform_and_qe_converge(void **state)
{
    (void)state;
    static const int rows[][4] = {
        {UTD, UTD, OOD, REV}, {SWH, SWH, OOD, REV}, {CFG, CFG, OCF, REV}, {CSW, CSW, OCF, REV},
        {OOD, OOD, OOD, REV}, {OCF, OCF, OCF, REV}, {REV, REV, REV, REV},
    };
    static const struct {
        int qe;
        size_t column;
    } qes[] = {{UTD, 1}, {OOD, 2}, {CFG, 2}, {OCF, 2}, {REV, 3}};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        for (int tdx = 0; tdx < 2; tdx++) {
            scene s;
            scene_init(&s, tdx == 1);
            s.levels[0].status = (atls_tcb_status)rows[r][0];
            for (size_t q = 0; q < sizeof qes / sizeof qes[0]; q++) {
                s.qe_levels[0].status = (atls_tcb_status)qes[q].qe;
                assert_status(&s, rows[r][qes[q].column]);
            }
            s.qe_isvsvn = 5;
            if (tdx == 1 && rows[r][0] == REV) {
                assert_status(&s, REV);
            } else {
                assert_error(&s, ATLS_MATCH_NO_QE_LEVEL);
            }
        }
    }
    scene s;
    scene_init(&s, false);
    s.levels[0].status = ATLS_TCB_NONE; /* no parser lets this through */
    assert_error(&s, ATLS_MATCH_UNRECOGNIZED);
}

/* Section 11: file order, not the best fit. */
static void qe_level_is_the_first_of_the_file(void **state)
{
    (void)state;
    scene s;
    scene_init(&s, false);
    s.qe_levels[1] = s.qe_levels[0]; /* isvsvn 6, UpToDate */
    s.qe_levels[0] = (atls_isv_level){.isvsvn = 4, .status = ATLS_TCB_OUT_OF_DATE};
    s.identity.levels_n = 2;
    assert_status(&s, OOD);
    s.qe_isvsvn = 65535;
    assert_status(&s, OOD);
    s.qe_isvsvn = 3;
    assert_error(&s, ATLS_MATCH_NO_QE_LEVEL);
}

/* A TD 1.5 started under an old module (isvsvn 2 where 4 is newest), which has been replaced since. */
static void relaunch_scene(scene *s)
{
    scene_init(s, true);
    s->module_levels[0][1] = (atls_isv_level){.isvsvn = 2, .status = ATLS_TCB_OUT_OF_DATE};
    s->identities[0].levels_n = 2;
    s->td.tee_tcb_svn[0] = 2;
    s->td.is_1_5 = true;
}

static void relaunch_is_advised(void **state)
{
    (void)state;
    static const int rows[][2] = {
        {UTD, TDR}, {SWH, TDR}, {CFG, TDC}, {CSW, TDC}, {OOD, OOD}, {OCF, OCF}, {REV, REV},
    };
    scene s;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        relaunch_scene(&s);
        s.levels[0].status = (atls_tcb_status)rows[i][0];
        assert_status(&s, rows[i][1]);
    }
    /* The SGX level's status decides, the TDX level's goes into the merged one. */
    relaunch_scene(&s);
    s.levels[1] = s.levels[0];
    s.levels[0].tdx[2] = 4;
    s.td.tee_tcb_svn2[2] = 4;
    s.levels[1].status = ATLS_TCB_OUT_OF_DATE;
    s.info.levels_n = 2;
    assert_status(&s, TDR);
    s.levels[0].status = ATLS_TCB_CONFIGURATION_NEEDED;
    assert_status(&s, TDC);
    s.levels[0].status = ATLS_TCB_UP_TO_DATE;
    s.levels[1].status = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    assert_status(&s, TDC);
    s.levels[0].status = ATLS_TCB_OUT_OF_DATE;
    assert_status(&s, OCF);
    s.levels[0].status = ATLS_TCB_REVOKED;
    assert_status(&s, OCF);
}

static void each_condition_of_the_relaunch_counts(void **state)
{
    (void)state;
    scene s;
    relaunch_scene(&s);
    s.td.is_1_5 = false;
    assert_status(&s, OOD);

    relaunch_scene(&s); /* the QE: out of date in any way, revoked, not supported */
    s.qe_levels[0].status = ATLS_TCB_OUT_OF_DATE;
    assert_status(&s, OOD);
    s.qe_levels[0].status = ATLS_TCB_CONFIGURATION_NEEDED;
    assert_status(&s, OOD);
    s.qe_levels[0].status = ATLS_TCB_REVOKED;
    assert_status(&s, REV);
    s.qe_isvsvn = 5;
    assert_error(&s, ATLS_MATCH_NO_QE_LEVEL);

    relaunch_scene(&s); /* the module: up to date, revoked */
    s.module_levels[0][1].status = ATLS_TCB_UP_TO_DATE;
    assert_status(&s, UTD);
    s.levels[0].status = ATLS_TCB_OUT_OF_DATE;
    assert_status(&s, OOD);
    s.module_levels[0][1].status = ATLS_TCB_REVOKED;
    assert_status(&s, REV);

    relaunch_scene(&s); /* what runs now is not the newest: its isvsvn, its component 2 */
    s.td.tee_tcb_svn2[0] = 3;
    assert_status(&s, OOD);
    relaunch_scene(&s);
    s.td.tee_tcb_svn2[2] = 2;
    assert_status(&s, OOD);
    relaunch_scene(&s);
    s.td.tee_tcb_svn2[0] = 255;
    s.td.tee_tcb_svn2[2] = 255;
    assert_status(&s, TDR);

    relaunch_scene(&s); /* another module runs now */
    s.td.tee_tcb_svn2[1] = 3;
    assert_status(&s, TDR);
    s.module_levels[1][0].isvsvn = 5;
    assert_status(&s, OOD);
    s.td.tee_tcb_svn2[1] = 2; /* of no identity */
    assert_error(&s, ATLS_MATCH_UNRECOGNIZED);

    relaunch_scene(&s); /* module version 0 runs now: the first level's components */
    s.td.tee_tcb_svn2[1] = 0;
    assert_status(&s, OOD);
    s.td.tee_tcb_svn2[0] = 5;
    assert_status(&s, TDR);
    s.td.tee_tcb_svn2[2] = 2;
    assert_status(&s, OOD);
}

/* "First level" is the first after sorting, not the one that matched. */
static void relaunch_compares_with_the_very_first_level(void **state)
{
    (void)state;
    scene s;
    relaunch_scene(&s);
    s.levels[1] = s.levels[0];
    s.levels[0].pcesvn = 11; /* the platform has 10 */
    s.levels[0].tdx[2] = 9;
    s.info.levels_n = 2;
    assert_status(&s, OOD);
    s.td.tee_tcb_svn2[2] = 9;
    assert_status(&s, TDR);
}

/* ---- the vectors */

static json_t *load(const char *folder, const char *file)
{
    char path[1024];
    assert_true(snprintf(path, sizeof path, "%s/dcap/%s", folder, file) < (int)sizeof path);
    return json_load_file(path, 0, NULL);
}

static const char *text_of(json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool hex_of(json_t *object, const char *name, uint8_t out[16])
{
    const char *hex = text_of(object, name);
    size_t len;
    return hex != NULL && atls_hex_decode(hex, strlen(hex), out, 16, &len) && len == 16;
}

/* Quote-call answers that are about the TCB, and what atls_tcb_match has to make of them. */
static const struct {
    const char *qvl;
    atls_match_error error; /* NO_LEVEL stands for all three of TCB_NOT_SUPPORTED */
    int status;
} answers[] = {
    {"OK", ATLS_MATCH_OK, UTD},
    {"TCB_OUT_OF_DATE", ATLS_MATCH_OK, OOD},
    {"TCB_REVOKED", ATLS_MATCH_OK, REV},
    {"TCB_OUT_OF_DATE_CONFIGURATION_NEEDED", ATLS_MATCH_OK, OCF},
    {"TCB_SW_HARDENING_NEEDED", ATLS_MATCH_OK, SWH},
    {"TCB_CONFIGURATION_NEEDED", ATLS_MATCH_OK, CFG},
    {"TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED", ATLS_MATCH_OK, CSW},
    {"TCB_TD_RELAUNCH_ADVISED", ATLS_MATCH_OK, TDR},
    {"TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED", ATLS_MATCH_OK, TDC},
    {"TCB_NOT_SUPPORTED", ATLS_MATCH_NO_LEVEL, NONE},
};

static void check_platform(const char *file, json_t *expect, const atls_tcb_level *platform)
{
    json_t *level = json_object_get(expect, "platform_level");
    json_t *ids = json_object_get(expect, "advisory_ids");
    if (level == NULL || text_of(expect, "status") == NULL) {
        return;
    }
    char date[ATLS_TIME_TEXT_LEN];
    atls_time_format(platform->date_s, date);
    if (!platform->present || strcmp(text_of(level, "tcbDate"), date) != 0 ||
        strcmp(text_of(level, "tcbStatus"), atls_tcb_status_name(platform->status)) != 0 ||
        json_array_size(ids) != platform->advisories_n) {
        fail_msg("%s: platform level of %s, status %s, %zu advisories", file, date,
                 atls_tcb_status_name(platform->status), platform->advisories_n);
    }
    for (size_t i = 0; i < platform->advisories_n; i++) {
        assert_string_equal(platform->advisories[i], json_string_value(json_array_get(ids, i)));
    }
}

/* False if there is nothing here to compare. */
static bool check_vector(json_t *vector, json_t *collateral)
{
    json_t *fields = json_object_get(vector, "fields");
    json_t *expect = json_object_get(vector, "expect");
    const char *file = text_of(vector, "file");
    const char *qvl = text_of(json_object_get(expect, "qvl"), "quote");
    atls_pck_svn pck = {.pcesvn =
                            (uint16_t)json_integer_value(json_object_get(fields, "pck_pcesvn"))};
    atls_td_svn td = {0};
    td.is_1_5 = hex_of(fields, "tee_tcb_svn2", td.tee_tcb_svn2);
    bool is_td = hex_of(fields, "tee_tcb_svn", td.tee_tcb_svn);
    size_t a = 0;
    while (a < sizeof answers / sizeof answers[0] &&
           (qvl == NULL || strcmp(answers[a].qvl, qvl) != 0)) {
        a++;
    }
    if (a == sizeof answers / sizeof answers[0] || !hex_of(fields, "pck_comp", pck.sgx)) {
        return false;
    }
    atls_tcb_info *info = NULL;
    atls_qe_identity *identity = NULL;
    const char *text = text_of(collateral, "tcb_info");
    assert_int_equal(
        atls_tcb_info_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &info, NULL), ATLS_OK);
    text = text_of(collateral, "qe_identity");
    assert_int_equal(
        atls_qe_identity_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &identity, NULL),
        ATLS_OK);
    atls_tcb_claims claims;
    uint16_t qe_isvsvn = (uint16_t)json_integer_value(json_object_get(fields, "qe_isvsvn"));
    atls_match_error error =
        atls_tcb_match(info, identity, &pck, is_td ? &td : NULL, qe_isvsvn, &claims);
    bool is_unsupported = error == ATLS_MATCH_NO_LEVEL || error == ATLS_MATCH_NO_MODULE_LEVEL ||
                          error == ATLS_MATCH_NO_QE_LEVEL;
    bool agrees = answers[a].error == ATLS_MATCH_OK ? error == ATLS_MATCH_OK : is_unsupported;
    if (!agrees || (int)claims.status != answers[a].status) {
        fail_msg("%s: error %d, status %d, where Intel says %s", file, (int)error,
                 (int)claims.status, qvl);
    }
    if (error == ATLS_MATCH_OK) {
        check_platform(file, expect, &claims.platform);
    }
    atls_tcb_info_free(info);
    atls_qe_identity_free(identity);
    return true;
}

static void vectors_agree_about_the_status(void **state)
{
    (void)state;
    const char *folder = getenv("ATLS_VECTORS");
    json_t *manifest = folder != NULL ? load(folder, "MANIFEST.json") : NULL;
    if (manifest == NULL) {
        print_message("no vectors in ATLS_VECTORS: skipped\n");
        skip();
    }
    size_t i;
    json_t *vector;
    size_t compared = 0;
    json_array_foreach(json_object_get(manifest, "vectors"), i, vector)
    {
        const char *file = text_of(vector, "collateral");
        if (file != NULL) {
            json_t *collateral = load(folder, file);
            assert_non_null(collateral);
            compared += check_vector(vector, collateral);
            json_decref(collateral);
        }
    }
    json_decref(manifest);
    assert_true(compared >= 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_carry_the_three_levels_apart),
        cmocka_unit_test(each_component_counts),
        cmocka_unit_test(tdx_components_count_from_0_or_2),
        cmocka_unit_test(first_level_that_fits_is_taken),
        cmocka_unit_test(status_of_a_td_is_that_of_the_tdx_level),
        cmocka_unit_test(tee_of_info_and_quote_must_agree),
        cmocka_unit_test(module_is_found_by_version),
        cmocka_unit_test(module_level_is_the_first_at_or_below),
        cmocka_unit_test(platform_and_module_converge),
        cmocka_unit_test(platform_and_qe_converge),
        cmocka_unit_test(qe_level_is_the_first_of_the_file),
        cmocka_unit_test(relaunch_is_advised),
        cmocka_unit_test(each_condition_of_the_relaunch_counts),
        cmocka_unit_test(relaunch_compares_with_the_very_first_level),
        cmocka_unit_test(vectors_agree_about_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
