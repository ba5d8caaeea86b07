/* wanted.h: the options by which verify and policy learn are told of what kind evidence is, and what it must say. */
#ifndef ATLS_APPS_WANTED_H
#define ATLS_APPS_WANTED_H

#include <atls/verifier.h>

#include "flags.h"

typedef struct wanted {
    const char *format; /* "auto" */
    atls_expected expected;
    int64_t at_s;
    bool is_past;    /* at_s was named: it is not the clock's */
    bool is_offline; /* asked for in so many words */
} wanted;

extern const flag wanted_flags[];

/* Format auto, judged now, nothing else. */
wanted wanted_default(void);

/* FLAGS_END when the option was one of wanted_flags and good; FLAGS_WRONG when it was wrong, which has been said;
 * 0 when it is none of them. */
int wanted_take(wanted *w, int id, const char *arg);

#endif
