#include "sim/tpm_quote.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/err.h"
#include "base/writer.h"
#include "crypto/digest.h"
#include "sim/world.h"
#include "trust/tpm_public.h"

#define AK_ATTRIBUTES    0x00050072u
#define SIMULATED        UINT64_C(0x41544c5353494d00)
#define PCR_SELECT_BYTES 3

static bool is(const char *fault, const char *name)
{
    return fault != NULL && strcmp(fault, name) == 0;
}

static atls_code no_crypto(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a TPM's structure could not be made");
}

/* --- public areas --- */

static uint32_t attributes_of(const char *fault)
{
    static const struct {
        const char *fault;
        uint32_t flipped;
    } faults[] = {{"ak.unrestricted", ATLS_TPM_RESTRICTED},
                  {"ak.no_sign", ATLS_TPM_SIGN},
                  {"ak.no_fixed_tpm", ATLS_TPM_FIXED_TPM},
                  {"ak.no_fixed_parent", ATLS_TPM_FIXED_PARENT},
                  {"ak.imported", ATLS_TPM_SENSITIVE_DATA_ORIGIN},
                  {"ak.decrypt", ATLS_TPM_DECRYPT}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (is(fault, faults[i].fault)) {
            return AK_ATTRIBUTES ^ faults[i].flipped;
        }
    }
    return AK_ATTRIBUTES;
}

static void put_sized(atls_writer *w, atls_buf bytes)
{
    atls_writer_u16be(w, (uint16_t)bytes.len);
    atls_writer_bytes(w, bytes);
}

static bool put_rsa(const sim_tpm_key *key, atls_writer *w)
{
    BIGNUM *n = NULL;
    uint8_t modulus[512];
    const int len = EVP_PKEY_get_size(key->pkey);
    const bool good = len > 0 && len <= (int)sizeof modulus &&
                      EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                      BN_bn2binpad(n, modulus, len) == len;
    BN_free(n);
    if (good) {
        atls_writer_u16be(w, (uint16_t)(len * 8));
        atls_writer_u32be(w, 0);
        put_sized(w, (atls_buf){modulus, (size_t)len});
    }
    return good;
}

static bool put_ecc(const sim_tpm_key *key, const char *fault, atls_writer *w)
{
    uint8_t point[1 + 2 * 66];
    size_t len = 0;
    if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                        &len) != 1) {
        return false;
    }
    const size_t size = (len - 1) / 2;
    const uint16_t curve = size == 32 ? ATLS_TPM_ECC_P256 : ATLS_TPM_ECC_P384;
    atls_writer_u16be(w, is(fault, "ak.curve") ? 0x0010 : curve);
    atls_writer_u16be(w, is(fault, "ak.kdf") ? 0x0033 : ATLS_TPM_ALG_NULL);
    if (is(fault, "ak.kdf")) {
        atls_writer_u16be(w, ATLS_TPM_ALG_SHA256);
    }
    put_sized(w, (atls_buf){point + 1, size});
    put_sized(w, (atls_buf){point + 1 + size, size});
    return true;
}

atls_code sim_tpm_area(const sim_tpm_key *key, const char *fault, sim_tpm_part *out, atls_err *err)
{
    const bool is_rsa = EVP_PKEY_is_a(key->pkey, "RSA") == 1;
    const uint16_t type = is_rsa ? ATLS_TPM_ALG_RSA : ATLS_TPM_ALG_ECC;
    atls_writer w = atls_writer_of(out->bytes, sizeof out->bytes);
    atls_writer_u16be(&w, is(fault, "ak.type") ? 0x0008 : type);
    atls_writer_u16be(&w, is(fault, "ak.name_alg") ? ATLS_TPM_ALG_SHA1 : ATLS_TPM_ALG_SHA256);
    atls_writer_u32be(&w, attributes_of(fault));
    atls_writer_u16be(&w, 0); /* no policy */
    atls_writer_u16be(&w, is(fault, "ak.symmetric") ? 0x0013 : ATLS_TPM_ALG_NULL);
    if (is(fault, "ak.symmetric")) {
        atls_writer_u32be(&w, 128u * 65536u + ATLS_TPM_ALG_CFB);
    }
    atls_writer_u16be(&w, is(fault, "ak.scheme") ? 0x0005 : key->scheme);
    atls_writer_u16be(&w, key->hash);
    const bool good = is_rsa ? put_rsa(key, &w) : put_ecc(key, fault, &w);
    if (is(fault, "ak.trailing")) {
        atls_writer_u8(&w, 0);
    }
    out->len = atls_writer_done(&w).len;
    return good && out->len > 0 ? ATLS_OK : no_crypto(err);
}

/* --- PCRs --- */

static const struct {
    uint16_t alg;
    atls_hash hash;
} banks_known[ATLS_TPM_BANKS] = {[ATLS_TPM_SHA1] = {ATLS_TPM_ALG_SHA1, ATLS_SHA1},
                                 [ATLS_TPM_SHA256] = {ATLS_TPM_ALG_SHA256, ATLS_SHA256},
                                 [ATLS_TPM_SHA384] = {ATLS_TPM_ALG_SHA384, ATLS_SHA384},
                                 [ATLS_TPM_SHA512] = {ATLS_TPM_ALG_SHA512, ATLS_SHA512}};

atls_code sim_tpm_values(const char *workload, atls_tpm_bank banks[ATLS_TPM_BANKS], atls_err *err)
{
    for (size_t b = 0; b < ATLS_TPM_BANKS; b++) {
        for (unsigned pcr = 0; pcr < ATLS_TPM_PCRS; pcr++) {
            char name[128];
            const int len = snprintf(name, sizeof name, "%.100s/pcr%u",
                                     workload != NULL ? workload : "demo", pcr);
            const atls_buf piece = {(const uint8_t *)name, (size_t)len};
            ATLS_TRY(atls_digest(banks_known[b].hash, &piece, 1, banks[b].value[pcr], err));
        }
    }
    return ATLS_OK;
}

/* Values in the order of the selection; cap is large enough for all banks. */
static size_t put_values(const atls_tpm_bank *banks, uint8_t *out, size_t cap)
{
    atls_writer w = atls_writer_of(out, cap);
    for (size_t b = 0; b < ATLS_TPM_BANKS; b++) {
        for (size_t pcr = 0; pcr < ATLS_TPM_PCRS; pcr++) {
            if ((banks[b].selected >> pcr) % 2 == 1) {
                atls_writer_bytes(
                    &w, (atls_buf){banks[b].value[pcr], atls_hash_len(banks_known[b].hash)});
            }
        }
    }
    return atls_writer_done(&w).len;
}

static void put_selection(const atls_tpm_bank *banks, const char *fault, atls_writer *w)
{
    uint32_t n = is(fault, "pcrs.twice") ? 1 : 0;
    for (size_t b = 0; b < ATLS_TPM_BANKS; b++) {
        n += banks[b].selected != 0 ? 1 : 0;
    }
    atls_writer_u32be(w, is(fault, "attest.banks") ? 17 : n);
    for (size_t b = 0; b < ATLS_TPM_BANKS; b++) {
        if (banks[b].selected == 0) {
            continue;
        }
        const uint32_t pcrs = is(fault, "pcrs.empty") ? 0 : banks[b].selected;
        const uint8_t bytes = is(fault, "attest.bitmap") ? 5 : is(fault, "attest.pcr") ? 4 : 3;
        atls_writer_u16be(w, is(fault, "pcrs.bank") ? 0x0012 : banks_known[b].alg);
        atls_writer_u8(w, bytes);
        atls_writer_u8(w, (uint8_t)(pcrs % 256));
        atls_writer_u8(w, (uint8_t)(pcrs / 256 % 256));
        atls_writer_u8(w, (uint8_t)(pcrs / 65536 % 256));
        for (uint8_t i = PCR_SELECT_BYTES; i < bytes; i++) {
            atls_writer_u8(w, 1);
        }
    }
    if (is(fault, "pcrs.twice")) {
        atls_writer_u16be(w, ATLS_TPM_ALG_SHA256);
        atls_writer_u32be(w, 3u * 16777216u);
    }
}

/* --- TPMS_ATTEST --- */

static void put_head(const char *fault, atls_buf data, atls_writer *w)
{
    const size_t name_len = is(fault, "attest.name") ? 69 : 34;
    atls_writer_u32be(w, is(fault, "attest.magic") ? 0xfe544347u : 0xff544347u);
    atls_writer_u16be(w, is(fault, "attest.type") ? 0x8017 : 0x8018);
    atls_writer_u16be(w, (uint16_t)name_len);
    atls_writer_u16be(w, ATLS_TPM_ALG_SHA256);
    atls_writer_zeros(w, name_len - 2);
    if (is(fault, "attest.data")) {
        atls_writer_u16be(w, 67);
        atls_writer_zeros(w, 67);
    } else {
        put_sized(w, data);
    }
    atls_writer_u64be(w, 1000);
    atls_writer_u32be(w, 1);
    atls_writer_u32be(w, 0);
    atls_writer_u8(w, is(fault, "attest.safe") ? 2 : is(fault, "attest.unsafe") ? 0 : 1);
    atls_writer_u64be(w, SIMULATED);
}

static atls_code make_attest(const sim_tpm_key *key, const atls_tpm_bank *banks, atls_buf data,
                             atls_buf values, const char *fault, sim_tpm_part *out, atls_err *err)
{
    uint8_t digest[ATLS_HASH_MAX + 1] = {0};
    const atls_hash hash = is(fault, "pcrs.hash")             ? ATLS_SHA512
                           : key->hash == ATLS_TPM_ALG_SHA384 ? ATLS_SHA384
                                                              : ATLS_SHA256;
    ATLS_TRY(atls_digest(hash, &values, 1, digest, err));
    atls_writer w = atls_writer_of(out->bytes, sizeof out->bytes);
    put_head(fault, data, &w);
    put_selection(banks, fault, &w);
    put_sized(&w,
              (atls_buf){digest, is(fault, "attest.digest") ? sizeof digest : atls_hash_len(hash)});
    if (is(fault, "attest.trailing")) {
        atls_writer_u8(&w, 0);
    }
    out->len = atls_writer_done(&w).len - (is(fault, "attest.truncated") ? 1 : 0);
    return ATLS_OK;
}

/* --- TPMT_SIGNATURE --- */

static bool sign(const sim_tpm_key *key, uint16_t scheme, uint16_t hash, atls_buf message,
                 uint8_t *out, size_t *len)
{
    static const char *const names[] = {"SHA256", "SHA384", "SHA512"};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool good = ctx != NULL && EVP_DigestSignInit_ex(ctx, &pctx, names[hash - ATLS_TPM_ALG_SHA256],
                                                     NULL, NULL, key->pkey, NULL) == 1;
    if (good && scheme == ATLS_TPM_ALG_RSAPSS) {
        good = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    good = good && EVP_DigestSign(ctx, out, len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

/* DER to two numbers of the curve's size. */
static bool put_rs(const sim_tpm_key *key, const uint8_t *der, size_t len, atls_writer *w)
{
    const int size = (EVP_PKEY_get_bits(key->pkey) + 7) / 8;
    uint8_t number[66];
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good = sig != NULL && size <= (int)sizeof number;
    for (int i = 0; good && i < 2; i++) {
        const BIGNUM *n = i == 0 ? ECDSA_SIG_get0_r(sig) : ECDSA_SIG_get0_s(sig);
        good = BN_bn2binpad(n, number, size) == size;
        put_sized(w, (atls_buf){number, (size_t)size});
    }
    ECDSA_SIG_free(sig);
    return good;
}

static atls_code make_signature(const sim_tpm_key *key, atls_buf message, bool bare,
                                const char *fault, sim_tpm_part *out, atls_err *err)
{
    uint8_t raw[512];
    size_t len = sizeof raw;
    const uint16_t scheme = is(fault, "signature.pss") ? ATLS_TPM_ALG_RSAPSS : key->scheme;
    const uint16_t hash = is(fault, "signature.other_hash") ? ATLS_TPM_ALG_SHA512 : key->hash;
    if (!sign(key, scheme, hash, message, raw, &len)) {
        return no_crypto(err);
    }
    atls_writer w = atls_writer_of(out->bytes, sizeof out->bytes);
    bool good = true;
    if (!bare) {
        atls_writer_u16be(&w, is(fault, "signature.scheme") ? ATLS_TPM_ALG_ECDAA : scheme);
        atls_writer_u16be(&w, is(fault, "signature.hash") ? ATLS_TPM_ALG_SHA1 : hash);
    }
    if (scheme == ATLS_TPM_ALG_ECDSA) {
        good = put_rs(key, raw, len, &w);
    } else if (bare) {
        atls_writer_bytes(&w, (atls_buf){raw, len});
    } else {
        put_sized(&w, (atls_buf){raw, len});
    }
    if (is(fault, "signature.trailing")) {
        atls_writer_u8(&w, 0);
    }
    out->len = atls_writer_done(&w).len;
    if (is(fault, "signature.bits")) {
        out->bytes[out->len - 1] ^= 1;
    }
    return good ? ATLS_OK : no_crypto(err);
}

/* --- the parts --- */

/* What a liar between TPM and verifier does to values. */
static size_t spoil_values(const char *fault, uint8_t *values, size_t len)
{
    if (is(fault, "pcrs.value")) {
        values[0] ^= 1;
    } else if (is(fault, "pcrs.order")) {
        uint8_t first[32];
        memcpy(first, values, 32);
        memcpy(values, values + 32, 32);
        memcpy(values + 32, first, 32);
    } else if (is(fault, "pcrs.missing")) {
        return len - 32;
    } else if (is(fault, "pcrs.more")) {
        return len + 32;
    }
    return len;
}

atls_code sim_tpm_quote(const sim_tpm_key *key, const atls_tpm_bank *banks, atls_buf data,
                        bool bare, const char *fault, atls_evidence_blob *out, atls_err *err)
{
    uint8_t values[ATLS_TPM_BANKS * ATLS_TPM_PCRS * 64 + 32] = {0};
    sim_tpm_part attest = {0}, signature = {0};
    size_t len = put_values(banks, values, sizeof values - 32);
    if (is(fault, "pcrs.empty")) {
        len = 0;
    }
    ATLS_TRY(make_attest(key, banks, data, (atls_buf){values, len}, fault, &attest, err));
    ATLS_TRY(
        make_signature(key, (atls_buf){attest.bytes, attest.len}, bare, fault, &signature, err));
    len = spoil_values(fault, values, len);
    ATLS_TRY(sim_blob_add(out, "quote", (atls_buf){attest.bytes, attest.len}, err));
    ATLS_TRY(sim_blob_add(out, "signature", (atls_buf){signature.bytes, signature.len}, err));
    return sim_blob_add(out, "pcrs", (atls_buf){values, len}, err);
}
