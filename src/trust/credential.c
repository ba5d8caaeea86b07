/* credential.c: what is checked before a credential is made; the sealing itself is in crypto/tpm_seal.c. */
#include <atls/enroll.h>

#include <string.h>

#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/tpm_seal.h"
#include "trust/tpm_key.h"

/* Keys of certificates: the TCG's default templates (EK Credential Profile, annex B). */
static atls_code storage_of_cert(atls_buf der, atls_tpm_seal *out, atls_err *err)
{
    atls_cert *cert = NULL;
    ATLS_TRY(atls_cert_parse(der, &cert, err));
    const atls_code rc = atls_cert_public_key(cert, &out->key, err);
    atls_cert_free(cert);
    if (rc != ATLS_OK) {
        return rc;
    }
    const bool is_p384 = atls_public_key_kind(out->key) == ATLS_KEY_P384;
    const bool is_small =
        atls_public_key_kind(out->key) == ATLS_KEY_P256 ||
        (atls_public_key_kind(out->key) == ATLS_KEY_RSA && atls_public_key_size(out->key) == 256);
    if (!is_p384 && !is_small) {
        return ATLS_ERR(err, ATLS_E_INVALID, "credential.ek",
                        "an EK certificate of a key without a default template: give its public "
                        "area");
    }
    out->hash = is_p384 ? ATLS_SHA384 : ATLS_SHA256;
    out->aes_bits = is_p384 ? 256 : 128;
    return ATLS_OK;
}

static atls_code storage_of_area(atls_buf bytes, atls_tpm_seal *out, atls_err *err)
{
    const uint32_t wanted = ATLS_TPM_FIXED_TPM | ATLS_TPM_FIXED_PARENT | ATLS_TPM_RESTRICTED |
                            ATLS_TPM_DECRYPT | ATLS_TPM_SENSITIVE_DATA_ORIGIN;
    atls_tpm_public area;
    ATLS_TRY(atls_tpm_public_parse(bytes, &area, err));
    if ((area.attributes & wanted) != wanted || (area.attributes & ATLS_TPM_SIGN) != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "credential.ek",
                        "a key with attributes 0x%08x, where an endorsement key is wanted: "
                        "restricted, decrypt, fixedTPM, fixedParent, sensitiveDataOrigin",
                        (unsigned)area.attributes);
    }
    if (area.symmetric != ATLS_TPM_ALG_AES || area.symmetric_mode != ATLS_TPM_ALG_CFB ||
        (area.symmetric_bits != 128 && area.symmetric_bits != 192 && area.symmetric_bits != 256) ||
        !atls_tpm_hash(area.name_alg, &out->hash)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "credential.ek",
                        "an endorsement key whose cipher is not AES in CFB mode");
    }
    out->aes_bits = area.symmetric_bits;
    return atls_tpm_public_key(&area, &out->key, err);
}

static bool is_der(atls_buf bytes)
{
    return bytes.len >= 4 && bytes.ptr[0] == 0x30 && bytes.ptr[1] >= 0x80;
}

static atls_code check_ak(atls_buf ak, uint8_t name[ATLS_TPM_NAME_MAX], size_t *len, atls_err *err)
{
    atls_tpm_public area;
    ATLS_TRY(atls_tpm_public_parse(ak, &area, err));
    const char *wrong = atls_tpm_ak_wrong(area.attributes);
    if (wrong != NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "credential.ak", "%s (attributes 0x%08x)", wrong,
                        (unsigned)area.attributes);
    }
    return atls_tpm_public_name(&area, name, len, err);
}

atls_code atls_credential_make(atls_buf ek, atls_buf ak, atls_buf secret, const atls_random *random,
                               atls_credential *out, atls_err *err)
{
    uint8_t name[ATLS_TPM_NAME_MAX];
    size_t len = 0;
    if (secret.len == 0 || secret.len > ATLS_CREDENTIAL_SECRET_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "credential.secret",
                        "a secret of %zu bytes, where 1 to %d are taken", secret.len,
                        ATLS_CREDENTIAL_SECRET_MAX);
    }
    ATLS_TRY(check_ak(ak, name, &len, err));
    atls_tpm_seal seal = {.name = {name, len}, .random = random};
    atls_code rc = is_der(ek) ? storage_of_cert(ek, &seal, err) : storage_of_area(ek, &seal, err);
    /* The secret is no longer than the name algorithm's digest: SHA-256 at least. */
    if (rc == ATLS_OK) {
        rc = atls_tpm_seal_secret(&seal, secret, out, err);
    }
    atls_public_key_free(seal.key);
    return rc;
}

atls_code atls_tpm_name(atls_buf public_area, uint8_t out[66], size_t *len, atls_err *err)
{
    atls_tpm_public area;
    ATLS_TRY(atls_tpm_public_parse(public_area, &area, err));
    return atls_tpm_public_name(&area, out, len, err);
}
