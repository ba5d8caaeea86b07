#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void atls_free(void *p)
{
    free(p);
}

atls_code atls_err_set(atls_err *err, atls_code code, const char *check, const char *file, int line,
                       const char *fmt, ...)
{
    if (err == NULL) {
        return code;
    }
    err->code = code;
    err->check = check;
    err->file = file;
    err->line = line;
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(err->msg, sizeof err->msg, fmt, ap) < 0) {
        err->msg[0] = '\0';
    }
    va_end(ap);
    for (char *p = err->msg; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
    return code;
}
