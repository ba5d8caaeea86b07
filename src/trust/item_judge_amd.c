/* AMD's: VCEKs, the chains above them, and the revocation lists of the ARKs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/x509_name.h"
#include "trust/amd_chain.h"
#include "trust/intel_signed.h"
#include "trust/item_judging.h"

#define CN_LEN 128

/* "ARK-", "SEV-" or "SEV-VLEK-", and the product of the key. */
static bool is_named(const atls_item_judging *g, const char *cn, const char *prefix)
{
    return strncmp(cn, prefix, strlen(prefix)) == 0 &&
           strcmp(cn + strlen(prefix), atls_amd_product_name(g->name->product)) == 0;
}

/* --- VCEKs --- */

static void note_window(const atls_item_judging *g, const atls_window *w)
{
    if (w->ends_s < g->facts->expires_s) {
        g->facts->expires_s = w->ends_s;
    }
}

static void judge_vcek_name(const atls_item_judging *g, const atls_amd_leaf *leaf)
{
    const atls_item_name *name = g->name;
    (void)atls_item_check_name(g, leaf->product == name->product, "a VCEK of another product");
    (void)atls_item_check_name(g,
                               leaf->has_hw_id && leaf->hw_id_len == name->hwid_len &&
                                   memcmp(leaf->hw_id, name->hwid, name->hwid_len) == 0,
                               "a VCEK of another chip");
    (void)atls_item_check_name(g, memcmp(leaf->tcb, name->tcb, sizeof leaf->tcb) == 0,
                               "a VCEK of another TCB");
}

static void judge_vcek(const atls_item_judging *g)
{
    const atls_item *item = g->item;
    atls_amd_chain *c = NULL;
    if (!atls_item_check(g, "snp.leaf.format", item->body.len > 0 && item->body.ptr[0] == 0x30,
                         "something that is no certificate", "a VCEK in DER") ||
        !atls_judging_taken(g->j, atls_amd_chain_judge_under(g->roots, item->body, false,
                                                             item->chain, g->j, &c, NULL))) {
        return;
    }
    if (c->has_facts) {
        judge_vcek_name(g, &c->facts);
    }
    g->facts->simulated = c->simulated;
    memcpy(g->facts->root_sha256, c->root_sha256, sizeof c->root_sha256);
    atls_item_note_times(g, c->leaf_window.begins_s, c->leaf_window.ends_s);
    note_window(g, &c->ca_window);
    note_window(g, &c->root_window);
    atls_kept_free(c);
}

/* --- chains --- */

static void judge_pair(const atls_item_judging *g, const atls_cert *ca, const atls_cert *ark)
{
    const atls_root *root = atls_root_find(g->roots, ark);
    if (!atls_item_check(g, "snp.root.trusted", root != NULL, "a root that is not trusted",
                         "a pinned AMD root, or one given for it")) {
        return;
    }
    (void)atls_amd_ca_judge(g->j, ca, root);
    (void)atls_item_check_name(g,
                               is_named(g, ca->subject_cn, g->name->is_vlek ? "SEV-VLEK-" : "SEV-"),
                               "the chain of another product or signer");
    atls_item_note_root(g, root);
    atls_item_note_cert(g, ca);
    atls_item_note_times(g, ca->not_before_s, ca->not_after_s);
}

static void judge_chain(const atls_item_judging *g)
{
    atls_collateral_chain chain;
    atls_cert_chain certs = {.n = 0};
    uint8_t *space = atls_item_split(g, g->item->body, &chain);
    if (atls_item_check(g, "item.chain",
                        atls_cert_chain_parse(g->j, &chain, &certs) && certs.n == 2 &&
                            !atls_self_issued(certs.certs[0]),
                        "something else", "ASK or ASVK, then ARK, in PEM")) {
        judge_pair(g, certs.certs[0], certs.certs[1]);
    }
    atls_cert_chain_clear(&certs);
    free(space);
}

/* --- revocation lists --- */

static bool is_marked(const atls_root *root)
{
    return root->cert != NULL && strcmp(root->cert->subject_o, ATLS_SIMULATOR_O) == 0;
}

/* The ARK by whose name the list is; of several, the one that signed it. */
static const atls_root *root_of_crl(const atls_item_judging *g, const atls_crl *crl)
{
    const atls_root *found = NULL;
    for (size_t i = 0; i < g->roots->n; i++) {
        const atls_root *root = &g->roots->roots[i];
        if (!atls_amd_crl_is_of(crl, root->subject_cn, is_marked(root))) {
            continue;
        }
        (*g->j->signatures)++;
        if (found == NULL || atls_crl_signed_by_key(crl, root->public_key)) {
            found = root;
        }
    }
    return found;
}

static void judge_crl(const atls_item_judging *g)
{
    atls_crl *crl = NULL;
    char cn[CN_LEN] = "";
    if (!atls_item_check(g, "snp.crl.format",
                         atls_judging_taken(g->j, atls_crl_parse(g->item->body, &crl, NULL)),
                         "something that is no revocation list", "AMD's, in DER") ||
        crl == NULL) {
        return;
    }
    const atls_root *root = root_of_crl(g, crl);
    if (atls_item_check(g, "snp.crl.issuer", root != NULL, "a list of another issuer",
                        "one of a trusted ARK") &&
        atls_amd_crl_holds(g->j, crl, root->public_key)) {
        (void)atls_x509_name_one(crl->issuer, "CN", cn, sizeof cn);
        (void)atls_item_check_name(g, is_named(g, cn, "ARK-"), "a list of another product");
        atls_item_note_root(g, root);
        atls_item_note_times(g, crl->this_update_s, crl->next_update_s);
        if (crl->has_number) {
            atls_item_note_number(g, crl->number);
        }
    }
    atls_crl_free(crl);
}

/* Beside a VCEK or a list may stand certificates that are needed to judge it. */
static bool chain_is_readable(const atls_item_judging *g)
{
    atls_collateral_chain chain;
    free(atls_item_split(g, g->item->chain, &chain));
    return !chain.present || atls_item_check(g, "item.chain", chain.readable, "something else",
                                             "certificates in PEM, and nothing else");
}

void atls_item_judge_amd(const atls_item_judging *g)
{
    if (!chain_is_readable(g)) {
        return;
    }
    switch (g->name->kind) {
    case ATLS_ITEM_VCEK:
        judge_vcek(g);
        return;
    case ATLS_ITEM_AMD_CHAIN:
        judge_chain(g);
        return;
    default:
        judge_crl(g);
        return;
    }
}
