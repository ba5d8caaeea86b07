/* edited_text.h: a good text with one passage replaced, for tables of "each thing wrong alone". */
#ifndef ATLS_TEST_EDITED_TEXT_H
#define ATLS_TEST_EDITED_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/types.h>

/* A malloc'ed copy of text, exactly as long, with the first `find` replaced. find has to be there. */
static inline atls_buf edited_text(const char *text, const char *find, const char *replacement)
{
    const char *at = strstr(text, find);
    if (at == NULL) {
        fail_msg("not in the text: %s", find);
        abort();
    }
    size_t head = (size_t)(at - text);
    size_t tail = strlen(at + strlen(find));
    size_t len = head + strlen(replacement) + tail;
    char *out = malloc(len > 0 ? len : 1);
    assert_non_null(out);
    memcpy(out, text, head);
    memcpy(out + head, replacement, strlen(replacement));
    memcpy(out + head + strlen(replacement), at + strlen(find), tail);
    return (atls_buf){(uint8_t *)out, len};
}

#endif
