/* tpm_enroll.c: the attester's side of credential activation: what it sends, and how it opens what comes back. */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <tss2/tss2_mu.h>

#include "attest/tpm_key.h"
#include "attest/tpm_nv.h"
#include "attest/tpm_templates.h"

typedef struct ek_kind {
    const char *name;
    const TPM2B_PUBLIC *shape;
    TPM2_HANDLE cert_index;
} ek_kind;

static const ek_kind kinds[] = {
    {"rsa", &tpm_template_ek_rsa, 0x01C00002},
    {"ecc", &tpm_template_ek_ecc, 0x01C0000A},
    {"ecc384", &tpm_template_ek_ecc384, 0x01C00016},
};
#define KINDS_N (sizeof kinds / sizeof kinds[0])

typedef struct enrolling {
    const tpm_settings *settings;
    const char *ek; /* NULL: see tpm.h */
    atls_tpm_keys *keys;
    TPM2B_ID_OBJECT credential;
    TPM2B_ENCRYPTED_SECRET secret;
    uint8_t *out;
    size_t *out_len;
} enrolling;

void atls_tpm_keys_clear(atls_tpm_keys *keys)
{
    free(keys->ek_certificate);
    free(keys->ek_public);
    free(keys->ak_public);
    *keys = (atls_tpm_keys){0};
}

static atls_code check_name(const char *ek, atls_err *err)
{
    for (size_t i = 0; ek != NULL && i < KINDS_N; i++) {
        if (strcmp(kinds[i].name, ek) == 0) {
            return ATLS_OK;
        }
    }
    return ek == NULL
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.ek_name",
                          "\"%.40s\" names no endorsement key: wanted are rsa, ecc, ecc384", ek);
}

/* --- is the certificate that of this EK? --- */

static bool bn_is(const EVP_PKEY *key, const char *name, const uint8_t *bytes, size_t len)
{
    BIGNUM *wanted = NULL;
    BIGNUM *is = BN_bin2bn(bytes, (int)len, NULL);
    bool same =
        is != NULL && EVP_PKEY_get_bn_param(key, name, &wanted) == 1 && BN_cmp(wanted, is) == 0;
    BN_free(wanted);
    BN_free(is);
    return same;
}

static bool is_key(const EVP_PKEY *key, const TPMT_PUBLIC *public)
{
    if (public->type == TPM2_ALG_RSA) {
        const TPM2B_PUBLIC_KEY_RSA *n = &public->unique.rsa;
        return bn_is(key, OSSL_PKEY_PARAM_RSA_N, n->buffer, n->size);
    }
    const TPMS_ECC_POINT *p = &public->unique.ecc;
    return bn_is(key, OSSL_PKEY_PARAM_EC_PUB_X, p->x.buffer, p->x.size) &&
           bn_is(key, OSSL_PKEY_PARAM_EC_PUB_Y, p->y.buffer, p->y.size);
}

static atls_code check_certificate(const uint8_t *der, size_t len, const tpm_key *ek, atls_err *err)
{
    const uint8_t *p = der;
    X509 *cert = d2i_X509(NULL, &p, (long)len);
    const EVP_PKEY *key = cert != NULL ? X509_get0_pubkey(cert) : NULL;
    bool same = key != NULL && is_key(key, &ek->public.publicArea);
    X509_free(cert);
    return same ? ATLS_OK
                : ATLS_ERR(
                      err, ATLS_E_SYSTEM, "attest.tpm.ek_certificate",
                      "the EK certificate in the TPM is not for the EK that the TPM makes from the "
                      "standard template");
}

/* --- export --- */

/* The EK that was asked for, and its certificate if there is one. */
static atls_code find_ek(tpm *t, const enrolling *e, tpm_key *ek, uint8_t **cert, size_t *cert_len,
                         atls_err *err)
{
    const ek_kind *kind = &kinds[0];
    *cert = NULL;
    for (size_t i = 0; i < KINDS_N && *cert == NULL; i++) {
        if (e->ek == NULL || strcmp(kinds[i].name, e->ek) == 0) {
            ATLS_TRY(tpm_nv_certificate(t, e->settings, kinds[i].cert_index, cert, cert_len, err));
            kind = e->ek != NULL || *cert != NULL ? &kinds[i] : kind;
        }
    }
    atls_code rc = tpm_primary(t, e->settings, kind->shape, ek, err);
    if (rc == ATLS_OK && *cert != NULL) {
        rc = check_certificate(*cert, *cert_len, ek, err);
    }
    if (rc != ATLS_OK) {
        free(*cert);
        *cert = NULL;
    }
    return rc;
}

static atls_code export(tpm *t, void *arg, atls_err *err)
{
    const enrolling *e = arg;
    atls_tpm_keys keys = {0};
    tpm_key ek = {0};
    tpm_key ak = {0};
    atls_code rc = tpm_ak(t, e->settings, &ak, err);
    if (rc == ATLS_OK) {
        rc = find_ek(t, e, &ek, &keys.ek_certificate, &keys.ek_certificate_len, err);
    }
    if (rc == ATLS_OK) {
        rc = tpm_public_bytes(&ek.public, &keys.ek_public, &keys.ek_public_len, err);
    }
    if (rc == ATLS_OK) {
        rc = tpm_public_bytes(&ak.public, &keys.ak_public, &keys.ak_public_len, err);
    }
    if (rc != ATLS_OK) {
        atls_tpm_keys_clear(&keys);
        return rc;
    }
    *e->keys = keys;
    return ATLS_OK;
}

atls_code atls_tpm_enroll_export(const atls_tpm_options *options, const char *ek,
                                 atls_tpm_keys *out, atls_err *err)
{
    tpm_settings s;
    ATLS_TRY(check_name(ek, err));
    ATLS_TRY(tpm_settings_read(options, "ecc", &s, err));
    enrolling e = {.settings = &s, .ek = ek, .keys = out};
    atls_code rc = tpm_turn(s.tcti, s.busy_ms, export, &e, err);
    tpm_settings_clear(&s);
    return rc;
}

/* --- activate --- */

/* An EK whose template leaves userWithAuth clear is used through its policy alone (EK Credential Profile, B.3). */
static atls_code authorize(tpm *t, const tpm_key *ek, ESYS_TR *session, atls_err *err)
{
    static const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
    *session = ESYS_TR_PASSWORD;
    if ((ek->public.publicArea.objectAttributes & TPMA_OBJECT_USERWITHAUTH) != 0) {
        return ATLS_OK;
    }
    ATLS_TRY(tpm_said(t,
                      Esys_StartAuthSession(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                            ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none,
                                            ek->public.publicArea.nameAlg, session),
                      "TPM2_StartAuthSession", err));
    ATLS_TRY(tpm_hold(t, *session, err));
    return tpm_said(t,
                    Esys_PolicySecret(t->esys, ESYS_TR_RH_ENDORSEMENT, *session, ESYS_TR_PASSWORD,
                                      ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL),
                    "TPM2_PolicySecret", err);
}

/* libtpms says FAILURE of a seed that its RSA key does not open; a TPM in failure mode has not come so far. */
static bool is_refusal(TSS2_RC rc)
{
    static const TSS2_RC codes[] = {TPM2_RC_INTEGRITY, TPM2_RC_VALUE,        TPM2_RC_SIZE,
                                    TPM2_RC_ECC_POINT, TPM2_RC_INSUFFICIENT, TPM2_RC_FAILURE};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (tpm_rc_is(rc, codes[i])) {
            return true;
        }
    }
    return false;
}

static atls_code activate(tpm *t, void *arg, atls_err *err)
{
    const enrolling *e = arg;
    tpm_key ek = {0};
    tpm_key ak = {0};
    uint8_t *cert = NULL;
    size_t cert_len = 0;
    ESYS_TR session = ESYS_TR_NONE;
    TPM2B_DIGEST *secret = NULL;
    ATLS_TRY(tpm_ak(t, e->settings, &ak, err));
    ATLS_TRY(find_ek(t, e, &ek, &cert, &cert_len, err));
    free(cert);
    ATLS_TRY(authorize(t, &ek, &session, err));
    TSS2_RC rc = Esys_ActivateCredential(t->esys, ak.handle, ek.handle, ESYS_TR_PASSWORD, session,
                                         ESYS_TR_NONE, &e->credential, &e->secret, &secret);
    if (is_refusal(rc)) {
        return ATLS_ERR(
            err, ATLS_E_BINDING, "attest.tpm.credential",
            "the credential was not made for this EK and this AK, or was changed (0x%x)",
            (unsigned)rc);
    }
    ATLS_TRY(tpm_said(t, rc, "TPM2_ActivateCredential", err));
    memcpy(e->out, secret->buffer, secret->size);
    *e->out_len = secret->size;
    OPENSSL_cleanse(secret, sizeof *secret);
    Esys_Free(secret);
    return ATLS_OK;
}

static atls_code read_credential(atls_buf credential, atls_buf secret, enrolling *e, atls_err *err)
{
    size_t at = 0;
    bool good = credential.ptr != NULL &&
                Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(credential.ptr, credential.len, &at,
                                                  &e->credential) == TSS2_RC_SUCCESS &&
                at == credential.len;
    at = 0;
    good = good && secret.ptr != NULL &&
           Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret.ptr, secret.len, &at, &e->secret) ==
               TSS2_RC_SUCCESS &&
           at == secret.len;
    return good ? ATLS_OK
                : ATLS_ERR(err, ATLS_E_INVALID, "attest.tpm.credential_format",
                           "not one TPM2B_ID_OBJECT and one TPM2B_ENCRYPTED_SECRET");
}

atls_code atls_tpm_enroll_activate(const atls_tpm_options *options, const char *ek,
                                   atls_buf credential, atls_buf secret, uint8_t out[64],
                                   size_t *out_len, atls_err *err)
{
    tpm_settings s;
    enrolling e = {.ek = ek, .out = out, .out_len = out_len};
    ATLS_TRY(check_name(ek, err));
    ATLS_TRY(read_credential(credential, secret, &e, err));
    ATLS_TRY(tpm_settings_read(options, "ecc", &s, err));
    e.settings = &s;
    atls_code rc = tpm_turn(s.tcti, s.busy_ms, activate, &e, err);
    tpm_settings_clear(&s);
    return rc;
}
