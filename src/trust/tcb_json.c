#include "trust/tcb_json.h"

#include <stdlib.h>
#include <string.h>

void *atls_tcb_block_new(atls_tcb_block *block, size_t object_len, size_t text_len)
{
    /* The dearest thing that JSON can say is an advisory of one letter: 4 bytes of text ("a",) become a
     * pointer and 2 bytes. A level has more text than its struct and its padding have bytes. */
    size_t size = object_len + 4 * text_len + 64;
    block->start = calloc(1, size);
    block->size = size;
    block->used = object_len;
    return block->start;
}

static uint8_t *room(atls_tcb_block *block, atls_json_pull *pull, size_t len, size_t align)
{
    size_t at = (block->used + align - 1) / align * align;
    if (at > block->size || len > block->size - at) {
        atls_json_pull_fail(pull, "more than its text has room for");
        return NULL;
    }
    block->used = at + len;
    return block->start + at;
}

void *atls_tcb_block_copy(atls_tcb_block *block, atls_json_pull *pull, const void *bytes,
                          size_t len)
{
    uint8_t *copy = room(block, pull, len, _Alignof(max_align_t));
    if (copy != NULL) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

char *atls_tcb_block_copy_text(atls_tcb_block *block, atls_json_pull *pull, atls_buf text)
{
    char *copy = (char *)room(block, pull, text.len + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

static const char *pull_advisory(atls_json_pull *pull, atls_tcb_block *block)
{
    atls_buf id = atls_json_pull_string(pull, ATLS_ADVISORY_LEN_MAX);
    for (size_t i = 0; i < id.len; i++) { /* they go to logs and terminals */
        if (id.ptr[i] <= 0x20 || id.ptr[i] >= 0x7f) {
            atls_json_pull_fail(pull, "printable ASCII wanted");
        }
    }
    return atls_json_pull_ok(pull) ? atls_tcb_block_copy_text(block, pull, id) : NULL;
}

atls_advisories atls_tcb_pull_advisories(atls_json_pull *pull, atls_tcb_block *block)
{
    const char *ids[ATLS_ADVISORIES_MAX];
    size_t n = 0;
    atls_json_pull_array(pull);
    while (atls_json_pull_element(pull)) {
        if (n == ATLS_ADVISORIES_MAX) {
            atls_json_pull_fail(pull, "more than %d", ATLS_ADVISORIES_MAX);
            break;
        }
        ids[n++] = pull_advisory(pull, block);
    }
    if (!atls_json_pull_ok(pull) || n == 0) {
        return (atls_advisories){NULL, 0};
    }
    return (atls_advisories){atls_tcb_block_copy(block, pull, ids, n * sizeof ids[0]), n};
}

atls_tcb_status atls_tcb_pull_status(atls_json_pull *pull, bool *known)
{
    atls_tcb_status status = ATLS_TCB_NONE;
    atls_buf name = atls_json_pull_string(pull, ATLS_TCB_STATUS_MAX);
    /* The relaunch statuses are conclusions: no table of Intel's holds them. */
    *known = atls_json_pull_ok(pull) &&
             atls_tcb_status_by_name((const char *)name.ptr, name.len, &status) &&
             status != ATLS_TCB_TD_RELAUNCH_ADVISED &&
             status != ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
    return *known ? status : ATLS_TCB_NONE;
}

static uint32_t pull_isvsvn(atls_json_pull *pull)
{
    static const char *const names[] = {"isvsvn"};
    atls_json_members tcb;
    uint32_t isvsvn = 0;
    atls_json_pull_object(pull, &tcb, names, 1, 1);
    while (atls_json_pull_member(pull, &tcb) == 0) {
        isvsvn = (uint32_t)atls_json_pull_uint(pull, UINT32_MAX);
    }
    return isvsvn;
}

static atls_isv_level pull_isv_level(atls_json_pull *pull, atls_tcb_block *block,
                                     atls_tcb_status (*take_status)(atls_json_pull *pull))
{
    enum { TCB, TCB_DATE, TCB_STATUS, ADVISORY_IDS };
    static const char *const names[] = {"tcb", "tcbDate", "tcbStatus", "advisoryIDs"};
    const uint32_t required = 1u << TCB | 1u << TCB_DATE | 1u << TCB_STATUS;
    atls_json_members members;
    atls_isv_level level = {0};
    atls_json_pull_object(pull, &members, names, 4, required);
    int member;
    while ((member = atls_json_pull_member(pull, &members)) >= 0) {
        switch (member) {
        case TCB:
            level.isvsvn = pull_isvsvn(pull);
            break;
        case TCB_DATE:
            level.date_s = atls_json_pull_time(pull);
            break;
        case TCB_STATUS:
            level.status = take_status(pull);
            break;
        default:
            level.advisories = atls_tcb_pull_advisories(pull, block);
            break;
        }
    }
    return level;
}

atls_isv_level *atls_tcb_pull_isv_levels(atls_json_pull *pull, atls_tcb_block *block,
                                         atls_tcb_status (*take_status)(atls_json_pull *pull),
                                         size_t *levels_n)
{
    atls_isv_level levels[ATLS_TCB_LEVELS_MAX];
    size_t n = 0;
    atls_json_pull_array(pull);
    while (atls_json_pull_element(pull)) {
        if (n == ATLS_TCB_LEVELS_MAX) {
            atls_json_pull_fail(pull, "more than %d levels", ATLS_TCB_LEVELS_MAX);
            break;
        }
        levels[n++] = pull_isv_level(pull, block, take_status);
    }
    if (n == 0) {
        atls_json_pull_fail(pull, "no level in \"tcbLevels\"");
    }
    if (!atls_json_pull_ok(pull)) {
        return NULL;
    }
    *levels_n = n;
    return atls_tcb_block_copy(block, pull, levels, n * sizeof levels[0]);
}
