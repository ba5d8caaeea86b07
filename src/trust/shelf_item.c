#include "trust/shelf_item.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "trust/jwks.h"

static uint8_t *put(uint8_t *to, const void *from, size_t len)
{
    if (len > 0) {
        memcpy(to, from, len);
    }
    return to + len;
}

/* --- kinds that are taken apart beforehand: true when it could be done --- */

/* Leaf in the body, CAs behind it or as the chain: as services deliver it, and as one PEM. */
static bool read_pck(atls_shelf_held *h, uint8_t *space)
{
    size_t n = 0;
    size_t more = 0;
    if (atls_cert_split(h->body, space, h->body.len, h->pck.ders, ATLS_CHAIN_MAX, &n, NULL) !=
        ATLS_OK) {
        return false;
    }
    if (h->chain.len > 0 &&
        (n == ATLS_CHAIN_MAX ||
         atls_cert_split(h->chain, space + h->body.len, h->chain.len, h->pck.ders + n,
                         ATLS_CHAIN_MAX - n, &more, NULL) != ATLS_OK)) {
        return false;
    }
    h->pck.n = n + more;
    h->pck.present = h->pck.readable = true;
    return true;
}

static atls_code read_amd_chain(atls_shelf_held *h, uint8_t *space, bool *good)
{
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    atls_code rc = atls_cert_split(h->body, space, h->body.len, ders, ATLS_CHAIN_MAX, &n, NULL);
    for (size_t i = 0; rc == ATLS_OK && i < n && h->issuer == NULL; i++) {
        atls_cert *cert = NULL;
        rc = atls_cert_parse(ders[i], &cert, NULL);
        if (rc == ATLS_OK && !atls_self_issued(cert)) {
            h->issuer = cert;
        } else {
            atls_cert_free(cert);
        }
    }
    *good = rc == ATLS_OK && h->issuer != NULL;
    return rc;
}

static atls_code read_jwks(atls_shelf_held *h, bool *good)
{
    h->keys = calloc(1, sizeof *h->keys);
    if (h->keys == NULL) {
        return ATLS_E_SYSTEM;
    }
    const atls_code rc = atls_endorsement_jwks.add(h->keys, h->body, NULL);
    *good = rc == ATLS_OK;
    return rc;
}

static atls_code take_apart(atls_shelf_held *h, uint8_t *space, bool *good)
{
    *good = true;
    switch (h->name.kind) {
    case ATLS_ITEM_PCK_CERT:
        *good = read_pck(h, space);
        return ATLS_OK;
    case ATLS_ITEM_AMD_CHAIN:
        return read_amd_chain(h, space, good);
    case ATLS_ITEM_AMD_CRL: {
        const atls_code rc = atls_crl_parse(h->body, &h->crl, NULL);
        *good = rc == ATLS_OK;
        return rc;
    }
    case ATLS_ITEM_JWKS:
        return read_jwks(h, good);
    default: /* the others as bytes: Intel's where they are put together, a VCEK where it is judged */
        return ATLS_OK;
    }
}

/* --- the whole --- */

static atls_shelf_held *copy_of(const atls_item *item, size_t more, uint8_t **behind)
{
    const size_t key_len = strlen(item->key) + 1;
    atls_shelf_held *h = calloc(1, sizeof *h + key_len + item->chain.len + item->body.len + more);
    if (h == NULL) {
        return NULL;
    }
    atomic_init(&h->refs, 1);
    uint8_t *at = h->space;
    h->key = (const char *)at;
    at = put(at, item->key, key_len);
    h->chain = (atls_buf){at, item->chain.len};
    at = put(at, item->chain.ptr, item->chain.len);
    h->body = (atls_buf){at, item->body.len};
    *behind = put(at, item->body.ptr, item->body.len);
    return h;
}

atls_code atls_shelf_held_new(const atls_shelf_item *item, atls_shelf_held **out, atls_err *err)
{
    atls_item_name name;
    if (atls_item_name_parse(item->item->key, &name, NULL) != ATLS_OK ||
        name.channel != ATLS_CHANNEL_STANDARD || item->item->body.len == 0) {
        *out = NULL;
        return ATLS_OK;
    }
    const bool is_pem = name.kind == ATLS_ITEM_PCK_CERT || name.kind == ATLS_ITEM_AMD_CHAIN;
    const size_t more = is_pem ? item->item->chain.len + item->item->body.len : 0;
    uint8_t *space;
    atls_shelf_held *h = copy_of(item->item, more, &space);
    if (h == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    h->name = name;
    h->facts = *item->facts;
    bool good = false;
    if (take_apart(h, space, &good) == ATLS_E_SYSTEM) {
        atls_shelf_held_free(h);
        return ATLS_ERR_NOMEM(err);
    }
    if (!good) {
        atls_shelf_held_free(h);
        h = NULL;
    }
    *out = h;
    return ATLS_OK;
}

bool atls_shelf_held_is(const atls_shelf_held *held, const atls_shelf_item *item)
{
    const atls_item_facts *a = &held->facts;
    const atls_item_facts *b = item->facts;
    return memcmp(a->root_sha256, b->root_sha256, sizeof a->root_sha256) == 0 &&
           a->simulated == b->simulated && a->has_number == b->has_number &&
           a->number == b->number && a->issued_s == b->issued_s &&
           a->next_update_s == b->next_update_s && a->expires_s == b->expires_s &&
           strcmp(held->key, item->item->key) == 0 &&
           atls_same_bytes(held->chain, item->item->chain) &&
           atls_same_bytes(held->body, item->item->body);
}

atls_shelf_held *atls_shelf_held_up_ref(atls_shelf_held *held)
{
    atomic_fetch_add_explicit(&held->refs, 1, memory_order_relaxed);
    return held;
}

void atls_shelf_held_free(atls_shelf_held *held)
{
    if (held == NULL || atomic_fetch_sub_explicit(&held->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    atls_cert_free(held->issuer);
    atls_crl_free(held->crl);
    if (held->keys != NULL) {
        atls_endorsements_clear(held->keys);
        free(held->keys);
    }
    free(held);
}
