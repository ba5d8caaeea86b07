/* text.h: a growing text with an upper limit, for what people read. Failure sticks, as in atls_writer. */
#ifndef ATLS_BASE_TEXT_H
#define ATLS_BASE_TEXT_H

#include <atls/types.h>

typedef struct atls_text {
    char *ptr; /* malloc'ed, NUL-terminated; NULL while empty */
    size_t len, cap;
    size_t max;  /* len never exceeds it */
    bool failed; /* no memory, or past max */
} atls_text;

atls_text atls_text_of(size_t max);
void atls_text_add(atls_text *t, const char *fmt, ...) ATLS_PRINTF(2, 3);
/* Foreign text: what is not printable ASCII is written as \xNN. */
void atls_text_add_escaped(atls_text *t, const char *s);
/* The text, which the caller frees; NULL after a failure. t is empty afterwards. */
char *atls_text_take(atls_text *t);

#endif
