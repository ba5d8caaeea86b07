#include "trust/tcb_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "trust/tcb_json.h"

/* A parse under way. Members come in any order, so what depends on version and id is looked at last. */
typedef struct parse {
    atls_json_pull pull;
    atls_tcb_block block;
    atls_tcb_info *info;
    uint32_t seen; /* of the top object */
    bool has_v2_level, has_v3_level, has_level_without_tdx;
} parse;

/* ---- platform levels */

/* [16 x {"svn": n, "category"?, "type"?}] */
static void pull_components(atls_json_pull *pull, uint8_t out[16])
{
    static const char *const names[] = {"svn", "category", "type"};
    size_t n = 0;
    const char *array = pull->name;
    atls_json_pull_array(pull);
    while (atls_json_pull_element(pull)) {
        atls_json_members component;
        uint8_t svn = 0;
        int member;
        atls_json_pull_object(pull, &component, names, 3, 1);
        while ((member = atls_json_pull_member(pull, &component)) >= 0) {
            if (member == 0) {
                /* Intel's library takes 259 for 3; nobody publishes such. */
                svn = (uint8_t)atls_json_pull_uint(pull, UINT8_MAX);
            } else {
                atls_json_pull_skip(pull);
            }
        }
        if (n < 16) {
            out[n] = svn;
        }
        n++;
    }
    if (n != 16) {
        pull->name = array;
        atls_json_pull_fail(pull, "%zu components, where 16 are wanted", n);
    }
}

enum { SGX_COMPONENTS = 16, PCESVN, TDX_COMPONENTS, TCB_MEMBERS_N };

static const char *const tcb_names[TCB_MEMBERS_N] = {
    "sgxtcbcomp01svn", "sgxtcbcomp02svn",  "sgxtcbcomp03svn", "sgxtcbcomp04svn",  "sgxtcbcomp05svn",
    "sgxtcbcomp06svn", "sgxtcbcomp07svn",  "sgxtcbcomp08svn", "sgxtcbcomp09svn",  "sgxtcbcomp10svn",
    "sgxtcbcomp11svn", "sgxtcbcomp12svn",  "sgxtcbcomp13svn", "sgxtcbcomp14svn",  "sgxtcbcomp15svn",
    "sgxtcbcomp16svn", "sgxtcbcomponents", "pcesvn",          "tdxtcbcomponents",
};

static void pull_tcb(parse *p, atls_tcb_info_level *level)
{
    atls_json_pull *pull = &p->pull;
    const uint32_t v2_members = 0xffff;
    atls_json_members tcb;
    int member;
    atls_json_pull_object(pull, &tcb, tcb_names, TCB_MEMBERS_N, (uint32_t)1 << PCESVN);
    while ((member = atls_json_pull_member(pull, &tcb)) >= 0) {
        if (member == SGX_COMPONENTS) {
            pull_components(pull, level->sgx);
        } else if (member == TDX_COMPONENTS) {
            pull_components(pull, level->tdx);
        } else if (member == PCESVN) {
            level->pcesvn = (uint16_t)atls_json_pull_uint(pull, UINT16_MAX);
        } else {
            level->sgx[member] = (uint8_t)atls_json_pull_uint(pull, UINT8_MAX);
        }
    }
    bool is_v3 = (tcb.seen & (uint32_t)1 << SGX_COMPONENTS) != 0;
    uint32_t v2_seen = tcb.seen & v2_members;
    if (is_v3 ? v2_seen != 0 : v2_seen != v2_members) {
        pull->name = "tcb";
        atls_json_pull_fail(pull, "neither 16 sgxtcbcompNNsvn nor sgxtcbcomponents alone");
    }
    p->has_v3_level |= is_v3;
    p->has_v2_level |= !is_v3;
    p->has_level_without_tdx |= (tcb.seen & (uint32_t)1 << TDX_COMPONENTS) == 0;
}

static atls_tcb_status take_status(atls_json_pull *pull)
{
    bool known;
    atls_tcb_status status = atls_tcb_pull_status(pull, &known);
    if (!known) {
        atls_json_pull_fail(pull, "unknown status");
    }
    return status;
}

static atls_tcb_info_level pull_level(parse *p)
{
    enum { TCB, TCB_DATE, TCB_STATUS, ADVISORY_IDS };
    static const char *const names[] = {"tcb", "tcbDate", "tcbStatus", "advisoryIDs"};
    const uint32_t required = 1u << TCB | 1u << TCB_DATE | 1u << TCB_STATUS;
    atls_json_members members;
    atls_tcb_info_level level = {0};
    int member;
    atls_json_pull_object(&p->pull, &members, names, 4, required);
    while ((member = atls_json_pull_member(&p->pull, &members)) >= 0) {
        switch (member) {
        case TCB:
            pull_tcb(p, &level);
            break;
        case TCB_DATE:
            level.date_s = atls_json_pull_time(&p->pull);
            break;
        case TCB_STATUS:
            level.status = take_status(&p->pull);
            break;
        default:
            level.advisories = atls_tcb_pull_advisories(&p->pull, &p->block);
            break;
        }
    }
    return level;
}

static void pull_levels(parse *p)
{
    atls_tcb_info_level levels[ATLS_TCB_LEVELS_MAX];
    size_t n = 0;
    atls_json_pull_array(&p->pull);
    while (atls_json_pull_element(&p->pull)) {
        if (n == ATLS_TCB_LEVELS_MAX) {
            atls_json_pull_fail(&p->pull, "more than %d levels", ATLS_TCB_LEVELS_MAX);
            break;
        }
        levels[n++] = pull_level(p);
    }
    if (n == 0) {
        atls_json_pull_fail(&p->pull, "no level in \"tcbLevels\"");
    }
    if (atls_json_pull_ok(&p->pull)) {
        p->info->levels = atls_tcb_block_copy(&p->block, &p->pull, levels, n * sizeof levels[0]);
        p->info->levels_n = n;
    }
}

/* ---- the TDX module */

/* specs 12: which strings there are is looked at when a level is matched. */
static atls_tcb_status take_module_status(atls_json_pull *pull)
{
    bool known;
    return atls_tcb_pull_status(pull, &known);
}

/* "TDX_0A" in either case is 10. False for an id of another form: it can never match. */
static bool module_version(atls_buf id, uint8_t *version)
{
    static const char prefix[] = "TDX_";
    static const char digits[] = "0123456789ABCDEF";
    char upper[6];
    if (id.len != sizeof upper) {
        return false;
    }
    for (size_t i = 0; i < sizeof upper; i++) {
        char c = (char)id.ptr[i];
        upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    const char *high = memchr(digits, upper[4], 16);
    const char *low = memchr(digits, upper[5], 16);
    if (memcmp(upper, prefix, 4) != 0 || high == NULL || low == NULL) {
        return false;
    }
    *version = (uint8_t)((high - digits) * 16 + (low - digits));
    return true;
}

static int newer_isv_level(const void *a, const void *b)
{
    const atls_isv_level *x = a;
    const atls_isv_level *y = b;
    return x->isvsvn > y->isvsvn ? -1 : x->isvsvn < y->isvsvn;
}

static void sort_module_levels(atls_json_pull *pull, atls_module_identity *identity)
{
    if (!atls_json_pull_ok(pull)) {
        return;
    }
    qsort(identity->levels, identity->levels_n, sizeof identity->levels[0], newer_isv_level);
    for (size_t i = 1; i < identity->levels_n; i++) {
        if (identity->levels[i - 1].isvsvn == identity->levels[i].isvsvn) {
            atls_json_pull_fail(pull, "two module levels of isvsvn %u",
                                (unsigned)identity->levels[i].isvsvn);
        }
    }
}

/* True if the id is of a form that can match. */
static bool pull_identity(parse *p, atls_module_identity *identity)
{
    enum { ID, MRSIGNER, ATTRIBUTES, ATTRIBUTES_MASK, TCB_LEVELS, N };
    static const char *const names[N] = {"id", "mrsigner", "attributes", "attributesMask",
                                         "tcbLevels"};
    atls_json_pull *pull = &p->pull;
    atls_json_members members;
    bool usable = false;
    int member;
    atls_json_pull_object(pull, &members, names, N, (1u << N) - 1);
    while ((member = atls_json_pull_member(pull, &members)) >= 0) {
        switch (member) {
        case ID:
            usable = module_version(atls_json_pull_string(pull, 32), &identity->version);
            break;
        case MRSIGNER:
            atls_json_pull_hex(pull, identity->mrsigner, sizeof identity->mrsigner);
            break;
        case ATTRIBUTES:
            atls_json_pull_hex(pull, identity->attributes, sizeof identity->attributes);
            break;
        case ATTRIBUTES_MASK:
            atls_json_pull_hex(pull, identity->attributes_mask, sizeof identity->attributes_mask);
            break;
        default:
            identity->levels =
                atls_tcb_pull_isv_levels(pull, &p->block, take_module_status, &identity->levels_n);
            break;
        }
    }
    sort_module_levels(pull, identity);
    return usable;
}

static void pull_identities(parse *p)
{
    atls_module_identity identities[ATLS_MODULES_MAX];
    bool has_version[256] = {false};
    size_t n = 0;
    size_t elements = 0;
    atls_json_pull_array(&p->pull);
    while (atls_json_pull_element(&p->pull)) {
        if (elements++ == ATLS_MODULES_MAX) {
            atls_json_pull_fail(&p->pull, "more than %d module identities", ATLS_MODULES_MAX);
            break;
        }
        atls_module_identity identity = {0};
        if (!pull_identity(p, &identity)) {
            continue;
        }
        if (has_version[identity.version]) {
            atls_json_pull_fail(&p->pull, "two identities of module TDX_%02X", identity.version);
        }
        has_version[identity.version] = true;
        identities[n++] = identity;
    }
    if (elements == 0) {
        atls_json_pull_fail(&p->pull, "no identity in \"tdxModuleIdentities\"");
    }
    if (atls_json_pull_ok(&p->pull) && n > 0) {
        p->info->identities =
            atls_tcb_block_copy(&p->block, &p->pull, identities, n * sizeof identities[0]);
        p->info->identities_n = n;
    }
}

static void pull_module(atls_json_pull *pull, atls_tcb_info *info)
{
    static const char *const names[] = {"mrsigner", "attributes", "attributesMask"};
    atls_json_members members;
    int member;
    atls_json_pull_object(pull, &members, names, 3, 7);
    while ((member = atls_json_pull_member(pull, &members)) >= 0) {
        if (member == 0) {
            atls_json_pull_hex(pull, info->module_mrsigner, sizeof info->module_mrsigner);
        } else if (member == 1) {
            atls_json_pull_hex(pull, info->module_attributes, sizeof info->module_attributes);
        } else {
            atls_json_pull_hex(pull, info->module_attributes_mask,
                               sizeof info->module_attributes_mask);
        }
    }
}

/* ---- the whole */

enum {
    ID,
    VERSION,
    ISSUE_DATE,
    NEXT_UPDATE,
    FMSPC,
    PCE_ID,
    TCB_TYPE,
    EVALUATION_NUMBER,
    TDX_MODULE,
    TDX_MODULE_IDENTITIES,
    TCB_LEVELS,
    MEMBERS_N
};

static const char *const names[MEMBERS_N] = {
    [ID] = "id",
    [VERSION] = "version",
    [ISSUE_DATE] = "issueDate",
    [NEXT_UPDATE] = "nextUpdate",
    [FMSPC] = "fmspc",
    [PCE_ID] = "pceId",
    [TCB_TYPE] = "tcbType",
    [EVALUATION_NUMBER] = "tcbEvaluationDataNumber",
    [TDX_MODULE] = "tdxModule",
    [TDX_MODULE_IDENTITIES] = "tdxModuleIdentities",
    [TCB_LEVELS] = "tcbLevels",
};

static bool has(const parse *p, int member)
{
    return (p->seen & (uint32_t)1 << member) != 0;
}

static bool take_id(atls_json_pull *pull)
{
    atls_buf id = atls_json_pull_string(pull, 8);
    bool is_tdx = id.len == 3 && memcmp(id.ptr, "TDX", 3) == 0;
    if (!is_tdx && (id.len != 3 || memcmp(id.ptr, "SGX", 3) != 0)) {
        atls_json_pull_fail(pull, "SGX or TDX wanted");
    }
    return is_tdx;
}

static unsigned take_version(atls_json_pull *pull)
{
    uint64_t version = atls_json_pull_uint(pull, UINT32_MAX);
    if (version != 2 && version != 3) {
        atls_json_pull_fail(pull, "%u, where 2 or 3 is known", (unsigned)version);
    }
    return (unsigned)version;
}

static void take_member(parse *p, int member)
{
    atls_json_pull *pull = &p->pull;
    atls_tcb_info *info = p->info;
    switch (member) {
    case ID:
        info->is_tdx = take_id(pull);
        break;
    case VERSION:
        info->version = take_version(pull);
        break;
    case ISSUE_DATE:
        info->issue_date_s = atls_json_pull_time(pull);
        break;
    case NEXT_UPDATE:
        info->next_update_s = atls_json_pull_time(pull);
        break;
    case FMSPC:
        atls_json_pull_hex(pull, info->fmspc, sizeof info->fmspc);
        break;
    case PCE_ID:
        atls_json_pull_hex(pull, info->pceid, sizeof info->pceid);
        break;
    case TCB_TYPE:
        (void)atls_json_pull_uint(pull, 0);
        break;
    case EVALUATION_NUMBER:
        info->evaluation_number = (uint32_t)atls_json_pull_uint(pull, UINT32_MAX);
        break;
    case TDX_MODULE:
        pull_module(pull, info);
        break;
    case TDX_MODULE_IDENTITIES:
        pull_identities(p);
        break;
    default:
        pull_levels(p);
        break;
    }
}

/* specs 7.1: what version and id ask of the other members. */
static void check_kind(parse *p)
{
    atls_json_pull *pull = &p->pull;
    const atls_tcb_info *info = p->info;
    pull->name = NULL;
    if (info->version == 3 && !has(p, ID)) {
        atls_json_pull_fail(pull, "\"id\" is missing in version 3");
    }
    if (info->version == 2 && info->is_tdx) {
        atls_json_pull_fail(pull, "id TDX in version 2, which is for SGX");
    }
    if (info->version == 2 ? p->has_v3_level : p->has_v2_level) {
        atls_json_pull_fail(pull, "a level in the form of version %u, in version %u",
                            info->version == 2 ? 3u : 2u, info->version);
    }
    if (info->is_tdx && !has(p, TDX_MODULE)) {
        atls_json_pull_fail(pull, "\"tdxModule\" is missing for TDX");
    }
    if (info->is_tdx && p->has_level_without_tdx) {
        atls_json_pull_fail(pull, "\"tdxtcbcomponents\" are missing in a level for TDX");
    }
    if (!info->is_tdx && (has(p, TDX_MODULE) || has(p, TDX_MODULE_IDENTITIES))) {
        atls_json_pull_fail(pull, "a TDX module in TCB info for SGX");
    }
}

/* specs 10: by SGX components, then PCESVN, then TDX components; the newest first. */
static int newer_level(const void *a, const void *b)
{
    const atls_tcb_info_level *x = a;
    const atls_tcb_info_level *y = b;
    int order = memcmp(y->sgx, x->sgx, sizeof x->sgx);
    if (order == 0) {
        order = (int)y->pcesvn - (int)x->pcesvn;
    }
    return order != 0 ? order : memcmp(y->tdx, x->tdx, sizeof x->tdx);
}

static void sort_levels(parse *p)
{
    atls_tcb_info *info = p->info;
    if (!atls_json_pull_ok(&p->pull)) {
        return;
    }
    for (size_t i = 0; !info->is_tdx && i < info->levels_n; i++) {
        memset(info->levels[i].tdx, 0, sizeof info->levels[i].tdx); /* means nothing for SGX */
    }
    qsort(info->levels, info->levels_n, sizeof info->levels[0], newer_level);
    for (size_t i = 1; i < info->levels_n; i++) {
        if (newer_level(&info->levels[i - 1], &info->levels[i]) == 0) {
            atls_json_pull_fail(&p->pull, "two levels of the same TCB");
        }
    }
}

atls_code atls_tcb_info_parse(atls_buf text, atls_tcb_info **out, atls_err *err)
{
    const uint32_t optional =
        (uint32_t)1 << ID | (uint32_t)1 << TDX_MODULE | (uint32_t)1 << TDX_MODULE_IDENTITIES;
    parse p = {0};
    atls_json_pull_init(&p.pull, text, ATLS_TCB_TEXT_MAX, "tcb_info.format", err);
    ATLS_TRY(p.pull.rc);
    p.info = atls_tcb_block_new(&p.block, sizeof *p.info, text.len);
    if (p.info == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_json_members members;
    int member;
    atls_json_pull_object(&p.pull, &members, names, MEMBERS_N,
                          (((uint32_t)1 << MEMBERS_N) - 1) & ~optional);
    while ((member = atls_json_pull_member(&p.pull, &members)) >= 0) {
        take_member(&p, member);
    }
    p.seen = members.seen;
    check_kind(&p);
    sort_levels(&p);
    atls_code rc = atls_json_pull_finish(&p.pull);
    if (rc != ATLS_OK) {
        free(p.info);
        return rc;
    }
    *out = p.info;
    return ATLS_OK;
}

void atls_tcb_info_free(atls_tcb_info *info)
{
    free(info);
}
