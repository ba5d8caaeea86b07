/* atls.h: attested TLS. Everything public, in the order in which a program meets it. */
#ifndef ATLS_ATLS_H
#define ATLS_ATLS_H

#include <atls/types.h>
#include <atls/policy.h>
#include <atls/verifier.h>
#include <atls/bundle.h>
#include <atls/attester.h>
#include <atls/session.h>
#include <atls/inspect.h>

/* "0.1.0": of the library in use, not of this header. */
ATLS_API const char *atls_version(void);

#endif
