/* verify.h: one verification in steps, for those that put something in front of it. */
#ifndef ATLS_VERIFY_VERIFY_H
#define ATLS_VERIFY_VERIFY_H

#include "verify/verdict.h"

/* v sees from now on, beside what it was given itself, what is published in place, which outlives v; live: as in
 * atls_verifier_set0_store. NULL: nothing any more. */
void atls_verifier_set0_shelf_place(atls_verifier *v, const atls_shelf_place *place, bool live);

/* Its format, by its type or by the bytes of its main part (NULL: not known), and the same evidence with type and main part
 * named. It has at least one part. */
const atls_format *atls_evidence_named(const atls_evidence *evidence, atls_evidence *named);

/* Takes the present shelf for the whole verification, and judges the clock. NULL: no memory. */
atls_verdict *atls_verification_begin(const atls_verifier *v, int64_t when_s, atls_err *err);
/* Evidence, binding and policy, into r's ledger. expected may be NULL. */
void atls_verification_judge(const atls_verifier *v, const atls_evidence *evidence,
                             const atls_expected *expected, atls_verdict *r);
/* Concludes r, or frees it: NULL for lack of memory. */
atls_verdict *atls_verification_end(atls_verdict *r, atls_err *err);

#endif
