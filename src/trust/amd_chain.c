#include "trust/amd_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "crypto/x509_name.h"
#include "trust/amd_pinned.h"
#include "trust/trust.h"

#define CN_LEN      128
#define RSA_4096    512 /* bytes of the modulus */
#define LEAF_SKEW_S 300
#define PEM_CERTS   8

/* A certificate that may have signed the leaf. */
typedef struct issuer {
    char cn[CN_LEN];
    atls_cert *cert; /* NULL: pinned */
    atls_public_key *key;
    const atls_root *root; /* pinned: the ARK it is under */
    uint8_t serial[20];
    size_t serial_len;
    atls_window window;
} issuer;

typedef struct judging {
    const atls_judging *j;
    const atls_view *view; /* NULL: none */
    const atls_root_set *roots;
    const atls_endorsements *endorsements; /* NULL: none */
    const atls_amd_cert_table *table;
    atls_amd_chain *c;
    atls_cert *leaf;
    char issuer_cn[CN_LEN], issuer_o[CN_LEN];
    issuer ca;
} judging;

static bool check(const judging *g, const char *id, bool good, const char *found,
                  const char *wanted)
{
    return atls_judge(g->j, id, good, ATLS_E_INVALID, found, wanted);
}

static bool signed_with_pss(const atls_cert *cert)
{
    return cert->sig_known && cert->sig_scheme == ATLS_RSA_PSS && cert->sig_hash == ATLS_SHA384;
}

static bool is_rsa_4096(const atls_public_key *key)
{
    return key != NULL && atls_public_key_kind(key) == ATLS_KEY_RSA &&
           atls_public_key_size(key) == RSA_4096;
}

/* --- certificates out of bytes --- */

/* The first certificate of PEM text, or the one of DER; NULL: it is none. */
static atls_cert *first_certificate(const atls_judging *j, atls_buf bytes)
{
    atls_buf ders[PEM_CERTS];
    size_t n = 0;
    atls_cert *cert = NULL;
    uint8_t *space = malloc(bytes.len > 0 ? bytes.len : 1);
    if (space == NULL) {
        atls_ledger_no_memory(j->l);
        return NULL;
    }
    if (atls_judging_taken(j,
                           atls_cert_split(bytes, space, bytes.len, ders, PEM_CERTS, &n, NULL))) {
        (void)atls_judging_taken(j, atls_cert_parse(ders[0], &cert, NULL));
    }
    free(space);
    return cert;
}

/* --- who signed the leaf --- */

static void issuer_clear(issuer *ca)
{
    atls_cert_free(ca->cert);
    atls_public_key_free(ca->key);
    *ca = (issuer){0};
}

/* An ARK is found by its name; of several by that name, the one that signed this ASK or ASVK, and if none did, for
 * the words of the refusal, one that bears the simulator's mark as the leaf's issuer does. */
static const atls_root *root_named(const judging *g, const char *cn, bool simulated)
{
    const atls_root *found = NULL;
    const atls_root *signer = NULL;
    size_t n = 0;
    for (size_t i = 0; i < g->roots->n; i++) {
        const atls_root *root = &g->roots->roots[i];
        if (strcmp(root->subject_cn, cn) != 0) {
            continue;
        }
        if (found == NULL || (root->simulated == simulated && found->simulated != simulated)) {
            found = root;
        }
        n += root->simulated == simulated ? 1 : 0;
    }
    for (size_t i = 0; n > 1 && i < g->roots->n && signer == NULL; i++) {
        const atls_root *root = &g->roots->roots[i];
        if (strcmp(root->subject_cn, cn) == 0 && root->simulated == simulated) {
            (*g->j->signatures)++;
            signer = atls_cert_signed_by_key(g->ca.cert, root->public_key) ? root : NULL;
        }
    }
    return signer != NULL ? signer : found;
}

/* SHA-256 of the SubjectPublicKeyInfo of AMD's ARKs, under which the pinned ASKs and ASVKs are. */
static const uint8_t ark_spki[][32] = {
    [ATLS_AMD_MILAN] = {0x9f, 0x05, 0x6b, 0xee, 0x44, 0x37, 0x7e, 0x29, 0x30, 0x8c, 0xb5,
                        0xff, 0xa8, 0x95, 0xbd, 0xfb, 0x62, 0xd1, 0x88, 0x81, 0xfa, 0x6b,
                        0xed, 0x8d, 0x6f, 0x07, 0x5b, 0x02, 0x04, 0x08, 0x9c, 0xb9},
    [ATLS_AMD_GENOA] = {0x42, 0x9a, 0x69, 0xc9, 0x42, 0x2a, 0xa2, 0x58, 0xee, 0x4d, 0x8d,
                        0xb5, 0xfc, 0xda, 0x9c, 0x64, 0x70, 0xef, 0x15, 0xf8, 0xcd, 0x5a,
                        0x9c, 0xeb, 0xd6, 0xcb, 0xc7, 0xd9, 0x0b, 0x86, 0x38, 0x31},
    [ATLS_AMD_TURIN] = {0x4f, 0x12, 0x54, 0x10, 0x56, 0x3a, 0x2a, 0xb9, 0xa5, 0x03, 0x56,
                        0xf9, 0x24, 0x3f, 0x6f, 0xe0, 0xb6, 0xf7, 0x3d, 0xe9, 0x86, 0x03,
                        0xf5, 0x3f, 0x90, 0x33, 0x9c, 0x70, 0xe9, 0xd7, 0xad, 0x08},
};

/* The ASK or ASVK that this library carries, if its own ARK is trusted, be it pinned or given anew. */
static bool pinned_issuer(const judging *g, issuer *out)
{
    static const uint8_t exponent[] = {1, 0, 1};
    for (size_t i = 0; i < ATLS_AMD_INTERMEDIATES; i++) {
        const atls_amd_intermediate *p = &atls_amd_intermediates[i];
        if (strcmp(p->subject_cn, g->issuer_cn) != 0) {
            continue;
        }
        const uint8_t *ark = ark_spki[atls_amd_product_by_name(p->product)];
        for (size_t k = 0; k < g->roots->n; k++) {
            const atls_root *root = &g->roots->roots[k];
            if (memcmp(root->spki_sha256, ark, sizeof root->spki_sha256) != 0) {
                continue;
            }
            *out = (issuer){.root = root, .window = {p->not_before_s, p->not_after_s}};
            (void)snprintf(out->cn, sizeof out->cn, "%s", p->subject_cn);
            memcpy(out->serial, p->serial, sizeof p->serial);
            out->serial_len = sizeof p->serial;
            return atls_judging_taken(
                g->j, atls_public_key_rsa((atls_buf){p->modulus, sizeof p->modulus},
                                          (atls_buf){exponent, sizeof exponent}, &out->key, NULL));
        }
    }
    return false;
}

/* Takes over the caller's reference. */
static bool brought_issuer(const judging *g, atls_cert *cert, issuer *out)
{
    if (cert == NULL || !atls_same_bytes(cert->subject, g->leaf->issuer) ||
        atls_self_issued(cert)) {
        atls_cert_free(cert);
        return false;
    }
    *out = (issuer){.cert = cert, .window = {cert->not_before_s, cert->not_after_s}};
    memcpy(out->cn, cert->subject_cn, sizeof cert->subject_cn);
    memcpy(out->serial, cert->serial, sizeof out->serial);
    out->serial_len = cert->serial_len;
    (void)atls_judging_taken(g->j, atls_cert_public_key(cert, &out->key, NULL));
    return true;
}

/* Keeps a candidate if it signed the leaf, or if there was none before. True: look no further. */
static bool try_issuer(judging *g, issuer *candidate)
{
    (*g->j->signatures)++;
    bool signed_it = candidate->key != NULL && atls_cert_signed_by_key(g->leaf, candidate->key);
    if (signed_it || g->ca.cn[0] == '\0') {
        issuer_clear(&g->ca);
        g->ca = *candidate;
    } else {
        issuer_clear(candidate);
    }
    return signed_it;
}

/* Those of the shelf. */
static bool find_shelved(judging *g)
{
    issuer candidate;
    atls_shelf_held *held = NULL;
    for (size_t i = 0; g->view != NULL && g->view->shelf != NULL &&
                       (held = atls_shelf_at(g->view->shelf, ATLS_ITEM_AMD_CHAIN, i, NULL)) != NULL;
         i++) {
        if (brought_issuer(g, atls_cert_up_ref(held->issuer), &candidate) &&
            try_issuer(g, &candidate)) {
            return true;
        }
    }
    return false;
}

/* Pinned, then the table's, then endorsed ones, then the shelf's: the first that signed the leaf. */
static bool find_issuer(judging *g)
{
    issuer candidate;
    if (strcmp(g->issuer_o, ATLS_SIMULATOR_O) != 0 && pinned_issuer(g, &candidate) &&
        try_issuer(g, &candidate)) {
        return true;
    }
    const atls_buf ask = g->table->entry[ATLS_AMD_ASK];
    if (ask.len > 0 && brought_issuer(g, first_certificate(g->j, ask), &candidate) &&
        try_issuer(g, &candidate)) {
        return true;
    }
    const atls_endorsements *e = g->endorsements;
    for (size_t i = 0; e != NULL && i < e->certs_n; i++) {
        if (brought_issuer(g, atls_cert_up_ref(e->certs[i]), &candidate) &&
            try_issuer(g, &candidate)) {
            return true;
        }
    }
    return find_shelved(g);
}

/* --- link by link --- */

static bool judge_leaf_form(const judging *g)
{
    const atls_cert *leaf = g->leaf;
    const char *cn = g->c->is_vlek ? "SEV-VLEK" : "SEV-VCEK";
    const char *ca = g->c->is_vlek ? "SEV-VLEK-" : "SEV-";
    bool good = check(g, "snp.leaf.name", strcmp(leaf->subject_cn, cn) == 0,
                      "a certificate of another name", cn);
    bool named = strncmp(g->issuer_cn, ca, strlen(ca)) == 0 &&
                 atls_amd_product_by_name(g->issuer_cn + strlen(ca)) != ATLS_AMD_UNKNOWN;
    good = check(g, "snp.leaf.issuer", named, "an issuer of another name",
                 g->c->is_vlek ? "SEV-VLEK-Milan, -Genoa or -Turin"
                               : "SEV-Milan, SEV-Genoa or SEV-Turin") &&
           good;
    good = check(g, "snp.leaf.usage", !leaf->is_ca && !leaf->unknown_critical,
                 "a CA, or an unknown critical extension", "an end of the chain") &&
           good;
    return check(g, "snp.leaf.algorithm", signed_with_pss(leaf), "another signature algorithm",
                 "RSASSA-PSS with SHA-384") &&
           good;
}

/* What the extensions say, and that it is about the product of the issuer's name. */
static bool judge_leaf_facts(const judging *g)
{
    atls_amd_chain *c = g->c;
    atls_err err = {0};
    if (!atls_judging_taken(g->j, atls_amd_leaf_read(g->leaf, c->is_vlek, &c->facts, &err))) {
        atls_ledger_fail_err(g->j->l, &err);
        return false;
    }
    c->has_facts = true;
    atls_ledger_ok(g->j->l, "snp.leaf.extensions");
    const char *product = strrchr(g->issuer_cn, '-');
    return check(g, "snp.leaf.product",
                 product != NULL && atls_amd_product_by_name(product + 1) == c->facts.product,
                 "a leaf of another product than its issuer",
                 atls_amd_product_name(c->facts.product));
}

/* Of an ASK that was brought; a pinned one (no certificate) is what it is. */
static bool judge_ca_form(const atls_judging *j, const atls_cert *ca, const atls_public_key *key)
{
    bool good = atls_judge(j, "snp.ca.key", is_rsa_4096(key), ATLS_E_INVALID, "another key",
                           "RSA of 4096 bits");
    if (ca == NULL) {
        return good;
    }
    good = atls_judge(j, "snp.ca.usage",
                      ca->has_basic_constraints && ca->is_ca && ca->has_key_usage &&
                          ca->ku_cert_sign && !ca->unknown_critical,
                      ATLS_E_INVALID, "a certificate that may not sign others", "a CA") &&
           good;
    return atls_judge(j, "snp.ca.algorithm", signed_with_pss(ca), ATLS_E_INVALID,
                      "another signature algorithm", "RSASSA-PSS with SHA-384") &&
           good;
}

/* An ASK's issuer is the ARK of its product; ca_cn is the ASK's own name. */
static bool judge_ca_issuer(const atls_judging *j, const atls_cert *ca, const char *ca_cn,
                            char cn[CN_LEN])
{
    const char *product = strrchr(ca_cn, '-');
    (void)atls_x509_name_one(ca->issuer, "CN", cn, CN_LEN);
    return atls_judge(j, "snp.ca.issuer",
                      strncmp(cn, "ARK-", 4) == 0 && product != NULL &&
                          strcmp(cn + 4, product + 1) == 0,
                      ATLS_E_INVALID, "an issuer of another name", "ARK- and the product");
}

static bool judge_ca_signature(const atls_judging *j, const atls_cert *ca, const atls_root *root)
{
    (*j->signatures)++;
    return atls_judge(j, "snp.ca.signature", atls_cert_signed_by_key(ca, root->public_key),
                      ATLS_E_INVALID, "a signature that the trusted root did not make",
                      "a valid one");
}

/* ASK under ARK: of the same product, and the ARK one of ours. */
static const atls_root *judge_root(const judging *g)
{
    const atls_root *root = g->ca.root;
    char cn[CN_LEN] = "";
    if (root == NULL) {
        const bool simulated = strcmp(g->issuer_o, ATLS_SIMULATOR_O) == 0;
        if (!judge_ca_issuer(g->j, g->ca.cert, g->issuer_cn, cn)) {
            return NULL;
        }
        root = root_named(g, cn, simulated);
    }
    if (!check(g, "snp.root.trusted", root != NULL, "a root that is not trusted",
               "a pinned AMD root, or one given for it") ||
        !check(g, "snp.root.key", is_rsa_4096(root->public_key), "another key",
               "RSA of 4096 bits")) {
        return NULL;
    }
    return root;
}

static void take_root(atls_amd_chain *c, const atls_root *root)
{
    c->has_root = true;
    memcpy(c->root_cn, root->subject_cn, sizeof c->root_cn);
    memcpy(c->root_sha256, root->sha256, sizeof c->root_sha256);
    c->root_marked = root->cert != NULL && strcmp(root->cert->subject_o, ATLS_SIMULATOR_O) == 0;
    c->root_key = atls_public_key_up_ref(root->public_key);
    c->root_window = (atls_window){root->not_before_s, root->not_after_s};
    c->simulated = c->simulated || root->simulated;
    c->custom_root = root->custom;
}

/* True: the issuer is vouched for by a root of ours. */
static bool judge_ca(const judging *g)
{
    bool good = judge_ca_form(g->j, g->ca.cert, g->ca.key);
    const atls_root *root = judge_root(g);
    if (root == NULL) {
        atls_ledger_skip(g->j->l, "snp.ca.signature", "there is no root to check it with");
        return false;
    }
    if (g->ca.cert != NULL && !judge_ca_signature(g->j, g->ca.cert, root)) {
        return false;
    }
    take_root(g->c, root);
    g->c->ca_window = g->ca.window;
    memcpy(g->c->ca_serial, g->ca.serial, sizeof g->c->ca_serial);
    g->c->ca_serial_len = g->ca.serial_len;
    return good;
}

static bool judge_leaf_key(const judging *g)
{
    atls_public_key *key = NULL;
    bool p384 = atls_judging_taken(g->j, atls_cert_public_key(g->leaf, &key, NULL)) &&
                atls_public_key_kind(key) == ATLS_KEY_P384;
    g->c->key = key;
    return check(g, "snp.leaf.key", p384, "another key", "one on P-384");
}

static void judge_chain(judging *g)
{
    atls_amd_chain *c = g->c;
    (void)atls_x509_name_one(g->leaf->issuer, "CN", g->issuer_cn, sizeof g->issuer_cn);
    (void)atls_x509_name_one(g->leaf->issuer, "O", g->issuer_o, sizeof g->issuer_o);
    c->simulated = strcmp(g->leaf->subject_o, ATLS_SIMULATOR_O) == 0 ||
                   strcmp(g->issuer_o, ATLS_SIMULATOR_O) == 0;
    c->leaf_window = (atls_window){g->leaf->not_before_s, g->leaf->not_after_s};
    bool good = judge_leaf_form(g);
    good = judge_leaf_key(g) && good;
    good = judge_leaf_facts(g) && good;
    bool signed_it = find_issuer(g);
    if (g->ca.cn[0] == '\0') {
        (void)atls_judge_there(g->j, "snp.ca.missing", false,
                               "the ASK or ASVK that signed the leaf, from the certificate table "
                               "or as an endorsement");
        atls_ledger_skip(g->j->l, "snp.leaf.signature", "there is no issuer to check it with");
        good = false;
    } else {
        good = check(g, "snp.leaf.signature", signed_it, "a signature that its issuer did not make",
                     "a valid one") &&
               good;
        good = judge_ca(g) && good;
    }
    if (!good) {
        atls_public_key_free(c->key);
        c->key = NULL;
    }
}

/* --- the whole --- */

static void chain_free(atls_kept *kept)
{
    atls_amd_chain *c = (atls_amd_chain *)kept;
    atls_public_key_free(c->key);
    atls_public_key_free(c->root_key);
    free(c);
}

/* Roots and endorsements do not change without the cache being emptied; the shelf's chains may. */
static bool cache_key(const atls_view *view, atls_buf leaf, bool is_vlek,
                      const atls_amd_cert_table *table, uint8_t key[32])
{
    const atls_buf ask = table->entry[ATLS_AMD_ASK];
    const atls_buf shelved = {view->shelf != NULL ? atls_shelf_amd_chains_sha256(view->shelf)
                                                  : NULL,
                              view->shelf != NULL ? 32 : 0};
    uint8_t tag[16] = {
        'A', 'M', 'D', ' ', 'c', 'h', 'a', 'i', 'n', is_vlek ? 1 : 0, shelved.len > 0 ? 1 : 0};
    for (size_t i = 0; i < 4; i++) {
        tag[12 + i] = (uint8_t)(leaf.len >> (8 * i));
    }
    const atls_buf pieces[] = {{tag, sizeof tag}, shelved, leaf, ask};
    return atls_digest(ATLS_SHA256, pieces, 4, key, NULL) == ATLS_OK;
}

static void judge_all(judging *g, atls_buf leaf)
{
    g->leaf = first_certificate(g->j, leaf);
    if (check(g, "snp.leaf.format", g->leaf != NULL, "something that is no certificate",
              "a VCEK or VLEK in DER or PEM")) {
        judge_chain(g);
    }
    atls_cert_free(g->leaf);
    issuer_clear(&g->ca);
}

/* g without a chain. */
static atls_code judge_new(judging *g, atls_buf leaf, bool is_vlek, atls_amd_chain **out,
                           atls_err *err)
{
    atls_amd_chain *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_kept_init(&c->kept, chain_free);
    c->is_vlek = is_vlek;
    c->leaf_window = c->ca_window = c->root_window = atls_window_all;
    g->c = c;
    judge_all(g, leaf);
    *out = c;
    return ATLS_OK;
}

atls_code atls_amd_chain_judge(const struct atls_trust *trust, const atls_view *view, atls_buf leaf,
                               bool is_vlek, const atls_amd_cert_table *table,
                               const atls_judging *j, atls_amd_chain **out, atls_err *err)
{
    uint8_t key[32];
    const bool has_key = cache_key(view, leaf, is_vlek, table, key);
    atls_amd_chain *c = has_key ? atls_kept_cache_get(trust->kept, key) : NULL;
    if (c != NULL) {
        atls_replay_write(&c->replay, j->l);
        *out = c;
        return ATLS_OK;
    }
    const size_t from = j->l->count;
    judging g = {.j = j,
                 .view = view,
                 .roots = atls_trust_roots(trust, ATLS_FAMILY_AMD),
                 .endorsements = &trust->endorsements,
                 .table = table};
    ATLS_TRY(judge_new(&g, leaf, is_vlek, &c, err));
    if (has_key && c->key != NULL && atls_replay_record(&c->replay, j->l, from)) {
        atls_kept_cache_put(trust->kept, key, c);
    }
    *out = c;
    return ATLS_OK;
}

atls_code atls_amd_chain_judge_under(const atls_root_set *roots, atls_buf leaf, bool is_vlek,
                                     atls_buf ask, const atls_judging *j, atls_amd_chain **out,
                                     atls_err *err)
{
    const atls_amd_cert_table table = {.entry = {[ATLS_AMD_ASK] = ask}};
    judging g = {.j = j, .roots = roots, .table = &table};
    return judge_new(&g, leaf, is_vlek, out, err);
}

bool atls_amd_ca_judge(const atls_judging *j, const atls_cert *ca, const atls_root *root)
{
    char cn[CN_LEN] = "";
    atls_public_key *key = NULL;
    (void)atls_judging_taken(j, atls_cert_public_key(ca, &key, NULL));
    bool good = judge_ca_form(j, ca, key);
    atls_public_key_free(key);
    good = judge_ca_issuer(j, ca, ca->subject_cn, cn) && good;
    good = atls_judge(j, "snp.root.trusted", strcmp(cn, root->subject_cn) == 0, ATLS_E_INVALID,
                      "another root than the issuer", "the issuer") &&
           good;
    good = atls_judge(j, "snp.root.key", is_rsa_4096(root->public_key), ATLS_E_INVALID,
                      "another key", "RSA of 4096 bits") &&
           good;
    return judge_ca_signature(j, ca, root) && good;
}

void atls_amd_chain_judge_times(const atls_amd_chain *c, int64_t when_s, atls_ledger *l)
{
    atls_window leaf = c->leaf_window;
    leaf.begins_s =
        leaf.begins_s > INT64_MIN + LEAF_SKEW_S ? leaf.begins_s - LEAF_SKEW_S : leaf.begins_s;
    (void)atls_judge_window(l, "snp.leaf.time", &leaf, when_s);
    if (c->has_root) {
        (void)atls_judge_window(l, "snp.ca.time", &c->ca_window, when_s);
        (void)atls_judge_window(l, "snp.root.time", &c->root_window, when_s);
    }
}
