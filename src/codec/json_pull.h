/* json_pull.h: JSON of a fixed schema, value after value straight out of the text: no tree, no allocation.
 * For signed collateral, where a jansson tree costs more than all the rest (some 17 ns a byte). The reader
 * says what it wants next; the first failure sticks, later reads give zeros, and the code is asked once.
 *
 * As strict as json.h: whole text, UTF-8, depth, no NUL, unique names. The names of a table are counted
 * here; members outside the tables are skipped, and then a tree is built too (json.h), to see them unique. */
#ifndef ATLS_CODEC_JSON_PULL_H
#define ATLS_CODEC_JSON_PULL_H

#include <atls/types.h>

#include "codec/json_scan.h"

typedef struct atls_json_pull {
    atls_json_scan scan;
    const char *check; /* of every failure; ATLS_E_INVALID */
    const char *name;  /* member that is being read, for messages */
    size_t at;         /* where the last token began */
    bool has_foreign;  /* something was skipped that no table knows */
    atls_code rc;
    atls_err *err;
} atls_json_pull;

#define ATLS_JSON_MEMBERS_MAX 32
typedef struct atls_json_members {
    const char *const *names; /* the known members; static */
    size_t names_n;           /* at most ATLS_JSON_MEMBERS_MAX */
    uint32_t required;        /* bit i: names[i] has to be there */
    uint32_t seen;
    size_t start;
} atls_json_members;

/* text must outlive the pull; more than max_len bytes are a failure. */
void atls_json_pull_init(atls_json_pull *pull, atls_buf text, size_t max_len, const char *check,
                         atls_err *err);
/* After the value: nothing may follow. The code of the first failure, or ATLS_OK. */
ATLS_MUST_USE atls_code atls_json_pull_finish(atls_json_pull *pull);
bool atls_json_pull_ok(const atls_json_pull *pull);

/* Fails at the last value begun: "line 1, column 7: "tcbDate": " and then the sentence. */
void atls_json_pull_fail(atls_json_pull *pull, const char *fmt, ...) ATLS_PRINTF(2, 3);

/* Enters an object. */
void atls_json_pull_object(atls_json_pull *pull, atls_json_members *members,
                           const char *const *names, size_t names_n, uint32_t required);
/* The next member that the table knows: its index, with its value next to read; -1 at the end of the object
 * (all required ones seen) or on failure. */
int atls_json_pull_member(atls_json_pull *pull, atls_json_members *members);

/* Enters an array; then true while there is one more element to read. */
void atls_json_pull_array(atls_json_pull *pull);
bool atls_json_pull_element(atls_json_pull *pull);

/* An integer of 0 to max, digits only. */
uint64_t atls_json_pull_uint(atls_json_pull *pull, uint64_t max);
/* A string of 1 to max_len bytes, without escapes: a view into the text. */
atls_buf atls_json_pull_string(atls_json_pull *pull, size_t max_len);
/* A string of exactly 2 * len hexadecimal digits. */
void atls_json_pull_hex(atls_json_pull *pull, uint8_t *out, size_t len);
/* A string "YYYY-MM-DDThh:mm:ssZ". */
int64_t atls_json_pull_time(atls_json_pull *pull);
/* Any value: not looked at. */
void atls_json_pull_skip(atls_json_pull *pull);

#endif
