/* tpm_bytes.h: a TPM's structures, good ones, for tests to spoil. */
#ifndef TESTS_TPM_BYTES_H
#define TESTS_TPM_BYTES_H

#include "base/writer.h"
#include "trust/tpm_public.h"

/* Offsets in what tpm_attest_bytes makes. */
enum {
    TPM_AT_MAGIC = 0,
    TPM_AT_TYPE = 4,
    TPM_AT_NAME = 6,
    TPM_AT_DATA = 42,
    TPM_AT_CLOCK = 76,
    TPM_AT_SAFE = 92,
    TPM_AT_COUNT = 101,
    TPM_AT_HASH = 105,
    TPM_AT_SELECT = 107,
    TPM_AT_BITMAP = 108,
    TPM_AT_DIGEST = 111,
    TPM_ATTEST_LEN = 145
};

/* A quote of PCR 0, 7 and 16 of the SHA-256 bank. */
static inline size_t tpm_attest_bytes(uint8_t out[TPM_ATTEST_LEN])
{
    static const uint8_t bitmap[3] = {0x81, 0x00, 0x01};
    atls_writer w = atls_writer_of(out, TPM_ATTEST_LEN);
    atls_writer_u32be(&w, 0xff544347u);
    atls_writer_u16be(&w, 0x8018);
    atls_writer_u16be(&w, 34);
    atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
    atls_writer_zeros(&w, 32);
    atls_writer_u16be(&w, 32);
    atls_writer_zeros(&w, 32);
    atls_writer_u64be(&w, 230044);
    atls_writer_u32be(&w, 2);
    atls_writer_u32be(&w, 1);
    atls_writer_u8(&w, 1);
    atls_writer_u64be(&w, 0x2019102300163636u);
    atls_writer_u32be(&w, 1);
    atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
    atls_writer_u8(&w, 3);
    atls_writer_bytes(&w, (atls_buf){bitmap, sizeof bitmap});
    atls_writer_u16be(&w, 32);
    atls_writer_zeros(&w, 32);
    return atls_writer_done(&w).len;
}

#define TPM_AK_ATTRIBUTES 0x00050072u /* swtpm's */

/* TPMT_PUBLIC of an AK on a curve (x, y) with a scheme. */
static inline size_t tpm_ecc_area(uint32_t attributes, uint16_t curve, uint16_t scheme_hash,
                                  atls_buf x, atls_buf y, uint8_t *out, size_t cap)
{
    atls_writer w = atls_writer_of(out, cap);
    atls_writer_u16be(&w, ATLS_TPM_ALG_ECC);
    atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
    atls_writer_u32be(&w, attributes);
    atls_writer_u16be(&w, 0);
    atls_writer_u16be(&w, ATLS_TPM_ALG_NULL);
    atls_writer_u16be(&w, ATLS_TPM_ALG_ECDSA);
    atls_writer_u16be(&w, scheme_hash);
    atls_writer_u16be(&w, curve);
    atls_writer_u16be(&w, ATLS_TPM_ALG_NULL);
    atls_writer_u16be(&w, (uint16_t)x.len);
    atls_writer_bytes(&w, x);
    atls_writer_u16be(&w, (uint16_t)y.len);
    atls_writer_bytes(&w, y);
    return atls_writer_done(&w).len;
}

static inline size_t tpm_rsa_area(uint32_t attributes, uint16_t scheme, uint32_t exponent,
                                  atls_buf n, uint8_t *out, size_t cap)
{
    atls_writer w = atls_writer_of(out, cap);
    atls_writer_u16be(&w, ATLS_TPM_ALG_RSA);
    atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
    atls_writer_u32be(&w, attributes);
    atls_writer_u16be(&w, 0);
    atls_writer_u16be(&w, ATLS_TPM_ALG_NULL);
    atls_writer_u16be(&w, scheme);
    atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
    atls_writer_u16be(&w, (uint16_t)(n.len * 8));
    atls_writer_u32be(&w, exponent);
    atls_writer_u16be(&w, (uint16_t)n.len);
    atls_writer_bytes(&w, n);
    return atls_writer_done(&w).len;
}

#endif
