/* torture.h: one job, done again and again, each time with another allocation failing. */
#ifndef ATLS_TESTS_TORTURE_H
#define ATLS_TESTS_TORTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <atls/types.h>

typedef struct torture {
    const char *name;
    void *self;
    void (*before)(void *self); /* with plenty of memory, before each run; may be NULL */
    atls_code (*run)(void *self, atls_err *err);
    /* What a run that ended well has made, as text, which the driver frees. Called with plenty of memory. */
    char *(*made)(void *self);
    void (*after)(
        void *self); /* with plenty of memory, after each run, however it ended; may be NULL */
} torture;

/* Every allocation of ours and jansson's fails, first alone and then with all later ones: a run ends with what the
 * good run made, or ATLS_E_SYSTEM, and nothing is left behind. OpenSSL's fail too, as many of them as fit into the
 * time: a run ends with what the good run made, or with some failure. Then the good run must still be good. */
void torture_all(const torture *t);

#endif
