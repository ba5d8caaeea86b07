#include "trust/tcb_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "trust/tcb_json.h"

#define FORMAT "qe_identity.format"

/* specs 7.2: the other two of Intel's statuses make no sense for an enclave of Intel's own. */
static atls_tcb_status take_status(atls_json_pull *pull)
{
    bool known;
    atls_tcb_status status = atls_tcb_pull_status(pull, &known);
    if (!known || status == ATLS_TCB_SW_HARDENING_NEEDED ||
        status == ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED) {
        atls_json_pull_fail(pull, "status that a quoting enclave cannot have");
    }
    return status;
}

static atls_qe_id take_id(atls_json_pull *pull)
{
    static const char *const names[] = {"QE", "TD_QE", "QVE"};
    atls_buf name = atls_json_pull_string(pull, 8);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name.len == strlen(names[i]) && memcmp(name.ptr, names[i], name.len) == 0) {
            return (atls_qe_id)i; /* in the order of the enumeration */
        }
    }
    atls_json_pull_fail(pull, "QE, TD_QE or QVE wanted");
    return ATLS_QE_ID_QE;
}

/* "01000000" is 1. */
static uint32_t take_u32le(atls_json_pull *pull)
{
    uint8_t b[4];
    atls_json_pull_hex(pull, b, sizeof b);
    return b[0] + b[1] * 0x100u + b[2] * 0x10000u + b[3] * 0x1000000u;
}

static void take_version(atls_json_pull *pull)
{
    uint64_t version = atls_json_pull_uint(pull, UINT32_MAX);
    if (atls_json_pull_ok(pull) && version != 2) {
        pull->check = "qe_identity.version";
        atls_json_pull_fail(pull, "%u, where 2 is known", (unsigned)version);
    }
}

enum {
    ID,
    VERSION,
    ISSUE_DATE,
    NEXT_UPDATE,
    EVALUATION_NUMBER,
    MISCSELECT,
    MISCSELECT_MASK,
    ATTRIBUTES,
    ATTRIBUTES_MASK,
    MRSIGNER,
    ISVPRODID,
    TCB_LEVELS,
    MEMBERS_N
};

static const char *const names[MEMBERS_N] = {
    [ID] = "id",
    [VERSION] = "version",
    [ISSUE_DATE] = "issueDate",
    [NEXT_UPDATE] = "nextUpdate",
    [EVALUATION_NUMBER] = "tcbEvaluationDataNumber",
    [MISCSELECT] = "miscselect",
    [MISCSELECT_MASK] = "miscselectMask",
    [ATTRIBUTES] = "attributes",
    [ATTRIBUTES_MASK] = "attributesMask",
    [MRSIGNER] = "mrsigner",
    [ISVPRODID] = "isvprodid",
    [TCB_LEVELS] = "tcbLevels",
};

static void take_member(atls_json_pull *pull, atls_tcb_block *block, int member,
                        atls_qe_identity *identity)
{
    switch (member) {
    case ID:
        identity->id = take_id(pull);
        break;
    case VERSION:
        take_version(pull);
        break;
    case ISSUE_DATE:
        identity->issue_date_s = atls_json_pull_time(pull);
        break;
    case NEXT_UPDATE:
        identity->next_update_s = atls_json_pull_time(pull);
        break;
    case EVALUATION_NUMBER:
        identity->evaluation_number = (uint32_t)atls_json_pull_uint(pull, UINT32_MAX);
        break;
    case MISCSELECT:
        identity->miscselect = take_u32le(pull);
        break;
    case MISCSELECT_MASK:
        identity->miscselect_mask = take_u32le(pull);
        break;
    case ATTRIBUTES:
        atls_json_pull_hex(pull, identity->attributes, sizeof identity->attributes);
        break;
    case ATTRIBUTES_MASK:
        atls_json_pull_hex(pull, identity->attributes_mask, sizeof identity->attributes_mask);
        break;
    case MRSIGNER:
        atls_json_pull_hex(pull, identity->mrsigner, sizeof identity->mrsigner);
        break;
    case ISVPRODID:
        identity->isvprodid = (uint16_t)atls_json_pull_uint(pull, UINT16_MAX);
        break;
    default:
        identity->levels = atls_tcb_pull_isv_levels(pull, block, take_status, &identity->levels_n);
        break;
    }
}

atls_code atls_qe_identity_parse(atls_buf text, atls_qe_identity **out, atls_err *err)
{
    atls_json_pull pull;
    atls_json_pull_init(&pull, text, ATLS_TCB_TEXT_MAX, FORMAT, err);
    ATLS_TRY(pull.rc);
    atls_tcb_block block;
    atls_qe_identity *identity = atls_tcb_block_new(&block, sizeof *identity, text.len);
    if (identity == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_json_members members;
    atls_json_pull_object(&pull, &members, names, MEMBERS_N, ((uint32_t)1 << MEMBERS_N) - 1);
    int member;
    while ((member = atls_json_pull_member(&pull, &members)) >= 0) {
        take_member(&pull, &block, member, identity);
    }
    atls_code rc = atls_json_pull_finish(&pull);
    if (rc != ATLS_OK) {
        free(identity);
        return rc;
    }
    *out = identity;
    return ATLS_OK;
}

void atls_qe_identity_free(atls_qe_identity *identity)
{
    free(identity);
}
