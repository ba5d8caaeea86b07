#include "net/keeper_state.h"

#include <stdio.h>
#include <string.h>

#define VCEK "amd/vcek/"

/* amd/vcek/PRODUCT/... -> amd/chain/vcek/PRODUCT */
static bool chain_key(const char *key, char out[ATLS_ITEM_KEY_LEN])
{
    const size_t prefix = sizeof VCEK - 1;
    if (strncmp(key, VCEK, prefix) != 0) {
        return false;
    }
    (void)snprintf(out, ATLS_ITEM_KEY_LEN, "amd/chain/vcek/%.*s", (int)strcspn(key + prefix, "/"),
                   key + prefix);
    return true;
}

bool keeper_waits_for_chain(const atls_keeper *k, const keeper_entry *e)
{
    char key[ATLS_ITEM_KEY_LEN];
    atls_item_status s;
    const keeper_entry *chain = chain_key(e->key, key) ? keeper_find(k, key) : NULL;
    return chain != NULL && chain->phase != KEEPER_IDLE && !keeper_held(k, key, &s);
}

const atls_err *keeper_chain_trouble(const atls_keeper *k, const keeper_entry *e)
{
    char key[ATLS_ITEM_KEY_LEN];
    const keeper_entry *chain = chain_key(e->key, key) ? keeper_find(k, key) : NULL;
    if (chain == NULL) {
        return NULL;
    }
    const atls_err *why = chain->phase != KEEPER_IDLE ? &chain->trouble : &chain->why;
    return why->code != ATLS_OK ? why : NULL;
}

void keeper_add_chain(const atls_keeper *k, const keeper_entry *e, atls_item *item,
                      atls_held **held)
{
    char key[ATLS_ITEM_KEY_LEN];
    atls_item chain;
    *held = NULL;
    if (item->chain.len == 0 && chain_key(e->key, key) && atls_store_get(k->store, key, held)) {
        atls_held_item(*held, &chain);
        item->chain = chain.body;
    }
}

bool keeper_fetch_chain(atls_keeper *k, keeper_entry *e, const atls_err *why, uint64_t now_ms,
                        int64_t when_s)
{
    char key[ATLS_ITEM_KEY_LEN];
    atls_item_status s;
    if (e->asked_for_chain || why->check == NULL || strcmp(why->check, "snp.ca.missing") != 0 ||
        !chain_key(e->key, key) || keeper_held(k, key, &s)) {
        return false;
    }
    e->asked_for_chain = true;
    keeper_entry *chain = keeper_find(k, key);
    chain = chain != NULL ? chain : keeper_add(k, key, now_ms);
    return chain != NULL && chain->failed_until_ms <= now_ms &&
           (chain->phase != KEEPER_IDLE ||
            keeper_start(k, chain, e->wanted, false, now_ms, when_s));
}
