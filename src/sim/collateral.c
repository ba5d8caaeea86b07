#include "sim/collateral.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"
#include "sim/signer.h"
#include "sim/tcb_text.h"

static atls_code add_chain(json_t *out, const char *member, const X509 *const certs[], int n,
                           atls_err *err)
{
    json_t *text = json_string("");
    for (int i = 0; text != NULL && i < n; i++) {
        char *pem = NULL;
        atls_code rc = sim_pki_pem(certs[i], &pem, err);
        if (rc != ATLS_OK) {
            json_decref(text);
            return rc;
        }
        json_t *longer = json_sprintf("%s%s", json_string_value(text), pem);
        free(pem);
        json_decref(text);
        text = longer;
    }
    return json_object_set_new(out, member, text) == 0 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code add_hex(json_t *out, const char *member, atls_buf bytes, atls_err *err)
{
    char *hex = malloc(2 * bytes.len + 1);
    if (hex == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_hex_encode(bytes, hex);
    int rc = json_object_set_new(out, member, json_string(hex));
    free(hex);
    return rc == 0 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code add_crl(json_t *out, const char *member, const sim_crl_plan *p,
                         const X509_CRL *crl, atls_err *err)
{
    if (p->missing) {
        return ATLS_OK;
    }
    uint8_t *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    if (len <= 0) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = add_hex(out, member, (atls_buf){der, (size_t)(len - p->cut)}, err);
    OPENSSL_free(der);
    return rc;
}

/* The signed text with a space after each comma between members; strings hold no comma here. */
static char *spaced(const char *text)
{
    char *out = malloc(2 * strlen(text) + 1);
    char *to = out;
    for (const char *from = text; out != NULL && *from != '\0'; from++) {
        *to++ = *from;
        if (*from == ',') {
            *to++ = ' ';
        }
    }
    if (out != NULL) {
        *to = '\0';
    }
    return out;
}

/* text as delivered after signing; NULL: no memory. Takes text over. */
static char *deliver(const sim_text_plan *p, char *text)
{
    if (p->form == SIM_SPACED) {
        char *out = spaced(text);
        free(text);
        return out;
    }
    char *number = strstr(text, "\"tcbEvaluationDataNumber\":1");
    if (p->form == SIM_EDITED && number != NULL) {
        number[strlen("\"tcbEvaluationDataNumber\":")] = '9'; /* newer than what was signed */
    }
    return text;
}

static EVP_PKEY *signing_key(const sim_text_plan *p, const sim_pki *pki)
{
    int who = p->signer == SIM_BY_ISSUER ? p->holder : p->signer;
    EVP_PKEY *key = who == SIM_PCK ? pki->pck_key[0] : pki->key[who];
    /* A key on P-384 makes no signature of 64 bytes: a stranger's stands in, which nobody gets to. */
    return EVP_PKEY_get_bits(key) == 256 ? key : pki->key[SIM_STRANGER];
}

static atls_code sign_text(const sim_text_plan *p, const sim_pki *pki, const char *text,
                           uint8_t rs[64], atls_err *err)
{
    sim_signer *signer = NULL;
    ATLS_TRY(sim_signer_new(signing_key(p, pki), &signer, err));
    atls_code rc =
        sim_signer_sign(signer, (atls_buf){(const uint8_t *)text, strlen(text)}, rs, err);
    sim_signer_free(signer);
    return rc;
}

/* name, name_signature and name_issuer_chain. Takes text over. */
static atls_code add_signed(json_t *out, const char *name, const sim_text_plan *p,
                            const sim_pki *pki, char *text, atls_err *err)
{
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    const bool is_tcb_info = strcmp(name, "tcb_info") == 0;
    const X509 *const certs[] = {p->holder == SIM_PCK ? pki->pck[0] : pki->cert[p->holder],
                                 pki->cert[SIM_ROOT], pki->cert[SIM_CA]};
    uint8_t rs[64];
    atls_code rc = sign_text(p, pki, text, rs, err);
    if (rc == ATLS_OK && !p->chain_missing) {
        rc = add_chain(out, is_tcb_info ? "tcb_info_issuer_chain" : "qe_identity_issuer_chain",
                       certs, p->chain_len, err);
    }
    text = rc == ATLS_OK ? deliver(p, text) : text;
    if (rc == ATLS_OK && p->form != SIM_MISSING) {
        rc = text != NULL && json_object_set_new(out, name, json_string(text)) == 0
                 ? ATLS_OK
                 : ATLS_ERR_NOMEM(err);
    }
    if (rc == ATLS_OK && p->form != SIM_MISSING) {
        rc = add_hex(out, is_tcb_info ? "tcb_info_signature" : "qe_identity_signature",
                     (atls_buf){rs, sizeof rs}, err);
    }
    free(text);
    return rc;
}

static sim_tee text_tee(const sim_text_plan *p, sim_tee tee)
{
    return !p->other_tee ? tee : tee == SIM_TDX ? SIM_SGX : SIM_TDX;
}

static atls_code fill(json_t *out, const sim_plan *plan, sim_tee tee, int64_t when_s,
                      const sim_pki *pki, atls_err *err)
{
    const X509 *const ca_chain[] = {pki->cert[SIM_CA], pki->cert[SIM_ROOT]};
    ATLS_TRY(add_chain(out, "pck_crl_issuer_chain", ca_chain, 2, err));
    if (plan->pck_chain != SIM_PCK_CHAIN_NONE) {
        const X509 *const chain[] = {pki->pck[plan->pck_chain == SIM_PCK_CHAIN_OWN ? 0 : 1],
                                     pki->cert[SIM_CA], pki->cert[SIM_ROOT]};
        ATLS_TRY(add_chain(out, "pck_certificate_chain", chain, 3, err));
    }
    ATLS_TRY(add_crl(out, "root_ca_crl", &plan->root_crl, pki->root_crl, err));
    ATLS_TRY(add_crl(out, "pck_crl", &plan->pck_crl, pki->pck_crl, err));
    ATLS_TRY(add_signed(out, "tcb_info", &plan->tcb_info, pki,
                        sim_tcb_info_text(&plan->tcb_info, text_tee(&plan->tcb_info, tee), when_s),
                        err));
    return add_signed(
        out, "qe_identity", &plan->qe_identity, pki,
        sim_qe_identity_text(&plan->qe_identity, text_tee(&plan->qe_identity, tee), when_s), err);
}

atls_code sim_collateral_make(const sim_plan *plan, sim_tee tee, int64_t when_s, const sim_pki *pki,
                              char **json, atls_err *err)
{
    json_t *out = json_object();
    if (out == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    char *text = NULL;
    atls_code rc = fill(out, plan, tee, when_s, pki, err);
    if (rc == ATLS_OK && (text = atls_json_write(out, JSON_INDENT(1))) == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    }
    json_decref(out);
    if (rc == ATLS_OK) {
        *json = text;
    }
    return rc;
}
