/* Intel's: TCB info and enclave identities, revocation lists, PCK certificates. What is asked of each is what a
 * verification asks, by the same functions; revocation and times are not looked at here. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"
#include "crypto/x509_name.h"
#include "trust/intel_signed.h"
#include "trust/item_judging.h"
#include "trust/pck.h"
#include "trust/pck_chain.h"
#include "trust/tcb_info.h"

#define RS_LEN       64
#define BODY_MAX_LEN (ATLS_SIGNED_TEXT_MAX + 1024) /* the text, and what it is wrapped in */

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text);
    const size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* --- signed texts --- */

typedef struct signed_body {
    atls_collateral_item text, signature;
    uint8_t rs[RS_LEN];
} signed_body;

/* {"tcbInfo": text, "signature": "128 hex digits"}; the text exactly as it stands there. */
static bool unwrap(const atls_item_judging *g, const char *member, signed_body *out)
{
    json_t *json = NULL;
    size_t len = 0;
    if (!atls_judging_taken(
            g->j, atls_json_parse(g->item->body, BODY_MAX_LEN, "item.form", &json, NULL))) {
        return false;
    }
    const json_t *signature = json_object_get(json, "signature");
    const bool good = json_is_object(json_object_get(json, member)) && json_is_string(signature) &&
                      atls_hex_decode(json_string_value(signature), json_string_length(signature),
                                      out->rs, sizeof out->rs, &len) &&
                      len == sizeof out->rs &&
                      atls_json_member_bytes(g->item->body, member, &out->text.bytes) &&
                      out->text.bytes.len <= ATLS_SIGNED_TEXT_MAX;
    json_decref(json);
    out->text.present = out->text.readable = good;
    out->signature = (atls_collateral_item){good, good, (atls_buf){out->rs, sizeof out->rs}};
    return good;
}

/* A reference to the signer, or NULL. */
static atls_cert *judge_signer(const atls_item_judging *g, const atls_signed_ids *ids)
{
    atls_collateral_chain chain;
    atls_cert_chain certs = {.n = 0};
    atls_cert *signer = NULL;
    uint8_t *space = atls_item_split(g, g->item->chain, &chain);
    if (!atls_judge_there(g->j, ids->chain_missing, chain.present,
                          "the chain of the signing certificate")) {
        return NULL;
    }
    const bool parsed = atls_cert_chain_parse(g->j, &chain, &certs);
    if (atls_item_check(g, ids->chain_format, parsed && certs.n == 2, "something else",
                        "PEM of exactly two certificates")) {
        const atls_root *root = atls_root_find(g->roots, atls_signer_root(&certs));
        signer = atls_judge_signer(g->j, ids, &certs, root);
        if (signer != NULL) {
            atls_item_note_root(g, root);
            atls_item_note_cert(g, signer);
            signer = atls_cert_up_ref(signer);
        }
    }
    atls_cert_chain_clear(&certs);
    free(space);
    return signer;
}

/* The signed text, if it may be interpreted. */
static bool judge_body(const atls_item_judging *g, const atls_signed_ids *ids, const char *member,
                       signed_body *body)
{
    atls_cert *signer = judge_signer(g, ids);
    const bool good = atls_item_check(g, ids->format, unwrap(g, member, body), "something else",
                                      "a JSON object of the text and its signature") &&
                      atls_judge_signed(g->j, ids, &body->text, &body->signature, signer);
    atls_cert_free(signer);
    return good;
}

static void judge_channel(const atls_item_judging *g, uint32_t number)
{
    if (g->name->channel == ATLS_CHANNEL_NUMBER) {
        (void)atls_item_check_name(g, number == g->name->number, "another tcbEvaluationDataNumber");
    }
    atls_item_note_number(g, number);
}

static void judge_tcb_info(const atls_item_judging *g)
{
    signed_body body = {0};
    atls_tcb_info *info = NULL;
    atls_err err = {0};
    if (!judge_body(g, &atls_tcb_info_ids, "tcbInfo", &body)) {
        return;
    }
    if (!atls_judging_taken(g->j, atls_tcb_info_parse(body.text.bytes, &info, &err))) {
        atls_ledger_fail_err(g->j->l, &err);
        return;
    }
    (void)atls_item_check_name(g, info->is_tdx == g->name->is_tdx, "TCB info of another TEE");
    (void)atls_item_check_name(g, memcmp(info->fmspc, g->name->fmspc, sizeof info->fmspc) == 0,
                               "TCB info of another FMSPC");
    judge_channel(g, info->evaluation_number);
    atls_item_note_times(g, info->issue_date_s, info->next_update_s);
    atls_tcb_info_free(info);
}

static void judge_qe_identity(const atls_item_judging *g)
{
    signed_body body = {0};
    atls_qe_identity *identity = NULL;
    atls_err err = {0};
    if (!judge_body(g, &atls_qe_identity_ids, "enclaveIdentity", &body)) {
        return;
    }
    if (!atls_judging_taken(g->j, atls_qe_identity_parse(body.text.bytes, &identity, &err))) {
        atls_ledger_fail_err(g->j->l, &err);
        return;
    }
    (void)atls_item_check_name(g,
                               identity->id == (g->name->is_tdx ? ATLS_QE_ID_TD_QE : ATLS_QE_ID_QE),
                               "the identity of another enclave");
    judge_channel(g, identity->evaluation_number);
    atls_item_note_times(g, identity->issue_date_s, identity->next_update_s);
    atls_qe_identity_free(identity);
}

/* --- revocation lists --- */

static atls_crl *read_crl(const atls_item_judging *g, const atls_crl_ids *ids)
{
    atls_crl *crl = NULL;
    (void)atls_item_check(g, ids->format,
                          atls_judging_taken(g->j, atls_crl_parse(g->item->body, &crl, NULL)),
                          "something else", "a revocation list in DER");
    return crl;
}

static void note_crl(const atls_item_judging *g, const atls_crl *crl)
{
    atls_item_note_times(g, crl->this_update_s, crl->next_update_s);
    if (crl->has_number) {
        atls_item_note_number(g, crl->number);
    }
}

/* The CA between a trusted root and a list or a PCK certificate. */
static atls_key *judge_ca(const atls_item_judging *g, const atls_cert *ca,
                          const atls_cert *root_cert, const atls_root *root)
{
    const char *wrong = atls_intel_cert_wrong(ca);
    bool good = atls_item_check(g, "pck.chain.extensions", wrong == NULL, wrong, NULL);
    good = atls_item_check(g, "pck.ca.issuer", atls_issued_by(ca, root_cert), "another issuer",
                           "the root") &&
           good;
    good = atls_item_check(g, "pck.chain.usage", atls_may_sign_certs(ca), "a CA that may not issue",
                           NULL) &&
           good;
    good = atls_judge_cert_signature(g->j, "pck.ca.signature", ca, root->key) && good;
    return good ? atls_cert_key(g->j, ca) : NULL;
}

static void judge_pck_crl_under(const atls_item_judging *g, const atls_crl *crl,
                                const atls_cert_chain *certs)
{
    const size_t root_at = atls_self_issued(certs->certs[0]) ? 0 : 1;
    const atls_cert *root_cert = certs->certs[root_at];
    const atls_cert *ca = certs->certs[1 - root_at];
    const atls_root *root = atls_root_find(g->roots, root_cert);
    if (!atls_item_check(g, "pck.chain.root", root != NULL, "a root that is not trusted",
                         "a trusted SGX Root CA")) {
        return;
    }
    atls_key *key = judge_ca(g, ca, root_cert, root);
    (void)atls_judge_crl(g->j, &atls_pck_crl_ids, crl, ca, key);
    atls_key_free(key);
    (void)atls_item_check_name(
        g, ends_with(ca->subject_cn, g->name->is_processor ? " Processor CA" : " Platform CA"),
        "a list of another CA");
    atls_item_note_root(g, root);
    atls_item_note_cert(g, ca);
    note_crl(g, crl);
}

static void judge_pck_crl(const atls_item_judging *g)
{
    atls_crl *crl = read_crl(g, &atls_pck_crl_ids);
    atls_collateral_chain chain;
    atls_cert_chain certs = {.n = 0};
    if (crl == NULL) {
        return;
    }
    uint8_t *space = atls_item_split(g, g->item->chain, &chain);
    const bool parsed = atls_cert_chain_parse(g->j, &chain, &certs);
    if (atls_item_check(g, "pck_crl.chain.format", parsed && certs.n == 2, "something else",
                        "PEM of exactly two certificates, CA and root")) {
        judge_pck_crl_under(g, crl, &certs);
    }
    atls_cert_chain_clear(&certs);
    free(space);
    atls_crl_free(crl);
}

/* The root that signed it, which may be pinned and have no certificate here. */
static const atls_root *root_of_crl(const atls_item_judging *g, const atls_crl *crl)
{
    for (size_t i = 0; i < g->roots->n; i++) {
        const atls_root *root = &g->roots->roots[i];
        (*g->j->signatures)++;
        if (root->key != NULL && atls_crl_signed_by(crl, root->key)) {
            return root;
        }
    }
    return NULL;
}

static void judge_root_crl(const atls_item_judging *g)
{
    const atls_crl_ids *ids = &atls_root_crl_ids;
    char cn[128] = "";
    atls_crl *crl = read_crl(g, ids);
    if (crl == NULL) {
        return;
    }
    const atls_root *root = root_of_crl(g, crl);
    if (atls_item_check(g, ids->signature, root != NULL, "a signature that no trusted root made",
                        "that of an SGX Root CA")) {
        (void)atls_x509_name_one(crl->issuer, "CN", cn, sizeof cn);
        (void)atls_item_check(g, ids->issuer, strcmp(cn, root->subject_cn) == 0,
                              "a list of another issuer", root->subject_cn);
        (void)atls_item_check(g, ids->extensions,
                              crl->has_number && crl->has_aki && !crl->unknown_critical &&
                                  crl->next_update_s != INT64_MIN,
                              "a list without number, next update or its issuer's key identifier, "
                              "or a partial one",
                              "a whole one");
        atls_item_note_root(g, root);
        note_crl(g, crl);
    }
    atls_crl_free(crl);
}

/* --- PCK certificates --- */

/* The service gives the certificate of the highest level that the asked raw TCB reaches. Which platform a QEID is, the
 * certificate does not say: that is the service's word. */
static void judge_pck_name(const atls_item_judging *g, const atls_pck_extension *e)
{
    const uint16_t pcesvn = (uint16_t)(g->name->pcesvn[0] + g->name->pcesvn[1] * 256u);
    bool above = e->svn.pcesvn > pcesvn;
    for (size_t i = 0; i < sizeof e->svn.sgx; i++) {
        above = above || e->svn.sgx[i] > g->name->cpusvn[i];
    }
    (void)atls_item_check_name(g, memcmp(e->pceid, g->name->pceid, sizeof e->pceid) == 0,
                               "a certificate of another PCE");
    (void)atls_item_check_name(g, !above, "a certificate of a higher TCB");
}

static void judge_pck_signatures(const atls_item_judging *g, const atls_pck_chain *c,
                                 const atls_root *root)
{
    atls_pck_extension extension;
    atls_err err = {0};
    const bool ca_good = atls_judge_cert_signature(g->j, "pck.ca.signature", c->ca, root->key);
    atls_key *key = ca_good ? atls_cert_key(g->j, c->ca) : NULL;
    (void)atls_judge_cert_signature(g->j, "pck.leaf.signature", c->leaf, key);
    atls_key_free(key);
    if (atls_judging_taken(g->j,
                           atls_pck_extension_parse(c->leaf->sgx_extension, &extension, &err))) {
        atls_ledger_ok(g->j->l, "pck.extension");
        judge_pck_name(g, &extension);
    } else {
        atls_ledger_fail_err(g->j->l, &err);
    }
}

static void judge_pck_cert(const atls_item_judging *g)
{
    atls_collateral_chain chain;
    atls_pck_chain c = {NULL, NULL, NULL};
    uint8_t *space = atls_item_split(g, g->item->body, &chain);
    if (atls_item_check(g, "pck.chain.format",
                        chain.readable && atls_pck_chain_take(g->j, chain.ders, chain.n, &c),
                        "something else", "exactly three certificates")) {
        const atls_root *root = c.root == NULL ? NULL : atls_root_find(g->roots, c.root);
        if (atls_pck_chain_judge_roles(g->j, &c, root)) {
            (void)atls_pck_chain_judge_form(g->j, &c);
            judge_pck_signatures(g, &c, root);
            atls_item_note_times(g, c.leaf->not_before_s, c.leaf->not_after_s);
            atls_item_note_root(g, root);
            atls_item_note_cert(g, c.ca);
            atls_item_note_cert(g, c.leaf);
        }
    }
    atls_pck_chain_clear(&c);
    free(space);
}

void atls_item_judge_intel(const atls_item_judging *g)
{
    switch (g->name->kind) {
    case ATLS_ITEM_TCB_INFO:
        judge_tcb_info(g);
        return;
    case ATLS_ITEM_QE_IDENTITY:
        judge_qe_identity(g);
        return;
    case ATLS_ITEM_PCK_CRL:
        judge_pck_crl(g);
        return;
    case ATLS_ITEM_ROOT_CRL:
        judge_root_crl(g);
        return;
    default:
        judge_pck_cert(g);
        return;
    }
}
