/* keeper_double.h: a made-up store and made-up origins' answers, so that a keeper's rules can be looked at alone.
 *
 * The linker hands the keeper's calls of atls_store_..., atls_origin_... and atls_response_read to these. An item's body is
 * "ISSUED NEXT NUMBER", or a word that a real store would refuse it with; an answer's headers are "Retry-After" in seconds. */
#ifndef ATLS_TESTS_KEEPER_DOUBLE_H
#define ATLS_TESTS_KEEPER_DOUBLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/keeper.h"

#define DOUBLE_ITEMS 4096

/* All that the double knows; cleared by double_clear. */
typedef struct double_state {
    atls_item_status items[DOUBLE_ITEMS];
    size_t n;
    char body[DOUBLE_ITEMS][64];
    size_t taken; /* calls of take that changed something */
    char unreachable[64][ATLS_ITEM_KEY_LEN];
    size_t unreachable_n;
    char *log;
    size_t log_len;
    uint32_t chance; /* what random gives, at most below - 1 */
} double_state;
extern double_state the_double;

void double_clear(void);
void double_put(const char *key, int64_t issued_s, int64_t next_s);
void double_log(void *arg, const char *line);
uint32_t double_random(void *arg, uint32_t below);
/* How often the log has this text. */
size_t logged(const char *text);
atls_origin double_origin(const char *name, atls_origin_kind kind, uint32_t gap_ms);

#endif
