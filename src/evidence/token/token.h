/* token.h: attestation results in JWTs (the passport model): what another verifier says about the peer. */
#ifndef ATLS_EVIDENCE_TOKEN_TOKEN_H
#define ATLS_EVIDENCE_TOKEN_TOKEN_H

#include <jansson.h>

#include "claims/claims.h"
#include "codec/jws.h"
#include "trust/endorsements.h"

#define ATLS_TOKEN_AUDIENCES_MAX    32
#define ATLS_TOKEN_NONCES_MAX       16
#define ATLS_TOKEN_MEASUREMENTS_MAX 24
/* Whose tokens are a simulator's. */
#define ATLS_TOKEN_SIMULATOR "https://simulator.atls.invalid"

/* What the claims of one token point to; the verdict's anchor. Zeroed but for all. */
typedef struct atls_token_facts {
    json_t *all; /* owned */
    const char *audiences[ATLS_TOKEN_AUDIENCES_MAX];
    const char *nonces[ATLS_TOKEN_NONCES_MAX];
    atls_token_measurement measurements[ATLS_TOKEN_MEASUREMENTS_MAX];
    uint8_t bytes[ATLS_TOKEN_MEASUREMENTS_MAX][64];
} atls_token_facts;

/* Of the keys vouched for tokens the one that the header means: of its kid if it has one, of the algorithm's kind, and
 * the only such. Lent. ATLS_E_COLLATERAL "token.key.missing"; ATLS_E_INVALID "token.key.kid" / ".key.alg" /
 * ".key.ambiguous". */
ATLS_MUST_USE atls_code atls_token_key(const atls_endorsements *e, const atls_jws *jws,
                                       atls_public_key **out, atls_err *err);

/* Who an unverified payload says has made the token; "": it does not say, or not in so few characters. Good for choosing a
 * key set that is that issuer's and no other's, and for nothing else. ATLS_E_SYSTEM only. */
#define ATLS_TOKEN_ISSUER_LEN 256 /* with NUL */
ATLS_MUST_USE atls_code atls_token_issuer(atls_buf payload, char out[ATLS_TOKEN_ISSUER_LEN],
                                          atls_err *err);

/* The claims out of facts->all: what every JWT may have (RFC 7519), then what its profile says. Times are read, and judged
 * elsewhere; nbf_s is INT64_MIN where there is none. ATLS_E_INVALID "token.claims" / ".profile" / ".ear.submods" /
 * ".ear.vector". */
ATLS_MUST_USE atls_code atls_token_read(atls_token_facts *facts, atls_token_claims *out,
                                        int64_t *nbf_s, atls_err *err);

/* Is it an EAR (draft-ietf-rats-ear)? Then its status, the worst that is said of any submodule, in out->status. */
ATLS_MUST_USE atls_code atls_token_read_ear(json_t *all, atls_token_claims *out, atls_err *err);

/* The profiles of Microsoft, Intel and Google. */
ATLS_MUST_USE atls_code atls_token_read_profile(atls_token_facts *facts, atls_token_claims *out,
                                                atls_err *err);

/* Adds text as one more nonce; NULL is passed over. False: no room. */
bool atls_token_add_nonce(atls_token_facts *facts, atls_token_claims *out, const char *text);

#endif
