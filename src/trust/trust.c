#include "trust/trust.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct atls_snapshot_slots {
    pthread_mutex_t lock; /* held for a pointer's copy only */
    atls_intel_snapshot *of[ATLS_COLLATERALS_MAX];
};

static struct atls_snapshot_slots *slots_new(void)
{
    struct atls_snapshot_slots *s = calloc(1, sizeof *s);
    if (s != NULL && pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return NULL;
    }
    return s;
}

static void slots_clear(struct atls_snapshot_slots *s)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < ATLS_COLLATERALS_MAX; i++) {
        atls_intel_snapshot_free(s->of[i]);
        s->of[i] = NULL;
    }
    pthread_mutex_unlock(&s->lock);
}

static bool pin_roots(atls_trust *t)
{
    for (size_t i = 0; i < ATLS_FAMILIES; i++) {
        if (atls_root_set_pinned(&t->roots[i], (atls_family)i, NULL) != ATLS_OK) {
            return false;
        }
    }
    return true;
}

atls_trust *atls_trust_new(void)
{
    atls_trust *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->snapshots = slots_new();
    t->platforms = atls_platform_cache_new();
    t->kept = atls_kept_cache_new();
    if (t->snapshots == NULL || t->platforms == NULL || t->kept == NULL || !pin_roots(t)) {
        atls_trust_free(t);
        return NULL;
    }
    return t;
}

void atls_trust_free(atls_trust *t)
{
    if (t == NULL) {
        return;
    }
    if (t->snapshots != NULL) {
        slots_clear(t->snapshots);
        pthread_mutex_destroy(&t->snapshots->lock);
        free(t->snapshots);
    }
    atls_platform_cache_free(t->platforms);
    atls_kept_cache_free(t->kept);
    for (size_t i = 0; i < t->collaterals_n; i++) {
        atls_collateral_free(t->collaterals[i]);
    }
    atls_endorsements_clear(&t->endorsements);
    for (size_t i = 0; i < ATLS_FAMILIES; i++) {
        atls_root_set_clear(&t->roots[i]);
    }
    free(t);
}

void atls_trust_drop_caches(atls_trust *t)
{
    atls_platform_cache_clear(t->platforms);
    atls_kept_cache_clear(t->kept);
    slots_clear(t->snapshots);
}

const atls_root_set *atls_trust_roots(const atls_trust *t, atls_family family)
{
    return &t->roots[family];
}

atls_code atls_trust_set1_root(atls_trust *t, atls_family family, atls_buf certs, atls_err *err)
{
    if ((size_t)family >= ATLS_FAMILIES) {
        return ATLS_ERR(err, ATLS_E_USAGE, "root.family",
                        "this library knows no evidence of that family");
    }
    ATLS_TRY(atls_root_set_add(&t->roots[family], family, certs, false, err));
    atls_trust_drop_caches(t);
    return ATLS_OK;
}

atls_code atls_trust_add1_simulator(atls_trust *t, atls_buf certs, atls_err *err)
{
    ATLS_TRY(atls_root_sets_add_simulators(t->roots, certs, err));
    atls_trust_drop_caches(t);
    return ATLS_OK;
}

atls_code atls_trust_add1_collateral(atls_trust *t, const atls_collateral *collateral,
                                     atls_err *err)
{
    if (t->collaterals_n == ATLS_COLLATERALS_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "collateral.count", "more than %d collaterals",
                        ATLS_COLLATERALS_MAX);
    }
    t->collaterals[t->collaterals_n++] = atls_collateral_up_ref(collateral);
    atls_trust_drop_caches(t);
    return ATLS_OK;
}

atls_code atls_trust_add1_endorsement(atls_trust *t, atls_buf bytes, atls_err *err)
{
    ATLS_TRY(atls_endorsements_add(&t->endorsements, bytes, err));
    atls_trust_drop_caches(t);
    return ATLS_OK;
}

const atls_root *atls_trust_root_of(const atls_trust *t, const atls_collateral *collateral,
                                    const atls_judging *j)
{
    const atls_collateral_chain *chain = &collateral->tcb_info_chain;
    const atls_root_set *intel = &t->roots[ATLS_FAMILY_INTEL];
    const atls_root *root = &intel->roots[0];
    for (size_t i = 0; chain->readable && i < chain->n; i++) {
        atls_cert *cert = NULL;
        if (atls_judging_taken(j, atls_cert_parse(chain->ders[i], &cert, NULL))) {
            const atls_root *found = atls_root_find(intel, cert);
            root = found != NULL ? found : root;
            atls_cert_free(cert);
        }
    }
    return root;
}

size_t atls_trust_choose(const atls_trust *t, bool is_tdx, const uint8_t *fmspc,
                         atls_buf pck_issuer)
{
    size_t best = ATLS_COLLATERALS_MAX;
    int best_score = -1;
    for (size_t i = 0; i < t->collaterals_n; i++) {
        const atls_collateral *c = t->collaterals[i];
        bool same_tee = c->has_hint && c->hint_tdx == is_tdx;
        bool same_kind =
            fmspc == NULL ? c->pck_chain.present
                          : c->has_hint && memcmp(c->hint_fmspc, fmspc, sizeof c->hint_fmspc) == 0;
        int score = (same_tee ? 4 : 0) + (same_kind ? 2 : 0);
        score += same_tee && same_kind && atls_collateral_has_crl_of(c, pck_issuer) ? 1 : 0;
        if (score >= best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

atls_code atls_trust_snapshot(const atls_trust *t, size_t i, const atls_root *root,
                              atls_cert *root_cert, const atls_judging *j,
                              atls_intel_snapshot **out, atls_err *err)
{
    struct atls_snapshot_slots *slots = t->snapshots;
    return atls_intel_snapshot_cached(&slots->lock, &slots->of[i], t->collaterals[i], root,
                                      root_cert, j, out, err);
}
