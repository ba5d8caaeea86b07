#include "trust/intel_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "trust/intel_signed.h"
#include "trust/view.h"

#define ISSUE_LEEWAY_S 300 /* clocks differ: an issue date this far ahead is not "in the future" */

typedef struct making {
    const atls_judging *j;
    atls_intel_snapshot *s;
    const atls_collateral *c;
    const atls_root *root;
} making;

/* --- chains --- */

static void note_expiry(atls_intel_snapshot *s, int64_t at_s)
{
    if (at_s < s->earliest_expiration_s) {
        s->earliest_expiration_s = at_s;
    }
}

static void note_issue(atls_intel_snapshot *s, int64_t at_s)
{
    if (s->oldest_issue_s == 0 || at_s < s->oldest_issue_s) {
        s->oldest_issue_s = at_s;
    }
}

static bool is_root(const making *m, const atls_cert *cert)
{
    return memcmp(cert->sha256, m->root->sha256, sizeof cert->sha256) == 0;
}

static atls_cert *judge_chain(const making *m, const atls_signed_ids *ids,
                              const atls_collateral_chain *chain, atls_window *window)
{
    if (!atls_judge_there(m->j, ids->chain_missing, chain->present,
                          "the chain of the signing certificate")) {
        return NULL;
    }
    atls_cert_chain p;
    bool parsed = atls_cert_chain_parse(m->j, chain, &p);
    for (size_t i = 0; parsed && i < p.n; i++) {
        note_expiry(m->s, p.certs[i]->not_after_s);
        atls_window_narrow_cert(window, p.certs[i]);
    }
    atls_cert *signer = NULL;
    if (atls_judge(m->j, ids->chain_format, parsed && p.n == 2, ATLS_E_INVALID, "something else",
                   "PEM of exactly two certificates")) {
        signer =
            atls_judge_signer(m->j, ids, &p, is_root(m, atls_signer_root(&p)) ? m->root : NULL);
    }
    signer = signer == NULL ? NULL : atls_cert_up_ref(signer);
    if (parsed) {
        atls_cert_chain_clear(&p);
    }
    return signer;
}

/* The chain of the QE identity is nearly always that of the TCB info: nothing is verified twice. */
static atls_cert *judge_qe_chain(const making *m)
{
    const atls_signed_ids *ids = &atls_qe_identity_ids;
    if (m->s->tcb_signer == NULL ||
        !atls_collateral_same_chain(&m->c->tcb_info_chain, &m->c->qe_identity_chain)) {
        return judge_chain(m, ids, &m->c->qe_identity_chain, &m->s->qe_chain_window);
    }
    const char *const held[] = {ids->chain_format,     ids->chain_root,   ids->chain_signer,
                                ids->chain_extensions, ids->chain_issuer, ids->chain_usage,
                                ids->chain_signature};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        atls_ledger_ok(m->j->l, held[i]);
    }
    m->s->qe_chain_window = m->s->tcb_chain_window;
    return atls_cert_up_ref(m->s->tcb_signer);
}

/* --- revocation lists --- */

static atls_crl *read_crl(const making *m, const atls_crl_ids *ids,
                          const atls_collateral_item *item)
{
    if (!atls_judge_there(m->j, ids->missing, item->present, "the revocation list")) {
        return NULL;
    }
    atls_crl *crl = NULL;
    bool decoded =
        item->readable && atls_judging_taken(m->j, atls_crl_parse(item->bytes, &crl, NULL));
    if (!atls_judge(m->j, ids->format, decoded, ATLS_E_INVALID, "something else",
                    "a revocation list") ||
        crl == NULL) {
        return NULL;
    }
    note_expiry(m->s, crl->next_update_s);
    return crl;
}

static void judge_root_crl(const making *m)
{
    atls_crl *crl = read_crl(m, &atls_root_crl_ids, &m->c->root_crl);
    if (crl == NULL) {
        return;
    }
    if (m->s->root == NULL) {
        atls_ledger_skip(m->j->l, atls_root_crl_ids.signature,
                         "the root's certificate is not there");
    } else if (atls_judge_crl(m->j, &atls_root_crl_ids, crl, m->s->root, m->root->key)) {
        m->s->root_crl = crl;
        return;
    }
    atls_crl_free(crl);
}

/* The CA that comes with the PCK CRL: if it holds, no platform under it has to verify these two signatures
 * again. If not, nothing is lost: the platform's own chain decides. So only its form is written to the ledger. */
static void look_for_ca(const making *m)
{
    atls_cert_chain p;
    if (!m->c->pck_crl_chain.present) {
        return;
    }
    if (!atls_judge(m->j, "pck_crl.chain.format",
                    atls_cert_chain_parse(m->j, &m->c->pck_crl_chain, &p), ATLS_E_INVALID,
                    "something else", "PEM of certificates")) {
        return;
    }
    for (size_t i = 0; i < p.n; i++) {
        note_expiry(m->s, p.certs[i]->not_after_s);
    }
    for (size_t i = 0; i < p.n && m->s->ca == NULL && m->s->root != NULL && m->s->pck_crl != NULL;
         i++) {
        atls_cert *ca = p.certs[i];
        atls_key *key = NULL;
        if (atls_self_issued(ca) || atls_intel_cert_wrong(ca) != NULL || !atls_may_sign_certs(ca) ||
            !atls_issued_by(ca, m->s->root) ||
            !atls_same_bytes(m->s->pck_crl->issuer, ca->subject) ||
            !atls_judging_taken(m->j, atls_key_p256(ca->p256, &key, NULL))) {
            continue;
        }
        atls_ledger scratch;
        atls_ledger_init(&scratch);
        atls_judging quiet = {&scratch, m->j->signatures};
        if (atls_judge_cert_signature(&quiet, "pck.ca.signature", ca, m->root->key) &&
            atls_judge_crl(&quiet, &atls_pck_crl_ids, m->s->pck_crl, ca, key)) {
            m->s->ca = atls_cert_up_ref(ca);
        }
        atls_key_free(key);
    }
    atls_cert_chain_clear(&p);
}

/* --- signed texts --- */

static void judge_tcb_info(const making *m)
{
    const atls_signed_ids *ids = &atls_tcb_info_ids;
    atls_intel_snapshot *s = m->s;
    if (!atls_judge_there(m->j, ids->missing, m->c->tcb_info.present, "TCB info") ||
        !atls_judge_there(m->j, ids->missing, m->c->tcb_info_signature.present,
                          "the signature of the TCB info")) {
        return;
    }
    s->tcb_signer = judge_chain(m, ids, &m->c->tcb_info_chain, &s->tcb_chain_window);
    if (s->tcb_signer != NULL) {
        (void)atls_judge_revocation(m->j, ids->chain_crl, s->root_crl, s->tcb_signer);
    }
    if (!atls_judge_signed(m->j, ids, &m->c->tcb_info, &m->c->tcb_info_signature, s->tcb_signer)) {
        return;
    }
    atls_err err = {0};
    if (!atls_judging_taken(m->j, atls_tcb_info_parse(m->c->tcb_info.bytes, &s->tcb_info, &err))) {
        s->tcb_info = NULL;
        atls_ledger_fail_err(m->j->l, &err);
        return;
    }
    atls_ledger_ok(m->j->l, ids->format);
    note_expiry(s, s->tcb_info->next_update_s);
    note_issue(s, s->tcb_info->issue_date_s);
}

static void judge_qe_identity(const making *m)
{
    const atls_signed_ids *ids = &atls_qe_identity_ids;
    atls_intel_snapshot *s = m->s;
    if (!atls_judge_there(m->j, ids->missing, m->c->qe_identity.present, "QE identity") ||
        !atls_judge_there(m->j, ids->missing, m->c->qe_identity_signature.present,
                          "the signature of the QE identity")) {
        return;
    }
    s->qe_signer = judge_qe_chain(m);
    if (s->qe_signer != NULL) {
        (void)atls_judge_revocation(m->j, ids->chain_crl, s->root_crl, s->qe_signer);
    }
    if (!atls_judge_signed(m->j, ids, &m->c->qe_identity, &m->c->qe_identity_signature,
                           s->qe_signer)) {
        return;
    }
    atls_err err = {0};
    if (!atls_judging_taken(
            m->j, atls_qe_identity_parse(m->c->qe_identity.bytes, &s->qe_identity, &err))) {
        s->qe_identity = NULL;
        atls_ledger_fail_err(m->j->l, &err);
        return;
    }
    atls_ledger_ok(m->j->l, ids->format);
    note_expiry(s, s->qe_identity->next_update_s);
    note_issue(s, s->qe_identity->issue_date_s);
}

/* --- the whole --- */

static void find_root(const making *m, atls_cert *root_cert)
{
    if (root_cert != NULL && is_root(m, root_cert)) {
        m->s->root = atls_cert_up_ref(root_cert);
        return;
    }
    atls_cert_chain p;
    if (atls_cert_chain_parse(m->j, &m->c->tcb_info_chain, &p)) {
        for (size_t i = 0; i < p.n && m->s->root == NULL; i++) {
            m->s->root = is_root(m, p.certs[i]) ? atls_cert_up_ref(p.certs[i]) : NULL;
        }
        atls_cert_chain_clear(&p);
    }
}

atls_code atls_intel_snapshot_make(const atls_judging *j, const atls_collateral *collateral,
                                   const atls_root *root, atls_cert *root_cert,
                                   atls_intel_snapshot **out, atls_err *err)
{
    atls_intel_snapshot *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atomic_init(&s->refs, 1);
    s->collateral = atls_collateral_up_ref(collateral);
    memcpy(s->root_sha256, root->sha256, sizeof s->root_sha256);
    s->tcb_chain_window = s->qe_chain_window = atls_window_all;
    s->earliest_expiration_s = INT64_MAX;
    size_t from = j->l->count;
    making m = {j, s, collateral, root};
    find_root(&m, root_cert);
    judge_root_crl(&m);
    s->pck_crl = read_crl(&m, &atls_pck_crl_ids, &collateral->pck_crl);
    if (s->pck_crl != NULL) {
        note_issue(s, s->pck_crl->this_update_s);
    }
    look_for_ca(&m);
    judge_tcb_info(&m);
    judge_qe_identity(&m);
    s->good = atls_replay_record(&s->replay, j->l, from);
    *out = s;
    return ATLS_OK;
}

atls_code atls_intel_snapshot_cached(pthread_mutex_t *lock, atls_intel_snapshot **kept,
                                     const atls_collateral *collateral, const atls_root *root,
                                     atls_cert *root_cert, const atls_judging *j,
                                     atls_intel_snapshot **out, atls_err *err)
{
    pthread_mutex_lock(lock);
    atls_intel_snapshot *s = *kept == NULL ? NULL : atls_intel_snapshot_up_ref(*kept);
    pthread_mutex_unlock(lock);
    if (s != NULL && memcmp(s->root_sha256, root->sha256, sizeof s->root_sha256) == 0) {
        atls_replay_write(&s->replay, j->l);
        *out = s;
        return ATLS_OK;
    }
    atls_intel_snapshot_free(s);
    ATLS_TRY(atls_intel_snapshot_make(j, collateral, root, root_cert, &s, err));
    if (s->good) {
        pthread_mutex_lock(lock);
        atls_intel_snapshot *before = *kept;
        *kept = atls_intel_snapshot_up_ref(s);
        pthread_mutex_unlock(lock);
        atls_intel_snapshot_free(before);
    }
    *out = s;
    return ATLS_OK;
}

atls_intel_snapshot *atls_intel_snapshot_up_ref(atls_intel_snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void atls_intel_snapshot_free(atls_intel_snapshot *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    atls_cert_free(s->root);
    atls_cert_free(s->tcb_signer);
    atls_cert_free(s->qe_signer);
    atls_cert_free(s->ca);
    atls_crl_free(s->root_crl);
    atls_crl_free(s->pck_crl);
    atls_tcb_info_free(s->tcb_info);
    atls_qe_identity_free(s->qe_identity);
    atls_collateral_free(s->collateral);
    free(s);
}

static void judge_chain_time(const char *id, const atls_window *w, int64_t when_s, atls_ledger *l,
                             atls_lateness *late)
{
    (void)atls_judge_window(l, id, w, when_s);
    if (w->ends_s < late->lasting_s) {
        late->lasting_s = w->ends_s;
    }
}

void atls_intel_snapshot_judge_times(const atls_intel_snapshot *s, int64_t when_s,
                                     const atls_intel_since *since, atls_ledger *l,
                                     atls_lateness *late)
{
    if (s->root_crl != NULL) {
        atls_window w = {s->root_crl->this_update_s, s->root_crl->next_update_s};
        (void)atls_judge_update(l, "root_crl.time", &w, when_s, since->root_crl_s, late);
    }
    if (s->tcb_signer != NULL) {
        judge_chain_time("tcb_info.chain.time", &s->tcb_chain_window, when_s, l, late);
    }
    if (s->tcb_info != NULL) {
        atls_window w = {s->tcb_info->issue_date_s - ISSUE_LEEWAY_S, s->tcb_info->next_update_s};
        (void)atls_judge_update(l, "tcb_info.time", &w, when_s, since->tcb_info_s, late);
    }
    if (s->qe_signer != NULL) {
        judge_chain_time("qe_identity.chain.time", &s->qe_chain_window, when_s, l, late);
    }
    if (s->qe_identity != NULL) {
        atls_window w = {s->qe_identity->issue_date_s - ISSUE_LEEWAY_S,
                         s->qe_identity->next_update_s};
        (void)atls_judge_update(l, "qe_identity.time", &w, when_s, since->qe_identity_s, late);
    }
}
