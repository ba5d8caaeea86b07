/* leaf.h: the end-entity certificate of a peer whose key signs for a connection: its SubjectPublicKeyInfo
 * as it stands there, and its key. No chain, no name, no date: those are judged elsewhere. */
#ifndef ATLS_CRYPTO_LEAF_H
#define ATLS_CRYPTO_LEAF_H

#include <openssl/evp.h>

#include <atls/types.h>

#define ATLS_LEAF_MAX      8192 /* bytes of DER */
#define ATLS_LEAF_SPKI_MAX 600  /* bytes: an RSA key of 4096 bits takes 550 */

/* Finds the key of one DER certificate, all of its bytes. Before OpenSSL decodes anything: the size
 * (ATLS_E_INVALID "leaf.size"), and the kind of the key: P-256 or P-384 by name, Ed25519, or RSA
 * of 2048 to 4096 bits ("leaf.key"). The whole must decode, and its key encode to the bytes that stand
 * there ("leaf.malformed"). *spki is a view into der; the caller frees *key. */
ATLS_MUST_USE atls_code atls_leaf_decode(atls_buf der, atls_buf *spki, EVP_PKEY **key,
                                         atls_err *err);

/* The same for bytes that OpenSSL has decoded before (the peer's TLS leaf, byte for byte): finds the key again
 * without decoding the rest, which costs far more than all else here. */
ATLS_MUST_USE atls_code atls_leaf_known(atls_buf der, atls_buf *spki, EVP_PKEY **key,
                                        atls_err *err);

/* The key of a SubjectPublicKeyInfo, of the same kinds: "leaf.key". The caller frees it. */
ATLS_MUST_USE atls_code atls_leaf_key(atls_buf spki, EVP_PKEY **key, atls_err *err);

#endif
