#include "trust/shelf_intel.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct atls_shelf_intel {
    atomic_int refs;
    atls_shelf_intel_name name;
    atls_shelf_intel_items items;
    atls_collateral *collateral;
    pthread_mutex_t lock;          /* held for a pointer's copy only */
    atls_intel_snapshot *snapshot; /* judged under a root, and good; NULL: not yet */
};

static atls_shelf_held *ref(atls_shelf_held *held)
{
    return held != NULL ? atls_shelf_held_up_ref(held) : NULL;
}

static atls_buf body_of(const atls_shelf_held *held)
{
    return held != NULL ? held->body : (atls_buf){NULL, 0};
}

static atls_buf chain_of(const atls_shelf_held *held)
{
    return held != NULL ? held->chain : (atls_buf){NULL, 0};
}

atls_code atls_shelf_intel_new(const atls_shelf_intel_name *name,
                               const atls_shelf_intel_items *items, atls_shelf_intel **out,
                               atls_err *err)
{
    const atls_collateral_parts parts = {
        .tcb_info = body_of(items->tcb_info),
        .tcb_info_chain = chain_of(items->tcb_info),
        .qe_identity = body_of(items->qe_identity),
        .qe_identity_chain = chain_of(items->qe_identity),
        .pck_crl = body_of(items->pck_crl),
        .pck_crl_chain = chain_of(items->pck_crl),
        .root_crl = body_of(items->root_crl),
    };
    atls_shelf_intel *intel = calloc(1, sizeof *intel);
    if (intel == NULL || pthread_mutex_init(&intel->lock, NULL) != 0) {
        free(intel);
        return ATLS_ERR_NOMEM(err);
    }
    atomic_init(&intel->refs, 1);
    intel->name = *name;
    intel->items = (atls_shelf_intel_items){ref(items->tcb_info), ref(items->qe_identity),
                                            ref(items->pck_crl), ref(items->root_crl)};
    const atls_code rc = atls_collateral_of_parts(&parts, &intel->collateral, err);
    if (rc != ATLS_OK) {
        atls_shelf_intel_free(intel);
        return rc;
    }
    *out = intel;
    return ATLS_OK;
}

atls_shelf_intel *atls_shelf_intel_up_ref(atls_shelf_intel *intel)
{
    atomic_fetch_add_explicit(&intel->refs, 1, memory_order_relaxed);
    return intel;
}

void atls_shelf_intel_free(atls_shelf_intel *intel)
{
    if (intel == NULL || atomic_fetch_sub_explicit(&intel->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    atls_shelf_held_free(intel->items.tcb_info);
    atls_shelf_held_free(intel->items.qe_identity);
    atls_shelf_held_free(intel->items.pck_crl);
    atls_shelf_held_free(intel->items.root_crl);
    atls_collateral_free(intel->collateral);
    atls_intel_snapshot_free(intel->snapshot);
    pthread_mutex_destroy(&intel->lock);
    free(intel);
}

const atls_shelf_intel_name *atls_shelf_intel_named(const atls_shelf_intel *intel)
{
    return &intel->name;
}

bool atls_shelf_intel_is(const atls_shelf_intel *intel, const atls_shelf_intel_items *items)
{
    return intel->items.tcb_info == items->tcb_info &&
           intel->items.qe_identity == items->qe_identity &&
           intel->items.pck_crl == items->pck_crl && intel->items.root_crl == items->root_crl;
}

const atls_collateral *atls_shelf_intel_collateral(const atls_shelf_intel *intel)
{
    return intel->collateral;
}

atls_code atls_shelf_intel_snapshot(atls_shelf_intel *intel, const atls_root *root,
                                    atls_cert *root_cert, const atls_judging *j,
                                    atls_intel_snapshot **out, atls_err *err)
{
    return atls_intel_snapshot_cached(&intel->lock, &intel->snapshot, intel->collateral, root,
                                      root_cert, j, out, err);
}
