/* Into the air gap: the items of a store as one file. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/bundle_form.h"
#include "store/store.h"

typedef struct choice {
    atls_held **held; /* references */
    size_t n;
} choice;

static void choice_clear(choice *c)
{
    for (size_t i = 0; i < c->n; i++) {
        atls_held_free(c->held[i]);
    }
    free(c->held);
}

static bool is_jwks(const atls_held *held)
{
    return atls_store_check_source(atls_held_key(held), ATLS_ITEM_IMPORTED, NULL) != ATLS_OK;
}

/* All that may be imported elsewhere: in their time, and no JWK sets. */
static atls_code choose_all(const atls_store *store, int64_t when_s, choice *out, atls_err *err)
{
    atls_store_list *list = store->list;
    pthread_mutex_lock(&list->lock);
    out->held = calloc(list->n + 1, sizeof(atls_held *));
    for (size_t i = 0; out->held != NULL && i < list->n; i++) {
        atls_held *h = list->items[i];
        if (!is_jwks(h) &&
            atls_item_judge_time(atls_held_key(h), &h->facts, when_s, NULL) == ATLS_OK) {
            out->held[out->n++] = atls_held_up_ref(h);
        }
    }
    pthread_mutex_unlock(&list->lock);
    return out->held != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static int by_key(const void *a, const void *b)
{
    atls_held *const *x = a;
    atls_held *const *y = b;
    return strcmp(atls_held_key(*x), atls_held_key(*y));
}

static void drop_doubles(choice *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (kept > 0 && by_key(&c->held[i], &c->held[kept - 1]) == 0) {
            atls_held_free(c->held[i]);
        } else {
            c->held[kept++] = c->held[i];
        }
    }
    c->n = kept;
}

static atls_code choose_one(const atls_store *store, const char *key, int64_t when_s, choice *out,
                            atls_err *err)
{
    ATLS_TRY(atls_store_check_source(key, ATLS_ITEM_IMPORTED, err));
    if (!atls_store_get(store, key, &out->held[out->n])) {
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "store.bundle.absent", "the store has no %.160s",
                        key);
    }
    const atls_held *h = out->held[out->n++];
    return atls_item_judge_time(key, &h->facts, when_s, err);
}

static atls_code choose_keys(const atls_store *store, const char *const *keys, int64_t when_s,
                             choice *out, atls_err *err)
{
    size_t n = 0;
    while (keys[n] != NULL) {
        n++;
    }
    out->held = calloc(n + 1, sizeof(atls_held *));
    if (out->held == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < n; i++) {
        ATLS_TRY(choose_one(store, keys[i], when_s, out, err));
    }
    if (out->n > 1) {
        qsort(out->held, out->n, sizeof(atls_held *), by_key);
    }
    drop_doubles(out);
    return ATLS_OK;
}

static atls_code write_bundle(const choice *c, const atls_file_key *key, int64_t when_s,
                              uint8_t **out, size_t *len, atls_err *err)
{
    size_t cap = ATLS_STORE_BUNDLE_HEAD_LEN + ATLS_STORE_BUNDLE_TAIL_MAX;
    for (size_t i = 0; i < c->n; i++) {
        cap += 4 + c->held[i]->len;
    }
    if (cap > ATLS_STORE_BUNDLE_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_USAGE, "store.bundle.size",
                        "a bundle of %zu bytes, where %zu are the most: choose keys", cap,
                        ATLS_STORE_BUNDLE_MAX_LEN);
    }
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, cap);
    atls_store_bundle_write_head(&w, when_s, (uint32_t)c->n);
    for (size_t i = 0; i < c->n; i++) {
        atls_store_bundle_write_item(&w, &c->held[i]->item);
    }
    atls_code rc = atls_store_bundle_write_tail(&w, key, err);
    if (rc != ATLS_OK) {
        free(space);
        return rc;
    }
    *out = space;
    *len = w.len;
    return ATLS_OK;
}

atls_code atls_store_bundle(const atls_store *store, const char *const *keys,
                            const atls_buf *key_pem, int64_t when_s, uint8_t **out, size_t *len,
                            atls_err *err)
{
    atls_file_key *key = NULL;
    if (key_pem != NULL) {
        ATLS_TRY(atls_file_key_private(*key_pem, &key, err));
    }
    choice c = {0};
    atls_code rc = keys == NULL ? choose_all(store, when_s, &c, err)
                                : choose_keys(store, keys, when_s, &c, err);
    rc = rc == ATLS_OK ? write_bundle(&c, key, when_s, out, len, err) : rc;
    choice_clear(&c);
    atls_file_key_free(key);
    return rc;
}
