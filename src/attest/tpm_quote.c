#include "attest/tpm_quote.h"

#include <string.h>

#include <tss2/tss2_mu.h>

#define TRIES 10

/* What the signed bytes say, and the hash of the scheme that signed them. */
typedef struct signed_state {
    TPMS_ATTEST attest;
    TPMI_ALG_HASH hash;
} signed_state;

static bool hash_of(TPMI_ALG_HASH id, atls_hash *out)
{
    static const struct {
        TPMI_ALG_HASH id;
        atls_hash hash;
    } known[] = {{TPM2_ALG_SHA1, ATLS_SHA1},
                 {TPM2_ALG_SHA256, ATLS_SHA256},
                 {TPM2_ALG_SHA384, ATLS_SHA384},
                 {TPM2_ALG_SHA512, ATLS_SHA512}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].id == id) {
            *out = known[i].hash;
            return true;
        }
    }
    return false;
}

/* --- PCR values --- */

/* Copies what one TPM2_PCR_Read gave; *got is its selection, values follow each other in its order. */
static bool add_values(const TPML_DIGEST *values, tpm_quote *q)
{
    for (uint32_t i = 0; i < values->count; i++) {
        const TPM2B_DIGEST *v = &values->digests[i];
        if (v->size > sizeof q->pcrs - q->pcrs_len) {
            return false;
        }
        memcpy(q->pcrs + q->pcrs_len, v->buffer, v->size);
        q->pcrs_len += v->size;
    }
    return true;
}

/* TPM2_PCR_Read gives at most 8 values a call, the first of the selection first (part 3, 22.4): so the rest is asked for
 * until nothing is left. Its update counter is of no use here: it also counts PCRs that are not selected, and the digest
 * in the quote tells more. */
static atls_code read_values(tpm *t, const TPML_PCR_SELECTION *pcrs, tpm_quote *q, atls_err *err)
{
    TPML_PCR_SELECTION left = *pcrs;
    q->pcrs_len = 0;
    while (tpm_selection_count(&left) > 0) {
        TPML_PCR_SELECTION *got = NULL;
        TPML_DIGEST *values = NULL;
        ATLS_TRY(tpm_said(t,
                          Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &left,
                                        NULL, &got, &values),
                          "TPM2_PCR_Read", err));
        bool some = values->count > 0 && tpm_selection_count(got) == values->count;
        bool fits = some && add_values(values, q);
        tpm_selection_remove(&left, got);
        Esys_Free(got);
        Esys_Free(values);
        if (!fits) {
            return ATLS_ERR(
                err, ATLS_E_USAGE, "attest.tpm.bank",
                "the TPM has no value for some of the PCRs selected: `tpm2_pcrread` shows "
                "its banks");
        }
    }
    return ATLS_OK;
}

/* --- the quote --- */

static atls_code take_quote(tpm *t, const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *signature,
                            tpm_quote *q, signed_state *state, atls_err *err)
{
    size_t at = 0;
    if (attest->size > sizeof q->attest) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.command", "TPM2_Quote gave %u bytes",
                        (unsigned)attest->size);
    }
    memcpy(q->attest, attest->attestationData, attest->size);
    q->attest_len = attest->size;
    q->signature_len = 0;
    state->hash = signature->signature.any.hashAlg;
    ATLS_TRY(tpm_said(t,
                      Tss2_MU_TPMS_ATTEST_Unmarshal(q->attest, q->attest_len, &at, &state->attest),
                      "what TPM2_Quote gave", err));
    return tpm_said(t,
                    Tss2_MU_TPMT_SIGNATURE_Marshal(signature, q->signature, sizeof q->signature,
                                                   &q->signature_len),
                    "the signature of TPM2_Quote", err);
}

static atls_code quote(tpm *t, const tpm_key *key, const TPML_PCR_SELECTION *pcrs,
                       atls_buf qualifying_data, tpm_quote *q, signed_state *state, atls_err *err)
{
    static const TPMT_SIG_SCHEME of_the_key = {.scheme = TPM2_ALG_NULL};
    TPM2B_DATA data = {0};
    TPM2B_ATTEST *attest = NULL;
    TPMT_SIGNATURE *signature = NULL;
    if (qualifying_data.len > sizeof data.buffer) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.command", "qualifying data of %zu bytes",
                        qualifying_data.len);
    }
    memcpy(data.buffer, qualifying_data.ptr, qualifying_data.len);
    data.size = (UINT16)qualifying_data.len;
    ATLS_TRY(tpm_said(t,
                      Esys_Quote(t->esys, key->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &data, &of_the_key, pcrs, &attest, &signature),
                      "TPM2_Quote", err));
    atls_code rc = take_quote(t, attest, signature, q, state, err);
    Esys_Free(attest);
    Esys_Free(signature);
    if (rc == ATLS_OK && !tpm_selection_equal(&state->attest.attested.quote.pcrSelect, pcrs)) {
        rc = ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.bank",
                      "the TPM quotes other PCRs than those selected: it lacks a bank, or a PCR "
                      "(`tpm2_pcrread` shows them)");
    }
    return rc;
}

/* The digest in a quote is made with the hash of the scheme, whatever the bank (part 3, 18.4). */
static atls_code compare(const signed_state *state, const tpm_quote *q, bool *equal, atls_err *err)
{
    const TPM2B_DIGEST *quoted = &state->attest.attested.quote.pcrDigest;
    atls_hash hash = ATLS_SHA256;
    uint8_t digest[ATLS_HASH_MAX];
    atls_buf values = {q->pcrs, q->pcrs_len};
    *equal = false;
    if (!hash_of(state->hash, &hash)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.ak_attributes",
                        "the key signs with the hash 0x%04x, which is not known",
                        (unsigned)state->hash);
    }
    ATLS_TRY(atls_digest(hash, &values, 1, digest, err));
    *equal =
        quoted->size == atls_hash_len(hash) && memcmp(quoted->buffer, digest, quoted->size) == 0;
    return ATLS_OK;
}

atls_code tpm_quote_make(tpm *t, const tpm_key *key, const TPML_PCR_SELECTION *pcrs,
                         atls_buf qualifying_data, tpm_quote *out, atls_err *err)
{
    tpm_quote q;
    signed_state state = {0};
    for (int i = 0; i < TRIES; i++) {
        bool equal = false;
        ATLS_TRY(quote(t, key, pcrs, qualifying_data, &q, &state, err));
        ATLS_TRY(read_values(t, pcrs, &q, err));
        ATLS_TRY(compare(&state, &q, &equal, err));
        if (equal) {
            *out = q;
            return ATLS_OK;
        }
    }
    return ATLS_ERR(
        err, ATLS_E_SYSTEM, "attest.tpm.pcrs_changing",
        "PCRs changed between quote and reading %d times in a row: leave out those that "
        "change all the time (10 is IMA's)",
        TRIES);
}
