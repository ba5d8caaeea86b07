/* x509_field.h: the fields that certificates and CRLs share, from OpenSSL's types to plain facts. */
#ifndef ATLS_CRYPTO_X509_FIELD_H
#define ATLS_CRYPTO_X509_FIELD_H

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/public_key.h"
#include <atls/types.h>

#define ATLS_SERIAL_MAX 20 /* RFC 5280, 4.1.2.2 */

typedef enum atls_extension {
    ATLS_EXT_OTHER = 0,
    ATLS_EXT_SKI,
    ATLS_EXT_KEY_USAGE,
    ATLS_EXT_BASIC_CONSTRAINTS,
    ATLS_EXT_CRL_NUMBER,
    ATLS_EXT_CRL_DP,
    ATLS_EXT_AKI,
    ATLS_EXT_SGX, /* Intel's 1.2.840.113741.1.13.1 */
    ATLS_EXT_EKU,
    ATLS_EXT_SAN,
    ATLS_EXT_KINDS
} atls_extension;

atls_buf atls_asn1_bytes(const ASN1_STRING *s); /* lent; {NULL, 0} for NULL */

/* Both algorithms the same, and one of: ECDSA, RSASSA-PKCS1-v1_5, RSASSA-PSS (the hash in MGF1 too, salt of its length,
 * trailer 1), each with SHA-256, 384 or 512? */
bool atls_x509_signature_algorithm(const X509_ALGOR *inner, const X509_ALGOR *outer,
                                   atls_scheme *scheme, atls_hash *hash);
/* A bit string of whole bytes? */
bool atls_x509_whole_bytes(const ASN1_BIT_STRING *bits);

/* UTCTime or GeneralizedTime in the form of RFC 5280, 4.1.2.5 (seconds, Z). */
bool atls_x509_time(const ASN1_TIME *t, int64_t *out_s);

/* Positive or zero, at most 20 bytes, leading zeros dropped. */
bool atls_x509_serial(const ASN1_INTEGER *n, uint8_t out[ATLS_SERIAL_MAX], size_t *len);

/* Which extension, and its value (lent). */
atls_extension atls_x509_extension(X509_EXTENSION *ext, atls_buf *value, bool *critical);

/* Decodes an extension's value, all of it, with OpenSSL's item; NULL if it does not fit. */
void *atls_x509_extension_value(atls_buf value, const ASN1_ITEM *item);

#endif
