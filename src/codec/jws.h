/* jws.h: the compact form of a JSON Web Signature (RFC 7515, 3.1): three segments, and what its header asks for.
 * Nothing here verifies: the header is the sender's word. */
#ifndef ATLS_CODEC_JWS_H
#define ATLS_CODEC_JWS_H

#include "crypto/public_key.h"
#include <atls/types.h>

#define ATLS_JWS_MAX_LEN ((size_t)64 << 10) /* bytes of the whole text */
#define ATLS_JWS_KID_MAX 256                /* with NUL */

/* One of the algorithms that are taken (RFC 7518, 3.1). Never none, never a MAC. */
typedef struct atls_jws_alg {
    const char *name; /* "ES256" */
    atls_scheme scheme;
    atls_hash hash;
    atls_key_kind key;
} atls_jws_alg;
/* NULL: not one of RS256 RS384 PS256 PS384 ES256 ES384. */
const atls_jws_alg *atls_jws_alg_find(const char *name);

typedef struct atls_jws {
    uint8_t *space;       /* owned: the decoded segments */
    atls_buf signed_text; /* header.payload, as it stands in the text that was parsed */
    atls_buf header, payload, signature;
    const atls_jws_alg *alg;
    char kid[ATLS_JWS_KID_MAX]; /* "": none */
} atls_jws;

/* Splits and decodes text, which has to outlive *out, and reads nothing of it. ATLS_E_INVALID "token.size" / ".format". The
 * caller clears *out. */
ATLS_MUST_USE atls_code atls_jws_decode(atls_buf text, atls_jws *out, atls_err *err);
/* The same, and reads the header: its names unique, `alg` one of the above, no
 * `crit`; `jwk`, `jku`, `x5u` and `x5c` are passed over. ATLS_E_INVALID as above, "token.header" / ".alg" /
 * ".crit" / ".kid". */
ATLS_MUST_USE atls_code atls_jws_parse(atls_buf text, atls_jws *out, atls_err *err);
void atls_jws_clear(atls_jws *jws);

/* Is sig one of key's over the signed text? ECDSA: r and s of the curve's size, one behind the other, never DER. */
bool atls_jws_signed_by(const atls_jws *jws, atls_public_key *key);

#endif
