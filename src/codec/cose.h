/* cose.h: COSE_Sign1 (RFC 9052, 4.2) with ECDSA (RFC 9053, 2.1), as evidence is signed with it. The signed bytes stay
 * where they are: what is verified is what was received. */
#ifndef ATLS_CODEC_COSE_H
#define ATLS_CODEC_COSE_H

#include "codec/cbor_document.h"
#include "crypto/public_key.h"

typedef enum atls_cose_alg {                      /* on one curve each, as evidence uses them */
                             ATLS_COSE_ES256 = 0, /* -7: P-256 */
                             ATLS_COSE_ES384,     /* -35: P-384 */
                             ATLS_COSE_ES512      /* -36: P-521 */
} atls_cose_alg;
#define ATLS_COSE_ALLOW(alg) (1u << (alg))

/* Views into the bytes that were parsed. */
typedef struct atls_cose_sign1 {
    bool tagged;               /* tag 18 stands in front */
    atls_buf protected_header; /* the encoded map, as it was signed */
    atls_cose_alg alg;         /* out of the protected header, and nowhere else */
    atls_buf payload;
    atls_buf signature; /* of any length */
} atls_cose_sign1;

/* Takes all of bytes apart: array of 4, with or without tag 18. allowed: a sum of ATLS_COSE_ALLOW. ATLS_E_INVALID:
 * "cose.cbor" (cbor_document.h; of the protected header, too), "cose.structure", "cose.payload" (nil: detached),
 * "cose.unprotected_alg", "cose.crit" (an extension that must be understood, and is not), "cose.alg". */
ATLS_MUST_USE atls_code atls_cose_sign1_parse(atls_buf bytes, unsigned allowed,
                                              atls_cose_sign1 *out, atls_err *err);

/* "ES256", ... */
const char *atls_cose_alg_name(atls_cose_alg alg);
atls_key_kind atls_cose_alg_curve(atls_cose_alg alg);

/* Did key sign it? r||s of exactly the curve's size (a DER signature is none); external_aad is empty. A key of another
 * curve than alg's: false. */
bool atls_cose_sign1_verify(const atls_cose_sign1 *cose, atls_public_key *key);

/* The COSE_Key (RFC 9053, 7.1) of an EC key as the bytes of a map: kty 2, crv, x, y as byte strings, nothing else.
 * ATLS_E_INVALID with check, or "key.point". The caller frees *out. */
ATLS_MUST_USE atls_code atls_cose_key_parse(atls_buf bytes, const char *check,
                                            atls_public_key **out, atls_err *err);

#endif
