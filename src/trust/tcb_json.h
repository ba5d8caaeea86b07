/* tcb_json.h: what TCB info and enclave identity have in common as JSON (specs 7): advisories, statuses,
 * levels by ISVSVN; and the one block of memory that all parts of such an object live in. */
#ifndef ATLS_TRUST_TCB_JSON_H
#define ATLS_TRUST_TCB_JSON_H

#include <atls/types.h>

#include "codec/json_pull.h"
#include "trust/tcb_info.h"

/* specs 24 */
#define ATLS_TCB_TEXT_MAX     (1024 * 1024)
#define ATLS_TCB_LEVELS_MAX   256
#define ATLS_ADVISORIES_MAX   64
#define ATLS_ADVISORY_LEN_MAX 32
#define ATLS_TCB_STATUS_MAX   64
#define ATLS_MODULES_MAX      64

/* Memory handed out front to back. The whole object is one malloc, so one free. */
typedef struct atls_tcb_block {
    uint8_t *start;
    size_t size, used;
} atls_tcb_block;

/* A block with room for anything that text_len bytes of JSON can say, and object_len bytes at its start
 * (zeroed: returned). NULL: no memory. */
void *atls_tcb_block_new(atls_tcb_block *block, size_t object_len, size_t text_len);
/* A copy of bytes in the block, aligned for any type or (text) for none; fails the pull when there is no
 * room. */
void *atls_tcb_block_copy(atls_tcb_block *block, atls_json_pull *pull, const void *bytes,
                          size_t len);
char *atls_tcb_block_copy_text(atls_tcb_block *block, atls_json_pull *pull, atls_buf text);

/* The values of "advisoryIDs" and "tcbStatus". */
atls_advisories atls_tcb_pull_advisories(atls_json_pull *pull, atls_tcb_block *block);
/* One of Intel's seven; NONE and *known false for another string. */
atls_tcb_status atls_tcb_pull_status(atls_json_pull *pull, bool *known);

/* The value of "tcbLevels" where the key is one ISVSVN, in file order. take_status reads "tcbStatus". */
atls_isv_level *atls_tcb_pull_isv_levels(atls_json_pull *pull, atls_tcb_block *block,
                                         atls_tcb_status (*take_status)(atls_json_pull *pull),
                                         size_t *levels_n);

#endif
