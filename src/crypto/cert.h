/* cert.h: X.509 certificates, decoded once by OpenSSL into facts that need no OpenSSL call.
 *
 * OpenSSL's ASN.1 machinery does the decoding, over templates of ours that leave names and keys as bytes:
 * d2i_X509 canonicalises names and looks for key decoders, which costs 35 times as much. */
#ifndef ATLS_CRYPTO_CERT_H
#define ATLS_CRYPTO_CERT_H

#include <stdatomic.h>

#include "crypto/key.h"
#include "crypto/public_key.h"
#include <atls/types.h>

#define ATLS_CERT_MAX_LEN 8192 /* bytes of DER */
#define ATLS_CHAIN_MAX    6

/* Immutable after parsing, reference counted. Views point into memory which it owns. */
typedef struct atls_cert {
    atls_buf der;
    uint8_t sha256[32];
    atls_buf tbs;           /* signed part */
    atls_buf signature;     /* DER ECDSA-Sig-Value, or raw for others */
    bool sig_known;         /* outer and inner algorithm agree, and are one that atls_scheme has */
    atls_scheme sig_scheme; /* RSASSA-PSS only as ATLS_RSA_PSS */
    atls_hash sig_hash;
    bool signed_ecdsa_sha256; /* the two above are that */
    atls_buf subject, issuer; /* DER of the names */
    char subject_cn[128];     /* "" if none, several, or not printable ASCII */
    char subject_o[128], subject_ou[128];
    uint8_t serial[20]; /* big endian, without leading zeros */
    size_t serial_len;
    int64_t not_before_s, not_after_s;
    atls_buf spki; /* DER SubjectPublicKeyInfo */
    bool has_p256; /* uncompressed point on named curve P-256 */
    uint8_t p256[64];
    bool has_aki, has_ski, has_key_usage, has_basic_constraints, has_crl_dp;
    atls_buf aki, ski; /* key identifiers */
    bool is_ca;
    int path_len; /* -1: no limit */
    bool ku_digital_signature, ku_cert_sign, ku_crl_sign;
    bool unknown_critical; /* a critical extension that nobody here knows: EKU and SAN among them */
    bool unknown_critical_other; /* one that is neither EKU nor SAN */
    atls_buf eku, san;           /* their values, not decoded; empty: absent */
    atls_buf sgx_extension;      /* value of 1.2.840.113741.1.13.1; empty if none */
    atomic_int refs;
} atls_cert;

/* Decodes one DER certificate of version 3, all of its bytes; no extension stands twice in it. ATLS_E_INVALID "cert.malformed" / "cert.size". */
ATLS_MUST_USE atls_code atls_cert_parse(atls_buf der, atls_cert **out, atls_err *err);
atls_cert *atls_cert_up_ref(atls_cert *cert);
void atls_cert_free(atls_cert *cert);

/* Splits PEM text (LF or CRLF, one NUL at the end tolerated) or one DER into 1 to max DERs, decoded into
 * buf (cap bytes, at most the length of the text) where needed; *n is set. Nothing but certificates may
 * be in it. ATLS_E_INVALID "cert.pem" / "cert.size" / "cert.count". */
ATLS_MUST_USE atls_code atls_cert_split(atls_buf pem_or_der, uint8_t *buf, size_t cap,
                                        atls_buf *ders, size_t max, size_t *n, atls_err *err);

/* Is the algorithm ecdsa-with-SHA256, and the signature made with issuer_key? Nothing else is compared. */
bool atls_cert_signed_by(const atls_cert *cert, atls_key *issuer_key);
/* Is the algorithm known, and the signature made with issuer_key? Nothing else is compared. */
bool atls_cert_signed_by_key(const atls_cert *cert, atls_public_key *issuer_key);

/* Its key: P-256, P-384, P-521, or RSA. ATLS_E_INVALID "key....". */
ATLS_MUST_USE atls_code atls_cert_public_key(const atls_cert *cert, atls_public_key **out,
                                             atls_err *err);

/* How often the extension with this OID ("1.3.6.1.4.1.3704.1.2") stands in it: 0 or 1. Its value (lent) and whether
 * it is critical; both may be NULL. */
size_t atls_cert_extension(const atls_cert *cert, const char *oid, atls_buf *value, bool *critical);
/* Is this OID among its extended key usages? */
bool atls_cert_has_eku(const atls_cert *cert, const char *oid);

#endif
