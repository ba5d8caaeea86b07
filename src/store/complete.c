/* complete.c: what a verification lacks, brought into the store, in two rounds where the first tells of the second. */
#include <atls/store.h>

#include <string.h>

#include "verify/needs.h"

#define ROUNDS 2

static bool is_pck(const char *key)
{
    return strncmp(key, "intel/pck/", 10) == 0;
}

void atls_store_needs(const atls_store *store, const atls_evidence *evidence, atls_needs *out)
{
    atls_held *held = NULL;
    atls_item item;
    atls_evidence_needs(evidence, out);
    if (out->n == 1 && is_pck(out->keys[0]) && atls_store_get(store, out->keys[0], &held)) {
        atls_held_item(held, &item);
        atls_evidence_needs_with(evidence, item.body, out);
        atls_held_free(held);
    }
}

static void lacking(const atls_store *store, const atls_evidence *evidence, int64_t when_s,
                    atls_needs *out)
{
    atls_store_needs(store, evidence, out);
    atls_store_reduce_needs(store, out, when_s);
}

/* Half of it, and not none, which would be no limit. */
static uint32_t half(uint32_t timeout_ms)
{
    return timeout_ms > 1 ? timeout_ms / 2 : timeout_ms;
}

atls_code atls_store_complete(atls_store *store, const atls_evidence *evidence, int64_t when_s,
                              atls_get_collateral *get, void *arg, uint32_t timeout_ms,
                              bool *gained, atls_err *err)
{
    atls_needs needs;
    size_t taken = 0;
    bool more = true;
    atls_code rc = atls_store_take_evidence(store, evidence, when_s, &taken, err);
    *gained = taken > 0;
    for (int round = 0; get != NULL && more && round < ROUNDS; round++) {
        lacking(store, evidence, when_s, &needs);
        const size_t before = needs.n;
        if (before == 0) {
            break;
        }
        more = is_pck(needs.keys[0]); /* the other round has the other half of the time */
        timeout_ms = more ? half(timeout_ms) : timeout_ms;
        rc = get(arg, &needs, timeout_ms, err);
        atls_store_reduce_needs(store, &needs, when_s);
        more = more && needs.n < before;
        *gained = *gained || needs.n < before;
    }
    return rc;
}
