#include "codec/cbor_members.h"

#include <string.h>

#include "base/err.h"

static const char *const kinds[] = {
    [ATLS_CBOR_NONE] = "nothing",
    [ATLS_CBOR_UINT] = "an unsigned integer",
    [ATLS_CBOR_BYTES] = "bytes",
    [ATLS_CBOR_TEXT] = "text",
    [ATLS_CBOR_ARRAY] = "an array",
    [ATLS_CBOR_MAP] = "a map",
    [ATLS_CBOR_NEGATIVE] = "a negative integer",
    [ATLS_CBOR_TAG] = "a tag",
    [ATLS_CBOR_BOOL] = "a truth value",
    [ATLS_CBOR_NULL] = "null",
};

static bool is_key(const atls_cbor_member *m, const atls_cbor_item *key)
{
    return m->has_label ? key->kind == ATLS_CBOR_UINT && key->value == m->label
                        : atls_cbor_is_text(key, m->name);
}

static atls_code take(const atls_cbor_member *m, atls_reader value, atls_buf encoded,
                      atls_cbor_found *found, atls_err *err)
{
    atls_cbor_item item;
    if (!atls_cbor_any(&value, &item)) {
        return ATLS_ERR(err, ATLS_E_INVALID, m->check, "%s ends too early", m->name);
    }
    if (item.kind == ATLS_CBOR_NULL && m->may_be_null) {
        return ATLS_OK;
    }
    if (item.kind != m->kind) {
        return ATLS_ERR(err, ATLS_E_INVALID, m->check, "%s is %s, where %s is wanted", m->name,
                        kinds[item.kind], kinds[m->kind]);
    }
    if (item.value < m->min || item.value > m->max) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, m->check, "%s: %s %llu, where %llu to %llu are allowed", m->name,
            m->kind == ATLS_CBOR_UINT ? "value" : "size", (unsigned long long)item.value,
            (unsigned long long)m->min, (unsigned long long)m->max);
    }
    *found = (atls_cbor_found){true, item, encoded};
    return ATLS_OK;
}

atls_code atls_cbor_members(atls_reader *r, const atls_cbor_member *members, size_t n,
                            const char *check, atls_cbor_found *found, size_t *unknown,
                            atls_err *err)
{
    atls_cbor_item map;
    if (!atls_cbor_any(r, &map) || map.kind != ATLS_CBOR_MAP) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "no map where one is wanted");
    }
    memset(found, 0, n * sizeof *found);
    size_t strangers = 0;
    for (uint64_t i = 0; i < map.value; i++) {
        atls_cbor_item key;
        atls_buf encoded;
        bool ok = atls_cbor_any(r, &key);
        const atls_reader value = *r;
        if (!ok || !atls_cbor_skip(r, &encoded)) {
            return ATLS_ERR(err, ATLS_E_INVALID, check, "the map ends too early");
        }
        size_t at = 0;
        while (at < n && !is_key(&members[at], &key)) {
            at++;
        }
        if (at == n) {
            strangers++;
        } else {
            ATLS_TRY(take(&members[at], value, encoded, &found[at], err));
        }
    }
    for (size_t at = 0; at < n; at++) {
        if (members[at].required && !found[at].present) {
            return ATLS_ERR(err, ATLS_E_INVALID, members[at].check, "%s is missing",
                            members[at].name);
        }
    }
    *unknown = strangers;
    return ATLS_OK;
}
