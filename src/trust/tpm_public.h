/* tpm_public.h: the public area of a TPM's key, TPMT_PUBLIC (TPM 2.0 Library, part 2, 12.2.4): laid out as views, and no
 * judgement. All numbers are big endian. */
#ifndef ATLS_TRUST_TPM_PUBLIC_H
#define ATLS_TRUST_TPM_PUBLIC_H

#include "base/reader.h"

#define ATLS_TPM_PUBLIC_MAX_LEN 1024 /* bytes; RSA of 4096 bits needs some 600 */
#define ATLS_TPM_NAME_MAX       66   /* algorithm and SHA-512 */

/* TPM_ALG_ID (part 2, 6.3) */
enum {
    ATLS_TPM_ALG_RSA = 0x0001,
    ATLS_TPM_ALG_SHA1 = 0x0004,
    ATLS_TPM_ALG_AES = 0x0006,
    ATLS_TPM_ALG_SHA256 = 0x000b,
    ATLS_TPM_ALG_SHA384 = 0x000c,
    ATLS_TPM_ALG_SHA512 = 0x000d,
    ATLS_TPM_ALG_NULL = 0x0010,
    ATLS_TPM_ALG_RSASSA = 0x0014,
    ATLS_TPM_ALG_RSAES = 0x0015,
    ATLS_TPM_ALG_RSAPSS = 0x0016,
    ATLS_TPM_ALG_OAEP = 0x0017,
    ATLS_TPM_ALG_ECDSA = 0x0018,
    ATLS_TPM_ALG_ECDAA = 0x001a,
    ATLS_TPM_ALG_ECC = 0x0023,
    ATLS_TPM_ALG_CFB = 0x0043
};

/* TPMA_OBJECT (part 2, 8.3) */
#define ATLS_TPM_FIXED_TPM             0x00000002u
#define ATLS_TPM_FIXED_PARENT          0x00000010u
#define ATLS_TPM_SENSITIVE_DATA_ORIGIN 0x00000020u
#define ATLS_TPM_RESTRICTED            0x00010000u
#define ATLS_TPM_DECRYPT               0x00020000u
#define ATLS_TPM_SIGN                  0x00040000u

enum { ATLS_TPM_ECC_P256 = 0x0003, ATLS_TPM_ECC_P384 = 0x0004, ATLS_TPM_ECC_P521 = 0x0005 };

typedef struct atls_tpm_public { /* views point into the bytes */
    atls_buf bytes;              /* TPMT_PUBLIC: what the name is computed over */
    uint16_t type, name_alg;     /* RSA or ECC; a hash */
    uint32_t attributes;
    atls_buf auth_policy;
    uint16_t symmetric, symmetric_bits, symmetric_mode; /* NULL, or that of a storage key */
    uint16_t scheme, scheme_hash;                       /* NULL: 0x0010 and 0 */
    uint16_t key_bits;                                  /* RSA */
    uint32_t exponent;                                  /* RSA; 0 means 65537 */
    atls_buf modulus;                                   /* RSA */
    uint16_t curve, kdf, kdf_hash;                      /* ECC */
    atls_buf x, y;                                      /* ECC */
} atls_tpm_public;

/* A TPMT_PUBLIC, or a TPM2B_PUBLIC (with its size in front), all of its bytes; of an RSA or ECC key. ATLS_E_INVALID
 * "tpm.public.length" / ".type" / ".name_alg" / ".symmetric" / ".scheme" / ".kdf". */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_tpm_public_parse(atls_buf bytes, atls_tpm_public *out, atls_err *err);

/* Does it begin as one of the two does, and has the length that its own sizes give? */
/*@ requires valid_buf(bytes);
    assigns \nothing; */
bool atls_tpm_public_recognise(atls_buf bytes);

#endif
