#include "trust/tpm_key.h"

#include <string.h>

#include "base/err.h"
#include "crypto/pem.h"

#define USUAL_EXPONENT 65537u

static bool curve_of(uint16_t tpm_curve, atls_key_kind *out)
{
    static const struct {
        uint16_t curve;
        atls_key_kind kind;
    } curves[] = {{ATLS_TPM_ECC_P256, ATLS_KEY_P256},
                  {ATLS_TPM_ECC_P384, ATLS_KEY_P384},
                  {ATLS_TPM_ECC_P521, ATLS_KEY_P521}};
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (curves[i].curve == tpm_curve) {
            *out = curves[i].kind;
            return true;
        }
    }
    return false;
}

static void exponent_of(const atls_tpm_public *area, uint8_t out[4])
{
    uint32_t e = area->exponent == 0 ? USUAL_EXPONENT : area->exponent;
    for (size_t i = 4; i-- > 0;) {
        out[i] = (uint8_t)(e % 256);
        e /= 256;
    }
}

atls_code atls_tpm_public_key(const atls_tpm_public *area, atls_public_key **out, atls_err *err)
{
    if (area->type == ATLS_TPM_ALG_RSA) {
        uint8_t e[4];
        exponent_of(area, e);
        return atls_public_key_rsa(area->modulus, (atls_buf){e, sizeof e}, out, err);
    }
    atls_key_kind kind = ATLS_KEY_P256;
    if (!curve_of(area->curve, &kind)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.curve",
                        "curve 0x%04x, where P-256, P-384 or P-521 is wanted",
                        (unsigned)area->curve);
    }
    return atls_public_key_ec(kind, area->x, area->y, out, err);
}

/* --- comparing, without decoding: the numbers stand at the end of a SubjectPublicKeyInfo --- */

static atls_buf without_zeros(atls_buf number)
{
    while (number.len > 0 && number.ptr[0] == 0) {
        number.ptr++;
        number.len--;
    }
    return number;
}

static bool same_number(atls_buf a, atls_buf b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool is_ec(const atls_tpm_public *area, const atls_public_key *key)
{
    atls_key_kind kind = ATLS_KEY_P256;
    const atls_buf spki = atls_public_key_spki(key);
    const size_t size = atls_public_key_size(key);
    if (!curve_of(area->curve, &kind) || kind != atls_public_key_kind(key) || spki.len < 2 * size) {
        return false;
    }
    const uint8_t *xy = spki.ptr + spki.len - 2 * size;
    return same_number(area->x, (atls_buf){xy, size}) &&
           same_number(area->y, (atls_buf){xy + size, size});
}

/* ... INTEGER modulus, INTEGER exponent (RFC 8017, A.1.1): the exponent's own length is at its place, as it is short. */
static bool is_rsa(const atls_tpm_public *area, const atls_public_key *key)
{
    uint8_t e[4];
    exponent_of(area, e);
    const atls_buf exponent = without_zeros((atls_buf){e, sizeof e});
    const size_t size = atls_public_key_size(key);
    const atls_buf spki = atls_public_key_spki(key);
    const size_t pad = exponent.len > 0 && exponent.ptr[0] >= 0x80 ? 1 : 0;
    const size_t behind = 2 + pad + exponent.len;
    if (atls_public_key_kind(key) != ATLS_KEY_RSA || spki.len < behind + size) {
        return false;
    }
    const uint8_t *end = spki.ptr + spki.len;
    return end[-(ptrdiff_t)behind] == 0x02 &&
           end[-(ptrdiff_t)behind + 1] == (uint8_t)(pad + exponent.len) &&
           same_number((atls_buf){end - pad - exponent.len, pad + exponent.len}, exponent) &&
           same_number((atls_buf){end - behind - size, size}, area->modulus);
}

bool atls_tpm_public_is(const atls_tpm_public *area, const atls_public_key *key)
{
    return area->type == ATLS_TPM_ALG_RSA ? is_rsa(area, key) : is_ec(area, key);
}

/* --- name and attributes --- */

bool atls_tpm_hash(uint16_t alg, atls_hash *out)
{
    static const struct {
        uint16_t alg;
        atls_hash hash;
    } hashes[] = {{ATLS_TPM_ALG_SHA256, ATLS_SHA256},
                  {ATLS_TPM_ALG_SHA384, ATLS_SHA384},
                  {ATLS_TPM_ALG_SHA512, ATLS_SHA512},
                  {ATLS_TPM_ALG_SHA1, ATLS_SHA1}};
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (hashes[i].alg == alg) {
            *out = hashes[i].hash;
            return true;
        }
    }
    return false;
}

atls_code atls_tpm_public_name(const atls_tpm_public *area, uint8_t out[ATLS_TPM_NAME_MAX],
                               size_t *len, atls_err *err)
{
    atls_hash hash = ATLS_SHA256;
    if (!atls_tpm_hash(area->name_alg, &hash)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.name_alg",
                        "name algorithm 0x%04x is not known", (unsigned)area->name_alg);
    }
    ATLS_TRY(atls_digest(hash, &area->bytes, 1, out + 2, err));
    out[0] = (uint8_t)(area->name_alg / 256);
    out[1] = (uint8_t)(area->name_alg % 256);
    *len = 2 + atls_hash_len(hash);
    return ATLS_OK;
}

const char *atls_tpm_ak_wrong(uint32_t attributes)
{
    static const struct {
        uint32_t bit;
        const char *wrong;
    } wanted[] = {
        {ATLS_TPM_RESTRICTED, "a key without restricted, which signs anything"},
        {ATLS_TPM_SIGN, "a key without sign"},
        {ATLS_TPM_FIXED_TPM, "a key without fixedTPM, which may lie elsewhere too"},
        {ATLS_TPM_FIXED_PARENT, "a key without fixedParent, which may lie elsewhere too"},
        {ATLS_TPM_SENSITIVE_DATA_ORIGIN,
         "a key without sensitiveDataOrigin, which came from outside"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if ((attributes & wanted[i].bit) == 0) {
            return wanted[i].wrong;
        }
    }
    return (attributes & ATLS_TPM_DECRYPT) != 0 ? "a key with decrypt" : NULL;
}

/* --- as somebody gives it --- */

static atls_code no_pem(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.pem", "no PEM of one public key");
}

atls_code atls_tpm_given_key_parse(atls_buf bytes, atls_tpm_given_key *out, atls_err *err)
{
    out->has_area = !atls_pem_looks(bytes);
    if (out->has_area) {
        return atls_tpm_public_parse(bytes, &out->area, err);
    }
    atls_buf der = {0};
    size_t used = 0;
    if (bytes.len > sizeof out->der ||
        !atls_pem_next(&bytes, "PUBLIC KEY", out->der, sizeof out->der, &used, &der) ||
        bytes.len != 0) {
        return no_pem(err);
    }
    out->der_len = used;
    return ATLS_OK;
}

bool atls_tpm_given_key_is(const atls_tpm_given_key *given, const atls_public_key *key)
{
    return given->has_area
               ? atls_tpm_public_is(&given->area, key)
               : atls_equal((atls_buf){given->der, given->der_len}, atls_public_key_spki(key));
}

atls_code atls_tpm_given_key_decode(const atls_tpm_given_key *given, atls_public_key **out,
                                    atls_err *err)
{
    return given->has_area
               ? atls_tpm_public_key(&given->area, out, err)
               : atls_public_key_from_spki((atls_buf){given->der, given->der_len}, out, err);
}
