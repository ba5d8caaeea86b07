/* err.h: filling an atls_err, and handing it up. */
#ifndef ATLS_BASE_ERR_H
#define ATLS_BASE_ERR_H

#include <atls/types.h>

/* Fills err (when not NULL) and returns code. check must have static storage. Text that came from a
 * peer must have been escaped by the caller: control characters are replaced by '?' all the same. */
/*@ requires err == \null || \valid(err);
    assigns *err;
    ensures \result == code; */
atls_code atls_err_set(atls_err *err, atls_code code, const char *check, const char *file, int line,
                       const char *fmt, ...) ATLS_PRINTF(6, 7);

#define ATLS_ERR(err, code, check, ...)                                                            \
    atls_err_set((err), (code), (check), __FILE__, __LINE__, __VA_ARGS__)

/* Hands a failure up. For functions that own nothing yet. */
#define ATLS_TRY(call)                                                                             \
    do {                                                                                           \
        atls_code atls_try_rc_ = (call);                                                           \
        if (atls_try_rc_ != ATLS_OK) {                                                             \
            return atls_try_rc_;                                                                   \
        }                                                                                          \
    } while (0)

#define ATLS_ERR_NOMEM(err) ATLS_ERR((err), ATLS_E_SYSTEM, "system.memory", "out of memory")

#endif
