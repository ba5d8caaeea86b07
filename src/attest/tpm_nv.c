#include "attest/tpm_nv.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 512u /* every TPM gives as much at a time (TPM_PT_NV_BUFFER_MAX) */

/* Whose word opens an index: anyone's with the index' own, empty one; else the owner's. */
static ESYS_TR reader_of(TPMA_NV attributes, ESYS_TR index)
{
    return (attributes & TPMA_NV_AUTHREAD) != 0 ? index : ESYS_TR_RH_OWNER;
}

static atls_code read_chunks(tpm *t, ESYS_TR who, ESYS_TR index, uint8_t *out, size_t len,
                             atls_err *err)
{
    for (size_t at = 0; at < len;) {
        size_t want = len - at < CHUNK ? len - at : CHUNK;
        TPM2B_MAX_NV_BUFFER *part = NULL;
        ATLS_TRY(tpm_said(t,
                          Esys_NV_Read(t->esys, who, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                       ESYS_TR_NONE, (UINT16)want, (UINT16)at, &part),
                          "TPM2_NV_Read", err));
        size_t got = part->size;
        if (got == want) {
            memcpy(out + at, part->buffer, got);
        }
        Esys_Free(part);
        if (got != want) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.nv", "the TPM gave %zu bytes for %zu",
                            got, want);
        }
        at += got;
    }
    return ATLS_OK;
}

atls_code tpm_nv_read(tpm *t, const tpm_settings *s, TPM2_HANDLE index, uint8_t **out, size_t *len,
                      atls_err *err)
{
    ESYS_TR nv = ESYS_TR_NONE;
    TPM2B_NV_PUBLIC *public = NULL;
    *out = NULL;
    *len = 0;
    TSS2_RC rc =
        Esys_TR_FromTPMPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv);
    if (tpm_rc_is(rc, TPM2_RC_HANDLE)) {
        return ATLS_OK;
    }
    ATLS_TRY(tpm_said(t, rc, "TPM2_NV_ReadPublic", err));
    ATLS_TRY(tpm_said(
        t, Esys_NV_ReadPublic(t->esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, NULL),
        "TPM2_NV_ReadPublic", err));
    size_t size = public->nvPublic.dataSize;
    TPMA_NV attributes = public->nvPublic.attributes;
    Esys_Free(public);
    if (size == 0 || size > TPM_NV_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.nv",
                        "NV index 0x%08x has %zu bytes, where 1 to %d are read", (unsigned)index,
                        size, TPM_NV_MAX);
    }
    ATLS_TRY(tpm_said(t, Esys_TR_SetAuth(t->esys, ESYS_TR_RH_OWNER, &s->owner_auth),
                      "Esys_TR_SetAuth", err));
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code code = read_chunks(t, reader_of(attributes, nv), nv, bytes, size, err);
    if (code != ATLS_OK) {
        free(bytes);
        return code;
    }
    *out = bytes;
    *len = size;
    return ATLS_OK;
}

atls_code tpm_nv_certificate(tpm *t, const tpm_settings *s, TPM2_HANDLE index, uint8_t **out,
                             size_t *len, atls_err *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    ATLS_TRY(tpm_nv_read(t, s, index, &bytes, &size, err));
    if (bytes != NULL) {
        /* SEQUENCE with a length of two bytes, as every certificate has (X.690, 8.1.3.5). */
        size_t whole = size < 4 ? 0 : 4u + bytes[2] * 256u + bytes[3];
        if (whole == 0 || bytes[0] != 0x30 || bytes[1] != 0x82 || whole > size) {
            free(bytes);
            return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.nv",
                            "NV index 0x%08x holds no certificate", (unsigned)index);
        }
        size = whole;
    }
    *out = bytes;
    *len = size;
    return ATLS_OK;
}
