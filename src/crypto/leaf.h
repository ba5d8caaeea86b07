/* leaf.h: the end-entity certificate of a peer whose key signs for a connection: its SubjectPublicKeyInfo
 * as it stands there, and what that key signs. No chain, no name, no date: those are judged elsewhere. */
#ifndef ATLS_CRYPTO_LEAF_H
#define ATLS_CRYPTO_LEAF_H

#include <atls/types.h>

#define ATLS_LEAF_MAX      8192 /* bytes of DER */
#define ATLS_LEAF_DER_MAX  (1 << 20)
#define ATLS_LEAF_SPKI_MAX 600 /* bytes: an RSA key of 4096 bits takes 550 */

/* Finds the key of one DER certificate, all of its bytes; *spki is a view into der. ATLS_E_INVALID
 * "leaf.size"; "leaf.malformed"; "leaf.key": the key is none of P-256 and P-384 (named curve,
 * uncompressed point), Ed25519, RSA of 2048 to 4096 bits. Whether an EC point lies on its curve is
 * seen in atls_leaf_verify. */
ATLS_MUST_USE atls_code atls_leaf_spki(atls_buf der, atls_buf *spki, atls_err *err);

/* Where the key stands in a certificate of at most ATLS_LEAF_DER_MAX bytes, which has been decoded already: nothing else of
 * it is looked at. False: not there. */
bool atls_leaf_locate_spki(atls_buf der, atls_buf *spki);

/* Is the key one for this SignatureScheme of TLS 1.3 (tls_signature.h)? */
bool atls_leaf_fits(atls_buf spki, uint16_t scheme);
/* Did the key sign message under scheme? */
bool atls_leaf_verify(atls_buf spki, uint16_t scheme, atls_buf message, atls_buf signature);

#endif
