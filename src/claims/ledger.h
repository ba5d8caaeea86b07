/* ledger.h: the record of every check of one verification, in the order made.
 *
 * Entries hold static strings, numbers and short bytes; sentences are made only when printed, so that
 * a verification pays for none of them. Nothing here allocates. The ledger starts out refusing: a
 * verdict is accepted only if there is an entry, and every entry is ok (see atls_ledger_code). */
#ifndef ATLS_CLAIMS_LEDGER_H
#define ATLS_CLAIMS_LEDGER_H

#include <atls/types.h>

typedef enum atls_result {
    ATLS_CHECK_OK = 0,
    ATLS_CHECK_FAIL = 1,
    ATLS_CHECK_SKIPPED = 2
} atls_result;

typedef enum atls_value_kind {
    ATLS_VALUE_NONE = 0,
    ATLS_VALUE_TEXT, /* static string, or one that lives as long as the verdict */
    ATLS_VALUE_HEX,  /* up to 64 bytes, copied */
    ATLS_VALUE_UINT, /* printed in decimal */
    ATLS_VALUE_TIME, /* seconds since 1970, printed as RFC 3339 */
    ATLS_VALUE_NOTE  /* text copied into the ledger's arena: offset there */
} atls_value_kind;

typedef struct atls_value {
    atls_value_kind kind;
    uint8_t hex_len;
    union {
        const char *text;
        uint8_t hex[64];
        uint64_t uint;
        int64_t time_s;
        size_t note; /* offset into atls_ledger.notes */
    } as;
} atls_value;

typedef struct atls_entry {
    const char *id; /* static: "tcb.status" */
    atls_result result;
    atls_code code;      /* of a fail: ATLS_E_COLLATERAL, _INVALID, _POLICY or _BINDING */
    const char *because; /* of a skipped: the reason; lives as long as the verdict */
    atls_value found;    /* may be NONE */
    atls_value wanted;   /* may be NONE */
} atls_entry;

#define ATLS_LEDGER_MAX   400 /* entries; one more is counted as a failure, never dropped silently */
#define ATLS_LEDGER_NOTES 8192 /* bytes of copied text */

typedef struct atls_ledger {
    size_t count;
    size_t notes_len;
    bool overflow;  /* an entry did not fit: the verdict is then refused with ATLS_E_SYSTEM */
    bool no_memory; /* what is written here is no ground for a verdict */
    bool
        copies; /* texts are copied into notes: what they point to may be gone when they are printed */
    atls_entry entries[ATLS_LEDGER_MAX];
    char notes[ATLS_LEDGER_NOTES];
} atls_ledger;

/* Empties it, without touching the entries' bytes (it is large). */
void atls_ledger_init(atls_ledger *l);

void atls_ledger_ok(atls_ledger *l, const char *id);
/* Ok, with what was found (kept for the reader of the verdict). */
void atls_ledger_ok_found(atls_ledger *l, const char *id, atls_value found);
void atls_ledger_fail(atls_ledger *l, const char *id, atls_code code, atls_value found,
                      atls_value wanted);
/* Takes id, code and sentence out of err (err->check, err->code, err->msg as found). */
void atls_ledger_fail_err(atls_ledger *l, const atls_err *err);
void atls_ledger_skip(atls_ledger *l, const char *id, const char *because);
/* ok when cond, otherwise fail; returns cond. */
bool atls_ledger_check(atls_ledger *l, const char *id, bool cond, atls_code code, atls_value found,
                       atls_value wanted);

/* Something could not be looked at for lack of memory: entries may be wrong, and there is no verdict. */
void atls_ledger_no_memory(atls_ledger *l);

/* Has any entry failed (or skipped) since entry number from? */
bool atls_ledger_all_ok(const atls_ledger *l, size_t from);
/* The first failed entry whose code decides the verdict (order 4, 6, 5, 3); NULL if none failed. */
const atls_entry *atls_ledger_deciding(const atls_ledger *l);
/* ATLS_OK only if there is an entry, none failed, none was skipped and none is missing (overflow).
 * Otherwise the first code present in the order 4, 6, 5, 3; only skipped ones: ATLS_E_POLICY. */
atls_code atls_ledger_code(const atls_ledger *l);

atls_value atls_value_none(void);
atls_value atls_value_text(const char *text);
atls_value atls_value_hex(atls_buf bytes); /* the first 64 bytes */
atls_value atls_value_uint(uint64_t v);
atls_value atls_value_time(int64_t time_s);
atls_value atls_value_note(atls_ledger *l,
                           const char *text); /* copied; cut when the arena is full */

/* Prints v (quoted nowhere) into out as text of at most cap - 1 bytes and NUL. */
void atls_value_print(const atls_ledger *l, const atls_value *v, char *out, size_t cap);

#endif
