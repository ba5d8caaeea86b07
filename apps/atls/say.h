/* say.h: what the program tells a person on stderr: one sentence, and the check id that a script can look for. */
#ifndef ATLS_APPS_SAY_H
#define ATLS_APPS_SAY_H

#include <atls/types.h>

/* "atls: sentence [check.id]" on stderr; control characters are printed as '?'. Returns code. */
int say_refusal(atls_code code, const char *check, const char *fmt, ...) ATLS_PRINTF(3, 4);

/* The same for an error of the library. what: the file or peer it is about; NULL: none. */
int say_err(const atls_err *err, const char *what);

/* Fills err like the library does; for functions of the program that hand their failure up. */
atls_code fill_err(atls_err *err, atls_code code, const char *check, const char *fmt, ...)
    ATLS_PRINTF(4, 5);

#endif
