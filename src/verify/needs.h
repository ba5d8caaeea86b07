/* needs.h: what a verification rests on, told by evidence and by a certificate that it only names. */
#ifndef ATLS_VERIFY_NEEDS_H
#define ATLS_VERIFY_NEEDS_H

#include <atls/store.h>

/* As atls_evidence_needs; pck (PEM or DER, {NULL, 0}: none) is the certificate that a quote without one names. */
void atls_evidence_needs_with(const atls_evidence *evidence, atls_buf pck, atls_needs *out);

#endif
