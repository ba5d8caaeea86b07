/* index_entry.h: what the directory says of an item: which object has its bytes, and how they came. A small text:
 *
 *   atls-item 1
 *   key intel/pckcrl/platform
 *   object 64 hex digits: the SHA-256 of the object's bytes, and its name
 *   source fetched | stapled | imported | shared
 *   taken seconds since 1970
 *   unreachable seconds since 1970, or 0
 *   from text for people, perhaps none
 *   sha256 64 hex digits: of all lines above
 *
 * One spelling only: what is read is written again as the same bytes. */
#ifndef ATLS_STORE_INDEX_ENTRY_H
#define ATLS_STORE_INDEX_ENTRY_H

#include "base/reader.h"
#include "base/writer.h"
#include <atls/store.h>

#define ATLS_INDEX_ENTRY_MAX 1024                  /* bytes of the text */
#define ATLS_INDEX_FROM_LEN  200                   /* with NUL */
#define ATLS_INDEX_TIME_MAX  INT64_C(253402300799) /* the end of 9999 */

typedef struct atls_index_entry {
    char key[ATLS_ITEM_KEY_LEN]; /* 1 to 319 printable characters without a space */
    uint8_t sha256[32];
    atls_item_source source;
    int64_t taken_s, unreachable_since_s; /* 0 to ATLS_INDEX_TIME_MAX */
    char from[ATLS_INDEX_FROM_LEN];       /* printable ASCII */
} atls_index_entry;

/* The lines but the last. ATLS_E_INVALID "store.index". */
/*@ requires valid_buf(text) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_index_lines_read(atls_buf text, atls_index_entry *out, atls_err *err);
void atls_index_lines_write(const atls_index_entry *entry, atls_writer *w);

/* The whole text. *out is set whole, and on success only. ATLS_E_INVALID "store.index"; ATLS_E_SYSTEM. */
ATLS_MUST_USE atls_code atls_index_entry_read(atls_buf text, atls_index_entry *out, atls_err *err);
/* Times outside their range are written as 0. */
ATLS_MUST_USE atls_code atls_index_entry_write(const atls_index_entry *entry, atls_writer *w,
                                               atls_err *err);

/* The name of the file for that key: the key with '+' for each '/'; of a long one '+' and its SHA-256. */
#define ATLS_INDEX_NAME_LEN 256 /* with NUL */
ATLS_MUST_USE atls_code atls_index_name(const char *key, char out[ATLS_INDEX_NAME_LEN],
                                        atls_err *err);

#endif
