/* failing_alloc.h: memory that runs out on demand. Link with the --wrap arguments of meson.build. */
#ifndef ATLS_TESTS_FAILING_ALLOC_H
#define ATLS_TESTS_FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

typedef enum alloc_kind {
    ALLOC_OURS,    /* malloc and its siblings, called in our own objects */
    ALLOC_JSON,    /* jansson's */
    ALLOC_OPENSSL, /* OpenSSL's */
    ALLOC_KINDS
} alloc_kind;

/* First thing in main: takes over the allocators of jansson and OpenSSL. False: too late. */
bool alloc_take_over(void);

/* From here on allocations are counted, and the nth (from 1) of that kind fails; with and_on each later one of
 * the kind fails as well. n is 0: none fails. One thread only. */
void alloc_fail(alloc_kind kind, size_t n, bool and_on);
/* Memory is plentiful again. True: one did fail. */
bool alloc_calm(void);
size_t alloc_count(alloc_kind kind); /* allocations between the last alloc_fail and alloc_calm */

/* Blocks of ours and jansson's that nobody has freed yet. */
long alloc_living(void);

#endif
