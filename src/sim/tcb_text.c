#include "sim/tcb_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "sim/extension.h"
#include "sim/level.h"

#define MODULE_MRSIGNER                                                                            \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define MODULE_ATTRIBUTES      "0000000000000000"
#define MODULE_ATTRIBUTES_MASK "FFFFFFFFFFFFFFFF"

static const char *or_else(const char *text, const char *usual)
{
    return text != NULL ? text : usual;
}

/* tcbDate, tcbStatus and, where something is wrong, an advisory. Takes tcb over. */
static json_t *make_level(json_t *tcb, size_t age, const char *status, int64_t when_s)
{
    char date[ATLS_TIME_TEXT_LEN];
    atls_time_format(sim_level_date(age, when_s), date);
    json_t *level = json_pack("{s:o,s:s,s:s}", "tcb", tcb, "tcbDate", date, "tcbStatus", status);
    if (level != NULL && age > 0) {
        char advisory[24] = "SIM-SA-00000";
        advisory[11] = (char)('0' + age % 10);
        (void)json_object_set_new(level, "advisoryIDs", json_pack("[s]", advisory));
    }
    return level;
}

static json_t *make_components(const uint8_t svn[16], int n, int first)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        int value = i == 0 && first >= 0 ? first : svn[i % 16];
        (void)json_array_append_new(list, json_pack("{s:i}", "svn", value));
    }
    return list;
}

static int64_t levels_time(const sim_text_plan *p, int64_t when_s)
{
    return p->levels_s != 0 ? p->levels_s : when_s;
}

static json_t *make_platform_level(const sim_text_plan *p, sim_tee tee, size_t i, int64_t when_s)
{
    uint8_t sgx[16];
    uint8_t tdx[16] = {SIM_MODULE_CURRENT, 0, sim_level_seam_svn(i)};
    sim_level_components(i, sgx);
    int first = i == 0 ? p->svn : -1;
    json_t *tcb = json_pack("{s:o,s:i}", "sgxtcbcomponents",
                            make_components(sgx, p->components, first), "pcesvn", SIM_PCESVN);
    if (tee == SIM_TDX) {
        (void)json_object_set_new(tcb, "tdxtcbcomponents", make_components(tdx, p->components, -1));
    }
    const char *status = i == 0 && p->recovery ? "OutOfDate" : sim_level_status(i);
    json_t *level = make_level(tcb, i, or_else(p->status, status), levels_time(p, when_s));
    if (i == 0 && p->recovery) {
        (void)json_object_set_new(level, "advisoryIDs", json_pack("[s]", "SIM-SA-00100"));
    }
    return level;
}

/* As Intel names them in newer TCB info. */
static void name_component(json_t *list, size_t i, const char *category, const char *type)
{
    json_t *component = json_array_get(list, i);
    (void)json_object_set_new(component, "category", json_string(category));
    (void)json_object_set_new(component, "type", json_string(type));
}

/* What a recovery brings: the first component, and of TDX the module and the third component, one higher than any platform
 * has. */
static json_t *make_recovery_level(const sim_text_plan *p, sim_tee tee, int64_t when_s)
{
    char date[ATLS_TIME_TEXT_LEN];
    uint8_t sgx[16];
    uint8_t tdx[16] = {SIM_MODULE_CURRENT + 1, 0, (uint8_t)(sim_level_seam_svn(0) + 1)};
    sim_level_components(0, sgx);
    sgx[0]++;
    json_t *list = make_components(sgx, p->components, -1);
    name_component(list, 0, "BIOS", "Early Microcode Update");
    json_t *tcb = json_pack("{s:o,s:i}", "sgxtcbcomponents", list, "pcesvn", SIM_PCESVN);
    if (tee == SIM_TDX) {
        list = make_components(tdx, p->components, -1);
        name_component(list, 0, "OS/VMM", "TDX Module");
        name_component(list, 2, "OS/VMM", "TDX Late Microcode Update");
        (void)json_object_set_new(tcb, "tdxtcbcomponents", list);
    }
    atls_time_format(when_s / SIM_DAY * SIM_DAY, date);
    return json_pack("{s:o,s:s,s:s}", "tcb", tcb, "tcbDate", date, "tcbStatus", "UpToDate");
}

static json_t *make_platform_levels(const sim_text_plan *p, sim_tee tee, int64_t when_s)
{
    json_t *levels = json_array();
    if (p->recovery && !p->no_levels) {
        (void)json_array_append_new(levels, make_recovery_level(p, tee, when_s));
    }
    for (size_t i = 0; i < SIM_LEVELS && !p->no_levels; i++) {
        (void)json_array_append_new(levels, make_platform_level(p, tee, i, when_s));
        if (i == 0 && p->twin_levels) {
            (void)json_array_append_new(levels, make_platform_level(p, tee, i, when_s));
        }
    }
    return levels;
}

/* Three levels by isvsvn: current, old, revoked. */
static json_t *make_isv_levels(const sim_text_plan *p, const int isvsvn[3], int64_t when_s)
{
    static const char *const status[] = {"UpToDate", "OutOfDate", "Revoked"};
    json_t *levels = json_array();
    for (size_t i = 0; i < 3 && !p->no_levels; i++) {
        json_t *tcb = json_pack("{s:i}", "isvsvn", isvsvn[i]);
        (void)json_array_append_new(
            levels, make_level(tcb, i, or_else(p->status, status[i]), levels_time(p, when_s)));
    }
    return levels;
}

static json_t *make_module_identities(const sim_text_plan *p, int64_t when_s)
{
    static const int isvsvn[] = {SIM_MODULE_CURRENT, SIM_MODULE_OLD, SIM_MODULE_REVOKED};
    static const int recovered[] = {SIM_MODULE_CURRENT + 1, SIM_MODULE_CURRENT, SIM_MODULE_REVOKED};
    sim_text_plan module = *p;
    module.no_levels = 0;
    module.status = NULL;
    return json_pack("[{s:s,s:s,s:s,s:s,s:o}]", "id", "TDX_01", "mrsigner",
                     or_else(p->module_mrsigner, MODULE_MRSIGNER), "attributes", MODULE_ATTRIBUTES,
                     "attributesMask", MODULE_ATTRIBUTES_MASK, "tcbLevels",
                     make_isv_levels(&module, p->recovery ? recovered : isvsvn, when_s));
}

static void add_module(json_t *info, const sim_text_plan *p, int64_t when_s)
{
    (void)json_object_set_new(
        info, "tdxModule",
        json_pack("{s:s,s:s,s:s}", "mrsigner", or_else(p->module_mrsigner, MODULE_MRSIGNER),
                  "attributes", MODULE_ATTRIBUTES, "attributesMask", MODULE_ATTRIBUTES_MASK));
    if (!p->no_module_identities) {
        (void)json_object_set_new(info, "tdxModuleIdentities", make_module_identities(p, when_s));
    }
}

/* id, version and the dates stand first in both texts. */
static json_t *start(const sim_text_plan *p, const char *id, int64_t when_s)
{
    char issue[ATLS_TIME_TEXT_LEN];
    char next[ATLS_TIME_TEXT_LEN];
    atls_time_format(when_s + p->issue_s, issue);
    atls_time_format(when_s + p->next_s, next);
    return json_pack("{s:s,s:i,s:s,s:s}", "id", or_else(p->id, id), "version", p->version,
                     "issueDate", issue, "nextUpdate", or_else(p->date, next));
}

/* Prints, after the faults of form; takes root over. */
static char *finish(const sim_text_plan *p, json_t *root)
{
    if (p->without != NULL) {
        (void)json_object_del(root, p->without);
    }
    char *text = atls_json_write(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL || (p->form != SIM_DUPLICATE && p->form != SIM_CUT)) {
        return text;
    }
    size_t len = strlen(text);
    if (p->form == SIM_CUT) {
        text[len - 1] = '\0';
        return text;
    }
    const size_t cap = len + 32;
    char *longer = malloc(cap);
    if (longer != NULL) {
        (void)snprintf(longer, cap, "{\"version\":%d,%s", p->version, text + 1);
    }
    free(text);
    return longer;
}

char *sim_tcb_info_text(const sim_text_plan *plan, sim_tee tee, int64_t when_s)
{
    json_t *info = start(plan, tee == SIM_TDX ? "TDX" : "SGX", when_s);
    if (info == NULL) {
        return NULL;
    }
    (void)json_object_set_new(info, "fmspc", json_string(or_else(plan->fmspc, SIM_FMSPC)));
    (void)json_object_set_new(info, "pceId", json_string(or_else(plan->pceid, SIM_PCEID)));
    (void)json_object_set_new(info, "tcbType", json_integer(plan->tcb_type));
    (void)json_object_set_new(info, "tcbEvaluationDataNumber",
                              json_integer(plan->evaluation_number));
    if (tee == SIM_TDX) {
        add_module(info, plan, when_s);
    }
    (void)json_object_set_new(info, "tcbLevels", make_platform_levels(plan, tee, when_s));
    return finish(plan, info);
}

void sim_qe_mrsigner(uint8_t out[32])
{
    static const char text[] = SIM_ORGANISATION "/qe";
    const atls_buf name = {(const uint8_t *)text, sizeof text - 1};
    atls_err ignored;
    if (atls_digest(ATLS_SHA256, &name, 1, out, &ignored) != ATLS_OK) {
        memset(out, 0xff, 32); /* no SHA-256: nothing else works either */
    }
}

uint16_t sim_qe_isvprodid(sim_tee tee)
{
    return tee == SIM_TDX ? 2 : 1;
}

char *sim_qe_identity_text(const sim_text_plan *plan, sim_tee tee, int64_t when_s)
{
    static const int isvsvn[] = {SIM_QE_CURRENT, SIM_QE_OLD, SIM_QE_REVOKED};
    uint8_t mrsigner[32];
    char mrsigner_hex[65];
    sim_qe_mrsigner(mrsigner);
    atls_hex_encode((atls_buf){mrsigner, sizeof mrsigner}, mrsigner_hex);
    json_t *identity = start(plan, tee == SIM_TDX ? "TD_QE" : "QE", when_s);
    if (identity == NULL) {
        return NULL;
    }
    const struct {
        const char *name, *text;
    } members[] = {
        {"miscselect", or_else(plan->miscselect, "00000000")},
        {"miscselectMask", "FFFFFFFF"},
        {"attributes", or_else(plan->attributes, "11000000000000000000000000000000")},
        {"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"},
        {"mrsigner", or_else(plan->mrsigner, mrsigner_hex)},
    };
    (void)json_object_set_new(identity, "tcbEvaluationDataNumber",
                              json_integer(plan->evaluation_number));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        (void)json_object_set_new(identity, members[i].name, json_string(members[i].text));
    }
    int prodid = plan->isvprodid >= 0 ? plan->isvprodid : sim_qe_isvprodid(tee);
    (void)json_object_set_new(identity, "isvprodid", json_integer(prodid));
    (void)json_object_set_new(identity, "tcbLevels", make_isv_levels(plan, isvsvn, when_s));
    return finish(plan, identity);
}
