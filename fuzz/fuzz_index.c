/* An entry of a store's index that is taken is written again as the same bytes; a refusal has a check id. The lines are
 * tried without their checksum too, which a mutation never fits. */
#include <assert.h>
#include <string.h>

#include "store/index_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(atls_buf text, const atls_index_entry *e, bool whole)
{
    uint8_t again[ATLS_INDEX_ENTRY_MAX];
    atls_writer w = atls_writer_of(again, sizeof again);
    char name[ATLS_INDEX_NAME_LEN];
    if (whole) {
        const atls_code rc = atls_index_entry_write(e, &w, NULL);
        assert(rc == ATLS_OK);
    } else {
        atls_index_lines_write(e, &w);
    }
    assert(!w.failed && w.len == text.len && memcmp(again, text.ptr, w.len) == 0);
    const atls_code named = atls_index_name(e->key, name, NULL);
    assert(named == ATLS_OK && strchr(name, '/') == NULL && strlen(name) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf text = {data, size};
    atls_index_entry e;
    atls_err err = {0};
    if (atls_index_entry_read(text, &e, &err) == ATLS_OK) {
        same_again(text, &e, true);
    } else {
        assert(err.check != NULL && err.msg[0] != '\0');
    }
    if (size <= ATLS_INDEX_ENTRY_MAX && atls_index_lines_read(text, &e, NULL) == ATLS_OK) {
        same_again(text, &e, false);
    }
    return 0;
}
