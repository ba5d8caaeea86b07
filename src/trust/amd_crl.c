/* AMD's revocation lists: issued by an ARK, and about its ASKs and ASVKs. Leaves all have serial number 0 and are not
 * revoked but outlived, by their TCB. */
#include "trust/amd_chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "trust/trust.h"

/* A list whose signature was verified, kept by root and bytes. */
typedef struct kept_crl {
    atls_kept kept;
    atls_crl *crl;
} kept_crl;

static void kept_crl_free(atls_kept *kept)
{
    kept_crl *k = (kept_crl *)kept;
    atls_crl_free(k->crl);
    free(k);
}

typedef struct judging {
    const atls_judging *j;
    const atls_trust *trust;
    const atls_view *view;
    const atls_amd_chain *c;
    int64_t when_s;
    const atls_shelf_held *held; /* the list at hand is the shelf's; NULL: it is another's */
    int64_t since_s;             /* its origins are unreachable since then; 0: they are not */
    bool condemned, acquitted, stale, below;
    atls_window window; /* of the list that acquitted, or of the last one out of its time */
    bool late;          /* a list of the shelf's would acquit that is past its end: */
    atls_window late_window;
    int64_t late_since_s;
    atls_err below_err; /* of the last one below its floor */
} judging;

static bool key_of(const judging *g, atls_buf der, uint8_t key[32])
{
    static const uint8_t tag[] = {'A', 'M', 'D', ' ', 'C', 'R', 'L', 0};
    const atls_buf pieces[] = {
        {tag, sizeof tag}, {atls_public_key_sha256(g->c->root_key), 32}, der};
    return atls_digest(ATLS_SHA256, pieces, 3, key, NULL) == ATLS_OK;
}

static void keep(const judging *g, const uint8_t key[32], atls_crl *crl)
{
    kept_crl *k = calloc(1, sizeof *k);
    if (k != NULL) {
        atls_kept_init(&k->kept, kept_crl_free);
        k->crl = atls_crl_up_ref(crl);
        atls_kept_cache_put(g->trust->kept, key, k);
        atls_kept_free(k);
    }
}

/* AMD has a list for either kind of leaf; one that is not the shelf's does not say which it is. */
static bool is_above_floor(judging *g, const atls_crl *crl)
{
    const atls_item_name name = {.kind = ATLS_ITEM_AMD_CRL,
                                 .is_vlek = g->held != NULL ? g->held->name.is_vlek : g->c->is_vlek,
                                 .product =
                                     g->held != NULL ? g->held->name.product : g->c->facts.product};
    atls_item_facts facts = {.has_number = crl->has_number,
                             .number = crl->number,
                             .issued_s = crl->this_update_s,
                             .next_update_s = crl->next_update_s};
    memcpy(facts.root_sha256, g->c->root_sha256, sizeof facts.root_sha256);
    return !g->c->has_facts || atls_view_above_floor(g->view, &name, &facts, &g->below_err);
}

static void weigh_late(judging *g, const atls_window *w)
{
    if (g->since_s > 0 && g->when_s > w->ends_s &&
        (!g->late || w->ends_s > g->late_window.ends_s)) {
        g->late = true;
        g->late_window = *w;
        g->late_since_s = g->since_s;
    }
}

/* What a list whose signature holds says at this time. */
static void weigh(judging *g, const atls_crl *crl)
{
    const atls_window w = {crl->this_update_s, crl->next_update_s};
    if (atls_crl_lists(crl, g->c->ca_serial, g->c->ca_serial_len)) {
        g->condemned = true;
    } else if (g->held != NULL && g->held->name.is_vlek != g->c->is_vlek) {
        return; /* it is about the other kind */
    } else if (!is_above_floor(g, crl)) {
        g->below = true;
    } else if (g->when_s >= w.begins_s && g->when_s <= w.ends_s) {
        if (!g->acquitted || w.ends_s < g->window.ends_s) {
            g->window = w;
        }
        g->acquitted = true;
    } else {
        g->stale = true;
        g->window = g->acquitted ? g->window : w;
        weigh_late(g, &w);
    }
}

/* Does a name, in DER, have a value of exactly this text? Needs no memory: a list passed over for the want of it would
 * condemn nobody. */
static bool name_has(atls_buf name, const char *text)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i < name.len && len < name.len - i; i++) {
        if (name.ptr[i] == len && memcmp(name.ptr + i + 1, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* By what the root itself is called: what stands below it may be named by whoever stole a key. */
bool atls_amd_crl_is_of(const atls_crl *crl, const char *root_cn, bool root_marked)
{
    return name_has(crl->issuer, root_cn) && name_has(crl->issuer, ATLS_SIMULATOR_O) == root_marked;
}

bool atls_amd_crl_holds(const atls_judging *j, const atls_crl *crl, atls_public_key *root_key)
{
    if (!atls_judge(j, "snp.crl.format", !crl->unknown_critical && crl->next_update_s != INT64_MIN,
                    ATLS_E_INVALID, "a partial list, or one without a next update",
                    "a whole one")) {
        return false;
    }
    (*j->signatures)++;
    return atls_judge(j, "snp.crl.signature",
                      crl->sig_scheme == ATLS_RSA_PSS && crl->sig_hash == ATLS_SHA384 &&
                          atls_crl_signed_by_key(crl, root_key),
                      ATLS_E_INVALID, "a signature that the trusted root did not make",
                      "a valid one");
}

/* endorsed: lists of other roots are for other evidence. */
static void judge_der(judging *g, atls_buf der, atls_crl *endorsed)
{
    uint8_t key[32];
    if (!key_of(g, der, key)) {
        atls_ledger_no_memory(g->j->l);
        return;
    }
    kept_crl *known = atls_kept_cache_get(g->trust->kept, key);
    if (known != NULL) {
        atls_ledger_ok(g->j->l, "snp.crl.signature");
        weigh(g, known->crl);
        atls_kept_free(known);
        return;
    }
    atls_crl *crl = endorsed != NULL ? atls_crl_up_ref(endorsed) : NULL;
    if (crl == NULL && !atls_judging_taken(g->j, atls_crl_parse(der, &crl, NULL))) {
        (void)atls_judge(g->j, "snp.crl.format", false, ATLS_E_INVALID,
                         "something that is no revocation list", "AMD's, in DER or PEM");
        return;
    }
    if (atls_amd_crl_is_of(crl, g->c->root_cn, g->c->root_marked)) {
        if (atls_amd_crl_holds(g->j, crl, g->c->root_key)) {
            keep(g, key, crl);
            weigh(g, crl);
        }
    } else if (endorsed == NULL) {
        (void)atls_judge(g->j, "snp.crl.issuer", false, ATLS_E_INVALID, "a list of another issuer",
                         "one of this chain's root");
    }
    atls_crl_free(crl);
}

static void judge_table(judging *g, atls_buf bytes)
{
    uint8_t *space = malloc(bytes.len);
    atls_buf der;
    if (space == NULL) {
        atls_ledger_no_memory(g->j->l);
        return;
    }
    bool good = atls_judging_taken(g->j, atls_crl_decode(bytes, space, &der, NULL));
    if (good) {
        judge_der(g, der, NULL);
    } else {
        (void)atls_judge(g->j, "snp.crl.format", false, ATLS_E_INVALID,
                         "something that is no revocation list", "AMD's, in DER or PEM");
    }
    free(space);
}

/* The shelf's, of this chain's product: what it says of others is for other evidence. */
static void judge_shelved(judging *g)
{
    for (size_t i = 0; g->view->shelf != NULL; i++) {
        g->held = atls_shelf_at(g->view->shelf, ATLS_ITEM_AMD_CRL, i, &g->since_s);
        if (g->held == NULL) {
            break;
        }
        if (!g->c->has_facts || g->held->name.product == g->c->facts.product) {
            judge_der(g, g->held->crl->der, g->held->crl);
        }
    }
    g->held = NULL;
    g->since_s = 0;
}

/* False: no list that counts is in its time, or excused for being late. */
static bool judge_time(judging *g, atls_amd_crl_result *result)
{
    if (!g->acquitted && g->late) {
        atls_lateness late = {0, INT64_MAX};
        g->acquitted = atls_judge_update(g->j->l, "snp.crl.time", &g->late_window, g->when_s,
                                         g->late_since_s, &late);
        result->late_s = late.late_s;
    } else if (g->acquitted || g->stale) {
        (void)atls_judge_window(g->j->l, "snp.crl.time", &g->window, g->when_s);
        result->expires_s = g->acquitted && !g->condemned && g->window.ends_s < result->expires_s
                                ? g->window.ends_s
                                : result->expires_s;
    }
    return g->acquitted;
}

static void conclude(judging *g, atls_amd_crl_result *result)
{
    const bool acquitted = judge_time(g, result);
    if (g->below && !acquitted) {
        atls_ledger_fail_err(g->j->l, &g->below_err);
    }
    if (g->condemned) {
        atls_ledger_fail(g->j->l, "snp.ca.crl", ATLS_E_INVALID,
                         atls_value_hex((atls_buf){g->c->ca_serial, g->c->ca_serial_len}),
                         atls_value_text("an ASK or ASVK that is not revoked"));
    } else if (acquitted) {
        atls_ledger_ok(g->j->l, "snp.ca.crl");
    }
    result->checked = acquitted && !g->condemned;
}

void atls_amd_crl_judge(const struct atls_trust *trust, const atls_view *view,
                        const atls_amd_chain *c, const atls_amd_cert_table *table, int64_t when_s,
                        const atls_judging *j, atls_amd_crl_result *result)
{
    judging g = {.j = j, .trust = trust, .view = view, .c = c, .when_s = when_s};
    if (!c->has_root) {
        return;
    }
    if (table->entry[ATLS_AMD_CRL].len > 0) {
        judge_table(&g, table->entry[ATLS_AMD_CRL]);
    }
    for (size_t i = 0; i < trust->endorsements.crls_n; i++) {
        judge_der(&g, trust->endorsements.crls[i]->der, trust->endorsements.crls[i]);
    }
    judge_shelved(&g);
    conclude(&g, result);
}
