/* The frame of an air-gap bundle: what is taken covers exactly its bytes, and its items stay inside; a refusal has a check
 * id. A store takes it whole or not at all: nothing here holds under the pinned roots. */
#include <assert.h>
#include <string.h>

#include "store/bundle_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const atls_store_bundle_form *f)
{
    atls_reader items = atls_reader_of(f->items);
    char before[ATLS_ITEM_KEY_LEN] = "";
    for (uint32_t i = 0; i < f->n; i++) {
        atls_item item;
        atls_err err = {0};
        if (atls_store_bundle_next(&items, before, &item, &err) != ATLS_OK) {
            assert(err.code == ATLS_E_INVALID && err.check != NULL);
            return;
        }
        assert(strcmp(before, item.key) < 0);
        memcpy(before, item.key, strlen(item.key) + 1);
    }
    assert(atls_reader_end(&items));
}

static void import(atls_buf bundle)
{
    atls_store *store = NULL;
    atls_item_status status;
    atls_err err = {0};
    size_t taken = 77;
    if (atls_store_open(NULL, &store, &err) != ATLS_OK) {
        return;
    }
    const atls_code rc = atls_store_import(store, bundle, NULL, "fuzz", 1790000000, &taken, &err);
    assert(rc == ATLS_OK ? taken != 77 : (taken == 77 && err.check != NULL && err.msg[0] != '\0'));
    const bool any = atls_store_at(store, 0, &status);
    assert(any == (rc == ATLS_OK && taken > 0));
    atls_store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf bytes = {data, size};
    atls_store_bundle_form f;
    atls_err err = {0};
    const atls_code rc = atls_store_bundle_parse(bytes, &f, &err);
    if (rc == ATLS_OK) {
        assert(f.summed.ptr == data && f.summed.len + 32 == size);
        assert(f.signed_part.len <= size && f.signature.len <= ATLS_FILE_SIGNATURE_MAX);
        assert(atls_store_bundle_looks(bytes));
        walk(&f);
    } else {
        assert(rc == ATLS_E_INVALID && err.check != NULL && err.msg[0] != '\0');
    }
    import(bytes);
    return 0;
}
