/* verify.h: one verification in steps, for those that put something in front of it. */
#ifndef ATLS_VERIFY_VERIFY_H
#define ATLS_VERIFY_VERIFY_H

#include "verify/verdict.h"

/* NULL: no memory. */
atls_verdict *atls_verification_begin(const atls_verifier *v, int64_t when_s, atls_err *err);
/* Evidence, binding and policy, into r's ledger. expected may be NULL. */
void atls_verification_judge(const atls_verifier *v, const atls_evidence *evidence,
                             const atls_expected *expected, atls_verdict *r);
/* Concludes r, or frees it: NULL for lack of memory. */
atls_verdict *atls_verification_end(atls_verdict *r, atls_err *err);

#endif
