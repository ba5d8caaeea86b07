/* cert.h: X.509 certificates and CRLs, decoded once by OpenSSL into facts that need no OpenSSL call. */
#ifndef ATLS_CRYPTO_CERT_H
#define ATLS_CRYPTO_CERT_H

#include <openssl/x509.h>

#include <atls/types.h>
#include "crypto/key.h"

#define ATLS_CERT_MAX_LEN 8192 /* bytes of DER */
#define ATLS_CHAIN_MAX 6

/* Immutable after parsing, reference counted. Views point into der, which it owns. */
typedef struct atls_cert {
    atls_buf der;
    uint8_t sha256[32];
    atls_buf tbs;                 /* signed part */
    atls_buf signature;           /* DER ECDSA-Sig-Value, or raw for others */
    bool signed_ecdsa_sha256;     /* outer and inner algorithm agree, and are ecdsa-with-SHA256 */
    atls_buf subject, issuer;     /* DER of the names */
    char subject_cn[128];         /* "" if none or not printable; never trusted as text: escape it */
    char subject_o[128];
    uint8_t serial[20];           /* big endian, without leading zeros */
    size_t serial_len;
    int64_t not_before_s, not_after_s;
    atls_buf spki;                /* DER SubjectPublicKeyInfo */
    bool has_p256;                /* uncompressed point on named curve P-256 */
    uint8_t p256[64];
    bool has_aki, has_ski, has_key_usage, has_basic_constraints, has_crl_dp;
    atls_buf aki, ski;            /* key identifiers */
    bool is_ca;
    int path_len;                 /* -1: no limit */
    bool ku_digital_signature, ku_cert_sign, ku_crl_sign;
    bool unknown_critical;        /* a critical extension that nobody here knows */
    atls_buf sgx_extension;       /* value of 1.2.840.113741.1.13.1; empty if none */
    int refs;                     /* atomic access only */
} atls_cert;

/* Decodes one DER certificate, all of its bytes. ATLS_E_INVALID "cert.malformed" / "cert.size". */
ATLS_MUST_USE atls_code atls_cert_parse(atls_buf der, atls_cert **out, atls_err *err);
atls_cert *atls_cert_up_ref(atls_cert *cert);
void atls_cert_free(atls_cert *cert);

/* Splits PEM text (LF or CRLF, one NUL at the end tolerated) or one DER into at most max DERs, decoded
 * into buf (cap bytes) where needed; *n is set. Nothing but certificates may be in it. */
ATLS_MUST_USE atls_code atls_cert_split(atls_buf pem_or_der, uint8_t *buf, size_t cap, atls_buf *ders,
                                        size_t max, size_t *n, atls_err *err);

/* Is cert's signature made with issuer's P-256 key? Nothing else is compared. */
bool atls_cert_signed_by(const atls_cert *cert, atls_key *issuer_key);

/* --- CRLs --- */
typedef struct atls_crl {
    atls_buf der;
    uint8_t sha256[32];
    atls_buf tbs, signature, issuer; /* issuer: DER of the name */
    bool signed_ecdsa_sha256;
    int64_t this_update_s, next_update_s; /* next: INT64_MIN if absent */
    bool has_number, has_aki;
    uint64_t number; /* CRLNumber, of at most 8 bytes; larger: malformed */
    atls_buf aki;
    struct atls_crl_serial *serials; /* sorted */
    size_t serials_n;
    int refs;
} atls_crl;

/* PEM, DER, or hex of DER (a NUL or newline at the end tolerated); at most 4 MiB. */
ATLS_MUST_USE atls_code atls_crl_parse(atls_buf bytes, atls_crl **out, atls_err *err);
atls_crl *atls_crl_up_ref(atls_crl *crl);
void atls_crl_free(atls_crl *crl);
bool atls_crl_lists(const atls_crl *crl, const uint8_t *serial, size_t serial_len);
bool atls_crl_signed_by(const atls_crl *crl, atls_key *issuer_key);

#endif
