/* types.h: the few types that every room of atls speaks: a view of bytes, a code, an error. */
#ifndef ATLS_TYPES_H
#define ATLS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ATLS_API __attribute__((visibility("default")))
#define ATLS_MUST_USE __attribute__((warn_unused_result))
#define ATLS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ATLS_API
#define ATLS_MUST_USE
#define ATLS_PRINTF(fmt, args)
#endif

/* A borrowed, read-only view: whoever made the bytes frees them. ptr may be NULL when len is 0. */
typedef struct atls_buf {
    const uint8_t *ptr;
    size_t len; /* bytes */
} atls_buf;

/* One number everywhere: return value, exit status, JSON "code", audit record, metric label. */
typedef enum atls_code {
    ATLS_OK = 0,
    ATLS_E_USAGE = 1,      /* the caller or the configuration is wrong */
    ATLS_E_SYSTEM = 2,     /* our side: memory, files, network; or the connection was lost */
    ATLS_E_COLLATERAL = 3, /* collateral missing or out of its time */
    ATLS_E_INVALID = 4,    /* evidence or collateral malformed, wrongly signed, revoked, foreign */
    ATLS_E_POLICY = 5,     /* genuine, and refused by policy */
    ATLS_E_BINDING = 6,    /* genuine, and of another connection, or not fresh */

    /* Not failures: what a session needs before it can go on. Never an exit status. */
    ATLS_WANT_READ = 16,
    ATLS_WANT_WRITE = 17,
    ATLS_WANT_JOB = 18
} atls_code;

#define ATLS_ERR_MSG_LEN 240

/* Where a failing function says why. The caller's, usually on its stack; functions take NULL too. */
typedef struct atls_err {
    atls_code code;
    const char *check;          /* dotted id, "quote.header.version": static, stable */
    char msg[ATLS_ERR_MSG_LEN]; /* one sentence: what was found, what was wanted */
    const char *file;           /* for maintainers */
    int line;
} atls_err;

/* Frees what functions of this library return as malloc'ed text or bytes. NULL is fine. */
ATLS_API void atls_free(void *p);

#endif
