#include "attest/tpm_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

#include "attest/tpm_nv.h"

/* Without them a verifier could not tell a quote from a forgery (TPM 2.0 Library part 1, 31.3.1). */
#define AK_SET                                                                                     \
    (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |            \
     TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT)

static bool is_wrong_auth(TSS2_RC rc)
{
    return tpm_rc_is(rc, TPM2_RC_BAD_AUTH) || tpm_rc_is(rc, TPM2_RC_AUTH_FAIL);
}

static atls_code use_auth(tpm *t, ESYS_TR hierarchy, const TPM2B_AUTH *auth, atls_err *err)
{
    return tpm_said(t, Esys_TR_SetAuth(t->esys, hierarchy, auth), "Esys_TR_SetAuth", err);
}

atls_code tpm_primary(tpm *t, const tpm_settings *s, const TPM2B_PUBLIC *shape, tpm_key *out,
                      atls_err *err)
{
    static const TPM2B_SENSITIVE_CREATE no_secret = {0};
    static const TPM2B_DATA no_data = {0};
    static const TPML_PCR_SELECTION no_pcrs = {0};
    TPM2B_PUBLIC *public = NULL;
    tpm_key key = {0};
    ATLS_TRY(use_auth(t, ESYS_TR_RH_ENDORSEMENT, &s->endorsement_auth, err));
    TSS2_RC rc = Esys_CreatePrimary(t->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                    ESYS_TR_NONE, &no_secret, shape, &no_data, &no_pcrs,
                                    &key.handle, &public, NULL, NULL, NULL);
    if (is_wrong_auth(rc)) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, "attest.tpm.auth",
            "the endorsement hierarchy has an authorization value, and not the one given");
    }
    ATLS_TRY(tpm_said(t, rc, "TPM2_CreatePrimary", err));
    key.public = *public;
    Esys_Free(public);
    ATLS_TRY(tpm_hold(t, key.handle, err));
    *out = key;
    return ATLS_OK;
}

/* The key at a persistent handle; *found is false when there is none. */
static atls_code at_handle(tpm *t, TPM2_HANDLE handle, tpm_key *out, bool *found, atls_err *err)
{
    TPM2B_PUBLIC *public = NULL;
    tpm_key key = {0};
    *found = false;
    TSS2_RC rc = Esys_TR_FromTPMPublic(t->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       &key.handle);
    if (tpm_rc_is(rc, TPM2_RC_HANDLE)) {
        return ATLS_OK;
    }
    ATLS_TRY(tpm_said(t, rc, "TPM2_ReadPublic", err));
    ATLS_TRY(tpm_said(t,
                      Esys_ReadPublic(t->esys, key.handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      &public, NULL, NULL),
                      "TPM2_ReadPublic", err));
    key.public = *public;
    Esys_Free(public);
    *out = key;
    *found = true;
    return ATLS_OK;
}

static atls_code keep(tpm *t, const tpm_settings *s, tpm_key *key, atls_err *err)
{
    ESYS_TR kept = ESYS_TR_NONE;
    ATLS_TRY(use_auth(t, ESYS_TR_RH_OWNER, &s->owner_auth, err));
    TSS2_RC rc = Esys_EvictControl(t->esys, ESYS_TR_RH_OWNER, key->handle, ESYS_TR_PASSWORD,
                                   ESYS_TR_NONE, ESYS_TR_NONE, s->ak.handle, &kept);
    if (is_wrong_auth(rc)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.auth",
                        "the owner hierarchy has an authorization value, and not the one given");
    }
    ATLS_TRY(tpm_said(t, rc, "TPM2_EvictControl", err));
    key->handle = kept;
    return ATLS_OK;
}

/* A template in NV memory is a TPMT_PUBLIC. */
static atls_code from_nv_template(tpm *t, const tpm_settings *s, tpm_key *out, atls_err *err)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    size_t at = 0;
    TPM2B_PUBLIC shape = {0};
    ATLS_TRY(tpm_nv_read(t, s, s->ak.template_index, &bytes, &len, err));
    if (bytes == NULL) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, "attest.tpm.ak_missing",
            "NV index 0x%08x, which would hold the template of the key \"%s\", is not there",
            (unsigned)s->ak.template_index, s->ak.name);
    }
    TSS2_RC rc = Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes, len, &at, &shape.publicArea);
    free(bytes);
    if (rc != TSS2_RC_SUCCESS || at != len) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.nv",
                        "NV index 0x%08x holds no template of a key",
                        (unsigned)s->ak.template_index);
    }
    return tpm_primary(t, s, &shape, out, err);
}

static atls_code find_ak(tpm *t, const tpm_settings *s, tpm_key *out, atls_err *err)
{
    bool found = false;
    if (s->ak.handle != 0) {
        ATLS_TRY(at_handle(t, s->ak.handle, out, &found, err));
        if (!found && !s->ak_may_be_made) {
            return ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.ak_missing",
                            "there is no key at the persistent handle 0x%08x",
                            (unsigned)s->ak.handle);
        }
    }
    if (found) {
        return ATLS_OK;
    }
    if (s->ak.shape == NULL) {
        return from_nv_template(t, s, out, err);
    }
    ATLS_TRY(tpm_primary(t, s, s->ak.shape, out, err));
    return s->ak_may_be_made ? keep(t, s, out, err) : ATLS_OK;
}

atls_code tpm_ak(tpm *t, const tpm_settings *s, tpm_key *out, atls_err *err)
{
    tpm_key key = {0};
    ATLS_TRY(find_ak(t, s, &key, err));
    TPMA_OBJECT has = key.public.publicArea.objectAttributes;
    if ((has & AK_SET) != AK_SET || (has & TPMA_OBJECT_DECRYPT) != 0) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, "attest.tpm.ak_attributes",
            "the key \"%s\" has the attributes 0x%08x: no restricted signing key of this TPM, "
            "so a quote by it proves nothing",
            s->ak.name, (unsigned)has);
    }
    *out = key;
    return ATLS_OK;
}

atls_code tpm_public_bytes(const TPM2B_PUBLIC *public, uint8_t **out, size_t *len, atls_err *err)
{
    uint8_t space[sizeof *public + 2];
    size_t n = 0;
    TSS2_RC rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, space, sizeof space, &n);
    uint8_t *bytes = rc == TSS2_RC_SUCCESS ? malloc(n) : NULL;
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(bytes, space, n);
    *out = bytes;
    *len = n;
    return ATLS_OK;
}
