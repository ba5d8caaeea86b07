/* jwks.h: JSON Web Keys (RFC 7517) as endorsements: keys that the caller vouches for, of those who sign tokens. */
#ifndef ATLS_TRUST_JWKS_H
#define ATLS_TRUST_JWKS_H

#include "trust/endorsements.h"

#define ATLS_JWKS_MAX_LEN ((size_t)1 << 20) /* bytes */

/* A JWK, or a set of them. Taken are RSA keys and keys on P-256, P-384 and P-521, as numbers or as the first certificate
 * of x5c (of both: they have to be the same key). Of a set, keys for another use, of another kind or curve are passed
 * over; one that is wrong in itself refuses the whole text, and so does a secret or a private key. ATLS_E_INVALID
 * "jwks....", "key....". */
extern const atls_endorsement_kind atls_endorsement_jwks;

#endif
