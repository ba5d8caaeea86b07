#include "say.h"

#include <stdarg.h>
#include <stdio.h>

static void make_printable(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
}

int say_refusal(atls_code code, const char *check, const char *fmt, ...)
{
    char text[2 * ATLS_ERR_MSG_LEN];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    make_printable(text);
    fprintf(stderr, "atls: %s [%s]\n", text, check);
    return (int)code;
}

int say_err(const atls_err *err, const char *what)
{
    if (what != NULL) {
        return say_refusal(err->code, err->check, "%s: %s", what, err->msg);
    }
    return say_refusal(err->code, err->check, "%s", err->msg);
}

atls_code fill_err(atls_err *err, atls_code code, const char *check, const char *fmt, ...)
{
    if (err == NULL) {
        return code;
    }
    *err = (atls_err){.code = code, .check = check};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    make_printable(err->msg);
    return code;
}
