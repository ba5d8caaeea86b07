#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

atls_text atls_text_of(size_t max)
{
    return (atls_text){.max = max};
}

static bool reserve(atls_text *t, size_t more)
{
    if (t->failed || more > t->max - t->len) {
        t->failed = true;
        return false;
    }
    size_t need = t->len + more + 1;
    if (need > t->cap) {
        size_t cap = need < 128 ? 256 : 2 * need;
        char *ptr = realloc(t->ptr, cap);
        if (ptr == NULL) {
            t->failed = true;
            return false;
        }
        t->ptr = ptr;
        t->cap = cap;
    }
    return true;
}

void atls_text_add(atls_text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len < 0 || !reserve(t, (size_t)len)) {
        t->failed = true;
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(t->ptr + t->len, (size_t)len + 1, fmt, ap);
    va_end(ap);
    t->len += (size_t)len;
}

void atls_text_add_escaped(atls_text *t, const char *s)
{
    for (const char *p = s; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x20 && c < 0x7f) {
            atls_text_add(t, "%c", *p);
        } else {
            atls_text_add(t, "\\x%02x", c);
        }
    }
}

char *atls_text_take(atls_text *t)
{
    if (t->failed) {
        free(t->ptr);
        t->ptr = NULL;
    } else if (t->ptr == NULL) {
        t->ptr = calloc(1, 1);
    }
    char *text = t->ptr;
    *t = (atls_text){.max = t->max};
    return text;
}
