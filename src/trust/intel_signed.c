#include "trust/intel_signed.h"

#include <stdlib.h>
#include <string.h>

const atls_signed_ids atls_tcb_info_ids = {
    "tcb_info.missing",      "tcb_info.chain.missing", "tcb_info.chain.format",
    "tcb_info.chain.root",   "tcb_info.chain.signer",  "tcb_info.chain.extensions",
    "tcb_info.chain.issuer", "tcb_info.chain.usage",   "tcb_info.chain.signature",
    "tcb_info.chain.crl",    "tcb_info.signature",     "tcb_info.format"};
const atls_signed_ids atls_qe_identity_ids = {
    "qe_identity.missing",      "qe_identity.chain.missing", "qe_identity.chain.format",
    "qe_identity.chain.root",   "qe_identity.chain.signer",  "qe_identity.chain.extensions",
    "qe_identity.chain.issuer", "qe_identity.chain.usage",   "qe_identity.chain.signature",
    "qe_identity.chain.crl",    "qe_identity.signature",     "qe_identity.format"};

/* --- chains --- */

void atls_cert_chain_clear(atls_cert_chain *p)
{
    for (size_t i = 0; i < p->n; i++) {
        atls_cert_free(p->certs[i]);
    }
    p->n = 0;
}

bool atls_cert_chain_parse(const atls_judging *j, const atls_collateral_chain *chain,
                           atls_cert_chain *p)
{
    p->n = 0;
    for (size_t i = 0; chain->readable && i < chain->n; i++) {
        if (!atls_judging_taken(j, atls_cert_parse(chain->ders[i], &p->certs[i], NULL))) {
            atls_cert_chain_clear(p);
            return false;
        }
        p->n = i + 1;
    }
    return chain->readable;
}

static size_t root_at(const atls_cert_chain *p)
{
    return atls_self_issued(p->certs[0]) ? 0 : 1;
}

const atls_cert *atls_signer_root(const atls_cert_chain *p)
{
    return p->certs[root_at(p)];
}

atls_cert *atls_judge_signer(const atls_judging *j, const atls_signed_ids *ids,
                             const atls_cert_chain *p, const atls_root *trusted)
{
    const size_t at = root_at(p);
    const atls_cert *root = p->certs[at];
    atls_cert *signer = p->certs[1 - at];
    if (!atls_judge(j, ids->chain_root, trusted != NULL, ATLS_E_INVALID, "a chain to another root",
                    "the trusted root")) {
        atls_ledger_skip(j->l, ids->chain_signature, "its root is not trusted");
        return NULL;
    }
    bool good =
        atls_judge(j, ids->chain_signer, strstr(signer->subject_cn, "SGX TCB Signing") != NULL,
                   ATLS_E_INVALID, "another certificate", "SGX TCB Signing");
    const char *wrong = atls_intel_cert_wrong(signer);
    good = atls_judge(j, ids->chain_extensions, wrong == NULL, ATLS_E_INVALID, wrong, NULL) && good;
    good = atls_judge(j, ids->chain_issuer, atls_issued_by(signer, root), ATLS_E_INVALID,
                      "another issuer", "the root") &&
           good;
    good = atls_judge(j, ids->chain_usage, signer->ku_digital_signature && !signer->is_ca,
                      ATLS_E_INVALID, "a certificate that may not sign data",
                      "digitalSignature, no CA") &&
           good;
    good = atls_judge_cert_signature(j, ids->chain_signature, signer, trusted->key) && good;
    return good ? signer : NULL;
}

/* --- texts --- */

/* Whitespace outside strings dropped: Intel's library accepts a text that was re-indented after signing. */
static size_t strip(atls_buf text, uint8_t *out)
{
    size_t n = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (in_string && c == '\\' && i + 1 < text.len) {
            out[n++] = c;
            c = text.ptr[++i];
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            continue;
        }
        out[n++] = c;
    }
    return n;
}

static bool text_signed(const atls_judging *j, const char *id, atls_key *key, atls_buf text,
                        const uint8_t rs[64])
{
    atls_ledger scratch;
    atls_ledger_init(&scratch);
    atls_judging quiet = {&scratch, j->signatures};
    if (atls_judge_rs(&quiet, id, key, text, rs)) {
        return true;
    }
    uint8_t *copy = malloc(text.len);
    if (copy == NULL) {
        return atls_judging_taken(j, ATLS_E_SYSTEM);
    }
    size_t len = strip(text, copy);
    bool good = len != text.len && atls_judge_rs(&quiet, id, key, (atls_buf){copy, len}, rs);
    free(copy);
    return good;
}

bool atls_judge_signed(const atls_judging *j, const atls_signed_ids *ids,
                       const atls_collateral_item *text, const atls_collateral_item *signature,
                       const atls_cert *signer)
{
    atls_key *key = NULL;
    if (signer == NULL || !atls_judging_taken(j, atls_key_p256(signer->p256, &key, NULL))) {
        atls_ledger_skip(j->l, ids->signature, "the signing certificate does not hold");
        atls_ledger_skip(j->l, ids->format, "its signature was not verified");
        return false;
    }
    bool good = text->readable && signature->readable &&
                text_signed(j, ids->signature, key, text->bytes, signature->bytes.ptr);
    atls_key_free(key);
    if (!atls_judge(j, ids->signature, good, ATLS_E_INVALID, "a signature that does not verify",
                    "a valid one")) {
        atls_ledger_skip(j->l, ids->format, "its signature does not verify");
    }
    return good;
}
