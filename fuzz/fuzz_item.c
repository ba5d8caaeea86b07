/* An item that is taken encodes to the bytes it came from; a key that parses is what its name formats to. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "trust/item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void comes_back(const char *key)
{
    atls_item_name name;
    char again[ATLS_ITEM_KEY_LEN];
    atls_err err = {0};
    if (atls_item_name_parse(key, &name, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_USAGE && strcmp(err.check, "item.key") == 0);
        return;
    }
    assert(name.kind < ATLS_ITEM_KINDS);
    atls_item_name_format(&name, again);
    assert(strcmp(key, again) == 0);
}

/* The bytes themselves as a key, too. */
static void bytes_as_key(const uint8_t *data, size_t size)
{
    char *key = malloc(size + 1);
    if (key != NULL) {
        if (size > 0) {
            memcpy(key, data, size);
        }
        key[size] = '\0';
        comes_back(key);
        free(key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_item item;
    atls_err err = {0};
    bytes_as_key(data, size);
    if (atls_item_decode((atls_buf){data, size}, &item, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strcmp(err.check, "item.form") == 0);
        return 0;
    }
    assert(size <= ATLS_ITEM_MAX_LEN && atls_item_encoded_len(&item) == size);
    uint8_t *space = malloc(size);
    if (space != NULL) {
        atls_writer w = atls_writer_of(space, size);
        atls_item_encode(&item, &w);
        assert(atls_writer_done(&w).len == size && memcmp(space, data, size) == 0);
        free(space);
    }
    comes_back(item.key);
    return 0;
}
