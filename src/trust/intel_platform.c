#include "trust/intel_platform.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "crypto/x509_name.h"
#include "trust/pck_chain.h"
#include "trust/pck_item.h"
#include "trust/trust.h"

#define CERTIFICATION_DATA_MAX 32768 /* spec 24 */
#define PEM_LEAF               4
#define PEM_CHAIN              5
#define QE_REPORT_DATA_AT      320 /* spec 3.1 */

typedef struct judging {
    const atls_judging *j;
    const atls_trust *trust;
    const atls_view *view;
    const atls_platform_evidence *evidence;
    atls_intel_platform *p;
    const atls_root *root;
    atls_err *err;
    size_t at; /* of the collateral that is used; ATLS_COLLATERALS_MAX: none of the store's */
    atls_collateral *stapled;  /* that is used: the peer's; owned */
    atls_shelf_intel *shelved; /* that is used: the shelf's; lent */
} judging;

/* --- which certificates --- */

static atls_pck_chain chain_of(const atls_intel_platform *p)
{
    return (atls_pck_chain){p->root, p->ca, p->leaf};
}

static bool take_chain(const judging *g, const atls_buf *ders, size_t n)
{
    atls_pck_chain c;
    if (!atls_pck_chain_take(g->j, ders, n, &c)) {
        return false;
    }
    g->p->root = c.root;
    g->p->ca = c.ca;
    g->p->leaf = c.leaf;
    return true;
}

static void drop_chain(atls_intel_platform *p)
{
    atls_cert_free(p->root);
    atls_cert_free(p->ca);
    atls_cert_free(p->leaf);
    p->root = p->ca = p->leaf = NULL;
}

/* The chain in the quote, if it has one. */
static bool take_quoted_chain(const judging *g)
{
    const atls_platform_evidence *e = g->evidence;
    if (e->certification_type != PEM_CHAIN || e->certification_data.len > CERTIFICATION_DATA_MAX) {
        return false;
    }
    uint8_t *space = malloc(e->certification_data.len + 1);
    atls_buf ders[3];
    size_t n = 0;
    (void)atls_judging_taken(g->j, space == NULL ? ATLS_E_SYSTEM : ATLS_OK);
    bool good = space != NULL &&
                atls_cert_split(e->certification_data, space, e->certification_data.len, ders, 3,
                                &n, NULL) == ATLS_OK &&
                take_chain(g, ders, n);
    free(space);
    return good;
}

/* Spec 2.3: types 1 to 3 name the platform and its raw TCB. NULL: they do not, or the shelf has no chain for them. */
static atls_shelf_held *shelved_chain(const atls_trust *trust, const atls_view *view,
                                      const atls_platform_evidence *e)
{
    atls_item_name name;
    char key[ATLS_ITEM_KEY_LEN];
    if (view->shelf == NULL || e->certification_type >= PEM_LEAF ||
        !atls_pck_item_name(e->certification_type, e->certification_data, e->qe_id, &name)) {
        return NULL;
    }
    atls_item_name_format(&name, key);
    return atls_shelf_find(view->shelf, key, atls_trust_roots(trust, ATLS_FAMILY_INTEL), NULL);
}

static bool take_shelved_chain(const judging *g)
{
    atls_shelf_held *held = shelved_chain(g->trust, g->view, g->evidence);
    if (held == NULL) {
        return false;
    }
    g->p->pck = atls_shelf_held_up_ref(held);
    return true;
}

/* Spec 2.3: the leaf of a type 4 quote must be the leaf of the chain that came with the collateral. */
static bool leaf_is_quoted(const judging *g)
{
    const atls_platform_evidence *e = g->evidence;
    if (e->certification_data.len > CERTIFICATION_DATA_MAX) {
        return false;
    }
    uint8_t *space = malloc(e->certification_data.len + 1);
    atls_buf der;
    size_t n = 0;
    (void)atls_judging_taken(g->j, space == NULL ? ATLS_E_SYSTEM : ATLS_OK);
    bool same = space != NULL &&
                atls_cert_split(e->certification_data, space, e->certification_data.len, &der, 1,
                                &n, NULL) == ATLS_OK &&
                g->p->leaf != NULL && atls_same_bytes(der, g->p->leaf->der);
    free(space);
    return same;
}

/* --- the chain --- */

/* What would interpret bytes that nothing vouches for. */
static void skip_rest(const judging *g, const char *because)
{
    static const char *const ids[] = {"pck.ca.signature", "pck.leaf.signature",
                                      "qe_report.signature", "qe_report.data"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        atls_ledger_skip(g->j->l, ids[i], because);
    }
}

/* Did the collateral's own chain show this very CA, whose signature and list were verified there? */
static bool ca_is_known(const atls_intel_platform *p)
{
    return p->snapshot != NULL && p->snapshot->ca != NULL &&
           atls_same_bytes(p->snapshot->ca->der, p->ca->der);
}

static void judge_pck_crl(const judging *g, atls_key *ca_key)
{
    atls_intel_platform *p = g->p;
    const atls_crl_ids *ids = &atls_pck_crl_ids;
    if (p->snapshot == NULL || p->snapshot->pck_crl == NULL) {
        return; /* already in the ledger */
    }
    if (ca_is_known(p)) {
        atls_ledger_ok(g->j->l, ids->issuer);
        atls_ledger_ok(g->j->l, ids->extensions);
        atls_ledger_ok(g->j->l, ids->signature);
        p->pck_crl_holds = true;
    } else {
        p->pck_crl_holds = atls_judge_crl(g->j, ids, p->snapshot->pck_crl, p->ca, ca_key);
    }
}

static void judge_revocations(const judging *g)
{
    const atls_intel_platform *p = g->p;
    const atls_crl *root_crl = p->snapshot == NULL ? NULL : p->snapshot->root_crl;
    const atls_crl *pck_crl = p->pck_crl_holds ? p->snapshot->pck_crl : NULL;
    (void)atls_judge_revocation(g->j, "pck.root.crl", root_crl, p->root);
    (void)atls_judge_revocation(g->j, "pck.ca.crl", root_crl, p->ca);
    (void)atls_judge_revocation(g->j, "pck.leaf.crl", pck_crl, p->leaf);
}

/* Signatures from the root down; the CA's key, if it is vouched for, judges the PCK CRL. */
static bool judge_signatures(const judging *g)
{
    atls_intel_platform *p = g->p;
    bool ca_good = true;
    if (ca_is_known(p)) {
        atls_ledger_ok(g->j->l, "pck.ca.signature");
    } else {
        ca_good = atls_judge_cert_signature(g->j, "pck.ca.signature", p->ca, g->root->key);
    }
    atls_key *ca_key = ca_good ? atls_cert_key(g->j, p->ca) : NULL;
    bool leaf_good = atls_judge_cert_signature(g->j, "pck.leaf.signature", p->leaf, ca_key);
    judge_pck_crl(g, ca_key);
    atls_key_free(ca_key);
    return ca_good && leaf_good;
}

/* --- the attestation key --- */

static void judge_attestation_key(const judging *g)
{
    const atls_platform_evidence *e = g->evidence;
    atls_intel_platform *p = g->p;
    atls_key *leaf_key = atls_cert_key(g->j, p->leaf);
    bool good = atls_judge_rs(g->j, "qe_report.signature", leaf_key, e->qe_report,
                              e->qe_report_signature.ptr);
    atls_key_free(leaf_key);
    if (!good) {
        atls_ledger_skip(g->j->l, "qe_report.data", "the QE report's signature does not verify");
        return;
    }
    const atls_buf vouched[] = {e->attestation_key, e->qe_auth_data};
    uint8_t digest[32];
    /* Only the first half of the report data is looked at, as Intel's library does. */
    good = atls_judging_taken(g->j, atls_digest(ATLS_SHA256, vouched, 2, digest, NULL)) &&
           memcmp(digest, e->qe_report.ptr + QE_REPORT_DATA_AT, sizeof digest) == 0;
    if (!atls_judge(g->j, "qe_report.data", good, ATLS_E_INVALID, "another value",
                    "the hash of attestation key and authentication data")) {
        return;
    }
    atls_key *key = NULL;
    good = atls_judging_taken(g->j, atls_key_p256(e->attestation_key.ptr, &key, NULL));
    if (atls_judge(g->j, "quote.attestation_key", good, ATLS_E_INVALID, "no point of P-256",
                   NULL)) {
        p->attestation_key = key;
    }
}

/* --- the whole --- */

/* Read before anything vouches for it, as it says which collateral is needed; believed only when all holds. */
static bool read_extension(const judging *g, atls_err *err)
{
    atls_buf value = g->p->leaf == NULL ? (atls_buf){NULL, 0} : g->p->leaf->sgx_extension;
    return atls_pck_extension_parse(value, &g->p->extension, err) == ATLS_OK;
}

/* --- which collateral --- */

/* What a shelf is asked for; false: the chain does not tell. */
static bool take_name(atls_intel_platform *p, const uint8_t *fmspc)
{
    if (fmspc == NULL || p->root == NULL || p->leaf == NULL) {
        return false;
    }
    char ca[sizeof p->leaf->subject_cn] = "";
    (void)atls_x509_name_one(p->leaf->issuer, "CN", ca, sizeof ca);
    p->name = (atls_shelf_intel_name){.is_tdx = p->is_tdx,
                                      .is_processor = strstr(ca, "Processor") != NULL};
    memcpy(p->name.fmspc, fmspc, sizeof p->name.fmspc);
    memcpy(p->name.root_sha256, p->root->sha256, sizeof p->name.root_sha256);
    return true;
}

/* The shelf's, unless the verifier's own is newer and complete for this chain's CA; NULL: the shelf's is not it. */
static atls_shelf_intel *choose_shelved(const atls_intel_platform *p, const atls_view *view)
{
    atls_shelf_intel *shelved =
        view->shelf != NULL && p->has_name ? atls_shelf_intel_find(view->shelf, &p->name) : NULL;
    const bool own_is_newer =
        shelved != NULL && p->own != NULL &&
        atls_collateral_newer(p->own, atls_shelf_intel_collateral(shelved)) &&
        (p->leaf == NULL || atls_collateral_has_crl_of(p->own, p->leaf->issuer));
    return own_is_newer ? NULL : shelved;
}

/* Would it be judged with the same things now? */
static bool still_stands(const atls_intel_platform *p, const atls_trust *trust,
                         const atls_view *view, const atls_platform_evidence *evidence)
{
    if (view->shelf == NULL) {
        return true; /* the verifier's own do not change without the cache being emptied */
    }
    const atls_shelf_intel *shelved = choose_shelved(p, view);
    const atls_collateral *now = shelved != NULL ? atls_shelf_intel_collateral(shelved) : p->own;
    return p->snapshot->collateral == now && p->pck == shelved_chain(trust, view, evidence);
}

/* What the peer sent is looked at only where the verifier has nothing for this kind of platform: it is signed like any
 * other, but it is the peer who chose which of all that was ever signed. */
static atls_code take_stapled(judging *g)
{
    static const char id[] = "collateral.stapled";
    atls_err err = {0};
    const atls_code rc = atls_collateral_parse(g->evidence->stapled, &g->stapled, &err);
    if (rc == ATLS_E_SYSTEM) {
        return ATLS_ERR_NOMEM(g->err);
    }
    g->at = ATLS_COLLATERALS_MAX;
    if (rc == ATLS_OK) {
        atls_ledger_ok_found(g->j->l, id,
                             atls_value_text("the peer's: the verifier has none that "
                                             "fits"));
    } else {
        atls_ledger_fail_err(g->j->l, &err);
    }
    return ATLS_OK;
}

static atls_code choose(judging *g)
{
    const atls_intel_platform *p = g->p;
    const bool is_tdx = g->evidence->is_tdx;
    const uint8_t *fmspc = read_extension(g, NULL) ? p->extension.fmspc : NULL;
    g->at = atls_trust_choose(g->trust, is_tdx, fmspc,
                              p->leaf == NULL ? (atls_buf){NULL, 0} : p->leaf->issuer);
    if (g->at != ATLS_COLLATERALS_MAX &&
        atls_collateral_fits(g->trust->collaterals[g->at], is_tdx, fmspc)) {
        g->p->own = g->trust->collaterals[g->at];
    }
    g->p->has_name = take_name(g->p, fmspc);
    g->shelved = choose_shelved(p, g->view);
    if (g->evidence->stapled.ptr == NULL) {
        return ATLS_OK;
    }
    if (g->shelved != NULL || p->own != NULL) {
        atls_ledger_ok_found(g->j->l, "collateral.stapled",
                             atls_value_text("not looked at: the verifier's own fits"));
        return ATLS_OK;
    }
    return take_stapled(g);
}

static const atls_collateral *chosen(const judging *g)
{
    return g->shelved != NULL              ? atls_shelf_intel_collateral(g->shelved)
           : g->stapled != NULL            ? g->stapled
           : g->at != ATLS_COLLATERALS_MAX ? g->trust->collaterals[g->at]
                                           : NULL;
}

/* The same certificate is kept once. */
static void share(atls_cert **mine, atls_cert *theirs)
{
    if (*mine != NULL && theirs != NULL && atls_same_bytes((*mine)->der, theirs->der)) {
        atls_cert_free(*mine);
        *mine = atls_cert_up_ref(theirs);
    }
}

static atls_code judge_collateral(const judging *g)
{
    atls_intel_platform *p = g->p;
    const atls_collateral *c = chosen(g);
    if (c == NULL) {
        (void)atls_judge_there(g->j, "collateral.missing", false, "collateral of this platform");
        return ATLS_OK;
    }
    const atls_root *root = g->root != NULL ? g->root : atls_trust_root_of(g->trust, c, g->j);
    atls_cert *root_cert = g->root == NULL ? NULL : p->root;
    ATLS_TRY(
        g->shelved != NULL
            ? atls_shelf_intel_snapshot(g->shelved, root, root_cert, g->j, &p->snapshot, g->err)
        : g->stapled != NULL
            ? atls_intel_snapshot_make(g->j, c, root, root_cert, &p->snapshot, g->err)
            : atls_trust_snapshot(g->trust, g->at, root, root_cert, g->j, &p->snapshot, g->err));
    share(&p->root, p->snapshot->root);
    share(&p->ca, p->snapshot->ca);
    return ATLS_OK;
}

static void note_window(atls_intel_platform *p)
{
    p->chain_window = atls_window_all;
    atls_window_narrow_cert(&p->chain_window, p->root);
    atls_window_narrow_cert(&p->chain_window, p->ca);
    atls_window_narrow_cert(&p->chain_window, p->leaf);
    p->earliest_expiration_s = p->chain_window.ends_s;
    if (p->snapshot != NULL && p->snapshot->earliest_expiration_s < p->earliest_expiration_s) {
        p->earliest_expiration_s = p->snapshot->earliest_expiration_s;
    }
}

/* The chain has its shape, and a trusted root. */
static void judge_chain(const judging *g)
{
    atls_intel_platform *p = g->p;
    const atls_pck_chain chain = chain_of(p);
    bool form = atls_pck_chain_judge_form(g->j, &chain);
    bool signatures = judge_signatures(g);
    judge_revocations(g);
    atls_err err = {0};
    bool extension = read_extension(g, &err);
    if (extension) {
        atls_ledger_ok(g->j->l, "pck.extension");
    } else {
        atls_ledger_fail_err(g->j->l, &err);
    }
    note_window(p);
    p->holds = form && signatures && extension;
    if (!p->holds) {
        atls_ledger_skip(g->j->l, "qe_report.signature", "the PCK certificate does not hold");
        return;
    }
    judge_attestation_key(g);
}

/* One of each kind, and a root that is trusted: told first, as nothing else matters without. */
static bool judge_shape(const judging *g, bool there, bool well_formed)
{
    const atls_pck_chain chain = chain_of(g->p);
    return atls_judge_there(g->j, "pck.missing", there,
                            "a PCK certificate chain, in the quote or with the collateral") &&
           atls_judge(g->j, "pck.chain.format", well_formed, ATLS_E_INVALID, "something else",
                      "exactly three certificates") &&
           (g->evidence->certification_type != PEM_LEAF ||
            atls_judge(g->j, "pck.leaf.quoted", leaf_is_quoted(g), ATLS_E_INVALID,
                       "another PCK certificate than the quote's", NULL)) &&
           atls_pck_chain_judge_roles(g->j, &chain, g->root);
}

/* Whatever brought such a certificate in: what it certifies is simulated. */
static bool is_marked(const atls_cert *cert)
{
    return cert != NULL && strcmp(cert->subject_o, ATLS_SIMULATOR_O) == 0;
}

/* A chain in the collateral replaces the quote's (spec 2.3); types 1 to 4 have none of their own. */
static void replace_chain(const judging *g, const atls_collateral *c, bool *there,
                          bool *well_formed)
{
    if (c->pck_chain.present) {
        drop_chain(g->p);
        *there = true;
        *well_formed = c->pck_chain.readable && take_chain(g, c->pck_chain.ders, c->pck_chain.n);
    }
}

/* Chain first, as it says which collateral is needed. */
static atls_code judge_all(judging *g)
{
    atls_intel_platform *p = g->p;
    bool there = g->evidence->certification_type == PEM_CHAIN;
    bool well_formed = take_quoted_chain(g);
    if (!there && take_shelved_chain(g)) {
        there = true;
        well_formed = take_chain(g, p->pck->pck.ders, p->pck->pck.n);
    }
    ATLS_TRY(choose(g));
    if (chosen(g) != NULL) {
        replace_chain(g, chosen(g), &there, &well_formed);
    }
    g->root = p->root == NULL
                  ? NULL
                  : atls_root_find(atls_trust_roots(g->trust, ATLS_FAMILY_INTEL), p->root);
    p->simulated = (g->root != NULL && g->root->simulated) || is_marked(p->root) ||
                   is_marked(p->ca) || is_marked(p->leaf);
    p->custom_root = g->root != NULL && g->root->custom;
    bool is_chain = judge_shape(g, there, well_formed);
    ATLS_TRY(judge_collateral(g));
    if (is_chain && g->root != NULL && p->root != NULL && p->ca != NULL && p->leaf != NULL) {
        judge_chain(g);
    } else {
        skip_rest(g, "there is no PCK certificate chain to a trusted root");
    }
    return ATLS_OK;
}

static atls_intel_platform *platform_new(const atls_platform_evidence *e)
{
    atls_intel_platform *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    atomic_init(&p->refs, 1);
    p->chain_window = atls_window_all;
    p->earliest_expiration_s = INT64_MAX;
    p->is_tdx = e->is_tdx;
    p->version = e->version;
    return p;
}

/* Only what is all good is kept, together with the bytes that it was judged by. */
static void keep_if_good(const judging *g, size_t from)
{
    atls_intel_platform *p = g->p;
    const atls_platform_evidence *e = g->evidence;
    bool all = p->snapshot != NULL && p->snapshot->good && p->holds && p->pck_crl_holds &&
               p->attestation_key != NULL;
    if (!all || !atls_replay_record(&p->replay, g->j->l, from) ||
        (p->bytes = malloc(e->bytes.len)) == NULL) {
        return;
    }
    memcpy(p->bytes, e->bytes.ptr, e->bytes.len);
    p->bytes_len = e->bytes.len;
    p->good = true;
    atls_platform_cache_put(g->trust->platforms, e, p);
}

atls_code atls_intel_platform_judge(const struct atls_trust *trust, const atls_view *view,
                                    const atls_platform_evidence *evidence, const atls_judging *j,
                                    atls_intel_platform **out, atls_err *err)
{
    atls_intel_platform *p = atls_platform_cache_get(trust->platforms, evidence);
    if (p != NULL && !still_stands(p, trust, view, evidence)) {
        atls_intel_platform_free(p);
        p = NULL;
    }
    if (p != NULL) {
        atls_replay_write(&p->replay, j->l);
        *out = p;
        return ATLS_OK;
    }
    p = platform_new(evidence);
    if (p == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    size_t from = j->l->count;
    judging g = {.j = j, .trust = trust, .view = view, .evidence = evidence, .p = p, .err = err};
    atls_code rc = judge_all(&g);
    const bool is_own = g.stapled == NULL;
    atls_collateral_free(g.stapled); /* the snapshot has a reference of its own */
    if (rc != ATLS_OK) {
        atls_intel_platform_free(p);
        return rc;
    }
    if (is_own) {
        keep_if_good(&g, from);
    }
    *out = p;
    return ATLS_OK;
}

atls_intel_platform *atls_intel_platform_up_ref(atls_intel_platform *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void atls_intel_platform_free(atls_intel_platform *p)
{
    if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    drop_chain(p);
    atls_key_free(p->attestation_key);
    atls_intel_snapshot_free(p->snapshot);
    atls_shelf_held_free(p->pck);
    free(p->bytes);
    free(p);
}

/* --- at each use --- */

void atls_intel_platform_judge_times(const atls_intel_platform *p, const atls_view *view,
                                     int64_t when_s, atls_ledger *l, atls_lateness *late)
{
    atls_intel_since since = {0};
    if (p->holds) {
        (void)atls_judge_window(l, "pck.chain.time", &p->chain_window, when_s);
        late->lasting_s =
            p->chain_window.ends_s < late->lasting_s ? p->chain_window.ends_s : late->lasting_s;
    }
    if (p->snapshot == NULL) {
        return;
    }
    const atls_shelf_intel *shelved = choose_shelved(p, view);
    if (shelved != NULL && atls_shelf_intel_collateral(shelved) == p->snapshot->collateral) {
        atls_shelf_intel_since(view->shelf, &p->name, &since);
    }
    if (p->pck_crl_holds) {
        atls_window w = {p->snapshot->pck_crl->this_update_s, p->snapshot->pck_crl->next_update_s};
        (void)atls_judge_update(l, "pck_crl.time", &w, when_s, since.pck_crl_s, late);
    }
    atls_intel_snapshot_judge_times(p->snapshot, when_s, &since, l, late);
}

static void judge_crl_floor(const atls_crl *crl, const atls_item_name *name, atls_item_facts facts,
                            const atls_view *view, atls_ledger *l)
{
    facts.has_number = crl->has_number;
    facts.number = crl->number;
    facts.issued_s = crl->this_update_s;
    facts.next_update_s = crl->next_update_s;
    atls_judge_floor(view, name, &facts, l);
}

void atls_intel_platform_judge_floors(const atls_intel_platform *p, const atls_view *view,
                                      atls_ledger *l)
{
    const atls_intel_snapshot *s = p->snapshot;
    atls_item_facts facts = {.has_number = true};
    if (s == NULL || view->shelf == NULL || !view->live) {
        return;
    }
    memcpy(facts.root_sha256, s->root_sha256, sizeof facts.root_sha256);
    if (s->root_crl != NULL) {
        const atls_item_name name = {.kind = ATLS_ITEM_ROOT_CRL};
        judge_crl_floor(s->root_crl, &name, facts, view, l);
    }
    if (p->pck_crl_holds) {
        const atls_item_name name = {.kind = ATLS_ITEM_PCK_CRL,
                                     .is_processor =
                                         strstr(p->ca->subject_cn, "Processor") != NULL};
        judge_crl_floor(s->pck_crl, &name, facts, view, l);
    }
    if (s->tcb_info != NULL) {
        atls_item_name name = {.kind = ATLS_ITEM_TCB_INFO, .is_tdx = s->tcb_info->is_tdx};
        memcpy(name.fmspc, s->tcb_info->fmspc, sizeof name.fmspc);
        facts.number = s->tcb_info->evaluation_number;
        facts.issued_s = s->tcb_info->issue_date_s;
        facts.next_update_s = s->tcb_info->next_update_s;
        atls_judge_floor(view, &name, &facts, l);
    }
    if (s->qe_identity != NULL && s->qe_identity->id != ATLS_QE_ID_QVE) {
        const atls_item_name name = {.kind = ATLS_ITEM_QE_IDENTITY,
                                     .is_tdx = s->qe_identity->id == ATLS_QE_ID_TD_QE};
        facts.number = s->qe_identity->evaluation_number;
        facts.issued_s = s->qe_identity->issue_date_s;
        facts.next_update_s = s->qe_identity->next_update_s;
        atls_judge_floor(view, &name, &facts, l);
    }
}
