/* verdict_text.h: the rows of a verdict for people that differ from family to family. */
#ifndef ATLS_VERIFY_VERDICT_TEXT_H
#define ATLS_VERIFY_VERDICT_TEXT_H

#include "base/text.h"
#include "claims/claims.h"

/* The first eight bytes: enough to recognise a value; the whole is in the JSON and in failed checks. */
void verdict_text_short(atls_text *row, const char *name, const uint8_t *bytes, size_t len);
/* What runs there, in claims that verified. */
void verdict_text_runs(atls_text *row, const atls_claims *c);
/* On which hardware. */
void verdict_text_on(atls_text *row, const atls_claims *c);

#endif
