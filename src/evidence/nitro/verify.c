/* verify.c: documents of AWS Nitro Enclaves and of NitroTPM judged: form, chain, signature. Age, debug mode and what was
 * measured are for the policy. */
#include <stdlib.h>
#include <string.h>

#include "codec/cose.h"
#include "evidence/format.h"
#include "evidence/nitro/chain.h"

#define LEEWAY_S 60 /* contract, --leeway */

/* What the claims point to. Each of the four has a head of at least a byte in the document, so there is room for their
 * NULs. */
typedef struct kept_claims {
    size_t used;
    uint8_t bytes[];
} kept_claims;

static atls_buf keep(kept_claims *k, atls_buf bytes)
{
    uint8_t *to = k->bytes + k->used;
    if (bytes.len > 0) {
        memcpy(to, bytes.ptr, bytes.len);
    }
    to[bytes.len] = '\0';
    k->used += bytes.len + 1;
    return (atls_buf){to, bytes.len};
}

static bool is_zero(const uint8_t *pcr)
{
    static const uint8_t zero[ATLS_NITRO_PCR_LEN];
    return memcmp(pcr, zero, sizeof zero) == 0;
}

static void pcr_claims(const atls_nitro_document *d, atls_nitro_claims *out)
{
    out->pcrs = d->pcrs;
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        if (d->pcr[i] != NULL) {
            memcpy(out->pcr[i], d->pcr[i], ATLS_NITRO_PCR_LEN);
            out->pcr_len[i] = ATLS_NITRO_PCR_LEN;
        }
    }
    /* A TPM's PCR 0 is no such sign. */
    out->is_debug = !d->is_tpm && is_zero(d->pcr[0]);
}

static void fill_claims(const atls_nitro_document *d, size_t payload_len,
                        const atls_verification *v)
{
    kept_claims *k = calloc(1, sizeof *k + payload_len + 4);
    if (k == NULL) {
        atls_ledger_no_memory(v->l);
        return;
    }
    atls_nitro_claims *out = &v->claims->as.nitro;
    out->module_id = (const char *)keep(k, d->module_id).ptr;
    out->timestamp_ms = d->timestamp_ms;
    pcr_claims(d, out);
    out->has_public_key = d->has_public_key;
    out->has_user_data = d->has_user_data;
    out->has_nonce = d->has_nonce;
    out->public_key = keep(k, d->public_key);
    out->user_data = keep(k, d->user_data);
    out->nonce = keep(k, d->nonce);
    v->claims->tee = d->is_tpm ? ATLS_TEE_NITROTPM : ATLS_TEE_NITRO;
    *v->anchor = (atls_anchor){k, free};
}

static bool judge_signature(const atls_judging *j, const atls_cose_sign1 *cose,
                            atls_public_key *key)
{
    static const char id[] = "nitro.document.signature";
    if (key == NULL) {
        atls_ledger_skip(j->l, id, "nothing vouches for the document's key");
        return false;
    }
    (*j->signatures)++;
    return atls_judge(j, id, atls_cose_sign1_verify(cose, key), ATLS_E_INVALID,
                      "a signature that does not verify", "a valid one");
}

/* One that says it is of the future would stay young for as long as its signer likes. */
static void judge_time(const atls_verification *v, uint64_t timestamp_ms)
{
    const int64_t made_s = (int64_t)(timestamp_ms / 1000);
    const int64_t leeway_s = v->expected->has_leeway ? (int64_t)v->expected->leeway_s : LEEWAY_S;
    (void)atls_ledger_check(v->l, "nitro.document.time", made_s - leeway_s <= v->when_s,
                            ATLS_E_BINDING, atls_value_time(made_s),
                            atls_value_text("a document that was not made in the future"));
}

static void verify(const atls_verification *v)
{
    const atls_judging j = {v->l, v->signatures};
    const atls_buf bytes = atls_evidence_part(v->evidence, "document");
    atls_cose_sign1 cose;
    atls_nitro_document document;
    atls_nitro_signer signer = {0};
    atls_err err = {0};
    v->claims->custom_root =
        atls_root_set_replaced(atls_trust_roots(v->trust, ATLS_FAMILY_AWS)); /* of a refusal too */
    if (bytes.ptr == NULL) {
        atls_ledger_fail(v->l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("a part named document"));
        return;
    }
    atls_code rc = atls_cose_sign1_parse(bytes, ATLS_COSE_ALLOW(ATLS_COSE_ES384), &cose, &err);
    if (rc == ATLS_OK) {
        rc = atls_nitro_document_parse(cose.payload, &document, &err);
    }
    if (rc == ATLS_OK) {
        atls_ledger_ok(v->l, "nitro.cbor");
        rc = atls_nitro_chain_judge(v->trust, &document, v->when_s, &j, &signer, &err);
    }
    if (!atls_judging_taken(&j, rc)) {
        atls_ledger_fail_err(v->l, &err);
        return;
    }
    v->claims->simulated = signer.simulated;
    v->claims->custom_root = v->claims->custom_root || signer.custom_root;
    if (judge_signature(&j, &cose, signer.key)) {
        judge_time(v, document.timestamp_ms);
        v->claims->expires_s = signer.expires_s;
        fill_claims(&document, cose.payload.len, v);
    }
    atls_public_key_free(signer.key);
}

const atls_format atls_format_nitro = {"nitro", ATLS_TEE_NITRO, atls_nitro_document_looks, verify};
