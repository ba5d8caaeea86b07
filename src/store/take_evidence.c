#include <string.h>

#include "store/split.h"

static atls_buf part(const atls_evidence *e, const char *name)
{
    for (size_t i = 0; i < e->parts_n; i++) {
        if (e->parts[i].name != NULL && strcmp(e->parts[i].name, name) == 0) {
            return e->parts[i].bytes;
        }
    }
    return (atls_buf){NULL, 0};
}

atls_code atls_store_take_evidence(atls_store *store, const atls_evidence *evidence, int64_t when_s,
                                   size_t *taken, atls_err *err)
{
    const atls_held_origin origin = {
        .source = ATLS_ITEM_STAPLED, .from = "beside evidence", .taken_s = when_s};
    const atls_buf json = part(evidence, "collateral");
    atls_splitting s = {.store = store, .origin = &origin, .err = err};
    atls_code rc = ATLS_OK;
    if (json.len > 0) {
        rc = atls_split_json(&s, json);
        rc = rc == ATLS_E_INVALID ? ATLS_OK : rc; /* left, like an item that does not hold */
    }
    const atls_buf table = part(evidence, "certs");
    const atls_buf leaf = part(evidence, "vcek");
    if (rc == ATLS_OK && (table.len > 0 || leaf.len > 0)) {
        rc = atls_split_amd(&s, table, leaf);
    }
    if (rc == ATLS_OK) {
        *taken = s.taken;
    }
    return rc;
}

atls_code atls_store_take_json(atls_store *store, atls_buf json, const char *from, int64_t when_s,
                               size_t *taken, atls_err *err)
{
    const atls_held_origin origin = {.source = ATLS_ITEM_IMPORTED, .from = from, .taken_s = when_s};
    atls_splitting s = {.store = store, .origin = &origin, .err = err};
    atls_code rc = atls_split_json(&s, json);
    if (rc == ATLS_OK && s.good == 0 && s.left.check != NULL) {
        if (err != NULL) {
            *err = s.left;
        }
        return s.left.code;
    }
    if (rc == ATLS_OK) {
        *taken = s.taken;
    }
    return rc;
}
