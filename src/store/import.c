/* Out of the air gap: a bundle is judged whole before anything changes. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "store/bundle_form.h"
#include "store/store.h"

static atls_code judge_checksum(const atls_store_bundle_form *f, atls_err *err)
{
    uint8_t sha256[32];
    ATLS_TRY(atls_digest(ATLS_SHA256, &f->summed, 1, sha256, err));
    return memcmp(sha256, f->checksum, sizeof sha256) == 0
               ? ATLS_OK
               : ATLS_ERR(
                     err, ATLS_E_INVALID, "store.bundle.checksum",
                     "the bundle does not fit its own checksum: it was changed or damaged on its way");
}

static atls_code judge_signature(const atls_store_bundle_form *f, const atls_file_key *key,
                                 atls_err *err)
{
    uint8_t sha256[32];
    if (f->scheme == ATLS_FILE_UNSIGNED) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "store.bundle.unsigned",
            "the bundle is not signed, and an operator's key was given to verify it with");
    }
    ATLS_TRY(atls_file_key_sha256(key, sha256, err));
    if (memcmp(sha256, f->key_sha256, sizeof sha256) != 0 ||
        f->scheme != atls_file_key_scheme(key)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.bundle.key",
                        "the bundle is signed with another key than the one that was given");
    }
    return atls_file_verify(key, f->signed_part, f->signature)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "store.bundle.signature",
                          "the operator's signature does not fit the bundle");
}

static atls_code judge_frame(const atls_store_bundle_form *f, const atls_buf *public_pem,
                             atls_err *err)
{
    ATLS_TRY(judge_checksum(f, err));
    if (public_pem == NULL) {
        return ATLS_OK;
    }
    atls_file_key *key = NULL;
    ATLS_TRY(atls_file_key_public(*public_pem, &key, err));
    atls_code rc = judge_signature(f, key, err);
    atls_file_key_free(key);
    return rc;
}

static atls_code judge_item(const atls_store *store, const atls_item *item,
                            const atls_held_origin *origin, atls_held **out, atls_err *err)
{
    ATLS_TRY(atls_store_check_source(item->key, origin->source, err));
    ATLS_TRY(atls_held_new(store->roots, item, origin, out, err));
    return atls_item_judge_time(atls_held_key(*out), &(*out)->facts, origin->taken_s, err);
}

/* Fills held as far as it gets. */
static atls_code judge_items(const atls_store *store, const atls_store_bundle_form *f,
                             const atls_held_origin *origin, atls_held **held, atls_err *err)
{
    atls_reader items = atls_reader_of(f->items);
    const char *before = "";
    for (uint32_t i = 0; i < f->n; i++) {
        atls_item item;
        ATLS_TRY(atls_store_bundle_next(&items, before, &item, err));
        ATLS_TRY(judge_item(store, &item, origin, &held[i], err));
        before = item.key;
    }
    return ATLS_OK;
}

static atls_code import(atls_store *store, const atls_store_bundle_form *f,
                        const atls_held_origin *origin, atls_held **held,
                        atls_store_admitted *admitted, size_t *taken, atls_err *err)
{
    ATLS_TRY(judge_items(store, f, origin, held, err));
    atls_err why = {0}; /* of those that are older than what the store has: they are passed over */
    atls_code rc = atls_store_admit(store, held, f->n, origin->taken_s, admitted, &why);
    size_t n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        n += admitted[i] == ATLS_STORE_NEW ? 1u : 0u;
    }
    if (rc != ATLS_OK) {
        if (err != NULL) {
            *err = why;
        }
        return rc;
    }
    *taken = n;
    return ATLS_OK;
}

atls_code atls_store_import(atls_store *store, atls_buf bundle, const atls_buf *public_pem,
                            const char *from, int64_t when_s, size_t *taken, atls_err *err)
{
    const atls_held_origin origin = {.source = ATLS_ITEM_IMPORTED, .from = from, .taken_s = when_s};
    atls_store_bundle_form f;
    ATLS_TRY(atls_store_bundle_parse(bundle, &f, err));
    ATLS_TRY(judge_frame(&f, public_pem, err));
    atls_held **held = calloc((size_t)f.n + 1, sizeof(atls_held *));
    atls_store_admitted *admitted = calloc((size_t)f.n + 1, sizeof *admitted);
    atls_code rc = held == NULL || admitted == NULL
                       ? ATLS_ERR_NOMEM(err)
                       : import(store, &f, &origin, held, admitted, taken, err);
    for (uint32_t i = 0; held != NULL && i < f.n; i++) {
        atls_held_free(held[i]);
    }
    free(held);
    free(admitted);
    return rc;
}
