#include "store/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"

/* Printable ASCII of a foreign text, as much as there is room for. */
static void copy_text(char out[ATLS_HELD_FROM_LEN], const char *text)
{
    size_t n = 0;
    for (; text != NULL && text[n] != '\0' && n + 1 < ATLS_HELD_FROM_LEN; n++) {
        out[n] = text[n];
        if (text[n] < ' ' || text[n] > '~') {
            out[n] = '?';
        }
    }
    out[n] = '\0';
}

/* Copy, digest and views. What decodes is looked at, not what the caller handed over: so nothing is held that could
 * not be read again. */
static atls_code fill(atls_held *h, const atls_item *item, size_t len, atls_err *err)
{
    atls_writer w = atls_writer_of(h->bytes, len);
    atls_item_encode(item, &w);
    if (w.failed || w.len != len) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.form", "an item that has no encoding");
    }
    h->len = len;
    const atls_buf bytes = {h->bytes, len};
    ATLS_TRY(atls_item_decode(bytes, &h->item, err));
    return atls_digest(ATLS_SHA256, &bytes, 1, h->sha256, err);
}

bool atls_held_is_jwks(const atls_held *held)
{
    return strncmp(atls_held_key(held), "jwks/", 5) == 0;
}

static void end_jwks(atls_held *h)
{
    if (atls_held_is_jwks(h) && h->taken_s < INT64_MAX - ATLS_HELD_JWKS_MAX_S) {
        h->facts.expires_s = h->taken_s + ATLS_HELD_JWKS_MAX_S;
    }
}

atls_code atls_held_new(const atls_root_set roots[ATLS_FAMILIES], const atls_item *item,
                        const atls_held_origin *origin, atls_held **out, atls_err *err)
{
    if (item->key == NULL || strlen(item->key) >= ATLS_ITEM_KEY_LEN ||
        item->body.len > ATLS_ITEM_BODY_MAX || item->chain.len > ATLS_ITEM_CHAIN_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.form",
                        "an item with %zu bytes of body and %zu of chain: the most are %zu and %zu",
                        item->body.len, item->chain.len, ATLS_ITEM_BODY_MAX, ATLS_ITEM_CHAIN_MAX);
    }
    const size_t len = atls_item_encoded_len(item);
    atls_held *h = calloc(1, sizeof *h + len);
    if (h == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atomic_init(&h->refs, 1);
    atomic_init(&h->unreachable_since_s, origin->unreachable_since_s);
    atomic_init(&h->is_saved, false);
    h->source = origin->source;
    h->taken_s = origin->taken_s;
    copy_text(h->from, origin->from);
    atls_code rc = fill(h, item, len, err);
    rc = rc == ATLS_OK ? atls_item_judge(roots, &h->item, &h->facts, err) : rc;
    if (rc != ATLS_OK) {
        atls_held_free(h);
        return rc;
    }
    end_jwks(h);
    *out = h;
    return ATLS_OK;
}

atls_held *atls_held_up_ref(atls_held *held)
{
    atomic_fetch_add_explicit(&held->refs, 1, memory_order_relaxed);
    return held;
}

void atls_held_free(atls_held *held)
{
    if (held != NULL && atomic_fetch_sub_explicit(&held->refs, 1, memory_order_acq_rel) == 1) {
        free(held);
    }
}

void atls_held_item(const atls_held *held, atls_item *out)
{
    *out = held->item;
}

void atls_held_status(const atls_held *held, atls_item_status *out)
{
    *out = (atls_item_status){.simulated = held->facts.simulated,
                              .has_number = held->facts.has_number,
                              .number = held->facts.number,
                              .issued_s = held->facts.issued_s,
                              .next_update_s = held->facts.next_update_s,
                              .expires_s = held->facts.expires_s,
                              .taken_s = held->taken_s,
                              .source = held->source,
                              .unreachable_since_s = atomic_load(&held->unreachable_since_s)};
    memcpy(out->key, held->item.key, strlen(held->item.key) + 1);
    memcpy(out->sha256, held->sha256, sizeof out->sha256);
    memcpy(out->root_sha256, held->facts.root_sha256, sizeof out->root_sha256);
    memcpy(out->from, held->from, sizeof out->from);
}
