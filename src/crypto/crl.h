/* crl.h: X.509 revocation lists, decoded once by OpenSSL, the serial numbers sorted. */
#ifndef ATLS_CRYPTO_CRL_H
#define ATLS_CRYPTO_CRL_H

#include <stdatomic.h>

#include "crypto/key.h"
#include "crypto/public_key.h"
#include <atls/types.h>

#define ATLS_CRL_MAX_LEN (4u << 20) /* bytes of DER */

struct atls_crl_serial {
    uint8_t bytes[20]; /* big endian, without leading zeros */
    uint8_t len;
};

/* Immutable after parsing, reference counted. Views point into memory which it owns. */
typedef struct atls_crl {
    atls_buf der;
    atls_buf tbs, signature, issuer; /* issuer: DER of the name */
    bool sig_known; /* outer and inner algorithm agree, and are one that atls_scheme has */
    atls_scheme sig_scheme;
    atls_hash sig_hash;
    bool signed_ecdsa_sha256;             /* the two above are that */
    int64_t this_update_s, next_update_s; /* next: INT64_MIN if absent */
    bool has_number, has_aki;
    uint64_t number; /* CRLNumber, of at most 8 bytes; larger: malformed */
    atls_buf aki;
    bool unknown_critical; /* of the list or of an entry: a delta or partial list, for instance */
    struct atls_crl_serial *serials; /* sorted */
    size_t serials_n;
    atomic_int refs;
} atls_crl;

/* PEM, DER, or hex of DER (a NUL or newline at the end tolerated), to DER: *der points into bytes or into
 * buf, which has room for bytes.len. ATLS_E_INVALID "crl.encoding" / "crl.size". */
ATLS_MUST_USE atls_code atls_crl_decode(atls_buf bytes, uint8_t *buf, atls_buf *der, atls_err *err);

/* Does DER begin as a CRL does? The rest of it is not looked at. */
bool atls_crl_looks(atls_buf bytes);

/* One DER list of version 2, all of its bytes. ATLS_E_INVALID "crl.malformed" / "crl.size". */
ATLS_MUST_USE atls_code atls_crl_parse(atls_buf der, atls_crl **out, atls_err *err);
atls_crl *atls_crl_up_ref(atls_crl *crl);
void atls_crl_free(atls_crl *crl);
bool atls_crl_lists(const atls_crl *crl, const uint8_t *serial, size_t serial_len);
bool atls_crl_signed_by(const atls_crl *crl, atls_key *issuer_key);
bool atls_crl_signed_by_key(const atls_crl *crl, atls_public_key *issuer_key);

#endif
